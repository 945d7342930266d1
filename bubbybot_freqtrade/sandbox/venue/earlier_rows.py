"""Orders and TP/SLs as their lists show them, where lists are behind what has happened."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import replace
from typing import Any, Generic, TypeVar

from bubbybot_freqtrade.sandbox.venue.amounts import ZERO
from bubbybot_freqtrade.sandbox.venue.core import Venue
from bubbybot_freqtrade.sandbox.venue.orders import Order, TpslOrder

Kind = TypeVar("Kind", Order, TpslOrder)


class EarlierRows(Generic[Kind]):
    """What orders of one kind were `delay_ms` ago; nothing is kept without a delay."""

    def __init__(self, venue: Venue, delay_ms: int) -> None:
        self._venue = venue
        self._delay_ms = delay_ms
        # By id, oldest first, each with when (ms) it became so. One is left of what still stands.
        self._versions: dict[str, deque[tuple[int, Kind]]] = {}

    def note(self, row_id: str, row: Kind) -> None:
        """An order stands so from now on."""
        if not self._delay_ms:
            return
        versions = self._versions.get(row_id)
        if versions is None:
            versions = self._versions[row_id] = deque([(row.created_ms, _as_placed(row))])
        versions.append((self._venue.now_ms, copy(row)))

    def standing(self, rows: dict[str, Kind], open_ids: Iterable[str]) -> Iterator[Kind]:
        """Those of an account that stand as far as is seen."""
        for row_id in dict.fromkeys((*open_ids, *self._versions)):
            if row_id in rows and _stands(row := self._seen(row_id, rows[row_id])):
                yield row

    def ended(self, rows: dict[str, Kind]) -> Iterator[Kind]:
        """Those of an account that have ended as far as is seen, the latest placed first."""
        for row_id, order in reversed(rows.items()):
            if not _stands(row := self._seen(row_id, order)):
                yield row

    def _seen(self, row_id: str, row: Kind) -> Kind:
        versions = self._versions.get(row_id)
        if versions is None:
            return row
        newest = self._venue.now_ms - self._delay_ms
        while len(versions) > 1 and versions[1][0] <= newest:
            versions.popleft()
        if len(versions) == 1 and not _stands(row):
            del self._versions[row_id]
        return versions[0][1]


def _stands(row: Any) -> bool:
    return row.state in ("live", "partially_filled")


def _as_placed(row: Kind) -> Kind:
    """Before anything of it had filled."""
    if isinstance(row, TpslOrder):
        return replace(row, state="live")
    return replace(
        row,
        state="live",
        filled=ZERO,
        fill_value=ZERO,
        fee=ZERO,
        pnl=ZERO,
        cancel_source="not_canceled",
        cancel_reason=None,
    )
