"""Which orders closed how much of a trade's position: pure, from the venue's ended orders.

In one-way mode any order of the opposite side closes, reduce-only or not; what is left of it opens
the other side. Others may have added to the position by hand: what closes first is theirs, for a
trade is what the bot has entered.
"""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from bubbybot_freqtrade.blofin.bracket import TradeSide

CcxtOrder = dict[str, Any]

LIQUIDATIONS = ("full_liquidation", "partial_liquidation", "adl")
TRIGGERED = ("tp", "sl")


def closes(order: CcxtOrder) -> bool:
    """Whether an order can only have reduced a position."""
    category = order["info"].get("orderCategory")
    return bool(order.get("reduceOnly")) or category in (*TRIGGERED, *LIQUIDATIONS)


def is_of_side(order: CcxtOrder, side: TradeSide) -> bool:
    """Whether an order works on a position of that side: on any in one-way mode."""
    return order["info"].get("positionSide") in (side, "net", None, "")


def is_of_mode(order: CcxtOrder, mode: str | None) -> bool:
    """Whether an order works on a position in that margin mode, which one that names none may; any
    does where the position's is not known.
    """
    return mode is None or order["info"].get("marginMode", mode) == mode


def opens(order: CcxtOrder, side: TradeSide) -> bool:
    """Whether an order's side is the one that opens positions of `side`."""
    return bool(order["side"] == ("buy" if side == "long" else "sell"))


def ended_at(order: CcxtOrder) -> int:
    """When an order ended, ms."""
    return order.get("lastUpdateTimestamp") or order.get("timestamp") or 0


def in_sequence(orders: Iterable[CcxtOrder], side: TradeSide) -> list[CcxtOrder]:
    """Orders as they came to work on a position; BloFin counts ids up.

    What opens counts from when it was placed: its rest may be canceled long after a part has filled
    and been closed.
    """

    def place(order: CcxtOrder) -> tuple[int, int, str]:
        at = order.get("timestamp") or 0 if opens(order, side) else ended_at(order)
        return at, len(str(order["id"])), str(order["id"])

    return sorted(orders, key=place)


def part(order: CcxtOrder, contracts: Decimal) -> CcxtOrder:
    """Return `contracts` of a filled order, with their part of its cost and fee."""
    filled = Decimal(str(order["filled"]))
    if contracts >= filled:
        return order
    share = float(contracts / filled)
    fee = order.get("fee") or {}
    return {
        **order,
        "amount": float(contracts),
        "filled": float(contracts),
        "remaining": 0.0,
        "cost": None if order.get("cost") is None else order["cost"] * share,
        "fee": {**fee, "cost": fee["cost"] * share} if fee.get("cost") is not None else fee,
    }


def filled_by(order: CcxtOrder, fills: list[dict[str, Any]]) -> CcxtOrder:
    """Return an order with some of its fills alone, ccxt's trades in contracts, oldest first."""
    filled = float(sum((Decimal(str(fill["amount"])) for fill in fills), Decimal(0)))
    fees = [fill["fee"] for fill in fills if (fill.get("fee") or {}).get("cost") is not None]
    return {
        **order,
        "amount": filled,
        "filled": filled,
        "remaining": 0.0,
        "average": sum(fill["amount"] * fill["price"] for fill in fills) / filled,
        "cost": sum(fill["cost"] for fill in fills)
        if all(fill.get("cost") is not None for fill in fills)
        else None,
        "fee": {**fees[0], "cost": sum(fee["cost"] for fee in fees)} if fees else order.get("fee"),
        "timestamp": fills[0]["timestamp"],
        "lastUpdateTimestamp": fills[-1]["timestamp"],
    }


def without(order: CcxtOrder, booked: Iterable[CcxtOrder]) -> CcxtOrder:
    """Return a filled order without parts of it that are booked, with what is left of its value.

    :param booked: the parts, with `filled`, `average` and `fee`; contracts as those of the order
    """
    parts = list(booked)
    if not parts:
        return order
    filled = Decimal(str(order["filled"]))
    left = filled - sum((Decimal(str(p["filled"])) for p in parts), Decimal(0))
    if left <= 0:
        return {**order, "filled": 0.0}
    whole = order["filled"] * order["average"]
    value = whole - sum(p["filled"] * p["average"] for p in parts)
    fee = order.get("fee") or {}
    if fee.get("cost") is not None:
        fee = {**fee, "cost": fee["cost"] - sum(p["fee"] for p in parts)}
    return {
        **order,
        "amount": float(left),
        "filled": float(left),
        "remaining": 0.0,
        "average": value / float(left),
        "cost": None if order.get("cost") is None else order["cost"] * value / whole,
        "fee": fee,
    }


def closing_parts(
    ended: Iterable[CcxtOrder],
    side: TradeSide,
    known: Collection[str],
    contracts: float,
    before: float = 0.0,
    booked: Mapping[str, list[CcxtOrder]] | None = None,
) -> list[CcxtOrder]:
    """Orders, or parts of them, that closed the last `contracts` of a trade and aren't booked.

    :param ended: filled orders of the pair since the trade's entry, that one included; those that
        close may still be open
    :param known: ids of those that freqtrade has booked or will book by itself
    :param contracts: that are to be explained: the trade's less the position's
    :param before: contracts the position had before the first of `ended`
    :param booked: parts of orders that are booked, by the order's id, see `without`
    :return: oldest first; they add up to less than `contracts` where not all is explained
    """
    held, found = Decimal(str(before)), list[tuple[CcxtOrder, Decimal]]()
    for order in in_sequence((o for o in ended if is_of_side(o, side)), side):
        filled = Decimal(str(order["filled"]))
        if opens(order, side):
            held += filled
            continue
        if held <= 0:
            # It closed what was there before the entry.
            continue
        closed = filled if closes(order) else min(filled, held)
        held -= filled
        if order["id"] not in known:
            rest = without(order, (booked or {}).get(order["id"], ()))
            closed -= filled - Decimal(str(rest["filled"]))
            if closed > 0:
                found.append((rest, closed))
        if held <= 0:
            # What comes later is about another position.
            break
    return _last(found, Decimal(str(contracts)))


def _last(found: list[tuple[CcxtOrder, Decimal]], wanted: Decimal) -> list[CcxtOrder]:
    parts: list[CcxtOrder] = []
    for order, closed in reversed(found):
        if wanted <= 0:
            break
        parts.insert(0, part(order, min(closed, wanted)))
        wanted -= closed
    return parts


def closed_contracts(parts: Iterable[CcxtOrder]) -> float:
    """Contracts that closing parts add up to."""
    return float(sum((Decimal(str(o["filled"])) for o in parts), Decimal(0)))
