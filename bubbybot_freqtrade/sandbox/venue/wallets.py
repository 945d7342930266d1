"""What accounts are worth: balance, margin, equity, liquidation prices. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from bubbybot_freqtrade.sandbox.venue import margin
from bubbybot_freqtrade.sandbox.venue.accounts import Account, Position
from bubbybot_freqtrade.sandbox.venue.amounts import ZERO, divide
from bubbybot_freqtrade.sandbox.venue.core import Venue
from bubbybot_freqtrade.sandbox.venue.orders import Order


@dataclass(frozen=True, slots=True)
class Balance:
    """The futures wallet in USDT, in the words of account/balance."""

    balance: Decimal
    equity: Decimal
    available: Decimal
    frozen: Decimal
    order_frozen: Decimal
    isolated_equity: Decimal
    isolated_unrealized_pnl: Decimal
    unrealized_pnl: Decimal


class Wallets:
    """Values the accounts of a venue at its prices."""

    def __init__(self, venue: Venue) -> None:
        """Works on the accounts of `venue`."""
        self.venue = venue

    def is_opening(self, order: Order) -> bool:
        """In long/short mode the side and position side say whether an order opens or closes."""
        return (order.side == "buy") == (order.position_side == "long")

    def opening_size(self, account: Account, order: Order) -> Decimal:
        """Contracts of the order's remainder that would open or add to a position."""
        if order.reduce_only:
            return ZERO
        if order.position_side != "net":
            return order.remaining if self.is_opening(order) else ZERO
        position = account.position(order.inst_id, order.margin_mode, "net", order.slot)
        if position is None or position.closing_side != order.side:
            return order.remaining
        return max(ZERO, order.remaining - position.size)

    def cost(self, inst_id: str, price: Decimal, contracts: Decimal, leverage: Decimal) -> Decimal:
        """Initial margin plus opening fee in USDT that an order freezes."""
        value = price * contracts * self.venue.instrument(inst_id).contract_value
        return divide(value, leverage) + value * self.venue.settings.taker_fee

    def unrealized_pnl(self, position: Position) -> Decimal:
        """At mark price, in USDT."""
        mark = self.venue.mark_price(position.inst_id)
        return margin.unrealized_pnl(
            position.direction, position.entry_value, position.base_size, mark
        )

    def maintenance_rate(self, position: Position) -> Decimal:
        """Of the tier its size falls into."""
        tiers = self.venue.tiers(position.inst_id)
        return margin.tier_of(tiers, position.size).maintenance_margin_rate

    def requirement(self, position: Position, mark: Decimal) -> Decimal:
        """Equity below which the position is liquidated: maintenance and the fee of closing."""
        rate = self.maintenance_rate(position) + self.venue.settings.taker_fee
        return margin.maintenance_margin(position.base_size, mark, rate)

    def initial_margin(self, position: Position) -> Decimal:
        """Margin in USDT: what was put up (isolated) or mark notional over leverage (cross)."""
        if position.margin_mode == "isolated":
            return position.margin
        mark = self.venue.mark_price(position.inst_id)
        return divide(position.base_size * mark, position.leverage)

    def order_frozen(self, account: Account) -> Decimal:
        """Margin and fees held for resting orders, in USDT."""
        held = ZERO
        for order in account.live_orders():
            size = self.opening_size(account, order)
            if size:
                held += self.cost(order.inst_id, order.price, size, order.leverage)
        return held

    def balance(self, account: Account) -> Balance:
        """The wallet now.

        Isolated margin and order margin are frozen; cross positions hold initial margin out of
        what is available but do not freeze it, as in the reference's balance example.
        """
        isolated_margin = isolated_pnl = cross_pnl = cross_margin = ZERO
        for position in account.positions.values():
            pnl = self.unrealized_pnl(position)
            if position.margin_mode == "isolated":
                isolated_margin += position.margin
                isolated_pnl += pnl
            else:
                cross_pnl += pnl
                cross_margin += self.initial_margin(position)
        order_frozen = self.order_frozen(account)
        wallet = account.ledger.balance
        free = wallet + cross_pnl - isolated_margin - cross_margin - order_frozen
        return Balance(
            balance=wallet,
            equity=wallet + isolated_pnl + cross_pnl,
            available=max(ZERO, free),
            frozen=isolated_margin + order_frozen,
            order_frozen=order_frozen,
            isolated_equity=isolated_margin + isolated_pnl,
            isolated_unrealized_pnl=isolated_pnl,
            unrealized_pnl=isolated_pnl + cross_pnl,
        )

    def cross_equity(self, account: Account) -> Decimal:
        """What stands behind all cross positions together, in USDT."""
        equity = account.ledger.balance
        for position in account.positions.values():
            if position.margin_mode == "isolated":
                equity -= position.margin
            else:
                equity += self.unrealized_pnl(position)
        return equity

    def liquidation_price(self, account: Account, position: Position) -> Decimal:
        """Mark price at which the position would be taken over, other prices standing still."""
        if position.margin_mode == "isolated":
            collateral = position.margin
        else:
            others = sum(
                (
                    self.requirement(other, self.venue.mark_price(other.inst_id))
                    for other in account.positions.values()
                    if other.margin_mode == "cross" and other is not position
                ),
                ZERO,
            )
            collateral = self.cross_equity(account) - self.unrealized_pnl(position) - others
        return margin.liquidation_price(
            position.direction,
            position.base_size,
            position.entry_value,
            collateral,
            self.maintenance_rate(position),
            self.venue.settings.taker_fee,
        )

    def due_for_liquidation(self, account: Account) -> list[Position]:
        """Positions whose equity no longer covers maintenance; the cross ones stand together."""
        due: list[Position] = []
        cross: list[Position] = []
        needed = ZERO
        for position in account.positions.values():
            mark = self.venue.mark_price(position.inst_id)
            requirement = self.requirement(position, mark)
            if position.margin_mode == "cross":
                cross.append(position)
                needed += requirement
            elif position.margin + self.unrealized_pnl(position) <= requirement:
                due.append(position)
        if cross and self.cross_equity(account) <= needed:
            due += cross
        return due
