"""Contracts and base currency as freqtrade asks for them, exact."""

from freqtrade.enums import TRADE_MODES
from freqtrade.exceptions import TemporaryError
from freqtrade.exchange.exchange import Exchange
from freqtrade.exchange.exchange_types import CcxtOrder

from bubbybot_freqtrade.blofin.contracts import base_to_contracts, contracts_to_base


class ExactAmounts(Exchange):
    """freqtrade's own conversions between the two, without a float product."""

    def _contracts_to_amount(self, pair: str, num_contracts: float) -> float:
        return contracts_to_base(num_contracts, self._contract_value(pair))

    def _amount_to_contracts(self, pair: str, amount: float) -> float:
        lot = self.get_precision_amount(pair)
        return base_to_contracts(amount, self._contract_value(pair), lot)

    def amount_to_contract_precision(self, pair: str, amount: float) -> float:
        """Return an amount in base currency cut to whole lots."""
        contracts = self.amount_to_precision(pair, self._amount_to_contracts(pair, amount))
        return self._contracts_to_amount(pair, contracts)

    def get_min_pair_stake_amount(
        self, pair: str, price: float, stoploss: float, leverage: float | None = None
    ) -> float | None:
        """Return the smallest stake. BloFin's minimum is one of contracts, whatever they are worth,
        so it needs no reserve for a price that falls: with one, freqtrade would neither cancel the
        rest of an entry whose first lot has filled, nor exit that lot.

        Where freqtrade names no leverage it asks whether the rest of an order may be canceled, or
        whether a part could not be left (and compares a stake with leverage to one without). Less
        than an order's minimum is left by close-position: whatever has a lot can be.
        """
        if leverage is None and self._config["runmode"] in TRADE_MODES:
            return None
        smallest = self.markets.get(pair, {}).get("limits", {}).get("amount", {}).get("min")
        if smallest is None:
            return super().get_min_pair_stake_amount(pair, price, stoploss, leverage or 1.0)
        value = self._contracts_to_amount(pair, smallest) * price
        # freqtrade compares it with products of floats.
        return value / (leverage or 1.0) * (1 - 1e-9)

    def _order_contracts_to_amount(self, order: CcxtOrder) -> CcxtOrder:
        if order.get("symbol") is not None:
            for prop in self._ft_has.get("order_props_in_contracts", []):
                if order.get(prop) is not None:
                    order[prop] = self._contracts_to_amount(order["symbol"], order[prop])
        return order

    def _trades_contracts_to_amount(self, trades: list) -> list:
        for trade in trades:
            trade["amount"] = self._contracts_to_amount(trade["symbol"], trade["amount"])
        return trades

    def _contract_value(self, pair: str) -> float:
        value = self.get_contract_size(pair)
        if value is None:
            raise TemporaryError(f"BloFin has no market {pair}: its contract value is not known.")
        return value
