"""Stops that BloFin refuses, doesn't show yet, jumps over or cancels: out, or protected still."""

from decimal import Decimal

import pytest
from freqtrade.persistence import Trade

from bubbybot_freqtrade.blofin.exchange import requests, stop_orders
from bubbybot_freqtrade.blofin.protection import covers
from bubbybot_freqtrade.sandbox.api.faults import Fault
from bubbybot_freqtrade.sandbox.settings import DEMO_UID
from bubbybot_freqtrade.sandbox.venue.matching import Matching
from tests.blofin.desk import BTC, ETH
from tests.blofin.test_account_watch import open_by_hand

LIMIT_STOP = {
    "entry": "market",
    "exit": "market",
    "stoploss": "limit",
    "stoploss_on_exchange": True,
    "stoploss_on_exchange_limit_ratio": 0.998,
}

LIMIT_ENTRY = {**LIMIT_STOP, "entry": "limit", "stoploss": "market"}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    for module in (requests, stop_orders):
        monkeypatch.setattr(module, "LOOK_UP_PAUSES", (0.0,) * 3)


def refuse(desk, path, code="102016", msg="Precision does not match", **fault) -> None:
    desk.sandbox.faults.add(Fault(kind="code", code=code, msg=msg, path=f"*/trade/{path}", **fault))


def size(desk, pair="BTC-USDT") -> Decimal:
    """Contracts of the pair's position at the venue."""
    account = desk.sandbox.engine.account(DEMO_UID)
    return sum((p.size for p in account.positions.values() if p.inst_id == pair), Decimal(0))


def wallet_gain(desk) -> float:
    desk.bot.wallets.update()
    return desk.bot.wallets.get_total("USDT") - 10_000


REFUSALS = ["102037", "102038", "102039", "102040", "102016", "987654", "102114"]


@pytest.mark.parametrize("code", REFUSALS)
@pytest.mark.parametrize("minutes", [0.2, 5])
def test_a_refused_move_ends_at_the_market_once_the_price_has_passed_it(open_desk, code, minutes):
    desk = open_desk({BTC: [(0, 50_000), (20, 50_000), (21, 49_400), (60, 49_400)]})
    desk.start()
    desk.pass_time(20 - minutes - 0.3)
    trade = desk.enter(BTC)
    refuse(desk, "amend-tpsl", code)
    refuse(desk, "order-tpsl", code)
    desk.bot.strategy.stop_at = {BTC: 49_700.0}
    desk.loop(minutes)
    assert trade.is_open
    (stop,) = desk.standing_stops(BTC)
    assert float(stop.tpsl.sl_trigger) == pytest.approx(49_000, rel=1e-3)
    desk.loop(minutes=1.5)
    assert size(desk) == 0
    desk.loop()
    trade = desk.closed(trade)
    assert trade.exit_reason == "emergency_exit"
    assert trade.close_profit_abs == pytest.approx(wallet_gain(desk), abs=0.005)


@pytest.mark.parametrize("code", REFUSALS)
def test_the_old_stop_stands_where_a_tighter_one_is_refused(open_desk, code):
    desk = open_desk()
    desk.start()
    trade = desk.enter(BTC)
    (before,) = desk.standing_stops(BTC)
    refuse(desk, "amend-tpsl", code)
    refuse(desk, "order-tpsl", code)
    desk.bot.strategy.stop_at = {BTC: 49_500.0}
    for _ in range(12):
        desk.loop(minutes=0.25)
    assert trade.is_open
    assert [s.tpsl_id for s in desk.standing_stops(BTC)] == [before.tpsl_id]
    # Asked again once a minute, not in every loop.
    assert len(desk.posts("/api/v1/trade/order-tpsl")) <= 4
    desk.sandbox.faults.clear()
    for _ in range(6):
        desk.loop(minutes=0.25)
    (stop,) = desk.standing_stops(BTC)
    assert float(stop.tpsl.sl_trigger) == 49_500.0
    assert [o.order_id for o in trade.open_sl_orders] == [stop.tpsl_id]


@pytest.mark.parametrize("code", ["102016", "987654", "150004"])
def test_a_bare_position_whose_stop_is_refused_goes_out_at_once(open_desk, caplog, code):
    desk = open_desk()
    desk.start()
    trade = desk.enter(BTC)
    refuse(desk, "order-tpsl", code, "Whatever it means")
    desk.sandbox.app("/api/v1/trade/cancel-tpsl", cancel_request(desk))
    desk.loop()
    assert size(desk) == 0
    assert f"{code}: Whatever it means" in caplog.text
    desk.loop()
    assert desk.closed(trade).exit_reason == "emergency_exit"


def cancel_request(desk):
    return [{"instId": s.inst_id, "tpslId": s.tpsl_id} for s in desk.standing_stops(BTC)]


@pytest.mark.parametrize("times", [1, 3, None])
def test_a_stop_that_is_not_shown_yet_is_no_refusal(open_desk, times):
    desk = open_desk(amend_tpsl=False)
    desk.start()
    trade = desk.enter(BTC)
    (before,) = desk.standing_stops(BTC)
    hidden = {"kind": "code", "code": "102068", "msg": "The order does not exist", "times": times}
    desk.sandbox.faults.add(Fault(path="*/trade/order-tpsl-detail", **hidden))
    desk.bot.strategy.stop_at = {BTC: 49_500.0}
    desk.loop(minutes=2)
    desk.loop()
    assert trade.is_open
    assert size(desk) > 0
    stops = desk.standing_stops(BTC)
    assert max(float(s.tpsl.sl_trigger) for s in stops) == 49_500.0
    desk.sandbox.faults.clear()
    for _ in range(3):
        desk.loop()
    (stop,) = desk.standing_stops(BTC)
    assert stop.tpsl_id != before.tpsl_id
    assert [o.order_id for o in trade.open_sl_orders] == [stop.tpsl_id]


def test_a_late_tpsl_list_and_detail_bare_nothing(open_desk):
    desk = open_desk(amend_tpsl=False, tpsl_delay_ms=8_000)
    desk.start()
    trade = desk.enter(BTC)
    for price in (49_200.0, 49_400.0, 49_600.0):
        desk.bot.strategy.stop_at = {BTC: price}
        for _ in range(8):
            desk.loop(minutes=0.2)
            assert desk.standing_stops(BTC)
            assert trade.is_open
    (stop,) = desk.standing_stops(BTC)
    assert float(stop.tpsl.sl_trigger) == 49_600.0


@pytest.fixture
def jumping_over_limits(monkeypatch):
    """Let the price jump over the limits of fired stops: nobody is there to take them."""
    offers, trade = Matching.offers, Matching.trade

    def is_jumped(order):
        return order.origin == "trigger" and order.order_type == "limit"

    def no_offers(self, order):
        return [] if is_jumped(order) else offers(self, order)

    def no_trade(self, account, order, *args):
        return None if is_jumped(order) else trade(self, account, order, *args)

    monkeypatch.setattr(Matching, "offers", no_offers)
    monkeypatch.setattr(Matching, "trade", no_trade)


def test_a_limit_stop_that_was_jumped_goes_out_at_the_market(
    open_desk, caplog, jumping_over_limits
):
    desk = open_desk({BTC: [(0, 50_000), (20, 50_000), (24, 48_400), (60, 48_400)]})
    desk.start(order_types=LIMIT_STOP)
    trade = desk.enter(BTC)
    (entry,) = entries(desk)
    assert float(entry["slOrderPrice"]) < float(entry["slTriggerPrice"])
    desk.loop(minutes=25)
    assert size(desk) == 0
    desk.loop()
    trade = desk.closed(trade)
    assert size(desk) == 0
    assert trade.close_rate == pytest.approx(48_400, rel=2e-3)
    assert trade.close_profit_abs == pytest.approx(wallet_gain(desk), abs=0.005)
    assert "has fired" in caplog.text
    assert "Don't cancel" not in caplog.text
    assert not list(desk.sandbox.engine.account(DEMO_UID).live_orders())


def test_what_rests_of_the_owner_s_stop_in_the_other_margin_mode_is_left_to_him(
    open_desk, jumping_over_limits
):
    desk = open_desk(
        {BTC: [(0, 50_000), (20, 50_000), (24, 48_400), (60, 48_400)]},
        position_mode="long_short_mode",
    )
    desk.start(order_types=LIMIT_STOP, exchange={"position_mode": "long_short_mode"})
    trade = desk.enter(BTC)
    stop = {"slTriggerPrice": "49500", "slOrderPrice": "49490"}
    beside = {"positionSide": "long", "marginMode": "cross", "size": "15"}
    open_by_hand(desk, "BTC-USDT", side="buy", **beside, **stop)
    desk.loop(minutes=25)
    desk.loop()
    desk.closed(trade)
    (resting,) = desk.sandbox.engine.account(DEMO_UID).live_orders()
    assert (resting.margin_mode, resting.size) == ("cross", 15)


def test_a_stop_that_the_price_limits_cancel_goes_out_at_the_market(open_desk, caplog):
    # The limit of the fired order is 6 % away from the index, the venue takes 3 %.
    desk = open_desk(
        {BTC: [(0, 50_000), (20, 50_000), (40, 48_900), (90, 48_900)]}, price_band="0.03"
    )
    desk.start(order_types={**LIMIT_STOP, "stoploss_on_exchange_limit_ratio": 0.94})
    trade = desk.enter(BTC)
    desk.loop(minutes=41)
    assert size(desk) == 0
    desk.loop()
    trade = desk.closed(trade)
    assert trade.close_profit_abs == pytest.approx(wallet_gain(desk), abs=0.005)
    assert "Don't cancel" not in caplog.text


def test_what_a_target_has_left_goes_out_and_is_told_as_the_target_s(open_desk, caplog):
    desk = open_desk({BTC: [(0, 50_000), (5, 50_000), (20, 52_600)]}, stop_fill_share="0.4")
    desk.start()
    trade = desk.enter(BTC)
    desk.loop(minutes=25)
    desk.loop()
    assert size(desk) == 0
    assert desk.closed(trade).close_profit_abs == pytest.approx(wallet_gain(desk), abs=0.005)
    assert "The target of BTC/USDT:USDT at 52005.2 has fired" in caplog.text
    assert "The stop of BTC/USDT:USDT at" not in caplog.text


def entries(desk):
    return desk.posts("/api/v1/trade/order")


def test_a_replaced_entry_keeps_its_bracket(open_desk):
    desk = open_desk()
    desk.start(order_types=LIMIT_ENTRY)
    trade = desk.enter(BTC, price=49_900.0)
    assert trade.has_open_orders
    desk.bot.strategy.adjust_order_price = lambda **_: 49_950.0
    desk.pass_time(6)
    desk.loop()
    first, second = entries(desk)
    assert float(second["price"]) == 49_950.0
    assert second["slTriggerPrice"] == first["slTriggerPrice"]
    assert second["tpTriggerPrice"] == first["tpTriggerPrice"]


def test_an_entry_replaced_beyond_its_bracket_is_not_sent(open_desk):
    desk = open_desk()
    desk.start(order_types=LIMIT_ENTRY)
    desk.enter(BTC, price=49_900.0)
    desk.bot.strategy.adjust_order_price = lambda **_: 48_000.0
    desk.pass_time(6)
    desk.loop()
    assert len(entries(desk)) == 1
    assert not Trade.get_open_trades()


@pytest.mark.parametrize("side", ["long", "short"])
def test_an_addition_goes_out_with_the_bracket_that_stands(open_desk, side):
    desk = open_desk()
    bot = desk.start(position_adjustment_enable=True)
    trade = desk.enter(BTC, side)
    desk.move_stop(BTC, 49_500.0 if side == "long" else 50_500.0)
    (moved,) = desk.standing_stops(BTC)
    stop = float(moved.tpsl.sl_trigger)
    assert stop == pytest.approx(49_500.0 if side == "long" else 50_500.0, abs=1)
    assert bot.execute_entry(
        BTC, 100, trade=trade, mode="pos_adjust", is_short=side == "short", leverage_=5.0
    )
    first, second = entries(desk)
    assert float(second["slTriggerPrice"]) == stop
    assert second["tpTriggerPrice"] == first["tpTriggerPrice"]
    desk.loop()
    (standing,) = desk.standing_stops(BTC)
    assert float(standing.tpsl.sl_trigger) == pytest.approx(stop, abs=1)
    assert standing.size == size(desk)


def test_an_addition_whose_bracket_blofin_does_not_tell_is_not_sent(open_desk):
    desk = open_desk()
    desk.start(order_types=LIMIT_ENTRY)
    desk.enter(ETH, price=1_990.0)
    desk.bot.strategy.adjust_order_price = lambda **_: 1_985.0
    refuse(desk, "order-detail", "103013", "Internal error", method="GET", after=1)
    desk.pass_time(6)
    desk.loop()
    assert len(entries(desk)) == 1


@pytest.mark.parametrize("written", ["-1", "-1.000000000000000000", "-1.0"])
def test_a_stop_of_the_whole_position_is_one_however_it_is_written(written):
    assert covers({"amount": None, "info": {"size": written}}, 9.9)


def test_padded_sizes_change_nothing(open_desk):
    desk = open_desk(tpsl_sizes="padded")
    desk.start()
    trade = desk.enter(BTC)
    row = {
        "instId": "BTC-USDT",
        "marginMode": "isolated",
        "positionSide": "net",
        "side": "sell",
        "size": "-1",
        "slTriggerPrice": "49800",
        "slOrderPrice": "-1",
        "reduceOnly": "true",
    }
    desk.sandbox.app("/api/v1/trade/order-tpsl", row)
    for _ in range(4):
        desk.loop()
    assert trade.is_open
    triggers = {float(s.tpsl.sl_trigger) for s in desk.standing_stops(BTC)}
    assert 49_800.0 in triggers


def test_what_a_stop_has_left_of_an_entry_between_two_loops_goes_out_at_the_market(open_desk):
    course = [(0, 50_000), (5, 50_000), (20, 48_000), (90, 48_000)]
    desk = open_desk({BTC: course}, stop_fill_share="0.4")
    # The strategy's own stop is far behind the one that the entry was sent with.
    desk.start(stoploss=-0.5)
    trade = desk.enter(BTC, price=49_800.0, order_type="limit")
    assert trade.has_open_orders
    desk.pass_time(30)
    (position,) = desk.sandbox.engine.account(DEMO_UID).positions.values()
    assert 0 < position.size < 10
    desk.loop()
    desk.loop()
    assert not desk.sandbox.engine.account(DEMO_UID).positions
    assert desk.closed(trade).exit_reason == "emergency_exit"
    assert not desk.standing_stops(BTC)
