"""The higher timeframes of a backtest: as much history as a running bot has, or a word about it."""

import logging
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from freqtrade.data.dataprovider import DataProvider
from freqtrade.resolvers import StrategyResolver

from bubbybot_freqtrade.search.backtests import BacktestDesk

BTC = "BTC/USDT:USDT"
SPAN = "20250415-20250420"


def folder_without_four_hours(desk: BacktestDesk, target: Path) -> Path:
    (target / "futures").mkdir(parents=True)
    for file in (desk.data / "futures").glob("*.feather"):
        if "-4h-" not in file.name:
            (target / "futures" / file.name).symlink_to(file)
    return target


def analyzed(desk: BacktestDesk, **changes: Any) -> pd.DataFrame:
    config = desk.config(SPAN) | {"dataformat_ohlcv": "feather", "fee": 0.0006} | changes
    strategy = StrategyResolver.load_strategy(config)
    config["startup_candle_count"] = strategy.startup_candle_count
    strategy.dp = DataProvider(config, None)
    strategy.ft_bot_start()
    return strategy.populate_indicators(strategy.dp.historic_ohlcv(BTC, "15m"), {"pair": BTC})


def test_four_hours_made_of_hours_have_the_history_of_stored_ones(
    desk: BacktestDesk, tmp_path: Path
) -> None:
    stored = analyzed(desk)
    made = analyzed(desk, datadir=folder_without_four_hours(desk, tmp_path / "data"))
    columns = [name for name in stored if name.endswith("_4h")]
    assert columns
    pd.testing.assert_frame_equal(made[columns], stored[columns])


def test_a_context_with_too_little_history_is_told_with_the_date_to_download_from(
    desk: BacktestDesk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        analyzed(desk)
    told = [line for line in caplog.messages if "signals differ" in line]
    # The folder begins on 2025-01-01, 104 days of six 4h candles before; 1,439 of them are 239.83
    # days. The 1h candles before the range are enough.
    assert len(told) == 1
    assert f"{BTC}: only 624 of 1439 4h candles before 2025-04-15" in told[0]
    assert "from 2024-08-18 on" in told[0]
