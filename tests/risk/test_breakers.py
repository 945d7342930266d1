"""The day's account: what it lost, what it may still lose."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubbybot_freqtrade.risk.breakers import (
    Exposure,
    day_of,
    day_start,
    next_day,
    price_profit,
)

MONEY = st.floats(-2_000, 2_000)
EXPOSURES = st.lists(st.builds(Exposure, MONEY, MONEY, MONEY), max_size=8)


def test_the_day_is_utc_whatever_the_zone():
    late_in_tokyo = datetime(2025, 3, 2, 5, 30, tzinfo=timezone(timedelta(hours=9)))
    assert day_start(late_in_tokyo) == datetime(2025, 3, 1, tzinfo=UTC)
    assert next_day(late_in_tokyo) == datetime(2025, 3, 2, tzinfo=UTC)
    assert next_day(datetime(2025, 3, 2, tzinfo=UTC)) == datetime(2025, 3, 3, tzinfo=UTC)


def test_open_losses_count_and_yesterdays_gain_is_not_todays():
    # 10 000 at midnight with 300 of open profit in it; that trade now stands at -200.
    day = day_of(9_500, [Exposure(-200, -400, profit_at_day_start=300)])
    assert day.opening_equity == 10_000
    assert day.loss_share == pytest.approx(0.05)
    # At its stop the day would have lost 700: 300 remain of the 10 %.
    assert day.room(0.10) == pytest.approx(300)


def test_the_limit_is_reached_at_exactly_ten_percent():
    assert day_of(9_000, [Exposure(-1_000, -1_000)]).limit_reached(0.10)
    assert not day_of(9_001, [Exposure(-999, -999)]).limit_reached(0.10)


def test_a_stop_in_profit_frees_no_more_than_the_day_has():
    day = day_of(10_000, [Exposure(-100, 400)])
    assert day.room(0.10) == pytest.approx(0.10 * 10_100 - 100)


def test_an_account_with_nothing_left_is_an_error():
    with pytest.raises(ValueError, match="nothing to trade"):
        day_of(0, [])


@given(st.floats(5_000, 1e6), EXPOSURES, st.floats(0, 500))
def test_after_all_stops_and_a_new_loss_within_the_room_the_day_keeps_its_limit(
    equity, trades, spare
):
    try:
        day = day_of(equity, trades)
    except ValueError:
        return
    new_loss = day.room(0.10) - spare
    at_stops = sum(trade.profit_at_stop - trade.profit_at_day_start for trade in trades)
    worst_equity = day.opening_equity + at_stops - new_loss
    assert worst_equity >= 0.9 * day.opening_equity - 1e-6 * equity


def test_price_profit_by_hand():
    # Long 2 coins from 100 to 110: +20, fees 0.1 % of 200 and of 220.
    assert price_profit("long", 100, 110, 2, 0.001) == pytest.approx(20 - 0.42)
    assert price_profit("short", 100, 110, 2, 0.001) == pytest.approx(-20 - 0.42)
