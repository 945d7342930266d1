"""TP/SL and trigger orders: attached or alone, fired, amended, canceled."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sandbox.owner import START, flat

FALL = [*flat(50_000, 5), (50_000, 50_000, 49_000, 49_100), *flat(49_100, 5)]
RISE = [*flat(50_000, 5), (50_000, 51_000, 50_000, 50_900), *flat(50_900, 5)]
GAP = [*flat(50_000, 5), *flat(48_000, 5)]


def enter(owner, side="buy", stop="49500", target="50500", size="10", **fields):
    return owner.order(
        side,
        size,
        slTriggerPrice=stop,
        slOrderPrice="-1",
        tpTriggerPrice=target,
        tpOrderPrice="-1",
        **fields,
    )


def test_the_bracket_stands_with_the_position(open_sandbox):
    owner = open_sandbox()
    row = enter(owner, clientOrderId="entry1")
    (tpsl,) = owner.live_tpsl()
    assert tpsl["tpslId"] != row["orderId"]
    assert tpsl["clientOrderId"] == "entry1"
    assert (tpsl["side"], tpsl["size"], tpsl["reduceOnly"]) == ("sell", "10", "true")
    assert Decimal(tpsl["slTriggerPrice"]) == 49_500
    assert Decimal(tpsl["tpTriggerPrice"]) == 50_500
    detail = owner.get("trade/order-tpsl-detail", instId="BTC-USDT", tpslId=tpsl["tpslId"])
    assert detail == tpsl


def test_a_stop_fires_at_its_price_inside_a_minute(open_sandbox):
    owner = open_sandbox({"BTC-USDT": FALL})
    enter(owner)
    owner.play(10)
    assert owner.positions() == []
    assert owner.live_tpsl() == []
    exit_order = owner.history()[0]
    assert exit_order["orderCategory"] == "sl"
    assert exit_order["reduceOnly"] == "true"
    assert Decimal(exit_order["slTriggerPrice"]) == 49_500
    # The market went through the trigger, so the loss is the book's spread, not the candle's low.
    assert 0 <= Decimal(49_500) - Decimal(exit_order["averagePrice"]) < 10
    (done,) = owner.get("trade/orders-tpsl-history")
    assert (done["state"], done["actualSize"], done["orderCategory"]) == ("effective", "10", "sl")
    assert exit_order["algoId"] == done["tpslId"]


def test_a_stop_in_a_gap_gets_the_price_behind_it(open_sandbox):
    owner = open_sandbox({"BTC-USDT": GAP})
    enter(owner)
    owner.play(6)
    assert abs(Decimal(owner.history()[0]["averagePrice"]) - 48_000) < 10


def test_a_target_fires(open_sandbox):
    owner = open_sandbox({"BTC-USDT": RISE})
    enter(owner)
    owner.play(10)
    exit_order = owner.history()[0]
    assert exit_order["orderCategory"] == "tp"
    assert abs(Decimal(exit_order["averagePrice"]) - 50_500) < 10
    assert owner.wallet > 10_000


def test_shorts_are_the_mirror(open_sandbox):
    owner = open_sandbox({"BTC-USDT": RISE, "ETH-USDT": flat(2000, 30)})
    enter(owner, "sell", stop="50500", target="49500")
    assert owner.live_tpsl()[0]["side"] == "buy"
    owner.play(10)
    assert owner.history()[0]["orderCategory"] == "sl"
    assert owner.history()[0]["side"] == "buy"
    assert owner.positions() == []


def test_a_resting_entry_gets_its_bracket_on_the_way_down_and_stops_out_below(open_sandbox):
    owner = open_sandbox({"BTC-USDT": FALL})
    row = enter(owner, stop="49300", target="50500", price="49800")
    owner.play(10)
    entry, exit_order = owner.detail(row["orderId"]), owner.history()[0]
    assert Decimal(entry["averagePrice"]) == 49_800
    assert exit_order["orderCategory"] == "sl"
    assert abs(Decimal(exit_order["averagePrice"]) - 49_300) < 10


def test_bracket_grows_with_the_fills_of_its_entry(open_sandbox):
    owner = open_sandbox()
    row = enter(owner, price="49900", stop="49000", target="51000")
    owner.sandbox.fill(row["orderId"], Decimal(3))
    assert [tpsl["size"] for tpsl in owner.live_tpsl()] == ["3"]
    owner.sandbox.fill(row["orderId"], Decimal(4))
    assert [tpsl["size"] for tpsl in owner.live_tpsl()] == ["7"]
    owner.post("trade/cancel-order", orderId=row["orderId"])
    assert owner.detail(row["orderId"])["state"] == "partially_canceled"
    assert [tpsl["size"] for tpsl in owner.live_tpsl()] == ["7"]


def test_bracket_only_after_the_complete_fill_can_be_rehearsed(open_sandbox):
    owner = open_sandbox(attached_tpsl="complete_fill")
    row = enter(owner, price="49900", stop="49000", target="51000")
    owner.sandbox.fill(row["orderId"], Decimal(3))
    assert owner.live_tpsl() == []
    owner.sandbox.fill(row["orderId"])
    assert [tpsl["size"] for tpsl in owner.live_tpsl()] == ["10"]


@pytest.mark.parametrize(
    ("side", "fields", "code"),
    [
        ("buy", {"slTriggerPrice": "50100"}, "102038"),
        ("buy", {"tpTriggerPrice": "49900"}, "102037"),
        ("sell", {"slTriggerPrice": "49900"}, "102040"),
        ("sell", {"tpTriggerPrice": "50100"}, "102039"),
        ("buy", {"price": "49000", "slTriggerPrice": "49000"}, "102051"),
        ("buy", {"price": "49000", "tpTriggerPrice": "48000"}, "102052"),
        ("sell", {"price": "51000", "slTriggerPrice": "50000"}, "102047"),
        ("sell", {"price": "51000", "tpTriggerPrice": "52000"}, "102049"),
        ("buy", {"slTriggerPrice": "49500.05"}, "102016"),
    ],
)
def test_brackets_on_the_wrong_side_are_refused(open_sandbox, side, fields, code):
    owner = open_sandbox()
    assert owner.order(side, "1", **fields)["code"] == code
    assert owner.positions() == []


def test_closing_the_position_takes_its_stops_away(open_sandbox):
    owner = open_sandbox()
    enter(owner)
    owner.tpsl("sell", "-1", slTriggerPrice="49000")
    owner.order("sell", "3", price="50900", reduceOnly="true")
    assert len(owner.live_tpsl()) == 2
    answer = owner.post("trade/close-position", instId="BTC-USDT", marginMode="isolated")
    assert answer["data"] == {"instId": "BTC-USDT", "positionSide": "net", "clientOrderId": ""}
    assert owner.positions() == []
    assert owner.live_tpsl() == []
    assert owner.get("trade/orders-pending") == []
    assert {row["state"] for row in owner.get("trade/orders-tpsl-history")} == {"canceled"}
    gone = owner.post("trade/close-position", instId="BTC-USDT", marginMode="isolated")
    assert gone["code"] == "102005"


def test_one_entire_position_tpsl_only(open_sandbox):
    owner = open_sandbox()
    owner.order("buy", "10")
    assert owner.tpsl("sell", "-1", slTriggerPrice="49000")["code"] == "0"
    assert owner.tpsl("sell", "-1", slTriggerPrice="48000")["code"] == "102114"
    assert owner.tpsl("sell", "10", slTriggerPrice="48000")["code"] == "0"


def test_entire_position_stop_closes_what_was_added_later(open_sandbox):
    owner = open_sandbox({"BTC-USDT": FALL})
    owner.order("buy", "10")
    owner.tpsl("sell", "-1", slTriggerPrice="49500")
    owner.order("buy", "7")
    owner.play(10)
    assert owner.positions() == []
    assert Decimal(owner.history()[0]["filledSize"]) == 17


def test_tpsl_has_to_close_and_needs_a_trigger(open_sandbox):
    owner = open_sandbox()
    owner.order("buy", "10")
    assert owner.tpsl("buy", "1", slTriggerPrice="51000")["code"] == "102022"
    assert owner.tpsl("sell", "1")["code"] == "152003"


def test_passed_trigger_is_accepted_and_canceled_at_once(open_sandbox):
    owner = open_sandbox()
    owner.order("buy", "10")
    row = owner.tpsl("sell", "10", slTriggerPrice="50100")
    assert row["code"] == "0"
    assert owner.live_tpsl() == []
    detail = owner.get("trade/order-tpsl-detail", instId="BTC-USDT", tpslId=row["tpslId"])
    assert detail["state"] == "canceled"
    assert owner.positions()[0]["positions"] == "10"


def test_passed_trigger_can_be_refused_instead(open_sandbox):
    owner = open_sandbox(passed_trigger="refuse")
    owner.order("buy", "10")
    assert owner.tpsl("sell", "10", slTriggerPrice="50100")["code"] == "102038"


def test_amend_tpsl_moves_the_stop_in_place(open_sandbox):
    owner = open_sandbox({"BTC-USDT": FALL})
    enter(owner)
    tpsl_id = owner.live_tpsl()[0]["tpslId"]
    body = {"instId": "BTC-USDT", "tpslId": tpsl_id}
    moved = owner.post(
        "trade/amend-tpsl",
        {**body, "newSlTriggerPrice": "49700", "newSlOrderPrice": "-1", "requestId": "r1"},
    )
    assert moved["data"]["code"] == "0"
    (tpsl,) = owner.live_tpsl()
    assert tpsl["tpslId"] == tpsl_id
    assert Decimal(tpsl["slTriggerPrice"]) == 49_700
    assert Decimal(tpsl["tpTriggerPrice"]) == 50_500
    again = owner.post(
        "trade/amend-tpsl", {**body, "newSlTriggerPrice": "49600", "requestId": "r1"}
    )
    assert again["code"] == "102148"
    passed = owner.post("trade/amend-tpsl", {**body, "newSlTriggerPrice": "50200"})
    assert passed["code"] == "102038"
    assert Decimal(owner.live_tpsl()[0]["slTriggerPrice"]) == 49_700
    owner.play(10)
    assert abs(Decimal(owner.history()[0]["averagePrice"]) - 49_700) < 10
    late = owner.post("trade/amend-tpsl", {**body, "newSlTriggerPrice": "49000"})
    assert late["code"] == "102067"


def test_a_stop_that_finds_a_thin_book_closes_a_part(open_sandbox):
    owner = open_sandbox({"BTC-USDT": FALL}, stop_fill_share="0.4")
    enter(owner)
    owner.play(8)
    (position,) = owner.positions()
    assert Decimal(position["positions"]) == 6
    fired = owner.history()[0]
    assert (fired["state"], Decimal(fired["filledSize"])) == ("partially_canceled", 4)
    assert owner.live_tpsl() == []


@pytest.mark.parametrize(
    ("leftover_exits", "states"), [("cancel", ["canceled", "canceled"]), ("keep", ["live", "live"])]
)
def test_exits_that_the_stop_leaves_behind_open_nothing(open_sandbox, leftover_exits, states):
    course = [*FALL, (49_100, 52_000, 49_100, 52_000), *flat(52_000, 5)]
    owner = open_sandbox({"BTC-USDT": course}, leftover_exits=leftover_exits)
    enter(owner, target="53000")
    near = owner.order("sell", "10", price="51000", reduceOnly="true")
    far = owner.order("sell", "10", price="52500", reduceOnly="true")
    owner.play(8)
    assert owner.positions() == []
    assert [owner.detail(order["orderId"])["state"] for order in (near, far)] == states
    owner.play(6)
    assert owner.positions() == []
    assert owner.detail(near["orderId"])["state"] == "canceled"


def test_a_venue_without_amend_tpsl(open_sandbox):
    owner = open_sandbox(amend_tpsl=False)
    enter(owner)
    body = {"instId": "BTC-USDT", "tpslId": owner.live_tpsl()[0]["tpslId"]}
    refused = owner.post("trade/amend-tpsl", {**body, "newSlTriggerPrice": "49600"})
    assert refused["code"] == "152404"


def test_canceling_tpsl_by_either_id(open_sandbox):
    owner = open_sandbox()
    enter(owner, clientOrderId="e1")
    alone = owner.tpsl("sell", "-1", slTriggerPrice="49000")
    answer = owner.post(
        "trade/cancel-tpsl",
        [{"tpslId": alone["tpslId"]}, {"instId": "BTC-USDT", "clientOrderId": "e1"}],
    )
    assert [row["code"] for row in answer["data"]] == ["0", "0"]
    assert owner.live_tpsl() == []
    again = owner.post("trade/cancel-tpsl", [{"tpslId": alone["tpslId"]}])
    assert again["data"][0]["code"] == "500"
    assert owner.positions() != []


def test_limit_exit_of_a_target_rests_when_the_price_turns(open_sandbox):
    course = [*flat(50_000, 5), (50_000, 50_500, 50_000, 50_100), *flat(50_100, 5)]
    owner = open_sandbox({"BTC-USDT": course})
    owner.order("buy", "10", tpTriggerPrice="50400", tpOrderPrice="50800")
    owner.play(10)
    (resting,) = owner.get("trade/orders-pending")
    assert (resting["orderCategory"], resting["orderType"]) == ("tp", "limit")
    assert Decimal(resting["price"]) == 50_800
    assert owner.positions()[0]["positions"] == "10"


def test_trigger_order_opens_a_position_with_a_bracket(open_sandbox):
    owner = open_sandbox({"BTC-USDT": RISE})
    body = {
        "instId": "BTC-USDT",
        "marginMode": "isolated",
        "side": "buy",
        "size": "4",
        "orderType": "trigger",
        "triggerPrice": "50300",
        "orderPrice": "-1",
        "clientOrderId": "t1",
        "attachAlgoOrders": [{"slTriggerPrice": "49000", "slOrderPrice": "-1"}],
    }
    row = owner.post("trade/order-algo", body)["data"]
    (pending,) = owner.get("trade/orders-algo-pending", orderType="trigger")
    assert (pending["algoId"], pending["state"]) == (row["algoId"], "live")
    assert Decimal(pending["attachAlgoOrders"][0]["slTriggerPrice"]) == 49_000
    assert owner.positions() == []
    owner.play(10)
    assert owner.positions()[0]["positions"] == "4"
    assert Decimal(owner.live_tpsl()[0]["slTriggerPrice"]) == 49_000
    (done,) = owner.get("trade/orders-algo-history", orderType="trigger")
    assert (done["state"], done["actualSize"]) == ("effective", "4")
    order = owner.get("trade/order-detail", instId="BTC-USDT", algoClientOrderId="t1")
    assert abs(Decimal(order["averagePrice"]) - 50_300) < 10


def test_trigger_order_without_margin_fails(open_sandbox):
    owner = open_sandbox({"BTC-USDT": RISE})
    body = {
        "instId": "BTC-USDT",
        "marginMode": "isolated",
        "side": "buy",
        "size": "900",
        "orderType": "trigger",
        "triggerPrice": "50300",
    }
    owner.post("trade/order-algo", body)
    owner.play(10)
    (done,) = owner.get("trade/orders-algo-history", orderType="trigger")
    assert done["state"] == "order_failed"
    assert owner.positions() == []


def test_canceling_a_trigger_order(open_sandbox):
    owner = open_sandbox()
    body = {
        "instId": "BTC-USDT",
        "marginMode": "isolated",
        "side": "buy",
        "size": "1",
        "orderType": "trigger",
        "triggerPrice": "51000",
    }
    algo_id = owner.post("trade/order-algo", body)["data"]["algoId"]
    cancel = {"instId": "BTC-USDT", "algoId": algo_id}
    assert owner.post("trade/cancel-algo", cancel)["data"]["code"] == "0"
    assert owner.post("trade/cancel-algo", cancel)["data"]["code"] == "500"
    assert owner.get("trade/orders-algo-pending", orderType="trigger") == []


def test_long_short_mode_stops_only_their_own_side(open_sandbox):
    owner = open_sandbox({"BTC-USDT": FALL}, position_mode="long_short_mode")
    enter(owner, positionSide="long")
    enter(owner, "sell", stop="52000", target="47000", positionSide="short")
    owner.play(10)
    assert [row["positionSide"] for row in owner.positions()] == ["short"]
    (left,) = owner.live_tpsl()
    assert left["positionSide"] == "short"


def test_what_fires_first_is_what_the_price_reaches_first(open_sandbox):
    # Opens nearer to its high, so the high comes first: the target, not the stop.
    both = [*flat(50_000, 5), (50_000, 50_600, 49_000, 50_000), *flat(50_000, 5)]
    owner = open_sandbox({"BTC-USDT": both})
    enter(owner)
    owner.play(10)
    assert owner.history()[0]["orderCategory"] == "tp"
    assert int(owner.history()[0]["createTime"]) < START + 6 * 60_000
