"""Names what closed a trade on the venue.

freqtrade writes ``stoploss_on_exchange`` on every trade that its stop order closed. On BloFin that
order is stop and target in one, and a liquidation or the account's owner can be faster than both.
The extension states what it was in the closing order's type; this module carries it over to the
trade's exit reason, the only place where freqtrade leaves room for it.
"""

from typing import Any

from freqtrade.enums import ExitType
from freqtrade.persistence import Trade
from sqlalchemy import event

TAKE_PROFIT_ON_EXCHANGE = "take_profit_on_exchange"

# Type of a closing order -> exit reason of its trade.
EXIT_REASONS = {
    "stoploss": ExitType.STOPLOSS_ON_EXCHANGE.value,
    "take_profit": TAKE_PROFIT_ON_EXCHANGE,
    "liquidation": ExitType.LIQUIDATION.value,
    "closed_on_exchange": ExitType.SOLD_ON_EXCHANGE.value,
}


# freqtrade's own words for what it didn't do -> side of the order that it was done by. An entry
# whose stop fills before freqtrade knows of either is found as an order like any other.
_BY_SIDE = {
    ExitType.STOPLOSS_ON_EXCHANGE.value: lambda trade: "stoploss",
    ExitType.SOLD_ON_EXCHANGE.value: lambda trade: trade.exit_side,
}


def _what_closed(trade: Trade, value: Any, _old: Any, _initiator: Any) -> Any:
    if value not in _BY_SIDE or not trade.exchange.startswith("blofin"):
        return value
    side = _BY_SIDE[value](trade)
    closing = [o for o in trade.orders if o.ft_order_side == side and o.status == "closed"]
    return EXIT_REASONS.get(closing[-1].order_type or "", value) if closing else value


def name_exit_reasons() -> None:
    """Write the true exit reason on BloFin trades from now on; calling it again changes nothing."""
    if not event.contains(Trade.exit_reason, "set", _what_closed):
        event.listen(Trade.exit_reason, "set", _what_closed, retval=True)
