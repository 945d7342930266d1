"""Exits that are no ordinary order: larger than one may be, or of a size that none can have."""

import logging
from typing import Any

import ccxt
from freqtrade.constants import BuySell
from freqtrade.exceptions import RetryableOrderError
from freqtrade.exchange.exchange import Exchange
from freqtrade.exchange.exchange_types import CcxtOrder
from freqtrade.util import dt_from_ts, dt_now

from bubbybot_freqtrade.blofin.contracts import base_to_contracts
from bubbybot_freqtrade.blofin.exchange.errors import freqtrade_errors
from bubbybot_freqtrade.blofin.exchange.requests import REQUEST_LIFETIME, Requests
from bubbybot_freqtrade.blofin.parts import merged, other_parts, part_ids, split

logger = logging.getLogger(__name__)


def largest_order(market: dict[str, Any], ordertype: str) -> float | None:
    """The most contracts that a limit or market order may have; None when that is not told."""
    return float(market["info"].get(f"max{ordertype.title()}Size") or 0.0) or None


class Exits:
    """Orders that only reduce a position."""

    def __init__(self, exchange: Exchange, requests: Requests) -> None:
        self._exchange = exchange
        self._requests = requests
        # clientOrderIds of parts that were not sent.
        self._unsent: set[str] = set()

    def is_unorderable(self, pair: str, side: BuySell, amount: float) -> bool:
        """Whether an exit of a whole position is of a size that no order can have.

        Lots have grown while it was open, or less than an order's minimum of it is left.
        """
        market = self._exchange.markets[pair]
        cut = self._requests.contracts(pair, amount)
        exact = base_to_contracts(amount, market["contractSize"], market["precision"]["amount"])
        if cut >= exact * (1 - 1e-9) and cut >= (market["limits"]["amount"]["min"] or 0.0):
            return False
        position = self._requests.position(pair, "long" if side == "sell" else "short", fresh=True)
        return position is not None and exact >= position["contracts"] * (1 - 1e-9)

    def send(self, pair: str, side: BuySell, contracts: float, params: dict) -> CcxtOrder:
        """Exit at the market in as many orders as it takes."""
        market = self._exchange.markets[pair]
        sizes = split(contracts, largest_order(market, "market"), market["precision"]["amount"])
        if len(sizes) == 1:
            return self._requests.send_once(pair, "market", side, contracts, None, params)
        ids = part_ids(self._requests.new_client_order_id(), len(sizes))
        sent: list[CcxtOrder] = []
        for size, client_order_id in zip(sizes, ids, strict=True):
            try:
                order = self._requests.send_once(
                    pair, "market", side, size, None, params, client_order_id
                )
            except ccxt.BaseError as e:
                if not sent:
                    raise
                # freqtrade has to know of those that are on their way; the rest stays its trade.
                logger.warning(f"{len(sent)} of {len(sizes)} parts of an exit on {pair} sent: {e}")
                self._unsent.update(ids[len(sent) :])
                break
            sent.append({**order, "status": order.get("status") or "open"})
        return merged(sent)

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

    def _part(self, pair: str, client_order_id: str) -> CcxtOrder:
        with freqtrade_errors(f"get a part of an exit on {pair}"):
            params = {"clientOrderId": client_order_id}
            return self._requests.in_base_currency(self._requests.api.fetch_order("", pair, params))
