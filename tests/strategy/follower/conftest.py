"""Candles, and the moments at which BubbyBot's own backtest enters on them."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from bubbybot_freqtrade.search.backtests import backtest_desk, generate_folder
from tests.lively import SHORT_WINDOW

PAIR, OTHER = "BTC/USDT:USDT", "ETH/USDT:USDT"
# Many signals: the test waits for one.
SETTINGS = {"confluence": SHORT_WINDOW}


@pytest.fixture(scope="session")
def market(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("market")
    generate_folder(folder, datetime(2025, 1, 1, tzinfo=UTC), days=26, seed=11, pairs=(PAIR, OTHER))
    return folder


@pytest.fixture(scope="session")
def backtested(market, tmp_path_factory) -> pd.DataFrame:
    """The trades of a backtest, with their plans."""
    with backtest_desk(market, tmp_path_factory.mktemp("user_data"), (PAIR,)) as desk:
        return desk.run("20250118-20250126", SETTINGS).trades
