"""Two bots on one account that have entered one position: who came first keeps it.

Each looks before it enters, so it takes the same second to happen. BloFin's sequence of orders is
the same for both: exactly one gives way.

Only to be imported once freqtrade is complete: freqtrade.persistence imports freqtrade.exchange.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from freqtrade.persistence import Trade

from bubbybot_freqtrade.blofin.account import database
from bubbybot_freqtrade.blofin.account.other_bots import prefix_of
from bubbybot_freqtrade.blofin.account.venue import Requests
from bubbybot_freqtrade.blofin.closings import closes, ended_at, in_sequence, opens
from bubbybot_freqtrade.blofin.protection import closed_side

Row = dict[str, Any]

# The other bot's entry is looked for from so long before this one's. An older one was first.
LOOKS_BACK = timedelta(minutes=2)


class FirstCome:
    """Tells which trades of this bot came second."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        # By this bot's entry and the other bot: whether the other was there before.
        self._were_first: dict[tuple[str, str], bool] = {}

    def second_to(self, trade: Trade, stops: Iterable[Row]) -> str | None:
        """The bot that a trade came second to in its position; None when it did not.

        :param stops: the account's TP/SL orders; one of another bot on the same side means that it
            holds a part of the position
        """
        entry = database.first_entry(trade.pair)
        if entry is None or not trade.has_open_position:
            return None
        theirs = {
            prefix_of(row)
            for row in stops
            if (row["symbol"], closed_side(row["side"])) == (trade.pair, trade.trade_direction)
            and not self._requests.is_own(row)
        }
        for prefix in sorted(filter(None, theirs)):
            key = str(entry.order_id), prefix
            if key not in self._were_first:
                self._were_first[key] = self._was_first(trade, key[0], prefix)
            if self._were_first[key]:
                return prefix
        return None

    def _was_first(self, trade: Trade, entry_id: str, prefix: str) -> bool:
        own = self._requests.order(entry_id, trade.pair)
        if own is None:
            # BloFin doesn't tell any more: an old trade, and no race.
            return False
        side = trade.trade_direction
        since = int(own["timestamp"] - LOOKS_BACK.total_seconds() * 1000)
        waiting = [row for row in self._requests.rows("orders") if row["symbol"] == trade.pair]
        orders = [*self._requests.ended_orders(trade.pair, since), *waiting]
        theirs = [order for order in orders if prefix_of(order) == prefix]
        left = max((ended_at(o) for o in theirs if closes(o)), default=0)
        entries = [o for o in theirs if opens(o, side) and not closes(o)]
        # What they had left before this bot entered is another trade.
        if left < own["timestamp"]:
            entries = [order for order in entries if order["timestamp"] > left]
        return not entries or in_sequence([own, *entries], side)[0]["id"] != own["id"]
