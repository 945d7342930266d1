"""What closes a position, and what is left standing after it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from bubbybot_freqtrade.verify.client import Reply
from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.probe import Answer, probe
from bubbybot_freqtrade.verify.view import NotMeasuredError

GROUP = "closing"
_READINGS = {
    "closes, its stop goes": "it closes the position, and the venue cancels the entry's TP/SL",
    "closes, its stop stays": "it closes the position, and the entry's TP/SL stays",
    "does not close": "the position stays",
}
_COPES = ("closes, its stop stays",)
_ADVICE = "Exits would not end positions. Report it."

Close = Callable[[Desk], tuple[str, Reply]]


def _after(desk: Desk, close: Close) -> Answer:
    """A long with its stop, closed by `close`; what the pair shows then."""
    with desk.long() as long:
        if not desk.eventually(lambda: desk.tpsl_of(long.entry_id)):
            raise NotMeasuredError("no TP/SL is shown for the entry")
        _, reply = close(desk)
        if not reply.ok:
            return Answer("refused", reply.words)
        if not desk.eventually(lambda: not desk.position()):
            return Answer("does not close")
        gone = desk.eventually(lambda: not desk.tpsl_of(long.entry_id))
    return Answer(f"closes, its stop {'goes' if gone else 'stays'}")


@probe(
    GROUP,
    "Does a reduce-only order close a position?",
    assumed="closes, its stop goes",
    readings=_READINGS,
    copes=_COPES,
    advice=_ADVICE,
)
def reduce_only_order(desk: Desk) -> Answer:
    """How the bot exits."""
    return _after(
        desk,
        lambda d: d.send_order("sell", d.smallest, closing=True, reduceOnly="true"),
    )


@probe(
    GROUP,
    "Does an ordinary order of the other side close a position?",
    assumed="closes, its stop goes",
    readings=_READINGS,
    copes=_COPES,
    advice=_ADVICE,
)
def ordinary_order(desk: Desk) -> Answer:
    """How the app closes by hand in one-way mode."""
    return _after(desk, lambda d: d.send_order("sell", d.smallest, closing=True))


@probe(
    GROUP,
    "Does close-position close a position?",
    assumed="closes, its stop goes",
    readings=_READINGS,
    copes=(*_COPES, "refused"),
    advice=_ADVICE,
)
def close_position(desk: Desk) -> Answer:
    """How what is too small for an order is left."""
    return _after(desk, lambda d: d.send_close())


@probe(
    GROUP,
    "What becomes of a reduce-only limit when its position goes?",
    setting="leftover_exits",
    readings={"cancel": "the venue cancels it", "keep": "it keeps resting"},
    copes=("keep",),
)
def leftover_exits(desk: Desk) -> Answer:
    """A limit far above, then the position closed at the market."""
    with desk.long():
        above = desk.instrument.price(desk.prices().last * Decimal("1.02"))
        limit_id, reply = desk.send_order(
            "sell", desk.smallest, closing=True, price=above, reduceOnly="true"
        )
        if not reply.ok:
            raise NotMeasuredError(f"the limit is refused: {reply.words}")
        desk.placed(limit_id)
        _, closed = desk.send_order("sell", desk.smallest, closing=True, reduceOnly="true")
        if not closed.ok or not desk.eventually(lambda: not desk.position()):
            raise NotMeasuredError(f"the position does not close: {closed.words}")
        state = desk.eventually(lambda: _ended(desk, limit_id))
    if state == "filled":
        raise NotMeasuredError("the limit filled")
    return Answer("cancel" if state else "keep")


def _ended(desk: Desk, client_order_id: str) -> str:
    state = str(desk.order(client_order_id).get("state"))
    return "" if state in ("live", "partially_filled") else state


PROBES = (reduce_only_order, ordinary_order, close_position, leftover_exits)
