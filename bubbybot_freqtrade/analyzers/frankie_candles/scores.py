"""Frankie Candles' scores of both sides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bubbybot_freqtrade.analyzers import kernels
from bubbybot_freqtrade.analyzers.candles import (
    Floats,
    floats,
)
from bubbybot_freqtrade.analyzers.frankie_candles.settings import DEFAULTS, Settings


def scores(
    columns: Mapping[str, Any], close: Floats, settings: Settings = DEFAULTS
) -> tuple[Floats, Floats]:
    """
    How strong the evidence for each side is now, 0 to 1: the sum of these parts, at most 1.

    =================  ======  ==========================================  ========================
    weight             value   long                                        short
    =================  ======  ==========================================  ========================
    golden_pocket      0.35    close in the pocket of an up leg            of a down leg
    value_half         0.10    close below the POC                         above the POC
    value_outside      0.15    close below the value area, on top of that  above it
    divergence         0.30    one oscillator diverges bullish             bearish
    divergence_more    0.10    for each further one                        likewise
    divergence_hidden  0.20    one diverges hidden bullish                 hidden bearish
    divergence_more    0.10    for each further one                        likewise
    divergence_strong  0.20    the pivot lies below the value area         above it
    =================  ======  ==========================================  ========================

    The first three are states. Divergences are events: their weight fades linearly over 12 candles
    (`score_fade`), and they count only when their pivot's price is on the right side of the POC: a
    bullish one above it and a bearish one below it (`fc_bull_div_wrong_side`,
    `fc_bear_div_wrong_side`) add nothing.
    """
    weights = settings.weights
    poc = columns["fc_poc"]
    totals = []
    for side, name, edge in ((1.0, "bull", columns["fc_val"]), (-1.0, "bear", columns["fc_vah"])):
        right_side = ~columns[f"fc_{name}_div_wrong_side"]
        total = (
            weights.golden_pocket * (columns["fc_in_golden_pocket"] == side)
            + weights.value_half * (side * close < side * poc)
            + weights.value_outside * (side * close < side * edge)
        )
        for strength in (
            _counted(columns[f"fc_{name}_div"], weights.divergence, weights.divergence_more),
            _counted(
                columns[f"fc_{name}_div_hidden"],
                weights.divergence_hidden,
                weights.divergence_more,
            ),
            weights.divergence_strong * columns[f"fc_{name}_div_strong"],
        ):
            total += kernels.fading.fade(floats(strength * right_side), settings.score_fade)
        totals.append(np.minimum(total, 1.0))
    return totals[0], totals[1]


def _counted(count: Floats, first: float, more: float) -> Floats:
    return np.where(count > 0, first + more * (count - 1), 0.0)
