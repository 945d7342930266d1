"""freqtrade's books and BloFin's ledger, where a trade's orders cost different fees."""

import pytest
from freqtrade.persistence import Trade
from freqtrade.rpc import RPC

from bubbybot_freqtrade.sandbox.settings import DEMO_UID
from tests.blofin.desk import BTC

PATIENT = {
    "entry": "market",
    "exit": "market",
    "stoploss": "market",
    "stoploss_on_exchange": True,
    "stoploss_on_exchange_interval": 10,
}


def ledger(desk):
    """What the account has gained by all it did, USDT; transfers are none of it."""
    totals = desk.sandbox.engine.account(DEMO_UID).ledger.totals()
    return float(sum(totals.get(kind, 0) for kind in ("realized_pnl", "fee", "funding")))


def rest(desk, stake, price, side):
    """An order that waits in the book until the price comes: a maker's."""
    RPC(desk.bot)._rpc_force_entry(
        BTC, price, order_side="short", stake_amount=stake, order_type="limit"
    )
    desk.loop()


def leave(desk, trade, amount=None):
    RPC(desk.bot)._rpc_force_exit(str(trade.id), amount=amount)
    desk.loop()
    desk.loop()


def test_a_taker_s_entry_with_makers_additions_and_exits_in_parts_books_what_the_venue_took(
    open_desk,
):
    course = [(0, 50_000), (5, 50_000), (8, 50_300), (20, 50_300), (23, 50_600), (60, 50_600)]
    desk = open_desk({BTC: course})
    config = {"position_adjustment_enable": True, "order_types": PATIENT}
    desk.start(**config)
    trade = desk.enter(side="short", stake_amount=995.0)
    rest(desk, 995.0, 50_100, "short")
    desk.loop(9)
    assert trade.nr_of_successful_entries == 2
    leave(desk, trade, round(trade.amount / 3, 4))
    rest(desk, 700.0, 50_400, "short")
    desk.stop()
    desk.pass_time(15)
    desk.start(**config)
    desk.loop()
    (trade,) = Trade.get_open_trades()
    leave(desk, trade, round(trade.amount / 2, 4))
    leave(desk, trade)
    assert not trade.is_open
    assert trade.nr_of_successful_entries == 3
    assert trade.close_profit_abs == pytest.approx(ledger(desk), abs=1e-6)
