"""How long an event counts."""

from __future__ import annotations

import numpy as np

from bubbybot_freqtrade.analyzers.candles import Floats
from bubbybot_freqtrade.analyzers.kernels.compiling import kernel


@kernel
def fade(strength: Floats, length: int) -> Floats:
    """
    The strongest of the last `length` strengths, each reduced linearly with its age: on its own
    row it counts in full, `length` candles later not at all. NaN and values ≤ 0 are no event.
    """
    count = strength.size
    out = np.zeros(count)
    for t in range(count):
        value = strength[t]
        if value > 0.0:
            for age in range(min(length, count - t)):
                faded = value * (1.0 - age / length)
                if faded > out[t + age]:
                    out[t + age] = faded
    return out
