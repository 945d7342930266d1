"""What the websocket tells of the account: how soon, in which order, and beside which answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from statistics import median
from typing import Any

from bubbybot_freqtrade.sandbox.readings import ANY_ORDER, PRIVATE_CHANNELS
from bubbybot_freqtrade.verify.client import Reply
from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.probe import Answer, Anything, UpTo, probe
from bubbybot_freqtrade.verify.probes import delays
from bubbybot_freqtrade.verify.stream import Row, Stream, open_stream
from bubbybot_freqtrade.verify.view import NotMeasuredError

GROUP = "pushes"
# Until an entry's own pushes are through, and how long the position is then left alone.
STILL_S, PUSHES_S = 2.0, 20
# By how much a push has to be ahead of an answer: two connections have their own ways, and the
# threads that read them their own turns.
AHEAD_MS = 20
PUSHED_LATE = (
    "The bot does not trade by pushes, and asks in every loop for what is not pushed within six "
    "seconds. If candles come late too, set exchange.enable_ws to false."
)
Tells = Mapping[str, Callable[[Any], bool]]
"""By channel, whether a row tells of an event."""


def _has(stream: Stream, channel: str, tells: Callable[[Any], bool]) -> bool:
    return any(map(tells, stream.rows(channel)))


def _is_of(order_id: str, row: Any) -> bool:
    return bool(row.get("clientOrderId") == order_id)


def _is_fill_of(order_id: str, row: Any) -> bool:
    return _is_of(order_id, row) and Decimal(row.get("filledSize") or 0) > 0


@probe(
    GROUP,
    "How long until orders, fills and TP/SLs are pushed on the websocket?",
    setting="push_delay_ms",
    readings=delays.WORDS,
    copes=UpTo(delays.BOT_WAITS_MS),
    advice=PUSHED_LATE,
)
def push_delay(desk: Desk) -> Answer:
    """Ten orders far from the market, ten round trips, ten TP/SLs beside an entry's."""
    orders, fills, tpsls = delays.Delays(), delays.Delays(), delays.Delays()
    with open_stream(desk, private=True) as stream:
        stream.subscribe("orders", desk.instrument.inst_id)
        stream.subscribe("orders-algo", desk.instrument.inst_id)
        for order_id, reply in delays.waiting_orders(desk):
            look = partial(_has, stream, "orders", partial(_is_of, order_id))
            orders.sample(desk, reply.answered_ms, {"orders": look})
            desk.cancel(order_id)

        def filled(order_id: str, reply: Reply) -> None:
            look = partial(_has, stream, "orders", partial(_is_fill_of, order_id))
            fills.sample(desk, reply.answered_ms, {"fills": look})

        delays.round_trips(desk, filled, filled)
        with desk.long():
            for tpsl_id, reply in delays.lone_tpsls(desk):
                look = partial(_has, stream, "orders-algo", partial(_is_of, tpsl_id))
                tpsls.sample(desk, reply.answered_ms, {"TP/SLs": look})
                desk.cancel_tpsl(str(reply.row["tpslId"]))
    orders.by_place |= fills.by_place | tpsls.by_place
    return orders.answer()


@probe(
    GROUP,
    "Is what a request has changed pushed before the request is answered?",
    setting="push_before_answer",
    readings={False: "after the answer, or with it", True: "before the answer"},
    copes=(True,),
)
def push_before_answer(desk: Desk) -> Answer:
    """Ten orders far from the market, on the channel `orders`."""
    ahead_ms = []
    with open_stream(desk, private=True) as stream:
        stream.subscribe("orders", desk.instrument.inst_id)
        for order_id, reply in delays.waiting_orders(desk):
            push = desk.eventually(partial(_first, stream, 0, "orders", partial(_is_of, order_id)))
            if push is None:
                raise NotMeasuredError("an order was not pushed")
            ahead_ms.append((reply.heard_at - push.heard_at) * 1000)
            desk.cancel(order_id)
    middle = median(ahead_ms)
    where = f"{abs(middle):.0f} ms {'before' if middle > 0 else 'after'} it"
    return Answer(middle > AHEAD_MS, f"median {where}, of {len(ahead_ms)}")


def _first(stream: Stream, since: int, channel: str, tells: Callable[[Any], bool]) -> Row | None:
    rows = stream.pushed()[since:]
    return next((row for row in rows if row.channel == channel and tells(row.data)), None)


@probe(
    GROUP,
    "In which order do the channels tell what one event has changed?",
    setting="push_order",
    readings={ANY_ORDER: "another one each time"},
    copes=Anything(),
)
def push_order(desk: Desk) -> Answer:
    """Ten positions, opened with a stop and closed at the market, on all private channels."""
    events = []
    with open_stream(desk, private=True) as stream:
        for channel in PRIVATE_CHANNELS:
            stream.subscribe(channel)
        for _ in range(delays.SAMPLES):
            events += _round_trip_orders(desk, stream)
    orders = list(dict.fromkeys(events))
    reading = orders[0] if len(orders) == 1 else ANY_ORDER
    return Answer(reading, f"{len(orders)} in {len(events)} events")


def _round_trip_orders(desk: Desk, stream: Stream) -> list[str]:
    """In which order an entry was told of, and then its exit."""
    since, wallet = len(stream.pushed()), _wallet(stream)
    entry_id, reply = desk.send_order("buy", desk.smallest)
    entered = _order_of(desk, stream, since, _told(desk, entry_id, reply, wallet, is_open=True))
    since, wallet = len(stream.pushed()), _wallet(stream)
    exit_id, reply = desk.send_order("sell", desk.smallest, closing=True, reduceOnly="true")
    left = _order_of(desk, stream, since, _told(desk, exit_id, reply, wallet, is_open=False))
    if not desk.eventually(lambda: not desk.position()):
        raise NotMeasuredError("the closed position is still shown")
    return [entered, left]


def _told(desk: Desk, order_id: str, reply: Reply, wallet: str, *, is_open: bool) -> Tells:
    """What each channel says of a fill that has opened a position, or closed it.

    Positions and account may be pushed for their prices meanwhile: they count once they have
    changed. A fee changes the wallet.
    """
    if not reply.ok:
        raise NotMeasuredError(reply.words)
    inst_id = desk.instrument.inst_id
    return {
        "orders": partial(_is_fill_of, order_id),
        "orders-algo": lambda row: row["instId"] == inst_id and (row["state"] == "live") == is_open,
        "positions": lambda row: (
            row["instId"] == inst_id and bool(Decimal(row["positions"])) == is_open
        ),
        "account": lambda row: _balance(row) != wallet,
    }


def _balance(row: Mapping[str, Any]) -> str:
    """USDT in the wallet, as an account was pushed."""
    return next(str(one["balance"]) for one in row["details"] if one["currency"] == "USDT")


def _wallet(stream: Stream) -> str:
    """The same, as it was pushed last; empty where it never was."""
    accounts = stream.rows("account")
    return _balance(accounts[-1]) if accounts else ""


def _order_of(desk: Desk, stream: Stream, since: int, told: Tells) -> str:
    """The channels as they have told of an event, apart by commas."""

    def places() -> dict[str, int] | None:
        found: dict[str, int] = {}
        for place, row in enumerate(stream.pushed()[since:]):
            if row.channel not in found and told[row.channel](row.data):
                found[row.channel] = place
        return found if len(found) == len(told) else None

    found = desk.eventually(places)
    if found is None:
        raise NotMeasuredError("a channel does not tell of a fill")
    return ",".join(sorted(found, key=lambda channel: found[channel]))


@probe(
    GROUP,
    "Is a position pushed on the websocket as prices move its value?",
    setting="position_pushes",
    readings={
        "with_price": "pushed again and again while nothing but its price changes",
        "with_change": "not pushed while nothing but its price changes",
    },
    copes=("with_change",),
    advice="The bot copes: with exchange.account_stream it asks in every loop while a position is "
    "held, since a quiet websocket can't be told from a mute one.",
)
def position_pushes(desk: Desk) -> Answer:
    """One position, left alone, on the channel `positions`."""
    with open_stream(desk, private=True) as stream, desk.long():
        stream.subscribe("positions", desk.instrument.inst_id)
        desk.clock.sleep(STILL_S)
        before = len(stream.rows("positions"))
        for _ in range(PUSHES_S):
            desk.clock.sleep(1)
        pushed = len(stream.rows("positions")) - before
    figures = f"{pushed} pushes in {PUSHES_S} s"
    return Answer("with_price" if pushed else "with_change", figures)


PROBES = (push_delay, push_before_answer, push_order, position_pushes)
