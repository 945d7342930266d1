"""Candles drawn as the points of a line, for hand-made markets."""

from __future__ import annotations

import numpy as np

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


def points(*closes: float, wick: float = 0.2) -> Arrays:
    """Candles as points of a line: close, and highs and lows a wick away from it."""
    close = np.array(closes, dtype=float)
    return close + wick, close - wick, close


def mirrored(candles: Arrays) -> Arrays:
    high, low, close = candles
    return 100 - low, 100 - high, 100 - close


def rows(event: np.ndarray) -> list[int]:
    return np.flatnonzero(event).tolist()


# A pivot high of 12.2 (candle 2, known on row 4), a pivot low of 10.3 (candle 4, known on row 6).
PEAK = (10, 11, 12, 11, 10.5, 11)
