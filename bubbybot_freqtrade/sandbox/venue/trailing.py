"""Trailing stops: trigger orders whose trigger follows the last price.

Announced in the venue's changelog of 2026-08-27: `callbackRatio` 0.001 to 1 or `callbackSpread`,
`activePrice`, last price, at the market only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bubbybot_freqtrade.sandbox.venue import parameters
from bubbybot_freqtrade.sandbox.venue.amounts import padded_or_null, plain
from bubbybot_freqtrade.sandbox.venue.errors import VenueError
from bubbybot_freqtrade.sandbox.venue.parameters import Fields

ORDER_TYPE = "trailing_stop"
_RATIOS = (Decimal("0.001"), Decimal(1))


@dataclass(slots=True)
class Trailing:
    """How far behind the best price an order fires: a share of it, or quote units.

    `active_price`: it follows from there on, at once when None. `best`: the highest price since
    then of an order that sells, the lowest of one that buys; None while it does not follow yet.
    """

    sells: bool
    ratio: Decimal | None = None
    spread: Decimal | None = None
    active_price: Decimal | None = None
    best: Decimal | None = None

    @property
    def trigger_price(self) -> Decimal | None:
        """What the last price has to come back to, None while it does not follow yet."""
        if self.best is None:
            return None
        behind = self.best * self.ratio if self.ratio is not None else self.spread or Decimal(0)
        return self.best - behind if self.sells else self.best + behind

    def reached(self, price: Decimal) -> bool:
        """Take a last price; True when it fires."""
        if self.best is None:
            if self.active_price is not None and not self._beyond(price, self.active_price):
                return False
            self.best = price
        if self._beyond(price, self.best):
            self.best = price
        trigger = self.trigger_price
        return trigger is not None and self._beyond(trigger, price)

    def _beyond(self, one: Decimal, other: Decimal) -> bool:
        """Whether `one` is at least as good as `other`."""
        return one >= other if self.sells else one <= other

    def prices_of_interest(self) -> Iterator[tuple[Decimal, int]]:
        """(price, direction) that change something: 1 when reached from below."""
        ahead = 1 if self.sells else -1
        if (beginning := self.best if self.best is not None else self.active_price) is not None:
            yield beginning, ahead
        if (trigger := self.trigger_price) is not None:
            yield trigger, -ahead

    def as_rest(self) -> dict[str, Any]:
        """Its part of the object of orders-algo-pending."""
        return {
            "callbackRatio": None if self.ratio is None else plain(self.ratio),
            "callbackSpread": None if self.spread is None else plain(self.spread),
            "activePrice": padded_or_null(self.active_price),
        }


def read_trailing(body: Fields, side: str, last: Decimal) -> Trailing:
    """Of an order's parameters, following already where no `activePrice` is given.

    :raises VenueError: for a callback that is none
    """
    ratio = parameters.number(body, "callbackRatio")
    spread = parameters.number(body, "callbackSpread")
    if (ratio is None) == (spread is None):
        raise VenueError("152003", "callbackRatio", "callbackSpread")
    if ratio is not None and not _RATIOS[0] <= ratio <= _RATIOS[1]:
        raise VenueError("152002", "callbackRatio")
    if spread is not None and spread <= 0:
        raise VenueError("152002", "callbackSpread")
    active = parameters.number(body, "activePrice")
    return Trailing(side == "sell", ratio, spread, active, last if active is None else None)
