"""What FreqUI and freqtrade's plots draw: the analyzers' columns and marks, and each trade's plan.

Plain dicts of freqtrade's `plot_config` and `plot_annotations`.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pandas as pd

from bubbybot_freqtrade.analyzers import frankie_candles, lux_algo, market_cipher
from bubbybot_freqtrade.analyzers.annotations import Annotation

ANALYZERS = (market_cipher, lux_algo, frankie_candles)
FLAG = "lux_swing_bos_bull"
"""Known on every analyzed candle."""

RISK, REWARD = "rgba(229, 57, 53, 0.2)", "rgba(67, 160, 71, 0.2)"


def plot_config() -> dict[str, Any]:
    """All three analyzers' plots in one, and the confluence that comes of them."""
    made: dict[str, Any] = {
        "main_plot": {},
        "subplots": {
            "Confluence": {
                "long_confluence": {"color": "#43a047"},
                "short_confluence": {"color": "#e53935"},
            }
        },
    }
    for analyzer in ANALYZERS:
        own = analyzer.plot_config()
        made["main_plot"] |= own["main_plot"]
        made["subplots"] |= own["subplots"]
    return made


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
