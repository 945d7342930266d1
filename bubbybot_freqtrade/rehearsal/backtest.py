"""The same range through freqtrade's own commands: `download-data`, then `backtesting`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from freqtrade.data.btanalysis import load_backtest_data
from freqtrade.exchange import timeframe_to_msecs

from bubbybot_freqtrade.rehearsal.run import Rehearsal
from bubbybot_freqtrade.rehearsal.settings import write_config
from bubbybot_freqtrade.risk.order_tag import read_levels
from bubbybot_freqtrade.sandbox.server import Sandbox

# Candles before the warm-up, so that its first ones have neighbours.
SPARE_CANDLES = 50


class BacktestError(RuntimeError):
    """A freqtrade command that failed; the message names its log."""


@dataclass(frozen=True, slots=True)
class BacktestTrade:
    """A trade of the backtest; units as in `TradeRecord`. `stop` is the first one.

    `planned` is the plan's stop, target and confidence, empty for a strategy without plans.
    """

    pair: str
    side: str
    leverage: float
    amount: float
    entry: float
    opened_ms: int
    exit: float
    closed_ms: int
    exit_reason: str
    stop: float
    net: float
    fees: float
    funding: float
    tag: str = ""
    planned: Mapping[str, float] = field(default_factory=dict)

    @property
    def sign(self) -> int:
        """1 for a long, -1 for a short."""
        return 1 if self.side == "long" else -1


def backtest(rehearsal: Rehearsal, sandbox: Sandbox) -> list[BacktestTrade]:
    """Download the rehearsal's candles from the sandbox and backtest its range.

    Candles, mark prices and funding rates land in the output folder's `data`, the result in its
    `backtest_results`, what the commands say in its `backtest.log`.
    """
    out = rehearsal.settings.out
    config = out / "backtest.json"
    write_config(_config(rehearsal.config), config)
    if sandbox.limits is not None:
        # The venue's clock stands still now; to it the whole download happens in one millisecond.
        sandbox.limits.lift_bans()
    span = rehearsal.span
    # A backtest needs the candle before its first entry inside the range.
    start = span.start_ms - timeframe_to_msecs(rehearsal.timeframe)
    first = min(data_start(rehearsal, timeframe) for timeframe in rehearsal.timeframes)
    log = out / "backtest.log"
    log.unlink(missing_ok=True)
    _freqtrade(
        log,
        *("download-data", "--config", str(config), "--trading-mode", "futures"),
        *("--timerange", f"{first // 1000}-{span.end_ms // 1000}"),
        *("--timeframes", *rehearsal.timeframes),
    )
    _freqtrade(
        log,
        *("backtesting", "--config", str(config), "--cache", "none"),
        *("--timerange", f"{start // 1000}-{span.end_ms // 1000}"),
        *("--export", "trades", "--backtest-directory", str(out / "backtest_results")),
    )
    frame = load_backtest_data(out / "backtest_results")
    return [_trade(row) for row in frame.to_dict("records")]


def _config(config: dict[str, Any]) -> dict[str, Any]:
    exchange = {k: v for k, v in config["exchange"].items() if k not in _KEYS}
    # The sandbox is on this machine and its limits are lifted: nobody to be polite to.
    exchange["ccxt_config"] = {**exchange["ccxt_config"], "enableRateLimit": False}
    exchange["ccxt_async_config"] = {}
    kept = {k: v for k, v in config.items() if k not in ("db_url", "log_config")}
    return {**kept, "dry_run": True, "exchange": exchange}


_KEYS = ("key", "secret", "password")


def data_start(rehearsal: Rehearsal, timeframe: str) -> int:
    """Where the candles of a timeframe's warm-up begin, ms."""
    candles = rehearsal.startup_candles + SPARE_CANDLES
    return max(rehearsal.span.start_ms - candles * timeframe_to_msecs(timeframe), 0)


def _freqtrade(log: Path, *arguments: str) -> None:
    with log.open("a", encoding="utf-8") as file:
        done = subprocess.run(  # noqa: S603 - our own interpreter, no shell
            [sys.executable, "-m", "freqtrade", *arguments],
            stdout=file,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    if done.returncode:
        raise BacktestError(f"freqtrade {arguments[0]} failed, see {log}")


def _trade(row: dict[str, Any]) -> BacktestTrade:
    value = row["amount"] * (row["open_rate"] + row["close_rate"])
    return BacktestTrade(
        pair=row["pair"],
        side="short" if row["is_short"] else "long",
        leverage=float(row["leverage"]),
        amount=float(row["amount"]),
        entry=float(row["open_rate"]),
        opened_ms=int(row["open_timestamp"]),
        exit=float(row["close_rate"]),
        closed_ms=int(row["close_timestamp"]),
        exit_reason=str(row["exit_reason"]),
        stop=float(row["initial_stop_loss_abs"]),
        net=float(row["profit_abs"]),
        fees=float(value * row["fee_open"]),
        funding=float(row["funding_fees"] or 0.0),
        tag=row["enter_tag"] or "",
        planned=read_levels(row["orders"][0].get("ft_order_tag") or ""),
    )
