"""Walks over market structure: legs, breaks, equal levels, grabs and the running range."""

from __future__ import annotations

import numpy as np

from bubbybot_freqtrade.analyzers.candles import Flags, Floats, Integers
from bubbybot_freqtrade.analyzers.kernels.compiling import kernel


@kernel
def _high_leads(high: Floats, at: int, t: int) -> bool:
    for i in range(at + 1, t + 1):  # noqa: SIM110 (Numba compiles no generator)
        if not high[at] > high[i]:
            return False
    return True


@kernel
def _low_leads(low: Floats, at: int, t: int) -> bool:
    for i in range(at + 1, t + 1):  # noqa: SIM110 (Numba compiles no generator)
        if not low[at] < low[i]:
            return False
    return True


@kernel
def turns(high: Floats, low: Floats, length: int) -> Integers:
    """
    Leg turns: −1 on the row where the leg turns bearish (the pivot high is `length` candles back),
    +1 where it turns bullish (pivot low), 0 elsewhere. int64.
    """
    count = high.size
    out = np.zeros(count, np.int64)
    leg = 0
    for t in range(length, count):
        at = t - length
        if _high_leads(high, at, t):
            new = -1
        elif _low_leads(low, at, t):
            new = 1
        else:
            continue
        if new != leg:
            out[t] = new
            leg = new
    return out


@kernel
def breaks(
    high: Floats,
    low: Floats,
    close: Floats,
    turn: Integers,
    length: int,
    guard_high: Floats,
    guard_low: Floats,
) -> tuple[Floats, Floats, Integers, Integers, Floats, Flags, Flags, Flags, Flags]:
    """
    Breaks of the pivots that `turn` sets. A level equal to `guard_high`/`guard_low` of its row
    (NaN: no guard) is not broken.

    Returns high level, low level, their candles (int64, −1 while there is none), trend, and the
    events bos_bull, bos_bear, choch_bull, choch_bear.
    """
    count = close.size
    level_high = np.full(count, np.nan)
    level_low = np.full(count, np.nan)
    candle_high = np.full(count, -1, np.int64)
    candle_low = np.full(count, -1, np.int64)
    trends = np.zeros(count)
    bos_bull = np.zeros(count, np.bool_)
    bos_bear = np.zeros(count, np.bool_)
    choch_bull = np.zeros(count, np.bool_)
    choch_bear = np.zeros(count, np.bool_)
    top = np.nan
    bottom = np.nan
    top_at = -1
    bottom_at = -1
    top_crossed = False
    bottom_crossed = False
    trend = 0.0
    for t in range(count):
        before_top = top
        before_bottom = bottom
        if turn[t] < 0:
            top_at = t - length
            top = high[top_at]
            top_crossed = False
        elif turn[t] > 0:
            bottom_at = t - length
            bottom = low[bottom_at]
            bottom_crossed = False
        # Comparisons with NaN are false: no level yet, no cross.
        over = close[t] > top and close[t - 1] <= before_top and not top_crossed
        under = close[t] < bottom and close[t - 1] >= before_bottom and not bottom_crossed
        if over and top != guard_high[t]:
            choch_bull[t] = trend < 0
            bos_bull[t] = not choch_bull[t]
            top_crossed = True
            trend = 1.0
        elif under and bottom != guard_low[t]:
            choch_bear[t] = trend > 0
            bos_bear[t] = not choch_bear[t]
            bottom_crossed = True
            trend = -1.0
        level_high[t] = top
        level_low[t] = bottom
        candle_high[t] = top_at
        candle_low[t] = bottom_at
        trends[t] = trend
    return (
        level_high,
        level_low,
        candle_high,
        candle_low,
        trends,
        bos_bull,
        bos_bear,
        choch_bull,
        choch_bear,
    )


@kernel
def equal_levels(
    high: Floats, low: Floats, turn: Integers, length: int, reach: Floats
) -> tuple[Flags, Flags, Floats, Floats, Integers, Integers]:
    """
    Pivots within `reach[t]` (bound included) of the previous pivot of their kind.

    Returns the events eqh, eql, the latest equal-high and equal-low level (NaN while there is
    none) and the rows (int64, −1) on which those levels were made.
    """
    count = high.size
    eqh = np.zeros(count, np.bool_)
    eql = np.zeros(count, np.bool_)
    eqh_level = np.full(count, np.nan)
    eql_level = np.full(count, np.nan)
    eqh_row = np.full(count, -1, np.int64)
    eql_row = np.full(count, -1, np.int64)
    top = np.nan
    bottom = np.nan
    for t in range(count):
        if t > 0:
            eqh_level[t] = eqh_level[t - 1]
            eql_level[t] = eql_level[t - 1]
            eqh_row[t] = eqh_row[t - 1]
            eql_row[t] = eql_row[t - 1]
        if turn[t] < 0:
            new = high[t - length]
            if abs(new - top) <= reach[t]:
                eqh[t] = True
                eqh_level[t] = new
                eqh_row[t] = t
            top = new
        elif turn[t] > 0:
            new = low[t - length]
            if abs(new - bottom) <= reach[t]:
                eql[t] = True
                eql_level[t] = new
                eql_row[t] = t
            bottom = new
    return eqh, eql, eqh_level, eql_level, eqh_row, eql_row


@kernel
def grabs(
    wick: Floats,
    close: Floats,
    sign: float,
    level_a: Floats,
    made_a: Integers,
    level_b: Floats,
    made_b: Integers,
) -> Flags:
    """
    Rows whose wick goes through a level while this close and the one before stay on its near side.

    `sign` +1 reads lows under a level (bullish), −1 highs over a level (bearish). `made_a`,
    `made_b` (int64) tell one level from the next: each fires once.
    """
    count = close.size
    out = np.zeros(count, np.bool_)
    fired_a = -1
    fired_b = -1
    for t in range(1, count):
        if made_a[t] >= 0 and made_a[t] != fired_a:
            level = sign * level_a[t]
            if sign * wick[t] < level and sign * close[t - 1] > level and sign * close[t] > level:
                out[t] = True
                fired_a = made_a[t]
        if made_b[t] >= 0 and made_b[t] != fired_b:
            level = sign * level_b[t]
            if sign * wick[t] < level and sign * close[t - 1] > level and sign * close[t] > level:
                out[t] = True
                fired_b = made_b[t]
    return out


@kernel
def running_range(
    high: Floats, low: Floats, turn: Integers, length: int
) -> tuple[Floats, Floats, Integers, Integers]:
    """
    The range that a turn resets on its side and every candle extends.

    Returns high, low (NaN before the side's first turn) and the candles (int64, −1) that made them.
    """
    count = high.size
    range_high = np.full(count, np.nan)
    range_low = np.full(count, np.nan)
    high_at = np.full(count, -1, np.int64)
    low_at = np.full(count, -1, np.int64)
    top = np.nan
    bottom = np.nan
    top_at = -1
    bottom_at = -1
    for t in range(count):
        if turn[t] < 0:
            top_at = t - length
            top = high[top_at]
        elif turn[t] > 0:
            bottom_at = t - length
            bottom = low[bottom_at]
        if high[t] > top:
            top = high[t]
            top_at = t
        if low[t] < bottom:
            bottom = low[t]
            bottom_at = t
        range_high[t] = top
        range_low[t] = bottom
        high_at[t] = top_at
        low_at[t] = bottom_at
    return range_high, range_low, high_at, low_at
