"""
Market Cipher: momentum (B), trend (A), support and resistance (SR) and the dual band strength
index.

`populate` adds the columns `COLUMNS`. A row is computed from candles up to its own; nothing
repaints.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import talib
from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from bubbybot_freqtrade.analyzers import dbsi, kernels
from bubbybot_freqtrade.analyzers.annotations import Annotation, Shape, line, point
from bubbybot_freqtrade.analyzers.candles import (
    Candles,
    Flags,
    Floats,
    Integers,
    average_true_range,
    cross_down,
    cross_up,
    floats,
    read_candles,
    relative_strength,
    with_columns,
)

COLUMNS: tuple[str, ...] = (
    "mc_wt1",
    "mc_wt2",
    "mc_wt_vwap",
    "mc_money_flow",
    "mc_rsi",
    "mc_stoch_k",
    "mc_stoch_d",
    "mc_green_dot",
    "mc_red_dot",
    "mc_bull_div",
    "mc_bear_div",
    "mc_bull_div_weak",
    "mc_bear_div_weak",
    "mc_bull_div_hidden",
    "mc_bear_div_hidden",
    "mc_gold_dot",
    *(f"mc_ema_{number}" for number in range(1, 9)),
    "mc_ribbon_bull",
    "mc_long_ema",
    "mc_short_ema",
    "mc_red_cross",
    "mc_blue_triangle_up",
    "mc_blue_triangle_down",
    "mc_red_diamond",
    "mc_green_diamond",
    "mc_blood_diamond",
    "mc_moon_diamond",
    "mc_yellow_cross",
    "mc_support",
    "mc_resistance",
    "mc_support_touches",
    "mc_resistance_touches",
    "mc_dbsi_bull",
    "mc_dbsi_bear",
    "mc_long_score",
    "mc_short_score",
)
"""Every column that `populate` adds, in order."""


class ScoreWeights(BaseModel):
    """What each part adds to a score (see `scores`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wave: float = Field(default=0.10, ge=0, le=1)
    money_flow: float = Field(default=0.10, ge=0, le=1)
    ribbon: float = Field(default=0.15, ge=0, le=1)
    strength: float = Field(default=0.15, ge=0, le=1)
    level: float = Field(default=0.10, ge=0, le=1)
    dot: float = Field(default=0.20, ge=0, le=1)
    divergence: float = Field(default=0.30, ge=0, le=1)
    divergence_weak: float = Field(default=0.15, ge=0, le=1)
    divergence_hidden: float = Field(default=0.15, ge=0, le=1)
    ema_cross: float = Field(default=0.10, ge=0, le=1)
    triangle: float = Field(default=0.05, ge=0, le=1)
    diamond: float = Field(default=0.05, ge=0, le=1)
    strong_diamond: float = Field(default=0.15, ge=0, le=1)
    gold_penalty: float = Field(default=0.50, ge=0, le=1)


class Settings(BaseModel):
    """Lengths count candles; levels are in units of the oscillator they belong to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wave_channel_length: int = Field(default=9, ge=1)
    wave_average_length: int = Field(default=12, ge=1)
    wave_signal_length: int = Field(default=3, ge=1)
    wave_factor: float = Field(default=0.015, gt=0)
    money_flow_length: int = Field(default=60, ge=1)
    money_flow_multiplier: float = 150.0
    money_flow_offset: float = 2.5
    rsi_length: int = Field(default=14, ge=2)
    stoch_length: int = Field(default=14, ge=1)
    stoch_k_length: int = Field(default=3, ge=1)
    stoch_d_length: int = Field(default=3, ge=1)
    oversold: float = -53.0
    overbought: float = 53.0

    fractal_side: int = Field(default=2, ge=1)
    divergence_bottom: float = -65.0
    divergence_top: float = 45.0
    divergence_weak_bottom: float = -40.0
    divergence_weak_top: float = 15.0
    gold_wave_level: float = -75.0
    gold_wave_rise: float = 5.0
    gold_rsi: float = 30.0

    ema_lengths: tuple[PositiveInt, ...] = Field(
        default=(5, 11, 15, 18, 21, 24, 28, 34), min_length=8, max_length=8
    )
    trend_wave_average_length: int = Field(default=13, ge=1)
    yellow_wave_low: float = -80.0
    yellow_wave_high: float = 45.0
    yellow_rsi_low: float = 15.0
    yellow_rsi_high: float = 30.0

    pivot_side: int = Field(default=10, ge=1)
    level_window: int = Field(default=500, ge=2)
    level_merge_atr: float = Field(default=0.5, ge=0)
    atr_length: int = Field(default=14, ge=1)

    strength_level: float = 15.0
    level_touches: int = Field(default=2, ge=1)
    level_near_atr: float = Field(default=1.0, ge=0)
    score_fade: int = Field(default=12, ge=1)
    weights: ScoreWeights = ScoreWeights()


DEFAULTS = Settings()


def populate(dataframe: pd.DataFrame, settings: Settings = DEFAULTS) -> pd.DataFrame:
    """
    Add `COLUMNS` to freqtrade's candles.

    :param dataframe: `date, open, high, low, close, volume`, ascending.
    :return: the frame with the columns added. Events are bool, False before warm-up; everything
        else is float64, NaN before warm-up (the last part to start, money flow, needs 60 candles;
        the EMA chains are settled to 1e-9 after about 400). Scores are 0 to 1 on every row. A
        frame of no rows gets empty columns.
    :raises CandleError: the candles cannot be read (see `read_candles`).
    """
    candles = read_candles(dataframe)
    columns: dict[str, Any] = {}
    columns |= _momentum(candles, settings)
    columns |= _trend(candles, columns["mc_rsi"], settings)
    atr = average_true_range(candles.high, candles.low, candles.close, settings.atr_length)
    levels = support_resistance(
        candles.high,
        candles.low,
        candles.close,
        atr,
        side=settings.pivot_side,
        window=settings.level_window,
        merge_atr=settings.level_merge_atr,
    )
    columns |= {f"mc_{name}": values for name, values in levels._asdict().items()}
    counts = dbsi.strength(*candles)
    columns |= {"mc_dbsi_bull": counts.bull, "mc_dbsi_bear": counts.bear}
    long_score, short_score = scores(columns, candles.close, atr, settings)
    columns |= {"mc_long_score": long_score, "mc_short_score": short_score}
    return with_columns(dataframe, {name: columns[name] for name in COLUMNS})


# --- B: momentum ----------------------------------------------------------------------------------


class WaveTrend(NamedTuple):
    """Two lines, float64, NaN before warm-up."""

    wt1: Floats
    wt2: Floats


def wave_trend(
    high: Floats,
    low: Floats,
    close: Floats,
    channel_length: int = 9,
    average_length: int = 12,
    signal_length: int = 3,
    factor: float = 0.015,
) -> WaveTrend:
    """
    esa = EMA(hlc3, channel); d = EMA(|hlc3 − esa|, channel); ci = (hlc3 − esa)/(factor·d), 0 where
    d = 0; wt1 = EMA(ci, average); wt2 = SMA(wt1, signal).

    d counts as 0 below 1e-10 of the price, where it is some 70 candles after a market stopped
    moving: what is left is the rounding of its last price, and dividing by it makes an oscillator
    of noise.
    """
    index = _channel_index(high, low, close, channel_length, factor)
    wt1 = kernels.averages.ema(index, average_length)
    return WaveTrend(wt1, kernels.averages.sma(wt1, signal_length))


def _channel_index(
    high: Floats, low: Floats, close: Floats, channel_length: int, factor: float
) -> Floats:
    typical = (floats(high) + floats(low) + floats(close)) / 3.0
    average = kernels.averages.ema(typical, channel_length)
    distance = kernels.averages.ema(np.abs(typical - average), channel_length)
    still = distance <= 1e-10 * typical
    index = (typical - average) / np.where(still, 1.0, factor * distance)
    index[still] = 0.0
    return index


def money_flow(
    open_: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    length: int = 60,
    multiplier: float = 150.0,
    offset: float = 2.5,
) -> Floats:
    """SMA(multiplier·(close − open)/(high − low), length) − offset; high = low counts 0."""
    size = floats(high) - floats(low)
    flat = size == 0
    body = multiplier * (floats(close) - floats(open_)) / np.where(flat, 1.0, size)
    body[flat] = 0.0
    return kernels.averages.sma(body, length) - offset


class Stochastic(NamedTuple):
    """Both lines, 0–100, NaN before warm-up."""

    k: Floats
    d: Floats


def stochastic_rsi(
    rsi: Floats, length: int = 14, k_length: int = 3, d_length: int = 3
) -> Stochastic:
    """
    k = SMA(raw, k_length), d = SMA(k, d_length); raw is the place of the RSI between the lowest
    and the highest of its last `length` values, 0–100, 0 when they are equal.

    Values within 1e-9 are equal: while the price stands still, the RSI does so but for rounding.
    """
    lowest = _extreme(rsi, length, talib.MIN)
    size = _extreme(rsi, length, talib.MAX) - lowest
    equal = size <= 1e-9
    raw = 100.0 * (rsi - lowest) / np.where(equal, 1.0, size)
    k = kernels.averages.sma(raw, k_length)
    return Stochastic(k, kernels.averages.sma(k, d_length))


def _extreme(values: Floats, length: int, extreme: Any) -> Floats:
    """TA-Lib's MIN and MAX, which refuse empty input and a length of one."""
    if length == 1 or len(values) == 0 or np.isnan(values).all():
        return values.copy()
    return extreme(values, length)


class Divergences(NamedTuple):
    """
    Events (bool) on the rows where the later fractal is known; `previous_bottom` (int64) is the
    candle of the counting bottom before it on rows where a bottom is known, −1 elsewhere.
    """

    bull: Flags
    bear: Flags
    bull_hidden: Flags
    bear_hidden: Flags
    previous_bottom: Integers


def fractal_divergences(
    oscillator: Floats,
    high: Floats,
    low: Floats,
    bottom: float = np.inf,
    top: float = -np.inf,
    side: int = 2,
) -> Divergences:
    """
    Compare each counting fractal of an oscillator with the previous counting one of its kind.

    A bottom fractal is strictly below the `side` values on either side and known `side` candles
    later; it counts at or below `bottom`, a top at or above `top`. Oscillator and price (low of a
    bottom's candle, high of a top's) are read at the fractal candles. Bull: lower low in price,
    higher low in the oscillator. Bull hidden: higher low in price, lower low in the oscillator.
    Bears mirror them.
    """
    return Divergences(
        *kernels.pivots.divergences(
            floats(oscillator),
            floats(high),
            floats(low),
            side,
            float(bottom),
            float(top),
            np.iinfo(np.int64).max,
        )
    )


def gold_dots(
    divergences: Divergences,
    wt2: Floats,
    rsi: Floats,
    wave_level: float = -75.0,
    wave_rise: float = 5.0,
    rsi_level: float = 30.0,
) -> Flags:
    """
    Bullish divergence on this row, the previous counting bottom's wt2 ≤ wave_level, wt2 of this
    row above it and at least `wave_rise` above that bottom's, RSI at that bottom's candle <
    rsi_level.
    """
    rows = np.flatnonzero(divergences.bull)
    previous = divergences.previous_bottom[rows]
    out = np.zeros(len(wt2), dtype=np.bool_)
    out[rows] = (
        (wt2[previous] <= wave_level)
        & (wt2[rows] > wave_level)
        & (wt2[previous] - wt2[rows] <= -wave_rise)
        & (rsi[previous] < rsi_level)
    )
    return out


def _momentum(candles: Candles, settings: Settings) -> dict[str, Any]:
    high, low, close = candles.high, candles.low, candles.close
    wave = wave_trend(
        high,
        low,
        close,
        settings.wave_channel_length,
        settings.wave_average_length,
        settings.wave_signal_length,
        settings.wave_factor,
    )
    rsi = relative_strength(close, settings.rsi_length)
    stoch = stochastic_rsi(
        rsi, settings.stoch_length, settings.stoch_k_length, settings.stoch_d_length
    )
    side = settings.fractal_side
    first = fractal_divergences(
        wave.wt2, high, low, settings.divergence_bottom, settings.divergence_top, side
    )
    second = fractal_divergences(
        wave.wt2, high, low, settings.divergence_weak_bottom, settings.divergence_weak_top, side
    )
    unlimited = fractal_divergences(wave.wt2, high, low, side=side)
    return {
        "mc_wt1": wave.wt1,
        "mc_wt2": wave.wt2,
        "mc_wt_vwap": wave.wt1 - wave.wt2,
        "mc_money_flow": money_flow(
            candles.open,
            high,
            low,
            close,
            settings.money_flow_length,
            settings.money_flow_multiplier,
            settings.money_flow_offset,
        ),
        "mc_rsi": rsi,
        "mc_stoch_k": stoch.k,
        "mc_stoch_d": stoch.d,
        "mc_green_dot": cross_up(wave.wt1, wave.wt2) & (wave.wt2 <= settings.oversold),
        "mc_red_dot": cross_down(wave.wt1, wave.wt2) & (wave.wt2 >= settings.overbought),
        "mc_bull_div": first.bull,
        "mc_bear_div": first.bear,
        "mc_bull_div_weak": second.bull & ~first.bull,
        "mc_bear_div_weak": second.bear & ~first.bear,
        "mc_bull_div_hidden": unlimited.bull_hidden,
        "mc_bear_div_hidden": unlimited.bear_hidden,
        "mc_gold_dot": gold_dots(
            first,
            wave.wt2,
            rsi,
            settings.gold_wave_level,
            settings.gold_wave_rise,
            settings.gold_rsi,
        ),
    }


# --- A: trend -------------------------------------------------------------------------------------


def ema_ribbon(
    close: Floats, lengths: tuple[int, ...] = (5, 11, 15, 18, 21, 24, 28, 34)
) -> list[Floats]:
    """EMA(close) for each length, α = 2/(length + 1)."""
    close = floats(close)
    return [kernels.averages.ema(close, length) for length in lengths]


def _trend(candles: Candles, rsi: Floats, settings: Settings) -> dict[str, Any]:
    ribbon = ema_ribbon(candles.close, settings.ema_lengths)
    ema_1, ema_2, ema_3, ema_8 = ribbon[0], ribbon[1], ribbon[2], ribbon[7]
    wave = wave_trend(
        candles.high,
        candles.low,
        candles.close,
        settings.wave_channel_length,
        settings.trend_wave_average_length,
        settings.wave_signal_length,
        settings.wave_factor,
    )
    red_cross = cross_down(ema_1, ema_2)
    red_diamond = cross_down(wave.wt1, wave.wt2)
    green_diamond = cross_up(wave.wt1, wave.wt2)
    wave_amid = (wave.wt2 > settings.yellow_wave_low) & (wave.wt2 < settings.yellow_wave_high)
    rsi_amid = (rsi > settings.yellow_rsi_low) & (rsi < settings.yellow_rsi_high)
    return {f"mc_ema_{number}": values for number, values in enumerate(ribbon, start=1)} | {
        "mc_ribbon_bull": ema_8 < ema_2,
        "mc_long_ema": cross_up(ema_2, ema_8),
        "mc_short_ema": cross_up(ema_8, ema_2),
        "mc_red_cross": red_cross,
        "mc_blue_triangle_up": cross_up(ema_2, ema_3),
        "mc_blue_triangle_down": cross_down(ema_2, ema_3),
        "mc_red_diamond": red_diamond,
        "mc_green_diamond": green_diamond,
        "mc_blood_diamond": red_diamond & red_cross,
        "mc_moon_diamond": green_diamond & cross_up(ema_1, ema_2),
        "mc_yellow_cross": red_diamond & wave_amid & rsi_amid,
    }


# --- SR: support and resistance -------------------------------------------------------------------


class Levels(NamedTuple):
    """Nearest levels (price) and how many pivots merged into them; NaN where there is none."""

    support: Floats
    resistance: Floats
    support_touches: Floats
    resistance_touches: Floats


def support_resistance(
    high: Floats,
    low: Floats,
    close: Floats,
    atr: Floats,
    side: int = 10,
    window: int = 500,
    merge_atr: float = 0.5,
) -> Levels:
    """
    The nearest level below and above close, from the pivots among the last `window` candles.

    Pivot highs and lows lie strictly beyond `side` candles either side and are known `side`
    candles later. In order of price, a pivot closer than merge_atr·ATR of this row to the level
    below it merges into that level, whose price is the mean of its pivots.
    """
    return Levels(
        *kernels.pivots.support_resistance(
            floats(high), floats(low), floats(close), floats(merge_atr * atr), side, window
        )
    )


# --- scores ---------------------------------------------------------------------------------------


def scores(
    columns: dict[str, Any], close: Floats, atr: Floats, settings: Settings = DEFAULTS
) -> tuple[Floats, Floats]:
    """
    How strong the evidence for each side is now, 0 to 1: the sum of these parts, at most 1.

    ==================  ======  ======================================  ============================
    weight              value   long                                    short
    ==================  ======  ======================================  ============================
    wave                0.10    wt1 above wt2                           wt1 below wt2
    money_flow          0.10    money flow above 0                      below 0
    ribbon              0.15    ema_8 below ema_2                       ema_8 above ema_2
    strength            0.15    dbsi_bull over 15 and rising            dbsi_bear over 15 and rising
    level               0.10    support of ≥ 2 touches within 1 ATR     resistance likewise
    dot                 0.20    green dot                               red dot
    divergence          0.30    bull_div that is no gold dot            bear_div
    divergence_weak     0.15    bull_div_weak                           bear_div_weak
    divergence_hidden   0.15    bull_div_hidden                         bear_div_hidden
    ema_cross           0.10    long_ema                                short_ema
    triangle            0.05    blue_triangle_up                        blue_triangle_down
    diamond             0.05    green_diamond                           red_diamond
    strong_diamond      0.15    moon_diamond                            blood_diamond
    ==================  ======  ======================================  ============================

    The first five are states. The others are events: their weight fades linearly over 12 candles
    (`score_fade`). A gold dot warns not to buy yet: it takes up to half (gold_penalty) of the long
    score away, fading likewise. A yellow cross is a manipulation warning: both scores are 0 on its
    row.
    """
    weights = settings.weights
    near = settings.level_near_atr * atr
    many = settings.level_touches
    long_score = (
        weights.wave * (columns["mc_wt1"] > columns["mc_wt2"])
        + weights.money_flow * (columns["mc_money_flow"] > 0)
        + weights.ribbon * columns["mc_ribbon_bull"]
        + weights.strength * _strong(columns["mc_dbsi_bull"], settings.strength_level)
        + weights.level
        * ((close - columns["mc_support"] <= near) & (columns["mc_support_touches"] >= many))
    )
    short_score = (
        weights.wave * (columns["mc_wt1"] < columns["mc_wt2"])
        + weights.money_flow * (columns["mc_money_flow"] < 0)
        + weights.ribbon * (columns["mc_ema_8"] > columns["mc_ema_2"])
        + weights.strength * _strong(columns["mc_dbsi_bear"], settings.strength_level)
        + weights.level
        * ((columns["mc_resistance"] - close <= near) & (columns["mc_resistance_touches"] >= many))
    )
    gold = columns["mc_gold_dot"]
    for weight, bullish, bearish in (
        (weights.dot, columns["mc_green_dot"], columns["mc_red_dot"]),
        (weights.divergence, columns["mc_bull_div"] & ~gold, columns["mc_bear_div"]),
        (weights.divergence_weak, columns["mc_bull_div_weak"], columns["mc_bear_div_weak"]),
        (weights.divergence_hidden, columns["mc_bull_div_hidden"], columns["mc_bear_div_hidden"]),
        (weights.ema_cross, columns["mc_long_ema"], columns["mc_short_ema"]),
        (weights.triangle, columns["mc_blue_triangle_up"], columns["mc_blue_triangle_down"]),
        (weights.diamond, columns["mc_green_diamond"], columns["mc_red_diamond"]),
        (weights.strong_diamond, columns["mc_moon_diamond"], columns["mc_blood_diamond"]),
    ):
        long_score += weight * _fade(bullish, settings)
        short_score += weight * _fade(bearish, settings)
    long_score = np.minimum(long_score, 1.0) * (1.0 - weights.gold_penalty * _fade(gold, settings))
    clear = ~columns["mc_yellow_cross"]
    return long_score * clear, np.minimum(short_score, 1.0) * clear


def _strong(count: Floats, level: float) -> Flags:
    rising = np.zeros(len(count), dtype=np.bool_)
    rising[1:] = count[1:] > count[:-1]
    return rising & (count > level)


def _fade(event: Flags, settings: Settings) -> Floats:
    return kernels.fading.fade(event.astype(np.float64), settings.score_fade)


# --- plots ----------------------------------------------------------------------------------------


def plot_config() -> dict[str, Any]:
    """freqtrade's `plot_config` for these columns: the ribbon on the chart, parts in panels."""
    bar = {"type": "bar"}
    return {
        "main_plot": {
            "mc_ema_2": {"color": "#26a69a", "fill_to": "mc_ema_8", "fill_label": "ribbon"},
            "mc_ema_8": {"color": "#5c6bc0"},
            "mc_support": {"color": "#2e7d32"},
            "mc_resistance": {"color": "#c62828"},
        },
        "subplots": {
            "Wave trend": {
                "mc_wt1": {"color": "#90caf9"},
                "mc_wt2": {"color": "#1e88e5"},
                "mc_wt_vwap": {"color": "#fdd835"},
            },
            "Money flow": {"mc_money_flow": {"color": "#66bb6a"}},
            "Dots": {
                "mc_green_dot": {"color": "#00e676", **bar},
                "mc_red_dot": {"color": "#ff1744", **bar},
                "mc_gold_dot": {"color": "#ffc400", **bar},
                "mc_blood_diamond": {"color": "#b71c1c", **bar},
                "mc_moon_diamond": {"color": "#b2ff59", **bar},
                "mc_yellow_cross": {"color": "#ffee58", **bar},
            },
            "Wave divergences": {
                "mc_bull_div": {"color": "#00c853", **bar},
                "mc_bear_div": {"color": "#d50000", **bar},
                "mc_bull_div_weak": {"color": "#69f0ae", **bar},
                "mc_bear_div_weak": {"color": "#ff8a80", **bar},
                "mc_bull_div_hidden": {"color": "#b9f6ca", **bar},
                "mc_bear_div_hidden": {"color": "#ffcdd2", **bar},
            },
            "RSI": {
                "mc_rsi": {"color": "#ab47bc"},
                "mc_stoch_k": {"color": "#26c6da"},
                "mc_stoch_d": {"color": "#ef6c00"},
            },
            "DBSI": {
                "mc_dbsi_bull": {"color": "#43a047"},
                "mc_dbsi_bear": {"color": "#e53935"},
            },
            "Market Cipher": {
                "mc_long_score": {"color": "#43a047"},
                "mc_short_score": {"color": "#e53935"},
            },
        },
    }


# column, at the high (+1) or the low (−1) of its candle, color, label, shape
_MARKS: tuple[tuple[str, int, str, str, Shape], ...] = (
    ("mc_green_dot", -1, "#00e676", "", "circle"),
    ("mc_red_dot", 1, "#ff1744", "", "circle"),
    ("mc_gold_dot", -1, "#ffc400", "gold", "circle"),
    ("mc_bull_div", -1, "#00c853", "div", "triangle"),
    ("mc_bear_div", 1, "#d50000", "div", "triangle"),
    ("mc_blood_diamond", 1, "#b71c1c", "blood", "pin"),
    ("mc_moon_diamond", -1, "#b2ff59", "moon", "pin"),
    ("mc_yellow_cross", 1, "#ffee58", "manipulation", "pin"),
)


def plot_annotations(dataframe: pd.DataFrame, settings: Settings = DEFAULTS) -> list[Annotation]:
    """
    What freqtrade's `plot_annotations` may return for a populated frame: a mark at the candle of
    every dot, divergence of the first band, blood and moon diamond and yellow cross, and the newest
    row's support and resistance as lines.

    :raises KeyError: the frame was not populated.
    """
    dates = dataframe["date"]
    drawn = [
        point(dates, row, dataframe["high" if side > 0 else "low"].iloc[row], color, label, shape)
        for column, side, color, label, shape in _MARKS
        for row in np.flatnonzero(dataframe[column]).tolist()
    ]
    last = len(dataframe) - 1
    for name, color in (("support", "#2e7d32"), ("resistance", "#c62828")):
        known = dataframe[f"mc_{name}"].iloc[-1:].dropna()
        for price, touches in zip(known, dataframe[f"mc_{name}_touches"].iloc[-1:], strict=False):
            first = max(last - settings.level_window + 1, 0)
            label = f"{name} ({touches:.0f} pivots)" if touches > 1 else name
            drawn.append(line(dates, first, last, price, color, label, line_style="dotted"))
    return drawn
