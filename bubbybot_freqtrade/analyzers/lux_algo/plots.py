"""What freqtrade draws of Lux Algo."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bubbybot_freqtrade.analyzers.annotations import Annotation, LineStyle, area, line
from bubbybot_freqtrade.analyzers.candles import (
    Flags,
    Floats,
    earlier,
    read_candles,
)
from bubbybot_freqtrade.analyzers.lux_algo.blocks import OrderBlocks, find_blocks
from bubbybot_freqtrade.analyzers.lux_algo.settings import DEFAULTS, Settings
from bubbybot_freqtrade.analyzers.lux_algo.structure import BREAKS, STRUCTURE, Structure
from bubbybot_freqtrade.analyzers.lux_algo.zones import Zones, follow

ANNOTATED = (
    *(f"{walk}_{name}" for walk in ("lux_swing", "lux_internal") for name in STRUCTURE),
    *("lux_wide_candle", "lux_fvg_bull", "lux_fvg_bear"),
)
"""The columns that `plot_annotations` reads, beside the candles."""


def plot_config() -> dict[str, Any]:
    """freqtrade's `plot_config` for these columns: the range on the chart, each part in a panel."""
    bar = {"type": "bar"}
    return {
        "main_plot": {
            "lux_range_high": {"color": "#ef9a9a"},
            "lux_range_low": {"color": "#a5d6a7"},
        },
        "subplots": {
            "Structure": {
                "lux_swing_trend": {"color": "#5e35b1"},
                "lux_internal_trend": {"color": "#b39ddb"},
            },
            "Sweeps and equal levels": {
                "lux_sweep_bull": {"color": "#00c853", **bar},
                "lux_sweep_bear": {"color": "#d50000", **bar},
                "lux_eql": {"color": "#b9f6ca", **bar},
                "lux_eqh": {"color": "#ffcdd2", **bar},
            },
            "Premium and discount": {
                "lux_range_pos": {"color": "#0288d1"},
                "lux_zone": {"color": "#ffb300"},
            },
            "Lux Algo": {
                "lux_long_score": {"color": "#43a047"},
                "lux_short_score": {"color": "#e53935"},
            },
        },
    }


def plot_annotations(dataframe: pd.DataFrame, settings: Settings = DEFAULTS) -> list[Annotation]:
    """
    What freqtrade's `plot_annotations` may return for a populated frame: every structure break as
    a labelled line from its pivot to the break (swing solid, internal dashed), and the order
    blocks and gaps that live on the newest row as boxes.

    freqtrade cuts the start off a populated frame before it draws a backtest. So all comes from the
    columns: a line whose pivot lies before the frame begins with the frame, and what the frame
    does not show to be a block or a gap is not drawn.

    :raises KeyError: the frame was not populated.
    """
    swing = _walked(dataframe, "lux_swing", settings.swing_length)
    internal = _walked(dataframe, "lux_internal", settings.internal_length)
    dates = dataframe["date"]
    drawn = _break_lines(dates, swing, 2, "solid")
    drawn += _break_lines(dates, internal, 1, "dashed")
    blocks = _shown_blocks(dataframe, swing, internal, settings)
    bull_gaps, bear_gaps = _shown_gaps(dataframe, settings)
    for zones, color, label, before in (
        (blocks.swing_bull, "rgba(38, 166, 154, 0.25)", "bullish block", 0),
        (blocks.internal_bull, "rgba(38, 166, 154, 0.25)", "bullish block", 0),
        (blocks.swing_bear, "rgba(239, 83, 80, 0.25)", "bearish block", 0),
        (blocks.internal_bear, "rgba(239, 83, 80, 0.25)", "bearish block", 0),
        (bull_gaps, "rgba(139, 195, 74, 0.2)", "bullish gap", 2),
        (bear_gaps, "rgba(255, 152, 0, 0.2)", "bearish gap", 2),
    ):
        drawn += [
            area(dates, int(zones.candle[zone]) - before, len(dates) - 1, bottom, top, color, label)
            for zone in np.flatnonzero(zones.ended < 0).tolist()
            for bottom, top in ((zones.bottoms[zone], zones.tops[zone]),)
        ]
    return drawn


def _walked(dataframe: pd.DataFrame, prefix: str, length: int) -> Structure:
    """
    A walk as the frame's columns have it. A pivot's candle is −1 when it lies before the frame; a
    new pivot at the very price of the one before it counts as that one.
    """
    columns = {name: dataframe[f"{prefix}_{name}"].to_numpy() for name in STRUCTURE}
    columns |= {name: columns[name].astype(np.bool_) for name in BREAKS}
    changed = {side: _changes(columns[side]) for side in ("high", "low")}
    rows = np.arange(len(dataframe))
    candles = {}
    for side, is_new in changed.items():
        known = np.maximum.accumulate(np.where(is_new, rows, -1))
        candles[f"{side}_candle"] = np.maximum(known - length, -1)
    turn = changed["low"].astype(np.int64) - changed["high"]
    return Structure(**columns, **candles, turn=turn)


def _changes(level: Floats) -> Flags:
    """Rows on which a level is another than on the row before."""
    changed = np.zeros(len(level), dtype=np.bool_)
    changed[1:] = (level[1:] != level[:-1]) & ~np.isnan(level[1:])
    return changed


def _shown_blocks(
    dataframe: pd.DataFrame, swing: Structure, internal: Structure, settings: Settings
) -> OrderBlocks:
    """The blocks of those breaks whose pivot the frame contains."""
    candles = read_candles(dataframe)
    return find_blocks(
        candles.high,
        candles.low,
        candles.close,
        dataframe["lux_wide_candle"].to_numpy(dtype=np.bool_),
        _shown_breaks(swing),
        _shown_breaks(internal),
        settings.order_block_memory,
        settings.order_block_mitigation,
    )


def _shown_breaks(walk: Structure) -> Structure:
    """The walk with those breaks only whose pivot the frame contains."""
    by_high, by_low = walk.high_candle >= 0, walk.low_candle >= 0
    return walk._replace(
        bos_bull=walk.bos_bull & by_high,
        choch_bull=walk.choch_bull & by_high,
        bos_bear=walk.bos_bear & by_low,
        choch_bear=walk.choch_bear & by_low,
    )


def _shown_gaps(dataframe: pd.DataFrame, settings: Settings) -> tuple[Zones, Zones]:
    """The gaps, bullish and bearish, whose three candles the frame contains."""
    candles = read_candles(dataframe)
    high, low, close = candles.high, candles.low, candles.close
    zones = []
    for side, name, through, top, bottom in (
        (1, "bull", low, low, earlier(high, 2)),
        (-1, "bear", high, earlier(low, 2), high),
    ):
        event = dataframe[f"lux_fvg_{name}"].to_numpy(dtype=np.bool_) & (np.arange(len(high)) >= 2)
        made = np.flatnonzero(event)
        edges = top[made], bottom[made]
        zones.append(follow(through, close, side, made, made, *edges, settings.gap_memory))
    return zones[0], zones[1]


def _break_lines(
    dates: pd.Series, walk: Structure, width: int, style: LineStyle
) -> list[Annotation]:
    drawn = []
    for name, label, level, candle, color in (
        ("bos_bull", "BOS", walk.high, walk.high_candle, "#26a69a"),
        ("choch_bull", "CHoCH", walk.high, walk.high_candle, "#26a69a"),
        ("bos_bear", "BOS", walk.low, walk.low_candle, "#ef5350"),
        ("choch_bear", "CHoCH", walk.low, walk.low_candle, "#ef5350"),
    ):
        drawn += [
            line(dates, max(int(candle[row]), 0), row, level[row], color, label, width, style)
            for row in np.flatnonzero(getattr(walk, name)).tolist()
        ]
    return drawn
