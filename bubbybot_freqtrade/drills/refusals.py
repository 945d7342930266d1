"""What the venue, its market or the account's owner can do to a bot that did nothing wrong."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from bubbybot_freqtrade.drills.desk import HALF_A_DAY, Desk
from bubbybot_freqtrade.drills.drill import Run, leave, settle
from bubbybot_freqtrade.drills.market import BTC, ETH, SOL, inst_id, straight
from bubbybot_freqtrade.sandbox.venue.errors import MESSAGES

Case = Callable[[Run, Desk, str], None]

# A ban of the venue lasts five minutes, and grows with every further request.
BAN_MINUTES = 5.0
BAN_REQUESTS_A_MINUTE = 60
# Maintenance is no ban: what is asked then has to stay far below the limit, no more.
MAINTENANCE_REQUESTS_A_MINUTE = 100


def refusals(run: Run) -> None:
    """Error codes on every kind of order, then everything else, one after the other."""
    _error_codes(run)
    _life_cases(run)
    _races(run)


# Error codes


def _error_codes(run: Run) -> None:
    """Each code of the reference as the answer to an entry, a moved stop, a new one and an exit."""
    codes = [code for code in MESSAGES if run.cases(f"code {code}")]
    with run.desk() as desk:
        desk.start()
        desk.loop()
        for code in codes:
            _refused(run, desk, "trade/order", code, lambda: desk.enter(BTC))
        for code in codes:
            _refused(run, desk, "account/set-leverage", code, lambda: desk.enter(SOL))
        desk.enter(ETH, "short")
        desk.loop(2)
        stops = iter(range(2_030, 1_900, -1))
        for code in codes:
            _refused(run, desk, "trade/amend-tpsl", code, lambda: _tighten(desk, next(stops)))
        for code in codes:
            _refused(run, desk, "trade/order-tpsl", code, lambda: desk.cancel_stops(ETH))
        for code in codes:
            if not desk.watch.account.positions:
                desk.enter(ETH, "short")
                desk.loop(2)
            _refused(run, desk, "trade/order", code, lambda: desk.exit(ETH))


def _tighten(desk: Desk, stop: float) -> None:
    desk.bot.exchange.stops.stop_orders.can_amend = True
    desk.bot.strategy.stop_at = {ETH: float(stop)}
    desk.loop(minutes=0.3)


def _refused(run: Run, desk: Desk, path: str, code: str, act: Callable[[], object]) -> None:
    case = f"code {code} on {path}"
    if desk.stopped:
        return
    desk.fault(kind="code", code=code, msg=MESSAGES[code], path=f"*/{path}", method="POST", times=1)
    act()
    desk.loop()
    desk.calm()
    # A refused stop leaves nothing behind in the loop that saw it; the next one tries again.
    desk.loop(minutes=0.6)
    run.check(desk, case)
    if path != "trade/order-tpsl" and "enter" in act.__code__.co_names:
        leave(desk)


# One trade, and something happens to it


def _life_cases(run: Run) -> None:
    cases: dict[str, Case] = {
        "429 and the venue's ban": _shut(429, BAN_REQUESTS_A_MINUTE),
        "403 of the firewall": _shut(403, BAN_REQUESTS_A_MINUTE),
        "maintenance": _shut(503, MAINTENANCE_REQUESTS_A_MINUTE),
        "a stop accepted and canceled at once": _stop_canceled_at_once,
        "a partial fill, then cancel": _partial_fill,
        "a fill between cancel and answer": _filled_while_canceled,
        "the owner closes the position": _closed_by_hand,
        "the owner closes half of the position": _half_closed_by_hand,
        "the owner cancels the stop": _stop_canceled_by_hand,
        "the owner changes the leverage": _leverage_by_hand,
        "the key is revoked": _key_revoked,
        "the clock is two minutes ahead": _clock_off(120, is_corrected=True),
        "the clock is two minutes behind": _clock_off(-120, is_corrected=True),
        "the clock is an hour ahead": _clock_off(3600, is_corrected=False),
    }
    wanted = {name: play for name, play in cases.items() if run.cases(name)}
    if not wanted:
        return
    with run.desk() as desk:
        desk.start()
        desk.loop()
        for name, play in wanted.items():
            desk.enter(BTC)
            desk.loop(2)
            play(run, desk, name)
            settle(desk)
            run.check(desk, name)
            leave(desk)
            settle(desk)
            run.check(desk, f"{name}, closed")
            run.say(name)


def _shut(status: int, requests_a_minute: int) -> Case:
    def play(run: Run, desk: Desk, case: str) -> None:
        since = len(desk.log.lines)
        before = sum(desk.watch.requests.values())
        desk.fault(kind="http", status=status)
        end = desk.clock.now_ms + BAN_MINUTES * 60_000
        while desk.clock.now_ms < end and not desk.stopped:
            desk.loop(able=False)
        sent = sum(desk.watch.requests.values()) - before
        allowed = BAN_MINUTES * requests_a_minute
        run.must(sent <= allowed, case, f"{sent} requests into a closed door")
        run.must(desk.enter(ETH) is None, case, "it entered a trade with the account unknown")
        run.must(desk.said("warning", "no entry is sent", since=since), case, "it did not say so")

    return play


def _stop_canceled_at_once(run: Run, desk: Desk, case: str) -> None:
    desk.fault(kind="tpsl_canceled", path="*/trade/order", method="POST", times=1)
    desk.enter(ETH, "short")
    desk.loop(2)
    run.must(len(_stops(desk, ETH)) == 1, case, "the entry's stop was not placed again")
    desk.fault(kind="tpsl_canceled", path="*/trade/order-tpsl", method="POST", times=1)
    desk.cancel_stops(BTC)
    desk.loop(3)


def _stops(desk: Desk, pair: str) -> list[object]:
    return list(desk.watch.account.live_tpsl(inst_id(pair)))


def _partial_fill(run: Run, desk: Desk, case: str) -> None:
    trade = desk.enter(ETH, price=1_950.0, order_type="limit")
    desk.loop()
    (order,) = desk.watch.account.live_orders(inst_id(ETH))
    desk.sandbox.fill(order.order_id, (order.size / 3).to_integral_value())
    desk.loop(2)
    run.must(len(_stops(desk, ETH)) == 1, case, "the filled part has no stop")
    desk.loop(3, minutes=6)
    run.must(trade is not None and trade.is_open and trade.amount > 0, case, "the part is lost")
    run.must(not list(desk.watch.account.live_orders()), case, "the rest was not canceled")


def _filled_while_canceled(run: Run, desk: Desk, case: str) -> None:
    trade = desk.enter(ETH, price=1_950.0, order_type="limit")
    desk.loop()
    desk.fault(kind="fill_first", path="*/trade/cancel-order", method="POST", times=1)
    desk.loop(3, minutes=6)
    run.must(trade is not None and trade.is_open and trade.amount > 0, case, "the fill is lost")


def _closed_by_hand(run: Run, desk: Desk, case: str) -> None:
    desk.close_position(BTC)
    desk.loop(2)
    run.must(not desk.watch.account.positions, case, "it opened the position again")


def _half_closed_by_hand(run: Run, desk: Desk, case: str) -> None:
    since = len(desk.log.lines)
    (position,) = desk.watch.account.positions.values()
    half = (position.size / 2).to_integral_value()
    body = {"instId": inst_id(BTC), "marginMode": "isolated", "positionSide": "net"}
    order = {"side": "sell", "orderType": "market", "size": str(half), "reduceOnly": "true"}
    desk.app("/trade/order", {**body, **order})
    # Not in the first half minute: a filled entry may not be in the database yet.
    desk.loop(3, minutes=0.6)
    run.must(desk.said("warning", BTC, "contracts", since=since), case, "it did not say so")
    # What it tells the owner to do.
    desk.exit(BTC)
    desk.loop(3)
    run.must(not desk.watch.account.positions, case, "/forceexit did not close the rest")


def _stop_canceled_by_hand(run: Run, desk: Desk, case: str) -> None:
    desk.cancel_stops(BTC)
    desk.loop()
    run.must(len(_stops(desk, BTC)) == 1, case, "no new stop after one loop")


def _leverage_by_hand(run: Run, desk: Desk, case: str) -> None:
    leave(desk)
    for pair in (BTC, ETH):
        body = {"instId": inst_id(pair), "marginMode": "isolated", "leverage": "40"}
        desk.app("/account/set-leverage", body)
    desk.pass_time(20)
    trade = desk.enter(BTC)
    desk.loop()
    (position,) = desk.watch.account.positions.values()
    run.must(
        trade is not None and position.leverage == Decimal(str(trade.leverage)),
        case,
        f"the position has {position.leverage}x, the trade {trade and trade.leverage}x",
    )


def _key_revoked(run: Run, desk: Desk, case: str) -> None:
    since = len(desk.log.lines)
    desk.sandbox.engine.revoke_key(desk.key.api_key)
    desk.loop(4, able=False)
    run.must(desk.enter(ETH) is None, case, "it entered a trade with the account unknown")
    run.must(len(_stops(desk, BTC)) == 1, case, "the stop is gone from the venue")
    run.must(desk.said("152401", since=since), case, "it did not say what is wrong")
    desk.sandbox.engine.add_key(desk.key)


def _clock_off(seconds: int, *, is_corrected: bool) -> Case:
    """This machine's clock is `seconds` ahead of the venue's."""

    def play(run: Run, desk: Desk, case: str) -> None:
        since = len(desk.log.lines)
        desk.venue_lag_ms = seconds * 1000
        # Behind the venue at once, ahead of it after the venue has stood still for so long.
        desk.loop(2, minutes=max(seconds, 0) / 60 + 1, able=False)
        run.must(desk.said("warning", "clock", since=since), case, "it did not say so")
        entered = desk.enter(ETH) is not None
        desk.loop(2, able=is_corrected)
        if is_corrected:
            run.must(entered, case, "it did not sign with the venue's time")
            run.must(len(_stops(desk, ETH)) == 1, case, "the entry has no stop")
        else:
            run.must(not entered, case, "it entered a trade with a time that the venue refuses")
        run.must(len(_stops(desk, BTC)) == 1, case, "the stop is gone from the venue")
        since = len(desk.log.lines)
        desk.venue_lag_ms = 0
        desk.loop(3, minutes=max(-seconds, 0) / 60 + 1, able=False)
        run.must(desk.said("clock agrees", since=since), case, "it did not see it set right")

    return play


# The market is faster than the bot


def _races(run: Run) -> None:
    """Targets and stops fill while the bot is on its way out."""
    races = {
        "the target fills while an exit waits": ([(0, 50_000), (10, 50_000), (30, 52_600)], True),
        "the stop fills while an exit waits": ([(0, 50_000), (10, 50_000), (30, 48_600)], True),
        "the target fills before the exit is sent": (
            [(0, 50_000), (10, 50_000), (30, 52_600)],
            False,
        ),
        "the stop fills before the exit is sent": (
            [(0, 50_000), (10, 50_000), (30, 48_600)],
            False,
        ),
    }
    for name, (course, waits) in races.items():
        if not run.cases(name):
            continue
        with run.desk({BTC: straight(course, HALF_A_DAY)}) as desk:
            desk.start(unfilledtimeout={"entry": 5, "exit": 60, "unit": "minutes"})
            desk.loop()
            trade = desk.enter(BTC)
            desk.loop(2)
            if waits:
                desk.exit(BTC, ordertype="limit", price=52_000.0)
                desk.loop(2)
                desk.loop(2, minutes=40)
            else:
                desk.pass_time(40)
                desk.exit(BTC)
            settle(desk)
            run.must(trade is not None and not trade.is_open, name, "the trade is still open")
            run.check(desk, name)
