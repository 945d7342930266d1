"""The analyzers' readings: which side, how strong, and none where nothing is known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bubbybot_freqtrade.settings import ConfluenceSettings
from bubbybot_freqtrade.signals.trend import (
    LEAST_CANDLES,
    TYPICAL_CANDLES,
    readings,
    strength,
    typical_range,
    window_side,
)

RULES = ConfluenceSettings(ribbon_room=4, structure_room=8, value_room=6)

# A long: price 4 above the slow line, 8 above the swing low, out of a value area 3 wide; a typical
# range is 2.
UP = {
    "close": 100.0,
    "typical_range_4h": 2.0,
    "mc_ribbon_bull_4h": 1.0,
    "mc_ema_8_4h": 96.0,
    "lux_swing_trend_1h": 1.0,
    "lux_swing_low_1h": 92.0,
    "lux_swing_high_1h": 99.0,
    "window_side_1h": 1.0,
    "fc_vah_1h": 98.0,
    "fc_val_1h": 95.0,
}
DOWN = UP | {
    "mc_ribbon_bull_4h": 0.0,
    "mc_ema_8_4h": 104.0,
    "lux_swing_trend_1h": -1.0,
    "lux_swing_high_1h": 108.0,
    "window_side_1h": -1.0,
}


def read(row, rules=RULES):
    made = readings(pd.DataFrame([row]), rules)
    return {name: float(reading[0]) for name, reading in made.items()}


@pytest.mark.parametrize(("row", "sign"), [(UP, 1), (DOWN, -1)])
def test_readings_by_hand(row, sign):
    # Runs of 2, 4 and 1.5 ranges, in rooms of 4, 8 and 6: half, half and a quarter are used up.
    assert read(row) == {
        "market_cipher": pytest.approx(sign * 0.85),
        "lux_algo": pytest.approx(sign * 0.85),
        "frankie_candles": pytest.approx(sign * 0.925),
    }


@pytest.mark.parametrize(
    ("changes", "silent"),
    [
        ({"mc_ema_8_4h": 101.0}, "market_cipher"),
        ({"lux_swing_trend_1h": 0.0}, "lux_algo"),
        ({"lux_swing_low_1h": 100.5}, "lux_algo"),
        ({"window_side_1h": 0.0}, "frankie_candles"),
        ({"mc_ema_8_4h": np.nan}, "market_cipher"),
        ({"lux_swing_low_1h": np.nan}, "lux_algo"),
        ({"fc_val_1h": np.nan}, "frankie_candles"),
    ],
)
def test_on_the_wrong_side_or_without_candles_there_is_no_reading(changes, silent):
    made = read(UP | changes)
    assert made[silent] == 0
    assert all(value > 0 for name, value in made.items() if name != silent)


def test_without_context_nobody_reads_anything():
    assert set(read({"close": 100.0}).values()) == {0.0}
    assert set(read(UP | {"typical_range_4h": np.nan}).values()) == {0.0}


def test_within_its_room_a_reading_is_at_least_the_least_confidence():
    assert strength(np.array([0.0, 4.0, 6.0, 8.0, 9.0]), 4.0).tolist() == pytest.approx(
        [1, 0.7, 0.35, 0, 0]
    )


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 100), st.floats(0, 100), st.floats(0.1, 40))
def test_the_younger_trend_reads_at_least_as_strong(run, other, room):
    young, old = min(run, other), max(run, other)
    first, second = strength(np.array([young, old]), room)
    assert 0 <= second <= first <= 1


def test_the_window_has_its_highest_and_lowest_close():
    closes = np.array([3.0, 2.0, 4.0, 4.0, 1.0, 5.0])
    assert window_side(closes, 3).tolist() == [0, 0, 1, 1, -1, 1]


def test_the_typical_range_is_the_mean_true_range():
    count = TYPICAL_CANDLES + 10
    high = np.full(count, 102.0)
    # A gap up: the true range reaches back to the close before it.
    high[5:] = 112.0
    made = typical_range(high, high - 4, high - 1)
    assert np.isnan(made[LEAST_CANDLES - 1])
    assert made[LEAST_CANDLES] == pytest.approx((59 * 4 + 11) / 60)
    assert made[-1] == pytest.approx(4)
    assert np.isnan(typical_range(high[:1], high[:1], high[:1])).all()
