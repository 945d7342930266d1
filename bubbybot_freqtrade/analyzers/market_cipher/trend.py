"""A: the EMA ribbon, its crosses, triangles and diamonds."""

from __future__ import annotations

from typing import Any

from bubbybot_freqtrade.analyzers import kernels
from bubbybot_freqtrade.analyzers.candles import (
    Candles,
    Floats,
    cross_down,
    cross_up,
    floats,
)
from bubbybot_freqtrade.analyzers.market_cipher.momentum import wave_trend
from bubbybot_freqtrade.analyzers.market_cipher.settings import Settings


def ema_ribbon(
    close: Floats, lengths: tuple[int, ...] = (5, 11, 15, 18, 21, 24, 28, 34)
) -> list[Floats]:
    """EMA(close) for each length, α = 2/(length + 1)."""
    close = floats(close)
    return [kernels.averages.ema(close, length) for length in lengths]


def trend_columns(candles: Candles, rsi: Floats, settings: Settings) -> dict[str, Any]:
    """The columns of this part."""
    ribbon = ema_ribbon(candles.close, settings.ema_lengths)
    ema_1, ema_2, ema_3, ema_8 = ribbon[0], ribbon[1], ribbon[2], ribbon[7]
    wave = wave_trend(
        candles.high,
        candles.low,
        candles.close,
        settings.wave_channel_length,
        settings.trend_wave_average_length,
        settings.wave_signal_length,
        settings.wave_factor,
    )
    red_cross = cross_down(ema_1, ema_2)
    red_diamond = cross_down(wave.wt1, wave.wt2)
    green_diamond = cross_up(wave.wt1, wave.wt2)
    wave_amid = (wave.wt2 > settings.yellow_wave_low) & (wave.wt2 < settings.yellow_wave_high)
    rsi_amid = (rsi > settings.yellow_rsi_low) & (rsi < settings.yellow_rsi_high)
    return {f"mc_ema_{number}": values for number, values in enumerate(ribbon, start=1)} | {
        "mc_ribbon_bull": ema_8 < ema_2,
        "mc_long_ema": cross_up(ema_2, ema_8),
        "mc_short_ema": cross_up(ema_8, ema_2),
        "mc_red_cross": red_cross,
        "mc_blue_triangle_up": cross_up(ema_2, ema_3),
        "mc_blue_triangle_down": cross_down(ema_2, ema_3),
        "mc_red_diamond": red_diamond,
        "mc_green_diamond": green_diamond,
        "mc_blood_diamond": red_diamond & red_cross,
        "mc_moon_diamond": green_diamond & cross_up(ema_1, ema_2),
        "mc_yellow_cross": red_diamond & wave_amid & rsi_amid,
    }
