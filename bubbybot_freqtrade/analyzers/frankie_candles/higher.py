"""Candles of a higher timeframe, made of the frame's own as these close."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bubbybot_freqtrade.analyzers import kernels
from bubbybot_freqtrade.analyzers.candles import Candles, Floats, Integers


class HigherCandles(NamedTuple):
    """The row (int64) on which each candle is known, and the candles."""

    known: Integers
    candles: Candles


def higher_candles(candles: Candles, seconds: Integers, minutes: int = 60) -> HigherCandles:
    """
    Candles of `minutes`, aligned to 1970 UTC. One is known on the row that closes with it: whose
    opening and length reach its end, the length being the smallest distance of two candles so far.
    Where its last candles are missing it is known on the next row. One that had begun before the
    first row is left out. Its open is not needed here and stands as NaN.

    :param seconds: openings of the candles, since 1970 (`candles.epoch_seconds`)
    """
    known, high, low, close, volume = kernels.clock.higher_candles(
        seconds, candles.high, candles.low, candles.close, candles.volume, minutes * 60
    )
    opened = np.full(len(known), np.nan)
    return HigherCandles(known, Candles(opened, high, low, close, volume))


def on_rows(known: Integers, values: Floats, count: int) -> Floats:
    """Counts of the higher candles on the rows that know them (the most where one knows two), 0
    elsewhere.
    """
    out = np.zeros(count)
    np.maximum.at(out, known, values)
    return out
