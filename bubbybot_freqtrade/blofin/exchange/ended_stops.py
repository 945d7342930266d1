"""How a stop ended, and which orders took its position off."""

from datetime import timedelta
from typing import Any

import ccxt
from freqtrade.constants import BuySell
from freqtrade.exchange.exchange_types import CcxtOrder
from freqtrade.util import dt_now, dt_ts

from bubbybot_freqtrade.blofin.account import database
from bubbybot_freqtrade.blofin.exchange.requests import Requests
from bubbybot_freqtrade.blofin.protection import (
    canceled_stop,
    closed_side,
    closed_stop,
    closes,
    closing_orders,
    is_of_tpsl,
    open_stop,
)


class EndedStops:
    """The state of stops that are not among the untriggered ones any more."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    def state(self, order_id: str, pair: str) -> CcxtOrder:
        try:
            tpsl = self._requests.api.fetch_order(order_id, pair, {"tpsl": True})
        except ccxt.OrderNotFound:
            # An order that closed the position without our stop, see _closed_without_stop. Others
            # may have closed parts before.
            order = self._requests.api.fetch_order(order_id, pair)
            parts = self._closing_orders(pair, order["side"], order_id)
            return closed_stop(order, [*parts, order])
        if tpsl["status"] == "open":
            return open_stop(tpsl)
        side = tpsl["side"]
        executing = tpsl["status"] == "closed" and self._is_executing(pair, side)
        left = self._requests.position(pair, closed_side(side), fresh=True) is not None
        if left and executing:
            return open_stop(tpsl, triggered=True)
        if left and tpsl["status"] != "closed":
            # A part that was closed by hand does not end the trade: what is left needs its stop,
            # also while an exit of freqtrade's rests.
            return canceled_stop(tpsl)
        closing = self._closing_orders(pair, side, order_id)
        # Its own order may have closed a part only, for want of a deeper book.
        if closing and (not left or any(is_of_tpsl(order) for order in closing)):
            return closed_stop(tpsl, closing)
        return canceled_stop(tpsl)

    def _is_executing(self, pair: str, side: str) -> bool:
        """Whether an order that freqtrade did not place is closing the position right now."""
        rows = self._requests.rows("orders", fresh=True)
        working = [o for o in rows if o["symbol"] == pair and o["side"] == side and closes(o)]
        return len(working) > len(database.known_order_ids(working))

    def _closing_orders(self, pair: str, side: str, stop_id: str | None = None) -> list[CcxtOrder]:
        """Orders that closed (part of) a trade's position and that freqtrade has not booked.

        All since its entry: a part may have been closed by hand before this stop was placed.
        """
        entry = database.first_entry(pair, stop_id)
        since = self._entry_time(entry)
        ended = self._requests.ended_orders(pair, since)
        return closing_orders(
            ended,
            side,
            since,
            database.known_order_ids(ended),
            entry.order_id if entry else None,
            database.booked_until(pair, stop_id),
        )

    def _entry_time(self, entry: Any) -> int:
        """Time (ms) of a trade's entry, by BloFin's clock.

        Not this machine's: a few seconds less, and the order that closed the trade before this one
        would be taken for one that closed this one.
        """
        if entry is None:
            return dt_ts(dt_now() - timedelta(days=1))
        try:
            return int(self._requests.api.fetch_order(entry.order_id, entry.ft_pair)["timestamp"])
        except ccxt.OrderNotFound:
            # Older than what BloFin keeps.
            return dt_ts(entry.order_date_utc)

    def closed_without_stop(self, pair: str, side: BuySell) -> CcxtOrder:
        """Return the order that took the position off, for freqtrade to keep as its stop order.

        It reads as open: freqtrade asks for its state in the next loop and closes the trade then.
        """
        closing = self._closing_orders(pair, side)
        if not closing:
            raise ccxt.ExchangeError(
                f"{pair} has no position on BloFin and no order that closed it is known yet."
            )
        return closing[-1]
