"""
Lux Algo: market structure, order blocks, fair value gaps, equal levels, liquidity grabs,
premium/discount.

`populate` adds the columns `COLUMNS`. A row is computed from candles up to its own: a pivot's
event stands on the row of its last confirming candle, so nothing repaints.
"""

from bubbybot_freqtrade.analyzers.lux_algo.blocks import OrderBlocks, mean_true_range, order_blocks
from bubbybot_freqtrade.analyzers.lux_algo.columns import COLUMNS, PARTS, populate
from bubbybot_freqtrade.analyzers.lux_algo.gaps import FairValueGaps, fair_value_gaps
from bubbybot_freqtrade.analyzers.lux_algo.liquidity import (
    EqualLevels,
    Grabs,
    equal_levels,
    liquidity_grabs,
)
from bubbybot_freqtrade.analyzers.lux_algo.plots import plot_annotations, plot_config
from bubbybot_freqtrade.analyzers.lux_algo.range import (
    RunningRange,
    range_position,
    range_zone,
    running_range,
)
from bubbybot_freqtrade.analyzers.lux_algo.scores import scores
from bubbybot_freqtrade.analyzers.lux_algo.settings import DEFAULTS, ScoreWeights, Settings
from bubbybot_freqtrade.analyzers.lux_algo.structure import Structure, structure, structure_walk
from bubbybot_freqtrade.analyzers.lux_algo.zones import Zones

__all__ = [
    "COLUMNS",
    "DEFAULTS",
    "PARTS",
    "EqualLevels",
    "FairValueGaps",
    "Grabs",
    "OrderBlocks",
    "RunningRange",
    "ScoreWeights",
    "Settings",
    "Structure",
    "Zones",
    "equal_levels",
    "fair_value_gaps",
    "liquidity_grabs",
    "mean_true_range",
    "order_blocks",
    "plot_annotations",
    "plot_config",
    "populate",
    "range_position",
    "range_zone",
    "running_range",
    "scores",
    "structure",
    "structure_walk",
]
