"""The rolling volume profile."""

import math

import numpy as np

from bubbybot_freqtrade.analyzers.kernels.compiling import kernel

# Two sums closer than this share of the window's volume are equal: the exact values tie and rounding,
# which is below 4e-13 of it here, must not choose.
TIE = 1e-12
# A price this close below an edge, in rows, lies on it (decimal prices are not exact in binary).
EDGE = 1e-9
# Rounding left behind by candles that are gone stays below 4e-13 of the volume while the window's volume
# is above this share of the largest one since the last rebuild.
WORN = 0.25


@kernel
def _spread(volumes, low, high, volume, base, per_price):
    """Add a candle's volume (negative: remove it) to the rows that its range overlaps."""
    rows = volumes.size
    start = (low - base) * per_price
    stop = min((high - base) * per_price, float(rows))
    if not stop > start or high == low:
        volumes[min(int(math.floor(start + EDGE)), rows - 1)] += volume
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
def _fullest(volumes, tie):
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
def _value_area(volumes, poc, wanted, tie):
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
def _extreme(values, start, stop, sign):
    """The latest candle of [start, stop) where sign·value is largest."""
    best = start
    for i in range(start + 1, stop):
        if sign * values[i] >= sign * values[best]:
            best = i
    return best


@kernel
def volume_profile(high, low, volume, window, rows, share):
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
    lowest = 0
    highest = 0
    for t in range(window - 1, count):
        start = t - window + 1
        if t == window - 1 or lowest < start:
            lowest = _extreme(low, start, t + 1, -1.0)
        elif low[t] <= low[lowest]:
            lowest = t
        if t == window - 1 or highest < start:
            highest = _extreme(high, start, t + 1, 1.0)
        elif high[t] >= high[highest]:
            highest = t
        if not high[highest] > low[lowest]:
            base = np.nan
            continue
        per_price = rows / (high[highest] - low[lowest])
        if low[lowest] == base and high[highest] == roof:
            _spread(volumes, low[start - 1], high[start - 1], -volume[start - 1], base, per_price)
            _spread(volumes, low[t], high[t], volume[t], base, per_price)
            total += volume[t] - volume[start - 1]
            peak = max(peak, total)
        if low[lowest] != base or high[highest] != roof or total < WORN * peak:
            base = low[lowest]
            roof = high[highest]
            volumes[:] = 0.0
            total = 0.0
            for i in range(start, t + 1):
                _spread(volumes, low[i], high[i], volume[i], base, per_price)
                total += volume[i]
            peak = total
        if not total > 0.0:
            continue
        tie = TIE * total
        fullest = _fullest(volumes, tie)
        below, above = _value_area(volumes, fullest, share * total, tie)
        size = roof - base
        poc[t] = base + size * (fullest + 0.5) / rows
        value_high[t] = base + size * (above + 1) / rows
        value_low[t] = base + size * below / rows
    return poc, value_high, value_low
