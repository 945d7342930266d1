"""The higher timeframes beside the base candles: analyzed, and aligned without lookahead."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from freqtrade.configuration import TimeRange
from freqtrade.data.history import load_pair_history
from freqtrade.exchange import timeframe_to_seconds

from bubbybot_freqtrade.analyzers.candles import read_candles, with_columns
from bubbybot_freqtrade.analyzers.parts import Work
from bubbybot_freqtrade.signals.marks import MARKS, Mark
from bubbybot_freqtrade.signals.plots import ANALYZERS, drawn_columns, plot_config
from bubbybot_freqtrade.signals.trend import Floats, typical_range, window_side

logger = logging.getLogger(__name__)

CONTEXT_TIMEFRAMES = ("1h", "4h")

Array = npt.NDArray[Any]
Seconds = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Context:
    """Analyzed candles of a higher timeframe.

    :param opened: when each opened, in seconds since the epoch, ascending
    :param names: of the columns
    :param values: a row for each candle and one of NaN at the end, a column for each name
    """

    timeframe: str
    opened: Seconds
    names: Sequence[str]
    values: Floats

    @classmethod
    def of(cls, candles: pd.DataFrame, timeframe: str, columns: Mapping[str, Array]) -> "Context":
        """Columns of these candles, flags as 0 and 1."""
        values = np.full((len(candles) + 1, len(columns)), np.nan)
        for number, column in enumerate(columns.values()):
            values[:-1, number] = column
        return cls(timeframe, opened(candles), tuple(columns), values)

    def seen_from(self, first: int, timeframe: str) -> "Context":
        """What is left of it for base candles of `timeframe` that open at `first` s or later."""
        comes = self.opened + _shift(self, timeframe)
        # The one before the first that comes is seen until then.
        start = max(int(comes.searchsorted(first)) - 1, 0)
        return Context(
            self.timeframe, self.opened[start:].copy(), self.names, self.values[start:].copy()
        )


def analyze(candles: pd.DataFrame) -> pd.DataFrame:
    """Add the columns of all three analyzers."""
    return with_columns(candles, analyzed_columns(candles))


def analyzed_columns(
    candles: pd.DataFrame, columns: Collection[str] | None = None
) -> dict[str, Array]:
    """The columns of all three analyzers by name, or those among `columns` alone.

    The candles are read and checked once, and no frame is made that would be taken apart again.
    """
    read = read_candles(candles)
    made: dict[str, Array] = {}
    for analyzer in ANALYZERS:
        work = Work(read, candles["date"], analyzer.DEFAULTS, analyzer.PARTS)
        wanted = (name for name in analyzer.COLUMNS if columns is None or name in columns)
        made |= {name: work[name] for name in wanted}
    return made


@cache
def charted_columns() -> frozenset[str]:
    """The columns of all parts that a score, a chart or a mark of ours needs.

    The others are for other strategies: in a backtest they would double what a pair's frame takes.
    """
    # Order blocks are drawn as boxes, not as columns, and found anew from their candles for it.
    asked = {"lux_bull_ob_top", "lux_wide_candle", *(mark.column for mark in _marks())}
    # Which parts run for a column does not depend on candles, so none will do.
    none = pd.DataFrame(columns=["open", "high", "low", "close", "volume"], dtype=np.float64)
    none.insert(0, "date", pd.Series(dtype="datetime64[ms, UTC]"))
    made: frozenset[str] = frozenset()
    for analyzer in ANALYZERS:
        work = Work(read_candles(none), none["date"], analyzer.DEFAULTS, analyzer.PARTS)
        needed = asked | drawn_columns(analyzer.plot_config())
        for name in analyzer.COLUMNS:
            if name in needed or name.endswith("_score"):
                work[name]
        made |= work.made()
    return made


@cache
def shown_columns() -> frozenset[str]:
    """Those of them that our chart draws and marks, for as long as a frame is looked at."""
    marks = {name for mark in _marks() for name in (mark.column, mark.unless)}
    annotated = (name for analyzer in ANALYZERS for name in analyzer.ANNOTATED)
    return charted_columns() & drawn_columns(plot_config()).union(marks, annotated)


def _marks() -> Iterator[Mark]:
    return (mark for side in MARKS.values() for marks in side.values() for mark in marks)


def analyze_context(
    candles: pd.DataFrame, window: int, columns: Collection[str] | None = None
) -> dict[str, Array]:
    """The analyzers' columns of a higher timeframe, and what readings need beside them.

    :param window: candles whose highest or lowest close makes `window_side`
    :param columns: of the analyzers, as for `analyzed_columns`
    """
    high, low, close = (candles[name].to_numpy(dtype=float) for name in ("high", "low", "close"))
    return analyzed_columns(candles, columns) | {
        "window_side": window_side(close, window),
        "typical_range": typical_range(high, low, close),
    }


def opened(candles: pd.DataFrame) -> Seconds:
    """When each candle opened, in seconds since the epoch."""
    return candles["date"].to_numpy(dtype="datetime64[s]").astype(np.int64)


def seen(base: Seconds, timeframe: str, context: Context) -> dict[str, Floats]:
    """The context's columns on base candles, by name with its timeframe; NaN before the first.

    Each value stands from the base candle on that closes with the context's candle.

    :param base: when the base candles of `timeframe` opened
    """
    values = context.values[rows_seen(base, timeframe, context)].T
    return {f"{name}_{context.timeframe}": values[k] for k, name in enumerate(context.names)}


def rows_seen(base: Seconds, timeframe: str, context: Context) -> Rows:
    """Which of the context's rows each base candle sees, −1 for none.

    As freqtrade's `merge_informative_pair` has it: a candle comes with the base candle that closes
    when it does (where that one is missing, it is never seen) and stays until another comes. What
    came before the first base candle is seen where a later one follows.
    """
    comes = context.opened + _shift(context, timeframe)
    at = base.searchsorted(comes)
    meets = np.flatnonzero(at < len(base))
    meets = meets[base[at[meets]] == comes[meets]]
    rows = np.full(len(base), -1, dtype=np.intp)
    rows[at[meets]] = meets
    rows = np.maximum.accumulate(rows)
    if len(meets):
        rows[: at[meets[0]]] = meets[0] - 1
    return rows


def _shift(context: Context, timeframe: str) -> int:
    """Seconds from a candle's opening until the base candle opens that closes with it."""
    return timeframe_to_seconds(context.timeframe) - timeframe_to_seconds(timeframe)


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
