"""
Frankie Candles: rolling volume profile, divergences of three oscillators, golden pocket.

`populate` adds the columns `COLUMNS`. A row is computed from candles up to its own; nothing
repaints.
"""

from bubbybot_freqtrade.analyzers.frankie_candles.columns import COLUMNS, PARTS, populate
from bubbybot_freqtrade.analyzers.frankie_candles.divergences import (
    DivergenceCounts,
    divergences,
    money_flow_index,
    oscillators,
)
from bubbybot_freqtrade.analyzers.frankie_candles.plots import plot_annotations, plot_config
from bubbybot_freqtrade.analyzers.frankie_candles.pocket import GoldenPocket, golden_pocket
from bubbybot_freqtrade.analyzers.frankie_candles.profile import VolumeProfile, volume_profile
from bubbybot_freqtrade.analyzers.frankie_candles.scores import scores
from bubbybot_freqtrade.analyzers.frankie_candles.settings import DEFAULTS, ScoreWeights, Settings

__all__ = [
    "COLUMNS",
    "DEFAULTS",
    "PARTS",
    "DivergenceCounts",
    "GoldenPocket",
    "ScoreWeights",
    "Settings",
    "VolumeProfile",
    "divergences",
    "golden_pocket",
    "money_flow_index",
    "oscillators",
    "plot_annotations",
    "plot_config",
    "populate",
    "scores",
    "volume_profile",
]
