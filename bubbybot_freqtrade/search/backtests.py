"""Backtests in this process, on candles of a folder or of a generated market.

freqtrade asks the exchange for its markets and leverage tiers even for a backtest; a sandbox on
loopback answers, so that nothing here needs a network or a key.
"""

import io
import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from freqtrade.configuration import Configuration
from freqtrade.enums import RunMode
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.resolvers import ExchangeResolver
from freqtrade.strategy import IStrategy

from bubbybot_freqtrade.sandbox.market.generator import GeneratedMarket
from bubbybot_freqtrade.sandbox.market.instruments import instrument
from bubbybot_freqtrade.sandbox.server import Sandbox
from bubbybot_freqtrade.sandbox.settings import SandboxSettings
from bubbybot_freqtrade.search.pair_by_pair import PairByPair
from bubbybot_freqtrade.strategy import BubbyBotStrategy

PAIRS = ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT")
STRATEGIES = Path("user_data/strategies")
STAKE = 10_000.0
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
BARS = {"15m": "15min", "1h": "1h", "4h": "4h"}
CANDLES = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}


def link_folder(source: Path, target: Path) -> None:
    """A data folder of links to `source`'s files, with the 4h candles added that it lacks.

    :raises FileNotFoundError: when `source` has no futures candles.
    """
    files = sorted((source / "futures").glob("*.feather"))
    if not files:
        raise FileNotFoundError(f"{source} holds no futures/*.feather candles.")
    made = target / "futures"
    made.mkdir(parents=True, exist_ok=True)
    for file in files:
        (made / file.name).symlink_to(file.resolve())
    for hours in made.glob("*-1h-futures.feather"):
        longer = made / hours.name.replace("-1h-", "-4h-")
        if not longer.exists():
            frame = pd.read_feather(hours).resample("4h", on="date").agg(CANDLES)
            frame.dropna().reset_index().to_feather(longer)


def generate_folder(
    target: Path, start: datetime, days: int, seed: int = 7, pairs: Sequence[str] = PAIRS
) -> None:
    """A data folder of the sandbox's generated market, in freqtrade's layout.

    Mark candles are the traded ones, as the sandbox has no others; the funding rate is 0.01 %.
    """
    folder = target / "futures"
    folder.mkdir(parents=True, exist_ok=True)
    first = int(start.timestamp() * 1000)
    contracts = {pair: instrument(_inst_id(pair)) for pair in pairs}
    source = GeneratedMarket(contracts.values(), seed=seed, start_ms=first, history_days=1)
    for pair, contract in contracts.items():
        minutes = source.minutes(contract.inst_id, first, first + days * DAY_MS)
        bars = minutes.bars.astype(float)
        lot = float(contract.lot_size * contract.contract_value)
        # Rounded to the tick: a whole number of ticks times a float is not.
        digits = len(f"{contract.tick_size:f}".partition(".")[2])
        frame = pd.DataFrame(
            (bars[:4] * float(contract.tick_size)).round(digits).T,
            columns=["open", "high", "low", "close"],
        )
        frame["volume"] = bars[4] * lot
        dates = pd.date_range(
            pd.Timestamp(minutes.start_ms, unit="ms", tz=UTC), periods=len(frame), freq="min"
        )
        frame.insert(0, "date", dates.as_unit("ms"))
        _write_candles(folder, pair, frame)


def _inst_id(pair: str) -> str:
    return pair.partition(":")[0].replace("/", "-")


def _write_candles(folder: Path, pair: str, minutes: pd.DataFrame) -> None:
    name = pair.replace("/", "_").replace(":", "_")
    for timeframe, rule in BARS.items():
        bars = minutes.resample(rule, on="date").agg(CANDLES).reset_index()
        bars.to_feather(folder / f"{name}-{timeframe}-futures.feather")
    hours = minutes.resample("1h", on="date").agg(CANDLES).reset_index()
    hours.to_feather(folder / f"{name}-1h-mark.feather")
    rate = hours.assign(open=0.0, high=0.0, low=0.0, close=0.0, volume=0.0)
    rate.loc[rate["date"].dt.hour % 8 == 0, "open"] = 1e-4
    rate.to_feather(folder / f"{name}-1h-funding_rate.feather")


@dataclass(frozen=True)
class Backtest:
    """What one backtest gave.

    :param trades: freqtrade's results frame, one row a trade; for a strategy that plans, with the
        plan's `plan_stop`, `plan_target`, `plan_risk`, `plan_equity` and `plan_confidence`
    :param seconds: processor time of analysis, simulation and report
    :param export: the written result file, when an export was asked for
    """

    trades: pd.DataFrame
    seconds: float
    export: Path | None = None


class BacktestDesk:
    """Runs backtests of one data folder, with the exchange and its markets loaded once."""

    def __init__(
        self, data: Path, user_data: Path, sandbox: Sandbox, pairs: Sequence[str] = PAIRS
    ) -> None:
        self.data = data
        self.user_data = user_data
        self.sandbox = sandbox
        self.pairs = pairs
        self.exchange: Any = None

    def config(
        self,
        timerange: str,
        bubbybot: Mapping[str, Any] | None = None,
        runmode: RunMode = RunMode.BACKTEST,
        **changes: Any,
    ) -> dict[str, Any]:
        """A checked freqtrade config; `changes` replace whole keys or command line options."""
        options = {
            "strategy": "BubbyBot",
            "strategy_path": str(STRATEGIES),
            "export": "none",
            "backtest_cache": "none",
        }
        options |= {key: changes.pop(key) for key in list(changes) if key in options}
        (self.user_data / "backtest_results").mkdir(parents=True, exist_ok=True)
        file = self.user_data / "config.json"
        file.write_text(json.dumps(self._settings(bubbybot) | changes))
        arguments = {
            "config": [str(file)],
            "user_data_dir": str(self.user_data),
            "datadir": str(self.data),
            "timerange": timerange,
            **options,
        }
        return dict(Configuration(arguments, runmode).get_config())

    def _settings(self, bubbybot: Mapping[str, Any] | None) -> dict[str, Any]:
        return {
            "dry_run": True,
            "dry_run_wallet": STAKE,
            "trading_mode": "futures",
            "margin_mode": "isolated",
            "stake_currency": "USDT",
            "stake_amount": "unlimited",
            "max_open_trades": len(self.pairs),
            "bubbybot": dict(bubbybot or {}),
            "entry_pricing": {"price_side": "other", "use_order_book": True},
            "exit_pricing": {"price_side": "other", "use_order_book": True},
            "pairlists": [{"method": "StaticPairList"}],
            "exchange": {
                "name": "blofin",
                "pair_whitelist": list(self.pairs),
                "ccxt_config": {"urls": {"api": {"rest": self.sandbox.url}}},
                "enable_ws": False,
            },
        }

    def run(
        self, timerange: str, bubbybot: Mapping[str, Any] | None = None, **changes: Any
    ) -> Backtest:
        """Backtest the strategy; `changes` as in `config`."""
        with quiet():
            config = self._ready(timerange, bubbybot, changes)
            try:
                backtesting = Backtesting(config, self.exchange, progress_callback=_no_bar)
                started = time.process_time()
                backtesting.start()
                seconds = time.process_time() - started
            finally:
                Backtesting.cleanup()
        name = config["strategy"]
        trades = backtesting.all_bt_content[name]["results"]
        trades = with_plans(trades, backtesting.strategy)
        return Backtest(trades, seconds, self._exported(config))

    def trades(
        self, timerange: str, bubbybot: Mapping[str, Any] | None = None, **changes: Any
    ) -> pd.DataFrame:
        """The trades that `run` would give, of more pairs than memory holds; nothing else."""
        with quiet():
            config = self._ready(timerange, bubbybot, changes)
            try:
                backtesting = PairByPair(config, self.exchange, progress_callback=_no_bar)
                trades = backtesting.play(backtesting.analyze(backtesting.strategylist[0]))
            finally:
                Backtesting.cleanup()
        return with_plans(trades, backtesting.strategy)

    def _ready(
        self, timerange: str, bubbybot: Mapping[str, Any] | None, changes: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The config of a backtest, with the exchange loaded."""
        config = self.config(timerange, bubbybot, **changes)
        if self.exchange is None:
            self.exchange = ExchangeResolver.load_exchange(config, load_leverage_tiers=True)
        return config

    def _exported(self, config: Mapping[str, Any]) -> Path | None:
        if config["export"] == "none":
            return None
        results = self.user_data / "backtest_results"
        return max(results.glob("*.zip"), key=lambda file: file.stat().st_mtime)


@contextmanager
def backtest_desk(
    data: Path, user_data: Path, pairs: Sequence[str] = PAIRS
) -> Iterator[BacktestDesk]:
    """A desk whose sandbox lives as long as the block."""
    instruments = tuple(map(_inst_id, pairs))
    with Sandbox(SandboxSettings(pairs=instruments, rate_limits=False)) as sandbox:
        yield BacktestDesk(data, user_data, sandbox, pairs)


def with_plans(trades: pd.DataFrame, strategy: IStrategy) -> pd.DataFrame:
    """Trades with their plans' `plan_…` columns; as they are when the strategy made none."""
    if not isinstance(strategy, BubbyBotStrategy):
        return trades
    made = {(plan.pair, opened): plan for (_, opened), plan in strategy.memory.plans.items()}
    if not made or trades.empty:
        return trades
    rows = [made[key] for key in zip(trades["pair"], trades["open_date"], strict=True)]
    fields = ("stop", "target", "risk", "equity", "confidence", "regime")
    return trades.assign(
        **{f"plan_{field}": [getattr(plan, field) for plan in rows] for field in fields}
    )


def _no_bar(*_args: Any, **_kwargs: Any) -> None:
    """Take freqtrade's progress, and show none."""


@contextmanager
def quiet() -> Iterator[None]:
    """freqtrade prints tables and bars of every run; they belong to single backtests."""
    logging.disable(logging.WARNING)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(logging.NOTSET)
