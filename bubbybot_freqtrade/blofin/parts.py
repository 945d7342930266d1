"""Exits larger than one order may be: sent in parts, shown to freqtrade as one order.

freqtrade keeps one order for one exit. The parts' clientOrderIds tell that they belong together and
how many there are, so that a bot that was started again finds them too: they are the same but for
the last two digits, the part's number and the number of parts.
"""

import re
from collections.abc import Iterable
from decimal import ROUND_FLOOR, Decimal

from freqtrade.exchange.exchange_types import CcxtOrder

from bubbybot_freqtrade.blofin.contracts import total

_PART = re.compile(r"(ft[0-9a-f]{27}p)([1-9a-f])([2-9a-f])")
# As many as a hexadecimal digit counts.
MOST = 15


def split(contracts: float, largest: float | None, lot: float | None) -> list[float]:
    """Sizes of the orders that `contracts` go out in, none larger than `largest`; at most `MOST`.

    :param lot: step of sizes, None when there is none
    """
    if not largest or contracts <= largest:
        return [contracts]
    left, most, step = (Decimal(str(number)) for number in (contracts, largest, lot or 0))
    if step:
        most = (most / step).to_integral_value(rounding=ROUND_FLOOR) * step
    sizes: list[float] = []
    while left > 0 and len(sizes) < MOST:
        sizes.append(float(min(left, most)))
        left -= min(left, most)
    return sizes


def part_ids(client_order_id: str, count: int) -> list[str]:
    """The clientOrderIds of `count` parts, made from a new one of this bot; itself for one."""
    if count == 1:
        return [client_order_id]
    base = client_order_id[:29]
    return [f"{base}p{number:x}{count:x}" for number in range(1, count + 1)]


def other_parts(client_order_id: str | None) -> list[str]:
    """The clientOrderIds of the parts that an order has beside it; empty when it has none."""
    match = _PART.fullmatch(client_order_id or "")
    if match is None:
        return []
    base, own, count = match.groups()
    numbers = range(1, int(count, 16) + 1)
    return [f"{base}{number:x}{count}" for number in numbers if number != int(own, 16)]


def with_parts(known_ids: set[str], orders: Iterable[CcxtOrder]) -> set[str]:
    """`known_ids` with the ids of orders that are parts of a known one."""
    orders = list(orders)
    known_parts = {
        part
        for order in orders
        if order["id"] in known_ids
        for part in other_parts(order.get("clientOrderId"))
    }
    return known_ids | {o["id"] for o in orders if o.get("clientOrderId") in known_parts}


def merged(parts: list[CcxtOrder]) -> CcxtOrder:
    """Parts as one order, the first of them: amounts and fees add up, the price is their mean."""
    first, filled = parts[0], total(part.get("filled") or 0.0 for part in parts)
    value = sum((p.get("filled") or 0.0) * (p.get("average") or 0.0) for p in parts)
    statuses = {part["status"] for part in parts}
    ended = [status for status in ("open", "canceled") if status in statuses]
    fees = [part["fee"] for part in parts if (part.get("fee") or {}).get("cost") is not None]
    costs = [part["cost"] for part in parts if part.get("cost") is not None]
    return {
        **first,
        "status": ended[0] if ended else first["status"],
        "amount": total(part["amount"] for part in parts),
        "filled": filled,
        "remaining": total(part.get("remaining") or 0.0 for part in parts),
        "average": value / filled if filled else None,
        "cost": total(costs) if len(costs) == len(parts) else None,
        "fee": {"cost": total(f["cost"] for f in fees), "currency": fees[0].get("currency")}
        if fees
        else first.get("fee"),
        "lastTradeTimestamp": max(p.get("lastTradeTimestamp") or 0 for p in parts) or None,
    }
