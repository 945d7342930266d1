"""What a bot that listens to its account does when the private websocket fails.

Whatever is pushed, late, twice, in another order or never: the laws are those of a bot that asks.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from bubbybot_freqtrade.blofin.exchange.pushed_rows import LIST_OF_CHANNEL
from bubbybot_freqtrade.drills.desk import Desk
from bubbybot_freqtrade.drills.drill import Run, leave, settle
from bubbybot_freqtrade.drills.market import BTC, ETH, inst_id, quiet
from bubbybot_freqtrade.sandbox.api.streams import StreamFaults

Act = Callable[[Desk], None]

FAULTS: dict[str, StreamFaults] = {
    "whole": StreamFaults(),
    "silent": StreamFaults(silent=True),
    "slow": StreamFaults(delay_ms=100),
    "out of order": StreamFaults(shuffle=True),
    "twice": StreamFaults(twice=True),
    "without stops": StreamFaults(mute=("orders-algo",)),
    "without orders and positions": StreamFaults(mute=("orders", "positions")),
    "refused": StreamFaults(refuse=True),
}
# Loops of 5 s. A websocket that is up and keeps its pushes to itself looks like a quiet account for
# 5 s (`exchange.account_stream_silence`); that long the bot can't know what it was not told.
LOOPS_AFTER = 6
A_DAY = "a day, its account stream another one every hour"
HOURS = 24
# Of an hour with one event: loops of a bot that waits, so far apart.
LOOPS_OF_THE_REST, MINUTES_BETWEEN = 10, 5


def account_streams(run: Run) -> None:
    """Every event of an account under every fault of its websocket, then peace again."""
    events: dict[str, Act] = {
        "the owner cancels the stop": _cancel,
        "an entry fills in parts": _fill_in_parts,
        "an entry fills in parts around a gap": _fill_around_a_gap,
        "the owner closes the position": _close,
    }
    _play_all(run, events)
    if run.cases(A_DAY):
        _play_a_day(run, events)
    # A position that is not the trade's alone: its money can't be either, then or later.
    _play_all(run, {"the owner adds to the position": _add}, books=False)


def _play_all(run: Run, events: dict[str, Act], *, books: bool = True) -> None:
    cases = [
        (case, faults, act)
        for fault, faults in FAULTS.items()
        for event, act in events.items()
        if run.cases(case := f"{event}, account stream {fault}")
    ]
    if not cases:
        return
    with run.desk() as desk:
        desk.start(exchange={"account_stream": True})
        desk.loop()
        for case, faults, act in cases:
            _play(run, desk, case, faults, act)
            run.check(desk, case, books=books)
            run.say(case)
        missed = desk.bot.exchange.real_time.quiet.trust.missed
        run.figures.notes.append(f"{missed} changes found that no push told of")


def _play_a_day(run: Run, events: dict[str, Act]) -> None:
    """An event an hour under a fault, which goes on while little happens: drawn by the seed."""
    draw = Random(f"{A_DAY} {run.seed}")  # noqa: S311 - a drill
    with run.desk(quiet((HOURS + 4) * 60)) as desk:
        desk.start(exchange={"account_stream": True})
        desk.loop()
        for hour in range(HOURS):
            fault, event = draw.choice(list(FAULTS)), draw.choice(list(events))
            case = f"{A_DAY}: {hour + 1}, {event}, {fault}"
            _play(run, desk, case, FAULTS[fault], events[event])
            desk.enter(BTC)
            desk.sandbox.streams.faults = FAULTS[fault]
            for _ in range(LOOPS_OF_THE_REST):
                desk.loop(minutes=MINUTES_BETWEEN)
            desk.sandbox.streams.faults = StreamFaults()
            settle(desk)
            leave(desk)
            run.check(desk, case)
        run.say(A_DAY)


def _play(run: Run, desk: Desk, case: str, faults: StreamFaults, act: Act) -> None:
    desk.enter(BTC)
    desk.loop(3)
    desk.sandbox.streams.faults = faults
    if faults.refuse:
        desk.sandbox.streams.drop()
    act(desk)
    desk.loop(LOOPS_AFTER, able=not (faults.silent or _is_relied_on(desk, faults)))
    for position in list(desk.watch.account.positions.values()):
        stops = list(desk.watch.account.live_tpsl(position.inst_id))
        run.must(bool(stops), case, f"{position.inst_id} has no stop after half a minute")
    desk.sandbox.streams.faults = StreamFaults()
    settle(desk)
    leave(desk)
    desk.close_position(BTC)
    desk.close_position(ETH)
    settle(desk)


def _is_relied_on(desk: Desk, faults: StreamFaults) -> bool:
    """Whether a channel falls silent that has proven itself: the next check finds that out."""
    trust = desk.bot.exchange.real_time.quiet.trust
    return any(trust.is_earned(LIST_OF_CHANNEL[channel]) for channel in faults.mute)


def _cancel(desk: Desk) -> None:
    desk.cancel_stops(BTC)


def _fill_in_parts(desk: Desk) -> None:
    desk.enter(ETH, price=1_950.0, order_type="limit")
    for order in [o for o in desk.watch.account.live_orders() if o.inst_id == inst_id(ETH)]:
        desk.sandbox.fill(order.order_id, (order.size / 3).to_integral_value(), uid=desk.key.uid)
        desk.loop()
        desk.sandbox.fill(order.order_id, uid=desk.key.uid)


def _fill_around_a_gap(desk: Desk) -> None:
    desk.enter(ETH, price=1_950.0, order_type="limit")
    for order in [o for o in desk.watch.account.live_orders() if o.inst_id == inst_id(ETH)]:
        desk.sandbox.streams.drop()
        desk.sandbox.fill(order.order_id, (order.size / 3).to_integral_value(), uid=desk.key.uid)
        desk.loop()
        desk.sandbox.streams.drop()
        desk.sandbox.fill(order.order_id, uid=desk.key.uid)


def _close(desk: Desk) -> None:
    desk.close_position(BTC)


def _add(desk: Desk) -> None:
    body = {"instId": inst_id(BTC), "marginMode": "isolated", "positionSide": "net", "side": "buy"}
    desk.app("/trade/order", {**body, "orderType": "market", "size": "5"})
