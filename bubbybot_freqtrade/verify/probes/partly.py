"""An entry that has filled in part: no request asks for one, the market has to do it."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from functools import partial
from typing import Any

from bubbybot_freqtrade.verify.cleaning import Cleaner
from bubbybot_freqtrade.verify.desk import LARGEST_USDT, Desk
from bubbybot_freqtrade.verify.view import NotMeasuredError

# How often the book is looked at for an offer that is small enough to be taken up.
LOOKS_FOR_THIN_BOOK = 30
# Offers that are taken whole, and orders that wait for a taker, before it is given up; the plan's
# cost counts both.
TAKEN, WAITED = 2, 1
TRIES = TAKEN + WAITED
MET_WITHIN_S = 30.0


def partly_filled(desk: Desk) -> tuple[str, str]:
    """Our id and the side of an entry of which a part has filled and the rest waits.

    Up to twice what the best offer or bid has, by a limit there; of the two the smaller one. Where
    neither is ever small enough, a post-only order at the best bid waits to be met in part.

    :raises NotMeasuredError: when the market did it neither way
    """
    entry = _taking(desk) or _waiting(desk)
    if entry is None:
        raise NotMeasuredError(
            f"no entry filled in part, and no offer was below {LARGEST_USDT} USDT: name a pair "
            "with a thin book with --pair"
        )
    return entry


def _taking(desk: Desk) -> tuple[str, str] | None:
    taken = 0
    for _ in range(LOOKS_FOR_THIN_BOOK):
        side, price, size = _smaller_offer(desk)
        if size > _most(desk, price):
            desk.clock.sleep(1)
            continue
        entry_id = _sent(desk, side, size, price=price)
        state = desk.placed(entry_id).get("state")
        if state == "partially_filled":
            return entry_id, side
        # The price had moved on: nothing has filled, which costs nothing, or all of it.
        Cleaner(desk).clean()
        taken += state == "filled"
        if taken == TAKEN:
            break
        desk.clock.sleep(1)
    return None


def _smaller_offer(desk: Desk) -> tuple[str, Decimal, Decimal]:
    """Side, price and size of an entry that takes the thinner side of the book, and waits.

    The more waits, the longer it does; but a lot more than is offered is enough.
    """
    prices = desk.prices()
    sides = (("buy", prices.ask, prices.ask_size), ("sell", prices.bid, prices.bid_size))
    side, price, offered = min(sides, key=lambda one: one[1] * one[2])
    least = desk.instrument.size(offered) + desk.smallest
    return side, price, max(least, min(desk.instrument.size(2 * offered), _most(desk, price)))


def _most(desk: Desk, price: Decimal) -> Decimal:
    """The largest size that may be sent."""
    lots = LARGEST_USDT / (price * desk.instrument.contract_value) / desk.instrument.lot
    most = lots.quantize(Decimal(1), ROUND_DOWN) * desk.instrument.lot
    return min(most, desk.instrument.max_limit_size)


def _waiting(desk: Desk) -> tuple[str, str] | None:
    for _ in range(WAITED):
        bid = desk.prices().bid
        size = _most(desk, bid)
        if size < 2 * desk.smallest:
            return None
        entry_id = _sent(desk, "buy", size, price=bid, orderType="post_only")
        met = desk.eventually(partial(_met, desk, entry_id), MET_WITHIN_S)
        if met == "partially_filled":
            return entry_id, "buy"
        Cleaner(desk).clean()
    return None


def _sent(desk: Desk, side: str, size: Decimal, **fields: Any) -> str:
    entry_id, reply = desk.send_order(side, size, **fields)
    if not reply.ok:
        raise NotMeasuredError(f"the entry is refused: {reply.words}")
    return entry_id


def _met(desk: Desk, entry_id: str) -> str:
    state = str(desk.order(entry_id).get("state") or "live")
    return "" if state == "live" else state
