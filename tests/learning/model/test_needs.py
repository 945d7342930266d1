"""Without the extra nothing changes for BubbyBot, and BubbyBotAI says in a line what it needs."""

import json
import subprocess
import sys

import pytest
from freqtrade.exceptions import OperationalException
from freqtrade.resolvers import StrategyResolver

from bubbybot_freqtrade.strategy import with_model
from tests.learning.model.conftest import TIMERANGE, small_freqai
from tests.places import ROOT


def started(desk, **changes):
    """BubbyBotAI right before freqtrade lets it load its model."""
    config = desk.config(TIMERANGE, strategy="BubbyBotAI", **changes)
    return StrategyResolver.load_strategy(config)


def test_it_names_the_extra_to_install(desk, monkeypatch):
    strategy = started(desk, **small_freqai("needs"))
    monkeypatch.setattr(with_model, "find_spec", lambda name: None if name == "lightgbm" else name)
    with pytest.raises(OperationalException, match=r"lightgbm.*bubbybot-freqtrade\[ai\]"):
        strategy.load_freqAI_model()


def test_it_names_the_config_to_add(desk):
    with pytest.raises(OperationalException, match=r"-c config\.ai\.json"):
        started(desk).load_freqAI_model()


def test_bubbybot_imports_nothing_of_the_extra():
    script = (
        "import sys, bubbybot_freqtrade.strategy.bubbybot\n"
        "print([n for n in ('lightgbm', 'datasieve', 'xgboost', 'dask')"
        " if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


def test_the_settings_that_ship_are_valid(desk):
    shipped = json.loads((ROOT / "config.ai.json").read_text())
    config = desk.config(
        TIMERANGE,
        strategy=shipped["strategy"],
        freqai=shipped["freqai"],
        freqaimodel=shipped["freqaimodel"],
    )
    # FreqAI's own check has passed; the time barrier must fit into the training many times.
    days = config["freqai"]["feature_parameters"]["label_period_candles"] / 96
    assert days * 10 <= config["freqai"]["train_period_days"]
