"""A real backtest's export and a browser to open the page with."""

import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bubbybot_freqtrade.search.backtests import Backtest, backtest_desk, generate_folder

LIVELY = {"risk": {"max_same_side": 3}, "confluence": {"regime_filter": False}}


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
def browse(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Open a page in headless Chromium: its document as rendered, with a screenshot beside it."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if browser is None:
        pytest.skip("no Chromium on this machine (Debian: apt install chromium)")
    profile = tmp_path_factory.mktemp("browser")

    def look(page: Path, *options: str) -> str:
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        quiet = ["--disable-dev-shm-usage", f"--user-data-dir={profile}", "--window-size=1000,1400"]
        done = subprocess.run(
            [*command, *quiet, *options, page.as_uri()],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return done.stdout

    return look
