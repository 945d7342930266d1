"""Stops on BloFin: adopted, moved, replaced, never gone before their position."""

import logging
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta

import ccxt
from freqtrade.constants import BuySell
from freqtrade.exceptions import InvalidOrderException, TemporaryError
from freqtrade.exchange.exchange import Exchange
from freqtrade.exchange.exchange_types import CcxtOrder, CcxtPosition
from freqtrade.exchange.exchange_utils import ROUND_DOWN, ROUND_UP
from freqtrade.persistence import Trade
from freqtrade.util import dt_from_ts, dt_now

from bubbybot_freqtrade.blofin.account import booked_stops, database
from bubbybot_freqtrade.blofin.account.fees import note_fee
from bubbybot_freqtrade.blofin.account.history import History
from bubbybot_freqtrade.blofin.account.reconciliation import stops_of
from bubbybot_freqtrade.blofin.ccxt_blofin.rows import WHOLE_POSITION
from bubbybot_freqtrade.blofin.exchange.bare_positions import BarePositions
from bubbybot_freqtrade.blofin.exchange.brackets import Brackets
from bubbybot_freqtrade.blofin.exchange.ended_stops import EndedStops
from bubbybot_freqtrade.blofin.exchange.errors import freqtrade_errors
from bubbybot_freqtrade.blofin.exchange.exits import fits_no_order
from bubbybot_freqtrade.blofin.exchange.orders import Orders
from bubbybot_freqtrade.blofin.exchange.requests import (
    REQUEST_LIFETIME,
    Requests,
)
from bubbybot_freqtrade.blofin.exchange.stop_orders import StopOrders
from bubbybot_freqtrade.blofin.protection import (
    canceled_stop,
    closed_side,
    covers,
    open_stop,
    stop_candidates,
    tighter,
    tightest,
)

logger = logging.getLogger(__name__)


class Stops:
    """The TP/SL order of a position, as freqtrade's stop order."""

    def __init__(
        self, exchange: Exchange, requests: Requests, orders: Orders, brackets: Brackets
    ) -> None:
        self._exchange = exchange
        self._requests = requests
        self._orders = orders
        self._brackets = brackets
        self._history = History(requests)
        self._ended = EndedStops(requests, self._history)
        self.stop_orders = StopOrders(exchange, requests, orders, brackets, self._ended)
        self._bare = BarePositions(
            exchange, requests, orders, brackets, self.stop_orders, self.leave
        )

    def create(
        self, pair: str, amount: float, stop_price: float, order_types: dict, side: BuySell
    ) -> CcxtOrder:
        """Make sure that one stop order at `stop_price` or tighter covers the position.

        The TP/SL order that came with the entry is adopted. Any other one still standing is
        replaced: the new order stands before the old one is canceled, and takes its target over.

        :param amount: in base currency
        :raises InvalidOrderException: when the price has passed the stop already; freqtrade exits.
        """
        rounding = ROUND_DOWN if side == "buy" else ROUND_UP
        stop = self._exchange.price_to_precision(pair, stop_price, rounding_mode=rounding)
        doing = f"place the stoploss of {pair} at {stop}"
        hold = self._requests.in_hand.hold([pair])
        with hold, freqtrade_errors(doing), self._at_its_pace(pair, side):
            position = self._requests.position(pair, closed_side(side), fresh=True)
            entries = self._requests.entries
            is_new = entries.is_young(pair) and not booked_stops.has_had_stop(pair)
            # The list of positions may be behind the fill that has brought a stop.
            standing = self.stop_orders.standing(pair, side) if position is None and is_new else []
            if position is None and not standing:
                closing = self._ended.closed_without_stop(pair, side)
                return self._requests.in_base_currency(open_stop(closing, triggered=True))
            if why := self._ended.why_at_market(pair, side):
                raise ccxt.InvalidOrder(why)
            waits = is_new and not entries.has_shown_stop(pair)
            standing = standing or self.stop_orders.standing(pair, side, wait=waits)
            contracts = self._to_cover(pair, amount, position, standing)
            # Never looser than what stands, nor, when that has vanished, than what it was.
            known = standing or [self._brackets.first_entry(pair, side)]
            had = [o for o in known if o.get("stopLossPrice") is not None]
            if had and tighter(side, tightest(had)["stopLossPrice"], stop):
                stop = tightest(had)["stopLossPrice"]
            order = self.stop_orders.adopt(side, contracts, stop, standing)
            if order is None:
                limit = self._orders.stop_limit(stop, order_types, side)
                order = self.stop_orders.place(pair, side, contracts, stop, limit, standing)
            self.stop_orders.take_away_others(order, standing)
        self._exchange._log_exchange_response("create_stoploss_order", order)
        return self._requests.in_base_currency(open_stop(order))

    def _at_its_pace(self, pair: str, side: BuySell) -> AbstractContextManager[None]:
        """What a stop is sent at: at once where none stands, as far as is known; a guard leaves a
        pair alone that is in hand.
        """
        standing = stop_candidates(self._requests.rows("tpsl"), pair, side)
        is_bare = not any(map(self._requests.is_own, standing))
        return self._requests.at_once() if is_bare else nullcontext()

    def _to_cover(
        self, pair: str, amount: float, position: CcxtPosition | None, standing: list[CcxtOrder]
    ) -> float:
        """Contracts of the stop that a trade needs beside those of others."""
        contracts = self._requests.contracts(pair, amount)
        if position is None:
            return contracts
        if fits_no_order(self._exchange, pair, position["contracts"]):
            return WHOLE_POSITION
        return max(contracts, self._bare.left_bare(position, standing))

    def fetch(self, order_id: str, pair: str) -> CcxtOrder:
        """Return the state of a stop: from the list of untriggered ones, else by how it ended.

        One that the price has overtaken, because a tighter one could not be placed, reads as
        canceled: freqtrade asks for another and, as that is refused, exits in the same loop. So
        does one that a position has outgrown: the other one is of the right size.
        """
        stop = self._state(order_id, pair)
        if stop["status"] == "open" and (
            self._ended.why_at_market(pair, stop["side"]) or self._is_outgrown(stop)
        ):
            return canceled_stop(stop)
        wanted = booked_stops.wanted_stop(order_id, pair) if stop["status"] == "open" else None
        standing = stop.get("stopLossPrice")
        if wanted is None or standing is None or not tighter(stop["side"], wanted, standing):
            return stop
        if not self.stop_orders.is_passed(pair, stop["side"], wanted):
            return stop
        logger.warning(
            f"The price of {pair} has passed the trade's stop at {wanted}, the stop on BloFin is "
            f"at {standing} still: the trade goes out at the market."
        )
        return canceled_stop(stop)

    def _is_outgrown(self, stop: CcxtOrder) -> bool:
        """Whether a stop of this bot is too small for what no other program's stop closes.

        Not while an entry is on its way: what comes with that grows with its fills.
        """
        pair, side = stop["symbol"], closed_side(stop["side"])
        if booked_stops.is_being_entered(pair) or self._requests.is_entering(pair):
            return False
        position = self._requests.position(pair, side)
        if position is None or position["marginMode"] != self._requests.margin_mode:
            return False
        contracts = self._requests.exact_contracts(pair, stop["amount"] or 0.0)
        if covers({**stop, "amount": contracts}, position["contracts"]):
            return False
        rows = self._requests.rows("tpsl")
        own = [row for row in stops_of(rows, position) if self._requests.is_own(row)]
        return contracts < self._bare.left_bare(position, own) * (1 - 1e-9)

    def _state(self, order_id: str, pair: str) -> CcxtOrder:
        with freqtrade_errors(f"get stop order {order_id} of {pair}"):
            for order in self._requests.rows("tpsl"):
                if order["id"] == order_id:
                    return self._requests.in_base_currency(open_stop(order))
            try:
                stop = self._ended.state(order_id, pair)
            except ccxt.OrderNotFound:
                return self._unseen(order_id, pair)
            stop = self._requests.in_base_currency(stop)
            if stop["filled"] and stop["status"] != "open":
                database.book_funding(self._exchange, order_id, pair)
                note_fee(stop)
            return stop

    def _unseen(self, order_id: str, pair: str) -> CcxtOrder:
        """The state of a stop that BloFin has taken and doesn't show: it may not show it yet."""
        booked = booked_stops.as_booked(order_id, pair)
        if booked is None:
            raise ccxt.OrderNotFound(f"BloFin shows no stop order {order_id} of {pair}.")
        stop, age = booked
        return open_stop(stop) if age < REQUEST_LIFETIME else canceled_stop(stop)

    def move(self, stop_loss: float, order: CcxtOrder) -> bool:
        """Move a stop to a tighter price. True if freqtrade has to replace it.

        A stop that can't be moved in place gets a tighter one beside it, which freqtrade's
        replacement adopts. Where BloFin takes neither, the stop stays as it is.
        """
        with self._requests.in_hand.hold([order["symbol"]]):
            return self._move(stop_loss, order)

    def _move(self, stop_loss: float, order: CcxtOrder) -> bool:
        pair, side = order["symbol"], order["side"]
        if self.stop_orders.is_passed(pair, side, stop_loss):
            return True
        if self._is_young(self.stop_orders.moved_at.get(order["id"])):
            return False
        try:
            with freqtrade_errors(f"move the stop of {pair} to {stop_loss}"):
                if self.stop_orders.move_in_place(order, stop_loss) is not None:
                    return False
                return self._place_beside(order, stop_loss)
        except InvalidOrderException as e:
            logger.warning(str(e))
            return True
        except TemporaryError as e:
            # freqtrade would skip the exits of this trade too. The stop stands meanwhile.
            logger.warning(f"The stop of {pair} stays where it is for now, tried again later. {e}")
            self.stop_orders.moved_at[order["id"]] = dt_now()
            return False

    def _is_young(self, moved_at: datetime | None) -> bool:
        order_types = self._exchange._config.get("order_types", {})
        interval = timedelta(seconds=order_types.get("stoploss_on_exchange_interval", 60))
        return moved_at is not None and dt_now() - moved_at < interval

    def _place_beside(self, order: CcxtOrder, stop: float) -> bool:
        """Place a tighter stop beside one that can't be moved; True once it stands.

        freqtrade replaces a stop only when it is a minute old.
        """
        pair, side = order["symbol"], order["side"]
        created = order.get("timestamp")
        if created and self._is_young(dt_from_ts(created)):
            return False
        position = self._requests.position(pair, closed_side(side), fresh=True)
        if position is None:
            return False
        standing, contracts = self.stop_orders.standing(pair, side), position["contracts"]
        if self.stop_orders.adopt(side, contracts, stop, standing) is None:
            order_types = self._exchange._config.get("order_types", {})
            limit = self._orders.stop_limit(stop, order_types, side)
            self.stop_orders.place(pair, side, contracts, stop, limit, standing)
        return True

    def end(self, order_id: str, pair: str) -> CcxtOrder:
        """Cancel a stop, but only when its position is gone.

        freqtrade cancels a stop before it places the next one. The position would be bare in
        between, so the order is left standing and only reported as canceled; `create` takes it
        away once the next one stands.
        """
        self._requests.forget("tpsl")
        stop = self._state(order_id, pair)
        if stop["status"] != "open":
            return stop
        if self._may_be_needed(order_id, pair, stop["side"]):
            logger.info(f"Leaving stop {order_id} of {pair} in place until another one stands.")
        else:
            self.stop_orders.cancel(order_id, pair)
        return canceled_stop(stop)

    def _may_be_needed(self, order_id: str, pair: str, side: str) -> bool:
        """Whether a stop's position may be there still: a list that lacks it proves nothing."""
        order = database.order_of(order_id, pair)
        has_ended = order is None or not order.trade.is_open
        position = self._requests.position(pair, closed_side(side), fresh=True)
        if position is not None:
            own = self.stop_orders.standing(pair, side)
            # What others hold has their stops.
            return not has_ended or self._bare.left_bare(position, own) > 0
        if order is None or has_ended:
            return False
        return not self._history.is_proven_closed(order.trade)

    def open_trade(self, pair: str) -> Trade | None:
        """Return the open trade of a pair in freqtrade's database."""
        return database.trade_of(pair)

    def orders_of(self, trade: Trade) -> list[CcxtOrder]:
        """Return a trade's own orders and those that closed it outside of freqtrade."""
        return self._history.orders_of(trade)

    def leave(self, trade: Trade, why: str) -> None:
        """Have a trade go out at the market in this loop."""
        entry = database.first_entry(trade.pair)
        if entry is not None:
            self._ended.leave(trade.pair, trade.exit_side, entry.order_id, why)

    def cancel(self, order_id: str, pair: str) -> None:
        """Take a TP/SL order away."""
        self.stop_orders.cancel(order_id, pair)

    def protect(self, position: CcxtPosition) -> bool:
        """Place a stop on the contracts of a position that have none; False where they have."""
        with self._requests.in_hand.hold([position["symbol"]]):
            return self._bare.protect(position)
