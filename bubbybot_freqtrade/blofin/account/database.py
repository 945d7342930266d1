"""freqtrade's database: which orders it knows, which trades are open, and a lost one put back.

Only to be imported once freqtrade is complete: freqtrade.persistence imports freqtrade.exchange.
"""

from collections.abc import Iterable
from datetime import datetime
from secrets import token_hex
from typing import Any, cast

from freqtrade.exchange import Exchange
from freqtrade.persistence import KeyValueStore, Order, Trade
from freqtrade.persistence.base import ModelBase
from freqtrade.util import dt_ts
from sqlalchemy import Connection, event, select

from bubbybot_freqtrade.blofin.bracket import TradeSide
from bubbybot_freqtrade.blofin.parts import with_parts

# Keys in freqtrade's KeyValueStore, which knows only freqtrade's own by type.
_PREFIX: Any = "blofin_order_prefix"
_EARLIER_PREFIX_UNTIL: Any = "blofin_earlier_prefix_until"
# An order's id follows.
_DELETED = "blofin_deleted_entry_"


def is_open() -> bool:
    """Whether freqtrade has opened its database; it makes the exchange first."""
    return hasattr(Trade, "session")


def order_prefix(now: datetime) -> str:
    """Start of the clientOrderIds of the bot on this database, drawn when it is first asked for.

    :param now: time of the venue; orders in the database by then carry another prefix.
    """
    prefix = KeyValueStore.get_string_value(_PREFIX)
    if prefix is None:
        if newest_order_date() is not None:
            KeyValueStore.store_value(_EARLIER_PREFIX_UNTIL, now)
        prefix = f"ft{token_hex(3)}"
        KeyValueStore.store_value(_PREFIX, prefix)
    return prefix


def earlier_prefix_until() -> datetime | None:
    """Until when orders of this database carry another prefix than `order_prefix`, if any do."""
    return KeyValueStore.get_datetime_value(_EARLIER_PREFIX_UNTIL)


def known_order_ids(orders: Iterable[dict[str, Any]]) -> set[str]:
    """Ids of those of these (ccxt) orders that are in the database, or parts of one that is."""
    orders = list(orders)
    return with_parts({o["id"] for o in orders if order_of(o["id"], o["symbol"])}, orders)


def booked_parts(order_id: str, pair: str) -> list[Order]:
    """Parts of an order that were booked while it could still fill, see `name_of_part`."""
    name = f"{order_id}-"
    wanted = select(Order).filter(Order.order_id.startswith(name), Order.ft_pair == pair)
    return list(Order.session.scalars(wanted))


def name_of_part(order_id: str, number: int) -> str:
    """The id under which a part of an order is booked: BloFin's ids have no hyphen."""
    return f"{order_id}-{number}"


def is_name_of_part(order_id: str) -> bool:
    """Whether an id of the database is none of BloFin's."""
    return "-" in order_id


def order_of(order_id: str, pair: str) -> Order | None:
    """An order of the database; ids are unique in a pair alone.

    freqtrade's own Order.order_by_id takes no pair before 2026.8.
    """
    wanted = select(Order).filter(Order.order_id == order_id, Order.ft_pair == pair)
    found: Order | None = Order.session.scalars(wanted).first()
    return found


def remember_deleted_entries() -> None:
    """Keep the entries of trades that are deleted from now on, lest they be taken for lost ones.

    Calling it again changes nothing.
    """
    if not event.contains(Trade, "before_delete", _keep_entries):
        event.listen(Trade, "before_delete", _keep_entries)


def _keep_entries(_mapper: Any, connection: Connection, trade: Trade) -> None:
    # In the transaction that deletes the trade; KeyValueStore would commit it half way.
    store = ModelBase.metadata.tables["KeyValueStore"]
    for order in trade.orders:
        if order.ft_order_side == trade.entry_side and order.filled:
            row = {
                "key": _DELETED + order.order_id,
                "value_type": "str",
                "string_value": trade.pair,
            }
            connection.execute(store.insert().values(row))


def deleted_entry_ids(orders: Iterable[dict[str, Any]]) -> set[str]:
    """Ids of those of these (ccxt) orders that opened a trade which has been deleted since."""
    return {o["id"] for o in orders if KeyValueStore.get_value(cast(Any, _DELETED + o["id"]))}


def open_trades() -> list[Trade]:
    """All open trades."""
    return list(Trade.get_trades_proxy(is_open=True))


def open_trade(pair: str, side: TradeSide) -> Trade | None:
    """The open trade of a pair and side."""
    trades = Trade.get_trades_proxy(is_open=True, pair=pair)
    return next((trade for trade in trades if trade.trade_direction == side), None)


def just_ended(pair: str, side: TradeSide, since: datetime) -> Trade | None:
    """The trade of a pair and side that has ended last, if it was after a moment."""
    wanted = [Trade.pair == pair, Trade.is_open.is_(False)]
    wanted.append(Trade.close_date >= since.replace(tzinfo=None))
    ended = [trade for trade in Trade.get_trades(wanted) if trade.trade_direction == side]
    return max(ended, key=lambda trade: trade.close_date_utc, default=None)


def first_entry(pair: str, stop_id: str | None = None) -> Order | None:
    """The order that opened a trade: the one of a stop, also when it has ended by now, else the
    pair's open one. None when there is none.
    """
    for trade in _trades_of(pair, stop_id):
        for order in trade.orders:
            if order.ft_order_side == trade.entry_side:
                return order
    return None


def was_added_to_since(stop_id: str, pair: str) -> bool:
    """Whether an entry has filled that was written down after a stop order of its trade."""
    stop = order_of(stop_id, pair)
    return stop is not None and any(
        order.id > stop.id and order.ft_order_side == stop.trade.entry_side and order.safe_filled
        for order in stop.trade.orders
    )


def earlier_one_until(trade: Trade) -> int:
    """Time (ms) until when an earlier trade of the pair and side was held though the entry of this
    one waited already; 0 mostly, where there was none.
    """
    wanted = [Trade.pair == trade.pair, Trade.is_short == trade.is_short, Trade.id < trade.id]
    ended = Trade.get_trades([*wanted, Trade.close_date >= trade.open_date])
    return max((dt_ts(earlier.close_date_utc) for earlier in ended), default=0)


def orders_of_ended_trades() -> list[Order]:
    """Orders that read as open, of trades that have ended."""
    return [order for order in Order.get_open_orders() if not order.trade.is_open]


def forget_order(order: Order) -> None:
    """Take out an order that its trade has booked nothing of."""
    order.trade.orders.remove(order)
    Trade.commit()


def booked_until(pair: str, stop_id: str | None = None) -> int:
    """Time (ms) of the last fill that is booked on the stop orders before this one, or before the
    next one of the pair's open trade; 0 without any.
    """
    filled_dates = []
    for trade in _trades_of(pair, stop_id):
        for order in trade.orders:
            if order.order_id == stop_id:
                break
            if order.ft_order_side == "stoploss" and not order.ft_is_open and order.filled:
                filled_dates.append(order.order_filled_utc)
    return max((dt_ts(date) for date in filled_dates if date), default=0)


def trade_of(pair: str, stop_id: str | None = None) -> Trade | None:
    """The trade of a stop, also when it has ended by now, else the pair's open one."""
    return next(iter(_trades_of(pair, stop_id)), None)


def _trades_of(pair: str, stop_id: str | None) -> list[Trade]:
    stop = order_of(stop_id, pair) if stop_id else None
    return [stop.trade] if stop else list(Trade.get_trades_proxy(is_open=True, pair=pair))


def newest_order_date() -> datetime | None:
    """When the newest order in the database was placed; None while there is none."""
    newest = Order.session.query(Order).order_by(Order.order_date.desc()).first()
    return newest.order_date_utc if newest else None


def book_funding(exchange: Exchange, order_id: str, pair: str) -> None:
    """Book a trade's funding on the stop order that has closed it.

    freqtrade adds a trade's funding up from its orders, and sets it on every order that closes one
    but a stop on the exchange (Trade.update_trade): there it would be lost.
    """
    order = order_of(order_id, pair)
    if order is None or order.funding_fee is not None:
        return
    trade = order.trade
    order.funding_fee = exchange.get_funding_fees(
        pair, trade.amount, trade.is_short, trade.date_last_filled_utc
    )
