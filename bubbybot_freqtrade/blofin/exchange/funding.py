"""Funding that a trade has paid and received: of its instrument and side, and without an end.

BloFin tells the payments of the last seven days. What is older is kept with the trade, so that a
sum never shrinks: neither when its payments leave that list nor when the list doesn't come.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

import ccxt
from freqtrade.persistence import Trade
from freqtrade.util import dt_now, dt_ts

logger = logging.getLogger(__name__)

HORIZON = timedelta(days=7)
# Payments younger than this are asked for again each time: one may show late.
SETTLED = timedelta(days=1)

# The custom data of a trade that keeps its sum.
KEPT = "blofin_funding"


def funding_since(api: Any, pair: str, *, is_short: bool, since: datetime) -> float:
    """Return the sum of the payments for a pair's open trade since its last fill.

    :param since: when the trade's last order filled; payments before are booked on that order
    """
    trade = _open_trade(pair, is_short=is_short)
    kept = _kept(trade, dt_ts(since))
    try:
        payments = _payments(api, pair, is_short=is_short, after=kept["settled"])
    except ccxt.BaseError as e:
        logger.warning(f"The funding of {pair} stays what it was, BloFin does not tell it: {e}")
        return float(kept["told"])
    if trade is not None:
        _keep(trade, kept, payments)
    return float(kept["sum"] + sum(amount for ts, amount in payments if ts > kept["settled"]))


def _kept(trade: Trade | None, since: int) -> dict[str, Any]:
    """What is known of the sum: `sum` of payments until `settled`, and what was `told` last."""
    kept = (trade.get_custom_data(KEPT) if trade is not None and trade.id else None) or {}
    if kept.get("since") == since:
        return dict(kept)
    booked = (trade.funding_fee_running if trade is not None else None) or 0.0
    if booked and since < dt_ts(dt_now() - HORIZON):
        # Booked by freqtrade before there was this record; BloFin doesn't tell the whole any more.
        return {"since": since, "settled": dt_ts(), "sum": booked, "told": booked}
    return {"since": since, "settled": since - 1, "sum": 0.0, "told": booked}


def _payments(api: Any, pair: str, *, is_short: bool, after: int) -> list[tuple[int, float]]:
    """Times (ms) and amounts after a time, of a pair and side."""
    begin = max(after + 1, dt_ts(dt_now() - HORIZON))
    side = "short" if is_short else "long"
    return [
        (payment["timestamp"], payment["amount"])
        for payment in api.fetch_funding_history(pair, begin)
        if payment["symbol"] == pair
        and payment["timestamp"] > after
        and payment["info"].get("positionSide") in (side, "net", None, "")
    ]


def _keep(trade: Trade, kept: dict[str, Any], payments: list[tuple[int, float]]) -> None:
    """Move what is a day old into the sum, and write down what was told."""
    settled = dt_ts(dt_now() - SETTLED)
    if settled > kept["settled"]:
        old = [amount for ts, amount in payments if ts <= settled]
        kept |= {"settled": settled, "sum": kept["sum"] + sum(old)}
    young = sum(amount for ts, amount in payments if ts > kept["settled"])
    kept["told"] = kept["sum"] + young
    if trade.id is not None:
        trade.set_custom_data(KEPT, kept)


def _open_trade(pair: str, *, is_short: bool) -> Trade | None:
    trades = Trade.get_trades_proxy(is_open=True, pair=pair)
    return next((trade for trade in trades if trade.is_short == is_short), None)
