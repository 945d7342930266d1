"""Taking TP/SL and trigger orders in, amending and canceling them.

All methods raise VenueError for a refusal.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from bubbybot_freqtrade.sandbox.market.instruments import Instrument
from bubbybot_freqtrade.sandbox.venue import checks, parameters
from bubbybot_freqtrade.sandbox.venue.accounts import Account
from bubbybot_freqtrade.sandbox.venue.amounts import ZERO
from bubbybot_freqtrade.sandbox.venue.core import Venue
from bubbybot_freqtrade.sandbox.venue.errors import VenueError
from bubbybot_freqtrade.sandbox.venue.orders import (
    MARKET_PRICE,
    AlgoOrder,
    Tpsl,
    TpslOrder,
    identity,
)
from bubbybot_freqtrade.sandbox.venue.parameters import Fields
from bubbybot_freqtrade.sandbox.venue.trailing import ORDER_TYPE as TRAILING_STOP
from bubbybot_freqtrade.sandbox.venue.trailing import read_trailing
from bubbybot_freqtrade.sandbox.venue.triggers import Triggers

Kind = TypeVar("Kind", TpslOrder, AlgoOrder)


class TriggerEntry:
    """The desk for orders that wait for a price."""

    def __init__(self, venue: Venue, triggers: Triggers) -> None:
        """Orders that pass go to `triggers`."""
        self.venue = venue
        self.triggers = triggers

    # TP/SL

    def place_tpsl(self, account: Account, body: Fields) -> TpslOrder:
        """trade/order-tpsl."""
        instrument = checks.tradable(self.venue, body)
        margin_mode = parameters.choice(body, "marginMode", checks.MARGIN_MODES)
        position_side = checks.position_side(account, body)
        tpsl = checks.read_tpsl(body)
        if not tpsl:
            raise VenueError("152003", "tpTriggerPrice", "slTriggerPrice")
        self._check_trigger_types(tpsl)
        checks.check_tpsl_prices(instrument, tpsl)
        order = TpslOrder(
            tpsl_id=self.venue.new_id(),
            client_order_id=parameters.client_id(body, "clientOrderId"),
            inst_id=instrument.inst_id,
            margin_mode=margin_mode,
            position_side=position_side,
            side=parameters.choice(body, "side", checks.SIDES),
            size=checks.trigger_size(instrument, body),
            tpsl=tpsl,
            reduce_only=parameters.flag(body, "reduceOnly"),
            leverage=account.leverage(instrument.inst_id, margin_mode, position_side),
            created_ms=self.venue.now_ms,
            updated_ms=self.venue.now_ms,
            broker_id=parameters.text(body, "brokerId"),
        )
        order.slot = checks.slot(self.venue, account, body)
        self._check_tpsl(account, order)
        self.triggers.stand(account, order)
        return order

    def _check_trigger_types(self, tpsl: Tpsl) -> None:
        if self.venue.settings.index_trigger:
            return
        kinds = {"tpTriggerPriceType": tpsl.tp_type, "slTriggerPriceType": tpsl.sl_type}
        for name, kind in kinds.items():
            if kind == "index":
                raise VenueError("152002", name)

    def _check_tpsl(self, account: Account, order: TpslOrder) -> None:
        if order.client_order_id and any(
            other.client_order_id == order.client_order_id and not other.entry_order_id
            for other in account.tpsl_orders.values()
        ):
            raise VenueError("102002")
        self._check_position(account, order)
        if order.is_entire_position and any(
            other.is_entire_position and identity(other) == identity(order)
            for other in account.live_tpsl(order.inst_id)
        ):
            raise VenueError("102114")
        if self.venue.settings.passed_trigger == "refuse":
            checks.refuse_passed(order.tpsl, order.side, self.venue.price_of(order.inst_id))

    def _check_position(self, account: Account, order: TpslOrder) -> None:
        """What stands on the pair must be in its margin mode and closed by its side."""
        checks.same_margin_mode(self.venue, account, order.inst_id, order.margin_mode)
        position = account.position(*identity(order))
        if position is None:
            if self.venue.settings.lone_tpsl == "refuse":
                raise VenueError("102022")
        elif position.closing_side != order.side:
            raise VenueError("102022")

    def amend_tpsl(self, account: Account, body: Fields) -> TpslOrder:
        """trade/amend-tpsl: new prices and size of a live TP/SL; all or nothing."""
        instrument = self.venue.instrument(parameters.required(body, "instId"))
        checks.use_request_id(account, body)
        order = account.tpsl_orders.get(parameters.required(body, "tpslId"))
        if order is None or order.state != "live" or order.inst_id != instrument.inst_id:
            raise VenueError("102067")
        amended = checks.amended_tpsl(order.tpsl, body, self.venue.settings.amend_unnamed_leg)
        if not amended:
            raise VenueError("152003", "newTpTriggerPrice", "newSlTriggerPrice")
        checks.check_tpsl_prices(instrument, amended)
        checks.refuse_passed(amended, order.side, self.venue.price_of(order.inst_id))
        if parameters.text(body, "newSize"):
            order.size = checks.trigger_size(instrument, {"size": parameters.text(body, "newSize")})
        order.tpsl = amended
        order.updated_ms = self.venue.now_ms
        self.venue.emit("orders-algo", account, order)
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

    # Trigger orders

    def place_algo(self, account: Account, body: Fields) -> AlgoOrder:
        """trade/order-algo."""
        instrument = checks.tradable(self.venue, body)
        order_type = parameters.choice(body, "orderType", self._algo_types())
        margin_mode = parameters.choice(body, "marginMode", checks.MARGIN_MODES)
        position_side = checks.position_side(account, body)
        checks.same_margin_mode(self.venue, account, instrument.inst_id, margin_mode)
        side = parameters.choice(body, "side", checks.SIDES)
        last = self.venue.last_price(instrument.inst_id)
        trailing = read_trailing(body, side, last) if order_type == TRAILING_STOP else None
        trigger = ZERO if trailing else self._trigger_price(instrument, body)
        order_price = MARKET_PRICE if trailing else self._order_price(instrument, body)
        algo = AlgoOrder(
            algo_id=self.venue.new_id(),
            client_order_id=parameters.client_id(body, "clientOrderId"),
            inst_id=instrument.inst_id,
            margin_mode=margin_mode,
            position_side=position_side,
            side=side,
            size=checks.trigger_size(instrument, body),
            order_price=order_price,
            trigger_price=trigger,
            rises=trigger > last,
            reduce_only=parameters.flag(body, "reduceOnly"),
            leverage=account.leverage(instrument.inst_id, margin_mode, position_side),
            created_ms=self.venue.now_ms,
            updated_ms=self.venue.now_ms,
            attached=self._attached(instrument, body),
            broker_id=parameters.text(body, "brokerId"),
            trailing=trailing,
        )
        if algo.client_order_id and any(
            other.client_order_id == algo.client_order_id for other in account.algo_orders.values()
        ):
            raise VenueError("102002")
        account.algo_orders[algo.algo_id] = algo
        account.open_algo[algo.algo_id] = None
        self.venue.emit("orders-algo", account, algo)
        return algo

    def _algo_types(self) -> tuple[str, ...]:
        return ("trigger", TRAILING_STOP) if self.venue.settings.trailing_stop else ("trigger",)

    @staticmethod
    def _trigger_price(instrument: Instrument, body: Fields) -> Decimal:
        trigger = parameters.required_number(body, "triggerPrice")
        checks.check_tick(instrument, trigger, "triggerPrice")
        parameters.choice(body, "triggerPriceType", ("last",), default="last")
        return trigger

    @staticmethod
    def _order_price(instrument: Instrument, body: Fields) -> Decimal:
        price = parameters.number(body, "orderPrice")
        if price is None or price == MARKET_PRICE:
            return MARKET_PRICE
        checks.check_tick(instrument, price, "orderPrice")
        return price

    def _attached(self, instrument: Instrument, body: Fields) -> Tpsl:
        rows = body.get("attachAlgoOrders") or []
        if (
            not isinstance(rows, list)
            or len(rows) > 1
            or not all(isinstance(r, dict) for r in rows)
        ):
            raise VenueError("152002", "attachAlgoOrders")
        tpsl = checks.read_tpsl(rows[0]) if rows else Tpsl()
        checks.check_tpsl_prices(instrument, tpsl)
        return tpsl

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


def newest(orders: dict[str, Kind], order_id: str, matches: Callable[[Kind], bool]) -> Kind | None:
    """By id when there is one, else the newest that matches."""
    if order_id:
        return orders.get(order_id)
    return next((order for order in reversed(orders.values()) if matches(order)), None)
