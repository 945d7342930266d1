"""The two steps of Schaff's cycle, each of which remembers."""

from __future__ import annotations

import numpy as np

from bubbybot_freqtrade.analyzers.candles import Floats
from bubbybot_freqtrade.analyzers.kernels.compiling import kernel


@kernel
def held_place(values: Floats, equal: Floats, length: int) -> Floats:
    """
    Where a value lies between the lowest and the highest of the last `length`, 0–100; NaN while one
    of them is missing. Where they are within `equal[t]` of each other the place is the one before,
    0 if there was none.
    """
    count = values.size
    out = np.full(count, np.nan)
    place = 0.0
    for t in range(length - 1, count):
        low = values[t]
        high = values[t]
        known = True
        for i in range(t - length + 1, t + 1):
            if np.isnan(values[i]):
                known = False
                break
            low = min(low, values[i])
            high = max(high, values[i])
        if not known:
            continue
        if high - low > equal[t]:
            # The quotient first: the highest value is at 100 and not beside it.
            place = 100.0 * ((values[t] - low) / (high - low))
        out[t] = place
    return out


@kernel
def followed(values: Floats, factor: float) -> Floats:
    """f[t] = f[t−1] + factor·(x[t] − f[t−1]), 0 before the first value that is no NaN."""
    count = values.size
    out = np.full(count, np.nan)
    last = 0.0
    for t in range(count):
        if np.isnan(values[t]):
            continue
        last += factor * (values[t] - last)
        out[t] = last
    return out
