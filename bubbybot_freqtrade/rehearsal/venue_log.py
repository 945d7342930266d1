"""The venue's side of a rehearsal: what stood behind every position, moment by moment.

`VenueLog` listens to the sandbox's engine. It measures protection where it exists or does not, on
the venue, in the venue's milliseconds; nothing the bot says about itself goes into it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bubbybot_freqtrade.sandbox.server import Sandbox
from bubbybot_freqtrade.sandbox.settings import DEMO_UID
from bubbybot_freqtrade.sandbox.venue.accounts import Account, Position
from bubbybot_freqtrade.sandbox.venue.orders import TpslOrder

DAY_MS = 86_400_000


@dataclass(slots=True)
class PositionLog:
    """One position of the account from its first fill to its last.

    Prices and USDT as the venue has them. `equity` is the account's before the position, `margin`
    the most that was ever put up for it (entry value over leverage). `stops` are the stops that
    stood for it, (since ms, price), `target` the first take-profit. Milliseconds: `stop_after_ms`
    from the first fill to a live stop (None: never), `unprotected_ms` summed over the time in which
    the live stops were smaller than the position, `doubled_ms` in which two covered all of it.
    """

    position_id: str
    inst_id: str
    direction: int
    opened_ms: int
    equity: Decimal
    day_opening_equity: Decimal
    leverage: Decimal = Decimal(0)
    margin: Decimal = Decimal(0)
    closed_ms: int | None = None
    stops: list[tuple[int, Decimal]] = field(default_factory=list)
    target: Decimal | None = None
    stop_after_ms: int | None = None
    unprotected_ms: int = 0
    doubled_ms: int = 0


@dataclass(slots=True)
class _Cover:
    """What stood behind a position when it was last looked at."""

    log: PositionLog
    protected: bool
    doubled: bool


class VenueLog:
    """Follows the positions of one account of a sandbox, whose time it moves.

    Between two moves any number of requests may change the account, but no time passes.
    """

    def __init__(self, sandbox: Sandbox, uid: str = DEMO_UID) -> None:
        """Listen from now on."""
        self._sandbox = sandbox
        self._engine = engine = sandbox.engine
        self._uid = uid
        self._logs: dict[str, PositionLog] = {}
        self._covers: list[_Cover] = []
        self._seen_ms = engine.now_ms
        self._day = -1
        self._day_opening_equity = Decimal(0)
        # Called when time has moved on, without the engine being held.
        self.after_advance: Callable[[], None] = lambda: None
        with engine.exclusive():
            self.observe()
            engine.venue.listeners.append(self._on_event)

    @property
    def positions(self) -> list[PositionLog]:
        """Every position since the beginning, oldest first."""
        return list(self._logs.values())

    def advance(self, to_ms: int) -> None:
        """Let the venue's time move on to `to_ms`, watching."""
        with self._engine.exclusive():
            self.observe()
            self._sandbox.advance(to_ms)
            self.observe()
        self.after_advance()

    def observe(self) -> None:
        """Count the time since the last look by what was seen then, and look again."""
        now, account = self._engine.now_ms, self._engine.account(self._uid)
        for cover in self._covers:
            cover.log.unprotected_ms += 0 if cover.protected else now - self._seen_ms
            cover.log.doubled_ms += now - self._seen_ms if cover.doubled else 0
        self._seen_ms = now
        self._open_day(now, account)
        self._covers = [self._look(position, account) for position in account.positions.values()]
        standing = {position.position_id for position in account.positions.values()}
        for log in self._logs.values():
            if log.closed_ms is None and log.position_id not in standing:
                log.closed_ms = now

    def _on_event(self, topic: str, account: Account, subject: Any) -> None:
        if account.uid == self._uid:
            self.observe()

    def _open_day(self, now: int, account: Account) -> None:
        if now // DAY_MS != self._day:
            self._day = now // DAY_MS
            self._day_opening_equity = self._engine.clearing.balance(account).equity

    def _look(self, position: Position, account: Account) -> _Cover:
        log = self._logs.get(position.position_id) or self._begin(position, account)
        log.leverage = max(log.leverage, position.leverage)
        log.margin = max(log.margin, position.entry_value / position.leverage)
        stops = [order for order in account.live_tpsl(position.inst_id) if _stops(order, position)]
        protected = covered_size(position, stops, account) >= position.size
        if stops:
            self._note_stop(log, position, stops)
        if protected and log.stop_after_ms is None:
            log.stop_after_ms = self._engine.now_ms - log.opened_ms
        whole = [o for o in stops if o.is_entire_position or o.size >= position.size]
        return _Cover(log, protected, doubled=len(whole) > 1)

    def _begin(self, position: Position, account: Account) -> PositionLog:
        clearing = self._engine.clearing
        equity = clearing.balance(account).equity
        log = PositionLog(
            position_id=position.position_id,
            inst_id=position.inst_id,
            direction=position.direction,
            opened_ms=position.created_ms,
            equity=equity - clearing.unrealized_pnl(position) + position.fee,
            day_opening_equity=self._day_opening_equity,
        )
        self._logs[position.position_id] = log
        return log

    def _note_stop(self, log: PositionLog, position: Position, stops: list[TpslOrder]) -> None:
        prices = [order.tpsl.sl_trigger for order in stops if order.tpsl.sl_trigger is not None]
        nearest = max(prices) if position.direction > 0 else min(prices)
        if not log.stops or log.stops[-1][1] != nearest:
            log.stops.append((self._engine.now_ms, nearest))
        if log.target is None:
            log.target = next((o.tpsl.tp_trigger for o in stops if o.tpsl.tp_trigger), None)


def covered_size(position: Position, stops: Iterable[TpslOrder], account: Account) -> Decimal:
    """Contracts of `position` that leave the market when its stop is reached, or leave it now."""
    size = sum(
        (position.size if order.is_entire_position else order.size for order in stops), Decimal(0)
    )
    # A stop or target that has fired lives on as an order until the book has taken all of it.
    firing = (
        order.remaining
        for order in account.live_orders(position.inst_id)
        if order.category in ("sl", "tp")
        and _same_position(order, position)
        and order.side == position.closing_side
    )
    return size + sum(firing, Decimal(0))


def _stops(order: TpslOrder, position: Position) -> bool:
    return (
        order.tpsl.sl_trigger is not None
        and order.state == "live"
        and order.side == position.closing_side
        and _same_position(order, position)
    )


def _same_position(order: Any, position: Position) -> bool:
    return (order.inst_id, order.margin_mode, order.position_side) == (
        position.inst_id,
        position.margin_mode,
        position.position_side,
    )


def when(ms: int) -> datetime:
    """A venue time as an aware datetime."""
    return datetime.fromtimestamp(ms / 1000, tz=UTC)
