"""Highs and lows of the day, week and month before."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from bubbybot_freqtrade.analyzers.candles import Floats, Integers

Period = Literal["day", "week", "month"]
PERIODS: tuple[Period, ...] = ("day", "week", "month")

MONDAY = 3
"""Days to add to the epoch's, a Thursday, for weeks to begin on Mondays."""


class PeriodLevels(NamedTuple):
    """Prices per row, NaN where the period before is not wholly in the frame."""

    high: Floats
    low: Floats


def opening_times(dates: pd.Series) -> npt.NDArray[np.datetime64]:
    """When each candle opens, in UTC."""
    return dates.to_numpy(dtype="datetime64[ns]").astype("datetime64[s]")


def previous_levels(
    opened: npt.NDArray[np.datetime64], high: Floats, low: Floats, period: Period
) -> PeriodLevels:
    """
    Highest high and lowest low of the latest earlier period (UTC; weeks begin on Monday) that has
    candles. A candle belongs to the period in which it opens. The frame's first period counts only
    if the frame begins with its first moment.
    """
    if not len(high):
        return PeriodLevels(high.copy(), low.copy())
    number = _number(opened, period)
    starts = np.flatnonzero(np.diff(number, prepend=number[0] - 1))
    place = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(number))) - 1
    first_known = 0 if _begins(opened[0], period) else 1
    known = place >= first_known
    return PeriodLevels(
        np.where(known, np.maximum.reduceat(high, starts)[place], np.nan),
        np.where(known, np.minimum.reduceat(low, starts)[place], np.nan),
    )


def _number(opened: npt.NDArray[np.datetime64], period: Period) -> Integers:
    """Periods since the epoch."""
    if period == "month":
        return opened.astype("datetime64[M]").astype(np.int64)
    days = opened.astype("datetime64[D]").astype(np.int64)
    return days if period == "day" else (days + MONDAY) // 7


def _begins(moment: np.datetime64, period: Period) -> bool:
    """Whether a period begins at this moment."""
    before = np.array([moment - np.timedelta64(1, "s"), moment])
    return bool(np.diff(_number(before, period))[0])
