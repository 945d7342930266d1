"""Rows of the account as its websocket has pushed them, to be held against its lists.

A row is known again by its id and stands as the few fields say that make it another one; the rest
is its value and its progress in time. Numbers are compared as numbers: "1" is also "1.000000".
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

State = tuple[Any, ...]
"""The telling fields of a row; `ENDED` of one that stands no more."""

ENDED: State = ()
# Of a push that can't be read: no list shows it.
UNREADABLE: State = ("?",)

LIST_OF_CHANNEL = {"orders": "orders", "orders-algo": "tpsl", "positions": "positions"}
CHANNEL_OF_LIST = {name: channel for channel, name in LIST_OF_CHANNEL.items()}
_IDS = {
    "orders": ("orderId",),
    "tpsl": ("tpslId", "algoId"),
    "positions": ("positionId",),
}
_FIELDS = {
    "orders": ("size", "price", "filledSize"),
    "tpsl": ("size", "slTriggerPrice", "tpTriggerPrice"),
    "positions": ("positions", "leverage", "marginMode"),
}
_STAND = ("live", "partially_filled")
# What is kept of a list that nobody asks for; what is dropped was not pushed, which is the side of
# caution.
_MOST = 2_000


@dataclass(frozen=True, slots=True)
class Pushed:
    """A row of a list, by its name in `loop_state`, as it was pushed."""

    name: str
    row_id: str
    state: State


def read_push(channel: str, row: Any) -> Pushed:
    """What one row of a push says; one that can't be read says that anything may have changed."""
    name = LIST_OF_CHANNEL[channel]
    row_id = _id_of(name, row) if isinstance(row, Mapping) else ""
    return Pushed(name, row_id, _state_of(name, row) if row_id else UNREADABLE)


def shown_states(name: str, rows: Iterable[Mapping[str, Any]]) -> dict[str, State]:
    """How the rows of a list stand, by id.

    :param rows: ccxt's, with the venue's own under `info`
    """
    states = {str(row["id"]): _state_of(name, row.get("info") or {}) for row in rows}
    return {row_id: state for row_id, state in states.items() if state != ENDED}


def _id_of(name: str, row: Mapping[str, Any]) -> str:
    return str(next((row[field] for field in _IDS[name] if row.get(field)), ""))


def _state_of(name: str, row: Mapping[str, Any]) -> State:
    state = tuple(_plain(row.get(field)) for field in _FIELDS[name])
    ended = not state[0] if name == "positions" else row.get("state", "live") not in _STAND
    return ENDED if ended else state


def _plain(value: Any) -> Any:
    """A number, or text that is none; what isn't there may be written as 0."""
    try:
        return float(value) or None
    except (TypeError, ValueError):
        return value or None


class PushedRows:
    """What was pushed of one list, and when it was taken in (monotonic, s, of the loop)."""

    def __init__(self) -> None:
        self._taken: deque[tuple[float, Pushed]] = deque(maxlen=_MOST)

    def take(self, row: Pushed, now: float) -> None:
        """Remember a row that was pushed."""
        self._taken.append((now, row))

    def drop_before(self, moment: float) -> None:
        """Forget what was taken in before."""
        while self._taken and self._taken[0][0] < moment:
            self._taken.popleft()

    def last_at(self) -> float:
        """When the last one was taken in; minus infinity when none was."""
        return self._taken[-1][0] if self._taken else float("-inf")

    def tells(self, row_id: str, state: State | None, since: float) -> bool:
        """Whether a row was pushed as it stands, since a moment; `state` None: in any state."""
        return any(
            at >= since and row.row_id == row_id and state in (None, row.state)
            for at, row in self._taken
        )

    def are_shown(self, name: str, states: Mapping[str, State], since: float) -> bool:
        """Whether a list shows all that was pushed since a moment, and can't lag behind it.

        It can where a row was pushed in two states: which is the later one is not known. An order
        that has ended stays so.
        """
        said: defaultdict[str, set[State]] = defaultdict(set)
        for at, row in self._taken:
            if at >= since:
                said[row.row_id].add(row.state)
        for row_id, told in said.items():
            if name != "positions" and ENDED in told:
                told = {ENDED}
            if told != {states.get(row_id, ENDED)}:
                return False
        return True
