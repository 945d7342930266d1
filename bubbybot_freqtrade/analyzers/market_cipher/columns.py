"""The columns of Market Cipher, and the function that adds them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from bubbybot_freqtrade.analyzers.candles import (
    Flags,
    Floats,
    average_true_range,
    cross_down,
    cross_up,
    relative_strength,
)
from bubbybot_freqtrade.analyzers.market_cipher import dbsi
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
from bubbybot_freqtrade.analyzers.market_cipher.scores import scores
from bubbybot_freqtrade.analyzers.market_cipher.settings import DEFAULTS, Settings
from bubbybot_freqtrade.analyzers.market_cipher.trend import ema_ribbon
from bubbybot_freqtrade.analyzers.parts import Part, Work, names_of, populate_parts

CipherWork = Work[Settings]

# --- B: momentum ----------------------------------------------------------------------------------


def _wave(work: CipherWork) -> WaveTrend:
    return _wave_of(work, work.settings.wave_average_length)


def _wave_of(work: CipherWork, average_length: int) -> WaveTrend:
    candles, settings = work.candles, work.settings
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


def _dots(work: CipherWork) -> tuple[Flags, Flags]:
    wave, settings = work.of(_wave), work.settings
    return (
        cross_up(wave.wt1, wave.wt2) & (wave.wt2 <= settings.oversold),
        cross_down(wave.wt1, wave.wt2) & (wave.wt2 >= settings.overbought),
    )


def _first_band(work: CipherWork) -> Divergences:
    settings = work.settings
    return _divergences_of(work, settings.divergence_bottom, settings.divergence_top)


def _divergences_of(work: CipherWork, bottom: float, top: float) -> Divergences:
    candles, side = work.candles, work.settings.fractal_side
    return fractal_divergences(
        work.of(_wave).wt2, candles.high, candles.low, bottom, top, side=side
    )


def _weak_divergences(work: CipherWork) -> tuple[Flags, Flags]:
    settings, first = work.settings, work.of(_first_band)
    second = _divergences_of(work, settings.divergence_weak_bottom, settings.divergence_weak_top)
    return second.bull & ~first.bull, second.bear & ~first.bear


def _hidden_divergences(work: CipherWork) -> tuple[Flags, Flags]:
    unlimited = _divergences_of(work, float("inf"), float("-inf"))
    return unlimited.bull_hidden, unlimited.bear_hidden


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
        cross_up(ema_2, ema_3),
        cross_down(ema_2, ema_3),
    )


def _diamonds(work: CipherWork) -> tuple[Flags, ...]:
    wave, settings, rsi = work.of(_trend_wave), work.settings, work["mc_rsi"]
    ribbon = work.of(_ribbon)
    red = cross_down(wave.wt1, wave.wt2)
    green = cross_up(wave.wt1, wave.wt2)
    wave_amid = (wave.wt2 > settings.yellow_wave_low) & (wave.wt2 < settings.yellow_wave_high)
    rsi_amid = (rsi > settings.yellow_rsi_low) & (rsi < settings.yellow_rsi_high)
    return (
        red,
        green,
        red & work["mc_red_cross"],
        green & cross_up(ribbon[0], ribbon[1]),
        red & wave_amid & rsi_amid & _flows_out(work),
    )


def _flows_out(work: CipherWork) -> Flags | bool:
    limit = work.settings.yellow_money_flow
    return limit is None or work["mc_money_flow"] + work.settings.money_flow_offset < limit


def _trend_wave(work: CipherWork) -> WaveTrend:
    return _wave_of(work, work.settings.trend_wave_average_length)


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


PARTS: tuple[Part, ...] = (
    Part(_wave_columns, ("mc_wt1", "mc_wt2", "mc_wt_vwap")),
    Part(_money_flow, ("mc_money_flow",)),
    Part(_rsi, ("mc_rsi",)),
    Part(_stochastic, ("mc_stoch_k", "mc_stoch_d")),
    Part(_dots, ("mc_green_dot", "mc_red_dot")),
    Part(_first_band, ("mc_bull_div", "mc_bear_div")),
    Part(_weak_divergences, ("mc_bull_div_weak", "mc_bear_div_weak")),
    Part(_hidden_divergences, ("mc_bull_div_hidden", "mc_bear_div_hidden")),
    Part(_gold, ("mc_gold_dot",)),
    Part(_ribbon, tuple(f"mc_ema_{number}" for number in range(1, 9))),
    Part(
        _ribbon_events,
        (
            *("mc_ribbon_bull", "mc_long_ema", "mc_short_ema", "mc_red_cross"),
            *("mc_blue_triangle_up", "mc_blue_triangle_down"),
        ),
    ),
    Part(
        _diamonds,
        (
            *("mc_red_diamond", "mc_green_diamond", "mc_blood_diamond", "mc_moon_diamond"),
            "mc_yellow_cross",
        ),
    ),
    Part(_levels, ("mc_support", "mc_resistance", "mc_support_touches", "mc_resistance_touches")),
    Part(_dbsi, ("mc_dbsi_bull", "mc_dbsi_bear")),
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
