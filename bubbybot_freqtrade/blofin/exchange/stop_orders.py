"""TP/SL orders of a position: adopted, moved, placed, read back, taken away."""

import logging
from datetime import datetime
from typing import Any

import ccxt
from freqtrade.constants import BuySell
from freqtrade.exceptions import ExchangeError
from freqtrade.exchange.exchange import Exchange
from freqtrade.exchange.exchange_types import CcxtOrder
from freqtrade.util import dt_now

from bubbybot_freqtrade.blofin.account import database
from bubbybot_freqtrade.blofin.exchange.brackets import Brackets
from bubbybot_freqtrade.blofin.exchange.ended_stops import EndedStops
from bubbybot_freqtrade.blofin.exchange.errors import freqtrade_errors
from bubbybot_freqtrade.blofin.exchange.orders import Orders
from bubbybot_freqtrade.blofin.exchange.requests import (
    LOOK_UP_PAUSES,
    Requests,
)
from bubbybot_freqtrade.blofin.protection import (
    closed_side,
    covers,
    passed,
    stop_candidates,
    tighter,
    tightest,
)

logger = logging.getLogger(__name__)


class StopOrders:
    """This bot's TP/SL orders at BloFin; amounts are contracts."""

    def __init__(
        self,
        exchange: Exchange,
        requests: Requests,
        orders: Orders,
        brackets: Brackets,
        ended: EndedStops,
    ) -> None:
        self._exchange = exchange
        self._requests = requests
        self._orders = orders
        self._brackets = brackets
        self._ended = ended
        # Time of the last move of a stop in place; freqtrade keeps none for moves without a new id.
        self.moved_at: dict[str, datetime] = {}
        self.can_amend = True

    def standing(self, pair: str, side: BuySell, *, wait: bool = False) -> list[CcxtOrder]:
        """This bot's own untriggered stops of a position; those of its owner are not touched.

        :param wait: there has to be one, which BloFin may not show yet
        """
        standing: list[CcxtOrder] = []
        for pause in LOOK_UP_PAUSES if wait else (0.0,):
            self._requests.pause(pause)
            rows = self._requests.rows("tpsl", fresh=True)
            own = [o for o in stop_candidates(rows, pair, side) if self._requests.is_own(o)]
            held = self._requests.rows("positions")
            standing = self._requests.of_trade.orders(own, held, pair, closed_side(side))
            if standing:
                break
        return standing

    def adopt(
        self, side: BuySell, contracts: float, stop: float, standing: list[CcxtOrder]
    ) -> CcxtOrder | None:
        """Return a standing TP/SL order as freqtrade's stop, moved when it is too loose.

        It covers all contracts and is none that freqtrade has ended: that has no second one by the
        same id.
        """
        known = database.known_order_ids(standing)
        fitting = [o for o in standing if covers(o, contracts) and o["id"] not in known]
        if not fitting:
            return None
        order = tightest(fitting)
        if tighter(side, stop, order["stopLossPrice"]):
            if self.is_passed(order["symbol"], side, stop):
                return None
            return self.move_in_place(order, stop)
        logger.info(f"Stop of {order['symbol']} is on BloFin already: {order['stopLossPrice']}.")
        return order

    def place(
        self,
        pair: str,
        side: BuySell,
        contracts: float,
        stop: float,
        limit: float | None,
        standing: list[CcxtOrder],
    ) -> CcxtOrder:
        """Place a stop order; the standing ones stay until it stands.

        :raises ccxt.InvalidOrder: when freqtrade has to exit at the market instead
        :raises ccxt.ExchangeError: when it was refused and a standing one protects the position
        """
        if why := self._ended.why_at_market(pair, side):
            raise ccxt.InvalidOrder(why)
        if self.is_passed(pair, side, stop):
            raise ccxt.InvalidOrder(
                f"The price of {pair} has passed the stop at {stop}: the trade goes out at the "
                "market."
            )
        # Nothing else on BloFin has a target that went with a canceled stop.
        known = standing or [self._brackets.first_entry(pair, side)]
        targets = [o["takeProfitPrice"] for o in known if o.get("takeProfitPrice") is not None]
        params: dict[str, Any] = {
            "stopLossPrice": stop,
            "stopLossLimitPrice": limit,
            "stopLossPriceType": self._orders.trigger_price_type,
        }
        if targets:
            params |= {"takeProfitPrice": targets[0], "takeProfitLimitPrice": targets[0]}
        ordertype = "market" if limit is None else "limit"
        try:
            placed = self._requests.send_once(pair, ordertype, side, contracts, None, params)
            return self.read_back(placed)
        except ccxt.ExchangeError as e:
            covering = [o for o in standing if covers(o, contracts)]
            if not covering or self.is_passed(pair, side, stop):
                raise
            raise ccxt.ExchangeError(
                f"BloFin has refused a stop of {pair} at {stop}. The one at "
                f"{tightest(covering)['stopLossPrice']} stays and protects the position; it is "
                f"tried again. {e}"
            ) from e

    def move_in_place(self, order: CcxtOrder, stop: float) -> CcxtOrder | None:
        """Move a standing stop by trade/amend-tpsl; None where the venue refuses that.

        The request is not part of BloFin's reference: its effect is read back, and the target goes
        along, lest a leg that isn't named be taken away.
        """
        if not self.can_amend:
            return None
        pair = order["symbol"]
        order_types = self._exchange._config.get("order_types", {})
        limit = self._orders.stop_limit(stop, order_types, order["side"])
        leg = {"triggerPrice": stop, "price": limit}
        target = order.get("takeProfitPrice")
        try:
            self._requests.api.edit_tpsl_order(order["id"], pair, leg, target)
            moved = self.read_back(order)
        except (ccxt.NotSupported, ccxt.BadRequest, ccxt.PermissionDenied) as e:
            # 152404, "not supported, Please check the requestPath", is a PermissionDenied.
            logger.info(f"BloFin can't move a stop in place, replacing stops from now on: {e}")
            self.can_amend = False
            return None
        except ccxt.ExchangeError as e:
            logger.warning(f"BloFin did not move the stop of {pair} to {stop}, replacing it: {e}")
            return None
        if moved["stopLossPrice"] != stop:
            return None
        self._requests.replace("tpsl", order["id"], moved)
        self.moved_at[order["id"]] = dt_now()
        logger.info(f"Moved the stop of {pair} to {stop}.")
        return moved

    def read_back(self, placed: CcxtOrder) -> CcxtOrder:
        """Return a TP/SL order as the venue has it, which may have canceled it at once.

        BloFin may show it only after a moment: what has been taken and is not shown yet is returned
        as it was sent, without a status.
        """
        order_id, pair = placed["id"], placed["symbol"]
        for pause in LOOK_UP_PAUSES:
            self._requests.pause(pause)
            try:
                order = self._requests.api.fetch_order(order_id, pair, {"tpsl": True})
            except ccxt.OrderNotFound:
                continue
            if order["status"] != "open":
                raise ccxt.InvalidOrder(
                    f"BloFin has {order['status']} stop order {order_id} of {pair} at once, as it "
                    "does with a stop that the price has passed."
                )
            return order
        logger.warning(
            f"BloFin has taken stop order {order_id} of {pair} and doesn't show it yet. What stood "
            "before it stays until it does. Nothing has to be done."
        )
        return {**placed, "status": None}

    def take_away_others(self, order: CcxtOrder, standing: list[CcxtOrder]) -> None:
        """Cancel what `order` replaces, once BloFin shows `order`."""
        if order.get("status") != "open":
            return
        if [old["id"] for old in standing] == [order["id"]]:
            return
        for old in standing:
            if old["id"] != order["id"]:
                self.cancel(old["id"], old["symbol"])
        self._requests.changed("tpsl")
        self._requests.forget("tpsl")

    def cancel(self, order_id: str, pair: str) -> None:
        """Take a TP/SL order away."""
        with freqtrade_errors(f"cancel stop order {order_id} of {pair}"):
            try:
                self._requests.api.cancel_order(order_id, pair, {"tpsl": True})
            except ccxt.OrderNotFound:
                # Triggered or canceled meanwhile.
                logger.debug(f"TP/SL order {order_id} of {pair} is gone already.")
        self._requests.replace("tpsl", order_id, None)

    def is_passed(self, pair: str, side: str, stop: float) -> bool:
        """Whether the price that triggers stops has passed `stop`; False when it isn't known."""
        try:
            price = self._orders.trigger_price(pair)
        except ExchangeError as e:
            logger.warning(f"The price of {pair} is not known, its stop stays: {e}")
            return False
        return price is not None and passed(side, stop, price)
