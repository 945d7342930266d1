"""The first seconds of a trade: what the extension waits for there, and what it may not."""

from datetime import timedelta

from freqtrade.persistence import Trade

from bubbybot_freqtrade.drills.drill import settle
from bubbybot_freqtrade.drills.market import BTC, ETH, inst_id


def stops(desk, pair):
    return list(desk.watch.account.live_tpsl(inst_id(pair)))


def test_the_filled_part_of_a_young_entry_does_not_stay_bare(desk):
    desk.enter(ETH, price=1_950.0, order_type="limit")
    (order,) = desk.watch.account.live_orders()
    desk.sandbox.fill(order.order_id, (order.size / 3).to_integral_value())
    desk.cancel_stops(ETH)
    assert stops(desk, ETH) == []
    desk.loop()
    assert len(stops(desk, ETH)) == 1


def test_a_trade_entered_in_the_millisecond_in_which_the_last_one_ended_has_its_own_end(desk):
    desk.enter(BTC)
    desk.loop(2)
    desk.close_position(BTC)
    desk.loop(2, sleep_after=False)
    assert Trade.get_open_trades() == []
    desk.enter(BTC)
    desk.loop(2, sleep_after=False)
    ended = desk.clock.now_ms
    assert [int(trade.open_date_utc.timestamp() * 1000) for trade in Trade.get_open_trades()] == [
        ended
    ]
    desk.pass_time(1)
    desk.exit(BTC)
    settle(desk)
    assert desk.broken() == []


def test_the_end_of_the_last_trade_is_not_taken_for_the_end_of_this_one(desk, monkeypatch):
    desk.enter(BTC)
    desk.loop(2)
    desk.close_position(BTC)
    desk.loop(2)
    trade = desk.enter(BTC)
    # As on a machine whose clock is a few seconds behind the venue's.
    trade.open_date -= timedelta(seconds=30)
    Trade.commit()
    exchange = desk.bot.exchange
    # The venue's list of positions is a moment late.
    monkeypatch.setattr(exchange.requests, "position", lambda *_, **__: None)
    order = exchange.create_stoploss(
        pair=BTC,
        amount=trade.amount,
        stop_price=49_000.0,
        order_types=desk.bot.strategy.order_types,
        side="sell",
        leverage=5.0,
    )
    # The stop that came with the entry is taken for what it is, and the trade goes on.
    (stop,) = exchange.requests.rows("tpsl")
    assert order["id"] == stop["id"]
    assert trade.is_open
