"""The ledger as rows, for the command, the report and the messages."""

from dataclasses import dataclass
from datetime import datetime

from bubbybot_freqtrade.learning.ledger import History, Ledger, Situation, is_vetoed
from bubbybot_freqtrade.learning.posterior import Posterior


@dataclass(frozen=True, slots=True)
class Row:
    """A situation, how many of its trades have closed, and what is known of it."""

    situation: Situation
    trades: int
    known: Posterior

    @property
    def is_vetoed(self) -> bool:
        """Whether the veto, where it is on, refuses it."""
        return is_vetoed(self.known)


def pattern_rows(
    ledger: Ledger,
    history: History,
    now: datetime,
    *,
    by_pair: bool = False,
    by_regime: bool = False,
) -> list[Row]:
    """A row for each situation that was traded before `now`, the most traded first."""
    found = [
        Row(situation, _closed(history, situation, now), ledger.posterior(history, situation, now))
        for situation in history.situations(by_pair=by_pair, by_regime=by_regime)
    ]
    order = [row for row in found if row.trades]
    return sorted(order, key=lambda row: (-row.trades, str(row.situation)))


def _closed(history: History, situation: Situation, now: datetime) -> int:
    return sum(
        trade.known <= now
        and situation.pair in ("", trade.pair)
        and situation.regime in ("", trade.regime)
        for trade in history.of(situation.pattern, situation.side)
    )
