"""The owner's hand in the app, other bots, and positions that are not the bot's row."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from bubbybot_freqtrade.drills.desk import Desk
from bubbybot_freqtrade.drills.drill import Run, settle
from bubbybot_freqtrade.drills.market import BTC, ETH, inst_id
from bubbybot_freqtrade.drills.outside.case import (
    Case,
    by_hand,
    entered,
    held,
    live_stops,
    ours,
    size_held,
    want_stop,
)

FUNDING_LOOPS = 9
OF_ANOTHER_BOT = "ft0123456789abcdef0123456789abcd"


# Positions of other modes


def _cross_stranger(run: Run, desk: Desk, case: str) -> None:
    desk.open_position(ETH, marginMode="cross")
    desk.loop(2)
    run.must(len(live_stops(desk, ETH)) == 1, case, "it is bare after two loops")
    run.must(desk.enter(ETH) is None, case, "it was traded over")
    run.must(desk.enter(BTC) is not None, case, "other pairs are not traded any more")


# Closed, turned and added to


def _sold_whole(run: Run, desk: Desk, case: str) -> None:
    entered(desk, BTC)
    by_hand(desk, BTC, "sell", size_held(desk, BTC))
    desk.loop(3, minutes=0.6)
    run.must(ours(desk, BTC) is None, case, "the trade is still open")


def _sold_while_an_addition_waits(run: Run, desk: Desk, case: str) -> None:
    entered(desk, BTC)
    desk.enter(BTC, price=49_500.0, stake_amount=50.0, order_type="limit")
    desk.loop()
    desk.close_position(BTC)
    desk.loop(4, minutes=0.6)
    run.must(ours(desk, BTC) is None, case, "the trade is still open")
    waiting = list(desk.watch.account.live_orders(inst_id(BTC)))
    run.must(not waiting, case, "the addition may still fill")


def _sold_in_part(run: Run, desk: Desk, case: str) -> None:
    entered(desk, BTC)
    by_hand(desk, BTC, "sell", "4")
    desk.loop(3, minutes=0.6)
    run.must(size_held(desk, BTC) > 0, case, "the rest is gone")
    since = len(desk.log.lines)
    # What it advises.
    desk.exit(BTC)
    desk.loop(3)
    run.must(held(desk, BTC) is None, case, "the rest is still held")
    run.must(ours(desk, BTC) is None, case, "the trade is still open")
    errors = [line for line in desk.log.lines[since:] if line.startswith("ERROR")]
    run.must(not errors, case, f"it says {errors[:1]}")


def _sold_by_his_limit(run: Run, desk: Desk, case: str) -> None:
    entered(desk, BTC)
    order = {"orderType": "limit", "price": "50500", "clientOrderId": "byhand"}
    by_hand(desk, BTC, "sell", "12", **order)
    (resting,) = desk.watch.account.live_orders(inst_id(BTC))
    desk.sandbox.fill(resting.order_id, Decimal("2.2"))
    desk.loop(3, minutes=0.6)
    trade = ours(desk, BTC)
    run.must(trade is not None and trade.amount == 0.0077, case, f"after a part it is {trade}")
    desk.sandbox.fill(resting.order_id, Decimal("3.3"))
    # What it advises, before it has seen the second part.
    desk.exit(BTC)
    desk.loop(4, minutes=0.6)
    run.must(held(desk, BTC) is None, case, "the rest is still held")
    run.must(ours(desk, BTC) is None, case, "the trade is still open")
    body = {"instId": inst_id(BTC), "orderId": resting.order_id}
    desk.app("/trade/cancel-order", body)


def _turned_round(run: Run, desk: Desk, case: str) -> None:
    entered(desk, BTC)
    by_hand(desk, BTC, "sell", size_held(desk, BTC) + 5)
    position = held(desk, BTC)
    if position is not None:
        desk.foreign.append(position.position_id)
    desk.loop(3, minutes=0.6)
    run.must(ours(desk, BTC) is None, case, "the trade is still open")
    run.must(size_held(desk, BTC) == -5, case, f"{size_held(desk, BTC)} is held")
    run.must(len(live_stops(desk, BTC)) == 1, case, "what was turned round has no stop")
    run.must(desk.enter(BTC) is None, case, "it was traded over")


def _grown(run: Run, desk: Desk, case: str, **stop: str) -> None:
    entered(desk, BTC)
    position = held(desk, BTC)
    by_hand(desk, BTC, "buy", "15", **stop)
    if position is not None:
        desk.foreign.append(position.position_id)
    theirs = {
        order.tpsl_id for order in live_stops(desk, BTC) if desk.watch.is_by_hand(order.tpsl_id)
    }
    desk.loop(2, minutes=0.6)
    want_stop(desk, BTC, 49_400.0)
    desk.loop(2)
    left = {order.tpsl_id for order in live_stops(desk, BTC)}
    run.must(theirs <= left, case, "the owner's own stop is gone")


def _grown_bare(run: Run, desk: Desk, case: str) -> None:
    _grown(run, desk, case)


def _grown_with_stop(run: Run, desk: Desk, case: str) -> None:
    _grown(run, desk, case, slTriggerPrice="48000", slOrderPrice="-1")


def _target_beside_an_addition(run: Run, desk: Desk, case: str) -> None:
    entered(desk, BTC)
    desk.enter(BTC, price=49_500.0, order_type="limit", stake_amount=50.0)
    desk.loop(2)
    desk.loop(4, minutes=6)
    run.must(ours(desk, BTC) is None, case, "its target has not ended the trade")
    waiting = list(desk.watch.account.live_orders(inst_id(BTC)))
    run.must(not waiting, case, "the addition waits without a trade")
    desk.loop(4, minutes=6)
    run.must(held(desk, BTC) is None, case, f"{size_held(desk, BTC)} of no trade are held")


def _own_tight_stop(run: Run, desk: Desk, case: str) -> None:
    entered(desk, BTC)
    desk.cancel_stops(BTC)
    body = {"instId": inst_id(BTC), "marginMode": "isolated", "positionSide": "net"}
    stop = {"side": "sell", "size": "-1", "slTriggerPrice": "49700", "slOrderPrice": "-1"}
    desk.app("/trade/order-tpsl", {**body, **stop, "reduceOnly": "true"})
    desk.loop(3)
    prices = {order.tpsl.sl_trigger for order in live_stops(desk, BTC)}
    run.must(Decimal(49_700) in prices, case, f"stops are {prices}")


# Hedge mode


def _opposite_in_hedge_mode(run: Run, desk: Desk, case: str) -> None:
    entered(desk, BTC)
    before = set(desk.watch.account.positions)
    by_hand(desk, BTC, "sell", "20", positionSide="short", slTriggerPrice="55000")
    (key,) = set(desk.watch.account.positions) - before
    desk.foreign.append(desk.watch.account.positions[key].position_id)
    for _ in range(FUNDING_LOOPS):
        desk.loop(minutes=30)
    booked = [e for e in desk.watch.account.ledger.entries if e.kind == "funding"]
    run.must(len(booked) >= 2, case, "no funding was booked, so nothing was proved")
    run.must(ours(desk, BTC) is not None, case, "the long is gone")


def _entered_in_both_modes(desk: Desk) -> None:
    """The bot's long is isolated, its owner's is cross."""
    entered(desk, BTC)
    before = set(desk.watch.account.positions)
    by_hand(desk, BTC, "buy", "15", positionSide="long", marginMode="cross")
    (key,) = set(desk.watch.account.positions) - before
    desk.foreign.append(desk.watch.account.positions[key].position_id)
    desk.loop(3, minutes=0.6)


def _other_mode_in_hedge_mode(run: Run, desk: Desk, case: str) -> None:
    _entered_in_both_modes(desk)
    want_stop(desk, BTC, 49_400.0)
    stops = {stop.margin_mode: stop.tpsl.sl_trigger for stop in live_stops(desk, BTC)}
    run.must(stops.get("isolated") == Decimal(49_400) and "cross" in stops, case, f"{stops}")


def _one_mode_is_closed_in_hedge_mode(run: Run, desk: Desk, case: str, mode: str) -> None:
    _entered_in_both_modes(desk)
    sizes = {p.margin_mode: p.size for p in desk.watch.account.positions.values()}
    by_hand(desk, BTC, "sell", sizes[mode], positionSide="long", marginMode=mode)
    desk.loop(4, minutes=0.6)
    left = {p.margin_mode: p.size for p in desk.watch.account.positions.values()}
    stops = {stop.margin_mode for stop in live_stops(desk, BTC)}
    run.must(stops == set(left) == set(sizes) - {mode}, case, f"{left} with stops in {stops}")
    is_open = ours(desk, BTC) is not None
    run.must(is_open == (mode == "cross"), case, f"the trade is {'' if is_open else 'not '}open")


def _lost_short_in_hedge_mode(run: Run, desk: Desk, case: str) -> None:
    entered(desk, BTC)
    desk.end()
    before = set(desk.watch.account.positions)
    leverage = {"leverage": "20", "marginMode": "isolated", "positionSide": "short"}
    desk.app("/account/set-leverage", {"instId": inst_id(BTC), **leverage})
    by_hand(desk, BTC, "sell", "15", positionSide="short")
    (key,) = set(desk.watch.account.positions) - before
    desk.foreign.append(desk.watch.account.positions[key].position_id)
    desk.pass_time(12)
    desk.start()
    desk.loop(4, minutes=0.3)
    run.must(ours(desk, BTC) is not None, case, "the bot's long went for its owner's short")


# Others on the account


def _another_bot(run: Run, desk: Desk, case: str) -> None:
    name = {"clientOrderId": OF_ANOTHER_BOT}
    desk.open_position(ETH, slTriggerPrice="1900", slOrderPrice="-1", **name)
    before = sum(desk.watch.requests.values())
    desk.loop(4)
    asked = sum(desk.watch.requests.values()) - before
    run.must(desk.enter(ETH, "short") is None, case, "it was traded over")
    run.must(desk.said("warning", ETH), case, "nobody was told")
    quiet = sum(desk.watch.requests.values())
    desk.loop(10)
    later = sum(desk.watch.requests.values()) - quiet
    run.must(later <= 3 * max(asked, 1), case, f"{later} requests in ten loops")


def _another_bot_closes(run: Run, desk: Desk, case: str) -> None:
    since = len(desk.log.lines)
    entered(desk, BTC)
    by_hand(desk, BTC, "sell", size_held(desk, BTC), clientOrderId=OF_ANOTHER_BOT)
    desk.loop(6, minutes=0.6)
    run.must(ours(desk, BTC) is None, case, "the trade is still open")
    named = [line for line in desk.log.lines[since:] if OF_ANOTHER_BOT[:8] in line]
    run.must(len(named) == 1, case, f"the other bot is named {len(named)} times")
    # It has nothing there any more.
    run.must(desk.enter(BTC, "short") is not None, case, "the pair is not traded any more")


def _restored_backup(run: Run, desk: Desk, case: str) -> None:
    backup = desk.folder / "backup.sqlite"
    entered(desk, BTC)
    desk.end()
    _copy(desk.folder / "trades.sqlite", backup)
    desk.start()
    desk.loop()
    desk.exit(BTC)
    desk.loop(2, minutes=0.6)
    entered(desk, BTC, stake_amount=60.0)
    entered(desk, ETH, "short")
    settle(desk)
    desk.end()
    _copy(backup, desk.folder / "trades.sqlite")
    desk.restart(1)
    desk.loop(3, minutes=0.6)
    run.must(desk.unknown() == [], case, f"the database does not know {desk.unknown()}")


def _copy(source: Path, target: Path) -> None:
    """A database as its owner would save and restore it, journal included."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


_HEDGED: Mapping[str, Any] = {
    "settings": {"position_mode": "long_short_mode"},
    "config": {"exchange": {"position_mode": "long_short_mode"}},
}

CASES = (
    Case(5, "an account in Multi-Position mode", settings={"multi_position": True},
         refusal="Multi"),
    Case(5, "a cross position beside an isolated bot", _cross_stranger, books=False),
    Case(6, "the owner sells all with an ordinary order", _sold_whole),
    Case(6, "the owner closes a position while an addition waits", _sold_while_an_addition_waits,
         config={"position_adjustment_enable": True,
                 "unfilledtimeout": {"entry": 90, "exit": 5, "unit": "minutes"}}),
    Case(6, "the owner sells a part with an ordinary order", _sold_in_part),
    Case(6, "the owner's limit sells in parts", _sold_by_his_limit),
    Case(6, "a target is reached beside an addition", _target_beside_an_addition,
         prices={BTC: [(0, 50_000), (3, 50_000), (5, 52_600), (24, 52_600), (40, 49_200)]},
         config={"position_adjustment_enable": True,
                 "unfilledtimeout": {"entry": 90, "exit": 5, "unit": "minutes"}}),
    Case(6, "the owner turns the position round", _turned_round, books=False),
    Case(7, "the owner adds without a stop", _grown_bare, books=False),
    Case(7, "the owner adds with a stop", _grown_with_stop, books=False),
    Case(14, "the owner's short beside the bot's long in hedge mode", _opposite_in_hedge_mode,
         **_HEDGED),
    Case(5, "the owner's position in the other margin mode beside the trade's",
         _other_mode_in_hedge_mode, books=False, **_HEDGED),
    *(
        Case(5, f"of two margin modes the {whose} position is closed by hand",
             partial(_one_mode_is_closed_in_hedge_mode, mode=mode), books=False, **_HEDGED)
        for whose, mode in (("trade's", "isolated"), ("owner's", "cross"))
    ),
    Case(5, "the owner's short has lost beside the bot's long", _lost_short_in_hedge_mode,
         prices={BTC: [(0, 50_000), (2, 50_000), (9, 51_000)]}, books=False,
         **_HEDGED),
    Case(15, "the owner's stop for the whole position, its size padded", _own_tight_stop,
         settings={"tpsl_sizes": "padded"}),
    Case(21, "another bot on the account", _another_bot),
    Case(21, "another bot closes the position", _another_bot_closes),
    Case(22, "a database older than the account", _restored_backup),
)  # fmt: skip
