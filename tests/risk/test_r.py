"""One R: a stop is −1, whatever the fees; a report's R and a price's R are the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubbybot_freqtrade.risk.r import r_at, r_multiple

entries = st.floats(1e-6, 1e6)
distances = st.floats(0.001, 0.5)
fees = st.floats(0, 0.002)
signs = st.sampled_from([1, -1])


@given(entries, distances, fees, signs)
def test_a_stop_at_its_price_is_minus_one(entry, distance, fee, sign):
    stop = entry * (1 - sign * distance)
    assert r_at(stop, entry, stop, fee) == pytest.approx(-1)


@given(entries, distances, fees, signs, st.floats(0.5, 2), st.floats(-0.01, 0.01))
def test_money_and_prices_give_the_same_r(entry, distance, fee, sign, move, funding):
    stop, rate, amount = entry * (1 - sign * distance), entry * move, 3.0
    paid = amount * fee * (entry + rate)
    profit = amount * sign * (rate - entry) - paid + amount * funding
    by_money = r_multiple(profit, amount, entry, stop, fee)
    assert r_at(rate, entry, stop, fee, funding) == pytest.approx(by_money, rel=1e-6, abs=1e-9)


def test_leaving_at_the_entry_costs_both_fees():
    # 0.1 % of 100 twice, over 5 and 0.1 % of 195.
    assert r_at(100.0, 100.0, 95.0, 0.001) == pytest.approx(-0.2 / 5.195)
    assert r_at(100.0, 100.0, 105.0, 0.001) == pytest.approx(-0.2 / 5.205)


def test_columns_are_taken_row_by_row():
    rates = np.array([95.0, 110.0])
    entry, stop = np.full(2, 100.0), np.full(2, 95.0)
    assert r_at(rates, entry, stop, 0.0) == pytest.approx([-1.0, 2.0])
