"""What the account watch asks of the exchange class and has it do."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from bubbybot_freqtrade.blofin.bracket import TradeSide

Row = dict[str, Any]


class Clock(Protocol):
    """This machine's clock beside BloFin's."""

    def is_wrong(self) -> bool:
        """Whether the venue refuses this machine's time."""

    def venue_ms(self, date: datetime) -> int:
        """BloFin's time, ms, at a moment that this machine's clock has noted."""

    def news(self) -> str | None:
        """What is wrong with the clock; None when it is right."""


class InHand(Protocol):
    """Pairs that something is being done about."""

    def leaves_alone(self, pair: str) -> bool:
        """Whether a pair is in hand, at whose state somebody looks."""


class Requests(Protocol):
    """Lists and orders of the account, amounts in contracts."""

    @property
    def in_hand(self) -> InHand:
        """Pairs that something is being done about."""

    @property
    def clock(self) -> Clock:
        """This machine's clock beside BloFin's."""

    def rows(self, name: Any, *, fresh: bool = False) -> list[Any]:
        """Open `orders`, `tpsl` orders or `positions` of all pairs, asked for once per loop."""

    def position(self, pair: str, side: TradeSide) -> Row | None:
        """The open position of a pair and side, None when there is none."""

    def is_of_trade(self, position: Any) -> bool:
        """Whether a position is the one that a trade of its pair and side has."""

    def ended_orders(self, pair: str | None, since: int) -> list[Any]:
        """Ended and filled orders of a pair, or of all, since a time (ms), oldest first."""

    def fills(self, pair: str, since: int) -> list[Any]:
        """The account's fills of a pair since a time (ms), oldest first."""

    def order(self, order_id: str, pair: str) -> Any | None:
        """An order in any state; None when BloFin doesn't know it (any more)."""

    def closed_positions(self, pair: str, since: int) -> list[Any]:
        """Positions of a pair that have closed since a time (ms)."""

    def look_again(self) -> None:
        """Ask again for the lists that may have changed since, amid a loop too."""

    def forget(self, *names: Any) -> None:
        """Ask for these lists again, whatever is known of them."""

    def at_once(self) -> AbstractContextManager[None]:
        """Send what is asked inside without ccxt's spacing, as far as the budget goes."""

    def is_own(self, order: Any) -> bool:
        """Whether this bot placed the order."""

    def show_orders_to(self, look: Callable[[list[Any]], None]) -> None:
        """Have `look` called with every list of orders that BloFin answers, open or ended."""

    def share_with(self, others: int) -> None:
        """Send this bot's share of the requests only, beside so many other bots."""

    def is_entering(self, pair: str) -> bool:
        """Whether an entry was sent a moment ago: freqtrade may not have its trade yet."""

    def may_still_come(self, pair: str) -> bool:
        """Whether an order whose answer got lost could still be carried out."""

    def doubt_markets(self) -> None:
        """Ask for the markets again: a contract may have changed."""

    def contracts(self, pair: str, amount: float) -> float:
        """Contracts of an amount in base currency."""

    def exact_contracts(self, pair: str, amount: float) -> float:
        """Contracts of an amount in base currency, not cut to the venue's steps."""

    def in_base_currency(self, order: Any) -> Any:
        """Return an order with its amounts in base currency instead of contracts."""


class Stops(Protocol):
    """The account's TP/SL orders."""

    def cancel(self, order_id: str, pair: str) -> None:
        """Take a TP/SL order away."""

    def leave(self, trade: Any, why: str) -> None:
        """Have a trade go out at the market in this loop."""

    def protect(self, position: Any) -> bool:
        """Place a stop on the contracts of a position that have none; False where they have."""


class RealTime(Protocol):
    """The account's websocket."""

    @property
    def is_heard(self) -> bool:
        """Whether the account's changes are told as they happen, now."""

    def loop_looks(self) -> None:
        """The loop is about to look at the account, by what has happened so far."""

    def news(self) -> list[str]:
        """What the owner should know of it."""
