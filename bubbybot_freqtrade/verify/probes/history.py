"""Lists of what was: their range and their pages."""

from __future__ import annotations

from typing import Any

from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.probe import Answer, Anything, probe
from bubbybot_freqtrade.verify.view import NotMeasuredError

GROUP = "history"
DAY_MS = 86_400_000
PAGE = 3
_PAGING = {"follows": "the next page goes on where the last one ended"}


def _pages(desk: Desk, path: str, cursor: str) -> Answer:
    """Two pages of a list, the second by the last id of the first."""
    first = desk.eventually(lambda: _full(desk, path))
    if not first:
        raise NotMeasuredError("the list is too short for two pages")
    ids = [int(row[cursor]) for row in first]
    second = desk.rows(path, limit=PAGE, after=str(ids[-1]))
    after = [int(row[cursor]) for row in second]
    if not after:
        raise NotMeasuredError("the list is too short for two pages")
    in_order = ids == sorted(ids, reverse=True) and after == sorted(after, reverse=True)
    follows = in_order and max(after) < ids[-1]
    return Answer("follows" if follows else "overlaps", f"{ids}, then {after}")


def _full(desk: Desk, path: str) -> list[dict[str, Any]]:
    rows = desk.rows(path, limit=PAGE)
    return rows if len(rows) == PAGE else []


def _fill_history(desk: Desk) -> None:
    """Two short round trips, so that there are pages."""
    for _ in range(2):
        with desk.long():
            sold_id, reply = desk.send_order("sell", desk.smallest, closing=True, reduceOnly="true")
            if not (reply.ok and desk.has_filled(sold_id)):
                raise NotMeasuredError(f"the position does not close: {reply.words}")


@probe(
    GROUP,
    "Do pages of orders-history follow one another?",
    assumed="follows",
    readings=_PAGING,
    advice="Restarts would not find old orders. Report it.",
)
def order_pages(desk: Desk) -> Answer:
    """Newest first, cut by `after`."""
    _fill_history(desk)
    return _pages(desk, "trade/orders-history", "orderId")


@probe(
    GROUP,
    "Do pages of fills-history follow one another?",
    assumed="follows",
    readings=_PAGING,
    advice="Fees of long trades would be wrong. Report it.",
)
def fill_pages(desk: Desk) -> Answer:
    """Newest first, cut by `after`."""
    _fill_history(desk)
    return _pages(desk, "trade/fills-history", "tradeId")


@probe(
    GROUP,
    "Does orders-history take begin and end?",
    assumed="taken",
    readings={"taken": "it does", "ignored": "it ignores them"},
    copes=("ignored",),
)
def history_range(desk: Desk) -> Answer:
    """A range that ended yesterday must not have today's orders."""
    with desk.waiting() as order_id:
        desk.cancel(order_id)
    if not desk.eventually(lambda: desk.rows("trade/orders-history", limit=5)):
        raise NotMeasuredError("the history is empty")
    now = desk.clock.now_ms()
    rows = desk.rows("trade/orders-history", limit=100, begin=now - 2 * DAY_MS, end=now - DAY_MS)
    today = [row for row in rows if int(row["createTime"]) > now - DAY_MS // 2]
    return Answer("ignored" if today else "taken")


@probe(GROUP, "How far back do funding fees go?", assumed="7 days", copes=Anything())
def funding_range(desk: Desk) -> Answer:
    """By the account's own payments; told only where it has old ones."""
    now = desk.clock.now_ms()
    rows = desk.get("account/funding-fees", limit=100, begin=now - 60 * DAY_MS).rows
    times = [int(row.get("fundingTime") or row.get("ts") or 0) for row in rows]
    if not times or now - min(times) < 5 * DAY_MS:
        raise NotMeasuredError("the account has paid no funding long enough ago")
    days = (now - min(times)) / DAY_MS
    return Answer("7 days" if days <= 7.5 else f"{days:.0f} days", f"oldest {days:.1f} days old")


PROBES = (order_pages, fill_pages, history_range, funding_range)
