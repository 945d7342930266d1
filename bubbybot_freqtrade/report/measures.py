"""The report's numbers: functions of closed trades; ratios of trades are freqtrade's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

import numpy as np
import pandas as pd
from freqtrade.data import metrics

from bubbybot_freqtrade.learning.results import ReportTrade, Source
from bubbybot_freqtrade.report.exits import exit_words

LEAST = 10
"""Trades of a group that is worth a look of its own."""

DAYS = 365
"""Of a year, in ratios."""

HISTOGRAM_STEP = 0.5
HISTOGRAM_END = 6.0


@dataclass(frozen=True, slots=True)
class Group:
    """Trades that have something in common; `mean_r` over those whose R is known."""

    name: str
    trades: int
    wins: int
    profit: float
    mean_r: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What closed trades come to. Money in quote currency; None where the account is not known.

    `sharpe`, `sortino` and `calmar` are as freqtrade takes them from trades, those of `daily_` of
    the account at the end of each UTC day (see `daily_ratios`). `drawdown` is the
    deepest in money and `drawdown_account` its share of the account then, `drawdown_share` the
    deepest share.
    """

    trades: int
    wins: int
    losses: int
    profit: float
    profit_share: float | None
    cagr: float | None
    profit_factor: float
    expectancy: float
    expectancy_ratio: float
    mean_r: float | None
    sum_r: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    sqn: float | None
    daily_sharpe: float | None
    daily_sortino: float | None
    daily_calmar: float | None
    drawdown: float
    drawdown_account: float | None
    drawdown_share: float | None
    exposure: float
    fees: float
    funding: float
    longest_winning_streak: int
    longest_losing_streak: int
    mean_duration: timedelta
    best: float
    worst: float
    trades_per_day: float


def frame(trades: Iterable[ReportTrade]) -> pd.DataFrame:
    """A row a trade, with the columns that freqtrade's own functions and tools read by name."""
    rows = [
        {
            "number": trade.number,
            "pair": trade.pair,
            "is_short": trade.side == "short",
            "leverage": trade.leverage,
            "amount": trade.amount,
            "open_date": trade.opened,
            "close_date": trade.closed,
            "open_rate": trade.entry,
            "close_rate": trade.exit,
            "initial_stop_loss_abs": trade.stop,
            "stop_loss_abs": trade.last_stop,
            "target": trade.target,
            "confidence": trade.confidence,
            "fees": trade.fees,
            "funding_fees": trade.funding,
            "profit_abs": trade.profit,
            "r": trade.r,
            "exit_reason": trade.exit_reason,
            "exit": exit_words(trade),
            "enter_tag": trade.tag,
            "regime": trade.regime,
        }
        for trade in trades
    ]
    made = pd.DataFrame(rows)
    for name in ("open_date", "close_date"):
        if name in made:
            made[name] = pd.to_datetime(made[name], utc=True)
    return made


def figures(source: Source) -> Figures:
    """The figures of a source that has trades.

    :raises ValueError: when it has none.
    """
    trades, table = source.trades, frame(source.trades)
    if not trades:
        raise ValueError("There is no closed trade.")
    start, end = bounds(source)
    balance = source.starting_balance or 0.0
    profits = table["profit_abs"]
    won, lost = profits[profits > 0].sum(), profits[profits < 0].sum()
    expectancy, expectancy_ratio = metrics.calculate_expectancy(table)
    fall = metrics.calculate_max_drawdown(table, starting_balance=balance)
    deepest = metrics.calculate_max_drawdown(table, starting_balance=balance, relative=True)
    rs = known_r(trades)
    days = (end - start).days or 1

    def of_account(
        ratio: Callable[[pd.DataFrame, datetime, datetime, float], float],
    ) -> float | None:
        return float(ratio(table, start, end, balance)) if balance else None

    sharpe, sortino, calmar = daily_ratios(daily_returns(source)) if balance else (None,) * 3
    return Figures(
        trades=len(trades),
        wins=int((profits > 0).sum()),
        losses=int((profits < 0).sum()),
        profit=float(profits.sum()),
        profit_share=float(profits.sum() / balance) if balance else None,
        cagr=metrics.calculate_cagr(days, balance, balance + profits.sum()) if balance else None,
        profit_factor=float(won / -lost) if lost else math.inf,
        expectancy=float(expectancy),
        expectancy_ratio=float(expectancy_ratio),
        mean_r=sum(rs) / len(rs) if rs else None,
        sum_r=sum(rs) if rs else None,
        sharpe=of_account(metrics.calculate_sharpe),
        sortino=of_account(metrics.calculate_sortino),
        calmar=of_account(metrics.calculate_calmar),
        sqn=float(metrics.calculate_sqn(table, balance)) if balance else None,
        daily_sharpe=sharpe,
        daily_sortino=sortino,
        daily_calmar=calmar,
        drawdown=float(fall.drawdown_abs),
        drawdown_account=float(fall.relative_account_drawdown) if balance else None,
        drawdown_share=float(deepest.relative_account_drawdown) if balance else None,
        exposure=exposure(trades, start, end),
        fees=sum(trade.fees for trade in trades),
        funding=sum(trade.funding for trade in trades),
        longest_winning_streak=longest_streak(trades, won=True),
        longest_losing_streak=longest_streak(trades, won=False),
        mean_duration=sum((t.closed - t.opened for t in trades), timedelta()) / len(trades),
        best=float(profits.max()),
        worst=float(profits.min()),
        trades_per_day=len(trades) / days,
    )


def daily_ratios(returns: pd.Series) -> tuple[float | None, float | None, float | None]:
    """Sharpe, Sortino and Calmar of daily returns for a year of 365 days, as QuantStats has them.

    Sharpe: mean over standard deviation. Sortino: mean over the root of the mean square of the
    losses, days without one counting as 0. Calmar: growth a year over the deepest drawdown. None
    where the divisor is 0 or not known.
    """
    account = np.concatenate([[1.0], (1 + returns).cumprod()])
    fall = float((1 - account / np.maximum.accumulate(account)).max())
    losses = math.sqrt((returns.clip(upper=0) ** 2).mean())
    year = math.sqrt(DAYS)
    growth = float(account[-1]) ** (DAYS / len(returns)) - 1
    return (
        _ratio(year * returns.mean(), returns.std()),
        _ratio(year * returns.mean(), losses),
        _ratio(growth, fall),
    )


def _ratio(value: float, divisor: float) -> float | None:
    return float(value / divisor) if divisor > 0 else None


def bounds(source: Source) -> tuple[datetime, datetime]:
    """From when to when was traded."""
    opened = min(trade.opened for trade in source.trades)
    closed = max(trade.closed for trade in source.trades)
    return source.start or opened, source.end or closed


def account_curve(source: Source) -> pd.Series:
    """The account (or without one the profit) after each closed trade, by its time.

    Begins with the start of trading; trades that closed at once are one point.
    """
    start, _ = bounds(source)
    balance = source.starting_balance or 0.0
    closed = pd.DatetimeIndex(pd.to_datetime([trade.closed for trade in source.trades], utc=True))
    profits = pd.Series([trade.profit for trade in source.trades], index=closed)
    after = balance + profits.groupby(level=0).sum().cumsum()
    before = pd.Series([balance], index=pd.DatetimeIndex([start]))
    curve = pd.concat([before, after])
    return curve[~curve.index.duplicated(keep="last")]


def daily_account(source: Source) -> pd.Series:
    """The account at the end of each UTC day, from the day before the first."""
    curve = account_curve(source)
    _, end = bounds(source)
    days = curve.resample("1D").last()
    days = days.reindex(pd.date_range(days.index[0], pd.Timestamp(end).floor("D"), freq="D"))
    first = pd.Series(
        [source.starting_balance or 0.0], index=[days.index[0] - pd.Timedelta(days=1)]
    )
    return pd.concat([first, days.ffill()]).rename("account").rename_axis("date")


def daily_returns(source: Source) -> pd.Series:
    """Share that each UTC day made of the account before it, as QuantStats reads returns.

    :raises ValueError: when the account is not known.
    """
    if not source.starting_balance:
        raise ValueError(f"{source.name}: what the account began with is not known.")
    return daily_account(source).pct_change().iloc[1:].rename("return")


def drawdowns(curve: pd.Series) -> pd.Series:
    """How far each point lies below the highest before it, in the curve's own unit (0 or less)."""
    return curve - curve.cummax()


def months(source: Source) -> list[tuple[str, Group, float | None]]:
    """Trades by the month of their end, and what it made of the account at its start."""
    found = groups(source.trades, lambda trade: f"{trade.closed:%Y-%m}")
    account = source.starting_balance
    made = []
    for group in sorted(found, key=lambda group: group.name):
        made.append((group.name, group, group.profit / account if account else None))
        account = account + group.profit if account else None
    return made


def exposure(trades: Iterable[ReportTrade], start: datetime, end: datetime) -> float:
    """Share of the time in which at least one trade was open."""
    inside, until = timedelta(), start
    for trade in sorted(trades, key=lambda trade: trade.opened):
        inside += max(trade.closed - max(trade.opened, until), timedelta())
        until = max(until, trade.closed)
    return inside / (end - start) if end > start else 0.0


def longest_streak(trades: Iterable[ReportTrade], *, won: bool) -> int:
    """Most trades in a row, by their end, that won (or did not)."""
    runs = groupby(trades, key=lambda trade: trade.profit > 0)
    return max((len(list(run)) for result, run in runs if result == won), default=0)


def known_r(trades: Iterable[ReportTrade]) -> list[float]:
    """R of the trades that have one."""
    return [trade.r for trade in trades if trade.r is not None]


def groups(trades: Iterable[ReportTrade], key: Callable[[ReportTrade], str]) -> list[Group]:
    """Trades by `key`, the most frequent first."""
    members: dict[str, list[ReportTrade]] = {}
    for trade in trades:
        members.setdefault(key(trade), []).append(trade)
    made = [group_of(name, those) for name, those in members.items()]
    return sorted(made, key=lambda group: (-group.trades, group.name))


def group_of(name: str, trades: Sequence[ReportTrade]) -> Group:
    """These trades as one group."""
    rs = known_r(trades)
    return Group(
        name=name,
        trades=len(trades),
        wins=sum(trade.profit > 0 for trade in trades),
        profit=sum(trade.profit for trade in trades),
        mean_r=sum(rs) / len(rs) if rs else None,
    )


@dataclass(frozen=True, slots=True)
class Expectation:
    """What trades of a confidence were planned to do beside what they did.

    :param needed: share of wins at which their targets and stops alone would break even
    :param won: share that ended with a profit
    """

    name: str
    trades: int
    planned_r: float
    needed: float
    won: float
    mean_r: float


def expectations(trades: Sequence[ReportTrade]) -> list[Expectation]:
    """By confidence in steps of 0.05, and all; of trades whose plan is known."""
    planned = [t for t in trades if t.planned_r is not None and t.confidence is not None]
    steps: dict[str, list[ReportTrade]] = {}
    for trade in planned:
        low = min(math.floor(round((trade.confidence or 0.0) * 20, 6)) / 20, 0.95)
        steps.setdefault(f"{low:.2f} to {low + 0.05:.2f}", []).append(trade)
    made = [_expectation(name, those) for name, those in sorted(steps.items())]
    return [*made, _expectation("all", planned)] if len(made) > 1 else made


def _expectation(name: str, trades: Sequence[ReportTrade]) -> Expectation:
    promised = [trade.planned_r or 0.0 for trade in trades]
    rs = known_r(trades)
    return Expectation(
        name=name,
        trades=len(trades),
        planned_r=sum(promised) / len(promised),
        needed=float(np.mean([1 / (1 + promise) for promise in promised])),
        won=sum(trade.profit > 0 for trade in trades) / len(trades),
        mean_r=sum(rs) / len(rs),
    )


def histogram(values: Sequence[float]) -> dict[float, int]:
    """Counts by the middle of bins of half an R; the outermost hold what lies beyond.

    Middles are whole and half numbers, so that a stop with its slippage counts as −1.
    """
    if not values:
        return {}
    steps = np.clip(np.array(values), -HISTOGRAM_END, HISTOGRAM_END) / HISTOGRAM_STEP
    middles = np.floor(steps + 0.5).astype(int)
    counts = np.bincount(middles - middles.min())
    return {
        float((index + middles.min()) * HISTOGRAM_STEP): int(n) for index, n in enumerate(counts)
    }


def utc(moment: datetime) -> str:
    """A moment as the page shows it."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
