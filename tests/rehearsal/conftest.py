"""One short rehearsal for all tests that look at its results, and settings for more."""

import gc
from pathlib import Path

import pytest

from bubbybot_freqtrade.rehearsal.backtest import backtest
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


@pytest.fixture(scope="session")
def rehearsed(settings_for):
    """Some hours on two pairs, and the same hours backtested: (rehearsal, comparison)."""
    compared = []

    def after(result, sandbox):
        compared.extend(compare(result, backtest(result, sandbox)))

    return rehearse(settings_for(days=0.7), after=after), compared
