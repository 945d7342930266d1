"""Contracts and base currency: nothing is lost on the way, whatever a contract is worth."""

from decimal import Decimal

import pytest
from ccxt import TICK_SIZE
from freqtrade.exchange import amount_to_contract_precision
from freqtrade.persistence import Trade
from freqtrade.rpc import RPC
from freqtrade.util import FtPrecise
from hypothesis import given
from hypothesis import strategies as st

from bubbybot_freqtrade.blofin.contracts import (
    base_to_contracts,
    common_step,
    contracts_to_base,
    total,
)
from bubbybot_freqtrade.sandbox.settings import DEMO_UID
from tests.blofin.desk import BTC, ETH, SOL

VALUES = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent),
    st.integers(1, 99),
    st.integers(-8, 5),
).filter(lambda value: value <= 10**6)
LOTS = st.sampled_from([Decimal(lot) for lot in ("0.01", "0.1", "0.5", "1", "10")])
COUNTS = st.integers(1, 10**8)


@given(VALUES, LOTS, COUNTS)
def test_lots_come_back_from_base_currency_as_they_went(value, lot, count):
    contracts = float(lot * count)
    base = contracts_to_base(contracts, float(value))
    assert Decimal(str(base)) == lot * count * value
    assert base_to_contracts(base, float(value), float(lot)) == contracts


@given(VALUES, LOTS, COUNTS, st.floats(0, 1))
def test_freqtrades_books_of_a_partial_exit_are_whole_lots(value, lot, count, share):
    # LocalTrade.recalc_trade_from_orders: decimal sums of what the orders have filled, cut to lots.
    exited = int(count * share)
    entry, part = (contracts_to_base(float(lot * n), float(value)) for n in (count, exited))
    left = float(FtPrecise(entry) - FtPrecise(part))
    booked = amount_to_contract_precision(left, float(lot), TICK_SIZE, float(value))
    assert base_to_contracts(booked, float(value), float(lot)) == float(lot * (count - exited))


@given(VALUES, LOTS, COUNTS)
def test_an_amount_that_a_float_product_has_spoiled_is_its_lot(value, lot, count):
    contracts = float(lot * count)
    assert base_to_contracts(contracts * float(value), float(value), float(lot)) == contracts


@given(VALUES, COUNTS, st.integers(1, 999))
def test_a_part_of_a_lot_is_not_rounded_away(value, count, part):
    lots = Decimal(count) + Decimal(part) / 1000
    found = base_to_contracts(float(lots * value), float(value), 1.0)
    assert found == pytest.approx(float(lots), rel=1e-12)


def test_a_sum_is_the_one_that_is_written():
    assert total([0.1, 0.2]) == 0.3
    assert total([]) == 0


def held(desk) -> dict[str, Decimal]:
    """Contracts at the venue by pair."""
    account = desk.sandbox.engine.account(DEMO_UID)
    return {p.inst_id: abs(p.size) for p in account.positions.values()}


@pytest.mark.parametrize(
    ("entered", "parts"),
    [("3.7", ["1.8"]), ("2.3", ["1.1"]), ("9.9", ["2.9", "3.3", "1.2"]), ("0.7", ["0.3", "0.1"])],
)
def test_partial_exits_leave_nothing_behind(open_desk, entered, parts):
    desk = open_desk()
    bot = desk.start()
    trade = desk.enter(BTC, stake_amount=float(Decimal(entered) * 10) + 0.05)
    assert held(desk) == {"BTC-USDT": Decimal(entered)}
    left = Decimal(entered)
    for part in parts:
        amount = float(Decimal(part) / 1000)
        RPC(bot)._rpc_force_exit(str(trade.id), amount=amount)
        desk.loop()
        left -= Decimal(part)
        assert held(desk) == {"BTC-USDT": left}
        assert Decimal(str(trade.amount)) == left / 1000
        (stop,) = desk.standing_stops(BTC)
        assert stop.size >= left
    RPC(bot)._rpc_force_exit(str(trade.id))
    desk.loop()
    assert not held(desk)
    assert not desk.closed(trade).is_open
    assert not desk.standing_stops(BTC)


def test_additions_are_booked_to_the_lot(open_desk):
    desk = open_desk()
    bot = desk.start(position_adjustment_enable=True)
    trades = [desk.enter(pair, side) for pair, side in ((BTC, "long"), (ETH, "short"))]
    for trade in trades:
        for stake in (17.3, 29.9, 61.1):
            side = {"is_short": trade.is_short}
            assert bot.execute_entry(trade.pair, stake, trade=trade, mode="pos_adjust", **side)
            desk.loop()
    contract = {BTC: Decimal("0.001"), ETH: Decimal("0.01")}
    booked = {
        t.pair.split(":")[0].replace("/", "-"): Decimal(str(t.amount)) / contract[t.pair]
        for t in Trade.get_open_trades()
    }
    assert booked == held(desk)


def test_a_contract_of_one_unit_needs_no_product(open_desk):
    desk = open_desk()
    desk.start()
    trade = desk.enter(SOL)
    assert Decimal(str(trade.amount)) == held(desk)["SOL-USDT"]


@pytest.mark.parametrize(
    ("old", "new", "step"),
    [
        ((0.1, 0.001), (1, 0.001), 0.1),
        ((1, 0.001), (0.1, 0.001), 0.1),
        # The same tenth of a thousandth, in contracts of another value.
        ((0.1, 0.001), (1, 0.0001), 1),
        ((0.1, 0.001), (0.01, 0.01), 0.01),
        # Neither is a multiple of the other.
        ((0.3, 1), (0.5, 1), 0.1),
        ((1, 1e-8), (1, 1e6), 1e-14),
    ],
)
def test_whole_lots_of_both_are_multiples_of_their_common_step(old, new, step):
    assert common_step(old, new) == step
