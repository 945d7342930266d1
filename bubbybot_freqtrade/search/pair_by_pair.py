"""freqtrade's backtest of more pairs than memory holds.

freqtrade keeps every pair's candles three times until the last trade: as they were loaded, with
their indicators, and as Python's lists. Its loop needs all pairs at once, since they share wallet
and slots, but of each only the candle that it is at. So each pair is loaded, analyzed and laid down
on disk before the next one, and the loop reads some candles ahead. What is traded is the same: all
of it is done by freqtrade's own methods.
"""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pandas as pd
from freqtrade.configuration import TimeRange
from freqtrade.data.converter import trim_dataframe
from freqtrade.data.dataprovider import DataProvider
from freqtrade.data.history import get_timerange, load_pair_history
from freqtrade.enums import CandleType
from freqtrade.exceptions import OperationalException
from freqtrade.optimize.backtesting import HEADERS, Backtesting
from freqtrade.strategy import IStrategy

from bubbybot_freqtrade.search.stored import Store, StoredFrame, StoredRows


@dataclass(frozen=True)
class Analyzed:
    """Candles with their indicators, and the first and last of them that are traded."""

    frames: Mapping[str, StoredFrame]
    start: datetime
    end: datetime


class _Provider(DataProvider):
    """A data provider that lays analyzed candles down."""

    store: Store

    def _set_cached_df(
        self, pair: str, timeframe: str, dataframe: pd.DataFrame, candle_type: CandleType
    ) -> None:
        stored: Any = StoredFrame(self.store, dataframe)
        super()._set_cached_df(pair, timeframe, stored, candle_type)


class PairByPair(Backtesting):
    """A backtest of a strategy that holds one pair's candles at a time."""

    pairlists: Any
    timerange: TimeRange
    price_pair_prec: dict[str, Any]
    detail_data: dict[str, pd.DataFrame]

    def __init__(self, config: dict[str, Any], exchange: Any, **options: Any) -> None:
        """As freqtrade's; one strategy."""
        super().__init__(config, exchange, **options)
        self.dataprovider = _Provider(self.config, self.exchange)
        self.dataprovider.add_pairlisthandler(self.pairlists)

    def analyze(self, strategy: IStrategy) -> Analyzed:
        """Load and analyze every pair.

        :raises OperationalException: when none has candles in the range
        """
        self._set_strategy(strategy)
        store, frames = Store(), dict[str, StoredFrame]()
        for pair, candles in self._loaded():
            # Caches the pair's other timeframes, which nobody asks for again.
            strategy.dp = DataProvider(self.config, self.exchange)
            strategy.dp.add_pairlisthandler(self.pairlists)
            analyzed = strategy.advise_all_indicators({pair: candles})[pair]
            frames[pair] = StoredFrame(store, analyzed)
        strategy.dp = self.dataprovider
        if not frames:
            raise OperationalException("No data found. Terminating.")
        return Analyzed(frames, *self._bounds(frames))

    def _loaded(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Each pair's candles; of the range, the precisions and funding what all have together."""
        asked, pairlists = self.timerange, self.pairlists
        starts: list[TimeRange] = []
        precisions: dict[str, Any] = {}
        details: dict[str, pd.DataFrame] = {}
        try:
            for pair in list(pairlists.whitelist):
                if not self._is_there(pair, asked):
                    continue
                self.timerange = deepcopy(asked)
                self.pairlists = SimpleNamespace(whitelist=[pair])
                candles, timerange = self.load_bt_data()
                self.pairlists = pairlists
                starts.append(timerange)
                precisions |= self.price_pair_prec
                details |= self.detail_data
                yield pair, candles[pair]
        finally:
            self.pairlists = pairlists
            # A range that begins before all candles begins with the first pair that has enough.
            self.timerange = min(starts, key=lambda one: one.startts, default=asked)
            self.price_pair_prec, self.detail_data = precisions, details

    def _is_there(self, pair: str, timerange: TimeRange) -> bool:
        """Whether a pair has candles; freqtrade goes on without those that have none."""
        found = load_pair_history(
            pair=pair,
            timeframe=self.timeframe,
            datadir=self.config["datadir"],
            timerange=timerange,
            startup_candles=self.required_startup,
            data_format=self.config["dataformat_ohlcv"],
            candle_type=self.config["candle_type_def"],
        )
        return not found.empty

    def _bounds(self, frames: Mapping[str, StoredFrame]) -> tuple[datetime, datetime]:
        """The first and the last candle that are traded.

        :raises OperationalException: when there is none
        """
        dates = {
            pair: trim_dataframe(
                frame.read()[["date"]], self.timerange, startup_candles=self.required_startup
            )
            for pair, frame in frames.items()
        }
        judged = {pair: frame for pair, frame in dates.items() if not frame.empty}
        if not judged:
            raise OperationalException("No data left after adjusting for startup candles.")
        return get_timerange(judged)

    def play(self, analyzed: Analyzed, pairs: Iterable[str] | None = None) -> pd.DataFrame:
        """The trades of the strategy that was set, freqtrade's results frame.

        :param pairs: those that are traded; all that were analyzed when left out
        """
        chosen = analyzed.frames if pairs is None else pairs
        frames = {pair: analyzed.frames[pair] for pair in chosen if pair in analyzed.frames}
        results: pd.DataFrame = self.backtest(frames, analyzed.start, analyzed.end)["results"]
        return results

    def _get_ohlcv_as_lists(self, processed: dict[str, Any]) -> dict[str, Any]:
        self.dataprovider.store = store = Store()
        data = {}
        for pair, frame in processed.items():
            rows = super()._get_ohlcv_as_lists({pair: frame.read()})[pair]
            data[pair] = StoredRows(store, rows, HEADERS) if rows else rows
        return data
