"""Zones of price: nearest living one of each row, and what each zone was."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bubbybot_freqtrade.analyzers import kernels
from bubbybot_freqtrade.analyzers.candles import (
    Flags,
    Floats,
    Integers,
)

FOREVER = np.iinfo(np.int64).max
"""More candles than any frame has."""


class Zones(NamedTuple):
    """
    Zones of one side. Per row: `top` and `bottom` of the living zone nearest to close (NaN: none),
    the row it was made on (`since`, −1: none) and whether price ran through one (`broken`). Per
    zone, in the order of their making: the row it was `made` on, its `candle`, its edges `tops`,
    `bottoms` and the row it `ended` on (−1 while it lives).
    """

    top: Floats
    bottom: Floats
    since: Integers
    broken: Flags
    made: Integers
    candle: Integers
    tops: Floats
    bottoms: Floats
    ended: Integers


class Nearest(NamedTuple):
    """Edges per row (NaN: none)."""

    top: Floats
    bottom: Floats


def follow(
    through: Floats,
    close: Floats,
    side: int,
    made: Integers,
    candle: Integers,
    tops: Floats,
    bottoms: Floats,
    memory: int | None,
) -> Zones:
    """
    What becomes of the zones of one side (+1, −1), each `made` on a row of the candles.

    :param through: the price that ends a bullish zone below its bottom, a bearish one above its top
    :param memory: candles after which a zone's `candle` is forgotten, 0 or None: never
    """
    nearest, ended, by_price = kernels.zones.nearest_zones(
        through, close, side, made, candle, tops, bottoms, memory or FOREVER
    )
    broken = np.zeros(len(close), dtype=np.bool_)
    broken[ended[by_price]] = True
    if not len(made):
        none = np.full(len(close), np.nan)
        return Zones(none, none, nearest, broken, made, candle, tops, bottoms, ended)
    known = nearest >= 0
    return Zones(
        np.where(known, tops[nearest], np.nan),
        np.where(known, bottoms[nearest], np.nan),
        np.where(known, made[nearest], -1),
        broken,
        made,
        candle,
        tops,
        bottoms,
        ended,
    )


def nearer(close: Floats, first: Zones, second: Zones) -> Nearest:
    """The zone nearer to close per row; ties go to the later made, then to `first`."""
    distances = [_distance(close, zones) for zones in (first, second)]
    later = first.since >= second.since
    is_first = (distances[0] < distances[1]) | ((distances[0] == distances[1]) & later)
    return Nearest(
        np.where(is_first, first.top, second.top), np.where(is_first, first.bottom, second.bottom)
    )


def _distance(close: Floats, zones: Zones) -> Floats:
    away = np.maximum(np.maximum(close - zones.top, zones.bottom - close), 0.0)
    return np.where(zones.since >= 0, away, np.inf)


def touches(high: Floats, low: Floats, zone: Zones | Nearest) -> Flags:
    """Candles that reach into the nearest zone."""
    return (low <= zone.top) & (high >= zone.bottom)
