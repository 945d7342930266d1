"""Stop and target that a trade has at BloFin: standing, or sent with its entry."""

import logging

import ccxt
from freqtrade.constants import BuySell
from freqtrade.exceptions import InvalidOrderException
from freqtrade.exchange.exchange_types import CcxtOrder

from bubbybot_freqtrade.blofin.account import booked_stops, database
from bubbybot_freqtrade.blofin.bracket import Bracket, TradeSide
from bubbybot_freqtrade.blofin.exchange.requests import Requests
from bubbybot_freqtrade.blofin.protection import stop_candidates, tightest

logger = logging.getLogger(__name__)

# Kept at a time; a question more for each that was forgotten.
_MOST_ENTRIES = 100


class Brackets:
    """What is known of stops and targets without asking the strategy."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        # Entries that have ended, by id: what they were sent with does not change.
        self._ended: dict[str, CcxtOrder] = {}

    def standing(self, pair: str, side: TradeSide) -> Bracket | None:
        """Stop and target of a position as they stand on BloFin now; None when no stop does.

        Where only somebody else's stand, what the entry was sent with counts too: this bot's own
        stop is placed again so.
        """
        orders = self._requests.rows("tpsl", fresh=True)
        closing: BuySell = "sell" if side == "long" else "buy"
        stops, held = stop_candidates(orders, pair, closing), self._requests.rows("positions")
        standing = self._requests.of_trade.orders(stops, held, pair, side)
        if not standing:
            return None
        if not any(self._requests.is_own(order) for order in standing):
            standing += self._sent_with_entry(pair, closing)
        targets = (order.get("takeProfitPrice") for order in standing)
        return Bracket(tightest(standing)["stopLossPrice"], next(filter(None, targets), None))

    def _sent_with_entry(self, pair: str, closing: BuySell) -> list[CcxtOrder]:
        entry = database.first_entry(pair)
        if entry is None or entry.ft_order_side == closing:
            return []
        sent = self._requests.order(entry.order_id, pair)
        if sent is None or sent.get("stopLossPrice") is None:
            return []
        return [{**sent, "side": closing}]

    def of_trade(self, pair: str, side: TradeSide) -> Bracket | None:
        """The bracket that an addition to a pair's open trade, or an entry in place of another one
        of it, goes out with; None when there is no such trade.

        :raises InvalidOrderException: when BloFin does not tell
        """
        entry = booked_stops.latest_entry(pair) if database.is_open() else None
        if entry is None or entry.ft_order_side != ("buy" if side == "long" else "sell"):
            return None
        if entry.trade.has_open_position and (standing := self.standing(pair, side)):
            return standing
        try:
            sent = self._requests.api.fetch_order(entry.order_id, pair)
        except ccxt.BaseError as e:
            raise InvalidOrderException(
                f"{pair}: BloFin does not tell stop and target of the entry before this one. "
                f"The entry is not sent. Message: {e}"
            ) from e
        return _bracket_of(sent)

    def first_entry(self, pair: str, side: str) -> CcxtOrder:
        """The first entry of the trade that `side` closes, with the stop and target it was sent
        with. Empty where there is none, or when BloFin does not give it.
        """
        entry = database.first_entry(pair)
        if entry is None or entry.ft_order_side == side:
            return {}
        if entry.order_id in self._ended:
            return self._ended[entry.order_id]
        try:
            order = self._requests.api.fetch_order(entry.order_id, pair)
        except ccxt.BaseError as e:
            # A stop must not wait for its target.
            logger.warning(
                f"BloFin does not tell stop and target that {pair} was entered with. Its stop is "
                f"placed by what freqtrade knows, without a target: {e}"
            )
            return {}
        if order["status"] in ("closed", "canceled"):
            if len(self._ended) >= _MOST_ENTRIES:
                self._ended.clear()
            self._ended[entry.order_id] = order
        return order


def _bracket_of(order: CcxtOrder) -> Bracket | None:
    stop = order.get("stopLossPrice")
    return None if stop is None else Bracket(stop, order.get("takeProfitPrice"))
