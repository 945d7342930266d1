"""Whether a list of the account is known to be as it was: then it need not be asked for.

All times are the loop's own (`time.monotonic`); the websocket only counts and hands its rows over.
So nothing here depends on how the clocks of two threads go.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

from bubbybot_freqtrade.blofin.exchange.account_stream import Pulse
from bubbybot_freqtrade.blofin.exchange.pushed_rows import (
    CHANNEL_OF_LIST,
    Pushed,
    PushedRows,
    shown_states,
)
from bubbybot_freqtrade.blofin.exchange.trust import LAG_SECONDS, Trust

# While something is held its value is pushed with its price. Without any push for so long the
# websocket is up but says nothing, or BloFin doesn't push that: both are asked as without one. A
# loop's length: what nobody tells of is seen a loop later at most than by asking in every loop.
SILENCE_SECONDS = 5.0

CHECK_SECONDS = 60.0


class Quiet:
    """What the loop's thread makes of the websocket's pulse.

    :param pulse: what the websocket knows now; without one nothing is ever quiet
    :param take_pushed: the rows it has heard since it was asked last
    :param check_seconds: tells how long a list is kept at most
    :param silence_seconds: tells how long no push may come while something is held
    :param on_lost: called when a channel did not tell of a change that was relied on
    """

    def __init__(
        self,
        pulse: Callable[[], Pulse] = Pulse,
        take_pushed: Callable[[], Iterable[Pushed]] = tuple,
        check_seconds: Callable[[], float] = lambda: CHECK_SECONDS,
        silence_seconds: Callable[[], float] = lambda: SILENCE_SECONDS,
        on_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._read = pulse
        self._take_pushed = take_pushed
        self._check_seconds = check_seconds
        self._silence_seconds = silence_seconds
        self._seen = Pulse()
        self._began_at = time.monotonic()
        self._heard_at = time.monotonic()
        # Per list what was pushed of it, and when the bot itself has changed something there.
        self._pushed = {name: PushedRows() for name in CHANNEL_OF_LIST}
        self._own_at = dict.fromkeys(CHANNEL_OF_LIST, float("-inf"))
        self.trust = Trust(self._pushed, on_lost)

    def look(self) -> None:
        """Take in what the websocket has heard since the last look."""
        pulse, now = self._read(), time.monotonic()
        if pulse.session != self._seen.session:
            self._began_at = now
            self.trust.forget()
        if pulse.data != self._seen.data or pulse.session != self._seen.session:
            self._heard_at = now
        self._seen = pulse
        for row in self._take_pushed():
            self._pushed[row.name].take(row, now)
        self.trust.judge()

    def stir(self, *names: str) -> None:
        """The bot itself changes something that these lists may lag behind as well."""
        self._own_at.update(dict.fromkeys(names, time.monotonic()))

    def sent(self, name: str, row_id: str) -> None:
        """The venue has taken an order of the bot's: it has to push that."""
        if self._seen.session is not None:
            self.trust.sent(name, row_id)

    def is_kept(
        self, name: str, asked_at: float, rows: list[dict[str, Any]], *, exposed: bool
    ) -> bool:
        """Whether a list that was asked for at a time (monotonic, s) is known to be true still.

        :param exposed: whether there are positions, whose value is pushed all the time, or orders
        """
        self.look()
        now = time.monotonic()
        if self._seen.session is None or not self.trust.is_relied_on(name):
            return False
        if now - asked_at >= self._check_seconds():
            return False
        if exposed and now - self._heard_at > self._silence_seconds():
            return False
        settled = asked_at - LAG_SECONDS
        if settled < self._began_at:
            return False
        pushed, own_at = self._pushed[name], self._own_at[name]
        # A change of the bot's own shows once the venue has told of it, and the list shows that.
        is_own_shown = settled >= own_at or (own_at <= asked_at and own_at <= pushed.last_at())
        return is_own_shown and pushed.are_shown(name, shown_states(name, rows), settled)

    def asked(self, name: str, rows: list[dict[str, Any]]) -> None:
        """A list was just asked for: what has changed in it has to be pushed."""
        is_settled = (
            self._seen.session is not None and time.monotonic() >= self._began_at + LAG_SECONDS
        )
        self.trust.shown(name, shown_states(name, rows), is_settled=is_settled)
