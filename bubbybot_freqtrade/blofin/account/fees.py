"""A trade's fee rates: the mean of what BloFin took for its orders, by their value.

freqtrade keeps one rate for all entries of a trade and one for all exits, and books the first
order's: a maker's addition to a taker's entry would cost three times what it did. With the mean the
sum is right, for freqtrade multiplies the rate with the value of all of them.

Only to be imported once freqtrade is complete: freqtrade.persistence imports freqtrade.exchange.
"""

from typing import Any

from freqtrade.persistence import Order, Trade
from sqlalchemy import event

from bubbybot_freqtrade.blofin.account import database

CcxtOrder = dict[str, Any]

# The custom data of a trade that keeps what its orders cost, by their ids.
KEPT = "blofin_fees"


def note_fee(order: CcxtOrder, trade: Trade | None = None) -> None:
    """Take what BloFin took for an order into its trade's rates; before freqtrade books the order.

    :param order: in base currency; one without a fill or a fee, or that may still fill, is left out
    :param trade: the order's; looked up where it is None
    """
    fee, value = order.get("fee") or {}, (order.get("filled") or 0) * (order.get("average") or 0)
    if order.get("status") == "open" or not value or fee.get("cost") is None:
        return
    if trade is None:
        row = database.order_of(order["id"], order["symbol"])
        trade = None if row is None else row.trade
    if trade is None or not trade.id or fee.get("currency") != trade.stake_currency:
        return
    kept = trade.get_custom_data(KEPT) or _booked(trade, order["id"])
    is_entry = order["side"] == trade.entry_side
    noted = [is_entry, value, fee["cost"]]
    if kept.get(order["id"]) == noted:
        return
    trade.set_custom_data(KEPT, {**kept, order["id"]: noted})
    if is_entry:
        trade.fee_open = trade.fee_open
    else:
        trade.fee_close = trade.fee_close


def fee_of(order: Order) -> float:
    """What BloFin took for an order that is booked."""
    kept = (order.trade.get_custom_data(KEPT) or {}).get(order.order_id)
    return float((kept or _at_rates(order.trade, order))[2])


def _booked(trade: Trade, new_id: str) -> dict[str, list[Any]]:
    """Orders that were booked before there was this record, at the trade's rates."""
    booked = {}
    for order in trade.orders:
        if order.order_id != new_id and not order.ft_is_open and order.filled:
            booked[order.order_id] = _at_rates(trade, order)
    return booked


def _at_rates(trade: Trade, order: Order) -> list[Any]:
    is_entry = order.ft_order_side == trade.entry_side
    rate = trade.fee_open if is_entry else trade.fee_close
    value = order.safe_filled * order.safe_price
    return [is_entry, value, value * (rate or 0.0)]


def weigh_fees() -> None:
    """Keep the mean on BloFin trades from now on, whatever freqtrade sets; calling it again changes
    nothing.
    """
    for attribute, listener in ((Trade.fee_open, _of_entries), (Trade.fee_close, _of_exits)):
        if not event.contains(attribute, "set", listener):
            event.listen(attribute, "set", listener, retval=True)


def _of_entries(trade: Trade, value: Any, _old: Any, _initiator: Any) -> Any:
    return _mean(trade, value, of_entries=True)


def _of_exits(trade: Trade, value: Any, _old: Any, _initiator: Any) -> Any:
    return _mean(trade, value, of_entries=False)


def _mean(trade: Trade, value: Any, *, of_entries: bool) -> Any:
    if not trade.id or not (trade.exchange or "").startswith("blofin"):
        return value
    kept = (trade.get_custom_data(KEPT) or {}).values()
    noted = [(worth, cost) for is_entry, worth, cost in kept if is_entry == of_entries]
    total = sum(worth for worth, _ in noted)
    return sum(cost for _, cost in noted) / total if total else value
