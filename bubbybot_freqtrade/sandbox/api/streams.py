"""The venue's websockets: subscriptions, login, and what is pushed when."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from time import monotonic
from typing import Any

import orjson
from aiohttp import WSCloseCode, WSMsgType, web
from pydantic import BaseModel, ConfigDict, Field

from bubbybot_freqtrade.sandbox.api.auth import WEBSOCKET_PATH, Credentials, Gate
from bubbybot_freqtrade.sandbox.api.candle_feed import CandleFeed
from bubbybot_freqtrade.sandbox.api.connection import Connection
from bubbybot_freqtrade.sandbox.api.private_channels import PrivateChannels
from bubbybot_freqtrade.sandbox.api.public_channels import (
    PublicChannels,
    Subscription,
    candle_channel,
)
from bubbybot_freqtrade.sandbox.readings import PRIVATE_CHANNELS
from bubbybot_freqtrade.sandbox.venue.engine import Engine
from bubbybot_freqtrade.sandbox.venue.errors import VenueError

logger = logging.getLogger(__name__)

SILENCE_S = 30.0
MAX_SUBSCRIPTION_BYTES = 4096
PLAIN_CHANNELS = ("tickers", "trades", "books", "books5", "funding-rate")


class StreamFaults(BaseModel):
    """What is wrong with the websockets.

    refuse: new connections are not accepted. silent: connections stay up and answer pings, but no
    data comes. delay_ms: every push is late by that. shuffle: pushes that wait together leave in
    reverse order. twice: every push to a private websocket comes twice. mute: channels that are
    subscribed and say nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    refuse: bool = False
    silent: bool = False
    delay_ms: int = Field(default=0, ge=0)
    shuffle: bool = False
    twice: bool = False
    mute: tuple[str, ...] = ()


class Streams:
    """All websockets of the sandbox. Its state is guarded by the engine's lock."""

    def __init__(self, engine: Engine, feed: CandleFeed) -> None:
        """Listens to `engine` from now on."""
        self.engine = engine
        self.gate = Gate()
        self.faults = StreamFaults()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.connections: set[Connection] = set()
        self._subscribers: dict[Subscription, set[Connection]] = defaultdict(set)
        self._public = PublicChannels(engine, feed)
        self._private = PrivateChannels(engine, self._subscribers, self._push)
        # Pushes to private websockets so far, and of tickers, sent or about to be.
        self.private_pushes = 0
        self.ticker_pushes = 0

    # Connections

    async def serve(self, http: web.BaseRequest, *, private: bool) -> web.StreamResponse:
        """Run one websocket until either side ends it."""
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(http)
        connection = Connection(socket, http, private)
        self.connections.add(connection)
        sender = asyncio.create_task(self._send(connection))
        try:
            await self._receive(connection)
        finally:
            with self.engine.exclusive():
                self.connections.discard(connection)
                for subscription in list(self._subscribers):
                    self._unsubscribe(connection, subscription)
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
            await socket.close()
        return socket

    async def _receive(self, connection: Connection) -> None:
        """Read until the peer leaves or nothing has been said or pushed for 30 seconds."""
        while not connection.socket.closed:
            left = connection.active_at + SILENCE_S - monotonic()
            if left <= 0:
                await connection.socket.close(code=WSCloseCode.GOING_AWAY, message=b"silence")
                return
            try:
                message = await connection.socket.receive(timeout=left)
            except TimeoutError:
                continue
            if message.type != WSMsgType.TEXT:
                return
            connection.active_at = monotonic()
            if message.data == "ping":
                connection.put("pong", is_data=False)
            else:
                self._command(connection, message.data)

    async def _send(self, connection: Connection) -> None:
        while True:
            waiting = [await connection.outbox.get()]
            while not connection.outbox.empty():
                waiting.append(connection.outbox.get_nowait())
            if self.faults.shuffle:
                waiting.reverse()
            for text, is_data in waiting:
                if is_data and self.faults.silent:
                    continue
                if is_data and self.faults.delay_ms:
                    await asyncio.sleep(self.faults.delay_ms / 1000)
                try:
                    await connection.socket.send_str(text)
                except ConnectionError:
                    return
                connection.active_at = monotonic()

    def drop(self) -> None:
        """Cut every websocket without a goodbye. From any thread."""
        self._in_loop(self._abort_all)

    def subscribed(self, channel: str) -> dict[str, int]:
        """How many connections listen to a channel, by instrument."""
        with self.engine.exclusive():
            return {
                inst_id: len(listening)
                for (name, inst_id), listening in self._subscribers.items()
                if name == channel and listening
            }

    def _abort_all(self) -> None:
        for connection in self.connections:
            connection.abort()

    def _in_loop(self, act: Callable[[], None]) -> None:
        if self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(act)

    # Commands

    def _command(self, connection: Connection, text: str) -> None:
        try:
            command = orjson.loads(text)
            operation, arguments = command["op"], command["args"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            operation, arguments = "", None
        if not isinstance(arguments, list) or len(text) > MAX_SUBSCRIPTION_BYTES:
            self._say(connection, _invalid(text))
            return
        with self.engine.exclusive():
            if operation == "login":
                self._login(connection, arguments)
            elif operation in ("subscribe", "unsubscribe"):
                self._change_subscriptions(connection, operation, arguments, text)
            else:
                self._say(connection, _invalid(text))

    def _login(self, connection: Connection, arguments: list[Any]) -> None:
        try:
            said = arguments[0]
            credentials = Credentials(
                str(said["apiKey"]),
                str(said["passphrase"]),
                str(said["timestamp"]),
                str(said["nonce"]),
                str(said["sign"]),
            )
            connection.key = self.gate.admit(
                self.engine.venue.keys,
                credentials,
                path=WEBSOCKET_PATH,
                method="GET",
                body="",
                ip=connection.http.remote or "",
                now_ms=self.engine.now_ms,
            )
        except (IndexError, KeyError, TypeError, VenueError):
            self._say(connection, {"event": "error", "code": "60009", "msg": "Login failed."})
            return
        self._say(connection, {"event": "login", "code": "0", "msg": ""})

    def _change_subscriptions(
        self, connection: Connection, operation: str, arguments: list[Any], text: str
    ) -> None:
        for argument in arguments:
            subscription = self._subscription(connection, argument)
            if subscription is None:
                self._say(connection, _invalid(text))
                continue
            self._say(connection, {"event": operation, "arg": argument})
            if operation == "subscribe":
                self._subscribe(connection, subscription)
            else:
                self._unsubscribe(connection, subscription)

    def _subscription(self, connection: Connection, argument: Any) -> Subscription | None:
        """The subscription that is meant, None when this connection may not have it."""
        if not isinstance(argument, dict):
            return None
        channel = str(argument.get("channel", ""))
        inst_id = str(argument.get("instId") or "")
        if inst_id and inst_id not in self.engine.venue.instruments:
            return None
        if channel in PRIVATE_CHANNELS:
            return (channel, inst_id) if connection.private and connection.key else None
        if connection.private or not inst_id:
            return None
        known = channel in PLAIN_CHANNELS or candle_channel(channel) is not None
        return (channel, inst_id) if known else None

    def _subscribe(self, connection: Connection, subscription: Subscription) -> None:
        self._subscribers[subscription].add(connection)
        channel, inst_id = subscription
        if channel in PRIVATE_CHANNELS:
            self._private.greet(connection, subscription)
        elif channel == "books":
            self._push([connection], self._public.book_snapshot(inst_id))
        else:
            for message in self._public.present(subscription):
                self._push([connection], message)

    def _unsubscribe(self, connection: Connection, subscription: Subscription) -> None:
        subscribers = self._subscribers.get(subscription)
        if subscribers is None:
            return
        subscribers.discard(connection)
        if not subscribers:
            del self._subscribers[subscription]
            self._public.forget(subscription)

    # The market

    def market_moved(self, from_ms: int, to_ms: int) -> None:
        """Push what the trades of (from_ms, to_ms] have changed. The caller holds the engine."""
        if not self._subscribers or self.engine.market.next_tick_ms(from_ms) > to_ms:
            return
        self._private.refresh()
        for subscription, connections in list(self._subscribers.items()):
            channel, inst_id = subscription
            if channel in PRIVATE_CHANNELS:
                continue
            if channel == "trades":
                messages: Iterable[dict[str, Any]] = self._public.trades(inst_id, from_ms, to_ms)
            elif channel == "books":
                messages = self._public.book_update(inst_id)
            else:
                messages = self._public.present(subscription)
            for message in messages:
                self._push(connections, message)

    # Sending

    def _push(self, connections: Iterable[Connection], message: dict[str, Any]) -> None:
        if message["arg"]["channel"] in self.faults.mute:
            return
        text = orjson.dumps(message).decode()
        for connection in connections:
            for _ in range(1 + (connection.private and self.faults.twice)):
                if not self.faults.silent:
                    self.private_pushes += connection.private
                    self.ticker_pushes += message["arg"]["channel"] == "tickers"
                self._in_loop(partial(connection.put, text, is_data=True))

    def _say(self, connection: Connection, message: dict[str, Any]) -> None:
        text = orjson.dumps(message).decode()
        self._in_loop(partial(connection.put, text, is_data=False))


def _invalid(text: str) -> dict[str, str]:
    return {"event": "error", "code": "60012", "msg": f"Invalid request: {text}"}
