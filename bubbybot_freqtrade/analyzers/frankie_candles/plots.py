"""What freqtrade draws of Frankie Candles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bubbybot_freqtrade.analyzers.annotations import Annotation, area, line, point
from bubbybot_freqtrade.analyzers.candles import (
    Candles,
    read_candles,
)
from bubbybot_freqtrade.analyzers.frankie_candles.pocket import golden_pocket, running_leg
from bubbybot_freqtrade.analyzers.frankie_candles.settings import DEFAULTS, Settings


def plot_config() -> dict[str, Any]:
    """freqtrade's `plot_config` for these columns: levels on the chart, each part in a panel."""
    bar = {"type": "bar"}
    return {
        "main_plot": {
            "fc_vah": {"color": "#9575cd", "fill_to": "fc_val", "fill_label": "value area"},
            "fc_val": {"color": "#9575cd"},
            "fc_poc": {"color": "#d500f9"},
            "fc_gp_top": {"color": "#ffb300", "fill_to": "fc_gp_bottom", "fill_label": "pocket"},
            "fc_gp_bottom": {"color": "#ffb300"},
        },
        "subplots": {
            "Divergences": {
                "fc_bull_div": {"color": "#00c853", **bar},
                "fc_bear_div": {"color": "#d50000", **bar},
                "fc_bull_div_hidden": {"color": "#b9f6ca", **bar},
                "fc_bear_div_hidden": {"color": "#ffcdd2", **bar},
            },
            "Golden pocket": {"fc_in_golden_pocket": {"color": "#ffb300", **bar}},
            "Frankie Candles": {
                "fc_long_score": {"color": "#43a047"},
                "fc_short_score": {"color": "#e53935"},
            },
        },
    }


ANNOTATED = (
    *("fc_poc", "fc_vah", "fc_val", "fc_gp_top", "fc_gp_bottom"),
    *("fc_bull_div_strong", "fc_bear_div_strong"),
)
"""The columns that `plot_annotations` reads, beside the candles."""


def plot_annotations(dataframe: pd.DataFrame, settings: Settings = DEFAULTS) -> list[Annotation]:
    """
    What freqtrade's `plot_annotations` may return for a populated frame: value area and golden
    pocket of the newest row as boxes over the candles they come from, the POC as a line, and
    strong divergences as marks at their pivots.

    :raises KeyError: the frame was not populated.
    """
    dates = dataframe["date"]
    last = len(dataframe) - 1
    drawn: list[Annotation] = []
    if last < 0:
        return drawn
    row = dataframe.iloc[-1]
    if not np.isnan(row["fc_poc"]):
        first = max(last - settings.profile_window + 1, 0)
        drawn.append(
            area(
                dates,
                first,
                last,
                row["fc_val"],
                row["fc_vah"],
                "rgba(149, 117, 205, 0.15)",
                "value area",
            )
        )
        drawn.append(line(dates, first, last, row["fc_poc"], "#d500f9", "POC"))
    if not np.isnan(row["fc_gp_top"]):
        edges = row["fc_gp_bottom"], row["fc_gp_top"]
        first = _start_of_leg(read_candles(dataframe), edges, settings)
        drawn.append(area(dates, first, last, *edges, "rgba(255, 179, 0, 0.2)", "golden pocket"))
    for name, price, color in (("bull", "low", "#00c853"), ("bear", "high", "#d50000")):
        for known in np.flatnonzero(dataframe[f"fc_{name}_div_strong"]).tolist():
            at = known - settings.pivot_side
            # A frame may be cut between a pivot and the candle that made it known.
            if at >= 0:
                drawn.append(
                    point(dates, at, dataframe[price].iloc[at], color, "strong div", "triangle")
                )
    return drawn


def _start_of_leg(candles: Candles, edges: tuple[float, float], settings: Settings) -> int:
    """The row where the newest leg began; 0 when a frame that was cut does not show it."""
    leg = running_leg(candles, settings)
    pocket = golden_pocket(candles.close, leg, settings.pocket_near, settings.pocket_far)
    if (pocket.bottom[-1], pocket.top[-1]) != edges:
        return 0
    return int(min(leg.high_candle[-1], leg.low_candle[-1]))
