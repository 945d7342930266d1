"""Trades and fills that freqtrade's database doesn't know yet, written into it.

Only to be imported once freqtrade is complete: freqtrade.persistence imports freqtrade.exchange.
Orders are ccxt's structures with amounts in base currency.
"""

from typing import Any

from freqtrade.exchange import Exchange, timeframe_to_minutes
from freqtrade.exchange.exchange_types import CcxtOrder
from freqtrade.persistence import Order, Trade
from freqtrade.util import dt_from_ts

from bubbybot_freqtrade.blofin.account.exit_reasons import EXIT_REASONS
from bubbybot_freqtrade.blofin.account.fees import note_fee
from bubbybot_freqtrade.blofin.closings import ended_at
from bubbybot_freqtrade.blofin.protection import what_closed

RECOVERED = "recovered"


def recover_trade(exchange: Exchange, config: dict[str, Any], entry: CcxtOrder) -> Trade:
    """Write the open trade that an entry of this bot has made.

    It happens when the bot is killed, or the answer is lost for good, between the entry's request
    and the commit of its trade, or when the database is older than the account.
    """
    trade = _new_trade(exchange, config, entry)
    Trade.session.add(trade)
    await_fill(trade, entry)
    return trade


def await_fill(trade: Trade, entry: CcxtOrder) -> None:
    """Add an entry to a trade that stands.

    In the database it reads as open: freqtrade's loop asks for its state, as after any entry, and
    does what it does after a fill.
    """
    unfilled = {**entry, "status": "open", "filled": 0.0, "remaining": entry["amount"]}
    row = Order.parse_from_ccxt_object(
        unfilled, trade.pair, entry["side"], entry["amount"], entry["average"]
    )
    row.ft_order_tag = RECOVERED
    trade.orders.append(row)
    Trade.commit()


def book_ended_trade(
    exchange: Exchange, config: dict[str, Any], entries: list[CcxtOrder], exits: list[CcxtOrder]
) -> Trade:
    """Write a trade that was opened and closed without the database, and close it."""
    trade = _new_trade(exchange, config, entries[0])
    Trade.session.add(trade)
    for order in entries:
        book_entry(trade, order)
    for order in exits:
        book_exit(exchange, trade, order)
    return trade


def book_entry(trade: Trade, order: CcxtOrder) -> None:
    """Book a filled entry on a trade that has ended since."""
    row = _filled_row(trade, order, trade.entry_side)
    row.ft_order_tag = RECOVERED
    trade.orders.append(row)
    _book_fee(trade, order, trade.entry_side)
    trade.update_trade(row)


def book_exit(exchange: Exchange, trade: Trade, order: CcxtOrder) -> None:
    """Book what an order has closed of a trade; the trade ends when nothing is left of it."""
    row = _filled_row(trade, {**order, "type": what_closed(order)}, trade.exit_side)
    reason = EXIT_REASONS[row.order_type or "closed_on_exchange"]
    row.ft_order_tag = reason
    trade.set_funding_fees(
        exchange.get_funding_fees(
            trade.pair, trade.amount, trade.is_short, trade.date_last_filled_utc
        )
    )
    before = trade.exit_reason
    trade.exit_reason = reason
    trade.orders.append(row)
    _book_fee(trade, order, trade.exit_side)
    trade.update_trade(row)
    if trade.is_open:
        trade.exit_reason = before
    else:
        _end_orders(trade)
    Trade.commit()


def _filled_row(trade: Trade, order: CcxtOrder, side: str) -> Order:
    filled = {**order, "status": "closed", "amount": order["filled"], "remaining": 0.0}
    row = Order.parse_from_ccxt_object(
        {**filled, "lastTradeTimestamp": ended_at(order)}, trade.pair, side
    )
    row.ft_price = row.ft_price or order["average"]
    return row


def _book_fee(trade: Trade, order: CcxtOrder, side: str) -> None:
    fee, value = order.get("fee") or {}, order["filled"] * order["average"]
    note_fee(order, trade)
    if fee.get("cost") is not None and value:
        trade.update_fee(fee["cost"], fee.get("currency"), fee["cost"] / value, side)


def _end_orders(trade: Trade) -> None:
    """A trade that has ended waits for none of its orders, its stop above all."""
    for order in trade.orders:
        if order.ft_is_open:
            order.ft_is_open = False
            order.status = "canceled"


def _new_trade(exchange: Exchange, config: dict[str, Any], order: CcxtOrder) -> Trade:
    pair, rate = order["symbol"], order["average"]
    leverage = float(order["info"].get("leverage") or 1.0)
    fee = exchange.get_fee(symbol=pair, taker_or_maker="maker")
    trade = Trade(
        pair=pair,
        base_currency=exchange.get_pair_base_currency(pair),
        stake_currency=config["stake_currency"],
        stake_amount=order["filled"] * rate / leverage,
        amount=0,
        is_open=True,
        amount_requested=order["amount"],
        fee_open=fee,
        fee_close=fee,
        open_rate=rate,
        open_rate_requested=rate,
        open_date=dt_from_ts(order["timestamp"]),
        exchange=exchange.id,
        strategy=config["strategy"],
        enter_tag=RECOVERED,
        timeframe=timeframe_to_minutes(config["timeframe"]),
        leverage=leverage,
        is_short=order["side"] == "sell",
        trading_mode=exchange.trading_mode,
        funding_fees=0,
        amount_precision=exchange.get_precision_amount(pair),
        price_precision=exchange.get_precision_price(pair),
        precision_mode=exchange.precisionMode,
        precision_mode_price=exchange.precision_mode_price,
        contract_size=exchange.get_contract_size(pair),
    )
    trade.adjust_stop_loss(rate, config["stoploss"], initial=True)
    return trade
