"""How a call to the venue is written once for sync and async, and what all of them share.

A call is a generator: it yields the name of a ccxt method with its arguments, is given the answer
and at its end returns the result. `blocking` and `awaiting` turn such a generator into the method
of a sync or an async class; that is the only difference between the two.
"""

import functools
import inspect
from collections.abc import Callable, Generator
from typing import Any

import ccxt

from bubbybot_freqtrade.blofin.ccxt_blofin.rows import readable

Steps = Generator[tuple[Any, ...], Any, Any]
Row = dict[str, Any]

# Of up to 100 rows each. There are 450 requests a minute for the whole process; nobody holds that
# many orders, and histories are asked for since a time.
MOST_PAGES = 30

NO_PARAMS: dict[str, Any] = {}


def blocking(call: Callable[..., Steps]) -> Callable[..., Any]:
    """The method of a sync class that carries out `call`."""

    @functools.wraps(call)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.markets is None:
            self.load_markets()
        steps = call(self, *args, **kwargs)
        try:
            name, *arguments = next(steps)
            while True:
                try:
                    answer = getattr(self, name)(*arguments)
                except ccxt.BaseError as e:
                    name, *arguments = steps.throw(e)
                else:
                    with readable(self.id, f"The answer of {name}"):
                        name, *arguments = steps.send(answer)
        except StopIteration as end:
            return end.value

    return method


def awaiting(call: Callable[..., Steps]) -> Callable[..., Any]:
    """The method of an async class that carries out `call`."""

    @functools.wraps(call)
    async def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.markets is None:
            await self.load_markets()
        steps = call(self, *args, **kwargs)
        try:
            name, *arguments = next(steps)
            while True:
                try:
                    answer = await getattr(self, name)(*arguments)
                except ccxt.BaseError as e:
                    name, *arguments = steps.throw(e)
                else:
                    with readable(self.id, f"The answer of {name}"):
                        name, *arguments = steps.send(answer)
        except StopIteration as end:
            return end.value

    return method


def with_calls(
    how: Callable[[Callable[..., Steps]], Any], *sources: type
) -> Callable[[type], type]:
    """A class decorator that adds every call of the classes `sources`, bound by `how`."""

    def decorate(cls: type) -> type:
        for source in sources:
            for name, call in vars(source).items():
                if inspect.isgeneratorfunction(call):
                    setattr(cls, name, how(call))
        return cls

    return decorate


def pages(
    exchange: Any,
    endpoint: str,
    request: Row,
    cursor: str,
    wanted: int | None = None,
    since: int | None = None,
) -> Steps:
    """Rows of a list that comes newest first, page after page.

    It ends with the list, with `wanted` rows, or with a row created before `since`.

    :raises ccxt.BadResponse: when the list doesn't end within `MOST_PAGES`, or its cursor doesn't
        move on: a part of it must not be taken for the whole
    """
    rows: list[Row] = []
    seen: set[str] = set()
    for _ in range(MOST_PAGES):
        page = rows_of((yield endpoint, request))
        rows += page
        if len(page) < request["limit"] or (wanted is not None and len(rows) >= wanted):
            return rows
        last = page[-1]
        created = exchange.safe_integer(last, "createTime")
        passed = since is not None and created is not None and created < since
        if passed:
            return rows
        if str(last.get(cursor)) in seen:
            raise ccxt.BadResponse(
                f"{exchange.id}: the list of {endpoint} has no next page where it should have one. "
                "Nothing is done on it."
            )
        seen.add(str(last.get(cursor)))
        request = {**request, "after": last.get(cursor)}
    raise ccxt.BadResponse(
        f"{exchange.id}: the list of {endpoint} has more than {len(rows)} rows. It is not read "
        "further, and nothing is done on it."
    )


def between(request: Row, since: int | None, params: Row) -> None:
    if since is not None:
        request["begin"] = since
    if params.get("until") is not None:
        request["end"] = int(params["until"])


def rows_of(answer: Any) -> list[Row]:
    """``data`` as a list of objects, whether the venue sent one or a single object.

    `rows.check_answer` has seen to it that it is one of the two.
    """
    data = answer.get("data") if isinstance(answer, dict) else None
    if isinstance(data, dict):
        return [data]
    return [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []


def first_row(answer: Any) -> Row:
    rows = rows_of(answer)
    return rows[0] if rows else {}


def given_fields(row: Row) -> Row:
    """`row` without its empty fields, so that it does not hide what the request says."""
    return {k: v for k, v in row.items() if v not in (None, "")}


def time_of(entry: Row) -> int:
    return entry.get("timestamp") or 0


def latest_or_first(entries: list[Row], since: int | None, limit: int | None) -> list[Row]:
    """From `since` on the first `limit`, without `since` the last, of a list in order of time.

    Entries without a time are kept: the venue's TP/SL history leaves it out.
    """
    if since is not None:
        entries = [e for e in entries if not time_of(e) or time_of(e) >= since]
        return entries if limit is None else entries[:limit]
    return entries if limit is None else entries[-limit:]
