"""What the page's script draws: numbers only, as few as a chart needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import pandas as pd
from freqtrade.exchange import timeframe_to_seconds

from bubbybot_freqtrade.analyzers.annotations import Annotation
from bubbybot_freqtrade.learning.results import ReportTrade, Source
from bubbybot_freqtrade.report import measures
from bubbybot_freqtrade.signals import plots
from bubbybot_freqtrade.signals.context import analyze

Candles = Callable[[str], pd.DataFrame]
"""Candles of a pair (columns date, open, high, low, close, volume), empty when there are none."""

Chart = dict[str, Any]

CANDLES_BEFORE, CANDLES_AFTER = 48, 12
MOST_CANDLES = 240
"""A longer trade's candles are joined to as many."""

ANALYZED = 1_000
"""Candles before a trade that its evidence is read from, as a running bot has them."""

MOST_POINTS = 3_000
"""Points of a curve: more than a screen has."""

DIGITS = 7


def curves(source: Source, candles: Candles) -> Chart:
    """The account with its drawdown, and what the pairs alone would have made of it."""
    account = _thinned(measures.account_curve(source))
    fall = measures.drawdowns(account)
    if source.starting_balance:
        fall = 100 * fall / account.cummax()
    made = {
        "account": _points(account),
        "drawdown": _points(fall),
        "share": bool(source.starting_balance),
        "currency": source.currency,
    }
    held = _held(source, candles)
    if held is not None and source.starting_balance:
        made["held"] = _points(_thinned(source.starting_balance * (1 + held)))
    return made


def _thinned(curve: pd.Series) -> pd.Series:
    """The last value of each of `MOST_POINTS` equal spans, and every span's lowest and highest."""
    if len(curve) <= MOST_POINTS:
        return curve
    span = (curve.index[-1] - curve.index[0]) / (MOST_POINTS / 3)
    number = ((curve.index - curve.index[0]) / span).astype(int)
    parts = curve.groupby(number)
    kept = pd.Index([*parts.idxmin(), *parts.idxmax(), *(part.index[-1] for _, part in parts)])
    return curve[curve.index.isin(kept)]


def _points(curve: pd.Series) -> list[list[float]]:
    dates = pd.DatetimeIndex(curve.index)
    return [[_ms(date), _short(value)] for date, value in zip(dates, curve, strict=True)]


def _held(source: Source, candles: Candles) -> pd.Series | None:
    """The mean change of the traded pairs' prices since the start; None without candles."""
    if source.market is not None:
        return source.market
    start, end = measures.bounds(source)
    changes = []
    for pair in sorted({trade.pair for trade in source.trades}):
        frame = candles(pair)
        if frame.empty:
            continue
        closes = frame.set_index("date")["close"]
        closes = closes[(closes.index >= start) & (closes.index <= end)]
        if len(closes):
            changes.append(closes / closes.iloc[0] - 1)
    return pd.concat(changes, axis=1).ffill().mean(axis=1) if changes else None


def trade_charts(
    trades: Sequence[ReportTrade], timeframe: str, candles: Candles
) -> dict[int, Chart]:
    """A chart for each of the trades that has candles, by its number."""
    step = timedelta(seconds=timeframe_to_seconds(timeframe))
    by_pair = groupby(sorted(trades, key=lambda trade: trade.pair), key=lambda trade: trade.pair)
    return {
        number: chart
        for pair, those in by_pair
        for number, chart in _charts_of_pair(list(those), candles(pair), step)
    }


def _charts_of_pair(
    trades: Sequence[ReportTrade], frame: pd.DataFrame, step: timedelta
) -> Iterator[tuple[int, Chart]]:
    if frame.empty:
        return
    first = min(trade.opened for trade in trades) - (ANALYZED + CANDLES_BEFORE) * step
    last = max(trade.closed for trade in trades) + CANDLES_AFTER * step
    frame = frame[(frame["date"] >= first) & (frame["date"] <= last)].reset_index(drop=True)
    if frame.empty:
        return
    analyzed = analyze(frame)
    marks = [drawn for drawn in plots.evidence(analyzed) if drawn["type"] == "point"]
    for trade in trades:
        chart = _chart(trade, analyzed, marks, step)
        if chart is not None:
            yield trade.number, chart


def _chart(
    trade: ReportTrade, frame: pd.DataFrame, marks: Iterable[Annotation], step: timedelta
) -> Chart | None:
    begin, end = trade.opened - CANDLES_BEFORE * step, trade.closed + CANDLES_AFTER * step
    shown = frame[(frame["date"] >= begin) & (frame["date"] <= end)]
    # The candle of the entry itself may not have closed yet.
    if not (shown["date"] > trade.opened - 2 * step).any():
        return None
    # What the bot knew: up to the candle that had closed when it entered.
    known = frame[frame["date"] <= trade.opened - step].tail(ANALYZED)
    zones = [drawn for drawn in plots.evidence(known) if drawn["type"] != "point"]
    # What stood on that candle stood on; it is drawn as long as the trade lasted.
    newest = known["date"].max()
    zones = [z | {"end": trade.closed} if z["end"] == newest else z for z in zones]
    drawn = plots.within([*zones, *marks], shown["date"].min(), shown["date"].max())
    return {
        **candle_lists(shown, step),
        **annotation_lists(drawn),
        "stops": stops_of(trade),
    }


def stops_of(trade: ReportTrade) -> list[list[float]]:
    """Where the stop stood and from when on; its last place at the end where no move is known."""
    if not trade.stop > 0:
        return []
    moves = trade.moves
    if not moves and trade.last_stop > 0:
        moves = [(trade.closed, trade.last_stop)]
    return [[_ms(trade.opened), trade.stop], *([_ms(moment), level] for moment, level in moves)]


def candle_lists(frame: pd.DataFrame, step: timedelta) -> Chart:
    """Candles as lists, joined where there are too many; their dates are start and step."""
    joined = -(-len(frame) // MOST_CANDLES)
    if joined > 1:
        parts = frame.groupby((pd.RangeIndex(len(frame)) // joined).to_numpy())
        frame = parts.agg(
            {"date": "first", "open": "first", "high": "max", "low": "min", "close": "last"}
        )
    return {
        "t": _ms(frame["date"].min()),
        "step": joined * step // timedelta(milliseconds=1),
        **{name[0]: [_short(x) for x in frame[name]] for name in ("open", "high", "low", "close")},
    }


def annotation_lists(drawn: Iterable[Annotation]) -> Chart:
    """freqtrade's annotations as lists: boxes, lines and points."""
    boxes, lines, points = [], [], []
    for one in drawn:
        if one["type"] == "point":
            points.append(
                [_ms(one["x"]), _short(one["y"]), one["color"], one["label"], one["shape"]]
            )
            continue
        corners = [_ms(one["start"]), _ms(one["end"]), _short(one["y_start"]), _short(one["y_end"])]
        style = [one["color"], one["label"]]
        if one["type"] == "area":
            boxes.append(corners + style)
        else:
            lines.append([*corners, *style, one.get("line_style", "solid")])
    return {"boxes": boxes, "lines": lines, "points": points}


def _ms(moment: datetime) -> int:
    return int(pd.Timestamp(moment).timestamp() * 1000)


def _short(value: float) -> float:
    return float(f"{float(value):.{DIGITS}g}")
