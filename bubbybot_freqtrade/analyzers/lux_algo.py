"""
Lux Algo: market structure, order blocks, fair value gaps, equal levels, liquidity grabs,
premium/discount.

`populate` adds the columns `COLUMNS`. A row is computed from candles up to its own: a pivot's
event stands on the row of its last confirming candle, so nothing repaints.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from bubbybot_freqtrade.analyzers import kernels
from bubbybot_freqtrade.analyzers.annotations import Annotation, LineStyle, area, line
from bubbybot_freqtrade.analyzers.candles import (
    Candles,
    Flags,
    Floats,
    Integers,
    earlier,
    floats,
    read_candles,
    true_range,
    with_columns,
)

_BREAKS = ("bos_bull", "bos_bear", "choch_bull", "choch_bear")
_STRUCTURE = ("high", "low", "trend", *_BREAKS)

COLUMNS: tuple[str, ...] = (
    *(f"lux_swing_{name}" for name in _STRUCTURE),
    *(f"lux_internal_{name}" for name in _STRUCTURE),
    "lux_bull_ob_top",
    "lux_bull_ob_bottom",
    "lux_bear_ob_top",
    "lux_bear_ob_bottom",
    "lux_in_bull_ob",
    "lux_in_bear_ob",
    "lux_fvg_bull",
    "lux_fvg_bear",
    "lux_bull_fvg_top",
    "lux_bull_fvg_bottom",
    "lux_bear_fvg_top",
    "lux_bear_fvg_bottom",
    "lux_eqh",
    "lux_eql",
    "lux_sweep_bull",
    "lux_sweep_bear",
    "lux_range_high",
    "lux_range_low",
    "lux_range_pos",
    "lux_zone",
    "lux_long_score",
    "lux_short_score",
)
"""Every column that `populate` adds, in order."""


class ScoreWeights(BaseModel):
    """What each part adds to a score (see `scores`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    swing_trend: float = Field(default=0.15, ge=0, le=1)
    internal_trend: float = Field(default=0.10, ge=0, le=1)
    order_block: float = Field(default=0.20, ge=0, le=1)
    gap: float = Field(default=0.10, ge=0, le=1)
    zone: float = Field(default=0.10, ge=0, le=1)
    swing_choch: float = Field(default=0.25, ge=0, le=1)
    swing_bos: float = Field(default=0.20, ge=0, le=1)
    internal_choch: float = Field(default=0.15, ge=0, le=1)
    internal_bos: float = Field(default=0.10, ge=0, le=1)
    sweep: float = Field(default=0.25, ge=0, le=1)


class Settings(BaseModel):
    """Lengths count candles."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    swing_length: int = Field(default=50, ge=1)
    internal_length: int = Field(default=5, ge=1)
    mean_range_length: int = Field(default=200, ge=1)
    order_block_wide_candle: float = Field(default=2.0, gt=0)
    order_block_memory: int = Field(default=500, ge=1)
    gap_body_length: int = Field(default=500, ge=1)
    gap_body_factor: float = Field(default=2.0, ge=0)
    gap_memory: int = Field(default=500, ge=1)
    equal_length: int = Field(default=3, ge=1)
    equal_reach: float = Field(default=0.1, ge=0)
    premium: float = Field(default=0.95, gt=0.5, le=1)
    discount: float = Field(default=0.05, ge=0, lt=0.5)
    equilibrium_low: float = Field(default=0.475, ge=0, le=0.5)
    equilibrium_high: float = Field(default=0.525, ge=0.5, le=1)

    score_fade: int = Field(default=12, ge=1)
    weights: ScoreWeights = ScoreWeights()


DEFAULTS = Settings()


def populate(dataframe: pd.DataFrame, settings: Settings = DEFAULTS) -> pd.DataFrame:
    """
    Add `COLUMNS` to freqtrade's candles.

    :param dataframe: `date, open, high, low, close, volume`, ascending.
    :return: the frame with the columns added. Events are bool, False before warm-up; everything
        else is float64, NaN while there is none yet (a swing pivot needs 51 candles, equal levels
        201, gaps 501); trends are 0 before the first break. Scores are 0 to 1 on every row. A
        frame of no rows gets empty columns.
    :raises CandleError: the candles cannot be read (see `read_candles`).
    """
    candles = read_candles(dataframe)
    high, low, close = candles.high, candles.low, candles.close
    mean_range = mean_true_range(high, low, close, settings.mean_range_length)
    swing, internal, blocks, gaps = _zones(candles, mean_range, settings)
    equal = equal_levels(high, low, mean_range, settings.equal_length, settings.equal_reach)
    sweeps = liquidity_grabs(high, low, close, swing, equal)
    trailing = running_range(high, low, swing.turn, settings.swing_length)
    position = range_position(close, trailing.high, trailing.low)
    columns: dict[str, Any] = {
        **_structure_columns("lux_swing", swing),
        **_structure_columns("lux_internal", internal),
        "lux_bull_ob_top": blocks.bull.top,
        "lux_bull_ob_bottom": blocks.bull.bottom,
        "lux_bear_ob_top": blocks.bear.top,
        "lux_bear_ob_bottom": blocks.bear.bottom,
        "lux_in_bull_ob": _touches(high, low, blocks.bull),
        "lux_in_bear_ob": _touches(high, low, blocks.bear),
        "lux_fvg_bull": gaps.bull_event,
        "lux_fvg_bear": gaps.bear_event,
        "lux_bull_fvg_top": gaps.bull.top,
        "lux_bull_fvg_bottom": gaps.bull.bottom,
        "lux_bear_fvg_top": gaps.bear.top,
        "lux_bear_fvg_bottom": gaps.bear.bottom,
        "lux_eqh": equal.eqh,
        "lux_eql": equal.eql,
        "lux_sweep_bull": sweeps.bull,
        "lux_sweep_bear": sweeps.bear,
        "lux_range_high": trailing.high,
        "lux_range_low": trailing.low,
        "lux_range_pos": position,
        "lux_zone": range_zone(
            position,
            settings.premium,
            settings.discount,
            settings.equilibrium_low,
            settings.equilibrium_high,
        ),
    }
    long_score, short_score = scores(columns, high, low, settings)
    columns |= {"lux_long_score": long_score, "lux_short_score": short_score}
    return with_columns(dataframe, {name: columns[name] for name in COLUMNS})


def _zones(
    candles: Candles, mean_range: Floats, settings: Settings
) -> tuple[Structure, Structure, OrderBlocks, FairValueGaps]:
    """Structure, and the zones that come of it."""
    high, low, close = candles.high, candles.low, candles.close
    swing, internal = structure(high, low, close, settings.swing_length, settings.internal_length)
    blocks = order_blocks(
        high,
        low,
        close,
        mean_range,
        swing,
        internal,
        settings.order_block_wide_candle,
        settings.order_block_memory,
    )
    gaps = fair_value_gaps(
        candles.open,
        high,
        low,
        close,
        settings.gap_body_length,
        settings.gap_body_factor,
        settings.gap_memory,
    )
    return swing, internal, blocks, gaps


# --- structure ------------------------------------------------------------------------------------


class Structure(NamedTuple):
    """
    One walk: the latest pivots (price, NaN before the first; candle, −1 before the first), the
    trend (−1, 0, +1), the breaks (bool) and the leg turns (int64: −1 on the row that turns
    bearish, +1 bullish).
    """

    high: Floats
    low: Floats
    high_candle: Integers
    low_candle: Integers
    trend: Floats
    bos_bull: Flags
    bos_bear: Flags
    choch_bull: Flags
    choch_bear: Flags
    turn: Integers


def structure_walk(
    high: Floats,
    low: Floats,
    close: Floats,
    length: int,
    guard: Structure | None = None,
) -> Structure:
    """
    Pivots, breaks of structure (bos) and changes of character (choch) at one length.

    The leg is bearish from the row where high[t−length] > max(high[t−length+1 … t]), bullish from
    the row where low[t−length] < min(low[t−length+1 … t]), bearish tested first. A change of leg
    sets the pivot high (or low) of that candle. A close crossing an uncrossed pivot is a choch
    against the trend, else a bos. A level equal to the one of `guard` (the swing walk, when this
    is the internal one) is not broken.
    """
    high, low, close = floats(high), floats(low), floats(close)
    turn = kernels.structure.turns(high, low, length)
    none = np.full(len(close), np.nan)
    walked = kernels.structure.breaks(
        high,
        low,
        close,
        turn,
        length,
        none if guard is None else guard.high,
        none if guard is None else guard.low,
    )
    return Structure(*(*walked, turn))


def structure(
    high: Floats, low: Floats, close: Floats, swing_length: int = 50, internal_length: int = 5
) -> tuple[Structure, Structure]:
    """The swing walk, and the internal walk that leaves the swing's levels alone."""
    swing = structure_walk(high, low, close, swing_length)
    return swing, structure_walk(high, low, close, internal_length, guard=swing)


def _structure_columns(prefix: str, walk: Structure) -> dict[str, Any]:
    return {f"{prefix}_{name}": getattr(walk, name) for name in _STRUCTURE}


# --- volatility unit ------------------------------------------------------------------------------


def mean_true_range(high: Floats, low: Floats, close: Floats, length: int = 200) -> Floats:
    """Plain mean of the last `length` true ranges, in price; NaN on the first `length` rows."""
    return kernels.averages.sma(true_range(floats(high), floats(low), floats(close)), length)


# --- order blocks ---------------------------------------------------------------------------------


class Zones(NamedTuple):
    """
    Zones of one side. Per row: `top` and `bottom` of the living zone nearest to close (NaN: none).
    Per zone, in the order of their making: the row it was `made` on, its `candle`, its edges
    `tops`, `bottoms` and the row it `ended` on (−1 while it lives).
    """

    top: Floats
    bottom: Floats
    made: Integers
    candle: Integers
    tops: Floats
    bottoms: Floats
    ended: Integers


class OrderBlocks(NamedTuple):
    """Blocks of both sides."""

    bull: Zones
    bear: Zones


def order_blocks(
    high: Floats,
    low: Floats,
    close: Floats,
    mean_range: Floats,
    swing: Structure,
    internal: Structure,
    wide_candle: float = 2.0,
    memory: int = 500,
) -> OrderBlocks:
    """
    The candles that breaks of structure came from.

    On a bullish break, swing or internal, the block is the earliest candle with the lowest low
    between the pivot's candle and the candle before the break; on a bearish one the earliest with
    the highest high. A candle whose range is ≥ wide_candle·`mean_range` of its row swaps high and
    low for this search. The zone is that candle's high and low; it dies when price runs through
    its far edge, the break's row included, and is forgotten when its candle is `memory` candles
    old.
    """
    high, low, close = floats(high), floats(low), floats(close)
    wide = high - low >= wide_candle * mean_range
    sort_low = np.where(wide, high, low)
    sort_high = np.where(wide, low, high)
    sides = []
    for side in (1, -1):
        # On one row the internal block is made first, so that the swing's is the latest.
        candles = np.column_stack(
            [
                kernels.zones.block_candles(sort_low, sort_high, side, *_side_breaks(walk, side))
                for walk in (internal, swing)
            ]
        )
        made, column = (np.ascontiguousarray(at) for at in np.nonzero(candles >= 0))
        candle = candles[made, column]
        edges = high[candle], low[candle]
        sides.append(_follow((high, low, close), side, made, candle, *edges, memory))
    return OrderBlocks(*sides)


def _side_breaks(walk: Structure, side: int) -> tuple[Flags, Integers]:
    if side > 0:
        return walk.bos_bull | walk.choch_bull, walk.high_candle
    return walk.bos_bear | walk.choch_bear, walk.low_candle


def _follow(
    candles: tuple[Floats, Floats, Floats],
    side: int,
    made: Integers,
    candle: Integers,
    tops: Floats,
    bottoms: Floats,
    memory: int,
) -> Zones:
    top, bottom, ended = kernels.zones.nearest_zones(
        *candles, side, made, candle, tops, bottoms, memory
    )
    return Zones(top, bottom, made, candle, tops, bottoms, ended)


def _touches(high: Floats, low: Floats, zone: Zones) -> Flags:
    return (low <= zone.top) & (high >= zone.bottom)


# --- fair value gaps ------------------------------------------------------------------------------


class FairValueGaps(NamedTuple):
    """Events (bool) and the zones of both sides; a zone's `candle` is its event's row."""

    bull_event: Flags
    bear_event: Flags
    bull: Zones
    bear: Zones


def fair_value_gaps(
    open_: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    body_length: int = 500,
    body_factor: float = 2.0,
    memory: int = 500,
) -> FairValueGaps:
    """
    Three candles whose first and third leave a gap behind a candle with an unusual body.

    body = (close − open)/open. Bullish at t: low[t] > high[t−2], close[t−1] > high[t−2] and
    body[t−1] > body_factor times the mean |body| of the candles t−body_length … t−1; the zone is
    low[t] over high[t−2]. Bearish mirrors it, over low[t−2] and high[t]. From the next row on a
    gap is gone when price runs through its far edge; it is forgotten `memory` candles after its
    event.
    """
    open_, high, low, close = floats(open_), floats(high), floats(low), floats(close)
    body = (close - open_) / open_
    usual = earlier(kernels.averages.sma(np.abs(body), body_length), 1)
    before, close_before = earlier(body, 1), earlier(close, 1)
    high_2, low_2 = earlier(high, 2), earlier(low, 2)
    bull_event = (low > high_2) & (close_before > high_2) & (before > body_factor * usual)
    bear_event = (high < low_2) & (close_before < low_2) & (-before > body_factor * usual)
    zones = []
    for side, event, top, bottom in ((1, bull_event, low, high_2), (-1, bear_event, low_2, high)):
        made = np.flatnonzero(event)
        edges = top[made], bottom[made]
        zones.append(_follow((high, low, close), side, made, made, *edges, memory))
    return FairValueGaps(bull_event, bear_event, *zones)


# --- equal highs and lows -------------------------------------------------------------------------


class EqualLevels(NamedTuple):
    """
    Events (bool), the latest equal-high and equal-low level (price, NaN before the first) and the
    row (int64, −1 before the first) on which it was made.
    """

    eqh: Flags
    eql: Flags
    high: Floats
    low: Floats
    high_made: Integers
    low_made: Integers


def equal_levels(
    high: Floats, low: Floats, mean_range: Floats, length: int = 3, reach: float = 0.1
) -> EqualLevels:
    """
    Leg turns of `length` whose pivot lies within reach·`mean_range` of the turn's row, bound
    included, of the previous pivot of its kind. The level is the newer pivot's.
    """
    high, low = floats(high), floats(low)
    turn = kernels.structure.turns(high, low, length)
    return EqualLevels(
        *kernels.structure.equal_levels(high, low, turn, length, floats(reach * mean_range))
    )


# --- liquidity grabs ------------------------------------------------------------------------------


class Grabs(NamedTuple):
    """Events (bool)."""

    bull: Flags
    bear: Flags


def liquidity_grabs(
    high: Floats, low: Floats, close: Floats, swing: Structure, equal: EqualLevels
) -> Grabs:
    """
    A low below the latest swing low or the latest equal-low level while this close and the one
    before lie above it (bull), and the mirror over highs (bear). Each level fires once.
    """
    high, low, close = floats(high), floats(low), floats(close)
    return Grabs(
        kernels.structure.grabs(
            low, close, 1.0, swing.low, swing.low_candle, equal.low, equal.low_made
        ),
        kernels.structure.grabs(
            high, close, -1.0, swing.high, swing.high_candle, equal.high, equal.high_made
        ),
    )


# --- premium and discount -------------------------------------------------------------------------


class RunningRange(NamedTuple):
    """Edges (price, NaN before the side's first swing turn) and the candles that made them."""

    high: Floats
    low: Floats
    high_candle: Integers
    low_candle: Integers


def running_range(high: Floats, low: Floats, turn: Integers, length: int = 50) -> RunningRange:
    """A swing turn (of `structure_walk`) sets its side to the pivot, every row extends both."""
    return RunningRange(*kernels.structure.running_range(floats(high), floats(low), turn, length))


def range_position(close: Floats, range_high: Floats, range_low: Floats) -> Floats:
    """(close − low)/(high − low), 0 to 1; NaN while a side is missing."""
    size = range_high - range_low
    return (close - range_low) / np.where(size > 0, size, np.nan)


def range_zone(
    position: Floats,
    premium: float = 0.95,
    discount: float = 0.05,
    equilibrium_low: float = 0.475,
    equilibrium_high: float = 0.525,
) -> Floats:
    """+1 premium, −1 discount, 0 equilibrium, ±0.5 between; NaN where position is."""
    return np.select(
        [
            np.isnan(position),
            position >= premium,
            position <= discount,
            position > equilibrium_high,
            position < equilibrium_low,
        ],
        [np.nan, 1.0, -1.0, 0.5, -0.5],
        default=0.0,
    )


# --- scores ---------------------------------------------------------------------------------------


def scores(
    columns: dict[str, Any], high: Floats, low: Floats, settings: Settings = DEFAULTS
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


# --- plots ----------------------------------------------------------------------------------------


def plot_config() -> dict[str, Any]:
    """freqtrade's `plot_config` for these columns: the range on the chart, each part in a panel."""
    bar = {"type": "bar"}
    return {
        "main_plot": {
            "lux_range_high": {"color": "#ef9a9a"},
            "lux_range_low": {"color": "#a5d6a7"},
        },
        "subplots": {
            "Structure": {
                "lux_swing_trend": {"color": "#5e35b1"},
                "lux_internal_trend": {"color": "#b39ddb"},
            },
            "Sweeps and equal levels": {
                "lux_sweep_bull": {"color": "#00c853", **bar},
                "lux_sweep_bear": {"color": "#d50000", **bar},
                "lux_eql": {"color": "#b9f6ca", **bar},
                "lux_eqh": {"color": "#ffcdd2", **bar},
            },
            "Premium and discount": {
                "lux_range_pos": {"color": "#0288d1"},
                "lux_zone": {"color": "#ffb300"},
            },
            "Lux Algo": {
                "lux_long_score": {"color": "#43a047"},
                "lux_short_score": {"color": "#e53935"},
            },
        },
    }


def plot_annotations(dataframe: pd.DataFrame, settings: Settings = DEFAULTS) -> list[Annotation]:
    """
    What freqtrade's `plot_annotations` may return for a populated frame: every structure break as
    a labelled line from its pivot to the break (swing solid, internal dashed), and the order
    blocks and gaps that live on the newest row as boxes.

    freqtrade cuts the start off a populated frame before it draws a backtest. So all comes from the
    columns: a line whose pivot lies before the frame begins with the frame, and what the frame
    does not show to be a block or a gap is not drawn.

    :raises KeyError: the frame was not populated.
    """
    swing = _walked(dataframe, "lux_swing", settings.swing_length)
    internal = _walked(dataframe, "lux_internal", settings.internal_length)
    dates = dataframe["date"]
    drawn = _break_lines(dates, swing, 2, "solid")
    drawn += _break_lines(dates, internal, 1, "dashed")
    blocks = _shown_blocks(dataframe, swing, internal, settings)
    bull_gaps, bear_gaps = _shown_gaps(dataframe, settings)
    for zones, color, label, before in (
        (blocks.bull, "rgba(38, 166, 154, 0.25)", "bullish block", 0),
        (blocks.bear, "rgba(239, 83, 80, 0.25)", "bearish block", 0),
        (bull_gaps, "rgba(139, 195, 74, 0.2)", "bullish gap", 2),
        (bear_gaps, "rgba(255, 152, 0, 0.2)", "bearish gap", 2),
    ):
        drawn += [
            area(dates, int(zones.candle[zone]) - before, len(dates) - 1, bottom, top, color, label)
            for zone in np.flatnonzero(zones.ended < 0).tolist()
            for bottom, top in ((zones.bottoms[zone], zones.tops[zone]),)
        ]
    return drawn


def _walked(dataframe: pd.DataFrame, prefix: str, length: int) -> Structure:
    """
    A walk as the frame's columns have it. A pivot's candle is −1 when it lies before the frame; a
    new pivot at the very price of the one before it counts as that one.
    """
    columns = {name: dataframe[f"{prefix}_{name}"].to_numpy() for name in _STRUCTURE}
    columns |= {name: columns[name].astype(np.bool_) for name in _BREAKS}
    changed = {side: _changes(columns[side]) for side in ("high", "low")}
    rows = np.arange(len(dataframe))
    candles = {}
    for side, is_new in changed.items():
        known = np.maximum.accumulate(np.where(is_new, rows, -1))
        candles[f"{side}_candle"] = np.maximum(known - length, -1)
    turn = changed["low"].astype(np.int64) - changed["high"]
    return Structure(**columns, **candles, turn=turn)


def _changes(level: Floats) -> Flags:
    """Rows on which a level is another than on the row before."""
    changed = np.zeros(len(level), dtype=np.bool_)
    changed[1:] = (level[1:] != level[:-1]) & ~np.isnan(level[1:])
    return changed


def _shown_blocks(
    dataframe: pd.DataFrame, swing: Structure, internal: Structure, settings: Settings
) -> OrderBlocks:
    """The blocks of those breaks whose pivot, and whose volatility unit, the frame contains."""
    candles = read_candles(dataframe)
    high, low, close = candles.high, candles.low, candles.close
    first = settings.mean_range_length
    return order_blocks(
        high,
        low,
        close,
        mean_true_range(high, low, close, settings.mean_range_length),
        _breaks_since(swing, first),
        _breaks_since(internal, first),
        settings.order_block_wide_candle,
        settings.order_block_memory,
    )


def _breaks_since(walk: Structure, first: int) -> Structure:
    """The walk with those breaks only whose pivot is row `first` or a later one."""
    by_high, by_low = walk.high_candle >= first, walk.low_candle >= first
    return walk._replace(
        bos_bull=walk.bos_bull & by_high,
        choch_bull=walk.choch_bull & by_high,
        bos_bear=walk.bos_bear & by_low,
        choch_bear=walk.choch_bear & by_low,
    )


def _shown_gaps(dataframe: pd.DataFrame, settings: Settings) -> tuple[Zones, Zones]:
    """The gaps, bullish and bearish, whose three candles the frame contains."""
    candles = read_candles(dataframe)
    high, low, close = candles.high, candles.low, candles.close
    zones = []
    for side, name, top, bottom in (
        (1, "bull", low, earlier(high, 2)),
        (-1, "bear", earlier(low, 2), high),
    ):
        event = dataframe[f"lux_fvg_{name}"].to_numpy(dtype=np.bool_) & (np.arange(len(high)) >= 2)
        made = np.flatnonzero(event)
        edges = top[made], bottom[made]
        zones.append(_follow((high, low, close), side, made, made, *edges, settings.gap_memory))
    return zones[0], zones[1]


def _break_lines(
    dates: pd.Series, walk: Structure, width: int, style: LineStyle
) -> list[Annotation]:
    drawn = []
    for name, label, level, candle, color in (
        ("bos_bull", "BOS", walk.high, walk.high_candle, "#26a69a"),
        ("choch_bull", "CHoCH", walk.high, walk.high_candle, "#26a69a"),
        ("bos_bear", "BOS", walk.low, walk.low_candle, "#ef5350"),
        ("choch_bear", "CHoCH", walk.low, walk.low_candle, "#ef5350"),
    ):
        drawn += [
            line(dates, max(int(candle[row]), 0), row, level[row], color, label, width, style)
            for row in np.flatnonzero(getattr(walk, name)).tolist()
        ]
    return drawn
