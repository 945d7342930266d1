"""Whether this venue pushes what changes in the account: it is taken for granted of none.

Each change that an answer over REST has shown must have been pushed. A list is relied on once some
of them were, one after another, and no more after one that was not. Until then, and again from
then on, it is asked for in every loop as without a websocket, which wakes the loop all the same.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bubbybot_freqtrade.blofin.exchange.pushed_rows import (
    CHANNEL_OF_LIST,
    ENDED,
    PushedRows,
    State,
)

logger = logging.getLogger(__name__)

# So many changes in a row. A trade's coming and going are two changes of its stop, and two of its
# position: what was pushed for one trade alone could be chance.
PROOFS = 3
# A list may lag behind what was pushed (BloFin says nothing of it), so long at most.
LAG_SECONDS = 10.0
# A push that belongs to what an answer shows must have come by then. A connection that is dead is
# known for it by then as well, which explains why it stays away.
PUSH_LATE_SECONDS = 6.0

_WORDS = {"orders": "open orders", "tpsl": "TP/SL orders", "positions": "positions"}


@dataclass(frozen=True, slots=True)
class _Change:
    """What an answer has shown: which row, how it stands now (None: somehow), and between which
    moments (monotonic, s) it must be pushed.
    """

    row_id: str
    state: State | None
    since: float
    until: float


@dataclass(slots=True)
class _Record:
    """What is known of one list's pushes."""

    pushed: PushedRows
    # In a row.
    proofs: int = 0
    # The list as it was shown last, and when.
    shown: Mapping[str, State] | None = None
    shown_at: float = 0.0
    open: list[_Change] = field(default_factory=list)
    trouble: str = ""


class Trust:
    """What each list's channel has shown of itself since the bot was started.

    :param pushed: what was pushed, by list
    :param on_lost: called when a list is relied on no more that was
    """

    def __init__(self, pushed: Mapping[str, PushedRows], on_lost: Callable[[], None]) -> None:
        self._records = {name: _Record(rows) for name, rows in pushed.items()}
        self._on_lost = on_lost
        # Changes that were not pushed.
        self.missed = 0

    def is_earned(self, name: str) -> bool:
        """Whether a list's changes are pushed, as far as that can be proven."""
        return self._records[name].proofs >= PROOFS

    def is_relied_on(self, name: str) -> bool:
        """Whether trust is earned, and no change waits for its push."""
        return self.is_earned(name) and not self._records[name].open

    @property
    def is_all_earned(self) -> bool:
        """Whether no list has to be asked for in every loop."""
        return all(map(self.is_earned, self._records))

    def news(self) -> list[str]:
        """What is not pushed, a sentence each."""
        return [record.trouble for record in self._records.values() if record.trouble]

    def forget(self) -> None:
        """There was a gap: what has changed meanwhile could not be pushed."""
        for record in self._records.values():
            record.shown = None
            record.open.clear()

    def sent(self, name: str, row_id: str) -> None:
        """The venue has taken an order of ours: that is a change of its list."""
        now = time.monotonic()
        record = self._records[name]
        record.open.append(_Change(row_id, None, now - LAG_SECONDS, now + PUSH_LATE_SECONDS))

    def shown(self, name: str, states: Mapping[str, State], *, is_settled: bool) -> None:
        """A list was asked for and shows these rows.

        :param is_settled: whether it can't lag behind what happened before the connection stood
        """
        record, now = self._records[name], time.monotonic()
        if is_settled and record.shown is not None:
            since = record.shown_at - LAG_SECONDS
            for row_id in states.keys() | record.shown.keys():
                state = states.get(row_id, ENDED)
                if state != record.shown.get(row_id, ENDED):
                    change = _Change(row_id, state, since, now + PUSH_LATE_SECONDS)
                    record.open.append(change)
        record.shown, record.shown_at = (states if is_settled else None), now
        self._judge(name, record, now)
        record.pushed.drop_before(now - LAG_SECONDS)

    def judge(self) -> None:
        """Count the changes whose push has come, and those whose push stays away."""
        now = time.monotonic()
        for name, record in self._records.items():
            self._judge(name, record, now)

    def _judge(self, name: str, record: _Record, now: float) -> None:
        waiting = []
        for change in record.open:
            if record.pushed.tells(change.row_id, change.state, change.since):
                self._prove(name, record)
            elif now < change.until:
                waiting.append(change)
            else:
                self._miss(name, record)
                # One that nobody told of would be counted once for each row.
                waiting = []
                break
        record.open = waiting

    def _prove(self, name: str, record: _Record) -> None:
        record.proofs += 1
        if record.proofs == PROOFS and record.trouble:
            record.trouble = ""
            logger.warning(
                f"BloFin pushes what changes in the account's {_WORDS[name]} again: they are not "
                "asked for in every loop any more."
            )

    def _miss(self, name: str, record: _Record) -> None:
        was_earned, record.proofs = self.is_earned(name), 0
        self.missed += 1
        if not record.trouble:
            record.trouble = (
                f"BloFin's {_WORDS[name]} have changed and its websocket ({CHANNEL_OF_LIST[name]}) "
                "did not tell: they are asked for in every loop until it has told of "
                f"{PROOFS} changes in a row. Nothing has to be done."
            )
            logger.warning(record.trouble)
        if was_earned:
            self._on_lost()
