"""Figures as the page shows them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bubbybot_freqtrade.learning.results import Source
from bubbybot_freqtrade.report import measures
from bubbybot_freqtrade.report.measures import Figures

MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip

UNKNOWN = "–"
LEAST_DAYS = 30
"""Of trading before a figure of a year is shown: one good day would make trillions of percent."""

# freqtrade's word for a ratio that nothing divides: no losing day, or only one trade.
NO_RATIO = -100.0


@dataclass(frozen=True, slots=True)
class Row:
    """A figure: as reckoned here, as freqtrade's result has it, and of daily returns."""

    name: str
    value: str
    own: str = ""
    daily: str = ""
    note: str = ""


def number(value: float | None, pattern: str = "%.2f") -> str:
    """A number by a printf pattern, whose comma asks for thousands; a dash where there is none."""
    if value is None or math.isnan(value) or value == NO_RATIO:
        return UNKNOWN
    if math.isinf(value):
        return "∞"
    return f"{value:{pattern.removeprefix('%')}}".replace("-", "−")


def _share(value: float | None, pattern: str = "%+.2f") -> str:
    return UNKNOWN if value is None else f"{number(100 * value, pattern)} %"


def _whole(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.0f}"


def duration(value: timedelta) -> str:
    """Days, hours and minutes."""
    minutes = round(value.total_seconds() / 60)
    days, hours = divmod(minutes // 60, 24)
    day = f"{days}d " if days else ""
    return f"{day}{hours}h {minutes % 60:02d}m"


def of_a_year(source: Source) -> bool:
    """Whether trading has lasted long enough for figures of a year."""
    start, end = measures.bounds(source)
    return end - start >= timedelta(days=LEAST_DAYS)


def tiles(told: Figures, source: Source) -> list[dict[str, str]]:
    """The page's first numbers."""
    currency = source.currency
    profit = f"{number(told.profit, '%+,.2f')}"
    made = [
        (f"profit, {currency}", profit, _tone(told.profit)),
        ("of the account", _share(told.profit_share), _tone(told.profit)),
        ("mean R", number(told.mean_r, "%+.3f"), _tone(told.mean_r)),
        (f"trades, {100 * told.wins / told.trades:.0f} % won", f"{told.trades:,}", ""),
        ("profit factor", number(told.profit_factor), ""),
        ("Sharpe, daily", number(told.daily_sharpe if of_a_year(source) else None), ""),
        (
            "deepest drawdown",
            _share(told.drawdown_share, "%.2f")
            if told.drawdown_share is not None
            else number(told.drawdown, "%,.2f"),
            "down",
        ),
    ]
    return [{"name": name, "value": value, "tone": tone} for name, value, tone in made]


def _tone(value: float | None) -> str:
    return "" if not value else "up" if value > 0 else "down"


def rows(told: Figures, source: Source) -> list[Row]:
    """All figures, with freqtrade's own of the same trades beside them where it has any."""
    own, currency = source.own, source.currency

    def theirs(name: str, show: Any = number) -> str:
        return show(own[name]) if name in own else ""

    def yearly(value: float | None) -> float | None:
        return value if of_a_year(source) else None

    money = "%+,.2f"
    return [
        Row("Profit", number(told.profit, money), theirs("profit_total_abs", _money), "", currency),
        Row(
            "Profit, share of the start", _share(told.profit_share), theirs("profit_total", _share)
        ),
        Row("Growth a year (CAGR)", _share(yearly(told.cagr)), theirs("cagr", _share)),
        Row("Trades", _whole(told.trades), theirs("total_trades", _whole)),
        Row("Won", _share(told.wins / told.trades, "%.2f"), theirs("winrate", _plain_share)),
        Row("Profit factor", number(told.profit_factor), theirs("profit_factor")),
        Row("Expectancy", number(told.expectancy), theirs("expectancy"), "", f"{currency} a trade"),
        Row("Expectancy ratio", number(told.expectancy_ratio), theirs("expectancy_ratio")),
        Row("Mean R", number(told.mean_r, "%+.3f")),
        Row("Sum of R", number(told.sum_r, "%+.2f")),
        Row(
            "Sharpe",
            number(yearly(told.sharpe)),
            theirs("sharpe"),
            number(yearly(told.daily_sharpe)),
        ),
        Row(
            "Sortino",
            number(yearly(told.sortino)),
            theirs("sortino"),
            number(yearly(told.daily_sortino)),
        ),
        Row(
            "Calmar",
            number(yearly(told.calmar)),
            theirs("calmar"),
            number(yearly(told.daily_calmar)),
        ),
        Row("SQN", number(told.sqn), theirs("sqn")),
        Row(
            "Deepest drawdown",
            number(told.drawdown, "%,.2f"),
            theirs("max_drawdown_abs", _plain_money),
            note=currency,
        ),
        Row(
            "Its share of the account",
            _share(told.drawdown_account, "%.2f"),
            theirs("max_drawdown_account", _plain_share),
        ),
        Row(
            "Deepest drawdown by share",
            _share(told.drawdown_share, "%.2f"),
            theirs("max_relative_drawdown", _plain_share),
        ),
        Row("Exposure", _share(told.exposure, "%.1f"), note="time with a trade open"),
        Row("Fees", number(-told.fees, money), note=currency),
        Row("Funding", number(told.funding, money), note=currency),
        Row(
            "Longest row of wins",
            _whole(told.longest_winning_streak),
            theirs("max_consecutive_wins", _whole),
        ),
        Row(
            "Longest row of losses",
            _whole(told.longest_losing_streak),
            theirs("max_consecutive_losses", _whole),
        ),
        Row("Mean duration", duration(told.mean_duration), theirs("holding_avg_s", _seconds)),
        Row("Best trade", number(told.best, money), note=currency),
        Row("Worst trade", number(told.worst, money), note=currency),
        Row("Trades a day", number(told.trades_per_day), theirs("trades_per_day")),
    ]


def _money(value: float) -> str:
    return number(value, "%+,.2f")


def _plain_money(value: float) -> str:
    return number(value, "%,.2f")


def _plain_share(value: float) -> str:
    return _share(value, "%.2f")


def _seconds(value: float) -> str:
    return duration(timedelta(seconds=value))


def years(source: Source) -> list[dict[str, Any]]:
    """Rows of the months' table: a cell a month, and the year's sum."""
    found: dict[str, dict[int, tuple[measures.Group, float | None]]] = {}
    for name, group, share in measures.months(source):
        year, _, month = name.partition("-")
        found.setdefault(year, {})[int(month)] = (group, share)
    return [_year(year, cells) for year, cells in found.items()]


def _year(name: str, found: Mapping[int, tuple[measures.Group, float | None]]) -> dict[str, Any]:
    cells = [_month(found[month]) if month in found else _EMPTY for month in range(1, 13)]
    shares = [share for _, share in found.values()]
    profit = sum(group.profit for group, _ in found.values())
    if None in shares:
        value = number(profit, "%+,.0f")
    else:
        value = f"{number(100 * (math.prod(1 + (share or 0) for share in shares) - 1), '%+.1f')} %"
    return {"name": name, "cells": cells, "value": value, "tone": _tone(profit)}


_EMPTY = {"value": "", "tone": "", "told": ""}


def _month(cell: tuple[measures.Group, float | None]) -> dict[str, str]:
    group, share = cell
    return {
        "value": number(group.profit, "%+,.0f") if share is None else number(100 * share, "%+.1f"),
        "tone": _tone(group.profit),
        "told": f"{group.name}: {group.profit:+,.2f}, {group.trades} trades, {group.wins} won",
    }
