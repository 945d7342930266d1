"""Positions without a stop, or with one for a part of them only: they get one at once."""

import logging
from collections.abc import Callable

from freqtrade.constants import BuySell
from freqtrade.exchange.exchange import Exchange
from freqtrade.exchange.exchange_types import CcxtOrder, CcxtPosition
from freqtrade.persistence import Trade

from bubbybot_freqtrade.blofin.account import booked_stops, database
from bubbybot_freqtrade.blofin.account.reconciliation import stops_of, uncovered
from bubbybot_freqtrade.blofin.ccxt_blofin.rows import WHOLE_POSITION
from bubbybot_freqtrade.blofin.exchange.brackets import Brackets
from bubbybot_freqtrade.blofin.exchange.errors import freqtrade_errors
from bubbybot_freqtrade.blofin.exchange.orders import Orders
from bubbybot_freqtrade.blofin.exchange.requests import Requests
from bubbybot_freqtrade.blofin.exchange.stop_orders import StopOrders
from bubbybot_freqtrade.blofin.protection import tighter, tightest

logger = logging.getLogger(__name__)

# A bare position of an entry is looked at after these pauses before it gets a stop of its own.
# BloFin may attach none before the entry has filled completely.
SHOWN_AFTER = (0.0, 0.5, 1.0, 1.0)


class BarePositions:
    """What no stop closes, of a trade or of somebody else.

    :param leave: has a trade go out at the market in this loop
    """

    def __init__(
        self,
        exchange: Exchange,
        requests: Requests,
        orders: Orders,
        brackets: Brackets,
        stop_orders: StopOrders,
        leave: Callable[[Trade, str], None],
    ) -> None:
        self._exchange = exchange
        self._requests = requests
        self._orders = orders
        self._brackets = brackets
        self._stop_orders = stop_orders
        self._leave = leave

    def left_bare(self, position: CcxtPosition, own: list[CcxtOrder]) -> float:
        """Contracts that no stop but this bot's own closes: others may have added to a position."""
        others = [
            stop
            for stop in stops_of(self._requests.rows("tpsl"), position)
            if stop["id"] not in {order["id"] for order in own}
        ]
        return uncovered(others, position["contracts"])

    def _trade_of(self, position: CcxtPosition) -> Trade | None:
        """The open trade that a position is of; None where somebody else holds it."""
        is_of_trade = self._requests.is_of_trade(position)
        return database.open_trade(position["symbol"], position["side"]) if is_of_trade else None

    def _shown_stops(self, position: CcxtPosition) -> list[CcxtOrder]:
        """A position's stops in the list that was just asked for, where there are none after a
        pause: an entry of this bot carries one that BloFin may not show yet.
        """
        pair, side = position["symbol"], position["side"]
        entries = self._requests.entries
        is_new = booked_stops.is_being_entered(pair) or entries.is_young(pair)
        is_new = is_new and not booked_stops.has_had_stop(pair)
        waits = is_new and not entries.has_shown_stop(pair)
        for pause in SHOWN_AFTER if waits else (0.0,):
            self._requests.pause(pause)
            if stops := stops_of(self._requests.rows("tpsl", fresh=pause > 0), position):
                return stops
        logger.debug(f"BloFin shows no stop of the {side} position of {pair}.")
        return []

    def protect(self, position: CcxtPosition) -> bool:
        """Place a stop on the contracts of a position that have none; False where they have.

        A part of it gets the stop that stands on the rest: one of this bot's that is large enough
        for both, which freqtrade adopts and the smaller one goes for. All of it gets the one its
        trade was entered with, else the strategy's stoploss from the position's entry; as far from
        the current price when that has passed it. Somebody else's gets no more than that stop, and
        the bot's own trade of the pair is not touched for it.
        """
        trade = self._trade_of(position)
        pair, side = position["symbol"], "sell" if position["side"] == "long" else "buy"
        stops = self._shown_stops(position)
        if not uncovered(stops, position["contracts"]):
            return False
        own = [stop for stop in stops if self._requests.is_own(stop)]
        last = self._orders.trigger_price(pair) or self._exchange.fetch_ticker(pair)["last"]
        entry: BuySell = "buy" if side == "sell" else "sell"
        leverage = position["leverage"] or 1.0
        sent = self._brackets.first_entry(pair, side) if trade and not stops else {}
        entered = tightest(own or stops) if stops else sent
        opened = position["entryPrice"]
        stop = (
            entered.get("stopLossPrice")
            or self._orders.stoploss_bracket(entry, opened, leverage).stop
        )
        shifted = last * stop / opened
        at_last = self._orders.stoploss_bracket(entry, last, leverage).stop
        if trade is not None and not tighter(side, last, stop):
            # Until then, which is in this loop, the position has a looser one.
            self._leave(
                trade,
                f"The price of {pair} has passed the trade's stop at {stop:.8g}, which did not "
                "close all of it: what is left goes out at the market.",
            )
        stop = next(price for price in (stop, shifted, at_last) if tighter(side, last, price))
        stop = self._exchange.price_to_precision(pair, stop)
        params = {
            "stopLossPrice": stop,
            "stopLossPriceType": self._orders.trigger_price_type,
            # Its own: an order in another margin mode than the position's is refused.
            "marginMode": position["marginMode"],
        }
        target = entered.get("takeProfitPrice")
        if target is not None and (own or not stops) and tighter(side, target, last):
            params["takeProfitPrice"] = target
        with freqtrade_errors(f"protect the position of {pair} by a stop at {stop}"):
            # The whole position: also when its owner adds to it.
            size = self.left_bare(position, own) if stops else WHOLE_POSITION
            if stops and trade and booked_stops.is_being_entered(pair):
                # What came with the entry grows with it, and stays.
                size = uncovered(stops, position["contracts"])
            placed = self._requests.send_once(pair, "market", side, size, None, params)
            self._stop_orders.read_back(placed)
        self._requests.forget("tpsl")
        return True
