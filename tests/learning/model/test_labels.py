"""The label says which barrier came first, and needs no candle beyond its horizon."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bubbybot_freqtrade.learning.labels import barriers, candidates, outcomes

HORIZON = 4


def frame_of(candles, **columns):
    """A frame of (high, low) pairs; a plan of 95 and 110 for longs, 105 and 90 for shorts."""
    high, low = zip(*candles, strict=True)
    rows = len(candles)
    plan = {
        "long_confluence": 0.8,
        "short_confluence": 0.1,
        "plan_long_stop": 95.0,
        "plan_long_target": 110.0,
        "plan_short_stop": 105.0,
        "plan_short_target": 90.0,
    } | columns
    return pd.DataFrame(
        {"high": high, "low": low} | {name: np.broadcast_to(v, rows) for name, v in plan.items()}
    ).astype(float)


def labels(frame, horizon=HORIZON, least=0.5):
    sides = candidates(frame, least)
    return list(outcomes(frame, sides, *barriers(frame, sides), horizon))


@pytest.mark.parametrize(
    ("later", "long", "short"),
    [
        ([(101, 99), (111, 99), (101, 94), (100, 99)], "target", "stop"),
        ([(101, 99), (101, 94), (111, 99), (100, 99)], "stop", "stop"),
        ([(101, 99), (101, 89), (111, 99), (100, 99)], "stop", "target"),
        ([(101, 99), (101, 99), (101, 99), (101, 99)], "time", "time"),
        # Both in one candle: nobody knows which came first, so the worse is taken.
        ([(111, 94), (101, 99), (101, 99), (101, 99)], "stop", "stop"),
        # Touching is reaching.
        ([(110, 99), (101, 99), (101, 99), (101, 99)], "target", "stop"),
        ([(101, 95), (101, 99), (101, 99), (101, 99)], "stop", "time"),
    ],
)
def test_the_first_barrier_wins(later, long, short):
    # What the signal candle itself reached was before the plan.
    frame = frame_of([(120, 80), *later])
    assert labels(frame)[0] == long
    mirrored = frame.assign(long_confluence=0.1, short_confluence=0.8)
    assert labels(mirrored)[0] == short


def test_the_last_candles_have_no_label_even_where_a_barrier_has_come():
    frame = frame_of([(100, 99)] * 5 + [(120, 99)] * 3)
    assert labels(frame) == ["time"] + ["target"] * 3 + [None] * HORIZON


def test_only_candidates_have_a_label():
    frame = frame_of([(100, 99)] * 9)
    frame.loc[0, "long_confluence"] = 0.4
    frame.loc[1, "plan_long_target"] = np.nan
    frame.loc[2, "short_confluence"] = 0.8
    frame.loc[3, "plan_short_stop"] = np.nan
    assert labels(frame) == [None, None, None, "time", "time", None, None, None, None]


PRICES = st.tuples(
    st.floats(85, 115, allow_nan=False, width=32), st.floats(0, 8, allow_nan=False, width=32)
).map(lambda pair: (pair[0] + pair[1], pair[0]))
CANDLES = st.lists(PRICES, min_size=12, max_size=40)


def by_hand(frame, sides, stop, target, row, horizon):
    """The same rule, said once more in the slow way."""
    if sides[row] == 0 or row + horizon >= len(frame):
        return None
    for later in range(row + 1, row + horizon + 1):
        high, low = frame["high"][later], frame["low"][later]
        if low <= stop[row] if sides[row] > 0 else high >= stop[row]:
            return "stop"
        if high >= target[row] if sides[row] > 0 else low <= target[row]:
            return "target"
    return "time"


@given(CANDLES, st.lists(st.booleans(), min_size=40, max_size=40), st.integers(1, 10))
@settings(max_examples=60, deadline=None)
def test_labels_are_those_of_a_reading_candle_by_candle(candles, longs, horizon):
    frame = frame_of(candles)
    frame["long_confluence"] = np.where(longs[: len(frame)], 0.8, 0.2)
    frame["short_confluence"] = np.where(longs[: len(frame)], 0.2, 0.8)
    sides = candidates(frame, 0.5)
    stop, target = barriers(frame, sides)
    expected = [by_hand(frame, sides, stop, target, row, horizon) for row in range(len(frame))]
    assert list(outcomes(frame, sides, stop, target, horizon)) == expected


@given(CANDLES, CANDLES, st.integers(0, 11))
@settings(max_examples=60, deadline=None)
def test_candles_after_the_horizon_change_no_label(candles, others, row):
    rows = min(len(candles), len(others))
    later = [*candles[: row + HORIZON + 1], *others[row + HORIZON + 1 : rows]]
    one, other = frame_of(candles[:rows]), frame_of(later[:rows])
    if len(one) == len(other) and row + HORIZON < rows:
        assert labels(one)[: row + 1] == labels(other)[: row + 1]
