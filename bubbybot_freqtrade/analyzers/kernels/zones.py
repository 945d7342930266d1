"""Zones born on an event, living until price runs through them, and the nearest living one."""

from __future__ import annotations

import numpy as np

from bubbybot_freqtrade.analyzers.candles import Flags, Floats, Integers
from bubbybot_freqtrade.analyzers.kernels.compiling import kernel


@kernel
def _block_candle(sort_low: Floats, sort_high: Floats, side: int, start: int, stop: int) -> int:
    """The earliest candle of [start, stop) with the lowest low (side +1) or highest high (−1)."""
    best = start
    for i in range(start + 1, stop):
        if side > 0:
            if sort_low[i] < sort_low[best]:
                best = i
        elif sort_high[i] > sort_high[best]:
            best = i
    return best


@kernel
def block_candles(
    sort_low: Floats, sort_high: Floats, side: int, broken: Flags, pivot: Integers
) -> Integers:
    """The block's candle (int64) on every row where `broken` is set, −1 elsewhere."""
    count = broken.size
    out = np.full(count, -1, np.int64)
    for t in range(count):
        if broken[t]:
            out[t] = _block_candle(sort_low, sort_high, side, pivot[t], t)
    return out


@kernel
def nearest_zones(
    through: Floats,
    close: Floats,
    side: int,
    made: Integers,
    candle: Integers,
    top: Floats,
    bottom: Floats,
    memory: int,
) -> tuple[Integers, Integers, Flags]:
    """
    Follow zones of one side (+1 dies when `through` < its bottom, −1 when `through` > its top).

    `made`, `candle`, `top`, `bottom` describe the zones in the order of their making: the row on
    which each appears, the candle whose age counts (forgotten from row candle + memory on) and its
    edges. A zone is tested from the row it is made on; a gap cannot die on that row, because its
    third candle stayed beyond it. Among zones equally near to close the latest in that order wins.

    Returns the nearest living zone per row (int64, −1: none), the row on which each zone ended
    (int64, −1 while it lives), and whether price ended it there (bool; else it was forgotten).
    """
    count = close.size
    zones = made.size
    nearest = np.full(count, -1, np.int64)
    ended = np.full(zones, -1, np.int64)
    broken = np.zeros(zones, np.bool_)
    living = np.empty(zones, np.int64)
    size = 0
    following = 0
    for t in range(count):
        while following < zones and made[following] == t:
            living[size] = following
            size += 1
            following += 1
        kept = 0
        best_distance = np.inf
        for i in range(size):
            zone = living[i]
            if candle[zone] <= t - memory:
                ended[zone] = t
                continue
            if through[t] < bottom[zone] if side > 0 else through[t] > top[zone]:
                ended[zone] = t
                broken[zone] = True
                continue
            living[kept] = zone
            kept += 1
            distance = max(close[t] - top[zone], bottom[zone] - close[t], 0.0)
            if distance <= best_distance:
                best_distance = distance
                nearest[t] = zone
        size = kept
    return nearest, ended, broken
