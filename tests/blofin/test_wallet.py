"""What freqtrade's wallet is told of positions: before an exit it looks there for its trade's."""

import logging
from decimal import Decimal

import pytest
from freqtrade.exceptions import InvalidOrderException
from freqtrade.persistence import Trade
from freqtrade.rpc import RPC

from tests.blofin.desk import BTC

HEDGE = {"position_mode": "long_short_mode"}


def alarms(caplog):
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]


def trade_of(desk):
    (trade,) = Trade.get_open_trades()
    return trade


def amount_in_wallet(desk):
    desk.bot.wallets.update()
    return desk.bot.wallets.get_owned(BTC, "BTC")


def enter_at_once(desk, **kwargs):
    trade = RPC(desk.bot)._rpc_force_entry(BTC, None, order_side="long", **kwargs)
    desk.loop(0.001)
    return trade


def test_a_list_that_lags_behind_a_fill_is_no_proof_that_a_trade_has_gone(open_desk, caplog):
    desk = open_desk(position_delay_ms=2000)
    desk.start(position_adjustment_enable=True)
    caplog.clear()
    first = enter_at_once(desk).amount
    assert first > 0
    assert amount_in_wallet(desk) == pytest.approx(first)
    # The stop that came with the entry is the trade's, whatever the list says of its position.
    (stop,) = desk.standing_stops()
    assert [order.order_id for order in trade_of(desk).open_sl_orders] == [stop.tpsl_id]
    desk.loop(0.2)
    # Added to, and looked for before the list has the addition.
    trade = enter_at_once(desk, stake_amount=50.0)
    assert trade.amount > first
    assert amount_in_wallet(desk) == pytest.approx(trade.amount)
    assert alarms(caplog) == []
    desk.loop()
    (stop,) = desk.standing_stops()
    assert stop.size in (-1, Decimal(str(trade.amount)) * 1000)


def test_a_position_that_a_list_has_shown_and_shows_no_more_is_gone(open_desk):
    desk = open_desk()
    desk.start()
    desk.enter()
    assert amount_in_wallet(desk) > 0
    desk.sandbox.app(
        "/api/v1/trade/close-position",
        {"instId": "BTC-USDT", "marginMode": "isolated", "positionSide": "net"},
    )
    # What was asked for within a second is not asked for again.
    desk.pass_time(0.1)
    assert amount_in_wallet(desk) == 0


def test_what_no_list_has_shown_is_gone_after_ten_seconds(open_desk):
    desk = open_desk(position_delay_ms=60_000)
    desk.start()
    trade = desk.enter()
    assert amount_in_wallet(desk) == pytest.approx(trade.amount)
    desk.pass_time(0.2)
    assert amount_in_wallet(desk) == 0


def test_the_owner_s_smaller_short_is_not_taken_for_the_bot_s_long(open_desk, caplog):
    desk = open_desk(position_mode="long_short_mode")
    desk.start(exchange=HEDGE)
    trade = desk.enter()
    desk.sandbox.app(
        "/api/v1/trade/order",
        {
            "instId": "BTC-USDT", "marginMode": "isolated", "positionSide": "short",
            "side": "sell", "orderType": "market", "size": "1",
        },
    )  # fmt: skip
    assert amount_in_wallet(desk) == pytest.approx(trade.amount)
    # Between two stops freqtrade looks there.
    for stop in list(desk.standing_stops()):
        body = {"instId": "BTC-USDT", "tpslId": stop.tpsl_id}
        desk.sandbox.app("/api/v1/trade/cancel-tpsl", body)
    desk.loop()
    desk.loop()
    assert trade.is_open
    assert not [say for say in alarms(caplog) if "Not enough" in say]


def test_an_entry_before_the_list_has_seen_the_exit_is_refused_in_true_words(open_desk):
    desk = open_desk(position_delay_ms=8000)
    desk.start()
    trade = desk.enter()
    desk.loop(0.3)
    RPC(desk.bot)._rpc_force_exit(str(trade.id))
    desk.loop(0.01)
    desk.closed(trade)
    with pytest.raises(InvalidOrderException, match="still shows the position that this bot's"):
        enter_at_once(desk)
    desk.pass_time(0.2)
    assert enter_at_once(desk).amount > 0
