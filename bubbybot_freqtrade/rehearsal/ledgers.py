"""The venue's ledger beside freqtrade's books, trade by trade."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bubbybot_freqtrade.rehearsal.trades import TradeRecord
from bubbybot_freqtrade.sandbox.venue.ledger import LedgerEntry

CENT = 0.01


@dataclass(frozen=True, slots=True)
class Account:
    """Money of one trade in USDT: profit from prices, fees (negative), funding (signed)."""

    gross: float = 0.0
    fees: float = 0.0
    funding: float = 0.0

    @property
    def net(self) -> float:
        """What is left."""
        return self.gross + self.fees + self.funding


@dataclass(frozen=True, slots=True)
class TradeAccounts:
    """One closed trade on both sides; `trade` is None for a position freqtrade knows nothing of."""

    trade: TradeRecord | None
    inst_id: str
    position_ids: frozenset[str]
    venue: Account
    bot: Account

    @property
    def difference(self) -> float:
        """The largest difference of any part, USDT."""
        return max(
            abs(self.venue.gross - self.bot.gross),
            abs(self.venue.fees - self.bot.fees),
            abs(self.venue.funding - self.bot.funding),
            abs(self.venue.net - self.bot.net),
        )


@dataclass(frozen=True, slots=True)
class Wallets:
    """The whole account at the end in USDT, without open profit."""

    venue: float = 0.0
    bot: float = 0.0


def reconcile(trades: Sequence[TradeRecord], entries: Sequence[LedgerEntry]) -> list[TradeAccounts]:
    """Put every closed trade beside the venue's entries of its positions.

    A trade and a position belong together when an order of the trade is booked on the position.
    Positions that no trade knows come last, each by itself.
    """
    booked = [entry for entry in entries if entry.position_id]
    positions_of: dict[str, set[str]] = {}
    for entry in booked:
        if entry.order_id:
            positions_of.setdefault(entry.order_id, set()).add(entry.position_id)
    rows, known = [], set()
    for trade in trades:
        ids = set().union(*(positions_of.get(order_id, set()) for order_id in trade.order_ids))
        known |= ids
        if not trade.is_open:
            rows.append(_row(trade, trade.pair, ids, booked))
    for entry in booked:
        if entry.position_id not in known:
            known.add(entry.position_id)
            rows.append(_row(None, entry.inst_id, {entry.position_id}, booked))
    return rows


def _row(
    trade: TradeRecord | None, inst_id: str, ids: Iterable[str], booked: Sequence[LedgerEntry]
) -> TradeAccounts:
    position_ids = frozenset(ids)
    bot = Account()
    if trade is not None:
        bot = Account(
            gross=trade.net + trade.fees - trade.funding, fees=-trade.fees, funding=trade.funding
        )
    return TradeAccounts(trade, inst_id, position_ids, _venue_account(position_ids, booked), bot)


def _venue_account(ids: frozenset[str], booked: Sequence[LedgerEntry]) -> Account:
    def total(kind: str) -> float:
        return float(sum(e.amount for e in booked if e.position_id in ids and e.kind == kind))

    return Account(gross=total("realized_pnl"), fees=total("fee"), funding=total("funding"))
