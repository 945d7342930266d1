"""Sessions of strategies that know nothing of BloFin: hours of trades, and books to the cent."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

from freqtrade.persistence import Order, Trade

from bubbybot_freqtrade.drills.desk import Desk
from bubbybot_freqtrade.drills.drill import Run, leave, settle
from bubbybot_freqtrade.drills.market import BTC, ETH, SOL, walk

STRATEGIES = ("Sample", "Adjusting", "Trailing")
PRICES = {BTC: 50_000.0, ETH: 2_000.0, SOL: 150.0}
# Of each session; a day of `run.minutes` has room for four.
SHARE_OF_A_DAY = 4
MINUTES_A_LOOP = 0.5
MINUTES_A_CHECK = 60
LOOPS_A_CHECK = 5


def sessions(run: Run) -> None:
    """Every strategy, one-way and hedged, isolated and cross."""
    minutes = max(run.minutes // SHARE_OF_A_DAY, 1)
    modes = product(STRATEGIES, ("net_mode", "long_short_mode"), ("isolated", "cross"))
    for number, (strategy, position_mode, margin_mode) in enumerate(modes):
        name = f"{strategy}, {position_mode}, {margin_mode}"
        if run.cases(name):
            _session(run, name, strategy, _settings(position_mode, margin_mode), minutes, number)
            run.say(f"{name}, {len(run.figures.broken)} laws broken")


def _settings(position_mode: str, margin_mode: str) -> dict[str, Any]:
    exchange = {"position_mode": position_mode} if position_mode != "net_mode" else {}
    config = {"margin_mode": margin_mode, "exchange": exchange}
    return {"position_mode": position_mode, "margin_mode": margin_mode, "config": config}


def _session(
    run: Run, name: str, strategy: str, settings: Mapping[str, Any], minutes: int, number: int
) -> None:
    prices = {
        pair: walk(price, minutes + 120, run.seed + 10 * number + place, 1.5e-3)
        for place, (pair, price) in enumerate(PRICES.items())
    }
    with run.desk(prices, strategy=strategy, **settings) as desk:
        desk.start()
        desk.loop()
        _trade(run, desk, name, minutes)
        # An entry of the very last loop would be one whose fill nobody has looked at.
        desk.bot.config["max_open_trades"] = 0
        leave(desk)
        settle(desk)
        run.check(desk, f"{name}, closed")
        trades = Trade.get_trades().all()
        orders = sum(len(trade.orders) for trade in trades)
        run.must(bool(trades), name, "it made no trade, so nothing was proved")
        run.figures.notes.append(f"{name}: {len(trades)} trades, {orders} orders")


def _trade(run: Run, desk: Desk, name: str, minutes: int) -> None:
    begin = checked = desk.clock.now_ms
    while desk.clock.now_ms - begin < minutes * 60_000 and not desk.stopped:
        desk.loop(minutes=MINUTES_A_LOOP)
        if desk.clock.now_ms - checked >= MINUTES_A_CHECK * 60_000:
            checked = desk.clock.now_ms
            _book(desk)
            run.check(desk, f"{name}, minute {(checked - begin) // 60_000}")


def _book(desk: Desk) -> None:
    """Loop until freqtrade has looked at the fills of all it has sent: a loop after it did.

    Without the sleep after a loop: in it the market goes on, and the books would differ by it.
    """
    for _ in range(LOOPS_A_CHECK):
        desk.loop(sleep_after=False)
        if all(order.ft_order_side == "stoploss" for order in Order.get_open_orders()):
            return
