"""The drills see what they are there to see: each law fails where it is broken on purpose."""

import pytest
from freqtrade.persistence import Trade

from bubbybot_freqtrade.blofin.exchange.orders import Orders
from bubbybot_freqtrade.blofin.exchange.requests import Requests
from bubbybot_freqtrade.drills.drill import settle
from bubbybot_freqtrade.drills.limits import busiest, slope
from bubbybot_freqtrade.drills.market import BTC, ETH


def test_an_entry_without_a_stop_is_bare(desk, monkeypatch):
    monkeypatch.setattr(Orders, "attached", lambda *_: {})
    desk.enter(BTC)
    assert any("is bare" in what for what in desk.broken())


def test_a_stop_canceled_by_the_bot_is_bare(desk):
    desk.enter(BTC)
    desk.loop(2)
    (stop,) = desk.watch.account.live_tpsl()
    desk.bot.exchange.stops.cancel(stop.tpsl_id, BTC)
    assert any("is bare" in what for what in desk.broken())


def test_a_stop_canceled_by_the_owner_is_excused_for_a_loop_and_no_longer(desk):
    desk.enter(BTC)
    desk.loop(2)
    desk.cancel_stops(BTC)
    assert desk.watch.broken == []
    desk.fault(kind="code", code="103013", path="*/trade/order-tpsl")
    desk.loop(3)
    assert any("no loop replaced it" in what for what in desk.broken())


def test_how_long_a_stop_was_missing_is_the_time_in_which_a_bot_was_there(desk):
    desk.enter(BTC)
    desk.loop(2)
    desk.cancel_stops(BTC)
    desk.pass_time(12)
    desk.clock.sleep(2.5)
    desk.loop()
    assert desk.watch.bare_ms == [2500]


def test_a_blindly_repeated_entry_is_a_duplicate(desk, monkeypatch):
    def look_up_by_sending_again(requests, pair, client_order_id, tpsl, lost):
        params = {"marginMode": "isolated", "stopLoss": {"triggerPrice": 49_000.0}}
        return requests.api.create_order(pair, "market", "buy", 10, None, params)

    monkeypatch.setattr(Requests, "_look_up", look_up_by_sending_again)
    desk.fault(kind="lost_reset", path="*/trade/order", method="POST", times=1)
    desk.enter(BTC)
    assert any("entered by 2 orders" in what for what in desk.broken())


def test_a_position_unknown_to_the_database_is_an_orphan(desk):
    desk.open_position(ETH)
    desk.foreign.clear()
    assert any("the database doesn't" in what for what in desk.broken())


def test_a_position_that_an_entry_on_its_way_did_not_make_is_an_orphan(desk):
    desk.enter(ETH, price=1_950.0, order_type="limit")
    desk.open_position(ETH)
    desk.foreign.clear()
    assert any("the database doesn't" in what for what in desk.broken())


def test_what_an_entry_on_its_way_has_filled_is_none(desk):
    desk.enter(ETH, price=1_950.0, order_type="limit")
    (order,) = desk.watch.account.live_orders()
    desk.sandbox.fill(order.order_id, (order.size / 3).to_integral_value())
    assert desk.broken() == []


def test_a_trade_without_its_position_is_an_orphan(desk):
    desk.enter(BTC)
    desk.loop(2)
    desk.close_position(BTC)
    assert any("the venue doesn't" in what for what in desk.broken())


def test_books_that_differ_by_more_than_a_cent_are_told(desk):
    trade = desk.enter(BTC)
    desk.loop(2)
    desk.exit(BTC)
    settle(desk)
    assert desk.broken() == []
    trade.close_profit_abs += 0.02
    Trade.commit()
    assert any("by the venue's books" in what for what in desk.broken())


@pytest.mark.parametrize("part", ["api_key", "secret", "passphrase"])
def test_a_secret_in_the_log_is_found(desk, part):
    assert desk.secrets_told() == []
    (desk.folder / "crash.txt").write_text(f"headers: {getattr(desk.key, part)}")
    assert len(desk.secrets_told()) == 1


def test_a_clock_that_is_off_stays_off_until_it_is_set_right(desk):
    desk.venue_lag_ms = 120_000
    before = desk.sandbox.engine.now_ms
    desk.pass_time(1)
    assert desk.sandbox.engine.now_ms == before
    desk.venue_lag_ms = 0
    desk.pass_time(1)
    assert desk.sandbox.engine.now_ms == desk.clock.now_ms


def test_the_busiest_window_is_half_open():
    assert busiest([], 10) == 0
    assert busiest([0, 9, 10], 10) == 2
    assert busiest([0, 0, 5, 9], 10) == 4


def test_memory_that_grows_is_told_from_memory_that_swings():
    assert slope([0.0, 1.0, 2.0, 3.0], [300.0, 302.0, 304.0, 306.0]) == pytest.approx(2.0)
    assert slope([0.0, 1.0, 2.0, 3.0], [300.0, 310.0, 310.0, 300.0]) == pytest.approx(0.0)
    assert slope([1.0], [300.0]) == 0.0
