"""A websocket of the venue, read without a program beside the probes: what it pushed, in order."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
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


@dataclass(frozen=True, slots=True)
class Row:
    """A row that was pushed. heard_at: s, as of `time.monotonic`, when this machine had it."""

    channel: str
    data: Any
    heard_at: float


class Stream:
    """One connection; `rows` of a channel are everything that came on it so far."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._heard: SimpleQueue[tuple[float, str | bytes | Exception]] = SimpleQueue()
        self._pushed: list[Row] = []
        # What comes is taken in as it comes, to know when: also while a request is answered.
        self._listener = Thread(target=self._listen, name="verify_stream", daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        while True:
            try:
                text = self._socket.recv()
            except (WebSocketException, OSError) as error:
                self._heard.put((time.monotonic(), error))
                return
            self._heard.put((time.monotonic(), text))

    def join(self) -> None:
        """Wait for the end of what listens; the socket is closed."""
        self._listener.join(TIMEOUT_S)

    def subscribe(self, channel: str, inst_id: str = "") -> None:
        """Ask for a channel, of one pair or of all.

        :raises NoAnswerError: when it is refused, or nothing is said
        """
        argument = {"channel": channel} | ({"instId": inst_id} if inst_id else {})
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
        return [row.data for row in self.pushed() if row.channel == channel]

    def pushed(self) -> list[Row]:
        """Rows pushed on all channels, oldest first."""
        while self._receive(LOOK_S) is not None:
            pass
        return self._pushed

    def _receive(self, seconds: float) -> dict[str, Any] | None:
        try:
            heard_at, text = self._heard.get(timeout=seconds)
        except Empty:
            return None
        if isinstance(text, Exception):
            # Whoever looks again is told so as well.
            self._heard.put((heard_at, text))
            raise NoAnswerError(f"the websocket is gone ({type(text).__name__})") from text
        try:
            message = json.loads(text)
        except ValueError:
            return {}
        if not isinstance(message, dict):
            return {}
        channel = (message.get("arg") or {}).get("channel")
        if channel and "data" in message:
            data = message["data"]
            rows = data if isinstance(data, list) else [data]
            self._pushed += [Row(str(channel), row, heard_at) for row in rows]
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
    stream.join()


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
