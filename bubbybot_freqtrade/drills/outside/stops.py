"""Stops that were passed, jumped over, filled in part, canceled by the venue or lost on the way."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from freqtrade.persistence import Trade

from bubbybot_freqtrade.drills.desk import START_MS, Desk
from bubbybot_freqtrade.drills.drill import Run
from bubbybot_freqtrade.drills.market import BTC, ETH, inst_id
from bubbybot_freqtrade.drills.outside.case import (
    Case,
    entered,
    held,
    live_stops,
    size_held,
    want_stop,
)

LIMIT_STOPS = {
    "entry": "market",
    "exit": "market",
    "stoploss": "limit",
    "stoploss_on_exchange": True,
    "stoploss_on_exchange_interval": 10,
    "stoploss_on_exchange_limit_ratio": 0.999,
}
PATIENT = LIMIT_STOPS | {"entry": "limit", "stoploss": "market"}
MARK_STOPS = LIMIT_STOPS | {"stoploss": "market", "stoploss_price_type": "mark"}


def _passed_while_moved(run: Run, desk: Desk, case: str) -> None:
    entered(desk, BTC)
    desk.pass_time(9.5 - (desk.clock.now_ms - START_MS) / 60_000)
    desk.bot.strategy.stop_at[BTC] = 50_500.0
    desk.loop(sleep_after=False)
    desk.pass_time(1.2)
    desk.loop(2)
    trade = next(iter(Trade.get_trades([Trade.pair == BTC])), None)
    run.must(held(desk, BTC) is None, case, "it is still in, below its stop")
    run.must(trade is not None and not trade.is_open, case, "its trade is still open")


def _jumped_over(run: Run, desk: Desk, case: str) -> None:
    since = len(desk.log.lines)
    entered(desk, BTC)
    desk.loop(3, minutes=4)
    desk.loop(3, minutes=1)
    run.must(held(desk, BTC) is None, case, f"{size_held(desk, BTC)} still held behind the stop")
    run.must(
        not desk.said("don't cancel", since=since), case, "it blames its owner for the venue's act"
    )


def _filled_in_part_beside_a_target(run: Run, desk: Desk, case: str) -> None:
    entered(desk, BTC)
    fields = {"instId": inst_id(BTC), "marginMode": "isolated", "positionSide": "net"}
    target = {"side": "sell", "size": "-1", "tpTriggerPrice": "60000", "tpOrderPrice": "-1"}
    desk.app("/trade/order-tpsl", fields | target | {"reduceOnly": "true"})
    desk.loop(3, minutes=4)
    desk.loop(3, minutes=1)
    run.must(held(desk, BTC) is None, case, f"{size_held(desk, BTC)} still held behind the stop")


def _moved_and_bracket_kept(run: Run, desk: Desk, case: str) -> None:
    entered(desk, BTC)
    want_stop(desk, BTC, 49_500.0)
    rows = list(desk.watch.account.live_tpsl(inst_id(BTC)))
    stops = {row.tpsl.sl_trigger for row in rows} - {None}
    targets = {row.tpsl.tp_trigger for row in rows} - {None}
    run.must(stops == {Decimal(49_500)}, case, f"stops at {stops}")
    run.must(len(targets) == 1, case, f"targets at {targets}")


def _replaced_entry(run: Run, desk: Desk, case: str) -> None:
    def adjust(proposed_rate: float, **kwargs: Any) -> float:
        return 49_500.0

    desk.enter(BTC, price=49_000.0, order_type="limit")
    desk.loop()
    (before,) = desk.watch.account.live_orders(inst_id(BTC))
    desk.bot.strategy.adjust_entry_price = adjust
    desk.loop(3, minutes=16)
    after = next(iter(desk.watch.account.live_orders(inst_id(BTC))), None)
    if after is None:
        run.must(False, case, "no order is left")
        return
    run.must(after.order_id != before.order_id, case, "the entry was not replaced")
    run.must(
        (after.tpsl.sl_trigger, after.tpsl.tp_trigger)
        == (before.tpsl.sl_trigger, before.tpsl.tp_trigger),
        case,
        f"bracket {after.tpsl.sl_trigger}/{after.tpsl.tp_trigger} for "
        f"{before.tpsl.sl_trigger}/{before.tpsl.tp_trigger}",
    )


def _added_entry(run: Run, desk: Desk, case: str) -> None:
    entered(desk, BTC)
    want_stop(desk, BTC, 49_400.0)
    entered(desk, BTC, stake_amount=50.0)
    prices = {row.tpsl.sl_trigger for row in live_stops(desk, BTC)}
    run.must(
        all(price is not None and price >= 49_000 for price in prices), case, f"stops {prices}"
    )
    targets = {row.tpsl.tp_trigger for row in desk.watch.account.live_tpsl(inst_id(BTC))}
    run.must(targets != {None}, case, "its target is gone")


def _stop_on_mark_price(run: Run, desk: Desk, case: str) -> None:
    entered(desk, BTC)
    run.must(_types(desk) == {"mark"}, case, f"the attached stop looks at {_types(desk)}")
    desk.cancel_stops(BTC)
    desk.loop(2)
    run.must(_types(desk) == {"mark"}, case, f"the new stop looks at {_types(desk)}")
    want_stop(desk, BTC, 49_500.0)
    run.must(_types(desk) == {"mark"}, case, f"the moved stop looks at {_types(desk)}")


def _types(desk: Desk) -> set[str]:
    return {row.tpsl.sl_type for row in live_stops(desk, BTC)}


def _filled_and_stopped_between_loops(run: Run, desk: Desk, case: str) -> None:
    desk.enter(BTC, price=49_900.0, order_type="limit")
    desk.loop(sleep_after=False)
    desk.loop(3, minutes=12)
    trade = Trade.get_trades([Trade.pair == BTC]).first()
    reason = trade.exit_reason if trade else None
    whole = desk.sandbox.settings.stop_fill_share == 1
    ended = "stoploss_on_exchange" if whole else "emergency_exit"
    run.must(reason == ended, case, f"it ended as {reason}")


def _added_and_stopped_between_loops(run: Run, desk: Desk, case: str) -> None:
    entered(desk, BTC, order_type="market")
    desk.enter(BTC, price=49_700.0, stake_amount=50.0, order_type="limit")
    desk.loop(sleep_after=False)
    # Trade by trade the books are compared when it has ended.
    desk.loop(4, minutes=12)
    run.must(held(desk, BTC) is None, case, f"{size_held(desk, BTC)} still held behind the stop")


def _healthy_exits(run: Run, desk: Desk, case: str) -> None:
    since = len(desk.log.lines)
    for _ in range(4):
        desk.enter(ETH, "short")
        desk.loop(2, sleep_after=False)
        desk.pass_time(0.02)
        desk.exit(ETH)
        desk.loop(3, sleep_after=False)
        # Longer than a list of positions lags: until it is empty there is no next entry.
        desk.pass_time(0.05)
    desk.loop(2, minutes=1)
    alarms = [
        line
        for line in desk.log.lines[since:]
        if line.startswith("ERROR")
        or (line.startswith("WARNING") and "ETH" in line and "Retrying" not in line)
    ]
    run.must(not alarms, case, f"it warns of {alarms[:1]}")
    young = Trade.get_trades([Trade.pair == ETH]).all()
    run.must(
        all(trade.close_date_utc - trade.open_date_utc < timedelta(minutes=10) for trade in young),
        case,
        "its trades have wrong ages",
    )


CASES = (
    Case(
        2,
        "the price has passed a stop before it was moved",
        _passed_while_moved,
        prices={BTC: [(0, 50_000), (10, 51_000), (11, 49_300)]},
    ),
    Case(12, "a limit stop is jumped over", _jumped_over,
         prices={BTC: [(0, 50_000), (3, 50_000), (4, 48_500)]},
         config={"order_types": LIMIT_STOPS}),
    Case(12, "a stop is filled in part", _jumped_over,
         prices={BTC: [(0, 50_000), (3, 50_000), (4, 48_500)]},
         settings={"stop_fill_share": "0.4"}),
    Case(12, "a stop is filled in part beside its owner's target", _filled_in_part_beside_a_target,
         prices={BTC: [(0, 50_000), (3, 50_000), (4, 48_500)]},
         settings={"stop_fill_share": "0.4"}),
    Case(12, "a stop fires beyond the price limits", _jumped_over,
         prices={BTC: [(0, 50_000), (3, 50_000), (4, 45_000)]},
         settings={"price_band": "0.05"}),
    Case(13, "a stop is moved beside its target", _moved_and_bracket_kept),
    Case(13, "an entry is replaced", _replaced_entry,
         config={"order_types": PATIENT,
                 "unfilledtimeout": {"entry": 90, "exit": 5, "unit": "minutes"}}),
    Case(13, "a position is added to", _added_entry, config={"position_adjustment_enable": True}),
    Case(16, "stops on the mark price", _stop_on_mark_price, config={"order_types": MARK_STOPS}),
    Case(23, "entry and stop both filled between two loops", _filled_and_stopped_between_loops,
         prices={BTC: [(0, 50_000), (1, 50_000), (8, 48_500)]}),
    Case(23, "an addition and the stop both filled between two loops",
         _added_and_stopped_between_loops,
         prices={BTC: [(0, 50_000), (2, 50_000), (8, 48_500)]},
         config={"order_types": PATIENT, "position_adjustment_enable": True}),
    Case(23, "healthy exits at short loops", _healthy_exits),
)  # fmt: skip
