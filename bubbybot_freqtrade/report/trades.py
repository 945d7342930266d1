"""Trades of a database or of a backtest's result, as the report needs them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from freqtrade.data.btanalysis import load_backtest_data, load_backtest_stats
from freqtrade.exchange import timeframe_to_seconds
from freqtrade.persistence import Trade

from bubbybot_freqtrade.commands.trades_database import looked_at
from bubbybot_freqtrade.commands.user_config import database_url
from bubbybot_freqtrade.risk.order_tag import read_levels, read_regime
from bubbybot_freqtrade.risk.plan import PLAN, TradeSide
from bubbybot_freqtrade.risk.r import r_multiple


@dataclass(frozen=True, slots=True)
class ReportTrade:
    """A closed trade. Rates and profit in quote currency, amount in base currency, times UTC.

    `stop` is the first stop. `target`, `confidence` and `regime` are known where the plan was kept
    with the trade: in a bot's database, not in a backtest's result.
    """

    number: int
    pair: str
    side: TradeSide
    leverage: float
    amount: float
    opened: datetime
    closed: datetime
    entry: float
    exit: float
    stop: float
    target: float | None
    confidence: float | None
    fee: float
    profit: float
    tag: str
    exit_reason: str
    regime: str = ""

    @property
    def r(self) -> float | None:
        """Profit in R; None without a stop."""
        if not self.stop > 0 or self.stop == self.entry or not self.amount > 0:
            return None
        return r_multiple(self.profit, self.amount, self.entry, self.stop, self.fee)


@dataclass(frozen=True, slots=True)
class Source:
    """What a report is about: closed trades by their end, and the account they began with.

    `candle` is how much later than dated a trade may have ended: a backtest dates ends by the start
    of their candle.
    """

    name: str
    trades: Sequence[ReportTrade]
    starting_balance: float | None
    timeframe: str
    candle: timedelta = timedelta(0)


def read_database(url: str) -> Source:
    """The closed trades of freqtrade's database at `url`.

    :raises ConfigurationError, SQLAlchemyError: when it cannot be read.
    """
    name = Path(database_url(url).database or "").name
    with looked_at(url):
        rows = Trade.get_trades([Trade.is_open.is_(False)]).all()
        trades = [_from_database(trade) for trade in rows if trade.amount_requested]
        plans = [trade.get_custom_data(PLAN) for trade in sorted(rows, key=lambda t: t.open_date)]
        equity = next((float(plan["equity"]) for plan in plans if plan), None)
    return Source(f"database {name}", _by_end(trades), equity, "15m")


def _from_database(trade: Trade) -> ReportTrade:
    plan: dict[str, Any] = trade.get_custom_data(PLAN) or {}
    filled = sum(o.safe_filled for o in trade.orders if o.ft_order_side == trade.entry_side)
    return ReportTrade(
        number=trade.id,
        pair=trade.pair,
        side="short" if trade.is_short else "long",
        leverage=float(trade.leverage or 1),
        amount=float(filled or trade.amount),
        opened=trade.open_date_utc,
        closed=trade.close_date_utc,
        entry=float(trade.open_rate),
        exit=float(trade.close_rate or 0),
        stop=float(plan.get("stop") or trade.initial_stop_loss or 0),
        target=plan.get("target"),
        confidence=plan.get("confidence"),
        fee=float(trade.fee_open or 0),
        profit=float(trade.close_profit_abs or 0),
        tag=trade.enter_tag or "",
        exit_reason=trade.exit_reason or "",
        regime=plan.get("regime", ""),
    )


def read_backtest(path: Path) -> Source:
    """The trades of a backtest: its zip or json, or a folder, of which the newest counts.

    :raises ValueError: when there is none, or it is of several strategies.
    """
    stats = load_backtest_stats(path)
    strategies = list(stats["strategy"])
    if len(strategies) != 1:
        raise ValueError(f"{path} has results of {', '.join(strategies)}; a report is of one.")
    result = stats["strategy"][strategies[0]]
    frame = load_backtest_data(path)
    rows: list[dict[str, Any]] = frame.to_dict("records")
    trades = [_from_backtest(number, row) for number, row in enumerate(rows, start=1)]
    return Source(
        f"backtest of {strategies[0]}, {result['backtest_start']} to {result['backtest_end']}",
        _by_end(trades),
        float(result["starting_balance"]),
        str(result["timeframe"]),
        timedelta(seconds=timeframe_to_seconds(result["timeframe"])),
    )


def _from_backtest(number: int, row: dict[str, Any]) -> ReportTrade:
    entries = [order for order in row["orders"] if order["ft_is_entry"]]
    kept = str(entries[0].get("ft_order_tag") or "") if entries else ""
    levels = read_levels(kept)
    return ReportTrade(
        number=number,
        pair=row["pair"],
        side="short" if row["is_short"] else "long",
        leverage=float(row["leverage"]),
        amount=float(row["amount"]),
        opened=pd.Timestamp(row["open_date"]).to_pydatetime(),
        closed=pd.Timestamp(row["close_date"]).to_pydatetime(),
        entry=float(row["open_rate"]),
        exit=float(row["close_rate"]),
        stop=levels.get("stop") or float(row["initial_stop_loss_abs"] or 0),
        target=levels.get("target"),
        confidence=levels.get("confidence"),
        fee=float(row["fee_open"] or 0),
        profit=float(row["profit_abs"]),
        tag=str(row["enter_tag"] or ""),
        exit_reason=str(row["exit_reason"]),
        regime=read_regime(kept),
    )


def _by_end(trades: Sequence[ReportTrade]) -> list[ReportTrade]:
    return sorted(trades, key=lambda trade: (trade.closed, trade.number))
