"""The columns of Lux Algo, and the function that adds them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from bubbybot_freqtrade.analyzers.candles import (
    Candles,
    Floats,
    read_candles,
    with_columns,
)
from bubbybot_freqtrade.analyzers.lux_algo.blocks import OrderBlocks, mean_true_range, order_blocks
from bubbybot_freqtrade.analyzers.lux_algo.gaps import FairValueGaps, fair_value_gaps
from bubbybot_freqtrade.analyzers.lux_algo.liquidity import equal_levels, liquidity_grabs
from bubbybot_freqtrade.analyzers.lux_algo.range import range_position, range_zone, running_range
from bubbybot_freqtrade.analyzers.lux_algo.scores import scores
from bubbybot_freqtrade.analyzers.lux_algo.settings import DEFAULTS, Settings
from bubbybot_freqtrade.analyzers.lux_algo.structure import (
    STRUCTURE,
    Structure,
    structure,
    structure_columns,
)
from bubbybot_freqtrade.analyzers.lux_algo.zones import touches

COLUMNS: tuple[str, ...] = (
    *(f"lux_swing_{name}" for name in STRUCTURE),
    *(f"lux_internal_{name}" for name in STRUCTURE),
    "lux_bull_ob_top",
    "lux_bull_ob_bottom",
    "lux_bear_ob_top",
    "lux_bear_ob_bottom",
    "lux_in_bull_ob",
    "lux_in_bear_ob",
    "lux_fvg_bull",
    "lux_fvg_bear",
    "lux_bull_fvg_top",
    "lux_bull_fvg_bottom",
    "lux_bear_fvg_top",
    "lux_bear_fvg_bottom",
    "lux_eqh",
    "lux_eql",
    "lux_sweep_bull",
    "lux_sweep_bear",
    "lux_range_high",
    "lux_range_low",
    "lux_range_pos",
    "lux_zone",
    "lux_long_score",
    "lux_short_score",
)
"""Every column that `populate` adds, in order."""


def populate(dataframe: pd.DataFrame, settings: Settings = DEFAULTS) -> pd.DataFrame:
    """
    Add `COLUMNS` to freqtrade's candles.

    :param dataframe: `date, open, high, low, close, volume`, ascending.
    :return: the frame with the columns added. Events are bool, False before warm-up; everything
        else is float64, NaN while there is none yet (a swing pivot needs 51 candles, equal levels
        201, gaps 501); trends are 0 before the first break. Scores are 0 to 1 on every row. A
        frame of no rows gets empty columns.
    :raises CandleError: the candles cannot be read (see `read_candles`).
    """
    candles = read_candles(dataframe)
    high, low, close = candles.high, candles.low, candles.close
    mean_range = mean_true_range(high, low, close, settings.mean_range_length)
    swing, internal, blocks, gaps = _zones(candles, mean_range, settings)
    equal = equal_levels(high, low, mean_range, settings.equal_length, settings.equal_reach)
    sweeps = liquidity_grabs(high, low, close, swing, equal)
    trailing = running_range(high, low, swing.turn, settings.swing_length)
    position = range_position(close, trailing.high, trailing.low)
    columns: dict[str, Any] = {
        **structure_columns("lux_swing", swing),
        **structure_columns("lux_internal", internal),
        "lux_bull_ob_top": blocks.bull.top,
        "lux_bull_ob_bottom": blocks.bull.bottom,
        "lux_bear_ob_top": blocks.bear.top,
        "lux_bear_ob_bottom": blocks.bear.bottom,
        "lux_in_bull_ob": touches(high, low, blocks.bull),
        "lux_in_bear_ob": touches(high, low, blocks.bear),
        "lux_fvg_bull": gaps.bull_event,
        "lux_fvg_bear": gaps.bear_event,
        "lux_bull_fvg_top": gaps.bull.top,
        "lux_bull_fvg_bottom": gaps.bull.bottom,
        "lux_bear_fvg_top": gaps.bear.top,
        "lux_bear_fvg_bottom": gaps.bear.bottom,
        "lux_eqh": equal.eqh,
        "lux_eql": equal.eql,
        "lux_sweep_bull": sweeps.bull,
        "lux_sweep_bear": sweeps.bear,
        "lux_range_high": trailing.high,
        "lux_range_low": trailing.low,
        "lux_range_pos": position,
        "lux_zone": range_zone(
            position,
            settings.premium,
            settings.discount,
            settings.equilibrium_low,
            settings.equilibrium_high,
        ),
    }
    long_score, short_score = scores(columns, high, low, settings)
    columns |= {"lux_long_score": long_score, "lux_short_score": short_score}
    return with_columns(dataframe, {name: columns[name] for name in COLUMNS})


def _zones(
    candles: Candles, mean_range: Floats, settings: Settings
) -> tuple[Structure, Structure, OrderBlocks, FairValueGaps]:
    """Structure, and the zones that come of it."""
    high, low, close = candles.high, candles.low, candles.close
    swing, internal = structure(high, low, close, settings.swing_length, settings.internal_length)
    blocks = order_blocks(
        high,
        low,
        close,
        mean_range,
        swing,
        internal,
        settings.order_block_wide_candle,
        settings.order_block_memory,
    )
    gaps = fair_value_gaps(
        candles.open,
        high,
        low,
        close,
        settings.gap_body_length,
        settings.gap_body_factor,
        settings.gap_memory,
    )
    return swing, internal, blocks, gaps
