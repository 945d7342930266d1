"""
Market Cipher: momentum (B), trend (A), support and resistance (SR) and the dual band strength
index.

`populate` adds the columns `COLUMNS`; `waves`, `oscillators`, `divergences`, `higher_timeframes`,
`ribbon`, `diamonds`, `nearest_levels` and `band_strength` return those of one concept. Below them
are functions of arrays. A row is computed from candles up to its own; nothing repaints.
"""

from bubbybot_freqtrade.analyzers.market_cipher.columns import COLUMNS, PARTS, populate
from bubbybot_freqtrade.analyzers.market_cipher.concepts import (
    band_strength,
    diamonds,
    divergences,
    higher_timeframes,
    nearest_levels,
    oscillators,
    ribbon,
    waves,
)
from bubbybot_freqtrade.analyzers.market_cipher.levels import Levels, support_resistance
from bubbybot_freqtrade.analyzers.market_cipher.momentum import (
    Divergences,
    Stochastic,
    WaveTrend,
    fractal_divergences,
    gold_dots,
    money_flow,
    schaff_trend_cycle,
    stochastic_rsi,
    wave_trend,
)
from bubbybot_freqtrade.analyzers.market_cipher.plots import (
    ANNOTATED,
    plot_annotations,
    plot_config,
)
from bubbybot_freqtrade.analyzers.market_cipher.scores import scores
from bubbybot_freqtrade.analyzers.market_cipher.settings import DEFAULTS, ScoreWeights, Settings
from bubbybot_freqtrade.analyzers.market_cipher.sommi import (
    Sides,
    heikin_ashi_rises,
    sommi_diamonds,
    sommi_flags,
)
from bubbybot_freqtrade.analyzers.market_cipher.trend import (
    TrendCandles,
    ema_ribbon,
    trend_candles,
)

__all__ = [
    "ANNOTATED",
    "COLUMNS",
    "DEFAULTS",
    "PARTS",
    "Divergences",
    "Levels",
    "ScoreWeights",
    "Settings",
    "Sides",
    "Stochastic",
    "TrendCandles",
    "WaveTrend",
    "band_strength",
    "diamonds",
    "divergences",
    "ema_ribbon",
    "fractal_divergences",
    "gold_dots",
    "heikin_ashi_rises",
    "higher_timeframes",
    "money_flow",
    "nearest_levels",
    "oscillators",
    "plot_annotations",
    "plot_config",
    "populate",
    "ribbon",
    "schaff_trend_cycle",
    "scores",
    "sommi_diamonds",
    "sommi_flags",
    "stochastic_rsi",
    "support_resistance",
    "trend_candles",
    "wave_trend",
    "waves",
]
