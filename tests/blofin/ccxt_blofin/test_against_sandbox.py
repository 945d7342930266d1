"""The same classes against the sandbox, which was written from the reference by other hands."""

import asyncio
import time
from itertools import pairwise

import ccxt
import pytest
from freqtrade.enums import CandleType
from freqtrade.exchange.exchange_ws import ExchangeWS

from bubbybot_freqtrade.blofin.ccxt_blofin import BlofinAsync, BlofinPro, BlofinSync
from bubbybot_freqtrade.sandbox.server import Sandbox
from bubbybot_freqtrade.sandbox.settings import ApiKey, SandboxSettings

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
ISOLATED = {"marginMode": "isolated"}

BROKER = ApiKey(api_key="broker-key", broker_id="abc", uid="2")
NO_BROKER = ApiKey(api_key="own-key", broker_id="", uid="3")
READER = ApiKey(api_key="reader", permissions=frozenset({"READ"}), uid="4")
ELSEWHERE = ApiKey(api_key="elsewhere", ips=("203.0.113.7",), uid="5")
EXPIRED = ApiKey(api_key="expired", expires_ms=1, uid="6")


@pytest.fixture
def sandbox():
    settings = SandboxSettings(
        clock="real",
        pair_count=2,
        rate_limits=False,
        margin_mode="isolated",
        keys=(ApiKey(), BROKER, NO_BROKER, READER, ELSEWHERE, EXPIRED),
    )
    with Sandbox(settings) as sandbox:
        yield sandbox


def settings_for(sandbox, key=None, **config):
    key = key or ApiKey()
    websockets = {"public": sandbox.ws_public_url, "private": sandbox.ws_private_url}
    return {
        "apiKey": key.api_key,
        "secret": key.secret,
        "password": key.passphrase,
        "urls": {"api": {"rest": sandbox.url, "ws": {"swap": websockets}}},
        **config,
    }


@pytest.fixture
def client(connect, sandbox):
    """A client of the sandbox of the given class."""

    def make(cls=BlofinSync, key=None, **config):
        return connect(cls, **settings_for(sandbox, key, **config))

    return make


@pytest.fixture(params=[BlofinSync, BlofinAsync, BlofinPro], ids=["sync", "async", "pro"])
def blofin(request, client):
    return client(request.param)


def test_the_life_of_a_bracket(blofin):
    blofin.set_leverage(5, BTC, ISOLATED)
    assert blofin.fetch_leverage(BTC, ISOLATED)["longLeverage"] == 5
    price = blofin.fetch_ticker(BTC)["last"]
    bracket = {
        "stopLoss": {"triggerPrice": price * 0.9},
        "takeProfit": {"triggerPrice": price * 1.2},
        "clientOrderId": "entry_1",
        **ISOLATED,
    }
    placed = blofin.create_order(BTC, "market", "buy", 10, None, bracket)
    entry = blofin.fetch_order(None, BTC, {"clientOrderId": "entry_1"})
    assert entry["id"] == placed["id"]
    assert (entry["status"], entry["filled"]) == ("closed", 10)
    assert entry["cost"] == pytest.approx(10 * 0.001 * entry["average"])
    assert entry["fee"]["cost"] == pytest.approx(entry["cost"] * 0.0006)
    trades = blofin.fetch_order_trades(entry["id"], BTC)
    assert sum(trade["amount"] for trade in trades) == 10
    assert sum(trade["cost"] for trade in trades) == pytest.approx(entry["cost"])

    (standing,) = blofin.fetch_open_orders(params={"tpsl": True})
    assert standing["clientOrderId"] == "entry_1"
    assert (standing["side"], standing["amount"], standing["reduceOnly"]) == ("sell", 10, True)
    assert standing["stopLossPrice"] == pytest.approx(price * 0.9, abs=0.1)

    moved = blofin.edit_tpsl_order(standing["id"], BTC, price * 0.95)
    stop = blofin.fetch_order(moved["id"], BTC, {"tpsl": True})
    assert stop["stopLossPrice"] == pytest.approx(price * 0.95, abs=0.1)
    assert stop["takeProfitPrice"] == standing["takeProfitPrice"]

    (position,) = blofin.fetch_positions()
    assert (position["side"], position["contracts"], position["leverage"]) == ("long", 10, 5)
    assert 0 < position["liquidationPrice"] < price * 0.9
    wallet = blofin.fetch_balance()["USDT"]
    assert wallet["total"] == pytest.approx(10_000 - entry["fee"]["cost"])
    assert wallet["used"] > 0

    blofin.create_order(BTC, "market", "sell", 10, None, {"reduceOnly": True, **ISOLATED})
    assert blofin.fetch_positions() == []
    assert blofin.fetch_open_orders(params={"tpsl": True}) == []
    with pytest.raises(ccxt.OrderNotFound):
        blofin.edit_tpsl_order(standing["id"], BTC, price * 0.96)
    with pytest.raises(ccxt.OrderNotFound):
        blofin.cancel_order(standing["id"], BTC, {"tpsl": True})
    ended = blofin.fetch_order(standing["id"], BTC, {"tpsl": True})
    assert ended["status"] == "canceled"
    (closed,) = blofin.fetch_positions_history([BTC])
    assert (closed["side"], closed["contracts"]) == ("long", 10)
    assert [o["side"] for o in blofin.fetch_closed_orders(BTC)] == ["buy", "sell"]


def test_a_second_stop_for_the_whole_position_is_refused(client):
    blofin = client()
    price = blofin.fetch_ticker(BTC)["last"]
    blofin.create_order(BTC, "market", "buy", 10, None, ISOLATED)
    stop = {"stopLossPrice": price * 0.9, **ISOLATED}
    blofin.create_order(BTC, "market", "sell", None, None, stop)
    with pytest.raises(ccxt.InvalidOrder, match="102114"):
        blofin.create_order(BTC, "market", "sell", None, None, stop)
    (standing,) = blofin.fetch_open_orders(BTC, params={"tpsl": True})
    assert standing["amount"] is None


def test_hedge_mode_opens_and_closes_each_side(client, blofin):
    blofin.set_position_mode(True)
    assert blofin.fetch_position_mode()["hedged"] is True
    hedged = {"hedged": True, **ISOLATED}
    blofin.create_order(BTC, "market", "buy", 10, None, hedged)
    blofin.create_order(BTC, "market", "sell", 5, None, hedged)
    sides = {p["side"]: p["contracts"] for p in blofin.fetch_positions()}
    assert sides == {"long": 10, "short": 5}
    with pytest.raises(ccxt.OperationRejected, match="close positions first"):
        blofin.set_position_mode(False)
    with pytest.raises(ccxt.InvalidOrder, match="position mode"):
        blofin.create_order(BTC, "market", "sell", 10, None, {"reduceOnly": True, **ISOLATED})
    blofin.create_order(BTC, "market", "sell", 10, None, {"reduceOnly": True, **hedged})
    assert {p["side"] for p in blofin.fetch_positions()} == {"short"}
    blofin.close_position(BTC, "short", hedged)
    assert blofin.fetch_positions() == []


def test_time_in_force_at_the_venue(client):
    blofin = client()
    ticker = blofin.fetch_ticker(BTC)
    above, below = ticker["ask"] * 1.01, ticker["bid"] * 0.99

    def outcome(price, time_in_force):
        params = {"timeInForce": time_in_force, **ISOLATED}
        placed = blofin.create_order(BTC, "limit", "buy", 1, price, params)
        order = blofin.fetch_order(placed["id"], BTC)
        assert order["timeInForce"] == time_in_force
        return order["status"], order["filled"]

    assert outcome(below, "IOC") == ("canceled", 0)
    assert outcome(below, "FOK") == ("canceled", 0)
    assert outcome(above, "IOC") == ("closed", 1)
    assert outcome(above, "FOK") == ("closed", 1)
    assert outcome(below, "PO") == ("open", 0)
    assert outcome(below, "GTC") == ("open", 0)
    cancelled = blofin.cancel_orders([o["id"] for o in blofin.fetch_open_orders()], BTC)
    assert len(cancelled) == 2
    assert blofin.fetch_open_orders() == []
    assert {o["status"] for o in blofin.fetch_canceled_orders(BTC)} == {"canceled"}
    assert len(blofin.fetch_orders(BTC)) == 6


def test_trigger_orders(blofin):
    price = blofin.fetch_ticker(BTC)["last"]
    params = {
        "triggerPrice": price * 1.1,
        "stopLoss": {"triggerPrice": price * 1.05},
        "clientOrderId": "later",
        **ISOLATED,
    }
    placed = blofin.create_order(BTC, "limit", "buy", 2, price * 1.11, params)
    order = blofin.fetch_order(placed["id"], BTC, {"trigger": True})
    assert (order["status"], order["type"], order["amount"]) == ("open", "limit", 2)
    assert order["triggerPrice"] == pytest.approx(price * 1.1, abs=0.1)
    assert order["stopLossPrice"] == pytest.approx(price * 1.05, abs=0.1)
    named = blofin.fetch_order(None, BTC, {"trigger": True, "clientOrderId": "later"})
    assert named["id"] == placed["id"]
    blofin.cancel_order(placed["id"], BTC, {"trigger": True})
    assert blofin.fetch_order(placed["id"], BTC, {"trigger": True})["status"] == "canceled"
    assert blofin.fetch_open_orders(params={"trigger": True}) == []


def test_market_data(blofin):
    hour = 3_600_000
    candles = blofin.fetch_ohlcv(BTC, "15m")
    assert len(candles) == 1440
    assert {b[0] - a[0] for a, b in pairwise(candles)} == {hour // 4}
    since = candles[100][0]
    assert blofin.fetch_ohlcv(BTC, "15m", since, 10) == candles[100:110]
    for price in ("mark", "index"):
        rows = blofin.fetch_ohlcv(BTC, "1h", None, 50, {"price": price})
        assert len(rows) == 50
    rates = blofin.fetch_funding_rate_history(BTC, since)
    assert {b["timestamp"] - a["timestamp"] for a, b in pairwise(rates)} == {8 * hour}
    tiers = blofin.fetch_leverage_tiers()
    assert set(tiers) == {BTC, ETH, "BTC/USDC:USDC", "ETH/USDC:USDC"}
    assert tiers[BTC][0]["maxLeverage"] == blofin.market(BTC)["limits"]["leverage"]["max"]
    assert all(
        low["maxNotional"] == high["minNotional"] and low["maxLeverage"] > high["maxLeverage"]
        for low, high in pairwise(tiers[BTC])
    )
    tickers = blofin.fetch_tickers()
    assert tickers[BTC]["quoteVolume"] > 0
    assert set(blofin.fetch_funding_rates()) == {BTC, ETH}
    assert blofin.fetch_funding_history(BTC) == []


@pytest.mark.parametrize(
    ("key", "config", "error", "text"),
    [
        (None, {"password": "wrong"}, ccxt.AuthenticationError, "passphrase"),
        (None, {"secret": "wrong"}, ccxt.AuthenticationError, "secret does not belong"),
        (None, {"apiKey": "wrong"}, ccxt.AuthenticationError, "typing errors"),
        (ELSEWHERE, {}, ccxt.PermissionDenied, "IP list"),
        (EXPIRED, {}, ccxt.AuthenticationError, "Create a new API key"),
    ],
)
def test_keys_the_venue_refuses(client, key, config, error, text):
    with pytest.raises(error, match=text):
        client(key=key, **config).fetch_balance()


def test_a_clock_that_is_off_is_named(client):
    blofin = client()
    now = blofin.exchange.milliseconds
    blofin.exchange.milliseconds = lambda: now() - 1_200_000
    with pytest.raises(ccxt.InvalidNonce, match="clock"):
        blofin.fetch_balance()


@pytest.mark.parametrize(
    ("key", "broker", "error"),
    [
        (NO_BROKER, "abc", "152011"),
        (BROKER, "", "152012"),
        (BROKER, "other", "152013"),
        (READER, "", "152404"),
    ],
)
def test_orders_a_key_may_not_place(client, key, broker, error):
    blofin = client(key=key, options={"brokerId": broker})
    with pytest.raises(ccxt.PermissionDenied, match=error):
        blofin.create_order(BTC, "market", "buy", 1)


@pytest.mark.parametrize(("key", "broker"), [(NO_BROKER, ""), (BROKER, "abc")])
def test_orders_with_the_right_broker_id(client, key, broker):
    blofin = client(key=key, options={"brokerId": broker})
    assert blofin.create_order(BTC, "market", "buy", 1)["id"]


def test_orders_the_venue_refuses(client):
    blofin = client()
    price = blofin.fetch_ticker(BTC)["last"]
    with pytest.raises(ccxt.InsufficientFunds):
        blofin.create_order(BTC, "limit", "buy", 800_000, price, ISOLATED)
    with pytest.raises(ccxt.InvalidOrder, match="Reduce-only"):
        blofin.create_order(BTC, "market", "sell", 1, None, {"reduceOnly": True, **ISOLATED})
    wrong_side = {"stopLoss": {"triggerPrice": price * 1.5}, **ISOLATED}
    with pytest.raises(ccxt.InvalidOrder):
        blofin.create_order(BTC, "limit", "buy", 1, price * 0.99, wrong_side)
    once = {"clientOrderId": "once", **ISOLATED}
    blofin.create_order(BTC, "limit", "buy", 1, price * 0.9, once)
    with pytest.raises(ccxt.DuplicateOrderId):
        blofin.create_order(BTC, "limit", "buy", 1, price * 0.9, once)


def test_the_request_limit_is_told_apart(connect):
    with Sandbox(SandboxSettings(clock="real", pair_count=1)) as strict:
        blofin = connect(BlofinSync, **settings_for(strict))
        blofin.load_markets()
        for _ in range(30):  # trading requests in 10 seconds
            blofin.fetch_open_orders()
        with pytest.raises(ccxt.DDoSProtection) as raised:
            blofin.fetch_open_orders()
        assert isinstance(raised.value, ccxt.RateLimitExceeded)


def test_demo_trading_with_the_sandbox_s_urls(client):
    blofin = client(BlofinPro)
    blofin.enable_demo_trading(True)
    assert blofin.fetch_balance()["USDT"]["total"] == 10_000


async def _streams(sandbox):
    client = BlofinPro(settings_for(sandbox))
    try:
        candles = await client.watch_ohlcv(BTC, "1m")
        assert candles[-1][4] > 0
        orders = asyncio.ensure_future(client.watch_orders(BTC))
        stops = asyncio.ensure_future(client.watch_orders(BTC, params={"trigger": True}))
        assert await client.watch_positions() == []  # the first push is a snapshot
        positions = asyncio.ensure_future(client.watch_positions())
        private = sandbox.ws_private_url
        while not {"orders", "positions", "orders-algo"} <= _confirmed(client, private):
            await asyncio.sleep(0.01)
        price = (await client.fetch_ticker(BTC))["last"]
        stop = {"stopLoss": {"triggerPrice": price * 0.9}, **ISOLATED}
        await client.create_order(BTC, "market", "buy", 3, None, stop)
        # ccxt keeps both in one list, and both may have come before this looks at it.
        pushed = {row["side"]: row for row in [*await orders, *await stops]}
        assert pushed["buy"]["amount"] == 3
        assert pushed["sell"]["stopLossPrice"] == pytest.approx(price * 0.9, abs=0.1)
        assert (await positions)[-1]["symbol"] == BTC
        assert (await client.watch_balance())["USDT"]["total"] < 10_000
        await client.un_watch_ohlcv(BTC, "1m")
    finally:
        await client.close()


def _confirmed(client, url):
    connection = client.clients.get(url)
    states = connection.subscriptions.items() if connection else ()
    return {name.split(":")[0] for name, state in states if state == "confirmed"}


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.anyio
async def test_streams(sandbox):
    await asyncio.wait_for(_streams(sandbox), 30)


def test_freqtrade_s_websocket_thread_is_fed_and_unsubscribes(sandbox, connect):
    exchange = BlofinPro(settings_for(sandbox))
    rest = connect(BlofinSync, **settings_for(sandbox))
    rest.load_markets()
    exchange.set_markets_from_exchange(rest.exchange)
    watcher = ExchangeWS({}, exchange)
    watched = (BTC, "1m", CandleType.FUTURES)
    try:
        watcher.schedule_ohlcv(*watched)
        _until(lambda: watcher.get_ohlcv_with_refresh(*watched)[1] > 0)
        assert watcher.ohlcvs(BTC, "1m")
        connection = exchange.clients[sandbox.ws_public_url]
        # what cleanup_expired() does with a pair that left the whitelist
        watcher._klines_watching.discard(watched)
        _until(lambda: not connection.subscriptions)
        assert watcher.ohlcvs(BTC, "1m") == []
    finally:
        watcher.cleanup()


def _until(condition):
    """Wait for another thread; pytest's timeout is the limit."""
    while not condition():
        time.sleep(0.01)
