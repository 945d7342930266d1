"""The rolling volume profile: point of control and value area."""

from __future__ import annotations

from typing import NamedTuple

from bubbybot_freqtrade.analyzers import kernels
from bubbybot_freqtrade.analyzers.candles import (
    Floats,
    floats,
)


class VolumeProfile(NamedTuple):
    """Prices, NaN where the window is short, has no range or no volume."""

    poc: Floats
    value_high: Floats
    value_low: Floats


def volume_profile(
    high: Floats,
    low: Floats,
    volume: Floats,
    window: int = 480,
    rows: int = 100,
    value_area: float = 0.7,
) -> VolumeProfile:
    """
    Volume by price over the last `window` candles, this one included, for every row.

    `rows` equal rows from the window's lowest low to its highest high; a candle's volume spreads
    over the rows its range overlaps, in proportion to the overlap (all in one row when high = low;
    on an edge, the upper row). The point of control is the middle of the fullest row, the lowest
    such on a tie. The value area starts there and takes the fuller of its two neighbours (the
    upper on a tie, the other where one side is used up) until it holds `value_area` of the volume.

    Volumes that differ by less than 1e-12 of the window's are a tie: that is rounding.
    """
    return VolumeProfile(
        *kernels.profile.volume_profile(
            floats(high), floats(low), floats(volume), window, rows, value_area
        )
    )
