"""What of an account is to be seen already: the venue's lists can be behind what has happened."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from copy import copy
from typing import Any, TypeVar

from bubbybot_freqtrade.sandbox.venue.accounts import Account, Position
from bubbybot_freqtrade.sandbox.venue.core import Venue
from bubbybot_freqtrade.sandbox.venue.earlier_rows import EarlierRows
from bubbybot_freqtrade.sandbox.venue.orders import Fill, Order, TpslOrder

Kind = TypeVar("Kind", Order, TpslOrder)


class Visibility:
    """The account as requests see it; what websockets push has a delay of its own."""

    def __init__(self, venue: Venue) -> None:
        """Everything that is there now is seen."""
        self.venue = venue
        self._trails: dict[str, deque[tuple[int, tuple[Position, ...]]]] = {}
        if venue.settings.position_delay_ms:
            for account in venue.accounts.values():
                self._remember(account, 0)
        delay_ms = venue.settings.list_delay_ms
        self._earlier_orders = EarlierRows[Order](venue, delay_ms)
        self._earlier_tpsls = EarlierRows[TpslOrder](venue, delay_ms)
        for account in venue.accounts.values():
            for order_id in account.open_orders:
                self._earlier_orders.note(order_id, account.orders[order_id])
            for tpsl_id in account.open_tpsl:
                self._earlier_tpsls.note(tpsl_id, account.tpsl_orders[tpsl_id])
        venue.listeners.append(self._changed)

    def open_orders(self, account: Account) -> Iterator[Order]:
        """Those that are listed as open."""
        return self.orders(self._earlier_orders.standing(account.orders, account.open_orders))

    def ended_orders(self, account: Account) -> Iterator[Order]:
        """Those that are listed as ended."""
        return self.orders(self._earlier_orders.ended(account.orders))

    def open_tpsl(self, account: Account) -> Iterator[TpslOrder]:
        """Those that are listed as live."""
        standing = self._earlier_tpsls.standing(account.tpsl_orders, account.open_tpsl)
        return self.tpsl_orders(standing)

    def ended_tpsl(self, account: Account) -> Iterator[TpslOrder]:
        """Those that are listed as ended."""
        return self.tpsl_orders(self._earlier_tpsls.ended(account.tpsl_orders))

    def orders(self, orders: Iterable[Order]) -> Iterator[Order]:
        """Those that are old enough to be listed."""
        return self._old_enough(orders, self.venue.settings.order_delay_ms)

    def tpsl_orders(self, orders: Iterable[TpslOrder]) -> Iterator[TpslOrder]:
        """Those that are old enough to be listed."""
        return self._old_enough(orders, self.venue.settings.tpsl_delay_ms)

    def fills(self, account: Account) -> list[Fill]:
        """Those that are old enough to be listed, newest first."""
        newest = self.venue.now_ms - self.venue.settings.fill_delay_ms
        return [fill for fill in reversed(account.fills) if fill.ts_ms <= newest]

    def positions(self, account: Account) -> list[Position]:
        """The positions as they were `position_delay_ms` ago, oldest first."""
        if not self.venue.settings.position_delay_ms:
            return list(account.positions.values())
        return list(self._seen(account.uid))

    def _old_enough(self, orders: Iterable[Kind], delay_ms: int) -> Iterator[Kind]:
        newest = self.venue.now_ms - delay_ms
        return (order for order in orders if order.created_ms <= newest)

    def _changed(self, topic: str, account: Account, subject: Any) -> None:
        if topic == "positions" and self.venue.settings.position_delay_ms:
            self._remember(account, self.venue.now_ms)
        elif isinstance(subject, Order):
            self._earlier_orders.note(subject.order_id, subject)
        elif isinstance(subject, TpslOrder):
            self._earlier_tpsls.note(subject.tpsl_id, subject)

    def _remember(self, account: Account, now_ms: int) -> None:
        positions = tuple(copy(position) for position in account.positions.values())
        self._trails.setdefault(account.uid, deque([(0, ())])).append((now_ms, positions))

    def _seen(self, uid: str) -> tuple[Position, ...]:
        """The latest of the trail that is old enough; what is older than it is forgotten."""
        trail = self._trails.get(uid)
        if trail is None:
            return ()
        newest = self.venue.now_ms - self.venue.settings.position_delay_ms
        while len(trail) > 1 and trail[1][0] <= newest:
            trail.popleft()
        return trail[0][1]
