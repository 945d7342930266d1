"""The report's numbers: pure functions of closed trades."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from bubbybot_freqtrade.report.trades import ReportTrade


@dataclass(frozen=True, slots=True)
class Group:
    """Trades that have something in common; `mean_r` over those whose R is known."""

    name: str
    trades: int
    wins: int
    profit: float
    mean_r: float | None


def equity(trades: Sequence[ReportTrade], start: float) -> list[float]:
    """The account after each trade, the start first; `start` 0 gives the profit alone."""
    return list(accumulate((trade.profit for trade in trades), initial=start))


def drawdowns(curve: Sequence[float]) -> list[float]:
    """How far each point lies below the highest before it, in the curve's own unit (0 or less)."""
    return [value - peak for value, peak in zip(curve, accumulate(curve, max), strict=True)]


def known_r(trades: Iterable[ReportTrade]) -> list[float]:
    """R of the trades that have one."""
    return [trade.r for trade in trades if trade.r is not None]


def groups(trades: Iterable[ReportTrade], key: Callable[[ReportTrade], str]) -> list[Group]:
    """Trades by `key`, the most frequent first."""
    members: dict[str, list[ReportTrade]] = {}
    for trade in trades:
        members.setdefault(key(trade), []).append(trade)
    made = [_group(name, those) for name, those in members.items()]
    return sorted(made, key=lambda group: (-group.trades, group.name))


def _group(name: str, trades: Sequence[ReportTrade]) -> Group:
    rs = known_r(trades)
    return Group(
        name=name,
        trades=len(trades),
        wins=sum(trade.profit > 0 for trade in trades),
        profit=sum(trade.profit for trade in trades),
        mean_r=sum(rs) / len(rs) if rs else None,
    )


def histogram(values: Sequence[float], width: float = 0.5, most: float = 6.0) -> dict[float, int]:
    """Counts by the lower edge of bins of `width`; the outermost bins hold what lies beyond."""
    if not values:
        return {}
    steps = [round_down(min(max(value, -most), most - width / 2), width) for value in values]
    count = round((max(steps) - min(steps)) / width) + 1
    edges = [min(steps) + index * width for index in range(count)]
    return {edge: sum(abs(step - edge) < width / 4 for step in steps) for edge in edges}


def round_down(value: float, step: float) -> float:
    """The largest multiple of `step` not above `value`."""
    return float(value // step * step)
