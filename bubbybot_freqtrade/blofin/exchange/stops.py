"""Stops of the BloFin exchange class: adopted, moved, replaced, never gone before a position."""

import logging
from datetime import datetime, timedelta
from typing import Any

import ccxt
from freqtrade.constants import BuySell
from freqtrade.exceptions import TemporaryError
from freqtrade.exchange.common import retrier
from freqtrade.exchange.exchange_types import CcxtOrder, CcxtPosition
from freqtrade.exchange.exchange_utils import ROUND_DOWN, ROUND_UP
from freqtrade.util import dt_now, dt_ts

from bubbybot_freqtrade.blofin.bracket import Bracket, TradeSide
from bubbybot_freqtrade.blofin.exchange.orders import BlofinOrders
from bubbybot_freqtrade.blofin.protection import (
    canceled_stop,
    closed_side,
    closed_stop,
    closes,
    closing_orders,
    covers,
    is_of_tpsl,
    open_stop,
    stop_candidates,
    tighter,
)

logger = logging.getLogger(__name__)


class BlofinStops(BlofinOrders):
    """The TP/SL order of a position, as freqtrade's stop order."""

    # Time of the last move of a stop in place; freqtrade keeps none for moves without a new id.
    _stop_moved_at: dict[str, datetime]
    _can_amend_tpsl: bool

    def create_stoploss(
        self,
        pair: str,
        amount: float,
        stop_price: float,
        order_types: dict,
        side: BuySell,
        leverage: float,
    ) -> CcxtOrder:
        """Make sure that one stop order at `stop_price` or tighter covers the position.

        The TP/SL order that came with the entry is adopted. Any other one still standing is
        replaced: the new order stands before the old one is canceled, and takes its target over.

        :raises InvalidOrderException: when the price has passed the stop already; freqtrade exits.
        """
        if self._config["dry_run"]:
            return super().create_stoploss(pair, amount, stop_price, order_types, side, leverage)
        rounding = ROUND_DOWN if side == "buy" else ROUND_UP
        stop = self.price_to_precision(pair, stop_price, rounding_mode=rounding)
        with self._freqtrade_errors(f"place the stoploss of {pair} at {stop}"):
            if self._position(pair, closed_side(side), fresh=True) is None:
                closing = self._closed_without_stop(pair, side)
                return self._order_contracts_to_amount(open_stop(closing, triggered=True))
            tpsl_orders = self._loop_state.rows("tpsl", fresh=True)
            standing = stop_candidates(tpsl_orders, pair, side)
            adopted = self._adopt(pair, side, self.contracts(pair, amount), stop, standing)
            if adopted is None:
                adopted = self._replace_stops(
                    pair, side, amount, stop, self._stop_limit(stop, order_types, side), standing
                )
        self._log_exchange_response("create_stoploss_order", adopted)
        return self._order_contracts_to_amount(open_stop(adopted))

    def _adopt(
        self, pair: str, side: BuySell, contracts: float, stop: float, standing: list[CcxtOrder]
    ) -> CcxtOrder | None:
        """Return the one standing TP/SL order as freqtrade's stop, moved when it is too loose."""
        if len(standing) != 1 or not covers(standing[0], contracts):
            return None
        order = standing[0]
        if self._database.known_order_ids(standing):
            # freqtrade has ended this order; it can't have a second one by the same id.
            return None
        if tighter(side, stop, order["stopLossPrice"]):
            return self._move_in_place(order, stop)
        logger.info(f"Stop of {pair} is on BloFin since its entry: {order['stopLossPrice']}.")
        return order

    def _replace_stops(
        self,
        pair: str,
        side: BuySell,
        amount: float,
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
        placed = self._send_once(pair, ordertype, side, self.contracts(pair, amount), None, params)
        order = self._read_back(placed["id"], pair)
        for old in standing:
            self.cancel_tpsl(old["id"], pair)
        self._loop_state.forget("tpsl")
        return order

    def _entered_with(self, pair: str, side: str) -> CcxtOrder:
        """The entry of the trade that `side` closes, with the stop and target it was sent with.

        Empty where there is none, or when BloFin does not give it.
        """
        entry = self._database.first_entry(pair)
        if entry is None or entry.ft_order_side == side:
            return {}
        try:
            return self._api.fetch_order(entry.order_id, pair)
        except ccxt.BaseError as e:
            # A stop must not wait for its target.
            logger.warning(f"Stop and target that {pair} was entered with are not known: {e}")
            return {}

    def _read_back(self, order_id: str, pair: str) -> CcxtOrder:
        """Return the TP/SL order as the venue has it, which may have canceled it at once."""
        order = self._api.fetch_order(order_id, pair, {"tpsl": True})
        if order["status"] != "open":
            raise ccxt.InvalidOrder(
                f"BloFin has {order['status']} stop order {order_id} of {pair}: "
                "the price has passed it already."
            )
        return order

    def cancel_tpsl(self, order_id: str, pair: str) -> None:
        """Take a TP/SL order away."""
        with self._freqtrade_errors(f"cancel stop order {order_id} of {pair}"):
            try:
                self._api.cancel_order(order_id, pair, {"tpsl": True})
            except ccxt.OrderNotFound:
                # Triggered or canceled meanwhile.
                logger.debug(f"TP/SL order {order_id} of {pair} is gone already.")
        self._loop_state.replace("tpsl", order_id, None)

    def _move_in_place(self, order: CcxtOrder, stop: float) -> CcxtOrder | None:
        """Move a standing stop by trade/amend-tpsl; None where the venue refuses that.

        The request is not part of BloFin's reference: its effect is read back, and the target goes
        along, lest a leg that isn't named be taken away.
        """
        if not self._can_amend_tpsl:
            return None
        limit = self._stop_limit(stop, self._config.get("order_types", {}), order["side"])
        leg = {"triggerPrice": stop, "price": limit}
        target = order.get("takeProfitPrice")
        try:
            self._api.edit_tpsl_order(order["id"], order["symbol"], leg, target)
        except (ccxt.NotSupported, ccxt.BadRequest, ccxt.PermissionDenied) as e:
            # 152404, "not supported, Please check the requestPath", is a PermissionDenied.
            logger.info(f"BloFin can't move a stop in place, replacing stops from now on: {e}")
            self._can_amend_tpsl = False
            return None
        except ccxt.InvalidOrder:
            # It is gone, or the price has passed the new stop: another one would fare no better.
            raise
        except ccxt.ExchangeError as e:
            logger.warning(f"BloFin did not move the stop of {order['symbol']}, replacing it: {e}")
            return None
        moved = self._read_back(order["id"], order["symbol"])
        self._loop_state.replace("tpsl", order["id"], moved)
        if moved["stopLossPrice"] != stop:
            return None
        self._stop_moved_at[order["id"]] = dt_now()
        logger.info(f"Moved the stop of {order['symbol']} to {stop}.")
        return moved

    def stoploss_adjust(self, stop_loss: float, order: CcxtOrder, side: str) -> bool:
        """
        Move the stop in place when `stop_loss` is tighter than the order's.
        Returns True if freqtrade has to replace it, because it can't be moved in place.
        """
        if not super().stoploss_adjust(stop_loss, order, side):
            return False
        if self._config["dry_run"] or not self._can_amend_tpsl:
            return True
        interval = self._config.get("order_types", {}).get("stoploss_on_exchange_interval", 60)
        moved_at = self._stop_moved_at.get(order["id"])
        if moved_at is not None and dt_now() - moved_at < timedelta(seconds=interval):
            return False
        try:
            with self._freqtrade_errors(f"move the stop of {order['symbol']} to {stop_loss}"):
                return self._move_in_place(order, stop_loss) is None
        except TemporaryError as e:
            # freqtrade would skip the exits of this trade too. The stop stands meanwhile.
            logger.warning(f"The stop stays where it is for now. {e}")
            return False

    @retrier
    def fetch_stoploss_order(
        self, order_id: str, pair: str, params: dict | None = None
    ) -> CcxtOrder:
        """Return the state of a stop: from the list of untriggered ones, else by how it ended."""
        if self._config["dry_run"]:
            return self.fetch_dry_run_order(order_id)
        with self._freqtrade_errors(f"get stop order {order_id} of {pair}"):
            for order in self._loop_state.rows("tpsl"):
                if order["id"] == order_id:
                    return self._order_contracts_to_amount(open_stop(order))
            stop = self._ended_stop(order_id, pair)
            if stop["status"] == "closed":
                self._database.book_funding(self, order_id, pair)
            return self._order_contracts_to_amount(stop)

    def _ended_stop(self, order_id: str, pair: str) -> CcxtOrder:
        try:
            tpsl = self._api.fetch_order(order_id, pair, {"tpsl": True})
        except ccxt.OrderNotFound:
            # An order that closed the position without our stop, see _closed_without_stop. Others
            # may have closed parts before.
            order = self._api.fetch_order(order_id, pair)
            parts = self._closing_orders(pair, order["side"], order_id)
            return closed_stop(order, [*parts, order])
        if tpsl["status"] == "open":
            return open_stop(tpsl)
        side = tpsl["side"]
        executing = tpsl["status"] == "closed" and self._is_executing(pair, side)
        left = self._position(pair, closed_side(side), fresh=True) is not None
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
        rows = self._loop_state.rows("orders", fresh=True)
        working = [o for o in rows if o["symbol"] == pair and o["side"] == side and closes(o)]
        return len(working) > len(self._database.known_order_ids(working))

    def _closing_orders(self, pair: str, side: str, stop_id: str | None = None) -> list[CcxtOrder]:
        """Orders that closed (part of) a trade's position and that freqtrade has not booked.

        All since its entry: a part may have been closed by hand before this stop was placed.
        """
        entry = self._database.first_entry(pair, stop_id)
        since = self._entry_time(entry)
        ended = self.ended_orders(pair, since)
        return closing_orders(
            ended,
            side,
            since,
            self._database.known_order_ids(ended),
            entry.order_id if entry else None,
            self._database.booked_until(pair, stop_id),
        )

    def _entry_time(self, entry: Any) -> int:
        """Time (ms) of a trade's entry, by BloFin's clock.

        Not this machine's: a few seconds less, and the order that closed the trade before this one
        would be taken for one that closed this one.
        """
        if entry is None:
            return dt_ts(dt_now() - timedelta(days=1))
        try:
            return int(self._api.fetch_order(entry.order_id, entry.ft_pair)["timestamp"])
        except ccxt.OrderNotFound:
            # Older than what BloFin keeps.
            return dt_ts(entry.order_date_utc)

    def _closed_without_stop(self, pair: str, side: BuySell) -> CcxtOrder:
        """Return the order that took the position off, for freqtrade to keep as its stop order.

        It reads as open: freqtrade asks for its state in the next loop and closes the trade then.
        """
        closing = self._closing_orders(pair, side)
        if not closing:
            raise ccxt.ExchangeError(
                f"{pair} has no position on BloFin and no order that closed it is known yet."
            )
        return closing[-1]

    def cancel_stoploss_order(self, order_id: str, pair: str, params: dict | None = None) -> dict:
        """Cancel a stop, but only when its position is gone.

        freqtrade cancels a stop before it places the next one. The position would be bare in
        between, so the order is left standing and only reported as canceled; create_stoploss
        takes it away once the next one stands.
        """
        if self._config["dry_run"]:
            return super().cancel_stoploss_order(order_id, pair, params)
        self._loop_state.forget("tpsl")
        stop = self.fetch_stoploss_order(order_id, pair)
        if stop["status"] != "open":
            return stop
        if self._position(pair, closed_side(stop["side"]), fresh=True) is not None:
            logger.info(f"Leaving stop {order_id} of {pair} in place until another one stands.")
        else:
            self.cancel_tpsl(order_id, pair)
        return canceled_stop(stop)

    def standing_bracket(self, pair: str, side: TradeSide) -> Bracket | None:
        """Stop and target of a position as they stand on BloFin now; None when no stop does."""
        with self._freqtrade_errors(f"get the stop of {pair}"):
            orders = self._loop_state.rows("tpsl", fresh=True)
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
        stops = self._loop_state.rows("tpsl", fresh=True)
        if stop_candidates(stops, pair, side):
            return
        last = self.fetch_ticker(pair)["last"]
        entry: BuySell = "buy" if side == "sell" else "sell"
        leverage = position["leverage"] or 1.0
        entered = self._entered_with(pair, side)
        opened = position["entryPrice"]
        stop = entered.get("stopLossPrice") or self._stoploss_bracket(entry, opened, leverage).stop
        shifted = last * stop / opened
        at_last = self._stoploss_bracket(entry, last, leverage).stop
        stop = next(price for price in (stop, shifted, at_last) if tighter(side, last, price))
        stop = self.price_to_precision(pair, stop)
        params = {"stopLossPrice": stop}
        target = entered.get("takeProfitPrice")
        if target is not None and tighter(side, target, last):
            params["takeProfitPrice"] = target
        with self._freqtrade_errors(f"protect the position of {pair} by a stop at {stop}"):
            # -1 contracts: all there are, also when its owner adds to it.
            self._send_once(pair, "market", side, -1, None, params)
        self._loop_state.forget("tpsl")
