"""Plain orders: what fills, what rests, what is refused and with which code."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sandbox.owner import flat

DIP = [*flat(50_000, 5), (50_000, 50_000, 49_700, 49_900), *flat(49_900, 5)]


def test_market_order_pays_the_book_level_by_level(open_sandbox):
    owner = open_sandbox(volume=1, balance=10**8)
    book = owner.sandbox.market.book("BTC-USDT", owner.sandbox.clock.now_ms(), 200)
    (first, first_size), (second, _) = book.asks[:2]
    row = owner.order("buy", first_size + 1)
    detail = owner.detail(row["orderId"])
    assert detail["state"] == "filled"
    expected = (first * first_size + second) / (first_size + 1)
    assert Decimal(detail["averagePrice"]) == pytest.approx(expected, abs=Decimal("1e-12"))
    fills = owner.get("trade/fills-history", orderId=row["orderId"])
    assert [Decimal(fill["fillPrice"]) for fill in fills] == [second, first]
    assert sum(Decimal(fill["fee"]) for fill in fills) == Decimal(detail["fee"])


def test_the_same_offer_is_not_sold_twice(open_sandbox):
    owner = open_sandbox(volume=1, balance=10**8)
    best, size = owner.sandbox.market.book("BTC-USDT", owner.sandbox.clock.now_ms(), 1).asks[0]
    owner.order("buy", size)
    later = owner.detail(owner.order("buy", "1")["orderId"])
    assert Decimal(later["averagePrice"]) > best


def test_market_order_beyond_the_book_is_partially_canceled(open_sandbox):
    owner = open_sandbox(volume=0.01, balance=10**9)
    row = owner.order("buy", "5000")
    detail = owner.detail(row["orderId"])
    assert detail["state"] == "partially_canceled"
    assert 0 < Decimal(detail["filledSize"]) < 5000
    assert Decimal(owner.positions()[0]["positions"]) == Decimal(detail["filledSize"])


def test_limit_order_rests_then_fills_as_maker_at_its_price(open_sandbox):
    owner = open_sandbox({"BTC-USDT": DIP})
    row = owner.order("buy", "10", price="49800")
    assert owner.detail(row["orderId"])["state"] == "live"
    owner.play(5.1)
    assert owner.detail(row["orderId"])["state"] == "live"
    owner.play(2)
    detail = owner.detail(row["orderId"])
    assert detail["state"] == "filled"
    assert Decimal(detail["averagePrice"]) == 49_800
    assert Decimal(detail["fee"]) == Decimal(49_800) * 10 * Decimal("0.001") * Decimal("0.0002")


def test_limit_at_the_lowest_price_gets_only_what_was_traded_there(open_sandbox):
    owner = open_sandbox({"BTC-USDT": DIP}, volume=0.004)
    row = owner.order("buy", "10", price="49700")
    owner.play(7)
    detail = owner.detail(row["orderId"])
    assert detail["state"] == "partially_filled"
    # 4 contracts were traded in that minute, so at its low at most 4.
    assert 0 < Decimal(detail["filledSize"]) <= 4


def test_marketable_limit_takes_up_to_its_price_and_rests(open_sandbox):
    owner = open_sandbox(volume=1, balance=10**8)
    asks = owner.sandbox.market.book("BTC-USDT", owner.sandbox.clock.now_ms(), 3).asks
    row = owner.order("buy", "9000", price=str(asks[1][0]))
    detail = owner.detail(row["orderId"])
    assert detail["state"] == "partially_filled"
    assert Decimal(detail["filledSize"]) == asks[0][1] + asks[1][1]
    assert owner.get("trade/orders-pending")[0]["orderId"] == row["orderId"]


@pytest.mark.parametrize(
    ("order_type", "price", "state", "filled"),
    [
        ("post_only", "50000.1", "canceled", 0),  # would take
        ("post_only", "49000", "live", 0),
        ("ioc", "49000", "canceled", 0),
        ("ioc", "50500", "filled", 5),
        ("fok", "50500", "filled", 5),
        ("fok", "49000", "canceled", 0),
    ],
)
def test_times_in_force(open_sandbox, order_type, price, state, filled):
    owner = open_sandbox()
    row = owner.order("buy", "5", price=price, orderType=order_type)
    detail = owner.detail(row["orderId"])
    assert (detail["state"], Decimal(detail["filledSize"])) == (state, filled)
    assert detail["orderType"] == order_type


def test_ioc_keeps_its_part_and_fok_takes_nothing(open_sandbox):
    owner = open_sandbox(volume=1, balance=10**8)
    best, size = owner.sandbox.market.book("BTC-USDT", owner.sandbox.clock.now_ms(), 1).asks[0]
    ask = str(best)
    whole = owner.detail(owner.order("buy", size + 1, price=ask, orderType="fok")["orderId"])
    assert (whole["state"], Decimal(whole["filledSize"])) == ("canceled", 0)
    part = owner.detail(owner.order("buy", size + 1, price=ask, orderType="ioc")["orderId"])
    assert (part["state"], Decimal(part["filledSize"])) == ("partially_canceled", size)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"size": "0.05"}, "102016"),  # below the minimum and off the lot
        ({"size": "1.05"}, "102016"),
        ({"size": "0"}, "152002"),
        ({"size": "x"}, "152002"),
        ({"size": ""}, "152001"),
        ({"size": "NaN"}, "152002"),
        ({"price": "49999.95"}, "102016"),  # off the tick
        ({"price": "-1"}, "152002"),
        ({"orderType": "limit"}, "152001"),
        ({"orderType": "iceberg"}, "152002"),
        ({"side": "long"}, "152002"),
        ({"marginMode": "portfolio"}, "152002"),
        ({"instId": "NOPE-USDT"}, "152014"),
        ({"instId": ""}, "152001"),
        ({"clientOrderId": "with-dash"}, "152009"),
        ({"clientOrderId": "x" * 33}, "152009"),
        ({"positionSide": "long"}, "102089"),
        ({"reduceOnly": "true"}, "102022"),
        ({"reduceOnly": "maybe"}, "152002"),
        ({"size": "1000000000"}, "102015"),
        ({"size": "1000000000", "price": "49000"}, "102014"),
        ({"price": "60000"}, "102064"),
        ({"side": "sell", "price": "40000"}, "102065"),
        ({"size": "1000"}, "103003"),
    ],
)
def test_refusals_leave_nothing_behind(open_sandbox, fields, code):
    owner = open_sandbox()
    order = {"side": "buy", "size": "10", **fields}
    row = owner.order(order.pop("side"), order.pop("size"), **order)
    assert row["code"] == code
    assert owner.get("trade/orders-pending") == []
    assert owner.history() == []
    assert owner.positions() == []
    assert owner.wallet == 10_000


def test_client_order_ids_are_unique_and_found_again(open_sandbox):
    owner = open_sandbox()
    row = owner.order("buy", "1", clientOrderId="mine_1")
    again = owner.order("buy", "1", clientOrderId="mine_1")
    assert again["code"] == "102002"
    found = owner.get("trade/order-detail", instId="BTC-USDT", clientOrderId="mine_1")
    assert found["orderId"] == row["orderId"]
    assert owner.get("trade/order-detail", instId="BTC-USDT", clientOrderId="never") is None


def test_reduce_only_closes_at_most_the_position(open_sandbox):
    owner = open_sandbox()
    owner.order("buy", "5")
    row = owner.order("sell", "50", reduceOnly="true")
    assert Decimal(owner.detail(row["orderId"])["filledSize"]) == 5
    assert owner.positions() == []


def test_net_mode_turns_a_position_round(open_sandbox):
    owner = open_sandbox()
    owner.order("buy", "5")
    first = owner.positions()[0]
    owner.order("sell", "8")
    second = owner.positions()[0]
    assert (first["positions"], second["positions"]) == ("5", "-3")
    assert first["positionId"] != second["positionId"]
    closed = owner.get("account/positions-history")[0]
    assert (closed["positionId"], closed["closePositions"]) == (first["positionId"], "5")
    assert closed["side"] == "buy"


def test_long_short_mode_holds_both_and_needs_a_position_side(open_sandbox):
    owner = open_sandbox(position_mode="long_short_mode")
    assert owner.order("buy", "5")["code"] == "102089"
    owner.order("buy", "5", positionSide="long")
    owner.order("sell", "3", positionSide="short")
    sides = {row["positionSide"]: row["positions"] for row in owner.positions()}
    assert sides == {"long": "5", "short": "3"}
    assert owner.order("buy", "9", positionSide="short")["code"] == "0"  # closes, 3 at most
    assert {row["positionSide"] for row in owner.positions()} == {"long"}
    assert owner.order("buy", "1", positionSide="short")["code"] == "102022"


def test_order_margin_is_held_and_given_back(open_sandbox):
    owner = open_sandbox(leverage=10)
    row = owner.order("buy", "100", price="49000")
    detail = owner.get("account/balance")["details"][0]
    held = Decimal(49_000) * 100 * Decimal("0.001") * (Decimal("0.1") + Decimal("0.0006"))
    assert Decimal(detail["orderFrozen"]) == held
    assert Decimal(detail["available"]) == 10_000 - held
    owner.post("trade/cancel-order", instId="BTC-USDT", orderId=row["orderId"])
    assert Decimal(owner.get("account/balance")["details"][0]["available"]) == 10_000


def test_canceling(open_sandbox):
    owner = open_sandbox()
    rows = [owner.order("buy", "1", price="49000", clientOrderId=f"c{i}") for i in range(3)]
    by_id = owner.post("trade/cancel-order", orderId=rows[0]["orderId"])
    assert by_id["data"]["code"] == "0"
    by_client_id = owner.post("trade/cancel-order", instId="BTC-USDT", clientOrderId="c1")
    assert by_client_id["data"]["orderId"] == rows[1]["orderId"]
    again = owner.post("trade/cancel-order", orderId=rows[0]["orderId"])
    assert (again["code"], again["data"]["code"]) == ("0", "102068")
    batch = owner.post(
        "trade/cancel-batch-orders",
        [{"orderId": rows[2]["orderId"]}, {"orderId": rows[0]["orderId"]}],
    )
    assert [row["code"] for row in batch["data"]] == ["0", "1000"]
    assert owner.get("trade/orders-pending") == []
    assert owner.history()[0]["cancelSource"] == "user_canceled"


def test_batches(open_sandbox):
    owner = open_sandbox()
    good = {
        "instId": "BTC-USDT",
        "marginMode": "isolated",
        "side": "buy",
        "orderType": "limit",
        "price": "49000",
        "size": "1",
    }
    too_big = {**good, "size": "900"}
    outer = {
        "all": owner.post("trade/batch-orders", [good, good]),
        "some": owner.post("trade/batch-orders", [good, too_big]),
        "none": owner.post("trade/batch-orders", [too_big]),
        "mixed": owner.post("trade/batch-orders", [good, {**good, "marginMode": "cross"}]),
        "long": owner.post("trade/batch-orders", [good] * 21),
        "object": owner.post("trade/batch-orders", good),
    }
    assert {name: answer["code"] for name, answer in outer.items()} == {
        "all": "0",
        "some": "2",
        "none": "1",
        "mixed": "152007",
        "long": "152006",
        "object": "152004",
    }
    assert [row["code"] for row in outer["some"]["data"]] == ["0", "103003"]
    assert len(owner.get("trade/orders-pending")) == 3


def test_outer_code_of_failed_orders_can_be_rehearsed_both_ways(open_sandbox):
    owner = open_sandbox(order_failure="0")
    answer = owner.post(
        "trade/order",
        instId="BTC-USDT",
        marginMode="isolated",
        side="buy",
        orderType="market",
        size="1000",
    )
    assert (answer["code"], answer["data"][0]["code"]) == ("0", "103003")


def test_amending_an_order_moves_it(open_sandbox):
    owner = open_sandbox()
    row = owner.order("buy", "5", price="49000", slTriggerPrice="48000")
    body = {"instId": "BTC-USDT", "orderId": row["orderId"]}
    moved = owner.post(
        "trade/amend-order", {**body, "newPrice": "49500", "newSlTriggerPrice": "48500"}
    )
    assert moved["code"] == "0"
    detail = owner.detail(row["orderId"])
    assert Decimal(detail["price"]) == 49_500
    assert Decimal(detail["slTriggerPrice"]) == 48_500
    refused = owner.post("trade/amend-order", {**body, "newPrice": "48000"})
    assert refused["code"] == "102051"  # its stop would lie above its price
    assert Decimal(owner.detail(row["orderId"])["price"]) == 49_500
    filled = owner.post("trade/amend-order", {**body, "newPrice": "50100"})
    assert filled["code"] == "0"
    assert owner.detail(row["orderId"])["state"] == "filled"
    assert owner.post("trade/amend-order", {**body, "newPrice": "49000"})["code"] == "102067"


def test_amending_several_orders(open_sandbox):
    owner = open_sandbox()
    rows = [owner.order("buy", "1", price="49000") for _ in range(2)]
    bodies = [{"instId": "BTC-USDT", "orderId": row["orderId"], "newSize": "2"} for row in rows]
    gone = {"instId": "BTC-USDT", "orderId": "5", "newSize": "2"}
    answer = owner.post("trade/amend-batch-orders", [*bodies, gone])
    assert [row["code"] for row in answer["data"]] == ["0", "0", "102067"]
    assert {row["size"] for row in owner.get("trade/orders-pending")} == {"2.000000000000000000"}


def test_suspended_and_expired_instruments(open_sandbox):
    owner = open_sandbox({"BTC-USDT": flat(50_000, 60)})
    owner.order("buy", "5", slTriggerPrice="45000")
    owner.order("buy", "5", price="49000")
    owner.sandbox.change_instrument("BTC-USDT", state="suspend")
    assert owner.get("account/positions")[0]["positions"] == "5"
    assert owner.order("buy", "1")["code"] == "152002"
    owner.sandbox.change_instrument("BTC-USDT", state="live")
    assert owner.order("buy", "1")["code"] == "0"
    gone = owner.sandbox.clock.now_ms() + 600_000
    owner.sandbox.change_instrument("BTC-USDT", expire_time=gone)
    owner.play(11)
    assert owner.positions() == []
    assert owner.live_tpsl() == []
    assert owner.get("trade/orders-pending") == []
    assert owner.order("buy", "1")["code"] == "152002"


def test_paging_of_history(open_sandbox):
    owner = open_sandbox()
    ids = [owner.order("buy", "0.1")["orderId"] for _ in range(25)]
    newest_first = ids[::-1]

    def page(**fields):
        return [row["orderId"] for row in owner.get("trade/orders-history", **fields)]

    assert page() == newest_first[:20]
    assert page(limit="100") == newest_first
    assert page(after=newest_first[4], limit="3") == newest_first[5:8]
    assert page(before=newest_first[4], limit="3") == newest_first[1:4]
    assert page(before=newest_first[2]) == newest_first[:2]
    both = owner.sandbox.app(
        "/api/v1/trade/orders-history", {"before": "1", "after": "2"}, method="GET"
    )
    assert both["code"] == "152002"
