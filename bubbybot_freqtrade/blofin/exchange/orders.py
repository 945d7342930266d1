"""Orders: an entry leaves with a legal stop, or not at all."""

import logging
import math
from collections import deque
from typing import Any

from freqtrade.constants import BuySell
from freqtrade.enums import MarginMode, PriceType
from freqtrade.exceptions import InvalidOrderException
from freqtrade.exchange.exchange import Exchange
from freqtrade.exchange.exchange_types import CcxtOrder
from freqtrade.exchange.exchange_utils import ROUND_DOWN, ROUND_UP

from bubbybot_freqtrade.blofin.account import database
from bubbybot_freqtrade.blofin.account.changed_markets import follow_changed_markets
from bubbybot_freqtrade.blofin.account.fees import note_fee
from bubbybot_freqtrade.blofin.bracket import Bracket, TradeSide, take_bracket
from bubbybot_freqtrade.blofin.contracts import contracts_to_base
from bubbybot_freqtrade.blofin.exchange.brackets import Brackets
from bubbybot_freqtrade.blofin.exchange.errors import freqtrade_errors
from bubbybot_freqtrade.blofin.exchange.exits import Exits, largest_order
from bubbybot_freqtrade.blofin.exchange.funding import note_funding
from bubbybot_freqtrade.blofin.exchange.liquidation import isolated_liquidation_price
from bubbybot_freqtrade.blofin.exchange.requests import Requests
from bubbybot_freqtrade.blofin.protection import tighter

logger = logging.getLogger(__name__)

_MOST_CANCELED = 100


class Orders:
    """What an entry needs before it is sent: size, leverage, stop and target.

    :param exchange: freqtrade's, for its markets, tiers, precisions and config
    """

    def __init__(self, exchange: Exchange, requests: Requests, brackets: Brackets) -> None:
        self._exchange = exchange
        self._requests = requests
        self._brackets = brackets
        self._exits = Exits(exchange, requests)
        # Orders that were to be canceled, the latest ones.
        self._canceled: deque[str] = deque(maxlen=_MOST_CANCELED)

    def send(
        self, pair: str, ordertype: str, side: BuySell, amount: float, price: float, params: dict
    ) -> CcxtOrder:
        """Place an order once; its amounts are in base currency."""
        limit = None if ordertype == "market" else price
        contracts = self._requests.contracts(pair, amount)
        if "reduceOnly" in params and self._exits.is_unorderable(pair, side, amount, limit):
            logger.warning(
                f"{pair} has a position that no order's size fits, of about {contracts:g} "
                "contracts: BloFin is asked to close it as a whole."
            )
            order = self._requests.close_position(pair, "long" if side == "sell" else "short")
        elif "reduceOnly" in params:
            order = self._exits.send(pair, ordertype, side, contracts, limit, params)
        else:
            self._requests.entries.note(pair)
            order = self._requests.send_once(pair, ordertype, side, contracts, limit, params)
            self._requests.entries.note(pair, order["id"])
        self._requests.forget("positions")
        self._exchange._log_exchange_response("create_order", order)
        # BloFin answers with the id alone: let freqtrade ask for the rest.
        order["status"] = order.get("status") or "open"
        order["type"] = order.get("type") or ordertype
        return self._requests.in_base_currency(order)

    def follow_changed_contract(self, pair: str, side: BuySell) -> None:
        """Before an exit: ask for the markets where a contract may be worth something else."""
        if self._exits.is_of_another_size(pair, side):
            self._exchange.reload_markets(True, load_leverage_tiers=False)
            follow_changed_markets(self._exchange)

    def whole(self, order: CcxtOrder) -> CcxtOrder:
        """An order together with its parts, if it was sent in parts; in base currency."""
        whole = self._exits.whole(order)
        if not self._exchange._config["dry_run"]:
            note_fee(whole)
            note_funding(self._exchange, whole)
        return whole

    def waiting(self, order_id: str) -> CcxtOrder | None:
        """An order that waits, from the list of open ones, in base currency.

        None where that list may lag behind the order: one at the market waits for nothing, and one
        that was to be canceled may have ended.
        """
        for order in self._requests.rows("orders"):
            if order["id"] == order_id:
                lags = order["type"] == "market" or order_id in self._canceled
                return None if lags else self._requests.in_base_currency(order)
        return None

    def cancel_parts(self, order_id: str, pair: str) -> None:
        """Cancel what rests of an exit beside its first part, before that itself is canceled."""
        self._canceled.append(order_id)
        with freqtrade_errors(f"cancel the parts of order {order_id} of {pair}"):
            self._exits.cancel_parts(order_id, pair)

    def refuse_replacement(self, pair: str, rate: float) -> None:
        """An entry in place of one that waited is meant for its rate, and so is its bracket."""
        trade = database.trade_of(pair)
        if trade is not None and not trade.has_open_position:
            raise InvalidOrderException(
                f"{pair}: the strategy wants the waiting entry at {rate}, and order_types.entry is "
                "'market': it would be filled at whatever the price is now. The entry is not "
                "sent. Set order_types.entry to 'limit' where adjust_entry_price is used."
            )

    def set_leverage(self, pair: str, leverage: float, side: BuySell) -> None:
        """Set the leverage of a pair, where the venue doesn't have it already.

        It is the venue that remembers: in the app its owner may have changed it since. Asking is no
        trading request, setting is one. The margin mode is the account's and was set at start.
        """
        exchange, api = self._exchange, self._requests.api
        leverage = int(leverage)
        trade_side = "long" if side == "buy" else "short"
        params = {"marginMode": exchange.margin_mode.value}
        held = api.fetch_leverage(pair, params)
        if held[f"{trade_side}Leverage"] == leverage:
            return
        if api.is_hedged({}) and exchange.margin_mode == MarginMode.ISOLATED:
            params["positionSide"] = trade_side
        response = api.set_leverage(leverage, pair, params)
        exchange._log_exchange_response("set_leverage", response)

    def attached(
        self, pair: str, side: BuySell, amount: float, rate: float, leverage: float
    ) -> dict[str, Any]:
        """Stop and target of an entry, as ccxt sends them with it.

        :param amount: in base currency
        :raises InvalidOrderException: when no legal stop can be had, or the size or leverage is
            not what the venue takes for this pair
        """
        self._check_size(pair, side, amount, rate, leverage)
        bracket = self._bracket(pair, side, amount, rate, leverage)
        if not self._held(pair, side):
            self._tell_lowered(pair, amount, rate, leverage)
        params: dict[str, Any] = {"stopLoss": {"triggerPrice": bracket.stop}}
        order_types = self._exchange._config.get("order_types", {})
        limit = self.stop_limit(bracket.stop, order_types, "sell" if side == "buy" else "buy")
        if limit is not None:
            params["stopLoss"]["price"] = limit
        if self.trigger_price_type:
            params["stopLoss"]["triggerPriceType"] = self.trigger_price_type
        if bracket.target is not None:
            params["takeProfit"] = {"triggerPrice": bracket.target}
        return params

    def _bracket(
        self, pair: str, side: BuySell, amount: float, rate: float, leverage: float
    ) -> Bracket:
        """Take the strategy's bracket, the one of the trade that this entry adds to or is a new try
        of, else make one of the strategy's stoploss; refuse an illegal one.
        """
        trade_side: TradeSide = "long" if side == "buy" else "short"
        offered = (
            take_bracket(pair, trade_side)
            or self._of_trade(pair, trade_side)
            or self.stoploss_bracket(side, rate, leverage)
        )
        bracket = self._on_tick(pair, offered, side)
        if not bracket.fits(trade_side, rate):
            raise InvalidOrderException(
                f"{pair}: an entry at {rate} is not between stop {bracket.stop} and target "
                f"{bracket.target} of a {trade_side}. The entry is not sent."
            )
        maintenance, _ = self._exchange.get_maintenance_ratio_and_amt(pair, amount * rate)
        cost = maintenance + self._exchange.markets[pair]["taker"]
        liquidation = isolated_liquidation_price(rate, leverage, cost, is_short=side == "sell")
        if not tighter("sell" if side == "buy" else "buy", bracket.stop, liquidation):
            raise InvalidOrderException(
                f"{pair}: at {leverage}x a {trade_side} from {rate} is liquidated at "
                f"{liquidation:.8g}, before its stop at {bracket.stop} is reached. "
                "Lower the leverage or tighten the stop. The entry is not sent."
            )
        return bracket

    def _of_trade(self, pair: str, side: TradeSide) -> Bracket | None:
        if self._exchange._config["dry_run"]:
            return None
        with freqtrade_errors(f"get stop and target of the trade on {pair}"):
            return self._brackets.of_trade(pair, side)

    def stoploss_bracket(self, side: BuySell, rate: float, leverage: float) -> Bracket:
        """Stop of the strategy's `stoploss` for an entry at `rate`, without a target."""
        # Relative to the trade's profit, as freqtrade's own stop: LocalTrade.adjust_stop_loss.
        distance = abs(self._exchange._config["stoploss"]) / leverage
        return Bracket(stop=rate * (1 - distance if side == "buy" else 1 + distance))

    def _on_tick(self, pair: str, bracket: Bracket, side: BuySell) -> Bracket:
        """Round to prices the venue takes: the stop to the tighter side, the target to the nearer.

        :raises InvalidOrderException: when nothing is left of a price.
        """
        rounding = {"buy": (ROUND_UP, ROUND_DOWN), "sell": (ROUND_DOWN, ROUND_UP)}[side]
        to_tick = self._exchange.price_to_precision
        prices = [
            None if price is None else to_tick(pair, price, rounding_mode=mode)
            for price, mode in zip((bracket.stop, bracket.target), rounding, strict=True)
        ]
        try:
            return Bracket(stop=prices[0] or 0.0, target=prices[1])
        except ValueError as e:
            raise InvalidOrderException(f"{pair}: {e} The entry is not sent.") from e

    def _check_size(
        self, pair: str, side: BuySell, amount: float, rate: float, leverage: float
    ) -> None:
        """Refuse a size or leverage that the venue doesn't take, with the position that is held."""
        if not all(map(math.isfinite, (amount, rate, leverage))):
            raise InvalidOrderException(
                f"{pair}: an entry of {amount} at {rate} with {leverage}x is none. Look at what "
                "the strategy's leverage, custom_stake_amount and custom_entry_price return. The "
                "entry is not sent."
            )
        market = self._exchange.markets[pair]
        contracts = self._requests.contracts(pair, amount)
        held = self._held(pair, side)
        smallest = market["limits"]["amount"]["min"] or 0.0
        # A stop executes as a market order, so a position may not be larger than one.
        largest = min(largest_order(market, kind) or math.inf for kind in ("limit", "market"))
        if not smallest <= contracts or contracts <= 0 or contracts + held > largest:
            beside = f" beside the {held:g} that are held" if held else ""
            raise InvalidOrderException(
                f"{pair}: {contracts:g} contracts ({amount:g} {market['base']}){beside} is outside "
                f"what BloFin takes for this pair in one market order, as a stop is, {smallest:g} "
                f"to {largest:g}. The entry is not sent."
            )
        value = contracts_to_base(held, market["contractSize"]) * rate
        self._check_leverage(pair, amount * rate + value, leverage)

    def _held(self, pair: str, side: BuySell) -> float:
        """Contracts that an entry adds to; the account watch has just asked for positions."""
        if self._exchange._config["dry_run"]:
            return 0.0
        rows = self._requests.rows("positions")
        held = self._requests.of_trade.position(rows, pair, "long" if side == "buy" else "short")
        return held["contracts"] if held is not None else 0.0

    def _check_leverage(self, pair: str, notional: float, leverage: float) -> None:
        self._exchange.need_leverage_tiers(pair)
        tiers = self._exchange._leverage_tiers.get(pair)
        if not tiers:
            raise InvalidOrderException(
                f"{pair}: BloFin has not told this pair's leverage tiers, which limit its size and "
                "leverage. They are asked for again with the markets, every hour and at a start. "
                "The entry is not sent."
            )
        quote = self._exchange.markets[pair]["quote"]
        tier = next(
            (t for t in tiers if t["maxNotional"] is None or notional <= t["maxNotional"]), None
        )
        if tier is None or leverage > tier["maxLeverage"]:
            raise InvalidOrderException(
                f"{pair}: {leverage:g}x is more than BloFin allows for a position of "
                f"{notional:.2f} {quote}. Lower the leverage or the stake. The entry is not sent."
            )

    def _tell_lowered(self, pair: str, amount: float, rate: float, leverage: float) -> None:
        """Say when an entry goes out at less leverage than the strategy may have asked for."""
        if int(leverage) != leverage:
            logger.warning(
                f"{pair}: BloFin takes whole numbers only, the entry goes out at {int(leverage)}x "
                f"instead of {leverage:g}x."
            )
        # freqtrade lowers it without a word (FreqtradeBot.get_valid_enter_price_and_stake).
        stake = amount * rate / leverage
        most = self._exchange.get_max_leverage(pair, 0.0)
        if leverage == self._exchange.get_max_leverage(pair, stake) < most:
            logger.warning(
                f"{pair}: BloFin allows {leverage:g}x at most for a stake of {stake:.0f} "
                f"{self._exchange.markets[pair]['quote']}, {most:g}x for smaller ones. The entry "
                f"goes out at {leverage:g}x, also where the strategy asked for more."
            )

    def stop_limit(self, stop: float, order_types: dict, side: BuySell) -> float | None:
        """Price of the limit order that a stop places; None when it is to execute at market."""
        exchange = self._exchange
        ordertype, _ = exchange._get_stop_order_type(order_types.get("stoploss", "market"))
        if ordertype != "limit":
            return None
        return exchange._get_stop_limit_rate(stop, order_types, side)

    @property
    def trigger_price_type(self) -> str | None:
        """`last`, `mark` or `index`, as `order_types.stoploss_price_type`; None where unset."""
        price_type = self._exchange._config.get("order_types", {}).get("stoploss_price_type")
        return None if price_type is None else str(PriceType(price_type).value)

    def trigger_price(self, pair: str) -> float | None:
        """The price that triggers stops, as it is now; None when BloFin gives none."""
        price_type = self.trigger_price_type
        if price_type in ("mark", "index"):
            with freqtrade_errors(f"get the {price_type} price of {pair}"):
                row = self._requests.api.fetch_mark_price(pair)
            price = row["markPrice"] if price_type == "mark" else row["info"].get("indexPrice")
            # What isn't there may be written as 0.
            return float(price or 0) or None
        for ticker in self._requests.rows("tickers"):
            if ticker["symbol"] == pair:
                return ticker["last"] or None
        return None
