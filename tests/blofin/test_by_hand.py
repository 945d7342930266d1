"""What the account's owner, the venue's lists or a restored backup do behind the bot's back."""

import shutil
from decimal import Decimal

import pytest
from freqtrade.exceptions import (
    ConfigurationError,
    InvalidOrderException,
    OperationalException,
)
from freqtrade.persistence import Trade
from freqtrade.rpc import RPC

from bubbybot_freqtrade.blofin.account.reconciliation import Discrepancy
from bubbybot_freqtrade.sandbox.api.faults import Fault
from bubbybot_freqtrade.sandbox.settings import DEMO_UID
from tests.blofin.desk import BTC, ETH
from tests.blofin.test_account_watch import kinds, open_by_hand, stop_by_hand

# 100 USDT at 5x are 9.9 contracts of 0.001 BTC at 50,005, freqtrade's reserve taken off.
ENTERED = Decimal("9.9")


def order_by_hand(desk, side, size, **fields):
    """An ordinary order, as the app sends one."""
    open_by_hand(desk, "BTC-USDT", side=side, size=str(size), **fields)


def account(desk):
    return desk.sandbox.engine.account(DEMO_UID)


def held(desk, inst_id="BTC-USDT"):
    return sum(p.signed_size for p in account(desk).positions.values() if p.inst_id == inst_id)


def earned(desk, inst_id="BTC-USDT"):
    return sum(float(e.amount) for e in desk.sandbox.ledger().entries if e.inst_id == inst_id)


def funding(desk):
    return sum(float(e.amount) for e in desk.sandbox.ledger().entries if e.kind == "funding")


def loops(desk, count=4, minutes=0.2):
    for _ in range(count):
        desk.loop(minutes=minutes)


def half_filled_addition(open_desk):
    """A desk with its trade, and a limit addition of which three contracts have filled."""
    desk = open_desk()
    bot = desk.start(position_adjustment_enable=True)
    trade = desk.enter(BTC)
    desk.loop()
    RPC(bot)._rpc_force_entry(
        BTC, 49_800.0, order_side="long", order_type="limit", stake_amount=100.0
    )
    (order,) = account(desk).live_orders("BTC-USDT")
    desk.sandbox.fill(order.order_id, Decimal(3))
    return desk, trade, order


# Lists that lag, or are empty

FIELDS = ("equity", "balance", "available", "availableEquity", "frozen", "orderFrozen")
NO_MONEY = [
    {"details": []},
    {"details": [{"currency": "USDT", "ts": "1746100800000"} | dict.fromkeys(FIELDS, "0")]},
]


@pytest.mark.parametrize("answer", NO_MONEY, ids=["no currency", "nothing of it"])
def test_a_balance_without_the_money_of_open_trades_is_not_believed(open_desk, caplog, answer):
    desk = open_desk()
    bot = desk.start()
    trade = desk.enter(BTC)
    loops(desk)
    before = bot.wallets.get_total("USDT")
    desk.sandbox.faults.add(Fault(kind="data", path="*/account/balance", data=answer))
    for _ in range(3):
        desk.loop(minutes=61)
        bot.wallets.update()
        assert bot.wallets.get_total("USDT") == before > 9_000
    assert caplog.text.count("BloFin's balance shows no USDT though trades are open") == 1
    desk.sandbox.faults.clear()
    RPC(bot)._rpc_force_exit(str(trade.id))
    desk.loop()
    # Without a trade it may be so.
    desk.sandbox.faults.add(Fault(kind="data", path="*/account/balance", data=answer))
    desk.pass_time(0.1)
    bot.wallets.update()
    assert bot.wallets.get_total("USDT") == 0


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="stale", path="*/account/positions", delay_ms=8_000),
        Fault(kind="data", path="*/account/positions", data=[], times=8),
        Fault(kind="data", path="*/orders-tpsl-pending", data=[], times=2),
    ],
    ids=["positions lag", "no positions", "no stops"],
)
def test_no_stop_is_canceled_for_what_a_list_leaves_out(open_desk, fault):
    desk = open_desk()
    desk.start()
    desk.sandbox.faults.add(fault)
    trade = desk.enter(BTC)
    (stop,) = desk.standing_stops(BTC)
    for _ in range(10):
        desk.loop(minutes=0.2)
        assert stop.tpsl.sl_trigger in [s.tpsl.sl_trigger for s in desk.standing_stops(BTC)]
    desk.sandbox.faults.clear()
    loops(desk)
    Trade.session.refresh(trade)
    assert trade.is_open
    (left,) = desk.standing_stops(BTC)
    assert left.tpsl.sl_trigger == stop.tpsl.sl_trigger


# Closed by hand with ordinary orders


def test_a_part_sold_by_hand_is_booked_and_the_rest_goes_on(open_desk, caplog):
    desk = open_desk()
    bot = desk.start()
    trade = desk.enter(BTC)
    order_by_hand(desk, "sell", 4)
    loops(desk)
    Trade.session.refresh(trade)
    assert (trade.is_open, trade.amount) == (True, 0.0059)
    assert kinds(bot) == []
    told = [r.getMessage() for r in caplog.records if "closed outside of the bot" in r.getMessage()]
    assert len(told) == 1
    assert "4 of the 9.9 contracts" in told[0]
    RPC(bot)._rpc_force_exit(str(trade.id))
    loops(desk)
    assert desk.closed(trade).exit_reason == "force_exit"
    assert held(desk) == 0
    assert trade.realized_profit == pytest.approx(earned(desk), abs=0.005)


@pytest.mark.parametrize("size", [ENTERED, Decimal(15)], ids=["whole", "turned round"])
def test_a_trade_sold_by_hand_ends_with_the_price_it_had(open_desk, caplog, size):
    desk = open_desk({BTC: [(0, 50_000), (5, 50_000), (10, 50_500)]})
    bot = desk.start()
    trade = desk.enter(BTC)
    desk.pass_time(12)
    before = earned(desk)
    order_by_hand(desk, "sell", size)
    # What went out with the trade's ten; the rest opened a short with a fee of its own.
    fee_of_short = 0.0006 * float(size - ENTERED) * 0.001 * 50_495
    gained = earned(desk) - before + fee_of_short
    desk.pass_time(5)
    loops(desk, 8)
    closed = desk.closed(trade)
    assert closed.exit_reason == "sold_on_exchange"
    assert closed.amount == 0.0099
    assert closed.close_profit_abs == pytest.approx(before + gained, abs=0.01)
    assert held(desk) == ENTERED - size
    assert kinds(bot) == ([] if size == ENTERED else [Discrepancy.UNKNOWN_POSITION])
    assert "doesn't tell which order" not in caplog.text
    if size > ENTERED:
        (stop,) = desk.standing_stops(BTC)
        assert stop.side == "buy"


def test_an_entry_and_its_stop_that_fill_between_two_loops_are_what_they_are(open_desk, caplog):
    desk = open_desk({BTC: [(0, 50_000), (5, 50_000), (20, 46_000), (60, 46_000)]})
    desk.start()
    trade = desk.enter(BTC, price=49_800.0, order_type="limit")
    assert trade.has_open_orders
    desk.pass_time(30)
    assert held(desk) == 0
    loops(desk, 6)
    closed = desk.closed(trade)
    assert closed.exit_reason == "stoploss_on_exchange"
    assert closed.close_profit_abs == pytest.approx(earned(desk), abs=0.01)
    assert "/delete" not in caplog.text


# Grown by hand


def test_what_an_owner_adds_with_a_stop_keeps_it(open_desk):
    desk = open_desk()
    desk.start()
    desk.enter(BTC)
    order_by_hand(desk, "buy", 15, slTriggerPrice="48700", slOrderPrice="-1")
    loops(desk)
    owner_s = next(s for s in desk.standing_stops(BTC) if s.tpsl.sl_trigger == 48_700)
    desk.move_stop(BTC, 49_500.0)
    loops(desk)
    stops = {s.tpsl_id: s for s in desk.standing_stops(BTC)}
    assert owner_s.tpsl_id in stops
    assert sum(s.size for s in stops.values()) >= ENTERED + 15
    assert {s.tpsl.sl_trigger for s in stops.values()} == {48_700, 49_500}


def test_what_an_owner_adds_without_a_stop_gets_one(open_desk, caplog):
    desk = open_desk({BTC: [(0, 50_000), (20, 50_000), (60, 47_000)]})
    bot = desk.start()
    trade = desk.enter(BTC)
    desk.loop()
    (before,) = desk.standing_stops(BTC)
    order_by_hand(desk, "buy", 15)
    desk.loop()
    (stop,) = desk.standing_stops(BTC)
    assert (stop.size, stop.tpsl) == (ENTERED + 15, before.tpsl)
    loops(desk)
    assert [s.tpsl_id for s in desk.standing_stops(BTC)] == [stop.tpsl_id]
    assert kinds(bot) == [Discrepancy.POSITION_GREW]
    assert "15 of the 24.9 contracts of the long position had no stop" in caplog.text
    desk.pass_time(80)
    loops(desk)
    closed = desk.closed(trade)
    assert (closed.exit_reason, closed.amount) == ("stoploss_on_exchange", 0.0099)
    assert held(desk) == 0


@pytest.mark.parametrize("their_stop", [5, 30])
def test_a_stop_of_the_owner_s_counts_for_what_it_closes(open_desk, their_stop):
    desk = open_desk()
    desk.start()
    desk.enter(BTC)
    desk.loop()
    order_by_hand(desk, "buy", 20)
    stop_by_hand(desk, size=str(their_stop), slTriggerPrice="48700")
    for _ in range(4):
        desk.loop()
        sizes = {s.tpsl.sl_trigger == 48_700: s.size for s in desk.standing_stops(BTC)}
        assert sizes == {True: their_stop, False: ENTERED + (15 if their_stop == 5 else 0)}


# Not the bot's row


def test_a_bare_cross_position_of_an_isolated_bot_gets_a_stop_in_its_own_mode(open_desk):
    desk = open_desk()
    desk.start()
    open_by_hand(desk, marginMode="cross")
    loops(desk, 2)
    (stop,) = desk.standing_stops(ETH)
    assert stop.margin_mode == "cross"


# A database older than the account


def restore(desk, file):
    desk.stop()
    shutil.copy(file, desk.folder / "trades.sqlite")
    desk.pass_time(2)
    return desk.start()


def test_an_older_database_books_what_has_ended_and_gets_back_what_stands(open_desk, tmp_path):
    desk = open_desk({BTC: [(0, 50_000), (30, 50_000), (90, 51_000)]})
    bot = desk.start()
    desk.enter(ETH)
    kept = desk.enter(BTC).id
    desk.stop()
    shutil.copy(desk.folder / "trades.sqlite", tmp_path / "backup.sqlite")
    desk.pass_time(1)
    bot = desk.start()
    for _ in range(3):
        (trade,) = [t for t in Trade.get_open_trades() if t.pair == BTC]
        desk.loop(minutes=6)
        RPC(bot)._rpc_force_exit(str(trade.id))
        loops(desk, 2)
        desk.pass_time(6)
        desk.enter(BTC)
        desk.loop()
    bot = restore(desk, tmp_path / "backup.sqlite")
    loops(desk, 6)
    trades = Trade.get_trades([Trade.pair == BTC]).all()
    assert [t.is_open for t in trades].count(True) == 1
    assert len(trades) == 4
    (standing,) = [t for t in trades if t.is_open]
    assert standing.amount == pytest.approx(float(held(desk)) * 0.001)
    assert standing.id != kept
    ended = sum(t.close_profit_abs for t in trades if not t.is_open)
    entry_fee = 0.0006 * standing.amount * standing.open_rate
    assert ended - entry_fee == pytest.approx(earned(desk), abs=0.02)
    assert kinds(bot) == []
    assert len(desk.standing_stops(BTC)) == 1
    assert [t.pair for t in Trade.get_open_trades() if t.pair != BTC] == [ETH]


# Another bot


THEIRS = "ft12ab34" + "0123456789abcdef01234567"


def test_another_bot_is_told_once_and_its_pairs_are_left_alone(open_desk, caplog):
    desk = open_desk()
    bot = desk.start()
    open_by_hand(desk, clientOrderId=THEIRS, slTriggerPrice="1900", slOrderPrice="-1")
    loops(desk)
    told = [r for r in caplog.records if "Another bot" in r.getMessage()]
    assert len(told) == 1
    assert "ft12ab34" in told[0].getMessage()
    assert any("Another bot" in news for news in bot.exchange.account_watch.news())
    with pytest.raises(InvalidOrderException, match="another bot"):
        RPC(bot)._rpc_force_entry(ETH, None, order_side="long")
    requests = len(desk.sandbox.requests.select(path="/api/v1/trade/orders-history"))
    loops(desk, 5)
    assert len(desk.sandbox.requests.select(path="/api/v1/trade/orders-history")) == requests
    assert desk.enter(BTC).is_open


def test_an_unknown_position_costs_no_request_a_loop(open_desk):
    desk = open_desk()
    desk.start()
    open_by_hand(desk, slTriggerPrice="1900", slOrderPrice="-1")
    loops(desk, 3)
    path = "/api/v1/trade/orders-history"
    before = len(desk.sandbox.requests.select(path=path))
    loops(desk, 5)
    assert len(desk.sandbox.requests.select(path=path)) == before


def test_stops_of_the_owner_on_no_position_stay(open_desk):
    desk = open_desk()
    desk.start()
    desk.enter(ETH)
    stop_by_hand(desk)
    loops(desk, 8)
    assert len(desk.standing_stops(BTC)) == 1


def test_an_account_in_multi_position_mode_is_refused_with_one_line(open_desk):
    desk = open_desk(multi_position=True)
    with pytest.raises(OperationalException, match="Multi-Position mode") as raised:
        desk.start()
    assert "\n" not in str(raised.value)


def test_beside_another_bot_nothing_is_traded_where_that_is_set(open_desk):
    desk = open_desk()
    bot = desk.start(exchange={"other_bots": "refuse"})
    desk.loop()
    open_by_hand(desk, clientOrderId=THEIRS, slTriggerPrice="1900", slOrderPrice="-1")
    desk.pass_time(0.2)
    # freqtrade's worker stops a bot that raises this.
    with pytest.raises(OperationalException, match=r"ft12ab34.*is 'refuse'"):
        bot.process()
    with pytest.raises(ConfigurationError, match=r"exchange\.other_bots is 'both'"):
        desk.start(exchange={"other_bots": "both"})


@pytest.mark.parametrize("margin_mode", ["isolated", "cross"])
def test_in_hedge_mode_an_owner_s_other_side_is_his_own(open_desk, margin_mode):
    desk = open_desk(position_mode="long_short_mode", margin_mode=margin_mode)
    bot = desk.start(margin_mode=margin_mode, exchange={"position_mode": "long_short_mode"})
    trade = desk.enter(BTC)
    loops(desk, 2)
    mode = {"marginMode": margin_mode}
    order_by_hand(desk, "sell", 7, positionSide="short", **mode)
    order_by_hand(desk, "sell", 4, positionSide="long", **mode)
    loops(desk)
    Trade.session.refresh(trade)
    assert (trade.is_open, trade.amount) == (True, 0.0059)
    assert kinds(bot) == [Discrepancy.UNKNOWN_POSITION]
    assert {stop.position_side for stop in desk.standing_stops(BTC)} == {"long", "short"}
    order_by_hand(desk, "buy", 7, positionSide="short", **mode)
    RPC(bot)._rpc_force_exit(str(trade.id))
    loops(desk)
    assert desk.closed(trade).exit_reason == "force_exit"
    assert not account(desk).positions
    assert kinds(bot) == []


@pytest.mark.parametrize("rows", [["x", None, 5], None, [{}], "x"], ids=str)
def test_nothing_is_done_on_rows_that_are_no_rows(open_desk, caplog, rows):
    desk = open_desk()
    bot = desk.start()
    trade = desk.enter(BTC)
    desk.loop()
    (stop,) = desk.standing_stops(BTC)
    for path in (
        *("account/positions", "account/balance", "account/funding-fees", "market/instruments"),
        *("trade/orders-pending", "trade/orders-tpsl-pending", "trade/orders-history"),
        *("trade/order-detail", "trade/order-tpsl-detail", "market/tickers", "market/candles"),
    ):
        fault = desk.sandbox.faults.add(Fault(kind="data", path=f"*/{path}", data=rows))
        desk.loop(minutes=0.3)
        bot.exchange.reload_markets(force=True, load_leverage_tiers=False)
        desk.loop(minutes=0.3)
        desk.sandbox.faults.remove(fault)
        assert [s.tpsl_id for s in desk.standing_stops(BTC)] == [stop.tpsl_id], path
    assert "can't be read" in caplog.text
    desk.loop()
    Trade.session.refresh(trade)
    assert (trade.is_open, trade.amount) == (True, 0.0099)
    assert kinds(bot) == []
    assert bot.exchange.account_watch.account_known


def test_what_is_settled_in_another_currency_is_told_once_and_left_alone(open_desk, caplog):
    desk = open_desk()
    bot = desk.start()
    open_by_hand(desk)
    (row,) = bot.exchange._api.privateGetAccountPositions()["data"]
    open_by_hand(desk, side="sell")
    rows = [row | {"instId": "BTC-USDC"}, row | {"instId": "ETH-USD"}]
    desk.sandbox.faults.add(Fault(kind="data", path="*/account/positions", data=rows))
    loops(desk)
    told = [r.getMessage() for r in caplog.records if "settled in" in r.getMessage()]
    assert [message.split(":")[0] for message in sorted(told)] == ["BTC/USDC", "ETH/USD"]
    assert "settled in USDC" in min(told)
    assert "settled in ETH" in max(told)
    assert set(told) <= set(bot.exchange.account_watch.news())
    assert desk.posts("/api/v1/trade/order-tpsl") == []
    assert kinds(bot) == []
    # The stop and the books of what the bot trades are not disturbed.
    desk.sandbox.faults.clear()
    trade = desk.enter(BTC)
    desk.loop()
    assert (trade.is_open, len(desk.standing_stops(BTC))) == (True, 1)


def test_funding_of_a_position_that_its_owner_has_grown_is_split(open_desk):
    desk = open_desk()
    bot = desk.start()
    trade = desk.enter(BTC)
    order_by_hand(desk, "buy", 10 * ENTERED - ENTERED)
    loops(desk)
    desk.pass_time(250)
    bot.update_funding_fees()
    assert trade.funding_fees == pytest.approx(funding(desk) / 10) != 0


@pytest.mark.parametrize("is_told", [True, False])
@pytest.mark.parametrize("closed", [None, "cross", "isolated"])
def test_funding_of_the_owner_s_position_in_the_other_margin_mode_is_not_the_trade_s(
    open_desk, monkeypatch, is_told, closed
):
    desk = open_desk(position_mode="long_short_mode")
    bot = desk.start(exchange={"position_mode": "long_short_mode"})
    if not is_told:
        api, stock = bot.exchange._api, bot.exchange._api.fetch_funding_history

        def untold(*args, **kwargs):
            rows = stock(*args, **kwargs)
            return [row | {"info": row["info"] | {"marginMode": ""}} for row in rows]

        monkeypatch.setattr(api, "fetch_funding_history", untold)
    trade = desk.enter(BTC)
    own, beside = {"positionSide": "long"}, {"positionSide": "long", "marginMode": "cross"}
    order_by_hand(desk, "buy", 3 * ENTERED, **beside)
    loops(desk)
    desk.pass_time(250)
    if closed is not None:
        bot.update_funding_fees()
        sold = own | {"marginMode": closed}
        size = ENTERED if closed == "isolated" else 3 * ENTERED
        order_by_hand(desk, "sell", size, **sold)
        loops(desk, 4)
        desk.pass_time(8 * 60)
        desk.loop()
    bot.update_funding_fees()
    booked = desk.closed(trade) if closed == "isolated" else trade
    paid = [e for e in account(desk).ledger.entries if e.kind == "funding"]
    ours = float(sum(entry.amount for entry in paid if entry.margin_mode == "isolated"))
    assert booked.funding_fees == pytest.approx(ours, rel=1e-6) != 0
    assert len({entry.margin_mode for entry in paid}) == 2


FUNDED_IN_MINUTES = 4 * 60 + 0.5


def test_funding_told_while_the_trade_grows_is_the_trade_s_alone(open_desk):
    desk = open_desk()
    bot = desk.start(position_adjustment_enable=True)
    trade = desk.enter(BTC)
    desk.loop()
    desk.pass_time(FUNDED_IN_MINUTES - 2)
    desk.loop()
    desk.loop(minutes=1.7)
    # freqtrade asks for funding a minute after the hour, and before it books an addition.
    assert funding(desk)
    assert not trade.funding_fees
    assert bot.execute_entry(BTC, 61.1, trade=trade, mode="pos_adjust")
    loops(desk)
    assert trade.funding_fees == pytest.approx(funding(desk)) != 0


@pytest.mark.parametrize("kind", ["addition", "exit"])
def test_funding_paid_while_an_order_waits_is_booked_when_it_fills(open_desk, kind):
    desk = open_desk()
    bot = desk.start(position_adjustment_enable=True)
    trade = desk.enter(BTC)
    desk.loop()
    desk.pass_time(FUNDED_IN_MINUTES - 2)
    desk.loop()
    if kind == "addition":
        assert bot.execute_entry(
            BTC, 61.1, 49_800.0, trade=trade, mode="pos_adjust", ordertype="limit"
        )
    else:
        RPC(bot)._rpc_force_exit(str(trade.id), "limit", price=50_500.0)
    (order,) = account(desk).live_orders("BTC-USDT")
    desk.loop(minutes=1.6)
    assert funding(desk)
    assert not trade.funding_fees
    desk.sandbox.fill(order.order_id)
    loops(desk)
    booked = desk.closed(trade) if kind == "exit" else trade
    assert booked.funding_fees == pytest.approx(funding(desk))
    if kind == "addition":
        desk.pass_time(8 * 60)
        bot.update_funding_fees()
        assert trade.funding_fees == pytest.approx(funding(desk))


def test_funding_of_what_has_filled_of_an_addition_is_the_trade_s(open_desk):
    desk, trade, _ = half_filled_addition(open_desk)
    loops(desk)
    desk.pass_time(FUNDED_IN_MINUTES)
    desk.bot.update_funding_fees()
    assert trade.has_open_orders
    assert trade.funding_fees == pytest.approx(funding(desk)) != 0


def test_what_an_owner_adds_beside_a_waiting_addition_gets_its_stop_at_once(open_desk):
    desk, trade, order = half_filled_addition(open_desk)
    order_by_hand(desk, "buy", 6)
    desk.loop()
    assert sorted(s.size for s in desk.standing_stops(BTC)) == [3, 6, ENTERED]
    desk.sandbox.fill(order.order_id)
    loops(desk)
    (stop,) = desk.standing_stops(BTC)
    assert stop.size == held(desk) == Decimal(str(trade.amount)) * 1000 + 6


def test_a_list_that_shows_a_position_after_its_exit_leaves_no_stop_behind(open_desk, caplog):
    desk = open_desk(position_delay_ms=8_000)
    bot = desk.start()
    trade = desk.enter(BTC)
    loops(desk, 3)
    RPC(bot)._rpc_force_exit(str(trade.id))
    for _ in range(6):
        desk.loop(minutes=0.05)
        assert held(desk) == 0
        assert desk.posts("/api/v1/trade/order-tpsl") == []
    assert not desk.closed(trade).is_open
    assert "doesn't know" not in caplog.text


def test_what_history_did_not_explain_is_asked_for_again(open_desk, caplog):
    desk = open_desk()
    desk.start()
    trade = desk.enter(BTC)
    desk.loop()
    for path in ("*/orders-history", "*/fills-history"):
        desk.sandbox.faults.add(Fault(kind="data", path=path, data=[]))
    order_by_hand(desk, "sell", 4)
    loops(desk)
    assert "doesn't tell which order closed the difference" in caplog.text
    desk.sandbox.faults.clear()
    desk.loop(minutes=1.1)
    Trade.session.refresh(trade)
    assert (trade.is_open, trade.amount) == (True, 0.0059)


@pytest.mark.parametrize("is_first", [True, False])
def test_of_two_bots_that_enter_a_position_at_once_the_second_one_leaves(open_desk, is_first):
    desk = open_desk()
    desk.start()
    desk.loop()
    theirs = {"clientOrderId": THEIRS, "slTriggerPrice": "48900", "slOrderPrice": "-1"}
    if is_first:
        trade = desk.enter(BTC)
        order_by_hand(desk, "buy", 8, **theirs)
    else:
        # They were a moment faster, and no list had shown it when this bot looked.
        desk.sandbox.faults.add(Fault(kind="data", path="*/account/positions", data=[], times=3))
        order_by_hand(desk, "buy", 8, **theirs)
        trade = desk.enter(BTC)
        desk.sandbox.faults.clear()
    loops(desk, 5)
    Trade.session.refresh(trade)
    assert trade.is_open is is_first
    stops = {(s.size, s.tpsl.sl_trigger == 48_900) for s in desk.standing_stops(BTC)}
    assert held(desk) == (ENTERED + 8 if is_first else 8)
    assert stops == ({(8, True), (ENTERED, False)} if is_first else {(8, True)})


def test_each_look_for_what_closed_a_position_asks_for_its_history_and_not_for_its_entry_again(
    open_desk,
):
    desk = open_desk()
    desk.start()
    trade = desk.enter(BTC)
    for path in ("*/orders-history", "*/fills-history"):
        desk.sandbox.faults.add(Fault(kind="data", path=path, data=[]))
    order_by_hand(desk, "sell", ENTERED)
    desk.sandbox.requests.clear()
    loops(desk, 3)
    details = desk.sandbox.requests.select(path="/api/v1/trade/order-detail")
    of_entry = [asked for asked in details if trade.orders[0].order_id in asked.query]
    history = desk.sandbox.requests.select(path="/api/v1/trade/orders-history")
    # freqtrade's own questions for the entry are left.
    assert 0 < len(of_entry) < len(history)
