"""Candles in, columns out: the analyzers on three timeframes, scores, levels and entries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bubbybot_freqtrade.analyzers.candles import digest_of, with_columns
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
    Context,
    analyze_context,
    analyzed_columns,
    charted_columns,
    opened,
    seen,
    shown_columns,
    stored_four_hours,
    warn_of_short_history,
)
from bubbybot_freqtrade.signals.trend import (
    READING_COLUMNS,
    SIDES,
    TREND_COLUMNS,
    Columns,
    Side,
    readings,
)
from bubbybot_freqtrade.strategy.market import fee_of
from bubbybot_freqtrade.strategy.memory import KeptContext
from bubbybot_freqtrade.strategy.parameters import confluence_of, risk_of
from bubbybot_freqtrade.strategy.run_modes import is_backtest, is_hyperopt, is_running

if TYPE_CHECKING:
    from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy

Flags = npt.NDArray[np.bool_]

CONTEXT_COLUMNS = tuple(dict.fromkeys((*TREND_COLUMNS, *LEVEL_COLUMNS, "mc_rsi")))
"""What readings, levels and the model need of the analyzers on the higher timeframes."""

_OF_CONTEXT = tuple(f"_{timeframe}" for timeframe in CONTEXT_TIMEFRAMES)

Arrays = dict[str, npt.NDArray[Any]]


def with_signals(bot: BubbyBotStrategy, dataframe: pd.DataFrame, pair: str) -> pd.DataFrame:
    """The three analyzers on 15m, what is needed of 1h and 4h, scores and levels."""
    contexts = {name: _context_candles(bot, pair, name) for name in CONTEXT_TIMEFRAMES}
    return with_signals_of(bot, dataframe, pair, contexts)


def with_signals_of(
    bot: BubbyBotStrategy, dataframe: pd.DataFrame, pair: str, contexts: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """The same with the context's candles given, by timeframe."""
    made = analyzed_columns(dataframe, None if keeps_all(bot) else charted_columns())
    made |= _context_columns(bot, dataframe, pair, contexts)
    unknown = np.full(len(dataframe), np.nan)
    made["plan_atr"] = average_true_range(dataframe)
    made["stop_atr"] = made.get("atr_1h", unknown)
    made["regime"] = made.get("lux_swing_trend_4h", unknown)
    close = dataframe["close"].to_numpy(dtype=np.float64)
    # Here, not with the entries: freqtrade exports signal candles as they are now.
    made |= _plans(bot, {"close": close, **made}, pair)
    # Nobody looks at a chart in a backtest: its columns would only take memory.
    if not is_backtest(bot.config) and not is_hyperopt(bot.config):
        made |= plots.chart_columns(made, bot.min_confidence.value)
    # In one piece: pandas pays for every single column that is added.
    return with_columns(dataframe, made)


def keeps_all(bot: BubbyBotStrategy) -> bool:
    """Whether a pair's frame keeps columns that only other charts and strategies read.

    They would double what a bot with hundreds of pairs takes.
    """
    is_past = is_backtest(bot.config) or is_hyperopt(bot.config)
    return not is_past and bot.settings.chart_panels == "all"


def with_plans(bot: BubbyBotStrategy, dataframe: pd.DataFrame, pair: str) -> pd.DataFrame:
    """The analyzers' readings; score, stop and target of both sides on every candle."""
    return with_columns(dataframe, _plans(bot, dataframe, pair))


def _plans(bot: BubbyBotStrategy, columns: Columns, pair: str) -> Arrays:
    confluence = confluence_of(bot)
    read = readings(columns, confluence)
    made: Arrays = {column: read[name] for name, column in READING_COLUMNS.items()}
    atr = np.asarray(columns["stop_atr"], dtype=np.float64)
    fee, risk = fee_of(bot, pair), risk_of(bot)
    levels = (long_levels(columns, atr, fee, risk), short_levels(columns, atr, fee, risk))
    for side, score, level in zip(SIDES, scores(read, confluence), levels, strict=True):
        made[f"{side}_confluence"] = score
        made[f"plan_{side}_stop"] = level.stop
        made[f"plan_{side}_target"] = level.target
    return made


def with_entries(bot: BubbyBotStrategy, dataframe: pd.DataFrame) -> pd.DataFrame:
    """Entries where the score is enough, with a tag of the analyzers that they stand on."""
    enter_tags = np.full(len(dataframe), None, dtype=object)
    made: Arrays = {}
    for side in SIDES:
        enter = bot.entry_candles(dataframe, side)
        rows = np.flatnonzero(enter)
        made[f"enter_{side}"] = enter.astype(int)
        enter_tags[rows] = tags(dataframe, rows, side)
    made["enter_tag"] = enter_tags
    if is_running(bot.config) and not keeps_all(bot):
        # Scores, levels and the model have read them; the frame stays until the next candle.
        read = charted_columns() - shown_columns()
        read |= {name for name in map(str, dataframe) if is_of_context(name) or name in made}
        # Copied: what is cut out of a frame keeps the whole of it in memory.
        dataframe = dataframe[[name for name in dataframe if name not in read]].copy()
    return with_columns(dataframe, made)


def is_of_context(column: str) -> bool:
    """Whether a column is one of a higher timeframe."""
    return column.endswith(_OF_CONTEXT)


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


def _context_columns(
    bot: BubbyBotStrategy, dataframe: pd.DataFrame, pair: str, contexts: Mapping[str, pd.DataFrame]
) -> Arrays:
    made: Arrays = {}
    base = opened(dataframe)
    for timeframe, candles in contexts.items():
        if candles.empty:
            continue
        if not is_running(bot.config):
            warn_of_short_history(dataframe, candles, pair, timeframe, bot.startup_candle_count)
        context = _analyzed_context(bot, candles, pair, timeframe, int(base[0]) if len(base) else 0)
        made |= seen(base, bot.timeframe, context)
    return made


def _analyzed_context(
    bot: BubbyBotStrategy, candles: pd.DataFrame, pair: str, timeframe: str, first: int
) -> Context:
    """What is needed of the context; live it is kept until one of its candles is another.

    :param first: when the first base candle opens, in seconds since the epoch
    """
    digest = digest_of(candles) if is_running(bot.config) else b""
    kept = bot.memory.contexts.get((pair, timeframe))
    if kept is not None and kept.candles == digest and kept.first <= first:
        return kept.context
    columns = analyze_context(candles, bot.settings.confluence.window, CONTEXT_COLUMNS)
    context = Context.of(candles, timeframe, columns | {"atr": average_true_range(candles)})
    if is_running(bot.config):
        # Of 1,439 candles of 4h those of 15m see ninety.
        context = context.seen_from(first, bot.timeframe)
        bot.memory.contexts[pair, timeframe] = KeptContext(digest, first, context)
    return context


def _context_candles(bot: BubbyBotStrategy, pair: str, timeframe: str) -> pd.DataFrame:
    candles = bot.dp.get_pair_dataframe(pair, timeframe)
    if candles.empty and timeframe == "4h" and not is_running(bot.config):
        # Data folders often hold no 4h candles; they are four of the 1h ones.
        candles = stored_four_hours(bot.config, pair, bot.startup_candle_count)
    return candles
