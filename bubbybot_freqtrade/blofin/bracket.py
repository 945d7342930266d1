"""The one value that passes from a strategy to the exchange: stop and target of the next entry.

``Exchange.create_order`` has no place for them. freqtrade calls the strategy's
``confirm_trade_entry`` on the same thread right before it, so a strategy offers its bracket there
and the exchange takes it with the order, once.
"""

import threading
import time
from dataclasses import dataclass
from typing import Literal

TradeSide = Literal["long", "short"]

# confirm_trade_entry and create_order are a few statements apart; a leftover offer belongs to an
# entry that never happened and must not reach a later one.
OFFER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Bracket:
    """Stop and target of one entry, as prices in quote currency.

    :raises ValueError: when a price is not positive, or stop and target are the same.
    """

    stop: float
    target: float | None = None

    def __post_init__(self) -> None:
        if not self.stop > 0 or (self.target is not None and not self.target > 0):
            raise ValueError(f"A bracket needs positive prices, got {self}.")
        if self.target is not None and self.target == self.stop:
            raise ValueError(f"A bracket's stop and target must differ, got {self}.")

    def fits(self, side: TradeSide, rate: float) -> bool:
        """Whether an entry at `rate` lies strictly between stop and target of that side."""
        if side == "long":
            return self.stop < rate and (self.target is None or rate < self.target)
        return rate < self.stop and (self.target is None or self.target < rate)


_offers = threading.local()


def offer_bracket(pair: str, side: TradeSide, bracket: Bracket) -> None:
    """Offer `bracket` to the next entry order of `pair` and `side` on this thread."""
    _offers.latest = (pair, side, bracket, time.monotonic())


def take_bracket(pair: str, side: TradeSide) -> Bracket | None:
    """Take the offer for this entry; None when there is none, or it is another's or too old."""
    offer = getattr(_offers, "latest", None)
    _offers.latest = None
    if offer is None:
        return None
    offered_pair, offered_side, bracket, offered_at = offer
    if (offered_pair, offered_side) != (pair, side):
        return None
    return bracket if time.monotonic() - offered_at <= OFFER_SECONDS else None
