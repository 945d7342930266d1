"""The columns of Frankie Candles, and the function that adds them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pandas as pd

from bubbybot_freqtrade.analyzers.candles import Flags, Floats, Integers, earlier, epoch_seconds
from bubbybot_freqtrade.analyzers.frankie_candles.divergences import (
    COUNTED,
    OSCILLATORS,
    DivergenceCounts,
    DivergenceEvents,
    count_events,
    divergence_events,
    divergences,
    oscillators,
)
from bubbybot_freqtrade.analyzers.frankie_candles.flow import (
    balance_volume,
    volume_delta,
    window_sum,
)
from bubbybot_freqtrade.analyzers.frankie_candles.pocket import (
    GoldenPocket,
    golden_pocket,
    running_leg,
)
from bubbybot_freqtrade.analyzers.frankie_candles.profile import (
    NakedLevels,
    VolumeProfile,
    naked_levels,
    period_begins,
    period_profile,
    previous_profile,
    volume_profile,
)
from bubbybot_freqtrade.analyzers.frankie_candles.scores import scores
from bubbybot_freqtrade.analyzers.frankie_candles.settings import DEFAULTS, Settings
from bubbybot_freqtrade.analyzers.higher import higher_candles, on_rows
from bubbybot_freqtrade.analyzers.lux_algo.range import RunningRange
from bubbybot_freqtrade.analyzers.parts import Part, Work, names_of, populate_parts

FrankieWork = Work[Settings]

# --- volume by price ------------------------------------------------------------------------------


def _profile(work: FrankieWork) -> VolumeProfile:
    candles, settings = work.candles, work.settings
    return volume_profile(
        candles.high,
        candles.low,
        candles.volume,
        settings.profile_window,
        settings.profile_rows,
        settings.value_area,
        settings.value_area_rows,
    )


def _seconds(work: FrankieWork) -> Integers:
    return epoch_seconds(work.dates)


def _days(work: FrankieWork) -> Flags:
    return period_begins(work.of(_seconds))


def _sessions(work: FrankieWork) -> Flags:
    return period_begins(work.of(_seconds), work.settings.session_hours)


def _period(work: FrankieWork, begins: Flags) -> VolumeProfile:
    candles, settings = work.candles, work.settings
    return period_profile(
        candles.high,
        candles.low,
        candles.volume,
        begins,
        settings.period_rows,
        settings.value_area,
        settings.value_area_rows,
    )


def _day(work: FrankieWork) -> VolumeProfile:
    return _period(work, work.of(_days))


def _session(work: FrankieWork) -> VolumeProfile:
    return _period(work, work.of(_sessions))


def _previous_day(work: FrankieWork) -> VolumeProfile:
    return previous_profile(work.of(_day), work.of(_days))


def _previous_session(work: FrankieWork) -> VolumeProfile:
    return previous_profile(work.of(_session), work.of(_sessions))


def _naked(work: FrankieWork) -> NakedLevels:
    candles, poc = work.candles, work.of(_day).poc
    begins, memory = work.of(_days), work.settings.naked_memory
    return naked_levels(candles.high, candles.low, candles.close, begins, poc, memory)


def _delta(work: FrankieWork) -> tuple[Floats]:
    return (volume_delta(*work.candles[1:]),)


def _flow(work: FrankieWork) -> tuple[Floats, Floats]:
    candles, window = work.candles, work.settings.flow_window
    balance = balance_volume(candles.close, candles.volume)
    return window_sum(work["fc_delta"], window), window_sum(balance, window)


# --- divergences ----------------------------------------------------------------------------------


def _events_of(name: str) -> Callable[[FrankieWork], DivergenceEvents]:
    def events(work: FrankieWork) -> DivergenceEvents:
        candles, settings = work.candles, work.settings
        oscillator = OSCILLATORS[name](candles, settings)
        side, reach = settings.pivot_side, settings.pivot_reach
        return divergence_events(oscillator, candles.high, candles.low, side, reach)

    return events


_EVENTS = {name: _events_of(name) for name in OSCILLATORS}


def _divergences(work: FrankieWork) -> DivergenceCounts:
    return count_events([work.of(_EVENTS[name]) for name in COUNTED])


def _higher_divergences(work: FrankieWork) -> DivergenceCounts:
    settings = work.settings
    higher = higher_candles(work.candles, work.of(_seconds), settings.higher_minutes)
    counts = divergences(
        oscillators(higher.candles, settings),
        higher.candles.high,
        higher.candles.low,
        settings.pivot_side,
        settings.pivot_reach,
    )
    rows = len(work.candles.close)
    return DivergenceCounts(*(on_rows(higher.known, values, rows) for values in counts))


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


# --- the running leg ------------------------------------------------------------------------------


def _leg(work: FrankieWork) -> RunningRange:
    return running_leg(work.candles, work.settings)


def _pocket(work: FrankieWork) -> GoldenPocket:
    settings = work.settings
    return golden_pocket(
        work.candles.close, work.of(_leg), settings.pocket_near, settings.pocket_far
    )


def _optimal_entry(work: FrankieWork) -> GoldenPocket:
    settings = work.settings
    return golden_pocket(work.candles.close, work.of(_leg), settings.ote_near, settings.ote_far)


def _scores(work: FrankieWork) -> tuple[Floats, Floats]:
    return scores(work, work.candles.close, work.settings)


_LEVELS = ("poc", "vah", "val")
_KINDS = ("bull_div", "bear_div", "bull_div_hidden", "bear_div_hidden")

PARTS: tuple[Part, ...] = (
    Part(_profile, tuple(f"fc_{name}" for name in _LEVELS)),
    Part(_divergences, tuple(f"fc_{kind}" for kind in _KINDS)),
    Part(_strong, ("fc_bull_div_strong", "fc_bear_div_strong")),
    Part(_wrong_side, ("fc_bull_div_wrong_side", "fc_bear_div_wrong_side")),
    Part(_pocket, ("fc_gp_top", "fc_gp_bottom", "fc_in_golden_pocket")),
    Part(_optimal_entry, ("fc_ote_top", "fc_ote_bottom", "fc_in_ote")),
    Part(_day, tuple(f"fc_day_{name}" for name in _LEVELS)),
    Part(_previous_day, tuple(f"fc_prev_day_{name}" for name in _LEVELS)),
    Part(_session, tuple(f"fc_session_{name}" for name in _LEVELS)),
    Part(_previous_session, tuple(f"fc_prev_session_{name}" for name in _LEVELS)),
    Part(_naked, ("fc_naked_poc_above", "fc_naked_poc_below")),
    *(Part(_EVENTS[name], tuple(f"fc_{name}_{kind}" for kind in _KINDS)) for name in OSCILLATORS),
    Part(_higher_divergences, tuple(f"fc_htf_{kind}" for kind in _KINDS)),
    Part(_delta, ("fc_delta",)),
    Part(_flow, ("fc_cvd", "fc_obv")),
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
        counts and the sides of pocket and OTE are 0 there, levels NaN (the profile, CVD and OBV
        need 480 candles, a day's or session's profile its first candle, the pocket both swing
        pivots). Scores are 0 to 1 on every row. A frame of no rows gets empty columns.
    :raises CandleError: the candles cannot be read (see `read_candles`).
    :raises ValueError: `columns` names one that is not in `COLUMNS`.
    """
    return populate_parts(dataframe, settings or DEFAULTS, PARTS, columns)
