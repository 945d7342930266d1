"""Candles that the websocket has pushed, where the venue has said that they ended."""

import time
from collections.abc import Coroutine, Iterable
from typing import Any

from freqtrade.constants import PairWithTimeframe
from freqtrade.exchange.exchange import Exchange
from freqtrade.exchange.exchange_types import OHLCVResponse
from freqtrade.exchange.exchange_utils_timeframe import timeframe_to_msecs, timeframe_to_prev_date
from freqtrade.util import dt_ts

# Candles taken from the websocket, or made, before the venue is asked for them again.
UNASKED = 4

# So long after its end a candle's last push is worth waiting for: hundreds come at once then.
EXPECTED_MS = 5_000
# A series that was silent for longer is asked for at once.
SILENT_MS = 60_000
# freqtrade no longer watches what wasn't asked for within its timeframe and 20 s.
SECONDS_BETWEEN_REMINDERS = 30.0


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
        self._reminded_at = -SECONDS_BETWEEN_REMINDERS

    def may_be_taken(self, key: PairWithTimeframe) -> bool:
        """Whether those of a pair, timeframe and candle type have ended, and none has to be asked.

        For few pairs; those of many are checked when there is time (`candle_checks`).
        """
        if not self.have_ended(key):
            return False
        step = timeframe_to_msecs(key[1])
        # freqtrade's first load of a pair doesn't come by here: it ended with the newest one known.
        asked_at = self._asked_at.setdefault(key, self.known(key) + step)
        return dt_ts() - asked_at < UNASKED * step

    def have_ended(self, key: PairWithTimeframe) -> bool:
        """Whether all since the newest one known are there, up to the last that has ended."""
        pair, timeframe, _ = key
        if self._exchange._exchange_ws is None:
            return False
        step, known = timeframe_to_msecs(timeframe), self.known(key)
        previous = dt_ts(timeframe_to_prev_date(timeframe)) - step
        first = self._first(pair, timeframe)
        follows = known < previous and first is not None and first <= known + step
        return follows and self._exchange._ws_async.last_ended.get((pair, timeframe), 0) >= previous

    def are_expected(self, key: PairWithTimeframe) -> bool:
        """Whether the push that ends the newest candle may still come within seconds."""
        pair, timeframe, _ = key
        if self._exchange._exchange_ws is None or self.have_ended(key):
            return False
        opened, now = dt_ts(timeframe_to_prev_date(timeframe)), dt_ts()
        last = self._exchange._ws_async.last_pushed.get((pair, timeframe), 0)
        is_next = self.known(key) == opened - 2 * timeframe_to_msecs(timeframe)
        return is_next and now - opened < EXPECTED_MS and now - last < SILENT_MS

    def asking(self, key: PairWithTimeframe) -> None:
        """The venue is about to be asked for them."""
        self._asked_at[key] = dt_ts()

    def known(self, key: PairWithTimeframe) -> int:
        """Opening time (ms) of the newest candle that freqtrade has, 0 without one."""
        return self._exchange._pairs_last_refresh_time.get(key, 0)

    def keep_watched(self, keys: Iterable[PairWithTimeframe]) -> None:
        """Watch series on whose turn comes later than freqtrade waits for it."""
        websocket = self._exchange._exchange_ws
        now = time.monotonic()
        if websocket is None or now - self._reminded_at < SECONDS_BETWEEN_REMINDERS:
            return
        self._reminded_at = now
        for key in keys:
            if self._exchange._can_use_websocket(websocket, *key):
                websocket.schedule_ohlcv(*key)

    def _first(self, pair: str, timeframe: str) -> int | None:
        """Opening time (ms) of the first candle that the websocket's thread keeps."""
        pushed = self._exchange._ws_async.ohlcvs.get(pair, {}).get(timeframe)
        try:
            return int(pushed[0][0]) if pushed else None
        except IndexError:
            # That thread has just dropped them.
            return None


async def later_than(known: int, pushed: Coroutine[Any, Any, OHLCVResponse]) -> OHLCVResponse:
    """Leave out candles that are known already, maybe corrected since they were pushed."""
    pair, timeframe, candle_type, candles, drop_last = await pushed
    later = [candle for candle in candles if candle[0] > known]
    return pair, timeframe, candle_type, later, drop_last
