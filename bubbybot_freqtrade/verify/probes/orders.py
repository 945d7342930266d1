"""How an order is found again."""

from __future__ import annotations

from decimal import Decimal

from bubbybot_freqtrade.verify.client import NoAnswerError
from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.probe import Answer, probe
from bubbybot_freqtrade.verify.view import NotMeasuredError

GROUP = "orders"


@probe(
    GROUP,
    "Is an order whose answer was lost found by its clientOrderId?",
    assumed="found",
    readings={"found": "it is", "lost": "it is not"},
    advice="After a timeout the bot could not tell whether an order exists. Report it.",
)
def lost_answer(desk: Desk) -> Answer:
    """The answer is put aside; the order is looked for by nothing but our own id."""
    order_id, reply = desk.send_order("buy", desk.smallest, price=desk.far_price())
    if not reply.ok:
        raise NotMeasuredError(reply.words)
    found = desk.eventually(lambda: desk.order(order_id))
    same = bool(found) and found.get("orderId") == reply.row.get("orderId")
    return Answer("found" if same else "lost")


@probe(
    GROUP,
    "Does an ended order stay findable by its clientOrderId?",
    assumed="found",
    readings={"found": "it does", "lost": "it does not"},
    copes=("lost",),
)
def ended_order(desk: Desk) -> Answer:
    """The oldest order of this run that was accepted, and one canceled just now."""
    with desk.waiting() as order_id:
        if not desk.cancel(order_id).ok:
            raise NotMeasuredError("the order could not be canceled")
    accepted = [i for i, code in desk.journal.outcomes.items() if code == "0"]
    orders = [i for i in accepted if desk.journal.intents[i].kind == "order"]
    found = [bool(desk.order(client_order_id)) for client_order_id in (orders[0], order_id)]
    age = (desk.clock.now_ms() - desk.journal.intents[orders[0]].at_ms) / 60_000
    return Answer("found" if all(found) else "lost", f"looked for after {age:.1f} minutes")


@probe(
    GROUP,
    "With which code is a clientOrderId refused the second time?",
    assumed="102002",
    readings={"accepted": "it is accepted"},
    copes=("accepted", "150003"),
)
def client_id_twice(desk: Desk) -> Answer:
    """The same waiting order, sent again as it was."""
    with desk.waiting() as order_id:
        row = desk.order(order_id)
        price = str(desk.instrument.price(Decimal(row["price"])))
        body = {
            "instId": desk.instrument.inst_id,
            "marginMode": desk.margin_mode,
            "positionSide": desk.position_side("buy"),
            "side": "buy",
            "orderType": "fok",
            "price": price,
            "size": str(desk.smallest),
            "clientOrderId": order_id,
            **desk.stop_for("buy", price),
        }
        reply = desk.client.call("POST", "trade/order", body)
    return Answer("accepted" if reply.ok else reply.code, reply.words)


@probe(
    GROUP,
    "Does orders-history look for a clientOrderId?",
    assumed="ignores",
    readings={"ignores": "it ignores it", "filters": "it shows only that order"},
    copes=("filters",),
)
def history_by_client_id(desk: Desk) -> Answer:
    """With an id that no order has."""
    with desk.waiting() as order_id:
        desk.cancel(order_id)
    if not desk.eventually(lambda: desk.rows("trade/orders-history", limit=5)):
        raise NoAnswerError("the history is empty")
    rows = desk.rows("trade/orders-history", limit=5, clientOrderId=desk.journal.new_id())
    return Answer("ignores" if rows else "filters")


PROBES = (
    lost_answer,
    ended_order,
    client_id_twice,
    history_by_client_id,
)
