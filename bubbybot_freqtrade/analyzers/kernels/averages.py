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
