"""
Lux Algo: market structure, order blocks, fair value gaps, equal levels, liquidity grabs,
premium/discount, and the highs and lows of the periods before.

`populate` adds the columns `COLUMNS`; `structure`, `order_blocks`, `fair_value_gaps`, `liquidity`,
`premium_discount` and `previous_highs_lows` return those of one concept. A row is computed from
candles up to its own: a pivot's event stands on the row of its last confirming candle, so nothing
repaints.
"""

from bubbybot_freqtrade.analyzers.lux_algo.columns import COLUMNS, PARTS, populate
from bubbybot_freqtrade.analyzers.lux_algo.concepts import (
    fair_value_gaps,
    liquidity,
    order_blocks,
    premium_discount,
    previous_highs_lows,
    structure,
)
from bubbybot_freqtrade.analyzers.lux_algo.plots import ANNOTATED, plot_annotations, plot_config
from bubbybot_freqtrade.analyzers.lux_algo.scores import scores
from bubbybot_freqtrade.analyzers.lux_algo.settings import DEFAULTS, ScoreWeights, Settings

__all__ = [
    "ANNOTATED",
    "COLUMNS",
    "DEFAULTS",
    "PARTS",
    "ScoreWeights",
    "Settings",
    "fair_value_gaps",
    "liquidity",
    "order_blocks",
    "plot_annotations",
    "plot_config",
    "populate",
    "premium_discount",
    "previous_highs_lows",
    "scores",
    "structure",
]
