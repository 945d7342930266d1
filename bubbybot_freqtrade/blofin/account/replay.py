"""What became of trades while the database didn't look: pure, from the orders it doesn't know.

A bot that was killed, or whose database is an older copy, finds orders of its own that it doesn't
know. In the sequence in which they ended they tell its trades: what was entered, added, closed, and
what stands.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from bubbybot_freqtrade.blofin.bracket import TradeSide
from bubbybot_freqtrade.blofin.closings import CcxtOrder, in_sequence, is_of_side, opens, part


@dataclass(slots=True)
class Life:
    """A trade's fills that the database doesn't know, in contracts.

    continues: whether it is the one that the database has open; `left` is what stands.
    """

    continues: bool = False
    entries: list[CcxtOrder] = field(default_factory=list)
    exits: list[CcxtOrder] = field(default_factory=list)
    left: Decimal = Decimal(0)


def lives(
    unknown: Iterable[CcxtOrder],
    side: TradeSide,
    is_own: Callable[[CcxtOrder], bool],
    contracts: float = 0.0,
) -> list[Life]:
    """Lives of a pair's trades of one side, oldest first; one without any fill is left out.

    :param unknown: ended orders with a fill, of this bot and of others
    :param contracts: that the database's open trade has
    """
    current = Life(continues=True, left=Decimal(str(contracts))) if contracts else None
    found: list[Life] = []
    others = Decimal(0)
    for order in in_sequence((o for o in unknown if is_of_side(o, side)), side):
        filled, own = Decimal(str(order["filled"])), is_own(order)
        if opens(order, side):
            if own and not order.get("reduceOnly"):
                current = current or Life()
                current.entries.append(order)
                current.left += filled
            elif not own and not order.get("reduceOnly"):
                others += filled
            continue
        # What others have added closes first, but for the bot's own exits.
        of_others = Decimal(0) if own else min(filled, others)
        others -= of_others
        closed = min(filled - of_others, current.left) if current else Decimal(0)
        if current is None or closed <= 0:
            continue
        current.exits.append(part(order, closed))
        current.left -= closed
        if current.left <= 0:
            found.append(current)
            current = None
    return [
        life for life in [*found, *([current] if current else [])] if life.entries or life.exits
    ]
