"""TP/SL orders: moved, by themselves, fired. Those that come with an entry are in `attached`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bubbybot_freqtrade.verify.client import NO_PERMISSION
from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.probe import Answer, Anything, probe
from bubbybot_freqtrade.verify.probes.attached import WHOLE, own_tpsl
from bubbybot_freqtrade.verify.view import NotMeasuredError, same_price

GROUP = "stops"
FIRING_S = 90.0
# The reference's, and the one that a public client asks for.
DETAIL_PATHS = ("order-tpsl-detail", "orders-tpsl-detail")


def _amended(desk: Desk, entry_id: str, **fields: str) -> tuple[dict[str, Any], bool, str]:
    """The entry's TP/SL, whether amend-tpsl took `fields`, and its words."""
    row = own_tpsl(desk, entry_id)
    body = {"instId": desk.instrument.inst_id, "tpslId": str(row["tpslId"]), **fields}
    reply = desk.client.call("POST", "trade/amend-tpsl", body, expecting=(NO_PERMISSION,))
    return row, reply.ok, reply.words


def _moved_stop(desk: Desk, row: dict[str, Any], ticks: int = 10) -> str:
    stop = Decimal(row["slTriggerPrice"]) + ticks * desk.instrument.tick
    return str(desk.instrument.price(stop))


@probe(
    GROUP,
    "Can a stop be moved in place (trade/amend-tpsl)?",
    setting="amend_tpsl",
    readings={True: "it can", False: "the path is not there, or refuses"},
    copes=(False,),
)
def amend_tpsl(desk: Desk) -> Answer:
    """Ten ticks nearer; read back."""
    with desk.long(**desk.target_for("buy")) as long:
        row = own_tpsl(desk, long.entry_id)
        stop = _moved_stop(desk, row)
        target = str(desk.instrument.price(Decimal(row["tpTriggerPrice"])))
        _, accepted, words = _amended(
            desk,
            long.entry_id,
            newSlTriggerPrice=stop,
            newSlOrderPrice="-1",
            newTpTriggerPrice=target,
            newTpOrderPrice="-1",
        )
        if not accepted:
            return Answer(False, words)
        moved = desk.eventually(lambda: same_price(_row(desk, row).get("slTriggerPrice"), stop))
    return Answer(bool(moved), words if moved else "accepted, and the stop stays where it was")


def _row(desk: Desk, row: dict[str, Any]) -> dict[str, Any]:
    same = [other for other in desk.tpsl_rows() if other["tpslId"] == row["tpslId"]]
    return same[0] if same else {}


@probe(
    GROUP,
    "What becomes of a target that amend-tpsl does not name?",
    setting="amend_unnamed_leg",
    readings={"keep": "it stays", "remove": "it is removed"},
    copes=("remove",),
)
def amend_unnamed_leg(desk: Desk) -> Answer:
    """Only the stop is named."""
    with desk.long(**desk.target_for("buy")) as long:
        before = own_tpsl(desk, long.entry_id)
        stop = _moved_stop(desk, before)
        _, accepted, words = _amended(
            desk, long.entry_id, newSlTriggerPrice=stop, newSlOrderPrice="-1"
        )
        if not accepted:
            raise NotMeasuredError(f"amend-tpsl is refused: {words}")
        after = desk.eventually(
            lambda: (row := _row(desk, before)) and same_price(row["slTriggerPrice"], stop) and row
        )
        if not after:
            raise NotMeasuredError("the moved stop was not shown")
    kept = same_price(after.get("tpTriggerPrice"), before["tpTriggerPrice"])
    return Answer("keep" if kept else "remove", f"target then {after.get('tpTriggerPrice')}")


@probe(
    GROUP,
    "Does amend-tpsl refuse a requestId that was used before?",
    assumed="refused",
    readings={"refused": "it does", "accepted": "it does not"},
    copes=("accepted",),
)
def amend_request_id(desk: Desk) -> Answer:
    """The same move twice."""
    with desk.long() as long:
        row = own_tpsl(desk, long.entry_id)
        fields = {
            "newSlTriggerPrice": _moved_stop(desk, row),
            "newSlOrderPrice": "-1",
            "requestId": desk.journal.new_id(),
        }
        _, first, words = _amended(desk, long.entry_id, **fields)
        if not first:
            raise NotMeasuredError(f"amend-tpsl is refused: {words}")
        body = {"instId": desk.instrument.inst_id, "tpslId": str(row["tpslId"]), **fields}
        second = desk.client.call("POST", "trade/amend-tpsl", body, expecting=(NO_PERMISSION,))
    return Answer("accepted" if second.ok else "refused", second.words)


@probe(
    GROUP,
    "Which path shows one TP/SL?",
    setting="tpsl_detail",
    readings={"none": "neither path"},
    copes=("orders-tpsl-detail", "none"),
)
def tpsl_detail(desk: Desk) -> Answer:
    """The reference's, or the one that a public client asks for."""
    with desk.long() as long:
        tpsl_id = str(own_tpsl(desk, long.entry_id)["tpslId"])
        path = detail_path(desk, tpsl_id)
    return Answer(path or "none")


def detail_path(desk: Desk, tpsl_id: str) -> str:
    """The path that shows a live TP/SL, empty when neither does."""
    return next((path for path in DETAIL_PATHS if shown_by(desk, path, tpsl_id)), "")


def shown_by(desk: Desk, path: str, tpsl_id: str) -> bool:
    """Whether a detail path shows the TP/SL."""
    reply = desk.get(
        f"trade/{path}",
        expecting=(NO_PERMISSION,),
        instId=desk.instrument.inst_id,
        tpslId=tpsl_id,
    )
    return reply.ok and str(reply.row.get("tpslId")) == tpsl_id


_LAST_ONLY = "Leave order_types.stoploss_price_type at last."


def _trigger_type(desk: Desk, kind: str) -> tuple[str, str]:
    """`shown`, `hidden` or `refused` for a TP/SL of its own with this trigger price, and words."""
    with desk.long():
        tpsl_id, reply = desk.send_tpsl(
            "sell", desk.smallest, slTriggerPriceType=kind, **desk.stop_for("buy")
        )
        if not reply.ok:
            return "refused", reply.words
        row = own_tpsl(desk, tpsl_id)
    told = row.get("slTriggerPriceType")
    return "shown" if told == kind else "hidden", f"slTriggerPriceType: {told}"


@probe(
    GROUP,
    "Does a TP/SL take the mark price as its trigger?",
    assumed="shown",
    readings={
        "shown": "it does, and the row shows it",
        "hidden": "it is accepted, and the row does not show it",
        "refused": "it is refused",
    },
    copes=("hidden", "refused"),
    advice=_LAST_ONLY,
)
def mark_trigger(desk: Desk) -> Answer:
    """On an order of its own, beside the entry's."""
    return Answer(*_trigger_type(desk, "mark"))


@probe(
    GROUP,
    "Does a TP/SL take the index price as its trigger?",
    setting="index_trigger",
    readings={
        True: "it does, and the row shows it",
        "hidden": "it is accepted, and the row does not show it",
        False: "it is refused",
    },
    copes=("hidden", False),
    advice=_LAST_ONLY,
)
def index_trigger(desk: Desk) -> Answer:
    """On an order of its own, beside the entry's."""
    seen, words = _trigger_type(desk, "index")
    return Answer({"shown": True, "refused": False}.get(seen, seen), words)


@probe(
    GROUP,
    "Does order-algo take a trailing stop?",
    setting="trailing_stop",
    readings={True: "it does", False: "it is refused", "hidden": "it does, and lists it nowhere"},
    copes=(False,),
    advice="Place no trailing stops on this venue: one that cannot be seen cannot be canceled.",
)
def trailing_stop(desk: Desk) -> Answer:
    """A tenth behind the price, on a long with its stop; canceled again."""
    with desk.long():
        _, reply = desk.send_trailing("sell", desk.smallest, callbackRatio="0.1")
        if not reply.ok:
            return Answer(False, reply.words)
        rows = desk.eventually(desk.trailing_rows)
        canceled = desk.cancel_trailing(str(reply.row["algoId"]))
    if not rows:
        return Answer("hidden", f"cancel: {canceled.words}")
    return Answer(True, f"callbackRatio {rows[0].get('callbackRatio')}; cancel: {canceled.words}")


@probe(
    GROUP,
    "What becomes of a TP/SL whose trigger the price has already passed?",
    setting="passed_trigger",
    readings={
        "cancel": "accepted, and canceled at once",
        "refuse": "refused",
        "fire": "accepted, and fired at once",
        "stand": "accepted, and it stands",
    },
    copes=("refuse", "fire"),
    advice="A stop that stands behind the price protects nothing. Report it.",
)
def passed_trigger(desk: Desk) -> Answer:
    """A stop above the price, on a long."""
    with desk.long() as long:
        above = desk.instrument.price(desk.prices().last * Decimal("1.01"))
        tpsl_id, reply = desk.send_tpsl(
            "sell", desk.smallest, slTriggerPrice=above, slOrderPrice="-1"
        )
        if not reply.ok:
            return Answer("refuse", reply.words)
        stands = desk.eventually(lambda: desk.tpsl_of(tpsl_id), 3)
        if desk.eventually(lambda: not desk.position(), 3):
            return Answer("fire")
        stands = stands and desk.tpsl_of(tpsl_id)
        own_tpsl(desk, long.entry_id)
    return Answer("stand" if stands else "cancel")


@probe(
    GROUP,
    "Can a second TP/SL for the whole position be placed?",
    assumed="102114",
    readings={"102114": "refused with 102114", "accepted": "accepted"},
    copes=Anything(),
)
def whole_beside_whole(desk: Desk) -> Answer:
    """Twice size -1."""
    with desk.long():
        _, first = desk.send_tpsl("sell", WHOLE, **desk.stop_for("buy"))
        if not first.ok:
            raise NotMeasuredError(f"size -1 is refused: {first.words}")
        _, second = desk.send_tpsl("sell", WHOLE, **desk.stop_for("buy"))
    return Answer("accepted" if second.ok else second.code, second.words)


@probe(
    GROUP,
    "Can a TP/SL for the whole position stand beside the entry's?",
    assumed="accepted",
    readings={"accepted": "it can"},
    copes=Anything(),
)
def whole_beside_sized(desk: Desk) -> Answer:
    """What an owner does in the app."""
    with desk.long() as long:
        own_tpsl(desk, long.entry_id)
        tpsl_id, reply = desk.send_tpsl("sell", WHOLE, **desk.stop_for("buy"))
        if not reply.ok:
            return Answer(reply.code, reply.words)
        own_tpsl(desk, tpsl_id)
        both = len(desk.tpsl_rows())
    return Answer("accepted" if both >= 2 else "replaced", f"{both} stand")


@probe(
    GROUP,
    "Is a TP/SL without a position accepted?",
    setting="lone_tpsl",
    readings={"accept": "it is", "refuse": "it is refused"},
    copes=("refuse",),
)
def lone_tpsl(desk: Desk) -> Answer:
    """Reduce-only, far from the price."""
    _, reply = desk.send_tpsl("sell", desk.smallest, **desk.stop_for("buy"))
    return Answer("accept" if reply.ok else "refuse", reply.words)


@probe(
    GROUP,
    "How are sizes of TP/SL rows written?",
    setting="tpsl_sizes",
    readings={"plain": "as short as they are", "padded": "with 18 decimals"},
    copes=("padded",),
)
def tpsl_sizes(desk: Desk) -> Answer:
    """Of one for the whole position."""
    with desk.long():
        tpsl_id, reply = desk.send_tpsl("sell", WHOLE, **desk.stop_for("buy"))
        if not reply.ok:
            raise NotMeasuredError(f"size -1 is refused: {reply.words}")
        size = str(own_tpsl(desk, tpsl_id)["size"])
    return Answer("padded" if "." in size else "plain", f"size {size!r}")


def _fired(desk: Desk, lots: int) -> dict[str, Any]:
    """The order of a TP/SL whose prices are a few ticks around the price: one is reached soon."""
    size = desk.smallest * lots
    with desk.long(lots=lots):
        known = {row["orderId"] for row in desk.rows("trade/orders-history", limit=100)}
        prices = desk.prices()
        near = max(3 * desk.instrument.tick, desk.instrument.price(prices.last / 5000))
        _, reply = desk.send_tpsl(
            "sell",
            size,
            slTriggerPrice=desk.instrument.price(prices.last - near),
            slOrderPrice="-1",
            tpTriggerPrice=desk.instrument.price(prices.last + near),
            tpOrderPrice="-1",
        )
        if not reply.ok:
            raise NotMeasuredError(f"the TP/SL is refused: {reply.words}")
        fired = desk.eventually(lambda: _fired_order(desk, known), FIRING_S)
    if not fired:
        raise NotMeasuredError(f"the price reached neither in {FIRING_S:.0f} s")
    return fired


def _fired_order(desk: Desk, known: set[Any]) -> dict[str, Any]:
    for row in desk.rows("trade/orders-history", limit=20):
        ours = row.get("clientOrderId") in desk.journal.intents
        if not ours and row.get("side") == "sell" and row["orderId"] not in known:
            return row
    return {}


@probe(
    GROUP,
    "By what is the order of a fired TP/SL known?",
    assumed="tp or sl, reduce-only",
    readings={"none": "neither its category nor reduceOnly says what it was"},
    copes=("tp or sl",),
    advice="The bot could not tell a stop from an exit by hand. Report the order.",
)
def fired_tpsl(desk: Desk) -> Answer:
    """Its row in the history."""
    fired = _fired(desk, lots=1)
    has = {
        "tp or sl": fired.get("orderCategory") in ("tp", "sl"),
        "reduce-only": str(fired.get("reduceOnly")).lower() == "true",
    }
    reading = ", ".join(name for name, there in has.items() if there)
    return Answer(reading or "none", f"orderCategory {fired.get('orderCategory')}")


@probe(
    GROUP,
    "How much of a fired TP/SL is filled?",
    setting="stop_fill_share",
    readings={Decimal(1): "all of it"},
    copes=Anything(),
)
def stop_fill_share(desk: Desk) -> Answer:
    """Of five lots, so that a part can be seen."""
    fired = _fired(desk, lots=5)
    share = Decimal(fired["filledSize"]) / (desk.smallest * 5)
    return Answer(share.normalize(), f"{fired['filledSize']} of {desk.smallest * 5}")


PROBES = (
    amend_tpsl,
    amend_unnamed_leg,
    amend_request_id,
    tpsl_detail,
    mark_trigger,
    index_trigger,
    trailing_stop,
    passed_trigger,
    whole_beside_whole,
    whole_beside_sized,
    lone_tpsl,
    tpsl_sizes,
    fired_tpsl,
    stop_fill_share,
)
