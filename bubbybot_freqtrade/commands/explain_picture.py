"""`bubbybot explain` as a page: the last day of candles with what the words name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from bubbybot_freqtrade.report.charts import Chart, annotation_lists, candle_lists
from bubbybot_freqtrade.report.page import html_page
from bubbybot_freqtrade.risk.closed_candles import CANDLE_SECONDS
from bubbybot_freqtrade.signals import plots
from bubbybot_freqtrade.signals.plots import DOTS, NEEDED

CANDLES_SHOWN = 96
GREEN, RED, BLUE, GREY = "#43a047", "#e53935", "#1e88e5", "#9e9e9e"

Noted = tuple[str, int, str]
"""An event in words, the candles since, and its side."""


def page(
    title: str, frame: pd.DataFrame, noted: Sequence[Noted], side: str, words: Sequence[str]
) -> str:
    """One HTML text.

    :param frame: analyzed, with the explained candle last
    :param noted: drawn at their candles
    :param side: whose stop and target are drawn, where the frame has them
    :param words: lines below the charts
    """
    shown = frame.tail(CANDLES_SHOWN)
    told = "".join(f"<p>{escape(line)}</p>" for line in words)
    body = (
        f"<h1>{escape(title)}</h1>"
        '<section><div class="chart tall" id="price"></div></section>'
        '<section><h2>Confluence</h2><div class="chart low" id="confluence"></div></section>'
        '<section><h2>Wave trend</h2><div class="chart low" id="wave"></div></section>'
        f"<section>{told}</section>"
    )
    data = {"pictures": {"price": _price(frame, shown, noted, side)}, "panels": _panels(shown)}
    return html_page(title, body, data)


def _price(
    frame: pd.DataFrame, shown: pd.DataFrame, noted: Sequence[Noted], side: str
) -> dict[str, Any]:
    drawn = plots.within(plots.evidence(frame), shown["date"].min(), shown["date"].max())
    levels = [
        [name, price, color]
        for name, color in (("stop", RED), ("target", GREEN))
        if not np.isnan(price := float(shown[f"plan_{side}_{name}"].to_numpy()[-1]))
    ]
    return {
        **candle_lists(shown, timedelta(seconds=CANDLE_SECONDS)),
        **annotation_lists(drawn),
        "levels": levels,
        "noted": _noted(shown, noted),
    }


def _noted(shown: pd.DataFrame, noted: Sequence[Noted]) -> list[list[Any]]:
    """Time, price, words and which way they lie: longs' below their candle, shorts' above."""
    dates, low, high = shown["date"].to_list(), shown["low"].to_list(), shown["high"].to_list()
    return [
        [dates[row].timestamp() * 1000, (low if side == "long" else high)[row], words, side]
        for words, age, side in noted
        for row in (len(dates) - 1 - age,)
        if row >= 0
    ]


def _panels(shown: pd.DataFrame) -> dict[str, Chart]:
    wave = [
        _line(shown, "mc_wt1", "wave", "#90caf9", fill=True),
        _line(shown, "mc_wt2", "its mean", BLUE, fill=True),
        _line(shown, "mc_wt_vwap", "VWAP", "#fdd835", fill=True),
        *(
            _line(shown, name, name.replace("_", " "), color, dots=True)
            for name, (_, color) in DOTS.items()
        ),
    ]
    confluence = [
        _line(shown, "long_confluence", "long", GREEN),
        _line(shown, "short_confluence", "short", RED),
        _line(shown, NEEDED, "needed", GREY, dash="dash"),
    ]
    dates = [shown["date"].min().timestamp() * 1000, shown["date"].max().timestamp() * 1000]
    return {
        "confluence": {"lines": confluence, "range": [0, 1.05], "dates": dates},
        "wave": {"lines": wave, "range": [-110, 110], "dates": dates},
    }


def _line(shown: pd.DataFrame, column: str, name: str, color: str, **style: Any) -> Chart:
    known = shown[[column, "date"]].dropna()
    return {
        "x": [date.timestamp() * 1000 for date in known["date"]],
        "y": [round(float(value), 4) for value in known[column]],
        "name": name,
        "color": color,
        **style,
    }
