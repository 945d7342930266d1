"""Compares the account with the database at the start of every loop, and mends what is safe."""

import logging
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from freqtrade.exceptions import DDosProtection, ExchangeError, OperationalException
from freqtrade.exchange import Exchange
from freqtrade.persistence import Trade
from freqtrade.util import dt_now, dt_ts

from bubbybot_freqtrade.blofin.account import booked_stops, database
from bubbybot_freqtrade.blofin.account.entries_underway import is_of_an_entry, may_be_filling
from bubbybot_freqtrade.blofin.account.first_come import FirstCome
from bubbybot_freqtrade.blofin.account.lost_trades import LostTrades
from bubbybot_freqtrade.blofin.account.messages import (
    gives_way,
    not_known,
    not_mended,
    others_not_known,
)
from bubbybot_freqtrade.blofin.account.orders_left import OrdersLeft
from bubbybot_freqtrade.blofin.account.other_bots import SETTING, OtherBots
from bubbybot_freqtrade.blofin.account.other_currencies import OtherCurrencies
from bubbybot_freqtrade.blofin.account.reconciliation import (
    Account,
    Discrepancy,
    Finding,
    OpenTrade,
    compare,
)
from bubbybot_freqtrade.blofin.account.repairs import Repairs
from bubbybot_freqtrade.blofin.account.venue import RealTime, Requests, Stops
from bubbybot_freqtrade.blofin.bracket import TradeSide

logger = logging.getLogger(__name__)

Key = tuple[Any, ...]

# How long a disagreement must have been there before it is acted on: a fill shows in one list
# before it does in another, and an exit is booked a moment after it has filled.
SECOND_LOOK = timedelta(seconds=10)
# What the person is asked to do something about.
LONG_LOOK = timedelta(seconds=30)
PATIENCE = {
    Discrepancy.LEFTOVER_STOP: SECOND_LOOK,
    Discrepancy.SURPLUS_STOP: SECOND_LOOK,
    Discrepancy.UNKNOWN_ORDER: SECOND_LOOK,
    # Its trade has ended in the database.
    Discrepancy.LEFTOVER_EXIT: timedelta(seconds=5),
    Discrepancy.POSITION_SHRANK: SECOND_LOOK,
    Discrepancy.POSITION_GREW: SECOND_LOOK,
    Discrepancy.EMPTY_TRADE: SECOND_LOOK,
    Discrepancy.MISSING_POSITION: SECOND_LOOK,
}
# While an order works that may bring a stop with its fill, a bare position is looked at twice: the
# stop is pushed and listed a moment after the position is.
SECOND_GLANCE_SECONDS = 0.3
# What couldn't be settled for want of a proof is looked up again after this.
LOOKED_UP_AGAIN = timedelta(minutes=1)

# What BloFin's history didn't explain yet is asked for again.
_OPEN_QUESTIONS = (Discrepancy.POSITION_SHRANK, Discrepancy.MISSING_POSITION)

# Or BloFin has changed the contract.
_OF_ANOTHER_SIZE = (Discrepancy.POSITION_GREW, Discrepancy.POSITION_SHRANK)
# Another bot's order may have done it.
_OF_ANOTHER_HAND = (*_OF_ANOTHER_SIZE, Discrepancy.MISSING_POSITION)


class AccountWatch:
    """The account against the database; no entry is sent where they disagree."""

    def __init__(
        self, exchange: Exchange, requests: Requests, stops: Stops, real_time: RealTime
    ) -> None:
        self._exchange = exchange
        self._real_time = real_time
        self._requests = requests
        self._lost = LostTrades(exchange, requests)
        self._left = OrdersLeft(exchange, requests)
        self._repairs = Repairs(exchange, requests, stops, self._lost)
        self.other_bots = OtherBots(requests)
        self._first_come = FirstCome(requests)
        self._other_currencies = OtherCurrencies(exchange)
        self._stops = stops
        # When each finding was seen first, and when it was last looked into, in which shape.
        self._seen: dict[Key, datetime] = {}
        self._looked_into: dict[Key, tuple[datetime, Finding]] = {}
        # What there is to tell of the present findings.
        self._says: dict[Key, str] = {}
        # What happened in this loop.
        self._events: list[str] = []
        # Pairs with an entry of a killed bot that could fill at any moment.
        self._waiting: set[str] = set()
        self.findings: list[Finding] = []
        self.account_known = False
        self._looked_back = False

    def run(self) -> None:
        """Compare, mend and tell. Called at the start of a loop, in its thread."""
        if not database.is_open():
            # freqtrade makes the exchange first.
            return
        self._real_time.loop_looks()
        try:
            self._look_back()
            seen = self._compare_at_once() if self._real_time.is_heard else self._compare()
            self._give_way()
        except ExchangeError as e:
            self.account_known = False
            logger.warning(not_known(e))
            return
        self.account_known = True
        now = dt_now()
        for finding in seen:
            if finding.kind in _OF_ANOTHER_HAND and finding.key not in self._seen:
                self._look_back_for_others(finding.pair, now)
        self._seen = {finding.key: self._seen.get(finding.key, now) for finding in seen}
        if any(finding.kind in _OF_ANOTHER_SIZE for finding in seen):
            self._requests.doubt_markets()
        self._waiting = {f.pair for f in seen if f.kind is Discrepancy.UNKNOWN_ORDER}
        self.findings = [f for f in seen if self._is_sure(f, now)]
        present = {finding.key for finding in self.findings}
        self._says = {key: say for key, say in self._says.items() if key in present}
        self._looked_into = {k: v for k, v in self._looked_into.items() if k in present}
        self._mend_all(now)

    def _give_way(self) -> None:
        """Leave a position that another bot has entered before this one."""
        for trade in database.open_trades() if self.other_bots.count else ():
            prefix = self._first_come.second_to(trade, self._requests.rows("tpsl"))
            if prefix is not None:
                self._stops.leave(trade, gives_way(trade.pair, trade.trade_direction, prefix))

    def guard(self) -> None:
        """Give bare positions of trades their stop, amid a loop, and do nothing else.

        Called in the loop's thread when something has changed that the loop began before.
        """
        if not database.is_open():
            return
        self._requests.look_again()
        try:
            self._compare_at_once()
        except ExchangeError as e:
            logger.warning(f"The account's state is not known, it is asked again: {e}")

    def objection(self, pair: str) -> str | None:
        """Why no entry may be sent for a pair; None when one may."""
        if not self._looked_back:
            self.run()
        if self._requests.may_still_come(pair):
            return "an earlier order's answer got lost and it may still come"
        if self._requests.clock.is_wrong():
            return "this machine's clock is off, BloFin refuses its time"
        if not self.account_known:
            return "the account's state is not known"
        if pair in self._waiting:
            return "an order of this bot waits there that its database doesn't know"
        if self.other_bots.trades(pair):
            return "another bot on this account trades it"
        return self._unknown_position(pair)

    def _unknown_position(self, pair: str) -> str | None:
        """Why no entry may be sent where a pair has a position that isn't the bot's, by the last
        look or now; None when it has none.
        """
        unknown = "it has a position that this bot's database doesn't know"
        if any(f.kind is Discrepancy.UNKNOWN_POSITION and f.pair == pair for f in self.findings):
            return unknown
        rows = self._requests.rows("positions", fresh=True)
        held = [row for row in rows if row["symbol"] == pair and row["contracts"]]
        others = [row for row in held if database.open_trade(pair, row["side"]) is None]
        if others and all(self._is_left(pair, row["side"], row["contracts"]) for row in others):
            return "BloFin still shows the position that this bot's last trade there has left"
        return unknown if others else None

    def _is_left(self, pair: str, side: TradeSide, contracts: float) -> bool:
        """Whether a position is the one of a trade that has ended just now, in a list that lags."""
        ended = database.just_ended(pair, side, dt_now() - LONG_LOOK)
        return ended is not None and contracts == self._requests.exact_contracts(pair, ended.amount)

    def news(self) -> list[str]:
        """What the owner should know of, a sentence each: the clock, other bots, the findings."""
        clock = self._requests.clock.news()
        others = self.other_bots.told()
        stream = self._real_time.news()
        told = [*self._events, *self._other_currencies.told(), *self._says.values()]
        return [*([clock] if clock else []), *stream, *others, *told]

    def _look_back(self) -> None:
        """Settle what ended trades have left; put back, once at start, what was missed."""
        self._events = self._left.settle()
        self._events += [] if self._looked_back else self._lost.put_back()
        for say in self._events:
            logger.warning(say)
        self._looked_back = True

    def _compare(self) -> list[Finding]:
        # Stops before positions: a stop seen here had its position then.
        tpsl, orders = self._requests.rows("tpsl"), self._requests.rows("orders")
        self._look_for_others([*orders, *tpsl])
        positions = self._other_currencies.sort_out(self._requests.rows("positions"))
        trades = [self._open_trade(trade) for trade in database.open_trades()]
        findings = compare(trades, self._account(positions, tpsl, orders))
        if any(finding.bare for finding in findings):
            # An entry may have been filled, and its stop placed, between the two requests.
            tpsl = self._requests.rows("tpsl", fresh=True)
            findings = compare(trades, self._account(positions, tpsl, orders))
        traded = {trade.pair for trade in trades}
        return [
            finding for finding in findings if not is_of_an_entry(self._requests, finding, traded)
        ]

    def _compare_at_once(self) -> list[Finding]:
        """Compare, and place the stops that can't wait for freqtrade's turn; what else there is.

        freqtrade adopts them in the same loop, after its candles and its strategy.
        """
        with self._requests.at_once():
            return self._protect_at_once(self._compare())

    def _protect_at_once(self, seen: list[Finding]) -> list[Finding]:
        urgent = {finding.key: finding for finding in seen if self._is_urgent(finding)}
        if any(self._may_bring_its_stop(finding) for finding in urgent.values()):
            time.sleep(SECOND_GLANCE_SECONDS)
            self._requests.forget("orders", "tpsl", "positions")
            seen = self._compare()
        left = []
        for finding in seen:
            if finding.key not in urgent or not self._is_urgent(finding):
                left.append(finding)
                continue
            try:
                say = self._repairs.mend(finding)
            except ExchangeError as e:
                logger.warning(not_mended(finding, e))
                left.append(finding)
            else:
                if say:
                    self._events.append(say)
                    logger.warning(say)
        return left

    def _is_urgent(self, finding: Finding) -> bool:
        """Whether a trade's position has no stop, or a part of it none that could still grow."""
        if finding.kind is not Discrepancy.BARE_POSITION:
            return False
        trade = database.open_trade(finding.pair, finding.side)
        if trade is None or not (finding.is_all_bare or not trade.has_open_orders):
            return False
        if self._requests.is_entering(finding.pair) and not booked_stops.has_had_stop(finding.pair):
            # freqtrade waits for the stop that comes with a young entry, and adopts it.
            return False
        return not self._requests.in_hand.leaves_alone(finding.pair)

    def _may_bring_its_stop(self, finding: Finding) -> bool:
        trade = database.open_trade(finding.pair, finding.side)
        return trade is None or trade.has_open_orders

    def _account(self, positions: list[Any], tpsl: list[Any], orders: list[Any]) -> Account:
        known_stops = database.known_order_ids(tpsl)
        own = {o["id"] for o in (*orders, *tpsl) if self._requests.is_own(o)}
        return Account(
            positions,
            tpsl,
            orders,
            own=frozenset(own | known_stops),
            known=frozenset(database.known_order_ids(orders)),
            is_of_trade=self._requests.is_of_trade,
        )

    def _look_for_others(self, rows: Iterable[Any]) -> None:
        self.other_bots.look(rows)
        self._tell_of_others()

    def _look_back_for_others(self, pair: str, now: datetime) -> None:
        """See whose orders have ended on a pair whose position is not what it was."""
        try:
            self._requests.ended_orders(pair, dt_ts(now - 2 * LOOKED_UP_AGAIN))
        except ExchangeError as e:
            logger.warning(others_not_known(pair, e))
            return
        self._tell_of_others()

    def _tell_of_others(self) -> None:
        news = self.other_bots.news()
        if news and self._exchange._config["exchange"].get("other_bots", "share") == "refuse":
            raise OperationalException(
                f"{' '.join(news)} {SETTING} is 'refuse', so this bot trades nothing."
            )
        for say in news:
            logger.warning(say)

    def _open_trade(self, trade: Trade) -> OpenTrade:
        held = self._requests.exact_contracts(trade.pair, trade.amount) if trade.amount else 0.0
        return OpenTrade(trade.pair, trade.trade_direction, held, trade.has_open_orders)

    def _is_sure(self, finding: Finding, now: datetime) -> bool:
        patience = PATIENCE.get(finding.kind, timedelta(0))
        if finding.bare and not finding.is_all_bare and may_be_filling(self._requests, finding):
            # A stop beside it may be growing with its entry.
            patience = SECOND_LOOK
        return now - self._seen[finding.key] >= patience

    def _is_due(self, finding: Finding, now: datetime) -> bool:
        """Whether a finding is to be looked into: each costs requests."""
        if finding.kind is Discrepancy.UNKNOWN_POSITION and self._is_another_s(finding):
            return False
        if finding.kind is Discrepancy.BARE_POSITION:
            return self._is_ours_to_protect(finding, now)
        at, before = self._looked_into.get(finding.key, (None, None))
        if at is None or before != finding:
            return True
        known = finding.key in self._says and not finding.bare
        settled = known and finding.kind not in _OPEN_QUESTIONS
        return not settled and (finding.bare or now - at >= LOOKED_UP_AGAIN)

    def _is_another_s(self, finding: Finding) -> bool:
        """Whether an unknown position is not this bot's business, or not yet."""
        if self._is_left(finding.pair, finding.side, finding.size):
            return True
        waits = finding.pair in self._waiting and not finding.bare
        return waits or self.other_bots.trades(finding.pair)

    def _is_ours_to_protect(self, finding: Finding, now: datetime) -> bool:
        """Stand in where freqtrade can't or didn't: it places no stop before an entry has ended,
        one for its trade's contracts only, and one that it should have placed in the last loop is
        missing still.
        """
        trade = database.open_trade(finding.pair, finding.side)
        missed = self._seen[finding.key] < now
        return trade is not None and (
            missed or not trade.has_open_position or not finding.is_all_bare
        )

    def _mend_all(self, now: datetime) -> None:
        """Mend each by itself, bare positions first; what fails is tried again in the next loop."""
        for finding in sorted(self.findings, key=lambda finding: not finding.bare):
            if not self._is_due(finding, now):
                continue
            try:
                say = self._repairs.mend(finding)
            except ExchangeError as e:
                self._tell(finding, not_mended(finding, e))
                if isinstance(e, DDosProtection):
                    # Every further request would prolong the ban.
                    break
            else:
                if self._may_settle_itself(finding, now):
                    continue
                self._looked_into[finding.key] = now, finding
                self._tell(finding, say)

    def _may_settle_itself(self, finding: Finding, now: datetime) -> bool:
        """Whether it is too early to say that it isn't known what has closed a trade."""
        if finding.kind is not Discrepancy.MISSING_POSITION:
            return False
        waited = now - self._seen[finding.key]
        return waited < LONG_LOOK and database.open_trade(finding.pair, finding.side) is not None

    def _tell(self, finding: Finding, say: str | None) -> None:
        """Tell it once, as long as it stays what it is."""
        if not say:
            self._says.pop(finding.key, None)
        elif self._says.get(finding.key) != say:
            self._says[finding.key] = say
            logger.warning(say)
