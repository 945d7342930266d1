"""Stops behind structure, targets at what opposes: on frames written by hand and at random."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bubbybot_freqtrade.risk.levels import (
    LEVEL_COLUMNS,
    average_true_range,
    long_levels,
    short_levels,
)
from bubbybot_freqtrade.settings import RiskSettings

RULES = RiskSettings(
    min_stop=0.01,
    max_stop=0.05,
    stop_atr_margin=1,
    stop_timeframes=("15m",),
    target_timeframes=("15m",),
)
FEE = 0.0006
ATR = np.array([0.5])


def frame(close=100.0, **levels):
    row = {"close": close} | dict.fromkeys(LEVEL_COLUMNS, np.nan) | levels
    return pd.DataFrame([row])


def test_the_stop_lies_an_atr_behind_the_nearest_structure_within_bounds():
    # 99.8 is too near (0.7 % with its margin), 97 is next, 90 too far.
    levels = long_levels(
        frame(lux_swing_low=97.0, lux_bull_ob_bottom=99.8, fc_val=90.0, lux_swing_high=120.0),
        ATR,
        FEE,
        RULES,
    )
    assert levels.stop[0] == pytest.approx(96.5)


def test_the_target_is_the_next_opposing_level_that_pays():
    # Risk is about 3.6: 103 pays less than 1R, 110 about 2.7R, 130 lies behind it.
    levels = long_levels(
        frame(lux_swing_low=97.0, mc_resistance=103.0, fc_vah=110.0, lux_swing_high=130.0),
        ATR,
        FEE,
        RULES,
    )
    assert levels.target[0] == pytest.approx(110)


def test_where_nothing_opposes_the_extensions_of_the_range_are_levels():
    # The range is 90–101: its extensions are 103.992, 107.798 and 112; the risk is about 3.6.
    row = {"lux_swing_low": 97.0, "lux_range_high": 101.0, "lux_range_low": 90.0}
    assert long_levels(frame(**row), ATR, FEE, RULES).target[0] == pytest.approx(107.798)
    # An opposing level before it that pays comes first.
    nearer = long_levels(frame(fc_vah=107.75, **row), ATR, FEE, RULES)
    assert nearer.target[0] == pytest.approx(107.75)
    below = {"lux_swing_high": 103.0, "lux_range_high": 110.0, "lux_range_low": 99.0}
    short = short_levels(frame(**below), ATR, FEE, RULES)
    assert short.target[0] == pytest.approx(92.202)


def test_a_short_is_the_mirror():
    levels = short_levels(
        frame(lux_swing_high=103.0, mc_support=97.0, fc_val=90.0, lux_swing_low=70.0),
        ATR,
        FEE,
        RULES,
    )
    assert levels.stop[0] == pytest.approx(103.5)
    assert levels.target[0] == pytest.approx(90)


@pytest.mark.parametrize(
    "levels",
    [
        {},
        {"lux_swing_low": 97.0},
        {"lux_swing_high": 130.0},
        {"lux_swing_low": 90.0, "lux_swing_high": 130.0},
        {"lux_swing_low": 97.0, "lux_swing_high": 103.0},
    ],
)
def test_without_a_fitting_stop_or_a_paying_target_there_is_no_level(levels):
    made = long_levels(frame(**levels), ATR, FEE, RULES)
    assert np.isnan(made.target[0])


def test_levels_come_from_the_timeframes_of_the_settings():
    rules = RULES.model_copy(update={"stop_timeframes": ("1h",), "target_timeframes": ("4h",)})
    row = frame(lux_swing_low=98.0, lux_swing_high=120.0).assign(
        lux_swing_low_1h=97.0, lux_swing_high_4h=115.0
    )
    made = long_levels(row, ATR, FEE, rules)
    assert made.stop[0] == pytest.approx(96.5)
    assert made.target[0] == pytest.approx(115)


@settings(max_examples=300, deadline=None)
@given(
    st.floats(1e-6, 1e6),
    st.lists(st.floats(0.7, 1.5), min_size=len(LEVEL_COLUMNS), max_size=len(LEVEL_COLUMNS)),
    st.floats(0, 0.02),
    st.floats(0, 0.002),
    st.sampled_from([long_levels, short_levels]),
)
def test_every_level_keeps_stop_bounds_and_reward(close, shares, atr, fee, make):
    row = frame(close, **{name: close * s for name, s in zip(LEVEL_COLUMNS, shares, strict=True)})
    made = make(row, np.array([atr * close]), fee, RULES)
    stop, target = made.stop[0], made.target[0]
    if np.isnan(target):
        return
    sign = 1 if make is long_levels else -1
    assert sign * stop < sign * close < sign * target
    assert 0.01 - 1e-9 <= abs(close - stop) / close <= 0.05 + 1e-9
    loss = abs(close - stop) + fee * (close + stop)
    gain = abs(target - close) - fee * (close + target)
    assert gain >= 2 * loss * (1 - 1e-9)


def test_an_empty_frame_has_empty_levels():
    empty = frame().iloc[:0].astype(float)
    assert long_levels(empty, np.empty(0), FEE, RULES).stop.shape == (0,)


def test_the_atr_is_wilders():
    candles = pd.DataFrame({"high": [2.0] * 40, "low": [1.0] * 40, "close": [1.5] * 40})
    assert average_true_range(candles)[-1] == pytest.approx(1)
