"""What the venue refuses, and in which words. Nothing here can fill: fill-or-kill, far away."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bubbybot_freqtrade.verify.client import NO_PERMISSION, Reply
from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.probe import Answer, Anything, probe
from bubbybot_freqtrade.verify.view import NotMeasuredError

GROUP = "refusals"
ACCEPTED = "accepted"
# The venue takes signatures that are up to 60 s old.
SHIFTS_S = (5, 30, 70)
EXPIRED = "152405"
REPEATED = "152407"
NO_SUCH_PATH = "trade/no-such-path"


def killed(desk: Desk, size: Decimal | None = None, **fields: Any) -> Reply:
    """A buy that is refused, or accepted and killed: it cannot fill."""
    given = {"price": desk.far_price(), "orderType": "fok", **fields}
    return desk.send_order("buy", desk.smallest if size is None else size, **given)[1]


def code_of(reply: Reply) -> Answer:
    """The refusal's code, or that there was none."""
    return Answer(ACCEPTED if reply.ok else reply.code, reply.words)


@probe(
    GROUP,
    "With which code is a price off the tick refused?",
    assumed="102016",
    copes=Anything(),
)
def price_off_tick(desk: Desk) -> Answer:
    """The bot rounds before it sends."""
    price = desk.far_price() + desk.instrument.tick / 2
    return code_of(killed(desk, price=f"{price:f}", **desk.stop_for("buy", price)))


@probe(GROUP, "With which code is a size off the lot refused?", assumed="102016", copes=Anything())
def size_off_lot(desk: Desk) -> Answer:
    """The bot rounds before it sends."""
    return code_of(killed(desk, desk.smallest + desk.instrument.lot / 2))


@probe(
    GROUP,
    "With which code is a size below the minimum refused?",
    assumed="102016",
    copes=Anything(),
)
def size_below_minimum(desk: Desk) -> Answer:
    """Half of the smallest order."""
    return code_of(killed(desk, desk.smallest / 2))


@probe(
    GROUP,
    "With which code is a size above the maximum refused?",
    assumed="102014",
    copes=Anything(),
)
def size_above_maximum(desk: Desk) -> Answer:
    """A lot more than the largest limit order."""
    return code_of(killed(desk, desk.instrument.max_limit_size + desk.instrument.lot))


def _limits(desk: Desk) -> tuple[Decimal, Decimal]:
    """The highest price that one may buy at, and the index price."""
    limits = desk.get("trade/order/price-range", instId=desk.instrument.inst_id, side="buy")
    marks = desk.public("market/mark-price", instId=desk.instrument.inst_id)
    if not (limits.ok and limits.row.get("maxPrice")):
        raise NotMeasuredError(f"no price limits are told: {limits.words}")
    return Decimal(limits.row["maxPrice"]), Decimal(marks.row["indexPrice"])


@probe(
    GROUP,
    "How far above the index price may one buy?",
    setting="price_band",
    copes=Anything(),
)
def price_band(desk: Desk) -> Answer:
    """By the venue's own word, as a share of the index price."""
    highest, index = _limits(desk)
    share = (highest / index - 1).quantize(Decimal("0.001")).normalize()
    return Answer(share, f"highest {highest:f}, index {index:f}")


@probe(
    GROUP,
    "With which code is a price beyond the limits refused?",
    assumed="102064",
    copes=Anything(),
)
def price_beyond_limits(desk: Desk) -> Answer:
    """A buy above the highest price, post-only: it may not take what is offered below it."""
    highest, _ = _limits(desk)
    price = desk.instrument.price(highest * Decimal("1.02"))
    _, reply = desk.send_order("buy", desk.smallest, price=price, orderType="post_only")
    return code_of(reply)


_TAKING = {
    "canceled": "it is accepted, then canceled",
    "refused": "it is refused",
    "filled": "it is filled",
}


def _outcome(desk: Desk, client_order_id: str, reply: Reply) -> Answer:
    if not reply.ok:
        return Answer("refused", reply.words)
    row = desk.eventually(lambda: _ended(desk, client_order_id))
    if not row:
        return Answer("rests", "it rests in the book")
    state = str(row["state"])
    return Answer("filled" if "filled" in state else "canceled", str(row.get("cancelSourceReason")))


def _ended(desk: Desk, client_order_id: str) -> dict[str, Any]:
    row = desk.order(client_order_id)
    return {} if row.get("state") in (None, "live") else row


@probe(
    GROUP,
    "What becomes of a post-only order that would take?",
    assumed="canceled",
    readings=_TAKING,
    copes=("refused",),
    advice="Do not set order_time_in_force to PO.",
)
def post_only_taking(desk: Desk) -> Answer:
    """A buy at a price above the best offer."""
    prices = desk.prices()
    price = desk.instrument.price(prices.ask * Decimal("1.002"))
    return _outcome(
        desk, *desk.send_order("buy", desk.smallest, price=price, orderType="post_only")
    )


@probe(
    GROUP,
    "What becomes of an IOC order that finds nobody?",
    assumed="canceled",
    readings=_TAKING,
    copes=("refused",),
    advice="Do not set order_time_in_force to IOC.",
)
def ioc_without_taker(desk: Desk) -> Answer:
    """A buy far below the market."""
    return _outcome(
        desk, *desk.send_order("buy", desk.smallest, price=desk.far_price(), orderType="ioc")
    )


@probe(
    GROUP,
    "What becomes of a FOK order that finds nobody?",
    assumed="canceled",
    readings=_TAKING,
    copes=("refused",),
    advice="Do not set order_time_in_force to FOK.",
)
def fok_without_taker(desk: Desk) -> Answer:
    """A buy far below the market."""
    return _outcome(
        desk, *desk.send_order("buy", desk.smallest, price=desk.far_price(), orderType="fok")
    )


@probe(
    GROUP,
    "What is the outer code when every order of a request is refused?",
    setting="order_failure",
    copes=("0", "102022"),
)
def order_failure(desk: Desk) -> Answer:
    """A reduce-only order with nothing to reduce."""
    if desk.position() or desk.position("sell"):
        raise NotMeasuredError("a position is open")
    _, reply = desk.send_order("sell", desk.smallest, closing=True, reduceOnly="true")
    if reply.ok:
        raise NotMeasuredError("a reduce-only order without a position was accepted")
    if not reply.rows:
        raise NotMeasuredError(f"refused as a whole: {reply.words}")
    return Answer(reply.outer, f"outer {reply.outer}, inner {reply.words}")


@probe(GROUP, "How is an unknown path answered?", assumed=NO_PERMISSION, copes=Anything())
def unknown_path(desk: Desk) -> Answer:
    """A path that no venue has."""
    inst_id = desk.instrument.inst_id
    return code_of(desk.get(NO_SUCH_PATH, expecting=(NO_PERMISSION,), instId=inst_id))


@probe(
    GROUP,
    "What does order-detail answer for an order that does not exist?",
    setting="unknown_detail",
    readings={"null": "data null", "empty": "an empty list", "refused": "a refusal"},
    copes=("empty", "refused"),
    advice="An order that nobody has placed is shown. Report it.",
)
def unknown_detail(desk: Desk) -> Answer:
    """By a clientOrderId that was never used."""
    reply = desk.get(
        "trade/order-detail",
        instId=desk.instrument.inst_id,
        clientOrderId=desk.journal.new_id(),
    )
    if not reply.ok:
        return Answer("refused", reply.words)
    if reply.rows:
        return Answer("a row", "an order is shown")
    return Answer("null" if reply.data is None else "empty")


@probe(
    GROUP,
    "With which code is the cancel of an unknown order refused?",
    assumed="102068",
    copes=Anything(),
)
def cancel_unknown(desk: Desk) -> Answer:
    """By a clientOrderId that was never used."""
    return code_of(desk.cancel(desk.journal.new_id()))


@probe(
    GROUP,
    "Is a nonce refused the second time?",
    assumed="152407",
    readings={"152407": "with 152407", ACCEPTED: "it is not"},
    copes=Anything(),
)
def nonce_twice(desk: Desk) -> Answer:
    """The same signed request, sent twice."""
    signed = desk.client.sign("account/positions", "private", "GET", {})
    first = desk.client.send(signed)
    if not first.ok:
        raise NotMeasuredError(first.words)
    return code_of(desk.client.send(signed, expecting=(REPEATED,)))


@probe(
    GROUP,
    "How far may a request's time be off?",
    assumed="30 s",
    readings={"30 s": "30 s are taken, 70 s refused", "70 s": "70 s are taken"},
    copes=("70 s", "5 s"),
    advice="Keep this machine's clock synchronised (NTP).",
)
def clock_off(desk: Desk) -> Answer:
    """Reads, signed with a time that is behind."""
    taken, said = [], []
    for seconds in SHIFTS_S:
        desk.client.shift_ms = -seconds * 1000
        try:
            reply = desk.get("account/positions", expecting=(EXPIRED,))
        finally:
            desk.client.shift_ms = 0
        said.append(f"{seconds} s: {reply.words}")
        if reply.ok:
            taken.append(seconds)
    return Answer(f"{max(taken)} s" if taken else "none", "; ".join(said))


PROBES = (
    price_off_tick,
    size_off_lot,
    size_below_minimum,
    size_above_maximum,
    price_band,
    price_beyond_limits,
    post_only_taking,
    ioc_without_taker,
    fok_without_taker,
    order_failure,
    unknown_path,
    unknown_detail,
    cancel_unknown,
    nonce_twice,
    clock_off,
)
