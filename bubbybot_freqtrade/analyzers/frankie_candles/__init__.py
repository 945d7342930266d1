"""
Frankie Candles: volume profiles (rolling, of the day and the session), naked POCs, divergences of
eight oscillators and of a higher timeframe, volume delta, golden pocket and optimal trade entry.

`populate` adds the columns `COLUMNS`. A row is computed from candles up to its own; nothing
repaints.
"""

from bubbybot_freqtrade.analyzers.frankie_candles.columns import COLUMNS, PARTS, populate
from bubbybot_freqtrade.analyzers.frankie_candles.divergences import (
    OSCILLATORS,
    DivergenceCounts,
    DivergenceEvents,
    divergence_events,
    divergences,
    money_flow_index,
    oscillators,
)
from bubbybot_freqtrade.analyzers.frankie_candles.flow import (
    balance_volume,
    volume_delta,
    window_sum,
)
from bubbybot_freqtrade.analyzers.frankie_candles.plots import (
    ANNOTATED,
    plot_annotations,
    plot_config,
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
from bubbybot_freqtrade.analyzers.frankie_candles.settings import DEFAULTS, ScoreWeights, Settings
from bubbybot_freqtrade.analyzers.higher import HigherCandles, higher_candles

__all__ = [
    "ANNOTATED",
    "COLUMNS",
    "DEFAULTS",
    "OSCILLATORS",
    "PARTS",
    "DivergenceCounts",
    "DivergenceEvents",
    "GoldenPocket",
    "HigherCandles",
    "NakedLevels",
    "ScoreWeights",
    "Settings",
    "VolumeProfile",
    "balance_volume",
    "divergence_events",
    "divergences",
    "golden_pocket",
    "higher_candles",
    "money_flow_index",
    "naked_levels",
    "oscillators",
    "period_begins",
    "period_profile",
    "plot_annotations",
    "plot_config",
    "populate",
    "previous_profile",
    "running_leg",
    "scores",
    "volume_delta",
    "volume_profile",
    "window_sum",
]
