"""A position that its owner closed by hand in parts: the trade ends with the last of them."""

import pytest
from freqtrade.persistence import Trade

from bubbybot_freqtrade.drills.drill import settle
from bubbybot_freqtrade.drills.market import BTC, inst_id


@pytest.fixture
def desk(desk):
    desk.enter(BTC)
    desk.loop(2)
    return desk


def close_half(desk):
    (position,) = desk.watch.account.positions.values()
    half = (position.size / 2).to_integral_value()
    body = {"instId": inst_id(BTC), "marginMode": "isolated", "positionSide": "net"}
    order = {"side": "sell", "orderType": "market", "size": str(half), "reduceOnly": "true"}
    desk.app("/trade/order", {**body, **order})
    return position


def test_half_a_position_whose_stop_is_canceled_too_is_still_the_trades(desk):
    position = close_half(desk)
    desk.cancel_stops(BTC)
    desk.loop(3, minutes=0.6)
    (trade,) = Trade.get_open_trades()
    assert trade.is_open
    (stop,) = desk.watch.account.live_tpsl(inst_id(BTC))
    assert stop.is_entire_position or stop.size >= position.size
    assert desk.said("warning", BTC, "contracts")
    # What it tells the owner to do.
    desk.exit(BTC)
    settle(desk)
    assert desk.watch.account.positions == {}
    assert Trade.get_open_trades() == []


def test_two_halves_closed_by_hand_end_the_trade_and_the_books_agree(desk):
    close_half(desk)
    desk.cancel_stops(BTC)
    desk.close_position(BTC)
    settle(desk)
    assert Trade.get_open_trades() == []
    assert desk.broken() == []


def test_two_halves_closed_by_hand_while_the_bot_has_no_stop_end_the_trade(desk):
    desk.fault(kind="code", code="103013", path="*/trade/order-tpsl")
    desk.cancel_stops(BTC)
    desk.loop(able=False)
    close_half(desk)
    desk.close_position(BTC)
    settle(desk)
    assert Trade.get_open_trades() == []
    assert desk.broken() == []
