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


def higher_candles(
    candles: Candles, seconds: Integers, minutes: int | None = 60, times: int = 3
) -> HigherCandles:
    """
    Candles of `minutes`, or of `times` candles of the frame when minutes is None, aligned to 1970
    UTC. One is known on the row that closes with it: whose opening and length reach its end, the
    length being the smallest distance of two candles so far. Where its last candles are missing it
    is known on the next row. One that had begun before the first row is left out. A candle as long
    as the span, or longer, is its own higher candle.

    :param seconds: openings of the candles, since 1970 (`candles.epoch_seconds`)
    """
    span = 0 if minutes is None else minutes * 60
    known, *prices_and_volume = kernels.clock.higher_candles(seconds, *candles, span, times)
    return HigherCandles(known, Candles(*prices_and_volume))


def on_rows(known: Integers, values: Floats, count: int) -> Floats:
    """Counts of the higher candles on the rows that know them (the most where one knows two), 0
    elsewhere.
    """
    out = np.zeros(count)
    np.maximum.at(out, known, values)
    return out


def latest_on_rows(known: Integers, values: Floats, count: int) -> Floats:
    """What the latest higher candle that a row knows says, NaN where it knows none."""
    latest = np.cumsum(np.bincount(known, minlength=count)) - 1
    # One more, which the rows before the first higher candle read.
    return np.append(values, np.nan)[latest]
