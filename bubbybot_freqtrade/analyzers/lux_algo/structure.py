"""Market structure: pivots, breaks of structure and changes of character."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bubbybot_freqtrade.analyzers import kernels
from bubbybot_freqtrade.analyzers.candles import (
    Flags,
    Floats,
    Integers,
    earlier,
    floats,
)

BREAKS = ("bos_bull", "bos_bear", "choch_bull", "choch_bear")
STRUCTURE = ("high", "low", "trend", *BREAKS)


class Structure(NamedTuple):
    """
    One walk: the latest pivots (price, NaN before the first; candle, −1 before the first), the
    trend (−1, 0, +1), the breaks (bool) and the leg turns (int64: −1 on the row that turns
    bearish, +1 bullish).
    """

    high: Floats
    low: Floats
    high_candle: Integers
    low_candle: Integers
    trend: Floats
    bos_bull: Flags
    bos_bear: Flags
    choch_bull: Flags
    choch_bear: Flags
    turn: Integers


def structure_walk(
    high: Floats,
    low: Floats,
    close: Floats,
    length: int,
    guard: Structure | None = None,
) -> Structure:
    """
    Pivots, breaks of structure (bos) and changes of character (choch) at one length.

    The leg is bearish from the row where high[t−length] > max(high[t−length+1 … t]), bullish from
    the row where low[t−length] < min(low[t−length+1 … t]), bearish tested first. A change of leg
    sets the pivot high (or low) of that candle. A close crossing an uncrossed pivot is a choch
    against the trend, else a bos. A level equal to the one of `guard` (the swing walk, when this
    is the internal one) is not broken.
    """
    high, low, close = floats(high), floats(low), floats(close)
    turn = kernels.structure.turns(high, low, length)
    none = np.full(len(close), np.nan)
    walked = kernels.structure.breaks(
        high,
        low,
        close,
        turn,
        length,
        none if guard is None else guard.high,
        none if guard is None else guard.low,
    )
    return Structure(*(*walked, turn))


def structure_columns(walk: Structure) -> tuple[npt.NDArray[Any], ...]:
    """What is shown of one walk, in the order of `STRUCTURE`."""
    return tuple(getattr(walk, name) for name in STRUCTURE)


class Labels(NamedTuple):
    """Events (bool) on the rows of turns."""

    hh: Flags
    hl: Flags
    lh: Flags
    ll: Flags


def labels(walk: Structure) -> Labels:
    """
    What a new pivot is beside the one before it of its kind: a high strictly above it HH, else LH;
    a low strictly below it LL, else HL. The first of a kind is neither.
    """
    high_before, low_before = earlier(walk.high), earlier(walk.low)
    new_high = (walk.turn < 0) & ~np.isnan(high_before)
    new_low = (walk.turn > 0) & ~np.isnan(low_before)
    higher, lower = walk.high > high_before, walk.low < low_before
    return Labels(
        hh=new_high & higher, hl=new_low & ~lower, lh=new_high & ~higher, ll=new_low & lower
    )
