"""
Market Cipher: momentum (B), trend (A), support and resistance (SR) and the dual band strength
index.

`populate` adds the columns `COLUMNS`. A row is computed from candles up to its own; nothing
repaints.
"""

from bubbybot_freqtrade.analyzers.market_cipher.columns import COLUMNS, PARTS, populate
from bubbybot_freqtrade.analyzers.market_cipher.levels import Levels, support_resistance
from bubbybot_freqtrade.analyzers.market_cipher.momentum import (
    Divergences,
    Stochastic,
    WaveTrend,
    fractal_divergences,
    gold_dots,
    money_flow,
    stochastic_rsi,
    wave_trend,
)
from bubbybot_freqtrade.analyzers.market_cipher.plots import plot_annotations, plot_config
from bubbybot_freqtrade.analyzers.market_cipher.scores import scores
from bubbybot_freqtrade.analyzers.market_cipher.settings import DEFAULTS, ScoreWeights, Settings
from bubbybot_freqtrade.analyzers.market_cipher.trend import ema_ribbon

__all__ = [
    "COLUMNS",
    "DEFAULTS",
    "PARTS",
    "Divergences",
    "Levels",
    "ScoreWeights",
    "Settings",
    "Stochastic",
    "WaveTrend",
    "ema_ribbon",
    "fractal_divergences",
    "gold_dots",
    "money_flow",
    "plot_annotations",
    "plot_config",
    "populate",
    "scores",
    "stochastic_rsi",
    "support_resistance",
    "wave_trend",
]
