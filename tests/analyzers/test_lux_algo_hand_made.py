"""
Hand-made candles for every event of Lux Algo: a person can see that it belongs there, and beside
each a near miss in which it must not appear.
"""

from __future__ import annotations

import numpy as np
import pytest

from bubbybot_freqtrade.analyzers import lux_algo
from bubbybot_freqtrade.analyzers.lux_algo import (
    equal_levels,
    fair_value_gaps,
    liquidity_grabs,
    order_blocks,
    range_zone,
    running_range,
    structure,
    structure_walk,
)

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


def points(*closes: float, wick: float = 0.2) -> Arrays:
    """Candles as points of a line: close, and highs and lows a wick away from it."""
    close = np.array(closes, dtype=float)
    return close + wick, close - wick, close


def mirrored(candles: Arrays) -> Arrays:
    high, low, close = candles
    return 100 - low, 100 - high, 100 - close


def rows(event: np.ndarray) -> list[int]:
    return np.flatnonzero(event).tolist()


def broken(candles: Arrays, length: int = 2) -> dict[str, list[int]]:
    walk = structure_walk(*candles, length)
    return {
        name: rows(getattr(walk, name))
        for name in ("bos_bull", "bos_bear", "choch_bull", "choch_bear")
        if getattr(walk, name).any()
    }


# A pivot high of 12.2 (candle 2, known on row 4), a pivot low of 10.3 (candle 4, known on row 6).
PEAK = (10, 11, 12, 11, 10.5, 11)


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
    swing, internal = structure(*points(*closes), swing_length=4, internal_length=2)
    assert swing.high[9] == internal.high[9] == 12.2
    assert rows(swing.bos_bull) == [9]
    assert rows(internal.bos_bull | internal.choch_bull) == []
    assert internal.trend[9] == 0
    # Without the swing's level beside it the same break is internal.
    alone = structure_walk(*points(*closes), 2)
    assert rows(alone.bos_bull | alone.choch_bull) == [9]


# --- order blocks ---------------------------------------------------------------------------------


def blocks(candles: Arrays, mean_range: float = np.nan, memory: int = 500):
    """Order blocks of the walk of length 2 alone."""
    walk = structure_walk(*candles, 2)
    none = structure_walk(*points(*[50] * len(candles[0])), 2)
    unit = np.full(len(candles[0]), mean_range)
    return order_blocks(*candles, unit, walk, none, memory=memory)


@pytest.mark.parametrize("mirror", [False, True])
def test_the_block_is_the_lowest_candle_before_a_bullish_break(mirror: bool) -> None:
    candles = points(*PEAK, 13, 12)
    found = blocks(mirrored(candles) if mirror else candles)
    zone = found.bear if mirror else found.bull
    other = found.bull if mirror else found.bear
    edges = [100 - 10.3, 100 - 10.7] if mirror else [10.7, 10.3]
    assert np.isnan(zone.top[5])  # not before the break
    assert [zone.top[6], zone.bottom[6]] == pytest.approx(edges)
    assert zone.candle.tolist() == [4]
    assert np.isnan(other.top).all()


def test_a_block_dies_below_its_bottom_and_not_on_it() -> None:
    high, low, close = points(*PEAK, 13, 12, 12)
    low[7] = 10.3
    assert blocks((high, low, close)).bull.bottom[7:].tolist() == [10.3, 10.3]
    low[7] = 10.29
    found = blocks((high, low, close)).bull
    assert np.isnan(found.bottom[7:]).all()
    assert found.ended.tolist() == [7]


def test_a_block_can_die_on_the_row_of_its_break() -> None:
    high, low, close = points(*PEAK, 13)
    low[6] = 10.2
    found = blocks((high, low, close)).bull
    assert found.made.tolist() == [6]
    assert np.isnan(found.top[6])


def test_a_wide_candle_swaps_high_and_low_for_the_search() -> None:
    high, low, close = points(*PEAK, 13)
    high[4] = 11.4  # candle 4 reaches from 10.3 to 11.4
    assert blocks((high, low, close), mean_range=0.56).bull.candle.tolist() == [4]
    # At exactly twice the unit it counts with 11.4; the lowest of the others is candle 3 with 10.8.
    found = blocks((high, low, close), mean_range=(high[4] - low[4]) / 2).bull
    assert found.candle.tolist() == [3]
    assert [found.top[6], found.bottom[6]] == [11.2, 10.8]


def test_a_block_is_forgotten_when_its_candle_is_old() -> None:
    found = blocks(points(*PEAK, 13, 12, 12, 12), memory=4).bull
    assert np.isnan(found.top).tolist() == [True] * 6 + [False] * 2 + [True] * 2


def test_the_nearest_block_is_named_and_inside_counts_as_zero() -> None:
    # Two rises leave two blocks: around 10.5 (candle 4) and around 14 (candle 9).
    closes = (*PEAK, 13, 15, 17, 14, 15, 18, 14.1, 12, 11)
    found = blocks(points(*closes)).bull
    assert found.candle.tolist() == [4, 9]
    assert found.tops[1] == pytest.approx(14.2)
    assert found.top[12] == pytest.approx(14.2)  # close 14.1 lies inside the upper one
    assert found.top[14] == pytest.approx(10.7)  # which price has run through since


def test_of_equally_near_blocks_of_one_row_the_swings_is_named() -> None:
    # The last close breaks the swing's peak of 15.2 (candle 2) and the internal one of 13.2
    # (candle 6); the blocks behind them, candles 4 and 8, end at the same height.
    high, low, close = points(10, 11, 15, 12, 10, 12, 13, 12, 11, 12, 16)
    high[4] = high[8]
    swing, internal = structure(high, low, close, swing_length=4, internal_length=2)
    unit = np.full(len(close), np.nan)
    found = order_blocks(high, low, close, unit, swing, internal).bull
    assert found.made.tolist() == [10, 10]
    assert sorted(found.candle.tolist()) == [4, 8]
    assert found.bottom[10] == low[4]


def test_touching_a_block_includes_its_edge(draw) -> None:
    settings = lux_algo.Settings(swing_length=2, internal_length=1)
    high, low, close = points(*PEAK, 13, 12)

    def inside(last_low: float) -> bool:
        lows = low.copy()
        lows[7] = last_low
        frame = draw(zip(close, high, lows, close, strict=True))
        return bool(lux_algo.populate(frame, settings)["lux_in_bull_ob"][7])

    found = lux_algo.populate(draw(zip(close, high, low, close, strict=True)), settings)
    top = found["lux_bull_ob_top"][7]
    assert inside(top)
    assert not inside(top + 0.01)


# --- fair value gaps ------------------------------------------------------------------------------


def gap(third_low: float = 11.2, first_high: float = 10.1, bodies: float = 0.01):
    """Three quiet candles, then 10 → 11.5, then a candle whose low is third_low."""
    open_ = np.array([10, 10, 10, 10, 11.5, 12.0, 12.0])
    close = np.array([*[10 + 10 * bodies] * 3, 11.5, 12.0, 12.0, 12.0])
    high = np.maximum(open_, close)
    low = np.minimum(open_, close)
    high[2] = max(high[2], first_high)
    low[4] = third_low
    high[4:] = 12.5
    return fair_value_gaps(open_, high, low, close, body_length=4), (open_, high, low, close)


def test_a_gap_behind_an_unusual_body() -> None:
    found, _ = gap()
    assert rows(found.bull_event) == [4]
    assert [found.bull.top[4], found.bull.bottom[4]] == [11.2, 10.1]
    assert rows(found.bear_event) == []


@pytest.mark.parametrize(
    "miss",
    [
        {"third_low": 10.1},  # touches the first candle's high
        {"first_high": 11.5, "third_low": 11.6},  # the middle candle does not close beyond
        {"bodies": 0.05},  # the body of 0.15 is not above twice the usual 0.075
    ],
)
def test_no_gap_when_one_condition_misses(miss) -> None:
    found, _ = gap(**miss)
    assert 4 not in rows(found.bull_event)


def test_a_bearish_gap_is_the_mirror() -> None:
    _, (open_, high, low, close) = gap()
    found = fair_value_gaps(24 - open_, 24 - low, 24 - high, 24 - close, body_length=4)
    assert rows(found.bear_event) == [4]
    assert [found.bear.top[4], found.bear.bottom[4]] == pytest.approx([13.9, 12.8])
    assert rows(found.bull_event) == []


def test_a_gap_lives_until_price_runs_through_it() -> None:
    _, (open_, high, low, close) = gap()
    low[5] = 10.1
    assert fair_value_gaps(open_, high, low, close, 4).bull.bottom[6] == 10.1
    low[5] = 10.09
    found = fair_value_gaps(open_, high, low, close, 4).bull
    assert np.isnan(found.bottom[5:]).all()
    assert found.ended.tolist() == [5]
    low[5] = 12
    assert np.isnan(fair_value_gaps(open_, high, low, close, 4, memory=2).bull.bottom[6])


def test_no_gap_without_the_full_window_of_bodies_before() -> None:
    _, candles = gap()
    assert rows(fair_value_gaps(*candles, body_length=5).bull_event) == []


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
