"""The columns of Frankie Candles, and the function that adds them."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from bubbybot_freqtrade.analyzers.candles import Flags, Floats, earlier
from bubbybot_freqtrade.analyzers.frankie_candles.divergences import (
    DivergenceCounts,
    divergences,
    oscillators,
)
from bubbybot_freqtrade.analyzers.frankie_candles.pocket import (
    GoldenPocket,
    golden_pocket,
    running_leg,
)
from bubbybot_freqtrade.analyzers.frankie_candles.profile import VolumeProfile, volume_profile
from bubbybot_freqtrade.analyzers.frankie_candles.scores import scores
from bubbybot_freqtrade.analyzers.frankie_candles.settings import DEFAULTS, Settings
from bubbybot_freqtrade.analyzers.parts import Part, Work, names_of, populate_parts

FrankieWork = Work[Settings]


def _profile(work: FrankieWork) -> VolumeProfile:
    candles, settings = work.candles, work.settings
    return volume_profile(
        candles.high,
        candles.low,
        candles.volume,
        settings.profile_window,
        settings.profile_rows,
        settings.value_area,
    )


def _divergences(work: FrankieWork) -> DivergenceCounts:
    candles, settings = work.candles, work.settings
    return divergences(
        oscillators(candles, settings),
        candles.high,
        candles.low,
        settings.pivot_side,
        settings.pivot_reach,
    )


def _strong(work: FrankieWork) -> tuple[Flags, Flags]:
    counts, profile = work.of(_divergences), work.of(_profile)
    low, high = _pivot_prices(work)
    return (counts.bull > 0) & (low < profile.value_low), (
        (counts.bear > 0) & (high > profile.value_high)
    )


def _wrong_side(work: FrankieWork) -> tuple[Flags, Flags]:
    counts, profile = work.of(_divergences), work.of(_profile)
    low, high = _pivot_prices(work)
    # Not > and <: without a POC no side is right.
    return (counts.bull + counts.bull_hidden > 0) & ~(low <= profile.poc), (
        (counts.bear + counts.bear_hidden > 0) & ~(high >= profile.poc)
    )


def _pivot_prices(work: FrankieWork) -> tuple[Floats, Floats]:
    """Low and high of the candle whose pivot becomes known on the row."""
    candles, side = work.candles, work.settings.pivot_side
    return earlier(candles.low, side), earlier(candles.high, side)


def _pocket(work: FrankieWork) -> GoldenPocket:
    candles, settings = work.candles, work.settings
    leg = running_leg(candles, settings)
    return golden_pocket(candles.close, leg, settings.pocket_near, settings.pocket_far)


def _scores(work: FrankieWork) -> tuple[Floats, Floats]:
    return scores(work, work.candles.close, work.settings)


PARTS: tuple[Part, ...] = (
    Part(_profile, ("fc_poc", "fc_vah", "fc_val")),
    Part(
        _divergences,
        ("fc_bull_div", "fc_bear_div", "fc_bull_div_hidden", "fc_bear_div_hidden"),
    ),
    Part(_strong, ("fc_bull_div_strong", "fc_bear_div_strong")),
    Part(_wrong_side, ("fc_bull_div_wrong_side", "fc_bear_div_wrong_side")),
    Part(_pocket, ("fc_gp_top", "fc_gp_bottom", "fc_in_golden_pocket")),
    Part(_scores, ("fc_long_score", "fc_short_score")),
)
"""What computes which columns."""

COLUMNS: tuple[str, ...] = names_of(PARTS)
"""Every column that `populate` adds, in order."""


def populate(
    dataframe: pd.DataFrame,
    settings: Settings | None = None,
    columns: Iterable[str] | None = None,
) -> pd.DataFrame:
    """
    Add `COLUMNS` to freqtrade's candles. Needs no column of the other analyzers.

    :param dataframe: `date, open, high, low, close, volume`, ascending.
    :param settings: None is `DEFAULTS`.
    :param columns: names; only these are added, and only the parts run that they need.
    :return: the frame with the columns added. Events are bool, False before warm-up; divergence
        counts and the pocket's side are 0 there, levels NaN (the profile needs 480 candles, the
        pocket both swing pivots). Scores are 0 to 1 on every row. A frame of no rows gets empty
        columns.
    :raises CandleError: the candles cannot be read (see `read_candles`).
    :raises ValueError: `columns` names one that is not in `COLUMNS`.
    """
    return populate_parts(dataframe, settings or DEFAULTS, PARTS, columns)
