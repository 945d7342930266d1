"""The TP/SL that comes with an entry: the rule that everything rests on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.probe import Answer, probe
from bubbybot_freqtrade.verify.probes.partly import partly_filled
from bubbybot_freqtrade.verify.view import NotMeasuredError, same_price

GROUP = "stops"
WHOLE = Decimal(-1)
# An entry that was in parts for so long, and had no TP/SL, has none.
LONG_ENOUGH_MS = 4_000


def size_of(row: dict[str, Any]) -> Decimal:
    """Contracts of a TP/SL row; -1 is the whole position, padded or not."""
    return Decimal(row["size"])


def own_tpsl(desk: Desk, client_order_id: str) -> dict[str, Any]:
    """The TP/SL that came of an entry, waited for."""
    rows = desk.eventually(lambda: desk.tpsl_of(client_order_id))
    if not rows:
        raise NotMeasuredError("no TP/SL is shown for the entry")
    return rows[0]


@probe(
    GROUP,
    "Does a stop sent with an entry stand once the entry has filled, and for which size?",
    assumed="filled size",
    readings={
        "filled size": "it stands for what has filled",
        "whole": "it stands for the whole position (-1)",
        "other": "it stands for another size",
        "none": "no stop stands",
    },
    copes=("whole",),
    advice="Positions would be without their stop. Report it.",
)
def attached_size(desk: Desk) -> Answer:
    """The rule that everything rests on: no position without its stop."""
    with desk.long(lots=2, **desk.target_for("buy")) as long:
        rows = desk.eventually(lambda: desk.tpsl_of(long.entry_id))
        if not rows:
            return Answer("none")
        size = size_of(rows[0])
        held = Decimal(long.row["positions"])
    names = {abs(held): "filled size", WHOLE: "whole"}
    return Answer(names.get(size, "other"), f"size {rows[0]['size']}, position {held}")


@probe(
    GROUP,
    "What does the TP/SL of an entry carry?",
    assumed="id, reduceOnly, both prices",
    copes=("reduceOnly, both prices", "id, both prices", "both prices"),
    advice="Without both prices the bot loses the stop or the target. Report the row.",
)
def attached_fields(desk: Desk) -> Answer:
    """The entry's clientOrderId, reduceOnly, and both prices on one order."""
    with desk.long(**desk.target_for("buy")) as long:
        row = own_tpsl(desk, long.entry_id)
        intent = desk.journal.intents[long.entry_id]
    prices = same_price(row.get("slTriggerPrice"), intent.stop) and same_price(
        row.get("tpTriggerPrice"), intent.target
    )
    has = {
        "id": row.get("clientOrderId") == long.entry_id,
        "reduceOnly": str(row.get("reduceOnly")).lower() == "true",
        "both prices": prices,
    }
    return Answer(", ".join(name for name, there in has.items() if there) or "none of them")


@probe(
    GROUP,
    "Does the TP/SL of an entry stand while the entry fills in parts?",
    setting="attached_tpsl",
    readings={
        "each_fill": "it stands from the first part on",
        "complete_fill": "only when the entry is complete",
    },
    copes=("complete_fill",),
)
def attached_tpsl(desk: Desk) -> Answer:
    """Looked at while the rest of an entry waits."""
    entry_id, _ = partly_filled(desk)
    began = desk.clock.elapsed_ms()
    filled_in_parts_ms = 0

    def stands_or_is_filled() -> bool:
        nonlocal filled_in_parts_ms
        rows = desk.tpsl_of(entry_id)
        if not rows and desk.order(entry_id).get("state") == "partially_filled":
            filled_in_parts_ms = desk.clock.elapsed_ms() - began
            return False
        return True

    if not desk.eventually(stands_or_is_filled):
        return Answer("complete_fill", f"none in {filled_in_parts_ms} ms")
    if desk.order(entry_id).get("state") == "partially_filled":
        return Answer("each_fill")
    if filled_in_parts_ms < LONG_ENOUGH_MS:
        raise NotMeasuredError("the rest filled before it was seen")
    return Answer("complete_fill", f"none in {filled_in_parts_ms} ms")


@probe(
    GROUP,
    "Does a TP/SL of an entry grow when the position is added to?",
    setting="attached_after_addition",
    readings={"keep": "it keeps its size", "grow": "it grows to the whole position"},
    copes=("grow",),
)
def attached_after_addition(desk: Desk) -> Answer:
    """A second entry with a stop of its own."""
    with desk.long() as long:
        before = own_tpsl(desk, long.entry_id)
        added_id, reply = desk.send_order("buy", desk.smallest)
        if not (reply.ok and desk.has_filled(added_id)):
            raise NotMeasuredError(f"no addition: {reply.words}")
        own_tpsl(desk, added_id)
        desk.clock.sleep(1)
        rows = [row for row in desk.tpsl_rows() if row["tpslId"] == before["tpslId"]]
    if not rows:
        return Answer("gone", "the first entry's TP/SL is gone")
    grew = size_of(rows[0]) > size_of(before)
    return Answer("grow" if grew else "keep", f"{before['size']}, then {rows[0]['size']}")


@probe(
    GROUP,
    "What becomes of the TP/SL of an entry when a part of the position is closed?",
    assumed="keeps",
    readings={"keeps": "it keeps its size", "shrinks": "it shrinks", "gone": "it is gone"},
    copes=("shrinks",),
    advice="The rest of a position would be without its stop until the bot's next loop: do not "
    "use partial exits. Report it.",
)
def attached_after_partial_close(desk: Desk) -> Answer:
    """Two lots, one sold reduce-only."""
    with desk.long(lots=2) as long:
        before = own_tpsl(desk, long.entry_id)
        sold_id, reply = desk.send_order("sell", desk.smallest, closing=True, reduceOnly="true")
        if not (reply.ok and desk.has_filled(sold_id)):
            raise NotMeasuredError(f"nothing was sold: {reply.words}")
        desk.clock.sleep(1)
        rows = desk.tpsl_of(long.entry_id)
    if not rows:
        return Answer("gone")
    size = size_of(rows[0])
    shrunk = 0 < size < size_of(before)
    return Answer("shrinks" if shrunk else "keeps", f"{before['size']}, then {rows[0]['size']}")


PROBES = (
    attached_size,
    attached_fields,
    attached_tpsl,
    attached_after_addition,
    attached_after_partial_close,
)
