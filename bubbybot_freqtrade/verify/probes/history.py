"""Lists of what was: their range and their pages."""

from __future__ import annotations

from math import ceil
from typing import Any

from bubbybot_freqtrade.verify.client import NoAnswerError
from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.probe import Answer, Anything, probe
from bubbybot_freqtrade.verify.view import NotMeasuredError

GROUP = "history"
DAY_MS = 86_400_000
PAGE = 3
MOST_PAGES = 20
LONG_AGO_DAYS = 90
# The last payment of seven days is up to a settlement younger than they are.
SHORTEST_DAYS = 6.5
_PAGING = {"follows": "the next page goes on where the last one ended"}


def _pages(desk: Desk, path: str, cursor: str, **params: Any) -> Answer:
    """Two pages of a list, the second by the last id of the first."""
    first = desk.eventually(lambda: _full(desk, path, params))
    if not first:
        raise NotMeasuredError("the list is too short for two pages")
    ids = [int(row[cursor]) for row in first]
    second = _rows(desk, path, limit=PAGE, after=str(ids[-1]), **params)
    after = [int(row[cursor]) for row in second]
    if not after:
        raise NotMeasuredError("the list is too short for two pages")
    in_order = ids == sorted(ids, reverse=True) and after == sorted(after, reverse=True)
    follows = in_order and max(after) < ids[-1]
    return Answer("follows" if follows else "overlaps", f"{ids}, then {after}")


def _full(desk: Desk, path: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    rows = _rows(desk, path, limit=PAGE, **params)
    return rows if len(rows) == PAGE else []


def _rows(desk: Desk, path: str, **params: Any) -> list[dict[str, Any]]:
    """Of one list; of all pairs unless `instId` is given."""
    reply = desk.get(path, **params)
    if not reply.ok:
        raise NoAnswerError(f"{path}: {reply.words}")
    if len(reply.rows) != len(reply.data or ()):
        raise NoAnswerError(f"{path}: rows that are none")
    return reply.rows


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
    return _pages(desk, "trade/orders-history", "orderId", instId=desk.instrument.inst_id)


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
    return _pages(desk, "trade/fills-history", "tradeId", instId=desk.instrument.inst_id)


@probe(
    GROUP,
    "Do pages of funding-fees follow one another?",
    assumed="follows",
    readings=_PAGING,
    advice="Funding of trades would be counted twice, or not at all. Report it.",
)
def funding_pages(desk: Desk) -> Answer:
    """Newest first, cut by `after`; told only where the account has paid some."""
    return _pages(desk, "account/funding-fees", "billId")


_RANGE = {"taken": "it does", "ignored": "it ignores them"}


def _range(desk: Desk, path: str, time: str) -> Answer:
    """A range that ended yesterday must have nothing of today; and how far back rows go at all."""
    inst_id, now = desk.instrument.inst_id, desk.clock.now_ms()
    before = {"begin": now - 2 * DAY_MS, "end": now - DAY_MS}
    rows = _rows(desk, path, instId=inst_id, limit=100, **before)
    outside = [row for row in rows if not before["begin"] <= int(row[time]) <= before["end"]]
    long_ago = {"begin": now - LONG_AGO_DAYS * DAY_MS, "end": now - DAY_MS}
    old = [int(row[time]) for row in _rows(desk, path, instId=inst_id, limit=100, **long_ago)]
    oldest = f"{(now - min(old)) / DAY_MS:.1f} days" if old else "none of yesterday or before"
    return Answer("ignored" if outside else "taken", f"oldest of a page of 100: {oldest}")


@probe(
    GROUP,
    "Does orders-history take begin and end?",
    assumed="taken",
    readings=_RANGE,
    copes=("ignored",),
)
def order_range(desk: Desk) -> Answer:
    """With an order of today."""
    with desk.waiting() as order_id:
        desk.cancel(order_id)
    if not desk.eventually(lambda: desk.rows("trade/orders-history", limit=5)):
        raise NotMeasuredError("the history is empty")
    return _range(desk, "trade/orders-history", "createTime")


@probe(
    GROUP,
    "Does fills-history take begin and end?",
    assumed="taken",
    readings=_RANGE,
    copes=("ignored",),
)
def fill_range(desk: Desk) -> Answer:
    """With fills of today."""
    _fill_history(desk)
    if not desk.eventually(lambda: desk.rows("trade/fills-history", limit=5)):
        raise NotMeasuredError("the history is empty")
    return _range(desk, "trade/fills-history", "ts")


@probe(
    GROUP,
    "How many days back do funding fees go, at least?",
    setting="funding_days",
    copes=Anything(),
)
def funding_range(desk: Desk) -> Answer:
    """By the account's own payments; told only where it has old ones."""
    now = desk.clock.now_ms()
    times = _funding_times(desk, now - LONG_AGO_DAYS * DAY_MS)
    age = (now - min(times, default=now)) / DAY_MS
    if age < SHORTEST_DAYS:
        raise NotMeasuredError(
            f"the account's oldest payment is {age:.1f} days old, or the venue tells no older one"
        )
    return Answer(ceil(age), f"oldest {age:.1f} days old, {len(times)} payments")


def _funding_times(desk: Desk, since_ms: int) -> list[int]:
    """When funding was paid, of all pairs, newest first."""
    times: list[int] = []
    cursor: dict[str, str] = {}
    for _ in range(MOST_PAGES):
        rows = _rows(desk, "account/funding-fees", limit=100, begin=since_ms, **cursor)
        page = [int(row.get("fundingTime") or row["ts"]) for row in rows]
        if not page or (times and min(page) >= min(times)):
            break
        times += page
        cursor = {"after": str(rows[-1]["billId"])}
    return times


PROBES = (order_pages, fill_pages, funding_pages, order_range, fill_range, funding_range)
