"""A plan as a picture for a phone: candles, stop and target, what it stands on.

matplotlib draws it, with figures of its own and without pyplot, whose state is a process's. It is
imported where it is needed: a bot without a channel for pictures pays nothing for it.
"""

from __future__ import annotations

import io
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bubbybot_freqtrade.analyzers.annotations import Annotation
from bubbybot_freqtrade.risk.closed_candles import CANDLE_SECONDS
from bubbybot_freqtrade.risk.plan import TradePlan
from bubbybot_freqtrade.signals import plots
from bubbybot_freqtrade.signals.words import price

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CANDLES_SHOWN, ROOM = 144, 52
"""Candles of a day and a half, and the width of so many for the plan right of them."""

SIZE, DPI = (9.6, 7.2), 100
BACK, TEXT, EDGE = "#131722", "#d1d4dc", "#2a2e39"
UP, DOWN, ENTRY = "#26a69a", "#ef5350", "#42a5f5"
SHORTEST_LABEL = 0.045
"""Of the price axis: labels nearer than this would lie on each other."""

NAME_WIDTH = 20
"""Candles that a zone's name takes."""

_RGBA = re.compile(r"rgba\((\d+), (\d+), (\d+), ([\d.]+)\)")
_MARKERS = {"triangle": "^", "pin": "D", "circle": "o", "rect": "s", "arrow": "^"}


def draw(frame: pd.DataFrame, plan: TradePlan, rate: float, title: str) -> bytes:
    """The picture as PNG.

    :param frame: the pair's analyzed candles, the newest last
    :param rate: where the trade was entered, or would be
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, dpi=DPI, facecolor=BACK)
    parts = figure.subplots(
        3, 1, sharex=True, gridspec_kw={"height_ratios": [6, 1.2, 1.4], "hspace": 0.06}
    )
    figure.subplots_adjust(left=0.02, right=0.9, top=0.94, bottom=0.05)
    figure.text(0.02, 0.965, title, color=TEXT, fontsize=12, fontweight="bold")
    shown = frame.tail(CANDLES_SHOWN).reset_index(drop=True)
    _price(parts[0], frame, shown, plan, rate)
    _scores(parts[1], shown)
    _wave(parts[2], shown)
    for part in parts:
        _dress(part)
    _dates(parts[2], shown)
    image = io.BytesIO()
    figure.savefig(image, format="png", facecolor=BACK)
    return image.getvalue()


def _dress(part: Axes) -> None:
    part.set_facecolor(BACK)
    part.yaxis.tick_right()
    part.tick_params(colors=TEXT, labelsize=8, length=0)
    part.grid(color=EDGE, linewidth=0.5)
    part.set_axisbelow(True)
    for spine in part.spines.values():
        spine.set_color(EDGE)


def _price(
    part: Axes, frame: pd.DataFrame, shown: pd.DataFrame, plan: TradePlan, rate: float
) -> None:
    from matplotlib.ticker import FuncFormatter

    part.yaxis.set_major_formatter(FuncFormatter(lambda value, _: price(value)))
    first, last = shown["date"].min(), shown["date"].max()
    _candles(part, shown)
    end = len(shown) + ROOM
    part.set_xlim(-1, end)
    levels = [plan.stop, plan.target, rate]
    low = min(float(shown["low"].min()), *levels)
    high = max(float(shown["high"].max()), *levels)
    part.set_ylim(low - 0.04 * (high - low), high + 0.04 * (high - low))
    named: list[tuple[float, float]] = []
    for drawn in plots.within(plots.evidence(frame), first, last):
        if drawn["type"] == "point":
            _mark(part, drawn, first)
        else:
            _zone(part, drawn, first, last, named)
    start = len(shown) - 1
    for level, color in ((plan.stop, DOWN), (plan.target, UP)):
        part.fill_between([start, end], rate, level, color=color, alpha=0.22, linewidth=0)
    _labels(part, plan, rate, start)


def _candles(part: Axes, shown: pd.DataFrame) -> None:
    rows = np.arange(len(shown))
    opens, closes = shown["open"].to_numpy(), shown["close"].to_numpy()
    colors = np.where(closes >= opens, UP, DOWN).tolist()
    part.vlines(rows, shown["low"], shown["high"], colors=colors, linewidth=0.8, zorder=3)
    least = (shown["high"].max() - shown["low"].min()) / 1000
    height = np.maximum(np.abs(closes - opens), least)
    part.bar(rows, height, 0.66, np.minimum(opens, closes), color=colors, zorder=3)


def _labels(part: Axes, plan: TradePlan, rate: float, start: int) -> None:
    """Stop, entry and target at their prices; far enough apart to be read."""
    bottom, top = part.get_ylim()
    least = SHORTEST_LABEL * (top - bottom)
    told = [
        (plan.stop, DOWN, f"stop {price(plan.stop)} ({plan.stop / rate - 1:+.2%})"),
        (rate, ENTRY, f"entry {price(rate)}"),
        (
            plan.target,
            UP,
            f"target {price(plan.target)} ({plan.target / rate - 1:+.2%}, {plan.reward_risk:.2f}R)",
        ),
    ]
    for level, color, _ in told:
        part.hlines(level, start, start + ROOM + 1, color=color, linewidth=1.2, zorder=4)
    below = bottom
    for level, color, words in sorted(told):
        at = max(level, below + least / 2)
        below = at + least / 2
        part.text(start + 1.5, at, words, color=color, fontsize=8, va="bottom", zorder=5)


def _mark(part: Axes, drawn: Annotation, first: pd.Timestamp) -> None:
    marker = _MARKERS.get(drawn["shape"], "o")
    row = _row(drawn["x"], first)
    part.plot(row, drawn["y"], marker, color=_color(drawn["color"]), markersize=4, zorder=4)


def _zone(
    part: Axes,
    drawn: Annotation,
    first: pd.Timestamp,
    last: pd.Timestamp,
    named: list[tuple[float, float]],
) -> None:
    """A box or a line with its name, which is left out where it would lie on another."""
    start, end = _row(drawn["start"], first), _row(drawn["end"], first)
    # What still stands reaches under the plan.
    end += ROOM * (drawn["end"] == last)
    levels = (drawn["y_start"], drawn["y_end"])
    color = _color(drawn["color"])
    if drawn["type"] == "area":
        part.fill_between([start, end], *levels, color=color, linewidth=0, zorder=1)
    else:
        part.plot([start, end], levels, color=color, linewidth=0.8, zorder=2)
    bottom, top = part.get_ylim()
    at = max(levels)
    tight = 0.025 * (top - bottom)
    if not bottom < at < top or any(
        abs(start - x) < NAME_WIDTH and abs(at - y) < tight for x, y in named
    ):
        return
    named.append((start, at))
    part.text(start + 0.5, at, drawn["label"], color=TEXT, fontsize=6, va="top", alpha=0.75)


def _row(moment: datetime, first: pd.Timestamp) -> float:
    return (moment - first).total_seconds() / CANDLE_SECONDS


def _color(text: str) -> Any:
    """A colour of the annotations as matplotlib has it."""
    found = _RGBA.fullmatch(text)
    if not found:
        return text
    red, green, blue, alpha = map(float, found.groups())
    return (red / 255, green / 255, blue / 255, alpha)


def _scores(part: Axes, shown: pd.DataFrame) -> None:
    for side, color in (("long", UP), ("short", DOWN)):
        part.plot(shown[f"{side}_confluence"], color=color, linewidth=1.2)
    part.plot(shown[plots.NEEDED], color=TEXT, linewidth=0.8, linestyle="--")
    part.set_ylim(-0.05, 1.05)
    part.set_yticks([0, 0.5, 1])
    _name(part, "score long (green), short (red)")


def _wave(part: Axes, shown: pd.DataFrame) -> None:
    for column, color in (("mc_wt1", "#90caf9"), ("mc_wt2", "#1e88e5")):
        part.fill_between(range(len(shown)), shown[column], color=color, alpha=0.45, linewidth=0)
    for event, color in plots.DOTS.values():
        dots = shown[shown[event] == 1]
        part.plot(dots.index, dots["mc_wt2"], "o", color=color, markersize=4)
    part.set_ylim(-110, 110)
    part.set_yticks([-60, 0, 60])
    _name(part, "wave trend")


def _name(part: Axes, words: str) -> None:
    part.text(0.005, 0.96, words, color=TEXT, fontsize=7, va="top", transform=part.transAxes)


def _dates(part: Axes, shown: pd.DataFrame) -> None:
    """Every sixth hour, with the day where it begins."""
    dates = [moment for moment in shown["date"] if moment.hour % 6 == 0 and moment.minute == 0]
    first = shown["date"].min()
    part.set_xticks([_row(moment, first) for moment in dates])
    part.set_xticklabels(
        [f"{moment:%H:%M}" if moment.hour else f"{moment:%d %b}" for moment in dates]
    )
