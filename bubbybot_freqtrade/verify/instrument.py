"""The contract that verify trades, and its prices; all decimal."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Instrument:
    """The contract that verify trades: the venue's own numbers, sizes in contracts."""

    inst_id: str
    symbol: str
    contract_value: Decimal
    tick: Decimal
    lot: Decimal
    min_size: Decimal
    max_limit_size: Decimal
    max_leverage: Decimal

    @classmethod
    def of(cls, symbol: str, row: dict[str, Any]) -> Instrument:
        """Out of a row of market/instruments."""
        return cls(
            inst_id=row["instId"],
            symbol=symbol,
            contract_value=Decimal(row["contractValue"]),
            tick=Decimal(row["tickSize"]),
            lot=Decimal(row["lotSize"]),
            min_size=Decimal(row["minSize"]),
            max_limit_size=Decimal(row["maxLimitSize"]),
            max_leverage=Decimal(row["maxLeverage"]),
        )

    def price(self, value: Decimal, rounding: str = ROUND_DOWN) -> Decimal:
        """On the tick."""
        return (value / self.tick).quantize(Decimal(1), rounding) * self.tick

    def size(self, value: Decimal) -> Decimal:
        """On the lot, not below `value`."""
        return (value / self.lot).quantize(Decimal(1), ROUND_CEILING) * self.lot


@dataclass(frozen=True, slots=True)
class Prices:
    """Last traded price and the best of both sides, with what is there (contracts)."""

    last: Decimal
    bid: Decimal
    ask: Decimal
    ask_size: Decimal
    bid_size: Decimal
