"""Taking plain orders in, canceling and amending them, closing positions.

All methods raise VenueError for a refusal.
"""

from __future__ import annotations

from decimal import Decimal

from bubbybot_freqtrade.sandbox.market.instruments import Instrument
from bubbybot_freqtrade.sandbox.venue import checks, parameters
from bubbybot_freqtrade.sandbox.venue.accounts import Account
from bubbybot_freqtrade.sandbox.venue.amounts import ZERO
from bubbybot_freqtrade.sandbox.venue.clearing import Clearing
from bubbybot_freqtrade.sandbox.venue.core import Venue
from bubbybot_freqtrade.sandbox.venue.errors import VenueError
from bubbybot_freqtrade.sandbox.venue.margin import max_size_at
from bubbybot_freqtrade.sandbox.venue.matching import Matching
from bubbybot_freqtrade.sandbox.venue.orders import Order, identity
from bubbybot_freqtrade.sandbox.venue.parameters import Fields

ORDER_TYPES = ("market", "limit", "post_only", "fok", "ioc")


class OrderEntry:
    """The order desk of the venue."""

    def __init__(self, venue: Venue, clearing: Clearing, matching: Matching) -> None:
        """Orders that pass go to `matching`."""
        self.venue = venue
        self.clearing = clearing
        self.matching = matching

    # Plain orders

    def place(self, account: Account, body: Fields) -> Order:
        """trade/order."""
        instrument = checks.tradable(self.venue, body)
        order = self._new_order(account, body)
        order.slot = checks.slot(
            self.venue, account, body, "" if order.reduce_only else order.order_id
        )
        checks.check_size(instrument, order)
        if order.order_type != "market":
            checks.check_price(self.venue, instrument, order)
        checks.check_bracket(self.venue, instrument, order)
        checks.same_margin_mode(self.venue, account, order.inst_id, order.margin_mode)
        self._check_client_id(account, order.client_order_id)
        self._check_exposure(account, instrument, order)
        if order.client_order_id:
            account.client_order_ids[order.client_order_id] = order.order_id
        self.matching.submit(account, order)
        self.venue.emit("account", account)
        return order

    def _new_order(self, account: Account, body: Fields) -> Order:
        order_type = parameters.choice(body, "orderType", ORDER_TYPES)
        inst_id = parameters.required(body, "instId")
        margin_mode = parameters.choice(body, "marginMode", checks.MARGIN_MODES)
        position_side = checks.position_side(account, body)
        side = parameters.choice(body, "side", checks.SIDES)
        price = ZERO
        if order_type != "market":
            price = parameters.required_number(body, "price")
        return Order(
            order_id=self.venue.new_id(),
            client_order_id=parameters.client_id(body, "clientOrderId"),
            inst_id=inst_id,
            margin_mode=margin_mode,
            position_side=position_side,
            side=side,
            order_type=order_type,
            price=price,
            size=parameters.required_number(body, "size"),
            reduce_only=parameters.flag(body, "reduceOnly"),
            leverage=account.leverage(inst_id, margin_mode, position_side),
            created_ms=self.venue.now_ms,
            updated_ms=self.venue.now_ms,
            tpsl=checks.read_tpsl(body),
            broker_id=parameters.text(body, "brokerId"),
        )

    def _check_client_id(self, account: Account, client_order_id: str) -> None:
        if client_order_id and client_order_id in account.client_order_ids:
            raise VenueError("102002")

    def _check_exposure(self, account: Account, instrument: Instrument, order: Order) -> None:
        """Reduce-only needs something to reduce; anything else needs a tier and margin."""
        opening = self.clearing.opening_size(account, order)
        position = account.position(*identity(order))
        if not opening:
            if position is None or position.closing_side != order.side:
                raise VenueError("102022")
            return
        held = ZERO
        if position is not None and position.closing_side != order.side:
            held = position.size
        if held + opening > max_size_at(self.venue.tiers(order.inst_id), order.leverage):
            raise VenueError("542")
        price = order.price or self._worst_price(order)
        cost = self.clearing.cost(instrument.inst_id, price, opening, order.leverage)
        if cost > self.clearing.balance(account).available:
            raise VenueError("103003")

    def _worst_price(self, order: Order) -> Decimal:
        """The price a market order may have to pay for its last contract."""
        left = order.size
        price = self.venue.last_price(order.inst_id)
        for price, size in self.matching.offers(order):  # noqa: B007
            left -= size
            if left <= 0:
                break
        return price

    # Canceling and amending

    def cancel(self, account: Account, body: Fields) -> Order:
        """trade/cancel-order."""
        order = self.find_order(account, body)
        if order is None or not order.is_open:
            raise VenueError("102068")
        self.matching.cancel(account, order, "user_canceled")
        return order

    def find_order(self, account: Account, fields: Fields) -> Order | None:
        """By orderId, else clientOrderId, else algoClientOrderId (152003 when none is given)."""
        order_id = parameters.text(fields, "orderId")
        client_order_id = parameters.text(fields, "clientOrderId")
        algo_client_id = parameters.text(fields, "algoClientOrderId")
        if order_id:
            order = account.orders.get(order_id)
        elif client_order_id:
            order = account.orders.get(account.client_order_ids.get(client_order_id, ""))
        elif algo_client_id:
            found = (o for o in account.orders.values() if o.algo_client_order_id == algo_client_id)
            order = next(found, None)
        else:
            raise VenueError("152003", "orderId", "clientOrderId")
        inst_id = parameters.text(fields, "instId")
        if order is not None and inst_id and order.inst_id != inst_id:
            return None
        return order

    def amend(self, account: Account, body: Fields) -> Order:
        """trade/amend-order: price, size and bracket of an order that has not filled completely."""
        instrument = self.venue.instrument(parameters.required(body, "instId"))
        checks.use_request_id(account, body)
        order = self.find_order(account, body)
        if order is None or not order.is_open:
            raise VenueError("102067")
        price = parameters.number(body, "newPrice") or order.price
        size = parameters.number(body, "newSize") or order.size
        if size < order.filled:
            raise VenueError("152423")
        before = (order.price, order.size, order.tpsl)
        account.open_orders.pop(order.order_id, None)
        order.price, order.size, order.tpsl = price, size, checks.amended_tpsl(order.tpsl, body)
        try:
            checks.check_size(instrument, order)
            checks.check_price(self.venue, instrument, order)
            checks.check_bracket(self.venue, instrument, order)
            self._check_exposure(account, instrument, order)
        except VenueError:
            order.price, order.size, order.tpsl = before
            account.open_orders[order.order_id] = None
            raise
        order.updated_ms = self.venue.now_ms
        self.matching.submit(account, order)
        self.venue.emit("orders", account, order)
        return order

    def close_position(self, account: Account, body: Fields) -> Order:
        """trade/close-position: all of it, at the market."""
        instrument = self.venue.instrument(parameters.required(body, "instId"))
        margin_mode = parameters.choice(body, "marginMode", checks.MARGIN_MODES)
        position_side = checks.position_side(account, body)
        client_order_id = parameters.client_id(body, "clientOrderId")
        self._check_client_id(account, client_order_id)
        slot = checks.slot(self.venue, account, body)
        position = account.position(instrument.inst_id, margin_mode, position_side, slot)
        if position is None:
            raise VenueError("102005")
        order = self.clearing.closing_order(account, position, "normal", "close")
        order.client_order_id = client_order_id
        order.broker_id = parameters.text(body, "brokerId")
        if client_order_id:
            account.client_order_ids[client_order_id] = order.order_id
        self.matching.submit(account, order)
        return order
