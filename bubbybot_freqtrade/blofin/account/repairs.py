"""What is mended when the account and the database disagree, each with its proof."""

import logging
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from freqtrade.exchange import Exchange
from freqtrade.persistence import Order, Trade
from freqtrade.util import dt_now

from bubbybot_freqtrade.blofin.account import books, database
from bubbybot_freqtrade.blofin.account.history import History
from bubbybot_freqtrade.blofin.account.lost_trades import LostTrades
from bubbybot_freqtrade.blofin.account.messages import told
from bubbybot_freqtrade.blofin.account.reconciliation import Discrepancy, Finding, Row, exit_side
from bubbybot_freqtrade.blofin.account.venue import Requests, Stops
from bubbybot_freqtrade.blofin.closings import closed_contracts
from bubbybot_freqtrade.blofin.protection import stop_candidates

logger = logging.getLogger(__name__)


# How far a list may be behind what has happened.
LISTS_LAG = timedelta(minutes=1)


class Repairs:
    """Mends one finding at a time.

    Nothing is canceled, booked or taken out because a list doesn't show something: an order that
    closed it must be known, or the trade it belonged to must have ended in the database.
    """

    def __init__(
        self, exchange: Exchange, requests: Requests, stops: Stops, lost: LostTrades
    ) -> None:
        self._exchange = exchange
        self._requests = requests
        self._stops = stops
        self._lost = lost
        self._history = History(requests)
        # Unknown positions whose orders have been looked up, with their size.
        self._looked_up: dict[tuple[str, str, str], float] = {}
        self._mend: dict[Discrepancy, Callable[[Finding], str | None]] = {
            Discrepancy.UNKNOWN_POSITION: self._recover_or_protect,
            Discrepancy.BARE_POSITION: self._protect,
            Discrepancy.POSITION_GREW: self._additions,
            Discrepancy.POSITION_SHRANK: self._book_closings,
            Discrepancy.MISSING_POSITION: self._settle_missing,
            Discrepancy.LEFTOVER_STOP: self._cancel_leftover_stop,
            Discrepancy.SURPLUS_STOP: self._cancel_stop,
            Discrepancy.UNKNOWN_ORDER: self._cancel_order,
            Discrepancy.LEFTOVER_EXIT: self._cancel_order,
            Discrepancy.LEFTOVER_ENTRY: self._cancel_leftover_entry,
            Discrepancy.EMPTY_TRADE: self._settle_empty,
        }

    def mend(self, finding: Finding) -> str | None:
        """Do what is safe, and return what to tell; None where there is nothing to tell (yet).

        :raises freqtrade.exceptions.ExchangeError: when BloFin didn't take it
        """
        return self._mend[finding.kind](finding)

    def _protect(self, finding: Finding) -> str | None:
        # A look that saw no stop was behind where there is one.
        return told(finding) if self._stops.protect(finding.row) else None

    def _cancel_stop(self, finding: Finding) -> str | None:
        self._stops.cancel(_id(finding), finding.pair)
        return told(finding)

    def _cancel_leftover_stop(self, finding: Finding) -> str | None:
        return self._cancel_stop(finding) if self._is_spent(finding) else None

    def _cancel_order(self, finding: Finding) -> str | None:
        self._exchange.cancel_order(_id(finding), finding.pair)
        # A part of it may have made a position.
        self._looked_up = {k: size for k, size in self._looked_up.items() if k[0] != finding.pair}
        return told(finding)

    def _cancel_leftover_entry(self, finding: Finding) -> str | None:
        return self._cancel_order(finding) if self._part_was_closed(finding) else None

    def _recover_or_protect(self, finding: Finding) -> str | None:
        if finding.pair not in self._exchange.markets:
            return (
                f"{finding.pair}: a {finding.side} position of {finding.size:g} contracts on a "
                "market that BloFin doesn't list for trading. The bot can do nothing about it: "
                "look at it in the app."
            )
        said: list[str] = []
        key = finding.pair, finding.side, _id(finding)
        if self._looked_up.get(key) != finding.size:
            said = self._lost.put_back_of(finding.pair)
            self._looked_up[key] = finding.size
        if said and database.open_trade(finding.pair, finding.side) is not None:
            return " ".join(said)
        if finding.bare:
            self._stops.protect(finding.row)
        return " ".join([*said, told(finding)])

    def _additions(self, finding: Finding) -> str | None:
        """An addition of the bot itself may have got lost between its request and its row."""
        said = self._lost.put_back_of(finding.pair)
        return " ".join(said) or told(finding)

    def _book_closings(self, finding: Finding) -> str | None:
        """Book what was closed outside of the bot, once BloFin tells which orders did."""
        trade = database.open_trade(finding.pair, finding.side)
        if trade is None or self._stop_is_settling(trade):
            # freqtrade books what its stop has closed.
            return None
        left = (finding.row or {})["contracts"]
        gone = float(Decimal(str(finding.contracts)) - Decimal(str(left)))
        closings = self._history.closings(trade, gone)
        if abs(closed_contracts(closings) - gone) > 1e-9 * finding.contracts:
            return self._book_netted(trade, gone, left) or told(finding)
        prices = ", ".join(f"{order['average']:.8g}" for order in closings)
        for order in closings:
            booked = self._requests.in_base_currency(self._history.as_booked(order))
            books.book_exit(self._exchange, trade, booked)
        return (
            f"{finding.pair}: {gone:g} of the {finding.contracts:g} contracts of the "
            f"{finding.side} trade were closed outside of the bot, at {prices}. They are "
            f"booked, and the trade goes on with {left:g}. Nothing has to be done."
        )

    def _settle_missing(self, finding: Finding) -> str | None:
        """Let freqtrade end a trade that is proven closed: by its stop, or the order that did."""
        trade = database.open_trade(finding.pair, finding.side)
        if trade is None:
            return told(finding)
        if not self._history.is_proven_closed(trade):
            if self._exits_underway(trade):
                # freqtrade books it as soon as BloFin tells.
                return None
            return self._book_netted(trade, finding.contracts, 0.0) or told(finding)
        side = exit_side(finding.side)
        for stop in stop_candidates(self._requests.rows("tpsl", fresh=True), finding.pair, side):
            if self._is_own_stop(stop):
                self._stops.cancel(stop["id"], finding.pair)
        return None

    def _exits_underway(self, trade: Trade) -> bool:
        """Whether an exit of the bot itself may have closed a trade, and isn't booked yet."""
        since = dt_now() - LISTS_LAG
        return any(
            order.ft_is_open
            and order.ft_order_side == trade.exit_side
            and order.order_date_utc > since
            for order in trade.orders
        )

    def _book_netted(self, trade: Trade, contracts: float, left: float) -> str | None:
        """Book what an entry has closed of somebody else's position as left at its own price."""
        entry = self._history.netted(trade, contracts, left)
        if entry is None:
            return None
        base = self._requests.in_base_currency(entry)
        name = f"{entry['id']}-netted"
        fee = {"cost": 0.0, "currency": trade.stake_currency}
        books.book_exit(self._exchange, trade, {**base, "id": name, "fee": fee})
        return (
            f"{trade.pair}: {contracts:g} contracts of the {trade.trade_direction} entry have "
            "closed another program's position instead of opening one, for one-way mode has one "
            "a pair. They are booked as left at the entry's own price. Give each bot pairs of its "
            "own, or better an account of its own."
        )

    def _is_own_stop(self, stop: Row) -> bool:
        return self._requests.is_own(stop) or bool(database.known_order_ids([stop]))

    def _stop_is_settling(self, trade: Trade) -> bool:
        """Whether a stop of the trade isn't pending any more, and freqtrade hasn't booked it."""
        pending = {row["id"] for row in self._requests.rows("tpsl")}
        return any(order.order_id not in pending for order in trade.open_sl_orders)

    def _is_spent(self, finding: Finding) -> bool:
        """Whether a stop's trade has ended, by the database or by BloFin's closed positions."""
        stop = finding.row or {}
        order = database.order_of(stop["id"], finding.pair)
        if order is not None:
            return not order.trade.is_open
        since = stop.get("timestamp")
        if since is None:
            return False
        # One that had closed a moment before: a list that lagged has shown it still.
        closed = self._requests.closed_positions(
            finding.pair, since - LISTS_LAG // timedelta(milliseconds=1)
        )
        return any(row["side"] == finding.side for row in closed)

    def _part_was_closed(self, finding: Finding) -> bool:
        """Whether orders are known that closed what an entry has filled so far."""
        trade = database.open_trade(finding.pair, finding.side)
        if trade is None:
            return False
        filled = finding.contracts
        return closed_contracts(self._history.closings(trade, filled, before=filled)) >= filled

    def _settle_empty(self, finding: Finding) -> str | None:
        """Take a trade out whose entries have all ended without a fill, as BloFin says."""
        trade = database.open_trade(finding.pair, finding.side)
        if trade is None or trade.has_open_orders or trade.nr_of_successful_entries:
            return None
        for order in trade.orders:
            if order.ft_order_side == trade.entry_side and not self._has_ended_empty(order):
                order.ft_is_open = True
                Trade.commit()
                return None
        trade.delete()
        return told(finding)

    def _has_ended_empty(self, order: Order) -> bool:
        found = self._requests.order(order.order_id, order.ft_pair)
        # BloFin keeps orders that were canceled without a fill for hours only.
        return found is None or (found["status"] != "open" and not found["filled"])


def _id(finding: Finding) -> str:
    return str((finding.row or {})["id"])
