"""
Hand-made candles for what Frankie Candles has beside its first columns, beside each a near miss.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pydantic
import pytest

from bubbybot_freqtrade.analyzers import frankie_candles
from bubbybot_freqtrade.analyzers.candles import Candles, epoch_seconds
from bubbybot_freqtrade.analyzers.frankie_candles import (
    higher_candles,
    naked_levels,
    period_begins,
    period_profile,
    previous_profile,
    volume_delta,
    volume_profile,
)


def seconds(*openings: str) -> np.ndarray:
    return epoch_seconds(pd.Series(pd.to_datetime(list(openings), utc=True)))


def floats(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)


# --- value area -----------------------------------------------------------------------------------


def test_two_rows_a_side_see_what_lies_behind_the_next_one() -> None:
    # Rows of 10: 5 3 | 6 | 1 9, the last one the fullest (24 in all, 70 % is 16.8).
    # By one: 9, then only down: 1, 6, 3: 19. By two: 9 + (1 + 6) = 16, + (3 + 5): all.
    low = floats(10, 11, 12, 13, 14)
    volume = floats(5, 3, 6, 1, 9)
    for rows, value_low in ((1, 11), (2, 10)):
        found = volume_profile(low + 1, low, volume, 5, 5, 0.7, rows)
        assert (found.value_low[-1], found.value_high[-1]) == (value_low, 15)
    # 2 4 | 7 | 5 1: by one 5 is fuller than 4; by two 2 + 4 equal 5 + 1, the upper pair.
    # 1 more at the bottom, and the lower pair is the fuller; by one nothing changes.
    for bottom, by_two in ((2, (12, 15)), (3, (10, 13))):
        volume = floats(bottom, 4, 7, 5, 1)
        one, two = (volume_profile(low + 1, low, volume, 5, 5, 0.6, rows) for rows in (1, 2))
        assert (one.value_low[-1], one.value_high[-1]) == (12, 14)
        assert (two.value_low[-1], two.value_high[-1]) == by_two


# --- days and sessions ----------------------------------------------------------------------------


def test_a_candle_belongs_to_the_period_that_it_opens_in() -> None:
    opened = seconds(
        *("2025-01-01 22:00", "2025-01-01 23:45", "2025-01-02 00:00", "2025-01-02 07:45"),
        *("2025-01-02 08:00", "2025-01-02 12:59", "2025-01-02 14:00", "2025-01-04 15:00"),
    )
    assert period_begins(opened).tolist() == [False, False, True, False, False, False, False, True]
    assert np.flatnonzero(period_begins(opened, (0, 8, 13))).tolist() == [2, 4, 6, 7]
    # Without a start at midnight the night belongs to the evening before.
    assert np.flatnonzero(period_begins(opened, (8, 13))).tolist() == [4, 6, 7]
    # The first candle begins a period only if it opens with it.
    assert period_begins(seconds("2025-01-02 00:00")).tolist() == [True]
    assert period_begins(seconds()).tolist() == []


def test_the_day_so_far_and_the_day_before() -> None:
    # Two candles nobody knows the day of, two of a day, two of the next one.
    high, low = floats(9, 9, 11, 12, 21, 21), floats(8, 8, 10, 11, 20, 20)
    volume = floats(5, 5, 3, 7, 1, 1)
    begins = np.array([False, False, True, False, True, False])
    day = period_profile(high, low, volume, begins, rows=2, value_area=0.7)
    assert np.isnan(day.poc[:2]).all()
    # Alone the first candle lies in both halves alike; with the second, that is the fuller.
    assert day.poc[2:4].tolist() == [10.25, 11.5]
    assert day.value_low[2:4].tolist() == [10, 11]
    before = previous_profile(day, begins)
    assert np.isnan(before.poc[:4]).all()
    assert before.poc[4:].tolist() == [11.5, 11.5]
    assert before.value_high[4:].tolist() == [12, 12]


def test_a_naked_poc_stands_until_a_candle_touches_it() -> None:
    begins = np.array([True, False, True, False, False, False])
    poc = floats(99, 10, 15, 15, 15, 15)  # the ended day's last one counts: 10
    high = floats(10, 11, 13, 12, 10.01, 9.98)
    low = floats(9, 9, 12, 10.01, 9.98, 9.97)
    close = floats(10, 11, 12, 11, 9.99, 9.98)
    found = naked_levels(high, low, close, begins, poc)
    # Not in its own day, not while the lows stay above it; gone with the first range over it.
    np.testing.assert_array_equal(found.below, [np.nan, np.nan, 10, 10, np.nan, np.nan])
    assert np.isnan(found.above).all()
    # A gap leaps over it: untouched, it lies above now.
    high[4] = 9.99
    found = naked_levels(high, low, close, begins, poc)
    np.testing.assert_array_equal(found.above, [np.nan] * 4 + [10, 10])
    # The day's last candle is two old on row 3.
    found = naked_levels(high, low, close, begins, poc, memory=2)
    np.testing.assert_array_equal(found.below, [np.nan, np.nan, 10, np.nan, np.nan, np.nan])


def test_sessions_begin_at_hours_of_the_day() -> None:
    with pytest.raises(pydantic.ValidationError, match=r"session_hours\.1"):
        frankie_candles.Settings(session_hours=(0, 24))


# --- volume with a direction ----------------------------------------------------------------------


def test_delta_is_the_place_of_the_close() -> None:
    high, low = floats(12, 12, 12, 12, 10), floats(10, 10, 10, 10, 10)
    close = floats(12, 10, 11, 11.5, 10)
    assert volume_delta(high, low, close, floats(*[8] * 5)).tolist() == [8, -8, 0, 4, 0]


# --- a higher timeframe ---------------------------------------------------------------------------


def made_of(openings: np.ndarray) -> tuple[list[int], list[float]]:
    """Rows that know an hour, and its volume; that of a candle is 2 to the power of its row."""
    count = len(openings)
    prices = np.arange(1.0, count + 1)
    candles = Candles(prices, prices, prices, prices, 2.0 ** np.arange(count))
    found = higher_candles(candles, openings, minutes=60)
    return found.known.tolist(), found.candles.volume.tolist()


def quarters(*minutes: int) -> np.ndarray:
    return np.array(minutes, dtype=np.int64) * 60 + 36_000


def test_an_hour_is_known_on_the_row_that_closes_it() -> None:
    assert made_of(quarters(0, 15, 30, 45, 60)) == ([3], [15])
    assert made_of(quarters(0, 15, 30)) == ([], [])
    assert made_of(quarters()) == ([], [])


def test_an_hour_without_its_last_candle_is_known_on_the_next_row() -> None:
    assert made_of(quarters(0, 15, 30, 75, 90, 105)) == ([3, 5], [7, 56])
    # An hour whose first candles are missing is made of what there is.
    assert made_of(quarters(0, 15, 30, 45, 90, 105)) == ([3, 5], [15, 48])


def test_an_hour_that_began_before_the_frame_is_left_out() -> None:
    assert made_of(quarters(15, 30, 45, 60, 75, 90, 105)) == ([6], [120])


def test_a_gap_at_the_start_closes_an_hour_once() -> None:
    # By row 1 candles seem to be 45 minutes long: the hour is over, and what follows of it is late.
    assert made_of(quarters(0, 45, 60, 75, 90, 105)) == ([1, 5], [3, 60])
    assert made_of(quarters(60, 90, 105, 120)) == ([1], [3])


def test_candles_as_long_as_the_higher_ones_are_these() -> None:
    # Of the first alone nobody knows how long it is.
    assert made_of(quarters(0, 60, 120)) == ([1, 1, 2], [1, 2, 4])


# --- optimal trade entry --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("close", "pocket", "entry"), [(13.81, 1, 0), (13.6, 1, 1), (13.0, 0, 1), (12.0, 0, 0)]
)
def test_the_optimal_entry_lies_deeper_than_the_pocket(close, pocket, entry, draw) -> None:
    # An up leg from 10 to 20: pocket 13.82 to 13.5, optimal entry 13.8 to 12.1.
    rise = [(10 + i, 10.5 + i, 10 + i, 10.5 + i) for i in range(9)]
    rows = [(12, 12.2, 11.9, 12), (11, 11.2, 10, 10.2), *rise[1:], (19, 20, 19, 19.5)]
    rows += [(18, 18.5, 17, 17.5), (16, 16.5, 15, 15.5), (close, close, close, close)]
    frame = draw(rows)
    got = frankie_candles.populate(frame, frankie_candles.Settings(swing_length=1))
    assert got["fc_gp_top"].iloc[-1] == pytest.approx(13.82)
    assert got["fc_ote_bottom"].iloc[-1] == pytest.approx(12.1)
    assert got["fc_in_golden_pocket"].iloc[-1] == pocket
    assert got["fc_in_ote"].iloc[-1] == entry
