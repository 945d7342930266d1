"""Pivots of oscillators and prices, and what two of them say about each other."""

from __future__ import annotations

import numpy as np

from bubbybot_freqtrade.analyzers.candles import Flags, Floats, Integers
from bubbybot_freqtrade.analyzers.kernels.compiling import kernel


@kernel
def _is_bottom(values: Floats, at: int, side: int) -> bool:
    here = values[at]
    for k in range(1, side + 1):  # noqa: SIM110 (Numba compiles no generator)
        if not (here < values[at - k] and here < values[at + k]):
            return False
    return True


@kernel
def _is_top(values: Floats, at: int, side: int) -> bool:
    here = values[at]
    for k in range(1, side + 1):  # noqa: SIM110 (Numba compiles no generator)
        if not (here > values[at - k] and here > values[at + k]):
            return False
    return True


@kernel
def divergences(
    oscillator: Floats,
    high: Floats,
    low: Floats,
    side: int,
    bottom_limit: float,
    top_limit: float,
    reach: int,
) -> tuple[Flags, Flags, Flags, Flags, Integers]:
    """
    Compare each pivot of the oscillator with the one before it.

    A pivot is strictly beyond `side` candles on either side and known `side` candles later;
    bottoms above `bottom_limit` and tops below `top_limit` do not count. A previous pivot more
    than `reach` candles before is too far away to be compared with.

    Returns four bool arrays that stand on the row where the pivot is known (bullish, bearish,
    hidden bullish, hidden bearish) and the candle (int64) of the previous counting bottom on rows
    where a bottom is known, −1 elsewhere.
    """
    count = oscillator.size
    bull = np.zeros(count, np.bool_)
    bear = np.zeros(count, np.bool_)
    bull_hidden = np.zeros(count, np.bool_)
    bear_hidden = np.zeros(count, np.bool_)
    previous_bottom = np.full(count, -1, np.int64)
    bottom = -1
    top = -1
    for t in range(2 * side, count):
        at = t - side
        value = oscillator[at]
        if value <= bottom_limit and _is_bottom(oscillator, at, side):
            previous_bottom[t] = bottom
            if bottom >= 0 and at - bottom <= reach:
                bull[t] = low[at] < low[bottom] and value > oscillator[bottom]
                bull_hidden[t] = low[at] > low[bottom] and value < oscillator[bottom]
            bottom = at
        if value >= top_limit and _is_top(oscillator, at, side):
            if top >= 0 and at - top <= reach:
                bear[t] = high[at] > high[top] and value < oscillator[top]
                bear_hidden[t] = high[at] < high[top] and value > oscillator[top]
            top = at
    return bull, bear, bull_hidden, bear_hidden, previous_bottom


@kernel
def _insert(prices: Floats, candles: Integers, size: int, price: float, candle: int) -> int:
    at = size
    while at > 0 and prices[at - 1] > price:
        prices[at] = prices[at - 1]
        candles[at] = candles[at - 1]
        at -= 1
    prices[at] = price
    candles[at] = candle
    return size + 1


@kernel
def _drop_up_to(prices: Floats, candles: Integers, size: int, last_gone: int) -> int:
    kept = 0
    for i in range(size):
        if candles[i] > last_gone:
            prices[kept] = prices[i]
            candles[kept] = candles[i]
            kept += 1
    return kept


@kernel
def support_resistance(
    high: Floats, low: Floats, close: Floats, reach: Floats, side: int, window: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """
    The nearest merged pivot level on either side of close.

    Pivot highs and lows (strictly beyond `side` candles either side) of the last `window` candles
    are taken in order of price; one closer than `reach[t]` to the mean of the level below it joins
    that level. So no two levels of a row are closer than `reach[t]`, and a row depends on its own
    window only.

    Returns support, resistance (prices, NaN where there is none) and their touches (NaN likewise).
    """
    count = close.size
    support = np.full(count, np.nan)
    resistance = np.full(count, np.nan)
    support_touches = np.full(count, np.nan)
    resistance_touches = np.full(count, np.nan)
    prices = np.empty(2 * window + 2)
    candles = np.empty(2 * window + 2, np.int64)
    size = 0
    for t in range(2 * side, count):
        at = t - side
        if _is_top(high, at, side):
            size = _insert(prices, candles, size, high[at], at)
        if _is_bottom(low, at, side):
            size = _insert(prices, candles, size, low[at], at)
        size = _drop_up_to(prices, candles, size, t - window)
        if np.isnan(reach[t]):
            continue
        i = 0
        while i < size:
            total = prices[i]
            touches = 1
            while i + touches < size and prices[i + touches] - total / touches < reach[t]:
                total += prices[i + touches]
                touches += 1
            level = total / touches
            if level < close[t]:
                support[t] = level
                support_touches[t] = touches
            elif level > close[t]:
                resistance[t] = level
                resistance_touches[t] = touches
                break
            i += touches
    return support, resistance, support_touches, resistance_touches
