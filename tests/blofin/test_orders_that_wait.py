"""Orders that rest while their position changes: the bot's own, and the owner's."""

from decimal import Decimal

import pytest
from freqtrade.exceptions import InvalidOrderException
from freqtrade.persistence import Order, Trade
from freqtrade.rpc import RPC

from bubbybot_freqtrade.blofin.account.reconciliation import Discrepancy
from bubbybot_freqtrade.sandbox.settings import DEMO_UID
from tests.blofin.desk import BTC
from tests.blofin.test_account_watch import kinds
from tests.blofin.test_by_hand import ENTERED, account, earned, held, loops, order_by_hand

PATIENT = {"entry": 90, "exit": 90, "unit": "minutes"}
HEDGED = {"position_mode": "long_short_mode"}


def resting(desk):
    return list(account(desk).live_orders("BTC-USDT"))


def limit_by_hand(desk, side, size, price, **fields):
    """A limit order of the owner; it as it rests."""
    order_by_hand(desk, side, size, orderType="limit", price=str(price), **fields)
    return next(o for o in resting(desk) if o.side == side and o.size == Decimal(str(size)))


# An addition, and its trade has ended


def entered_with_addition(open_desk, course):
    desk = open_desk({BTC: course})
    bot = desk.start(position_adjustment_enable=True, unfilledtimeout=PATIENT)
    trade = desk.enter(BTC)
    desk.loop()
    RPC(bot)._rpc_force_entry(
        BTC, 49_500.0, order_side="long", order_type="limit", stake_amount=50.0
    )
    desk.loop()
    assert len(resting(desk)) == 1
    return desk, bot, trade


def test_an_addition_does_not_outlive_its_trade(open_desk, caplog):
    course = [(0, 50_000), (3, 50_000), (5, 52_600), (20, 52_600), (30, 49_000)]
    desk, bot, trade = entered_with_addition(open_desk, course)
    desk.pass_time(6)
    loops(desk, 2)
    assert desk.closed(trade).exit_reason == "take_profit_on_exchange"
    assert resting(desk) == []
    assert Order.get_open_orders() == []
    assert "the trade has ended while another of its orders still waited" in caplog.text
    desk.pass_time(30)
    loops(desk)
    assert held(desk) == 0
    assert kinds(bot) == []
    assert trade.close_profit_abs == pytest.approx(earned(desk), abs=0.01)


def test_an_addition_that_fills_once_its_trade_has_ended_is_a_trade_of_its_own(open_desk):
    course = [(0, 50_000), (3, 50_000), (5, 52_600), (7, 52_600), (9, 50_000)]
    desk, bot, trade = entered_with_addition(open_desk, course)
    (addition,) = resting(desk)
    desk.pass_time(6)
    desk.loop()
    before = desk.closed(trade).close_profit_abs
    desk.pass_time(4)
    # Before the loop that would cancel it.
    desk.sandbox.fill(addition.order_id, Decimal(3))
    loops(desk, 6)
    assert resting(desk) == []
    (late,) = Trade.get_open_trades()
    assert (late.pair, late.is_short, late.amount) == (BTC, False, 0.003)
    assert len(desk.standing_stops(BTC)) == 1
    assert kinds(bot) == []
    RPC(bot)._rpc_force_exit(str(late.id))
    loops(desk)
    assert held(desk) == 0
    profit = desk.closed(late).close_profit_abs + desk.closed(trade).close_profit_abs
    assert desk.closed(trade).close_profit_abs == before
    assert profit == pytest.approx(earned(desk), abs=0.01)


def test_an_exit_that_rests_when_its_owner_sells_all_is_waited_for_no_more(open_desk):
    desk = open_desk(leftover_exits="keep")
    order_types = {"entry": "market", "exit": "limit", "force_exit": "limit", "stoploss": "market"}
    bot = desk.start(unfilledtimeout=PATIENT, order_types=order_types)
    trade = desk.enter(BTC)
    RPC(bot)._rpc_force_exit(str(trade.id), price=50_900.0)
    desk.loop()
    order_by_hand(desk, "sell", ENTERED)
    loops(desk, 6)
    assert desk.closed(trade).exit_reason == "sold_on_exchange"
    assert resting(desk) == []
    assert Order.get_open_orders() == []


# The owner's own limit order


@pytest.mark.parametrize("reduce_only", ["false", "true"])
def test_what_the_owner_s_limit_sells_in_parts_is_booked_part_by_part(open_desk, reduce_only):
    desk = open_desk()
    bot = desk.start()
    trade = desk.enter(BTC)
    order = limit_by_hand(desk, "sell", 9, 50_500, reduceOnly=reduce_only)
    for filled, left in (("2.2", 0.0077), ("3.3", 0.0044)):
        desk.sandbox.fill(order.order_id, Decimal(filled))
        loops(desk, 5)
        Trade.session.refresh(trade)
        assert (trade.is_open, trade.amount) == (True, left)
        assert kinds(bot) == []
    with desk.sandbox.engine.exclusive():
        body = {"instId": "BTC-USDT", "orderId": order.order_id}
        desk.sandbox.app("/api/v1/trade/cancel-order", body, uid=DEMO_UID)
    order_by_hand(desk, "sell", 1)
    loops(desk, 5)
    Trade.session.refresh(trade)
    assert trade.amount == 0.0034
    RPC(bot)._rpc_reload_trade_from_exchange(trade.id)
    RPC(bot)._rpc_force_exit(str(trade.id))
    loops(desk)
    closed = desk.closed(trade)
    assert closed.exit_reason == "force_exit"
    assert [o.safe_filled for o in closed.orders if o.side == "sell" and o.filled] == [
        0.0022, 0.0033, 0.001, 0.0034,
    ]  # fmt: skip
    assert closed.close_profit_abs == pytest.approx(earned(desk), abs=0.005)


@pytest.mark.parametrize("end", ["/forceexit", "stop", "the limit"])
def test_a_trade_of_which_the_owner_s_limit_has_sold_a_part_ends(open_desk, caplog, end):
    course = [(0, 50_000), (3, 50_000), (5, 48_500)] if end == "stop" else [(0, 50_000)]
    desk = open_desk({BTC: course})
    bot = desk.start()
    trade = desk.enter(BTC)
    order = limit_by_hand(desk, "sell", 12, 50_500)
    desk.loop()
    desk.sandbox.fill(order.order_id, Decimal(4))
    if end == "/forceexit":
        RPC(bot)._rpc_force_exit(str(trade.id))
    elif end == "stop":
        desk.pass_time(6)
    else:
        desk.sandbox.fill(order.order_id, Decimal("5.9"))
    loops(desk, 6)
    closed = desk.closed(trade)
    assert held(desk) == 0
    assert closed.close_profit_abs == pytest.approx(earned(desk), abs=0.01)
    assert "/delete" not in caplog.text


@pytest.mark.parametrize("size", ["9.9", "12"])
@pytest.mark.parametrize("steps", [1, 2])
def test_a_limit_that_the_owner_had_before_the_trade_ends_it(open_desk, caplog, size, steps):
    desk = open_desk()
    bot = desk.start()
    order = limit_by_hand(desk, "sell", size, 50_500)
    desk.pass_time(10)
    trade = desk.enter(BTC)
    desk.loop()
    if steps == 2:
        desk.sandbox.fill(order.order_id, Decimal("2.2"))
        loops(desk, 5)
        Trade.session.refresh(trade)
        assert (trade.is_open, trade.amount) == (True, 0.0077)
    before = earned(desk)
    left = Decimal("7.7") if steps == 2 else ENTERED
    desk.sandbox.fill(order.order_id, Decimal(size) - ENTERED + left)
    # What is sold beyond the trade opens the owner's short, which pays a maker's fee.
    fee_of_short = 0.0002 * float(Decimal(size) - ENTERED) * 0.001 * 50_500
    gained = earned(desk) - before + fee_of_short
    loops(desk, 6)
    closed = desk.closed(trade)
    assert closed.exit_reason == "sold_on_exchange"
    assert closed.close_profit_abs == pytest.approx(before + gained, abs=0.01)
    assert "doesn't tell which order" not in caplog.text
    assert kinds(bot) == ([] if size == "9.9" else [Discrepancy.UNKNOWN_POSITION])


# The owner's positions on the pair of a trade


@pytest.mark.parametrize("margin_mode", ["isolated", "cross"])
def test_the_owner_s_lost_short_does_not_cost_the_bot_its_long(open_desk, caplog, margin_mode):
    desk = open_desk({BTC: [(0, 50_000), (2, 50_000), (9, 51_000)]}, **HEDGED)
    desk.start(exchange=HEDGED, stoploss=-0.3)
    entered = desk.enter(BTC).id
    desk.loop()
    (own,) = desk.standing_stops(BTC)
    desk.stop()
    leverage = {"instId": "BTC-USDT", "leverage": "20", "marginMode": margin_mode}
    side = {"positionSide": "short"} if margin_mode == "isolated" else {}
    desk.sandbox.app("/api/v1/account/set-leverage", leverage | side, uid=DEMO_UID)
    order_by_hand(desk, "sell", 15, positionSide="short", marginMode=margin_mode)
    # 2 % against it, and the strategy's stop is 1.5 % from its entry at 20x.
    desk.pass_time(12)
    desk.start(exchange=HEDGED, stoploss=-0.3)
    loops(desk, 5)
    assert [trade.id for trade in Trade.get_open_trades()] == [entered]
    stops = {stop.position_side: stop for stop in desk.standing_stops(BTC)}
    assert stops["long"].tpsl_id == own.tpsl_id
    assert (stops["short"].margin_mode, stops["short"].tpsl.tp_trigger) == (margin_mode, None)
    assert "goes out at the market" not in caplog.text


@pytest.mark.parametrize("side", ["long", "short"])
def test_a_bare_position_in_the_other_margin_mode_beside_the_trade_s_gets_a_stop(
    open_desk, caplog, side
):
    desk = open_desk(**HEDGED)
    desk.start(exchange=HEDGED)
    desk.enter(BTC, side)
    desk.loop()
    opening = "buy" if side == "long" else "sell"
    order_by_hand(desk, opening, 15, positionSide=side, marginMode="cross")
    loops(desk, 2)
    stops = {stop.margin_mode: stop for stop in desk.standing_stops(BTC)}
    assert set(stops) == {"isolated", "cross"}
    assert stops["cross"].tpsl.tp_trigger is None
    assert f"a {side} position of 15 contracts that this bot's database doesn't know" in caplog.text
    assert all(record.getMessage() for record in caplog.records)


# The list of open orders lags


def shown(desk, order_id):
    """Whether the list of open orders has an order."""
    answer = desk.sandbox.app("/api/v1/trade/orders-pending", {}, method="GET")
    return order_id in [row["orderId"] for row in answer["data"]]


def test_a_market_entry_is_known_to_have_filled_though_its_list_shows_it_as_waiting(open_desk):
    desk = open_desk(list_delay_ms=2000)
    bot = desk.start()
    trade = RPC(bot)._rpc_force_entry(BTC, None, order_side="long")
    (order,) = trade.orders
    assert shown(desk, order.order_id)
    bot.exchange.requests.start_loop()
    assert bot.exchange.fetch_order(order.order_id, BTC)["status"] == "closed"
    assert shown(desk, order.order_id)


def test_an_order_whose_cancel_comes_too_late_is_known_to_have_filled_before_its_list_says_so(
    open_desk,
):
    desk = open_desk(list_delay_ms=2000)
    exchange = desk.start(unfilledtimeout=PATIENT).exchange
    trade = desk.enter(BTC, price=49_500.0, order_type="limit")
    order_id = trade.orders[0].order_id
    desk.pass_time(1)
    desk.loop()
    desk.sandbox.fill(order_id)
    assert exchange.fetch_order(order_id, BTC)["status"] == "open"
    with pytest.raises(InvalidOrderException):
        exchange.cancel_order(order_id, BTC)
    assert shown(desk, order_id)
    assert exchange.fetch_order(order_id, BTC)["status"] == "closed"
