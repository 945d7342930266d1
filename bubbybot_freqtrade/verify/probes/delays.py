"""How soon what was done is seen: in detail, pending list and history."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from statistics import median
from typing import Any

from bubbybot_freqtrade.verify.client import Reply
from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.probe import Answer, UpTo, probe
from bubbybot_freqtrade.verify.probes.attached import own_tpsl
from bubbybot_freqtrade.verify.probes.stops import detail_path, shown_by
from bubbybot_freqtrade.verify.view import LOOK_EVERY_S, PATIENCE_S, NotMeasuredError

GROUP = "delays"
SAMPLES = 10
# The extension looks for what it has placed for this long before it believes that it is not there.
BOT_WAITS_MS = 5_000
# Between two looks; a delay is known no better. What answers slower than that tells no delay.
FINEST_MS = 1_400
# Below the time between two requests, a delay is none.
AT_ONCE_MS = 350
# Before an end whose delay is measured: the looks after it must not wait for this client's own
# limit of trading requests.
BREATH_S = 2.0
LATE = "The bot would take what it has just placed for missing. Report the delay."
WORDS = {0: "seen at once"}
Look = Callable[[], Any]
Looks = Mapping[str, Look]
"""What to call to see something, by the place where it looks."""


class Delays:
    """Milliseconds by place, of every sample."""

    def __init__(self) -> None:
        self.by_place: dict[str, list[int]] = {}

    def sample(self, desk: Desk, since_ms: int, looks: Looks) -> None:
        """Look at every place in turn until all have shown it.

        :raises NotMeasuredError: when one never does, or looks came too far apart
        """
        end = since_ms + PATIENCE_S * 1000
        # A place of its own looks first each time: those behind it are asked a request later.
        turn = len(next(iter(self.by_place.values()), ())) % len(looks)
        names = [*looks][turn:] + [*looks][:turn]
        missed: dict[str, int] = {}
        while names:
            for name in tuple(names):
                asked = desk.clock.elapsed_ms()
                if looks[name]():
                    names.remove(name)
                    delay = _between(since_ms, missed.get(name), asked)
                    self.by_place.setdefault(name, []).append(delay)
                elif asked > end:
                    raise NotMeasuredError(f"{name}: not seen within {PATIENCE_S:.0f} s")
                else:
                    missed[name] = asked
            if names:
                desk.clock.sleep(LOOK_EVERY_S)

    def answer(self) -> Answer:
        """The worst of all places, which is what a bot has to live with."""
        told = (
            f"{name}: median {median(delays):.0f} ms, worst {max(delays)} ms of {len(delays)}"
            for name, delays in self.by_place.items()
        )
        worst = max(max(delays) for delays in self.by_place.values())
        return Answer(worst if worst > AT_ONCE_MS else 0, "; ".join(told))


def _between(since_ms: int, missed_ms: int | None, seen_ms: int) -> int:
    """0 when the first look saw it; the time of a look is that of its request."""
    if seen_ms - (since_ms if missed_ms is None else missed_ms) > FINEST_MS:
        raise NotMeasuredError("the venue answers too slowly to measure a delay")
    return 0 if missed_ms is None else seen_ms - since_ms


def _accepted(reply: Reply) -> Reply:
    if not reply.ok:
        raise NotMeasuredError(reply.words)
    return reply


def waiting_orders(desk: Desk) -> Iterator[tuple[str, Reply]]:
    """Ten orders far from the market: our id and the answer."""
    price = desk.far_price()
    stop = desk.stop_for("buy", price)
    for _ in range(SAMPLES):
        order_id, reply = desk.send_order("buy", desk.smallest, price=price, **stop)
        yield order_id, _accepted(reply)


@probe(
    GROUP,
    "How long is a new order missing from detail and pending list?",
    setting="order_delay_ms",
    readings=WORDS,
    copes=UpTo(BOT_WAITS_MS),
    advice=LATE,
)
def order_delay(desk: Desk) -> Answer:
    """Ten orders far from the market, each canceled again."""
    placed = Delays()
    for order_id, reply in waiting_orders(desk):
        pending = partial(_listed, desk, "orders-pending", "clientOrderId", order_id)
        looks: Looks = {"detail": partial(desk.order, order_id), "pending": pending}
        placed.sample(desk, reply.answered_ms, looks)
        _accepted(desk.cancel(order_id))
    return placed.answer()


def _listed(desk: Desk, name: str, field: str, value: str) -> bool:
    return any(str(row.get(field)) == value for row in desk.rows(f"trade/{name}", limit=20))


@probe(
    GROUP,
    "How long is a new TP/SL missing from detail and pending list?",
    setting="tpsl_delay_ms",
    readings=WORDS,
    copes=UpTo(BOT_WAITS_MS),
    advice=LATE,
)
def tpsl_delay(desk: Desk) -> Answer:
    """Ten beside the entry's on one position, each canceled again; detail where there is a path."""
    placed = Delays()
    with desk.long() as long:
        path = detail_path(desk, str(own_tpsl(desk, long.entry_id)["tpslId"]))
        for tpsl_id, reply in lone_tpsls(desk):
            looks: dict[str, Look] = {"pending": partial(desk.tpsl_of, tpsl_id)}
            venue_id = str(reply.row["tpslId"])
            if path:
                looks["detail"] = partial(shown_by, desk, path, venue_id)
            placed.sample(desk, reply.answered_ms, looks)
            _accepted(desk.cancel_tpsl(venue_id))
    return placed.answer()


def lone_tpsls(desk: Desk) -> Iterator[tuple[str, Reply]]:
    """Ten TP/SLs of the smallest size: our id and the answer."""
    stop = desk.stop_for("buy")
    for _ in range(SAMPLES):
        tpsl_id, reply = desk.send_tpsl("sell", desk.smallest, **stop)
        yield tpsl_id, _accepted(reply)


def round_trips(
    desk: Desk, opened: Callable[[str, Reply], None], closed: Callable[[str, Reply], None]
) -> None:
    """Ten positions, opened and closed at the market; each order's id and answer are handed on."""
    for _ in range(SAMPLES):
        order_id, reply = desk.send_order("buy", desk.smallest)
        opened(order_id, _accepted(reply))
        if not desk.has_filled(order_id):
            raise NotMeasuredError("a market order did not fill")
        order_id, reply = desk.send_order("sell", desk.smallest, closing=True, reduceOnly="true")
        closed(order_id, _accepted(reply))
        if not desk.has_filled(order_id):
            raise NotMeasuredError("the position does not close")
        if not desk.eventually(lambda: not desk.position()):
            raise NotMeasuredError("the closed position is still shown")


@probe(
    GROUP,
    "How far is the list of positions behind a fill?",
    setting="position_delay_ms",
    readings=WORDS,
    copes=UpTo(BOT_WAITS_MS),
    advice=LATE,
)
def position_delay(desk: Desk) -> Answer:
    """Ten positions, opened and closed at the market."""
    opening, closing = Delays(), Delays()
    round_trips(
        desk,
        lambda _, reply: opening.sample(desk, reply.answered_ms, {"opened": desk.position}),
        lambda _, reply: closing.sample(
            desk, reply.answered_ms, {"closed": lambda: not desk.position()}
        ),
    )
    opening.by_place |= closing.by_place
    return opening.answer()


@probe(
    GROUP,
    "How long is a fill missing from detail and history?",
    setting="fill_delay_ms",
    readings=WORDS,
    copes=UpTo(BOT_WAITS_MS),
    advice=LATE,
)
def fill_delay(desk: Desk) -> Answer:
    """Ten positions, opened and closed at the market.

    In the detail counted from when the order itself is shown.
    """
    history, detail = Delays(), Delays()

    def opened(order_id: str, reply: Reply) -> None:
        fills = partial(_listed, desk, "fills-history", "orderId", str(reply.row["orderId"]))
        history.sample(desk, reply.answered_ms, {"history": fills})

    def closed(order_id: str, reply: Reply) -> None:
        desk.placed(order_id)
        shown_ms = desk.clock.elapsed_ms()
        detail.sample(desk, shown_ms, {"detail": partial(_is_filled, desk, order_id)})

    round_trips(desk, opened, closed)
    history.by_place |= detail.by_place
    return history.answer()


def _is_filled(desk: Desk, order_id: str) -> bool:
    return desk.order(order_id).get("state") == "filled"


@probe(
    GROUP,
    "How long do lists show an order or TP/SL as it was, once it has filled or was canceled?",
    setting="list_delay_ms",
    readings=WORDS,
    copes=UpTo(BOT_WAITS_MS),
    advice="The bot would take a stop that is gone for one that stands. Report the delay.",
)
def list_delay(desk: Desk) -> Answer:
    """Ten orders and TP/SLs that are canceled once they are listed, ten closings at the market.

    Until the pending list shows them no more, and what was canceled is in the history.
    """
    orders, tpsls, closings = Delays(), Delays(), Delays()
    for order_id, _ in waiting_orders(desk):
        ends = partial(_ends, desk, "orders", "clientOrderId", order_id)
        orders.sample(desk, *ends(desk.cancel))

    def closed(order_id: str, reply: Reply) -> None:
        desk.placed(order_id)
        gone = partial(_is_gone, desk, "orders", "clientOrderId", order_id)
        closings.sample(desk, desk.clock.elapsed_ms(), {"filled": gone})

    round_trips(desk, lambda *_: desk.clock.sleep(BREATH_S), closed)
    with desk.long():
        for _, reply in lone_tpsls(desk):
            tpsl_id = str(reply.row["tpslId"])
            ends = partial(_ends, desk, "orders-tpsl", "tpslId", tpsl_id)
            tpsls.sample(desk, *ends(desk.cancel_tpsl))
    orders.by_place |= tpsls.by_place | closings.by_place
    return orders.answer()


def _ends(
    desk: Desk, name: str, field: str, value: str, cancel: Callable[[str], Reply]
) -> tuple[int, Looks]:
    """Cancel something that is listed: since when, and where that is to be seen."""
    if not desk.eventually(partial(_listed, desk, f"{name}-pending", field, value)):
        raise NotMeasuredError("what was accepted is not listed")
    desk.clock.sleep(BREATH_S)
    canceled = _accepted(cancel(value))
    return canceled.answered_ms, {
        f"{name}-pending": partial(_is_gone, desk, name, field, value),
        f"{name}-history": partial(_listed, desk, f"{name}-history", field, value),
    }


def _is_gone(desk: Desk, name: str, field: str, value: str) -> bool:
    return not _listed(desk, f"{name}-pending", field, value)


PROBES = (
    order_delay,
    tpsl_delay,
    position_delay,
    fill_delay,
    list_delay,
)
