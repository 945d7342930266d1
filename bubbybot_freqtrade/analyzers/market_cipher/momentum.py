"""B: wave trend, money flow, stochastic RSI, Schaff trend cycle, divergences and gold dots."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import talib

from bubbybot_freqtrade.analyzers import kernels
from bubbybot_freqtrade.analyzers.candles import (
    Flags,
    Floats,
    Integers,
    floats,
)


class WaveTrend(NamedTuple):
    """Two lines, float64, NaN before warm-up."""

    wt1: Floats
    wt2: Floats


def wave_trend(
    high: Floats,
    low: Floats,
    close: Floats,
    channel_length: int = 9,
    average_length: int = 12,
    signal_length: int = 3,
    factor: float = 0.015,
) -> WaveTrend:
    """
    esa = EMA(hlc3, channel); d = EMA(|hlc3 − esa|, channel); ci = (hlc3 − esa)/(factor·d), 0 where
    d = 0; wt1 = EMA(ci, average); wt2 = SMA(wt1, signal).

    d counts as 0 below 1e-10 of the price, where it is some 70 candles after a market stopped
    moving: what is left is the rounding of its last price, and dividing by it makes an oscillator
    of noise.
    """
    index = _channel_index(high, low, close, channel_length, factor)
    wt1 = kernels.averages.ema(index, average_length)
    return WaveTrend(wt1, kernels.averages.sma(wt1, signal_length))


def _channel_index(
    high: Floats, low: Floats, close: Floats, channel_length: int, factor: float
) -> Floats:
    typical = (floats(high) + floats(low) + floats(close)) / 3.0
    average = kernels.averages.ema(typical, channel_length)
    distance = kernels.averages.ema(np.abs(typical - average), channel_length)
    still = distance <= 1e-10 * typical
    index = (typical - average) / np.where(still, 1.0, factor * distance)
    index[still] = 0.0
    return index


def money_flow(
    open_: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    length: int = 60,
    multiplier: float = 150.0,
    offset: float = 2.5,
) -> Floats:
    """
    Mean of multiplier·(close − open)/(high − low) over the last `length` candles with high > low,
    − offset; NaN before there are so many. On a candle without range it stays what it was.
    """
    size = floats(high) - floats(low)
    ranging = size > 0
    body = multiplier * (floats(close) - floats(open_))[ranging] / size[ranging]
    means = kernels.averages.sma(floats(body), length)
    # One more, which the rows before the first candle with a range read.
    return np.append(means, np.nan)[np.cumsum(ranging) - 1] - offset


class Stochastic(NamedTuple):
    """Both lines, 0–100, NaN before warm-up."""

    k: Floats
    d: Floats


def stochastic_rsi(
    rsi: Floats, length: int = 14, k_length: int = 3, d_length: int = 3
) -> Stochastic:
    """
    k = SMA(raw, k_length), d = SMA(k, d_length); raw is the place of the RSI between the lowest
    and the highest of its last `length` values, 0–100, 0 when they are equal.

    :param rsi: Cipher B's is that of the logarithm: `relative_strength(np.log(close), 14)`. Values
        within 1e-9 are equal: while the price stands still, the RSI does so but for rounding.
    """
    lowest = _extreme(rsi, length, talib.MIN)
    size = _extreme(rsi, length, talib.MAX) - lowest
    equal = size <= 1e-9
    # The quotient first: the highest value is at 100 and not beside it.
    raw = 100.0 * ((rsi - lowest) / np.where(equal, 1.0, size))
    raw[equal] = 0.0
    k = kernels.averages.sma(raw, k_length)
    return Stochastic(k, kernels.averages.sma(k, d_length))


def _extreme(values: Floats, length: int, extreme: Any) -> Floats:
    """TA-Lib's MIN and MAX, which refuse empty input and a length of one."""
    if length == 1 or len(values) == 0 or np.isnan(values).all():
        return values.copy()
    return extreme(values, length)


def schaff_trend_cycle(
    close: Floats, length: int = 10, fast: int = 23, slow: int = 50, factor: float = 0.5
) -> Floats:
    """
    Schaff trend cycle, 0–100: the place of EMA(close, fast) − EMA(close, slow) in its last `length`
    values, smoothed, and the place of that in its last `length` values, smoothed again. Smoothed
    means s[t] = s[t−1] + factor·(x[t] − s[t−1]), with 0 before the first.

    Where the last `length` values are equal (within 1e-10 of the price, or 1e-9 of a place), the
    place is the one before, 0 if there was none. NaN before both windows are full, which is on the
    first `slow` − 1 + 2·(`length` − 1) rows.
    """
    close = floats(close)
    line = kernels.averages.ema(close, fast) - kernels.averages.ema(close, slow)
    first = kernels.cycles.held_place(line, 1e-10 * close, length)
    smooth = kernels.cycles.followed(first, factor)
    second = kernels.cycles.held_place(smooth, np.full(len(close), 1e-9), length)
    return kernels.cycles.followed(second, factor)


class Divergences(NamedTuple):
    """
    Events (bool) on the rows where the later fractal is known; `previous_bottom` (int64) is the
    candle of the counting bottom before it on rows where a bottom is known, −1 elsewhere.
    """

    bull: Flags
    bear: Flags
    bull_hidden: Flags
    bear_hidden: Flags
    previous_bottom: Integers


def fractal_divergences(
    oscillator: Floats,
    high: Floats,
    low: Floats,
    bottom: float = np.inf,
    top: float = -np.inf,
    side: int = 2,
) -> Divergences:
    """
    Compare each counting fractal of an oscillator with the previous counting one of its kind.

    A bottom fractal is strictly below the `side` values on either side and known `side` candles
    later; it counts at or below `bottom`, a top at or above `top`. Oscillator and price (low of a
    bottom's candle, high of a top's) are read at the fractal candles. Bull: lower low in price,
    higher low in the oscillator. Bull hidden: higher low in price, lower low in the oscillator.
    Bears mirror them.
    """
    return Divergences(
        *kernels.pivots.divergences(
            floats(oscillator),
            floats(high),
            floats(low),
            side,
            float(bottom),
            float(top),
            np.iinfo(np.int64).max,
        )
    )


def gold_dots(
    divergences: Divergences,
    wt2: Floats,
    rsi: Floats,
    wave_level: float = -75.0,
    wave_rise: float = 5.0,
    rsi_level: float = 30.0,
) -> Flags:
    """
    Bullish divergence on this row, the previous counting bottom's wt2 ≤ wave_level, wt2 of this
    row above it and at least `wave_rise` above that bottom's, RSI at that bottom's candle <
    rsi_level.
    """
    rows = np.flatnonzero(divergences.bull)
    previous = divergences.previous_bottom[rows]
    out = np.zeros(len(wt2), dtype=np.bool_)
    out[rows] = (
        (wt2[previous] <= wave_level)
        & (wt2[rows] > wave_level)
        & (wt2[previous] - wt2[rows] <= -wave_rise)
        & (rsi[previous] < rsi_level)
    )
    return out
