"""
Each concept by itself: freqtrade's candles in, its columns out, and nothing else computed.

All take `date, open, high, low, close, volume`, ascending, and settings (None: the defaults), and
return a frame of their columns alone, with the index of the candles:
``dataframe.join(lux_algo.order_blocks(dataframe))``. They raise `CandleError` as `populate` does.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from bubbybot_freqtrade.analyzers.lux_algo.columns import (
    BLOCK_PARTS,
    GAP_PARTS,
    LIQUIDITY_PARTS,
    PREVIOUS_PARTS,
    RANGE_PARTS,
    STRUCTURE_PARTS,
    populate,
)
from bubbybot_freqtrade.analyzers.lux_algo.settings import Settings
from bubbybot_freqtrade.analyzers.parts import Part, names_of


def structure(dataframe: pd.DataFrame, settings: Settings | None = None) -> pd.DataFrame:
    """`lux_swing_…` and `lux_internal_…`: pivots, trend, BOS and CHoCH; HH, HL, LH and LL."""
    return _columns_of(STRUCTURE_PARTS, dataframe, settings)


def order_blocks(dataframe: pd.DataFrame, settings: Settings | None = None) -> pd.DataFrame:
    """`lux_…_ob_…`, `lux_in_…_ob`: the nearest living order blocks, and which were run through."""
    return _columns_of(BLOCK_PARTS, dataframe, settings)


def fair_value_gaps(dataframe: pd.DataFrame, settings: Settings | None = None) -> pd.DataFrame:
    """`lux_fvg_…`, `lux_…_fvg_…`: new gaps, and the nearest living ones."""
    return _columns_of(GAP_PARTS, dataframe, settings)


def liquidity(dataframe: pd.DataFrame, settings: Settings | None = None) -> pd.DataFrame:
    """`lux_eqh`, `lux_eql`, `lux_sweep_…`: equal highs and lows, and grabs of liquidity."""
    return _columns_of(LIQUIDITY_PARTS, dataframe, settings)


def premium_discount(dataframe: pd.DataFrame, settings: Settings | None = None) -> pd.DataFrame:
    """`lux_range_…`, `lux_zone`, `lux_strong_…`, `lux_weak_…`: the running range."""
    return _columns_of(RANGE_PARTS, dataframe, settings)


def previous_highs_lows(dataframe: pd.DataFrame, settings: Settings | None = None) -> pd.DataFrame:
    """`lux_prev_…`: highs and lows of the day, week and month before."""
    return _columns_of(PREVIOUS_PARTS, dataframe, settings)


def _columns_of(
    parts: Iterable[Part], dataframe: pd.DataFrame, settings: Settings | None
) -> pd.DataFrame:
    names = list(names_of(parts))
    return populate(dataframe, settings, columns=names)[names]
