"""The columns of Market Cipher, and the function that adds them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from bubbybot_freqtrade.analyzers.candles import (
    Candles,
    Flags,
    Floats,
    Integers,
    average_true_range,
    cross_down,
    cross_up,
    epoch_seconds,
    floats,
    relative_strength,
)
from bubbybot_freqtrade.analyzers.higher import higher_candles, latest_on_rows
from bubbybot_freqtrade.analyzers.market_cipher import dbsi
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
from bubbybot_freqtrade.analyzers.market_cipher.scores import scores
from bubbybot_freqtrade.analyzers.market_cipher.settings import DEFAULTS, Settings
from bubbybot_freqtrade.analyzers.market_cipher.sommi import (
    Sides,
    heikin_ashi_rises,
    sommi_diamonds,
    sommi_flags,
)
from bubbybot_freqtrade.analyzers.market_cipher.trend import ema_ribbon, trend_candles
from bubbybot_freqtrade.analyzers.parts import Part, Work, names_of, populate_parts

CipherWork = Work[Settings]

# --- B: momentum ----------------------------------------------------------------------------------


def _wave(work: CipherWork) -> WaveTrend:
    return _wave_of(work, work.candles, work.settings.wave_average_length)


def _wave_of(work: CipherWork, candles: Candles, average_length: int) -> WaveTrend:
    settings = work.settings
    return wave_trend(
        candles.high,
        candles.low,
        candles.close,
        settings.wave_channel_length,
        average_length,
        settings.wave_signal_length,
        settings.wave_factor,
    )


def _wave_columns(work: CipherWork) -> tuple[Floats, Floats, Floats]:
    wave = work.of(_wave)
    return wave.wt1, wave.wt2, wave.wt1 - wave.wt2


def _money_flow(work: CipherWork) -> tuple[Floats]:
    candles, settings = work.candles, work.settings
    flow = money_flow(
        candles.open,
        candles.high,
        candles.low,
        candles.close,
        settings.money_flow_length,
        settings.money_flow_multiplier,
        settings.money_flow_offset,
    )
    return (flow,)


def _rsi(work: CipherWork) -> tuple[Floats]:
    return (relative_strength(work.candles.close, work.settings.rsi_length),)


def _stochastic(work: CipherWork) -> Stochastic:
    settings = work.settings
    strength = relative_strength(np.log(work.candles.close), settings.stoch_rsi_length)
    return stochastic_rsi(
        strength, settings.stoch_length, settings.stoch_k_length, settings.stoch_d_length
    )


def _schaff(work: CipherWork) -> tuple[Floats]:
    settings = work.settings
    cycle = schaff_trend_cycle(
        work.candles.close,
        settings.schaff_length,
        settings.schaff_fast_length,
        settings.schaff_slow_length,
        settings.schaff_factor,
    )
    return (cycle,)


def _dots(work: CipherWork) -> tuple[Flags, ...]:
    wave, settings = work.of(_wave), work.settings
    up, down = cross_up(wave.wt1, wave.wt2), cross_down(wave.wt1, wave.wt2)
    return up & (wave.wt2 <= settings.oversold), down & (wave.wt2 >= settings.overbought), up, down


def _first_band(work: CipherWork) -> Divergences:
    settings, wt2 = work.settings, work.of(_wave).wt2
    return _divergences_of(work, wt2, settings.divergence_bottom, settings.divergence_top)


def _divergences_of(
    work: CipherWork, oscillator: Floats, bottom: float = float("inf"), top: float = float("-inf")
) -> Divergences:
    candles, side = work.candles, work.settings.fractal_side
    return fractal_divergences(oscillator, candles.high, candles.low, bottom, top, side=side)


def _weak_divergences(work: CipherWork) -> tuple[Flags, Flags]:
    settings, first, wt2 = work.settings, work.of(_first_band), work.of(_wave).wt2
    low, high = settings.divergence_weak_bottom, settings.divergence_weak_top
    second = _divergences_of(work, wt2, low, high)
    return second.bull & ~first.bull, second.bear & ~first.bear


def _hidden_divergences(work: CipherWork) -> tuple[Flags, Flags]:
    unlimited = _divergences_of(work, work.of(_wave).wt2)
    return unlimited.bull_hidden, unlimited.bear_hidden


def _settled(oscillator: Floats) -> Floats:
    """To nine decimals: while the price stands still, rounding alone must not make a fractal."""
    return floats(np.round(oscillator, 9))


def _rsi_divergences(work: CipherWork) -> tuple[Flags, ...]:
    rsi, settings = _settled(work["mc_rsi"]), work.settings
    limited = _divergences_of(
        work, rsi, settings.rsi_divergence_bottom, settings.rsi_divergence_top
    )
    unlimited = _divergences_of(work, rsi)
    return limited.bull, limited.bear, unlimited.bull_hidden, unlimited.bear_hidden


def _stochastic_divergences(work: CipherWork) -> tuple[Flags, ...]:
    found = _divergences_of(work, _settled(work["mc_stoch_k"]))
    return found.bull, found.bear, found.bull_hidden, found.bear_hidden


def _gold(work: CipherWork) -> tuple[Flags]:
    settings = work.settings
    dots = gold_dots(
        work.of(_first_band),
        work.of(_wave).wt2,
        work["mc_rsi"],
        settings.gold_wave_level,
        settings.gold_wave_rise,
        settings.gold_rsi,
    )
    return (dots,)


def _seconds(work: CipherWork) -> Integers:
    return epoch_seconds(work.dates)


def _sommi_wave(work: CipherWork) -> tuple[Floats]:
    settings = work.settings
    minutes, times = settings.sommi_flag_minutes, settings.sommi_flag_candles
    known, candles = higher_candles(work.candles, work.of(_seconds), minutes, times)
    wave = _wave_of(work, candles, settings.wave_average_length)
    return (latest_on_rows(known, wave.wt1 - wave.wt2, len(work.dates)),)


def _sommi_flags(work: CipherWork) -> Sides:
    return sommi_flags(work.of(_wave), work["mc_money_flow"], work["mc_sommi_wave"])


def _sommi_diamonds(work: CipherWork) -> Sides:
    rises = []
    for minutes in work.settings.sommi_diamond_minutes:
        known, candles = higher_candles(work.candles, work.of(_seconds), minutes)
        rises.append(latest_on_rows(known, heikin_ashi_rises(candles), len(work.dates)))
    return sommi_diamonds(work.of(_wave), *rises)


# --- A: trend -------------------------------------------------------------------------------------


def _ribbon(work: CipherWork) -> list[Floats]:
    return ema_ribbon(work.candles.close, work.settings.ema_lengths)


def _ribbon_events(work: CipherWork) -> tuple[Flags, ...]:
    ribbon = work.of(_ribbon)
    ema_1, ema_2, ema_3, ema_8 = ribbon[0], ribbon[1], ribbon[2], ribbon[7]
    return (
        ema_8 < ema_2,
        cross_up(ema_2, ema_8),
        cross_up(ema_8, ema_2),
        cross_down(ema_1, ema_2),
        cross_up(ema_1, ema_2),
        cross_up(ema_2, ema_3),
        cross_down(ema_2, ema_3),
    )


def _diamonds(work: CipherWork) -> tuple[Flags, ...]:
    wave = work.of(_trend_wave)
    red, green = cross_down(wave.wt1, wave.wt2), cross_up(wave.wt1, wave.wt2)
    return red, green, red & work["mc_red_cross"], green & work["mc_green_cross"]


def _yellow_crosses(work: CipherWork) -> tuple[Flags, Flags]:
    wt2, settings, rsi = work.of(_trend_wave).wt2, work.settings, work["mc_rsi"]
    wave_amid = (wt2 > settings.yellow_wave_low) & (wt2 < settings.yellow_wave_high)
    rsi_amid = (rsi > settings.yellow_rsi_low) & (rsi < settings.yellow_rsi_high)
    wave_up = (wt2 > settings.yellow_down_wave_low) & (wt2 < settings.yellow_down_wave_high)
    return (
        work["mc_red_diamond"] & wave_amid & rsi_amid & _flows_out(work),
        work["mc_green_diamond"] & wave_up & (rsi < settings.yellow_down_rsi),
    )


def _trend_candles(work: CipherWork) -> tuple[Flags, ...]:
    candles, ribbon, red_cross = work.candles, work.of(_ribbon), work["mc_red_cross"]
    trend = trend_candles(candles.open, candles.close, ribbon[1], ribbon[7])
    bull = trend.bull & ~work["mc_red_diamond"] & ~red_cross
    # The red cross here, too: so it is published.
    return bull, trend.bear & ~work["mc_green_diamond"] & ~red_cross, bull


def _flows_out(work: CipherWork) -> Flags | bool:
    limit = work.settings.yellow_money_flow
    return limit is None or work["mc_money_flow"] + work.settings.money_flow_offset < limit


def _trend_wave(work: CipherWork) -> WaveTrend:
    return _wave_of(work, work.candles, work.settings.trend_wave_average_length)


# --- SR, DBSI, scores -----------------------------------------------------------------------------


def _atr(work: CipherWork) -> Floats:
    candles, length = work.candles, work.settings.atr_length
    return average_true_range(candles.high, candles.low, candles.close, length)


def _levels(work: CipherWork) -> Levels:
    candles, settings = work.candles, work.settings
    return support_resistance(
        candles.high,
        candles.low,
        candles.close,
        work.of(_atr),
        side=settings.pivot_side,
        window=settings.level_window,
        merge_atr=settings.level_merge_atr,
    )


def _dbsi(work: CipherWork) -> dbsi.Strength:
    return dbsi.strength(*work.candles)


def _scores(work: CipherWork) -> tuple[Floats, Floats]:
    return scores(work, work.candles.close, work.of(_atr), work.settings)


WAVE_PARTS = (
    Part(_wave_columns, ("mc_wt1", "mc_wt2", "mc_wt_vwap")),
    Part(_dots, ("mc_green_dot", "mc_red_dot", "mc_small_green_dot", "mc_small_red_dot")),
)
OSCILLATOR_PARTS = (
    Part(_money_flow, ("mc_money_flow",)),
    Part(_rsi, ("mc_rsi",)),
    Part(_stochastic, ("mc_stoch_k", "mc_stoch_d")),
    Part(_schaff, ("mc_stc",)),
)
DIVERGENCE_PARTS = (
    Part(_first_band, ("mc_bull_div", "mc_bear_div")),
    Part(_weak_divergences, ("mc_bull_div_weak", "mc_bear_div_weak")),
    Part(_hidden_divergences, ("mc_bull_div_hidden", "mc_bear_div_hidden")),
    Part(_gold, ("mc_gold_dot",)),
    Part(
        _rsi_divergences,
        ("mc_rsi_bull_div", "mc_rsi_bear_div", "mc_rsi_bull_div_hidden", "mc_rsi_bear_div_hidden"),
    ),
    Part(
        _stochastic_divergences,
        (
            *("mc_stoch_bull_div", "mc_stoch_bear_div"),
            *("mc_stoch_bull_div_hidden", "mc_stoch_bear_div_hidden"),
        ),
    ),
)
SOMMI_PARTS = (
    Part(_sommi_wave, ("mc_sommi_wave",)),
    Part(_sommi_flags, ("mc_sommi_flag_bull", "mc_sommi_flag_bear")),
    Part(_sommi_diamonds, ("mc_sommi_diamond_bull", "mc_sommi_diamond_bear")),
)
RIBBON_PARTS = (
    Part(_ribbon, tuple(f"mc_ema_{number}" for number in range(1, 9))),
    Part(
        _ribbon_events,
        (
            *("mc_ribbon_bull", "mc_long_ema", "mc_short_ema", "mc_red_cross", "mc_green_cross"),
            *("mc_blue_triangle_up", "mc_blue_triangle_down"),
        ),
    ),
)
DIAMOND_PARTS = (
    Part(
        _diamonds,
        ("mc_red_diamond", "mc_green_diamond", "mc_blood_diamond", "mc_moon_diamond"),
    ),
    Part(_yellow_crosses, ("mc_yellow_cross", "mc_yellow_cross_down")),
    Part(_trend_candles, ("mc_bull_candle", "mc_bear_candle", "mc_yellow_diamond")),
)
LEVEL_PARTS = (
    Part(_levels, ("mc_support", "mc_resistance", "mc_support_touches", "mc_resistance_touches")),
)
STRENGTH_PARTS = (Part(_dbsi, ("mc_dbsi_bull", "mc_dbsi_bear")),)

PARTS: tuple[Part, ...] = (
    *WAVE_PARTS,
    *OSCILLATOR_PARTS,
    *DIVERGENCE_PARTS,
    *SOMMI_PARTS,
    *RIBBON_PARTS,
    *DIAMOND_PARTS,
    *LEVEL_PARTS,
    *STRENGTH_PARTS,
    Part(_scores, ("mc_long_score", "mc_short_score")),
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
        else is float64, NaN before warm-up (the last part to start, money flow, needs 60 candles;
        the EMA chains are settled to 1e-9 after about 400). Scores are 0 to 1 on every row. A
        frame of no rows gets empty columns.
    :raises CandleError: the candles cannot be read (see `read_candles`).
    :raises ValueError: `columns` names one that is not in `COLUMNS`.
    """
    return populate_parts(dataframe, settings or DEFAULTS, PARTS, columns)
