"""TP/SL and trigger orders: born with an entry or by themselves, fired by a price."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from bubbybot_freqtrade.sandbox.venue.accounts import Account, Position
from bubbybot_freqtrade.sandbox.venue.amounts import ZERO
from bubbybot_freqtrade.sandbox.venue.checks import passed_trigger
from bubbybot_freqtrade.sandbox.venue.clearing import Clearing
from bubbybot_freqtrade.sandbox.venue.core import Venue
from bubbybot_freqtrade.sandbox.venue.matching import Matching
from bubbybot_freqtrade.sandbox.venue.orders import (
    MARKET_PRICE,
    OPPOSITE,
    AlgoOrder,
    Order,
    TpslOrder,
    identity,
)


class Triggers:
    """Watches prices for every account."""

    def __init__(self, venue: Venue, clearing: Clearing, matching: Matching) -> None:
        """Fired orders are executed by `matching`."""
        self.venue = venue
        self.clearing = clearing
        self.matching = matching
        matching.after_fill = self.after_fill

    # A fill's consequences

    def after_fill(self, account: Account, order: Order) -> None:
        """Put up the bracket of an entry; clear away what a closed position leaves behind."""
        self.sweep(account, *identity(order))
        if self.venue.settings.attached_after_addition == "grow":
            self._grow_attached(account, order)
        if order.tpsl and (
            self.venue.settings.attached_tpsl == "each_fill" or order.state == "filled"
        ):
            self.attach(account, order)

    def _grow_attached(self, account: Account, order: Order) -> None:
        """Let the attached TP/SLs of a position that was added to cover all of it."""
        position = account.position(*identity(order))
        if position is None or position.closing_side == order.side:
            return
        for tpsl_order in account.live_tpsl(order.inst_id):
            same = identity(tpsl_order) == identity(order)
            if same and tpsl_order.entry_order_id and 0 < tpsl_order.size < position.size:
                tpsl_order.size = position.size
                tpsl_order.updated_ms = self.venue.now_ms
                self.venue.emit("orders-algo", account, tpsl_order)

    def attach(self, account: Account, order: Order) -> None:
        """The bracket of `order` as a TP/SL order of its own, for the contracts filled so far.

        An order that only reduced a position has nothing to protect.
        """
        position = account.position(*identity(order))
        if position is None or position.closing_side == order.side:
            return
        standing = account.tpsl_orders.get(order.attached_tpsl_id)
        if standing is not None:
            if standing.state == "live" and standing.size < order.filled:
                standing.size = order.filled
                standing.updated_ms = self.venue.now_ms
                self.venue.emit("orders-algo", account, standing)
            return
        tpsl_order = TpslOrder(
            tpsl_id=self.venue.new_id(),
            client_order_id=order.client_order_id,
            inst_id=order.inst_id,
            margin_mode=order.margin_mode,
            position_side=order.position_side,
            side=OPPOSITE[order.side],
            size=order.filled,
            tpsl=replace(order.tpsl),
            reduce_only=True,
            leverage=order.leverage,
            created_ms=self.venue.now_ms,
            updated_ms=self.venue.now_ms,
            broker_id=order.broker_id,
            entry_order_id=order.order_id,
            slot=order.slot,
        )
        order.attached_tpsl_id = tpsl_order.tpsl_id
        self.stand(account, tpsl_order)

    def stand(self, account: Account, tpsl_order: TpslOrder) -> None:
        """Enter a TP/SL order; one whose trigger is already passed is canceled at once."""
        account.tpsl_orders[tpsl_order.tpsl_id] = tpsl_order
        account.open_tpsl[tpsl_order.tpsl_id] = None
        self.venue.emit("orders-algo", account, tpsl_order)
        price_of = self.venue.price_of(tpsl_order.inst_id)
        if passed_trigger(tpsl_order.tpsl, tpsl_order.side, price_of) is not None:
            self.cancel_tpsl(account, tpsl_order, "system_canceled")

    def sweep(
        self, account: Account, inst_id: str, margin_mode: str, position_side: str, slot: str = ""
    ) -> None:
        """Cancel the TP/SLs and closing orders that have no position left to act on."""
        of = inst_id, margin_mode, position_side, slot
        position = account.position(*of)
        for tpsl_order in account.live_tpsl(inst_id):
            if identity(tpsl_order) != of:
                continue
            if position is None or position.closing_side != tpsl_order.side:
                self.cancel_tpsl(account, tpsl_order, "system_canceled")
        if self.venue.settings.leftover_exits == "keep":
            return
        for order in account.live_orders(inst_id):
            if identity(order) != of:
                continue
            closes_only = self.clearing.opening_size(account, order) == 0
            if closes_only and (position is None or position.closing_side != order.side):
                self.matching.cancel(account, order, "system_canceled")

    # Watching

    def on_price(self, inst_id: str, price: Decimal) -> None:
        """Fire what the last price, `price`, or the mark or index price has reached."""
        others = self.venue.price_of(inst_id)

        def price_of(kind: str) -> Decimal:
            return price if kind == "last" else others(kind)

        for account in self.venue.accounts.values():
            for tpsl_order in account.live_tpsl(inst_id):
                kind = passed_trigger(tpsl_order.tpsl, tpsl_order.side, price_of)
                if kind is not None and tpsl_order.state == "live":
                    self.fire_tpsl(account, tpsl_order, kind)
            for algo in account.live_algo(inst_id):
                if algo.state == "live" and algo.reached(price):
                    self.fire_algo(account, algo)

    def prices_of_interest(self, inst_id: str, kind: str) -> Iterator[tuple[Decimal, int]]:
        """(price, direction) that would make something happen: 1 when reached from below.

        kind: of the price that has to reach it, last, index or mark.
        """
        for account in self.venue.accounts.values():
            for tpsl_order in account.live_tpsl(inst_id):
                up = 1 if tpsl_order.side == "sell" else -1
                tpsl = tpsl_order.tpsl
                if tpsl.tp_trigger is not None and tpsl.tp_type == kind:
                    yield tpsl.tp_trigger, up
                if tpsl.sl_trigger is not None and tpsl.sl_type == kind:
                    yield tpsl.sl_trigger, -up
            if kind != "last":
                continue
            for order in account.live_orders(inst_id):
                yield order.price, -1 if order.side == "buy" else 1
            for algo in account.live_algo(inst_id):
                yield from algo.prices_of_interest()

    # Firing

    def fire_tpsl(self, account: Account, tpsl_order: TpslOrder, kind: str) -> None:
        """Turn a TP/SL into its reduce-only order."""
        position = account.position(*identity(tpsl_order))
        account.open_tpsl.pop(tpsl_order.tpsl_id, None)
        tpsl_order.updated_ms = self.venue.now_ms
        if position is None or position.closing_side != tpsl_order.side:
            tpsl_order.state = "order_failed"
            self.venue.emit("orders-algo", account, tpsl_order)
            return
        order = self._order_of_tpsl(tpsl_order, position, kind)
        tpsl_order.state = "effective"
        tpsl_order.actual_size = order.size
        tpsl_order.actual_side = kind
        tpsl_order.category = kind
        self.venue.emit("orders-algo", account, tpsl_order)
        self.matching.submit(account, order)

    def _order_of_tpsl(self, tpsl_order: TpslOrder, position: Position, kind: str) -> Order:
        limit = tpsl_order.tpsl.tp_order if kind == "tp" else tpsl_order.tpsl.sl_order
        at_market = limit is None or limit == MARKET_PRICE
        size = position.size
        if not tpsl_order.is_entire_position:
            size = min(size, tpsl_order.size)
        return Order(
            order_id=self.venue.new_id(),
            client_order_id="",
            inst_id=tpsl_order.inst_id,
            margin_mode=tpsl_order.margin_mode,
            position_side=tpsl_order.position_side,
            side=tpsl_order.side,
            order_type="market" if at_market else "limit",
            price=ZERO if limit is None or at_market else limit,
            size=size,
            reduce_only=True,
            leverage=position.leverage,
            created_ms=self.venue.now_ms,
            updated_ms=self.venue.now_ms,
            # The fired order shows the prices it came from but must not attach a bracket.
            tpsl=replace(tpsl_order.tpsl),
            category=kind,
            broker_id=tpsl_order.broker_id,
            algo_id=tpsl_order.tpsl_id,
            algo_client_order_id=tpsl_order.client_order_id,
            attached_tpsl_id=tpsl_order.tpsl_id,
            origin="trigger",
            slot=tpsl_order.slot,
        )

    def fire_algo(self, account: Account, algo: AlgoOrder) -> None:
        """Turn a trigger order into a plain one; without margin or position for it, it fails."""
        account.open_algo.pop(algo.algo_id, None)
        algo.updated_ms = self.venue.now_ms
        position = account.position(algo.inst_id, algo.margin_mode, algo.position_side)
        size = algo.size
        if size < 0:
            size = position.size if position is not None else ZERO
        at_market = algo.order_price == MARKET_PRICE
        order = Order(
            order_id=self.venue.new_id(),
            client_order_id="",
            inst_id=algo.inst_id,
            margin_mode=algo.margin_mode,
            position_side=algo.position_side,
            side=algo.side,
            order_type="market" if at_market else "limit",
            price=ZERO if at_market else algo.order_price,
            size=size,
            reduce_only=algo.reduce_only,
            leverage=algo.leverage,
            created_ms=self.venue.now_ms,
            updated_ms=self.venue.now_ms,
            tpsl=algo.attached,
            broker_id=algo.broker_id,
            algo_id=algo.algo_id,
            algo_client_order_id=algo.client_order_id,
            origin="trigger",
        )
        if not self._can_enter(account, order, position):
            algo.state = "order_failed"
            self.venue.emit("orders-algo", account, algo)
            return
        algo.state = "effective"
        algo.actual_size = size
        self.venue.emit("orders-algo", account, algo)
        self.matching.submit(account, order)

    def _can_enter(self, account: Account, order: Order, position: Position | None) -> bool:
        if order.size <= 0:
            return False
        opening = self.clearing.opening_size(account, order)
        if not opening:
            return position is not None and position.closing_side == order.side
        price = order.price or self.venue.last_price(order.inst_id)
        cost = self.clearing.cost(order.inst_id, price, opening, order.leverage)
        return cost <= self.clearing.balance(account).available

    # Canceling

    def cancel_tpsl(self, account: Account, tpsl_order: TpslOrder, source: str) -> None:
        """Take a live TP/SL order away."""
        tpsl_order.state = "canceled"
        tpsl_order.cancel_type = source
        tpsl_order.updated_ms = self.venue.now_ms
        account.open_tpsl.pop(tpsl_order.tpsl_id, None)
        self.venue.emit("orders-algo", account, tpsl_order)

    def cancel_algo(self, account: Account, algo: AlgoOrder, source: str) -> None:
        """Take a live trigger order away."""
        algo.state = "canceled"
        algo.cancel_type = source
        algo.updated_ms = self.venue.now_ms
        account.open_algo.pop(algo.algo_id, None)
        self.venue.emit("orders-algo", account, algo)
