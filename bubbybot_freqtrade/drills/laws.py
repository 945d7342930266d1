"""What must hold between the venue and freqtrade's database whatever has happened.

Every position belongs to an open trade of its size, and every open trade to its position; every
entry was placed once; every stop stands once; the books of both sides agree to the cent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from freqtrade.persistence import Order, Trade
from sqlalchemy import select

from bubbybot_freqtrade.drills.market import inst_id
from bubbybot_freqtrade.rehearsal.ledgers import CENT, reconcile
from bubbybot_freqtrade.rehearsal.trades import trade_records
from bubbybot_freqtrade.sandbox.venue.accounts import Account, Position
from bubbybot_freqtrade.sandbox.venue.engine import Engine


@dataclass(slots=True)
class Audit:
    """What a look into the books of both sides found; lists of sentences, empty when all is well.

    orphans: positions that no trade knows, and trades that have no position.
    """

    duplicates: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    ledgers: list[str] = field(default_factory=list)

    @property
    def broken(self) -> list[str]:
        """All of them."""
        return [*self.duplicates, *self.orphans, *self.ledgers]


def audit(
    engine: Engine,
    uid: str,
    foreign: Sequence[str] = (),
    by_hand: Callable[[str], bool] = lambda order_id: False,
) -> Audit:
    """Compare an account with freqtrade's open database. Call it when nothing is on its way.

    foreign: ids of positions that somebody else opened, which freqtrade rightly does not know.
    by_hand: whether the owner has placed an order or TP/SL.
    """
    Trade.session.expire_all()
    with engine.exclusive():
        account = engine.account(uid)
        return Audit(
            duplicates=[*_entries_twice(account, by_hand), *_stops_twice(account, by_hand)],
            orphans=[*_unknown_positions(account, foreign), *_trades_without(account)],
            ledgers=[*_differences(account, foreign)],
        )


def _entries_twice(account: Account, by_hand: Callable[[str], bool]) -> Iterator[str]:
    """An entry beside another one is an addition that the database knows, or was sent twice."""
    entries: defaultdict[str, list[str]] = defaultdict(list)
    position_of = {e.order_id: e.position_id for e in account.ledger.entries if e.kind == "fee"}
    for order in account.orders.values():
        by_bot = order.origin == "api" and not by_hand(order.order_id)
        if by_bot and not order.reduce_only and order.filled:
            entries[position_of[order.order_id]].append(order.order_id)
    known = set(Trade.session.scalars(select(Order.order_id)))
    for position_id, orders in entries.items():
        if len(orders) > 1 and not known.issuperset(orders):
            yield f"position {position_id} was entered by {len(orders)} orders"


def _stops_twice(account: Account, by_hand: Callable[[str], bool]) -> Iterator[str]:
    """No stop of the bot is one too many: without any of them a part would be bare."""
    for position in account.positions.values():
        stops = [
            position.size if order.is_entire_position else order.size
            for order in account.live_tpsl(position.inst_id)
            if order.tpsl.sl_trigger is not None
            and not by_hand(order.tpsl_id)
            and not by_hand(order.entry_order_id)
            and (order.side, order.position_side) == (position.closing_side, position.position_side)
            and order.margin_mode == position.margin_mode
        ]
        if len(stops) > 1 and sum(stops) - min(stops) >= position.size:
            yield f"{len(stops)} stops stand on {position.inst_id}"


def unknown_positions(account: Account) -> list[Position]:
    """Positions that no open trade of that pair and side accounts for, to the contract."""
    trades = {
        (inst_id(trade.pair), -1 if trade.is_short else 1): trade
        for trade in Trade.get_open_trades()
    }
    return [
        position
        for position in account.positions.values()
        if not _accounts_for(trades.get((position.inst_id, position.direction)), position, account)
    ]


def _accounts_for(trade: Trade | None, position: Position, account: Account) -> bool:
    if trade is None:
        return False
    if not trade.has_open_orders:
        return _same_size(trade.amount, position)
    # freqtrade takes over what an order has filled when the order has ended. Until then the trade's
    # own entries have to explain the position.
    entries = [o.order_id for o in trade.orders if o.ft_order_side == trade.entry_side]
    entered = sum(
        (account.orders[name].filled for name in entries if name in account.orders), Decimal(0)
    )
    return entered - _closed(account, position) == position.size


def _closed(account: Account, position: Position) -> Decimal:
    """Contracts by which a position was reduced so far."""
    of_position = {
        entry.order_id
        for entry in account.ledger.entries
        if entry.kind == "fee" and entry.position_id == position.position_id
    }
    return sum(
        (
            order.filled
            for order in account.orders.values()
            if order.order_id in of_position and order.side == position.closing_side
        ),
        Decimal(0),
    )


def _same_size(amount: float, position: Position) -> bool:
    return abs(Decimal(repr(amount)) - position.base_size) < position.contract_value / 1000


def _unknown_positions(account: Account, foreign: Sequence[str]) -> Iterator[str]:
    for position in unknown_positions(account):
        if position.position_id not in foreign:
            size = position.base_size * position.direction
            yield f"the venue holds {size:f} of {position.inst_id}, the database doesn't"


def _trades_without(account: Account) -> Iterator[str]:
    held = {(p.inst_id, p.direction) for p in account.positions.values()}
    for trade in Trade.get_open_trades():
        side = (inst_id(trade.pair), -1 if trade.is_short else 1)
        if trade.has_open_position and side not in held:
            yield f"the database holds {trade}, the venue doesn't"
    for order in Order.get_open_orders():
        known = order.order_id in account.open_orders or order.order_id in account.open_tpsl
        if not known:
            yield f"the database waits for order {order.order_id} of {order.ft_pair}, long ended"


def _differences(account: Account, foreign: Sequence[str]) -> Iterator[str]:
    for row in reconcile(trade_records(), account.ledger.entries):
        if row.trade is None:
            theirs = row.position_ids - set(foreign) - _open_positions(account)
            if theirs:
                yield f"the venue booked {row.venue.net:.4f} USDT on {row.inst_id}, unknown to us"
        elif row.difference > CENT:
            yield (
                f"trade {row.trade.trade_id} of {row.trade.pair} made {row.bot.net:.4f} USDT, "
                f"by the venue's books {row.venue.net:.4f}"
            )


def _open_positions(account: Account) -> set[str]:
    return {position.position_id for position in account.positions.values()}
