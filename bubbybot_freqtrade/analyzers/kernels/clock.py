"""Candles of a longer timeframe, as they close inside shorter ones."""

from __future__ import annotations

import numpy as np

from bubbybot_freqtrade.analyzers.candles import Floats, Integers
from bubbybot_freqtrade.analyzers.kernels.compiling import kernel


@kernel
def higher_candles(
    seconds: Integers, high: Floats, low: Floats, close: Floats, volume: Floats, span: int
) -> tuple[Integers, Floats, Floats, Floats, Floats]:
    """
    Candles of `span` seconds, aligned to the epoch, from candles that open at `seconds`.

    The shorter candles' length is the smallest distance of two of them so far. A longer candle has
    closed on the row that reaches its end, or on the first row of a later one where its last
    candles are missing; what comes of it after that is left out. One that the first row lies in the
    middle of is left out as a whole.

    Returns the row on which each is known (int64), and its high, low, close and volume.
    """
    count = seconds.size
    known = np.empty(count, np.int64)
    highs = np.empty(count)
    lows = np.empty(count)
    closes = np.empty(count)
    volumes = np.empty(count)
    size = 0
    current = np.int64(-1)
    step = np.int64(0)
    building = False
    for t in range(count):
        group = seconds[t] // span
        if t > 0:
            distance = seconds[t] - seconds[t - 1]
            step = distance if t == 1 else min(step, distance)
        if group != current:
            if building:
                known[size] = t
                size += 1
            current = group
            building = t > 0 or seconds[t] % span == 0
            highs[size] = high[t]
            lows[size] = low[t]
            volumes[size] = 0.0
        if not building:
            continue
        highs[size] = max(highs[size], high[t])
        lows[size] = min(lows[size], low[t])
        closes[size] = close[t]
        volumes[size] += volume[t]
        if t > 0 and seconds[t] + step >= (group + 1) * span:
            known[size] = t
            size += 1
            building = False
    return known[:size], highs[:size], lows[:size], closes[:size], volumes[:size]
