"""Market Cipher's scores of both sides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bubbybot_freqtrade.analyzers import kernels
from bubbybot_freqtrade.analyzers.candles import (
    Flags,
    Floats,
)
from bubbybot_freqtrade.analyzers.market_cipher.settings import DEFAULTS, Settings


def scores(
    columns: Mapping[str, Any], close: Floats, atr: Floats, settings: Settings = DEFAULTS
) -> tuple[Floats, Floats]:
    """
    How strong the evidence for each side is now, 0 to 1: the sum of these parts, at most 1.

    ==================  ======  ======================================  ============================
    weight              value   long                                    short
    ==================  ======  ======================================  ============================
    wave                0.10    wt1 above wt2                           wt1 below wt2
    money_flow          0.10    money flow above 0                      below 0
    ribbon              0.15    ema_8 below ema_2                       ema_8 above ema_2
    strength            0.15    dbsi_bull over 15 and rising            dbsi_bear over 15 and rising
    level               0.10    support of ≥ 2 touches within 1 ATR     resistance likewise
    dot                 0.20    green dot                               red dot
    divergence          0.30    bull_div that is no gold dot            bear_div
    divergence_weak     0.15    bull_div_weak                           bear_div_weak
    divergence_hidden   0.15    bull_div_hidden                         bear_div_hidden
    ema_cross           0.10    long_ema                                short_ema
    triangle            0.05    blue_triangle_up                        blue_triangle_down
    diamond             0.05    green_diamond                           red_diamond
    strong_diamond      0.15    moon_diamond                            blood_diamond
    ==================  ======  ======================================  ============================

    The first five are states. The others are events: their weight fades linearly over 12 candles
    (`score_fade`). A gold dot warns not to buy yet: it takes up to half (gold_penalty) of the long
    score away, fading likewise. A yellow cross is a manipulation warning: both scores are 0 on its
    row.
    """
    weights = settings.weights
    near = settings.level_near_atr * atr
    many = settings.level_touches
    long_score = (
        weights.wave * (columns["mc_wt1"] > columns["mc_wt2"])
        + weights.money_flow * (columns["mc_money_flow"] > 0)
        + weights.ribbon * columns["mc_ribbon_bull"]
        + weights.strength * _strong(columns["mc_dbsi_bull"], settings.strength_level)
        + weights.level
        * ((close - columns["mc_support"] <= near) & (columns["mc_support_touches"] >= many))
    )
    short_score = (
        weights.wave * (columns["mc_wt1"] < columns["mc_wt2"])
        + weights.money_flow * (columns["mc_money_flow"] < 0)
        + weights.ribbon * (columns["mc_ema_8"] > columns["mc_ema_2"])
        + weights.strength * _strong(columns["mc_dbsi_bear"], settings.strength_level)
        + weights.level
        * ((columns["mc_resistance"] - close <= near) & (columns["mc_resistance_touches"] >= many))
    )
    gold = columns["mc_gold_dot"]
    for weight, bullish, bearish in (
        (weights.dot, columns["mc_green_dot"], columns["mc_red_dot"]),
        (weights.divergence, columns["mc_bull_div"] & ~gold, columns["mc_bear_div"]),
        (weights.divergence_weak, columns["mc_bull_div_weak"], columns["mc_bear_div_weak"]),
        (weights.divergence_hidden, columns["mc_bull_div_hidden"], columns["mc_bear_div_hidden"]),
        (weights.ema_cross, columns["mc_long_ema"], columns["mc_short_ema"]),
        (weights.triangle, columns["mc_blue_triangle_up"], columns["mc_blue_triangle_down"]),
        (weights.diamond, columns["mc_green_diamond"], columns["mc_red_diamond"]),
        (weights.strong_diamond, columns["mc_moon_diamond"], columns["mc_blood_diamond"]),
    ):
        long_score += weight * _fade(bullish, settings)
        short_score += weight * _fade(bearish, settings)
    long_score = np.minimum(long_score, 1.0) * (1.0 - weights.gold_penalty * _fade(gold, settings))
    clear = ~columns["mc_yellow_cross"]
    return long_score * clear, np.minimum(short_score, 1.0) * clear


def _strong(count: Floats, level: float) -> Flags:
    rising = np.zeros(len(count), dtype=np.bool_)
    rising[1:] = count[1:] > count[:-1]
    return rising & (count > level)


def _fade(event: Flags, settings: Settings) -> Floats:
    return kernels.fading.fade(event.astype(np.float64), settings.score_fade)
