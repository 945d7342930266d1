"""From the entry's own request to the last exit: real bot, real database, venue on loopback."""

from decimal import Decimal
from itertools import pairwise

import pytest
from freqtrade.enums import ExitCheckTuple, ExitType
from freqtrade.persistence import Order, Trade
from freqtrade.rpc import RPC

from bubbybot_freqtrade.sandbox.api.faults import Fault
from bubbybot_freqtrade.sandbox.settings import DEMO_UID
from bubbybot_freqtrade.sandbox.venue.errors import MESSAGES
from tests.blofin.desk import BTC, ETH

AMEND = "/api/v1/trade/amend-tpsl"
LONG_STOP, LONG_TARGET = 0.98, 1.04  # of the strategy `Bracketed`


@pytest.fixture
def watch_bareness():
    """Note, at every change at the venue, which positions are without a live stop."""

    def watch(desk):
        bare = []
        venue = desk.sandbox.engine.venue

        def look(topic, account, subject):
            stops = {t.inst_id for t in account.live_tpsl() if t.tpsl.sl_trigger is not None}
            exposed = [p.inst_id for p in account.positions.values() if p.inst_id not in stops]
            bare[:] = [entry for entry in bare if entry[0] != venue.now_ms]
            if exposed:
                bare.append((venue.now_ms, exposed))

        venue.listeners.append(look)
        return bare

    return watch


def test_one_request_places_entry_stop_and_target(open_desk):
    desk = open_desk()
    desk.start()
    trade = desk.enter(BTC, "long")
    (order,) = desk.posts("/api/v1/trade/order")
    rate = trade.open_rate_requested
    assert float(order["slTriggerPrice"]) == pytest.approx(rate * LONG_STOP, abs=0.1)
    assert float(order["tpTriggerPrice"]) == pytest.approx(rate * LONG_TARGET, abs=0.1)
    assert order["slOrderPrice"] == order["tpOrderPrice"] == "-1"
    assert order["positionSide"] == "net"
    assert order["clientOrderId"].startswith("ft")
    assert not desk.posts("/api/v1/trade/order-tpsl")
    (stop,) = desk.standing_stops(BTC)
    (sl_order,) = trade.open_sl_orders
    assert sl_order.order_id == stop.tpsl_id


def test_leverage_is_set_once_per_pair_and_again_when_changed_in_the_app(open_desk):
    desk = open_desk()
    desk.start()

    def enter_and_exit(pair, side):
        trade = desk.enter(pair, side)
        account = desk.sandbox.engine.account(DEMO_UID)
        (position,) = account.positions.values()
        assert float(position.leverage) == trade.leverage == 5.0
        RPC(desk.bot)._rpc_force_exit(str(trade.id))
        desk.loop()
        desk.pass_time(6)  # freqtrade locks a pair for the rest of its candle
        return len(desk.posts("/api/v1/account/set-leverage"))

    times = [enter_and_exit(p, s) for p, s in ((BTC, "long"), (BTC, "short"), (ETH, "long"))]
    assert times == [1, 1, 2]
    by_hand = {"instId": "BTC-USDT", "marginMode": "isolated", "leverage": "40"}
    desk.sandbox.app("/api/v1/account/set-leverage", by_hand)
    assert enter_and_exit(BTC, "long") == 3


def test_an_addition_does_not_set_the_leverage_again(open_desk):
    desk = open_desk()
    bot = desk.start(position_adjustment_enable=True)
    trade = desk.enter(BTC)
    assert bot.execute_entry(BTC, 100, trade=trade, mode="pos_adjust", leverage_=5.0)
    assert len(desk.posts("/api/v1/account/set-leverage")) == 1


@pytest.mark.parametrize(
    ("side", "course", "reason"),
    [
        ("long", [(0, 50_000), (20, 50_000), (60, 52_500)], "take_profit_on_exchange"),
        ("long", [(0, 50_000), (20, 50_000), (60, 48_500)], "stoploss_on_exchange"),
        ("short", [(0, 50_000), (20, 50_000), (60, 47_500)], "take_profit_on_exchange"),
        ("short", [(0, 50_000), (20, 50_000), (60, 51_500)], "stoploss_on_exchange"),
    ],
)
def test_what_fills_at_the_venue_closes_the_trade_by_its_own_name(open_desk, side, course, reason):
    desk = open_desk({BTC: course})
    desk.start()
    trade = desk.enter(BTC, side)
    desk.loop(minutes=60)
    trade = desk.closed(trade)
    assert trade.exit_reason == reason
    assert (trade.close_profit_abs > 0) == reason.startswith("take_profit")
    assert not desk.standing_stops(BTC)
    assert trade.close_profit_abs == pytest.approx(realized(desk), abs=0.005)


def realized(desk) -> float:
    """What the venue's wallet gained or lost since the start."""
    wallet = desk.bot.wallets
    wallet.update()
    return wallet.get_total("USDT") - 10_000


def test_a_liquidation_is_called_one(open_desk):
    desk = open_desk({BTC: [(0, 50_000), (20, 50_000), (40, 35_000)]})
    desk.start()
    trade = desk.enter(BTC)
    cancel_stops_by_hand(desk)
    desk.loop(minutes=60)
    assert desk.closed(trade).exit_reason == "liquidation"


def cancel_stops_by_hand(desk) -> None:
    engine = desk.sandbox.engine
    with engine.exclusive():
        for account in engine.venue.accounts.values():
            for tpsl in list(account.live_tpsl()):
                engine.triggers.cancel_tpsl(account, tpsl, "user_canceled")


def test_a_position_closed_in_the_app_closes_the_trade(open_desk):
    desk = open_desk()
    desk.start()
    trade = desk.enter(BTC)
    engine = desk.sandbox.engine
    with engine.exclusive():
        account = next(iter(engine.venue.accounts.values()))
        body = {"instId": "BTC-USDT", "marginMode": "isolated", "positionSide": "net"}
        engine.order_entry.close_position(account, body)
    desk.loop()
    assert desk.closed(trade).exit_reason == "sold_on_exchange"


def reduce_by_hand(desk, **order) -> str:
    """Close a part of the BTC position in the app; the order's id."""
    body = {"instId": "BTC-USDT", "marginMode": "isolated", "positionSide": "net", "side": "sell"}
    answer = desk.sandbox.app("/api/v1/trade/order", body | {"reduceOnly": "true"} | order)
    return answer["data"][0]["orderId"]


@pytest.mark.parametrize("ended", ["filled", "partially_canceled"])
def test_a_part_closed_by_hand_is_booked_with_the_rest(open_desk, ended):
    desk = open_desk({BTC: [(0, 50_000), (20, 50_000), (25, 48_000)]})
    desk.start()
    trade = desk.enter(BTC)
    size = {"filled": "4", "partially_canceled": "5"}[ended]
    order_id = reduce_by_hand(desk, orderType="limit", price="50500", size=size)
    desk.sandbox.fill(order_id, Decimal(4))
    if ended == "partially_canceled":
        body = {"instId": "BTC-USDT", "orderId": order_id}
        assert desk.sandbox.app("/api/v1/trade/cancel-order", body)["code"] == "0"
    desk.loop(minutes=30)
    trade = desk.closed(trade)
    assert trade.exit_reason == "stoploss_on_exchange"
    assert trade.close_profit_abs == pytest.approx(realized(desk), abs=0.005)


def test_a_part_closed_by_hand_is_booked_also_when_the_stop_was_replaced_since(open_desk):
    desk = open_desk({BTC: [(0, 50_000), (20, 50_000), (25, 48_000)]}, amend_tpsl=False)
    desk.start()
    trade = desk.enter(BTC)
    reduce_by_hand(desk, orderType="market", size="4")
    desk.move_stop(BTC, 49_500.0)
    desk.loop(minutes=30)
    trade = desk.closed(trade)
    assert trade.exit_reason == "stoploss_on_exchange"
    assert trade.close_profit_abs == pytest.approx(realized(desk), abs=0.005)


def test_what_a_stop_filled_in_part_is_booked_once_and_the_rest_is_closed(open_desk):
    desk = open_desk({BTC: [(0, 50_000), (20, 50_000), (25, 48_000)]}, stop_fill_share="0.4")
    desk.start()
    trade = desk.enter(BTC)
    whole = trade.amount
    desk.loop(minutes=30)
    Trade.session.refresh(trade)
    assert trade.is_open
    assert trade.amount == pytest.approx(0.6 * whole, abs=0.0002)
    for _ in range(3):
        desk.loop()
    trade = desk.closed(trade)
    assert not desk.sandbox.engine.account(DEMO_UID).positions
    assert trade.close_profit_abs == pytest.approx(realized(desk), abs=0.005)


def test_what_a_stop_has_left_goes_out_at_the_market(open_desk, caplog):
    """The price has come back meanwhile: that is no reason to wait for another stop."""
    course = [(0, 50_000), (20, 50_000), (25, 48_900), (26, 49_900), (60, 49_900), (70, 48_500)]
    desk = open_desk({BTC: course}, stop_fill_share="0.4")
    desk.start()
    trade = desk.enter(BTC)
    desk.loop(minutes=30)
    assert not any(p.size for p in desk.sandbox.engine.account(DEMO_UID).positions.values())
    assert "What is left goes out at the market" in caplog.text
    assert "Don't cancel" not in caplog.text
    desk.loop()
    trade = desk.closed(trade)
    assert trade.close_profit_abs == pytest.approx(realized(desk), abs=0.005)


def test_a_stop_canceled_in_the_app_is_there_again_after_one_loop(open_desk):
    desk = open_desk({BTC: [(0, 50_000), (20, 50_000), (60, 52_500)]})
    desk.start()
    trade = desk.enter(BTC)
    cancel_stops_by_hand(desk)
    desk.loop()
    (stop,) = desk.standing_stops(BTC)
    assert float(stop.tpsl.sl_trigger) == pytest.approx(trade.stop_loss, abs=0.1)
    assert trade.is_open
    # The target went with it, and nothing else has it.
    desk.loop(minutes=60)
    assert desk.closed(trade).exit_reason == "take_profit_on_exchange"


def test_a_stop_waits_for_no_target(open_desk):
    desk = open_desk()
    desk.start()
    desk.enter(BTC)
    fault = Fault(kind="code", code="152002", path="*/trade/order-detail", method="GET")
    desk.sandbox.faults.add(fault)
    cancel_stops_by_hand(desk)
    desk.loop()
    (stop,) = desk.standing_stops(BTC)
    assert stop.tpsl.sl_trigger is not None


def rest_an_exit(desk, trade, price) -> None:
    """Let freqtrade exit by a limit order that waits at `price`."""
    desk.bot.strategy.order_types = desk.bot.strategy.order_types | {"exit": "limit"}
    why = ExitCheckTuple(exit_type=ExitType.EXIT_SIGNAL, exit_reason="enough")
    assert desk.bot.execute_trade_exit(trade, price, why)
    desk.loop()
    (resting,) = desk.sandbox.engine.account(DEMO_UID).live_orders()
    assert resting.order_id in trade.open_orders_ids


def test_a_stop_canceled_in_the_app_is_there_again_also_while_an_exit_rests(open_desk):
    desk = open_desk()
    desk.start()
    trade = desk.enter(BTC)
    rest_an_exit(desk, trade, 51_000.0)
    cancel_stops_by_hand(desk)
    desk.loop()
    (stop,) = desk.standing_stops(BTC)
    assert float(stop.tpsl.sl_trigger) == pytest.approx(trade.stop_loss, abs=0.1)
    assert trade.has_open_orders


def test_a_bare_position_that_freqtrade_cannot_look_after_gets_its_stop_from_the_watch(open_desk):
    desk = open_desk()
    desk.start()
    desk.enter(BTC)
    fault = Fault(kind="code", code="103013", path="*/trade/order-tpsl-detail", method="GET")
    desk.sandbox.faults.add(fault)
    cancel_stops_by_hand(desk)
    desk.loop()
    assert not desk.standing_stops(BTC)
    desk.loop()
    (stop,) = desk.standing_stops(BTC)
    assert stop.is_entire_position
    plan = desk.posts("/api/v1/trade/order")[0]
    assert stop.tpsl.sl_trigger == Decimal(plan["slTriggerPrice"])
    assert stop.tpsl.tp_trigger == Decimal(plan["tpTriggerPrice"])
    desk.sandbox.faults.clear()
    for _ in range(3):
        desk.loop()
    assert len(desk.standing_stops(BTC)) == 1


def test_an_exit_that_a_stop_left_behind_ends_neither_this_trade_late_nor_the_next(open_desk):
    course = [(0, 50_000), (5, 50_000), (8, 48_500), (20, 48_500), (60, 49_000)]
    desk = open_desk({BTC: course}, leftover_exits="keep")
    desk.start()
    trade = desk.enter(BTC)
    rest_an_exit(desk, trade, 50_800.0)
    account = desk.sandbox.engine.account(DEMO_UID)
    desk.loop(minutes=8)
    assert not account.positions
    assert desk.closed(trade).exit_reason == "stoploss_on_exchange"
    desk.loop()
    desk.loop()
    assert not list(account.live_orders())
    desk.pass_time(6)  # freqtrade locks a pair for the rest of its candle
    assert desk.enter(BTC).is_open


def test_a_stop_moves_in_place(open_desk, watch_bareness):
    desk = open_desk()
    desk.start()
    trade = desk.enter(BTC)
    bare = watch_bareness(desk)
    before = desk.standing_stops(BTC)[0]
    desk.move_stop(BTC, 49_500.0)
    (stop,) = desk.standing_stops(BTC)
    assert stop.tpsl_id == before.tpsl_id
    assert float(stop.tpsl.sl_trigger) == 49_500.0
    assert float(stop.tpsl.tp_trigger) == pytest.approx(trade.open_rate * LONG_TARGET, rel=1e-3)
    assert not desk.posts("/api/v1/trade/cancel-tpsl")
    (moved,) = desk.posts("/api/v1/trade/amend-tpsl")
    # Nobody has written down what the venue does with a leg that isn't named.
    assert float(moved["newSlTriggerPrice"]) == 49_500.0
    assert float(moved["newTpTriggerPrice"]) == float(before.tpsl.tp_trigger)
    assert bare == []


def test_a_stop_is_replaced_new_before_old_where_it_cannot_move(open_desk, watch_bareness):
    desk = open_desk(amend_tpsl=False)
    desk.start()
    trade = desk.enter(BTC)
    bare = watch_bareness(desk)
    for number, price in enumerate((49_300.0, 49_600.0), start=1):
        desk.move_stop(BTC, price)
        (stop,) = desk.standing_stops(BTC)
        assert float(stop.tpsl.sl_trigger) == price
        assert float(stop.tpsl.tp_trigger) == pytest.approx(trade.open_rate * LONG_TARGET, rel=1e-3)
        assert len(desk.posts("/api/v1/trade/order-tpsl")) == number
    assert bare == []
    paths = [r.path for r in desk.sandbox.requests if r.method == "POST" and "tpsl" in r.path]
    placed_then_canceled = [(a[-10:], b[-11:]) for a, b in pairwise(paths)]
    assert placed_then_canceled.count(("order-tpsl", "cancel-tpsl")) == 2
    assert len(desk.posts("/api/v1/trade/amend-tpsl")) == 1  # tried once, remembered
    desk.loop(minutes=2)
    assert len(Trade.get_open_trades()[0].open_sl_orders) == 1


def refuse_to_move_stops(desk, code) -> None:
    fault = Fault(kind="code", code=code, msg=MESSAGES[code], path="*/trade/amend-tpsl")
    desk.sandbox.faults.add(fault)


@pytest.mark.parametrize("code", ["404", "152404", "401", "102114"])
def test_a_stop_is_replaced_whatever_the_venue_says_to_a_move(open_desk, watch_bareness, code):
    desk = open_desk()
    desk.start()
    desk.enter(BTC)
    bare = watch_bareness(desk)
    refuse_to_move_stops(desk, code)
    desk.move_stop(BTC, 49_500.0)
    (stop,) = desk.standing_stops(BTC)
    assert float(stop.tpsl.sl_trigger) == 49_500.0
    assert bare == []


@pytest.mark.parametrize("code", ["404", "152404", "401", "102114", "103013", "429"])
def test_a_stop_that_cannot_be_moved_holds_up_no_exit(open_desk, code):
    desk = open_desk()
    bot = desk.start()
    trade = desk.enter(BTC)
    refuse_to_move_stops(desk, code)
    bot.strategy.custom_exit = lambda **_: "enough" if desk.posts(AMEND) else None
    desk.move_stop(BTC, 49_500.0)
    desk.loop()
    assert desk.closed(trade).exit_reason == "enough"


def test_a_stop_never_gets_looser(open_desk):
    desk = open_desk()
    desk.start()
    desk.enter(BTC)
    desk.move_stop(BTC, 40_000.0)
    assert float(desk.standing_stops(BTC)[0].tpsl.sl_trigger) > 48_900


def test_the_stop_stands_while_the_bot_exits_and_is_gone_after(open_desk, watch_bareness):
    desk = open_desk()
    desk.start()
    trade = desk.enter(BTC)
    bare = watch_bareness(desk)
    RPC(desk.bot)._rpc_force_exit(str(trade.id))
    desk.loop()
    assert desk.closed(trade).exit_reason == "force_exit"
    assert not desk.standing_stops(BTC)
    assert not desk.posts("/api/v1/trade/cancel-tpsl")
    assert bare == []


def test_an_addition_brings_its_own_stop_until_one_covers_all(open_desk, watch_bareness):
    desk = open_desk()
    bot = desk.start(position_adjustment_enable=True)
    bare = watch_bareness(desk)
    trade = desk.enter(BTC)
    first = trade.amount
    bot.execute_entry(BTC, 100, trade=trade, mode="pos_adjust", leverage_=5.0)
    assert "slTriggerPrice" in desk.posts("/api/v1/trade/order")[1]
    desk.loop()
    (stop,) = desk.standing_stops(BTC)
    assert trade.amount > 1.9 * first
    assert float(stop.size) == pytest.approx(trade.amount / 0.001)
    assert bare == []


def test_a_partly_filled_entry_is_covered(open_desk, watch_bareness):
    desk = open_desk({BTC: [(0, 50_000), (10, 50_000), (30, 49_600), (120, 49_600)]})
    desk.start()
    bare = watch_bareness(desk)
    trade = desk.enter(BTC, stake_amount=2_000_000 / 5, order_type="limit", leverage=5)
    for _ in range(6):
        desk.loop(minutes=5)
    assert trade.is_open
    assert bare == []
    assert sum(float(s.size) for s in desk.standing_stops(BTC)) >= trade.amount / 0.001 * 0.999


def test_a_killed_bot_comes_back_to_its_trade_and_its_stop(open_desk):
    desk = open_desk({BTC: [(0, 50_000), (90, 50_000), (120, 52_500)]})
    desk.start()
    trade_id = desk.enter(BTC).id
    desk.stop()
    desk.pass_time(10)
    desk.start()
    desk.loop()
    trade = Trade.get_trades([Trade.id == trade_id]).one()
    assert trade.is_open
    assert len(desk.standing_stops(BTC)) == 1
    desk.move_stop(BTC, 49_700.0)
    assert float(desk.standing_stops(BTC)[0].tpsl.sl_trigger) == 49_700.0
    desk.loop(minutes=120)
    assert desk.closed(trade).exit_reason == "take_profit_on_exchange"


def test_a_kill_between_entry_and_adoption_loses_nothing(open_desk):
    desk = open_desk()
    bot = desk.start()
    trade = RPC(bot)._rpc_force_entry(BTC, None, order_side="long")
    assert trade is not None
    trade_id = trade.id
    desk.stop()
    desk.pass_time(1)
    desk.start()
    desk.loop()
    (stop,) = desk.standing_stops(BTC)
    orders = Order.session.query(Order).filter(Order.ft_trade_id == trade_id).all()
    assert [o.order_id for o in orders if o.ft_order_side == "stoploss"] == [stop.tpsl_id]


def test_freqtrades_sample_strategy_trades_with_a_stop(open_desk):
    from pathlib import Path

    import freqtrade

    templates = Path(freqtrade.__file__).parent / "templates"
    desk = open_desk({BTC: [(0, 50_000), (20, 50_000), (60, 44_000)]})
    bot = desk.start(strategy="SampleStrategy", strategy_path=str(templates))
    trade = desk.enter(BTC)
    (order,) = desk.posts("/api/v1/trade/order")
    expected = trade.open_rate_requested * (1 + bot.strategy.stoploss)
    assert float(order["slTriggerPrice"]) == pytest.approx(expected, rel=1e-4)
    assert len(desk.standing_stops(BTC)) == 1
    desk.loop(minutes=90)
    assert desk.closed(trade).exit_reason == "stoploss_on_exchange"


@pytest.mark.parametrize("position_mode", ["net_mode", "long_short_mode"])
@pytest.mark.parametrize("margin_mode", ["isolated", "cross"])
def test_every_account_mode_opens_moves_and_closes(open_desk, position_mode, margin_mode):
    desk = open_desk({ETH: [(0, 2_000), (20, 2_000), (60, 1_900)]})
    bot = desk.start(margin_mode=margin_mode, exchange={"position_mode": position_mode})
    long, short = desk.enter(BTC, "long"), desk.enter(ETH, "short")
    desk.move_stop(BTC, 49_500.0)
    assert float(desk.standing_stops(BTC)[0].tpsl.sl_trigger) == 49_500.0
    # A cross position this small is backed by the whole wallet: nothing liquidates it.
    assert (long.liquidation_price is None) == (margin_mode == "cross")
    assert (long.liquidation_price or 0) < 49_500.0
    sides = {o["positionSide"] for o in desk.posts("/api/v1/trade/order")}
    assert sides == ({"net"} if position_mode == "net_mode" else {"long", "short"})
    assert {o["marginMode"] for o in desk.posts("/api/v1/trade/order")} == {margin_mode}
    desk.loop(minutes=60)
    assert desk.closed(short).exit_reason == "take_profit_on_exchange"
    RPC(bot)._rpc_force_exit(str(long.id))
    desk.loop()
    assert desk.closed(long).exit_reason == "force_exit"
