"""Orders of the BloFin exchange class: an entry leaves with a legal stop, or not at all."""

import logging
from typing import TYPE_CHECKING, Any

from freqtrade.constants import BuySell
from freqtrade.enums import MarginMode
from freqtrade.exceptions import InvalidOrderException
from freqtrade.exchange.exchange_types import CcxtOrder
from freqtrade.exchange.exchange_utils import ROUND_DOWN, ROUND_UP
from freqtrade.util import dt_now

from bubbybot_freqtrade.blofin.bracket import Bracket, TradeSide, take_bracket
from bubbybot_freqtrade.blofin.exchange.requests import BlofinRequests
from bubbybot_freqtrade.blofin.protection import tighter

if TYPE_CHECKING:
    from bubbybot_freqtrade.blofin.account.watch import AccountWatch

logger = logging.getLogger(__name__)


class BlofinOrders(BlofinRequests):
    """Entries and exits."""

    # Live only; `account_watch.findings` is what the account and the database disagree about.
    account_watch: "AccountWatch | None"

    def _lev_prep(
        self, pair: str, leverage: float, side: BuySell, accept_fail: bool = False
    ) -> None:
        """Set the leverage of a pair, where the venue doesn't have it already.

        It is the venue that remembers: in the app its owner may have changed it since. Asking is no
        trading request, setting is one. The margin mode is the account's and was set at start.
        """
        leverage = int(leverage)
        trade_side = "long" if side == "buy" else "short"
        params = {"marginMode": self.margin_mode.value}
        held = self._api.fetch_leverage(pair, params)
        if held[f"{trade_side}Leverage"] == leverage:
            return
        if self.position_mode == "long_short_mode" and self.margin_mode == MarginMode.ISOLATED:
            params["positionSide"] = trade_side
        response = self._api.set_leverage(leverage, pair, params)
        self._log_exchange_response("set_leverage", response)

    def create_order(
        self,
        *,
        pair: str,
        ordertype: str,
        side: BuySell,
        amount: float,
        rate: float,
        leverage: float,
        time_in_force: str = "GTC",
        reduceOnly: bool = False,
        initial_order: bool = True,
    ) -> CcxtOrder:
        """Place an order; one that opens or adds to a position carries its stop and target.

        :raises InvalidOrderException: when no legal stop can be had, or the size or leverage is
            not what the venue takes for this pair. Nothing is sent then.
        """
        if reduceOnly:
            bracket = None
        else:
            self._check_account(pair)
            self._check_size(pair, amount, rate, leverage)
            bracket = self._bracket(pair, side, amount, rate, leverage)
        if self._config["dry_run"]:
            return self.create_dry_run_order(
                pair, ordertype, side, amount, self.price_to_precision(pair, rate), leverage
            )
        params = self._get_params(side, ordertype, leverage, reduceOnly, time_in_force)
        price = self.price_to_precision(pair, rate) if ordertype != "market" else None
        if bracket is not None:
            params |= self._attached(bracket, side)
        with self._freqtrade_errors(
            f"create {ordertype} {side} order on market {pair} (amount {amount}, rate {rate})"
        ):
            if bracket is not None:
                self._lev_prep(pair, leverage, side)
                self._entered_at[pair] = dt_now()
            order = self._send_once(
                pair, ordertype, side, self.contracts(pair, amount), price, params
            )
        self._loop_state.forget("positions")
        self._log_exchange_response("create_order", order)
        # BloFin answers with the id alone: let freqtrade ask for the rest.
        order["status"] = order.get("status") or "open"
        order["type"] = order.get("type") or ordertype
        return self._order_contracts_to_amount(order)

    def _check_account(self, pair: str) -> None:
        objection = self.account_watch.objection(pair) if self.account_watch else None
        if pair in self._unresolved_until and dt_now() < self._unresolved_until[pair]:
            objection = "an earlier order's answer got lost and it may still come"
        if objection:
            raise InvalidOrderException(f"{pair}: {objection}. The entry is not sent.")

    def _bracket(
        self, pair: str, side: BuySell, amount: float, rate: float, leverage: float
    ) -> Bracket:
        """Take the strategy's bracket, else make one of its stoploss; refuse an illegal one."""
        trade_side: TradeSide = "long" if side == "buy" else "short"
        offered = take_bracket(pair, trade_side) or self._stoploss_bracket(side, rate, leverage)
        bracket = self._on_tick(pair, offered, side)
        if not bracket.fits(trade_side, rate):
            raise InvalidOrderException(
                f"{pair}: an entry at {rate} is not between stop {bracket.stop} and target "
                f"{bracket.target} of a {trade_side}. The entry is not sent."
            )
        liquidation = self._isolated_liquidation_price(pair, side, amount, rate, leverage)
        if not tighter("sell" if side == "buy" else "buy", bracket.stop, liquidation):
            raise InvalidOrderException(
                f"{pair}: at {leverage}x a {trade_side} from {rate} is liquidated at "
                f"{liquidation:.8g}, before its stop at {bracket.stop} is reached. "
                "Lower the leverage or tighten the stop. The entry is not sent."
            )
        return bracket

    def _stoploss_bracket(self, side: BuySell, rate: float, leverage: float) -> Bracket:
        # Relative to the trade's profit, as freqtrade's own stop: LocalTrade.adjust_stop_loss.
        distance = abs(self._config["stoploss"]) / leverage
        return Bracket(stop=rate * (1 - distance if side == "buy" else 1 + distance))

    def _on_tick(self, pair: str, bracket: Bracket, side: BuySell) -> Bracket:
        """Round to prices the venue takes: the stop to the tighter side, the target to the nearer.

        :raises InvalidOrderException: when nothing is left of a price.
        """
        rounding = {"buy": (ROUND_UP, ROUND_DOWN), "sell": (ROUND_DOWN, ROUND_UP)}[side]
        prices = [
            None if price is None else self.price_to_precision(pair, price, rounding_mode=mode)
            for price, mode in zip((bracket.stop, bracket.target), rounding, strict=True)
        ]
        try:
            return Bracket(stop=prices[0] or 0.0, target=prices[1])
        except ValueError as e:
            raise InvalidOrderException(f"{pair}: {e} The entry is not sent.") from e

    def _isolated_liquidation_price(
        self, pair: str, side: BuySell, amount: float, rate: float, leverage: float
    ) -> float:
        """Liquidation price with this order's own margin, the nearest it can be in any mode."""
        maintenance, _ = self.get_maintenance_ratio_and_amt(pair, amount * rate)
        cost = maintenance + self.markets[pair]["taker"]
        if side == "buy":
            return rate * (1 - 1 / leverage) / (1 - cost)
        return rate * (1 + 1 / leverage) / (1 + cost)

    def _check_size(self, pair: str, amount: float, rate: float, leverage: float) -> None:
        market = self.markets[pair]
        contracts = self.contracts(pair, amount)
        smallest = market["limits"]["amount"]["min"] or 0.0
        info = market["info"]
        # A stop executes as a market order, so an entry may not be larger than one.
        largest = min(float(info.get(f"max{kind}Size") or "inf") for kind in ("Limit", "Market"))
        if not smallest <= contracts <= largest or contracts <= 0:
            raise InvalidOrderException(
                f"{pair}: {contracts:g} contracts ({amount:g} {market['base']}) is outside what "
                f"BloFin takes for this pair, {smallest:g} to {largest:g}. The entry is not sent."
            )
        notional = amount * rate
        for tier in self._leverage_tiers.get(pair, []):
            if tier["maxNotional"] is None or notional <= tier["maxNotional"]:
                if leverage > tier["maxLeverage"]:
                    break
                return
        raise InvalidOrderException(
            f"{pair}: {leverage:g}x is more than BloFin allows for a position of {notional:.2f} "
            f"{market['quote']}. Lower the leverage or the stake. The entry is not sent."
        )

    def _attached(self, bracket: Bracket, side: BuySell) -> dict:
        params: dict[str, Any] = {"stopLoss": {"triggerPrice": bracket.stop}}
        limit = self._stop_limit(
            bracket.stop, self._config.get("order_types", {}), "sell" if side == "buy" else "buy"
        )
        if limit is not None:
            params["stopLoss"]["price"] = limit
        if bracket.target is not None:
            params["takeProfit"] = {"triggerPrice": bracket.target}
        return params

    def _stop_limit(self, stop: float, order_types: dict, side: BuySell) -> float | None:
        _, ordertype = self._get_stop_order_type(order_types.get("stoploss", "market"))
        return self._get_stop_limit_rate(stop, order_types, side) if ordertype == "limit" else None
