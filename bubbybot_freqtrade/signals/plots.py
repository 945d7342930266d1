"""What FreqUI and freqtrade's plots draw: the analyzers' columns and marks, and each trade's plan.

Plain dicts of freqtrade's `plot_config` and `plot_annotations`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np
import pandas as pd

from bubbybot_freqtrade.analyzers import frankie_candles, lux_algo, market_cipher
from bubbybot_freqtrade.analyzers.annotations import Annotation
from bubbybot_freqtrade.signals.trend import Columns, Floats

Panels = Literal["main", "all"]

ANALYZERS = (market_cipher, lux_algo, frankie_candles)
FLAG = "lux_swing_bos_bull"
"""Known on every analyzed candle."""

RISK, REWARD = "rgba(229, 57, 53, 0.2)", "rgba(67, 160, 71, 0.2)"

NEEDED = "confluence_needed"
DOTS = {
    "dot_green": ("mc_green_dot", "#00e676"),
    "dot_red": ("mc_red_dot", "#ff1744"),
    "dot_gold": ("mc_gold_dot", "#ffc400"),
}
"""Columns that a chart alone needs, the event each shows on the wave, and its colour."""

SHORTEST_BOX = 3
"""Candles that a plan's box covers at least: FreqUI's axis ends with the last closed candle, so a
trade that has just begun would lie outside, or have no width."""


PRICE_LINES = ("mc_ema_2", "mc_ema_8", "mc_support", "mc_resistance")
"""Lines that stay near the price: FreqUI's scale holds all lines, and lets marks run out of it. The
value area, the POC and the pocket are marks too; as lines they would make the price a strip.
"""


def plot_config(panels: Panels = "main") -> dict[str, Any]:
    """The ribbon, support and resistance on the price; below it the confluence, the wave with its
    dots and money flow. Or all that the analyzers have.
    """
    # freqtrade's own plots draw a "scatter" as a line unless plotly is told otherwise.
    dot = {"type": "scatter", "scatterSymbolSize": 8, "plotly": {"mode": "markers"}}
    made: dict[str, Any] = {
        "main_plot": {},
        "subplots": {
            "Confluence": {
                "long_confluence": {"color": "#43a047"},
                "short_confluence": {"color": "#e53935"},
                NEEDED: {"color": "#9e9e9e"},
            }
        },
    }
    every: dict[str, Any] = {}
    for analyzer in ANALYZERS:
        own = analyzer.plot_config()
        made["main_plot"] |= own["main_plot"]
        every |= own["subplots"]
    dots = {name: {"color": color, **dot} for name, (_, color) in DOTS.items()}
    made["subplots"] |= {
        "Wave trend": every.pop("Wave trend") | dots,
        "Money flow": every.pop("Money flow"),
    }
    if panels == "all":
        made["subplots"] |= every
    else:
        made["main_plot"] = {name: made["main_plot"][name] for name in PRICE_LINES}
    return made


def drawn_columns(config: Mapping[str, Any]) -> set[str]:
    """The columns that a `plot_config` draws."""
    panels = (config["main_plot"], *config["subplots"].values())
    drawn = {name: how for panel in panels for name, how in panel.items()}
    return {*drawn, *(how["fill_to"] for how in drawn.values() if "fill_to" in how)}


def chart_columns(columns: Columns, needed: float) -> dict[str, Floats]:
    """The columns that a chart alone needs: the least score that is traded, and dots on the wave.

    :param columns: a populated frame, or its columns
    """
    wave = np.asarray(columns["mc_wt2"], dtype=np.float64)
    return {NEEDED: np.full(len(wave), needed)} | {
        name: np.where(np.asarray(columns[event]) == 1, wave, np.nan)
        for name, (event, _) in DOTS.items()
    }


def evidence(dataframe: pd.DataFrame) -> list[Annotation]:
    """The marks of all three analyzers on a populated frame.

    A follower's frame has flags as numbers, none on candles that its producer has not sent, and no
    column before it has sent any.
    """
    if FLAG not in dataframe:
        return []
    sent = dataframe[dataframe[FLAG].notna()]
    return [drawn for analyzer in ANALYZERS for drawn in analyzer.plot_annotations(sent)]


def planned(
    entry: float, stop: float, target: float, opened: datetime, closed: datetime, label: str
) -> list[Annotation]:
    """A trade's plan: from entry to stop in red, to target in green, as long as it lasted."""
    span = {"type": "area", "start": opened, "end": closed, "y_start": entry}
    return [
        span | {"y_end": stop, "color": RISK, "label": f"{label} stop"},
        span | {"y_end": target, "color": REWARD, "label": f"{label} target"},
    ]


def box_start(opened: datetime, end: datetime, candle: timedelta) -> datetime:
    """Where a plan's box begins on a chart that ends with the candle of `end`."""
    return min(opened, end - SHORTEST_BOX * candle)


def within(drawn: Iterable[Annotation], start: datetime, end: datetime) -> list[Annotation]:
    """What of `drawn` lies between two moments; boxes and lines are cut there."""
    kept = []
    for item in drawn:
        if "x" in item:
            if start <= item["x"] <= end:
                kept.append(item)
        elif item["start"] <= end and item["end"] >= start:
            kept.append(item | {"start": max(item["start"], start), "end": min(item["end"], end)})
    return kept
