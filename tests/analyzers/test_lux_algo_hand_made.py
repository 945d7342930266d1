"""
Hand-made candles for every event of Lux Algo: a person can see that it belongs there, and beside
each a near miss in which it must not appear.
"""

from __future__ import annotations

import numpy as np
import pytest

from bubbybot_freqtrade.analyzers.lux_algo.blocks import mean_true_range, wide_candles
from bubbybot_freqtrade.analyzers.lux_algo.liquidity import equal_levels, liquidity_grabs
from bubbybot_freqtrade.analyzers.lux_algo.range import (
    range_zone,
    running_range,
    strong_levels,
)
from bubbybot_freqtrade.analyzers.lux_algo.structure import labels, structure_walk
from tests.analyzers.drawn_lines import PEAK, Arrays, mirrored, points, rows


def broken(candles: Arrays, length: int = 2) -> dict[str, list[int]]:
    walk = structure_walk(*candles, length)
    return {
        name: rows(getattr(walk, name))
        for name in ("bos_bull", "bos_bear", "choch_bull", "choch_bear")
        if getattr(walk, name).any()
    }


# --- pivots ---------------------------------------------------------------------------------------


def test_a_pivot_stands_from_the_row_of_its_last_confirming_candle() -> None:
    walk = structure_walk(*points(*PEAK, 12), 2)
    assert np.isnan(walk.high[3])
    assert walk.high[4:].tolist() == [12.2, 12.2, 12.2]
    assert walk.high_candle[4] == 2
    assert walk.low[2:6].tolist() == [9.8] * 4  # the first leg, from candle 0
    assert walk.low[6] == 10.3


def test_rows_that_meet_the_standing_leg_set_no_pivot() -> None:
    """A second, lower peak in the same bearish leg is no new pivot."""
    walk = structure_walk(*points(10, 11, 15, 13, 12, 12.5, 11, 10), 2)
    assert walk.high[4] == 15.2
    assert walk.high[-1] == 15.2
    assert rows(walk.turn) == [2, 4]


def test_a_peak_with_an_equal_neighbour_is_no_pivot() -> None:
    walk = structure_walk(*points(10, 11, 12, 12, 11), 2)
    assert np.isnan(walk.high).all()


def test_bearish_is_tested_first() -> None:
    """An outside candle meets both conditions at once."""
    high, low, close = points(10, 10, 10, 10)
    high[1], low[1] = 14, 6
    walk = structure_walk(high, low, close, 2)
    assert walk.turn.tolist() == [0, 0, 0, -1]
    assert walk.high[3] == 14
    assert np.isnan(walk.low[3])


# --- breaks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mirror", "side"), [(False, "bull"), (True, "bear")])
def test_the_first_break_is_a_bos_and_needs_a_close_beyond(mirror: bool, side: str) -> None:
    def cast(*closes: float) -> dict[str, list[int]]:
        candles = points(*PEAK, *closes)
        return broken(mirrored(candles) if mirror else candles)

    assert cast(13) == {f"bos_{side}": [6]}
    assert cast(12.2) == {}  # closes on the level
    assert cast(12.1) == {}  # only the wick is beyond
    # Back below and over it again: the level is used up.
    assert cast(13, 11, 13) == {f"bos_{side}": [6]}


@pytest.mark.parametrize(
    ("mirror", "up", "down"), [(False, "bull", "bear"), (True, "bear", "bull")]
)
def test_a_break_against_the_trend_is_a_choch(mirror: bool, up: str, down: str) -> None:
    candles = points(*PEAK, 13, 12, 10)
    assert broken(mirrored(candles) if mirror else candles) == {
        f"bos_{up}": [6],
        f"choch_{down}": [8],
    }
    # The same fall without the break before it: no trend yet, so it is a bos.
    candles = points(*PEAK, 12, 11.5, 10)
    assert broken(mirrored(candles) if mirror else candles) == {f"bos_{down}": [8]}


def test_trend_follows_the_breaks() -> None:
    walk = structure_walk(*points(*PEAK, 13, 12, 10), 2)
    assert walk.trend.tolist() == [0] * 6 + [1, 1, -1]


def test_an_internal_level_equal_to_the_swings_is_left_to_the_swing() -> None:
    # Seen with both lengths, candle 4 is the pivot high; candle 8 breaks it.
    closes = (9, 8, 9, 10, 12, 11, 10, 9.5, 9.6, 13)
    swing = structure_walk(*points(*closes), 4)
    internal = structure_walk(*points(*closes), 2, guard=swing)
    assert swing.high[9] == internal.high[9] == 12.2
    assert rows(swing.bos_bull) == [9]
    assert rows(internal.bos_bull | internal.choch_bull) == []
    assert internal.trend[9] == 0
    # Without the swing's level beside it the same break is internal.
    alone = structure_walk(*points(*closes), 2)
    assert rows(alone.bos_bull | alone.choch_bull) == [9]


# --- higher and lower highs and lows ---


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize(("second", "expected"), [(14.5, "hh"), (14.0, "lh"), (13.5, "lh")])
def test_a_new_high_is_higher_or_lower_than_the_one_before(
    mirror: bool, second: float, expected: str
) -> None:
    # Peaks at candles 1 and 6, known three candles later; between them a bottom at candle 3, above
    # the one of candle 0.
    candles = points(10, 14, 12, 11, 12, 13, second, 12, 11, 10.5, wick=0.0)
    found = labels(structure_walk(*(mirrored(candles) if mirror else candles), 3))
    # A market upside down: a higher high is a lower low.
    upside_down = {"hh": "ll", "lh": "hl", "hl": "lh"}
    expected_rows = {"hl": [6], expected: [9]}
    if mirror:
        expected_rows = {upside_down[name]: at for name, at in expected_rows.items()}
    events = {name: rows(getattr(found, name)) for name in found._fields}
    assert {name: at for name, at in events.items() if at} == expected_rows


# --- volatility -----------------------------------------------------------------------------------


def test_mtr_begins_with_a_mean_and_goes_on_as_wilder_has_it() -> None:
    high = np.array([12.0, 11.0, 15.0, 13.0])
    low = np.array([10.0, 10.0, 12.0, 12.0])
    close = np.array([11.0, 10.0, 14.0, 13.0])
    # True ranges 2 (high − low), 1, 5 (from the close of 10) and 2 (to the close of 14).
    assert mean_true_range(high, low, close, 2)[1:].tolist() == [1.5, 3.25, 2.625]
    assert mean_true_range(high, low, close, 2, "simple")[1:].tolist() == [1.5, 3.0, 3.5]
    assert np.isnan(mean_true_range(high, low, close, 2)[0])
    assert wide_candles(high, low, np.array([np.nan, 0.5, 1.6, 0.5])).tolist() == [
        *(False, True, False, True)
    ]


# --- equal highs and lows -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("second", "expected"), [(14.0, [9]), (14.1, [9]), (13.9, [9]), (14.11, []), (13.89, [])]
)
@pytest.mark.parametrize("mirror", [False, True])
def test_equal_highs_within_a_tenth_of_the_mean_range(
    mirror: bool, second: float, expected: list[int]
) -> None:
    candles = points(10, 14, 12, 11, 12, 13, second, 12, 11, 10.5, wick=0.0)
    high, low, _ = mirrored(candles) if mirror else candles
    # A hair above 1: 14.1 − 14 is a little more than 0.1 in binary.
    found = equal_levels(high, low, np.full(10, 1.0 + 1e-9))
    event, other = (found.eql, found.eqh) if mirror else (found.eqh, found.eql)
    assert rows(event) == expected
    assert rows(other) == []
    level = found.low if mirror else found.high
    if expected:  # the level is the newer pivot's
        assert level[9] == (100 - second if mirror else second)


@pytest.mark.parametrize("mirror", [False, True])
def test_the_bound_of_equal_levels_is_included(mirror: bool) -> None:
    """All numbers are exact in binary: pivots 0.5 apart, a tenth of 5."""
    candles = points(10, 14, 12, 11, 12, 13, 13.5, 12, 11, 10.5, wick=0.0)
    high, low, _ = mirrored(candles) if mirror else candles
    for mean_range, count in ((5.0, 1), (4.99, 0)):
        found = equal_levels(high, low, np.full(10, mean_range))
        assert (found.eqh.sum(), found.eql.sum()) == ((0, count) if mirror else (count, 0))


# --- liquidity grabs ------------------------------------------------------------------------------


def grabbed(*tail: tuple[float, float], equal: bool = False, mirror: bool = False) -> list[int]:
    """
    A swing low of 9.8 (candle 4, known on row 6), then rows of (low, close). With `equal` the
    level is an equal low instead.
    """
    high, low, close = points(12, 11, 10.5, 10.2, 10, 11, 11)
    lows, closes = zip(*tail, strict=True)
    high = np.concatenate([high, np.array(closes) + 0.2])
    low = np.concatenate([low, lows])
    close = np.concatenate([close, closes])
    if mirror:
        high, low, close = mirrored((high, low, close))
    walk = structure_walk(high, low, close, 2)
    levels = equal_levels(high, low, np.full(len(close), np.nan), 2)
    if equal:
        made = np.where(np.arange(len(close)) >= 6, 6, -1)
        at = walk.high if mirror else walk.low
        levels = levels._replace(low=at, high=at, low_made=made, high_made=made)
        walk = structure_walk(*points(*[50] * len(close)), 2)
    found = liquidity_grabs(high, low, close, walk, levels)
    assert not (found.bull if mirror else found.bear).any()
    return rows(found.bear if mirror else found.bull)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("equal", [False, True])
@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        ([(10.5, 11), (9.7, 10.5)], [8]),  # a wick below the low, closed back above it
        ([(10.5, 11), (9.8, 10.5)], []),  # touches it only
        ([(10.5, 11), (9.7, 9.75)], []),  # closes below: a break, no grab
        ([(9.75, 9.78), (9.7, 10.5)], []),  # came from below
        ([(9.7, 10.5), (10, 10.5), (9.6, 10.5)], [7]),  # each level fires once
    ],
)
def test_a_grab_is_a_wick_through_the_level(mirror, equal, tail, expected) -> None:
    assert grabbed(*tail, equal=equal, mirror=mirror) == expected


# --- premium and discount -------------------------------------------------------------------------


def test_a_turn_resets_its_side_and_every_row_extends_both() -> None:
    high, low, close = points(*PEAK, 13, 12, 10, 9)
    walk = structure_walk(high, low, close, 2)
    found = running_range(high, low, walk.turn, 2)
    assert found.high[3:8].tolist() == pytest.approx([np.nan, 12.2, 12.2, 13.2, 13.2], nan_ok=True)
    assert found.high_candle[4:8].tolist() == [2, 2, 6, 6]
    assert found.low[2:].tolist() == pytest.approx([9.8, 9.8, 9.8, 9.8, 10.3, 10.3, 9.8, 8.8])


def test_the_high_of_a_falling_trend_is_strong_and_its_low_weak() -> None:
    high, low, close = points(*PEAK, 13, 12, 10, 9)
    running = running_range(high, low, structure_walk(high, low, close, 2).turn, 2)
    found = strong_levels(running, np.array([0.0] * 7 + [-1.0, 0.0, 1.0]))
    known = {name: rows(~np.isnan(getattr(found, name))) for name in found._fields}
    # The range has a low from row 2 on and a high from row 4 on.
    assert known == {
        "strong_high": [7],
        "weak_high": [4, 5, 6, 8, 9],
        "strong_low": [9],
        "weak_low": [2, 3, 4, 5, 6, 7, 8],
    }
    assert found.strong_high[7] == running.high[7]
    assert found.weak_low[7] == running.low[7]


@pytest.mark.parametrize(
    ("position", "zone"),
    [
        (1.0, 1),
        (0.95, 1),
        (0.9499, 0.5),
        (0.5251, 0.5),
        (0.525, 0),
        (0.5, 0),
        (0.475, 0),
        (0.4749, -0.5),
        (0.0501, -0.5),
        (0.05, -1),
        (0.0, -1),
    ],
)
def test_zone_bounds_are_included(position: float, zone: float) -> None:
    assert range_zone(np.array([position])).tolist() == [zone]


def test_no_range_no_zone() -> None:
    assert np.isnan(range_zone(np.array([np.nan]))).all()
