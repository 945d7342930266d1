"""Orders as they leave for the venue. Each fault of stock ccxt is shown beside its mending."""

import ccxt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubbybot_freqtrade.blofin.ccxt_blofin import BlofinSync

BTC = "BTC/USDT:USDT"
COARSE = "COARSE/USDT:USDT"  # its tick is 10


@pytest.fixture(autouse=True)
def takes_orders(venue):
    venue.answer("trade/order", [{"orderId": "7", "clientOrderId": "", "msg": "", "code": "0"}])
    for path, name in (("order-tpsl", "tpslId"), ("order-algo", "algoId")):
        row = {name: "8", "clientOrderId": None, "code": "0", "msg": None}
        venue.answer(f"trade/{path}", row)


def test_a_limit_order_has_every_field_the_venue_requires(blofin, venue):
    order = blofin.create_order(BTC, "limit", "buy", 2.55, 60000.04)
    assert venue.sent("trade/order") == {
        "instId": "BTC-USDT",
        "marginMode": "cross",
        "positionSide": "net",
        "side": "buy",
        "orderType": "limit",
        "price": "60000",
        "size": "2.5",
        "reduceOnly": "false",
    }
    assert order["id"] == "7"
    assert order["symbol"] == BTC
    assert (order["type"], order["side"], order["amount"], order["price"]) == (
        "limit",
        "buy",
        2.5,
        60000.0,
    )
    assert order["reduceOnly"] is False


def test_a_market_order_has_no_price(blofin, venue):
    order = blofin.create_order(BTC, "market", "sell", 1, None, {"marginMode": "isolated"})
    sent = venue.sent("trade/order")
    assert "price" not in sent
    assert sent["orderType"] == "market"
    assert sent["marginMode"] == "isolated"
    assert order["type"] == "market"


@pytest.mark.parametrize(
    ("params", "order_type"),
    [
        ({"timeInForce": "PO"}, "post_only"),
        ({"postOnly": True}, "post_only"),
        ({"timeInForce": "IOC"}, "ioc"),
        ({"timeInForce": "FOK"}, "fok"),
        ({"timeInForce": "GTC"}, "limit"),
    ],
)
def test_time_in_force_is_an_order_type(blofin, venue, params, order_type):
    order = blofin.create_order(BTC, "limit", "buy", 1, 60000, params)
    sent = venue.sent("trade/order")
    assert sent["orderType"] == order_type
    assert {"timeInForce", "postOnly", "type"}.isdisjoint(sent)
    assert order["type"] == "limit"
    assert order["timeInForce"] == params.get("timeInForce", "PO")


@pytest.mark.parametrize("time_in_force", ["PO", "IOC", "FOK"])
def test_stock_ccxt_drops_time_in_force(stock, venue, time_in_force):
    stock.create_order(BTC, "limit", "buy", 1, 60000, {"timeInForce": time_in_force})
    assert venue.sent("trade/order")["orderType"] == "limit"


@pytest.mark.parametrize(
    ("type_", "params"),
    [
        ("limit", {"timeInForce": "GTD"}),
        ("limit", {"timeInForce": "IOC", "postOnly": True}),
        ("fok", {"timeInForce": "IOC"}),
        ("market", {"timeInForce": "FOK"}),
        ("market", {"postOnly": True}),
        ("iceberg", {}),
    ],
)
def test_order_types_the_venue_does_not_have_are_not_sent(mine, venue, type_, params):
    with pytest.raises(ccxt.InvalidOrder):
        mine.create_order(BTC, type_, "buy", 1, 60000, params)
    assert not venue.asked("trade/order")


@pytest.mark.parametrize(
    ("side", "reduce_only", "position_side"),
    [
        ("buy", False, "long"),
        ("sell", False, "short"),
        ("sell", True, "long"),
        ("buy", True, "short"),
    ],
)
def test_hedge_mode_names_the_side_that_is_opened_or_closed(
    blofin, venue, side, reduce_only, position_side
):
    params = {"hedged": True, "reduceOnly": reduce_only}
    blofin.create_order(BTC, "market", side, 1, None, params)
    sent = venue.sent("trade/order")
    assert sent["positionSide"] == position_side
    assert sent["reduceOnly"] == str(reduce_only).lower()
    assert "hedged" not in sent


def test_the_account_s_position_mode_is_an_option(connect, venue):
    blofin = connect(BlofinSync, options={"positionMode": "long_short_mode"})
    blofin.create_order(BTC, "market", "sell", 1, None, {"reduceOnly": True})
    blofin.create_order(BTC, "market", "sell", 1, None, {"hedged": False})
    assert [r.body["positionSide"] for r in venue.asked("trade/order")] == ["long", "net"]


def test_stock_ccxt_closes_the_wrong_side_and_omits_net(stock, venue):
    stock.create_order(BTC, "market", "sell", 1, None, {"hedged": True, "reduceOnly": True})
    stock.create_order(BTC, "market", "sell", 1)
    hedged, one_way = (r.body for r in venue.asked("trade/order"))
    assert hedged["positionSide"] == "short"  # a sale that reduces closes a long
    assert "positionSide" not in one_way


def test_stop_and_target_travel_with_the_entry(blofin, venue):
    order = blofin.create_order(
        BTC,
        "limit",
        "buy",
        1,
        60000,
        {
            "stopLoss": {"triggerPrice": 58000.04},
            "takeProfit": {"triggerPrice": 65000, "price": 64990},
            "clientOrderId": "bb_1",
            "marginMode": "isolated",
        },
    )
    sent = venue.sent("trade/order")
    assert sent["slTriggerPrice"] == "58000"
    assert sent["slOrderPrice"] == "-1"
    assert sent["tpTriggerPrice"] == "65000"
    assert sent["tpOrderPrice"] == "64990"
    assert sent["clientOrderId"] == "bb_1"
    assert len(venue.requests) == 2  # instruments and the order: nothing else
    assert order["stopLossPrice"] == 58000
    assert order["takeProfitPrice"] == 65000
    assert order["clientOrderId"] == "bb_1"


def test_at_market_is_not_rounded_to_a_coarse_tick(mine, stock, venue):
    params = {"stopLoss": {"triggerPrice": 900}}
    mine.create_order(COARSE, "market", "buy", 1, None, params)
    assert venue.sent("trade/order")["slOrderPrice"] == "-1"
    with pytest.raises(ccxt.InvalidOrder, match="minimum price precision"):
        stock.create_order(COARSE, "market", "buy", 1, None, params)


@pytest.mark.parametrize("leg", [{}, {"price": 58000}, {"triggerPrice": None}])
def test_a_stop_without_trigger_is_not_sent(mine, venue, leg):
    with pytest.raises(ccxt.ArgumentsRequired, match="stopLoss on BTC/USDT:USDT"):
        mine.create_order(BTC, "market", "buy", 1, None, {"stopLoss": leg})
    assert not venue.asked("trade/order")


@pytest.mark.parametrize("price_type", ["last", "mark", "index"])
def test_a_trigger_names_its_price(blofin, venue, price_type):
    leg = {"triggerPrice": 58000, "triggerPriceType": price_type}
    blofin.create_order(BTC, "market", "buy", 1, None, {"stopLoss": leg, "takeProfit": 62000})
    sent = venue.sent("trade/order")
    assert sent["slTriggerPriceType"] == price_type
    assert "tpTriggerPriceType" not in sent
    alone = {"stopLossPrice": 58000, "stopLossPriceType": price_type}
    blofin.create_order(BTC, "market", "sell", 1, None, alone)
    assert venue.sent("trade/order-tpsl")["slTriggerPriceType"] == price_type


def test_a_trigger_on_a_price_the_venue_does_not_have_is_not_sent(mine, venue):
    leg = {"triggerPrice": 58000, "triggerPriceType": "median"}
    with pytest.raises(ccxt.InvalidOrder, match="'median'; BloFin has last, mark, index"):
        mine.create_order(BTC, "market", "buy", 1, None, {"stopLoss": leg})
    assert not venue.asked("trade/order")


@pytest.mark.parametrize("at_market", [-1, -1.0, "-1.000000000000000000"])
def test_an_order_price_of_minus_one_is_at_the_market_however_it_is_written(mine, venue, at_market):
    leg = {"triggerPrice": 58000, "price": at_market}
    mine.create_order(BTC, "market", "buy", 1, None, {"stopLoss": leg})
    assert venue.sent("trade/order")["slOrderPrice"] == "-1"


@pytest.mark.parametrize(("param", "prefix"), [("stopLossPrice", "sl"), ("takeProfitPrice", "tp")])
def test_a_lone_stop_or_target_is_a_tpsl_order(blofin, venue, param, prefix):
    order = blofin.create_order(BTC, "market", "sell", 1, None, {param: 58000})
    assert venue.sent("trade/order-tpsl") == {
        "instId": "BTC-USDT",
        "marginMode": "cross",
        "positionSide": "net",
        "side": "sell",
        "size": "1",
        "reduceOnly": "true",
        f"{prefix}TriggerPrice": "58000",
        f"{prefix}OrderPrice": "-1",
    }
    assert order["id"] == "8"
    assert order[param] == 58000
    assert order["type"] == "market"
    assert not venue.asked("trade/order-algo")


def test_stock_ccxt_makes_a_lone_stop_a_trigger_order_and_a_json_boolean(stock, venue):
    stock.create_order(BTC, "market", "sell", 1, None, {"stopLossPrice": 58000})
    assert venue.sent("trade/order-algo")["reduceOnly"] is True


def test_a_limit_stop_takes_the_price_of_the_order(blofin, venue):
    params = {"stopLossPrice": 58000, "hedged": True}
    order = blofin.create_order(BTC, "limit", "sell", 1, 57900, params)
    sent = venue.sent("trade/order-tpsl")
    assert (sent["slTriggerPrice"], sent["slOrderPrice"]) == ("58000", "57900")
    assert sent["positionSide"] == "long"
    assert (order["type"], order["price"]) == ("limit", 57900)


def test_both_legs_as_limit_orders_need_a_price_each(mine, venue):
    legs = {"stopLossPrice": 58000, "takeProfitPrice": 65000}
    with pytest.raises(ccxt.InvalidOrder, match="needs a price"):
        mine.create_order(BTC, "limit", "sell", 1, 57900, legs)
    prices = {"stopLossLimitPrice": 57900, "takeProfitLimitPrice": 64990}
    mine.create_order(BTC, "limit", "sell", 1, None, legs | prices)
    sent = venue.sent("trade/order-tpsl")
    assert (sent["slOrderPrice"], sent["tpOrderPrice"]) == ("57900", "64990")
    assert {"stopLossLimitPrice", "takeProfitLimitPrice"}.isdisjoint(sent)


@pytest.mark.parametrize(("amount", "extra"), [(None, {}), (-1, {}), (3, {"size": "-1"})])
def test_a_tpsl_order_can_cover_the_whole_position(mine, venue, amount, extra):
    order = mine.create_order(BTC, "market", "sell", amount, None, {"stopLossPrice": 1} | extra)
    assert venue.sent("trade/order-tpsl")["size"] == "-1"
    assert order["amount"] is None


@pytest.mark.parametrize("amount", [None, -1])
def test_an_entry_has_an_amount(mine, venue, amount):
    with pytest.raises(ccxt.InvalidOrder, match="needs an amount"):
        mine.create_order(BTC, "market", "buy", amount)


def test_a_trigger_order_carries_its_stop(blofin, venue):
    params = {"triggerPrice": 61000, "stopLoss": {"triggerPrice": 60000}, "reduceOnly": False}
    order = blofin.create_order(BTC, "market", "buy", 1, None, params)
    sent = venue.sent("trade/order-algo")
    assert sent["orderType"] == "trigger"
    assert (sent["triggerPrice"], sent["orderPrice"]) == ("61000", "-1")
    assert sent["reduceOnly"] == "false"
    assert sent["attachAlgoOrders"] == [{"slTriggerPrice": "60000", "slOrderPrice": "-1"}]
    assert "price" not in sent
    assert (order["id"], order["type"], order["triggerPrice"]) == ("8", "market", 61000)
    assert order["stopLossPrice"] == 60000


def test_trigger_and_protection_in_one_order_are_refused(mine):
    with pytest.raises(ccxt.InvalidOrder, match="one of the two"):
        mine.create_order(BTC, "market", "buy", 1, None, {"triggerPrice": 1, "stopLossPrice": 2})


def test_the_broker_id_is_sent_only_when_set(connect, mine, stock, venue):
    for client in (mine, connect(BlofinSync, options={"brokerId": "abc"}), stock):
        client.create_order(BTC, "market", "buy", 1)
    ours, set_, ccxts = (r.body.get("brokerId") for r in venue.asked("trade/order"))
    assert (ours, set_) == (None, "abc")
    assert ccxts  # ccxt's own, which keys without a broker refuse


@given(st.text(min_size=1, max_size=40))
def test_client_order_ids_are_checked_before_they_are_sent(client_id):
    allowed = len(client_id) <= 32 and all(
        c.isascii() and (c.isalnum() or c == "_") for c in client_id
    )
    exchange = BlofinSync()
    if allowed:
        assert exchange.checked_client_order_id(client_id) == client_id
    else:
        with pytest.raises(ccxt.InvalidOrder, match="32 letters"):
            exchange.checked_client_order_id(client_id)


@pytest.mark.parametrize("price", [None])
def test_a_limit_order_without_price_is_not_sent(mine, venue, price):
    with pytest.raises(ccxt.InvalidOrder, match="BTC/USDT:USDT needs a price"):
        mine.create_order(BTC, "limit", "buy", 1, price)
    assert not venue.asked("trade/order")


def test_an_answer_without_verdict_is_no_success(mine, venue):
    venue.answer("trade/order", [])
    with pytest.raises(ccxt.BadResponse, match="clientOrderId"):
        mine.create_order(BTC, "market", "buy", 1)


def test_a_batch_tells_which_orders_were_refused(blofin, venue):
    rows = [
        {"orderId": "1", "clientOrderId": "a", "code": "0", "msg": ""},
        {"orderId": None, "clientOrderId": "b", "code": "103003", "msg": "Insufficient"},
    ]
    venue.refuse("trade/batch-orders", "2", "Batch operation partially succeeded.", rows)
    base = {"symbol": BTC, "type": "limit", "side": "buy", "amount": 1, "price": 60000}
    first, second = blofin.create_orders(
        [
            {**base, "params": {"clientOrderId": "a", "timeInForce": "PO"}},
            {**base, "params": {"clientOrderId": "b"}},
        ]
    )
    sent = venue.sent("trade/batch-orders")
    assert [order["orderType"] for order in sent] == ["post_only", "limit"]
    assert (first["id"], first["status"]) == ("1", None)
    assert (second["id"], second["status"]) == (None, "rejected")
    assert second["info"]["code"] == "103003"
    assert second["clientOrderId"] == "b"


def test_a_batch_that_cannot_be_one_request_is_not_sent(mine, venue):
    order = {"symbol": BTC, "type": "market", "side": "buy", "amount": 1}
    with pytest.raises(ccxt.InvalidOrder, match="up to 20"):
        mine.create_orders([order] * 21)
    with pytest.raises(ccxt.InvalidOrder, match="no TP/SL"):
        mine.create_orders([{**order, "params": {"stopLossPrice": 1}}])
    assert not venue.asked("trade/batch-orders")


def test_moving_a_stop_names_only_what_moves(blofin, venue):
    venue.answer("trade/amend-tpsl", {"tpslId": "8", "clientOrderId": "", "code": "0", "msg": None})
    order = blofin.edit_tpsl_order("8", BTC, stop_loss=59000.04)
    assert venue.sent("trade/amend-tpsl") == {
        "instId": "BTC-USDT",
        "tpslId": "8",
        "newSlTriggerPrice": "59000",
        "newSlOrderPrice": "-1",
    }
    assert (order["id"], order["stopLossPrice"]) == ("8", 59000)


def test_stop_and_target_move_together(mine, venue):
    venue.answer("trade/amend-tpsl", [{"tpslId": "8", "code": "0", "msg": ""}])
    order = mine.edit_tpsl_order(
        "8", BTC, 59000, {"triggerPrice": 66000, "price": 65990}, {"requestId": "r1"}
    )
    sent = venue.sent("trade/amend-tpsl")
    assert (sent["newTpTriggerPrice"], sent["newTpOrderPrice"]) == ("66000", "65990")
    assert sent["requestId"] == "r1"
    assert order["takeProfitPrice"] == 66000


def test_moving_nothing_is_an_error(mine):
    with pytest.raises(ccxt.ArgumentsRequired, match="stop_loss or take_profit"):
        mine.edit_tpsl_order("8", BTC)


def test_a_move_that_comes_too_late_is_order_not_found(blofin, venue):
    row = {
        "tpslId": "8",
        "code": "102067",
        "msg": "Order modification failed as the order has been",
    }
    venue.answer("trade/amend-tpsl", row)
    with pytest.raises(ccxt.OrderNotFound):
        blofin.edit_tpsl_order("8", BTC, stop_loss=59000)


@pytest.mark.parametrize(
    ("params", "path", "body"),
    [
        ({}, "trade/cancel-order", {"instId": "BTC-USDT", "orderId": "5"}),
        ({"tpsl": True}, "trade/cancel-tpsl", [{"instId": "BTC-USDT", "tpslId": "5"}]),
        ({"stop": True}, "trade/cancel-tpsl", [{"instId": "BTC-USDT", "tpslId": "5"}]),
        ({"trigger": True}, "trade/cancel-algo", {"instId": "BTC-USDT", "algoId": "5"}),
    ],
)
def test_each_kind_is_cancelled_where_it_lives(blofin, venue, params, path, body):
    row = {"code": "0", "msg": None, "clientOrderId": None}
    venue.answer(path, [row] if "tpsl" in path else row)
    order = blofin.cancel_order("5", BTC, params)
    assert venue.sent(path) == body
    assert (order["id"], order["symbol"]) == ("5", BTC)


def test_cancelling_by_client_order_id(blofin, venue):
    venue.answer("trade/cancel-order", {"orderId": "5", "clientOrderId": "mine", "code": "0"})
    order = blofin.cancel_order(None, BTC, {"clientOrderId": "mine"})
    assert venue.sent("trade/cancel-order") == {"instId": "BTC-USDT", "clientOrderId": "mine"}
    assert order["id"] == "5"
    with pytest.raises(ccxt.ArgumentsRequired):
        blofin.cancel_order(None, BTC)


def test_many_are_cancelled_twenty_at_a_time(blofin, venue):
    venue.answer("trade/cancel-tpsl", lambda r: [{**row, "code": "0"} for row in r.body])
    orders = blofin.cancel_orders([str(n) for n in range(45)], BTC, {"tpsl": True})
    assert [len(r.body) for r in venue.asked("trade/cancel-tpsl")] == [20, 20, 5]
    assert [order["id"] for order in orders] == [str(n) for n in range(45)]


def test_closing_a_position_names_its_side(blofin, venue):
    row = {"instId": "BTC-USDT", "positionSide": "net", "clientOrderId": ""}
    venue.answer("trade/close-position", row)
    blofin.close_position(BTC, None, {"marginMode": "isolated"})
    blofin.close_position(BTC, "short", {"hedged": True})
    one_way, hedged = (r.body for r in venue.asked("trade/close-position"))
    assert one_way == {"instId": "BTC-USDT", "marginMode": "isolated", "positionSide": "net"}
    assert hedged["positionSide"] == "short"
    with pytest.raises(ccxt.ArgumentsRequired, match="long or short"):
        blofin.close_position(BTC, None, {"hedged": True})
