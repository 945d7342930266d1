"""The official SDK and plain ccxt as customers, over real sockets."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from blofin import BloFinClient, constants
from blofin import utils as sdk_utils
from blofin.auth import Auth
from ccxt.base.errors import BadRequest, ExchangeError, InsufficientFunds

# From its own module: where freqtrade is imported, ccxt.blofin is the extension's.
from ccxt.blofin import blofin as PlainSync
from ccxt.pro.blofin import blofin as PlainPro

from bubbybot_freqtrade.sandbox import DEMO_API_KEY, DEMO_PASSPHRASE, DEMO_SECRET, Sandbox
from tests.sandbox.owner import Owner, ccxt_settings, follow_clock

SYMBOL = "BTC/USDT:USDT"


@pytest.fixture
def sdk(generated: Sandbox, monkeypatch: pytest.MonkeyPatch) -> BloFinClient:
    """BloFin's own client, pointed at the sandbox and living at its time."""
    monkeypatch.setattr(sdk_utils, "REST_API_URL", generated.url)
    monkeypatch.setattr(Auth, "get_timestamp", lambda self: str(generated.clock.now_ms()))
    return BloFinClient(DEMO_API_KEY, DEMO_SECRET, DEMO_PASSPHRASE)


def data(answer: dict[str, Any]) -> Any:
    assert answer["code"] == "0", answer
    return answer["data"]


def post(sdk: BloFinClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Sent by the SDK's own transport; its methods for algo orders lack imports and cannot run."""
    return sdk_utils.send_request("POST", path, sdk.auth, data=body, authenticate=True)


def test_sdk_reads_the_market(sdk, generated):
    now = generated.clock.now_ms()
    public = sdk.public
    ids = [row["instId"] for row in data(public.get_instruments())]
    assert "BTC-USDT" in ids
    (ticker,) = data(public.get_tickers("BTC-USDT"))
    assert Decimal(ticker["last"]) == generated.market.last_price("BTC-USDT", now)
    (book,) = data(public.get_order_book("BTC-USDT", 5))
    assert len(book["bids"]) == len(book["asks"]) == 5
    assert Decimal(book["bids"][0][0]) < Decimal(book["asks"][0][0])
    assert len(data(public.get_trades("BTC-USDT", 7))) == 7
    (mark,) = data(public.get_mark_price("BTC-USDT"))
    assert Decimal(mark["markPrice"]) == generated.market.mark_price("BTC-USDT", now)
    (funding,) = data(public.get_funding_rate("BTC-USDT"))
    assert int(funding["fundingTime"]) % 28_800_000 == 0
    assert len(data(public.get_funding_rate_history("BTC-USDT", limit=3))) == 3
    candles = data(public.get_candlesticks("BTC-USDT", "15m", limit=10))
    assert len(candles) == 10
    assert [len(row) for row in candles] == [9] * 10
    times = [int(row[0]) for row in candles]
    assert times == sorted(times, reverse=True)
    assert [row[8] for row in candles] == ["0"] + ["1"] * 9


def test_sdk_reads_the_account(sdk):
    trading = sdk.trading
    assert data(trading.get_futures_account_balance())["details"][0]["balance"].startswith("10000")
    assert data(trading.get_positions()) == []
    assert data(trading.get_margin_mode()) == {"marginMode": "cross"}
    assert data(trading.get_position_mode())["positionMode"] == "net_mode"
    assert data(trading.set_position_mode("long_short_mode"))["positionMode"] == "long_short_mode"
    assert data(trading.set_margin_mode("isolated"))["marginMode"] == "isolated"
    rows = data(trading.get_multiple_leverage("BTC-USDT,ETH-USDT", "cross"))
    assert [row["leverage"] for row in rows] == ["3", "3"]
    assert data(sdk.user.get_api_key_info())["readOnly"] == 0
    assert data(sdk.account.get_balance("futures"))[0]["currency"] == "USDT"
    assert data(sdk.account.get_deposit_history()) == []
    assert data(sdk.account.get_withdraw_history()) == []


def test_sdk_trades(sdk, generated):
    trading = sdk.trading
    last = float(generated.market.last_price("BTC-USDT", generated.clock.now_ms()))
    low, high = round(last * 0.9, 1), round(last * 1.1, 1)
    assert data(trading.set_leverage("BTC-USDT", 10, "isolated"))["leverage"] == "10"
    (row,) = data(trading.place_order("BTC-USDT", "isolated", "net", "buy", "limit", low, 1.5))
    (pending,) = data(trading.get_active_orders("BTC-USDT"))
    assert pending["orderId"] == row["orderId"]
    assert data(trading.cancel_order("BTC-USDT", row["orderId"]))["code"] == "0"
    data(trading.place_order("BTC-USDT", "isolated", "net", "buy", "market", 0, 1.5))
    (position,) = data(trading.get_positions("BTC-USDT"))
    assert position["positions"] == "1.5"
    tpsl = data(
        trading.place_tpsl_order(
            "BTC-USDT", "isolated", "net", "sell", high, -1, low, -1, 1.5, reduceOnly="true"
        )
    )
    (live,) = data(trading.get_active_tpsl_orders("BTC-USDT"))
    assert live["tpslId"] == tpsl["tpslId"]
    assert data(trading.cancel_tpsl_order("BTC-USDT", tpsl["tpslId"]))[0]["code"] == "0"
    algo = {"instId": "BTC-USDT", "marginMode": "isolated", "positionSide": "net", "side": "sell"}
    algo |= {"size": "1.5", "orderType": "trigger", "orderPrice": "-1", "triggerPrice": str(low)}
    placed = data(post(sdk, constants.TRADE_ORDER_ALGO_ENDPOINT, algo))
    cancel = {"instId": "BTC-USDT", "algoId": placed["algoId"]}
    assert data(post(sdk, constants.TRADE_CANCEL_ALGO_ENDPOINT, cancel))["code"] == "0"
    data(trading.close_positions("BTC-USDT", "isolated", "net"))
    assert data(trading.get_positions("BTC-USDT")) == []
    assert len(data(trading.get_trade_history("BTC-USDT"))) == 2
    assert [row["state"] for row in data(trading.get_order_history("BTC-USDT"))] == [
        "filled",
        "filled",
        "canceled",
    ]
    assert data(trading.get_tpsl_order_history("BTC-USDT"))[0]["state"] == "canceled"


def test_sdk_batches_and_transfers(sdk, generated):
    order = {
        "instId": "BTC-USDT",
        "marginMode": "cross",
        "positionSide": "net",
        "side": "buy",
        "orderType": "limit",
        "price": str(generated.market.last_price("BTC-USDT", generated.clock.now_ms()) - 5000),
        "size": "1",
    }
    rows = data(sdk.trading.place_multiple_orders([order, order]))
    canceled = data(
        sdk.trading.cancel_multiple_orders([{"orderId": row["orderId"]} for row in rows])
    )
    assert [row["code"] for row in canceled] == ["0", "0"]
    refused = sdk.account.funds_transfer("USDT", 1, "futures", "funding")
    assert refused["code"] == "152404"  # the demo key may not transfer


def test_ccxt_sees_the_venue(ccxt_client, generated):
    markets = ccxt_client.load_markets()
    assert markets[SYMBOL]["contractSize"] == 0.001
    linear = {symbol for symbol, market in markets.items() if market["settle"] == "USDT"}
    assert len(linear) == len(generated.market.instruments)
    others = {s: (m["linear"], m["inverse"]) for s, m in markets.items() if s not in linear}
    assert others == {
        "BTC/USDC:USDC": (True, False), "BTC/USD:BTC": (False, True),
        "ETH/USDC:USDC": (True, False), "ETH/USD:ETH": (False, True),
    }  # fmt: skip
    assert ccxt_client.fetch_ticker(SYMBOL)["bid"] > 0
    assert set(ccxt_client.fetch_tickers()) == set(markets)
    assert len(ccxt_client.fetch_order_book(SYMBOL, 20)["asks"]) == 20
    assert ccxt_client.fetch_trades(SYMBOL)[-1]["timestamp"] <= generated.clock.now_ms()
    assert ccxt_client.fetch_mark_price(SYMBOL)["markPrice"] > 0
    assert ccxt_client.fetch_funding_rate(SYMBOL)["fundingRate"] is not None
    assert len(ccxt_client.fetch_funding_rate_history(SYMBOL, limit=5)) == 5
    assert len(ccxt_client.fetch_ohlcv(SYMBOL, "1h", limit=200)) == 200
    assert "USDT" in ccxt_client.fetch_currencies()


def test_ccxt_trades_with_a_bracket(ccxt_client, generated):
    ccxt_client.load_markets()
    assert ccxt_client.fetch_position_mode()["hedged"] is False
    ccxt_client.set_leverage(5, SYMBOL, {"marginMode": "isolated"})
    assert ccxt_client.fetch_leverage(SYMBOL, {"marginMode": "isolated"})["longLeverage"] == 5
    last = ccxt_client.fetch_ticker(SYMBOL)["last"]
    params = {
        "marginMode": "isolated",
        "clientOrderId": "ccxt1",
        "stopLoss": {"triggerPrice": last * 0.98},
        "takeProfit": {"triggerPrice": last * 1.03},
    }
    order = ccxt_client.create_order(SYMBOL, "market", "buy", 3, None, params)
    (position,) = ccxt_client.fetch_positions([SYMBOL])
    assert (position["side"], position["contracts"], position["leverage"]) == ("long", 3.0, 5.0)
    assert position["liquidationPrice"] < last
    (tpsl,) = ccxt_client.fetch_open_orders(SYMBOL, params={"tpsl": True})
    assert tpsl["clientOrderId"] == "ccxt1"
    assert tpsl["stopLossPrice"] == pytest.approx(last * 0.98, abs=0.1)
    ccxt_client.cancel_order(tpsl["id"], SYMBOL, {"tpsl": True})
    closed = ccxt_client.close_position(
        SYMBOL, params={"marginMode": "isolated", "positionSide": "net"}
    )
    assert closed["symbol"] == SYMBOL
    done = ccxt_client.fetch_closed_orders(SYMBOL)
    assert [row["status"] for row in done] == ["closed", "closed"]
    assert order["id"] in {row["id"] for row in done}
    assert len(ccxt_client.fetch_my_trades(SYMBOL)) == 2
    assert ccxt_client.fetch_balance()["USDT"]["total"] == pytest.approx(
        float(generated.ledger().balance)
    )
    (history,) = ccxt_client.fetch_positions_history([SYMBOL])
    assert history["contracts"] is None or history["contracts"] >= 0


def test_ccxt_hears_refusals(ccxt_client):
    ccxt_client.load_markets()
    with pytest.raises(ExchangeError, match="103003"):
        ccxt_client.create_order(SYMBOL, "market", "buy", 5000)
    with pytest.raises(BadRequest, match="152014"):
        ccxt_client.publicGetMarketBooks({"instId": "NOPE-USDT"})


def test_ccxt_types_a_refusal_whose_outer_code_is_zero(open_sandbox):
    owner = open_sandbox(order_failure="0")
    with owner.sandbox:
        client = follow_clock(PlainSync(ccxt_settings(owner.sandbox)), owner.sandbox)
        with pytest.raises(InsufficientFunds):
            client.create_order(SYMBOL, "market", "buy", 5000)


def test_ccxt_stop_orders(ccxt_client):
    ccxt_client.load_markets()
    last = ccxt_client.fetch_ticker(SYMBOL)["last"]
    ccxt_client.create_order(SYMBOL, "market", "buy", 2)
    both = {"stopLossPrice": last * 0.97, "takeProfitPrice": last * 1.05}
    tpsl = ccxt_client.create_order(SYMBOL, "market", "sell", 2, None, both)
    assert ccxt_client.fetch_open_orders(SYMBOL, params={"tpsl": True})[0]["id"] == tpsl["id"]
    algo = ccxt_client.create_order(
        SYMBOL, "market", "sell", 2, None, {"stopLossPrice": last * 0.9}
    )
    assert ccxt_client.fetch_open_orders(SYMBOL, params={"trigger": True})[0]["id"] == algo["id"]
    ccxt_client.cancel_order(algo["id"], SYMBOL, {"trigger": True})
    assert ccxt_client.fetch_open_orders(SYMBOL, params={"trigger": True}) == []


def test_ccxt_on_the_demo_hosts(generated):
    client = PlainSync(ccxt_settings(generated))
    client.set_sandbox_mode(True)
    assert follow_clock(client, generated).fetch_balance()["USDT"]["free"] == 10_000


def test_ccxt_does_not_find_what_is_not_there(ccxt_client):
    ccxt_client.load_markets()
    answer = ccxt_client.privateGetTradeOrderDetail(
        {"instId": "BTC-USDT", "clientOrderId": "never"}
    )
    assert answer["data"] is None


def test_ccxt_pro_streams(generated):
    owner = Owner(generated)

    async def watch() -> None:
        client = follow_clock(PlainPro(ccxt_settings(generated)), generated)
        try:
            await client.load_markets()
            await watch_market(client, owner)
            await watch_account(client, owner)
        finally:
            await client.close()

    asyncio.run(asyncio.wait_for(watch(), 30))


async def next_of(future: Any, act: Any) -> Any:
    """What a watch answers once `act` has happened after its subscription."""
    task = asyncio.ensure_future(future)
    while not task.done():
        await asyncio.to_thread(act)
        await asyncio.wait([task], timeout=0.05)
    return task.result()


async def watch_market(client: Any, owner: Owner) -> None:
    market, clock = owner.sandbox.market, owner.sandbox.clock

    def play() -> None:
        owner.play(0.25)

    candles = await next_of(client.watch_ohlcv(SYMBOL, "1m"), play)
    assert candles[-1][0] <= clock.now_ms()
    ticker = await next_of(client.watch_ticker(SYMBOL), play)
    assert ticker["symbol"] == SYMBOL
    trades = await next_of(client.watch_trades(SYMBOL), play)
    assert trades[-1]["price"] > 0
    await next_of(client.watch_order_book(SYMBOL), play)
    await next_of(client.watch_order_book(SYMBOL), play)
    # ccxt has merged a snapshot and updates; the venue's present book must come out.
    wanted = market.book("BTC-USDT", clock.now_ms(), 200)
    deadline = asyncio.get_running_loop().time() + 5
    while client.orderbooks[SYMBOL]["timestamp"] != clock.now_ms():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)
    book = client.orderbooks[SYMBOL]
    assert [tuple(level[:2]) for level in book["bids"][:20]] == [
        (float(price), float(size)) for price, size in wanted.bids[:20]
    ]
    funding = await next_of(client.watch_funding_rate(SYMBOL), play)
    assert funding["symbol"] == SYMBOL


async def watch_account(client: Any, owner: Owner) -> None:
    balance = await client.watch_balance()
    assert balance["USDT"]["total"] == 10_000
    stop = str(
        int(owner.sandbox.market.last_price("BTC-USDT", owner.sandbox.clock.now_ms()) * 9 // 10)
    )

    def buy() -> None:
        owner.order("buy", "1", slTriggerPrice=stop)

    orders = await next_of(client.watch_orders(SYMBOL), buy)
    assert orders[-1]["status"] == "closed"
    stops = await next_of(client.watch_orders(SYMBOL, params={"trigger": True}), buy)
    assert stops[-1]["stopLossPrice"] == float(stop)
    position = await next_of(client.watch_positions([SYMBOL]), buy)
    assert position["side"] == "long"
