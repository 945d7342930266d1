"""The owner's phone on one side, the venue on the other, freqtrade's own classes in between."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from freqtrade.enums import State
from freqtrade.exceptions import TemporaryError
from freqtrade.persistence import Trade

from bubbybot_freqtrade.risk.plan import PLAN, TradePlan
from bubbybot_freqtrade.sandbox.settings import DEMO_UID
from tests.strategy.telegram.bot_api import CHAT_ID
from tests.strategy.telegram.conftest import BTC, ETH


@pytest.mark.parametrize(("command", "side"), [("/forcelong", "long"), ("/forceshort", "short")])
def test_a_forced_entry_is_planned_like_any_other_and_a_forced_exit_takes_all_of_it_away(
    open_desk, command, side
):
    desk = open_desk()
    desk.start()
    trade = desk.enter(f"{command} {BTC}")
    plan = TradePlan.from_dict(trade.get_custom_data(PLAN))
    (order,) = desk.posts("/api/v1/trade/order")
    assert float(order["slTriggerPrice"]) == pytest.approx(plan.stop)
    assert float(order["tpTriggerPrice"]) == pytest.approx(plan.target)
    assert plan.side == trade.trade_direction == side
    sign = 1 if side == "long" else -1
    assert sign * plan.stop < sign * trade.open_rate < sign * plan.target
    # The owner's rules, from the numbers at the venue and not from the plan's own shares.
    equity, fee = 10_000.0, 0.0006
    size = float(order["size"]) * desk.bot.exchange.markets[BTC]["contractSize"]
    loss = size * (abs(trade.open_rate - plan.stop) + fee * (trade.open_rate + plan.stop))
    assert 0.02 * 0.99 <= loss / equity <= 0.05 * 1.01
    assert size * trade.open_rate / trade.leverage <= 0.05 * equity * 1.01
    gain = size * (abs(plan.target - trade.open_rate) - fee * (trade.open_rate + plan.target))
    assert gain / loss >= 1.9  # planned at 2 from the book's price; the fill is a little worse
    assert trade.stop_loss == pytest.approx(plan.stop, rel=1e-4)
    told = desk.phone.wait_for("Plan of", f"{BTC} {side}")
    for part in ("Stop", "Target", "liquidation", f"{plan.leverage}x", "Why: confidence"):
        assert part in told
    assert desk.phone.refused == []

    assert len(desk.standing_stops()) == 1
    desk.command(f"/forceexit {trade.id}", "Exiting", BTC)
    desk.loop()
    desk.loop()
    Trade.session.refresh(trade)
    assert not trade.is_open
    assert trade.exit_reason == "force_exit"
    assert desk.standing_stops() == []
    assert desk.positions() == {}
    lost = plan.size * (abs(trade.open_rate - plan.stop) + fee * (trade.open_rate + plan.stop))
    told = desk.phone.wait_for(f"{BTC} {side} has ended by command")
    assert f"{trade.close_profit_abs / lost:+.2f}R, {trade.close_profit_abs:+.2f} USDT" in told


def test_a_trade_that_its_owner_closes_in_the_app_is_told_once_with_its_r(open_desk):
    desk = open_desk()
    desk.start()
    desk.enter()
    body = {"instId": "BTC-USDT", "marginMode": "isolated", "positionSide": "net"}
    desk.sandbox.app("/api/v1/trade/close-position", body, uid=DEMO_UID)
    for _ in range(12):
        desk.loop()
    (trade,) = Trade.get_trades().all()
    assert (trade.is_open, trade.exit_reason) == (False, "sold_on_exchange")
    told = desk.phone.wait_for("has ended by an order at BloFin")
    assert f"{trade.close_profit_abs:+.2f} USDT" in told
    assert re.search(r": [+-]\d\.\d\dR, ", told)
    desk.command("/status", "no active trade")
    assert len([text for text in desk.phone.texts() if "has ended" in text]) == 1


def test_status_profit_and_stopentry_answer(open_desk):
    desk = open_desk()
    desk.start()
    assert "no active trade" in desk.command("/status", "no active trade")
    trade = desk.enter()
    status = desk.command("/status", f"*Trade ID:* `{trade.id}`")
    stop = float(re.search(r"\*Stoploss:\* `([\d.]+)", status)[1])
    (standing,) = desk.standing_stops()
    assert stop == pytest.approx(float(standing.tpsl.sl_trigger), rel=1e-4)
    assert "BTC" in desk.command("/status table", "BTC")
    desk.command("/profit", "ROI")
    desk.command("/stopentry", "paused")
    assert desk.bot.state == State.PAUSED
    desk.loop()
    desk.command(f"/forcelong {ETH}", "trader is not running")
    assert len(desk.posts("/api/v1/trade/order")) == 1


def test_reload_config_takes_new_settings_and_keeps_the_trade(open_desk):
    desk = open_desk()
    desk.start()
    trade_id = desk.enter().id
    desk.write_config(max_open_trades=2, bubbybot={"risk": {"max_same_side": 2}})
    desk.command("/reload_config", "Reloading config")
    desk.loop()
    assert desk.bot.strategy.settings.risk.max_same_side == 2
    assert [trade.id for trade in Trade.get_open_trades()] == [trade_id]
    assert len(desk.standing_stops()) == 1
    desk.command("/status", f"*Trade ID:* `{trade_id}`")


def assert_plan_is_the_venues_bracket(desk, trade):
    """The trade's plan, its stop at freqtrade and the message are what stands at the venue."""
    (order,) = desk.posts("/api/v1/trade/order")
    (stop,) = desk.standing_stops()
    assert stop.tpsl.sl_trigger == pytest.approx(Decimal(order["slTriggerPrice"]))
    assert [o.order_id for o in trade.open_sl_orders] == [stop.tpsl_id]
    plan = TradePlan.from_dict(trade.get_custom_data(PLAN))
    assert plan.stop == pytest.approx(float(stop.tpsl.sl_trigger))
    assert plan.target == pytest.approx(float(stop.tpsl.tp_trigger))
    assert (plan.size, plan.leverage) == (trade.amount, trade.leverage)
    assert plan.entry == trade.open_rate
    assert trade.stop_loss == pytest.approx(plan.stop, rel=1e-4)
    told = desk.phone.wait_for("Plan of", f"{BTC} long", "while the bot was away")
    assert "stop and target are those that stand" in told
    assert desk.phone.refused == []


def test_a_trade_whose_plan_was_lost_before_its_fill_gets_the_venues(open_desk, caplog):
    desk = open_desk()
    desk.start()
    desk.command(f"/forcelong {BTC}", "New Trade")
    # As a restart does to the plan of an order that fills some loops later.
    desk.bot.strategy.memory.pending.clear()
    desk.loop()
    desk.loop()
    assert "Unexpected error" not in caplog.text
    (trade,) = Trade.get_open_trades()
    assert_plan_is_the_venues_bracket(desk, trade)


def test_a_fill_that_is_seen_while_the_bot_starts_has_its_plan(open_desk):
    desk = open_desk()
    desk.start()
    desk.command(f"/forcelong {BTC}", "New Trade")
    # It has filled at the venue, and the bot ends before its next loop.
    desk.stop()
    desk.start()
    desk.loop()
    (trade,) = Trade.get_open_trades()
    assert trade.nr_of_successful_entries == 1
    assert_plan_is_the_venues_bracket(desk, trade)


def test_a_plan_that_could_not_be_asked_for_at_the_fill_comes_later(open_desk, monkeypatch):
    desk = open_desk()
    desk.start()
    desk.command(f"/forcelong {BTC}", "New Trade")
    desk.bot.strategy.memory.pending.clear()
    ask = desk.bot.exchange.standing_bracket

    def unreachable(*_):
        raise TemporaryError("BloFin does not answer")

    monkeypatch.setattr(desk.bot.exchange, "standing_bracket", unreachable)
    desk.loop()
    (trade,) = Trade.get_open_trades()
    assert trade.nr_of_successful_entries == 1
    assert trade.get_custom_data(PLAN) is None
    monkeypatch.setattr(desk.bot.exchange, "standing_bracket", ask)
    desk.loop(minutes=1.5)
    desk.loop()
    assert_plan_is_the_venues_bracket(desk, trade)


def put_a_stop_alone_in_the_brackets_place(desk):
    """What an owner may do in the app while the bot is away; the stop, where the bracket's was."""
    (stop,) = desk.standing_stops()
    old = {"instId": "BTC-USDT", "tpslId": stop.tpsl_id, "clientOrderId": ""}
    assert desk.sandbox.app("/api/v1/trade/cancel-tpsl", [old])["code"] == "0"
    alone = {
        "instId": "BTC-USDT",
        "marginMode": "isolated",
        "positionSide": "net",
        "side": "sell",
        "size": "-1",
        "slTriggerPrice": str(stop.tpsl.sl_trigger),
        "slOrderPrice": "-1",
        "reduceOnly": "true",
    }
    assert desk.sandbox.app("/api/v1/trade/order-tpsl", alone)["code"] == "0"
    (stop,) = desk.standing_stops()
    return stop


def test_a_trade_whose_bracket_its_owner_took_away_gets_it_back(open_desk):
    desk = open_desk()
    desk.start()
    desk.command(f"/forcelong {BTC}", "New Trade")
    desk.stop()
    theirs = put_a_stop_alone_in_the_brackets_place(desk)
    desk.start()
    for _ in range(3):
        desk.loop(minutes=1.5)
    (trade,) = Trade.get_open_trades()
    (order,) = desk.posts("/api/v1/trade/order")
    plan = TradePlan.from_dict(trade.get_custom_data(PLAN))
    assert plan.stop == pytest.approx(float(order["slTriggerPrice"]))
    assert plan.target == pytest.approx(float(order["tpTriggerPrice"]))
    # The owner's stays beside it.
    (ours,) = [stop for stop in desk.standing_stops() if stop.tpsl_id != theirs.tpsl_id]
    assert theirs in desk.standing_stops()
    assert ours.tpsl.sl_trigger == Decimal(order["slTriggerPrice"])
    assert ours.tpsl.tp_trigger == Decimal(order["tpTriggerPrice"])
    assert [o.order_id for o in trade.open_sl_orders] == [ours.tpsl_id]
    assert not any("its plan is lost" in text for text in desk.phone.texts())


def test_a_trade_whose_target_nobody_knows_keeps_its_stop_and_is_told(open_desk):
    desk = open_desk()
    desk.start()
    desk.command(f"/forcelong {BTC}", "New Trade")
    desk.stop()
    theirs = put_a_stop_alone_in_the_brackets_place(desk)
    # BloFin does not tell any more what the entry was sent with.
    (entry,) = desk.sandbox.engine.account(DEMO_UID).orders.values()
    entry.tpsl = replace(entry.tpsl, sl_trigger=None, tp_trigger=None)
    desk.start()
    for _ in range(3):
        desk.loop(minutes=1.5)
    (trade,) = Trade.get_open_trades()
    assert trade.get_custom_data(PLAN) is None
    (told,) = [text for text in desk.phone.texts() if "its plan is lost" in text]
    assert f"stop stays at {theirs.tpsl.sl_trigger:,.1f}" in told
    assert theirs in desk.standing_stops()


def test_a_strangers_commands_do_nothing(open_desk, caplog):
    desk = open_desk()
    desk.start()
    before = len(desk.phone.sent)
    desk.phone.write(f"/forcelong {BTC}", chat_id=CHAT_ID + 1)
    desk.phone.write("/stop", chat_id=CHAT_ID + 1)
    desk.command("/count", "current")
    assert f"Rejected unauthorized message from: {CHAT_ID + 1}" in caplog.text
    assert desk.bot.state == State.RUNNING
    assert desk.posts("/api/v1/trade/order") == []
    assert len(desk.phone.sent) == before + 1


def test_buttons_enter_and_exit(open_desk):
    desk = open_desk()
    desk.start()
    desk.command("/forcelong", "Which pair?")
    desk.phone.press(f"force_enter__{BTC}_||_long")
    desk.phone.wait_for("New Trade", BTC)
    desk.loop()
    trade = Trade.get_open_trades()[-1]
    desk.command("/forceexit", "Which trade?")
    desk.phone.press(f"force_exit__{trade.id}")
    desk.phone.wait_for("Exiting", BTC)
    desk.loop()
    assert desk.positions() == {}


def test_a_forced_entry_that_breaks_a_rule_is_refused_with_its_reason(open_desk):
    desk = open_desk()
    desk.start()
    # A market order would not get this price, and the plan is made for it.
    last = desk.bot.exchange.fetch_ticker(BTC)["last"]
    desk.command(f"/forcelong {BTC} {last * 0.9:.1f}", "Failed to enter")
    desk.loop()
    desk.phone.wait_for("No trade.", "market order fills at about")
    assert desk.posts("/api/v1/trade/order") == []
    desk.enter()
    desk.command(f"/forcelong {ETH}", "Failed to enter")
    desk.loop()
    desk.phone.wait_for("No trade.", "no more than 1 long trade at once")
    assert len(desk.posts("/api/v1/trade/order")) == 1
