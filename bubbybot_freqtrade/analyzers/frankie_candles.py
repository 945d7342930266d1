"""
Frankie Candles: rolling volume profile, divergences of three oscillators, golden pocket.

`populate` adds the columns `COLUMNS`. A row is computed from candles up to its own; nothing
repaints.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import talib
from pydantic import BaseModel, ConfigDict, Field

from bubbybot_freqtrade.analyzers import kernels
from bubbybot_freqtrade.analyzers.annotations import Annotation, area, line, point
from bubbybot_freqtrade.analyzers.candles import (
    Candles,
    Floats,
    earlier,
    floats,
    read_candles,
    relative_strength,
    with_columns,
)
from bubbybot_freqtrade.analyzers.lux_algo import RunningRange, running_range
from bubbybot_freqtrade.analyzers.market_cipher import wave_trend

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


class ScoreWeights(BaseModel):
    """What each part adds to a score (see `scores`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    golden_pocket: float = Field(default=0.35, ge=0, le=1)
    value_outside: float = Field(default=0.15, ge=0, le=1)
    value_half: float = Field(default=0.10, ge=0, le=1)
    divergence: float = Field(default=0.30, ge=0, le=1)
    divergence_more: float = Field(default=0.10, ge=0, le=1)
    divergence_hidden: float = Field(default=0.20, ge=0, le=1)
    divergence_strong: float = Field(default=0.20, ge=0, le=1)


class Settings(BaseModel):
    """Lengths count candles."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile_window: int = Field(default=480, ge=1)
    profile_rows: int = Field(default=100, ge=1)
    value_area: float = Field(default=0.7, gt=0, le=1)

    rsi_length: int = Field(default=14, ge=2)
    mfi_length: int = Field(default=14, ge=2)
    wave_channel_length: int = Field(default=9, ge=1)
    wave_average_length: int = Field(default=12, ge=1)
    wave_signal_length: int = Field(default=3, ge=1)
    wave_factor: float = Field(default=0.015, gt=0)
    pivot_side: int = Field(default=5, ge=1)
    pivot_reach: int = Field(default=60, ge=1)

    swing_length: int = Field(default=50, ge=1)
    pocket_near: float = Field(default=0.618, ge=0, le=1)
    pocket_far: float = Field(default=0.65, ge=0, le=1)

    score_fade: int = Field(default=12, ge=1)
    weights: ScoreWeights = ScoreWeights()


DEFAULTS = Settings()


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
        candles.close, _leg(candles, settings), settings.pocket_near, settings.pocket_far
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


# --- top-down volume profile ----------------------------------------------------------------------


class VolumeProfile(NamedTuple):
    """Prices, NaN where the window is short, has no range or no volume."""

    poc: Floats
    value_high: Floats
    value_low: Floats


def volume_profile(
    high: Floats,
    low: Floats,
    volume: Floats,
    window: int = 480,
    rows: int = 100,
    value_area: float = 0.7,
) -> VolumeProfile:
    """
    Volume by price over the last `window` candles, this one included, for every row.

    `rows` equal rows from the window's lowest low to its highest high; a candle's volume spreads
    over the rows its range overlaps, in proportion to the overlap (all in one row when high = low;
    on an edge, the upper row). The point of control is the middle of the fullest row, the lowest
    such on a tie. The value area starts there and takes the fuller of its two neighbours (the
    upper on a tie, the other where one side is used up) until it holds `value_area` of the volume.

    Volumes that differ by less than 1e-12 of the window's are a tie: that is rounding.
    """
    return VolumeProfile(
        *kernels.profile.volume_profile(
            floats(high), floats(low), floats(volume), window, rows, value_area
        )
    )


# --- divergences ----------------------------------------------------------------------------------


class DivergenceCounts(NamedTuple):
    """How many oscillators diverge on the row where the later pivot is known, float64."""

    bull: Floats
    bear: Floats
    bull_hidden: Floats
    bear_hidden: Floats


def oscillators(candles: Candles, settings: Settings = DEFAULTS) -> tuple[Floats, Floats, Floats]:
    """
    RSI and MFI as TA-Lib has them, and Market Cipher's wt2.

    RSI and MFI are rounded to 1e-9: while the price stands still an RSI does so but for rounding,
    which would make pivots of values that are equal.
    """
    wave = wave_trend(
        candles.high,
        candles.low,
        candles.close,
        settings.wave_channel_length,
        settings.wave_average_length,
        settings.wave_signal_length,
        settings.wave_factor,
    )
    return (
        np.round(relative_strength(candles.close, settings.rsi_length), 9),
        money_flow_index(candles, settings.mfi_length),
        wave.wt2,
    )


def money_flow_index(candles: Candles, length: int = 14) -> Floats:
    """
    MFI as TA-Lib has it, 0–100; NaN on the first `length` rows. Rounded to 1e-9, because TA-Lib's
    running sums leave a rounding behind that would make pivots of values that are equal.
    """
    if len(candles.close) <= length:
        return np.full(len(candles.close), np.nan)
    index = talib.MFI(candles.high, candles.low, candles.close, candles.volume, length)
    return np.round(index, 9)


def divergences(
    oscillators: tuple[Floats, ...],
    high: Floats,
    low: Floats,
    side: int = 5,
    reach: int = 60,
) -> DivergenceCounts:
    """
    Count the oscillators whose newest pivot diverges from the one before it.

    A pivot is strictly beyond `side` candles on either side of the oscillator, known `side`
    candles later, and compared with the previous pivot of its kind when that lies no more than
    `reach` candles before. Bull: lower low in price, higher low in the oscillator; hidden: higher
    low in price, lower low in the oscillator. Bears mirror them.
    """
    totals = [np.zeros(len(high)) for _ in range(4)]
    for oscillator in oscillators:
        found = kernels.pivots.divergences(
            floats(oscillator), floats(high), floats(low), side, np.inf, -np.inf, reach
        )
        for total, events in zip(totals, found[:4], strict=True):
            total += events
    return DivergenceCounts(*totals)


# --- golden pocket --------------------------------------------------------------------------------


class GoldenPocket(NamedTuple):
    """Edges (price, NaN without a range); the leg's direction, ±1, with close inside, else 0."""

    top: Floats
    bottom: Floats
    inside: Floats


def golden_pocket(
    close: Floats, running: RunningRange, near: float = 0.618, far: float = 0.65
) -> GoldenPocket:
    """
    The retracement from `near` to `far` of the running leg, which is up when its high was made
    after its low. Up: high − near·size over high − far·size; down: low + far·size over low +
    near·size.
    """
    size = running.high - running.low
    up = running.high_candle > running.low_candle
    top = np.where(up, running.high - near * size, running.low + far * size)
    bottom = np.where(up, running.high - far * size, running.low + near * size)
    within = (close >= bottom) & (close <= top)
    return GoldenPocket(top, bottom, np.where(within, np.where(up, 1.0, -1.0), 0.0))


def _leg(candles: Candles, settings: Settings) -> RunningRange:
    turn = kernels.structure.turns(candles.high, candles.low, settings.swing_length)
    return running_range(candles.high, candles.low, turn, settings.swing_length)


# --- scores ---------------------------------------------------------------------------------------


def scores(
    columns: dict[str, Any], close: Floats, settings: Settings = DEFAULTS
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


# --- plots ----------------------------------------------------------------------------------------


def plot_config() -> dict[str, Any]:
    """freqtrade's `plot_config` for these columns: levels on the chart, each part in a panel."""
    bar = {"type": "bar"}
    return {
        "main_plot": {
            "fc_vah": {"color": "#9575cd", "fill_to": "fc_val", "fill_label": "value area"},
            "fc_val": {"color": "#9575cd"},
            "fc_poc": {"color": "#d500f9"},
            "fc_gp_top": {"color": "#ffb300", "fill_to": "fc_gp_bottom", "fill_label": "pocket"},
            "fc_gp_bottom": {"color": "#ffb300"},
        },
        "subplots": {
            "Divergences": {
                "fc_bull_div": {"color": "#00c853", **bar},
                "fc_bear_div": {"color": "#d50000", **bar},
                "fc_bull_div_hidden": {"color": "#b9f6ca", **bar},
                "fc_bear_div_hidden": {"color": "#ffcdd2", **bar},
            },
            "Golden pocket": {"fc_in_golden_pocket": {"color": "#ffb300", **bar}},
            "Frankie Candles": {
                "fc_long_score": {"color": "#43a047"},
                "fc_short_score": {"color": "#e53935"},
            },
        },
    }


def plot_annotations(dataframe: pd.DataFrame, settings: Settings = DEFAULTS) -> list[Annotation]:
    """
    What freqtrade's `plot_annotations` may return for a populated frame: value area and golden
    pocket of the newest row as boxes over the candles they come from, the POC as a line, and
    strong divergences as marks at their pivots.

    :raises KeyError: the frame was not populated.
    """
    dates = dataframe["date"]
    last = len(dataframe) - 1
    drawn: list[Annotation] = []
    if last < 0:
        return drawn
    row = dataframe.iloc[-1]
    if not np.isnan(row["fc_poc"]):
        first = max(last - settings.profile_window + 1, 0)
        drawn.append(
            area(
                dates,
                first,
                last,
                row["fc_val"],
                row["fc_vah"],
                "rgba(149, 117, 205, 0.15)",
                "value area",
            )
        )
        drawn.append(line(dates, first, last, row["fc_poc"], "#d500f9", "POC"))
    if not np.isnan(row["fc_gp_top"]):
        edges = row["fc_gp_bottom"], row["fc_gp_top"]
        first = _start_of_leg(read_candles(dataframe), edges, settings)
        drawn.append(area(dates, first, last, *edges, "rgba(255, 179, 0, 0.2)", "golden pocket"))
    for name, price, color in (("bull", "low", "#00c853"), ("bear", "high", "#d50000")):
        for known in np.flatnonzero(dataframe[f"fc_{name}_div_strong"]).tolist():
            at = known - settings.pivot_side
            # A frame may be cut between a pivot and the candle that made it known.
            if at >= 0:
                drawn.append(
                    point(dates, at, dataframe[price].iloc[at], color, "strong div", "triangle")
                )
    return drawn


def _start_of_leg(candles: Candles, edges: tuple[float, float], settings: Settings) -> int:
    """The row where the newest leg began; 0 when a frame that was cut does not show it."""
    leg = _leg(candles, settings)
    pocket = golden_pocket(candles.close, leg, settings.pocket_near, settings.pocket_far)
    if (pocket.bottom[-1], pocket.top[-1]) != edges:
        return 0
    return int(min(leg.high_candle[-1], leg.low_candle[-1]))
