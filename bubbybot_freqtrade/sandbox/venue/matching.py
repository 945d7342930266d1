"""Meeting of orders and market: the book for what takes, the trades for what waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from bubbybot_freqtrade.sandbox.venue.accounts import Account
from bubbybot_freqtrade.sandbox.venue.amounts import ZERO
from bubbybot_freqtrade.sandbox.venue.clearing import Clearing
from bubbybot_freqtrade.sandbox.venue.core import Venue
from bubbybot_freqtrade.sandbox.venue.orders import Order, identity

Level = tuple[Decimal, Decimal]
"""Price and contracts offered there."""

DEPTH = 200
IMMEDIATE = ("market", "ioc", "fok")

CANCEL_REASONS = {
    "user_canceled": "Order canceled by user",
    "system_canceled": "Order canceled by system",
}


class Matching:
    """Executes orders. `after_fill(account, order)` runs after each of an order's fills."""

    def __init__(self, venue: Venue, clearing: Clearing) -> None:
        """Fills are booked by `clearing`."""
        self.venue = venue
        self.clearing = clearing
        self.after_fill: Callable[[Account, Order], None] = lambda account, order: None
        # Size taken from the book at the present ms, so that nobody buys the same offer twice.
        self._taken: dict[tuple[str, str, Decimal], Decimal] = {}
        self._taken_at = 0

    def submit(self, account: Account, order: Order) -> None:
        """Let a new order take what it may; what is left rests, or is canceled."""
        account.orders[order.order_id] = order
        account.open_orders[order.order_id] = None
        self._cap_reduce_only(account, order)
        if order.origin == "trigger" and not self._within_price_limits(order):
            self.cancel(account, order, "system_canceled", "Price beyond the price limits")
            return
        offers = self.offers(order)
        if order.order_type == "post_only" and offers:
            self.cancel(account, order, "system_canceled", "Post-only order would take liquidity")
            return
        enough = sum((size for _, size in offers), ZERO) >= order.remaining
        if order.order_type == "fok" and not enough:
            self.cancel(account, order, "system_canceled", "Fill-or-kill order cannot be filled")
            return
        self._take(account, order, offers)
        if order.is_open and order.order_type in IMMEDIATE:
            self.cancel(account, order, "system_canceled", CANCEL_REASONS["system_canceled"])
        elif order.is_open and not order.filled:
            self.venue.emit("orders", account, order)

    def offers(self, order: Order) -> list[Level]:
        """Levels of the book that the order may take now, best first.

        On the way from one trade to the next the book of the next one is moved to where the price
        is passing.
        """
        bids, asks = self.venue.market.book(order.inst_id, self.venue.now_ms, DEPTH)
        levels: Sequence[Level] = asks if order.side == "buy" else bids
        shift = self.venue.passing_shift(order.inst_id)
        bound = self._bound(order)
        taken = self._taken_now()
        offers = []
        for price, size in levels:
            left = size - taken.get((order.inst_id, order.side, price), ZERO)
            if left <= 0:
                continue
            if bound is not None and not within(order.side, price + shift, bound):
                break
            offers.append((price + shift, left))
        return self._endless(order, offers)

    def _bound(self, order: Order) -> Decimal | None:
        """The worst price the order may take: its own, or the venue's limit for market orders.

        Liquidations are not bound.
        """
        if order.order_type != "market":
            return order.price
        if order.origin == "venue":
            return None
        lowest, highest = self.venue.price_range(order.inst_id, order.side)
        return highest if order.side == "buy" else lowest

    def _within_price_limits(self, order: Order) -> bool:
        """Whether a limit order that was fired may be entered at all."""
        if order.order_type == "market":
            return True
        lowest, highest = self.venue.price_range(order.inst_id, order.side)
        return lowest <= order.price <= highest

    def _endless(self, order: Order, offers: list[Level]) -> list[Level]:
        """Stops, liquidations and closings are never left half done for want of a deeper book."""
        if order.order_type == "market" and order.origin != "api" and offers:
            price, size = offers[-1]
            offers[-1] = (price, size + order.remaining)
            share = self.venue.settings.stop_fill_share
            if order.origin == "trigger" and order.reduce_only and share < 1:
                lot = self.venue.instrument(order.inst_id).lot_size
                return [(offers[0][0], order.size * share // lot * lot)]
        return offers

    def _take(self, account: Account, order: Order, offers: list[Level]) -> None:
        taken = self._taken_now()
        filled = False
        for price, offered in offers:
            size = min(offered, order.remaining)
            if size <= 0:
                break
            key = (order.inst_id, order.side, price)
            taken[key] = taken.get(key, ZERO) + size
            self.clearing.apply_fill(account, order, price, size, maker=False)
            filled = True
        if filled:
            self._filled(account, order)

    def trade(
        self, account: Account, order: Order, price: Decimal, size: Decimal | None = None
    ) -> None:
        """The price comes to `price` and a resting order fills as maker, at its own price.

        What rests on the way is used up. Where the price stops, at the order's own price, only
        `size`, the contracts that were traded there, are to be had.
        """
        if not within(order.side, price, order.price):
            return
        if not self._cap_reduce_only(account, order):
            self.cancel(account, order, "system_canceled")
            return
        fillable = order.remaining
        if size is not None and price == order.price:
            fillable = min(fillable, size)
        if fillable > 0 and order.is_open:
            self.clearing.apply_fill(account, order, order.price, fillable, maker=True)
            self._filled(account, order)

    def cancel(
        self, account: Account, order: Order, source: str, reason: str | None = None
    ) -> None:
        """Take an open order out of the book."""
        order.state = "partially_canceled" if order.filled else "canceled"
        order.cancel_source = source
        order.cancel_reason = reason or CANCEL_REASONS[source]
        order.updated_ms = self.venue.now_ms
        account.open_orders.pop(order.order_id, None)
        self.venue.emit("orders", account, order)
        self.venue.emit("account", account)

    def _filled(self, account: Account, order: Order) -> None:
        self.venue.emit("orders", account, order)
        self.after_fill(account, order)
        self.venue.emit("account", account)

    def _cap_reduce_only(self, account: Account, order: Order) -> bool:
        """An order that may only reduce shrinks to what there is to reduce; False if nothing is."""
        if self.clearing.opening_size(account, order) or not order.is_open:
            return True
        position = account.position(*identity(order))
        closable = position.size if position and position.closing_side == order.side else ZERO
        if closable and order.remaining > closable:
            order.size = order.filled + closable
        return bool(closable)

    def _taken_now(self) -> dict[tuple[str, str, Decimal], Decimal]:
        if self._taken_at != self.venue.now_ms:
            self._taken = {}
            self._taken_at = self.venue.now_ms
        return self._taken


def within(side: str, price: Decimal, bound: Decimal) -> bool:
    """True when `price` is no worse than `bound` for somebody on this side."""
    return price <= bound if side == "buy" else price >= bound
