"""Lux Algo's scores of both sides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bubbybot_freqtrade.analyzers import kernels
from bubbybot_freqtrade.analyzers.candles import (
    Floats,
)
from bubbybot_freqtrade.analyzers.lux_algo.settings import DEFAULTS, Settings


def scores(
    columns: Mapping[str, Any], high: Floats, low: Floats, settings: Settings = DEFAULTS
) -> tuple[Floats, Floats]:
    """
    How strong the evidence for each side is now, 0 to 1: the sum of these parts, at most 1.

    ==============  ======  ==============================================  ========================
    weight          value   long                                            short
    ==============  ======  ==============================================  ========================
    swing_trend     0.15    swing trend +1                                  −1
    internal_trend  0.10    internal trend +1                               −1
    order_block     0.20    the candle touches the nearest bullish block    bearish block
    gap             0.10    the candle touches the nearest bullish gap      bearish gap
    zone            0.10    discount in full, the half below in half        premium, the half above
    swing_choch     0.25    swing choch_bull                                choch_bear
    swing_bos       0.20    swing bos_bull                                  bos_bear
    internal_choch  0.15    internal choch_bull                             choch_bear
    internal_bos    0.10    internal bos_bull                               bos_bear
    sweep           0.25    sweep_bull                                      sweep_bear
    ==============  ======  ==============================================  ========================

    The first five are states. The others are events: their weight fades linearly over 12 candles
    (`score_fade`).
    """
    weights = settings.weights
    totals = []
    for side, name in ((1.0, "bull"), (-1.0, "bear")):
        in_gap = (low <= columns[f"lux_{name}_fvg_top"]) & (
            high >= columns[f"lux_{name}_fvg_bottom"]
        )
        total = (
            weights.swing_trend * (columns["lux_swing_trend"] == side)
            + weights.internal_trend * (columns["lux_internal_trend"] == side)
            + weights.order_block * columns[f"lux_in_{name}_ob"]
            + weights.gap * in_gap
            + weights.zone * np.maximum(np.nan_to_num(-side * columns["lux_zone"]), 0.0)
        )
        for weight, event in (
            (weights.swing_choch, f"lux_swing_choch_{name}"),
            (weights.swing_bos, f"lux_swing_bos_{name}"),
            (weights.internal_choch, f"lux_internal_choch_{name}"),
            (weights.internal_bos, f"lux_internal_bos_{name}"),
            (weights.sweep, f"lux_sweep_{name}"),
        ):
            faded = kernels.fading.fade(columns[event].astype(np.float64), settings.score_fade)
            total += weight * faded
        totals.append(np.minimum(total, 1.0))
    return totals[0], totals[1]
