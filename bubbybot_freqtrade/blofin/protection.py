"""What freqtrade has to know of a stop that lives on BloFin: pure readings of the venue's answers.

BloFin keeps stop and target of a position in one TP/SL order. Orders here are ccxt's unified order
structures; amounts are contracts.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from bubbybot_freqtrade.blofin.bracket import TradeSide
from bubbybot_freqtrade.blofin.closings import LIQUIDATIONS, ended_at
from bubbybot_freqtrade.blofin.contracts import total

CcxtOrder = dict[str, Any]


def stop_candidates(tpsl_orders: Iterable[CcxtOrder], pair: str, side: str) -> list[CcxtOrder]:
    """Untriggered TP/SL orders with a stop that close a position of `pair` by `side`."""
    return [
        order
        for order in tpsl_orders
        if order["symbol"] == pair
        and order["side"] == side
        and order["status"] == "open"
        and order.get("stopLossPrice") is not None
    ]


def covers(order: CcxtOrder, contracts: float) -> bool:
    """Whether a TP/SL order closes `contracts`; BloFin's size -1 is the whole position."""
    size = order["info"].get("size")
    # Rows are padded on the venue: "-1.000000000000000000".
    if size not in (None, "") and Decimal(str(size)) < 0:
        return True
    return (order["amount"] or 0.0) >= contracts * (1 - 1e-9)


def closed_side(side: str) -> TradeSide:
    """Side of the position that an order of `side` closes."""
    return "long" if side == "sell" else "short"


def tighter(side: str, stop: float, other: float) -> bool:
    """Whether `stop` closes earlier than `other` for a stop order of that side."""
    return stop > other if side == "sell" else stop < other


def is_of_tpsl(order: CcxtOrder) -> bool:
    """Whether a TP/SL order has placed this one."""
    return order["info"].get("orderCategory") in ("tp", "sl")


def is_of_target(order: CcxtOrder | None) -> bool:
    """Whether a target has placed this order."""
    return order is not None and order["info"].get("orderCategory") == "tp"


def what_closed(order: CcxtOrder) -> str:
    """Return the order type that stands for `order`'s reason, a key of EXIT_REASONS."""
    category = order["info"].get("orderCategory")
    if category == "tp":
        return "take_profit"
    if category in LIQUIDATIONS:
        return "liquidation"
    return "stoploss" if category == "sl" else "closed_on_exchange"


def open_stop(tpsl: CcxtOrder, *, triggered: bool = False) -> CcxtOrder:
    """Give freqtrade a TP/SL order that still stands (or is being executed) as its stop order."""
    stop = {**tpsl, "type": "stoploss", "status": "open", "stopPrice": tpsl.get("stopLossPrice")}
    return {**stop, "status_stop": "triggered"} if triggered else stop


def canceled_stop(tpsl: CcxtOrder) -> CcxtOrder:
    """Give freqtrade a TP/SL order as canceled without a fill."""
    return {**open_stop(tpsl), "status": "canceled", "filled": 0.0, "fee": {}}


def passed(side: str, stop: float, price: float) -> bool:
    """Whether a price has reached `stop` for a stop order of that side."""
    return not tighter(side, price, stop)


def tightest(stops: Iterable[CcxtOrder]) -> CcxtOrder:
    """The one of (at least one) stop orders of a side that closes first."""
    found, *others = stops
    for stop in others:
        if tighter(stop["side"], stop["stopLossPrice"], found["stopLossPrice"]):
            found = stop
    return found


def partly_filled_stop(tpsl: CcxtOrder, closing: list[CcxtOrder]) -> CcxtOrder:
    """Give freqtrade a stop that has fired and taken off a part, or nothing, as canceled with it.

    freqtrade books the part, sees no stop any more and asks for another one.
    """
    if not closing:
        return canceled_stop(tpsl)
    return {**closed_stop(tpsl, closing), "status": "canceled"}


def closed_stop(tpsl: CcxtOrder, closing: list[CcxtOrder]) -> CcxtOrder:
    """Give freqtrade the orders that took a position off as the fill of its stop order.

    The last one names the reason; amounts, cost and fees add up, the price is their mean.
    """
    filled = total(order["filled"] for order in closing)
    value = sum(order["filled"] * order["average"] for order in closing)
    costs = [order["cost"] for order in closing if order.get("cost") is not None]
    fees = [order["fee"] for order in closing if (order.get("fee") or {}).get("cost") is not None]
    last = closing[-1]
    return {
        **open_stop(tpsl),
        "type": what_closed(last),
        "status": "closed",
        "status_stop": "triggered",
        "id_stop": last["id"],
        "amount": filled,
        "filled": filled,
        "remaining": 0.0,
        "price": value / filled,
        "average": value / filled,
        "cost": total(costs) if len(costs) == len(closing) else None,
        "fee": {"cost": total(f["cost"] for f in fees), "currency": fees[0].get("currency")}
        if fees and len(fees) == len(closing)
        else None,
        "lastTradeTimestamp": ended_at(last),
    }
