"""Candles of a longer timeframe, as they close inside shorter ones."""

from __future__ import annotations

import numpy as np

from bubbybot_freqtrade.analyzers.candles import Floats, Integers
from bubbybot_freqtrade.analyzers.kernels.compiling import kernel


@kernel
def higher_candles(
    seconds: Integers,
    open_: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    volume: Floats,
    span: int,
    times: int,
) -> tuple[Integers, Floats, Floats, Floats, Floats, Floats]:
    """
    Candles of `span` seconds, aligned to the epoch, from candles that open at `seconds`; a span of
    0 means `times` of the shorter candles.

    The shorter candles' length is the smallest distance of two of them so far. A longer candle has
    closed on the row that reaches its end, or on the first row of a later one where its last
    candles are missing; what comes of it after that is left out. One that the first row lies in the
    middle of is left out as a whole.

    Returns the row on which each is known (int64), and its open, high, low, close and volume.
    """
    count = seconds.size
    known = np.empty(count, np.int64)
    opens = np.empty(count)
    highs = np.empty(count)
    lows = np.empty(count)
    closes = np.empty(count)
    volumes = np.empty(count)
    size = 0
    begin = np.int64(-1)
    wide = np.int64(max(span, 1))
    step = seconds[1] - seconds[0] if count > 1 else np.int64(1)
    building = False
    for t in range(count):
        if t > 0:
            step = min(step, seconds[t] - seconds[t - 1])
        if span == 0:
            wide = times * step
        start = seconds[t] // wide * wide
        if t == 0 or start != begin:
            if building:
                known[size] = t
                size += 1
            begin = start
            building = t > 0 or seconds[t] == start
            opens[size] = open_[t]
            highs[size] = high[t]
            lows[size] = low[t]
            volumes[size] = 0.0
        if not building:
            continue
        highs[size] = max(highs[size], high[t])
        lows[size] = min(lows[size], low[t])
        closes[size] = close[t]
        volumes[size] += volume[t]
        # The first row cannot know how long its candle is.
        if t > 0 and seconds[t] + step >= begin + wide:
            known[size] = t
            size += 1
            building = False
    return (
        known[:size],
        opens[:size],
        highs[:size],
        lows[:size],
        closes[:size],
        volumes[:size],
    )


@kernel
def heikin_ashi(open_: Floats, high: Floats, low: Floats, close: Floats) -> tuple[Floats, Floats]:
    """
    Open and close of heikin-ashi candles: the close is the mean of the four prices, the open the
    middle of the body before, at first of the candle's own.
    """
    count = close.size
    opens = np.empty(count)
    closes = np.empty(count)
    for t in range(count):
        closes[t] = (open_[t] + high[t] + low[t] + close[t]) / 4.0
        opens[t] = (open_[t] + close[t]) / 2.0 if t == 0 else (opens[t - 1] + closes[t - 1]) / 2.0
    return opens, closes
