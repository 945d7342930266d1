"""One case of a kind of fault, and what several of them need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from freqtrade.persistence import Trade

from bubbybot_freqtrade.drills.desk import Desk
from bubbybot_freqtrade.drills.drill import Run
from bubbybot_freqtrade.drills.market import Course, inst_id
from bubbybot_freqtrade.sandbox.venue.accounts import Position
from bubbybot_freqtrade.sandbox.venue.orders import TpslOrder

Play = Callable[[Run, Desk, str], None]


def nothing(run: Run, desk: Desk, case: str) -> None:
    """All that is asked is how the bot starts."""


@dataclass(frozen=True, slots=True)
class Case:
    """One way in which a fault of a kind shows.

    play: told the run, a desk whose bot has started, and the case's name. prices, config, settings:
    of the desk. before: done to the venue before the bot starts. refusal: what the bot has to say
    when it rightly does not start. books: False where money of a position is not one trade's alone.
    """

    kind: int
    name: str
    play: Play = nothing
    prices: Mapping[str, Course] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    before: Callable[[Desk], None] | None = None
    refusal: str = ""
    books: bool = True

    @property
    def starts(self) -> bool:
        """Whether the bot has to start."""
        return not self.refusal


def entered(desk: Desk, pair: str, side: str = "long", **kwargs: Any) -> Trade | None:
    """Enter by force, and two loops for the bot to see what became of it."""
    trade = desk.enter(pair, side, **kwargs)
    desk.loop(2)
    return trade


def held(desk: Desk, pair: str) -> Position | None:
    """The position of a pair, one of them in hedge mode."""
    positions = desk.watch.account.positions.values()
    return next((p for p in positions if p.inst_id == inst_id(pair)), None)


def size_held(desk: Desk, pair: str) -> Decimal:
    """Contracts held of a pair, signed."""
    position = held(desk, pair)
    return position.size * position.direction if position else Decimal(0)


def live_stops(desk: Desk, pair: str) -> list[TpslOrder]:
    """The stops that stand on a pair."""
    orders = desk.watch.account.live_tpsl(inst_id(pair))
    return [order for order in orders if order.tpsl.sl_trigger is not None]


def by_hand(desk: Desk, pair: str, side: str, size: Decimal | str, **fields: str) -> None:
    """An ordinary market order of the owner, as the app sends it."""
    body = {"instId": inst_id(pair), "marginMode": "isolated", "positionSide": "net"}
    order = {"side": side, "orderType": "market", "size": str(size)}
    desk.app("/trade/order", body | order | fields)


def ours(desk: Desk, pair: str) -> Trade | None:
    """The open trade of a pair."""
    Trade.session.expire_all()
    return next((trade for trade in Trade.get_open_trades() if trade.pair == pair), None)


def want_stop(desk: Desk, pair: str, price: float) -> None:
    """Let the strategy want a stop; freqtrade takes it in one loop, the venue in the next."""
    desk.bot.strategy.stop_at[pair] = price
    desk.loop(2, minutes=0.3)
