"""How a stop ended, and which orders took its position off."""

import logging

import ccxt
from freqtrade.constants import BuySell
from freqtrade.exchange.exchange_types import CcxtOrder

from bubbybot_freqtrade.blofin.account import database
from bubbybot_freqtrade.blofin.account.history import History
from bubbybot_freqtrade.blofin.contracts import total
from bubbybot_freqtrade.blofin.exchange.requests import Requests
from bubbybot_freqtrade.blofin.protection import (
    canceled_stop,
    closed_side,
    closed_stop,
    is_of_target,
    is_of_tpsl,
    open_stop,
    partly_filled_stop,
)

logger = logging.getLogger(__name__)


class EndedStops:
    """The state of stops that are not among the untriggered ones any more."""

    def __init__(self, requests: Requests, history: History) -> None:
        self._requests = requests
        self._history = history
        # By pair and closing side: entry of the trade whose stop has fired and left something, and
        # what there is to tell.
        self._fired: dict[tuple[str, str], tuple[str | None, str]] = {}

    def state(self, order_id: str, pair: str) -> CcxtOrder:
        """Return a stop as freqtrade is to see it, amounts in contracts.

        :raises ccxt.OrderNotFound: when BloFin doesn't know it, which it may not do yet
        """
        try:
            tpsl = self._requests.api.fetch_order(order_id, pair, {"tpsl": True})
        except ccxt.OrderNotFound:
            # An order that closed the position without our stop, see closed_without_stop. Others
            # may have closed parts before, and it may have closed more than the trade's.
            order = self._requests.api.fetch_order(order_id, pair)
            if self._has_unbooked_entry(order_id, pair):
                return open_stop(order, triggered=True)
            return closed_stop(order, self._closing_orders(pair, order_id) or [order])
        if tpsl["status"] == "open":
            return open_stop(tpsl)
        side = tpsl["side"]
        left = self._requests.position(pair, closed_side(side), fresh=True) is not None
        if left and tpsl["status"] == "canceled":
            # A part that was closed by hand does not end the trade: what is left needs its stop,
            # also while an exit of freqtrade's rests.
            return canceled_stop(tpsl)
        if left:
            return self._fired_short(tpsl, order_id)
        closing = self._closing_orders(pair, order_id)
        # No position may be a list that lags: what closed all of it must be known.
        proven = self._history.explains(pair, closing, order_id)
        return self._closed(tpsl, closing) if proven else canceled_stop(tpsl)

    def _closed(self, tpsl: CcxtOrder, closing: list[CcxtOrder]) -> CcxtOrder:
        """The state of a stop whose trade has been closed as a whole.

        freqtrade reckons a trade by the sequence in which its orders were written down. A stop from
        before an addition would sell the addition before it was bought: it reads as canceled, and
        what closed the trade comes after it, see closed_without_stop.
        """
        stop_id, pair = tpsl["id"], tpsl["symbol"]
        if database.was_added_to_since(stop_id, pair) or self._has_unbooked_entry(stop_id, pair):
            return canceled_stop(tpsl)
        return closed_stop(tpsl, closing)

    def _has_unbooked_entry(self, stop_id: str, pair: str) -> bool:
        """Whether an entry that the database waits for has filled, be it in part."""
        trade = database.trade_of(pair, stop_id)
        return trade is not None and any(
            (self._requests.order(order.order_id, pair) or {}).get("filled")
            for order in trade.open_orders
            if order.ft_order_side == trade.entry_side
        )

    def _fired_short(self, tpsl: CcxtOrder, order_id: str) -> CcxtOrder:
        """The state of a stop that has fired while there is a position still.

        A limit that was jumped rests where nobody takes it; an order outside of BloFin's price
        limits is canceled by it; a thin book fills a part. What is left has no stop any more and
        goes out at the market, see why_at_market. A position that is all closed may show for a
        moment too: an order that has filled completely ends the trade as any stop does.
        """
        pair, side = tpsl["symbol"], tpsl["side"]
        ended = self._take_back(pair, side)
        closing = self._closing_orders(pair, order_id)
        known = {order["id"] for order in closing}
        closing += [o for o in ended if o["filled"] and o["id"] not in known]
        if closing and is_of_tpsl(closing[-1]) and closing[-1]["status"] == "closed":
            return self._closed(tpsl, closing)
        filled = total(order["filled"] for order in closing)
        entry = database.first_entry(pair, order_id)
        fired = next((o for o in reversed([*ended, *closing]) if is_of_tpsl(o)), None)
        leg, key = (
            ("target", "takeProfitPrice") if is_of_target(fired) else ("stop", "stopLossPrice")
        )
        price = tpsl[key] if tpsl.get(key) is not None else tpsl["price"]
        why = (
            f"The {leg} of {pair} at {price} has fired, and BloFin has filled {filled:g} contracts "
            "of it: its limit was jumped, the book was thin or the price outside of BloFin's "
            "limits. What is left goes out at the market."
        )
        logger.warning(why)
        self._fired[pair, side] = (entry.order_id if entry else None, why)
        return partly_filled_stop(tpsl, closing)

    def _take_back(self, pair: str, side: str) -> list[CcxtOrder]:
        """Cancel what fired stops of a trade's position have resting, and return those orders as
        they ended.
        """
        rows, held = self._requests.rows("orders", fresh=True), self._requests.rows("positions")
        fired = [o for o in rows if (o["symbol"], o["side"]) == (pair, side) and is_of_tpsl(o)]
        resting = self._requests.of_trade.orders(fired, held, pair, closed_side(side))
        for order in resting:
            try:
                self._requests.api.cancel_order(order["id"], pair)
            except ccxt.OrderNotFound:
                # Filled meanwhile.
                logger.debug(f"Order {order['id']} of {pair} has ended already.")
        self._requests.changed("orders", "positions")
        self._requests.forget("orders", "positions")
        return [self._requests.api.fetch_order(order["id"], pair) for order in resting]

    def leave(self, pair: str, side: str, entry_id: str, why: str) -> None:
        """Let no stop protect a trade any more: it is to go out at the market."""
        if self._fired.get((pair, side)) != (entry_id, why):
            logger.warning(why)
        self._fired[pair, side] = entry_id, why

    def why_at_market(self, pair: str, side: str) -> str | None:
        """Why no stop can protect a trade any more: its own has fired. None when it hasn't."""
        entry_id, why = self._fired.get((pair, side), (None, None))
        entry = database.first_entry(pair)
        return why if entry is not None and entry.order_id == entry_id else None

    def _closing_orders(self, pair: str, stop_id: str | None = None) -> list[CcxtOrder]:
        """Orders that closed (part of) a trade's position and that freqtrade has not booked.

        All since its entry: a part may have been closed by hand before this stop was placed.
        """
        trade = database.trade_of(pair, stop_id)
        if trade is None:
            return []
        held = self._requests.exact_contracts(pair, trade.amount)
        return self._history.closings(trade, held, stop_id)

    def closed_without_stop(self, pair: str, side: BuySell) -> CcxtOrder:
        """Return the order that took the position off, for freqtrade to keep as its stop order.

        It reads as open: freqtrade asks for its state in the next loop and closes the trade then.
        """
        closing = self._closing_orders(pair)
        if not self._history.explains(pair, closing):
            raise ccxt.ExchangeError(
                f"{pair} has no position on BloFin and no order that closed it is known yet."
            )
        return closing[-1]
