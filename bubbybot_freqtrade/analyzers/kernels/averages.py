"""Moving averages whose every value depends on its own window only, or on the recursion alone."""

from __future__ import annotations

import numpy as np

from bubbybot_freqtrade.analyzers.candles import Floats
from bubbybot_freqtrade.analyzers.kernels.compiling import kernel


@kernel
def ema(values: Floats, length: int) -> Floats:
    """
    e[t] = e[t−1] + α·(x[t] − e[t−1]), α = 2/(length + 1), from the first value that is no NaN; NaN
    until `length` values went in. In this form a constant input stays exactly constant, so that
    averages of flat candles do not cross each other by rounding.
    """
    count = values.size
    out = np.full(count, np.nan)
    alpha = 2.0 / (length + 1)
    seen = 0
    average = 0.0
    for t in range(count):
        value = values[t]
        if np.isnan(value):
            continue
        average = value if seen == 0 else average + alpha * (value - average)
        seen += 1
        if seen >= length:
            out[t] = average
    return out


@kernel
def wilder(values: Floats, length: int) -> Floats:
    """
    Wilder's average: the mean of the first `length` values, on the last one's row, then
    w[t] = w[t−1] + (x[t] − w[t−1])/length; NaN before.
    """
    count = values.size
    out = np.full(count, np.nan)
    if count < length:
        return out
    total = 0.0
    for t in range(length):
        total += values[t]
    average = total / length
    out[length - 1] = average
    for t in range(length, count):
        average += (values[t] - average) / length
        out[t] = average
    return out


@kernel
def sma(values: Floats, length: int) -> Floats:
    """
    Mean of the last `length` values; NaN while one of them is missing. Each window is summed
    afresh: a running sum would carry rounding from candles that are long gone. Four partial sums
    keep the processor busy.
    """
    count = values.size
    out = np.full(count, np.nan)
    rest = length % 4
    for t in range(length - 1, count):
        start = t - length + 1
        head = 0.0
        for i in range(start, start + rest):
            head += values[i]
        a = 0.0
        b = 0.0
        c = 0.0
        d = 0.0
        for i in range(start + rest, t + 1, 4):
            a += values[i]
            b += values[i + 1]
            c += values[i + 2]
            d += values[i + 3]
        out[t] = (head + (a + b) + (c + d)) / length
    return out


@kernel
def long_sma(values: Floats, length: int) -> Floats:
    """
    As `sma`, in a time that does not grow with `length`: the values lie in blocks of `length`, and
    a window is the end of one block and the beginning of the next. Still no value from outside the
    window goes in; but the rounding depends on where blocks begin, so that a constant is not kept
    exactly.
    """
    count = values.size
    out = np.full(count, np.nan)
    ends = np.empty(length)
    for start in range(0, count - length + 1, length):
        total = 0.0
        for i in range(length - 1, -1, -1):
            total += values[start + i]
            ends[i] = total
        out[start + length - 1] = total / length
        total = 0.0
        for i in range(1, min(length, count - start - length + 1)):
            total += values[start + length - 1 + i]
            out[start + length - 1 + i] = (ends[i] + total) / length
    return out
