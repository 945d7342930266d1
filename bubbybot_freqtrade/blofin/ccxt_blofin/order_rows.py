"""Orders of all kinds as the venue has them: rows of REST and of the websocket."""

from decimal import Decimal
from typing import Any

from bubbybot_freqtrade.blofin.ccxt_blofin.orders import AT_MARKET, ORDER_TYPES

STATUS = {
    "live": "open",
    "partially_filled": "open",
    "filled": "closed",
    "effective": "closed",  # triggered: the order it placed is one of the normal kind
    "canceled": "canceled",
    "partially_canceled": "canceled",
    "order_failed": "rejected",  # triggered, but its order was refused
}
_TIME_IN_FORCE = {order_type: name for name, order_type in ORDER_TYPES.items()}
_PLACED_TYPES = ("market", *_TIME_IN_FORCE)
_PLACED_IDS = ("orderId", "tpslId", "algoId")
_TRIGGERED_IDS = ("tpslId", "algoId", "orderId")
_TPSL_TRIGGERS = ("slTriggerPrice", "tpTriggerPrice")


class OrderRows:
    """What ccxt makes of an order's row."""

    def parse_order_status(self: Any, status: str | None) -> str | None:
        """The venue's state in ccxt's words."""
        return STATUS.get(status, status) if status else None

    def parse_order(
        self: Any, order: dict[str, Any], market: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """ccxt's order from a row of any kind, over REST or websocket.

        ``type`` and ``price`` of TP/SL and trigger orders are those of the order they will place.
        ``amount`` is None when the whole position is meant. Fees are costs: positive when paid.
        """
        market = self.safe_market(self.safe_string(order, "instId"), market, "-")
        type_, price = self.parse_type_and_price(order)
        raw_type = self.safe_string(order, "orderType")
        state = self.safe_string(order, "state")
        updated = self.safe_integer(order, "updateTime")
        filled = self.safe_string(order, "filledSize")
        amount = self.safe_string(order, "size")
        attached = self.safe_dict(self.safe_list(order, "attachAlgoOrders", []), 0, {})
        created = self.safe_integer(order, "createTime")
        # Also one of a type that nobody has listed: only orders of the book tell what has filled.
        is_placed = raw_type in _PLACED_TYPES or filled is not None
        return self.safe_order(
            {
                "info": order,
                # An entry's row names the TP/SL that came with it too, and the other way round.
                "id": self.safe_string_n(order, _PLACED_IDS if is_placed else _TRIGGERED_IDS),
                "clientOrderId": self.safe_string(order, "clientOrderId"),
                "timestamp": created,
                "datetime": self.iso8601(created),
                # The venue gives no time of the last fill; for these states it is the last update.
                "lastTradeTimestamp": updated if state in ("filled", "partially_filled") else None,
                "lastUpdateTimestamp": updated,
                "symbol": market["symbol"],
                "type": type_,
                "timeInForce": _TIME_IN_FORCE.get(raw_type),
                "postOnly": raw_type == "post_only" if raw_type in _PLACED_TYPES else None,
                "reduceOnly": self.parse_boolean(order, "reduceOnly"),
                "side": self.safe_string(order, "side"),
                "price": price,
                "triggerPrice": self.safe_number_omit_zero(order, "triggerPrice"),
                "stopLossPrice": self.parse_trigger("slTriggerPrice", order, attached),
                "takeProfitPrice": self.parse_trigger("tpTriggerPrice", order, attached),
                "average": self.omit_zero(self.safe_string(order, "averagePrice")),
                "cost": None,
                "amount": None if amount is not None and Decimal(amount) < 0 else amount,
                "filled": filled,
                "remaining": None,
                "status": self.parse_order_status(state),
                "fee": self.parse_order_fee(order, market),
                "trades": None,
            },
            market,
        )

    def parse_type_and_price(self: Any, order: dict[str, Any]) -> tuple[str | None, str | None]:
        """``market`` or ``limit``, and the limit price; None where the row does not tell."""
        raw_type = self.safe_string(order, "orderType")
        if raw_type in _TIME_IN_FORCE:
            return "limit", self.safe_string(order, "price")
        if raw_type == "market":
            return "market", None
        order_prices = {
            key: self.safe_string(order, key)
            for key in ("slOrderPrice", "tpOrderPrice", "orderPrice")
        }
        for price in order_prices.values():
            if price is not None and Decimal(price) != Decimal(AT_MARKET):
                return "limit", price
        # TP/SL rows leave the order price out (or null) when it is to be executed at market.
        told = any(order_prices.values()) or any(order.get(k) for k in _TPSL_TRIGGERS)
        return ("market" if told else None), None

    def parse_boolean(self: Any, row: dict[str, Any], key: str) -> bool | None:
        """A boolean the venue sends as a string, or as a JSON one, or not at all."""
        value = row.get(key)
        return None if value in (None, "") else str(value).lower() == "true"

    def parse_trigger(self: Any, key: str, *rows: dict[str, Any]) -> float | None:
        """The first trigger price among `rows` that is set."""
        found = (self.safe_number_omit_zero(row, key) for row in rows)
        return next((price for price in found if price is not None), None)

    def parse_order_fee(
        self: Any, order: dict[str, Any], market: dict[str, Any]
    ) -> dict[str, Any] | None:
        """What was paid so far, in the market's settlement currency."""
        cost = self.safe_number(order, "fee")
        return (
            None if cost is None else {"cost": cost, "currency": self.safe_string(market, "settle")}
        )
