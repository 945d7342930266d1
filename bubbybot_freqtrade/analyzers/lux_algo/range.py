"""The running range: premium, discount and equilibrium."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bubbybot_freqtrade.analyzers import kernels
from bubbybot_freqtrade.analyzers.candles import (
    Floats,
    Integers,
    floats,
)


class RunningRange(NamedTuple):
    """Edges (price, NaN before the side's first swing turn) and the candles that made them."""

    high: Floats
    low: Floats
    high_candle: Integers
    low_candle: Integers


def running_range(high: Floats, low: Floats, turn: Integers, length: int = 50) -> RunningRange:
    """A swing turn (of `structure_walk`) sets its side to the pivot, every row extends both."""
    return RunningRange(*kernels.structure.running_range(floats(high), floats(low), turn, length))


def range_position(close: Floats, range_high: Floats, range_low: Floats) -> Floats:
    """(close − low)/(high − low), 0 to 1; NaN while a side is missing."""
    size = range_high - range_low
    return (close - range_low) / np.where(size > 0, size, np.nan)


def range_zone(
    position: Floats,
    premium: float = 0.95,
    discount: float = 0.05,
    equilibrium_low: float = 0.475,
    equilibrium_high: float = 0.525,
) -> Floats:
    """+1 premium, −1 discount, 0 equilibrium, ±0.5 between; NaN where position is."""
    return np.select(
        [
            np.isnan(position),
            position >= premium,
            position <= discount,
            position > equilibrium_high,
            position < equilibrium_low,
        ],
        [np.nan, 1.0, -1.0, 0.5, -0.5],
        default=0.0,
    )


class StrongLevels(NamedTuple):
    """The range's edges, each in one of its two columns and NaN in the other."""

    strong_high: Floats
    weak_high: Floats
    strong_low: Floats
    weak_low: Floats


def strong_levels(running: RunningRange, trend: Floats) -> StrongLevels:
    """
    In a falling swing trend the range's high is strong, else weak; in a rising one its low is
    strong, else weak.
    """
    falls, rises = trend < 0, trend > 0
    return StrongLevels(
        np.where(falls, running.high, np.nan),
        np.where(falls, np.nan, running.high),
        np.where(rises, running.low, np.nan),
        np.where(rises, np.nan, running.low),
    )
