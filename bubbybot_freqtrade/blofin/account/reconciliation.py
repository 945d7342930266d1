"""What the venue and freqtrade's database disagree about, and what has to be done.

Pure: rows in, discrepancies out. `AccountWatch` acts on them at the start of every loop.

A list may lag behind a fill or leave rows out. So nothing here is a proof that something is gone:
what takes a stop or an order away looks for one first, and a stop is a leftover only where the
database has no open trade of its side.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from bubbybot_freqtrade.blofin.bracket import TradeSide
from bubbybot_freqtrade.blofin.closings import closes, is_of_mode
from bubbybot_freqtrade.blofin.protection import (
    closed_side,
    covers,
    stop_candidates,
    tighter,
)

Row = dict[str, Any]
Key = tuple[str, TradeSide]


class Discrepancy(StrEnum):
    """Kinds of disagreement."""

    UNKNOWN_POSITION = "unknown_position"
    BARE_POSITION = "bare_position"
    POSITION_GREW = "position_grew"
    POSITION_SHRANK = "position_shrank"
    MISSING_POSITION = "missing_position"
    LEFTOVER_STOP = "leftover_stop"
    SURPLUS_STOP = "surplus_stop"
    UNKNOWN_ORDER = "unknown_order"
    LEFTOVER_EXIT = "leftover_exit"
    LEFTOVER_ENTRY = "leftover_entry"
    EMPTY_TRADE = "empty_trade"


@dataclass(frozen=True, slots=True)
class OpenTrade:
    """What matters of an open trade in freqtrade's database; `contracts` that were filled."""

    pair: str
    side: TradeSide
    contracts: float
    has_open_orders: bool


@dataclass(frozen=True, slots=True)
class Account:
    """The account's open rows, amounts in contracts.

    own: ids of orders and TP/SL orders that a bot on this database placed. known: ids of orders
    that are in the database. is_of_trade: whether a position is that of the trade of its pair and
    side; in hedge mode its owner can have another one there, in the other margin mode.
    """

    positions: list[Row]
    tpsl: list[Row]
    orders: list[Row]
    own: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    is_of_trade: Callable[[Row], bool] = lambda _: True


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement about a pair.

    row: the position or order that it is about, if any. size: of the position, uncovered: what no
    stop closes of it. contracts: the trade's, where they are not the position's.
    """

    kind: Discrepancy
    pair: str
    side: TradeSide
    row: Row | None = field(default=None, compare=False)
    size: float = 0.0
    uncovered: float = 0.0
    contracts: float = 0.0

    @property
    def key(self) -> tuple[Discrepancy, str, TradeSide, str]:
        """The same for the same disagreement in the next loop."""
        return self.kind, self.pair, self.side, (self.row or {}).get("id") or ""

    @property
    def bare(self) -> bool:
        """Whether a position is without a stop, or a part of it."""
        return self.uncovered > 0

    @property
    def is_all_bare(self) -> bool:
        """Whether no part of it has a stop."""
        return self.bare and self.uncovered >= self.size * (1 - 1e-9)


def exit_side(side: TradeSide) -> str:
    """Side of the orders that close a position."""
    return "sell" if side == "long" else "buy"


def compare(trades: Iterable[OpenTrade], account: Account) -> list[Finding]:
    """Everything the venue and the database disagree about."""
    known = {(trade.pair, trade.side): trade for trade in trades}
    held = _by_key(row for row in account.positions if row["contracts"])
    findings: list[Finding] = []
    found: set[Key] = set()
    for key, rows in held.items():
        trade = known.get(key)
        ours = next(filter(account.is_of_trade, rows), None) if trade else None
        if ours is not None:
            found.add(key)
        for row in rows:
            stops = stops_of(account.tpsl, row)
            findings += _of_position(key, row, stops, trade if row is ours else None, account)
    for key, trade in known.items():
        if not trade.contracts and not trade.has_open_orders:
            findings.append(Finding(Discrepancy.EMPTY_TRADE, *key))
        elif trade.contracts and key not in found:
            findings.append(Finding(Discrepancy.MISSING_POSITION, *key, contracts=trade.contracts))
    return findings + _of_orders(account, known, held)


def _by_key(rows: Iterable[Row]) -> dict[Key, list[Row]]:
    keyed: dict[Key, list[Row]] = {}
    for row in rows:
        keyed.setdefault((row["symbol"], row["side"]), []).append(row)
    return keyed


def stops_of(tpsl: list[Row], position: Row) -> list[Row]:
    """Untriggered stops that close a position: of its pair, side and margin mode."""
    stops = stop_candidates(tpsl, position["symbol"], exit_side(position["side"]))
    return [stop for stop in stops if is_of_mode(stop, position.get("marginMode"))]


def uncovered(stops: list[Row], contracts: float) -> float:
    """Contracts that no stop closes; sized stops add up."""
    if any(covers(stop, contracts) for stop in stops):
        return 0.0
    closed = sum((Decimal(str(stop["amount"] or 0)) for stop in stops), Decimal(0))
    left = Decimal(str(contracts)) - closed
    return float(left) if left > Decimal(str(contracts)) * Decimal("1e-9") else 0.0


def _of_position(
    key: Key, row: Row, stops: list[Row], trade: OpenTrade | None, account: Account
) -> list[Finding]:
    size = row["contracts"]
    bare = uncovered(stops, size)
    own = [stop for stop in stops if stop["id"] in account.own]
    spare = [Finding(Discrepancy.SURPLUS_STOP, *key, stop) for stop in surplus(own, row)]
    if trade is None:
        if own and not uncovered([stop for stop in stops if stop not in own], size):
            # Who holds it has stops for all of it: the bot's are of a trade that it has left.
            spare = [Finding(Discrepancy.LEFTOVER_STOP, *key, stop) for stop in own]
        return [Finding(Discrepancy.UNKNOWN_POSITION, *key, row, size, bare), *spare]
    findings = [Finding(Discrepancy.BARE_POSITION, *key, row, size, bare)] if bare else []
    if trade.has_open_orders:
        return findings
    difference = size - trade.contracts
    if abs(difference) > max(1e-9, 1e-6 * size):
        kind = Discrepancy.POSITION_GREW if difference > 0 else Discrepancy.POSITION_SHRANK
        return [*findings, Finding(kind, *key, row, size, contracts=trade.contracts)]
    return [*findings, *spare]


def surplus(stops: list[Row], position: Row) -> list[Row]:
    """All stops but the tightest of those that cover the position; none while none covers it."""
    covering = [stop for stop in stops if covers(stop, position["contracts"])]
    if not covering:
        return []
    keep = covering[0]
    for stop in covering[1:]:
        if tighter(stop["side"], stop["stopLossPrice"], keep["stopLossPrice"]):
            keep = stop
    return [stop for stop in stops if stop["id"] != keep["id"]]


def _of_orders(
    account: Account, known: dict[Key, OpenTrade], held: dict[Key, list[Row]]
) -> list[Finding]:
    """Orders and stops of this bot that nothing is left for; those of others are theirs."""
    entering = {row["symbol"] for row in account.orders if not closes(row)}
    findings = []
    for row in account.tpsl:
        key = row["symbol"], closed_side(row["side"])
        if (
            row["id"] in account.own
            and row["status"] == "open"
            and key not in held
            and key not in known
            and row["symbol"] not in entering
        ):
            findings.append(Finding(Discrepancy.LEFTOVER_STOP, *key, row))
    for row in account.orders:
        if row["id"] in account.own:
            findings += _of_own_order(row, row["id"] in account.known, known, held)
    return findings


def _of_own_order(
    row: Row, is_known: bool, known: dict[Key, OpenTrade], held: dict[Key, list[Row]]
) -> list[Finding]:
    if closes(row):
        key = row["symbol"], closed_side(row["side"])
        leftover = key not in held and key not in known
        return [Finding(Discrepancy.LEFTOVER_EXIT, *key, row)] if leftover else []
    opened: Key = row["symbol"], "long" if row["side"] == "buy" else "short"
    if not is_known:
        return [Finding(Discrepancy.UNKNOWN_ORDER, *opened, row)]
    # The stop that came with the entry has gone with the part that it had filled.
    if row["filled"] and opened not in held:
        return [Finding(Discrepancy.LEFTOVER_ENTRY, *opened, row, contracts=row["filled"])]
    return []
