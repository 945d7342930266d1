"""What freqtrade's database says of a trade's stop: where it should be, and how it was booked.

Only to be imported once freqtrade is complete: freqtrade.persistence imports freqtrade.exchange.
"""

from datetime import timedelta
from typing import Any

from freqtrade.persistence import Order, Trade
from freqtrade.util import dt_now

from bubbybot_freqtrade.blofin.account.database import order_of


def wanted_stop(order_id: str, pair: str) -> float | None:
    """Price at which freqtrade wants a stop order's trade to end; None without an open trade."""
    order = order_of(order_id, pair)
    if order is None or not order.trade.is_open:
        return None
    price = order.trade.stoploss_or_liquidation
    return float(price) if price else None


def is_being_entered(pair: str) -> bool:
    """Whether a pair's open trade has an entry that may still fill."""
    return any(
        order.ft_is_open and order.ft_order_side == trade.entry_side
        for trade in Trade.get_trades_proxy(is_open=True, pair=pair)
        for order in trade.orders
    )


def as_booked(order_id: str, pair: str) -> tuple[dict[str, Any], timedelta] | None:
    """A stop order as the database has it, amounts in base currency, and its age."""
    order = order_of(order_id, pair)
    if order is None:
        return None
    stop = {
        "id": order_id,
        "symbol": pair,
        "side": order.trade.exit_side,
        "amount": order.safe_amount,
        "filled": 0.0,
        "remaining": order.safe_amount,
        "stopLossPrice": order.stop_price,
        "info": {},
    }
    return stop, dt_now() - order.order_date_utc


def latest_entry(pair: str) -> Order | None:
    """The newest entry order of a pair's open trade, filled or not; None when there is none."""
    for trade in Trade.get_trades_proxy(is_open=True, pair=pair):
        for order in reversed(trade.orders):
            if order.ft_order_side == trade.entry_side:
                return order
    return None


def has_had_stop(pair: str) -> bool:
    """Whether a stop was booked after the newest entry: the one that came with it has arrived."""
    entry = latest_entry(pair)
    return entry is not None and any(
        order.ft_order_side == "stoploss" and order.order_date_utc >= entry.order_date_utc
        for order in entry.trade.orders
    )
