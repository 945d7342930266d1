"""How soon what was done is seen, and how an order is found again."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from statistics import median
from typing import Any

from bubbybot_freqtrade.verify.client import NoAnswerError
from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.probe import Answer, UpTo, probe
from bubbybot_freqtrade.verify.stream import open_stream
from bubbybot_freqtrade.verify.view import LOOK_EVERY_S, PATIENCE_S, NotMeasuredError

GROUP = "orders"
SAMPLES = 10
# The extension looks for what it has placed for this long before it believes that it is not there.
BOT_WAITS_MS = 5_000
# Between two looks; a delay is known no better. What answers slower than that tells no delay.
FINEST_MS = 1_000
# Below the time between two requests, a delay is none.
AT_ONCE_MS = 350
LATE = "The bot would take what it has just placed for missing. Report the delay."

_WORDS = {0: "seen at once"}
Look = Callable[[], Any]


def first_seen(desk: Desk, answered_ms: int, look: Look) -> int:
    """Milliseconds from an answer until `look` first sees what it was about; 0 when at once.

    :raises NotMeasuredError: when it is never seen, or between looks that were too far apart
    """
    end = answered_ms + PATIENCE_S * 1000
    missed = None
    while True:
        asked = desk.clock.elapsed_ms()
        if look():
            break
        missed = asked
        if asked > end:
            raise NotMeasuredError(f"not seen within {PATIENCE_S:.0f} s")
        desk.clock.sleep(LOOK_EVERY_S)
    if missed is None:
        if asked - answered_ms > FINEST_MS:
            raise NotMeasuredError("the venue answers too slowly to measure a delay")
        return 0
    if asked - missed > FINEST_MS:
        raise NotMeasuredError("the venue answers too slowly to measure a delay")
    return asked - answered_ms


def summary(delays: list[int]) -> Answer:
    """The worst, which is what a bot has to live with."""
    worst = max(delays)
    figures = f"median {median(delays):.0f} ms, worst {worst} ms of {len(delays)}"
    return Answer(worst if worst > AT_ONCE_MS else 0, figures)


@probe(
    GROUP,
    "How long is a new order missing from detail and pending list?",
    setting="order_delay_ms",
    readings=_WORDS,
    copes=UpTo(BOT_WAITS_MS),
    advice=LATE,
)
def order_delay(desk: Desk) -> Answer:
    """Ten orders far from the market, each canceled again."""
    price = desk.far_price()
    stop = desk.stop_for("buy", price)
    delays = []
    for sample in range(SAMPLES):
        order_id, reply = desk.send_order("buy", desk.smallest, price=price, **stop)
        if not reply.ok:
            raise NotMeasuredError(reply.words)
        look = _in_detail if sample % 2 else _in_pending
        delays.append(first_seen(desk, reply.answered_ms, partial(look, desk, order_id)))
        desk.cancel(order_id)
    return summary(delays)


def _in_detail(desk: Desk, order_id: str) -> bool:
    return bool(desk.order(order_id))


def _in_pending(desk: Desk, order_id: str) -> bool:
    rows = desk.rows("trade/orders-pending", limit=100)
    return any(row.get("clientOrderId") == order_id for row in rows)


@probe(
    GROUP,
    "How long is a new TP/SL missing from the pending list?",
    setting="tpsl_delay_ms",
    readings=_WORDS,
    copes=UpTo(BOT_WAITS_MS),
    advice=LATE,
)
def tpsl_delay(desk: Desk) -> Answer:
    """Ten beside the entry's on one position, each canceled again."""
    delays = []
    with desk.long():
        stop = desk.stop_for("buy")
        for _ in range(SAMPLES):
            tpsl_id, reply = desk.send_tpsl("sell", desk.smallest, **stop)
            if not reply.ok:
                raise NotMeasuredError(reply.words)
            delays.append(first_seen(desk, reply.answered_ms, partial(desk.tpsl_of, tpsl_id)))
            desk.cancel_tpsl(str(reply.row["tpslId"]))
    return summary(delays)


def _round_trips(desk: Desk, look: Callable[[str], Any]) -> list[int]:
    """Ten positions opened, `look`ed for by the venue's id of their order, and closed."""
    delays = []
    for _ in range(SAMPLES):
        order_id, reply = desk.send_order("buy", desk.smallest)
        if not reply.ok:
            raise NotMeasuredError(reply.words)
        venue_id = str(reply.row["orderId"])
        delays.append(first_seen(desk, reply.answered_ms, partial(look, venue_id)))
        if not desk.has_filled(order_id):
            raise NotMeasuredError("a market order did not fill")
        closed_id, closed = desk.send_order("sell", desk.smallest, closing=True, reduceOnly="true")
        if not (closed.ok and desk.has_filled(closed_id)):
            raise NotMeasuredError(f"the position does not close: {closed.words}")
        if not desk.eventually(lambda: not desk.position()):
            raise NotMeasuredError("the closed position is still shown")
    return delays


@probe(
    GROUP,
    "How far is the list of positions behind a fill?",
    setting="position_delay_ms",
    readings=_WORDS,
    copes=UpTo(BOT_WAITS_MS),
    advice=LATE,
)
def position_delay(desk: Desk) -> Answer:
    """Ten positions, opened and closed at the market."""
    return summary(_round_trips(desk, lambda _: desk.position()))


@probe(
    GROUP,
    "How long is a fill missing from fills-history?",
    assumed=0,
    readings=_WORDS,
    copes=UpTo(BOT_WAITS_MS),
    advice=LATE,
)
def fill_delay(desk: Desk) -> Answer:
    """Ten market orders; a fill is known by the order's id."""

    def look(venue_id: str) -> bool:
        rows = desk.rows("trade/fills-history", limit=20)
        return any(row.get("orderId") == venue_id for row in rows)

    return summary(_round_trips(desk, look))


@probe(
    GROUP,
    "How long until an order is pushed on the websocket?",
    assumed=0,
    readings=_WORDS,
    copes=UpTo(BOT_WAITS_MS),
    advice="Leave exchange.enable_ws off if candles come late too.",
)
def push_delay(desk: Desk) -> Answer:
    """Ten orders far from the market, on the channel `orders`."""
    price = desk.far_price()
    stop = desk.stop_for("buy", price)
    delays = []
    with open_stream(desk, private=True) as stream:
        stream.subscribe("orders", desk.instrument.inst_id)
        for _ in range(SAMPLES):
            order_id, reply = desk.send_order("buy", desk.smallest, price=price, **stop)
            if not reply.ok:
                raise NotMeasuredError(reply.words)
            delays.append(first_seen(desk, reply.answered_ms, partial(_pushed, stream, order_id)))
            desk.cancel(order_id)
    return summary(delays)


def _pushed(stream: Any, order_id: str) -> bool:
    return any(row.get("clientOrderId") == order_id for row in stream.rows("orders"))


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
    order_delay,
    tpsl_delay,
    position_delay,
    fill_delay,
    push_delay,
    lost_answer,
    ended_order,
    client_id_twice,
    history_by_client_id,
)
