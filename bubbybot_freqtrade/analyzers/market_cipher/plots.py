"""What freqtrade draws of Market Cipher."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bubbybot_freqtrade.analyzers.annotations import Annotation, Shape, line, point
from bubbybot_freqtrade.analyzers.market_cipher.settings import DEFAULTS, Settings


def plot_config() -> dict[str, Any]:
    """freqtrade's `plot_config` for these columns: the ribbon on the chart, parts in panels."""
    bar = {"type": "bar"}
    return {
        "main_plot": {
            "mc_ema_2": {"color": "#26a69a", "fill_to": "mc_ema_8", "fill_label": "ribbon"},
            "mc_ema_8": {"color": "#5c6bc0"},
            "mc_support": {"color": "#2e7d32"},
            "mc_resistance": {"color": "#c62828"},
        },
        "subplots": {
            "Wave trend": {
                "mc_wt1": {"color": "#90caf9"},
                "mc_wt2": {"color": "#1e88e5"},
                "mc_wt_vwap": {"color": "#fdd835"},
            },
            "Money flow": {"mc_money_flow": {"color": "#66bb6a"}},
            "Dots": {
                "mc_green_dot": {"color": "#00e676", **bar},
                "mc_red_dot": {"color": "#ff1744", **bar},
                "mc_gold_dot": {"color": "#ffc400", **bar},
                "mc_blood_diamond": {"color": "#b71c1c", **bar},
                "mc_moon_diamond": {"color": "#b2ff59", **bar},
                "mc_yellow_cross": {"color": "#ffee58", **bar},
            },
            "Wave divergences": {
                "mc_bull_div": {"color": "#00c853", **bar},
                "mc_bear_div": {"color": "#d50000", **bar},
                "mc_bull_div_weak": {"color": "#69f0ae", **bar},
                "mc_bear_div_weak": {"color": "#ff8a80", **bar},
                "mc_bull_div_hidden": {"color": "#b9f6ca", **bar},
                "mc_bear_div_hidden": {"color": "#ffcdd2", **bar},
            },
            "RSI": {
                "mc_rsi": {"color": "#ab47bc"},
                "mc_stoch_k": {"color": "#26c6da"},
                "mc_stoch_d": {"color": "#ef6c00"},
            },
            "DBSI": {
                "mc_dbsi_bull": {"color": "#43a047"},
                "mc_dbsi_bear": {"color": "#e53935"},
            },
            "Market Cipher": {
                "mc_long_score": {"color": "#43a047"},
                "mc_short_score": {"color": "#e53935"},
            },
        },
    }


# column, at the high (+1) or the low (−1) of its candle, color, label, shape
_MARKS: tuple[tuple[str, int, str, str, Shape], ...] = (
    ("mc_green_dot", -1, "#00e676", "", "circle"),
    ("mc_red_dot", 1, "#ff1744", "", "circle"),
    ("mc_gold_dot", -1, "#ffc400", "gold", "circle"),
    ("mc_bull_div", -1, "#00c853", "div", "triangle"),
    ("mc_bear_div", 1, "#d50000", "div", "triangle"),
    ("mc_blood_diamond", 1, "#b71c1c", "blood", "pin"),
    ("mc_moon_diamond", -1, "#b2ff59", "moon", "pin"),
    ("mc_yellow_cross", 1, "#ffee58", "manipulation", "pin"),
)


ANNOTATED = (
    *(column for column, *_ in _MARKS),
    *(f"mc_{name}{of}" for name in ("support", "resistance") for of in ("", "_touches")),
)
"""The columns that `plot_annotations` reads, beside the candles."""


def plot_annotations(dataframe: pd.DataFrame, settings: Settings = DEFAULTS) -> list[Annotation]:
    """
    What freqtrade's `plot_annotations` may return for a populated frame: a mark at the candle of
    every dot, divergence of the first band, blood and moon diamond and yellow cross, and the newest
    row's support and resistance as lines.

    :raises KeyError: the frame was not populated.
    """
    dates = dataframe["date"]
    drawn = [
        point(dates, row, dataframe["high" if side > 0 else "low"].iloc[row], color, label, shape)
        for column, side, color, label, shape in _MARKS
        for row in np.flatnonzero(dataframe[column]).tolist()
    ]
    last = len(dataframe) - 1
    for name, color in (("support", "#2e7d32"), ("resistance", "#c62828")):
        known = dataframe[f"mc_{name}"].iloc[-1:].dropna()
        for price, touches in zip(known, dataframe[f"mc_{name}_touches"].iloc[-1:], strict=False):
            first = max(last - settings.level_window + 1, 0)
            label = f"{name} ({touches:.0f} pivots)" if touches > 1 else name
            drawn.append(line(dates, first, last, price, color, label, line_style="dotted"))
    return drawn
