"""Pairs that are gone, with a trade of theirs open."""

from __future__ import annotations

from freqtrade.rpc import RPC

from bubbybot_freqtrade.drills.desk import Desk
from bubbybot_freqtrade.drills.drill import Run
from bubbybot_freqtrade.drills.market import BTC, ETH
from bubbybot_freqtrade.drills.outside.case import Case, entered, live_stops, ours


def _gone(run: Run, desk: Desk, case: str) -> None:
    entered(desk, BTC)
    entered(desk, ETH, "short")
    desk.sandbox.change_instrument("BTC-USDT", state="gone")
    desk.loop(2, minutes=0.6)
    _others_are_cared_for(run, desk, case)
    RPC(desk.bot)._rpc_trade_status()
    # Long enough for freqtrade to read the markets anew.
    for _ in range(3):
        desk.loop(2, minutes=31)
    _others_are_cared_for(run, desk, case)
    desk.restart()
    desk.loop(3, minutes=0.6)
    _others_are_cared_for(run, desk, case)
    run.must(ours(desk, BTC) is None, case, "the trade of the pair that is gone is still open")


def _others_are_cared_for(run: Run, desk: Desk, case: str) -> None:
    if desk.stopped:
        return
    desk.cancel_stops(ETH)
    # Where pushes are late this loop may have nothing to look at yet; they wake the next one.
    desk.loop(2)
    run.must(len(live_stops(desk, ETH)) == 1, case, "other trades are not cared for any more")


CASES = (Case(8, "a pair is delisted with its trade open", _gone),)
