"""Liquidity: equal highs and lows, and the grabs of what lies beyond them."""

from __future__ import annotations

from typing import NamedTuple

from bubbybot_freqtrade.analyzers import kernels
from bubbybot_freqtrade.analyzers.candles import (
    Flags,
    Floats,
    Integers,
    floats,
)
from bubbybot_freqtrade.analyzers.lux_algo.structure import Structure


class EqualLevels(NamedTuple):
    """
    Events (bool), the latest equal-high and equal-low level (price, NaN before the first) and the
    row (int64, −1 before the first) on which it was made.
    """

    eqh: Flags
    eql: Flags
    high: Floats
    low: Floats
    high_made: Integers
    low_made: Integers


def equal_levels(
    high: Floats, low: Floats, mean_range: Floats, length: int = 3, reach: float = 0.1
) -> EqualLevels:
    """
    Leg turns of `length` whose pivot lies within reach·`mean_range` of the turn's row, bound
    included, of the previous pivot of its kind. The level is the newer pivot's.
    """
    high, low = floats(high), floats(low)
    turn = kernels.structure.turns(high, low, length)
    return EqualLevels(
        *kernels.structure.equal_levels(high, low, turn, length, floats(reach * mean_range))
    )


class Grabs(NamedTuple):
    """Events (bool)."""

    bull: Flags
    bear: Flags


def liquidity_grabs(
    high: Floats, low: Floats, close: Floats, swing: Structure, equal: EqualLevels
) -> Grabs:
    """
    A low below the latest swing low or the latest equal-low level while this close and the one
    before lie above it (bull), and the mirror over highs (bear). Each level fires once.
    """
    high, low, close = floats(high), floats(low), floats(close)
    return Grabs(
        kernels.structure.grabs(
            low, close, 1.0, swing.low, swing.low_candle, equal.low, equal.low_made
        ),
        kernels.structure.grabs(
            high, close, -1.0, swing.high, swing.high_candle, equal.high, equal.high_made
        ),
    )
