"""Exits that are no ordinary order: larger than one may be, or of a size that none can have."""

import logging
from typing import Any

import ccxt
from freqtrade.constants import BuySell
from freqtrade.exceptions import ExchangeError, RetryableOrderError
from freqtrade.exchange.exchange import Exchange
from freqtrade.exchange.exchange_types import CcxtOrder
from freqtrade.util import dt_from_ts, dt_now

from bubbybot_freqtrade.blofin.account import database
from bubbybot_freqtrade.blofin.contracts import base_to_contracts, total
from bubbybot_freqtrade.blofin.exchange.errors import freqtrade_errors
from bubbybot_freqtrade.blofin.exchange.requests import REQUEST_LIFETIME, Requests
from bubbybot_freqtrade.blofin.parts import merged, other_parts, part_ids, split
from bubbybot_freqtrade.blofin.protection import closed_side

logger = logging.getLogger(__name__)


def largest_order(market: dict[str, Any], ordertype: str) -> float | None:
    """The most contracts that a limit or market order may have; None when that is not told."""
    return float(market["info"].get(f"max{ordertype.title()}Size") or 0.0) or None


def fits_no_order(exchange: Exchange, pair: str, contracts: float) -> bool:
    """Whether a position has a size that no order can have: lots have grown since it was opened, or
    less than an order's minimum has filled.
    """
    if contracts < (exchange.markets[pair]["limits"]["amount"]["min"] or 0.0):
        return True
    return bool(exchange.amount_to_precision(pair, contracts) < contracts * (1 - 1e-9))


class Exits:
    """Orders that only reduce a position."""

    def __init__(self, exchange: Exchange, requests: Requests) -> None:
        self._exchange = exchange
        self._requests = requests
        # clientOrderIds of parts that were not sent.
        self._unsent: set[str] = set()

    def is_unorderable(self, pair: str, side: BuySell, amount: float, limit: float | None) -> bool:
        """Whether an exit of a whole position is of a size that no order can have.

        Lots have grown while it was open, or less than an order's minimum of it is left; or the
        largest market order has shrunk to less than the part of it that `MOST` orders can be.
        """
        market = self._exchange.markets[pair]
        cut = self._requests.contracts(pair, amount)
        exact = base_to_contracts(amount, market["contractSize"], market["precision"]["amount"])
        most = total(self._sizes(pair, cut, limit)) if limit is None else cut
        fits = min(cut, most) >= exact * (1 - 1e-9)
        if fits and cut >= (market["limits"]["amount"]["min"] or 0.0):
            return False
        position = self._requests.position(pair, "long" if side == "sell" else "short", fresh=True)
        return position is not None and exact >= position["contracts"] * (1 - 1e-9)

    def is_of_another_size(self, pair: str, side: BuySell) -> bool:
        """Whether a position has other contracts than its trade: so it looks when the venue has
        changed what a contract is worth.
        """
        trade_side = closed_side(side)
        try:
            position = self._requests.position(pair, trade_side, fresh=True)
        except ExchangeError as e:
            # The exit itself must not wait for that.
            logger.warning(
                f"The position of {pair} could not be looked at before its exit, which is sent "
                f"with the trade's own amount: {e}"
            )
            return False
        trade = database.open_trade(pair, trade_side)
        if position is None or trade is None:
            return False
        held = self._requests.exact_contracts(pair, trade.amount)
        return abs(held - position["contracts"]) > 1e-6 * held

    def send(
        self,
        pair: str,
        ordertype: str,
        side: BuySell,
        contracts: float,
        limit: float | None,
        params: dict,
    ) -> CcxtOrder:
        """Exit in as many orders as it takes; `limit` is None at the market."""
        sizes = self._sizes(pair, contracts, limit)
        if (left := total([contracts, -total(sizes)])) > 0:
            logger.warning(
                f"{pair}: {left:g} of {contracts:g} contracts are more than {len(sizes)} orders "
                "may close at once. They stay in the trade behind its stop, for the next exit."
            )
        if len(sizes) == 1:
            return self._requests.send_once(pair, ordertype, side, contracts, limit, params)
        ids = part_ids(self._requests.new_client_order_id(), len(sizes))
        sent: list[CcxtOrder] = []
        for size, client_order_id in zip(sizes, ids, strict=True):
            try:
                order = self._requests.send_once(
                    pair, ordertype, side, size, limit, params, client_order_id
                )
            except ccxt.BaseError as e:
                if not sent:
                    raise
                # freqtrade has to know of those that are on their way; the rest stays its trade.
                logger.warning(
                    f"{len(sent)} of {len(sizes)} parts of an exit on {pair} sent. The rest stays "
                    f"in the trade behind its stop, for the next exit. Message: {e}"
                )
                self._unsent.update(ids[len(sent) :])
                break
            sent.append({**order, "status": order.get("status") or "open"})
        return merged(sent)

    def _sizes(self, pair: str, contracts: float, limit: float | None) -> list[float]:
        market = self._exchange.markets[pair]
        largest = largest_order(market, "market" if limit is None else "limit")
        return split(contracts, largest, market["precision"]["amount"])

    def whole(self, order: CcxtOrder) -> CcxtOrder:
        """An order together with its parts, if it was sent in parts; in base currency."""
        others = other_parts(order.get("clientOrderId"))
        parts = [order]
        for client_order_id in others:
            if client_order_id in self._unsent:
                continue
            try:
                parts.append(self._part(order["symbol"], client_order_id))
            except RetryableOrderError:
                age = dt_now() - dt_from_ts(order["timestamp"] or 0)
                if age < REQUEST_LIFETIME:
                    # Sent, and not shown yet.
                    parts.append({**order, "status": "open", "amount": 0.0, "filled": 0.0})
        return merged(parts) if len(parts) > 1 else order

    def cancel_parts(self, order_id: str, pair: str) -> None:
        """Cancel what rests of an exit that was sent in parts, but for the part of this id."""
        resting = self._requests.rows("orders")
        first = next((o for o in resting if o["id"] == order_id), None)
        if first is None:
            first = self._requests.order(order_id, pair)
        names = other_parts((first or {}).get("clientOrderId"))
        for order in self._requests.rows("orders", fresh=True) if names else ():
            if order["symbol"] == pair and order["clientOrderId"] in names:
                try:
                    self._requests.api.cancel_order(order["id"], pair)
                except ccxt.OrderNotFound:
                    # Filled meanwhile.
                    logger.debug(f"Order {order['id']} of {pair} has ended already.")

    def _part(self, pair: str, client_order_id: str) -> CcxtOrder:
        with freqtrade_errors(f"get a part of an exit on {pair}"):
            for order in self._requests.rows("orders"):
                if order["clientOrderId"] == client_order_id:
                    return self._requests.in_base_currency(order)
            params = {"clientOrderId": client_order_id}
            return self._requests.in_base_currency(self._requests.api.fetch_order("", pair, params))
