"""Divergences of three oscillators from the price."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import talib

from bubbybot_freqtrade.analyzers import kernels
from bubbybot_freqtrade.analyzers.candles import (
    Candles,
    Floats,
    floats,
    relative_strength,
)
from bubbybot_freqtrade.analyzers.frankie_candles.settings import DEFAULTS, Settings
from bubbybot_freqtrade.analyzers.market_cipher.momentum import wave_trend


class DivergenceCounts(NamedTuple):
    """How many oscillators diverge on the row where the later pivot is known, float64."""

    bull: Floats
    bear: Floats
    bull_hidden: Floats
    bear_hidden: Floats


def oscillators(candles: Candles, settings: Settings = DEFAULTS) -> tuple[Floats, Floats, Floats]:
    """
    RSI and MFI as TA-Lib has them, and Market Cipher's wt2.

    RSI and MFI are rounded to 1e-9: while the price stands still an RSI does so but for rounding,
    which would make pivots of values that are equal.
    """
    wave = wave_trend(
        candles.high,
        candles.low,
        candles.close,
        settings.wave_channel_length,
        settings.wave_average_length,
        settings.wave_signal_length,
        settings.wave_factor,
    )
    return (
        np.round(relative_strength(candles.close, settings.rsi_length), 9),
        money_flow_index(candles, settings.mfi_length),
        wave.wt2,
    )


def money_flow_index(candles: Candles, length: int = 14) -> Floats:
    """
    MFI as TA-Lib has it, 0–100; NaN on the first `length` rows. Rounded to 1e-9, because TA-Lib's
    running sums leave a rounding behind that would make pivots of values that are equal.
    """
    if len(candles.close) <= length:
        return np.full(len(candles.close), np.nan)
    index = talib.MFI(candles.high, candles.low, candles.close, candles.volume, length)
    return np.round(index, 9)


def divergences(
    oscillators: tuple[Floats, ...],
    high: Floats,
    low: Floats,
    side: int = 5,
    reach: int = 60,
) -> DivergenceCounts:
    """
    Count the oscillators whose newest pivot diverges from the one before it.

    A pivot is strictly beyond `side` candles on either side of the oscillator, known `side`
    candles later, and compared with the previous pivot of its kind when that lies no more than
    `reach` candles before. Bull: lower low in price, higher low in the oscillator; hidden: higher
    low in price, lower low in the oscillator. Bears mirror them.
    """
    totals = [np.zeros(len(high)) for _ in range(4)]
    for oscillator in oscillators:
        found = kernels.pivots.divergences(
            floats(oscillator), floats(high), floats(low), side, np.inf, -np.inf, reach
        )
        for total, events in zip(totals, found[:4], strict=True):
            total += events
    return DivergenceCounts(*totals)
