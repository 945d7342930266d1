"""A real backtest's export, and a browser to open pages with."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bubbybot_freqtrade.search.backtests import Backtest, backtest_desk, generate_folder
from tests.browser import Browser, open_browser
from tests.lively import NEAR, SHORT_WINDOW

# With a stop that follows, which none does by default: the report draws its way.
LIVELY = {
    "risk": {"max_same_side": 3, **NEAR},
    "confluence": SHORT_WINDOW,
    "exits": {"trail_from": 0.5},
}


@pytest.fixture(scope="session")
def backtested(tmp_path_factory: pytest.TempPathFactory) -> tuple[Backtest, Path]:
    """A lively backtest on generated candles, and its data folder."""
    folder = tmp_path_factory.mktemp("backtest")
    pairs = ("BTC/USDT:USDT", "ETH/USDT:USDT")
    generate_folder(folder / "data", datetime(2025, 1, 1, tzinfo=UTC), days=45, pairs=pairs)
    with backtest_desk(folder / "data", folder / "user_data", pairs) as desk:
        result = desk.run("20250120-20250214", LIVELY, export="trades")
    return result, folder / "data"


@pytest.fixture(scope="session")
def backtest(backtested: tuple[Backtest, Path]) -> tuple[Path, Path]:
    """Export (a zip) and data folder of that backtest."""
    result, data = backtested
    assert result.export is not None
    return result.export, data


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened
