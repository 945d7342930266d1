"""Positions, orders and stops that only one side knows: found, told, never traded over."""

from __future__ import annotations

from collections.abc import Callable

from freqtrade.persistence import Trade
from freqtrade.rpc import RPC

from bubbybot_freqtrade.drills.desk import Desk
from bubbybot_freqtrade.drills.drill import Run, leave, settle
from bubbybot_freqtrade.drills.market import BTC, ETH, inst_id

# An entry's trade reaches the database a moment after its request; the extension waits that long.
UNDERWAY_MINUTES = 0.6


def orphans(run: Run) -> None:
    """Every way in which the venue and the database can come to disagree."""
    cases: dict[str, Callable[[Run, Desk, str], None]] = {
        "a bare position of somebody else": _bare_stranger,
        "a position of somebody else with its stop": _protected_stranger,
        "a trade whose position is gone without a trace": _vanished,
        "an entry whose trade never reached the database": _lost_entry,
        "a waiting entry whose trade never reached the database": _lost_waiting_entry,
        "an entry that ended unfilled while the bot was dead": _ended_while_dead,
        "a position closed while the bot was dead": _closed_while_dead,
        "a stop of the owner beside the trade's own": _owners_stop,
    }
    for name, play in cases.items():
        if not run.cases(name):
            continue
        with run.desk() as desk:
            desk.start()
            desk.loop()
            play(run, desk, name)
            settle(desk)
            run.check(desk, name)
            leave(desk)
            settle(desk)
            run.check(desk, f"{name}, closed")
            run.say(name)


def _stops(desk: Desk, pair: str) -> list[str]:
    return [order.tpsl_id for order in desk.watch.account.live_tpsl(inst_id(pair))]


def _bare_stranger(run: Run, desk: Desk, case: str) -> None:
    desk.open_position(ETH)
    desk.loop()
    run.must(len(_stops(desk, ETH)) == 1, case, "it is bare after one loop")
    run.must(desk.said("warning", ETH, "position"), case, "nobody was told")
    run.must(desk.enter(ETH) is None, case, "it was traded over")
    run.must(desk.enter(BTC) is not None, case, "other pairs are not traded any more")


def _protected_stranger(run: Run, desk: Desk, case: str) -> None:
    desk.open_position(ETH, slTriggerPrice="1900", slOrderPrice="-1")
    before = _stops(desk, ETH)
    desk.loop(3)
    run.must(_stops(desk, ETH) == before, case, "its own stop was touched")
    run.must(desk.said("warning", ETH, "position"), case, "nobody was told")
    run.must(desk.enter(ETH, "short") is None, case, "it was traded over")


def _vanished(run: Run, desk: Desk, case: str) -> None:
    trade = desk.enter(BTC)
    desk.loop(2)
    engine = desk.sandbox.engine
    with engine.exclusive():
        account = desk.watch.account
        (position,) = account.positions.values()
        key = next(iter(account.positions))
        del account.positions[key]
        engine.triggers.sweep(
            account, position.inst_id, position.margin_mode, position.position_side
        )
    desk.loop(9, minutes=UNDERWAY_MINUTES)
    run.must(desk.said("warning", BTC, "no position"), case, "nobody was told")
    run.must(not desk.watch.account.positions, case, "a position was opened")
    if trade is not None:
        # What it tells the owner to do.
        RPC(desk.bot)._rpc_delete(trade.id)
    desk.foreign.append(position.position_id)


def _entry_without_trade(desk: Desk, ordertype: str, rate: float) -> None:
    """What a kill between the entry's request and the commit of its trade leaves behind."""
    bot = desk.bot
    bot.strategy.confirm_trade_entry(pair=BTC, rate=rate, side="long")
    bot.exchange.create_order(
        pair=BTC, ordertype=ordertype, side="buy", amount=0.01, rate=rate, leverage=5.0
    )
    Trade.session.rollback()
    desk.restart(UNDERWAY_MINUTES)


def _lost_entry(run: Run, desk: Desk, case: str) -> None:
    _entry_without_trade(desk, "market", 50_005.0)
    desk.loop()
    run.must(desk.unknown() == [], case, "its position is unknown to the database after one loop")
    run.must(len(_stops(desk, BTC)) == 1, case, "it has lost its stop")
    desk.loop(2)


def _lost_waiting_entry(run: Run, desk: Desk, case: str) -> None:
    _entry_without_trade(desk, "limit", 49_000.0)
    desk.loop(3)
    run.must(not list(desk.watch.account.live_orders()), case, "the order still waits")


def _ended_while_dead(run: Run, desk: Desk, case: str) -> None:
    desk.enter(BTC, price=49_000.0, order_type="limit")
    desk.end()
    (order,) = desk.watch.account.live_orders()
    desk.app("/trade/cancel-order", {"instId": order.inst_id, "orderId": order.order_id})
    desk.restart()
    desk.loop(3)
    run.must(Trade.get_open_trades() == [], case, "an empty trade occupies the pair")


def _closed_while_dead(run: Run, desk: Desk, case: str) -> None:
    trade = desk.enter(BTC)
    desk.loop(2)
    trade_id = trade.id if trade is not None else 0
    desk.end()
    desk.close_position(BTC)
    desk.restart()
    desk.loop(2)
    closed = Trade.get_trades([Trade.id == trade_id]).one()
    run.must(not closed.is_open, case, "its trade is still open")


def _owners_stop(run: Run, desk: Desk, case: str) -> None:
    desk.enter(BTC)
    desk.loop(2)
    body = {
        "instId": inst_id(BTC),
        "marginMode": "isolated",
        "positionSide": "net",
        "side": "sell",
        "size": "5",
        "slTriggerPrice": "48000",
        "slOrderPrice": "-1",
        "reduceOnly": "true",
    }
    desk.app("/trade/order-tpsl", body)
    desk.loop(3, minutes=UNDERWAY_MINUTES)
    run.must(len(_stops(desk, BTC)) == 2, case, "it is not the bot's, and was taken away")
