"""The way a price takes inside a candle: minutes inside longer candles, trades inside minutes.

Every choice is drawn from a hash of the seed, the instrument and the time, never from a running
generator. So the way through a candle depends on that candle alone: not on the range that was
asked for, not on what came before, not on what comes after.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000

Order = Literal["nearer", "seeded"]

_POINTS_PER_MINUTE = 4  # of the walk that longer candles are cut into minutes from


@dataclass(frozen=True, slots=True)
class Minutes:
    """A gapless row of one-minute candles from `start_ms` on.

    `bars` has shape (5, n): open, high, low, close in ticks and volume in lots, maybe `compact`.
    """

    start_ms: int
    bars: NDArray[np.integer]

    def __len__(self) -> int:
        """Number of minutes."""
        return int(self.bars.shape[1])

    @property
    def end_ms(self) -> int:
        """The ms after the last minute."""
        return self.start_ms + MINUTE_MS * len(self)

    def cut(self, from_ms: int, to_ms: int) -> Minutes:
        """The minutes that start in [from_ms, to_ms)."""
        first = max(-((self.start_ms - from_ms) // MINUTE_MS), 0)
        last = max(-((self.start_ms - to_ms) // MINUTE_MS), first)
        return Minutes(self.start_ms + first * MINUTE_MS, self.bars[:, first:last])

    @staticmethod
    def join(parts: Sequence[Minutes]) -> Minutes:
        """Rows that follow each other, as one."""
        parts = [part for part in parts if len(part)]
        if not parts:
            return Minutes(0, np.empty((5, 0), np.int64))
        if len(parts) == 1:
            return parts[0]
        return Minutes(parts[0].start_ms, np.concatenate([part.bars for part in parts], axis=1))


@dataclass(frozen=True, slots=True)
class Walk:
    """Trades inside minutes, each of shape (n, steps): price in ticks, size in lots, who took."""

    price: NDArray[np.int64]
    lots: NDArray[np.int64]
    buy: NDArray[np.bool_]


def salt(seed: int, *words: object) -> int:
    """A 64-bit number that belongs to a seed and words, the start of a stream of draws."""
    text = "/".join(map(str, (seed, *words)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def draws(keys: NDArray[np.int64], stream: int) -> NDArray[np.uint64]:
    """One 64-bit draw per key: the splitmix64 finaliser of Steele, Lea and Flood (2014)."""
    with np.errstate(over="ignore"):
        mixed = keys.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(stream)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return mixed ^ (mixed >> np.uint64(31))


def uniform(keys: NDArray[np.int64], stream: int) -> NDArray[np.float64]:
    """One draw in [0, 1) per key."""
    return (draws(keys, stream) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def compact(numbers: NDArray[np.int64]) -> NDArray[np.integer]:
    """The same numbers in half of the memory, where they are small enough."""
    bounds = np.iinfo(np.int32)
    if numbers.size and (numbers.min() < bounds.min or numbers.max() > bounds.max):
        return numbers
    return numbers.astype(np.int32)


def trades_inside(minutes: Minutes, steps: int, stream: int, order: Order = "nearer") -> Walk:
    """Walk each minute from open over both extremes to close in `steps` >= 4 trades.

    order: `nearer` visits the extreme that is nearer to the open first (a draw decides a tie),
        `seeded` always draws.
    The walk stays within low and high, touches both, and its sizes add up to the volume. A minute
    with fewer lots than steps has trades of size 0 among them: prices without a trade.
    """
    first = minutes.start_ms // MINUTE_MS * steps
    bars = minutes.bars.astype(np.int64, copy=False)
    noise = draws(first + np.arange(len(minutes) * steps), stream).reshape(-1, steps)
    price = _walk(bars, noise, order)
    before = np.concatenate([price[:, :1], price[:, :-1]], axis=1)
    buy = np.where(price == before, _bits(noise, 40, 1) == 0, price > before)
    return Walk(price, _shares(bars[4], 1 + _bits(noise, 8, 3)), buy)


def minutes_inside(
    start_ms: int, duration_ms: int, bars: NDArray[np.int64], stream: int
) -> Minutes:
    """Cut longer candles into minutes that fold back to exactly these candles.

    bars: shape (5, n), candles of `duration_ms` (a whole number of minutes) from `start_ms` on.
    """
    minutes = duration_ms // MINUTE_MS
    steps = minutes * _POINTS_PER_MINUTE
    first = start_ms // MINUTE_MS * _POINTS_PER_MINUTE
    noise = draws(first + np.arange(bars.shape[1] * steps), stream).reshape(-1, steps)
    price = _walk(bars, noise, "nearer").reshape(-1, _POINTS_PER_MINUTE)
    high, low = price.max(axis=1), price.min(axis=1)
    # More is traded where the price goes further, as everywhere.
    weight = (1 + high - low) * (4 + _bits(noise.reshape(-1, _POINTS_PER_MINUTE)[:, 0], 8, 3))
    lots = _shares(bars[4], weight.reshape(-1, minutes)).ravel()
    return Minutes(start_ms, np.stack([price[:, 0], high, low, price[:, -1], lots]))


def _walk(bars: NDArray[np.int64], noise: NDArray[np.uint64], order: Order) -> NDArray[np.int64]:
    """Prices of shape (n, steps): a random walk pinned to open, both extremes and close."""
    open_, high, low, close = bars[:4]
    low_first = _bits(noise[:, 0], 60, 1) == 0
    if order == "nearer":
        below, above = open_ - low, high - open_
        low_first = np.where(below == above, low_first, below < above)
    first, second = np.where(low_first, low, high), np.where(low_first, high, low)
    pins = np.stack([open_, first, second, close], axis=1)
    steps = noise.shape[1]
    if steps == pins.shape[1] or not len(pins):
        return pins.reshape(-1, steps)
    at = _turns(noise, steps)
    index = np.arange(steps)
    leg = (index >= at[:, 1:2]).astype(np.int64) + (index >= at[:, 2:3])
    left, right = np.take_along_axis(at, leg, 1), np.take_along_axis(at, leg + 1, 1)
    part = (index - left) / (right - left)
    drift = np.cumsum((noise >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1.0, axis=1)
    drift *= ((high - low) * steps**-0.5)[:, None]
    astray = _line(np.take_along_axis(drift, at, 1), leg, part)
    price = np.rint(_line(pins, leg, part) + drift - astray).astype(np.int64)
    # What overshoots is turned back; a leg can overshoot twice the range, hence the clip.
    floor, ceiling = low[:, None], high[:, None]
    price = floor + np.abs(price - floor)
    price = ceiling - np.abs(ceiling - price)
    return np.clip(price, floor, ceiling)


def _turns(noise: NDArray[np.uint64], steps: int) -> NDArray[np.int64]:
    """Where the walk is at open, first extreme, second extreme and close: shape (n, 4)."""
    first = 1 + (noise[:, 1] % np.uint64(steps - 3)).astype(np.int64)
    second = first + 1 + (noise[:, 2] % (steps - 2 - first).astype(np.uint64)).astype(np.int64)
    return np.stack([np.zeros_like(first), first, second, np.full_like(first, steps - 1)], axis=1)


def _line(
    pins: NDArray[np.int64] | NDArray[np.float64],
    leg: NDArray[np.int64],
    part: NDArray[np.float64],
) -> NDArray[np.float64]:
    start, end = np.take_along_axis(pins, leg, 1), np.take_along_axis(pins, leg + 1, 1)
    return np.asarray(start + (end - start) * part, np.float64)


def _bits(noise: NDArray[np.uint64], shift: int, count: int) -> NDArray[np.int64]:
    return (noise >> np.uint64(shift) & np.uint64(2**count - 1)).astype(np.int64)


def _shares(volume: NDArray[np.int64], weights: NDArray[np.int64]) -> NDArray[np.int64]:
    """Volumes of shape (n,) cut by weights of shape (n, k) into whole lots that add up."""
    reached = np.cumsum(weights, axis=1, dtype=np.float64)
    edges = np.floor(volume[:, None] * (reached / reached[:, -1:])).astype(np.int64)
    return np.diff(edges, axis=1, prepend=0)
