"""The rolling volume profile."""

from __future__ import annotations

import numpy as np

from bubbybot_freqtrade.analyzers.candles import Floats
from bubbybot_freqtrade.analyzers.kernels.compiling import kernel

# Two sums closer than this share of the window's volume are equal: the exact values tie, and
# rounding, which is below 4e-13 of it here, must not choose.
TIE = 1e-12
# A price this close below an edge, in rows, lies on it (decimal prices are not exact in binary).
EDGE = 1e-9
# Rounding left behind by candles that are gone stays below 4e-13 of the volume while the window's
# volume is above this share of the largest one since the last rebuild.
WORN = 0.25


@kernel
def _spread(
    volumes: Floats, low: float, high: float, volume: float, base: float, per_price: float
) -> None:
    """Add a candle's volume (negative: remove it) to the rows that its range overlaps."""
    rows = volumes.size
    start = (low - base) * per_price
    stop = min((high - base) * per_price, float(rows))
    if not stop > start or high == low:
        volumes[min(int(start + EDGE), rows - 1)] += volume
        return
    density = volume / (stop - start)
    first = min(int(start), rows - 1)
    last = min(int(stop), rows - 1)
    if first == last:
        volumes[first] += volume
        return
    volumes[first] += density * (first + 1 - start)
    for row in range(first + 1, last):
        volumes[row] += density
    volumes[last] += density * (stop - last)


@kernel
def _fullest(volumes: Floats, tie: float) -> int:
    """The lowest of the fullest rows."""
    most = volumes[0]
    for row in range(1, volumes.size):
        if volumes[row] > most:
            most = volumes[row]
    row = 0
    while volumes[row] < most - tie:
        row += 1
    return row


@kernel
def _value_area(volumes: Floats, poc: int, wanted: float, tie: float) -> tuple[int, int]:
    """Lowest and highest row of the value area that grows from the point of control."""
    rows = volumes.size
    below = poc
    above = poc
    inside = volumes[poc]
    while inside < wanted - tie and (below > 0 or above < rows - 1):
        if above == rows - 1:
            upwards = False
        elif below == 0:
            upwards = True
        else:
            upwards = volumes[above + 1] >= volumes[below - 1] - tie
        if upwards:
            above += 1
            inside += volumes[above]
        else:
            below -= 1
            inside += volumes[below]
    return below, above


@kernel
def _extreme(values: Floats, known: int, start: int, t: int, sign: float) -> int:
    """The latest candle of [start, t] with the largest sign·value; `known`: the one before t."""
    if known >= start:
        return t if sign * values[t] >= sign * values[known] else known
    best = start
    for i in range(start + 1, t + 1):
        if sign * values[i] >= sign * values[best]:
            best = i
    return best


@kernel
def _fill(
    volumes: Floats,
    high: Floats,
    low: Floats,
    volume: Floats,
    start: int,
    stop: int,
    base: float,
    per_price: float,
) -> float:
    """Sum the candles [start, stop) afresh; their total volume."""
    volumes[:] = 0.0
    total = 0.0
    for i in range(start, stop):
        _spread(volumes, low[i], high[i], volume[i], base, per_price)
        total += volume[i]
    return total


@kernel
def volume_profile(
    high: Floats, low: Floats, volume: Floats, window: int, rows: int, share: float
) -> tuple[Floats, Floats, Floats]:
    """
    Point of control, value area high and low of the last `window` candles on every row.

    While the window's lowest low and highest high stay what they were, a row differs from the one
    before by one candle in and one out; when they move, the rows are other rows and all is summed
    afresh. So no sum carries more than `window` changes of rounding.
    """
    count = high.size
    poc = np.full(count, np.nan)
    value_high = np.full(count, np.nan)
    value_low = np.full(count, np.nan)
    volumes = np.zeros(rows)
    base = np.nan
    roof = np.nan
    peak = 0.0
    total = 0.0
    lowest = -1
    highest = -1
    for t in range(window - 1, count):
        start = t - window + 1
        lowest = _extreme(low, lowest, start, t, -1.0)
        highest = _extreme(high, highest, start, t, 1.0)
        same = low[lowest] == base and high[highest] == roof
        base = low[lowest]
        roof = high[highest]
        if not roof > base:
            continue
        per_price = rows / (roof - base)
        if same:
            out = start - 1
            _spread(volumes, low[out], high[out], -volume[out], base, per_price)
            _spread(volumes, low[t], high[t], volume[t], base, per_price)
            total += volume[t] - volume[out]
            peak = max(peak, total)
        if not same or total < WORN * peak:
            total = _fill(volumes, high, low, volume, start, t + 1, base, per_price)
            peak = total
        if total > 0.0:
            tie = TIE * total
            fullest = _fullest(volumes, tie)
            below, above = _value_area(volumes, fullest, share * total, tie)
            size = roof - base
            poc[t] = base + size * (fullest + 0.5) / rows
            value_high[t] = base + size * (above + 1) / rows
            value_low[t] = base + size * below / rows
    return poc, value_high, value_low
