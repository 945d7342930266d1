"""Candles for the analyzers' tests: generated, hand-drawn, and real ones where they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
import pytest

from tests.places import RECORDED

START = pd.Timestamp("2025-01-01", tz="UTC")

REAL_CANDLES = RECORDED / "binance-15m" / "futures" / "ETH_USDT_USDT-15m-futures.feather"


def dates(count: int) -> pd.DatetimeIndex:
    return pd.date_range(START, periods=count, freq="15min", name="date")


def frame_of(open_, high, low, close, volume) -> pd.DataFrame:
    columns = {"open": open_, "high": high, "low": low, "close": close, "volume": volume}
    floats = {name: np.asarray(values, dtype=np.float64) for name, values in columns.items()}
    return pd.DataFrame({"date": dates(len(floats["close"])), **floats})


def generated_market(
    count: int, seed: int, tick: float = 0.1, price: float = 1000.0
) -> pd.DataFrame:
    """
    A seeded random walk with volatility clusters, regimes and a price tick. A coarse tick makes
    equal highs, flat candles and ties, where strict and loose comparisons part.
    """
    rng = np.random.default_rng(seed)
    swings = np.exp(0.6 * np.sin(np.arange(count) / 97.0 + seed) + 0.3 * rng.standard_normal(count))
    drift = 0.0004 * np.sign(np.sin(np.arange(count) / 211.0 + seed))
    steps = 0.003 * swings * rng.standard_t(4, count) / 1.4 + drift
    close = price * np.exp(np.cumsum(steps))
    open_ = np.concatenate([[price], close[:-1]]) * np.exp(0.0003 * rng.standard_normal(count))
    wick = 0.002 * swings * price
    high = np.maximum(open_, close) + wick * rng.exponential(0.5, count)
    low = np.minimum(open_, close) - wick * rng.exponential(0.5, count)
    volume = np.round(100 * swings * rng.exponential(1.0, count), 1)
    open_, high, low, close = (
        np.maximum(np.round(np.round(values / tick) * tick, 6), tick)
        for values in (open_, high, low, close)
    )
    return frame_of(open_, high, low, close, volume)


@pytest.fixture(scope="session")
def market() -> Callable[..., pd.DataFrame]:
    return generated_market


@pytest.fixture(scope="session", params=["fine", "coarse", "real"])
def candles(request: pytest.FixtureRequest) -> pd.DataFrame:
    """2,200 candles of a fine-ticked, a coarse-ticked (ties everywhere) and a real market."""
    if request.param == "real":
        if not REAL_CANDLES.is_file():
            pytest.skip("no real candles (BUBBYBOT_DATA names their folder)")
        return pd.read_feather(REAL_CANDLES).iloc[20_000:22_200].reset_index(drop=True)
    return generated_market(2_200, 11, tick=0.1 if request.param == "fine" else 5.0)


@pytest.fixture(scope="session")
def draw() -> Callable[..., pd.DataFrame]:
    """A frame from rows of (open, high, low, close) or (open, high, low, close, volume)."""

    def drawn(rows: Iterable[tuple[float, ...]]) -> pd.DataFrame:
        full = [(*row, 100.0) if len(row) == 4 else row for row in rows]
        return frame_of(*zip(*full, strict=True))

    return drawn


def faded(strengths: Sequence[float], t: int) -> float:
    """What events count on row t: all of it on their own row, a twelfth less with each candle."""
    recent = strengths[max(t - 11, 0) : t + 1][::-1]
    return max(strength * (1 - age / 12) for age, strength in enumerate(recent))
