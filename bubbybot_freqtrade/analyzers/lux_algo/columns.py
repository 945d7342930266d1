"""The columns of Lux Algo, and the function that adds them."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from bubbybot_freqtrade.analyzers.candles import Flags, Floats
from bubbybot_freqtrade.analyzers.lux_algo.blocks import (
    OrderBlocks,
    find_blocks,
    mean_true_range,
    wide_candles,
)
from bubbybot_freqtrade.analyzers.lux_algo.gaps import FairValueGaps, find_gaps
from bubbybot_freqtrade.analyzers.lux_algo.liquidity import (
    EqualLevels,
    Grabs,
    equal_levels,
    liquidity_grabs,
)
from bubbybot_freqtrade.analyzers.lux_algo.periods import PERIODS, opening_times, previous_levels
from bubbybot_freqtrade.analyzers.lux_algo.range import (
    RunningRange,
    StrongLevels,
    range_position,
    range_zone,
    running_range,
    strong_levels,
)
from bubbybot_freqtrade.analyzers.lux_algo.scores import scores
from bubbybot_freqtrade.analyzers.lux_algo.settings import DEFAULTS, Settings
from bubbybot_freqtrade.analyzers.lux_algo.structure import (
    STRUCTURE,
    Labels,
    Structure,
    labels,
    structure_columns,
    structure_walk,
)
from bubbybot_freqtrade.analyzers.lux_algo.zones import touches
from bubbybot_freqtrade.analyzers.parts import Column, Part, Work, names_of, populate_parts

LuxWork = Work[Settings]

BLOCKS = ("swing_bull", "swing_bear", "internal_bull", "internal_bear")
"""In the order of `OrderBlocks`."""


def _swing(work: LuxWork) -> Structure:
    candles = work.candles
    return structure_walk(candles.high, candles.low, candles.close, work.settings.swing_length)


def _internal(work: LuxWork) -> Structure:
    candles, length = work.candles, work.settings.internal_length
    swing = work.of(_swing)
    return structure_walk(candles.high, candles.low, candles.close, length, guard=swing)


def _mean_range(work: LuxWork) -> Floats:
    candles, settings = work.candles, work.settings
    return mean_true_range(
        candles.high,
        candles.low,
        candles.close,
        settings.mean_range_length,
        settings.mean_range,
    )


def _wide(work: LuxWork) -> Flags:
    factor = work.settings.order_block_wide_candle
    return wide_candles(work.candles.high, work.candles.low, work.of(_mean_range), factor)


def _blocks(work: LuxWork) -> OrderBlocks:
    candles, settings = work.candles, work.settings
    return find_blocks(
        candles.high,
        candles.low,
        candles.close,
        work.of(_wide),
        work.of(_swing),
        work.of(_internal),
        settings.order_block_memory,
        settings.order_block_mitigation,
    )


def _block_edges(work: LuxWork) -> tuple[Floats, ...]:
    blocks = work.of(_blocks)
    return (*blocks.bull, *blocks.bear)


def _in_blocks(work: LuxWork) -> tuple[Flags, Flags]:
    high, low, blocks = work.candles.high, work.candles.low, work.of(_blocks)
    return touches(high, low, blocks.bull), touches(high, low, blocks.bear)


def _walk_block_edges(work: LuxWork) -> tuple[Floats, ...]:
    return tuple(edge for zones in work.of(_blocks)[:4] for edge in (zones.top, zones.bottom))


def _broken_blocks(work: LuxWork) -> tuple[Flags, ...]:
    return tuple(zones.broken for zones in work.of(_blocks)[:4])


def _gaps(work: LuxWork) -> FairValueGaps:
    candles, settings = work.candles, work.settings
    return find_gaps(
        candles.open,
        candles.high,
        candles.low,
        candles.close,
        settings.gap_body_length,
        settings.gap_body_factor,
        settings.gap_memory,
    )


def _gap_columns(work: LuxWork) -> tuple[Column, ...]:
    gaps = work.of(_gaps)
    bull, bear = gaps.bull, gaps.bear
    return gaps.bull_event, gaps.bear_event, bull.top, bull.bottom, bear.top, bear.bottom


def _equal(work: LuxWork) -> EqualLevels:
    candles, settings = work.candles, work.settings
    return equal_levels(
        candles.high,
        candles.low,
        work.of(_mean_range),
        settings.equal_length,
        settings.equal_reach,
    )


def _sweeps(work: LuxWork) -> Grabs:
    candles, equal = work.candles, work.of(_equal)
    return liquidity_grabs(candles.high, candles.low, candles.close, work.of(_swing), equal)


def _range(work: LuxWork) -> RunningRange:
    candles, length = work.candles, work.settings.swing_length
    return running_range(candles.high, candles.low, work.of(_swing).turn, length)


def _range_place(work: LuxWork) -> tuple[Floats, Floats]:
    settings, trailing = work.settings, work.of(_range)
    position = range_position(work.candles.close, trailing.high, trailing.low)
    return position, range_zone(
        position,
        settings.premium,
        settings.discount,
        settings.equilibrium_low,
        settings.equilibrium_high,
    )


def _strong_levels(work: LuxWork) -> StrongLevels:
    return strong_levels(work.of(_range), work.of(_swing).trend)


def _previous(work: LuxWork) -> tuple[Floats, ...]:
    candles, opened = work.candles, opening_times(work.dates)
    return tuple(
        level
        for period in PERIODS
        for level in previous_levels(opened, candles.high, candles.low, period)
    )


def _scores(work: LuxWork) -> tuple[Floats, Floats]:
    return scores(work, work.candles.high, work.candles.low, work.settings)


STRUCTURE_PARTS = (
    Part(
        lambda work: structure_columns(work.of(_swing)),
        tuple(f"lux_swing_{name}" for name in STRUCTURE),
    ),
    Part(
        lambda work: structure_columns(work.of(_internal)),
        tuple(f"lux_internal_{name}" for name in STRUCTURE),
    ),
    Part(
        lambda work: labels(work.of(_swing)),
        tuple(f"lux_swing_{name}" for name in Labels._fields),
    ),
    Part(
        lambda work: labels(work.of(_internal)),
        tuple(f"lux_internal_{name}" for name in Labels._fields),
    ),
)
BLOCK_PARTS = (
    Part(
        _block_edges,
        ("lux_bull_ob_top", "lux_bull_ob_bottom", "lux_bear_ob_top", "lux_bear_ob_bottom"),
    ),
    Part(_in_blocks, ("lux_in_bull_ob", "lux_in_bear_ob")),
    Part(
        _walk_block_edges,
        tuple(f"lux_{kind}_ob_{edge}" for kind in BLOCKS for edge in ("top", "bottom")),
    ),
    Part(lambda work: (work.of(_wide),), ("lux_wide_candle",)),
    Part(_broken_blocks, tuple(f"lux_{kind}_ob_broken" for kind in BLOCKS)),
)
GAP_PARTS = (
    Part(
        _gap_columns,
        (
            *("lux_fvg_bull", "lux_fvg_bear", "lux_bull_fvg_top", "lux_bull_fvg_bottom"),
            *("lux_bear_fvg_top", "lux_bear_fvg_bottom"),
        ),
    ),
)
LIQUIDITY_PARTS = (
    Part(_equal, ("lux_eqh", "lux_eql")),
    Part(_sweeps, ("lux_sweep_bull", "lux_sweep_bear")),
)
RANGE_PARTS = (
    Part(_range, ("lux_range_high", "lux_range_low")),
    Part(_range_place, ("lux_range_pos", "lux_zone")),
    Part(_strong_levels, tuple(f"lux_{name}" for name in StrongLevels._fields)),
)
PREVIOUS_PARTS = (
    Part(
        _previous,
        tuple(f"lux_prev_{period}_{edge}" for period in PERIODS for edge in ("high", "low")),
    ),
)
PARTS: tuple[Part, ...] = (
    *STRUCTURE_PARTS,
    *BLOCK_PARTS,
    *GAP_PARTS,
    *LIQUIDITY_PARTS,
    *RANGE_PARTS,
    *PREVIOUS_PARTS,
    Part(_scores, ("lux_long_score", "lux_short_score")),
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
    Add `COLUMNS` to freqtrade's candles.

    :param dataframe: `date, open, high, low, close, volume`, ascending.
    :param settings: None is `DEFAULTS`.
    :param columns: names; only these are added, and only the parts run that they need.
    :return: the frame with the columns added. Events are bool, False before warm-up; everything
        else is float64, NaN while there is none yet (a swing pivot needs 51 candles, equal levels
        200, gaps 501, a previous day, week or month one that is wholly in the frame); trends are 0
        before the first break. Scores are 0 to 1 on every row. A frame of no rows gets empty
        columns.
    :raises CandleError: the candles cannot be read (see `read_candles`).
    :raises ValueError: `columns` names one that is not in `COLUMNS`.
    """
    return populate_parts(dataframe, settings or DEFAULTS, PARTS, columns)
