"""Volume with a direction, as far as candles tell it: delta, CVD and OBV."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bubbybot_freqtrade.analyzers.candles import Floats, floats


def volume_delta(high: Floats, low: Floats, close: Floats, volume: Floats) -> Floats:
    """
    Volume bought less volume sold, guessed from where the candle closed in its range:
    volume·((close − low) − (high − close))/(high − low), 0 where high = low.

    An approximation: who was the taker is known of trades alone. The share is the one of Chaikin's
    accumulation/distribution line.
    """
    size = floats(high) - floats(low)
    bought = (floats(close) - low) - (high - floats(close))
    return np.where(size > 0, volume * bought / np.where(size > 0, size, 1.0), 0.0)


def balance_volume(close: Floats, volume: Floats) -> Floats:
    """What a candle adds to the on-balance volume: its volume with the sign of close − the close
    before, 0 on the first row.
    """
    signs = np.zeros(len(close))
    signs[1:] = np.sign(np.diff(close))
    return signs * volume


def cumulated(values: Floats, volume: Floats) -> Floats:
    """
    Sum of all values so far, for comparing rows: only differences mean something. Rounded to a
    power of two of about 1e-9 of the largest volume so far, because rounding must not tell equal
    sums apart.
    """
    largest = np.maximum.accumulate(volume)
    grid = 2.0 ** (np.floor(np.log2(np.where(largest > 0, largest, 1.0))) - 30)
    return np.round(np.cumsum(values) / grid) * grid


def window_sum(values: Floats, window: int) -> Floats:
    """Sum of the last `window` values, NaN before there are as many.

    A sum since the frame's first candle, as charts have it, would depend on where that begins.
    """
    return pd.Series(values).rolling(window).sum().to_numpy()
