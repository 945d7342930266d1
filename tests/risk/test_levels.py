"""Stops some ATRs away or behind structure, targets that pay: by hand and at random."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bubbybot_freqtrade.risk.levels import (
    LEVEL_COLUMNS,
    average_true_range,
    forced_levels,
    long_levels,
    short_levels,
)
from bubbybot_freqtrade.settings import RiskSettings

RULES = RiskSettings(
    min_stop=0.01,
    max_stop=0.10,
    stop_atrs=5,
    structure_atrs=7,
    stop_atr_margin=0.25,
    target_timeframes=("1h",),
)
FEE = 0.0006
ATR = np.array([0.5])


def frame(close=100.0, **levels):
    row = {"close": close} | {f"{name}_1h": np.nan for name in LEVEL_COLUMNS} | levels
    return pd.DataFrame([row])


def in_r(stop, target, close=100.0, fee=FEE):
    gain = abs(target - close) - fee * (close + target)
    return gain / (abs(close - stop) + fee * (close + stop))


def test_the_stop_lies_some_atrs_away():
    assert long_levels(frame(), ATR, FEE, RULES).stop[0] == pytest.approx(97.5)
    assert short_levels(frame(), ATR, FEE, RULES).stop[0] == pytest.approx(102.5)


@pytest.mark.parametrize(
    ("levels", "stop"),
    [
        # 97.2 with its margin is 5.85 ATRs away; 98 would be nearer than five, 96 further than
        # seven.
        ({"lux_swing_low_1h": 97.2}, 97.075),
        ({"lux_bull_ob_bottom_1h": 97.2, "lux_swing_low_1h": 97.0}, 97.075),
        ({"lux_swing_low_1h": 98.0}, 97.5),
        ({"lux_swing_low_1h": 96.0}, 97.5),
        ({"lux_swing_low": 97.2}, 97.5),
    ],
)
def test_a_level_a_little_behind_takes_the_stop_behind_it(levels, stop):
    assert long_levels(frame(**levels), ATR, FEE, RULES).stop[0] == pytest.approx(stop)


def test_a_short_is_the_mirror():
    row = frame(lux_bear_ob_top_1h=102.8, lux_swing_low_1h=80.0)
    made = short_levels(row, ATR, FEE, RULES)
    assert made.stop[0] == pytest.approx(102.925)
    assert made.target[0] == pytest.approx(80)


def test_the_target_pays_its_reward_and_little_more():
    made = long_levels(frame(), ATR, FEE, RULES)
    assert 3 <= in_r(made.stop[0], made.target[0]) < 3.05


@pytest.mark.parametrize(
    ("levels", "target"),
    [
        # The risk is about 2.6, so 2R is near 105.4 and 3R near 108.
        ({"mc_resistance_1h": 115.0}, 115),
        ({"mc_resistance_1h": 115.0, "fc_vah_1h": 103.0}, 115),
        ({"mc_resistance_1h": 106.0, "lux_swing_high_1h": 115.0}, None),
        ({"lux_swing_high_4h": 115.0}, None),
    ],
)
def test_the_next_level_that_pays_is_the_target_where_it_is_further(levels, target):
    made = long_levels(frame(**levels), ATR, FEE, RULES)
    if target is None:
        target = long_levels(frame(), ATR, FEE, RULES).target[0]
    assert made.target[0] == pytest.approx(target)


@pytest.mark.parametrize(("atr", "share"), [(0.0, 0.01), (0.1, 0.01), (5.0, 0.10)])
def test_a_stop_outside_of_the_bounds_is_moved_just_inside(atr, share):
    stop = long_levels(frame(), np.array([atr]), FEE, RULES).stop[0]
    assert 1 - stop / 100 == pytest.approx(share, rel=0.1)
    assert 0.01 < 1 - stop / 100 < 0.10


@pytest.mark.parametrize("make", [long_levels, short_levels])
def test_without_an_atr_there_are_no_levels(make):
    made = make(frame(lux_swing_low_1h=97.2), np.array([np.nan]), FEE, RULES)
    assert np.isnan(made.stop[0])
    assert np.isnan(made.target[0])


@settings(max_examples=300, deadline=None)
@given(
    st.floats(1e-6, 1e6),
    st.lists(st.floats(0.7, 1.5), min_size=len(LEVEL_COLUMNS), max_size=len(LEVEL_COLUMNS)),
    st.floats(0, 0.05),
    st.floats(0, 0.002),
    st.sampled_from([long_levels, short_levels]),
)
def test_every_level_keeps_stop_bounds_and_reward(close, shares, atr, fee, make):
    levels = {f"{name}_1h": close * s for name, s in zip(LEVEL_COLUMNS, shares, strict=True)}
    made = make(frame(close, **levels), np.array([atr * close]), fee, RULES)
    stop, target = made.stop[0], made.target[0]
    sign = 1 if make is long_levels else -1
    assert sign * stop < sign * close < sign * target
    assert 0.01 - 1e-9 <= abs(close - stop) / close <= 0.10 + 1e-9
    assert in_r(stop, target, close, fee) >= 3 - 1e-9


@pytest.mark.parametrize("side", ["long", "short"])
@pytest.mark.parametrize("atr", [0.5, 30.0, np.nan])
def test_forced_levels_are_a_legal_plan_whatever_the_atr(side, atr):
    stop, target = forced_levels(side, 100.0, atr, FEE, RULES)
    assert 0.01 < abs(1 - stop / 100) < 0.10
    assert in_r(stop, target) >= 3 - 1e-9
    if atr == 0.5:
        assert abs(100 - stop) == pytest.approx(2.5)


def test_an_empty_frame_has_empty_levels():
    empty = frame().iloc[:0].astype(float)
    assert long_levels(empty, np.empty(0), FEE, RULES).stop.shape == (0,)


def test_the_atr_is_wilders():
    candles = pd.DataFrame({"high": [2.0] * 40, "low": [1.0] * 40, "close": [1.5] * 40})
    assert average_true_range(candles)[-1] == pytest.approx(1)
