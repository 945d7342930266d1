"""From candles of three timeframes to one frame of analyzed 15m candles."""

import logging
from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd
from freqtrade.configuration import TimeRange
from freqtrade.data.history import load_pair_history
from freqtrade.strategy import merge_informative_pair

from bubbybot_freqtrade.analyzers import frankie_candles, lux_algo, market_cipher
from bubbybot_freqtrade.signals.trend import typical_range, window_side

logger = logging.getLogger(__name__)

CONTEXT_TIMEFRAMES = ("1h", "4h")


def analyze(candles: pd.DataFrame, columns: Collection[str] | None = None) -> pd.DataFrame:
    """Add the columns of all three analyzers, or those among `columns` alone."""
    for analyzer in (market_cipher, lux_algo, frankie_candles):
        wanted = None if columns is None else set(columns).intersection(analyzer.COLUMNS)
        candles = analyzer.populate(candles, columns=wanted)
    return candles


def analyze_context(
    candles: pd.DataFrame, window: int, columns: Collection[str] | None = None
) -> pd.DataFrame:
    """The analyzers' columns of a higher timeframe, and what readings need beside them.

    :param window: candles whose highest or lowest close makes `window_side`
    :param columns: as for `analyze`
    """
    high, low, close = (candles[name].to_numpy(dtype=float) for name in ("high", "low", "close"))
    return analyze(candles, columns).assign(
        window_side=window_side(close, window),
        typical_range=typical_range(high, low, close),
    )


def with_context(
    dataframe: pd.DataFrame, analyzed: pd.DataFrame, timeframe: str, context: str
) -> pd.DataFrame:
    """Add a higher timeframe's columns, each value from the close of its candle on."""
    # Merged with the dates alone: with all columns it takes a multiple of the time.
    merged = merge_informative_pair(dataframe[["date"]], analyzed, timeframe, context)
    merged = merged.drop(columns="date").set_axis(dataframe.index)
    return pd.concat([dataframe, merged], axis=1)


def whole_candles(candles: pd.DataFrame, timeframe: str, parts: int) -> pd.DataFrame:
    """Candles of `timeframe`, each made of `parts` shorter ones; an unfinished one is left out."""
    if candles.empty:
        return candles
    grouped = candles.resample(timeframe, on="date")
    made = grouped.agg(
        {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    )
    made = made[grouped.size() == parts]
    return made.reset_index()


def stored_four_hours(config: Mapping[str, Any], pair: str, warm_up: int) -> pd.DataFrame:
    """4h candles made of a data folder's 1h ones, `warm_up` of them before the config's range.

    freqtrade itself would load as many 1h candles before it, which are a quarter of that.
    """
    timerange = TimeRange.parse_timerange(config.get("timerange"))
    timerange.subtract_start(int(pd.Timedelta("4h").total_seconds()) * warm_up)
    hours = load_pair_history(
        pair=pair,
        timeframe="1h",
        datadir=config["datadir"],
        timerange=timerange,
        data_format=config["dataformat_ohlcv"],
        candle_type=config["candle_type_def"],
    )
    return whole_candles(hours, "4h", parts=4)


def warn_of_short_history(
    dataframe: pd.DataFrame, context: pd.DataFrame, pair: str, timeframe: str, warm_up: int
) -> None:
    """Say it where a backtest's context begins too late to be what a running bot sees.

    :param dataframe: base candles, the first `warm_up` of which are not traded
    """
    if len(dataframe) <= warm_up:
        return
    traded = pd.Timestamp(dataframe["date"].iloc[warm_up])
    before = int((context["date"] < traded).sum())
    if before >= warm_up:
        return
    needed = traded - warm_up * pd.Timedelta(timeframe)
    logger.warning(
        "%s: only %d of %d %s candles before %s. Until there are as many, signals differ from a "
        "running bot's: download %s candles from %s on.",
        pair,
        before,
        warm_up,
        timeframe,
        f"{traded:%Y-%m-%d}",
        timeframe,
        f"{needed:%Y-%m-%d}",
    )
