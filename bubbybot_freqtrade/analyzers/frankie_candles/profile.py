"""Volume profiles: of the last candles, of the day and the session so far; naked POCs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bubbybot_freqtrade.analyzers import kernels
from bubbybot_freqtrade.analyzers.candles import (
    Flags,
    Floats,
    Integers,
    floats,
)

DAY = 86_400


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
    value_area_rows: int = 1,
) -> VolumeProfile:
    """
    Volume by price over the last `window` candles, this one included, for every row.

    `rows` equal rows from the window's lowest low to its highest high; a candle's volume spreads
    over the rows its range overlaps, in proportion to the overlap (all in one row when high = low;
    on an edge, the upper row). The point of control is the middle of the fullest row, the lowest
    such on a tie. The value area starts there and takes the fuller of its two neighbours (the
    upper on a tie, the other where one side is used up) until it holds `value_area` of the volume.
    With `value_area_rows` of 2, as in the Market Profile handbook, a neighbour is the next two rows
    of a side together, or the one that is left of it.

    Volumes that differ by less than 1e-12 of the window's are a tie: that is rounding.
    """
    return VolumeProfile(
        *kernels.profile.volume_profile(
            floats(high), floats(low), floats(volume), window, rows, value_area, value_area_rows
        )
    )


def period_begins(seconds: Integers, hours: tuple[int, ...] = (0,)) -> Flags:
    """
    Rows whose candle is the first of a period. Periods begin at these hours UTC of every day; a
    candle belongs to the one that its opening lies in. The first row begins one only if it opens
    with it: of a period that had begun before nobody knows the rest.

    :param seconds: openings of the candles, since 1970 (`candles.epoch_seconds`)
    """
    marks = np.array(sorted(hours), dtype=np.int64) * 3_600
    day, second = np.divmod(seconds, DAY)
    # Before the day's first mark runs the last period of the day before: index −1, a day less.
    index = np.searchsorted(marks, second, side="right") - 1
    opened = (day - (index < 0)) * DAY + marks[index]
    begins = np.ones(len(seconds), dtype=np.bool_)
    begins[1:] = opened[1:] != opened[:-1]
    begins[:1] = seconds[:1] == opened[:1]
    return begins


def period_profile(
    high: Floats,
    low: Floats,
    volume: Floats,
    begins: Flags,
    rows: int = 50,
    value_area: float = 0.7,
    value_area_rows: int = 1,
) -> VolumeProfile:
    """
    The profile (see `volume_profile`) of the candles since the period began, this one included; NaN
    before the first row that `begins` one, and while there is no range or no volume.
    """
    return VolumeProfile(
        *kernels.profile.period_profile(
            floats(high), floats(low), floats(volume), begins, rows, value_area, value_area_rows
        )
    )


def previous_profile(running: VolumeProfile, begins: Flags) -> VolumeProfile:
    """What the profile of the period before was when that ended; NaN before there is one."""
    rows = np.arange(len(begins))
    start = np.maximum.accumulate(np.where(begins, rows, 0))
    ended = np.maximum(start - 1, 0)
    return VolumeProfile(*(np.where(start > 0, level[ended], np.nan) for level in running))


class NakedLevels(NamedTuple):
    """Prices, NaN where there is none."""

    above: Floats
    below: Floats


def naked_levels(
    high: Floats, low: Floats, close: Floats, begins: Flags, poc: Floats, memory: int = 480
) -> NakedLevels:
    """
    The nearest POC of an ended period above and below close that no later candle has touched
    (low ≤ POC ≤ high); forgotten when the period's last candle is `memory` candles old.

    :param poc: of the period so far, by row (`period_profile`)
    """
    return NakedLevels(
        *kernels.profile.untouched(
            floats(high), floats(low), floats(close), begins, floats(poc), memory
        )
    )
