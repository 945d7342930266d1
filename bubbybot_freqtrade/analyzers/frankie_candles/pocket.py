"""Retracements of the running leg: the golden pocket, the optimal trade entry."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bubbybot_freqtrade.analyzers import kernels
from bubbybot_freqtrade.analyzers.candles import (
    Candles,
    Floats,
)
from bubbybot_freqtrade.analyzers.frankie_candles.settings import Settings
from bubbybot_freqtrade.analyzers.lux_algo.range import RunningRange, running_range


class GoldenPocket(NamedTuple):
    """Edges (price, NaN without a range); the leg's direction, ±1, with close inside, else 0."""

    top: Floats
    bottom: Floats
    inside: Floats


def golden_pocket(
    close: Floats, running: RunningRange, near: float = 0.618, far: float = 0.65
) -> GoldenPocket:
    """
    The retracement from `near` to `far` of the running leg, which is up when its high was made
    after its low. Up: high − near·size over high − far·size; down: low + far·size over low +
    near·size. From 0.62 to 0.79 it is the zone of the optimal trade entry.
    """
    size = running.high - running.low
    up = running.high_candle > running.low_candle
    top = np.where(up, running.high - near * size, running.low + far * size)
    bottom = np.where(up, running.high - far * size, running.low + near * size)
    within = (close >= bottom) & (close <= top)
    return GoldenPocket(top, bottom, np.where(within, np.where(up, 1.0, -1.0), 0.0))


def running_leg(candles: Candles, settings: Settings) -> RunningRange:
    """The leg that the pocket is of: Lux Algo's running range."""
    turn = kernels.structure.turns(candles.high, candles.low, settings.swing_length)
    return running_range(candles.high, candles.low, turn, settings.swing_length)
