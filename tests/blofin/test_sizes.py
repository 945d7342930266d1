"""Sizes that BloFin limits: tiers, the largest and the smallest order, contracts that change."""

from decimal import Decimal

import pytest
from freqtrade.exceptions import InvalidOrderException
from freqtrade.persistence import Trade
from freqtrade.rpc import RPC
from hypothesis import given
from hypothesis import strategies as st

from bubbybot_freqtrade.blofin.parts import (
    MOST,
    merged,
    other_parts,
    part_ids,
    split,
    with_parts,
)
from bubbybot_freqtrade.sandbox.api.faults import Fault
from bubbybot_freqtrade.sandbox.settings import DEMO_UID
from tests.blofin.desk import BTC, ETH

DOGE = "DOGE/USDT:USDT"


def size(desk, inst_id="BTC-USDT") -> Decimal:
    """Contracts of an instrument's position at the venue."""
    account = desk.sandbox.engine.account(DEMO_UID)
    return sum((p.size for p in account.positions.values() if p.inst_id == inst_id), Decimal(0))


def wallet_gain(desk) -> float:
    desk.bot.wallets.update()
    return desk.bot.wallets.get_total("USDT") - 10_000


def exits(desk):
    return [o for o in desk.posts("/api/v1/trade/order") if o["reduceOnly"] == "true"]


@given(st.integers(1, 10_000), st.integers(1, 2_000))
def test_parts_are_whole_lots_and_add_up(lots, most):
    sizes = split(lots / 10, most / 10, 0.1)
    assert all(0 < size <= most / 10 for size in sizes)
    whole = sum(Decimal(str(size)) for size in sizes)
    assert whole == min(Decimal(lots), Decimal(most) * (MOST if len(sizes) == MOST else lots)) / 10


@given(st.integers(2, MOST))
def test_parts_know_each_other_by_their_ids(count):
    ids = part_ids("ft" + "0123456789" * 3, count)
    assert len(set(ids)) == count
    assert all(len(part) <= 32 for part in ids)
    for part in ids:
        assert sorted([part, *other_parts(part)]) == sorted(ids)


def test_an_order_without_parts_has_none():
    assert part_ids("ft" + "ab" * 15, 1) == ["ft" + "ab" * 15]
    for other in ("ft" + "ab" * 15, "", None, "app-order"):
        assert other_parts(other) == []


def test_a_merged_order_is_open_as_long_as_a_part_is():
    part = {"id": "1", "amount": 0.1, "filled": 0.1, "average": 10.0, "status": "closed"}
    other = {**part, "id": "2", "filled": 0.0, "average": None, "status": "open"}
    assert merged([part, other])["status"] == "open"
    whole = merged([part, {**other, "filled": 0.2, "amount": 0.2, "average": 13.0, **CLOSED}])
    assert (whole["status"], whole["filled"], whole["average"]) == ("closed", 0.3, 12.0)


CLOSED = {"status": "closed"}


def test_parts_of_a_known_order_are_known():
    ids = part_ids("ft" + "0123456789" * 3, 3)
    orders = [{"id": str(n), "clientOrderId": part} for n, part in enumerate(ids)]
    orders.append({"id": "9", "clientOrderId": "app"})
    assert with_parts({"0"}, orders) == {"0", "1", "2"}


@pytest.mark.parametrize("restarted", [False, True])
def test_an_exit_larger_than_a_market_order_goes_out_in_parts(open_desk, restarted):
    desk = open_desk(balance="100000")
    bot = desk.start()
    trade = desk.enter(BTC, stake_amount=700)
    held = size(desk)
    assert held > 60
    desk.sandbox.change_instrument("BTC-USDT", max_market_size=Decimal(30))
    desk.bot.exchange.reload_markets(True)
    RPC(bot)._rpc_force_exit(str(trade.id))
    assert [Decimal(o["size"]) for o in exits(desk)] == [30, 30, held - 60]
    trade_id = trade.id
    if restarted:
        desk.stop()
        desk.start()
    desk.loop()
    desk.loop()
    trade = Trade.get_trades([Trade.id == trade_id]).one()
    assert not trade.is_open
    assert trade.exit_reason == "force_exit"
    assert size(desk) == 0
    (booked,) = [o for o in trade.orders if o.ft_order_side == "sell"]
    assert Decimal(str(booked.filled)) == held / 1000
    desk.bot.wallets.update()
    gain = desk.bot.wallets.get_total("USDT") - 100_000
    assert trade.close_profit_abs == pytest.approx(gain, abs=0.005)


def test_more_parts_than_orders_may_have_are_closed_as_a_whole(open_desk, caplog):
    desk = open_desk()
    bot = desk.start()
    trade = desk.enter(BTC)
    assert size(desk) == Decimal("9.9")
    desk.sandbox.change_instrument("BTC-USDT", max_market_size=Decimal("0.2"))
    desk.bot.exchange.reload_markets(True)
    # Fifteen orders of two lots each.
    RPC(bot)._rpc_force_exit(str(trade.id), amount=0.005)
    desk.loop()
    desk.loop()
    assert size(desk) == Decimal("6.9")
    assert "2 of 5 contracts are more than 15 orders may close at once" in caplog.text
    Trade.session.refresh(trade)
    assert (trade.is_open, trade.amount) == (True, 0.0069)
    RPC(bot)._rpc_force_exit(str(trade.id))
    desk.loop()
    desk.loop()
    assert size(desk) == 0
    assert desk.closed(trade).exit_reason == "force_exit"


def test_a_part_that_is_refused_leaves_its_share_in_the_trade(open_desk):
    desk = open_desk(balance="100000")
    bot = desk.start()
    trade = desk.enter(BTC, stake_amount=500)
    held = size(desk)
    desk.sandbox.change_instrument("BTC-USDT", max_market_size=Decimal(30))
    bot.exchange.reload_markets(True)
    fault = Fault(kind="code", code="102016", msg="No", path="*/trade/order", after=1, times=1)
    desk.sandbox.faults.add(fault)
    RPC(bot)._rpc_force_exit(str(trade.id))
    desk.loop()
    desk.loop()
    assert trade.is_open
    assert size(desk) == held - 30
    assert Decimal(str(trade.amount)) == (held - 30) / 1000
    assert desk.standing_stops(BTC)
    RPC(bot)._rpc_force_exit(str(trade.id))
    desk.loop()
    assert size(desk) == 0
    assert not desk.closed(trade).is_open


def test_an_addition_counts_with_the_position_it_adds_to(open_desk, caplog):
    desk = open_desk(balance="100000")
    bot = desk.start(position_adjustment_enable=True)
    desk.sandbox.change_instrument("BTC-USDT", max_market_size=Decimal(60))
    bot.exchange.reload_markets(True)
    trade = desk.enter(BTC, stake_amount=400)
    held = size(desk)
    with pytest.raises(InvalidOrderException, match=f"beside the {held} that are held"):
        bot.execute_entry(BTC, 400, trade=trade, mode="pos_adjust", leverage_=5.0)
    assert size(desk) == held


def test_a_large_contract_is_traded_at_the_leverage_of_its_tier(open_desk, caplog):
    desk = open_desk({DOGE: [(0, 0.19)]}, pairs=("DOGE-USDT", "BTC-USDT", "ETH-USDT", "SOL-USDT"))
    bot = desk.start(exchange={"pair_whitelist": [DOGE, BTC]})
    bot.strategy.leverage_wanted = 20.0
    trade = desk.enter(DOGE, stake_amount=25)
    assert trade.leverage == 20.0
    (position,) = desk.sandbox.engine.account(DEMO_UID).positions.values()
    assert position.leverage == 20
    assert "at most" not in caplog.text


def test_a_leverage_that_has_to_be_lowered_is_told(open_desk, caplog):
    desk = open_desk(balance="5000000")
    bot = desk.start(max_open_trades=-1)
    tiers = bot.exchange._leverage_tiers[BTC]
    bot.strategy.leverage_wanted = 150.0
    bot.strategy.stop_share, bot.strategy.target_share = 0.002, 0.01
    stake = tiers[0]["maxNotional"] / tiers[0]["maxLeverage"] * 1.02
    allowed = bot.exchange.get_max_leverage(BTC, stake)
    assert allowed < 150
    desk.enter(BTC, stake_amount=stake)
    assert f"BloFin allows {allowed:g}x at most" in caplog.text


def test_a_leverage_that_is_no_whole_number_is_told(open_desk, caplog):
    desk = open_desk()
    bot = desk.start()
    bot.strategy.leverage_wanted = 4.5
    desk.enter(BTC)
    assert "at 4x instead of 4.5x" in caplog.text


@pytest.mark.parametrize("price_type", ["mark", "index"])
def test_stops_trigger_on_the_price_that_order_types_name(open_desk, price_type):
    desk = open_desk()
    order_types = {
        "entry": "market",
        "exit": "market",
        "stoploss": "market",
        "stoploss_on_exchange": True,
        "stoploss_price_type": price_type,
    }
    bot = desk.start(order_types=order_types)
    bot.strategy.order_types = order_types
    trade = desk.enter(BTC)
    (entry,) = desk.posts("/api/v1/trade/order")
    assert entry["slTriggerPriceType"] == price_type
    rows = [{"instId": s.inst_id, "tpslId": s.tpsl_id} for s in desk.standing_stops(BTC)]
    desk.sandbox.app("/api/v1/trade/cancel-tpsl", rows)
    desk.loop()
    (alone,) = desk.posts("/api/v1/trade/order-tpsl")
    assert alone["slTriggerPriceType"] == price_type
    assert trade.is_open
    (stop,) = desk.standing_stops(BTC)
    assert stop.tpsl.sl_type == price_type


def test_stops_trigger_on_the_last_price_unless_told_otherwise(open_desk):
    desk = open_desk()
    desk.start()
    desk.enter(BTC)
    (stop,) = desk.standing_stops(BTC)
    assert stop.tpsl.sl_type == "last"


def test_the_rest_of_an_entry_is_canceled_though_one_lot_has_filled(open_desk):
    desk = open_desk()
    timeout = {"entry": 2, "exit": 2, "unit": "minutes"}
    desk.start(unfilledtimeout=timeout, order_types={**ENTRY_LIMIT})
    trade = desk.enter(BTC, price=49_000.0)
    (order,) = desk.sandbox.engine.account(DEMO_UID).live_orders()
    desk.sandbox.fill(order.order_id, Decimal("0.1"))
    desk.loop()
    assert size(desk) == Decimal("0.1")
    desk.loop(minutes=3)
    assert not list(desk.sandbox.engine.account(DEMO_UID).live_orders())
    assert trade.is_open
    assert trade.amount == 0.0001
    RPC(desk.bot)._rpc_force_exit(str(trade.id))
    desk.loop()
    assert size(desk) == 0
    assert not desk.closed(trade).is_open


ENTRY_LIMIT = {
    "entry": "limit",
    "exit": "market",
    "stoploss": "market",
    "stoploss_on_exchange": True,
}


@pytest.mark.parametrize("told", [True, False])
def test_a_position_smaller_than_a_grown_lot_is_closed_as_a_whole(open_desk, told):
    desk = open_desk()
    bot = desk.start()
    trade = desk.enter(BTC, stake_amount=9.05)
    assert size(desk) == Decimal("0.9")
    desk.sandbox.change_instrument("BTC-USDT", lot_size=Decimal(1), min_size=Decimal(1))
    if told:
        bot.exchange.reload_markets(True)
    desk.loop()
    if not told:
        with pytest.raises(InvalidOrderException, match="102016"):
            RPC(bot)._rpc_force_exit(str(trade.id))
        desk.loop()
    RPC(bot)._rpc_force_exit(str(trade.id))
    desk.loop()
    assert size(desk) == 0
    trade = desk.closed(trade)
    assert trade.close_profit_abs == pytest.approx(wallet_gain(desk), abs=0.005)


def test_a_lot_that_grows_while_an_entry_waits_cuts_nothing_off_its_books(open_desk):
    desk = open_desk()
    bot = desk.start(order_types=ENTRY_LIMIT | {"exit": "market"})
    trade = desk.enter(BTC, price=49_000, stake_amount=37)
    (order,) = resting(desk)
    desk.sandbox.change_instrument("BTC-USDT", lot_size=Decimal(1), min_size=Decimal(1))
    bot.exchange.reload_markets(True)
    desk.loop()
    assert order.size % 1
    desk.sandbox.fill(order.order_id, order.size)
    desk.loop()
    assert trade.amount == pytest.approx(float(order.size) / 1000)
    # A part of it by the new lot: what is left is booked to the old one's.
    RPC(bot)._rpc_force_exit(str(trade.id), amount=0.002)
    desk.loop()
    assert trade.amount == pytest.approx(float(size(desk)) / 1000)
    assert size(desk) == order.size - 2
    RPC(bot)._rpc_force_exit(str(trade.id))
    desk.loop()
    assert size(desk) == 0
    assert desk.closed(trade).close_profit_abs == pytest.approx(wallet_gain(desk), abs=0.005)


def test_a_contract_that_is_worth_more_than_before_changes_no_book(open_desk, caplog):
    desk = open_desk()
    bot = desk.start()
    trade = desk.enter(BTC, stake_amount=100)
    before = trade.amount
    desk.sandbox.change_instrument("BTC-USDT", contract_value=Decimal("0.0001"))
    desk.loop(minutes=1)
    assert "contract size from 0.001 to 0.0001" in caplog.text
    desk.loop()
    assert trade.amount == before
    assert trade.contract_size == 0.0001
    RPC(bot)._rpc_force_exit(str(trade.id))
    desk.loop()
    assert size(desk) == 0
    trade = desk.closed(trade)
    assert trade.exit_reason == "force_exit"
    assert trade.close_profit_abs == pytest.approx(wallet_gain(desk), abs=0.005)


def test_a_tick_that_has_grown_refuses_one_entry_and_not_the_next(open_desk):
    desk = open_desk()
    desk.start(order_types=ENTRY_LIMIT)
    desk.sandbox.change_instrument("ETH-USDT", tick_size=Decimal(5))
    with pytest.raises(InvalidOrderException, match="102016"):
        desk.enter(ETH, price=1_992.5)
    desk.loop()
    desk.pass_time(1)
    assert desk.enter(ETH, price=1_992.5).has_open_orders
    assert len(Trade.get_open_trades()) == 1


EXIT_LIMIT = ENTRY_LIMIT | {"entry": "market", "exit": "limit"}


def resting(desk):
    return list(desk.sandbox.engine.account(DEMO_UID).live_orders("BTC-USDT"))


def large_limit_exit(desk):
    """A trade of more than 60 contracts, and its exit at 52,000 in parts of 30."""
    bot = desk.start(order_types=EXIT_LIMIT)
    trade = desk.enter(BTC, stake_amount=700)
    desk.sandbox.change_instrument("BTC-USDT", max_limit_size=Decimal(30))
    bot.exchange.reload_markets(True)
    RPC(bot)._rpc_force_exit(str(trade.id), ordertype="limit", price=52_000.0)
    return trade


def test_a_limit_exit_larger_than_a_limit_order_rests_in_parts(open_desk):
    desk = open_desk({BTC: [(0, 50_000), (10, 50_000), (11, 51_000)]}, balance="100000")
    trade = large_limit_exit(desk)
    held = size(desk)
    assert [(o.size, o.price) for o in resting(desk)] == [
        (30, 52_000), (30, 52_000), (held - 60, 52_000)
    ]  # fmt: skip
    first, second, last = resting(desk)
    desk.sandbox.fill(first.order_id)
    desk.loop()
    assert trade.is_open
    assert trade.has_open_orders
    desk.sandbox.fill(second.order_id)
    desk.sandbox.fill(last.order_id)
    desk.loop()
    assert size(desk) == 0
    assert desk.closed(trade).close_profit_abs == pytest.approx(
        sum(float(e.amount) for e in desk.sandbox.ledger().entries if e.inst_id == "BTC-USDT"),
        abs=0.005,
    )


@pytest.mark.parametrize("filled", [0, 1])
def test_an_exit_in_parts_is_canceled_as_a_whole(open_desk, filled):
    desk = open_desk(balance="100000")
    trade = large_limit_exit(desk)
    held = size(desk)
    for order in resting(desk)[:filled]:
        desk.sandbox.fill(order.order_id)
    RPC(desk.bot)._rpc_cancel_open_order(trade.id)
    desk.loop()
    assert resting(desk) == []
    assert trade.is_open
    assert size(desk) == held - 30 * filled
    assert Decimal(str(trade.amount)) == size(desk) / 1000
    assert desk.standing_stops(BTC)


def test_an_entry_that_fills_less_than_an_order_s_minimum_is_canceled_and_left(open_desk):
    desk = open_desk()
    desk.sandbox.change_instrument("BTC-USDT", min_size=Decimal(1))
    timeout = {"entry": 2, "exit": 2, "unit": "minutes"}
    desk.start(unfilledtimeout=timeout, order_types={**ENTRY_LIMIT})
    trade = desk.enter(BTC, price=49_000.0)
    (order,) = resting(desk)
    desk.sandbox.fill(order.order_id, Decimal("0.3"))
    desk.loop()
    desk.loop(minutes=3)
    assert resting(desk) == []
    assert (trade.is_open, trade.amount) == (True, 0.0003)
    (stop,) = desk.standing_stops(BTC)
    desk.sandbox.engine.triggers.cancel_tpsl(
        desk.sandbox.engine.account(DEMO_UID), stop, "user_canceled"
    )
    desk.loop()
    (stop,) = desk.standing_stops(BTC)
    assert stop.is_entire_position
    RPC(desk.bot)._rpc_force_exit(str(trade.id))
    desk.loop()
    assert size(desk) == 0
    assert not desk.closed(trade).is_open


@pytest.mark.parametrize("value", ["0.0001", "0.01"])
def test_an_exit_sent_before_the_bot_looked_at_a_changed_contract_closes_all(open_desk, value):
    desk = open_desk()
    bot = desk.start()
    trade = desk.enter(BTC)
    desk.sandbox.change_instrument(
        "BTC-USDT",
        contract_value=Decimal(value),
        lot_size=Decimal("0.01"),
        min_size=Decimal("0.01"),
    )
    RPC(bot)._rpc_force_exit(str(trade.id))
    desk.loop()
    assert size(desk) == 0
    closed = desk.closed(trade)
    assert closed.amount == 0.0099
    assert closed.close_profit_abs == pytest.approx(wallet_gain(desk), abs=0.005)
    assert bot.exchange.account_watch.findings == []


def test_a_position_in_another_margin_mode_is_left_in_its_own(open_desk):
    desk = open_desk()
    bot = desk.start()
    trade = desk.enter(BTC)
    desk.loop()
    account = desk.sandbox.engine.account(DEMO_UID)
    (position,) = account.positions.values()
    # As by a venue that lets its owner switch: position and stop with it.
    del account.positions["BTC-USDT|isolated|net"]
    account.positions["BTC-USDT|cross|net"] = position
    position.margin_mode = "cross"
    for stop in desk.standing_stops(BTC):
        stop.margin_mode = "cross"
    desk.move_stop(BTC, 49_500.0)
    (stop,) = desk.standing_stops(BTC)
    assert (stop.margin_mode, stop.tpsl.sl_trigger) == ("cross", 49_500)
    RPC(bot)._rpc_force_exit(str(trade.id))
    desk.loop()
    assert size(desk) == 0
    assert desk.closed(trade).exit_reason == "force_exit"


def test_a_waiting_entry_is_not_replaced_at_the_market(open_desk, caplog):
    desk = open_desk()
    bot = desk.start(unfilledtimeout={"entry": 60, "exit": 5, "unit": "minutes"})
    desk.enter(BTC, price=49_000.0, order_type="limit")
    bot.strategy.adjust_entry_price = lambda **kwargs: 49_500.0
    desk.loop(minutes=6)
    assert (size(desk), resting(desk)) == (0, [])
    assert Trade.get_open_trades() == []
    assert "Set order_types.entry to 'limit'" in caplog.text


def test_an_exit_that_leaves_one_lot_is_canceled_after_its_time(open_desk):
    desk = open_desk()
    bot = desk.start(
        order_types=EXIT_LIMIT, unfilledtimeout={"entry": 3, "exit": 3, "unit": "minutes"}
    )
    trade = desk.enter(BTC)
    RPC(bot)._rpc_force_exit(str(trade.id), ordertype="limit", price=52_000.0)
    (order,) = resting(desk)
    desk.sandbox.fill(order.order_id, size(desk) - Decimal("0.1"))
    desk.loop()
    desk.loop(minutes=4)
    assert resting(desk) == []
    assert (trade.is_open, trade.amount) == (True, 0.0001)
    RPC(bot)._rpc_force_exit(str(trade.id), ordertype="market")
    desk.loop()
    assert size(desk) == 0
    assert not desk.closed(trade).is_open
