"""Taking orders in: every check the venue makes before an order exists, then placing it.

Also canceling, amending and closing. All methods raise VenueError for a refusal.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from bubbybot_freqtrade.sandbox.market.instruments import Instrument
from bubbybot_freqtrade.sandbox.venue import parameters
from bubbybot_freqtrade.sandbox.venue.accounts import Account
from bubbybot_freqtrade.sandbox.venue.amounts import ZERO, plain
from bubbybot_freqtrade.sandbox.venue.clearing import Clearing
from bubbybot_freqtrade.sandbox.venue.core import Venue
from bubbybot_freqtrade.sandbox.venue.errors import VenueError
from bubbybot_freqtrade.sandbox.venue.margin import max_size_at
from bubbybot_freqtrade.sandbox.venue.matching import Matching
from bubbybot_freqtrade.sandbox.venue.orders import (
    ENTIRE_POSITION,
    MARKET_PRICE,
    OPPOSITE,
    AlgoOrder,
    Order,
    Tpsl,
    TpslOrder,
)
from bubbybot_freqtrade.sandbox.venue.parameters import Fields
from bubbybot_freqtrade.sandbox.venue.triggers import Triggers, refuse_passed

Kind = TypeVar("Kind", TpslOrder, AlgoOrder)

ORDER_TYPES = ("market", "limit", "post_only", "fok", "ioc")
MARGIN_MODES = ("cross", "isolated")
SIDES = ("buy", "sell")

# How far from the last price a limit order may be: (lowest, highest) as parts of it. The reference
# gives the refusals (102064, 102065) and one example range, not the rule.
PRICE_BAND = {
    "buy": (Decimal("0.2"), Decimal("1.15")),
    "sell": (Decimal("0.85"), Decimal(5)),
}


class OrderEntry:
    """The order desk of the venue."""

    def __init__(
        self, venue: Venue, clearing: Clearing, matching: Matching, triggers: Triggers
    ) -> None:
        """Orders that pass go to `matching` or `triggers`."""
        self.venue = venue
        self.clearing = clearing
        self.matching = matching
        self.triggers = triggers

    # Plain orders

    def place(self, account: Account, body: Fields) -> Order:
        """trade/order."""
        instrument = self._instrument(body)
        order = self._new_order(account, body)
        self._check_size(instrument, order)
        if order.order_type != "market":
            self._check_price(instrument, order)
        self._check_bracket(instrument, order)
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
        margin_mode = parameters.choice(body, "marginMode", MARGIN_MODES)
        position_side = self._position_side(account, body)
        side = parameters.choice(body, "side", SIDES)
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
            tpsl=read_tpsl(body),
            broker_id=parameters.text(body, "brokerId"),
        )

    def _instrument(self, body: Fields) -> Instrument:
        instrument = self.venue.instrument(parameters.required(body, "instId"))
        offline = 0 < instrument.expire_time <= self.venue.now_ms
        if instrument.state != "live" or offline:
            raise VenueError("152002", "instId")
        return instrument

    def _position_side(self, account: Account, body: Fields) -> str:
        """`net` in one-way mode, else `long` or `short`; what does not fit the mode is 102089."""
        side = parameters.choice(body, "positionSide", ("net", "long", "short"), default="net")
        if (side == "net") != (account.position_mode == "net_mode"):
            raise VenueError("102089")
        return side

    def _check_size(self, instrument: Instrument, order: Order) -> None:
        if order.size < instrument.min_size or order.size % instrument.lot_size:
            raise VenueError("152002", "size")
        if order.order_type == "market":
            if order.size > instrument.max_market_size:
                raise VenueError("102015")
        elif order.size > instrument.max_limit_size:
            raise VenueError("102014")

    def _check_price(self, instrument: Instrument, order: Order) -> None:
        self._check_tick(instrument, order.price, "price")
        lowest, highest = self.price_range(instrument.inst_id, order.side)
        if not lowest <= order.price <= highest:
            code = "102064" if order.side == "buy" else "102065"
            raise VenueError(code, plain(lowest), plain(highest))

    def price_range(self, inst_id: str, side: str) -> tuple[Decimal, Decimal]:
        """Lowest and highest limit price now, on ticks."""
        last = self.venue.last_price(inst_id)
        tick = self.venue.instrument(inst_id).tick_size
        low, high = PRICE_BAND[side]
        return (last * low // tick + 1) * tick, last * high // tick * tick

    @staticmethod
    def _check_tick(instrument: Instrument, price: Decimal, name: str) -> None:
        if price <= 0 or price % instrument.tick_size:
            raise VenueError("152002", name)

    def _check_client_id(self, account: Account, client_order_id: str) -> None:
        if client_order_id and client_order_id in account.client_order_ids:
            raise VenueError("102002")

    def _check_exposure(self, account: Account, instrument: Instrument, order: Order) -> None:
        """Reduce-only needs something to reduce; anything else needs a tier and margin."""
        opening = self.clearing.opening_size(account, order)
        position = account.position(order.inst_id, order.margin_mode, order.position_side)
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

    # Brackets

    def _check_bracket(self, instrument: Instrument, order: Order) -> None:
        """Both halves on the right side of the order price, or of the last price for a market."""
        tpsl = order.tpsl
        if not tpsl:
            return
        self._check_tpsl_prices(instrument, tpsl)
        if order.order_type == "market":
            refuse_passed(tpsl, OPPOSITE[order.side], self.venue.last_price(order.inst_id))
            return
        buy = order.side == "buy"
        stop, target = tpsl.sl_trigger, tpsl.tp_trigger
        if stop is not None and (stop >= order.price if buy else stop <= order.price):
            raise VenueError("102051" if buy else "102047")
        if target is not None and (target <= order.price if buy else target >= order.price):
            raise VenueError("102052" if buy else "102049")

    def _check_tpsl_prices(self, instrument: Instrument, tpsl: Tpsl) -> None:
        prices = {
            "tpTriggerPrice": tpsl.tp_trigger,
            "slTriggerPrice": tpsl.sl_trigger,
            "tpOrderPrice": tpsl.tp_order,
            "slOrderPrice": tpsl.sl_order,
        }
        for name, price in prices.items():
            if price is not None and price != MARKET_PRICE:
                self._check_tick(instrument, price, name)

    def place_tpsl(self, account: Account, body: Fields) -> TpslOrder:
        """trade/order-tpsl."""
        instrument = self._instrument(body)
        margin_mode = parameters.choice(body, "marginMode", MARGIN_MODES)
        position_side = self._position_side(account, body)
        tpsl = read_tpsl(body)
        if not tpsl:
            raise VenueError("152003", "tpTriggerPrice", "slTriggerPrice")
        self._check_tpsl_prices(instrument, tpsl)
        order = TpslOrder(
            tpsl_id=self.venue.new_id(),
            client_order_id=parameters.client_id(body, "clientOrderId"),
            inst_id=instrument.inst_id,
            margin_mode=margin_mode,
            position_side=position_side,
            side=parameters.choice(body, "side", SIDES),
            size=self._trigger_size(instrument, body),
            tpsl=tpsl,
            reduce_only=parameters.flag(body, "reduceOnly"),
            leverage=account.leverage(instrument.inst_id, margin_mode, position_side),
            created_ms=self.venue.now_ms,
            updated_ms=self.venue.now_ms,
            broker_id=parameters.text(body, "brokerId"),
        )
        self._check_tpsl(account, order)
        self.triggers.stand(account, order)
        return order

    def _check_tpsl(self, account: Account, order: TpslOrder) -> None:
        if order.client_order_id and any(
            other.client_order_id == order.client_order_id and not other.entry_order_id
            for other in account.tpsl_orders.values()
        ):
            raise VenueError("102002")
        position = account.position(order.inst_id, order.margin_mode, order.position_side)
        if position is None or position.closing_side != order.side:
            raise VenueError("102022")
        if order.is_entire_position and any(
            other.is_entire_position
            and (other.margin_mode, other.position_side) == (order.margin_mode, order.position_side)
            for other in account.live_tpsl(order.inst_id)
        ):
            raise VenueError("102114")
        if self.venue.settings.passed_trigger == "refuse":
            refuse_passed(order.tpsl, order.side, self.venue.last_price(order.inst_id))

    def _trigger_size(self, instrument: Instrument, body: Fields) -> Decimal:
        size = parameters.required_number(body, "size")
        if size == ENTIRE_POSITION:
            return size
        if size < instrument.min_size or size % instrument.lot_size:
            raise VenueError("152002", "size")
        return size

    def amend_tpsl(self, account: Account, body: Fields) -> TpslOrder:
        """trade/amend-tpsl: new prices and size of a live TP/SL; all or nothing."""
        instrument = self.venue.instrument(parameters.required(body, "instId"))
        self._use_request_id(account, body)
        order = account.tpsl_orders.get(parameters.required(body, "tpslId"))
        if order is None or order.state != "live" or order.inst_id != instrument.inst_id:
            raise VenueError("102067")
        amended = amend_prices(order.tpsl, body)
        self._check_tpsl_prices(instrument, amended)
        refuse_passed(amended, order.side, self.venue.last_price(order.inst_id))
        if parameters.text(body, "newSize"):
            order.size = self._trigger_size(instrument, {"size": parameters.text(body, "newSize")})
        order.tpsl = amended
        order.updated_ms = self.venue.now_ms
        self.venue.emit("orders-algo", account, order)
        return order

    def _use_request_id(self, account: Account, body: Fields) -> None:
        request_id = parameters.client_id(body, "requestId")
        if not request_id:
            return
        if request_id in account.request_ids:
            raise VenueError("102148")
        account.request_ids[request_id] = None

    # Trigger orders

    def place_algo(self, account: Account, body: Fields) -> AlgoOrder:
        """trade/order-algo."""
        instrument = self._instrument(body)
        parameters.choice(body, "orderType", ("trigger",))
        margin_mode = parameters.choice(body, "marginMode", MARGIN_MODES)
        position_side = self._position_side(account, body)
        trigger = parameters.required_number(body, "triggerPrice")
        self._check_tick(instrument, trigger, "triggerPrice")
        parameters.choice(body, "triggerPriceType", ("last",), default="last")
        order_price = parameters.number(body, "orderPrice")
        order_price = MARKET_PRICE if order_price is None else order_price
        if order_price != MARKET_PRICE:
            self._check_tick(instrument, order_price, "orderPrice")
        algo = AlgoOrder(
            algo_id=self.venue.new_id(),
            client_order_id=parameters.client_id(body, "clientOrderId"),
            inst_id=instrument.inst_id,
            margin_mode=margin_mode,
            position_side=position_side,
            side=parameters.choice(body, "side", SIDES),
            size=self._trigger_size(instrument, body),
            order_price=order_price,
            trigger_price=trigger,
            rises=trigger > self.venue.last_price(instrument.inst_id),
            reduce_only=parameters.flag(body, "reduceOnly"),
            leverage=account.leverage(instrument.inst_id, margin_mode, position_side),
            created_ms=self.venue.now_ms,
            updated_ms=self.venue.now_ms,
            attached=self._attached(instrument, body),
            broker_id=parameters.text(body, "brokerId"),
        )
        if algo.client_order_id and any(
            other.client_order_id == algo.client_order_id for other in account.algo_orders.values()
        ):
            raise VenueError("102002")
        account.algo_orders[algo.algo_id] = algo
        account.open_algo[algo.algo_id] = None
        self.venue.emit("orders-algo", account, algo)
        return algo

    def _attached(self, instrument: Instrument, body: Fields) -> Tpsl:
        rows = body.get("attachAlgoOrders") or []
        if (
            not isinstance(rows, list)
            or len(rows) > 1
            or not all(isinstance(r, dict) for r in rows)
        ):
            raise VenueError("152002", "attachAlgoOrders")
        tpsl = read_tpsl(rows[0]) if rows else Tpsl()
        self._check_tpsl_prices(instrument, tpsl)
        return tpsl

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

    def cancel_tpsl(self, account: Account, body: Fields) -> TpslOrder:
        """One entry of trade/cancel-tpsl."""
        order = self.find_tpsl(account, body)
        if order is None or order.state != "live":
            raise VenueError("500")
        self.triggers.cancel_tpsl(account, order, "user_canceled")
        return order

    def find_tpsl(self, account: Account, fields: Fields) -> TpslOrder | None:
        """By tpslId, else by clientOrderId, newest first."""
        tpsl_id = parameters.text(fields, "tpslId")
        client_order_id = parameters.text(fields, "clientOrderId")
        if not tpsl_id and not client_order_id:
            raise VenueError("152003", "tpslId", "clientOrderId")
        return newest(
            account.tpsl_orders,
            tpsl_id,
            lambda order: order.client_order_id == client_order_id,
        )

    def cancel_algo(self, account: Account, body: Fields) -> AlgoOrder:
        """trade/cancel-algo."""
        algo_id = parameters.text(body, "algoId")
        client_order_id = parameters.text(body, "clientOrderId")
        if not algo_id and not client_order_id:
            raise VenueError("152003", "algoId", "clientOrderId")
        algo = newest(
            account.algo_orders, algo_id, lambda order: order.client_order_id == client_order_id
        )
        if algo is None or algo.state != "live":
            raise VenueError("500")
        self.triggers.cancel_algo(account, algo, "user_canceled")
        return algo

    def amend(self, account: Account, body: Fields) -> Order:
        """trade/amend-order: price, size and bracket of an order that has not filled completely."""
        instrument = self.venue.instrument(parameters.required(body, "instId"))
        self._use_request_id(account, body)
        order = self.find_order(account, body)
        if order is None or not order.is_open:
            raise VenueError("102067")
        price = parameters.number(body, "newPrice") or order.price
        size = parameters.number(body, "newSize") or order.size
        if size < order.filled:
            raise VenueError("152423")
        before = (order.price, order.size, order.tpsl)
        account.open_orders.pop(order.order_id, None)
        order.price, order.size, order.tpsl = price, size, amend_prices(order.tpsl, body)
        try:
            self._check_size(instrument, order)
            self._check_price(instrument, order)
            self._check_bracket(instrument, order)
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
        margin_mode = parameters.choice(body, "marginMode", MARGIN_MODES)
        position_side = self._position_side(account, body)
        client_order_id = parameters.client_id(body, "clientOrderId")
        self._check_client_id(account, client_order_id)
        position = account.position(instrument.inst_id, margin_mode, position_side)
        if position is None:
            raise VenueError("102005")
        order = self.clearing.closing_order(account, position, "normal", "close")
        order.client_order_id = client_order_id
        order.broker_id = parameters.text(body, "brokerId")
        if client_order_id:
            account.client_order_ids[client_order_id] = order.order_id
        self.matching.submit(account, order)
        return order


def read_tpsl(fields: Fields) -> Tpsl:
    """The four TP/SL parameters. A trigger without its order price means at the market.

    The reference says that both should be filled in, and shows examples with one.
    """
    tpsl = Tpsl(
        tp_trigger=parameters.number(fields, "tpTriggerPrice"),
        tp_order=parameters.number(fields, "tpOrderPrice"),
        sl_trigger=parameters.number(fields, "slTriggerPrice"),
        sl_order=parameters.number(fields, "slOrderPrice"),
    )
    if tpsl.tp_trigger is not None and tpsl.tp_order is None:
        tpsl.tp_order = MARKET_PRICE
    if tpsl.sl_trigger is not None and tpsl.sl_order is None:
        tpsl.sl_order = MARKET_PRICE
    return tpsl


def amend_prices(tpsl: Tpsl, body: Fields) -> Tpsl:
    """`tpsl` with what `newTpTriggerPrice` and its sisters change."""

    def new(name: str, old: Decimal | None) -> Decimal | None:
        value = parameters.number(body, name)
        return old if value is None else value

    amended = Tpsl(
        tp_trigger=new("newTpTriggerPrice", tpsl.tp_trigger),
        tp_order=new("newTpOrderPrice", tpsl.tp_order),
        sl_trigger=new("newSlTriggerPrice", tpsl.sl_trigger),
        sl_order=new("newSlOrderPrice", tpsl.sl_order),
    )
    if amended.tp_trigger is not None and amended.tp_order is None:
        amended.tp_order = MARKET_PRICE
    if amended.sl_trigger is not None and amended.sl_order is None:
        amended.sl_order = MARKET_PRICE
    return amended


def newest(orders: dict[str, Kind], order_id: str, matches: Callable[[Kind], bool]) -> Kind | None:
    """By id when there is one, else the newest that matches."""
    if order_id:
        return orders.get(order_id)
    return next((order for order in reversed(orders.values()) if matches(order)), None)
