"""The venue's paging: `after` goes back in time, `before` forward, newest first either way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bubbybot_freqtrade.sandbox.venue import parameters
from bubbybot_freqtrade.sandbox.venue.errors import VenueError


def page(
    rows: Sequence[dict[str, Any]],
    fields: Mapping[str, Any],
    cursor: str,
    *,
    default: int = 20,
    maximum: int = 100,
) -> list[dict[str, Any]]:
    """The part of `rows` (newest first) that after, before and limit ask for.

    `cursor` names the field they refer to: `after` answers rows earlier than it, `before` rows
    newer than it, nearest to it first and still newest on top. Both at once are 152002.
    """
    limit = parameters.limit(fields, default, maximum)
    after = parameters.whole_number(fields, "after")
    before = parameters.whole_number(fields, "before")
    if after is not None and before is not None and cursor != "ts":
        raise VenueError("152002", "before")
    if after is not None:
        rows = [row for row in rows if int(row[cursor]) < after]
    if before is not None:
        rows = [row for row in rows if int(row[cursor]) > before]
        if after is None:
            return list(rows[-limit:])
    return list(rows[:limit])
