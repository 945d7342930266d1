"""B: Sommi's flag and diamond, which look at higher timeframes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bubbybot_freqtrade.analyzers import kernels
from bubbybot_freqtrade.analyzers.candles import Candles, Flags, Floats, cross_down, cross_up
from bubbybot_freqtrade.analyzers.market_cipher.momentum import WaveTrend


def heikin_ashi_rises(candles: Candles) -> Floats:
    """1 where a heikin-ashi candle closes above its open, 0 where it does not."""
    open_, close = kernels.clock.heikin_ashi(*candles[:4])
    return (close > open_).astype(np.float64)


class Sides(NamedTuple):
    """Events of both sides, bool."""

    bull: Flags
    bear: Flags


def sommi_flags(wave: WaveTrend, flow: Floats, higher_vwap: Floats) -> Sides:
    """
    Bull: wt1 crosses up wt2 while wt2 < 0, money flow > 0 and wt1 − wt2 of the higher timeframe
    > 0. Bear mirrors it.
    """
    return Sides(
        cross_up(wave.wt1, wave.wt2) & (wave.wt2 < 0) & (flow > 0) & (higher_vwap > 0),
        cross_down(wave.wt1, wave.wt2) & (wave.wt2 > 0) & (flow < 0) & (higher_vwap < 0),
    )


def sommi_diamonds(wave: WaveTrend, first_rises: Floats, second_rises: Floats) -> Sides:
    """
    Bull: wt1 crosses up wt2 while wt2 ≤ 0 and the heikin-ashi candles of both higher timeframes
    rise. Bear: wt1 crosses down wt2 while wt2 ≥ 0 and neither rises.
    """
    return Sides(
        cross_up(wave.wt1, wave.wt2) & (wave.wt2 <= 0) & (first_rises == 1) & (second_rises == 1),
        cross_down(wave.wt1, wave.wt2) & (wave.wt2 >= 0) & (first_rises == 0) & (second_rises == 0),
    )
