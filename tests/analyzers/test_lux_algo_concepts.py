"""Each concept of Lux Algo by itself, and the highs and lows of the periods before."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bubbybot_freqtrade.analyzers import lux_algo

# --- day, week and month before -------------------------------------------------------------------


def test_a_day_is_known_when_the_next_one_opens(draw) -> None:
    # Candles of 8 h from the middle of Friday the 31st of January on; each is a step higher.
    frame = draw([(p, p + 1, p - 1, p) for p in range(10, 30)])
    frame["date"] = pd.date_range("2025-01-31 08:00", periods=20, freq="8h", tz="UTC")
    got = lux_algo.previous_highs_lows(frame)
    # The Friday is not whole. Saturday are rows 2 to 4, whose prices end at 14.
    assert np.isnan(got["lux_prev_day_high"][:5]).all()
    assert got["lux_prev_day_high"][5:9].tolist() == [15, 15, 15, 18]
    assert got["lux_prev_day_low"][5:9].tolist() == [11, 11, 11, 14]
    # January and the week that ends with Sunday the 2nd were not whole; the week from Monday on is.
    assert np.isnan(got["lux_prev_month_low"]).all()
    assert np.isnan(got["lux_prev_week_low"]).all()


def test_weeks_begin_on_monday_and_months_on_their_first(draw) -> None:
    frame = draw([(p, p + 1, p - 1, p) for p in range(10, 50)])
    frame["date"] = pd.date_range("2024-12-01", periods=40, freq="D", tz="UTC")  # a Sunday
    got = lux_algo.previous_highs_lows(frame)
    # The first Monday is row 1, the second row 8; the first of January is row 31.
    assert np.isnan(got["lux_prev_week_high"][:8]).all()
    assert got["lux_prev_week_high"][8:15].tolist() == [18] * 7
    assert got["lux_prev_week_low"][8] == 10
    assert np.isnan(got["lux_prev_month_high"][:31]).all()
    assert got["lux_prev_month_high"][31:].tolist() == [41] * 9
    assert got["lux_prev_month_low"][31] == 9


# --- each concept by itself -----------------------------------------------------------------------


def test_each_concept_gives_its_columns_alone_and_together_they_are_all(market) -> None:
    frame = market(700, 8).set_index(pd.RangeIndex(50, 750))
    whole = lux_algo.populate(frame)
    doors = (
        lux_algo.structure,
        lux_algo.order_blocks,
        lux_algo.fair_value_gaps,
        lux_algo.liquidity,
        lux_algo.premium_discount,
        lux_algo.previous_highs_lows,
    )
    named: list[str] = []
    for door in doors:
        got = door(frame)
        pd.testing.assert_frame_equal(got, whole[list(got.columns)], check_exact=True)
        named += list(got.columns)
    assert sorted([*named, "lux_long_score", "lux_short_score"]) == sorted(lux_algo.COLUMNS)
    short = lux_algo.Settings(swing_length=10)
    assert not lux_algo.order_blocks(frame, short).equals(lux_algo.order_blocks(frame))
