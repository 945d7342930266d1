"""Entries that were sent a moment ago: what freqtrade or BloFin may not show of them yet."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from freqtrade.exchange.exchange_types import CcxtOrder
from freqtrade.util import dt_now

from bubbybot_freqtrade.blofin.account import database

# freqtrade commits a trade right after its entry's request; what shows up meanwhile is its own.
_UNDERWAY = timedelta(seconds=30)
# What the measured difference of the clocks may be wrong by, ms.
_CLOCK_MS = 1000


class YoungEntries:
    """The last entry of each pair.

    :param venue_ms: BloFin's time, ms, at a moment of this machine's clock
    """

    def __init__(self, venue_ms: Callable[[datetime], int]) -> None:
        self._venue_ms = venue_ms
        # When it was sent, later when BloFin has answered, and its id from then on.
        self._sent: dict[str, tuple[datetime, str | None]] = {}
        # Before that: by BloFin's time, ms.
        self._asked_ms: dict[str, int] = {}
        # When the newest stop that BloFin has shown was made, ms.
        self._stop_made: dict[str, int] = {}

    def note(self, pair: str, order_id: str | None = None) -> None:
        """An entry is about to be sent, or was taken under an id."""
        self._sent[pair] = dt_now(), order_id
        if order_id is None:
            self._asked_ms[pair] = self._venue_ms(dt_now())

    def look(self, own_stops: Iterable[CcxtOrder]) -> None:
        """Untriggered stops of this bot in a list of BloFin's."""
        for stop in own_stops:
            made = int(stop["timestamp"] or 0)
            self._stop_made[stop["symbol"]] = max(made, self._stop_made.get(stop["symbol"], 0))

    def is_young(self, pair: str) -> bool:
        """Whether one was sent a moment ago: BloFin may not show all of it yet."""
        sent, _ = self._sent.get(pair, (None, None))
        return sent is not None and dt_now() - sent < _UNDERWAY

    def is_unwritten(self, pair: str) -> bool:
        """Whether one was sent a moment ago that freqtrade has not written down yet."""
        if not self.is_young(pair):
            return False
        _, order_id = self._sent[pair]
        return order_id is None or database.order_of(order_id, pair) is None

    def has_shown_stop(self, pair: str) -> bool:
        """Whether BloFin has shown the stop that came with it: one that is no more does not come
        back.
        """
        asked = self._asked_ms.get(pair)
        return asked is not None and self._stop_made.get(pair, 0) >= asked - _CLOCK_MS
