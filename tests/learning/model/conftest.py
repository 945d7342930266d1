"""A generated market, and FreqAI's block for training on days instead of months."""

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from freqtrade.optimize.backtesting import Backtesting

from bubbybot_freqtrade.search.backtests import BacktestDesk, backtest_desk, generate_folder
from tests.lively import NEAR, SHORT_WINDOW
from tests.places import ROOT

PAIRS = ("BTC/USDT:USDT", "SOL/USDT:USDT")
START = datetime(2025, 1, 1, tzinfo=UTC)
TIMERANGE = "20250121-20250126"
# In the middle of what the small models say of the signals: some stay, some go.
LEAST_R = 0.05
SETTINGS = {
    "confluence": SHORT_WINDOW,
    # Near enough to be reached within the short horizon: the model needs every outcome.
    "risk": NEAR,
    "model": {"min_expected_r": LEAST_R, "candidate_confidence": 0.3},
}


def small_freqai(identifier: str) -> dict[str, Any]:
    """config.ai.json with short windows and few trees: `freqai` and `freqaimodel`."""
    config = json.loads((ROOT / "config.ai.json").read_text())
    freqai = config["freqai"]
    freqai |= {"identifier": identifier, "train_period_days": 8, "backtest_period_days": 2}
    freqai["feature_parameters"] |= {"include_timeframes": ["15m"], "label_period_candles": 48}
    freqai["model_training_parameters"] |= {"n_estimators": 15, "min_child_samples": 20}
    return {"freqai": freqai, "freqaimodel": config["freqaimodel"]}


@pytest.fixture(scope="session")
def market(tmp_path_factory) -> Path:
    """Candles of 26 days."""
    folder = tmp_path_factory.mktemp("market")
    generate_folder(folder, START, days=26, seed=11, pairs=PAIRS)
    return folder


@pytest.fixture(scope="session")
def desk(market, tmp_path_factory) -> Iterator[BacktestDesk]:
    with backtest_desk(market, tmp_path_factory.mktemp("user_data"), PAIRS) as desk:
        yield desk


@pytest.fixture(scope="session")
def analyzed(desk) -> Callable[..., dict[str, pd.DataFrame]]:
    """`analyzed(strategy, identifier)`: each pair's frame with indicators and entries."""

    def make(
        strategy: str,
        identifier: str = "",
        data: Path | None = None,
        freqai: Any = None,
        **changes: Any,
    ) -> dict[str, pd.DataFrame]:
        model = small_freqai(identifier) if strategy == "BubbyBotAI" else {}
        config = desk.config(TIMERANGE, SETTINGS, strategy=strategy, **model, **changes)
        config["datadir"] = data or desk.data
        backtesting = Backtesting(config)
        try:
            candles, _ = backtesting.load_bt_data()
            backtesting._set_strategy(backtesting.strategylist[0])
            if freqai is not None:
                backtesting.strategy.freqai = freqai
            frames = backtesting.strategy.advise_all_indicators(candles)
            return {
                pair: backtesting.strategy.advise_entry(frame, {"pair": pair})
                for pair, frame in frames.items()
            }
        finally:
            Backtesting.cleanup()

    return make


@pytest.fixture(scope="session")
def with_model(analyzed) -> dict[str, pd.DataFrame]:
    return analyzed("BubbyBotAI", "whole")


@pytest.fixture(scope="session")
def without_model(analyzed) -> dict[str, pd.DataFrame]:
    return analyzed("BubbyBot")


@pytest.fixture
def other_future(market, tmp_path) -> Callable[[pd.Timestamp], Path]:
    """The market with all candles from a moment on at other prices."""

    def make(moment: pd.Timestamp) -> Path:
        folder = tmp_path / "other"
        shutil.copytree(market, folder)
        for file in (folder / "futures").glob("*-futures.feather"):
            frame = pd.read_feather(file)
            later = frame["date"] >= moment
            frame.loc[later, ["open", "high", "low", "close"]] *= 1.5
            frame.loc[later, "volume"] *= 7
            frame.to_feather(file)
        return folder

    return make
