"""A: the EMA ribbon."""

from __future__ import annotations

from bubbybot_freqtrade.analyzers import kernels
from bubbybot_freqtrade.analyzers.candles import Floats, floats


def ema_ribbon(
    close: Floats, lengths: tuple[int, ...] = (5, 11, 15, 18, 21, 24, 28, 34)
) -> list[Floats]:
    """EMA(close) for each length, α = 2/(length + 1)."""
    close = floats(close)
    return [kernels.averages.ema(close, length) for length in lengths]
