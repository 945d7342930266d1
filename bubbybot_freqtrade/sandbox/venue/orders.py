"""Orders, TP/SL orders, trigger orders and fills, and how the venue spells each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from bubbybot_freqtrade.sandbox.venue.amounts import ZERO, divide, padded, padded_or_null, plain
from bubbybot_freqtrade.sandbox.venue.trailing import ORDER_TYPE as TRAILING_STOP
from bubbybot_freqtrade.sandbox.venue.trailing import Trailing

Side = Literal["buy", "sell"]
OrderState = Literal["live", "partially_filled", "filled", "canceled", "partially_canceled"]
TriggerState = Literal["live", "effective", "canceled", "order_failed"]

OPPOSITE: dict[str, str] = {"buy": "sell", "sell": "buy"}
MARKET_PRICE = Decimal(-1)
"""Order price that stands for "at the market"; also the size that stands for "entire position"."""
ENTIRE_POSITION = Decimal(-1)


@dataclass(slots=True)
class Tpsl:
    """Take-profit and stop-loss prices of a bracket; an order price of -1 means at the market.

    The types say which price has to reach the trigger: last, index or mark.
    """

    tp_trigger: Decimal | None = None
    tp_order: Decimal | None = None
    sl_trigger: Decimal | None = None
    sl_order: Decimal | None = None
    tp_type: str = "last"
    sl_type: str = "last"

    def __bool__(self) -> bool:
        return self.tp_trigger is not None or self.sl_trigger is not None


@dataclass(slots=True)
class Order:
    """A plain order. `size` and `filled` in contracts, prices and fees in USDT.

    `fill_value` is the sum of price times contracts, so the average price is a division away.
    `slot`: of the position that it works on, see `Position`.
    `origin`: `api` (a request for this order), `trigger` (a TP/SL or trigger order fired), `close`
    (close-position) or `venue` (liquidation, delisting).
    """

    order_id: str
    client_order_id: str
    inst_id: str
    margin_mode: str
    position_side: str
    side: str
    order_type: str
    price: Decimal
    size: Decimal
    reduce_only: bool
    leverage: Decimal
    created_ms: int
    updated_ms: int
    tpsl: Tpsl
    state: OrderState = "live"
    filled: Decimal = ZERO
    fill_value: Decimal = ZERO
    fee: Decimal = ZERO
    pnl: Decimal = ZERO
    category: str = "normal"
    broker_id: str = ""
    algo_id: str = ""
    algo_client_order_id: str = ""
    attached_tpsl_id: str = ""
    cancel_source: str = "not_canceled"
    cancel_reason: str | None = None
    origin: str = "api"
    slot: str = ""

    @property
    def remaining(self) -> Decimal:
        """Contracts still to fill."""
        return self.size - self.filled

    @property
    def is_open(self) -> bool:
        """True while it rests or can rest in the book."""
        return self.state in ("live", "partially_filled")

    @property
    def average_price(self) -> Decimal:
        """Volume-weighted fill price, 0 while nothing filled."""
        return divide(self.fill_value, self.filled) if self.filled else ZERO

    def as_rest(self) -> dict[str, Any]:
        """The object of orders-pending, order-detail and orders-history."""
        return {
            "orderId": self.order_id,
            "clientOrderId": self.client_order_id,
            "instId": self.inst_id,
            "marginMode": self.margin_mode,
            "positionSide": self.position_side,
            "side": self.side,
            "orderType": self.order_type,
            "price": padded(self.price),
            "size": padded(self.size),
            "reduceOnly": "true" if self.reduce_only else "false",
            "leverage": plain(self.leverage),
            "state": self.state,
            "filledSize": padded(self.filled),
            "filled_amount": padded(self.filled),
            "averagePrice": padded(self.average_price),
            "fee": padded(self.fee),
            "pnl": padded(self.pnl),
            "createTime": str(self.created_ms),
            "updateTime": str(self.updated_ms),
            "orderCategory": self.category,
            **tpsl_fields(self.tpsl),
            "cancelSource": self.cancel_source,
            "cancelSourceReason": self.cancel_reason,
            "algoClientOrderId": self.algo_client_order_id,
            "algoId": self.algo_id,
            "brokerId": self.broker_id,
        }

    def as_push(self) -> dict[str, Any]:
        """The object of the `orders` channel."""
        row = self.as_rest()
        row["filledAmount"] = row.pop("filled_amount")
        row["size"] = plain(self.size)
        row["filledSize"] = plain(self.filled)
        row["instType"] = "SWAP"
        row |= trigger_types(self.tpsl)
        row["cancelSource"] = "" if self.cancel_source == "not_canceled" else self.cancel_source
        if self.category == "normal" and self.tpsl:
            row["orderCategory"] = "pre_tp_sl"
        return row


@dataclass(slots=True)
class TpslOrder:
    """A TP/SL order: one take-profit and/or one stop-loss on a position; the first to fire wins.

    `size` is in contracts or -1 for the entire position. `created_by` is the entry order's id when
    it came attached to one.
    """

    tpsl_id: str
    client_order_id: str
    inst_id: str
    margin_mode: str
    position_side: str
    side: str
    size: Decimal
    tpsl: Tpsl
    reduce_only: bool
    leverage: Decimal
    created_ms: int
    updated_ms: int
    state: TriggerState = "live"
    actual_size: Decimal | None = None
    actual_side: str = ""
    category: str = "normal"
    broker_id: str = ""
    entry_order_id: str = ""
    cancel_type: str = "not_canceled"
    slot: str = ""

    @property
    def is_entire_position(self) -> bool:
        """True for size -1."""
        return self.size == ENTIRE_POSITION

    def as_rest(self, size: Callable[[Decimal], str] = plain) -> dict[str, Any]:
        """The object of orders-tpsl-pending, order-tpsl-detail and orders-tpsl-history.

        size: how sizes are spelled.
        """
        return {
            "tpslId": self.tpsl_id,
            "clientOrderId": self.client_order_id,
            "instId": self.inst_id,
            "marginMode": self.margin_mode,
            "positionSide": self.position_side,
            "side": self.side,
            "orderType": None,
            "size": size(self.size),
            "reduceOnly": "true" if self.reduce_only else "false",
            "leverage": plain(self.leverage),
            "state": self.state,
            "actualSize": None if self.actual_size is None else size(self.actual_size),
            "triggerType": None,
            "orderCategory": self.category,
            **tpsl_fields(self.tpsl),
            **trigger_types(self.tpsl),
            "createTime": str(self.created_ms),
            "brokerId": self.broker_id,
        }

    def as_push(self) -> dict[str, Any]:
        """The object of the `orders-algo` channel."""
        return {
            "instType": "SWAP",
            "instId": self.inst_id,
            "tpslId": self.tpsl_id,
            "algoId": self.tpsl_id,
            "clientOrderId": self.client_order_id,
            "size": plain(self.size),
            "orderType": "conditional",
            "side": self.side,
            "positionSide": self.position_side,
            "marginMode": self.margin_mode,
            "leverage": plain(self.leverage),
            "state": self.state,
            **tpsl_fields(self.tpsl),
            **trigger_types(self.tpsl),
            "triggerPrice": None,
            "triggerPriceType": "last",
            "orderPrice": None,
            "actualSize": "" if self.actual_size is None else plain(self.actual_size),
            "actualSide": self.actual_side,
            "reduceOnly": "true" if self.reduce_only else "false",
            "cancelType": self.cancel_type,
            "createTime": str(self.created_ms),
            "updateTime": str(self.updated_ms),
            "brokerId": self.broker_id,
        }


@dataclass(slots=True)
class AlgoOrder:
    """A trigger order: becomes a plain order when the last price reaches `trigger_price`.

    `rises` says from which side: True when the trigger lies above the last price at placement.
    With `trailing` it follows the price instead, and both say nothing.
    """

    algo_id: str
    client_order_id: str
    inst_id: str
    margin_mode: str
    position_side: str
    side: str
    size: Decimal
    order_price: Decimal
    trigger_price: Decimal
    rises: bool
    reduce_only: bool
    leverage: Decimal
    created_ms: int
    updated_ms: int
    attached: Tpsl
    state: TriggerState = "live"
    actual_size: Decimal | None = None
    broker_id: str = ""
    cancel_type: str = "not_canceled"
    trailing: Trailing | None = None

    @property
    def order_type(self) -> str:
        """As the venue spells it."""
        return "trigger" if self.trailing is None else TRAILING_STOP

    def reached(self, price: Decimal) -> bool:
        """Take a last price; True when it fires."""
        if self.trailing is not None:
            return self.trailing.reached(price)
        return price >= self.trigger_price if self.rises else price <= self.trigger_price

    def prices_of_interest(self) -> Iterator[tuple[Decimal, int]]:
        """(price, direction) that change something: 1 when reached from below."""
        if self.trailing is not None:
            yield from self.trailing.prices_of_interest()
        else:
            yield self.trigger_price, 1 if self.rises else -1

    def as_rest(self) -> dict[str, Any]:
        """The object of orders-algo-pending and orders-algo-history."""
        return {
            "algoId": self.algo_id,
            "clientOrderId": self.client_order_id,
            "instId": self.inst_id,
            "marginMode": self.margin_mode,
            "positionSide": self.position_side,
            "side": self.side,
            "orderType": self.order_type,
            "size": plain(self.size),
            "actualSize": None if self.actual_size is None else plain(self.actual_size),
            "reduceOnly": "true" if self.reduce_only else "false",
            "leverage": plain(self.leverage),
            "state": self.state,
            "triggerPrice": None if self.trailing else padded(self.trigger_price),
            "triggerPriceType": "last",
            "orderPrice": plain(self.order_price),
            **(self.trailing.as_rest() if self.trailing else {}),
            "createTime": str(self.created_ms),
            "brokerId": self.broker_id,
            "attachAlgoOrders": self._attached_rows(),
        }

    def as_push(self) -> dict[str, Any]:
        """The object of the `orders-algo` channel."""
        return {
            "instType": "SWAP",
            "tpslId": self.algo_id,
            **self.as_rest(),
            "tpTriggerPrice": None,
            "tpOrderPrice": None,
            "slTriggerPrice": None,
            "slOrderPrice": None,
            "actualSide": None,
            "cancelType": self.cancel_type,
            "updateTime": str(self.updated_ms),
        }

    def _attached_rows(self) -> list[dict[str, Any]]:
        if not self.attached:
            return []
        return [tpsl_fields(self.attached) | trigger_types(self.attached)]


@dataclass(slots=True)
class Fill:
    """One execution of an order: `size` in contracts, `fee` as a positive cost in USDT."""

    trade_id: str
    order_id: str
    inst_id: str
    position_side: str
    side: str
    price: Decimal
    size: Decimal
    fee: Decimal
    pnl: Decimal
    ts_ms: int
    maker: bool
    broker_id: str = ""

    def as_rest(self) -> dict[str, Any]:
        """The object of fills-history."""
        return {
            "instId": self.inst_id,
            "tradeId": self.trade_id,
            "orderId": self.order_id,
            "fillPrice": padded(self.price),
            "fillSize": padded(self.size),
            "fillPnl": padded(self.pnl),
            "positionSide": self.position_side,
            "side": self.side,
            "fee": padded(self.fee),
            "ts": str(self.ts_ms),
            "brokerId": self.broker_id,
        }


def identity(order: Order | TpslOrder) -> tuple[str, str, str, str]:
    """What makes the position that an order works on: contract, margin mode, side and slot."""
    return order.inst_id, order.margin_mode, order.position_side, order.slot


def tpsl_fields(tpsl: Tpsl) -> dict[str, Any]:
    """The four TP/SL fields as orders carry them: nulls where absent."""
    return {
        "tpTriggerPrice": padded_or_null(tpsl.tp_trigger),
        "tpOrderPrice": _order_price(tpsl.tp_order),
        "slTriggerPrice": padded_or_null(tpsl.sl_trigger),
        "slOrderPrice": _order_price(tpsl.sl_order),
    }


def trigger_types(tpsl: Tpsl) -> dict[str, Any]:
    """Which prices the triggers look at: nulls where there is no trigger."""
    return {
        "tpTriggerPriceType": None if tpsl.tp_trigger is None else tpsl.tp_type,
        "slTriggerPriceType": None if tpsl.sl_trigger is None else tpsl.sl_type,
    }


def _order_price(price: Decimal | None) -> str | None:
    if price is None:
        return None
    return "-1" if price == MARKET_PRICE else padded(price)
