"""Reading of request parameters: text, numbers and flags out of JSON bodies and query strings.

The venue's parameters are strings, but its clients also send JSON numbers and booleans, and empty
strings for what they leave out; all of that is let in here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from bubbybot_freqtrade.sandbox.venue.errors import VenueError

Fields = Mapping[str, Any]

_CLIENT_ID = re.compile(r"[A-Za-z0-9_]{1,32}")
# Beyond these the venue has no amounts, times or ids, and the arithmetic here no room.
_MAX_DIGITS = 30
_MAX_EXPONENT = 30
_MAX_INTEGER_DIGITS = 18


def text(fields: Fields, name: str, default: str = "") -> str:
    """A parameter as text; absent, null and empty are `default`."""
    value = fields.get(name)
    if value is None or value == "":
        return default
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        raise VenueError("152002", name)
    return str(value)


def required(fields: Fields, name: str) -> str:
    """A parameter that may not be left out (152001)."""
    value = text(fields, name)
    if not value:
        raise VenueError("152001", name)
    return value


def choice(fields: Fields, name: str, allowed: tuple[str, ...], default: str = "") -> str:
    """One of `allowed` (152002); required (152001) unless a default is given."""
    value = text(fields, name, default) if default else required(fields, name)
    if value not in allowed:
        raise VenueError("152002", name)
    return value


def number(fields: Fields, name: str) -> Decimal | None:
    """A finite decimal number, None when left out (152002 when it is something else)."""
    raw = text(fields, name)
    if not raw:
        return None
    try:
        value = Decimal(raw)
    except InvalidOperation:
        raise VenueError("152002", name) from None
    if not value.is_finite() or len(value.as_tuple().digits) > _MAX_DIGITS:
        raise VenueError("152002", name)
    if abs(value.adjusted()) > _MAX_EXPONENT:
        raise VenueError("152002", name)
    return value


def required_number(fields: Fields, name: str) -> Decimal:
    """A number that may not be left out (152001)."""
    value = number(fields, name)
    if value is None:
        raise VenueError("152001", name)
    return value


def whole_number(fields: Fields, name: str) -> int | None:
    """A non-negative integer such as a time in ms or an id, None when left out."""
    raw = text(fields, name)
    if not raw:
        return None
    if not raw.isascii() or not raw.isdigit() or len(raw) > _MAX_INTEGER_DIGITS:
        raise VenueError("152002", name)
    return int(raw)


def flag(fields: Fields, name: str) -> bool:
    """`true` or `false`, also as JSON booleans; false when left out."""
    return choice(fields, name, ("true", "false"), default="false") == "true"


def client_id(fields: Fields, name: str) -> str:
    """An id of the client's own: up to 32 letters, digits or underscores (152009)."""
    value = text(fields, name)
    if value and not _CLIENT_ID.fullmatch(value):
        raise VenueError("152009", name)
    return value


def limit(fields: Fields, default: int, maximum: int) -> int:
    """Page size; beyond the maximum the maximum is served, as the venue does."""
    value = whole_number(fields, "limit")
    if value is None:
        return default
    if value == 0:
        raise VenueError("152002", "limit")
    return min(value, maximum)
