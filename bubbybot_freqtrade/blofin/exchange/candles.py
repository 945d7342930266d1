"""Candles: pushed ones, where the venue has said that they ended, and funding rates."""

from collections.abc import Coroutine
from importlib.util import find_spec
from typing import Any

from freqtrade.constants import PairWithTimeframe
from freqtrade.exchange.exchange import Exchange
from freqtrade.exchange.exchange_types import OHLCVResponse
from freqtrade.exchange.exchange_utils_timeframe import timeframe_to_msecs, timeframe_to_prev_date
from freqtrade.util import dt_ts

# Before freqtrade 2026.8 funding rates were stored as candles; since, candle_columns says how.
FILLING = [] if find_spec("freqtrade.candle_columns") else [0, 0, 0, 0]

# Candles taken from the websocket before the venue is asked for them again.
UNASKED = 4


class PushedCandles:
    """Whether freqtrade may take the candles that the websocket has.

    freqtrade takes the last push of a candle for its end, which after a slow, silent or dropped
    websocket it isn't. Here pushed candles are used only where the venue has said that they ended
    and where none is missing since the last one known. Every few candles the venue is asked all the
    same, since it pushes no corrections.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        # When the venue was last asked for candles instead of taking what it pushed.
        self._asked_at: dict[PairWithTimeframe, int] = {}

    def may_be_taken(self, key: PairWithTimeframe) -> bool:
        """Whether those of a pair, timeframe and candle type are complete and end in the last."""
        pair, timeframe, _ = key
        websocket = self._exchange._exchange_ws
        step = timeframe_to_msecs(timeframe)
        known = self.known(key)
        previous = dt_ts(timeframe_to_prev_date(timeframe)) - step
        candles = websocket.ohlcvs(pair, timeframe) if websocket else []
        follows = known < previous and candles and candles[0][0] <= known + step
        last_ended = self._exchange._ws_async.last_ended if follows else {}
        ended = last_ended.get((pair, timeframe), 0) >= previous
        # freqtrade's first load of a pair doesn't come by here: it ended with the newest one known.
        asked_at = self._asked_at.setdefault(key, known + step)
        asked = dt_ts() - asked_at < UNASKED * step
        return ended and asked

    def asking(self, key: PairWithTimeframe) -> None:
        """The venue is about to be asked for them."""
        self._asked_at[key] = dt_ts()

    def known(self, key: PairWithTimeframe) -> int:
        """Opening time (ms) of the newest candle that freqtrade has, 0 without one."""
        return self._exchange._pairs_last_refresh_time.get(key, 0)


async def later_than(known: int, pushed: Coroutine[Any, Any, OHLCVResponse]) -> OHLCVResponse:
    """Leave out candles that are known already, maybe corrected since they were pushed."""
    pair, timeframe, candle_type, candles, drop_last = await pushed
    later = [candle for candle in candles if candle[0] > known]
    return pair, timeframe, candle_type, later, drop_last


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
