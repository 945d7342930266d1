"""One short rehearsal for all tests that look at its results, and settings for more."""

import gc
import shutil
from pathlib import Path

import pandas as pd
import pytest

from bubbybot_freqtrade.rehearsal.backtest import backtest
from bubbybot_freqtrade.rehearsal.candles import keep_candles
from bubbybot_freqtrade.rehearsal.comparison import compare
from bubbybot_freqtrade.rehearsal.run import rehearse
from bubbybot_freqtrade.rehearsal.settings import RehearsalSettings

STRATEGIES = Path(__file__).parent / "strategies"


@pytest.fixture(scope="session")
def settings_for(tmp_path_factory):
    """`settings_for(days=…)`: a rehearsal of the scheduled strategy on two generated pairs."""

    def make(**given):
        # Clients that other tests left behind complain in the log when they are collected; a
        # rehearsal counts every error there as the bot's.
        gc.collect()
        settings = {
            "pairs": ("BTC/USDT:USDT", "SOL/USDT:USDT"),
            "strategy": "Scheduled",
            "loop_seconds": 300,
            "seed": 7,
            "strategy_path": STRATEGIES,
            "out": tmp_path_factory.mktemp("rehearsal"),
            **given,
        }
        return RehearsalSettings(**settings)

    return make


def candles_of(out: Path) -> dict[str, pd.DataFrame]:
    """The candles in a rehearsal's folder, by their files' names."""
    files = (out / "data/blofin/futures").glob("*-futures.feather")
    return {file.name: pd.read_feather(file) for file in files}


@pytest.fixture(scope="session")
def rehearsed_and_kept(settings_for):
    compared, kept = [], {}

    def after(result, sandbox):
        keep_candles(result, sandbox)
        kept.update(candles_of(result.settings.out))
        shutil.rmtree(result.settings.out / "data")
        compared.extend(compare(result, backtest(result, sandbox)))

    return rehearse(settings_for(days=0.7), after=after), compared, kept


@pytest.fixture(scope="session")
def rehearsed(rehearsed_and_kept):
    """Some hours on two pairs, and the same hours backtested: (rehearsal, comparison)."""
    return rehearsed_and_kept[:2]


@pytest.fixture(scope="session")
def kept_candles(rehearsed_and_kept):
    """What would be kept of it without a backtest."""
    return rehearsed_and_kept[2]
