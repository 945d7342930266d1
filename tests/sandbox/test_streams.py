"""The websockets, spoken to by hand: login, ping, channels, order of things, faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

import pytest
import requests
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from bubbybot_freqtrade.sandbox import (
    DEMO_API_KEY,
    DEMO_PASSPHRASE,
    DEMO_SECRET,
    Sandbox,
    SandboxSettings,
)
from bubbybot_freqtrade.sandbox.api import connection, streams
from bubbybot_freqtrade.sandbox.api.auth import signature
from bubbybot_freqtrade.sandbox.api.streams import StreamFaults
from bubbybot_freqtrade.sandbox.market.bars import BARS
from tests.sandbox.owner import Owner

MINUTE = 60_000


class Socket:
    """One websocket of a client that checks what it hears."""

    def __init__(self, url: str) -> None:
        self._open = ExitStack()
        self.connection: ClientConnection = self._open.enter_context(connect(url, max_size=None))

    def close(self) -> None:
        self._open.close()

    def say(self, message: Any) -> None:
        self.connection.send(message if isinstance(message, str) else json.dumps(message))

    def hear(self, timeout: float = 5) -> Any:
        text = self.connection.recv(timeout=timeout)
        return text if text == "pong" else json.loads(text)

    def hear_nothing(self) -> None:
        """Nothing is waiting: a ping is answered first."""
        self.say("ping")
        assert self.hear() == "pong"

    def subscribe(self, channel: str, inst_id: str = "") -> Any:
        argument = {"channel": channel} | ({"instId": inst_id} if inst_id else {})
        self.say({"op": "subscribe", "args": [argument]})
        answer = self.hear()
        assert answer == {"event": "subscribe", "arg": argument}, answer
        return argument

    def login(self, sandbox: Sandbox, **wrong: str) -> Any:
        timestamp = str(sandbox.clock.now_ms())
        said = {
            "apiKey": DEMO_API_KEY,
            "passphrase": DEMO_PASSPHRASE,
            "timestamp": timestamp,
            "nonce": f"n{timestamp}",
            "sign": signature(
                DEMO_SECRET, "/users/self/verify", "GET", timestamp, f"n{timestamp}", ""
            ),
        }
        self.say({"op": "login", "args": [said | wrong]})
        return self.hear()


@pytest.fixture
def public(generated: Sandbox) -> Iterator[Socket]:
    socket = Socket(generated.ws_public_url)
    yield socket
    socket.close()


@pytest.fixture
def private(generated: Sandbox) -> Iterator[Socket]:
    socket = Socket(generated.ws_private_url)
    assert socket.login(generated) == {"event": "login", "code": "0", "msg": ""}
    yield socket
    socket.close()


def play(sandbox: Sandbox, ms: int = MINUTE) -> None:
    sandbox.advance(sandbox.clock.now_ms() + ms)


def test_ping_is_answered_as_text(public):
    public.say("ping")
    assert public.hear() == "pong"


@pytest.mark.parametrize(
    "nonsense",
    [
        "{",
        "[]",
        {"op": "subscribe"},
        {"op": "dance", "args": []},
        {"op": "subscribe", "args": [{"channel": "nope", "instId": "BTC-USDT"}]},
        {"op": "subscribe", "args": [{"channel": "tickers", "instId": "NOPE-USDT"}]},
        {"op": "subscribe", "args": [{"channel": "tickers"}]},
        {"op": "subscribe", "args": [{"channel": "candle7m", "instId": "BTC-USDT"}]},
        {"op": "subscribe", "args": [{"channel": "orders"}]},
        {"op": "subscribe", "args": ["tickers"]},
        {"op": "subscribe", "args": [{"channel": "tickers", "instId": "B" * 4096}]},
    ],
)
def test_requests_that_make_no_sense(public, nonsense):
    public.say(nonsense)
    answer = public.hear()
    assert (answer["event"], answer["code"]) == ("error", "60012")
    public.hear_nothing()


@pytest.mark.parametrize(
    "wrong", [{"apiKey": "x"}, {"passphrase": "x"}, {"sign": "x"}, {"timestamp": "1700000000000"}]
)
def test_login_that_fails(generated, wrong):
    socket = Socket(generated.ws_private_url)
    assert socket.login(generated, **wrong)["code"] == "60009"
    socket.say({"op": "subscribe", "args": [{"channel": "orders"}]})
    assert socket.hear()["code"] == "60012"
    socket.close()


@pytest.mark.parametrize("bar", BARS)
@pytest.mark.parametrize("prefix", ["candle", "index-candle", "mark-price-candle"])
def test_candles_of_every_bar_and_kind(public, generated, prefix, bar):
    argument = public.subscribe(prefix + bar, "BTC-USDT")
    message = public.hear()
    assert message["arg"] == argument
    kind = {"candle": "last", "index-candle": "index", "mark-price-candle": "mark"}[prefix]
    now = generated.clock.now_ms()
    (present,) = generated.market.candles("BTC-USDT", bar, kind, now_ms=now, limit=1)
    assert message["data"] == [present.row() if prefix == "candle" else present.price_row()]


def test_candles_arrive_in_order_closed_ones_first(public, generated):
    public.subscribe("candle1m", "BTC-USDT")
    first = public.hear()["data"][0]
    play(generated, 3 * MINUTE)
    heard = [public.hear()["data"][0] for _ in range(4)]
    public.hear_nothing()
    assert [row[0] for row in heard] == [str(int(first[0]) + i * MINUTE) for i in range(4)]
    assert [row[8] for row in heard] == ["1", "1", "1", "0"]
    now = generated.clock.now_ms()
    rest = generated.market.candles("BTC-USDT", "1m", "last", now_ms=now, limit=4)
    assert heard == [candle.row() for candle in reversed(rest)]


def test_the_unfinished_candle_grows(public, generated):
    public.subscribe("candle15m", "BTC-USDT")
    first = public.hear()["data"][0]
    play(generated, 15_000)
    second = public.hear()["data"][0]
    assert first[0] == second[0]
    assert Decimal(second[5]) > Decimal(first[5])
    assert second[8] == "0"


def test_nothing_is_pushed_when_nothing_was_traded(public, generated):
    public.subscribe("tickers", "BTC-USDT")
    public.hear()
    play(generated, 1)
    public.hear_nothing()


def test_trades_are_all_there_once(public, generated):
    public.subscribe("trades", "BTC-USDT")
    start = generated.clock.now_ms()
    play(generated)
    play(generated)
    wanted = [t for t in generated.market.trades("BTC-USDT", start + 2 * MINUTE) if t.ts_ms > start]
    heard = [public.hear() for _ in wanted]
    public.hear_nothing()
    assert [len(message["data"]) for message in heard] == [1] * len(wanted)
    ids = [int(message["data"][0]["tradeId"]) for message in heard]
    assert ids == [trade.trade_id for trade in reversed(wanted)]


def test_books_merge_to_the_present_book(public, generated):
    public.subscribe("books", "BTC-USDT")
    snapshot = public.hear()
    assert (snapshot["action"], snapshot["data"]["prevSeqId"]) == ("snapshot", "0")
    sides = {side: dict(snapshot["data"][side]) for side in ("asks", "bids")}
    sequence = snapshot["data"]["seqId"]
    for _ in range(3):
        play(generated)
        update = public.hear()
        assert update["action"] == "update"
        assert update["data"]["prevSeqId"] == sequence
        sequence = update["data"]["seqId"]
        for side, levels in sides.items():
            for price, size in update["data"][side]:
                if size:
                    levels[price] = size
                else:
                    del levels[price]
    book = generated.market.book("BTC-USDT", generated.clock.now_ms(), 200)
    assert sides["bids"] == {float(price): float(size) for price, size in book.bids}
    assert sides["asks"] == {float(price): float(size) for price, size in book.asks}


def test_books5_and_funding_rate(public, generated):
    public.subscribe("books5", "BTC-USDT")
    message = public.hear()
    assert message["action"] == "snapshot"
    assert len(message["data"]["asks"]) == len(message["data"]["bids"]) == 5
    public.subscribe("funding-rate", "BTC-USDT")
    (row,) = public.hear()["data"]
    wanted = generated.market.next_funding_time(generated.clock.now_ms())
    assert row["fundingTime"] == str(wanted)


def test_unsubscribing_ends_the_pushes(public, generated):
    argument = public.subscribe("tickers", "BTC-USDT")
    public.hear()
    public.say({"op": "unsubscribe", "args": [argument]})
    assert public.hear() == {"event": "unsubscribe", "arg": argument}
    play(generated)
    public.hear_nothing()


def test_orders_stops_and_positions_are_pushed(private, generated):
    for channel in ("orders", "orders-algo"):
        private.subscribe(channel)
    private.subscribe("positions")
    assert private.hear()["data"] == []
    private.subscribe("account")
    assert private.hear()["data"]["details"][0]["currency"] == "USDT"
    owner = Owner(generated)
    last = generated.market.last_price("BTC-USDT", generated.clock.now_ms())
    row = owner.order("buy", "1", slTriggerPrice=str(last - 5000), clientOrderId="ws1")
    heard: dict[str, list[Any]] = {}
    while set(heard) < {"orders", "orders-algo", "positions", "account"}:
        message = private.hear()
        heard.setdefault(message["arg"]["channel"], []).append(message["data"])
    (order,) = heard["orders"][-1]
    assert (order["orderId"], order["state"], order["instType"]) == (
        row["orderId"],
        "filled",
        "SWAP",
    )
    assert order["orderCategory"] == "pre_tp_sl"
    (stop,) = heard["orders-algo"][0]
    assert (stop["orderType"], stop["state"], stop["clientOrderId"]) == (
        "conditional",
        "live",
        "ws1",
    )
    (position,) = heard["positions"][-1]
    assert (position["positions"], position["initialMargin"]) == ("1", "")


def test_a_closed_position_is_pushed_with_nothing_in_it(private, generated):
    owner = Owner(generated)
    owner.order("buy", "1")
    private.subscribe("positions", "BTC-USDT")
    assert private.hear()["data"][0]["positions"] == "1"
    owner.order("sell", "1")
    assert private.hear()["data"][0]["positions"] == "0"


def test_open_positions_follow_the_market(private, generated):
    Owner(generated).order("buy", "1")
    private.subscribe("positions")
    private.hear()
    play(generated)
    (position,) = private.hear()["data"]
    mark = generated.market.mark_price("BTC-USDT", generated.clock.now_ms())
    assert Decimal(position["markPrice"]) == mark


def test_private_pushes_are_for_their_owner(private, generated):
    private.subscribe("orders")
    generated.engine.add_key(
        generated.settings.keys[0].model_copy(update={"api_key": "b", "uid": "2"})
    )
    Owner(generated, uid="2").order("buy", "1")
    private.hear_nothing()


def test_a_silent_socket_is_cut(generated, monkeypatch):
    monkeypatch.setattr(streams, "SILENCE_S", 0.2)
    socket = Socket(generated.ws_public_url)
    with pytest.raises(ConnectionClosed):
        socket.connection.recv(timeout=10)


def test_a_client_that_does_not_read_is_cut_before_its_messages_fill_the_memory(
    generated, monkeypatch
):
    monkeypatch.setattr(connection, "MOST_WAITING", 50)
    # Not for its silence, and not by its own pings.
    monkeypatch.setattr(streams, "SILENCE_S", 3600.0)
    books = [
        {"channel": "books", "instId": inst_id} for inst_id in generated.engine.venue.instruments
    ]
    with connect(generated.ws_public_url, ping_interval=None) as deaf:
        deaf.send(json.dumps({"op": "subscribe", "args": books}))
        deaf.recv()
        # What the system's own buffers take comes first, then what waits at the venue.
        for _ in range(3_000):
            if not generated.streams.connections:
                break
            generated.advance(generated.clock.now_ms() + MINUTE // 4)
        assert not generated.streams.connections


def test_one_new_socket_a_second(monkeypatch):
    with Sandbox(SandboxSettings()) as sandbox:
        first = Socket(sandbox.ws_public_url)
        with pytest.raises(InvalidStatus) as refused:
            Socket(sandbox.ws_private_url)
        assert refused.value.response.status_code == 429
        sandbox.lift_bans()
        Socket(sandbox.ws_private_url).close()
        first.close()


def test_dropped_sockets(public, generated):
    public.subscribe("tickers", "BTC-USDT")
    public.hear()
    generated.streams.drop()
    with pytest.raises(ConnectionClosed):
        public.connection.recv(timeout=10)
    again = Socket(generated.ws_public_url)
    again.subscribe("tickers", "BTC-USDT")
    again.close()


def test_silent_pushes(public, generated):
    public.subscribe("tickers", "BTC-USDT")
    public.hear()
    generated.streams.faults = StreamFaults(silent=True)
    play(generated)
    public.hear_nothing()
    generated.streams.faults = StreamFaults()
    play(generated)
    assert public.hear()["arg"]["channel"] == "tickers"


def test_shuffled_pushes(public, generated):
    public.subscribe("candle1m", "BTC-USDT")
    public.hear()
    # What waits together is turned round; the delay makes it wait together.
    generated.streams.faults = StreamFaults(shuffle=True, delay_ms=50)
    play(generated, 4 * MINUTE)
    times = [int(public.hear()["data"][0][0]) for _ in range(5)]
    assert times != sorted(times)
    assert len(set(times)) == 5


def test_refused_connections(generated):
    generated.streams.faults = StreamFaults(refuse=True)
    with pytest.raises(InvalidStatus):
        Socket(generated.ws_public_url)


@pytest.mark.parametrize("path", ["ws_public_url", "ws_private_url"])
@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"}]
)
def test_web_pages_get_no_websocket(generated, path, headers):
    url = getattr(generated, path)
    key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"}
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", **key}
    address = url.replace("ws://", "http://")
    answer = requests.get(address, headers={**upgrade, **headers}, timeout=5)
    assert answer.status_code == 403


def test_a_page_of_this_machine_gets_its_websocket(generated):
    with connect(generated.ws_public_url, origin=f"http://127.0.0.1:{generated.port}") as socket:
        socket.send("ping")
        assert socket.recv(timeout=5) == "pong"
