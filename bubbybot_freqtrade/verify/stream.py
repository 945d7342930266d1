"""A websocket of the venue, read without a program beside the probes: what it pushed, in order."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from bubbybot_freqtrade.blofin.ccxt_blofin.access import signature
from bubbybot_freqtrade.verify.client import NoAnswerError
from bubbybot_freqtrade.verify.desk import Desk

# Signed by a websocket's login.
_LOGIN_PATH = "/users/self/verify"
TIMEOUT_S = 10.0
# How long a look at the socket waits for something new.
LOOK_S = 0.02


class Stream:
    """One connection; `rows` of a channel are everything that came on it so far."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._messages: list[dict[str, Any]] = []

    def subscribe(self, channel: str, inst_id: str) -> None:
        """Ask for a channel.

        :raises NoAnswerError: when it is refused, or nothing is said
        """
        argument = {"channel": channel, "instId": inst_id}
        self.say({"op": "subscribe", "args": [argument]})
        self.expect("subscribe")

    def say(self, message: dict[str, Any]) -> None:
        """Send."""
        try:
            self._socket.send(json.dumps(message))
        except (WebSocketException, OSError) as error:
            raise NoAnswerError(f"the websocket is gone ({type(error).__name__})") from error

    def expect(self, event: str) -> None:
        """Wait for the venue's word on what was said."""
        while True:
            message = self._receive(TIMEOUT_S)
            if message is None:
                raise NoAnswerError("the websocket says nothing")
            if message.get("event") == "error" or str(message.get("code", "0")) != "0":
                raise NoAnswerError(f"the websocket refuses: {message.get('msg')}")
            if message.get("event") == event:
                return

    def rows(self, channel: str) -> list[Any]:
        """Rows pushed on a channel, oldest first."""
        while self._receive(LOOK_S) is not None:
            pass
        rows: list[Any] = []
        for message in self._messages:
            if (message.get("arg") or {}).get("channel") == channel and "data" in message:
                data = message["data"]
                rows += data if isinstance(data, list) else [data]
        return rows

    def _receive(self, seconds: float) -> dict[str, Any] | None:
        try:
            text = self._socket.recv(seconds)
        except TimeoutError:
            return None
        except (WebSocketException, OSError) as error:
            raise NoAnswerError(f"the websocket is gone ({type(error).__name__})") from error
        try:
            message = json.loads(text)
        except ValueError:
            return {}
        if not isinstance(message, dict):
            return {}
        self._messages.append(message)
        return message


@contextmanager
def open_stream(desk: Desk, *, private: bool) -> Iterator[Stream]:
    """A websocket, logged in where it is private.

    :raises NoAnswerError: when it cannot be opened
    """
    api = desk.client
    url = api.websocket_url(private=private)
    try:
        socket = connect(url, open_timeout=TIMEOUT_S, close_timeout=1, proxy=None)
    except (WebSocketException, OSError) as error:
        raise NoAnswerError(f"no websocket ({type(error).__name__}: {error})") from error
    with socket:
        stream = Stream(socket)
        if private:
            stream.say(_login(api))
            stream.expect("login")
        yield stream


def _login(api: Any) -> dict[str, Any]:
    timestamp, nonce = str(api.nonce()), uuid.uuid4().hex
    argument = {
        "apiKey": api.apiKey,
        "passphrase": api.password,
        "timestamp": timestamp,
        "nonce": nonce,
        "sign": signature(api.secret, f"{_LOGIN_PATH}GET{timestamp}{nonce}"),
    }
    return {"op": "login", "args": [argument]}
