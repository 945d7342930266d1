"""Closed trades and what they were of: a backtest's result is read here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from freqtrade.data.btanalysis import (
    get_backtest_market_change,
    load_backtest_data,
    load_backtest_stats,
)
from freqtrade.exchange import timeframe_to_seconds

from bubbybot_freqtrade.risk.order_tag import Moves, read_levels, read_moves, read_regime
from bubbybot_freqtrade.risk.plan import TradeSide
from bubbybot_freqtrade.risk.r import r_at, r_multiple


@dataclass(frozen=True, slots=True)
class ReportTrade:
    """A closed trade. Rates, money in quote currency, amount in base currency, times UTC.

    `stop` is the first stop, `last_stop` where it stood at the end, `moves` what is known of the
    way between. `target`, `confidence` and `regime` are known where the plan was kept with the
    trade. `fee` is the share paid on entry, `fees` all that was paid, `funding` what was received
    (negative: paid); `profit` is net of both.
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
    last_stop: float = 0.0
    moves: Moves = field(default_factory=list)
    fees: float = 0.0
    funding: float = 0.0

    @property
    def r(self) -> float | None:
        """Profit in R; None without a stop."""
        if not self._has_stop or not self.amount > 0:
            return None
        return r_multiple(self.profit, self.amount, self.entry, self.stop, self.fee)

    @property
    def planned_r(self) -> float | None:
        """What the target would have paid in R; None without stop or target."""
        if not self._has_stop or not self.target:
            return None
        return r_at(self.target, self.entry, self.stop, self.fee)

    @property
    def _has_stop(self) -> bool:
        return self.stop > 0 and self.stop != self.entry


@dataclass(frozen=True, slots=True)
class Source:
    """What a report is about: closed trades by their end, and the account they began with.

    `candle` is how much later than dated a trade may have ended: a backtest dates ends by the start
    of their candle. `start` and `end` bound what was traded. `own` are freqtrade's figures for the
    same trades, `market` the mean change of the pairs' prices by date; a backtest brings both.
    """

    name: str
    trades: Sequence[ReportTrade]
    starting_balance: float | None
    timeframe: str
    candle: timedelta = timedelta(0)
    currency: str = "USDT"
    start: datetime | None = None
    end: datetime | None = None
    own: Mapping[str, Any] = field(default_factory=dict)
    market: pd.Series | None = None


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
        by_end(trades),
        float(result["starting_balance"]),
        str(result["timeframe"]),
        timedelta(seconds=timeframe_to_seconds(result["timeframe"])),
        str(result["stake_currency"]),
        _moment(result["backtest_start_ts"]),
        _moment(result["backtest_end_ts"]),
        result,
        _market(path),
    )


def _moment(milliseconds: float) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _market(path: Path) -> pd.Series | None:
    """What freqtrade has kept of the pairs' mean change; a json beside no zip has none."""
    if path.suffix != ".zip":
        return None
    try:
        frame = get_backtest_market_change(path, include_ts=False)
    except (OSError, ValueError, KeyError):
        # Not every freqtrade has written one.
        return None
    return frame.set_index("date")["rel_mean"]


def _from_backtest(number: int, row: dict[str, Any]) -> ReportTrade:
    entries = [order for order in row["orders"] if order["ft_is_entry"]]
    kept = str(entries[0].get("ft_order_tag") or "") if entries else ""
    levels = read_levels(kept)
    amount, entry, left = float(row["amount"]), float(row["open_rate"]), float(row["close_rate"])
    fee = float(row["fee_open"] or 0)
    return ReportTrade(
        number=number,
        pair=row["pair"],
        side="short" if row["is_short"] else "long",
        leverage=float(row["leverage"]),
        amount=amount,
        opened=pd.Timestamp(row["open_date"]).to_pydatetime(),
        closed=pd.Timestamp(row["close_date"]).to_pydatetime(),
        entry=entry,
        exit=left,
        stop=levels.get("stop") or float(row["initial_stop_loss_abs"] or 0),
        target=levels.get("target"),
        confidence=levels.get("confidence"),
        fee=fee,
        profit=float(row["profit_abs"]),
        tag=str(row["enter_tag"] or ""),
        exit_reason=str(row["exit_reason"]),
        regime=read_regime(kept),
        last_stop=float(row["stop_loss_abs"] or 0),
        moves=read_moves(kept),
        fees=amount * (entry * fee + left * float(row["fee_close"] or 0)),
        funding=float(row.get("funding_fees") or 0),
    )


def by_end(trades: Sequence[ReportTrade]) -> list[ReportTrade]:
    """Trades in the order of their ends."""
    return sorted(trades, key=lambda trade: (trade.closed, trade.number))
