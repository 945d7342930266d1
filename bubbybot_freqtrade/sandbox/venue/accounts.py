"""One account of the venue: wallet, modes, leverage, positions and everything it ever ordered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from bubbybot_freqtrade.sandbox.venue.amounts import ZERO, divide
from bubbybot_freqtrade.sandbox.venue.ledger import Ledger
from bubbybot_freqtrade.sandbox.venue.orders import AlgoOrder, Fill, Order, TpslOrder


@dataclass(slots=True)
class Position:
    """An open position.

    `size` in contracts, always positive; `direction` 1 long, -1 short. `entry_value` is the exact
    sum of entry price times base units, from which realised profit is cut in proportion; so over
    its life a position realises exactly what its fills paid and received. `margin` is the isolated
    margin in USDT, 0 in cross mode. `slot` tells positions of one side apart in Multi-Position
    mode.
    """

    position_id: str
    history_id: str
    inst_id: str
    margin_mode: str
    position_side: str
    direction: int
    leverage: Decimal
    contract_value: Decimal
    created_ms: int
    updated_ms: int
    size: Decimal = ZERO
    entry_value: Decimal = ZERO
    margin: Decimal = ZERO
    realized_pnl: Decimal = ZERO
    fee: Decimal = ZERO
    opened_size: Decimal = ZERO
    opened_value: Decimal = ZERO
    closed_size: Decimal = ZERO
    closed_value: Decimal = ZERO
    max_size: Decimal = ZERO
    liquidated_size: Decimal = ZERO
    slot: str = ""

    @property
    def base_size(self) -> Decimal:
        """Position in base units."""
        return self.size * self.contract_value

    @property
    def average_price(self) -> Decimal:
        """Average entry price of what is open."""
        return divide(self.entry_value, self.base_size) if self.size else ZERO

    @property
    def signed_size(self) -> Decimal:
        """As `positions` is answered: signed in net mode, positive in long/short mode."""
        return self.size * self.direction if self.position_side == "net" else self.size

    @property
    def closing_side(self) -> str:
        """The side of an order that reduces it."""
        return "sell" if self.direction > 0 else "buy"

    def recut(self, factor: Decimal) -> None:
        """Have `factor` times the contracts, each worth so much less."""
        self.contract_value /= factor
        for name in ("size", "opened_size", "closed_size", "max_size", "liquidated_size"):
            setattr(self, name, getattr(self, name) * factor)


@dataclass(slots=True)
class ClosedPosition:
    """A row of positions-history; one per position, kept up to date while it is closed in parts."""

    history_id: str
    position_id: str
    inst_id: str
    margin_mode: str
    position_side: str
    direction: int
    leverage: Decimal
    created_ms: int
    updated_ms: int
    state: str
    close_size: Decimal
    max_size: Decimal
    liquidated_size: Decimal
    open_average: Decimal
    close_average: Decimal
    realized_pnl: Decimal
    realized_ratio: Decimal
    fee: Decimal


@dataclass(slots=True)
class Transfer:
    """A movement between the accounts of one user (asset/bills)."""

    transfer_id: str
    client_id: str
    currency: str
    from_account: str
    to_account: str
    amount: Decimal
    ts_ms: int


@dataclass(slots=True)
class Account:
    """A user of the venue. `funding` is the funding account in USDT, the ledger the futures one.

    Orders of every kind are kept for good, in the order of their ids; the `open_*` sets are the
    ones that can still act. `leverages` is keyed by `leverage_key`.
    """

    uid: str
    position_mode: str
    margin_mode: str
    default_leverage: Decimal
    ledger: Ledger = field(default_factory=Ledger)
    funding: Decimal = ZERO
    leverages: dict[str, Decimal] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    tpsl_orders: dict[str, TpslOrder] = field(default_factory=dict)
    algo_orders: dict[str, AlgoOrder] = field(default_factory=dict)
    open_orders: dict[str, None] = field(default_factory=dict)
    open_tpsl: dict[str, None] = field(default_factory=dict)
    open_algo: dict[str, None] = field(default_factory=dict)
    client_order_ids: dict[str, str] = field(default_factory=dict)
    request_ids: dict[str, None] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    closed_positions: dict[str, ClosedPosition] = field(default_factory=dict)
    transfers: list[Transfer] = field(default_factory=list)

    @property
    def is_flat(self) -> bool:
        """True without positions and without anything that could open or close one."""
        return not (self.positions or self.open_orders or self.open_tpsl or self.open_algo)

    def leverage(self, inst_id: str, margin_mode: str, position_side: str) -> Decimal:
        """Leverage set for the instrument, or the account's default."""
        key = leverage_key(inst_id, margin_mode, position_side)
        return self.leverages.get(key, self.default_leverage)

    def position(
        self, inst_id: str, margin_mode: str, position_side: str, slot: str = ""
    ) -> Position | None:
        """The open position that an order with these fields would meet."""
        return self.positions.get(position_key(inst_id, margin_mode, position_side, slot))

    def live_orders(self, inst_id: str | None = None) -> Iterator[Order]:
        """Plain orders that rest in the book, oldest first."""
        for order_id in tuple(self.open_orders):
            order = self.orders[order_id]
            if inst_id is None or order.inst_id == inst_id:
                yield order

    def live_tpsl(self, inst_id: str | None = None) -> Iterator[TpslOrder]:
        """TP/SL orders that can still fire, oldest first."""
        for tpsl_id in tuple(self.open_tpsl):
            tpsl = self.tpsl_orders[tpsl_id]
            if inst_id is None or tpsl.inst_id == inst_id:
                yield tpsl

    def live_algo(self, inst_id: str | None = None) -> Iterator[AlgoOrder]:
        """Trigger orders that can still fire, oldest first."""
        for algo_id in tuple(self.open_algo):
            algo = self.algo_orders[algo_id]
            if inst_id is None or algo.inst_id == inst_id:
                yield algo


def position_key(inst_id: str, margin_mode: str, position_side: str, slot: str = "") -> str:
    """Identity of a position within an account."""
    return f"{inst_id}|{margin_mode}|{position_side}" + (f"|{slot}" if slot else "")


def leverage_key(inst_id: str, margin_mode: str, position_side: str) -> str:
    """Leverage is one number per instrument and margin mode, except for isolated long/short."""
    side = position_side if margin_mode == "isolated" else "net"
    return f"{inst_id}|{margin_mode}|{side}"
