"""Zones of price: nearest living one of each row, and what each zone was."""

from __future__ import annotations

from typing import NamedTuple

from bubbybot_freqtrade.analyzers import kernels
from bubbybot_freqtrade.analyzers.candles import (
    Flags,
    Floats,
    Integers,
)


class Zones(NamedTuple):
    """
    Zones of one side. Per row: `top` and `bottom` of the living zone nearest to close (NaN: none).
    Per zone, in the order of their making: the row it was `made` on, its `candle`, its edges
    `tops`, `bottoms` and the row it `ended` on (−1 while it lives).
    """

    top: Floats
    bottom: Floats
    made: Integers
    candle: Integers
    tops: Floats
    bottoms: Floats
    ended: Integers


def follow(
    candles: tuple[Floats, Floats, Floats],
    side: int,
    made: Integers,
    candle: Integers,
    tops: Floats,
    bottoms: Floats,
    memory: int,
) -> Zones:
    """What becomes of the zones of one side, each `made` on a row of the candles."""
    top, bottom, ended = kernels.zones.nearest_zones(
        *candles, side, made, candle, tops, bottoms, memory
    )
    return Zones(top, bottom, made, candle, tops, bottoms, ended)


def touches(high: Floats, low: Floats, zone: Zones) -> Flags:
    """Candles that reach into the nearest zone."""
    return (low <= zone.top) & (high >= zone.bottom)
