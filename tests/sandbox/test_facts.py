"""What public sources say of the venue beside its reference; each test names the source.

"Support" is the venue's help pages, "demo" what clients have seen on demo accounts in 2026,
"notice" an announcement of the venue.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from bubbybot_freqtrade.sandbox.market.instruments import instrument
from tests.sandbox.owner import flat

MINUTES_8_H = 8 * 60
FALL = [*flat(50_000, 5), (50_000, 50_000, 49_000, 49_100), *flat(49_100, 5)]


def held(owner):
    return {row["instId"]: Decimal(row["positions"]) for row in owner.positions()}


# Refusals. Seen: 102016 "Precision does not match"; 152404 for a path that is not there.


def test_prices_off_the_tick_and_sizes_off_the_lot_do_not_match_the_precision(open_sandbox):
    owner = open_sandbox()
    owner.order("buy", "10")
    assert owner.order("buy", "1", price="49000.05")["code"] == "102016"
    assert owner.order("buy", "1.05")["code"] == "102016"
    assert owner.order("buy", "1", slTriggerPrice="49000.05")["code"] == "102016"
    assert owner.tpsl("sell", "1.05", slTriggerPrice="49000")["code"] == "102016"
    refused = owner.tpsl("sell", "10", slTriggerPrice="49000.05")
    assert (refused["code"], refused["msg"]) == ("102016", "Precision does not match")
    owner.tpsl("sell", "10", slTriggerPrice="49000")
    body = {"instId": "BTC-USDT", "tpslId": owner.live_tpsl()[0]["tpslId"]}
    moved = owner.post("trade/amend-tpsl", {**body, "newSlTriggerPrice": "49100.05"})
    assert moved["code"] == "102016"
    assert Decimal(owner.live_tpsl()[0]["slTriggerPrice"]) == 49_000


def test_position_mode_tells_multi_position_mode(open_sandbox):
    one, many = open_sandbox(), open_sandbox(multi_position=True)
    assert one.get("account/position-mode")["multiPosition"] == "false"
    assert many.get("account/position-mode")["multiPosition"] == "true"


# The margin mode is the position's. Demo, 2026-07.


@pytest.mark.parametrize("code", ["152002", "102022"])
def test_cross_and_isolated_do_not_stand_side_by_side_in_net_mode(open_sandbox, code):
    courses = {"BTC-USDT": flat(50_000, 60), "ETH-USDT": flat(2000, 60)}
    owner = open_sandbox(courses, other_margin_mode=code)
    owner.order("buy", "10", marginMode="cross")
    assert owner.order("buy", "1")["code"] == code
    assert owner.order("sell", "10", reduceOnly="true")["code"] == code
    assert owner.tpsl("sell", "-1", slTriggerPrice="49000")["code"] == code
    assert owner.tpsl("sell", "-1", slTriggerPrice="49000", marginMode="cross")["code"] == "0"
    assert owner.order("buy", "1", "ETH-USDT")["code"] == "0"
    assert held(owner) == {"BTC-USDT": 10, "ETH-USDT": 1}


def test_in_long_short_mode_both_margin_modes_may_stand(open_sandbox):
    owner = open_sandbox(position_mode="long_short_mode")
    owner.order("buy", "10", positionSide="long", marginMode="cross")
    assert owner.order("sell", "5", positionSide="short")["code"] == "0"


# Closing by hand: the app closes with an ordinary order. Support.


def test_an_ordinary_opposite_order_closes_in_net_mode(open_sandbox):
    owner = open_sandbox()
    owner.order("buy", "10", slTriggerPrice="49000")
    owner.order("sell", "4")
    assert held(owner) == {"BTC-USDT": 6}
    assert [row["size"] for row in owner.live_tpsl()] == ["10"]
    owner.order("sell", "6")
    assert held(owner) == {}
    assert owner.live_tpsl() == []


def test_an_ordinary_opposite_order_can_turn_a_position_round(open_sandbox):
    owner = open_sandbox()
    owner.order("buy", "10", slTriggerPrice="49000")
    row = owner.order("sell", "13", slTriggerPrice="51000")
    assert held(owner) == {"BTC-USDT": -3}
    (stop,) = owner.live_tpsl()
    assert stop["side"] == "buy"
    pnl = [Decimal(fill["fillPnl"]) for fill in owner.get("trade/fills-history")]
    assert Decimal(owner.detail(row["orderId"])["pnl"]) == pnl[0] != 0


# TP/SL orders. Demo.


def test_a_tpsl_needs_no_position_and_waits_for_one(open_sandbox):
    owner = open_sandbox({"BTC-USDT": FALL})
    assert owner.tpsl("sell", "-1", slTriggerPrice="49500")["code"] == "0"
    owner.order("buy", "10")
    (stop,) = owner.live_tpsl()
    assert stop["state"] == "live"
    owner.play(10)
    assert held(owner) == {}
    assert owner.history()[0]["orderCategory"] == "sl"


def test_a_tpsl_that_fires_without_a_position_fails(open_sandbox):
    owner = open_sandbox({"BTC-USDT": FALL})
    owner.tpsl("sell", "5", slTriggerPrice="49500")
    owner.play(10)
    assert owner.live_tpsl() == []
    (row,) = owner.get("trade/orders-tpsl-history")
    assert row["state"] == "order_failed"
    assert held(owner) == {}


def test_sized_tpsls_stand_beside_each_other_and_survive_partial_closes(open_sandbox):
    owner = open_sandbox()
    owner.order("buy", "10", slTriggerPrice="49000")
    owner.tpsl("sell", "4", tpTriggerPrice="51000")
    owner.tpsl("sell", "6", slTriggerPrice="48500")
    owner.order("sell", "7", reduceOnly="true")
    assert sorted(row["size"] for row in owner.live_tpsl()) == ["10", "4", "6"]
    owner.order("sell", "3", reduceOnly="true")
    assert owner.live_tpsl() == []
    assert {row["state"] for row in owner.get("trade/orders-tpsl-history")} == {"canceled"}


@pytest.mark.parametrize("kind", ["mark", "index"])
def test_a_wick_of_the_last_price_does_not_fire_a_stop_on_another_price(open_sandbox, kind):
    # One trade far below; mark and index price are means of a minute and of two.
    wick = [*flat(50_000, 5), (50_000, 50_000, 49_000, 50_000), *flat(50_000, 30)]
    owner = open_sandbox({"BTC-USDT": wick})
    owner.order("buy", "5", slTriggerPrice="49200", slTriggerPriceType=kind)
    owner.tpsl("sell", "4", slTriggerPrice="49200", slTriggerPriceType=kind)
    owner.tpsl("sell", "3", slTriggerPrice="49200")
    assert sorted(row["slTriggerPriceType"] for row in owner.live_tpsl()) == sorted(
        [kind, kind, "last"]
    )
    owner.play(20)
    assert held(owner) == {"BTC-USDT": 2}
    assert {row["slTriggerPriceType"] for row in owner.live_tpsl()} == {kind}


@pytest.mark.parametrize(
    ("side", "stop", "course"),
    [
        ("buy", "49500", [*flat(50_000, 5), *flat(49_000, 30)]),
        ("sell", "50500", [*flat(50_000, 5), *flat(51_000, 30)]),
    ],
)
def test_a_stop_on_mark_price_fires_when_the_mark_price_gets_there(
    open_sandbox, side, stop, course
):
    owner = open_sandbox({"BTC-USDT": course})
    owner.order(side, "5", slTriggerPrice=stop, slTriggerPriceType="mark")
    owner.play(5.1)
    assert held(owner) != {}
    owner.play(5)
    assert held(owner) == {}
    assert owner.history()[0]["orderCategory"] == "sl"


def test_a_trigger_price_type_that_nobody_knows_is_refused(open_sandbox):
    owner = open_sandbox()
    refused = owner.order("buy", "5", slTriggerPrice="49000", slTriggerPriceType="oracle")
    assert refused["code"] == "152002"


def test_orders_history_ignores_ids(open_sandbox):
    owner = open_sandbox()
    rows = [owner.order("buy", "1", clientOrderId=f"n{number}") for number in range(3)]
    wanted = {"orderId": rows[0]["orderId"], "clientOrderId": "n0"}
    assert len(owner.get("trade/orders-history", **wanted)) == 3


# Price limits follow the index price and bind market orders and fired ones. Support.


def crash(to):
    return [*flat(50_000, 5), *flat(to, 30)]


def test_price_limits_follow_the_index_price(open_sandbox):
    owner = open_sandbox({"BTC-USDT": crash(45_000)})
    owner.play(5)
    # The last price has jumped, the index price (a mean of two minutes) not yet.
    highest = Decimal(
        owner.get("trade/order/price-range", instId="BTC-USDT", side="buy")["maxPrice"]
    )
    assert 49_000 * Decimal("1.15") < highest <= 50_000 * Decimal("1.15")
    owner.play(10)
    highest = Decimal(
        owner.get("trade/order/price-range", instId="BTC-USDT", side="buy")["maxPrice"]
    )
    assert highest == 45_000 * Decimal("1.15")


def test_a_market_order_gets_nothing_beyond_the_limits(open_sandbox):
    owner = open_sandbox({"BTC-USDT": crash(40_000)})
    owner.order("buy", "10")
    owner.play(5.1)
    row = owner.order("sell", "10", reduceOnly="true")
    assert owner.detail(row["orderId"])["state"] == "canceled"
    assert held(owner) == {"BTC-USDT": 10}
    owner.play(5)
    owner.order("sell", "10", reduceOnly="true")
    assert held(owner) == {}


def test_what_a_stop_fires_beyond_the_limits_is_canceled_by_the_venue(open_sandbox):
    owner = open_sandbox({"BTC-USDT": crash(40_000)}, leverage=1)
    owner.order("buy", "10", slTriggerPrice="49500")
    owner.play(10)
    assert held(owner) == {"BTC-USDT": 10}
    assert owner.live_tpsl() == []
    fired = owner.history()[0]
    assert (fired["orderCategory"], fired["state"]) == ("sl", "canceled")
    assert fired["cancelSource"] == "system_canceled"


def test_a_limit_that_a_stop_fires_beyond_the_limits_is_canceled_too(open_sandbox):
    owner = open_sandbox({"BTC-USDT": crash(49_000)}, leverage=1)
    owner.order("buy", "10", slTriggerPrice="49500", slOrderPrice="30000")
    owner.play(10)
    assert owner.history()[0]["state"] == "canceled"
    assert held(owner) == {"BTC-USDT": 10}


def test_a_liquidation_is_not_bound_by_the_limits(open_sandbox):
    owner = open_sandbox({"BTC-USDT": crash(30_000)}, leverage=20)
    owner.order("buy", "10")
    owner.play(30)
    assert held(owner) == {}


# Liquidation cancels orders. Support.


def liquidated(open_sandbox, **settings):
    return open_sandbox(
        {"BTC-USDT": crash(40_000), "ETH-USDT": flat(2000, 60)}, leverage=20, **settings
    )


def pending(owner):
    return {row["clientOrderId"] for row in owner.get("trade/orders-pending")}


def test_liquidation_of_an_isolated_position_cancels_the_pairs_isolated_orders(open_sandbox):
    owner = liquidated(open_sandbox)
    owner.order("buy", "10")
    owner.order("buy", "1", price="35000", clientOrderId="more")
    owner.order("sell", "10", price="52000", reduceOnly="true", clientOrderId="exit")
    owner.order("buy", "1", "ETH-USDT", price="1900", clientOrderId="other")
    owner.play(30)
    assert held(owner) == {}
    assert pending(owner) == {"other"}


def test_liquidation_of_cross_positions_cancels_cross_orders_and_isolated_entries(open_sandbox):
    owner = liquidated(open_sandbox, balance=600)
    owner.order("buy", "1", "ETH-USDT")
    owner.order("buy", "100", marginMode="cross")
    owner.order("buy", "1", price="35000", marginMode="cross", clientOrderId="cross")
    owner.order("buy", "1", "ETH-USDT", price="1900", clientOrderId="entry")
    owner.order(
        "sell", "1", "ETH-USDT", price="2100", reduceOnly="true", clientOrderId="isolated exit"[:8]
    )
    assert pending(owner) == {"cross", "entry", "isolated"}
    owner.play(30)
    assert held(owner) == {"ETH-USDT": 1}
    assert pending(owner) == {"isolated"}


# Clients clamp what they ask of the funding history to seven days. Seen.


def test_funding_is_remembered_for_seven_days(open_sandbox):
    owner = open_sandbox({"BTC-USDT": flat(50_000, 9 * 24 * 60)})
    owner.order("buy", "10", leverage="1")
    owner.play(8 * 24 * 60)
    fees = owner.get("account/funding-fees", begin="0", limit="100")
    oldest = owner.sandbox.clock.now_ms() - 7 * 24 * 3_600_000
    assert len(fees) == 7 * 3 + 1
    assert min(int(row["ts"]) for row in fees) >= oldest
    booked = [e for e in owner.sandbox.ledger().entries if e.kind == "funding"]
    assert len(booked) == 8 * 3


# Contracts can be many units. Seen: XRP 100, DOGE 1000, memes 1000 and more. Tier sizes are
# contracts: notice of 2024-06-28.


@pytest.mark.parametrize(
    ("inst_id", "least"), [("XRP-USDT", 100), ("DOGE-USDT", 1000), ("PEPE-USDT", 1000)]
)
def test_contracts_of_cheap_coins_are_large(inst_id, least):
    assert instrument(inst_id).contract_value >= least


def test_tiers_are_in_contracts(open_sandbox):
    owner = open_sandbox({"DOGE-USDT": flat(0.2, 60)}, balance=10**7, leverage=75)
    (first, *_) = owner.sandbox.market.tiers("DOGE-USDT")
    rows = owner.sandbox.rest.engine.venue.tiers("DOGE-USDT")
    assert rows[0] == first
    assert owner.order("buy", first.max_size, "DOGE-USDT")["code"] == "0"
    assert owner.order("buy", first.max_size, "DOGE-USDT")["code"] == "542"


# What the venue can change under a trade, to be rehearsed.


def test_a_contract_that_is_cut_anew_keeps_its_base_units(open_sandbox):
    owner = open_sandbox({"BTC-USDT": FALL})
    owner.order("buy", "10", slTriggerPrice="49500")
    before = owner.positions()[0]
    owner.sandbox.change_instrument("BTC-USDT", contract_value="0.01", lot_size="0.01")
    after = owner.positions()[0]
    assert Decimal(after["positions"]) == 1
    same = ("averagePrice", "margin", "unrealizedPnl", "liquidationPrice")
    assert [after[name] for name in same] == [before[name] for name in same]
    assert Decimal(owner.live_tpsl()[0]["size"]) == 1
    owner.play(10)
    assert held(owner) == {}
    assert sum(owner.sandbox.ledger().totals().values()) == owner.wallet


def test_an_instrument_that_is_gone_is_in_no_list(open_sandbox):
    owner = open_sandbox({"BTC-USDT": flat(50_000, 60), "ETH-USDT": flat(2000, 60)})
    owner.order("buy", "10", slTriggerPrice="49500")
    owner.sandbox.change_instrument("BTC-USDT", state="gone")
    assert held(owner) == {}
    assert owner.order("buy", "1")["code"] == "152014"
    assert list(owner.sandbox.engine.venue.instruments) == ["ETH-USDT"]
    assert owner.history()[0]["instId"] == "BTC-USDT"
    owner.play(20)


def test_limits_lots_and_ticks_can_change(open_sandbox):
    owner = open_sandbox()
    owner.sandbox.change_instrument(
        "BTC-USDT", lot_size="1", min_size="1", tick_size="0.5", max_market_size="20"
    )
    assert owner.order("buy", "1.5")["code"] == "102016"
    assert owner.order("buy", "1", price="49000.1")["code"] == "102016"
    assert owner.order("buy", "21")["code"] == "102015"
    assert owner.order("buy", "20")["code"] == "0"


def test_in_multi_position_mode_positions_of_one_side_stand_beside_each_other(open_sandbox):
    owner = open_sandbox({"BTC-USDT": FALL}, multi_position=True)
    owner.order("buy", "10", slTriggerPrice="49500")
    owner.order("buy", "4")
    assert sorted(row["positions"] for row in owner.positions()) == ["10", "4"]
    ids = {row["positions"]: row["positionId"] for row in owner.positions()}
    assert len(set(ids.values())) == 2
    owner.order("buy", "1", positionId=ids["4"])
    assert owner.order("sell", "2", reduceOnly="true")["code"] == "152001"
    assert owner.tpsl("sell", "-1", slTriggerPrice="49000")["code"] == "152001"
    assert owner.tpsl("sell", "-1", slTriggerPrice="49000", positionId="7")["code"] == "152002"
    assert owner.order("sell", "2", reduceOnly="true", positionId=ids["10"])["code"] == "0"
    assert {row["positionId"]: row["positions"] for row in owner.positions()} == {
        ids["10"]: "8", ids["4"]: "5"
    }  # fmt: skip
    owner.play(10)
    # The stop that came with the first one has closed that one alone.
    (left,) = owner.positions()
    assert left["positionId"] == ids["4"]
    body = {"instId": "BTC-USDT", "marginMode": "isolated", "positionId": ids["4"]}
    owner.post("trade/close-position", body)
    assert owner.positions() == []
    assert sum(owner.sandbox.ledger().totals().values()) == owner.wallet
