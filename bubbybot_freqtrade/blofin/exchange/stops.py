"""Stops on BloFin: adopted, moved, replaced, never gone before their position."""

import logging
from datetime import datetime, timedelta
from typing import Any

import ccxt
from freqtrade.constants import BuySell
from freqtrade.exceptions import TemporaryError
from freqtrade.exchange.exchange import Exchange
from freqtrade.exchange.exchange_types import CcxtOrder, CcxtPosition
from freqtrade.exchange.exchange_utils import ROUND_DOWN, ROUND_UP
from freqtrade.util import dt_now

from bubbybot_freqtrade.blofin.account import database
from bubbybot_freqtrade.blofin.bracket import Bracket, TradeSide
from bubbybot_freqtrade.blofin.exchange.ended_stops import EndedStops
from bubbybot_freqtrade.blofin.exchange.errors import freqtrade_errors
from bubbybot_freqtrade.blofin.exchange.orders import Orders
from bubbybot_freqtrade.blofin.exchange.requests import Requests
from bubbybot_freqtrade.blofin.protection import (
    canceled_stop,
    closed_side,
    covers,
    open_stop,
    stop_candidates,
    tighter,
)

logger = logging.getLogger(__name__)


class Stops:
    """The TP/SL order of a position, as freqtrade's stop order."""

    def __init__(self, exchange: Exchange, requests: Requests, orders: Orders) -> None:
        self._exchange = exchange
        self._requests = requests
        self._orders = orders
        self._ended = EndedStops(requests)
        # Time of the last move of a stop in place; freqtrade keeps none for moves without a new id.
        self._moved_at: dict[str, datetime] = {}
        self.can_amend = True

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
        with freqtrade_errors(f"place the stoploss of {pair} at {stop}"):
            if self._requests.position(pair, closed_side(side), fresh=True) is None:
                closing = self._ended.closed_without_stop(pair, side)
                return self._requests.in_base_currency(open_stop(closing, triggered=True))
            tpsl_orders = self._requests.rows("tpsl", fresh=True)
            standing = stop_candidates(tpsl_orders, pair, side)
            contracts = self._requests.contracts(pair, amount)
            adopted = self._adopt(pair, side, contracts, stop, standing)
            if adopted is None:
                limit = self._orders.stop_limit(stop, order_types, side)
                adopted = self._replace(pair, side, contracts, stop, limit, standing)
        self._exchange._log_exchange_response("create_stoploss_order", adopted)
        return self._requests.in_base_currency(open_stop(adopted))

    def fetch(self, order_id: str, pair: str) -> CcxtOrder:
        """Return the state of a stop: from the list of untriggered ones, else by how it ended."""
        with freqtrade_errors(f"get stop order {order_id} of {pair}"):
            for order in self._requests.rows("tpsl"):
                if order["id"] == order_id:
                    return self._requests.in_base_currency(open_stop(order))
            stop = self._ended.state(order_id, pair)
            if stop["status"] == "closed":
                database.book_funding(self._exchange, order_id, pair)
            return self._requests.in_base_currency(stop)

    def move(self, stop_loss: float, order: CcxtOrder) -> bool:
        """Move a stop in place. True if it can't be moved and freqtrade has to replace it."""
        if not self.can_amend:
            return True
        order_types = self._exchange._config.get("order_types", {})
        interval = order_types.get("stoploss_on_exchange_interval", 60)
        moved_at = self._moved_at.get(order["id"])
        if moved_at is not None and dt_now() - moved_at < timedelta(seconds=interval):
            return False
        try:
            with freqtrade_errors(f"move the stop of {order['symbol']} to {stop_loss}"):
                return self._move_in_place(order, stop_loss) is None
        except TemporaryError as e:
            # freqtrade would skip the exits of this trade too. The stop stands meanwhile.
            logger.warning(f"The stop stays where it is for now. {e}")
            return False

    def end(self, order_id: str, pair: str) -> CcxtOrder:
        """Cancel a stop, but only when its position is gone.

        freqtrade cancels a stop before it places the next one. The position would be bare in
        between, so the order is left standing and only reported as canceled; `create` takes it
        away once the next one stands.
        """
        self._requests.forget("tpsl")
        stop = self.fetch(order_id, pair)
        if stop["status"] != "open":
            return stop
        if self._requests.position(pair, closed_side(stop["side"]), fresh=True) is not None:
            logger.info(f"Leaving stop {order_id} of {pair} in place until another one stands.")
        else:
            self.cancel(order_id, pair)
        return canceled_stop(stop)

    def cancel(self, order_id: str, pair: str) -> None:
        """Take a TP/SL order away."""
        with freqtrade_errors(f"cancel stop order {order_id} of {pair}"):
            try:
                self._requests.api.cancel_order(order_id, pair, {"tpsl": True})
            except ccxt.OrderNotFound:
                # Triggered or canceled meanwhile.
                logger.debug(f"TP/SL order {order_id} of {pair} is gone already.")
        self._requests.replace("tpsl", order_id, None)

    def _adopt(
        self, pair: str, side: BuySell, contracts: float, stop: float, standing: list[CcxtOrder]
    ) -> CcxtOrder | None:
        """Return the one standing TP/SL order as freqtrade's stop, moved when it is too loose."""
        if len(standing) != 1 or not covers(standing[0], contracts):
            return None
        order = standing[0]
        if database.known_order_ids(standing):
            # freqtrade has ended this order; it can't have a second one by the same id.
            return None
        if tighter(side, stop, order["stopLossPrice"]):
            return self._move_in_place(order, stop)
        logger.info(f"Stop of {pair} is on BloFin since its entry: {order['stopLossPrice']}.")
        return order

    def _replace(
        self,
        pair: str,
        side: BuySell,
        contracts: float,
        stop: float,
        limit: float | None,
        standing: list[CcxtOrder],
    ) -> CcxtOrder:
        # Nothing else on BloFin has a target that went with a canceled stop.
        known = standing or [self._entered_with(pair, side)]
        targets = [o["takeProfitPrice"] for o in known if o.get("takeProfitPrice") is not None]
        params: dict[str, Any] = {"stopLossPrice": stop, "stopLossLimitPrice": limit}
        if targets:
            params |= {"takeProfitPrice": targets[0], "takeProfitLimitPrice": targets[0]}
        ordertype = "market" if limit is None else "limit"
        placed = self._requests.send_once(pair, ordertype, side, contracts, None, params)
        order = self._read_back(placed["id"], pair)
        for old in standing:
            self.cancel(old["id"], pair)
        self._requests.forget("tpsl")
        return order

    def _entered_with(self, pair: str, side: str) -> CcxtOrder:
        """The entry of the trade that `side` closes, with the stop and target it was sent with.

        Empty where there is none, or when BloFin does not give it.
        """
        entry = database.first_entry(pair)
        if entry is None or entry.ft_order_side == side:
            return {}
        try:
            return self._requests.api.fetch_order(entry.order_id, pair)
        except ccxt.BaseError as e:
            # A stop must not wait for its target.
            logger.warning(f"Stop and target that {pair} was entered with are not known: {e}")
            return {}

    def _read_back(self, order_id: str, pair: str) -> CcxtOrder:
        """Return the TP/SL order as the venue has it, which may have canceled it at once."""
        order = self._requests.api.fetch_order(order_id, pair, {"tpsl": True})
        if order["status"] != "open":
            raise ccxt.InvalidOrder(
                f"BloFin has {order['status']} stop order {order_id} of {pair}: "
                "the price has passed it already."
            )
        return order

    def _move_in_place(self, order: CcxtOrder, stop: float) -> CcxtOrder | None:
        """Move a standing stop by trade/amend-tpsl; None where the venue refuses that.

        The request is not part of BloFin's reference: its effect is read back, and the target goes
        along, lest a leg that isn't named be taken away.
        """
        if not self.can_amend:
            return None
        limit = self._orders.stop_limit(
            stop, self._exchange._config.get("order_types", {}), order["side"]
        )
        leg = {"triggerPrice": stop, "price": limit}
        target = order.get("takeProfitPrice")
        try:
            self._requests.api.edit_tpsl_order(order["id"], order["symbol"], leg, target)
        except (ccxt.NotSupported, ccxt.BadRequest, ccxt.PermissionDenied) as e:
            # 152404, "not supported, Please check the requestPath", is a PermissionDenied.
            logger.info(f"BloFin can't move a stop in place, replacing stops from now on: {e}")
            self.can_amend = False
            return None
        except ccxt.InvalidOrder:
            # It is gone, or the price has passed the new stop: another one would fare no better.
            raise
        except ccxt.ExchangeError as e:
            logger.warning(f"BloFin did not move the stop of {order['symbol']}, replacing it: {e}")
            return None
        moved = self._read_back(order["id"], order["symbol"])
        self._requests.replace("tpsl", order["id"], moved)
        if moved["stopLossPrice"] != stop:
            return None
        self._moved_at[order["id"]] = dt_now()
        logger.info(f"Moved the stop of {order['symbol']} to {stop}.")
        return moved

    def standing_bracket(self, pair: str, side: TradeSide) -> Bracket | None:
        """Stop and target of a position as they stand on BloFin now; None when no stop does."""
        orders = self._requests.rows("tpsl", fresh=True)
        standing = stop_candidates(orders, pair, "sell" if side == "long" else "buy")
        if not standing:
            return None
        targets = (order.get("takeProfitPrice") for order in standing)
        return Bracket(standing[0]["stopLossPrice"], next(filter(None, targets), None))

    def protect(self, position: CcxtPosition) -> None:
        """Place a stop on a bare position that freqtrade does not look after.

        It is the one its trade was entered with, else the strategy's stoploss from the position's
        entry; as far from the current price when that has passed it.
        """
        pair, side = position["symbol"], "sell" if position["side"] == "long" else "buy"
        stops = self._requests.rows("tpsl", fresh=True)
        if stop_candidates(stops, pair, side):
            return
        last = self._exchange.fetch_ticker(pair)["last"]
        entry: BuySell = "buy" if side == "sell" else "sell"
        leverage = position["leverage"] or 1.0
        entered = self._entered_with(pair, side)
        opened = position["entryPrice"]
        stop = (
            entered.get("stopLossPrice")
            or self._orders.stoploss_bracket(entry, opened, leverage).stop
        )
        shifted = last * stop / opened
        at_last = self._orders.stoploss_bracket(entry, last, leverage).stop
        stop = next(price for price in (stop, shifted, at_last) if tighter(side, last, price))
        stop = self._exchange.price_to_precision(pair, stop)
        params = {"stopLossPrice": stop}
        target = entered.get("takeProfitPrice")
        if target is not None and tighter(side, target, last):
            params["takeProfitPrice"] = target
        with freqtrade_errors(f"protect the position of {pair} by a stop at {stop}"):
            # -1 contracts: all there are, also when its owner adds to it.
            self._requests.send_once(pair, "market", side, -1, None, params)
        self._requests.forget("tpsl")
