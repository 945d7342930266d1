"""What one list request answers for all pairs, asked once per loop of the bot, or more rarely.

BloFin allows 30 trading requests per 10 s. freqtrade asks for every open order and every stop by
itself; answering those from one shared list keeps the cost of a loop independent of the number of
open trades. Where the account's websocket is heard (`account_stream`), a list is kept over loops
for as long as it says that nothing has changed.
"""

import time
from collections.abc import Callable, Mapping
from threading import RLock
from typing import Any, Literal

from bubbybot_freqtrade.blofin.exchange.quiet import Quiet

ListName = Literal["orders", "tpsl", "positions", "tickers"]
Row = dict[str, Any]

# Commands from Telegram run between loops; they must not act on what a stalled loop once saw.
MAX_AGE_SECONDS = 15.0
# Prices are for the moment.
MAX_PRICE_AGE_SECONDS = 2.0


class LoopState:
    """Lists of open orders, untriggered TP/SL orders, positions and prices, shared in one loop.

    :param fetch: per list, the request that returns it for all pairs.
    :param quiet: whether the account is known not to have changed since a list was asked for.
    """

    def __init__(
        self, fetch: Mapping[ListName, Callable[[], list[Row]]], quiet: Quiet | None = None
    ) -> None:
        self._fetch = fetch
        self._quiet = quiet or Quiet()
        self._lists: dict[ListName, tuple[float, list[Row]]] = {}
        self._lock = RLock()

    def start_loop(self) -> None:
        """Forget everything that may have changed: a new loop of the bot begins."""
        with self._lock:
            self._quiet.look()
            for name, (asked_at, _) in list(self._lists.items()):
                if name == "tickers" or not self._is_kept(asked_at):
                    del self._lists[name]

    def forget(self, *names: ListName) -> None:
        """Ask the venue again for these lists: something changed them."""
        with self._lock:
            self._quiet.stir()
            for name in names:
                self._lists.pop(name, None)

    def rows(self, name: ListName, *, fresh: bool = False) -> list[Row]:
        """Return the list, from the venue when `fresh` or not known in this loop yet."""
        with self._lock:
            asked_at, rows = self._lists.get(name, (0.0, []))
            if fresh or name not in self._lists or self._is_old(name, asked_at):
                self._quiet.look()
                asked_at = time.monotonic()
                rows = self._fetch[name]()
                self._lists[name] = (asked_at, rows)
                if name != "tickers":
                    self._quiet.check(name, rows)
            return rows

    def _is_old(self, name: ListName, asked_at: float) -> bool:
        age = time.monotonic() - asked_at
        if name == "tickers":
            return age > MAX_PRICE_AGE_SECONDS
        return age > MAX_AGE_SECONDS and not self._is_kept(asked_at)

    def _is_kept(self, asked_at: float) -> bool:
        """Whether the account is known to be as it was then."""
        positions = self._lists.get("positions", (0.0, []))[1]
        return self._quiet.since(asked_at, holding=any(row["contracts"] for row in positions))

    def replace(self, name: ListName, row_id: str, row: Row | None) -> None:
        """Carry our own change of one order into the list; None takes the order out."""
        with self._lock:
            self._quiet.stir()
            if name not in self._lists:
                return
            asked_at, rows = self._lists[name]
            kept = [other for other in rows if other["id"] != row_id]
            self._lists[name] = (asked_at, kept if row is None else [row, *kept])
