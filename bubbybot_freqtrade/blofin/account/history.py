"""What BloFin's ended orders tell of a trade in freqtrade's database."""

from decimal import Decimal
from typing import Any

from freqtrade.exchange.exchange_types import CcxtOrder
from freqtrade.persistence import Order, Trade
from freqtrade.util import dt_ts

from bubbybot_freqtrade.blofin.account import database
from bubbybot_freqtrade.blofin.account.fees import fee_of, note_fee
from bubbybot_freqtrade.blofin.account.venue import Requests
from bubbybot_freqtrade.blofin.closings import (
    closed_contracts,
    closing_parts,
    ended_at,
    filled_by,
    in_sequence,
    is_of_mode,
    opens,
    part,
)
from bubbybot_freqtrade.blofin.contracts import total
from bubbybot_freqtrade.blofin.protection import what_closed

# Kept at a time; a question more for each that was forgotten.
_MOST_ENTRIES = 1_000


class History:
    """Looks up how trades were closed; amounts are contracts."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        # When entries were placed (ms), by id: that does not change.
        self._entered_at: dict[str, int] = {}

    def closings(
        self,
        trade: Trade,
        contracts: float,
        stop_id: str | None = None,
        before: float | None = None,
    ) -> list[CcxtOrder]:
        """Orders, or parts of them, that closed the last `contracts` of a trade, oldest first.

        Those that freqtrade hasn't booked: by hand, by another program, by a stop that it doesn't
        know. They add up to less than `contracts` as long as BloFin doesn't say how all was closed.

        :param stop_id: of the trade's stop order that they are looked up for
        :param before: contracts that orders have opened which haven't ended; the trade's own that
            BloFin doesn't list any more when None
        """
        entry = database.first_entry(trade.pair, stop_id)
        if entry is None:
            return []
        since = self.entry_time(entry)
        ended = self._requests.ended_orders(trade.pair, since)
        ended += self._filling(trade, ended, since)
        found = self._closings_of(trade, _of_entry(ended, entry), contracts, stop_id, before)
        if closed_contracts(found) >= contracts * (1 - 1e-9):
            return found
        # BloFin lists ended orders by when they were placed.
        ended += self._placed_before(trade.pair, {order["id"] for order in ended}, since)
        return self._closings_of(trade, _of_entry(ended, entry), contracts, stop_id, before)

    def _closings_of(
        self,
        trade: Trade,
        ended: list[CcxtOrder],
        contracts: float,
        stop_id: str | None,
        before: float | None,
    ) -> list[CcxtOrder]:
        booked_until = max(
            database.booked_until(trade.pair, stop_id), database.earlier_one_until(trade)
        )
        known = database.known_order_ids(ended) - {stop_id}
        known |= {order["id"] for order in ended if ended_at(order) <= booked_until}
        if before is None:
            before = self._net(trade, {order["id"] for order in ended})
        booked = {order["id"]: self._booked_parts(trade, order) for order in ended}
        return closing_parts(ended, trade.trade_direction, known, contracts, before, booked)

    def as_booked(self, order: CcxtOrder) -> CcxtOrder:
        """An order, or part of one, as it is to be booked: one that may still fill, or of which a
        part is booked, under a name of its own.
        """
        parts = database.booked_parts(order["id"], order["symbol"])
        if not parts and order["status"] != "open":
            return order
        name = database.name_of_part(order["id"], len(parts) + 1)
        return {**order, "id": name, "status": "closed"}

    def _filling(self, trade: Trade, ended: list[CcxtOrder], since: int) -> list[CcxtOrder]:
        """Open orders that have closed a part of a pair's position so far: an owner's own limit."""
        listed = {order["id"] for order in ended}
        return [
            order
            for order in self._requests.rows("orders")
            if order["symbol"] == trade.pair and order["filled"] and order["id"] not in listed
            if not opens(order, trade.trade_direction) and order["timestamp"] >= since
        ]

    def _placed_before(self, pair: str, listed: set[str], since: int) -> list[CcxtOrder]:
        """Orders of before a trade's entry, with what they have filled since, by their fills."""
        fills: dict[str, list[Any]] = {}
        for fill in self._requests.fills(pair, since):
            if fill["order"] not in listed:
                fills.setdefault(fill["order"], []).append(fill)
        orders = [(self._requests.order(order_id, pair), rows) for order_id, rows in fills.items()]
        return [filled_by(order, rows) for order, rows in orders if order is not None]

    def _booked_parts(self, trade: Trade, order: CcxtOrder) -> list[CcxtOrder]:
        return [
            {
                "filled": self._requests.exact_contracts(order["symbol"], row.safe_filled),
                "average": row.safe_price,
                "fee": fee_of(row),
            }
            for row in database.booked_parts(order["id"], order["symbol"])
            if row.ft_trade_id == trade.id
        ]

    def netted(self, trade: Trade, contracts: float, left: float) -> CcxtOrder | None:
        """The entry of a trade that has closed a position of the other side instead of opening its
        own; None where BloFin does not show that.

        In one-way mode a pair has one position. Another program's may have come a moment before.

        :param contracts: that are to be explained
        :param left: contracts of the trade's side that are held now
        """
        entry = database.first_entry(trade.pair)
        order = None if entry is None else self._requests.order(entry.order_id, trade.pair)
        if order is None or order["info"].get("positionSide") not in ("net", None, ""):
            return None
        since, side = int(order["timestamp"]), trade.trade_direction
        closed = self._requests.closed_positions(trade.pair, since)
        if not any(row["side"] not in (side, None) for row in closed):
            return None
        ended = in_sequence(self._requests.ended_orders(trade.pair, since), side)
        place = next((n for n, row in enumerate(ended) if row["id"] == order["id"]), None)
        if place is None:
            return None
        opened = total(
            row["filled"] if opens(row, side) else -row["filled"] for row in ended[place:]
        )
        # What stood on the other side before the entry.
        against = total([opened, -left])
        if min(against, order["filled"]) < contracts * (1 - 1e-9):
            return None
        return part(order, Decimal(str(contracts)))

    def orders_of(self, trade: Trade) -> list[CcxtOrder]:
        """A trade's own orders and those that closed it without being in the database, in base
        currency, each of the type that names what it was.
        """
        known = [
            self._requests.order(order.order_id, trade.pair)
            for order in trade.orders
            if order.ft_order_side != "stoploss" and not database.is_name_of_part(order.order_id)
        ]
        held = self._requests.exact_contracts(trade.pair, trade.amount) if trade.amount else 0.0
        closing = [
            {**self.as_booked(o), "type": what_closed(o)} for o in self.closings(trade, held)
        ]
        orders = [self._requests.in_base_currency(o) for o in (*known, *closing) if o is not None]
        for order in orders:
            note_fee(order, trade)
        return orders

    def is_proven_closed(self, trade: Trade) -> bool:
        """Whether orders are known that closed a trade of the database as a whole."""
        if not trade.amount:
            return False
        held = self._requests.exact_contracts(trade.pair, trade.amount)
        return closed_contracts(self.closings(trade, held)) >= held * (1 - 1e-9)

    def explains(self, pair: str, closing: list[CcxtOrder], stop_id: str | None = None) -> bool:
        """Whether orders have closed all that a trade has."""
        trade = database.trade_of(pair, stop_id)
        if trade is None or not closing:
            return False
        held = self._requests.exact_contracts(pair, trade.amount)
        return closed_contracts(closing) >= held * (1 - 1e-9)

    def entry_time(self, entry: Any) -> int:
        """Time (ms) of a trade's entry, by BloFin's clock.

        Not this machine's: a few seconds less, and the order that closed the trade before this one
        would be taken for one that closed this one.
        """
        if entry.order_id not in self._entered_at:
            order = self._requests.order(entry.order_id, entry.ft_pair)
            if order is None:
                # Older than what BloFin keeps.
                return dt_ts(entry.order_date_utc)
            if len(self._entered_at) >= _MOST_ENTRIES:
                self._entered_at.clear()
            self._entered_at[entry.order_id] = int(order["timestamp"])
        return self._entered_at[entry.order_id]

    def _net(self, trade: Trade, listed: set[str]) -> float:
        """Contracts that a trade's own orders which aren't `listed` have opened, less closed."""
        net = 0.0
        for order in trade.orders:
            if order.order_id in listed or not order.filled:
                continue
            sign = 1 if order.ft_order_side == trade.entry_side else -1
            net += sign * self._requests.exact_contracts(trade.pair, order.filled)
        return max(net, 0.0)


def _of_entry(ended: list[CcxtOrder], entry: Order) -> list[CcxtOrder]:
    """Ended orders without those on another position of the same side.

    In hedge mode there can be one in each margin mode; the other one is not the trade's.
    """
    mode = next((o["info"].get("marginMode") for o in ended if o["id"] == entry.order_id), None)
    return [
        order
        for order in ended
        if order["info"].get("positionSide") in ("net", None, "") or is_of_mode(order, mode)
    ]
