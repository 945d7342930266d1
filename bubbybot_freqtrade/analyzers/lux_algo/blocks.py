"""Order blocks: the candles that breaks of structure came from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bubbybot_freqtrade.analyzers import kernels
from bubbybot_freqtrade.analyzers.candles import (
    Flags,
    Floats,
    Integers,
    floats,
    true_range,
)
from bubbybot_freqtrade.analyzers.lux_algo.structure import Structure
from bubbybot_freqtrade.analyzers.lux_algo.zones import Zones, follow


def mean_true_range(high: Floats, low: Floats, close: Floats, length: int = 200) -> Floats:
    """Plain mean of the last `length` true ranges, in price; NaN on the first `length` rows."""
    return kernels.averages.sma(true_range(floats(high), floats(low), floats(close)), length)


class OrderBlocks(NamedTuple):
    """Blocks of both sides."""

    bull: Zones
    bear: Zones


def order_blocks(
    high: Floats,
    low: Floats,
    close: Floats,
    mean_range: Floats,
    swing: Structure,
    internal: Structure,
    wide_candle: float = 2.0,
    memory: int = 500,
) -> OrderBlocks:
    """
    The candles that breaks of structure came from.

    On a bullish break, swing or internal, the block is the earliest candle with the lowest low
    between the pivot's candle and the candle before the break; on a bearish one the earliest with
    the highest high. A candle whose range is ≥ wide_candle·`mean_range` of its row swaps high and
    low for this search. The zone is that candle's high and low; it dies when price runs through
    its far edge, the break's row included, and is forgotten when its candle is `memory` candles
    old.
    """
    high, low, close = floats(high), floats(low), floats(close)
    wide = high - low >= wide_candle * mean_range
    sort_low = np.where(wide, high, low)
    sort_high = np.where(wide, low, high)
    sides = []
    for side in (1, -1):
        # On one row the internal block is made first, so that the swing's is the latest.
        candles = np.column_stack(
            [
                kernels.zones.block_candles(sort_low, sort_high, side, *_side_breaks(walk, side))
                for walk in (internal, swing)
            ]
        )
        made, column = (np.ascontiguousarray(at) for at in np.nonzero(candles >= 0))
        candle = candles[made, column]
        edges = high[candle], low[candle]
        sides.append(follow((high, low, close), side, made, candle, *edges, memory))
    return OrderBlocks(*sides)


def _side_breaks(walk: Structure, side: int) -> tuple[Flags, Integers]:
    if side > 0:
        return walk.bos_bull | walk.choch_bull, walk.high_candle
    return walk.bos_bear | walk.choch_bear, walk.low_candle
