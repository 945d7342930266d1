"""Orders that trades still wait for which have ended: freqtrade looks at those of open ones only.

A trade can end while an addition to it waits, by its stop above all, and while BloFin doesn't
answer for its stop.
"""

import logging

from freqtrade.exceptions import ExchangeError
from freqtrade.exchange import Exchange
from freqtrade.persistence import Order, Trade

from bubbybot_freqtrade.blofin.account import books, database
from bubbybot_freqtrade.blofin.account.venue import Requests, Row

logger = logging.getLogger(__name__)


class OrdersLeft:
    """Takes such orders away, and says in the database how they ended."""

    def __init__(self, exchange: Exchange, requests: Requests) -> None:
        self._exchange = exchange
        self._requests = requests

    def settle(self) -> list[str]:
        """Settle all that there are; what to tell of it.

        A stop that still stands is left to those who look at positions.
        """
        told: list[str] = []
        for order in database.orders_of_ended_trades():
            try:
                say = self._settle(order)
            except ExchangeError as e:
                logger.warning(
                    f"{order.ft_pair}: order {order.order_id} of a trade that has ended is not "
                    f"settled yet, it is tried again in the next loop: {e}"
                )
                continue
            if say:
                told.append(say)
        return told

    def _settle(self, order: Order) -> str | None:
        pair = order.ft_pair
        if order.ft_order_side == "stoploss":
            if all(row["id"] != order.order_id for row in self._requests.rows("tpsl")):
                _close(order)
            return None
        waited = any(row["id"] == order.order_id for row in self._requests.rows("orders"))
        if waited:
            self._exchange.cancel_order(order.order_id, pair)
        row = self._requests.order(order.order_id, pair)
        if row is not None and row["status"] == "open":
            return None
        if row is not None and row["filled"] and order.ft_order_side == order.trade.entry_side:
            return self._begin_trade(order, row)
        _close(order)
        return (
            f"{pair}: the trade has ended while another of its orders still waited. That one has "
            "been canceled. Nothing has to be done."
            if waited
            else None
        )

    def _begin_trade(self, order: Order, row: Row) -> str | None:
        """Make a trade of its own of what has filled after the order's trade had ended."""
        pair, side = order.ft_pair, order.trade.trade_direction
        database.forget_order(order)
        if self._requests.position(pair, side) is None or database.open_trade(pair, side):
            # It has been closed since, or belongs to a later trade: as any order that got lost.
            return None
        entry = self._requests.in_base_currency(row)
        books.recover_trade(self._exchange, dict(self._exchange._config), entry)
        return (
            f"{pair}: an addition has filled {row['filled']:g} contracts after its {side} trade "
            "had ended. They are a trade of their own now, with the stop they came with. Nothing "
            "has to be done."
        )


def _close(order: Order) -> None:
    order.ft_is_open = False
    order.status = "canceled"
    Trade.commit()
