"""Trades as freqtrade's database keeps them, read into plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from freqtrade.persistence import Trade
from freqtrade.util import dt_ts

from bubbybot_freqtrade.risk.plan import PLAN


@dataclass(frozen=True, slots=True)
class TradeRecord:
    """One trade. Rates in quote currency, `amount` in base currency, times in ms.

    `net` is the realised profit in USDT with fees and funding, `fees` what was paid (positive),
    `funding` what was received (negative: paid). `plan` is what the strategy kept with the trade.
    """

    trade_id: int
    pair: str
    side: str
    leverage: float
    amount: float
    entry: float
    opened_ms: int
    exit: float | None
    closed_ms: int | None
    exit_reason: str
    tag: str
    net: float
    fees: float
    funding: float
    order_ids: frozenset[str]
    plan: dict[str, Any] | None

    @property
    def is_open(self) -> bool:
        """Whether freqtrade still holds it."""
        return self.closed_ms is None

    @property
    def sign(self) -> int:
        """1 for a long, -1 for a short."""
        return 1 if self.side == "long" else -1


def trade_records() -> list[TradeRecord]:
    """All trades of the open database that were ever filled, oldest first."""
    trades: Sequence[Trade] = Trade.get_trades().all()
    filled = [trade for trade in trades if trade.nr_of_successful_entries]
    return [_record(trade) for trade in sorted(filled, key=lambda trade: trade.id)]


def _record(trade: Trade) -> TradeRecord:
    return TradeRecord(
        trade_id=trade.id,
        pair=trade.pair,
        side=trade.trade_direction,
        leverage=float(trade.leverage),
        amount=float(sum(o.safe_amount_after_fee for o in _filled(trade, trade.entry_side))),
        entry=_mean_price(_filled(trade, trade.entry_side)),
        opened_ms=dt_ts(trade.date_entry_fill_utc or trade.open_date_utc),
        exit=None if trade.close_rate is None or trade.is_open else float(trade.close_rate),
        closed_ms=None if trade.is_open else dt_ts(trade.close_date_utc),
        exit_reason=trade.exit_reason or "",
        tag=trade.enter_tag or "",
        net=float(trade.close_profit_abs or 0.0),
        fees=_fees(trade),
        funding=float(trade.funding_fees or 0.0),
        order_ids=frozenset(o.order_id for o in trade.orders),
        plan=trade.get_custom_data(PLAN),
    )


def _filled(trade: Trade, side: str) -> list[Any]:
    return [o for o in trade.orders if o.ft_order_side == side and o.safe_filled > 0]


def _mean_price(orders: Sequence[Any]) -> float:
    """What was paid: a trade's own open rate is rounded, which shows in large trades."""
    return float(sum(o.safe_filled * o.safe_price for o in orders)) / sum(
        o.safe_filled for o in orders
    )


def _fees(trade: Trade) -> float:
    """Fees at the rates that freqtrade counts into its profit."""
    paid = 0.0
    for order in trade.orders:
        value = order.safe_filled * order.safe_price
        paid += value * (
            trade.fee_open if order.ft_order_side == trade.entry_side else trade.fee_close
        )
    return paid
