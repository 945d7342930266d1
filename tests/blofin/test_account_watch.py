"""What venue and database disagree about is found, mended where safe, and never traded over."""

import hashlib
from decimal import Decimal

import pytest
from freqtrade.exceptions import ExchangeError, InvalidOrderException
from freqtrade.persistence import Trade
from freqtrade.rpc import RPC
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from bubbybot_freqtrade.blofin.account.messages import told
from bubbybot_freqtrade.blofin.account.reconciliation import (
    Account,
    Discrepancy,
    OpenTrade,
    compare,
)
from bubbybot_freqtrade.blofin.exchange import requests as exchange_requests
from bubbybot_freqtrade.sandbox.api.faults import Fault
from bubbybot_freqtrade.sandbox.settings import DEMO_UID
from tests.blofin.desk import BTC, ETH, SOL


def by_hand(desk, method, body) -> None:
    """Do something in the app."""
    engine = desk.sandbox.engine
    with engine.exclusive():
        account = next(iter(engine.venue.accounts.values()))
        entry = engine.trigger_entry if method.endswith("tpsl") else engine.order_entry
        getattr(entry, method)(account, body)


def open_by_hand(desk, inst_id="ETH-USDT", **body) -> None:
    order = {
        "instId": inst_id, "marginMode": "isolated", "positionSide": "net", "side": "buy",
        "orderType": "market", "size": "10",
    }  # fmt: skip
    by_hand(desk, "place", order | body)


def kinds(bot) -> list[Discrepancy]:
    return [finding.kind for finding in bot.exchange.account_watch.findings]


def test_an_unknown_bare_position_is_protected_reported_and_not_traded_over(open_desk, caplog):
    desk = open_desk()
    bot = desk.start()
    open_by_hand(desk)
    desk.loop()
    assert kinds(bot) == [Discrepancy.UNKNOWN_POSITION]
    (stop,) = desk.standing_stops(ETH)
    assert float(stop.tpsl.sl_trigger) < 2_000
    assert "doesn't know" in caplog.text
    with pytest.raises(InvalidOrderException, match="doesn't know"):
        RPC(bot)._rpc_force_entry(ETH, None, order_side="long")
    desk.enter(BTC)
    for _ in range(3):
        desk.loop()
    assert len(desk.standing_stops(ETH)) == 1
    told_once = [r for r in caplog.records if "doesn't know. It had no stop" in r.getMessage()]
    assert len(told_once) == 1


def test_a_position_that_cannot_be_protected_holds_up_no_other(open_desk, caplog):
    desk = open_desk()
    bot = desk.start()
    open_by_hand(desk, "ETH-USDT")
    open_by_hand(desk, "SOL-USDT", size="3")
    fault = Fault(kind="code", code="102114", path="*/trade/order-tpsl", method="POST", times=1)
    desk.sandbox.faults.add(fault)
    desk.loop()
    bare = [pair for pair in (ETH, SOL) if not desk.standing_stops(pair)]
    assert len(bare) == 1
    (news,) = [news for news in bot.exchange.account_watch.news() if "not mended" in news]
    assert "It is tried again in every loop. " in news
    size = "10 of 10" if bare == [ETH] else "3 of 3"
    assert news.startswith(bare[0])
    assert f"{size} contracts have no stop until then" in news
    assert desk.enter(BTC).is_open
    desk.loop()
    assert len(desk.standing_stops(ETH)) == len(desk.standing_stops(SOL)) == 1
    assert not any("not mended" in news for news in bot.exchange.account_watch.news())


def test_the_pair_is_traded_again_once_the_position_is_gone(open_desk):
    desk = open_desk()
    bot = desk.start()
    open_by_hand(desk, slTriggerPrice="1900", slOrderPrice="-1")
    desk.loop()
    by_hand(
        desk, "close_position",
        {"instId": "ETH-USDT", "marginMode": "isolated", "positionSide": "net"},
    )  # fmt: skip
    desk.loop()
    assert kinds(bot) == []
    assert desk.enter(ETH).is_open


def test_an_entry_lost_by_a_kill_is_put_back_and_lives_on(open_desk):
    desk = open_desk({BTC: [(0, 50_000), (20, 50_000), (60, 52_500)]})
    bot = desk.start()
    # The kill comes between the entry's request and the commit of its trade.
    rate = bot.exchange.get_rate(BTC, refresh=True, side="entry", is_short=False)
    bot.strategy.confirm_trade_entry(pair=BTC, rate=rate, side="long")
    bot.exchange.create_order(
        pair=BTC, ordertype="market", side="buy", amount=0.01, rate=rate, leverage=5.0
    )
    desk.stop()
    desk.pass_time(1)
    desk.start()
    desk.loop()
    (trade,) = Trade.get_open_trades()
    assert (trade.pair, trade.amount, trade.leverage) == (BTC, 0.01, 5.0)
    assert trade.enter_tag == "recovered"
    assert [o.order_id for o in trade.open_sl_orders] == [desk.standing_stops(BTC)[0].tpsl_id]
    desk.loop(minutes=90)
    assert desk.closed(trade).exit_reason == "take_profit_on_exchange"


def test_two_bots_whose_databases_are_named_alike_leave_each_other_alone(
    open_desk, tmp_path, monkeypatch
):
    """Two folders or containers, each with freqtrade's own relative db_url."""
    desk = open_desk()
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "one")
    desk.start(db_url="sqlite:///tradesv3.sqlite")
    desk.enter(BTC)
    desk.enter(ETH, price=1_900.0, order_type="limit")
    desk.stop()
    monkeypatch.chdir(tmp_path / "other")
    bot = desk.start(db_url="sqlite:///tradesv3.sqlite")
    for _ in range(3):
        desk.loop(minutes=1)
    assert Trade.get_open_trades() == []
    assert kinds(bot) == [Discrepancy.UNKNOWN_POSITION]
    (waiting,) = desk.sandbox.engine.account(DEMO_UID).live_orders()
    assert waiting.inst_id == "ETH-USDT"
    desk.stop()
    monkeypatch.chdir(tmp_path / "one")
    bot = desk.start(db_url="sqlite:///tradesv3.sqlite")
    desk.loop()
    assert kinds(bot) == []
    assert len(Trade.get_open_trades()) == 2


def test_orders_from_before_the_database_had_a_prefix_are_the_bots_own(open_desk):
    desk = open_desk()
    bot = desk.start()
    desk.enter(BTC)
    # An entry of the version before, lost by a kill; it named its orders by the db_url.
    named = "ft" + hashlib.sha256(bot.config["db_url"].encode()).hexdigest()[:6]
    open_by_hand(desk, clientOrderId=f"{named}1", slTriggerPrice="1900", slOrderPrice="-1")
    Trade.session.execute(text("DELETE FROM KeyValueStore WHERE key LIKE 'blofin%'"))
    Trade.commit()
    desk.stop()
    desk.pass_time(2)
    bot = desk.start()
    desk.loop()
    assert {trade.pair for trade in Trade.get_open_trades()} == {BTC, ETH}
    # What carries that name from now on is another bot's.
    desk.pass_time(1)
    open_by_hand(desk, "SOL-USDT", size="3", clientOrderId=f"{named}2")
    desk.loop()
    assert kinds(bot) == [Discrepancy.UNKNOWN_POSITION]


def test_the_filled_part_of_an_entry_lost_by_a_kill_is_put_back(open_desk):
    desk = open_desk()
    bot = desk.start()
    bot.strategy.confirm_trade_entry(pair=BTC, rate=49_000.0, side="long")
    bot.exchange.create_order(
        pair=BTC, ordertype="limit", side="buy", amount=0.01, rate=49_000.0, leverage=5.0
    )
    (order,) = desk.sandbox.engine.account(DEMO_UID).live_orders()
    desk.sandbox.fill(order.order_id, Decimal(4))
    desk.stop()
    desk.pass_time(1)
    bot = desk.start()
    for _ in range(5):
        desk.loop()
    (trade,) = Trade.get_open_trades()
    assert (trade.amount, trade.enter_tag) == (0.004, "recovered")
    assert kinds(bot) == []
    (stop,) = desk.standing_stops(BTC)
    assert stop.size >= 4 or stop.is_entire_position
    RPC(bot)._rpc_force_exit(str(trade.id))
    desk.loop()
    assert desk.closed(trade).exit_reason == "force_exit"


def test_an_entry_lost_by_a_kill_is_booked_also_when_its_stop_filled_meanwhile(open_desk):
    desk = open_desk({ETH: [(0, 2_000), (20, 2_000), (60, 1_900)]})
    bot = desk.start()
    desk.enter(BTC)  # the database of a bot that has traded
    rate = bot.exchange.get_rate(ETH, refresh=True, side="entry", is_short=False)
    bot.strategy.confirm_trade_entry(pair=ETH, rate=rate, side="long")
    bot.exchange.create_order(
        pair=ETH, ordertype="market", side="buy", amount=0.5, rate=rate, leverage=5.0
    )
    desk.stop()
    desk.pass_time(90)
    assert not desk.standing_stops(ETH)
    desk.start()
    for _ in range(3):
        desk.loop()
    (lost,) = Trade.get_trades([Trade.pair == ETH]).all()
    assert (lost.is_open, lost.enter_tag) == (False, "recovered")
    (open_trade,) = Trade.get_open_trades()
    entries = desk.sandbox.ledger().entries
    booked = sum(float(e.amount) for e in entries if e.inst_id == "ETH-USDT")
    assert lost.close_profit_abs == pytest.approx(booked, abs=0.005)
    assert open_trade.pair == BTC


def test_an_exit_lost_by_a_kill_does_not_end_the_next_trade_as_well(open_desk):
    desk = open_desk()
    bot = desk.start()
    trade = desk.enter(BTC)
    desk.loop()
    # The kill comes between the exit's request and the commit of its order.
    bot.exchange.create_order(
        pair=BTC, ordertype="market", side="sell", amount=trade.amount, rate=50_000.0,
        leverage=5.0, reduceOnly=True,
    )  # fmt: skip
    desk.stop()
    desk.start()
    desk.loop(0)
    assert Trade.get_open_trades() == []
    # In the same millisecond: by its time alone the exit could be this trade's.
    again = desk.enter(BTC).id
    desk.loop(0)
    desk.stop()
    desk.start()
    desk.loop()
    (left,) = Trade.get_open_trades()
    assert left.id == again
    assert len(desk.standing_stops(BTC)) == 1


def test_a_deleted_trade_stays_deleted_and_its_position_is_reported(open_desk):
    desk = open_desk()
    bot = desk.start()
    trade = desk.enter(BTC)
    RPC(bot)._rpc_delete(trade.id)
    for _ in range(2):
        desk.loop(minutes=1)
        assert Trade.get_open_trades() == []
    assert kinds(bot) == [Discrepancy.UNKNOWN_POSITION]
    assert len(desk.standing_stops(BTC)) == 1
    desk.stop()
    bot = desk.start()
    desk.loop(minutes=1)
    assert Trade.get_open_trades() == []
    with pytest.raises(InvalidOrderException, match="doesn't know"):
        RPC(bot)._rpc_force_entry(BTC, None, order_side="long")


def test_a_deleted_trade_does_not_come_back_with_a_restart(open_desk):
    desk = open_desk()
    bot = desk.start()
    desk.enter(ETH)
    desk.pass_time(5)
    trade = desk.enter(BTC)
    RPC(bot)._rpc_force_exit(str(trade.id))
    desk.loop()
    RPC(bot)._rpc_delete(trade.id)
    desk.stop()
    desk.pass_time(2)
    desk.start()
    for _ in range(3):
        desk.loop()
    (left,) = Trade.get_trades().all()
    assert left.pair == ETH


def stop_by_hand(desk, **fields):
    body = {
        "instId": "BTC-USDT", "marginMode": "isolated", "positionSide": "net", "side": "sell",
        "size": "5", "slTriggerPrice": "48000", "slOrderPrice": "-1", "reduceOnly": "true",
    }  # fmt: skip
    by_hand(desk, "place_tpsl", body | fields)


def test_a_stop_of_a_trade_that_has_ended_is_taken_away_and_nobody_else_s(open_desk, caplog):
    desk = open_desk()
    bot = desk.start()
    trade = desk.enter(BTC)
    desk.loop()
    RPC(bot)._rpc_force_exit(str(trade.id))
    desk.loop()
    assert not desk.standing_stops(BTC)
    stop_by_hand(desk)
    stop_by_hand(desk, size="4")
    leftover, owner_s = desk.standing_stops(BTC)
    # The venue has lost the cancel of the trade's own stop.
    (row,) = (order for order in trade.orders if order.ft_order_side == "stoploss")
    row.order_id = leftover.tpsl_id
    Trade.commit()
    for _ in range(8):
        desk.loop()
    assert [stop.tpsl_id for stop in desk.standing_stops(BTC)] == [owner_s.tpsl_id]
    assert kinds(bot) == []
    assert "left over from a position that has closed" in caplog.text


def test_a_trade_whose_entry_ended_unfilled_while_the_bot_was_dead_frees_its_pair(
    open_desk, caplog
):
    desk = open_desk()
    desk.start()
    desk.enter(BTC, price=45_000.0, order_type="limit")
    desk.stop()
    (order,) = list(next(iter(desk.sandbox.engine.venue.accounts.values())).live_orders())
    by_hand(desk, "cancel", {"instId": "BTC-USDT", "orderId": order.order_id})
    desk.pass_time(1)
    desk.start()
    for _ in range(4):
        desk.loop()
    assert Trade.get_open_trades() == []
    assert "neither a fill nor an order" in caplog.text
    assert desk.enter(BTC).is_open


def test_no_entry_beside_a_waiting_order_of_a_killed_bot(open_desk):
    desk = open_desk()
    bot = desk.start()
    bot.strategy.confirm_trade_entry(pair=BTC, rate=51_000.0, side="short")
    # The kill comes between the entry's request and the commit of its trade.
    bot.exchange.create_order(
        pair=BTC, ordertype="limit", side="sell", amount=0.01, rate=51_000.0, leverage=5.0
    )
    desk.stop()
    desk.pass_time(1)
    bot = desk.start()
    desk.loop()
    with pytest.raises(InvalidOrderException, match="waits there"):
        RPC(bot)._rpc_force_entry(BTC, None, order_side="long")
    for _ in range(3):
        desk.loop()
    assert not list(desk.sandbox.engine.account(DEMO_UID).live_orders())
    desk.loop()
    assert desk.enter(BTC).is_open


def test_the_filled_part_of_a_waiting_entry_gets_its_stop_back(open_desk):
    desk = open_desk()
    desk.start()
    desk.enter(BTC, price=49_000.0, order_type="limit")
    (order,) = desk.sandbox.engine.account(DEMO_UID).live_orders()
    desk.sandbox.fill(order.order_id, Decimal(4))
    (stop,) = desk.standing_stops(BTC)
    by_hand(desk, "cancel_tpsl", {"instId": "BTC-USDT", "tpslId": stop.tpsl_id})
    desk.pass_time(1)
    desk.loop()
    (stop,) = desk.standing_stops(BTC)
    assert stop.is_entire_position or stop.size >= 4
    plan = desk.posts("/api/v1/trade/order")[0]
    assert stop.tpsl.sl_trigger == Decimal(plan["slTriggerPrice"])
    assert stop.tpsl.tp_trigger == Decimal(plan["tpTriggerPrice"])
    desk.sandbox.fill(order.order_id)
    desk.loop()
    desk.loop()
    (stop,) = desk.standing_stops(BTC)
    assert stop.is_entire_position or stop.size >= order.size


def test_the_rest_of_an_entry_whose_position_was_closed_is_not_left_to_fill_bare(open_desk):
    desk = open_desk()
    bot = desk.start()
    desk.enter(BTC, price=49_000.0, order_type="limit")
    account = desk.sandbox.engine.account(DEMO_UID)
    (order,) = account.live_orders()
    desk.sandbox.fill(order.order_id, Decimal(4))
    by_hand(
        desk,
        "close_position",
        {"instId": "BTC-USDT", "marginMode": "isolated", "positionSide": "net"},
    )
    desk.pass_time(0.1)
    desk.loop()
    # Its own stop has gone with the position: what filled now would have none.
    assert not list(account.live_orders())
    for _ in range(4):
        desk.loop()
    assert kinds(bot) == []
    (trade,) = Trade.get_trades().all()
    assert not trade.is_open
    # 4 contracts of 0.001, closed at the market, 1,000 above their price.
    assert trade.close_profit_abs == pytest.approx(4 - 0.0006 * 0.004 * (49_000 + 50_000), rel=0.1)


@pytest.mark.parametrize("kind", ["lost_reset", "lost_http", "lost_truncated"])
def test_an_entry_whose_answer_is_lost_is_found_and_not_sent_twice(open_desk, kind):
    desk = open_desk()
    desk.start()
    desk.sandbox.faults.add(Fault(kind=kind, path="*/trade/order", method="POST", times=1))
    trade = desk.enter(BTC)
    assert len(desk.posts("/api/v1/trade/order")) == 1
    assert trade.amount > 0
    assert len(desk.standing_stops(BTC)) == 1


@pytest.mark.parametrize("code", ["404", "152002", "401"])
def test_an_entry_that_cannot_be_looked_up_is_not_sent_again(open_desk, monkeypatch, code):
    monkeypatch.setattr(exchange_requests, "LOOK_UP_PAUSES", (0.0,) * 3)
    desk = open_desk()
    bot = desk.start()
    desk.sandbox.faults.add(Fault(kind="lost_reset", path="*/trade/order", method="POST", times=1))
    desk.sandbox.faults.add(Fault(kind="code", code=code, path="*/trade/order-detail", times=3))
    with pytest.raises(ExchangeError):
        RPC(bot)._rpc_force_entry(BTC, None, order_side="long")
    desk.loop()
    with pytest.raises(InvalidOrderException, match="got lost"):
        RPC(bot)._rpc_force_entry(BTC, None, order_side="long")
    for _ in range(3):
        desk.loop(minutes=1)
    assert len(desk.posts("/api/v1/trade/order")) == 1
    (trade,) = Trade.get_open_trades()
    (position,) = desk.sandbox.engine.account(DEMO_UID).positions.values()
    assert trade.amount == pytest.approx(float(position.size) * 0.001)


def test_no_entry_while_the_account_cannot_be_read(open_desk):
    desk = open_desk()
    bot = desk.start()
    fault = Fault(kind="http", path="*/trade/orders-tpsl-pending", status=503)
    fault_id = desk.sandbox.faults.add(fault)
    desk.loop()
    with pytest.raises(InvalidOrderException, match="not known"):
        RPC(bot)._rpc_force_entry(BTC, None, order_side="long")
    assert not desk.posts("/api/v1/trade/order")
    desk.sandbox.faults.remove(fault_id)
    desk.loop()
    assert desk.enter(BTC).is_open


# The pure comparison

pairs = st.sampled_from(["A/USDT:USDT", "B/USDT:USDT", "C/USDT:USDT"])
sides = st.sampled_from(["long", "short"])
keys = st.tuples(pairs, sides)


def position(pair, side, contracts=10.0, mode="isolated"):
    return {
        "id": f"{pair}{side}{mode}", "symbol": pair, "side": side, "contracts": contracts,
        "marginMode": mode,
    }  # fmt: skip


def stop_of(pair, side, number=0, price=90.0, size=10.0, mode="isolated"):
    return {
        "id": f"s{number}", "symbol": pair, "side": "sell" if side == "long" else "buy",
        "status": "open", "stopLossPrice": price, "amount": None if size < 0 else size,
        "info": {"size": str(size), "marginMode": mode},
    }  # fmt: skip


def own(*rows):
    return frozenset(row["id"] for row in rows)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(held=st.sets(keys), traded=st.sets(keys), stopped=st.sets(keys), ours=st.sets(keys))
def test_every_disagreement_is_found_and_nothing_else(held, traded, stopped, ours):
    stops = {key: stop_of(*key, number) for number, key in enumerate(sorted(stopped))}
    mine = own(*(stop for key, stop in stops.items() if key in ours))
    findings = compare(
        [OpenTrade(pair, side, 10.0, has_open_orders=False) for pair, side in traded],
        Account([position(*key) for key in held], list(stops.values()), [], own=mine),
    )
    found = {(f.kind, (f.pair, f.side)) for f in findings}
    assert found == (
        {(Discrepancy.UNKNOWN_POSITION, key) for key in held - traded}
        | {(Discrepancy.MISSING_POSITION, key) for key in traded - held}
        | {(Discrepancy.BARE_POSITION, key) for key in (held & traded) - stopped}
        # Neither the stop of an open trade, whatever the positions' list says, nor another's.
        | {(Discrepancy.LEFTOVER_STOP, key) for key in (stopped & ours) - held - traded}
    )
    assert {(f.pair, f.side) for f in findings if f.bare} == held - stopped
    assert all(f.pair in told(f) and "{" not in told(f) for f in findings)


@given(
    sizes=st.lists(st.sampled_from([2.0, 3.0, 4.0, 10.0, -1.0]), max_size=5),
    contracts=st.integers(1, 40),
    key=keys,
    grown=st.booleans(),
)
def test_protection_is_judged_by_the_position_s_size(sizes, contracts, key, grown):
    stops = [stop_of(*key, n, size=size) for n, size in enumerate(sizes)]
    trade = OpenTrade(*key, 5.0 if grown else float(contracts), has_open_orders=False)
    findings = compare([trade], Account([position(*key, float(contracts))], stops, []))
    bare = sum(f.uncovered for f in findings)
    assert bare == (0 if -1.0 in sizes else max(0, contracts - sum(sizes)))


def test_a_stop_of_another_margin_mode_or_side_protects_nothing():
    pair = "A/USDT:USDT"
    held = [position(pair, "long", mode="cross"), position(pair, "short")]
    stops = [stop_of(pair, "long", 1, mode="isolated"), stop_of(pair, "short", 2)]
    findings = compare([], Account(held, stops, []))
    assert [(f.side, f.uncovered) for f in findings if f.bare] == [("long", 10.0)]


def of_both_modes(*modes):
    pair = "A/USDT:USDT"
    sizes = {"cross": 3.0, "isolated": 10.0}
    held = [position(pair, "long", sizes[mode], mode) for mode in modes]
    stops = [stop_of(pair, "long", 1, size=-1, mode=mode) for mode in modes]
    account = Account(held, stops, [], is_of_trade=lambda row: row["marginMode"] == "isolated")
    findings = compare([OpenTrade(pair, "long", 10.0, has_open_orders=False)], account)
    return {finding.kind: finding.size for finding in findings}


def test_of_two_positions_of_a_side_one_is_the_trade_s():
    assert of_both_modes("cross", "isolated") == {Discrepancy.UNKNOWN_POSITION: 3.0}


def test_the_other_one_does_not_stand_for_it():
    missing = {Discrepancy.UNKNOWN_POSITION: 3.0, Discrepancy.MISSING_POSITION: 0.0}
    assert of_both_modes("cross") == missing
    assert of_both_modes("isolated") == {}


@given(
    prices=st.lists(st.floats(min_value=1, max_value=99), min_size=1, max_size=5, unique=True),
    sizes=st.lists(st.sampled_from([4.0, 10.0]), min_size=5, max_size=5),
    ours=st.lists(st.booleans(), min_size=5, max_size=5),
    key=keys,
)
def test_of_the_bot_s_stops_the_tightest_that_covers_all_stays(prices, sizes, ours, key):
    stops = [stop_of(*key, n, p, s) for n, (p, s) in enumerate(zip(prices, sizes, strict=False))]
    mine = [stop for stop, is_ours in zip(stops, ours, strict=False) if is_ours]
    account = Account([position(*key)], stops, [], own=own(*mine))
    findings = compare([OpenTrade(*key, 10.0, has_open_orders=False)], account)
    canceled = {f.row["id"] for f in findings if f.kind is Discrepancy.SURPLUS_STOP}
    assert canceled <= own(*mine)
    kept = [stop for stop in mine if stop["id"] not in canceled]
    covering = [stop["stopLossPrice"] for stop in mine if stop["amount"] == 10.0]
    if covering:
        (only,) = kept
        tightest = max(covering) if key[1] == "long" else min(covering)
        assert only["stopLossPrice"] == tightest
    else:
        assert kept == mine
