"""A generated market and a search over it that takes seconds."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bubbybot_freqtrade.search import trial
from bubbybot_freqtrade.search.backtests import BacktestDesk, backtest_desk, generate_folder
from bubbybot_freqtrade.search.cli import checked_config
from bubbybot_freqtrade.search.study import Plan
from tests.lively import SHORT_WINDOW
from tests.places import ROOT

PAIRS = ("BTC/USDT:USDT", "SOL/USDT:USDT")
MADE, START, END = (datetime(2025, 1, day, tzinfo=UTC) for day in (1, 13, 31))


@pytest.fixture(scope="session", autouse=True)
def _ranges_are_kept() -> Iterator[None]:
    """The tests come back to the same few days."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial, "KEPT", 8)
        yield


@pytest.fixture(scope="session")
def desk(tmp_path_factory) -> Iterator[BacktestDesk]:
    data = tmp_path_factory.mktemp("data")
    generate_folder(data, MADE, days=30, seed=5, pairs=PAIRS)
    with backtest_desk(data, tmp_path_factory.mktemp("user_data"), PAIRS) as desk:
        yield desk


@pytest.fixture(scope="session")
def config_file(desk) -> Path:
    settings = desk._settings(
        {"confluence": SHORT_WINDOW, "risk": {"max_same_side": 3}, "exits": {"max_hours": 1.0}}
    )
    settings["telegram"] = {"enabled": False, "token": "secret-token", "chat_id": "1"}
    settings["exchange"] |= {"key": "secret-key", "secret": "secret", "password": "secret"}
    file = desk.user_data / "search.json"
    file.write_text(json.dumps(settings))
    return file


@pytest.fixture(scope="session")
def options(desk, config_file) -> dict:
    """What the command would be given."""
    return {
        "configs": [str(config_file)],
        "strategy": "BubbyBot",
        "strategy_path": str(ROOT / "user_data/strategies"),
        "userdir": str(desk.user_data),
        "datadir": str(desk.data),
    }


@pytest.fixture(scope="session")
def plan(options) -> Plan:
    """Two parts of three days after twelve of past, a few trials each."""
    return Plan(
        config=checked_config(options),
        start=START,
        end=END,
        parts=2,
        past_days=12,
        trials=3,
        batch=2,
    )
