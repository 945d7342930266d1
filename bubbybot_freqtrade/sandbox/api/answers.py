"""Answers of the REST API: the outer code, and the request a handler is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bubbybot_freqtrade.sandbox.api.candle_feed import CandleFeed
from bubbybot_freqtrade.sandbox.settings import ApiKey, Permission
from bubbybot_freqtrade.sandbox.venue.accounts import Account
from bubbybot_freqtrade.sandbox.venue.engine import Engine
from bubbybot_freqtrade.sandbox.venue.errors import (
    ALL_OPERATIONS_FAILED,
    MESSAGES,
    PARTIALLY_SUCCEEDED,
    VenueError,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """Body of an answer."""

    data: Any
    code: str = "0"
    msg: str = "success"

    def as_json(self) -> dict[str, Any]:
        """As it goes out; refusals carry no data."""
        if self.data is None and self.code != "0":
            return {"code": self.code, "msg": self.msg}
        return {"code": self.code, "msg": self.msg, "data": self.data}


def refusal(error: VenueError) -> Answer:
    """A request that was refused as a whole."""
    return Answer(None, error.code, error.msg)


def order_answer(rows: list[dict[str, Any]], failure_code: str) -> Answer:
    """Answer of a request that placed orders: 1 when all failed, 2 when some did."""
    failed = sum(row["code"] != "0" for row in rows)
    if not failed:
        return Answer(rows, msg="")
    if failed < len(rows):
        return Answer(rows, PARTIALLY_SUCCEEDED, MESSAGES[PARTIALLY_SUCCEEDED])
    if failure_code == "0":
        return Answer(rows, msg="")
    return Answer(rows, ALL_OPERATIONS_FAILED, MESSAGES[ALL_OPERATIONS_FAILED])


@dataclass(frozen=True, slots=True)
class PublicCall:
    """A request that needs no key. `fields` are the query parameters."""

    engine: Engine
    fields: Mapping[str, Any]
    feed: CandleFeed


@dataclass(frozen=True, slots=True)
class PrivateCall:
    """A request of a user. `fields` are the query parameters or the JSON body."""

    engine: Engine
    account: Account
    key: ApiKey
    fields: Mapping[str, Any]
    body: Any

    def rows(self) -> list[Mapping[str, Any]]:
        """The body as a list of objects (152004); a single object counts as a list of one."""
        rows = self.body if isinstance(self.body, list) else [self.body]
        if not rows or not all(isinstance(row, dict) for row in rows):
            raise VenueError("152004")
        return rows


@dataclass(frozen=True, slots=True)
class PrivateEndpoint:
    """A handler, what it needs, and whether it counts as a trading request.

    check: of the body, which the venue may make before it looks at the key's permission.
    """

    handle: Callable[[PrivateCall], Answer]
    permission: Permission = "READ"
    trading: bool = False
    check: Callable[[PrivateCall], None] | None = None
