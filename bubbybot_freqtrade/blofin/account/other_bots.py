"""Other bots of this kind on the account, known by the clientOrderIds of their orders.

Each database's bot draws a prefix of its own. Two bots on one account share BloFin's limits, and in
one-way mode their positions of a pair are one.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from freqtrade.util import dt_now, dt_ts

from bubbybot_freqtrade.blofin.account import database
from bubbybot_freqtrade.blofin.account.venue import Requests

Row = dict[str, Any]

# How an order of such a bot is named: ClientOrderIds.new.
_ID = re.compile(r"(ft[0-9a-f]{6})[0-9a-f]{24}")

# A bot without a standing order for so long isn't counted any more.
ACTIVE = timedelta(minutes=30)

SETTING = "exchange.other_bots"


def prefix_of(row: Row) -> str | None:
    """The bot that has placed an order, None when it was none."""
    named = _ID.fullmatch(str(row.get("clientOrderId") or ""))
    return named[1] if named else None


class OtherBots:
    """Who else trades here, and which pairs are theirs. The requests are shared with them."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        requests.show_orders_to(self._note)
        # When each was seen last, and the pairs that each was first seen on.
        self._seen: dict[str, datetime] = {}
        self._first_pairs: dict[str, frozenset[str]] = {}
        self._pairs: frozenset[str] = frozenset()
        self._says: dict[str, str] = {}

    def look(self, rows: Iterable[Row]) -> None:
        """Take in all of the account's open orders and TP/SL orders."""
        theirs = self._theirs(rows)
        self._pairs = frozenset().union(*theirs.values())
        self._take(theirs)

    def _note(self, rows: Iterable[Row]) -> None:
        """Take in orders in any state, whatever they were asked for.

        Two that enter opposite sides of a pair in one-way mode leave nothing that stands, and a
        loop that has begun is long enough for both to use up what BloFin allows the account.
        """
        if not database.is_open():
            # It tells whose an order is.
            return
        since = dt_ts(dt_now() - ACTIVE)
        self._take(self._theirs(row for row in rows if since < (row.get("timestamp") or 0)))

    def _theirs(self, rows: Iterable[Row]) -> dict[str, set[str]]:
        theirs: dict[str, set[str]] = {}
        for row in rows:
            prefix = prefix_of(row)
            if prefix is not None and not self._requests.is_own(row):
                theirs.setdefault(prefix, set()).add(row["symbol"])
        return theirs

    def _take(self, theirs: dict[str, set[str]]) -> None:
        now = dt_now()
        # Replaced, not changed: a command from Telegram comes in a thread of its own.
        seen = self._seen | dict.fromkeys(theirs, now)
        self._seen = {prefix: at for prefix, at in seen.items() if now - at < ACTIVE}
        pairs = {
            prefix: pairs | self._first_pairs.get(prefix, frozenset())
            for prefix, pairs in theirs.items()
            if prefix not in self._says
        }
        self._first_pairs = self._first_pairs | {p: frozenset(all_) for p, all_ in pairs.items()}
        self._requests.share_with(self.count)

    def news(self) -> list[str]:
        """A sentence for each that was not told of yet."""
        new = {
            prefix: _told(prefix, pairs)
            for prefix, pairs in self._first_pairs.items()
            if prefix not in self._says
        }
        self._says = self._says | new
        return list(new.values())

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._seen)

    def trades(self, pair: str) -> bool:
        """Whether another bot has an order or a stop on a pair."""
        return pair in self._pairs

    def told(self) -> list[str]:
        """A sentence for each that is there, always the same."""
        return [self._says[prefix] for prefix in sorted(self._seen) if prefix in self._says]


def _told(prefix: str, pairs: Iterable[str]) -> str:
    return (
        f"Another bot (its orders' ids begin with {prefix}) trades on this BloFin account: "
        f"{', '.join(sorted(pairs))}. Its pairs are left alone, and this bot sends its share of "
        "the requests only. Give each bot pairs of its own, or better an account of its own. If "
        "it was this bot with another database, close those positions in the app."
    )
