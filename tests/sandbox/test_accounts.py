"""Wallets: margin, leverage, modes, funding, liquidation, transfers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sandbox.owner import START, flat

HOUR = 60
EIGHT_HOURS = [*flat(50_000, 8 * HOUR + 30)]
CRASH = [*flat(50_000, 5), (50_000, 50_000, 40_000, 40_100), *flat(40_100, 30)]


def details(owner):
    return owner.get("account/balance")["details"][0]


def set_leverage(owner, leverage, **fields):
    body = {"instId": "BTC-USDT", "leverage": str(leverage), "marginMode": "isolated", **fields}
    return owner.post("account/set-leverage", body)


def test_isolated_margin_is_frozen_and_pnl_is_not_available(open_sandbox):
    course = [*flat(50_000, 5), (50_000, 51_000, 50_000, 51_000), *flat(51_000, 10)]
    owner = open_sandbox({"BTC-USDT": course}, leverage=10)
    row = owner.order("buy", "10")
    entry = Decimal(owner.detail(row["orderId"])["averagePrice"])
    fee = entry * 10 * Decimal("0.001") * Decimal("0.0006")
    margin = entry * 10 * Decimal("0.001") / 10
    owner.play(10)
    balance = details(owner)
    assert Decimal(balance["balance"]) == 10_000 - fee
    assert Decimal(balance["frozen"]) == margin
    assert Decimal(balance["available"]) == 10_000 - fee - margin
    profit = (51_000 - entry) * 10 * Decimal("0.001")
    assert Decimal(balance["isolatedUnrealizedPnl"]) == profit
    assert Decimal(balance["equity"]) == 10_000 - fee + profit
    assert Decimal(balance["isolatedEquity"]) == margin + profit


def test_cross_profit_can_be_used(open_sandbox):
    course = [*flat(50_000, 5), (50_000, 51_000, 50_000, 51_000), *flat(51_000, 10)]
    owner = open_sandbox({"BTC-USDT": course}, leverage=10)
    owner.order("buy", "10", marginMode="cross")
    entry = Decimal(owner.positions()[0]["averagePrice"])
    owner.play(10)
    balance = details(owner)
    profit = (51_000 - entry) * 10 * Decimal("0.001")
    initial = Decimal(51_000) * 10 * Decimal("0.001") / 10
    assert Decimal(balance["frozen"]) == 0
    assert Decimal(balance["available"]) == Decimal(balance["balance"]) + profit - initial
    position = owner.positions()[0]
    assert Decimal(position["initialMargin"]) == initial
    assert "margin" not in position


def test_partial_close_releases_margin_in_proportion(open_sandbox):
    owner = open_sandbox(leverage=10)
    owner.order("buy", "10")
    before = owner.positions()[0]
    owner.order("sell", "4", reduceOnly="true")
    after = owner.positions()[0]
    assert Decimal(after["margin"]) == Decimal(before["margin"]) * 6 / 10
    assert after["averagePrice"] == before["averagePrice"]
    closed = owner.get("account/positions-history")[0]
    assert closed["closePositions"] == "4"
    assert owner.get("account/positions-history", state="partially_closed") == [closed]
    owner.order("sell", "6", reduceOnly="true")
    assert len(owner.get("account/positions-history")) == 1
    assert owner.get("account/positions-history", state="closed")[0]["closePositions"] == "10"


def test_history_counts_fees_against_the_profit(open_sandbox):
    owner = open_sandbox()
    owner.order("buy", "10")
    owner.order("sell", "10")
    closed = owner.get("account/positions-history")[0]
    fills = owner.get("trade/fills-history")
    fees = sum(Decimal(fill["fee"]) for fill in fills)
    pnl = sum(Decimal(fill["fillPnl"]) for fill in fills)
    assert Decimal(closed["fee"]) == -fees
    assert Decimal(closed["realizedPnl"]) == pnl - fees == owner.wallet - 10_000


def test_leverage_moves_the_margin_of_an_open_position(open_sandbox):
    owner = open_sandbox(leverage=10)
    owner.order("buy", "10")
    before = owner.positions()[0]
    assert set_leverage(owner, 5)["data"]["leverage"] == "5"
    after = owner.positions()[0]
    assert after["leverage"] == "5"
    assert Decimal(after["margin"]) == 2 * Decimal(before["margin"])
    assert Decimal(after["liquidationPrice"]) < Decimal(before["liquidationPrice"])


@pytest.mark.parametrize("leverage", ["0", "151", "2.5", "x", ""])
def test_leverage_the_instrument_does_not_offer(open_sandbox, leverage):
    owner = open_sandbox()
    assert set_leverage(owner, leverage)["code"] in ("152001", "152002")


def test_positions_beyond_the_tier_of_their_leverage_are_refused(open_sandbox):
    owner = open_sandbox(balance=10**9)
    set_leverage(owner, 150)
    tiers = owner.sandbox.app(
        "/api/v1/account/leverage-info",
        {"instId": "BTC-USDT", "marginMode": "isolated"},
        method="GET",
    )
    assert tiers["data"]["leverage"] == "150"
    top = owner.sandbox.market.tiers("BTC-USDT")[0]
    assert owner.order("buy", top.max_size, price="49000")["code"] == "0"
    owner.order("buy", "10")
    assert owner.order("buy", top.max_size, price="49000")["code"] == "542"
    set_leverage(owner, 3)
    assert owner.order("buy", top.max_size * 2, price="49000")["code"] == "0"


def test_pending_cross_orders_hold_the_leverage(open_sandbox):
    owner = open_sandbox()
    owner.order("buy", "1", price="49000", marginMode="cross")
    assert set_leverage(owner, 5, marginMode="cross")["code"] == "110006"


def test_leverage_per_side_only_when_isolated_in_long_short_mode(open_sandbox):
    owner = open_sandbox(position_mode="long_short_mode")
    assert set_leverage(owner, 5)["code"] == "152001"
    assert set_leverage(owner, 5, positionSide="long")["code"] == "0"
    rows = owner.get("account/batch-leverage-info", instId="BTC-USDT", marginMode="isolated")
    assert {row["positionSide"]: row["leverage"] for row in rows} == {"long": "5", "short": "3"}
    (row,) = owner.get("account/batch-leverage-info", instId="BTC-USDT", marginMode="cross")
    assert row["positionSide"] == "net"


@pytest.mark.parametrize(
    ("path", "field", "wanted"),
    [
        ("account/set-position-mode", "positionMode", "long_short_mode"),
        ("account/set-margin-mode", "marginMode", "isolated"),
    ],
)
def test_modes_change_only_on_an_empty_account(open_sandbox, path, field, wanted):
    owner = open_sandbox()
    present = "net_mode" if field == "positionMode" else "cross"
    row = owner.order("buy", "1", price="49000")
    assert owner.post(path, {field: wanted})["code"] == "110019"
    assert owner.post(path, {field: present})["code"] == "0"  # nothing to change
    owner.post("trade/cancel-order", orderId=row["orderId"])
    owner.order("buy", "1")
    assert owner.post(path, {field: wanted})["code"] == "110019"
    owner.order("sell", "1")
    assert owner.post(path, {field: wanted})["data"] == {field: wanted}


def test_funding_is_paid_by_longs_and_received_by_shorts(open_sandbox):
    owner = open_sandbox({"BTC-USDT": EIGHT_HOURS, "ETH-USDT": flat(2000, 8 * HOUR + 30)})
    owner.order("buy", "10")
    owner.order("sell", "20", "ETH-USDT")
    before = owner.wallet
    owner.play(8 * HOUR - 1)
    assert owner.wallet == before
    owner.play(2)
    market, settled = owner.sandbox.market, START + 8 * HOUR * 60_000
    rate = {i: market.funding_rate(i, settled) for i in ("BTC-USDT", "ETH-USDT")}
    assert rate["BTC-USDT"] != 0
    expected = -rate["BTC-USDT"] * 50_000 * 10 * Decimal("0.001")
    expected += rate["ETH-USDT"] * 2000 * 20 * Decimal("0.01")
    assert owner.wallet - before == expected
    fees = owner.get("account/funding-fees")
    assert sum(Decimal(row["fundingFee"]) for row in fees) == expected
    assert {row["ts"] for row in fees} == {str(settled)}


def test_an_isolated_position_loses_its_margin_and_no_more(open_sandbox):
    owner = open_sandbox({"BTC-USDT": CRASH}, leverage=20)
    owner.order("buy", "100", slTriggerPrice="30000")
    position = owner.positions()[0]
    before = owner.wallet
    owner.play(30)
    assert owner.positions() == []
    assert owner.live_tpsl() == []
    # The bankruptcy price is on tick, so up to a tick of the 0.1 BTC is left.
    assert 0 <= Decimal(position["margin"]) - (before - owner.wallet) < Decimal("0.011")
    order = owner.history()[0]
    assert order["orderCategory"] == "full_liquidation"
    closed = owner.get("account/positions-history")[0]
    assert (closed["liquidationPositions"], closed["closePositions"]) == ("100", "100")
    assert owner.get("account/positions-history", state="liquidated") == [closed]


def test_liquidation_waits_for_the_mark_price(open_sandbox):
    # One trade far below, gone before the minute's mean gets there.
    spike = [*flat(50_000, 5), (50_000, 50_000, 47_800, 50_000), *flat(50_000, 30)]
    owner = open_sandbox({"BTC-USDT": spike}, leverage=25)
    owner.order("buy", "10")
    assert Decimal(owner.positions()[0]["liquidationPrice"]) > 47_900
    owner.play(30)
    assert owner.positions() != []


def test_a_higher_tier_is_liquidated_earlier(open_sandbox):
    owner = open_sandbox(balance=10**9, leverage=3, volume=10)
    small = owner.sandbox.market.tiers("BTC-USDT")[0].max_size
    owner.order("buy", small)
    low = owner.positions()[0]
    owner.order("buy", small * 4)
    high = owner.positions()[0]
    ratio = {
        row["positions"]: Decimal(row["maintenanceMargin"]) / Decimal(row["positions"])
        for row in (low, high)
    }
    assert ratio[high["positions"]] > ratio[low["positions"]]


def test_cross_positions_fall_together_and_never_below_zero(open_sandbox):
    owner = open_sandbox({"BTC-USDT": CRASH, "ETH-USDT": flat(2000, 40)}, leverage=20, balance=1000)
    owner.order("buy", "200", marginMode="cross")
    owner.order("buy", "10", "ETH-USDT", marginMode="cross")
    owner.order("buy", "1", "ETH-USDT", marginMode="cross", price="1900")
    owner.play(30)
    assert owner.positions() == []
    assert owner.get("trade/orders-pending") == []
    assert owner.wallet >= 0
    totals = owner.sandbox.ledger().totals()
    assert sum(totals.values()) == owner.wallet


def test_cross_equity_behind_one_position_holds_the_other(open_sandbox):
    owner = open_sandbox({"BTC-USDT": CRASH}, leverage=20)
    owner.order("buy", "100", marginMode="cross")
    owner.play(30)
    # 10 000 USDT stand behind 5 000 of notional, which a fall by a fifth does not use up.
    assert owner.positions()[0]["positions"] == "100"


def test_transfers_between_funding_and_futures(open_sandbox):
    owner = open_sandbox()
    body = {"currency": "USDT", "amount": "1500", "fromAccount": "futures", "toAccount": "funding"}
    assert owner.post("asset/transfer", {**body, "clientId": "x1"})["code"] == "0"
    assert owner.post("asset/transfer", {**body, "clientId": "x1"})["code"] == "150003"
    assert owner.post("asset/transfer", {**body, "amount": "9000"})["code"] == "150004"
    assert owner.wallet == 8500
    (funding,) = owner.get("asset/balances", accountType="funding")
    assert Decimal(funding["balance"]) == 1500
    (bill,) = owner.get("asset/bills")
    assert (bill["fromAccount"], Decimal(bill["amount"])) == ("futures", 1500)


def test_demo_funds(open_sandbox):
    owner = open_sandbox()
    body = {"accountType": "futures", "demoApplyMoney": [{"currency": "USDT", "amountStr": "250"}]}
    assert owner.post("asset/demo-apply-money", body)["code"] == "0"
    assert owner.wallet == 10_250
    assert owner.post("asset/demo-apply-money", {**body, "adjustType": 1})["code"] == "0"
    assert owner.wallet == 10_000
