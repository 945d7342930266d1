"""BloFin's websockets as ccxt.pro uses them: what is missing or wrong there, mended.

A failed subscription used to end the reading of the socket, so one bad pair silenced all others;
a login that was refused was waited for forever; nothing could be unsubscribed.
"""

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any

import ccxt

from bubbybot_freqtrade.blofin.ccxt_blofin.access import signature
from bubbybot_freqtrade.blofin.ccxt_blofin.budget import machine_connections
from bubbybot_freqtrade.blofin.ccxt_blofin.candle_streams import UNSUBSCRIBE, CandleStreams
from bubbybot_freqtrade.blofin.ccxt_blofin.errors import HINTS, WEBSOCKET_EXACT
from bubbybot_freqtrade.blofin.ccxt_blofin.rows import check_push, readable

_LOGIN = "authenticate_hash"  # ccxt's name for the answer to a login
_LOGIN_PATH = "/users/self/verify"
_LISTENED = "listened"
_CONFIRMED = "confirmed"
# The venue takes one new websocket a second from an IP; connecting takes one longer than another.
_SECONDS_BETWEEN_CONNECTIONS = 1.1
# After attempts that failed, ccxt waits up to 30 s, or as long as the venue asks, until a time of
# the wall clock. One that is put back by an hour would keep the bot from its websockets as long.
_LONGEST_DELAY_S = 60.0


class Streams(CandleStreams):
    """The websocket side; mixed into the pro class."""

    # Where a connection may be opened now: its turn has been waited for.
    _has_turn_at: str | None = None
    # Shown every message first; what it takes (True) goes no further.
    listener: Callable[[Any], bool] | None = None

    def describe(self: Any) -> dict[str, Any]:
        """What the pro class can do."""
        described = super().describe()
        return self.deep_extend(described, {"has": {"watchBalance": True}})

    def ws_dial_delay(self: Any, url: str) -> float:
        """Seconds to wait before connecting, so that connections are a second apart."""
        if self._has_turn_at == url:
            self._has_turn_at = None
            return 0.0
        delay = min(float(super().ws_dial_delay(url)), _LONGEST_DELAY_S)  # type: ignore[misc]
        client = (self.clients or {}).get(url)
        if client is not None and (client.connecting or client.connection is not None):
            return delay
        return machine_connections(self).take_turn(delay, _SECONDS_BETWEEN_CONNECTIONS)

    async def wait_for_turn(self: Any, access: str) -> None:
        """Wait until a connection to what is `public` or `private` may be opened.

        For those who then wait only so long for what comes of it: where many programs connect at
        once, as after an outage, a turn may come later than that, and who gives up takes another.
        """
        url = self.urls["api"]["ws"]["swap"][access]
        await asyncio.sleep(self.ws_dial_delay(url))
        self._has_turn_at = url

    def client(self: Any, url: str) -> Any:
        """The connection to `url`, which goes on reading after a text that is no JSON."""
        known = url in (self.clients or {})
        client = super().client(url)  # type: ignore[misc]
        if not known:
            take = client.handle_text_or_binary_message

            def take_or_tell(data: Any) -> None:
                try:
                    with readable(self.id, "A text of the websocket"):
                        take(data)
                except ccxt.BadResponse as e:
                    self.tell_unreadable(client, None, e)

            client.handle_text_or_binary_message = take_or_tell
        return client

    async def authenticate(self: Any, params: Any = None) -> None:
        """Log in once a connection, by the venue's time as far as it is known.

        ccxt waits for the answer to a second login, which it doesn't send, forever.

        :raises ccxt.AuthenticationError: when the venue refuses the key
        """
        self.check_required_credentials()
        url = self.urls["api"]["ws"]["swap"]["private"]
        client = (self.clients or {}).get(url)
        if client is not None and client.subscriptions.get(_LOGIN) == _CONFIRMED:
            return
        timestamp, nonce = str(self.nonce()), uuid.uuid4().hex
        login = {
            "apiKey": self.apiKey,
            "passphrase": self.password,
            "timestamp": timestamp,
            "nonce": nonce,
            "sign": signature(self.secret, f"{_LOGIN_PATH}GET{timestamp}{nonce}"),
        }
        request = self.extend({"op": "login", "args": [login]}, params or {})
        await self.watch(url, _LOGIN, request, _LOGIN)

    async def listen_to(self: Any, access: str, channels: list[dict[str, str]]) -> None:
        """Subscribe `public` or `private` channels for `listener`; ends when the connection does.

        :raises ccxt.BaseError: always: why it has ended
        """
        request = {"op": "subscribe", "args": channels}
        await self.watch(self.urls["api"]["ws"]["swap"][access], _LISTENED, request, _LISTENED)

    async def send_to(self: Any, access: str, op: str, channels: list[dict[str, str]]) -> bool:
        """Change what `listener` hears; whether it was sent: not before there is a connection."""
        client = (self.clients or {}).get(self.urls["api"]["ws"]["swap"][access])
        if client is None or client.connection is None or client.closed():
            return False
        await client.send({"op": op, "args": channels})
        return True

    async def watch_ticker(self: Any, symbol: str, params: Any = None) -> Any:
        """The ticker of a market; loads the markets first."""
        if self.markets is None:
            await self.load_markets()
        return await super().watch_ticker(symbol, dict(params or {}))  # type: ignore[misc]

    async def watch_positions(
        self: Any,
        symbols: list[str] | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Any = None,
    ) -> list[Any]:
        """The positions that changed, as a list; of every market when `symbols` is None."""
        changed = await super().watch_positions(  # type: ignore[misc]
            symbols, since, limit, dict(params or {})
        )
        return changed if isinstance(changed, list) else [changed]

    def handle_positions(self: Any, client: Any, message: dict[str, Any]) -> None:
        """Hands pushed positions on, also to those who watch all markets."""
        super().handle_positions(client, message)  # type: ignore[misc]
        rows = self.safe_list(message, "data", [])
        client.resolve([self.parse_ws_position(row) for row in rows], "positions")

    def handle_message(self: Any, client: Any, message: Any) -> None:
        """Takes confirmations and refusals; all else is ccxt's, once it is seen to be readable.

        What can't be read is an error for those who wait for it, who ask again or elsewhere.
        """
        if self.listener is not None and self.listener(message):
            return
        try:
            with readable(self.id, "A message of the websocket"):
                event = message.get("event") if isinstance(message, dict) else None
                if event in ("subscribe", "unsubscribe"):
                    self.handle_confirmation(client, event, message["arg"])
                elif event == "error" or (event == "login" and _is_refused(message)):
                    self.handle_refusal(client, message)
                else:
                    if isinstance(message, dict) and event is None:
                        arg = message["arg"]
                        check_push(self.id, arg["channel"], arg.get("instId"), message.get("data"))
                    if event == "login":
                        client.subscriptions[_LOGIN] = _CONFIRMED
                    super().handle_message(client, message)  # type: ignore[misc]
        except ccxt.BadResponse as e:
            self.tell_unreadable(client, message, e)

    def tell_unreadable(self: Any, client: Any, message: Any, error: ccxt.BadResponse) -> None:
        """Give the error to those who wait for what the message may have been about."""
        arg = message.get("arg") if isinstance(message, dict) else None
        names: list[str] = []
        if isinstance(arg, dict) and isinstance(arg.get("instId", ""), str):
            names = self.subscription_names(client, arg)
        # A login that succeeded stays.
        for name in names or [n for n, future in client.futures.items() if not future.done()]:
            if name == _LOGIN:
                client.subscriptions.pop(name, None)
            client.reject(error, name)

    def handle_confirmation(self: Any, client: Any, event: str, arg: dict[str, Any]) -> None:
        """Remember what the venue confirmed, and end what it ended."""
        for name in self.subscription_names(client, arg):
            if event == "subscribe":
                client.subscriptions[name] = _CONFIRMED
            else:
                self.clean_unsubscription(client, name, UNSUBSCRIBE + name)

    def handle_refusal(self: Any, client: Any, message: dict[str, Any]) -> None:
        """Give the error to those it concerns, and forget their subscription, so they may retry.

        The venue repeats the refused request in its message; where that cannot be read, the error
        goes to every subscription it has not confirmed yet.
        """
        code, text = str(message.get("code")), str(message.get("msg"))
        kind = WEBSOCKET_EXACT.get(code, ccxt.ExchangeError)
        hint = HINTS.get(code)
        error = kind(f"{self.id} websocket {code}: {text}" + (f" - {hint}" if hint else ""))
        if _LOGIN in client.futures and not client.futures[_LOGIN].done():
            names = [_LOGIN]
        else:
            names = self.refused_subscriptions(client, text)
        for name in names:
            client.subscriptions.pop(name, None)
            client.reject(error, name)

    def refused_subscriptions(self: Any, client: Any, text: str) -> list[str]:
        """The subscriptions an error message is about."""
        try:
            request = json.loads(text[text.index("{") :])
            prefix = UNSUBSCRIBE if request.get("op") == "unsubscribe" else ""
            named = [
                prefix + name
                for arg in request["args"]
                for name in self.subscription_names(client, arg)
            ]
        except (ValueError, KeyError, TypeError, AttributeError):
            named = []
        return named or [n for n, state in client.subscriptions.items() if state != _CONFIRMED]

    def subscription_names(self: Any, client: Any, arg: dict[str, Any]) -> list[str]:
        """ccxt's names for what was subscribed with `arg`."""
        channel = str(arg.get("channel"))
        own_names = {
            "account": "swap:balance",
            "funding-rate": "fundingRate",
            "tickers": "bidask",
        }
        names = [channel, own_names.get(channel, channel)]
        if arg.get("instId"):
            symbol = self.safe_symbol(arg["instId"], None, "-", "swap")
            names = [f"{name}:{symbol}" for name in names]
        elif channel in ("orders", "orders-algo", "positions"):
            # ccxt subscribes these for all markets, whichever it was asked for
            names += [n for n in client.subscriptions if n.startswith(f"{channel}:")]
        return [name for name in dict.fromkeys(names) if name in client.subscriptions]


def _is_refused(message: dict[str, Any]) -> bool:
    return str(message.get("code", "0")) != "0"
