"""BloFin's bars: when they open, and rows of prices folded into them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from .paths import DAY_MS, HOUR_MS, MINUTE_MS

# BloFin's bar names. A month has no fixed length.
BARS: dict[str, int | None] = {
    "1m": MINUTE_MS,
    "3m": 3 * MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1H": HOUR_MS,
    "2H": 2 * HOUR_MS,
    "4H": 4 * HOUR_MS,
    "6H": 6 * HOUR_MS,
    "8H": 8 * HOUR_MS,
    "12H": 12 * HOUR_MS,
    "1D": DAY_MS,
    "3D": 3 * DAY_MS,
    "1W": 7 * DAY_MS,
    "1M": None,
}
_MONDAY_MS = 4 * DAY_MS  # 1970-01-05, where weeks are counted from


@dataclass(frozen=True, slots=True)
class Rows:
    """Candles as columns: `start` in ms and, shape (6, n), open, high, low, close in ticks,
    volume in lots, turnover in ticks times lots.
    """

    start: NDArray[np.int64]
    values: NDArray[np.int64]

    @staticmethod
    def join(parts: list[Rows]) -> Rows:
        if not parts:
            return Rows(np.empty(0, np.int64), np.empty((6, 0), np.int64))
        return Rows(
            np.concatenate([part.start for part in parts]),
            np.concatenate([part.values for part in parts], axis=1),
        )

    def cut(self, from_ms: int, to_ms: int) -> Rows:
        """The rows that start in [from_ms, to_ms)."""
        first, last = np.searchsorted(self.start, [from_ms, to_ms])
        return Rows(self.start[first:last], self.values[:, first:last])

    def covered_by(self, others: Rows, duration_ms: int) -> Rows:
        """The others, each `duration_ms` long, and of these what lies outside of them."""
        at = np.searchsorted(others.start, self.start, side="right") - 1
        ends = np.append(others.start, 0)[at] + duration_ms
        free = (at < 0) | (self.start >= ends)
        joined = Rows.join([Rows(self.start[free], self.values[:, free]), others])
        order = np.argsort(joined.start)
        return Rows(joined.start[order], joined.values[:, order])

    def fold(self, bar: str) -> Rows:
        """Candles of a longer bar."""
        opens = bar_open(bar, self.start)
        first = np.flatnonzero(np.diff(opens, prepend=-1))
        if not len(first):
            return self
        open_, high, low, close, volume, turnover = self.values
        last = np.append(first[1:], len(opens)) - 1
        return Rows(
            opens[first],
            np.stack(
                [
                    open_[first],
                    np.maximum.reduceat(high, first),
                    np.minimum.reduceat(low, first),
                    close[last],
                    np.add.reduceat(volume, first),
                    np.add.reduceat(turnover, first),
                ]
            ),
        )


def bar_open(bar: str, ms: NDArray[np.int64]) -> NDArray[np.int64]:
    """When the bars that these times lie in have opened (UTC; weeks on Monday, months on the 1st).

    ValueError for a bar that the venue does not have.
    """
    if bar not in BARS:
        raise ValueError(f"bar {bar!r} does not exist; use one of {', '.join(BARS)}")
    duration = BARS[bar]
    if duration is None:
        months = ms.astype("datetime64[ms]").astype("datetime64[M]")
        return months.astype("datetime64[ms]").astype(np.int64)
    offset = _MONDAY_MS if bar == "1W" else 0
    return (ms - offset) // duration * duration + offset


def bar_start(bar: str, ms: int, offset: int = 0) -> int:
    """Opening time (ms) of the bar that `ms` lies in, or of the one `offset` bars further on."""
    start = int(bar_open(bar, np.array([ms], np.int64))[0])
    duration = BARS[bar]
    if duration is not None:
        return start + offset * duration
    month = np.datetime64(start, "ms").astype("datetime64[M]") + offset
    return int(month.astype("datetime64[ms]").astype(np.int64))


def fold_ticks(prices: NDArray[np.integer], lots: NDArray[np.integer]) -> NDArray[np.int64]:
    """Trades of shape (n, k) as candles of shape (6, n)."""
    prices, lots = prices.astype(np.int64), lots.astype(np.int64)
    return np.stack(
        [
            prices[:, 0],
            prices.max(axis=1),
            prices.min(axis=1),
            prices[:, -1],
            lots.sum(axis=1),
            (prices * lots).sum(axis=1),
        ]
    )


def texts(numbers: NDArray[np.int64], unit: Decimal) -> list[str]:
    """Whole numbers times a decimal unit as plain text, without trailing zeros."""
    _, digits, exponent = unit.as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - a finite unit
    factor = int("".join(map(str, digits)))
    if exponent >= 0:
        return [str(number * factor * 10**exponent) for number in numbers.tolist()]
    width = 1 - exponent
    spelled = []
    for number in numbers.tolist():
        text = f"{number * factor:0{width}d}"
        spelled.append(f"{text[:exponent]}.{text[exponent:]}".rstrip("0").rstrip("."))
    return spelled
