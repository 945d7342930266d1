"""What one list request answers for all pairs, asked once per loop of the bot.

BloFin allows 30 trading requests per 10 s. freqtrade asks for every open order and every stop by
itself; answering those from one shared list keeps the cost of a loop independent of the number of
open trades.
"""

import time
from collections.abc import Callable, Mapping
from threading import RLock
from typing import Any, Literal

ListName = Literal["orders", "tpsl", "positions", "tickers"]
Row = dict[str, Any]

# Commands from Telegram run between loops; they must not act on what a stalled loop once saw.
MAX_AGE_SECONDS = 15.0
# Prices are for the moment.
MAX_PRICE_AGE_SECONDS = 2.0


class LoopState:
    """Lists of open orders, untriggered TP/SL orders, positions and prices, shared in one loop.

    :param fetch: per list, the request that returns it for all pairs.
    """

    def __init__(self, fetch: Mapping[ListName, Callable[[], list[Row]]]) -> None:
        self._fetch = fetch
        self._lists: dict[ListName, tuple[float, list[Row]]] = {}
        self._lock = RLock()

    def start_loop(self) -> None:
        """Forget everything: a new loop of the bot begins."""
        with self._lock:
            self._lists.clear()

    def forget(self, *names: ListName) -> None:
        """Ask the venue again for these lists: something changed them."""
        with self._lock:
            for name in names:
                self._lists.pop(name, None)

    def rows(self, name: ListName, *, fresh: bool = False) -> list[Row]:
        """Return the list, from the venue when `fresh` or not known in this loop yet."""
        with self._lock:
            asked_at, rows = self._lists.get(name, (0.0, []))
            max_age = MAX_PRICE_AGE_SECONDS if name == "tickers" else MAX_AGE_SECONDS
            if fresh or name not in self._lists or time.monotonic() - asked_at > max_age:
                rows = self._fetch[name]()
                self._lists[name] = (time.monotonic(), rows)
            return rows

    def replace(self, name: ListName, row_id: str, row: Row | None) -> None:
        """Carry our own change of one order into the list; None takes the order out."""
        with self._lock:
            if name not in self._lists:
                return
            asked_at, rows = self._lists[name]
            kept = [other for other in rows if other["id"] != row_id]
            self._lists[name] = (asked_at, kept if row is None else [row, *kept])
