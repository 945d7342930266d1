"""Where BloFin liquidates a position: at the price at which its margin and unrealized PnL no longer
pay for its maintenance margin and the fee of closing it (BloFin's help, "liquidation price" of
isolated and cross positions).
"""

from typing import Any

from freqtrade.enums import OPTIMIZE_MODES, MarginMode
from freqtrade.exchange.exchange import Exchange
from freqtrade.exchange.exchange_types import CcxtPosition


def liquidation_price(
    open_rate: float, amount: float, margin: float, cost: float, *, is_short: bool
) -> float:
    """Liquidation price of a position.

    :param amount: in base currency
    :param margin: in quote currency; in cross margin with what other positions leave of theirs
    :param cost: maintenance margin rate plus taker fee, both as ratios of the position's value
    """
    if is_short:
        return (open_rate + margin / amount) / (1 + cost)
    return (open_rate - margin / amount) / (1 - cost)


def isolated_liquidation_price(
    open_rate: float, leverage: float, cost: float, *, is_short: bool
) -> float:
    """The same with a position's own margin alone, the nearest it can be in any margin mode."""
    return liquidation_price(open_rate, 1.0, open_rate / leverage, cost, is_short=is_short)


def buffered(position: CcxtPosition, open_rate: float, share: float) -> float | None:
    """The venue's liquidation price, by `share` of the way nearer to the entry; None for none."""
    liquidation = position["liquidationPrice"]
    if liquidation is None:
        return None
    return max(liquidation + (open_rate - liquidation) * share, 0.0)


def free_margin(exchange: Exchange, trade: Any) -> float:
    """Unrealized PnL less maintenance margin of a trade on a cross wallet, in quote currency."""
    price = trade.open_rate
    if exchange._config["runmode"] not in OPTIMIZE_MODES:
        price = exchange.get_rate(trade.pair, refresh=False, side="exit", is_short=trade.is_short)
    value = trade.amount * price
    maintenance, _ = exchange.get_maintenance_ratio_and_amt(trade.pair, value)
    pnl = (price - trade.open_rate) * trade.amount * (-1 if trade.is_short else 1)
    return pnl - value * maintenance


class LiquidationPrices(Exchange):
    """freqtrade's simulated liquidation prices by BloFin's formula."""

    def dry_run_liquidation_price(
        self,
        pair: str,
        open_rate: float,
        is_short: bool,
        amount: float,
        stake_amount: float,
        leverage: float,
        wallet_balance: float,
        open_trades: list,
    ) -> float | None:
        """
        Important: Must be fetching data from cached values as this is used by backtesting!

        In cross margin the other trades' PnL and maintenance margin count too.

        :param wallet_balance: Amount of margin_mode in the wallet being used to trade
            Cross-Margin Mode: crossWalletBalance
            Isolated-Margin Mode: isolatedWalletBalance
        """
        margin = wallet_balance
        if self.margin_mode == MarginMode.CROSS:
            others = [trade for trade in open_trades if trade.pair != pair]
            margin += sum(free_margin(self, trade) for trade in others)
        maintenance, _ = self.get_maintenance_ratio_and_amt(pair, amount * open_rate)
        cost = maintenance + self.markets[pair]["taker"]
        return liquidation_price(open_rate, amount, margin, cost, is_short=is_short)
