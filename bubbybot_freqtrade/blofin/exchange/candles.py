"""How candles and funding rates come to freqtrade."""

from collections.abc import Coroutine
from functools import cached_property, partial
from importlib.util import find_spec
from typing import Any, TypeGuard

from freqtrade.constants import ListPairsWithTimeframes, PairWithTimeframe
from freqtrade.enums import TRADE_MODES, CandleType
from freqtrade.exchange.exchange import Exchange
from freqtrade.exchange.exchange_types import OHLCVResponse
from freqtrade.exchange.exchange_utils_timeframe import timeframe_to_msecs
from freqtrade.exchange.exchange_ws import ExchangeWS
from pandas import DataFrame

from bubbybot_freqtrade.blofin.exchange.candle_queue import CandleQueue
from bubbybot_freqtrade.blofin.exchange.made_candles import age_out, is_made_of
from bubbybot_freqtrade.blofin.exchange.pushed_candles import PushedCandles, later_than

# Before freqtrade 2026.8 funding rates were stored as candles; since, candle_columns says how.
FILLING = [] if find_spec("freqtrade.candle_columns") else [0, 0, 0, 0]


class CandlesInSlices(Exchange):
    """Where freqtrade asks for candles: pushed where they have ended, else some at every loop."""

    @cached_property
    def _pushed_candles(self) -> PushedCandles:
        return PushedCandles(self)

    @cached_property
    def candle_queue(self) -> CandleQueue:
        """Which candles come in a loop."""
        return CandleQueue(self, self._pushed_candles, self._config.get("timeframe", ""))

    def refresh_latest_ohlcv(
        self,
        pair_list: ListPairsWithTimeframes,
        *,
        since_ms: int | None = None,
        cache: bool = True,
        drop_incomplete: bool | None = None,
    ) -> dict[PairWithTimeframe, DataFrame]:
        """Refresh candles; those of the loop's pairs as many as a loop has time for."""
        fetch = partial(
            super().refresh_latest_ohlcv,
            since_ms=since_ms,
            cache=cache,
            drop_incomplete=drop_incomplete,
        )
        is_loop = cache and not since_ms and self._config["runmode"] in TRADE_MODES
        if not is_loop or not self._config.get("timeframe"):
            return fetch(pair_list)

        def fetch_and_age_out(keys: ListPairsWithTimeframes) -> dict[PairWithTimeframe, DataFrame]:
            found = fetch(keys)
            for key in keys:
                age_out(self, key)
            return found

        ask = partial(super().refresh_latest_ohlcv, cache=False)
        return self.candle_queue.refresh(pair_list, self.held_pairs(), fetch_and_age_out, ask)

    @staticmethod
    def held_pairs() -> list[str]:
        """Pairs with an open trade."""
        # Not at module level: freqtrade.persistence imports freqtrade.exchange.
        from bubbybot_freqtrade.blofin.account import database

        return [trade.pair for trade in database.open_trades()] if database.is_open() else []

    def _can_use_websocket(
        self, exchange_ws: ExchangeWS | None, pair: str, timeframe: str, candle_type: CandleType
    ) -> TypeGuard[ExchangeWS]:
        """Of many pairs watch the candles that they are traded by, not those made of them."""
        made = self.candle_queue.is_needed and is_made_of(timeframe, self._config["timeframe"])
        return super()._can_use_websocket(exchange_ws, pair, timeframe, candle_type) and not made

    def _try_build_from_websocket(
        self, pair: str, timeframe: str, candle_type: CandleType
    ) -> Coroutine[Any, Any, OHLCVResponse] | None:
        """Try to build a coroutine to get data from websocket."""
        key, queue = (pair, timeframe, candle_type), self.candle_queue
        if queue.is_needed:
            may_be_taken = not queue.is_doubted(key) and self._pushed_candles.have_ended(key)
        else:
            may_be_taken = self._pushed_candles.may_be_taken(key)
        if may_be_taken:
            pushed = super()._try_build_from_websocket(pair, timeframe, candle_type)
            if pushed is not None:
                queue.checks.unasked(key)
                return later_than(self._pushed_candles.known(key), pushed)
        self._pushed_candles.asking(key)
        queue.checks.asked(key)
        return None

    async def _fetch_funding_rate_history(
        self, pair: str, timeframe: str, limit: int, since_ms: int | None = None
    ) -> list[list]:
        """Fetch the rates of `limit` timeframes, however many they are: most pay every 8 h."""
        return await fetch_funding_rates(self._api_async, pair, timeframe, limit, since_ms)


async def fetch_funding_rates(
    api: Any, pair: str, timeframe: str, limit: int, since_ms: int | None
) -> list[list[Any]]:
    """Fetch the rates of `limit` timeframes, however many they are: most pay every 8 h.

    :param api: ccxt's async BloFin
    :return: time (ms) and rate of each, oldest first, as freqtrade stores them
    """
    params = {}
    if since_ms is not None:
        params["until"] = since_ms + limit * timeframe_to_msecs(timeframe) - 1
    rates = await api.fetch_funding_rate_history(pair, since=since_ms, params=params)
    return [[rate["timestamp"], rate["fundingRate"], *FILLING] for rate in rates]
