"""Is it still working? A sequential test of what trades have brought against what was expected.

Page's test (Continuous inspection schemes, 1954) on the R of each closed trade, cut at ±3:

    evidence = max(0, evidence + log of how much likelier r is at a mean of 0 than at the expected)

with normal likelihoods and the backtest's deviation. Good trades take the evidence back to 0, bad
ones add up; it needs no fixed number of trades and may be looked at after each. At `doubt_at` the
edge is in doubt, at `gone_at` it is settled that it is gone, and that stays so: without trades
there is no new evidence. What is expected ships with the package (`expectation.json`, written by
benchmarks/expectation.py from a backtest).
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from bubbybot_freqtrade.settings import EdgeSettings
from bubbybot_freqtrade.signals.words import counted

State = Literal["working", "in doubt", "gone"]

FURTHEST_R = 3.0
"""A result beyond counts as this: one gap must not settle it, one runaway not hide it."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the backtest of the shipped settings led to expect, pooled over its pairs.

    :param made: the day it was made; :param candles: of which candles
    """

    mean_r: float
    deviation_r: float
    trades: int
    trades_a_year: float
    made: str
    candles: str


@dataclass(frozen=True, slots=True)
class Edge:
    """What the trades so far say.

    :param evidence: log likelihood ratio against the expectation, since it was last at 0
    """

    state: State
    evidence: float
    trades: int
    mean_r: float

    def told(self, expected: Expectation) -> str:
        """One line for the operator."""
        if not self.trades:
            return f"The edge: no closed trades yet, {expected.mean_r:+.2f}R each are expected."
        trades = counted(self.trades, "trade")
        return (
            f"The edge is {self.state}: {trades} brought {self.mean_r:+.2f}R each, "
            f"{expected.mean_r:+.2f}R were expected, evidence against it {self.evidence:.1f}."
        )


@cache
def shipped() -> Expectation:
    """The expectation that ships with the package."""
    text = files("bubbybot_freqtrade.learning").joinpath("expectation.json").read_text("utf-8")
    return Expectation(**json.loads(text))


def edge_of(results: Iterable[float], expected: Expectation, settings: EdgeSettings) -> Edge:
    """What the R of closed trades, oldest first, say of the edge."""
    evidence, highest, count, total = 0.0, 0.0, 0, 0.0
    middle = expected.mean_r / 2
    slope = expected.mean_r / expected.deviation_r**2
    for r in results:
        count, total = count + 1, total + r
        cut = math.copysign(min(abs(r), FURTHEST_R), r)
        evidence = max(0.0, evidence + slope * (middle - cut))
        highest = max(highest, evidence)
    state: State = "working"
    if highest >= settings.gone_at:
        state = "gone"
    elif evidence >= settings.doubt_at:
        state = "in doubt"
    return Edge(state, evidence, count, total / count if count else 0.0)
