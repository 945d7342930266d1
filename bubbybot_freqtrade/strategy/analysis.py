"""Candles in, columns out: the analyzers on three timeframes, scores, levels and entries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from bubbybot_freqtrade.risk.levels import (
    LEVEL_COLUMNS,
    average_true_range,
    long_levels,
    short_levels,
)
from bubbybot_freqtrade.signals import plots
from bubbybot_freqtrade.signals.confluence import closes_an_hour, scores, tags
from bubbybot_freqtrade.signals.context import (
    CONTEXT_TIMEFRAMES,
    analyze,
    analyze_context,
    stored_four_hours,
    warn_of_short_history,
    with_context,
)
from bubbybot_freqtrade.signals.trend import READING_COLUMNS, SIDES, TREND_COLUMNS, Side, readings
from bubbybot_freqtrade.strategy.market import fee_of
from bubbybot_freqtrade.strategy.parameters import confluence_of, risk_of
from bubbybot_freqtrade.strategy.run_modes import is_backtest, is_hyperopt, is_running

if TYPE_CHECKING:
    from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy

Flags = npt.NDArray[np.bool_]

CONTEXT_COLUMNS = tuple(dict.fromkeys(("date", *TREND_COLUMNS, *LEVEL_COLUMNS, "atr", "mc_rsi")))
"""What readings, levels and the model need of the higher timeframes."""


def with_signals(bot: BubbyBotStrategy, dataframe: pd.DataFrame, pair: str) -> pd.DataFrame:
    """The three analyzers on 15m, what is needed of 1h and 4h, scores and levels."""
    contexts = {name: _context_candles(bot, pair, name) for name in CONTEXT_TIMEFRAMES}
    return with_signals_of(bot, dataframe, pair, contexts)


def with_signals_of(
    bot: BubbyBotStrategy, dataframe: pd.DataFrame, pair: str, contexts: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """The same with the context's candles given, by timeframe."""
    dataframe = analyze(dataframe)
    for timeframe, context in contexts.items():
        if context.empty:
            continue
        if not is_running(bot.config):
            warn_of_short_history(dataframe, context, pair, timeframe, bot.startup_candle_count)
        context_columns = _analyzed_context(bot, context, pair, timeframe)
        dataframe = with_context(dataframe, context_columns, bot.timeframe, timeframe)
    # A copy joins the pieces that merging has left; every later column would pay for them.
    dataframe = dataframe.copy()
    dataframe["plan_atr"] = average_true_range(dataframe)
    unknown = np.full(len(dataframe), np.nan)
    dataframe["stop_atr"] = dataframe.get("atr_1h", unknown)
    dataframe["regime"] = dataframe.get("lux_swing_trend_4h", unknown)
    # Here, not with the entries: freqtrade exports signal candles as they are now.
    dataframe = with_plans(bot, dataframe, pair)
    if is_backtest(bot.config) or is_hyperopt(bot.config):
        # Nobody looks at a chart there: its columns would only take memory.
        return dataframe
    columns = plots.chart_columns(dataframe, bot.min_confidence.value)
    return pd.concat([dataframe, columns], axis=1)


def with_plans(bot: BubbyBotStrategy, dataframe: pd.DataFrame, pair: str) -> pd.DataFrame:
    """The analyzers' readings; score, stop and target of both sides on every candle."""
    confluence = confluence_of(bot)
    read = readings(dataframe, confluence)
    for name, column in READING_COLUMNS.items():
        dataframe[column] = read[name]
    atr, fee, risk = dataframe["stop_atr"].to_numpy(), fee_of(bot, pair), risk_of(bot)
    levels = (
        long_levels(dataframe, atr, fee, risk),
        short_levels(dataframe, atr, fee, risk),
    )
    for side, score, level in zip(SIDES, scores(read, confluence), levels, strict=True):
        dataframe[f"{side}_confluence"] = score
        dataframe[f"plan_{side}_stop"] = level.stop
        dataframe[f"plan_{side}_target"] = level.target
    return dataframe


def with_entries(bot: BubbyBotStrategy, dataframe: pd.DataFrame) -> pd.DataFrame:
    """Entries where the score is enough, with a tag of the analyzers that they stand on."""
    enter_tags = np.full(len(dataframe), None, dtype=object)
    for side in SIDES:
        enter = bot.entry_candles(dataframe, side)
        rows = np.flatnonzero(enter)
        dataframe[f"enter_{side}"] = enter.astype(int)
        enter_tags[rows] = tags(dataframe, rows, side)
    dataframe["enter_tag"] = enter_tags
    return dataframe


def entry_candles(dataframe: pd.DataFrame, side: Side, min_confidence: float) -> Flags:
    """Where an hour closes with this side's score enough, above the other's, and has levels."""
    score = {name: dataframe[f"{name}_confluence"].to_numpy() for name in SIDES}
    other = SIDES[1 - SIDES.index(side)]
    return (
        (score[side] >= min_confidence)
        & (score[side] > score[other])
        & dataframe[f"plan_{side}_target"].notna().to_numpy()
        & closes_an_hour(dataframe)
        & (dataframe["volume"].to_numpy() > 0)
        & ~dataframe["mc_yellow_cross"].to_numpy()
    )


def _analyzed_context(
    bot: BubbyBotStrategy, candles: pd.DataFrame, pair: str, timeframe: str
) -> pd.DataFrame:
    """What is needed of the context; live it is kept until one of its candles is another."""
    kept = bot.memory.contexts.get((pair, timeframe))
    if kept is not None and kept[0].equals(candles):
        return kept[1]
    analyzed = analyze_context(candles, bot.settings.confluence.window, CONTEXT_COLUMNS)
    columns = analyzed.assign(atr=average_true_range(candles))[list(CONTEXT_COLUMNS)]
    if is_running(bot.config):
        bot.memory.contexts[pair, timeframe] = candles, columns
    return columns


def _context_candles(bot: BubbyBotStrategy, pair: str, timeframe: str) -> pd.DataFrame:
    candles = bot.dp.get_pair_dataframe(pair, timeframe)
    if candles.empty and timeframe == "4h" and not is_running(bot.config):
        # Data folders often hold no 4h candles; they are four of the 1h ones.
        candles = stored_four_hours(bot.config, pair, bot.startup_candle_count)
    return candles
