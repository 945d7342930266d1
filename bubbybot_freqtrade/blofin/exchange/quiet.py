"""Whether the account has been quiet, by its websocket: then its lists need not be asked for.

All times are the loop's own (`time.monotonic`); the websocket only counts. So nothing here depends
on how the clocks of two threads go.
"""

import time
from collections.abc import Callable
from typing import Any

from bubbybot_freqtrade.blofin.exchange.account_stream import Pulse

# A list may lag behind what was pushed (BloFin says nothing of it): it is asked for in every loop
# until the last change is so old.
SETTLED_SECONDS = 10.0
# While a position is held its value is pushed with its price. Without any push for so long the
# websocket is up but says nothing, or BloFin doesn't push that: both are asked as without one. A
# loop's length: what nobody tells of is seen a loop later at most than by asking in every loop.
SILENCE_SECONDS = 5.0
# A push that belongs to what a list shows must have come by then.
PUSH_LATE_SECONDS = 2.0
# Two loops that are rung for are half a second apart.
JUST_SECONDS = 1.0

CHECK_SECONDS = 60.0

# What makes a row another one; the rest is its value and its progress in time.
_FIELDS = {
    "orders": ("id", "status", "amount", "filled", "price"),
    "tpsl": ("id", "status", "amount", "stopLossPrice", "takeProfitPrice"),
    "positions": ("symbol", "side", "contracts", "marginMode", "leverage"),
}


class Quiet:
    """What the loop's thread makes of the websocket's pulse.

    :param pulse: what the websocket knows now; without one nothing is ever quiet
    :param check_seconds: tells how long a list is kept at most
    :param silence_seconds: tells how long no push may come while a position is held
    :param on_disagreement: told when a list had changed and no push had said so
    """

    def __init__(
        self,
        pulse: Callable[[], Pulse] = Pulse,
        check_seconds: Callable[[], float] = lambda: CHECK_SECONDS,
        silence_seconds: Callable[[], float] = lambda: SILENCE_SECONDS,
        on_disagreement: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._read = pulse
        self._check_seconds = check_seconds
        self._silence_seconds = silence_seconds
        self._on_disagreement = on_disagreement
        self._seen = Pulse()
        self._stirred_at = time.monotonic()
        self._heard_at = time.monotonic()
        # Our own changes, beside the pushed ones.
        self._own = 0
        # Per list: how it was, and what had been counted by then.
        self._known: dict[str, tuple[tuple[Any, ...], frozenset[Any]]] = {}
        # A list that differs without a push so far: which, since when, and what was counted.
        self._suspect: tuple[str, float, tuple[Any, ...]] | None = None

    def look(self) -> None:
        """Take in what the websocket has heard since the last look."""
        pulse, now = self._read(), time.monotonic()
        if (pulse.session, pulse.changes) != (self._seen.session, self._seen.changes):
            self._stirred_at = now
        if pulse.data != self._seen.data or pulse.session != self._seen.session:
            self._heard_at = now
        self._seen = pulse
        if self._suspect is not None:
            self._judge(*self._suspect, now)

    def stir(self) -> None:
        """The bot itself changes something, which lists may lag behind as well."""
        self._own += 1
        self._stirred_at = time.monotonic()

    def since(self, asked_at: float, *, holding: bool) -> bool:
        """Whether what was asked for at a time (monotonic, s) is known to be true still.

        :param holding: whether there are positions, whose value is pushed all the time
        """
        self.look()
        now = time.monotonic()
        if self._seen.session is None or now - asked_at >= self._check_seconds():
            return False
        if holding and now - self._heard_at > self._silence_seconds():
            return False
        return asked_at >= self._stirred_at + SETTLED_SECONDS

    @property
    def heard(self) -> tuple[int | None, int]:
        """What could not wait, as far as it has been taken in."""
        return self._seen.session, self._seen.wakes

    def just_now(self, asked_at: float, heard: tuple[int | None, int]) -> bool:
        """Whether what was asked for at a time (monotonic, s) serves a loop that begins now.

        The look that a push has caused right before the loop that it wakes is a part of it.

        :param heard: what had been heard by then
        """
        is_heard = self._seen.session is not None and heard == self.heard
        return is_heard and time.monotonic() - asked_at <= JUST_SECONDS

    def check(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Compare a list that was just asked for with what it was before, if nothing has changed.

        A disagreement is told only when its push stays away.
        """
        fields = _FIELDS[name]
        shown = frozenset(tuple(row.get(field) for field in fields) for row in rows)
        counted = (self._seen.session, self._seen.changes, self._own)
        if time.monotonic() - self._stirred_at < SETTLED_SECONDS:
            # It may lag behind a change, and show that later without another push.
            self._known.pop(name, None)
            return
        before, known = self._known.get(name, ((), frozenset()))
        self._known[name] = counted, shown
        if self._seen.session is None or counted != before or shown == known:
            return
        if self._suspect is None:
            self._suspect = name, time.monotonic(), counted

    def _judge(self, name: str, since: float, counted: tuple[Any, ...], now: float) -> None:
        if (self._seen.session, self._seen.changes) != counted[:2]:
            # The push has come, or the gap that explains it.
            self._suspect = None
        elif now - since >= PUSH_LATE_SECONDS:
            self._suspect = None
            self._on_disagreement(f"it did not tell that BloFin's list of {name} has changed")
            self._seen = self._read()
            self._stirred_at = now
