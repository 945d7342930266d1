"""What is asked of BloFin: lists once per loop, orders exactly once."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property

import ccxt
from freqtrade.constants import BuySell
from freqtrade.exceptions import ExchangeError
from freqtrade.exchange.exchange import Exchange
from freqtrade.exchange.exchange_types import CcxtOrder, CcxtPosition
from freqtrade.util import dt_now

from bubbybot_freqtrade.blofin.bracket import TradeSide
from bubbybot_freqtrade.blofin.ccxt_blofin.budget import share_with
from bubbybot_freqtrade.blofin.exchange.client_order_ids import ClientOrderIds
from bubbybot_freqtrade.blofin.exchange.errors import freqtrade_errors
from bubbybot_freqtrade.blofin.exchange.in_hand import InHand
from bubbybot_freqtrade.blofin.exchange.loop_state import ListName, LoopState
from bubbybot_freqtrade.blofin.exchange.margin_modes import MarginModes
from bubbybot_freqtrade.blofin.exchange.quiet import Quiet
from bubbybot_freqtrade.blofin.exchange.venue_clock import VenueClock
from bubbybot_freqtrade.blofin.exchange.young_entries import YoungEntries
from bubbybot_freqtrade.blofin.protection import closed_side

logger = logging.getLogger(__name__)

# A request whose answer got lost is looked up after these pauses. BloFin's own matching takes
# milliseconds; the later ones are for a venue under load.
LOOK_UP_PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0)

# BloFin refuses requests that are older than 60 s: an order not there by then never comes.
REQUEST_LIFETIME = timedelta(seconds=65)

# What placing an order changes, by the list that it belongs on; one that fills changes all.
_CHANGED_BY: dict[ListName, tuple[ListName, ...]] = {
    "tpsl": ("tpsl",),
    "orders": ("orders", "tpsl", "positions"),
}


class Requests:
    """What orders, stops and the account watch ask of the venue.

    :param exchange: freqtrade's, with ccxt's BloFin behind it
    :param quiet: whether the account is known not to have changed since it was asked
    """

    def __init__(self, exchange: Exchange, quiet: Quiet | None = None) -> None:
        self._exchange = exchange
        self._lists = LoopState(
            {
                "orders": lambda: self._shown(self.api.fetch_open_orders()),
                "tpsl": self._fetch_tpsl,
                "positions": lambda: self.api.fetch_positions(),
                "tickers": lambda: list(self.api.fetch_tickers().values()),
            },
            quiet,
        )
        self.of_trade = MarginModes(exchange, self.order)
        self.in_hand = InHand()
        # Waits so many seconds, and looks at what happens meanwhile.
        self.pause: Callable[[float], None] = exchange.real_time.pause
        self._look: Callable[[list[CcxtOrder]], None] = lambda _: None
        self.entries = YoungEntries(lambda date: self.clock.venue_ms(date))
        self._doubted_at: datetime | None = None
        self.are_markets_doubted = False
        # Pairs with an order whose answer is lost and that couldn't be found, yet.
        self._unresolved_until: dict[str, datetime] = {}

    @property
    def api(self) -> ccxt.Exchange:
        """ccxt's sync BloFin."""
        return self._exchange._api

    @property
    def margin_mode(self) -> str:
        """The account's, `isolated` or `cross`."""
        return self._exchange.margin_mode.value

    @cached_property
    def clock(self) -> VenueClock:
        """This machine's clock beside the venue's."""
        return VenueClock(self.api)

    @cached_property
    def _ids(self) -> ClientOrderIds:
        return ClientOrderIds(str(self._exchange._config.get("db_url")), self.clock)

    def start_loop(self) -> None:
        """Forget the lists that may have changed: a new loop of the bot begins."""
        self._lists.start_loop()

    def rows(self, name: ListName, *, fresh: bool = False) -> list[CcxtOrder]:
        """Open orders, TP/SL orders, positions or prices of all pairs, asked for once per loop."""
        with freqtrade_errors(f"get the account's {name}"):
            return self._lists.rows(name, fresh=fresh)

    def look_again(self) -> None:
        """Forget the account's lists that may have changed since, amid a loop too."""
        self._lists.look_again()

    def forget(self, *names: ListName) -> None:
        """Ask the venue again for these lists, whatever is known of them."""
        self._lists.forget(*names)

    def changed(self, *names: ListName) -> None:
        """The bot itself has changed something that these lists show, sooner or later."""
        self._lists.changed(*names)

    def replace(self, name: ListName, row_id: str, row: CcxtOrder | None) -> None:
        """Carry our own change of one order into a list; None takes the order out."""
        self._lists.replace(name, row_id, row)

    def position(self, pair: str, side: TradeSide, *, fresh: bool = False) -> CcxtPosition | None:
        """Return the open position of a pair and side, None when there is none.

        The trade's, where its owner has another one in the other margin mode.
        """
        position = self.of_trade.position(self.rows("positions", fresh=fresh), pair, side)
        if position is not None:
            return position
        # It may have been opened after the list was asked for.
        return None if fresh else self.position(pair, side, fresh=True)

    def is_of_trade(self, position: CcxtPosition) -> bool:
        """Whether a position is the one that a trade of its pair and side has."""
        return self.of_trade.has(position, self.rows("positions"))

    def share_of_position(
        self, pair: str, side: TradeSide, amount: float, mode: str | None
    ) -> float:
        """Part that an amount in base currency is of the position as the loop found it, at most 1:
        others may have added to it. 1 where there was none, or BloFin does not tell.

        What the loop itself has ordered since is in the position already, not in its trade.

        :param mode: the position's margin mode; None for all that is held of the side
        """
        try:
            with freqtrade_errors("get the account's positions"):
                held = self._lists.held_before()
        except ExchangeError as e:
            logger.debug(f"The position of {pair} is not known: {e}")
            return 1.0
        contracts = self.exact_contracts(pair, amount) if amount else 0.0
        return self.of_trade.share(held, pair, side, contracts, mode)

    def ended_orders(self, pair: str | None, since: int) -> list[CcxtOrder]:
        """Ended orders of a pair, or of all, since a time (ms), oldest first, in contracts.

        Those that have filled, be it in part before they were canceled.
        """
        with freqtrade_errors(f"get orders of {pair or 'all pairs'}"):
            ended = self._shown(self.api.fetch_canceled_and_closed_orders(pair, since))
        return [order for order in ended if order["filled"]]

    def fills(self, pair: str, since: int) -> list[dict]:
        """The account's fills of a pair since a time (ms), oldest first, in contracts."""
        with freqtrade_errors(f"get fills of {pair}"):
            return self.api.fetch_my_trades(pair, since)

    def order(self, order_id: str, pair: str) -> CcxtOrder | None:
        """Return an order in any state, in contracts; None when BloFin doesn't know it."""
        with freqtrade_errors(f"get order {order_id} of {pair}"):
            try:
                return self.api.fetch_order(order_id, pair)
            except ccxt.OrderNotFound:
                return None

    def closed_positions(self, pair: str, since: int) -> list[CcxtPosition]:
        """Positions of a pair that have closed since a time (ms), oldest first."""
        with freqtrade_errors(f"get closed positions of {pair}"):
            return self.api.fetch_positions_history([pair], since)

    def show_orders_to(self, look: Callable[[list[CcxtOrder]], None]) -> None:
        """Have `look` called with every list of orders that BloFin answers, open or ended."""
        self._look = look

    def _fetch_tpsl(self) -> list[CcxtOrder]:
        orders = self._shown(self.api.fetch_open_orders(params={"tpsl": True}))
        stops = (order for order in orders if order.get("stopLossPrice") is not None)
        self.entries.look(filter(self.is_own, stops))
        return orders

    def _shown(self, orders: list[CcxtOrder]) -> list[CcxtOrder]:
        self._look(orders)
        return orders

    def share_with(self, others: int) -> None:
        """Send this bot's share of the requests only, beside so many other bots."""
        share_with(self.api, others)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Send what is asked inside without ccxt's spacing, as far as the budget goes."""
        before, self.api.is_urgent = self.api.is_urgent, True
        try:
            yield
        finally:
            self.api.is_urgent = before

    def is_own(self, order: CcxtOrder) -> bool:
        """Whether this bot (a bot on this database) placed the order."""
        return self._ids.is_own(order)

    def contracts(self, pair: str, amount: float) -> float:
        """Contracts of an amount in base currency, in the steps that the venue takes."""
        exchange = self._exchange
        return exchange.amount_to_precision(pair, exchange._amount_to_contracts(pair, amount))

    def exact_contracts(self, pair: str, amount: float) -> float:
        """Contracts of an amount in base currency, not cut to the venue's steps."""
        return self._exchange._amount_to_contracts(pair, amount)

    def in_base_currency(self, order: CcxtOrder) -> CcxtOrder:
        """Return an order with its amounts in base currency instead of contracts."""
        return self._exchange._order_contracts_to_amount(dict(order))

    def doubt_markets(self) -> None:
        """Ask for the markets again before their hour is over, at most once a minute.

        Sizes that differ and orders that are refused are what a contract looks like whose value,
        lot or tick the venue has changed.
        """
        if self._doubted_at is None or dt_now() - self._doubted_at > timedelta(minutes=1):
            self._doubted_at = dt_now()
            self.are_markets_doubted = True

    def new_client_order_id(self) -> str:
        """A clientOrderId of this bot, never used before."""
        return self._ids.new()

    def is_entering(self, pair: str) -> bool:
        """Whether an entry was sent a moment ago that freqtrade has not written down yet."""
        return self.entries.is_unwritten(pair)

    def may_still_come(self, pair: str) -> bool:
        """Whether an order whose answer got lost could still be carried out."""
        until = self._unresolved_until.get(pair)
        return until is not None and dt_now() < until

    def send_once(
        self,
        pair: str,
        ordertype: str,
        side: BuySell,
        contracts: float,
        price: float | None,
        params: dict,
        client_order_id: str | None = None,
    ) -> CcxtOrder:
        """Place an order exactly once; look it up when its answer does not come."""
        client_order_id = client_order_id or self.new_client_order_id()
        closing = "reduceOnly" in params or "stopLossPrice" in params
        mode = self._mode_of_closed(pair, side) if closing else self.margin_mode
        params = {"marginMode": mode, **params, "clientOrderId": client_order_id}
        name: ListName = "tpsl" if "stopLossPrice" in params else "orders"
        try:
            order = self.api.create_order(pair, ordertype, side, contracts, price, params)
            if order.get("id"):
                self._lists.sent(name, order["id"])
                return order
            lost: ccxt.BaseError = ccxt.BadResponse("The answer to the order names no order.")
        except (ccxt.DDoSProtection, ccxt.InvalidNonce):
            # Turned away at the door.
            raise
        except ccxt.InvalidOrder:
            self.doubt_markets()
            raise
        except ccxt.OperationFailed as e:
            lost = e
        finally:
            self.changed(*_CHANGED_BY[name])
        self._lost(pair, lost)
        return self._look_up(pair, client_order_id, name == "tpsl", lost)

    def close_position(self, pair: str, side: TradeSide) -> CcxtOrder:
        """Close a position at the market, whatever its size; its answer names no order."""
        client_order_id = self.new_client_order_id()
        exit_side = "sell" if side == "long" else "buy"
        mode = self._mode_of_closed(pair, exit_side)
        params = {"clientOrderId": client_order_id, "marginMode": mode}
        try:
            self.api.close_position(pair, side, params)
            lost: ccxt.BaseError = ccxt.BadResponse(
                f"BloFin has taken the request to close the {side} position of {pair}, but doesn't "
                "show the order that does so yet."
            )
            logger.info(f"BloFin closes the {side} position of {pair}, looking up what it did.")
        except (ccxt.DDoSProtection, ccxt.InvalidNonce):
            raise
        except ccxt.OperationFailed as e:
            lost = self._lost(pair, e)
        return self._look_up(pair, client_order_id, False, lost)

    def _mode_of_closed(self, pair: str, side: str) -> str:
        """Margin mode of the position that an order of `side` closes.

        It is the position's own; an order in another one is refused.
        """
        try:
            held = self.of_trade.position(self.rows("positions"), pair, closed_side(side))
        except ExchangeError as e:
            logger.warning(
                f"The margin mode of the position of {pair} is not known, its order is sent as "
                f"{self.margin_mode}, the bot's own: {e}"
            )
            return self.margin_mode
        return (held and held["marginMode"]) or self.margin_mode

    def _lost(self, pair: str, error: ccxt.BaseError) -> ccxt.BaseError:
        logger.warning(
            f"BloFin's answer to an order on {pair} got lost, looking it up by its id; it is not "
            f"sent twice: {error}"
        )
        return error

    def _look_up(
        self, pair: str, client_order_id: str, tpsl: bool, lost: ccxt.BaseError
    ) -> CcxtOrder:
        self.changed(*_CHANGED_BY["orders"])
        earlier = self._unresolved_until.get(pair)
        self._unresolved_until[pair] = dt_now() + REQUEST_LIFETIME
        params = {"clientOrderId": client_order_id, **({"tpsl": True} if tpsl else {})}
        with self.in_hand.hold([pair]):
            for pause in LOOK_UP_PAUSES:
                self.pause(pause)
                try:
                    order = self.api.fetch_order("", pair, params)
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
