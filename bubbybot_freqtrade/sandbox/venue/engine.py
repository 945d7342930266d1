"""The venue as one object: everything that can be asked of it or happen to it, under one lock.

Time moves only in `advance`, which plays the market's trades in order: they fill resting orders,
fire TP/SL and trigger orders and liquidate; funding is settled on the way. Stretches in which no
price comes near anything that waits are skipped.
"""

from __future__ import annotations

import decimal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

import orjson

from bubbybot_freqtrade.sandbox.market.funding import FUNDING_INTERVAL_MS
from bubbybot_freqtrade.sandbox.market.paths import DAY_MS, MINUTE_MS
from bubbybot_freqtrade.sandbox.market.prices import MarketData
from bubbybot_freqtrade.sandbox.market.quotes import PriceKind, Tick
from bubbybot_freqtrade.sandbox.settings import ApiKey, SandboxSettings
from bubbybot_freqtrade.sandbox.venue.accounts import Account, Position
from bubbybot_freqtrade.sandbox.venue.amounts import ARITHMETIC, ZERO
from bubbybot_freqtrade.sandbox.venue.clearing import Clearing
from bubbybot_freqtrade.sandbox.venue.core import Venue, VenueState
from bubbybot_freqtrade.sandbox.venue.errors import VenueError
from bubbybot_freqtrade.sandbox.venue.instrument_change import InstrumentChange
from bubbybot_freqtrade.sandbox.venue.listing import Listing
from bubbybot_freqtrade.sandbox.venue.matching import Matching
from bubbybot_freqtrade.sandbox.venue.order_entry import OrderEntry
from bubbybot_freqtrade.sandbox.venue.past import live_through
from bubbybot_freqtrade.sandbox.venue.trigger_entry import TriggerEntry
from bubbybot_freqtrade.sandbox.venue.triggers import Triggers
from bubbybot_freqtrade.sandbox.venue.visibility import Visibility

# Stretches longer than this that have something in reach are halved before their trades are played.
SHORTEST_STRETCH_MS = 2 * MINUTE_MS
PRICE_KINDS: tuple[PriceKind, ...] = ("last", "mark", "index")


class Engine:
    """Accounts trading against a market.

    Every use from outside goes through `exclusive()`, which holds the lock and sets the decimal
    arithmetic; the parts themselves know nothing of threads.
    """

    def __init__(self, settings: SandboxSettings, market: MarketData, state: VenueState) -> None:
        """Go on from `state`, which may be new (`new_state`) or restored."""
        self.settings = settings
        self.market = market
        self.venue = Venue(settings, market, state)
        self.clearing = Clearing(self.venue)
        self.matching = Matching(self.venue, self.clearing)
        self.triggers = Triggers(self.venue, self.clearing, self.matching)
        self.order_entry = OrderEntry(self.venue, self.clearing, self.matching)
        self.trigger_entry = TriggerEntry(self.venue, self.triggers)
        self.listing = Listing(self.venue, self.clearing, self.matching, self.triggers)
        self.visibility = Visibility(self.venue)
        # Called by who has held the engine, before anybody else can.
        self.on_release: Callable[[], None] = lambda: None
        self._lock = threading.RLock()
        self._holds = 0

    @contextmanager
    def exclusive(self) -> Iterator[Engine]:
        """Hold the engine: nothing else happens meanwhile."""
        with self._lock, decimal.localcontext(ARITHMETIC):
            self._holds += 1
            try:
                yield self
            finally:
                if self._holds == 1:
                    self.on_release()
                self._holds -= 1

    @property
    def now_ms(self) -> int:
        """How far the market has been played."""
        return self.venue.now_ms

    def account(self, uid: str) -> Account:
        """The account of a user; KeyError when there is none."""
        return self.venue.accounts[uid]

    # Time

    def advance(self, to_ms: int) -> None:
        """Play the market up to `to_ms`, that moment included. An earlier time changes nothing."""
        with self.exclusive():
            while self.now_ms < to_ms:
                stop = min(to_ms, self._next_stop())
                self._play(self.now_ms, stop)
                self.venue.state.now_ms = stop
                self._at_stop(stop)

    def _next_stop(self) -> int:
        """The next moment at which something happens whatever the prices do."""
        stop = (self.now_ms // FUNDING_INTERVAL_MS + 1) * FUNDING_INTERVAL_MS
        for instrument in self.venue.instruments.values():
            if instrument.expire_time > self.now_ms:
                stop = min(stop, instrument.expire_time)
        return stop

    def _at_stop(self, now_ms: int) -> None:
        if now_ms % FUNDING_INTERVAL_MS == 0 and now_ms > self.venue.state.last_funding_ms:
            self.venue.state.last_funding_ms = now_ms
            for account in self.venue.accounts.values():
                self.clearing.settle_funding(account)
            self._liquidate()
        for inst_id, instrument in tuple(self.venue.instruments.items()):
            if 0 < instrument.expire_time <= now_ms and instrument.state == "live":
                self.listing.delist(inst_id)
                self.listing.change(inst_id, InstrumentChange(state="suspend"))

    def _play(self, from_ms: int, to_ms: int) -> None:
        """Play the trades of (from_ms, to_ms], skipping what cannot matter."""
        busy = self._busy_instruments()
        if not any(self._in_reach(inst_id, from_ms, to_ms) for inst_id in busy):
            return
        if to_ms - from_ms > SHORTEST_STRETCH_MS:
            middle = (from_ms + to_ms) // 2 // MINUTE_MS * MINUTE_MS
            self._play(from_ms, middle)
            self._play(middle, to_ms)
            return
        before = {inst_id: self.market.last_price(inst_id, from_ms) for inst_id in busy}
        for tick in self.market.ticks(from_ms, to_ms, *busy):
            self.venue.state.now_ms = tick.ts_ms
            self._on_tick(tick, before[tick.inst_id])
            before[tick.inst_id] = tick.price

    def _on_tick(self, tick: Tick, before: Decimal) -> None:
        """Take the price from `before` to the tick, past everything that waits in between.

        Inside a minute the price passes through every level; between two minutes it may jump.
        """
        here = tick.price if tick.ts_ms % MINUTE_MS == 0 else before
        while (level := self._next_level(tick.inst_id, here, tick.price)) is not None:
            here = level
            self.venue.passing[tick.inst_id] = level
            self._meet(tick.inst_id, level, None)
        self.venue.passing.pop(tick.inst_id, None)
        self._meet(tick.inst_id, tick.price, tick.size_contracts)
        self._liquidate()

    def _next_level(self, inst_id: str, here: Decimal, to: Decimal) -> Decimal | None:
        """The first waiting price strictly between `here` and `to`."""
        if here == to:
            return None
        way = 1 if to > here else -1
        between = (
            price
            for price, direction in self.triggers.prices_of_interest(inst_id, "last")
            if direction == way and (here < price < to if way > 0 else to < price < here)
        )
        return min(between, default=None) if way > 0 else max(between, default=None)

    def _meet(self, inst_id: str, price: Decimal, size: Decimal | None) -> None:
        for account in self.venue.accounts.values():
            for order in account.live_orders(inst_id):
                if order.is_open:
                    self.matching.trade(account, order, price, size)
        self.triggers.on_price(inst_id, price)

    def _busy_instruments(self) -> list[str]:
        """Instruments with orders or positions, in any account."""
        busy: dict[str, None] = {}
        for account in self.venue.accounts.values():
            for position in account.positions.values():
                busy[position.inst_id] = None
            for order in account.live_orders():
                busy[order.inst_id] = None
            for tpsl_order in account.live_tpsl():
                busy[tpsl_order.inst_id] = None
            for algo in account.live_algo():
                busy[algo.inst_id] = None
        return list(busy)

    def _in_reach(self, inst_id: str, from_ms: int, to_ms: int) -> bool:
        """True when a price of the stretch fills, fires or endangers something."""
        for kind in PRICE_KINDS:
            prices = list(self.triggers.prices_of_interest(inst_id, kind))
            span = self.market.extremes(inst_id, from_ms, to_ms, kind) if prices else None
            if span is None:
                continue
            low, high = span
            for price, direction in prices:
                if high >= price if direction > 0 else low <= price:
                    return True
        return any(
            self._endangered(account, position, from_ms, to_ms)
            for account in self.venue.accounts.values()
            for position in account.positions.values()
            if position.inst_id == inst_id
        )

    def _endangered(self, account: Account, position: Position, from_ms: int, to_ms: int) -> bool:
        """True when mark prices of the stretch could liquidate the position.

        For cross positions every other one is taken at its own worst price of the stretch.
        """
        span = self.market.extremes(position.inst_id, from_ms, to_ms, "mark")
        if span is None:
            return False
        if position.margin_mode == "isolated":
            worst = span[0] if position.direction > 0 else span[1]
            price = self.clearing.liquidation_price(account, position)
            return worst <= price if position.direction > 0 else worst >= price
        equity = account.ledger.balance - sum(
            (p.margin for p in account.positions.values() if p.margin_mode == "isolated"), ZERO
        )
        needed = ZERO
        for other in account.positions.values():
            if other.margin_mode != "cross":
                continue
            low, high = self.market.extremes(other.inst_id, from_ms, to_ms, "mark") or span
            worst = low if other.direction > 0 else high
            equity += other.direction * (worst * other.base_size - other.entry_value)
            needed += self.clearing.requirement(other, high)
        return equity <= needed

    # What the venue does to accounts

    def _liquidate(self) -> None:
        for account in self.venue.accounts.values():
            if not account.positions:
                continue
            due = self.clearing.due_for_liquidation(account)
            cross = any(position.margin_mode == "cross" for position in due)
            if cross:
                self._cancel_for_liquidation(account, "cross", None)
            for position in due:
                self._take_over(account, position)
                if position.margin_mode == "isolated":
                    self._cancel_for_liquidation(account, "isolated", position.inst_id)
            if cross:
                self.clearing.cover_shortfall(account)
            if due:
                self.venue.emit("account", account)

    def _cancel_for_liquidation(
        self, account: Account, margin_mode: str, inst_id: str | None
    ) -> None:
        """Isolated: all isolated orders of the pair. Cross: all of cross, and isolated entries.

        TP/SLs go with their position.
        """
        for order in account.live_orders(inst_id):
            is_entry = margin_mode == "cross" and not order.reduce_only
            if order.margin_mode == margin_mode or is_entry:
                self.matching.cancel(account, order, "system_canceled")
        for algo in account.live_algo(inst_id):
            is_entry = margin_mode == "cross" and not algo.reduce_only
            if algo.margin_mode == margin_mode or is_entry:
                self.triggers.cancel_algo(account, algo, "system_canceled")

    def _take_over(self, account: Account, position: Position) -> None:
        order = self.clearing.liquidate(account, position)
        self.venue.emit("orders", account, order)
        self.triggers.after_fill(account, order)

    # What drills do

    def fill(self, uid: str, order_id: str, size: Decimal | None = None) -> None:
        """Fill an open order at its own price: `size` contracts, or all; KeyError if unknown."""
        account = self.account(uid)
        order = account.orders[order_id]
        if order.is_open:
            self.matching.trade(account, order, order.price, size)

    def fill_named(self, uid: str, body: str) -> None:
        """Fill the order that a cancel request's body names, should there be such an order."""
        try:
            fields = orjson.loads(body)
            order = self.order_entry.find_order(self.account(uid), fields)
        except (orjson.JSONDecodeError, VenueError, KeyError, AttributeError):
            return
        if order is not None:
            self.fill(uid, order.order_id)

    def cancel_tpsl_since(self, uid: str, first_id: int) -> None:
        """Cancel, as the venue does, the live TP/SL orders with this id or a later one."""
        account = self.account(uid)
        for tpsl_order in account.live_tpsl():
            if int(tpsl_order.tpsl_id) >= first_id:
                self.triggers.cancel_tpsl(account, tpsl_order, "system_canceled")

    # Accounts

    def open_account(self, uid: str) -> Account:
        """A new account with the starting balance of the settings."""
        account = Account(
            uid=uid,
            position_mode=self.settings.position_mode,
            margin_mode=self.settings.margin_mode,
            default_leverage=self.settings.leverage,
        )
        past_ms = self.settings.past_days * DAY_MS
        deposited_ms = self.now_ms - past_ms
        account.ledger.post(self.venue.new_id(), deposited_ms, "deposit", self.settings.balance)
        self.venue.accounts[uid] = account
        live_through(self, account, self.settings.past_days)
        return account

    def add_key(self, key: ApiKey) -> None:
        """Make a key known; its account is opened when it is new."""
        with self.exclusive():
            self.venue.keys[key.api_key] = key
            if key.uid not in self.venue.accounts:
                self.open_account(key.uid)

    def revoke_key(self, api_key: str) -> None:
        """Forget a key, as when its owner deletes it; KeyError when it is unknown."""
        with self.exclusive():
            del self.venue.keys[api_key]


def new_state(start_ms: int) -> VenueState:
    """A venue without accounts at `start_ms`."""
    return VenueState(
        now_ms=start_ms, last_funding_ms=start_ms // FUNDING_INTERVAL_MS * FUNDING_INTERVAL_MS
    )
