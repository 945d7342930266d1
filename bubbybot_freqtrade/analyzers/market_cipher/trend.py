"""A: the EMA ribbon, and candles that go on with the trend."""

from __future__ import annotations

from typing import NamedTuple

from bubbybot_freqtrade.analyzers import kernels
from bubbybot_freqtrade.analyzers.candles import Flags, Floats, earlier, floats


def ema_ribbon(
    close: Floats, lengths: tuple[int, ...] = (5, 11, 15, 18, 21, 24, 28, 34)
) -> list[Floats]:
    """EMA(close) for each length, α = 2/(length + 1)."""
    close = floats(close)
    return [kernels.averages.ema(close, length) for length in lengths]


class TrendCandles(NamedTuple):
    """Events, bool."""

    bull: Flags
    bear: Flags


def trend_candles(open_: Floats, close: Floats, fast: Floats, slow: Floats) -> TrendCandles:
    """
    Bull: opened above both averages and rose, as the candle before did. Bear: opened below both and
    fell, as the candle before did.
    """
    open_, close = floats(open_), floats(close)
    rises, falls = close > open_, close < open_
    rose, fell = earlier(close) > earlier(open_), earlier(close) < earlier(open_)
    return TrendCandles(
        (open_ > fast) & (open_ > slow) & rose & rises,
        (open_ < fast) & (open_ < slow) & fell & falls,
    )
