"""The closed trades of freqtrade's database, as the report needs them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from freqtrade.persistence import Trade

from bubbybot_freqtrade.commands.trades_database import looked_at
from bubbybot_freqtrade.commands.user_config import database_url
from bubbybot_freqtrade.learning.results import ReportTrade, Source, by_end
from bubbybot_freqtrade.risk.plan import PLAN, STOP_MOVES


def read_database(url: str) -> Source:
    """The closed trades of freqtrade's database at `url`.

    :raises ConfigurationError, SQLAlchemyError: when it cannot be read.
    """
    name = Path(database_url(url).database or "").name
    with looked_at(url):
        rows = Trade.get_trades([Trade.is_open.is_(False)]).all()
        trades = [_from_database(trade) for trade in rows if trade.amount_requested]
        plans = [trade.get_custom_data(PLAN) for trade in sorted(rows, key=lambda t: t.open_date)]
        equity = next((float(plan["equity"]) for plan in plans if plan), None)
        currencies = {trade.stake_currency for trade in rows if trade.stake_currency}
    return Source(
        f"database {name}",
        by_end(trades),
        equity,
        "15m",
        currency=", ".join(sorted(currencies)) or "USDT",
        start=min((trade.opened for trade in trades), default=None),
        end=max((trade.closed for trade in trades), default=None),
    )


def _from_database(trade: Trade) -> ReportTrade:
    plan: dict[str, Any] = trade.get_custom_data(PLAN) or {}
    filled = sum(o.safe_filled for o in trade.orders if o.ft_order_side == trade.entry_side)
    moves = trade.get_custom_data(STOP_MOVES) or []
    fees = sum(
        order.safe_filled
        * order.safe_price
        * float(
            (trade.fee_open if order.ft_order_side == trade.entry_side else trade.fee_close) or 0
        )
        for order in trade.orders
    )
    return ReportTrade(
        number=trade.id,
        pair=trade.pair,
        side="short" if trade.is_short else "long",
        leverage=float(trade.leverage or 1),
        amount=float(filled or trade.amount),
        opened=trade.open_date_utc,
        closed=trade.close_date_utc,
        entry=float(trade.open_rate),
        exit=float(trade.close_rate or 0),
        stop=float(plan.get("stop") or trade.initial_stop_loss or 0),
        target=plan.get("target"),
        confidence=plan.get("confidence"),
        fee=float(trade.fee_open or 0),
        profit=float(trade.close_profit_abs or 0),
        tag=trade.enter_tag or "",
        exit_reason=trade.exit_reason or "",
        regime=plan.get("regime", ""),
        last_stop=float(trade.stop_loss or 0),
        moves=[(datetime.fromtimestamp(moment, UTC), float(level)) for moment, level in moves],
        fees=float(fees),
        funding=float(trade.funding_fees or 0),
    )
