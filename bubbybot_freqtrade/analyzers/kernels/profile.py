"""Volume profiles: of a rolling window, of a period so far, and their levels left untouched."""

from __future__ import annotations

import numpy as np

from bubbybot_freqtrade.analyzers.candles import Flags, Floats
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
def _value_area(padded: Floats, poc: int, goal: float, tie: float) -> tuple[int, int]:
    """
    Lowest and highest row of the value area that grows from the point of control until it holds
    `goal`. `padded` has an infinitely empty row beyond either end; with no choice of ways the loop
    takes a third less time.
    """
    rows = padded.size - 2
    above = poc + 1
    below = poc + 1
    inside = padded[above]
    for _ in range(rows - 1):
        if not inside < goal:
            break
        over = padded[above + 1]
        under = padded[below - 1]
        upwards = over >= under - tie
        inside += over if upwards else under
        above += 1 if upwards else 0
        below -= 0 if upwards else 1
    return below - 1, above - 1


@kernel
def _sum(volumes: Floats, first: int, last: int) -> float:
    total = volumes[first]
    for row in range(first + 1, last + 1):
        total += volumes[row]
    return total


@kernel
def _value_area_by(
    volumes: Floats, poc: int, goal: float, tie: float, step: int
) -> tuple[int, int]:
    """The same by the next `step` rows on either side together, fewer where fewer are left."""
    last = volumes.size - 1
    below = poc
    above = poc
    inside = volumes[poc]
    while inside < goal and (below > 0 or above < last):
        top = min(above + step, last)
        bottom = max(below - step, 0)
        over = _sum(volumes, above + 1, top) if above < last else -np.inf
        under = _sum(volumes, bottom, below - 1) if below > 0 else -np.inf
        if over >= under - tie:
            inside += over
            above = top
        else:
            inside += under
            below = bottom
    return below, above


@kernel
def _levels(
    padded: Floats, base: float, roof: float, total: float, share: float, step: int
) -> tuple[float, float, float]:
    """Point of control, value area high and low of summed rows."""
    rows = padded.size - 2
    volumes = padded[1 : rows + 1]
    tie = TIE * total
    goal = share * total - tie
    fullest = _fullest(volumes, tie)
    if step == 1:
        below, above = _value_area(padded, fullest, goal, tie)
    else:
        below, above = _value_area_by(volumes, fullest, goal, tie, step)
    size = roof - base
    return (
        base + size * (fullest + 0.5) / rows,
        base + size * (above + 1) / rows,
        base + size * below / rows,
    )


@kernel
def _empty(rows: int) -> Floats:
    """Rows without volume, and one beyond either end that the value area never takes."""
    padded = np.zeros(rows + 2)
    padded[0] = -np.inf
    padded[rows + 1] = -np.inf
    return padded


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
    steps: Floats,
    high: Floats,
    low: Floats,
    volume: Floats,
    start: int,
    stop: int,
    base: float,
    per_price: float,
) -> float:
    """
    Sum the candles [start, stop) afresh as `_spread` does one; their total volume.

    Rows that a candle covers whole get its density by two steps, up and down, summed in the end:
    a loop over them for each candle takes twice as long. `steps` is scratch, two longer than rows.
    """
    rows = volumes.size
    volumes[:] = 0.0
    steps[:] = 0.0
    total = 0.0
    for i in range(start, stop):
        total += volume[i]
        begin = (low[i] - base) * per_price
        end = min((high[i] - base) * per_price, float(rows))
        if not end > begin or high[i] == low[i]:
            volumes[min(int(begin + EDGE), rows - 1)] += volume[i]
            continue
        density = volume[i] / (end - begin)
        first = min(int(begin), rows - 1)
        last = min(int(end), rows - 1)
        alone = first == last
        volumes[first] += volume[i] if alone else density * (first + 1 - begin)
        volumes[last] += 0.0 if alone else density * (end - last)
        # None where no row is covered whole: a density of next to no range would drown the others.
        whole = density if last > first + 1 else 0.0
        steps[first + 1] += whole
        steps[last] -= whole
    running = 0.0
    for row in range(rows):
        running += steps[row]
        volumes[row] += running
    return total


@kernel
def volume_profile(
    high: Floats, low: Floats, volume: Floats, window: int, rows: int, share: float, step: int
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
    padded = _empty(rows)
    volumes = padded[1 : rows + 1]
    steps = np.empty(rows + 2)
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
            total = _fill(volumes, steps, high, low, volume, start, t + 1, base, per_price)
            peak = total
        if total > 0.0:
            poc[t], value_high[t], value_low[t] = _levels(padded, base, roof, total, share, step)
    return poc, value_high, value_low


@kernel
def period_profile(
    high: Floats, low: Floats, volume: Floats, begins: Flags, rows: int, share: float, step: int
) -> tuple[Floats, Floats, Floats]:
    """
    The same of the candles since the latest row that `begins` a period, this one included; NaN
    before the first.
    """
    count = high.size
    poc = np.full(count, np.nan)
    value_high = np.full(count, np.nan)
    value_low = np.full(count, np.nan)
    padded = _empty(rows)
    volumes = padded[1 : rows + 1]
    steps = np.empty(rows + 2)
    start = -1
    base = np.nan
    roof = np.nan
    total = 0.0
    for t in range(count):
        if begins[t]:
            start = t
            base = low[t]
            roof = high[t]
        if start < 0:
            continue
        same = not begins[t] and low[t] >= base and high[t] <= roof
        base = min(base, low[t])
        roof = max(roof, high[t])
        if not roof > base:
            continue
        per_price = rows / (roof - base)
        if same:
            _spread(volumes, low[t], high[t], volume[t], base, per_price)
            total += volume[t]
        else:
            total = _fill(volumes, steps, high, low, volume, start, t + 1, base, per_price)
        if total > 0.0:
            poc[t], value_high[t], value_low[t] = _levels(padded, base, roof, total, share, step)
    return poc, value_high, value_low


@kernel
def untouched(
    high: Floats, low: Floats, close: Floats, made: Flags, levels: Floats, memory: int
) -> tuple[Floats, Floats]:
    """
    The nearest level above and below close that no candle's range has touched since the row that
    `made` it, this row included. The level itself stands on the row before; it is forgotten when
    that row is `memory` candles old.
    """
    count = close.size
    above = np.full(count, np.nan)
    below = np.full(count, np.nan)
    prices = np.empty(min(memory, count) + 1)
    origins = np.empty(min(memory, count) + 1, np.int64)
    size = 0
    for t in range(count):
        if made[t] and t > 0 and not np.isnan(levels[t - 1]):
            prices[size] = levels[t - 1]
            origins[size] = t - 1
            size += 1
        kept = 0
        for i in range(size):
            price = prices[i]
            if low[t] <= price <= high[t] or origins[i] <= t - memory:
                continue
            prices[kept] = price
            origins[kept] = origins[i]
            kept += 1
            # Never equal to close: that would have been a touch.
            if price > close[t]:
                if not price >= above[t]:
                    above[t] = price
            elif not price <= below[t]:
                below[t] = price
        size = kept
    return above, below
