"""Charts as SVG texts, styled by the page; no script, no library, readable without a network."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape

import pandas as pd

from bubbybot_freqtrade.report.trades import ReportTrade
from bubbybot_freqtrade.strategy.messages import price

WIDTH, HEIGHT = 900.0, 220.0
LEFT, RIGHT, TOP, BOTTOM = 70.0, 120.0, 12.0, 24.0
WIDEST_BAR = 40.0


class Scale:
    """Values to coordinates on one axis."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        # A flat line gets room on both sides.
        room = (high - low) * 0.04 or abs(high) * 0.01 or 1.0
        self.low, self.high = low - room, high + room
        self._start, self._end = start, end

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self._start + share * (self._end - self._start), 1)


def line_chart(curve: Sequence[float], label: str, css: str) -> str:
    """A line over the trades' numbers, filled down (or up) to where it starts."""
    scale = Scale(min(curve), max(curve), HEIGHT - BOTTOM, TOP)
    step = (WIDTH - LEFT - RIGHT) / max(len(curve) - 1, 1)
    points = [(round(LEFT + i * step, 1), scale(value)) for i, value in enumerate(curve)]
    path = " ".join(f"{x},{y}" for x, y in points)
    base = scale(curve[0])
    area = f"{points[0][0]},{base} {path} {points[-1][0]},{base}"
    marks = _axis(scale, sorted({min(curve), curve[0], curve[-1], max(curve)}))
    body = f'<polygon class="area {css}" points="{area}"/><polyline class="{css}" points="{path}"/>'
    return _svg(label, marks + body)


def bar_chart(bars: Mapping[str, float], label: str, unit: str) -> str:
    """One bar for each name, up or down from zero, its number in a tooltip."""
    values = [*bars.values(), 0.0]
    scale = Scale(min(values), max(values), HEIGHT - BOTTOM, TOP)
    step = (WIDTH - LEFT - RIGHT) / max(len(bars), 1)
    parts = [_axis(scale, sorted({min(values), 0.0, max(values)}))]
    for index, (name, value) in enumerate(bars.items()):
        middle = LEFT + (index + 0.5) * step
        width = min(step * 0.7, WIDEST_BAR) if value else 0.0
        top, bottom = sorted((scale(value), scale(0.0)))
        css = "up" if value >= 0 else "down"
        parts.append(
            f'<rect class="{css}" x="{middle - width / 2:.1f}" y="{top}" width="{width:.1f}" '
            f'height="{max(bottom - top, 0.5):.1f}"><title>{escape(name)}: {value:g} {unit}</title>'
            f'</rect><text class="tick" x="{middle:.1f}" y="{HEIGHT - 6}" '
            f'text-anchor="middle">{escape(name)}</text>'
        )
    return _svg(label, "".join(parts))


def trade_chart(trade: ReportTrade, candles: pd.DataFrame) -> str:
    """Candles around a trade with entry, exit, stop and target.

    :param candles: columns date, open, high, low, close; not empty
    """
    levels = [trade.entry, trade.exit, trade.stop, *([trade.target] if trade.target else [])]
    levels = [level for level in levels if level > 0]
    low = min(float(candles["low"].min()), *levels)
    high = max(float(candles["high"].max()), *levels)
    scale = Scale(low, high, HEIGHT - BOTTOM, TOP)
    step = (WIDTH - LEFT - RIGHT) / len(candles)
    parts = [_candle(row, LEFT + (i + 0.5) * step, step, scale) for i, row in _rows(candles)]
    inside = [LEFT + (_position(candles, t) + 0.5) * step for t in (trade.opened, trade.closed)]
    named = {"stop": trade.stop, "entry": trade.entry, "target": trade.target}
    for name, level in named.items():
        if level:
            parts.append(_level(name, level, inside[0], scale))
    for name, x, level in (
        ("entry", inside[0], trade.entry),
        ("exit", inside[1], trade.exit),
    ):
        parts.append(
            f'<circle class="{name}" cx="{x:.1f}" cy="{scale(level)}" r="4">'
            f"<title>{name} {price(level)}</title></circle>"
        )
    first, last = (f"{candles['date'].iat[i]:%m-%d %H:%M}" for i in (0, -1))
    parts.append(
        f'<text class="tick" x="{LEFT}" y="{HEIGHT - 6}">{first}</text>'
        f'<text class="tick" x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" text-anchor="end">{last}</text>'
    )
    return _svg(f"{trade.pair} trade {trade.number}", "".join(parts))


def _rows(candles: pd.DataFrame) -> list[tuple[int, tuple[float, ...]]]:
    columns = candles[["open", "high", "low", "close"]].to_numpy(dtype=float)
    return [(index, tuple(row)) for index, row in enumerate(columns.tolist())]


def _position(candles: pd.DataFrame, moment: datetime) -> int:
    # freqtrade's files are in milliseconds; pandas refuses to look up microseconds in them.
    found = int(candles["date"].searchsorted(pd.Timestamp(moment).floor("s"), side="right")) - 1
    return min(max(found, 0), len(candles) - 1)


def _candle(row: tuple[float, ...], x: float, step: float, scale: Scale) -> str:
    opened, high, low, closed = row
    css = "up" if closed >= opened else "down"
    top, bottom = sorted((scale(opened), scale(closed)))
    return (
        f'<path class="{css}" d="M{x:.1f} {scale(high)}V{scale(low)}"/>'
        f'<rect class="{css}" x="{x - step * 0.35:.1f}" y="{top}" width="{step * 0.7:.1f}" '
        f'height="{max(bottom - top, 0.5):.1f}"/>'
    )


def _level(name: str, level: float, x: float, scale: Scale) -> str:
    y = scale(level)
    return (
        f'<path class="level {name}" d="M{x:.1f} {y}H{WIDTH - RIGHT}"/>'
        f'<text class="{name}" x="{WIDTH - RIGHT + 4}" y="{y + 4:.1f}">'
        f"{name} {price(level)}</text>"
    )


def _axis(scale: Scale, values: Sequence[float]) -> str:
    drawn: list[str] = []
    at: list[float] = []
    for value in values:
        y = scale(value)
        if any(abs(y - other) < 14 for other in at):
            continue
        at.append(y)
        drawn.append(
            f'<path class="grid" d="M{LEFT} {y}H{WIDTH - RIGHT}"/>'
            f'<text class="tick" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
            f"{value:,.5g}</text>"
        )
    return "".join(drawn)


def _svg(label: str, body: str) -> str:
    return (
        f'<div class="chart"><svg role="img" aria-label="{escape(label)}" '
        f'viewBox="0 0 {WIDTH:g} {HEIGHT:g}"><title>{escape(label)}</title>{body}</svg></div>'
    )
