"""Other bots of this kind on the account, known by the clientOrderIds of their orders.

Each database's bot draws a prefix of its own. Two bots on one account share BloFin's limits, and in
one-way mode their positions of a pair are one.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from freqtrade.util import dt_now, dt_ts

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
    """Who else trades here, and which pairs are theirs."""

    def __init__(self, is_own: Callable[[Row], bool]) -> None:
        self._is_own = is_own
        self._seen: dict[str, datetime] = {}
        self._pairs: set[str] = set()
        self._says: dict[str, str] = {}

    def look(self, rows: Iterable[Row]) -> list[str]:
        """Take in the account's open orders and TP/SL orders; a sentence for each new bot."""
        now, theirs = dt_now(), dict[str, set[str]]()
        for row in rows:
            prefix = prefix_of(row)
            if prefix is not None and not self._is_own(row):
                theirs.setdefault(prefix, set()).add(row["symbol"])
        self._pairs = {pair for pairs in theirs.values() for pair in pairs}
        return self._take(theirs, now)

    def look_back(self, ended: Iterable[Row]) -> list[str]:
        """Take in orders that have ended; a sentence for each new bot.

        Two that enter opposite sides of a pair in one-way mode leave nothing that stands.
        """
        now, theirs = dt_now(), dict[str, set[str]]()
        for row in ended:
            prefix = prefix_of(row)
            recent = dt_ts(now - ACTIVE) < (row.get("timestamp") or 0)
            if prefix is not None and recent and not self._is_own(row):
                theirs.setdefault(prefix, set()).add(row["symbol"])
        return self._take(theirs, now)

    def _take(self, theirs: dict[str, set[str]], now: datetime) -> list[str]:
        self._seen |= dict.fromkeys(theirs, now)
        self._seen = {prefix: at for prefix, at in self._seen.items() if now - at < ACTIVE}
        new = {p: _told(p, pairs) for p, pairs in theirs.items() if p not in self._says}
        self._says |= new
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
        return [self._says[prefix] for prefix in sorted(self._seen)]


def _told(prefix: str, pairs: Iterable[str]) -> str:
    return (
        f"Another bot (its orders' ids begin with {prefix}) trades on this BloFin account: "
        f"{', '.join(sorted(pairs))}. Its pairs are left alone, and this bot sends its share of "
        "the requests only. Give each bot pairs of its own, or better an account of its own. If "
        "it was this bot with another database, close those positions in the app."
    )
