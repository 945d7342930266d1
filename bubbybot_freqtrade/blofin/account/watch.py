"""Compares the account with the database at the start of every loop, and mends what is safe."""

import logging
from datetime import timedelta
from math import isclose
from typing import Any

from freqtrade.exceptions import DDosProtection, ExchangeError
from freqtrade.exchange import Exchange
from freqtrade.util import dt_now, dt_ts

from bubbybot_freqtrade.blofin.account import database
from bubbybot_freqtrade.blofin.account.reconciliation import (
    Discrepancy,
    Finding,
    OpenTrade,
    compare,
    told,
)
from bubbybot_freqtrade.blofin.account.venue import Requests, Stops
from bubbybot_freqtrade.blofin.protection import closes

logger = logging.getLogger(__name__)

# How far back an entry is looked for whose trade is missing in the database.
RECOVERY_WINDOW = timedelta(days=7)

# Mended or reported only when the next loop sees them too: a stop that has just filled and a
# position that has just been closed look like these for a moment.
NEEDS_A_SECOND_LOOK = (
    Discrepancy.LEFTOVER_STOP,
    Discrepancy.SURPLUS_STOP,
    Discrepancy.UNKNOWN_ORDER,
    Discrepancy.LEFTOVER_EXIT,
    Discrepancy.MISSING_POSITION,
    Discrepancy.SIZE_DIFFERS,
    Discrepancy.EMPTY_TRADE,
)


# What is mended by canceling the order that it is about.
CANCELED = (Discrepancy.UNKNOWN_ORDER, Discrepancy.LEFTOVER_EXIT, Discrepancy.LEFTOVER_ENTRY)

# An entry's trade is there, its order may not be yet: freqtrade adds to a position.
_OF_AN_ENTRY = (Discrepancy.UNKNOWN_ORDER, Discrepancy.SIZE_DIFFERS)


class AccountWatch:
    """The account against the database; no entry is sent where they disagree."""

    def __init__(self, exchange: Exchange, requests: Requests, stops: Stops) -> None:
        self._exchange = exchange
        self._requests = requests
        self._stops = stops
        # What was seen in the last loop, told or not.
        self._seen: set[tuple[Any, ...]] = set()
        self._told: set[tuple[Any, ...]] = set()
        # What could not be mended in this loop, and why.
        self._failed: dict[tuple[Any, ...], str] = {}
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
        try:
            self._look_back()
            seen = self._compare()
        except ExchangeError as e:
            self.account_known = False
            logger.warning(f"The account's state is not known, no entries until it is: {e}")
            return
        self.account_known = True
        self._waiting = {f.pair for f in seen if f.kind is Discrepancy.UNKNOWN_ORDER}
        self.findings = [f for f in seen if self._is_sure(f)]
        self._mend_all()
        for finding in self.findings:
            if finding.key not in self._told | self._failed.keys():
                logger.warning(told(finding))
        self._seen = {finding.key for finding in seen}
        self._told = {finding.key for finding in self.findings} - self._failed.keys()

    def objection(self, pair: str) -> str | None:
        """Why no entry may be sent for a pair; None when one may."""
        if not self._looked_back:
            self.run()
        if self._requests.clock.is_wrong():
            return "this machine's clock is off, BloFin refuses its time"
        if not self.account_known:
            return "the account's state is not known"
        if pair in self._waiting:
            return "an order of this bot waits there that its database doesn't know"
        unknown = [f for f in self.findings if f.kind is Discrepancy.UNKNOWN_POSITION]
        if any(finding.pair == pair for finding in unknown):
            return "it has a position that this bot's database doesn't know"
        return None

    def news(self) -> list[str]:
        """What the owner should know of, a sentence each: the clock and the findings."""
        clock = self._requests.clock.news()
        findings = (self._failed.get(finding.key) or told(finding) for finding in self.findings)
        return [*([clock] if clock else []), *findings]

    def _look_back(self) -> None:
        """Put back, once at start, entries that a kill has lost, also those that have ended since.

        Such an entry is newer than all that the database knows. An empty database asks for none:
        it may be a new one on an old account.
        """
        newest = None if self._looked_back else database.newest_order_date()
        if newest is not None:
            # Its date is the venue's or this machine's: the earlier of the two.
            since = min(dt_ts(newest), self._requests.clock.venue_ms(newest))
            ended = self._requests.ended_orders(None, since)
            own = [o for o in ended if self._requests.is_own(o) and not closes(o)]
            settled = database.known_order_ids(own) | database.deleted_entry_ids(own)
            for order in own:
                if order["id"] not in settled and database.open_since(order["symbol"]) is None:
                    self._recover(self._requests.in_base_currency(order))
        self._looked_back = True

    def _recover(self, order: dict[str, Any]) -> None:
        trade = database.recover_trade(self._exchange, self._exchange._config, order)
        logger.warning(f"{trade.pair}: found an entry that got lost, put it back: {trade}.")

    def _is_sure(self, finding: Finding) -> bool:
        return finding.kind not in NEEDS_A_SECOND_LOOK or finding.key in self._seen

    def _compare(self) -> list[Finding]:
        # Stops before positions: a stop seen here had its position then.
        stops, orders = self._requests.rows("tpsl"), self._requests.rows("orders")
        ours = [o for o in orders if self._requests.is_own(o)]
        own, known = {o["id"] for o in ours}, database.known_order_ids(ours)
        positions = self._requests.rows("positions")
        trades = [self._open_trade(trade) for trade in database.open_trades()]
        findings = compare(trades, positions, stops, orders, own, known)
        if any(finding.bare for finding in findings):
            # An entry may have been filled, and its stop placed, between the two requests.
            stops = self._requests.rows("tpsl", fresh=True)
            findings = compare(trades, positions, stops, orders, own, known)
        traded = {trade.pair for trade in trades}
        return [finding for finding in findings if not self._is_of_an_entry(finding, traded)]

    def _is_of_an_entry(self, finding: Finding, traded: set[str]) -> bool:
        """Whether this is what an entry looks like before freqtrade has written its trade.

        Telegram's and the API's entries run beside the loop, and an answer that got lost is looked
        up for seconds.
        """
        if not self._requests.is_entering(finding.pair):
            return False
        return finding.pair not in traded or finding.kind in _OF_AN_ENTRY

    def _open_trade(self, trade: Any) -> OpenTrade:
        contracts = self._requests.contracts(trade.pair, trade.amount) if trade.amount else 0.0
        return OpenTrade(trade.pair, trade.trade_direction, contracts, trade.has_open_orders)

    def _mend_all(self) -> None:
        """Mend each by itself, bare positions first; what fails is tried again in the next loop."""
        self._failed = {}
        for finding in sorted(self.findings, key=lambda finding: not finding.bare):
            try:
                self._mend(finding)
            except ExchangeError as e:
                failed = f"{finding.pair}: {finding.kind.replace('_', ' ')}, not mended yet: {e}"
                self._failed[finding.key] = failed
                logger.warning(failed)
                if isinstance(e, DDosProtection):
                    # Every further request would prolong the ban.
                    break

    def _mend(self, finding: Finding) -> None:
        row = finding.row or {}
        if finding.kind in (Discrepancy.LEFTOVER_STOP, Discrepancy.SURPLUS_STOP):
            self._stops.cancel(row["id"], finding.pair)
        elif finding.kind in CANCELED:
            self._exchange.cancel_order(row["id"], finding.pair)
        elif finding.kind is Discrepancy.EMPTY_TRADE:
            database.delete_empty_trade(finding.pair)
        elif finding.kind is Discrepancy.BARE_POSITION:
            self._protect_part(finding)
        elif finding.kind is Discrepancy.UNKNOWN_POSITION:
            self._recover_or_protect(finding)

    def _recover_or_protect(self, finding: Finding) -> None:
        order = self._lost_entry(finding)
        if order is not None:
            self._recover(order)
            self.findings = [f for f in self.findings if f.key != finding.key]
        elif finding.bare:
            self._stops.protect(finding.row or {})

    def _protect_part(self, finding: Finding) -> None:
        """Stand in where freqtrade can't or didn't: it places no stop before an entry has ended,
        and one that it should have placed in the last loop is missing still.
        """
        missed = finding.key in self._seen
        for trade in database.open_trades():
            if trade.pair == finding.pair and (missed or not trade.has_open_position):
                self._stops.protect(finding.row or {})

    def _lost_entry(self, finding: Finding) -> dict[str, Any] | None:
        """Return the entry of this bot that alone made the position, if there is one."""
        position = finding.row or {}
        since = dt_ts(dt_now() - RECOVERY_WINDOW)
        opening = "buy" if finding.side == "long" else "sell"
        own = [
            order
            for order in self._requests.ended_orders(finding.pair, since)
            if self._requests.is_own(order) and order["side"] == opening and not closes(order)
        ]
        settled = database.known_order_ids(own) | database.deleted_entry_ids(own)
        contracts = position["contracts"]
        made = [o for o in own if o["id"] not in settled and isclose(o["filled"], contracts)]
        return self._requests.in_base_currency(made[-1]) if made else None
