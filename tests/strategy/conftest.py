"""Backtests of the strategy on a generated market, and a strategy with a real database."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import RunMode
from freqtrade.persistence import PairLocks, Trade, init_db
from freqtrade.plugins.pairlistmanager import PairListManager
from freqtrade.resolvers import ExchangeResolver, StrategyResolver
from freqtrade.wallets import Wallets

from bubbybot_freqtrade.search.backtests import (
    Backtest,
    BacktestDesk,
    backtest_desk,
    generate_folder,
    link_folder,
)
from tests.lively import SHORT_WINDOW
from tests.places import RECORDED

# Every signal of a lively bot: the rules have to hold for the many, not for the chosen few.
LIVELY = {"risk": {"max_same_side": 3}, "confluence": SHORT_WINDOW}
SPAN = "20250301-20250430"


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BacktestDesk]:
    folder = tmp_path_factory.mktemp("generated")
    generate_folder(folder / "data", datetime(2025, 1, 1, tzinfo=UTC), days=120)
    with backtest_desk(folder / "data", folder / "user_data") as made:
        yield made


@pytest.fixture(scope="session")
def lively(desk: BacktestDesk) -> Backtest:
    return desk.run(SPAN, LIVELY, export="signals")


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BacktestDesk]:
    source = RECORDED / "binance-15m"
    if not (source / "futures").exists():
        pytest.skip(f"no recorded candles in {source}")
    folder = tmp_path_factory.mktemp("recorded")
    link_folder(source, folder / "data")
    with backtest_desk(folder / "data", folder / "user_data") as made:
        yield made


class Bot:
    """The strategy as freqtrade holds it in dry-run: exchange, wallets and database are real."""

    def __init__(self, desk: BacktestDesk, database: str, **bubbybot: object) -> None:
        self.config = desk.config(SPAN, bubbybot, RunMode.DRY_RUN) | {"timeframe": "15m"}
        init_db(database)
        PairLocks.timeframe = "15m"
        self.exchange = ExchangeResolver.load_exchange(self.config, load_leverage_tiers=True)
        self.strategy = StrategyResolver.load_strategy(self.config)
        self.strategy.dp = DataProvider(self.config, self.exchange)
        pairlists = PairListManager(self.exchange, self.config, self.strategy.dp)
        pairlists.refresh_pairlist()
        self.strategy.dp.add_pairlisthandler(pairlists)
        self.strategy.wallets = Wallets(self.config, self.exchange)
        self.strategy.ft_bot_start()


@pytest.fixture
def restart(desk: BacktestDesk, tmp_path: Path) -> Iterator[Callable[..., Bot]]:
    """Start a bot with these settings on this test's database; called again, it finds that one."""
    yield lambda **bubbybot: Bot(desk, f"sqlite:///{tmp_path}/trades.sqlite", **bubbybot)
    Trade.session.remove()


@pytest.fixture
def bot(restart: Callable[[], Bot]) -> Bot:
    return restart()
