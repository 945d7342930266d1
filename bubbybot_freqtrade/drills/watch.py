"""The venue's side of a drill: every position, looked at after everything that could change it.

Nothing the bot says about itself goes into this. It is looked after each request has had its effect
and, while time passes, after each moment in which something happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bubbybot_freqtrade.blofin.parts import other_parts
from bubbybot_freqtrade.sandbox.api.request_log import LoggedRequest, RequestLog
from bubbybot_freqtrade.sandbox.server import Sandbox
from bubbybot_freqtrade.sandbox.venue.accounts import Account, Position
from bubbybot_freqtrade.sandbox.venue.matching import within

ORDER_PATHS = ("/trade/order", "/trade/order-tpsl", "/trade/order-algo")


@dataclass(slots=True)
class Bareness:
    """A position without a stop for its whole size. `excuse`: who took the stop, if not the bot.

    since_ms: of the time in which a bot was there to do something about it.
    """

    position_id: str
    inst_id: str
    since_ms: int
    cause: str
    excuse: str
    loops: int = 0


class _WatchedRequests(RequestLog):
    """The sandbox's request log, telling of every request that has had its effect."""

    def __init__(self, size: int, tell: Callable[[LoggedRequest], None]) -> None:
        super().__init__(size)
        self._tell = tell

    def append(self, entry: LoggedRequest) -> None:
        super().append(entry)
        self._tell(entry)


class Watch:
    """Follows one account of a sandbox, whose time it moves. `broken` is what must never happen.

    on_request: told of every request, on the server's thread, before the bot gets its answer.
    """

    def __init__(self, sandbox: Sandbox, uid: str) -> None:
        """Look from now on."""
        self.sandbox = sandbox
        self.uid = uid
        self.broken: list[str] = []
        self.bare_count = 0
        # Whoever took the stop: how long until there was another, while a bot was at work.
        self.bare_ms: list[int] = []
        self._asleep_ms = 0
        self._asleep_since: int | None = None
        self.faults: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.on_request: Callable[[LoggedRequest], None] = lambda _: None
        self._bare: dict[str, Bareness] = {}
        self._moving = False
        self._moment: tuple[int, dict[str, str]] | None = None
        self._client_order_ids: set[str] = set()
        self._by_hand: list[range] = []
        sandbox.requests = _WatchedRequests(sandbox.settings.request_log_size, self._requested)
        sandbox.engine.venue.listeners.append(self._changed)

    @property
    def account(self) -> Account:
        """The account as it is; hold `sandbox.engine.exclusive()` while reading more than once."""
        return self.sandbox.engine.account(self.uid)

    # Looking

    def advance(self, to_ms: int) -> None:
        """Let the venue's time move on to `to_ms`."""
        with self.sandbox.engine.exclusive():
            self._moving, self._moment = True, None
            try:
                self.sandbox.advance(to_ms)
            finally:
                self._moving = False
            self._judge_moment()
            self._judge(self._bare_now(), "while time passed", "")

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """Time inside passes without a bot."""
        self._asleep_since = begin = self.sandbox.engine.now_ms
        try:
            yield
        finally:
            self._asleep_since = None
            self._asleep_ms += self.sandbox.engine.now_ms - begin

    @property
    def _awake_ms(self) -> int:
        now = self.sandbox.engine.now_ms if self._asleep_since is None else self._asleep_since
        return now - self._asleep_ms

    @contextmanager
    def by_hand(self, what: str) -> Iterator[None]:
        """Changes inside are the account owner's own; the bot has one loop to put them right."""
        state = self.sandbox.engine.venue.state
        with self.sandbox.engine.exclusive():
            first = state.next_id
            yield
            self._by_hand.append(range(first, state.next_id))
            self._judge(self._bare_now(), what, "the owner")

    def is_by_hand(self, order_id: str) -> bool:
        """Whether an order or TP/SL came into being by the owner's hand."""
        return bool(order_id) and any(int(order_id) in made for made in self._by_hand)

    def loop_ended(self) -> None:
        """A loop of the bot is over in which it could have acted."""
        with self.sandbox.engine.exclusive():
            self._judge(self._bare_now(), "at the end of a loop", "")
            for bareness in self._bare.values():
                bareness.loops += 1
                # One loop to see it in, which may have begun before it happened.
                if bareness.loops == 2 and bareness.excuse:
                    self._count(
                        bareness, f"{bareness.excuse} took the stop and no loop replaced it"
                    )

    def _changed(self, topic: str, account: Account, subject: Any) -> None:
        """Within one moment the venue changes several things; only the last state exists."""
        if account.uid != self.uid or not self._moving:
            return
        now = self.sandbox.engine.now_ms
        if self._moment is not None and self._moment[0] != now:
            self._judge_moment()
        self._moment = (now, self._bare_now())

    def _judge_moment(self) -> None:
        if self._moment is not None:
            self._judge(self._moment[1], "while time passed", "")
            self._moment = None

    def _requested(self, entry: LoggedRequest) -> None:
        self.requests[f"{entry.method} {entry.path}"] += 1
        if entry.fault:
            self.faults[entry.fault] += 1
        with self.sandbox.engine.exclusive():
            if entry.method == "POST":
                self._judge_intent(entry)
            self._judge(self._bare_now(), f"{entry.method} {entry.path}", "")
        self.on_request(entry)

    def _bare_now(self) -> dict[str, str]:
        """Positions without a stop for their whole size: id and instrument."""
        account = self.account
        return {
            position.position_id: position.inst_id
            for position in account.positions.values()
            if self._covered(position) < position.size
        }

    def _covered(self, position: Position) -> Decimal:
        last = self.sandbox.engine.venue.last_price(position.inst_id)
        return covered(self.account, position, last)

    def _judge(self, bare: dict[str, str], cause: str, excuse: str) -> None:
        now = self._awake_ms
        for position_id in self._bare.keys() - bare.keys():
            ended = self._bare.pop(position_id)
            if any(p.position_id == position_id for p in self.account.positions.values()):
                self.bare_ms.append(now - ended.since_ms)
        for position_id, inst_id in bare.items():
            if position_id in self._bare:
                continue
            who = excuse or self._venue_took_it(position_id, inst_id)
            bareness = Bareness(position_id, inst_id, now, cause, who)
            self._bare[position_id] = bareness
            if not who:
                self._count(bareness, "no stop for its whole size")

    def _count(self, bareness: Bareness, why: str) -> None:
        self.bare_count += 1
        self.broken.append(f"{bareness.inst_id} is bare ({bareness.cause}): {why}")

    def _venue_took_it(self, position_id: str, inst_id: str) -> str:
        """The venue itself cancels a stop whose price was passed already, or what it has fired.

        A limit that was fired and jumped over waits for a price that may never come. By one reading
        it attaches a stop only once the entry has filled completely.
        """
        if self.sandbox.settings.attached_tpsl == "complete_fill" and any(
            order.filled and order.tpsl for order in self.account.live_orders(inst_id)
        ):
            return "the venue"
        ended = [
            order
            for order in self.account.tpsl_orders.values()
            if order.inst_id == inst_id
            and int(order.tpsl_id) > int(position_id)
            # The owner's target beside it is none.
            and order.tpsl.sl_trigger is not None
        ]
        latest = max(ended, key=lambda order: int(order.tpsl_id), default=None)
        if latest is None:
            return ""
        fired = next((o for o in self.account.orders.values() if o.algo_id == latest.tpsl_id), None)
        taken = latest.cancel_type == "system_canceled" or (
            fired is not None and (fired.is_open or fired.cancel_source == "system_canceled")
        )
        return "the venue" if taken else ""

    def _judge_intent(self, entry: LoggedRequest) -> None:
        """No clientOrderId twice, and never two exits at work for one position."""
        if entry.path.endswith(ORDER_PATHS):
            body = entry.json()
            name = body.get("clientOrderId") if isinstance(body, dict) else None
            if name and name in self._client_order_ids:
                self.broken.append(f"clientOrderId {name} was sent twice")
            if name:
                self._client_order_ids.add(name)
        exits = {
            # An exit in parts is one.
            (
                order.inst_id,
                order.position_side,
                frozenset((order.client_order_id, *other_parts(order.client_order_id))),
            )
            for order in self.account.live_orders()
            if order.reduce_only and order.origin == "api" and not self.is_by_hand(order.order_id)
        }
        for (inst_id, _), count in Counter((inst, side) for inst, side, _ in exits).items():
            if count > 1:
                self.broken.append(f"{count} exit orders work at once on {inst_id}")


def covered(account: Account, position: Position, last: Decimal) -> Decimal:
    """Contracts of `position` that its live stops close, or that are being closed by one now.

    last: price, which a limit that a stop has fired must not have been jumped over by.
    """
    size = Decimal(0)
    for order in account.live_tpsl(position.inst_id):
        if order.tpsl.sl_trigger is not None and _closes(order, position):
            size += position.size if order.is_entire_position else order.size
    # A stop or target that has fired lives on as an order until the book has taken all of it.
    firing = (
        order.remaining
        for order in account.live_orders(position.inst_id)
        if order.category in ("sl", "tp")
        and _closes(order, position)
        and (order.category == "tp" or within(order.side, last, order.price))
    )
    return size + sum(firing, Decimal(0))


def _closes(order: Any, position: Position) -> bool:
    return (order.side, order.margin_mode, order.position_side) == (
        position.closing_side,
        position.margin_mode,
        position.position_side,
    )
