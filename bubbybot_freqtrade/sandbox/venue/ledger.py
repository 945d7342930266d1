"""The venue's own book-keeping of one account's futures wallet.

Every change of the wallet is one entry; nothing else may touch the balance. So at any moment
deposits + transfers + realised PnL − fees ± funding + insurance = wallet, to the last decimal.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Literal

from bubbybot_freqtrade.sandbox.venue.amounts import ARITHMETIC, ZERO

EntryKind = Literal["deposit", "transfer", "realized_pnl", "fee", "funding", "insurance"]


@dataclass(slots=True)
class LedgerEntry:
    """One signed change of the wallet in USDT. `order_id` and `inst_id` are empty where none fits.

    `insurance` is what the venue pays when a liquidation in a gap would have left the wallet
    below zero.
    """

    entry_id: str
    ts_ms: int
    kind: EntryKind
    amount: Decimal
    balance: Decimal
    inst_id: str = ""
    position_side: str = ""
    margin_mode: str = ""
    position_id: str = ""
    order_id: str = ""
    trade_id: str = ""


@dataclass(slots=True)
class Ledger:
    """The wallet balance in USDT and every entry that made it, oldest first."""

    balance: Decimal = ZERO
    entries: list[LedgerEntry] = field(default_factory=list)

    def post(
        self, entry_id: str, ts_ms: int, kind: EntryKind, amount: Decimal, **where: str
    ) -> None:
        """Book `amount` (signed, USDT). Zero amounts leave no entry."""
        if amount == 0:
            return
        self.balance = ARITHMETIC.add(self.balance, amount)
        self.entries.append(LedgerEntry(entry_id, ts_ms, kind, amount, self.balance, **where))

    def totals(self) -> dict[str, Decimal]:
        """Sum of the signed amounts by kind; kinds without entries are absent."""
        sums: dict[str, Decimal] = defaultdict(Decimal)
        # Callers have Python's 28 digits, which would round.
        with localcontext(ARITHMETIC):
            for entry in self.entries:
                sums[entry.kind] += entry.amount
        return dict(sums)
