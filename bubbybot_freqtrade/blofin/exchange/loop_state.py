"""What one list request answers for all pairs, asked once per loop of the bot, or more rarely.

BloFin allows 30 trading requests per 10 s. freqtrade asks for every open order and every stop by
itself; answering those from one shared list keeps the cost of a loop independent of the number of
open trades. Where the account's websocket has proven to tell of a list's changes (`trust`), that
list is kept over loops for as long as it says that nothing has changed.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from threading import RLock
from typing import Any, Literal

from bubbybot_freqtrade.blofin.exchange.quiet import Quiet

ListName = Literal["orders", "tpsl", "positions", "tickers"]
Row = dict[str, Any]

# Commands from Telegram run between loops; they must not act on what a stalled loop once saw.
MAX_AGE_SECONDS = 15.0
# Prices are for the moment.
MAX_PRICE_AGE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class _Known:
    """A list, and when it was asked for (monotonic, s)."""

    asked_at: float
    rows: list[Row]


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
        self._lists: dict[ListName, _Known] = {}
        self._held: list[Row] | None = None
        self._lock = RLock()

    def start_loop(self) -> None:
        """Forget everything that may have changed: a new loop of the bot begins."""
        with self._lock:
            self._held = None
            self.look_again()
            self._lists.pop("tickers", None)

    def look_again(self) -> None:
        """Forget the account's lists that may have changed since, amid a loop too."""
        with self._lock:
            # Judged together: what is held tells how long the other lists stay.
            self._lists = {
                name: known
                for name, known in self._lists.items()
                if name == "tickers" or self._is_kept(name, known)
            }
            if "tpsl" not in self._lists:
                # A stop goes with its position, and its push may be the first of the two.
                self._lists.pop("positions", None)

    def forget(self, *names: ListName) -> None:
        """Ask the venue again for these lists, whatever is known of them."""
        with self._lock:
            for name in names:
                self._lists.pop(name, None)

    def changed(self, *names: ListName) -> None:
        """The bot itself has changed something that these lists show, sooner or later."""
        with self._lock:
            self._quiet.stir(*names)

    def sent(self, name: ListName, row_id: str) -> None:
        """The venue has taken an order of the bot's, which belongs on a list."""
        with self._lock:
            self._quiet.sent(name, row_id)

    def rows(self, name: ListName, *, fresh: bool = False) -> list[Row]:
        """Return the list, from the venue when `fresh` or not known in this loop yet."""
        with self._lock:
            known = self._lists.get(name)
            if fresh or known is None or self._is_old(name, known):
                known = self._asked(name)
            if name == "positions" and self._held is None:
                self._held = known.rows
            return known.rows

    def held_before(self) -> list[Row]:
        """Positions as this loop found them, before it sent an order."""
        with self._lock:
            return self.rows("positions") if self._held is None else self._held

    def _asked(self, name: ListName) -> _Known:
        self._quiet.look()
        asked_at = time.monotonic()
        known = self._lists[name] = _Known(asked_at, self._fetch[name]())
        if name != "tickers":
            self._quiet.asked(name, known.rows)
        return known

    def _is_old(self, name: ListName, known: _Known) -> bool:
        age = time.monotonic() - known.asked_at
        if name == "tickers":
            return age > MAX_PRICE_AGE_SECONDS
        return age > MAX_AGE_SECONDS and not self._is_kept(name, known)

    def _is_kept(self, name: ListName, known: _Known) -> bool:
        """Whether a list is known to be as it was then."""
        positions, orders = self._lists.get("positions"), self._lists.get("orders")
        exposed = (
            positions is None
            or orders is None
            or bool(orders.rows)
            or any(row["contracts"] for row in positions.rows)
        )
        return self._quiet.is_kept(name, known.asked_at, known.rows, exposed=exposed)

    def replace(self, name: ListName, row_id: str, row: Row | None) -> None:
        """Carry our own change of one order into the list; None takes the order out."""
        with self._lock:
            self._quiet.stir(name)
            if name not in self._lists:
                return
            known = self._lists[name]
            kept = [other for other in known.rows if other["id"] != row_id]
            rows = kept if row is None else [row, *kept]
            self._lists[name] = replace(known, rows=rows)
