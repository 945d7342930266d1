"""Order blocks: the candles that breaks of structure came from."""

from __future__ import annotations

from typing import Literal, NamedTuple

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
from bubbybot_freqtrade.analyzers.lux_algo.zones import Nearest, Zones, follow, nearer

MeanRange = Literal["wilder", "simple"]
Mitigation = Literal["wick", "close"]


def mean_true_range(
    high: Floats, low: Floats, close: Floats, length: int = 200, kind: MeanRange = "wilder"
) -> Floats:
    """
    Wilder's average of the true range, or the plain mean of the last `length`, in price; NaN on the
    first `length` − 1 rows.
    """
    ranges = true_range(floats(high), floats(low), floats(close))
    average = kernels.averages.wilder if kind == "wilder" else kernels.averages.long_sma
    return average(ranges, length)


def wide_candles(high: Floats, low: Floats, mean_range: Floats, factor: float = 2.0) -> Flags:
    """Candles with a range, and one of at least `factor` times the mean true range of their row."""
    return (high - low >= factor * mean_range) & (high > low)


class OrderBlocks(NamedTuple):
    """Blocks of each walk and side, and per side the nearest of both walks."""

    swing_bull: Zones
    swing_bear: Zones
    internal_bull: Zones
    internal_bear: Zones
    bull: Nearest
    bear: Nearest


def find_blocks(
    high: Floats,
    low: Floats,
    close: Floats,
    wide: Flags,
    swing: Structure,
    internal: Structure,
    memory: int | None = 500,
    mitigation: Mitigation = "wick",
) -> OrderBlocks:
    """
    The candles that breaks of structure came from.

    On a bullish break the block is the earliest candle with the lowest low between the pivot's
    candle and the candle before the break; on a bearish one the earliest with the highest high. A
    candle that is `wide` swaps high and low for this search. The zone is that candle's high and
    low; it dies when price (its wick, or its close) runs through the far edge, the break's row
    included, and is forgotten when its candle is `memory` candles old (0 or None: never).
    """
    high, low, close = floats(high), floats(low), floats(close)
    sort_low = np.where(wide, high, low)
    sort_high = np.where(wide, low, high)

    def made(walk: Structure, side: int, wick: Floats) -> Zones:
        breaks = _side_breaks(walk, side)
        candles = kernels.zones.block_candles(sort_low, sort_high, side, *breaks)
        rows = np.flatnonzero(candles >= 0)
        candle = candles[rows]
        through = wick if mitigation == "wick" else close
        return follow(through, close, side, rows, candle, high[candle], low[candle], memory)

    swing_bull, swing_bear = made(swing, 1, low), made(swing, -1, high)
    internal_bull, internal_bear = made(internal, 1, low), made(internal, -1, high)
    return OrderBlocks(
        swing_bull,
        swing_bear,
        internal_bull,
        internal_bear,
        nearer(close, swing_bull, internal_bull),
        nearer(close, swing_bear, internal_bear),
    )


def _side_breaks(walk: Structure, side: int) -> tuple[Flags, Integers]:
    if side > 0:
        return walk.bos_bull | walk.choch_bull, walk.high_candle
    return walk.bos_bear | walk.choch_bear, walk.low_candle
