"""Markets to ask questions of: a generated one, and data folders made for the test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bubbybot_freqtrade.sandbox.market.generator import GeneratedMarket
from bubbybot_freqtrade.sandbox.market.instruments import instrument
from bubbybot_freqtrade.sandbox.market.prices import MarketData

START = 1_746_403_200_000  # 2025-05-05 00:00 UTC, a Monday
PAIRS = ("BTC-USDT", "DOGE-USDT")

Frame = Callable[..., pd.DataFrame]


@pytest.fixture(scope="session")
def generated() -> GeneratedMarket:
    return GeneratedMarket(map(instrument, PAIRS), seed=11, start_ms=START, history_days=40)


@pytest.fixture(scope="session")
def market(generated: GeneratedMarket) -> MarketData:
    return MarketData(generated)


@pytest.fixture
def candles_frame() -> Frame:
    """Candles of a random walk on tick size 0.1, as freqtrade stores them."""

    def make(start_ms: int, minutes: int, count: int, seed: int = 0) -> pd.DataFrame:
        random = np.random.default_rng(seed)
        closes = 1_000_000 + np.cumsum(random.integers(-400, 401, count))
        opens = np.concatenate([[1_000_000], closes[:-1]])
        highs = np.maximum(opens, closes) + random.integers(0, 300, count)
        lows = np.minimum(opens, closes) - random.integers(0, 300, count)
        return pd.DataFrame(
            {
                "date": pd.to_datetime(
                    start_ms + minutes * 60_000 * np.arange(count), unit="ms", utc=True
                ),
                "open": opens / 10,
                "high": highs / 10,
                "low": lows / 10,
                "close": closes / 10,
                "volume": random.integers(0, 50_000, count) / 10_000,
            }
        )

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty data folder with freqtrade's `futures` in it."""
    (tmp_path / "data" / "futures").mkdir(parents=True)
    return tmp_path / "data"


@pytest.fixture
def resample() -> Callable[[pd.DataFrame, str], pd.DataFrame]:
    """Longer candles by pandas, as an independent opinion."""

    def make(frame: pd.DataFrame, rule: str) -> pd.DataFrame:
        return (
            frame.set_index("date")
            .resample(rule)
            .agg({"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"})
            .reset_index()
        )

    return make
