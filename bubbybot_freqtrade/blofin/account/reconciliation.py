"""What the venue and freqtrade's database disagree about, and what has to be done.

Pure: rows in, discrepancies out. `Blofin.reconcile` acts on them at the start of every loop.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bubbybot_freqtrade.blofin.bracket import TradeSide
from bubbybot_freqtrade.blofin.protection import (
    closed_side,
    closes,
    covers,
    stop_candidates,
    tighter,
)

Row = dict[str, Any]


class Discrepancy(StrEnum):
    """Kinds of disagreement."""

    UNKNOWN_POSITION = "unknown_position"
    BARE_POSITION = "bare_position"
    SIZE_DIFFERS = "size_differs"
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
class Finding:
    """One disagreement about a pair; `row` is the position or order it is about, if any."""

    kind: Discrepancy
    pair: str
    side: TradeSide
    row: Row | None = None
    bare: bool = False

    @property
    def key(self) -> tuple[Discrepancy, str, TradeSide, str]:
        """The same for the same disagreement in the next loop."""
        return self.kind, self.pair, self.side, (self.row or {}).get("id") or ""


def exit_side(side: TradeSide) -> str:
    """Side of the orders that close a position."""
    return "sell" if side == "long" else "buy"


def compare(
    trades: Iterable[OpenTrade],
    positions: Iterable[Row],
    tpsl_orders: list[Row],
    orders: list[Row],
    own_order_ids: Collection[str],
    known_order_ids: Collection[str],
) -> list[Finding]:
    """Everything the venue and the database disagree about.

    :param positions: ccxt positions, amounts in contracts
    :param orders: open orders of the venue, `own_order_ids` those of them that a bot on this
        database placed, `known_order_ids` those that are in the database
    """
    known = {(trade.pair, trade.side): trade for trade in trades}
    held = {(row["symbol"], row["side"]): row for row in positions if row["contracts"]}
    findings: list[Finding] = []
    for (pair, side), row in held.items():
        stops = stop_candidates(tpsl_orders, pair, exit_side(side))
        findings += _of_position(pair, side, row, stops, known.get((pair, side)))
    findings += [
        Finding(Discrepancy.MISSING_POSITION, trade.pair, trade.side)
        for key, trade in known.items()
        if key not in held and trade.contracts > 0
    ]
    findings += [
        Finding(Discrepancy.EMPTY_TRADE, trade.pair, trade.side)
        for trade in known.values()
        if trade.contracts == 0 and not trade.has_open_orders
    ]
    entering = {row["symbol"] for row in orders if not closes(row)}
    findings += [f for f in _leftover_stops(tpsl_orders, held) if f.pair not in entering]
    own = [row for row in orders if row["id"] in own_order_ids]
    findings += [
        Finding(Discrepancy.UNKNOWN_ORDER, row["symbol"], _opened_side(row), row)
        for row in own
        if row["id"] not in known_order_ids and not closes(row)
    ]
    findings += [
        Finding(Discrepancy.LEFTOVER_EXIT, row["symbol"], closed_side(row["side"]), row)
        for row in own
        if closes(row) and (row["symbol"], closed_side(row["side"])) not in held
    ]
    # The stop that came with the entry has gone with the part that it had filled.
    findings += [
        Finding(Discrepancy.LEFTOVER_ENTRY, row["symbol"], _opened_side(row), row)
        for row in own
        if row["id"] in known_order_ids
        and not closes(row)
        and row["filled"]
        and (row["symbol"], _opened_side(row)) not in held
    ]
    return findings


def _of_position(
    pair: str, side: TradeSide, row: Row, stops: list[Row], trade: OpenTrade | None
) -> list[Finding]:
    if trade is None:
        return [Finding(Discrepancy.UNKNOWN_POSITION, pair, side, row, bare=not stops)]
    findings = [Finding(Discrepancy.SURPLUS_STOP, pair, side, stop) for stop in surplus(stops, row)]
    if not stops:
        findings.append(Finding(Discrepancy.BARE_POSITION, pair, side, row, bare=True))
    lot = max(1e-9, 1e-6 * row["contracts"])
    if not trade.has_open_orders and abs(trade.contracts - row["contracts"]) > lot:
        findings.append(Finding(Discrepancy.SIZE_DIFFERS, pair, side, row))
    return findings


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


def _leftover_stops(
    tpsl_orders: list[Row], held: dict[tuple[str, TradeSide], Row]
) -> list[Finding]:
    return [
        Finding(Discrepancy.LEFTOVER_STOP, row["symbol"], side, row)
        for row in tpsl_orders
        for side in [closed_side(row["side"])]
        if row["status"] == "open" and (row["symbol"], side) not in held
    ]


def _opened_side(row: Row) -> TradeSide:
    return "long" if row["side"] == "buy" else "short"


_SAYS = {
    Discrepancy.UNKNOWN_POSITION: (
        "a {side} position of {size} contracts that this bot's database doesn't know. "
        "{protected} The pair is not traded until it is gone. "
        "Close it in the app, or leave it if another program holds it."
    ),
    Discrepancy.BARE_POSITION: (
        "the {side} position had no stop: it was canceled, or has fired without closing all. A new "
        "one is placed in this loop, or where the price has passed it the trade goes out at the "
        "market. To end a trade by hand, use /forceexit."
    ),
    Discrepancy.SIZE_DIFFERS: (
        "the {side} position has {size} contracts, which is not what the bot's trade has. "
        "Its stop stays. Close the trade with /forceexit if you changed it by hand."
    ),
    Discrepancy.MISSING_POSITION: (
        "the bot's {side} trade has no position any more, and no order that closed it is known. "
        "Nothing was done. Look at the app's order history, then /delete the trade."
    ),
    Discrepancy.LEFTOVER_STOP: "a stop without a position was left over and has been canceled.",
    Discrepancy.SURPLUS_STOP: "a second stop on the {side} position has been canceled.",
    Discrepancy.UNKNOWN_ORDER: (
        "an entry order of this bot that its database doesn't know has been canceled."
    ),
    Discrepancy.LEFTOVER_EXIT: (
        "an exit order of this bot without a position was left over and has been canceled."
    ),
    Discrepancy.LEFTOVER_ENTRY: (
        "the position was closed while the rest of its {side} entry still waited. The rest has "
        "been canceled, for it could have filled without a stop. Close trades with /forceexit."
    ),
    Discrepancy.EMPTY_TRADE: (
        "the bot's {side} trade had neither a fill nor an order that could still fill. It was "
        "taken out of the database. Nothing has to be done."
    ),
}


def told(finding: Finding) -> str:
    """What happened, what the bot did and what the person should do, in one line."""
    row = finding.row or {}
    protected = "It had no stop: one was placed." if finding.bare else "It has a stop."
    size = row.get("contracts")
    says = _SAYS[finding.kind].format(side=finding.side, size=size, protected=protected)
    return f"{finding.pair}: {says}"
