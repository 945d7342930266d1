"""Hand-made order blocks and gaps: how each is made, how it ends, and a near miss beside it."""

from __future__ import annotations

import numpy as np
import pytest

from bubbybot_freqtrade.analyzers import lux_algo
from bubbybot_freqtrade.analyzers.lux_algo.blocks import find_blocks, wide_candles
from bubbybot_freqtrade.analyzers.lux_algo.gaps import find_gaps
from bubbybot_freqtrade.analyzers.lux_algo.structure import structure_walk
from tests.analyzers.drawn_lines import PEAK, Arrays, mirrored, points, rows

# --- order blocks ---------------------------------------------------------------------------------


def blocks(candles: Arrays, mean_range: float = np.nan, memory: int = 500, **how):
    """Order blocks of the walk of length 2 alone."""
    walk = structure_walk(*candles, 2)
    none = structure_walk(*points(*[50] * len(candles[0])), 2)
    wide = wide_candles(candles[0], candles[1], np.full(len(candles[0]), mean_range))
    return find_blocks(*candles, wide, walk, none, memory=memory, **how)


@pytest.mark.parametrize("mirror", [False, True])
def test_the_block_is_the_lowest_candle_before_a_bullish_break(mirror: bool) -> None:
    candles = points(*PEAK, 13, 12)
    found = blocks(mirrored(candles) if mirror else candles)
    zone = found.swing_bear if mirror else found.swing_bull
    other = found.swing_bull if mirror else found.swing_bear
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
    found = blocks((high, low, close)).swing_bull
    assert np.isnan(found.bottom[7:]).all()
    assert found.ended.tolist() == [7]


def test_a_block_can_die_on_the_row_of_its_break() -> None:
    high, low, close = points(*PEAK, 13)
    low[6] = 10.2
    found = blocks((high, low, close)).swing_bull
    assert found.made.tolist() == [6]
    assert np.isnan(found.top[6])


def test_a_wide_candle_swaps_high_and_low_for_the_search() -> None:
    high, low, close = points(*PEAK, 13)
    high[4] = 11.4  # candle 4 reaches from 10.3 to 11.4
    assert blocks((high, low, close), mean_range=0.56).swing_bull.candle.tolist() == [4]
    # At exactly twice the unit it counts with 11.4; the lowest of the others is candle 3 with 10.8.
    found = blocks((high, low, close), mean_range=(high[4] - low[4]) / 2).swing_bull
    assert found.candle.tolist() == [3]
    assert [found.top[6], found.bottom[6]] == [11.2, 10.8]


def test_a_block_is_forgotten_when_its_candle_is_old() -> None:
    found = blocks(points(*PEAK, 13, 12, 12, 12), memory=4).swing_bull
    assert np.isnan(found.top).tolist() == [True] * 6 + [False] * 2 + [True] * 2


def test_the_nearest_block_is_named_and_inside_counts_as_zero() -> None:
    # Two rises leave two blocks: around 10.5 (candle 4) and around 14 (candle 9).
    closes = (*PEAK, 13, 15, 17, 14, 15, 18, 14.1, 12, 11)
    found = blocks(points(*closes)).swing_bull
    assert found.candle.tolist() == [4, 9]
    assert found.tops[1] == pytest.approx(14.2)
    assert found.top[12] == pytest.approx(14.2)  # close 14.1 lies inside the upper one
    assert found.top[14] == pytest.approx(10.7)  # which price has run through since


def test_of_equally_near_blocks_of_one_row_the_swings_is_named() -> None:
    # The last close breaks the swing's peak of 15.2 (candle 2) and the internal one of 13.2
    # (candle 6); the blocks behind them, candles 4 and 8, end at the same height.
    high, low, close = points(10, 11, 15, 12, 10, 12, 13, 12, 11, 12, 16)
    high[4] = high[8]
    swing = structure_walk(high, low, close, 4)
    internal = structure_walk(high, low, close, 2, guard=swing)
    found = find_blocks(high, low, close, np.zeros(len(close), bool), swing, internal)
    assert found.swing_bull.made.tolist() == found.internal_bull.made.tolist() == [10]
    assert found.swing_bull.candle.tolist() == [4]
    assert found.internal_bull.candle.tolist() == [8]
    assert found.bull.bottom[10] == low[4]


def test_the_nearest_of_both_walks_is_named_and_each_has_its_own() -> None:
    # As above, but the internal block reaches higher.
    high, low, close = points(10, 11, 15, 12, 10, 12, 13, 12, 11, 12, 16)
    swing = structure_walk(high, low, close, 4)
    internal = structure_walk(high, low, close, 2, guard=swing)
    found = find_blocks(high, low, close, np.zeros(len(close), bool), swing, internal)
    assert found.swing_bull.top[10] == high[4]
    assert found.internal_bull.top[10] == found.bull.top[10] == high[8]
    assert np.isnan(found.swing_bull.top[9])


@pytest.mark.parametrize("mirror", [False, True])
def test_a_block_is_broken_on_the_row_that_runs_through_it(mirror: bool) -> None:
    high, low, close = points(*PEAK, 13, 12, 12, 12)
    low[7] = 10.2  # a wick; row 8 closes below
    close[8] = low[8] = 10.1

    def dead(mitigation: str, memory: int = 500) -> list[int]:
        candles = (high, low, close)
        found = blocks(
            mirrored(candles) if mirror else candles, memory=memory, mitigation=mitigation
        )
        zone = found.swing_bear if mirror else found.swing_bull
        other = found.swing_bull if mirror else found.swing_bear
        assert rows(other.broken) == rows(found.internal_bull.broken) == []
        assert not np.isnan(zone.top[6])
        return rows(zone.broken)

    assert dead("wick") == [7]
    assert dead("close") == [8]
    # On row 8 its candle, the fourth, is forgotten: it was there on row 7, and is not broken.
    assert dead("close", memory=4) == []


def test_a_block_of_unlimited_memory_lives_until_it_is_broken() -> None:
    candles = points(*PEAK, 13, *[12] * 600)
    assert np.isnan(blocks(candles).bull.top[504:]).all()
    for memory in (0, None):
        assert not np.isnan(blocks(candles, memory=memory).bull.top[6:]).any()


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
    return find_gaps(open_, high, low, close, body_length=4), (open_, high, low, close)


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
    found = find_gaps(24 - open_, 24 - low, 24 - high, 24 - close, body_length=4)
    assert rows(found.bear_event) == [4]
    assert [found.bear.top[4], found.bear.bottom[4]] == pytest.approx([13.9, 12.8])
    assert rows(found.bull_event) == []


def test_a_gap_lives_until_price_runs_through_it() -> None:
    _, (open_, high, low, close) = gap()
    low[5] = 10.1
    assert find_gaps(open_, high, low, close, 4).bull.bottom[6] == 10.1
    low[5] = 10.09
    found = find_gaps(open_, high, low, close, 4).bull
    assert np.isnan(found.bottom[5:]).all()
    assert found.ended.tolist() == [5]
    low[5] = 12
    assert np.isnan(find_gaps(open_, high, low, close, 4, memory=2).bull.bottom[6])


def test_no_gap_without_the_full_window_of_bodies_before() -> None:
    _, candles = gap()
    assert rows(find_gaps(*candles, body_length=5).bull_event) == []


def test_the_cumulative_threshold_is_the_mean_of_all_bodies_before() -> None:
    # Three bodies of 0.01 and the gap's own of 0.15 are 0.045 in the mean, and 0.15 is above twice
    # that. With one of 0.4 before them the mean is 0.116.
    _, (open_, high, low, close) = gap(bodies=0.01)
    for length in (0, None):
        assert rows(find_gaps(open_, high, low, close, length).bull_event) == [4]
    open_, high, low, close = (
        np.concatenate([[first], values])
        for first, values in zip((10, 14, 10, 14), (open_, high, low, close), strict=True)
    )
    assert rows(find_gaps(open_, high, low, close, 0).bull_event) == []
    assert rows(find_gaps(open_, high, low, close, 4).bull_event) == [5]
