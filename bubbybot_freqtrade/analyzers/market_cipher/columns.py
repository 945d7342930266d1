"""The columns of Market Cipher, and the function that adds them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from bubbybot_freqtrade.analyzers.candles import (
    average_true_range,
    read_candles,
    with_columns,
)
from bubbybot_freqtrade.analyzers.market_cipher import dbsi
from bubbybot_freqtrade.analyzers.market_cipher.levels import support_resistance
from bubbybot_freqtrade.analyzers.market_cipher.momentum import momentum_columns
from bubbybot_freqtrade.analyzers.market_cipher.scores import scores
from bubbybot_freqtrade.analyzers.market_cipher.settings import DEFAULTS, Settings
from bubbybot_freqtrade.analyzers.market_cipher.trend import trend_columns

COLUMNS: tuple[str, ...] = (
    "mc_wt1",
    "mc_wt2",
    "mc_wt_vwap",
    "mc_money_flow",
    "mc_rsi",
    "mc_stoch_k",
    "mc_stoch_d",
    "mc_green_dot",
    "mc_red_dot",
    "mc_bull_div",
    "mc_bear_div",
    "mc_bull_div_weak",
    "mc_bear_div_weak",
    "mc_bull_div_hidden",
    "mc_bear_div_hidden",
    "mc_gold_dot",
    *(f"mc_ema_{number}" for number in range(1, 9)),
    "mc_ribbon_bull",
    "mc_long_ema",
    "mc_short_ema",
    "mc_red_cross",
    "mc_blue_triangle_up",
    "mc_blue_triangle_down",
    "mc_red_diamond",
    "mc_green_diamond",
    "mc_blood_diamond",
    "mc_moon_diamond",
    "mc_yellow_cross",
    "mc_support",
    "mc_resistance",
    "mc_support_touches",
    "mc_resistance_touches",
    "mc_dbsi_bull",
    "mc_dbsi_bear",
    "mc_long_score",
    "mc_short_score",
)
"""Every column that `populate` adds, in order."""


def populate(dataframe: pd.DataFrame, settings: Settings = DEFAULTS) -> pd.DataFrame:
    """
    Add `COLUMNS` to freqtrade's candles.

    :param dataframe: `date, open, high, low, close, volume`, ascending.
    :return: the frame with the columns added. Events are bool, False before warm-up; everything
        else is float64, NaN before warm-up (the last part to start, money flow, needs 60 candles;
        the EMA chains are settled to 1e-9 after about 400). Scores are 0 to 1 on every row. A
        frame of no rows gets empty columns.
    :raises CandleError: the candles cannot be read (see `read_candles`).
    """
    candles = read_candles(dataframe)
    columns: dict[str, Any] = {}
    columns |= momentum_columns(candles, settings)
    columns |= trend_columns(candles, columns["mc_rsi"], settings)
    atr = average_true_range(candles.high, candles.low, candles.close, settings.atr_length)
    levels = support_resistance(
        candles.high,
        candles.low,
        candles.close,
        atr,
        side=settings.pivot_side,
        window=settings.level_window,
        merge_atr=settings.level_merge_atr,
    )
    columns |= {f"mc_{name}": values for name, values in levels._asdict().items()}
    counts = dbsi.strength(*candles)
    columns |= {"mc_dbsi_bull": counts.bull, "mc_dbsi_bear": counts.bear}
    long_score, short_score = scores(columns, candles.close, atr, settings)
    columns |= {"mc_long_score": long_score, "mc_short_score": short_score}
    return with_columns(dataframe, {name: columns[name] for name in COLUMNS})
