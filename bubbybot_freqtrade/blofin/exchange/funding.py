"""Funding that a trade has paid and received: of its instrument and side, and without an end.

BloFin tells the payments of the last seven days. What is older is kept with the trade, so that a
sum never shrinks: neither when its payments leave that list nor when the list doesn't come.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import ccxt
from freqtrade.persistence import Trade
from freqtrade.util import dt_from_ts, dt_now, dt_ts

from bubbybot_freqtrade.blofin.account import database

logger = logging.getLogger(__name__)

HOUR = timedelta(hours=1)
HORIZON = timedelta(days=7)
# Payments younger than this are asked for again each time: one may show late.
SETTLED = timedelta(days=1)

# The custom data of a trade that keeps its sum.
KEPT = "blofin_funding"


def funding_of(
    exchange: Any,
    pair: str,
    amount: float,
    *,
    is_short: bool,
    since: datetime,
    until: datetime | None = None,
) -> float:
    """Return what a trade has received (negative: paid) by its own part of its position.

    :param amount: of the trade, in base currency
    :param since: when the trade's last order filled
    :param until: only payments before then
    """
    own = amount + _filled_underway(pair, is_short=is_short)
    share = partial(exchange.requests.share_of_position, pair, "short" if is_short else "long", own)
    return funding_since(
        exchange.requests.api, pair, is_short=is_short, since=since, until=until, share=share
    )


def note_funding(exchange: Any, order: dict[str, Any]) -> None:
    """Bring a trade's funding up to an order's fill, before freqtrade books that.

    freqtrade moves what it knows by then onto the order, and counts from the fill on: what was paid
    while the order waited, after freqtrade had asked last, would be lost.

    :param order: ccxt's, in base currency; one that may still fill changes nothing
    """
    if order.get("status") == "open" or not order.get("filled"):
        return
    row = database.order_of(order["id"], order["symbol"])
    if row is None or row.funding_fee is not None or row.ft_order_side == "stoploss":
        return
    trade = row.trade
    since = trade.date_last_filled_utc
    # As freqtrade dates the fill.
    filled = dt_from_ts(order.get("lastTradeTimestamp") or dt_ts())
    if not trade.has_open_position or (filled - since < HOUR and filled.hour == since.hour):
        # Funding is paid on the hour.
        return
    is_entry = row.ft_order_side == trade.entry_side
    unseen = order["filled"] - row.safe_filled if is_entry else 0.0
    trade.set_funding_fees(
        funding_of(
            exchange,
            trade.pair,
            trade.amount + unseen,
            is_short=trade.is_short,
            since=since,
            until=filled,
        )
    )


def funding_since(
    api: Any,
    pair: str,
    *,
    is_short: bool,
    since: datetime,
    until: datetime | None = None,
    share: Callable[[str | None], float] = lambda _: 1.0,
) -> float:
    """Return the sum of the payments for a pair's open trade since its last fill.

    :param since: when the trade's last order filled; payments before are booked on that order
    :param until: only payments before then
    :param share: of a position that is the trade's, by the margin mode that a payment names: others
        may have added to it, or hold one of their own. A payment counts by what it was when it was
        told first.
    """
    trade = database.open_trade(pair, "short" if is_short else "long")
    kept = _kept(trade, dt_ts(since))
    try:
        payments = _payments(api, pair, is_short=is_short, after=kept["settled"], share=share)
    except ccxt.BaseError as e:
        logger.warning(f"The funding of {pair} stays what it was, BloFin does not tell it: {e}")
        return float(kept["told"])
    _tell_gap(pair, kept["settled"])
    for ts, amount in payments.items():
        kept["young"].setdefault(str(ts), amount)
    if trade is not None:
        _keep(trade, kept)
    end = None if until is None else dt_ts(until)
    young = (amount for ts, amount in kept["young"].items() if end is None or int(ts) < end)
    return float(kept["sum"] + sum(young))


def _tell_gap(pair: str, settled: int) -> None:
    """Say what is not known for good, where payments after what is settled have left the list."""
    known_from = dt_now() - HORIZON
    if dt_from_ts(settled) < known_from - HOUR:
        logger.warning(
            f"{pair}: the trade's funding from {dt_from_ts(settled):%Y-%m-%d %H:%M} to "
            f"{known_from:%Y-%m-%d %H:%M} UTC is not in its result: BloFin tells seven days of it, "
            "and this bot had not asked before. The app's history has it. Nothing has to be done."
        )


def _filled_underway(pair: str, *, is_short: bool) -> float:
    """What has filled of a trade's entries at work, in base currency: freqtrade adds it to the
    trade's amount when they have ended, the venue to the position at once.
    """
    trade = database.open_trade(pair, "short" if is_short else "long")
    if trade is None:
        return 0.0
    return sum(o.safe_filled for o in trade.open_orders if o.ft_order_side == trade.entry_side)


def _kept(trade: Trade | None, since: int) -> dict[str, Any]:
    """What is known of the sum: `sum` of payments until `settled`, the `young` ones after that by
    their time (ms), and what was `told` last.
    """
    kept = (trade.get_custom_data(KEPT) if trade is not None and trade.id else None) or {}
    if kept.get("since") == since:
        return {**kept, "young": dict(kept.get("young", {}))}
    booked = (trade.funding_fee_running if trade is not None else None) or 0.0
    if booked and since < dt_ts(dt_now() - HORIZON):
        # Booked by freqtrade before there was this record; BloFin doesn't tell the whole any more.
        return {"since": since, "settled": dt_ts(), "sum": booked, "told": booked, "young": {}}
    return {"since": since, "settled": since - 1, "sum": 0.0, "told": booked, "young": {}}


def _payments(
    api: Any, pair: str, *, is_short: bool, after: int, share: Callable[[str | None], float]
) -> dict[int, float]:
    """The trade's part of payments after a time, of a pair and side, by their times (ms)."""
    begin = max(after + 1, dt_ts(dt_now() - HORIZON))
    side = "short" if is_short else "long"
    payments: dict[int, float] = {}
    for payment in api.fetch_funding_history(pair, begin):
        ts = payment["timestamp"]
        is_its = payment["info"].get("positionSide") in (side, "net", None, "")
        if payment["symbol"] == pair and ts > after and is_its:
            part = payment["amount"] * share(payment["info"].get("marginMode") or None)
            payments[ts] = payments.get(ts, 0.0) + part
    return payments


def _keep(trade: Trade, kept: dict[str, Any]) -> None:
    """Move what is a day old into the sum, and write down what was told."""
    settled, young = dt_ts(dt_now() - SETTLED), kept["young"]
    if settled > kept["settled"]:
        old = [ts for ts in young if int(ts) <= settled]
        kept |= {"settled": settled, "sum": kept["sum"] + sum(young.pop(ts) for ts in old)}
    kept["told"] = kept["sum"] + sum(young.values())
    if trade.id is not None:
        trade.set_custom_data(KEPT, kept)
