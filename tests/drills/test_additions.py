"""A trade is added to, and ends before the bot has seen it, or while the addition still waits."""

from decimal import Decimal

import pytest
from freqtrade.persistence import Order, Trade

from bubbybot_freqtrade.drills.desk import HALF_A_DAY, Desk
from bubbybot_freqtrade.drills.drill import settle
from bubbybot_freqtrade.drills.market import BTC, inst_id, straight

CONFIG = {
    "position_adjustment_enable": True,
    "order_types": {
        "entry": "limit",
        "exit": "market",
        "stoploss": "market",
        "stoploss_on_exchange": True,
    },
    "unfilledtimeout": {"entry": 90, "exit": 5, "unit": "minutes"},
}
ADDED_AT = 49_500.0
# 9.9 contracts of 0.001 BTC at 50,005, 5 more at 49,500; the stop of both is at 49,004.9. Fees:
# 0.06 % of a taker, 0.02 % of a maker.
LOSS_AT_THE_STOP = -13.1611


def desk(folder, *course):
    return Desk(folder, {BTC: straight(course, HALF_A_DAY)}, config=CONFIG)


def begin(desk):
    """A long, and an addition that waits below the price."""
    desk.start()
    desk.loop()
    desk.enter(BTC, order_type="market")
    desk.loop(2)
    desk.enter(BTC, price=ADDED_AT, stake_amount=50.0, order_type="limit")
    desk.loop(sleep_after=False)
    (order,) = waiting(desk)
    return order


def waiting(desk):
    return list(desk.watch.account.live_orders(inst_id(BTC)))


def held(desk):
    return sum(p.size * p.direction for p in desk.watch.account.positions.values())


@pytest.mark.parametrize("is_off", [False, True])
def test_an_addition_and_the_stop_that_fill_between_two_loops_are_booked_as_one_trade(
    tmp_path, is_off
):
    with desk(tmp_path, (0, 50_000), (2, 50_000), (8, 48_500), (60, 48_500)) as venue:
        begin(venue)
        if is_off:
            venue.restart(12)
        else:
            venue.pass_time(12)
        venue.loop(4)
        (trade,) = Trade.get_trades().all()
        assert not trade.is_open
        assert trade.exit_reason == "stoploss_on_exchange"
        assert trade.close_profit_abs == pytest.approx(LOSS_AT_THE_STOP, abs=1e-4)
        assert venue.broken() == []


def test_what_has_filled_of_an_addition_is_booked_when_the_target_closes_all_while_the_bot_is_off(
    tmp_path,
):
    with desk(tmp_path, (0, 50_000), (2, 50_000), (8, 52_500), (60, 52_500)) as venue:
        order = begin(venue)
        venue.sandbox.fill(order.order_id, Decimal(2))
        venue.restart(12)
        venue.loop(4, minutes=0.3)
        (trade,) = Trade.get_trades().all()
        assert not trade.is_open
        assert trade.exit_reason == "take_profit_on_exchange"
        assert waiting(venue) == []
        assert venue.broken() == []


def test_an_addition_that_waits_when_its_trade_is_closed_by_hand_is_canceled_and_told(tmp_path):
    with desk(tmp_path, (0, 50_000), (30, 50_000), (40, 48_000), (90, 48_000)) as venue:
        begin(venue)
        venue.close_position(BTC)
        venue.loop(3)
        assert waiting(venue) == []
        assert not Order.get_open_orders()
        assert venue.said("trade has ended while another of its orders still waited")
        venue.loop(3, minutes=45)
        assert held(venue) == 0
        assert venue.broken() == []


def test_an_addition_that_fills_after_its_trade_has_ended_is_a_trade_of_its_own(tmp_path):
    with desk(tmp_path, (0, 50_000)) as venue:
        order = begin(venue)
        venue.close_position(BTC)
        while Trade.get_open_trades():
            venue.loop()
        venue.sandbox.fill(order.order_id, order.size)
        venue.loop(3)
        (trade,) = Trade.get_open_trades()
        assert trade.amount == pytest.approx(0.005)
        assert len(list(venue.watch.account.live_tpsl(inst_id(BTC)))) == 1
        assert venue.broken() == []
        venue.exit()
        venue.loop(2)
        settle(venue)
        assert held(venue) == 0
        assert venue.broken() == []


def test_the_database_waits_for_no_stop_of_a_trade_that_ended_while_stops_could_not_be_read(
    tmp_path,
):
    with desk(tmp_path, (0, 50_000)) as venue:
        venue.start()
        venue.loop()
        venue.enter(BTC, order_type="market")
        venue.loop(2)
        venue.fault(kind="data", data=None, path="*/trade/orders-tpsl-pending")
        venue.exit()
        venue.loop(3, able=False)
        venue.calm()
        venue.loop(3, minutes=1.2)
        assert not Trade.get_open_trades()
        assert not Order.get_open_orders()
        assert venue.broken() == []
