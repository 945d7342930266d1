"""What freqtrade's wallet asks for, once a moment.

Before each entry it thinks of freqtrade asks for the balance and all positions, also before those
that a strategy then refuses. Hundreds of pairs have dozens of signals, in every loop of minutes:
more requests than BloFin allows, and what has to be done waits behind them.
"""

import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from freqtrade.exchange.exchange import Exchange
from freqtrade.exchange.exchange_types import CcxtBalances, CcxtPosition

from bubbybot_freqtrade.blofin.exchange.real_time import RealTime

# Between two of them nothing else was asked or ordered, and nothing was pushed. An answer may be on
# its way as long as that.
A_MOMENT_SECONDS = 1.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was asked for at a time (s since the epoch), and what had been done by then."""

    asked_at: float
    done: tuple[Any, ...]
    value: Any


class WalletOfTheMoment(Exchange):
    """Balance and positions that were asked for in this very moment are not asked for again."""

    real_time: RealTime

    @cached_property
    def _answers(self) -> dict[str, _Answer]:
        return {}

    def get_balances(self, params: dict | None = None) -> CcxtBalances:
        """Balances by currency."""
        ask = super().get_balances
        return ask(params) if params else self._of_the_moment("balances", ask)

    def fetch_positions(
        self, pair: str | None = None, params: dict | None = None
    ) -> list[CcxtPosition]:
        """Open positions; those of all pairs are the moment's."""
        ask = super().fetch_positions
        return ask(pair, params) if pair or params else self._of_the_moment("positions", ask)

    def _of_the_moment(self, what: str, ask: Callable[[], T]) -> T:
        now, done = time.time(), self._done()
        known = self._answers.get(what)
        # A clock that was set back or forth makes it old.
        is_of_now = known is not None and 0 <= now - known.asked_at <= A_MOMENT_SECONDS
        if known is None or known.done != done or not is_of_now:
            known = self._answers[what] = _Answer(now, done, ask())
        return deepcopy(known.value)

    def _done(self) -> tuple[Any, ...]:
        """Another one once anything was asked or ordered, or has happened, on the account."""
        pulse = self.real_time.stream.pulse
        return self._api.signed_for_others, pulse.session, pulse.changes
