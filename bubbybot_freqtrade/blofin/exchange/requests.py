"""Requests of the BloFin exchange class: orders sent once, lists asked for once per loop."""

import hashlib
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import uuid4

import ccxt
from freqtrade.constants import BuySell, Config
from freqtrade.exceptions import (
    DDosProtection,
    InsufficientFundsError,
    InvalidOrderException,
    OperationalException,
    RetryableOrderError,
    TemporaryError,
)
from freqtrade.exchange.exchange import Exchange
from freqtrade.exchange.exchange_types import CcxtOrder, CcxtPosition
from freqtrade.util import dt_from_ts, dt_now, dt_ts

from bubbybot_freqtrade.blofin.bracket import TradeSide
from bubbybot_freqtrade.blofin.exchange.loop_state import ListName, LoopState
from bubbybot_freqtrade.blofin.exchange.venue_clock import VenueClock

logger = logging.getLogger(__name__)

# A request whose answer got lost is looked up after these pauses. BloFin's own matching takes
# milliseconds; the later ones are for a venue under load.
LOOK_UP_PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0)

# BloFin refuses requests that are older than 60 s: an order not there by then never comes.
REQUEST_LIFETIME = timedelta(seconds=65)

# freqtrade commits a trade right after its entry's request; what shows up meanwhile is its own.
ENTRY_UNDERWAY = timedelta(seconds=30)


class BlofinRequests(Exchange):
    """What orders, stops and the account watch ask of the venue."""

    _loop_state: LoopState
    # Pairs and times of entries on their way: their trade is not in the database yet.
    _entered_at: dict[str, datetime]
    # Pairs with an order whose answer is lost and that couldn't be found, yet.
    _unresolved_until: dict[str, datetime]

    @property
    def position_mode(self) -> str:
        """One-way (`net_mode`) or hedge mode (`long_short_mode`), from `exchange.position_mode`."""
        return self._config["exchange"].get("position_mode", "net_mode")

    @contextmanager
    def _freqtrade_errors(self, action: str) -> Iterator[None]:
        """Turn ccxt's errors into freqtrade's, as all exchange classes do."""
        try:
            yield
        except ccxt.InsufficientFunds as e:
            raise InsufficientFundsError(f"Insufficient funds to {action}. Message: {e}") from e
        except ccxt.OrderNotFound as e:
            raise RetryableOrderError(f"Order not found to {action}. Message: {e}") from e
        except (ccxt.InvalidOrder, ccxt.BadRequest, ccxt.OperationRejected) as e:
            raise InvalidOrderException(f"Could not {action}. Message: {e}") from e
        except ccxt.DDoSProtection as e:
            raise DDosProtection(e) from e
        except (ccxt.OperationFailed, ccxt.ExchangeError) as e:
            raise TemporaryError(
                f"Could not {action} due to {e.__class__.__name__}. Message: {e}"
            ) from e
        except ccxt.BaseError as e:
            raise OperationalException(e) from e

    def _send_once(
        self,
        pair: str,
        ordertype: str,
        side: BuySell,
        contracts: float,
        price: float | None,
        params: dict,
    ) -> CcxtOrder:
        """Place an order exactly once; look it up when its answer does not come."""
        client_order_id = f"{self._order_prefix}{uuid4().hex[:24]}"
        params = {**params, "clientOrderId": client_order_id, "marginMode": self.margin_mode.value}
        try:
            order = self._api.create_order(pair, ordertype, side, contracts, price, params)
            if order.get("id"):
                return order
            lost: ccxt.BaseError = ccxt.BadResponse("The answer to the order names no order.")
        except (ccxt.DDoSProtection, ccxt.InvalidNonce):
            # Turned away at the door.
            raise
        except ccxt.OperationFailed as e:
            lost = e
        return self._look_up(pair, client_order_id, "stopLossPrice" in params, lost)

    def _look_up(
        self, pair: str, client_order_id: str, tpsl: bool, lost: ccxt.BaseError
    ) -> CcxtOrder:
        logger.warning(f"BloFin's answer to an order on {pair} got lost, looking it up: {lost}")
        earlier = self._unresolved_until.get(pair)
        self._unresolved_until[pair] = dt_now() + REQUEST_LIFETIME
        params = {"clientOrderId": client_order_id, **({"tpsl": True} if tpsl else {})}
        for pause in LOOK_UP_PAUSES:
            time.sleep(pause)
            try:
                order = self._api.fetch_order("", pair, params)
            except ccxt.BaseError as e:
                # Whatever it is, it doesn't say that the order is not there.
                logger.debug(f"Order {client_order_id} on {pair} not found yet: {e}")
                continue
            if earlier is None:
                self._unresolved_until.pop(pair, None)
            else:
                self._unresolved_until[pair] = earlier
            return order
        raise lost

    def _position(self, pair: str, side: TradeSide, *, fresh: bool = False) -> CcxtPosition | None:
        with self._freqtrade_errors(f"get positions of {pair}"):
            positions = self._loop_state.rows("positions", fresh=fresh)
        for position in positions:
            if (position["symbol"], position["side"]) == (pair, side) and position["contracts"]:
                return position
        # It may have been opened after the list was asked for.
        return None if fresh else self._position(pair, side, fresh=True)

    @property
    def _database(self) -> Any:
        # Not at module level: freqtrade.persistence imports freqtrade.exchange.
        from bubbybot_freqtrade.blofin.account import database

        return database

    @cached_property
    def clock(self) -> VenueClock:
        """This machine's clock beside the venue's."""
        return VenueClock(self._api)

    @property
    def config(self) -> Config:
        """freqtrade's config, with what the strategy added to it."""
        return self._config

    @cached_property
    def _order_prefix(self) -> str:
        """Start of this bot's clientOrderIds: its own, also beside another bot on the account."""
        return str(self._database.order_prefix(dt_from_ts(self.clock.venue_ms(dt_now()))))

    @cached_property
    def _earlier_prefix(self) -> tuple[str, int]:
        """What stood there before databases had a prefix of their own, and until when (ms)."""
        db_url = str(self._config.get("db_url"))
        until = self._database.earlier_prefix_until()
        return "ft" + hashlib.sha256(db_url.encode()).hexdigest()[:6], dt_ts(until) if until else 0

    def is_own(self, order: CcxtOrder) -> bool:
        """Whether this bot (a bot on this database) placed the order."""
        client_order_id = str(order.get("clientOrderId"))
        if client_order_id.startswith(self._order_prefix):
            return True
        prefix, until = self._earlier_prefix
        return client_order_id.startswith(prefix) and (order["timestamp"] or 0) < until

    def is_entering(self, pair: str) -> bool:
        """Whether an entry was sent a moment ago: freqtrade may not have its trade yet."""
        sent = self._entered_at.get(pair)
        return sent is not None and dt_now() - sent < ENTRY_UNDERWAY

    def open_rows(self, name: ListName, *, fresh: bool = False) -> list[CcxtOrder]:
        """Open orders, TP/SL orders or positions of the account, asked for once per loop."""
        with self._freqtrade_errors(f"get the account's {name}"):
            return self._loop_state.rows(name, fresh=fresh)

    def ended_orders(self, pair: str | None, since: int) -> list[CcxtOrder]:
        """Ended orders of a pair, or of all, since a time (ms), oldest first, in contracts.

        Those that have filled, be it in part before they were canceled.
        """
        with self._freqtrade_errors(f"get orders of {pair or 'all pairs'}"):
            ended = self._api.fetch_canceled_and_closed_orders(pair, since)
        return [order for order in ended if order["filled"]]

    def in_base_currency(self, order: CcxtOrder) -> CcxtOrder:
        """Return an order with its amounts in base currency instead of contracts."""
        return self._order_contracts_to_amount(dict(order))

    def contracts(self, pair: str, amount: float) -> float:
        """Contracts of an amount in base currency, in the steps that the venue takes."""
        return self.amount_to_precision(pair, self._amount_to_contracts(pair, amount))

    def fetch_order(self, order_id: str, pair: str, params: dict | None = None) -> CcxtOrder:
        """Return an order: from the list of open ones when it is there, else by its own request."""
        if not self._config["dry_run"] and not params:
            with self._freqtrade_errors(f"get orders of {pair}"):
                for order in self._loop_state.rows("orders"):
                    if order["id"] == order_id:
                        return self._order_contracts_to_amount(dict(order))
        return super().fetch_order(order_id, pair, params)

    def cancel_order(self, order_id: str, pair: str, params: dict | None = None) -> dict[str, Any]:
        """Cancel an order, and no longer answer for it from the list of open ones."""
        try:
            return super().cancel_order(order_id, pair, params)
        finally:
            self._loop_state.forget("orders")
