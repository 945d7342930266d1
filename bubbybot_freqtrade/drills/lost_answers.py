"""Every private POST that the extension sends takes effect, and its answer never comes.

The bot must find out what became of the request before it decides anything: no order twice, no
position without trade or stop, no trade without position.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from freqtrade.exceptions import FreqtradeException

from bubbybot_freqtrade.drills.desk import CLIENT_TIMEOUT_MS, Desk
from bubbybot_freqtrade.drills.drill import Run, leave, settle
from bubbybot_freqtrade.drills.market import BTC, ETH, SOL
from bubbybot_freqtrade.sandbox.api.request_log import LoggedRequest

KINDS: dict[str, dict[str, Any]] = {
    "timeout": {"kind": "lost_timeout", "delay_ms": 2 * CLIENT_TIMEOUT_MS},
    "reset": {"kind": "lost_reset"},
    "502 after effect": {"kind": "lost_http", "status": 502},
    "truncated body": {"kind": "lost_truncated"},
    # The answer is lost and so is everything after it for a while.
    "outage": {"kind": "lost_reset"},
}
OUTAGE_REQUESTS = 12


def lost_answers(run: Run) -> None:
    """All POSTs under all kinds of loss."""
    for kind in KINDS:
        for part in (_entries_and_exits, _replaced_stops, _account_modes):
            part(run, kind)


def _lose(desk: Desk, kind: str, path: str) -> None:
    """The next answer to a POST of `path` is lost."""
    desk.fault(path=f"*/{path}", method="POST", times=1, **KINDS[kind])
    if kind != "outage":
        return

    def cut_off(entry: LoggedRequest) -> None:
        if entry.fault == "lost_reset":
            desk.watch.on_request = lambda _: None
            desk.fault(kind="reset", times=OUTAGE_REQUESTS)

    desk.watch.on_request = cut_off


def _case(run: Run, desk: Desk, kind: str, path: str, act: Callable[[], Any]) -> None:
    """One POST whose answer is lost while `act` happens, and what the laws say afterwards."""
    case = f"{path} / {kind}"
    if not run.cases(case) or desk.stopped:
        return
    before = desk.watch.faults.total()
    _lose(desk, kind, path)
    act()
    # Rules of the extension are about a loop in which the venue answers.
    desk.loop(able=kind != "outage")
    run.must(desk.watch.faults.total() > before, case, "was never sent, so nothing was proved")
    settle(desk)
    run.check(desk, case)


def _entries_and_exits(run: Run, kind: str) -> None:
    with run.desk() as desk:
        desk.start()
        desk.loop()
        _case(run, desk, kind, "account/set-leverage", lambda: desk.enter(BTC))
        leave(desk)
        _case(run, desk, kind, "trade/order", lambda: desk.enter(ETH, "short"))
        leave(desk)
        desk.enter(SOL)
        desk.loop(2)
        stop = {SOL: 149.0}
        _case(run, desk, kind, "trade/amend-tpsl", lambda: _want(desk, stop))
        _case(run, desk, kind, "trade/order", lambda: desk.exit(SOL))
        leave(desk)
        desk.enter(ETH, price=1_900.0, order_type="limit")
        desk.loop()
        _case(run, desk, kind, "trade/cancel-order", lambda: desk.pass_time(6))
        leave(desk)
        settle(desk)
        run.check(desk, f"everything closed / {kind}")


def _want(desk: Desk, stops: dict[str, float]) -> None:
    """Let the strategy want stops; freqtrade takes them in one loop, the venue in the next."""
    desk.bot.strategy.stop_at = stops
    desk.loop(minutes=1.1)


def _replaced_stops(run: Run, kind: str) -> None:
    with run.desk(amend_tpsl=False) as desk:
        desk.start()
        desk.loop()
        desk.enter(BTC)
        desk.enter(ETH, "short")
        desk.loop(2)
        first, second = {BTC: 49_300.0}, {BTC: 49_500.0}
        _case(run, desk, kind, "trade/order-tpsl", lambda: _want(desk, first))
        _case(run, desk, kind, "trade/cancel-tpsl", lambda: _want(desk, second))
        _case(run, desk, kind, "trade/order-tpsl", lambda: desk.cancel_stops(ETH))
        leave(desk)
        settle(desk)
        run.check(desk, f"everything closed / {kind}")


def _account_modes(run: Run, kind: str) -> None:
    for path in ("account/set-position-mode", "account/set-margin-mode"):
        case = f"{path} / {kind}"
        if not run.cases(case):
            continue
        with run.desk(position_mode="long_short_mode", margin_mode="cross") as desk:
            _lose(desk, kind, path)
            try:
                desk.start()
            except FreqtradeException as error:
                # A bot that can't be sure of its account may refuse to start; it says why, and
                # starts when it is asked again.
                run.must(len(str(error)) > 20, case, f"it refuses to start with '{error}'")
                desk.calm()
                desk.start()
            desk.loop()
            desk.enter(BTC)
            settle(desk)
            run.must(len(desk.watch.account.positions) == 1, case, "it does not trade afterwards")
            run.check(desk, case)
