"""Hand-made lines and candles for what Market Cipher has beside its first columns."""

from __future__ import annotations

import numpy as np
import pytest

from bubbybot_freqtrade.analyzers.candles import Candles
from bubbybot_freqtrade.analyzers.market_cipher import (
    WaveTrend,
    heikin_ashi_rises,
    schaff_trend_cycle,
    sommi_diamonds,
    sommi_flags,
    trend_candles,
)


def lines(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


# --- Schaff trend cycle ---------------------------------------------------------------------------


def test_a_rise_that_speeds_up_is_at_100_and_a_price_that_never_moved_at_0() -> None:
    rise = 100 + np.arange(200.0) ** 2
    assert (schaff_trend_cycle(rise)[100:] > 99.9).all()
    assert (schaff_trend_cycle(50_000 - rise)[100:] < 0.1).all()
    still = schaff_trend_cycle(np.full(200, 7.3))
    assert np.isnan(still[:67]).all()
    assert (still[67:] == 0).all()


def test_a_line_that_stands_keeps_its_place() -> None:
    """In a straight rise the averages come to run at one distance, and the cycle stays on top."""
    straight = 1_000 + 0.5 * np.arange(3_000.0)
    assert schaff_trend_cycle(straight)[-1_000:] == pytest.approx(np.full(1_000, 100.0))
    assert schaff_trend_cycle(3_000 - straight)[-1_000:] == pytest.approx(np.zeros(1_000))


# --- Sommi ----------------------------------------------------------------------------------------

DOWN = WaveTrend(lines(12, 8), lines(10, 10))  # crosses down above 0
UP = WaveTrend(lines(-12, -8), lines(-10, -10))


def on_last(sides) -> tuple[bool, bool]:
    assert not sides.bull[0]
    assert not sides.bear[0]
    return bool(sides.bull[1]), bool(sides.bear[1])


@pytest.mark.parametrize(
    ("wave", "flow", "higher", "expected"),
    [
        (UP, 1, 1, (True, False)),
        (UP, 0, 1, (False, False)),
        (UP, 1, 0, (False, False)),
        (UP, 1, np.nan, (False, False)),
        (WaveTrend(UP.wt1 + 10, UP.wt2 + 10), 1, 1, (False, False)),  # at 0, not below
        (DOWN, -1, -1, (False, True)),
        (DOWN, 0, -1, (False, False)),
        (DOWN, -1, 0, (False, False)),
        (DOWN, -1, np.nan, (False, False)),
        (WaveTrend(DOWN.wt1 - 10, DOWN.wt2 - 10), -1, -1, (False, False)),
        (UP, -1, -1, (False, False)),
        (DOWN, 1, 1, (False, False)),
        (WaveTrend(lines(-9, -8), UP.wt2), 1, 1, (False, False)),  # above already: no cross
    ],
)
def test_a_flag_needs_all_of_its_conditions(wave, flow, higher, expected) -> None:
    assert on_last(sommi_flags(wave, lines(flow, flow), lines(higher, higher))) == expected


@pytest.mark.parametrize(
    ("wave", "first", "second", "expected"),
    [
        (UP, 1, 1, (True, False)),
        (UP, 1, 0, (False, False)),
        (UP, 0, 1, (False, False)),
        (UP, 1, np.nan, (False, False)),
        (WaveTrend(UP.wt1 + 10, UP.wt2 + 10), 1, 1, (True, False)),  # at 0 is enough
        (WaveTrend(UP.wt1 + 11, UP.wt2 + 11), 1, 1, (False, False)),
        (DOWN, 0, 0, (False, True)),
        (DOWN, 1, 0, (False, False)),
        (DOWN, 0, 1, (False, False)),
        (DOWN, np.nan, 0, (False, False)),
        (WaveTrend(DOWN.wt1 - 10, DOWN.wt2 - 10), 0, 0, (False, True)),
        (WaveTrend(DOWN.wt1 - 11, DOWN.wt2 - 11), 0, 0, (False, False)),
    ],
)
def test_a_diamond_needs_both_higher_candles(wave, first, second, expected) -> None:
    assert on_last(sommi_diamonds(wave, lines(first, first), lines(second, second))) == expected


def test_a_heikin_ashi_candle_is_measured_from_the_middle_of_the_one_before() -> None:
    candles = Candles(
        open=lines(10, 12, 11.2),
        high=lines(12, 12, 11.2),
        low=lines(10, 11, 10.8),
        close=lines(12, 11, 11),
        volume=lines(1, 1, 1),
    )
    # Means 11, 11.5 and 11.05; opens 11, 11 and 11.25. The second falls and rises all the same.
    assert heikin_ashi_rises(candles).tolist() == [0, 1, 0]


# --- candles that go on with the trend ------------------------------------------------------------


@pytest.mark.parametrize(
    ("open_", "close", "fast", "slow", "expected"),
    [
        ((10, 11), (11, 12), 9, 8, (True, False)),
        ((10, 11), (11, 12), 11, 8, (False, False)),  # opened on the fast average
        ((10, 11), (11, 12), 9, 11, (False, False)),
        ((10, 11), (10, 12), 9, 8, (False, False)),  # the candle before did not rise
        ((10, 11), (11, 11), 9, 8, (False, False)),
        ((10, 9), (9, 8), 11, 12, (False, True)),
        ((10, 9), (9, 8), 9, 12, (False, False)),
        ((10, 9), (9, 8), 11, 9, (False, False)),
        ((10, 9), (10, 8), 11, 12, (False, False)),
        ((10, 9), (9, 9), 11, 12, (False, False)),
    ],
)
def test_a_trend_candle(open_, close, fast, slow, expected) -> None:
    found = trend_candles(lines(*open_), lines(*close), lines(fast, fast), lines(slow, slow))
    assert (found.bull.tolist(), found.bear.tolist()) == (
        [False, expected[0]],
        [False, expected[1]],
    )
