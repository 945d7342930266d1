"""Orders as they come back: looked up by id, and in lists, of each kind."""

import ccxt
import pytest

from bubbybot_freqtrade.blofin.ccxt_blofin.calls import MOST_PAGES

BTC = "BTC/USDT:USDT"
NORMAL = {
    "orderId": "29531103",
    "clientOrderId": "",
    "instId": "BTC-USDT",
    "marginMode": "isolated",
    "positionSide": "net",
    "side": "buy",
    "orderType": "limit",
    "price": "60000.000000000000000000",
    "size": "10.000000000000000000",
    "reduceOnly": "false",
    "leverage": "3",
    "state": "live",
    "filledSize": "0.000000000000000000",
    "averagePrice": "0.000000000000000000",
    "fee": "0.000000000000000000",
    "pnl": "0.000000000000000000",
    "createTime": "1697031292762",
    "updateTime": "1697031292788",
    "orderCategory": "normal",
    "tpTriggerPrice": "65000.000000000000000000",
    "slTriggerPrice": "58000.000000000000000000",
    "slOrderPrice": None,
    "tpOrderPrice": None,
    "algoClientOrderId": "aaa",
    "algoId": "11756185",
    "brokerId": "",
}
TPSL = {
    "tpslId": "2411",
    "instId": "BTC-USDT",
    "marginMode": "cross",
    "positionSide": "net",
    "side": "sell",
    "tpTriggerPrice": "66000.000000000000000000",
    "tpOrderPrice": None,
    "slTriggerPrice": "58000.000000000000000000",
    "slOrderPrice": None,
    "size": "10",
    "state": "live",
    "leverage": "3",
    "reduceOnly": "true",
    "actualSize": None,
    "clientOrderId": "aabbc",
    "createTime": "1697016700775",
    "brokerId": "",
}
ALGO = {
    "algoId": "2101",
    "clientOrderId": "BBBBqqqq",
    "instId": "BTC-USDT",
    "marginMode": "cross",
    "positionSide": "net",
    "side": "sell",
    "orderType": "trigger",
    "size": "10",
    "leverage": "3",
    "state": "live",
    "createTime": "1697016700775",
    "triggerPrice": "57000.000000000000000000",
    "triggerPriceType": "last",
    "orderPrice": "-1",
    "reduceOnly": "true",
    "brokerId": "",
    "attachAlgoOrders": [
        {"tpTriggerPrice": "50000.0", "tpOrderPrice": "-1", "slTriggerPrice": "58000.0"}
    ],
}


def by_id(rows, key):
    """A detail endpoint that knows `rows`."""

    def answer(request):
        for row in rows:
            if request.query.get(key) == row[key] or (
                row["clientOrderId"] and request.query.get("clientOrderId") == row["clientOrderId"]
            ):
                return row
        return None

    return answer


@pytest.fixture(autouse=True)
def details(venue):
    venue.answer("trade/order-detail", by_id([NORMAL | {"clientOrderId": "mine"}], "orderId"))
    venue.answer("trade/order-tpsl-detail", by_id([TPSL], "tpslId"))


def test_an_order_is_looked_up_by_its_id(blofin, venue):
    order = blofin.fetch_order("29531103", BTC)
    assert venue.asked("trade/order-detail")[0].query == {
        "instId": "BTC-USDT",
        "orderId": "29531103",
    }
    assert order["id"] == "29531103"
    assert order["symbol"] == BTC
    assert order["status"] == "open"
    assert (order["type"], order["timeInForce"], order["postOnly"]) == ("limit", "GTC", False)
    assert (order["price"], order["amount"], order["filled"]) == (60000, 10, 0)
    assert order["remaining"] == 10
    assert order["average"] is None
    assert order["reduceOnly"] is False
    assert (order["stopLossPrice"], order["takeProfitPrice"]) == (58000, 65000)
    assert order["timestamp"] == 1697031292762
    assert order["lastTradeTimestamp"] is None


def test_stock_ccxt_cannot_look_an_order_up(stock):
    assert not stock.has["fetchOrder"]
    with pytest.raises(ccxt.NotSupported):
        stock.fetch_order("29531103", BTC)


def test_an_order_is_looked_up_by_our_own_id(blofin, venue):
    order = blofin.fetch_order(None, BTC, {"clientOrderId": "mine"})
    assert venue.asked("trade/order-detail")[0].query == {
        "instId": "BTC-USDT",
        "clientOrderId": "mine",
    }
    assert (order["id"], order["clientOrderId"]) == ("29531103", "mine")


@pytest.mark.parametrize("flag", ["tpsl", "stop"])
def test_a_tpsl_order_is_looked_up_where_it_lives(blofin, venue, flag):
    order = blofin.fetch_order("2411", BTC, {flag: True})
    assert venue.asked("trade/order-tpsl-detail")[0].query == {
        "instId": "BTC-USDT",
        "tpslId": "2411",
    }
    assert (order["id"], order["clientOrderId"]) == ("2411", "aabbc")
    assert (order["stopLossPrice"], order["takeProfitPrice"]) == (58000, 66000)
    assert (order["type"], order["side"], order["amount"]) == ("market", "sell", 10)
    assert order["status"] == "open"
    assert order["reduceOnly"] is True


def test_a_trigger_order_is_looked_for_in_both_lists(blofin, venue):
    venue.answer("trade/orders-algo-pending", [])
    venue.answer("trade/orders-algo-history", [ALGO | {"state": "effective"}])
    order = blofin.fetch_order("2101", BTC, {"trigger": True})
    pending = venue.asked("trade/orders-algo-pending")[0].query
    assert pending == {"instId": "BTC-USDT", "algoId": "2101", "orderType": "trigger"}
    assert (order["id"], order["status"], order["triggerPrice"]) == ("2101", "closed", 57000)
    assert (order["type"], order["stopLossPrice"], order["takeProfitPrice"]) == (
        "market",
        58000,
        50000,
    )


def test_another_trigger_order_in_the_list_is_not_taken_for_it(mine, venue):
    for path in ("pending", "history"):
        venue.answer(f"trade/orders-algo-{path}", [ALGO])
    with pytest.raises(ccxt.OrderNotFound):
        mine.fetch_order("9999", BTC, {"trigger": True})


@pytest.mark.parametrize("params", [{}, {"tpsl": True}])
@pytest.mark.parametrize("nothing", [None, {}, []])
def test_an_order_the_venue_does_not_know_is_order_not_found(mine, venue, params, nothing):
    for path in ("order-detail", "order-tpsl-detail"):
        venue.answer(f"trade/{path}", nothing)
    for path in ("pending", "history"):
        venue.answer(f"trade/orders-tpsl-{path}", [])
    with pytest.raises(ccxt.OrderNotFound, match="404404"):
        mine.fetch_order("404404", BTC, params)


@pytest.mark.parametrize("code", ["404", "152404"])
@pytest.mark.parametrize("listed", ["pending", "history"])
def test_a_tpsl_order_is_found_in_the_lists_where_there_is_no_detail(mine, venue, code, listed):
    venue.refuse("trade/order-tpsl-detail", code, "Please check the requestPath")
    for path in ("pending", "history"):
        rows = [{**TPSL, "tpslId": "8"}, TPSL] if path == listed else []
        venue.answer(f"trade/orders-tpsl-{path}", rows)
    order = mine.fetch_order(TPSL["tpslId"], BTC, {"tpsl": True})
    assert order["id"] == TPSL["tpslId"]
    assert mine.fetch_order(TPSL["tpslId"], BTC, {"tpsl": True})["id"] == TPSL["tpslId"]
    # An unknown path stays unknown.
    assert len(venue.asked("trade/order-tpsl-detail")) == (1 if code == "152404" else 2)


def test_a_404_for_an_order_is_order_not_found(mine, venue):
    venue.refuse("trade/order-detail", "404", "not found")
    with pytest.raises(ccxt.OrderNotFound):
        mine.fetch_order("404404", BTC)


def test_an_order_is_not_looked_up_without_name_or_market(mine):
    with pytest.raises(ccxt.ArgumentsRequired, match="clientOrderId"):
        mine.fetch_order(None, BTC)
    with pytest.raises(ccxt.ArgumentsRequired, match="symbol"):
        mine.fetch_order("1")


def test_open_and_closed_order_check_the_state(blofin, venue):
    assert blofin.fetch_open_order("29531103", BTC)["status"] == "open"
    with pytest.raises(ccxt.OrderNotFound, match="still open"):
        blofin.fetch_closed_order("29531103", BTC)
    venue.answer("trade/order-detail", NORMAL | {"state": "filled"})
    assert blofin.fetch_closed_order("29531103", BTC)["status"] == "closed"
    with pytest.raises(ccxt.OrderNotFound, match="not open"):
        blofin.fetch_open_order("29531103", BTC)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("live", "open"),
        ("partially_filled", "open"),
        ("filled", "closed"),
        ("effective", "closed"),
        ("canceled", "canceled"),
        ("partially_canceled", "canceled"),
        ("order_failed", "rejected"),
    ],
)
def test_states(mine, state, status):
    assert mine.parse_order(NORMAL | {"state": state})["status"] == status


def test_a_filled_market_order(mine):
    mine.load_markets()
    order = mine.parse_order(
        NORMAL
        | {
            "orderType": "market",
            "price": "0.000000000000000000",
            "state": "filled",
            "filledSize": "10.000000000000000000",
            "averagePrice": "60010.000000000000000000",
            "fee": "0.360060000000000000",
            "tpTriggerPrice": None,
            "slTriggerPrice": None,
            "orderCategory": "sl",
            "reduceOnly": "true",
        }
    )
    assert (order["type"], order["status"]) == ("market", "closed")
    assert (order["average"], order["price"]) == (60010, 60010)
    assert order["cost"] == pytest.approx(10 * 0.001 * 60010)
    assert order["fee"] == {"cost": 0.36006, "currency": "USDT"}
    assert order["lastTradeTimestamp"] == 1697031292788
    assert order["info"]["orderCategory"] == "sl"


def test_a_rebate_is_no_cost(mine, stock):
    row = NORMAL | {"fee": "-0.5"}
    assert mine.parse_order(row)["fee"]["cost"] == -0.5
    assert stock.parse_order(row)["fee"]["cost"] == 0.5


@pytest.mark.parametrize(
    ("value", "expected"),
    [("true", True), ("false", False), (True, True), (False, False), (None, None), ("", None)],
)
def test_booleans_are_strings(mine, value, expected):
    assert mine.parse_order(NORMAL | {"reduceOnly": value})["reduceOnly"] is expected


def test_stock_ccxt_knows_no_true_but_the_string(stock):
    assert stock.parse_order(NORMAL | {"reduceOnly": True})["reduceOnly"] is not True


def test_a_stop_over_the_whole_position_has_no_amount(mine, stock):
    assert mine.parse_order(TPSL | {"size": "-1"})["amount"] is None
    assert stock.parse_order(TPSL | {"size": "-1"})["amount"] == -1


def test_limit_prices_of_tpsl_orders(mine):
    order = mine.parse_order(TPSL | {"slOrderPrice": "57900.0", "tpOrderPrice": "-1.0"})
    assert (order["type"], order["price"]) == ("limit", 57900)


def test_a_row_of_the_websocket(mine):
    order = mine.parse_order(
        TPSL | {"algoId": "2411", "orderType": "conditional", "slOrderPrice": "-1", "price": None}
    )
    assert (order["id"], order["type"], order["stopLossPrice"]) == ("2411", "market", 58000)


def numbered(count, template, key):
    """`count` rows, newest first, a minute apart, with growing ids."""
    return [
        template | {key: str(1000 + n), "createTime": str(1_700_000_000_000 + n * 60_000)}
        for n in reversed(range(count))
    ]


def listing(rows, key):
    """A list endpoint as the reference has it: newest first, 20 unless asked for more."""

    def answer(request):
        limit = min(int(request.query.get("limit", 20)), 100)
        after = request.query.get("after")
        begin, end = int(request.query.get("begin", 0)), int(request.query.get("end", 2**60))
        found = [
            row
            for row in rows
            if (after is None or int(row[key]) < int(after))
            and begin <= int(row["createTime"]) <= end
            and request.query.get("instId") in (None, row["instId"])
        ]
        return found[:limit]

    return answer


KINDS = [
    ({}, "trade/orders", "orderId", NORMAL),
    ({"tpsl": True}, "trade/orders-tpsl", "tpslId", TPSL),
    ({"trigger": True}, "trade/orders-algo", "algoId", ALGO),
]


@pytest.mark.parametrize(("params", "path", "key", "row"), KINDS)
def test_every_pending_order_of_every_market_is_listed(blofin, venue, params, path, key, row):
    rows = numbered(250, row, key)
    rows[0]["instId"] = "ETH-USDT"
    venue.answer(f"{path}-pending", listing(rows, key))
    orders = blofin.fetch_open_orders(None, params=params)
    assert [order["id"] for order in orders] == [str(1000 + n) for n in range(250)]
    assert orders[-1]["symbol"] == "ETH/USDT:USDT"
    requests = venue.asked(f"{path}-pending")
    assert [r.query.get("after") for r in requests] == [None, "1150", "1050"]
    assert all(("orderType" in r.query) == (key == "algoId") for r in requests)


def test_stock_ccxt_lists_twenty_pending_orders(stock, venue):
    venue.answer("trade/orders-pending", listing(numbered(250, NORMAL, "orderId"), "orderId"))
    assert len(stock.fetch_open_orders()) == 20


def test_pending_orders_of_one_market(mine, venue):
    venue.answer("trade/orders-pending", listing(numbered(3, NORMAL, "orderId"), "orderId"))
    assert len(mine.fetch_open_orders(BTC)) == 3
    assert mine.fetch_open_orders("ETH/USDT:USDT") == []
    assert [o["id"] for o in mine.fetch_open_orders(BTC, limit=2)] == ["1001", "1002"]
    since = 1_700_000_000_000 + 60_000
    assert [o["id"] for o in mine.fetch_open_orders(BTC, since=since)] == ["1001", "1002"]


def finished(row, key, count=250):
    rows = numbered(count, row, key)
    last = "filled" if key == "orderId" else "effective"
    states = ["canceled", last, "order_failed"]
    for n, row_ in enumerate(rows):
        row_["state"] = states[n % 3]
    return rows


@pytest.mark.parametrize(("params", "path", "key", "row"), KINDS)
def test_finished_orders_since_a_time(blofin, venue, params, path, key, row):
    rows = finished(row, key)
    venue.answer(f"{path}-history", listing(rows, key))
    since = 1_700_000_000_000 + 100 * 60_000
    expected = {str(n) for n in range(1100, 1250)}
    everything = blofin.fetch_canceled_and_closed_orders(BTC, since, params=params)
    closed = blofin.fetch_closed_orders(BTC, since, params=params)
    canceled = blofin.fetch_canceled_orders(BTC, since, params=params)
    assert {order["id"] for order in everything} == expected
    assert {order["id"] for order in [*closed, *canceled]} == expected
    assert {order["status"] for order in closed} == {"closed"}
    assert {order["status"] for order in canceled} == {"canceled", "rejected"}
    times = [order["timestamp"] for order in everything]
    assert times == sorted(times)


def test_the_last_finished_orders(mine, venue):
    venue.answer("trade/orders-history", listing(finished(NORMAL, "orderId"), "orderId"))
    assert len(mine.fetch_canceled_and_closed_orders(BTC)) == 100
    assert len(venue.asked("trade/orders-history")) == 1
    newest = mine.fetch_canceled_and_closed_orders(BTC, limit=5)
    assert [order["id"] for order in newest] == [str(n) for n in range(1245, 1250)]


def test_a_history_without_times_is_kept(mine, venue):
    row = {k: v for k, v in TPSL.items() if k != "createTime"} | {"state": "canceled"}
    venue.answer("trade/orders-tpsl-history", [row])
    (order,) = mine.fetch_canceled_orders(BTC, 1_700_000_000_000, params={"tpsl": True})
    assert order["id"] == "2411"


def test_stock_ccxt_reads_trigger_orders_from_the_tpsl_history(stock, venue):
    venue.answer("trade/orders-tpsl-history", [])
    stock.fetch_closed_orders(BTC, params={"trigger": True})
    assert venue.asked("trade/orders-tpsl-history")


def test_orders_in_every_state_once_each(blofin, venue):
    pending = numbered(2, NORMAL, "orderId")
    # one of them was filled before the second request
    history = [pending[0] | {"state": "filled"}]
    venue.answer("trade/orders-pending", listing(pending, "orderId"))
    venue.answer("trade/orders-history", listing(history, "orderId"))
    orders = blofin.fetch_orders(BTC, 1_700_000_000_000)
    assert [(order["id"], order["status"]) for order in orders] == [
        ("1000", "open"),
        ("1001", "closed"),
    ]


def test_a_part_of_a_list_is_not_taken_for_the_whole(mine, venue):
    page = numbered(100, NORMAL, "orderId")
    venue.answer("trade/orders-pending", page)
    with pytest.raises(ccxt.BadResponse, match="no next page"):
        mine.fetch_open_orders(BTC)
    assert len(venue.asked("trade/orders-pending")) == 2


@pytest.mark.parametrize(("params", "path", "key", "row"), KINDS)
def test_a_list_without_end_is_not_read_for_ever(mine, venue, params, path, key, row):
    made = iter(range(10**6))
    venue.answer(f"{path}-pending", lambda _: [row | {key: str(next(made))} for _ in range(100)])
    with pytest.raises(ccxt.BadResponse, match="not read further"):
        mine.fetch_open_orders(params=params)
    assert len(venue.asked(f"{path}-pending")) == MOST_PAGES


def fill(n, order_id="1"):
    return {
        "instId": "BTC-USDT",
        "tradeId": str(n),
        "orderId": order_id,
        "fillPrice": "60000.000000000000000000",
        "fillSize": "2.000000000000000000",
        "fillPnl": "0.000000000000000000",
        "positionSide": "net",
        "side": "buy",
        "fee": "0.072000000000000000",
        "ts": str(1_700_000_000_000 + n),
        "createTime": str(1_700_000_000_000 + n),
    }


def test_fills_since_a_time_are_complete(blofin, venue):
    venue.answer("trade/fills-history", listing([fill(n) for n in range(230, 0, -1)], "tradeId"))
    trades = blofin.fetch_my_trades(BTC, 1_700_000_000_000 + 11)
    assert [trade["id"] for trade in trades] == [str(n) for n in range(11, 231)]
    assert trades[0]["fee"] == {"cost": 0.072, "currency": "USDT"}
    assert (trades[0]["price"], trades[0]["amount"]) == (60000, 2)
    assert trades[0]["cost"] == pytest.approx(120)


def test_a_fill_stays_a_perpetual_s_when_it_names_its_fee_s_currency(blofin, venue):
    venue.answer("trade/fills-history", [fill(1) | {"feeCurrency": "quote_currency"}])
    (trade,) = blofin.fetch_my_trades(BTC)
    assert (trade["symbol"], trade["fee"]) == (BTC, {"cost": 0.072, "currency": "USDT"})
    assert trade["cost"] == pytest.approx(120)  # 2 contracts of 0.001 BTC at 60,000


def test_futures_fills_are_not_given_out_as_spot_ones(blofin, venue):
    venue.answer("trade/fills-history", [fill(1)])
    with pytest.raises(ccxt.NotSupported):
        blofin.fetch_my_trades(BTC, params={"type": "spot"})
    assert not venue.asked("trade/fills-history")
    assert blofin.fetch_my_trades(BTC, params={"type": "swap"})


def test_an_entry_that_names_its_tpsl_and_a_stop_that_names_its_entry_keep_their_ids(mine):
    assert mine.parse_order(NORMAL | {"tpslId": "77", "algoId": "78"})["id"] == NORMAL["orderId"]
    assert mine.parse_order(TPSL | {"orderId": "77"})["id"] == TPSL["tpslId"]
    assert mine.parse_order(ALGO | {"orderId": "77"})["id"] == ALGO["algoId"]


def test_stock_ccxt_reads_twenty_fills(stock, venue):
    venue.answer("trade/fills-history", listing([fill(n) for n in range(230, 0, -1)], "tradeId"))
    assert len(stock.fetch_my_trades(BTC, 1_700_000_000_000)) == 20


def test_fills_of_an_order(blofin, venue):
    venue.answer("trade/fills-history", [fill(1, "77")])
    (trade,) = blofin.fetch_order_trades("77", BTC)
    assert venue.asked("trade/fills-history")[0].query["orderId"] == "77"
    assert trade["order"] == "77"


def test_an_order_of_an_unknown_type_keeps_its_own_id(mine, venue):
    row = NORMAL | {"orderId": "5", "tpslId": "9", "orderType": "some_new_type"}
    venue.answer("trade/orders-pending", [row])
    assert [order["id"] for order in mine.fetch_open_orders()] == ["5"]
