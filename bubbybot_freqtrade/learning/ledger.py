"""From closed trades to what they say of the next signal.

A pattern is one code of the enter tag (`mc:early`) on one side.

For a pattern in one pair and regime every past trade of the pattern and side counts, with a weight

    2^(−age / half-life) · `other_pairs` if its pair differs · `other_regimes` if its regime differs

so a situation that was never traded leans on its relatives, and one that was on itself. What is
forgotten returns to the prior, which does not age.

Nothing here reads a clock or a database: `now` and the trades are given, and trades that were not
yet closed at `now` have no weight.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from statistics import mean

import numpy as np

from bubbybot_freqtrade.learning.posterior import Posterior, Prior, forgetting, posterior
from bubbybot_freqtrade.risk.plan import Refusal, Signal, TradeSide
from bubbybot_freqtrade.settings import MIN_REWARD_RISK, LearningSettings

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class PastTrade:
    """A closed trade as the ledger sees it.

    :param known: from when on it may be used: its end, or for a backtest's trade, which is dated
        by the start of its last candle, that candle's end
    :param r: profit in units of the planned loss, fees included
    :param outcome: 1 for the target before the stop, 0 for the stop, else between them
    """

    pair: str
    side: TradeSide
    tag: str
    regime: str
    known: datetime
    r: float
    outcome: float


@dataclass(frozen=True, slots=True)
class Situation:
    """What a posterior is of. An empty pair or regime means all of them alike."""

    pattern: str
    side: TradeSide
    pair: str = ""
    regime: str = ""


def patterns_of(tag: str) -> list[str]:
    """The patterns of an enter tag; a person's own words are none."""
    return [code for code in dict.fromkeys(tag.split()) if ":" in code]


class History:
    """Past trades by pattern and side."""

    def __init__(self, trades: Iterable[PastTrade] = ()) -> None:
        self._trades: dict[tuple[str, TradeSide], list[PastTrade]] = defaultdict(list)
        self._all: list[PastTrade] = []
        for trade in trades:
            self.add(trade)

    def add(self, trade: PastTrade) -> None:
        """Count a trade under each of its patterns."""
        self._all.append(trade)
        for pattern in patterns_of(trade.tag):
            self._trades[pattern, trade.side].append(trade)

    def results(self, until: datetime, since: date | None = None) -> list[float]:
        """R of the strategy's own trades that are known at `until`, oldest first.

        What a person entered is none of them.
        """
        own = [
            trade
            for trade in self._all
            if patterns_of(trade.tag)
            and trade.known <= until
            and (since is None or trade.known.date() >= since)
        ]
        return [trade.r for trade in sorted(own, key=lambda trade: trade.known)]

    def of(self, pattern: str, side: TradeSide) -> Sequence[PastTrade]:
        """The trades of a pattern."""
        return self._trades.get((pattern, side), ())

    def situations(self, *, by_pair: bool, by_regime: bool) -> list[Situation]:
        """Every situation that was traded, told apart by pair and by regime where asked."""
        found = {
            Situation(
                pattern, side, trade.pair if by_pair else "", trade.regime if by_regime else ""
            ): None
            for (pattern, side), trades in self._trades.items()
            for trade in trades
        }
        return list(found)


class Ledger:
    """The posteriors of situations at a moment, and what they change about a signal.

    :param prior: trades of a backtest, from which the belief before any trade is read
    """

    def __init__(self, settings: LearningSettings, prior: History | None = None) -> None:
        self._settings = settings
        self._prior = prior or History()
        self._fair = Prior.fair(MIN_REWARD_RISK, settings.prior_trades)

    def posterior(self, history: History, situation: Situation, now: datetime) -> Posterior:
        """What is known at `now` of a situation."""
        trades = history.of(situation.pattern, situation.side)
        ages = np.array([(now - trade.known).total_seconds() / DAY for trade in trades])
        fresh = forgetting(np.maximum(ages, 0.0), self._settings.half_life_days)
        return posterior(
            self.prior(situation, now),
            *_results(trades),
            fresh * self._kinship(trades, situation, now),
            self._settings.interval,
        )

    def prior(self, situation: Situation, now: datetime) -> Prior:
        """What is believed at `now` before any own trade: a fair game, or what the backtest says.

        A backtest of a range that contains `now` has trades of the future: they do not count.
        """
        trades = self._prior.of(situation.pattern, situation.side)
        if not trades:
            return self._fair
        return self._fair.informed(*_results(trades), self._kinship(trades, situation, now))

    def _kinship(
        self, trades: Sequence[PastTrade], situation: Situation, now: datetime
    ) -> np.ndarray:
        """Weight of each trade by what it has in common with the situation; 0 for the future."""
        pair, regime = situation.pair, situation.regime
        other_pair = np.array([bool(pair) and trade.pair != pair for trade in trades], dtype=bool)
        other_regime = np.array([bool(regime) and trade.regime != regime for trade in trades], bool)
        known = np.array([trade.known <= now for trade in trades], dtype=bool)
        return (
            known
            * np.where(other_pair, self._settings.other_pairs, 1.0)
            * np.where(other_regime, self._settings.other_regimes, 1.0)
        )

    def weigh(self, history: History, signal: Signal, now: datetime) -> Signal | Refusal:
        """The signal with the risk its patterns deserve, or the veto of one of them.

        :return: the same signal where the settings ask for nothing, or its tag has no pattern
        """
        found = {
            pattern: self.posterior(
                history, Situation(pattern, signal.side, signal.pair, signal.regime), now
            )
            for pattern in patterns_of(signal.tag)
        }
        if not found:
            return signal
        worst = min(found, key=lambda pattern: found[pattern].mean_r_high)
        if self._settings.veto and is_vetoed(found[worst]):
            return Refusal(_why(signal, worst, found[worst]))
        if not self._settings.scale_risk:
            return signal
        return replace(signal, trust=mean(known.pays for known in found.values()))


def is_vetoed(known: Posterior) -> bool:
    """Whether even the upper end of the mean's interval loses."""
    return known.mean_r_high < 0


def _results(trades: Sequence[PastTrade]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([trade.r for trade in trades]), np.array([trade.outcome for trade in trades])


def _why(signal: Signal, pattern: str, known: Posterior) -> str:
    return (
        f"{signal.pair}: {pattern} {signal.side} ({signal.regime}) has not paid: mean R "
        f"{known.mean_r:+.2f}, at most {known.mean_r_high:+.2f}, of trades worth {known.weight:.1f}"
    )
