"""Fair value gaps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bubbybot_freqtrade.analyzers import kernels
from bubbybot_freqtrade.analyzers.candles import (
    Flags,
    Floats,
    earlier,
    floats,
)
from bubbybot_freqtrade.analyzers.lux_algo.zones import Zones, follow


class FairValueGaps(NamedTuple):
    """Events (bool) and the zones of both sides; a zone's `candle` is its event's row."""

    bull_event: Flags
    bear_event: Flags
    bull: Zones
    bear: Zones


def find_gaps(
    open_: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    body_length: int | None = 500,
    body_factor: float = 2.0,
    memory: int | None = 500,
) -> FairValueGaps:
    """
    Three candles whose first and third leave a gap behind a candle with an unusual body.

    body = (close − open)/open. Bullish at t: low[t] > high[t−2], close[t−1] > high[t−2] and
    body[t−1] > body_factor times the mean |body| of the candles t−body_length … t−1, or of all
    candles before t when body_length is 0 or None; the zone is low[t] over high[t−2]. Bearish
    mirrors it, over low[t−2] and high[t]. From the next row on a gap is gone when price runs
    through its far edge; it is forgotten `memory` candles after its event (0 or None: never).
    """
    open_, high, low, close = floats(open_), floats(high), floats(low), floats(close)
    body = (close - open_) / open_
    usual = earlier(_mean(np.abs(body), body_length), 1)
    before, close_before = earlier(body, 1), earlier(close, 1)
    high_2, low_2 = earlier(high, 2), earlier(low, 2)
    bull_event = (low > high_2) & (close_before > high_2) & (before > body_factor * usual)
    bear_event = (high < low_2) & (close_before < low_2) & (-before > body_factor * usual)
    zones = []
    for side, through, event, top, bottom in (
        (1, low, bull_event, low, high_2),
        (-1, high, bear_event, low_2, high),
    ):
        made = np.flatnonzero(event)
        zones.append(follow(through, close, side, made, made, top[made], bottom[made], memory))
    return FairValueGaps(bull_event, bear_event, *zones)


def _mean(sizes: Floats, length: int | None) -> Floats:
    if length:
        return kernels.averages.long_sma(sizes, length)
    return np.cumsum(sizes) / np.arange(1, len(sizes) + 1)
