"""Orders of BloFin's three kinds: the requests that make them. `order_rows` has the answers.

- *normal*: limit and market orders, with an optional stop and target attached (``trade/order``);
- *tpsl*: stop-loss and take-profit of a position (``trade/order-tpsl``), what an attached pair
  becomes once its entry is filled;
- *algo*: trigger orders, which open or close when a price is reached (``trade/order-algo``).

In every method, ``params={'tpsl': True}`` (or ``'stop'``, the flag freqtrade uses for stop orders)
means the second kind, ``{'trigger': True}`` the third.
"""

import re
from decimal import Decimal
from typing import Any, Literal

import ccxt

OrderKind = Literal["normal", "tpsl", "algo"]

ORDER_ID: dict[OrderKind, str] = {"normal": "orderId", "tpsl": "tpslId", "algo": "algoId"}
CREATE: dict[OrderKind, str] = {
    "normal": "privatePostTradeOrder",
    "tpsl": "privatePostTradeOrderTpsl",
    "algo": "privatePostTradeOrderAlgo",
}
CANCEL: dict[OrderKind, str] = {
    "normal": "privatePostTradeCancelOrder",
    "tpsl": "privatePostTradeCancelTpsl",
    "algo": "privatePostTradeCancelAlgo",
}
PENDING: dict[OrderKind, str] = {
    "normal": "privateGetTradeOrdersPending",
    "tpsl": "privateGetTradeOrdersTpslPending",
    "algo": "privateGetTradeOrdersAlgoPending",
}
HISTORY: dict[OrderKind, str] = {
    "normal": "privateGetTradeOrdersHistory",
    "tpsl": "privateGetTradeOrdersTpslHistory",
    "algo": "privateGetTradeOrdersAlgoHistory",
}

TRIGGER_PRICES = ("last", "mark", "index")
AT_MARKET = "-1"  # an order price: execute at market once triggered
WHOLE_POSITION = "-1"  # a TP/SL size

_FLAGS = ("tpsl", "TPSL", "stop", "trigger")
ORDER_TYPES = {"GTC": "limit", "PO": "post_only", "IOC": "ioc", "FOK": "fok"}
_CLIENT_ORDER_ID = re.compile(r"[A-Za-z0-9_]{1,32}")
_LEGS = {"stopLoss": "sl", "takeProfit": "tp"}


def order_kind(params: dict[str, Any]) -> OrderKind:
    """Which of the three kinds the flags in `params` ask for."""
    if any(params.get(flag) for flag in ("tpsl", "TPSL", "stop")):
        return "tpsl"
    return "algo" if params.get("trigger") else "normal"


def without_flags(params: dict[str, Any]) -> dict[str, Any]:
    """`params` without those that `order_kind` reads; the venue does not know them."""
    return {k: v for k, v in params.items() if k not in _FLAGS}


def true_or_false(value: Any) -> str:
    """A boolean as the venue writes it."""
    return "true" if str(value).lower() == "true" else "false"


class Orders:
    """Requests and parsing of orders; mixed into the ccxt classes."""

    def new_order_kind(self: Any, params: dict[str, Any]) -> OrderKind:
        """Which kind of order `params` describe.

        :raises ccxt.InvalidOrder: when they describe two kinds at once.
        """
        triggered = params.get("triggerPrice", params.get("stopPrice")) is not None
        protective = any(params.get(k) is not None for k in ("stopLossPrice", "takeProfitPrice"))
        if triggered and protective:
            raise ccxt.InvalidOrder(
                f"{self.id}: triggerPrice makes a trigger order, stopLossPrice and takeProfitPrice "
                "a TP/SL order; send one of the two."
            )
        if triggered:
            return "algo"
        return "tpsl" if protective else order_kind(params)

    def new_order_request(
        self: Any,
        symbol: str,
        type: str,
        side: str,
        amount: float | None,
        price: float | None,
        params: dict[str, Any],
    ) -> tuple[OrderKind, dict[str, Any]]:
        """Kind and body of the request that places an order; see `create_order`."""
        kind = self.new_order_kind(params)
        params = without_flags(params)
        make = {
            "normal": self.create_order_request,
            "tpsl": self.create_tpsl_order_request,
            "algo": self.create_algo_order_request,
        }[kind]
        return kind, make(symbol, type, side, amount, price, params)

    def create_order_request(
        self: Any,
        symbol: str,
        type: str,
        side: str,
        amount: float | None,
        price: float | None = None,
        params: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Body of ``trade/order``."""
        params = params or {}
        order_type = self.venue_order_type(type, params)
        request = {
            **self.request_basics(symbol, side, amount, params),
            "orderType": order_type,
            "reduceOnly": true_or_false(params.get("reduceOnly")),
            **self.attached_prices(symbol, params),
        }
        if order_type != "market":
            request["price"] = self.limit_price(symbol, price)
        return self.extend(request, self.rest_of(params))

    def create_tpsl_order_request(
        self: Any,
        symbol: str,
        type: str,
        side: str,
        amount: float | None,
        price: float | None = None,
        params: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Body of ``trade/order-tpsl``; `amount` None or -1 covers the whole position."""
        params = {"reduceOnly": True, **(params or {})}
        request = {
            **self.request_basics(symbol, side, amount, params, closing=True),
            "reduceOnly": true_or_false(params["reduceOnly"]),
        }
        legs = [leg for leg in _LEGS if params.get(f"{leg}Price") is not None]
        if not legs:
            raise ccxt.ArgumentsRequired(
                f"{self.id}: a TP/SL order on {symbol} needs stopLossPrice or takeProfitPrice."
            )
        for leg in legs:
            limit = params.get(f"{leg}LimitPrice", price if len(legs) == 1 else None)
            prefix = _LEGS[leg]
            request[f"{prefix}TriggerPrice"] = self.price_to_precision(
                symbol, params[f"{leg}Price"]
            )
            request[f"{prefix}OrderPrice"] = (
                AT_MARKET if type == "market" else self.limit_price(symbol, limit)
            )
            price_type = params.get(f"{leg}PriceType")
            request |= self.trigger_price_type(symbol, leg, price_type, prefix)
        return self.extend(request, self.rest_of(params))

    def create_algo_order_request(
        self: Any,
        symbol: str,
        type: str,
        side: str,
        amount: float | None,
        price: float | None = None,
        params: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Body of ``trade/order-algo``: a market or limit order once the trigger price is met."""
        params = params or {}
        trigger = params.get("triggerPrice", params.get("stopPrice"))
        if trigger is None:
            raise ccxt.ArgumentsRequired(
                f"{self.id}: a trigger order on {symbol} needs triggerPrice."
            )
        request = {
            **self.request_basics(symbol, side, amount, params),
            "orderType": "trigger",
            "triggerPrice": self.price_to_precision(symbol, trigger),
            "orderPrice": AT_MARKET if type == "market" else self.limit_price(symbol, price),
            "reduceOnly": true_or_false(params.get("reduceOnly")),
        }
        attached = self.attached_prices(symbol, params)
        if attached:
            request["attachAlgoOrders"] = [attached]
        return self.extend(request, self.rest_of(params))

    def request_basics(
        self: Any,
        symbol: str,
        side: str,
        amount: float | None,
        params: dict[str, Any],
        closing: bool | None = None,
    ) -> dict[str, Any]:
        """The fields every kind of order has: market, side, size, margin mode, position side."""
        if side not in ("buy", "sell"):
            raise ccxt.InvalidOrder(f"{self.id}: the side of an order on {symbol} is buy or sell.")
        if closing is None:
            closing = true_or_false(params.get("reduceOnly")) == "true"
        request = {
            "instId": self.market(symbol)["id"],
            "marginMode": self.order_margin_mode(params),
            "positionSide": self.position_side(side, closing, params),
            "side": side,
            "size": self.order_size(symbol, amount, params),
        }
        if broker := self.safe_string(self.options, "brokerId"):
            request["brokerId"] = broker
        if (client_id := params.get("clientOrderId")) is not None:
            request["clientOrderId"] = self.checked_client_order_id(client_id)
        return request

    def order_size(self: Any, symbol: str, amount: float | None, params: dict[str, Any]) -> str:
        """Contracts as the venue takes them, or -1 for the whole position where that exists."""
        if params.get("size") is not None:
            return str(params["size"])
        if amount is None or amount == -1:
            if self.new_order_kind(params) == "normal":
                raise ccxt.InvalidOrder(f"{self.id}: an order on {symbol} needs an amount.")
            return WHOLE_POSITION
        return str(self.amount_to_precision(symbol, amount))

    def order_margin_mode(self: Any, params: dict[str, Any]) -> str:
        """``cross`` or ``isolated``, from `params` or the option ``defaultMarginMode``."""
        mode = params.get("marginMode") or self.options["defaultMarginMode"]
        if mode not in ("cross", "isolated"):
            raise ccxt.BadRequest(f"{self.id}: marginMode is cross or isolated, not '{mode}'.")
        return str(mode)

    def is_hedged(self: Any, params: dict[str, Any]) -> bool:
        """Whether the account holds long and short apart: ``params['hedged']``, else the option."""
        hedged = params.get("hedged")
        if hedged is None:
            return bool(self.options["positionMode"] == "long_short_mode")
        return bool(hedged)

    def position_side(self: Any, side: str, closing: bool, params: dict[str, Any]) -> str:
        """The side of the position an order works on.

        ``net`` in one-way mode. In hedge mode a buy opens the long side but closes the short one.
        """
        if params.get("positionSide"):
            return str(params["positionSide"])
        if not self.is_hedged(params):
            return "net"
        return "long" if (side == "buy") != closing else "short"

    def venue_order_type(self: Any, type: str, params: dict[str, Any]) -> str:
        """The venue's order type, which also tells the time in force."""
        time_in_force = str(params.get("timeInForce") or "GTC").upper()
        asked = {type, ORDER_TYPES.get(time_in_force, time_in_force)}
        if params.get("postOnly"):
            asked.add("post_only")
        asked.discard("limit")
        if type == "market":
            asked.discard("ioc")  # what a market order is anyway
        if len(asked) > 1 or not asked <= {"market", *ORDER_TYPES.values()}:
            raise ccxt.InvalidOrder(
                f"{self.id} has no order that is {' and '.join(sorted(asked))}; it has market "
                "orders, and limit orders with timeInForce GTC, PO, IOC or FOK."
            )
        return asked.pop() if asked else "limit"

    def limit_price(self: Any, symbol: str, price: float | None) -> str:
        """A price on the market's tick."""
        if price is None:
            raise ccxt.InvalidOrder(f"{self.id}: a limit order on {symbol} needs a price.")
        return str(self.price_to_precision(symbol, price))

    def attached_prices(self: Any, symbol: str, params: dict[str, Any]) -> dict[str, str]:
        """The stop and target that go out with an order and live on after its fill."""
        prices: dict[str, str] = {}
        for leg, prefix in _LEGS.items():
            if params.get(leg) is not None:
                prices |= self.leg_prices(symbol, leg, params[leg], prefix)
        return prices

    def leg_prices(self: Any, symbol: str, leg: str, prices: Any, prefix: str) -> dict[str, str]:
        """Trigger and order price of one leg, given as a price or ``{'triggerPrice', 'price'}``.

        Without ``price`` it is executed at market.
        """
        given = prices if isinstance(prices, dict) else {"triggerPrice": prices}
        trigger = given.get("triggerPrice", given.get("stopPrice"))
        if trigger is None:
            raise ccxt.ArgumentsRequired(f"{self.id}: {leg} on {symbol} needs a triggerPrice.")
        limit = given.get("price")
        at_market = limit is None or Decimal(str(limit)) == Decimal(AT_MARKET)
        return {
            f"{prefix}TriggerPrice": str(self.price_to_precision(symbol, trigger)),
            f"{prefix}OrderPrice": AT_MARKET if at_market else self.limit_price(symbol, limit),
            **self.trigger_price_type(symbol, leg, given.get("triggerPriceType"), prefix),
        }

    def trigger_price_type(
        self: Any, symbol: str, leg: str, price_type: str | None, prefix: str
    ) -> dict[str, str]:
        """Which price triggers a leg: last, mark or index; the venue's own (last) when unnamed."""
        if price_type is None:
            return {}
        if price_type not in TRIGGER_PRICES:
            raise ccxt.InvalidOrder(
                f"{self.id}: {leg} on {symbol} is triggered by the price {price_type!r}; BloFin "
                f"has {', '.join(TRIGGER_PRICES)}."
            )
        return {f"{prefix}TriggerPriceType": str(price_type)}

    def amend_tpsl_request(
        self: Any,
        id: str | None,
        symbol: str,
        stop_loss: Any,
        take_profit: Any,
        params: dict[str, Any],
    ) -> dict[str, Any]:
        """Body of ``trade/amend-tpsl`` (seen in public clients, not in the reference)."""
        legs: dict[str, str] = {}
        if stop_loss is not None:
            legs |= self.leg_prices(symbol, "stop_loss", stop_loss, "newSl")
        if take_profit is not None:
            legs |= self.leg_prices(symbol, "take_profit", take_profit, "newTp")
        if not legs:
            raise ccxt.ArgumentsRequired(
                f"{self.id}: moving a TP/SL order on {symbol} needs stop_loss or take_profit."
            )
        request = {"instId": self.market(symbol)["id"], **legs}
        if id is not None:
            request["tpslId"] = str(id)
        return self.extend(request, without_flags(params))

    def checked_client_order_id(self: Any, client_order_id: Any) -> str:
        """The id, when the venue would take it: up to 32 letters, digits or underscores."""
        if not _CLIENT_ORDER_ID.fullmatch(str(client_order_id)):
            raise ccxt.InvalidOrder(
                f"{self.id}: clientOrderId '{client_order_id}' is not made of up to 32 letters, "
                "digits or underscores."
            )
        return str(client_order_id)

    def rest_of(self: Any, params: dict[str, Any]) -> dict[str, Any]:
        """What is left for the venue after the unified parameters were translated."""
        translated = (
            *("timeInForce", "postOnly", "hedged", "reduceOnly", "marginMode", "positionSide"),
            *("stopLoss", "takeProfit", "stopLossPrice", "takeProfitPrice"),
            *("stopLossLimitPrice", "takeProfitLimitPrice", "triggerPrice", "stopPrice"),
            *("stopLossPriceType", "takeProfitPriceType"),
            *("clientOrderId", "size"),
        )
        return {k: v for k, v in params.items() if k not in translated and v is not None}

    def order_reference(
        self: Any,
        kind: OrderKind,
        id: str | None,
        params: dict[str, Any],
    ) -> dict[str, str]:
        """The field that names an order: the venue's id, else our ``clientOrderId``."""
        if id:
            return {ORDER_ID[kind]: str(id)}
        if params.get("clientOrderId"):
            return {"clientOrderId": str(params["clientOrderId"])}
        raise ccxt.ArgumentsRequired(f"{self.id}: name the order by its id or its clientOrderId.")
