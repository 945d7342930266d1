"""Answers and pushes that hold anything at all: readable ones are read, others are BadResponse.

Every endpoint that the extension uses and every channel, their rows spoilt in every way that JSON
has: other types, missing and empty fields, numbers that are none, rows that are no rows.
"""

import asyncio
import contextlib
import copy
import json
import math

import ccxt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bubbybot_freqtrade.blofin.ccxt_blofin import BlofinPro
from bubbybot_freqtrade.blofin.ccxt_blofin.rows import CHANNELS, ENDPOINTS
from tests.blofin.ccxt_blofin.conftest import INSTRUMENTS
from tests.blofin.ccxt_blofin.test_orders_read import ALGO, NORMAL, TPSL
from tests.blofin.ccxt_blofin.test_streams import ORDER, POSITION, streaming

BTC = "BTC/USDT:USDT"
TPSL_FLAG, TRIGGER = {"tpsl": True}, {"trigger": True}
TICKER = {
    "instId": "BTC-USDT", "last": "27187", "askPrice": "27187.5", "askSize": "20",
    "bidPrice": "27187", "bidSize": "2", "high24h": "27463.5", "open24h": "27186.5",
    "low24h": "26647.5", "volCurrency24h": "3224.82", "vol24h": "3224820", "ts": "1695261862487",
}  # fmt: skip
CANDLE = ["1703484240000", "2283.45", "2283.45", "2282.8", "2282.8", "8", "8.3", "190.9", "1"]
RATE = {"instId": "BTC-USDT", "fundingRate": "0.0003", "fundingTime": "1703462400000"}
TIER = {
    "symbol": "BTC-USDT", "marginMode": "cross", "minSize": "0.01", "maxSize": "150",
    "maintenanceMarginRate": "0.004", "maxLeverage": "125",
}  # fmt: skip
BOOK = {"asks": [["1639.75", "392"]], "bids": [["1639.7", "68"]], "ts": "1696670727520"}
TRADE = {
    "tradeId": "1", "instId": "BTC-USDT", "price": "67.87", "size": "1", "side": "buy",
    "ts": "1707232020854",
}  # fmt: skip
FILL = {
    "tradeId": "7772187", "orderId": "28697026", "instId": "BTC-USDT", "fillPrice": "1587.8",
    "fillSize": "2", "side": "buy", "fee": "0.190536", "ts": "1696853354238",
}  # fmt: skip
FEE = {
    "billId": "1", "instId": "BTC-USDT", "positionSide": "net", "currency": "USDT",
    "fundingFee": "-0.5", "ts": "1696853354238",
}  # fmt: skip
CLOSED = {
    "historyId": "1", "positionId": "2", "instId": "BTC-USDT", "marginMode": "cross",
    "positionSide": "net", "side": "buy", "closePositions": "1", "openAveragePrice": "1591.8",
    "closeAveragePrice": "1592.5", "createTime": "1695352782370", "updateTime": "1695352782372",
    "leverage": "3", "realizedPnl": "0.7", "fee": "0.19",
}  # fmt: skip
LEVERAGE = {"leverage": "50", "marginMode": "cross", "instId": "BTC-USDT", "positionSide": "net"}
BALANCE = {
    "ts": "1697021343571",
    "details": [{"currency": "USDT", "equity": "12", "balance": "10", "available": "7"}],
}
KEY = {"uid": "1", "apiName": "n", "apiKey": "k", "readOnly": 0, "expireTime": "1797021343571"}
MARK = {"instId": "BTC-USDT", "indexPrice": "1620.7", "markPrice": "1620.5", "ts": "1695262570838"}

# Endpoint -> how it is asked for, what it says on a good day, and fields it is acted on for.
CALLS = {
    "GET market/instruments": (lambda b: b.load_markets(True), [INSTRUMENTS[0]], "instId"),
    "GET market/tickers": (lambda b: b.fetch_tickers(), [TICKER], "instId"),
    "GET market/mark-price": (lambda b: b.fetch_mark_price(BTC), [MARK], "instId"),
    "GET market/books": (lambda b: b.fetch_order_book(BTC), [BOOK], "asks bids ts"),
    "GET market/trades": (lambda b: b.fetch_trades(BTC), [TRADE], "price size side ts"),
    "GET market/candles": (lambda b: b.fetch_ohlcv(BTC), [CANDLE], ""),
    "GET market/mark-price-candles": (
        lambda b: b.fetch_ohlcv(BTC, params={"price": "mark"}), [[*CANDLE[:5], "1"]], ""
    ),
    "GET market/index-candles": (
        lambda b: b.fetch_ohlcv(BTC, params={"price": "index"}), [[*CANDLE[:5], "1"]], ""
    ),
    "GET market/funding-rate": (lambda b: b.fetch_funding_rates(), [RATE], "fundingRate"),
    "GET market/funding-rate-history": (
        lambda b: b.fetch_funding_rate_history(BTC), [RATE], "fundingRate fundingTime"
    ),
    "GET market/position-tiers": (
        lambda b: b.fetch_market_leverage_tiers(BTC, {"price": 50_000}), [TIER],
        "maxSize maxLeverage maintenanceMarginRate",
    ),
    "GET account/balance": (lambda b: b.fetch_balance(), BALANCE, "details"),
    "GET account/positions": (
        lambda b: b.fetch_positions(), [POSITION],
        "positionId instId marginMode positionSide positions averagePrice leverage",
    ),
    "GET account/positions-history": (
        lambda b: b.fetch_positions_history(), [CLOSED], "historyId closePositions"
    ),
    "GET account/margin-mode": (
        lambda b: b.privateGetAccountMarginMode(), {"marginMode": "cross"}, "marginMode"
    ),
    "GET account/position-mode": (
        lambda b: b.fetch_position_mode(), {"positionMode": "net_mode"}, "positionMode"
    ),
    "GET account/batch-leverage-info": (
        lambda b: b.fetch_leverage(BTC, {"marginMode": "cross"}), [LEVERAGE], "leverage"
    ),
    "GET account/funding-fees": (lambda b: b.fetch_funding_history(), [FEE], "fundingFee ts"),
    "GET user/query-apikey": (lambda b: b.privateGetUserQueryApikey(), KEY, "readOnly"),
    "GET trade/orders-pending": (
        lambda b: b.fetch_open_orders(), [NORMAL],
        "orderId instId side size state orderType filledSize createTime",
    ),
    "GET trade/orders-history": (
        lambda b: b.fetch_canceled_and_closed_orders(), [NORMAL], "orderId filledSize averagePrice"
    ),
    "GET trade/order-detail": (lambda b: b.fetch_order("1", BTC), NORMAL, "orderId state size"),
    "GET trade/orders-tpsl-pending": (
        lambda b: b.fetch_open_orders(params=TPSL_FLAG), [TPSL], "tpslId instId side size state"
    ),
    "GET trade/orders-tpsl-history": (
        lambda b: b.fetch_canceled_and_closed_orders(params=TPSL_FLAG), [TPSL], "tpslId state"
    ),
    "GET trade/order-tpsl-detail": (
        lambda b: b.fetch_order("1", BTC, TPSL_FLAG), TPSL, "tpslId state side"
    ),
    "GET trade/orders-algo-pending": (
        lambda b: b.fetch_open_orders(params=TRIGGER), [ALGO], "algoId side size"
    ),
    "GET trade/orders-algo-history": (
        lambda b: b.fetch_canceled_and_closed_orders(params=TRIGGER), [ALGO], "algoId state"
    ),
    "GET trade/fills-history": (
        lambda b: b.fetch_my_trades(), [FILL], "tradeId orderId fillPrice fillSize side ts"
    ),
    "POST trade/order": (
        lambda b: b.create_order(BTC, "market", "buy", 1), [{"orderId": "1", "code": "0"}], ""
    ),
    "POST trade/batch-orders": (
        lambda b: b.create_orders(
            [{"symbol": BTC, "type": "market", "side": "buy", "amount": 1, "params": {}}]
        ),
        [{"orderId": "1", "code": "0"}], "",
    ),
    "POST trade/order-tpsl": (
        lambda b: b.create_order(BTC, "market", "sell", -1, None, {"stopLossPrice": 40_000}),
        {"tpslId": "1", "code": "0"}, "",
    ),
    "POST trade/order-algo": (
        lambda b: b.create_order(BTC, "market", "sell", 1, None, {"triggerPrice": 40_000}),
        {"algoId": "1", "code": "0"}, "",
    ),
    "POST trade/cancel-order": (lambda b: b.cancel_order("1", BTC), {"orderId": "1"}, ""),
    "POST trade/cancel-batch-orders": (
        lambda b: b.cancel_orders(["1"], BTC), [{"orderId": "1"}], ""
    ),
    "POST trade/cancel-tpsl": (
        lambda b: b.cancel_order("1", BTC, TPSL_FLAG), [{"tpslId": "1", "code": "0"}], ""
    ),
    "POST trade/cancel-algo": (lambda b: b.cancel_order("1", BTC, TRIGGER), {"algoId": "1"}, ""),
    "POST trade/amend-tpsl": (
        lambda b: b.edit_tpsl_order("1", BTC, 40_000), {"tpslId": "1"}, ""
    ),
    "POST trade/close-position": (
        lambda b: b.close_position(BTC), {"instId": "BTC-USDT", "positionSide": "net"}, ""
    ),
}  # fmt: skip
PUSHES = {
    "tickers": (lambda c: c.watch_ticker(BTC), "BTC-USDT", [TICKER]),
    "trades": (lambda c: c.watch_trades(BTC), "BTC-USDT", [TRADE]),
    "books": (lambda c: c.watch_order_book(BTC), "BTC-USDT", BOOK),
    "candle1m": (lambda c: c.watch_ohlcv(BTC, "1m"), "BTC-USDT", [CANDLE]),
    "funding-rate": (lambda c: c.watch_funding_rate(BTC), "BTC-USDT", [RATE]),
    "account": (lambda c: c.watch_balance(), None, BALANCE),
    "positions": (lambda c: c.watch_positions(), None, [POSITION]),
    "orders": (lambda c: c.watch_orders(), None, [ORDER]),
    "orders-algo": (
        lambda c: c.watch_orders(params={"trigger": True}), None,
        [ORDER | {"algoId": "9", "tpslId": "9", "orderType": "trigger"}],
    ),
}  # fmt: skip

junk = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=5),
    st.sampled_from(
        ["", "NaN", "-Infinity", "1e400", "-1", "0", "1_000", "0x1", "1e30", "{}", " "]
    ),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.lists(st.none() | st.text(max_size=2) | st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.none() | st.integers(), max_size=2),
)


def places(data, path=()):
    """Paths of every value in a JSON structure."""
    yield path
    if isinstance(data, (dict, list)):
        children = data.items() if isinstance(data, dict) else enumerate(data)
        for key, value in children:
            yield from places(value, (*path, key))


def spoil(data, path, how):
    """A copy with what stands at `path` replaced, or taken out when `how` is `del`."""
    if not path:
        return None if how is del_ else how
    copied = copy.deepcopy(data)
    *parents, last = path
    inner = copied
    for key in parents:
        inner = inner[key]
    if how is del_:
        del inner[last]
    else:
        inner[last] = how
    return copied


del_ = object()


@st.composite
def spoilt(draw, data):
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(list(places(data))))
        data = spoil(data, path, draw(st.just(del_) | junk))
        if not isinstance(data, (dict, list)):
            break
    return data


def is_finite(value):
    """Whether no number in what ccxt made of an answer is infinite or none."""
    if isinstance(value, dict):
        return all(is_finite(v) for k, v in value.items() if k != "info")
    if isinstance(value, (list, tuple)):
        return all(map(is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def test_every_endpoint_and_channel_is_tried():
    assert CALLS.keys() == ENDPOINTS.keys()
    assert {"candle" if name == "candle1m" else name for name in PUSHES} == CHANNELS.keys()


@pytest.mark.parametrize("endpoint", CALLS)
def test_an_answer_is_read_or_refused(mine, venue, endpoint):
    call, good, _ = CALLS[endpoint]
    path = endpoint.split()[1]
    mine.load_markets()
    venue.answer(path, good)
    assert call(mine) is not None

    @settings(max_examples=30, deadline=None)
    @given(spoilt(good))
    def refused_or_read(data):
        text = json.dumps({"code": "0", "msg": "", "data": data})
        venue.raw(path, 200, text, "application/json")
        with contextlib.suppress(ccxt.BaseError):
            assert is_finite(call(mine))

    refused_or_read()


@pytest.mark.parametrize(
    "envelope",
    ["[]", "5", '"x"', "null", '{"code": [], "data": []}', '{"code": "0", "msg"', "", "<html>"],
)
def test_an_answer_that_is_none_is_a_failure_of_the_network(blofin, venue, envelope):
    blofin.load_markets()
    venue.raw("account/positions", 200, envelope, "application/json")
    with pytest.raises((ccxt.OperationFailed, ccxt.ExchangeError)):
        blofin.fetch_positions()


@pytest.mark.parametrize("rows", [["x", None, 5], "x", 5, None, [[]], True])
@pytest.mark.parametrize("endpoint", [name for name in CALLS if name.startswith("GET")])
def test_rows_that_are_no_rows_are_a_bad_response(mine, venue, endpoint, rows):
    call = CALLS[endpoint][0]
    if rows is None and endpoint.endswith("-detail"):
        pytest.skip("an answer without an order says that there is none")
    mine.load_markets()
    venue.answer(endpoint.split()[1], rows)
    with pytest.raises(ccxt.BadResponse, match="Nothing is done on it"):
        call(mine)


@pytest.mark.parametrize(
    ("endpoint", "field"),
    [(name, field) for name, (_, _, fields) in CALLS.items() for field in fields.split()],
)
def test_a_field_that_is_acted_on_must_be_there(mine, venue, endpoint, field):
    call, good, _ = CALLS[endpoint]
    mine.load_markets()
    row = good[0] if isinstance(good, list) else good
    others = {name: value for name, value in row.items() if name != field}
    if endpoint == "GET trade/orders-history":
        others["filledSize"] = others.get("filledSize") and "1"
    for spoilt_row in (others, {**others, field: None}, {**others, field: {}}):
        data = [spoilt_row] if isinstance(good, list) else spoilt_row
        venue.answer(endpoint.split()[1], data)
        with pytest.raises(ccxt.BadResponse):
            call(mine)


# What no venue can mean: a price or a filled size below nothing, a size of which no part is left.
IMPOSSIBLE = [
    ("GET market/tickers", {"last": "-1"}),
    ("GET market/mark-price", {"indexPrice": "-0.5"}),
    ("GET account/positions", {"averagePrice": "0"}),
    ("GET account/positions", {"averagePrice": "-3"}),
    ("GET trade/order-detail", {"filledSize": "-1"}),
    ("GET trade/orders-pending", {"price": "-2"}),
    ("GET trade/orders-history", {"averagePrice": "-2"}),
    ("GET trade/orders-tpsl-pending", {"size": "-5"}),
    ("GET trade/order-tpsl-detail", {"slTriggerPrice": "-1"}),
    ("GET market/position-tiers", {"maintenanceMarginRate": "-0.1"}),
]


@pytest.mark.parametrize(("endpoint", "wrong"), IMPOSSIBLE)
def test_a_number_that_cannot_be_is_no_number(mine, venue, endpoint, wrong):
    call, good, _ = CALLS[endpoint]
    mine.load_markets()
    row = {**(good[0] if isinstance(good, list) else good), **wrong}
    venue.answer(endpoint.split()[1], [row] if isinstance(good, list) else row)
    with pytest.raises(ccxt.BadResponse, match="can't be read"):
        call(mine)


@pytest.mark.parametrize("price", [-1, "-0.1"])
def test_a_candle_below_nothing_is_no_candle(mine, venue, price):
    mine.load_markets()
    venue.answer("market/candles", [[CANDLE[0], *CANDLE[1:3], price, *CANDLE[4:]]])
    with pytest.raises(ccxt.BadResponse):
        mine.fetch_ohlcv(BTC)


@pytest.mark.parametrize("code", [True, 0.5, "", "ok", [], {"a": 1}])
@pytest.mark.parametrize("inside", [False, True])
def test_an_order_whose_verdict_is_none_is_looked_up_and_not_refused(mine, venue, code, inside):
    """`ccxt.BadResponse`, as of a lost answer: the order may have been carried out."""
    if inside and not code:
        pytest.skip("rows of a success need no code")
    mine.load_markets()
    row = {"orderId": "1", "code": code if inside else "0"}
    text = json.dumps({"code": "0" if inside else code, "msg": "", "data": [row]})
    venue.raw("trade/order", 200, text, "application/json")
    with pytest.raises(ccxt.BadResponse, match="code"):
        mine.create_order(BTC, "market", "buy", 1)


def test_a_market_that_cannot_be_read_is_left_out_and_an_empty_list_not_believed(mine, venue):
    venue.answer("market/instruments", [INSTRUMENTS[0], INSTRUMENTS[1] | {"contractValue": None}])
    mine.load_markets(True)
    assert list(mine.markets) == [BTC]
    for nothing in ([], [INSTRUMENTS[0] | {"lotSize": "0"}]):
        venue.answer("market/instruments", nothing)
        with pytest.raises(ccxt.BadResponse, match="not believed"):
            mine.load_markets(True)
        assert list(mine.markets) == [BTC]


@pytest.mark.parametrize("channel", PUSHES)
def test_a_push_is_read_or_refused_and_the_next_one_read(channel):
    watch, instrument, good = PUSHES[channel]
    arg = {"channel": channel, **({"instId": instrument} if instrument else {})}

    async def after(socket, client, text):
        waiting = asyncio.ensure_future(watch(client))
        await asyncio.sleep(0)
        for connection in socket.connections:
            await connection.send_str(text)
        await socket.push(arg, good)
        try:
            assert is_finite(await asyncio.wait_for(waiting, 10))
        except ccxt.BadResponse:
            # It is waited for once more, and comes.
            waiting = asyncio.ensure_future(watch(client))
            await asyncio.sleep(0)
            await socket.push(arg, good)
            assert await asyncio.wait_for(waiting, 10)

    async def all_of_them():
        async with streaming(BlofinPro, INSTRUMENTS) as (client, socket):
            socket.pushes[channel] = good
            assert await watch(client)
            loop = asyncio.get_running_loop()
            for text in texts:
                # Candles only go on from the last.
                client.ohlcvs.clear()
                client.last_ended.clear()
                await after(socket, client, text)
            assert loop.is_running()

    texts = ["[", "{", "null", "5", "[1]", '"x"', '{"arg": 5}', '{"arg": {"channel": []}}']

    @settings(
        max_examples=30, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(spoilt({"arg": arg, "data": good, "action": "snapshot"}))
    def collect(message):
        texts.append(json.dumps(message))

    collect()
    asyncio.run(all_of_them())
