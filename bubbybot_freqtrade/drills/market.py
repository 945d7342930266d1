"""Prices for drills: straight courses where a drill needs to know them, a seeded walk elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import floor, log10
from pathlib import Path

import numpy as np
import pandas as pd

START = datetime(2025, 5, 1, 12, tzinfo=UTC)
BTC, ETH, SOL = "BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT"
PAIRS = (BTC, ETH, SOL)
QUIET_PRICES = {BTC: 50_000.0, ETH: 2_000.0, SOL: 150.0}

GAP = 0.01
MINUTES_BEFORE = 720
"""Candles a bot finds when it starts."""

Course = Sequence[tuple[float, float]]
"""Minutes from START and the price there; it goes straight from one point to the next."""


def straight(course: Course, minutes: int) -> np.ndarray:
    """Price at every full minute from `MINUTES_BEFORE` before START to `minutes` after it.

    A minute in which it would go further than `GAP` is jumped over.
    """
    times, prices = zip(*course, strict=True)
    return np.interp(np.arange(-MINUTES_BEFORE, minutes + 1), times, prices)


def walk(price: float, minutes: int, seed: int, per_minute: float = 1e-3) -> np.ndarray:
    """Like `straight`, for a random walk from `price` whose minutes vary by `per_minute`."""
    steps = np.random.default_rng(seed).normal(0.0, per_minute, MINUTES_BEFORE + minutes)
    # Pulled back to where it came from, so that long drills do not end at a price of nothing.
    level, logs = 0.0, np.zeros(len(steps) + 1)
    for number, step in enumerate(steps):
        level += step - 2e-3 * level
        logs[number + 1] = level
    return price * np.exp(logs)


def quiet(minutes: int) -> dict[str, np.ndarray]:
    """Prices at which nothing happens, for every pair of `PAIRS`."""
    return {pair: straight([(0, price)], minutes) for pair, price in QUIET_PRICES.items()}


def write_market(folder: Path, prices: Mapping[str, np.ndarray]) -> Path:
    """1m candles in freqtrade's layout below `folder`, which is returned.

    prices: per pair, the price at every full minute from `MINUTES_BEFORE` before START.
    """
    (folder / "futures").mkdir(parents=True, exist_ok=True)
    for pair, edges in prices.items():
        digits = 2 if edges[0] >= 100 else 4 - min(floor(log10(edges[0])), 0)
        # A crumb of movement, so that no candle is a mere point.
        closes = edges[1:] * (1 + 1e-4 * np.where(np.arange(len(edges) - 1) % 2, 1, -1))
        opens = np.append(edges[0], closes[:-1])
        # What goes further than this in a minute is not traded on the way.
        opens = np.where(np.abs(np.diff(edges)) / edges[:-1] > GAP, closes, opens)
        first = START - timedelta(minutes=MINUTES_BEFORE)
        frame = pd.DataFrame(
            {
                "date": pd.date_range(first, periods=len(closes), freq="1min"),
                "open": opens.round(digits),
                "high": np.maximum(opens, closes).round(digits),
                "low": np.minimum(opens, closes).round(digits),
                "close": closes.round(digits),
                "volume": 500.0,
            }
        )
        name = pair.replace("/", "_").replace(":", "_")
        frame.to_feather(folder / "futures" / f"{name}-1m-futures.feather")
    return folder


def inst_id(pair: str) -> str:
    """BloFin's name of a freqtrade pair."""
    return pair.partition(":")[0].replace("/", "-")


def pair_of(inst_id: str) -> str:
    """freqtrade's name of a BloFin instrument."""
    return f"{inst_id.replace('-', '/')}:{inst_id.rpartition('-')[2]}"
