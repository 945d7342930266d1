"""
One concept each: candles in, its columns out.

Every function takes freqtrade's candles (`date, open, high, low, close, volume`, ascending) and
settings (None is `DEFAULTS`) and returns a frame of its columns alone, with the candles' index and
the values that `populate` gives. What a concept needs of another it computes itself. Each raises
`CandleError` where the candles cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from bubbybot_freqtrade.analyzers.market_cipher.columns import (
    DIAMOND_PARTS,
    DIVERGENCE_PARTS,
    LEVEL_PARTS,
    OSCILLATOR_PARTS,
    RIBBON_PARTS,
    SOMMI_PARTS,
    STRENGTH_PARTS,
    WAVE_PARTS,
    populate,
)
from bubbybot_freqtrade.analyzers.market_cipher.settings import Settings
from bubbybot_freqtrade.analyzers.parts import Part, names_of


def waves(dataframe: pd.DataFrame, settings: Settings | None = None) -> pd.DataFrame:
    """`mc_wt…` and `mc_…_dot` but the gold one: wave trend and its crosses."""
    return _columns_of(WAVE_PARTS, dataframe, settings)


def oscillators(dataframe: pd.DataFrame, settings: Settings | None = None) -> pd.DataFrame:
    """`mc_money_flow`, `mc_rsi`, `mc_stoch_k`, `mc_stoch_d`, `mc_stc`."""
    return _columns_of(OSCILLATOR_PARTS, dataframe, settings)


def divergences(dataframe: pd.DataFrame, settings: Settings | None = None) -> pd.DataFrame:
    """`mc_…_div…` of wave trend, RSI and stochastic, and `mc_gold_dot`."""
    return _columns_of(DIVERGENCE_PARTS, dataframe, settings)


def higher_timeframes(dataframe: pd.DataFrame, settings: Settings | None = None) -> pd.DataFrame:
    """`mc_sommi_…`: the higher timeframe's wave, flags and diamonds."""
    return _columns_of(SOMMI_PARTS, dataframe, settings)


def ribbon(dataframe: pd.DataFrame, settings: Settings | None = None) -> pd.DataFrame:
    """`mc_ema_…`, `mc_ribbon_bull`, and the crosses and triangles of the averages."""
    return _columns_of(RIBBON_PARTS, dataframe, settings)


def diamonds(dataframe: pd.DataFrame, settings: Settings | None = None) -> pd.DataFrame:
    """`mc_…_diamond`, `mc_yellow_cross…`, `mc_bull_candle`, `mc_bear_candle`."""
    return _columns_of(DIAMOND_PARTS, dataframe, settings)


def nearest_levels(dataframe: pd.DataFrame, settings: Settings | None = None) -> pd.DataFrame:
    """`mc_support…` and `mc_resistance…`."""
    return _columns_of(LEVEL_PARTS, dataframe, settings)


def band_strength(dataframe: pd.DataFrame, settings: Settings | None = None) -> pd.DataFrame:
    """`mc_dbsi_bull` and `mc_dbsi_bear`."""
    return _columns_of(STRENGTH_PARTS, dataframe, settings)


def _columns_of(
    parts: Iterable[Part], dataframe: pd.DataFrame, settings: Settings | None
) -> pd.DataFrame:
    names = list(names_of(parts))
    return populate(dataframe, settings, columns=names)[names]
