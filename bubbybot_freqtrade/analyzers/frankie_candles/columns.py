"""The columns of Frankie Candles, and the function that adds them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from bubbybot_freqtrade.analyzers.candles import (
    earlier,
    read_candles,
    with_columns,
)
from bubbybot_freqtrade.analyzers.frankie_candles.divergences import divergences, oscillators
from bubbybot_freqtrade.analyzers.frankie_candles.pocket import golden_pocket, running_leg
from bubbybot_freqtrade.analyzers.frankie_candles.profile import volume_profile
from bubbybot_freqtrade.analyzers.frankie_candles.scores import scores
from bubbybot_freqtrade.analyzers.frankie_candles.settings import DEFAULTS, Settings

COLUMNS: tuple[str, ...] = (
    "fc_poc",
    "fc_vah",
    "fc_val",
    "fc_bull_div",
    "fc_bear_div",
    "fc_bull_div_hidden",
    "fc_bear_div_hidden",
    "fc_bull_div_strong",
    "fc_bear_div_strong",
    "fc_bull_div_wrong_side",
    "fc_bear_div_wrong_side",
    "fc_gp_top",
    "fc_gp_bottom",
    "fc_in_golden_pocket",
    "fc_long_score",
    "fc_short_score",
)
"""Every column that `populate` adds, in order."""


def populate(dataframe: pd.DataFrame, settings: Settings = DEFAULTS) -> pd.DataFrame:
    """
    Add `COLUMNS` to freqtrade's candles. Needs no column of the other analyzers.

    :param dataframe: `date, open, high, low, close, volume`, ascending.
    :return: the frame with the columns added. Events are bool, False before warm-up; divergence
        counts and the pocket's side are 0 there, levels NaN (the profile needs 480 candles, the
        pocket both swing pivots). Scores are 0 to 1 on every row. A frame of no rows gets empty
        columns.
    :raises CandleError: the candles cannot be read (see `read_candles`).
    """
    candles = read_candles(dataframe)
    profile = volume_profile(
        candles.high,
        candles.low,
        candles.volume,
        settings.profile_window,
        settings.profile_rows,
        settings.value_area,
    )
    counts = divergences(
        oscillators(candles, settings),
        candles.high,
        candles.low,
        settings.pivot_side,
        settings.pivot_reach,
    )
    pocket = golden_pocket(
        candles.close, running_leg(candles, settings), settings.pocket_near, settings.pocket_far
    )
    pivot_low = earlier(candles.low, settings.pivot_side)
    pivot_high = earlier(candles.high, settings.pivot_side)
    columns: dict[str, Any] = {
        "fc_poc": profile.poc,
        "fc_vah": profile.value_high,
        "fc_val": profile.value_low,
        "fc_bull_div": counts.bull,
        "fc_bear_div": counts.bear,
        "fc_bull_div_hidden": counts.bull_hidden,
        "fc_bear_div_hidden": counts.bear_hidden,
        "fc_bull_div_strong": (counts.bull > 0) & (pivot_low < profile.value_low),
        "fc_bear_div_strong": (counts.bear > 0) & (pivot_high > profile.value_high),
        # Not > and <: without a POC no side is right.
        "fc_bull_div_wrong_side": (counts.bull + counts.bull_hidden > 0)
        & ~(pivot_low <= profile.poc),
        "fc_bear_div_wrong_side": (counts.bear + counts.bear_hidden > 0)
        & ~(pivot_high >= profile.poc),
        "fc_gp_top": pocket.top,
        "fc_gp_bottom": pocket.bottom,
        "fc_in_golden_pocket": pocket.inside,
    }
    long_score, short_score = scores(columns, candles.close, settings)
    columns |= {"fc_long_score": long_score, "fc_short_score": short_score}
    return with_columns(dataframe, {name: columns[name] for name in COLUMNS})
