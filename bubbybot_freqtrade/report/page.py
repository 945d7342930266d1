"""The page: one HTML text with everything inside."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from html import escape

import pandas as pd

from bubbybot_freqtrade.learning import picture
from bubbybot_freqtrade.learning.ledger import History, Ledger
from bubbybot_freqtrade.learning.table import pattern_rows
from bubbybot_freqtrade.learning.trades import past_trades
from bubbybot_freqtrade.report.charts import bar_chart, line_chart, trade_chart
from bubbybot_freqtrade.report.measures import (
    Group,
    drawdowns,
    equity,
    groups,
    histogram,
    known_r,
)
from bubbybot_freqtrade.report.trades import ReportTrade, Source
from bubbybot_freqtrade.settings import LearningSettings
from bubbybot_freqtrade.strategy.messages import price, reasons

Candles = Callable[[str], pd.DataFrame]
"""Candles of a pair (columns date, open, high, low, close), empty when there are none."""

CANDLES_BEFORE, CANDLES_AFTER = 32, 12
# A trade that lasted longer is drawn around its entry and its exit is at the edge.
MOST_CANDLES = 400

STYLE = (
    """
:root { color-scheme: light dark; --up: #14866d; --down: #c0392b; --line: #3367d6; --dim: #8888; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 960px; margin: 2em auto; padding: 0 1em; }
svg { width: 100%; height: auto; display: block; }
svg text { font-size: 11px; fill: currentColor; } .tick { opacity: .65; }
.grid, .level { stroke: var(--dim); stroke-width: 1; fill: none; }
polyline { fill: none; stroke: var(--line); stroke-width: 1.5; }
.area { opacity: .15; stroke: none; }
.equity { stroke: var(--line); } polygon.equity { fill: var(--line); }
.drawdown { stroke: var(--down); } polygon.drawdown { fill: var(--down); }
rect.up, path.up { fill: var(--up); stroke: var(--up); }
rect.down, path.down { fill: var(--down); stroke: var(--down); }
.level { stroke-dasharray: 5 4; } .level.stop { stroke: var(--down); }
.level.target { stroke: var(--up); } circle { fill: var(--line); }
circle.exit { fill: currentColor; }
table { border-collapse: collapse; width: 100%; } th, td { padding: .2em .6em; text-align: right; }
th:first-child, td:first-child { text-align: left; } tr + tr { border-top: 1px solid var(--dim); }
.tiles { display: flex; flex-wrap: wrap; gap: 1em; } .tiles div { flex: 1 1 8em; }
.tiles b { display: block; font-size: 1.5em; } details { border-top: 1px solid var(--dim); }
summary { cursor: pointer; padding: .4em 0; }
.won { color: var(--up); } .lost { color: var(--down); }
.chart { overflow-x: auto; } td { overflow-wrap: anywhere; }
td + td { white-space: nowrap; overflow-wrap: normal; }
/* On a phone charts and wide tables scroll; in the others a row's name stands above its numbers. */
@media (max-width: 600px) {
  .chart svg { min-width: 660px; } svg text { font-size: 13px; }
  table { display: block; overflow-x: auto; } .groups { display: table; }
  .groups tr { display: flex; flex-wrap: wrap; } .groups tr > * { flex: 1 1 0; }
  .groups tr > :first-child { flex-basis: 100%; } .groups tr > :empty { display: none; }
  .tiles b { font-size: 1.25em; }
}
"""
    + picture.STYLE
)


def render(source: Source, title: str, candles: Candles, most_charts: int) -> str:
    """The report as one HTML text.

    :param most_charts: only the newest so many trades get a chart
    """
    trades = source.trades
    start = source.starting_balance
    curve = equity(trades, start or 0.0)
    sections = [f"<h1>{escape(title)}</h1><p>{escape(source.name)}, times are UTC.</p>"]
    if not trades:
        sections.append("<p>No trade has been closed yet.</p>")
    else:
        sections += [
            _tiles(trades, curve, start),
            _section("Equity" if start else "Profit", line_chart(curve, "Equity", "equity")),
            _section("Drawdown", line_chart(drawdowns(curve), "Drawdown", "drawdown")),
            _r_section(trades),
            _hours(trades),
            _tables(trades),
            _learned(source),
            _trades(source, candles, most_charts),
        ]
    return html_page(title, "\n".join(sections))


def html_page(title: str, body: str) -> str:
    """A page in the report's style, with `body` as HTML."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body>\n{body}\n</body></html>\n"
    )


def _section(title: str, content: str) -> str:
    return f'<section id="{title.lower().replace(" ", "-")}"><h2>{title}</h2>{content}</section>'


def _tiles(trades: Sequence[ReportTrade], curve: Sequence[float], start: float | None) -> str:
    profit = curve[-1] - curve[0]
    deepest = _deepest(curve, start)
    rs = known_r(trades)
    wins = sum(trade.profit > 0 for trade in trades)
    tiles = {
        "trades": str(len(trades)),
        "profit": f"{profit:+.2f}" + (f" ({profit / start:+.2%})" if start else ""),
        "won": f"{wins / len(trades):.0%}",
        "mean R": f"{sum(rs) / len(rs):+.2f}" if rs else "unknown",
        "deepest drawdown": deepest,
    }
    inside = "".join(f"<div><b>{value}</b>{name}</div>" for name, value in tiles.items())
    return f'<div class="tiles">{inside}</div>'


def _deepest(curve: Sequence[float], start: float | None) -> str:
    down = drawdowns(curve)
    if not start:
        return f"{min(down):.2f}"
    shares = [d / (value - d) for d, value in zip(down, curve, strict=True) if value > d]
    return f"{min(down):.2f} ({min(shares):.2%})"


def _r_section(trades: Sequence[ReportTrade]) -> str:
    counts = histogram(known_r(trades))
    if not counts:
        return _section("R distribution", "<p>No trade has a known stop.</p>")
    # Losses hang down, so that the colours mean the same everywhere.
    bars = {f"{edge:+.1f}": float(n if edge >= 0 else -n) for edge, n in counts.items()}
    words = "<p>Trades by R in steps of 0.5 (lower edge); losing ones downwards.</p>"
    return _section("R distribution", words + bar_chart(bars, "R distribution", "trades"))


def _hours(trades: Sequence[ReportTrade]) -> str:
    by_hour = {group.name: group for group in groups(trades, lambda t: f"{t.opened:%H}")}
    bars = {
        f"{hour:02d}": round(by_hour[f"{hour:02d}"].profit, 2) if f"{hour:02d}" in by_hour else 0.0
        for hour in range(24)
    }
    words = "<p>Profit by the hour of the entry.</p>"
    return _section("By hour", words + bar_chart(bars, "Profit by hour", ""))


def _tables(trades: Sequence[ReportTrade]) -> str:
    kinds: dict[str, Callable[[ReportTrade], str]] = {
        "By pattern": lambda trade: reasons(trade.tag, trade.side) or "no tag",
        "By pair and side": lambda trade: f"{trade.pair} {trade.side}",
        "By exit": lambda trade: trade.exit_reason,
    }
    return "\n".join(_section(name, _table(groups(trades, key))) for name, key in kinds.items())


def _learned(source: Source) -> str:
    """What these trades say of their patterns at their end, by the ledger's default settings."""
    settings = LearningSettings()
    now = source.trades[-1].closed + source.candle
    found = pattern_rows(Ledger(settings), History(past_trades(source)), now)
    words = (
        f"As known when the last trade had closed: {settings.interval:.0%} intervals, a half-life "
        f"of {settings.half_life_days:g} days. bubbybot patterns tells pairs and regimes apart."
    )
    return _section("What past trades say", picture.section(found, words))


def _table(rows: Sequence[Group]) -> str:
    head = "<tr><th></th><th>trades</th><th>won</th><th>mean R</th><th>profit</th></tr>"
    body = "".join(
        f"<tr><td>{escape(row.name)}</td><td>{row.trades}</td><td>{row.wins / row.trades:.0%}</td>"
        f"<td>{'-' if row.mean_r is None else f'{row.mean_r:+.2f}'}</td>"
        f"<td>{row.profit:+.2f}</td></tr>"
        for row in rows
    )
    return f'<table class="groups">{head}{body}</table>'


def _trades(source: Source, candles: Candles, most_charts: int) -> str:
    newest = list(reversed(source.trades))
    drawn = [_trade(trade, source, candles) for trade in newest[:most_charts]]
    left = [_summary(trade) for trade in newest[most_charts:]]
    more = f"<p>Charts of the newest {most_charts} only; --charts draws more.</p>" if left else ""
    listed = "".join(f"<details><summary>{text}</summary></details>" for text in left)
    return _section("Trades", "".join(drawn) + more + listed)


def _trade(trade: ReportTrade, source: Source, candles: Candles) -> str:
    around = _around(trade, candles(trade.pair), source.timeframe)
    chart = trade_chart(trade, around) if len(around) else _no_candles(trade, source)
    levels = f"Entry {price(trade.entry)}, exit {price(trade.exit)} ({escape(trade.exit_reason)}), "
    levels += f"stop {price(trade.stop)}"
    if trade.target:
        levels += f", target {price(trade.target)}"
    sure = "" if trade.confidence is None else f"confidence {trade.confidence:.2f}; "
    evidence = escape(reasons(trade.tag, trade.side) or "no tag")
    return (
        f"<details open><summary>{_summary(trade)}</summary>{chart}"
        f"<p>{levels}.<br>Evidence: {sure}{evidence}.</p></details>"
    )


def _summary(trade: ReportTrade) -> str:
    css = "won" if trade.profit > 0 else "lost"
    r = "" if trade.r is None else f", {trade.r:+.2f}R"
    return (
        f"#{trade.number} {escape(trade.pair)} {trade.side} {trade.leverage:g}x, "
        f"{trade.opened:%Y-%m-%d %H:%M} to {trade.closed:%m-%d %H:%M}: "
        f'<span class="{css}">{trade.profit:+.2f}{r}</span>'
    )


def _around(trade: ReportTrade, frame: pd.DataFrame, timeframe: str) -> pd.DataFrame:
    if frame.empty:
        return frame
    candle = timedelta(seconds=pd.Timedelta(timeframe.replace("m", "min")).total_seconds())
    first, last = trade.opened - CANDLES_BEFORE * candle, trade.closed + CANDLES_AFTER * candle
    inside = frame[(frame["date"] >= first) & (frame["date"] <= last)]
    return inside.head(MOST_CANDLES)


def _no_candles(trade: ReportTrade, source: Source) -> str:
    return (
        f"<p>No {source.timeframe} candles of {escape(trade.pair)} for this time: fetch them with "
        "freqtrade download-data, or name their folder with --data.</p>"
    )
