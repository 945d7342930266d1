"""Websockets: subscribing, refusals, unsubscribing, logins and the heartbeat.

The other end is a websocket server on 127.0.0.1 in the test's own event loop.
"""

import asyncio
import json
from collections import Counter
from contextlib import asynccontextmanager
from types import SimpleNamespace

import ccxt
import pytest
import time_machine
from aiohttp import WSMsgType, web
from ccxt.pro.blofin import blofin as StockPro

from bubbybot_freqtrade.blofin.ccxt_blofin import BlofinPro, candle_streams
from bubbybot_freqtrade.blofin.ccxt_blofin.machine_budget import MachineBudget

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
KEYS = {"apiKey": "k", "secret": "s", "password": "p"}


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Socket:
    """The server's end: what it received, in order, and what it does about it."""

    def __init__(self, instruments):
        self.instruments = instruments
        self.received = []  # (path, decoded message or text)
        self.refused = {}  # channel and instrument -> error message
        self.login = {"event": "login", "code": "0", "msg": ""}
        self.pushes = {}  # channel -> data pushed at subscription
        self.connections = []
        self.arrived = asyncio.Condition()
        self.url = ""

    async def rest(self, request):
        return web.json_response({"code": "0", "msg": "success", "data": self.instruments})

    async def serve(self, request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections.append(socket)
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            content = message.data if message.data == "ping" else json.loads(message.data)
            async with self.arrived:
                self.received.append((request.path, content))
                self.arrived.notify_all()
            await self.react(socket, content)
        return socket

    async def react(self, socket, content):
        if content == "ping":
            await socket.send_str("pong")
        elif content["op"] == "login":
            await socket.send_json(self.login)
        elif content["op"] == "unsubscribe":
            for arg in content["args"]:
                refused = self.refused.get((arg["channel"], "unsubscribe"))
                await socket.send_json(refused or {"event": "unsubscribe", "arg": arg})
        else:
            for arg in content["args"]:
                await self.subscribe(socket, arg)

    async def subscribe(self, socket, arg):
        refusal = self.refused.get((arg["channel"], arg.get("instId")))
        if refusal is not None:
            await socket.send_json(refusal)
            return
        await socket.send_json({"event": "subscribe", "arg": arg})
        if arg["channel"] in self.pushes:
            await self.push(arg, self.pushes[arg["channel"]])

    async def push(self, arg, data):
        for connection in self.connections:
            if not connection.closed:
                await connection.send_json({"arg": arg, "data": data, "action": "snapshot"})

    async def until(self, what, count=1):
        """Wait until `count` messages for which `what` holds have arrived, and return them."""
        async with self.arrived:
            await asyncio.wait_for(
                self.arrived.wait_for(
                    lambda: sum(bool(what(content)) for _, content in self.received) >= count
                ),
                10,
            )
        return [content for _, content in self.received if what(content)]


@asynccontextmanager
async def streaming(cls, instruments, load_markets=True, **config):
    """A client of `cls` and the socket server it talks to."""
    socket = Socket(instruments)
    app = web.Application()
    app.router.add_get("/ws/{kind}", socket.serve)
    app.router.add_get("/api/v1/{path:.*}", socket.rest)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    urls = {
        "api": {
            "rest": f"http://127.0.0.1:{port}",
            "ws": {
                "swap": {
                    "public": f"ws://127.0.0.1:{port}/ws/public",
                    "private": f"ws://127.0.0.1:{port}/ws/private",
                }
            },
        }
    }
    client = cls({**KEYS, "urls": urls, "timeout_on_exit": 0, "newUpdates": True, **config})
    try:
        client.has["fetchCurrencies"] = False
        if load_markets:
            await client.load_markets()
        yield client, socket
    finally:
        await client.close()
        await runner.cleanup()


@pytest.fixture
def instruments(venue):
    return venue.answers["market/instruments"]


def operation(op):
    return lambda content: isinstance(content, dict) and content.get("op") == op


CANDLE = ["1696636800000", "27491.5", "27495", "27483", "27489.5", "95359", "95.359", "26.2", "0"]


def refusal(channel, inst_id, op="subscribe"):
    request = {"op": op, "args": [{"channel": channel, "instId": inst_id}]}
    return {"event": "error", "code": "60012", "msg": f"Invalid request: {json.dumps(request)}"}


@pytest.mark.anyio
async def test_candles(instruments):
    async with streaming(BlofinPro, instruments) as (client, socket):
        socket.pushes["candle15m"] = [CANDLE]
        rows = await client.watch_ohlcv(BTC, "15m")
        assert rows == [[1696636800000, 27491.5, 27495, 27483, 27489.5, 95.359]]
        (request,) = await socket.until(operation("subscribe"))
        assert request["args"] == [{"channel": "candle15m", "instId": "BTC-USDT"}]
        assert socket.received[0][0] == "/ws/public"
        assert client.ohlcvs[BTC]["15m"]


@pytest.mark.anyio
async def test_candles_are_unwatched_and_can_be_watched_again(instruments):
    async with streaming(BlofinPro, instruments) as (client, socket):
        assert client.has["unWatchOHLCVForSymbols"] is True
        assert client.has["unWatchOHLCV"] is True
        socket.pushes["candle1H"] = [CANDLE]
        for _ in range(2):
            await client.watch_ohlcv(BTC, "1h")
            await client.un_watch_ohlcv_for_symbols([[BTC, "1h"]])
            assert "1h" not in client.ohlcvs[BTC]
        unsubscribed = await socket.until(operation("unsubscribe"), 2)
        assert [r["args"] for r in unsubscribed] == 2 * [
            [{"channel": "candle1H", "instId": "BTC-USDT"}]
        ]
        assert len(await socket.until(operation("subscribe"), 2)) == 2


@pytest.mark.anyio
async def test_unwatching_that_is_refused_leaves_the_candles_alone(instruments):
    async with streaming(BlofinPro, instruments) as (client, socket):
        socket.pushes["candle1m"] = [CANDLE]
        await client.watch_ohlcv(BTC, "1m")
        socket.refused["candle1m", "unsubscribe"] = refusal("candle1m", "BTC-USDT", "unsubscribe")
        with pytest.raises(ccxt.BadRequest):
            await asyncio.wait_for(client.un_watch_ohlcv(BTC, "1m"), 10)
        assert client.ohlcvs[BTC]["1m"]
        socket.refused.clear()
        await asyncio.wait_for(client.un_watch_ohlcv(BTC, "1m"), 10)


@pytest.mark.anyio
async def test_unwatching_what_is_not_watched_connects_nowhere(instruments):
    async with streaming(BlofinPro, instruments) as (client, socket):
        await client.un_watch_ohlcv(BTC, "5m")
        assert not socket.connections


@pytest.mark.anyio
async def test_stock_ccxt_cannot_unwatch(instruments):
    async with streaming(StockPro, instruments) as (client, _):
        assert not client.has.get("unWatchOHLCVForSymbols")
        with pytest.raises(ccxt.NotSupported):
            await client.un_watch_ohlcv_for_symbols([[BTC, "5m"]])


async def watch_good_and_bad(client, socket):
    """Watch two markets of which the venue refuses one: the rows to come, the error to come."""
    socket.pushes["candle1m"] = [CANDLE]
    socket.refused["candle1m", "ETH-USDT"] = refusal("candle1m", "ETH-USDT")
    await client.watch_ohlcv(BTC, "1m")
    bad = asyncio.ensure_future(client.watch_ohlcv(ETH, "1m"))
    await socket.until(lambda c: operation("subscribe")(c) and "ETH-USDT" in str(c))
    good = asyncio.ensure_future(client.watch_ohlcv(BTC, "1m"))
    await asyncio.sleep(0)  # let it ask before the candle is pushed
    await socket.push({"channel": "candle1m", "instId": "BTC-USDT"}, [CANDLE])
    return good, bad


@pytest.mark.anyio
async def test_a_refused_pair_does_not_silence_the_others(instruments):
    async with streaming(BlofinPro, instruments) as (client, socket):
        good, bad = await watch_good_and_bad(client, socket)
        assert (await asyncio.wait_for(good, 10))[0][0] == 1696636800000
        with pytest.raises(ccxt.BadRequest, match="60012"):
            await asyncio.wait_for(bad, 10)
        # and it can be tried again
        socket.refused.clear()
        assert await asyncio.wait_for(client.watch_ohlcv(ETH, "1m"), 10)


@pytest.mark.anyio
async def test_stock_ccxt_goes_deaf_after_a_refusal(instruments):
    async with streaming(StockPro, instruments) as (client, socket):
        loop = asyncio.get_running_loop()
        fell_out = loop.create_future()
        loop.set_exception_handler(lambda _, context: fell_out.set_result(context["exception"]))
        good, bad = await watch_good_and_bad(client, socket)
        # the error leaves the reader of the socket, which does not run again
        assert "60012" in str(await asyncio.wait_for(fell_out, 10))
        assert not bad.done()
        for task in (good, bad):
            task.cancel()


@pytest.mark.anyio
async def test_an_unreadable_refusal_goes_to_whoever_is_unconfirmed(instruments):
    async with streaming(BlofinPro, instruments) as (client, socket):
        socket.pushes["candle1m"] = [CANDLE]
        await client.watch_ohlcv(BTC, "1m")
        socket.refused["tickers", "ETH-USDT"] = {"event": "error", "code": "1", "msg": "no"}
        with pytest.raises(ccxt.ExchangeError, match="websocket 1: no"):
            await asyncio.wait_for(client.watch_tickers([ETH]), 10)
        assert (
            "candle1m:" + BTC
            in client.clients[client.urls["api"]["ws"]["swap"]["public"]].subscriptions
        )


ORDER = {
    "instType": "SWAP",
    "instId": "BTC-USDT",
    "orderId": "28334314",
    "clientOrderId": None,
    "price": "28000.000000000000000000",
    "size": "10",
    "orderType": "limit",
    "side": "sell",
    "positionSide": "net",
    "marginMode": "cross",
    "filledSize": "0",
    "averagePrice": "0.000000000000000000",
    "state": "live",
    "leverage": "2",
    "tpTriggerPrice": "27000.000000000000000000",
    "tpOrderPrice": "-1",
    "slTriggerPrice": None,
    "slOrderPrice": None,
    "fee": "0.000000000000000000",
    "createTime": "1696760245931",
    "updateTime": "1696760245973",
    "reduceOnly": "false",
}
POSITION = {
    "instType": "SWAP",
    "instId": "BTC-USDT",
    "marginMode": "cross",
    "positionId": "8138",
    "positionSide": "net",
    "positions": "-100",
    "averagePrice": "130.06",
    "unrealizedPnl": "-77.1",
    "unrealizedPnlRatio": "-1.778409964631708442",
    "leverage": "3",
    "liquidationPrice": "107929.699398660166170462",
    "markPrice": "207.16",
    "initialMargin": "69.053333333333333333",
    "margin": "",
    "marginRatio": "131.337873621866389829",
    "maintenanceMargin": "1.0358",
    "createTime": "1695795726481",
    "updateTime": "1695795726484",
}


@pytest.mark.anyio
async def test_private_channels_after_one_login(instruments):
    async with streaming(BlofinPro, instruments) as (client, socket):
        socket.pushes["orders"] = [ORDER]
        socket.pushes["orders-algo"] = [
            ORDER | {"orderId": None, "tpslId": "9", "orderType": "conditional"}
        ]
        socket.pushes["positions"] = [POSITION]
        socket.pushes["account"] = {
            "ts": "1597026383085",
            "details": [{"currency": "USDT", "equity": "12", "balance": "10", "available": "7"}],
        }
        (order,) = await client.watch_orders()
        (stop,) = await client.watch_orders(BTC, params={"trigger": True})
        (position,) = await client.watch_positions()
        balance = await client.watch_balance()
        assert (order["id"], order["status"], order["takeProfitPrice"]) == (
            "28334314",
            "open",
            27000,
        )
        assert (stop["id"], stop["type"]) == ("9", "market")
        assert (position["symbol"], position["side"], position["contracts"]) == (BTC, "short", 100)
        assert balance["USDT"] == {"total": 10, "free": 7, "used": 3}
        assert len(await socket.until(operation("login"))) == 1
        assert {path for path, _ in socket.received} == {"/ws/private"}


@pytest.mark.anyio
async def test_positions_of_one_market_are_a_list_too(instruments):
    async with streaming(BlofinPro, instruments) as (client, socket):
        socket.pushes["positions"] = [POSITION]
        (position,) = await client.watch_positions([BTC])
        assert position["symbol"] == BTC


@pytest.mark.anyio
async def test_stock_ccxt_never_hands_out_positions_of_all_markets(instruments):
    async with streaming(StockPro, instruments) as (client, socket):
        socket.pushes["positions"] = [POSITION]
        everything = asyncio.ensure_future(client.watch_positions())
        await socket.until(operation("subscribe"))
        assert await asyncio.wait_for(client.watch_positions([BTC]), 10)  # the push did arrive
        assert not everything.done()
        everything.cancel()


@pytest.mark.parametrize("event", ["error", "login"])
@pytest.mark.anyio
async def test_a_refused_login_says_what_to_check(instruments, event):
    async with streaming(BlofinPro, instruments) as (client, socket):
        socket.login = {"event": event, "code": "60009", "msg": "Login failed."}
        with pytest.raises(ccxt.AuthenticationError, match="passphrase"):
            await asyncio.wait_for(client.watch_orders(), 10)
        # corrected keys are tried on the same socket
        socket.login = {"event": "login", "code": "0", "msg": ""}
        socket.pushes["orders"] = [ORDER]
        assert await asyncio.wait_for(client.watch_orders(), 10)


@pytest.mark.anyio
async def test_the_heartbeat_is_text(instruments):
    keep_alive = {"keepAlive": 20}
    async with streaming(BlofinPro, instruments, streaming=keep_alive) as (client, socket):
        socket.pushes["candle1m"] = [CANDLE]
        await client.watch_ohlcv(BTC, "1m")
        await socket.until(lambda content: content == "ping", 2)
        (open_client,) = client.clients.values()
        assert open_client.lastPong is not None
        assert not socket.connections[0].closed
        assert BlofinPro().streaming["keepAlive"] < 30_000  # the venue's patience


@pytest.mark.anyio
async def test_tickers_load_the_markets_they_need(instruments):
    async with streaming(BlofinPro, instruments, load_markets=False) as (client, socket):
        socket.pushes["tickers"] = [{"instId": "BTC-USDT", "last": "5", "ts": "1"}]
        assert (await client.watch_ticker(BTC))["last"] == 5


def of_venue(name):
    return BlofinPro({"urls": {"api": {"rest": f"http://{name}"}}})


def test_connections_to_a_venue_are_a_second_apart(monkeypatch):
    monkeypatch.setattr(MachineBudget, "is_shared", False)
    # One IP address, however many clients. Another venue has nothing to do with it.
    first, second, other = of_venue("a.test"), of_venue("a.test"), of_venue("b.test")
    delays = [one.ws_dial_delay("ws://x") for one in (first, second, other)]
    assert delays[0] == delays[2] == 0
    assert 1 < delays[1] <= 1.1


def test_a_clock_that_is_put_back_keeps_nobody_from_connecting(monkeypatch):
    monkeypatch.setattr(MachineBudget, "is_shared", False)
    failed, other, url = of_venue("d.test"), of_venue("d.test"), "ws://x"
    with time_machine.travel("2026-03-01T13:00:00Z", tick=False):
        for _ in range(9):
            failed.on_error(SimpleNamespace(url=url, dial_failed=True), ccxt.NetworkError("no"))
        assert failed.ws_dial_delay(url) == pytest.approx(30, abs=0.1)
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False):
        assert failed.ws_dial_delay(url) == pytest.approx(60, abs=0.1)
        # Who waits so long holds nobody else up.
        assert other.ws_dial_delay(url) == pytest.approx(0, abs=0.1)


@pytest.mark.anyio
async def test_a_turn_that_was_waited_for_is_used_once(monkeypatch):
    monkeypatch.setattr(MachineBudget, "is_shared", False)
    client = of_venue("c.test")
    url = client.urls["api"]["ws"]["swap"]["private"]
    await client.wait_for_turn("private")
    assert client.ws_dial_delay(url) == 0
    assert client.ws_dial_delay(url) > 0.9


@pytest.mark.anyio
async def test_a_subscription_needs_no_new_connection(instruments):
    async with streaming(BlofinPro, instruments) as (client, socket):
        socket.pushes["candle1m"] = [CANDLE]
        await client.watch_ohlcv(BTC, "1m")
        await client.watch_ohlcv(ETH, "1m")
        assert len(socket.connections) == 1


TIMEFRAMES = ("1m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h")
SERIES = [(pair, timeframe) for pair in (BTC, ETH) for timeframe in TIMEFRAMES]


@asynccontextmanager
async def watching(client, seen):
    """Tasks that watch all series for ever, as freqtrade's do; `seen` counts their candles."""

    async def watch(pair, timeframe):
        while True:
            await client.watch_ohlcv(pair, timeframe)
            seen[pair, timeframe] += 1

    tasks = [asyncio.ensure_future(watch(*series)) for series in SERIES]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(holds):
    """Let the client work until it holds."""

    async def wait():
        while not holds():
            await asyncio.sleep(0.01)

    await asyncio.wait_for(wait(), 60)


@pytest.fixture
def no_pauses(monkeypatch):
    monkeypatch.setattr(candle_streams, "PAUSES_S", (0.0,))


@pytest.mark.anyio
async def test_all_markets_share_a_connection_and_come_back_on_one(instruments, no_pauses):
    async with streaming(BlofinPro, instruments, enableRateLimit=False) as (client, socket):
        for timeframe in TIMEFRAMES:
            socket.pushes[f"candle{client.timeframes[timeframe]}"] = [CANDLE]
        seen = Counter()
        async with watching(client, seen) as tasks:
            await until(lambda: len(seen) == len(SERIES))
            assert len(socket.connections) == 1
            for lost in (1, 2):
                before = dict(seen)
                await socket.connections[-1].close()
                await until(lambda before=before: all(seen[key] > before[key] for key in SERIES))
                assert len(socket.connections) == 1 + lost
            assert not any(task.done() for task in tasks)
        # Each was subscribed once a connection.
        subscribed = await socket.until(operation("subscribe"), 3 * len(SERIES))
        names = Counter((arg["channel"], arg["instId"]) for r in subscribed for arg in r["args"])
        assert set(names.values()) == {3}
        assert len(names) == len(SERIES)


@pytest.mark.anyio
async def test_a_lost_connection_is_told_once_and_tried_again_less_and_less(
    instruments, monkeypatch, caplog
):
    caplog.set_level("INFO")
    waited = []
    real = asyncio.sleep

    async def sleep(seconds):
        waited.append(seconds)
        await real(0)

    monkeypatch.setattr(candle_streams, "sleep", sleep)
    monkeypatch.setattr(
        candle_streams, "monotonic", lambda: 100.0 + len(waited) // len(SERIES) * 50
    )
    async with streaming(BlofinPro, instruments, enableRateLimit=False) as (client, socket):
        for timeframe in TIMEFRAMES:
            socket.pushes[f"candle{client.timeframes[timeframe]}"] = [CANDLE]
        seen = Counter()
        async with watching(client, seen):
            await until(lambda: len(seen) == len(SERIES))
            error = ccxt.NetworkError("lost")
            for _ in range(6):
                await asyncio.gather(*(client.wait_to_connect(error) for _ in SERIES))
            assert waited == [s for s in (1, 2, 5, 10, 30, 30) for _ in SERIES]
            assert sum("websocket of candles was lost" in r.message for r in caplog.records) == 1
            # A candle came: the next loss is a first one.
            for timeframe in TIMEFRAMES:
                arg = {"channel": f"candle{client.timeframes[timeframe]}", "instId": "BTC-USDT"}
                await socket.push(arg, [CANDLE])
            await until(lambda: client._attempts == 0)
            waited.clear()
            client._next_attempt = 0.0
            await client.wait_to_connect(error)
            assert waited == [1]


@pytest.mark.anyio
async def test_watching_ends_when_its_user_closes_the_connection(instruments):
    async with (
        streaming(BlofinPro, instruments, enableRateLimit=False) as (client, socket),
        watching(client, Counter()) as tasks,
    ):
        await socket.until(operation("subscribe"), len(SERIES))
        await client.close()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 30)
        assert len(socket.connections) == 1
