"""Prices that move fast, and those that somebody waits for."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

# A share of the price. freqtrade looks at its exits, and a strategy at whatever it likes, in the
# loop that this wakes; what is less than this can wait for the next one.
WAKING_MOVE = 0.005


class PriceMoves:
    """How far each price has gone since it last woke the loop."""

    def __init__(self) -> None:
        self._from: dict[str, float] = {}

    def forget(self) -> None:
        """Begin anew, with the prices that are pushed next."""
        self._from.clear()

    def is_fast(self, name: str, price: float) -> bool:
        """Take a price in; whether it has moved by `WAKING_MOVE`. What can't be one is none."""
        if not 0 < price < math.inf:
            return False
        start = self._from.setdefault(name, price)
        if abs(price / start - 1) >= WAKING_MOVE:
            self._from[name] = price
            return True
        return False


@dataclass(frozen=True, slots=True)
class PriceAlarm:
    """Prices at which something has to be looked at.

    :param bounds: per pair, the prices below and above which
    :param exposures: per pair, what a price higher by 1 brings (quote currency), and the price at
        which `room` was reckoned
    :param room: what all of them together may lose from there, in quote currency
    """

    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    exposures: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    room: float = float("inf")

    def reached(self, prices: Mapping[str, float]) -> frozenset[str]:
        """Which of it is reached with these prices: pairs, and "" for what all may lose."""
        over = {
            pair
            for pair, (low, high) in self.bounds.items()
            if pair in prices and not low <= prices[pair] <= high
        }
        profit = sum(
            amount * (prices[pair] - mark)
            for pair, (amount, mark) in self.exposures.items()
            if pair in prices
        )
        return frozenset({*over, ""} if profit <= -self.room else over)
