"""Oscillators, and their divergences from the price."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import talib

from bubbybot_freqtrade.analyzers import kernels
from bubbybot_freqtrade.analyzers.candles import (
    Candles,
    Flags,
    Floats,
    floats,
    relative_strength,
)
from bubbybot_freqtrade.analyzers.frankie_candles.flow import (
    balance_volume,
    cumulated,
    volume_delta,
)
from bubbybot_freqtrade.analyzers.frankie_candles.settings import DEFAULTS, Settings
from bubbybot_freqtrade.analyzers.market_cipher.momentum import wave_trend


class DivergenceCounts(NamedTuple):
    """How many oscillators diverge on the row where the later pivot is known, float64."""

    bull: Floats
    bear: Floats
    bull_hidden: Floats
    bear_hidden: Floats


def oscillators(candles: Candles, settings: Settings = DEFAULTS) -> tuple[Floats, ...]:
    """The three that `fc_bull_div` and its like count: RSI, MFI and Market Cipher's wt2."""
    return tuple(OSCILLATORS[name](candles, settings) for name in COUNTED)


def rsi(candles: Candles, length: int = 14) -> Floats:
    """
    RSI as TA-Lib has it, rounded to 1e-9: while the price stands still it does so but for rounding,
    which would make pivots of values that are equal.
    """
    return np.round(relative_strength(candles.close, length), 9)


def wave(candles: Candles, settings: Settings = DEFAULTS) -> Floats:
    """Market Cipher's wt2."""
    return wave_trend(
        candles.high,
        candles.low,
        candles.close,
        settings.wave_channel_length,
        settings.wave_average_length,
        settings.wave_signal_length,
        settings.wave_factor,
    ).wt2


def money_flow_index(candles: Candles, length: int = 14) -> Floats:
    """
    MFI as TA-Lib has it, 0–100; NaN on the first `length` rows. Rounded to 1e-9, because TA-Lib's
    running sums leave a rounding behind that would make pivots of values that are equal.
    """
    if len(candles.close) <= length:
        return np.full(len(candles.close), np.nan)
    index = talib.MFI(candles.high, candles.low, candles.close, candles.volume, length)
    return np.round(index, 9)


def macd_line(close: Floats, fast: int = 12, slow: int = 26) -> Floats:
    """
    EMA(close, fast) − EMA(close, slow), in price, NaN before the slow one is known; rounded to a
    power of two of about 1e-12 of the price: while that stands still both averages settle there but
    for rounding.
    """
    close = floats(close)
    line = kernels.averages.ema(close, fast) - kernels.averages.ema(close, slow)
    grid = 2.0 ** (np.floor(np.log2(close)) - 40)
    return np.round(line / grid) * grid


def commodity_channel(candles: Candles, length: int = 20) -> Floats:
    """CCI as TA-Lib has it, rounded to 1e-9; NaN on the first `length` − 1 rows."""
    if len(candles.close) < length:
        return np.full(len(candles.close), np.nan)
    return np.round(talib.CCI(candles.high, candles.low, candles.close, length), 9)


def stochastic(candles: Candles, length: int = 14, smooth: int = 3) -> Floats:
    """
    SMA of the place of close between the lowest low and the highest high of `length` candles, 0–100
    (0 where they are equal), rounded to 1e-9.
    """
    if len(candles.close) < length:
        return np.full(len(candles.close), np.nan)
    lowest = talib.MIN(candles.low, length)
    size = talib.MAX(candles.high, length) - lowest
    raw = 100.0 * (candles.close - lowest) / np.where(size > 0, size, 1.0)
    return np.round(kernels.averages.sma(floats(raw), smooth), 9)


def balance(candles: Candles) -> Floats:
    """OBV since the first row (see `flow.cumulated`)."""
    return cumulated(balance_volume(candles.close, candles.volume), candles.volume)


def cumulative_delta(candles: Candles) -> Floats:
    """CVD since the first row (see `flow.cumulated`)."""
    return cumulated(volume_delta(*candles[1:]), candles.volume)


OSCILLATORS: Mapping[str, Callable[[Candles, Settings], Floats]] = {
    "rsi": lambda candles, settings: rsi(candles, settings.rsi_length),
    "mfi": lambda candles, settings: money_flow_index(candles, settings.mfi_length),
    "wave": wave,
    "macd": lambda candles, settings: macd_line(
        candles.close, settings.macd_fast, settings.macd_slow
    ),
    "cci": lambda candles, settings: commodity_channel(candles, settings.cci_length),
    "stoch": lambda candles, settings: stochastic(
        candles, settings.stoch_length, settings.stoch_smooth
    ),
    "obv": lambda candles, _settings: balance(candles),
    "cvd": lambda candles, _settings: cumulative_delta(candles),
}
"""Every oscillator whose divergences have columns."""

COUNTED = ("rsi", "mfi", "wave")
"""Those that `fc_bull_div` and its like count."""


class DivergenceEvents(NamedTuple):
    """Divergences of one oscillator (bool), on the row where the later pivot is known."""

    bull: Flags
    bear: Flags
    bull_hidden: Flags
    bear_hidden: Flags


def divergence_events(
    oscillator: Floats, high: Floats, low: Floats, side: int = 5, reach: int = 60
) -> DivergenceEvents:
    """
    Compare each pivot of the oscillator with the one before it.

    A pivot is strictly beyond `side` candles on either side of the oscillator, known `side`
    candles later, and compared with the previous pivot of its kind when that lies no more than
    `reach` candles before. Bull: lower low in price, higher low in the oscillator; hidden: higher
    low in price, lower low in the oscillator. Bears mirror them.
    """
    found = kernels.pivots.divergences(
        floats(oscillator), floats(high), floats(low), side, np.inf, -np.inf, reach
    )
    return DivergenceEvents(*found[:4])


def count_events(events: Sequence[DivergenceEvents]) -> DivergenceCounts:
    """How many of the oscillators diverge, by kind."""
    kinds = (np.sum(kind, axis=0) for kind in zip(*events, strict=True))
    return DivergenceCounts(*(np.asarray(count, dtype=np.float64) for count in kinds))


def divergences(
    oscillators: Sequence[Floats], high: Floats, low: Floats, side: int = 5, reach: int = 60
) -> DivergenceCounts:
    """Count the oscillators whose newest pivot diverges from the one before it (see
    `divergence_events`).
    """
    return count_events(
        [divergence_events(oscillator, high, low, side, reach) for oscillator in oscillators]
    )
