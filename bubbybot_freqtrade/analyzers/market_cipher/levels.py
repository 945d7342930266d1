"""SR: support and resistance."""

from __future__ import annotations

from typing import NamedTuple

from bubbybot_freqtrade.analyzers import kernels
from bubbybot_freqtrade.analyzers.candles import (
    Floats,
    floats,
)


class Levels(NamedTuple):
    """Nearest levels (price) and how many pivots merged into them; NaN where there is none."""

    support: Floats
    resistance: Floats
    support_touches: Floats
    resistance_touches: Floats


def support_resistance(
    high: Floats,
    low: Floats,
    close: Floats,
    atr: Floats,
    side: int = 10,
    window: int = 500,
    merge_atr: float = 0.5,
) -> Levels:
    """
    The nearest level below and above close, from the pivots among the last `window` candles.

    Pivot highs and lows lie strictly beyond `side` candles either side and are known `side`
    candles later. In order of price, a pivot closer than merge_atr·ATR of this row to the level
    below it merges into that level, whose price is the mean of its pivots.
    """
    return Levels(
        *kernels.pivots.support_resistance(
            floats(high), floats(low), floats(close), floats(merge_atr * atr), side, window
        )
    )
