"""What a list of trades comes to: figures of a walk-forward, and how much of them is luck."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from statistics import NormalDist

import numpy as np
import pandas as pd
from scipy import stats

MIN_TRADES = 15
"""Fewer trades than these say nothing of the settings that made them."""


@dataclass(frozen=True)
class Figures:
    """What a list of trades comes to. Shares of equity, daily ratios times √365."""

    trades: int
    profit: float
    profit_factor: float
    sharpe: float
    sortino: float
    drawdown: float
    win_rate: float
    mean_r: float
    fees: float
    funding: float

    HEAD = (
        "| | trades | profit | profit factor | Sharpe | Sortino | drawdown | win rate | mean R | "
        "fees | funding |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    )

    def row(self, name: str) -> str:
        """One line of a table under `HEAD`."""
        return (
            f"| {name} | {self.trades} | {self.profit:+.1%} | {self.profit_factor:.2f} | "
            f"{self.sharpe:.2f} | {self.sortino:.2f} | {self.drawdown:.1%} | {self.win_rate:.0%} | "
            f"{self.mean_r:+.2f} | {self.fees:.1%} | {self.funding:+.1%} |"
        )


def returns_of(trades: pd.DataFrame) -> pd.Series:
    """Profit of each trade as a share of the equity that it was planned with."""
    return trades["profit_abs"] / trades["plan_equity"]


def r_of(trades: pd.DataFrame) -> pd.Series:
    """R of each trade as in `bubbybot_freqtrade.risk.r`: the plan's risk is its planned loss."""
    return trades["profit_abs"] / trades["plan_risk"]


def daily(returns: pd.Series, dates: pd.Series, start: str, end: str) -> pd.Series:
    """Returns by the UTC day on which they were realised, zero on the others."""
    days = pd.date_range(start, end, freq="D", tz=UTC)
    return returns.groupby(dates.dt.floor("D")).sum().reindex(days, fill_value=0.0)


def drawdown(returns: pd.Series) -> float:
    """Largest fall of the compounded account from its peak, closed trades only."""
    account = np.concatenate([[1.0], (1 + returns.to_numpy()).cumprod()])
    return float((1 - account / np.maximum.accumulate(account)).max())


def ratio(mean: float, deviation: float) -> float:
    """Annual ratio of daily figures; 0 where nothing moves."""
    return mean / deviation * math.sqrt(365) if deviation > 0 else 0.0


def figures(trades: pd.DataFrame, start: str, end: str) -> Figures:
    """The figures of trades that were closed between two days."""
    trades = trades.sort_values("close_date")
    returns = returns_of(trades)
    days = daily(returns, trades["close_date"], start, end)
    won, lost = returns[returns > 0].sum(), -returns[returns < 0].sum()
    notional = trades["amount"] * (trades["open_rate"] + trades["close_rate"])
    return Figures(
        trades=len(trades),
        profit=float(np.prod(1 + returns.to_numpy(dtype=float)) - 1),
        profit_factor=float(won / lost) if lost else math.inf,
        sharpe=ratio(days.mean(), days.std()),
        sortino=ratio(days.mean(), math.sqrt((days.clip(upper=0) ** 2).mean())),
        drawdown=drawdown(returns),
        win_rate=float((returns > 0).mean()) if len(trades) else 0.0,
        mean_r=float(r_of(trades).mean()) if len(trades) else 0.0,
        fees=float((notional * trades["fee_open"] / trades["plan_equity"]).sum()),
        funding=float((trades["funding_fees"] / trades["plan_equity"]).sum()),
    )


def deflated_sharpe(days: pd.Series, sharpes: Sequence[float], tried: int) -> float:
    """Probability that the true Sharpe ratio is above zero after `tried` attempts.

    Bailey and López de Prado, The Deflated Sharpe Ratio (2014), equations 1 and 2; `sharpes` are
    the daily ratios of variants, from which the spread among attempts is taken.
    """
    normal, euler = NormalDist(), 0.5772156649
    spread = float(np.std(sharpes, ddof=1))
    best_of_luck = spread * (
        (1 - euler) * normal.inv_cdf(1 - 1 / tried)
        + euler * normal.inv_cdf(1 - 1 / (tried * math.e))
    )
    observed = float(days.mean() / days.std())
    skew, kurtosis = (
        float(stats.skew(days, bias=False)),
        float(stats.kurtosis(days, bias=False)) + 3,
    )
    error = math.sqrt(1 - skew * observed + (kurtosis - 1) / 4 * observed**2)
    return normal.cdf((observed - best_of_luck) * math.sqrt(len(days) - 1) / error)


def merit(trades: pd.DataFrame) -> float:
    """What the past is judged by: mean R over its standard error; nothing on few trades."""
    if len(trades) < MIN_TRADES:
        return -math.inf
    r = r_of(trades)
    return float(r.mean() / r.std() * math.sqrt(len(r)))
