"""The owner's phone on one side, the venue on the other, freqtrade's own classes in between."""

import re
from decimal import Decimal

import pytest
from freqtrade.enums import State
from freqtrade.persistence import Trade

from bubbybot_freqtrade.risk.plan import TradePlan
from bubbybot_freqtrade.strategy import PLAN
from tests.telegram.bot_api import CHAT_ID
from tests.telegram.conftest import BTC, ETH


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


def test_a_trade_whose_plan_was_lost_before_its_fill_keeps_its_stop(open_desk, caplog):
    desk = open_desk()
    desk.start()
    desk.command(f"/forcelong {BTC}", "New Trade")
    # As a restart does to the plan of an order that fills some loops later.
    desk.bot.strategy._pending.clear()
    desk.loop()
    desk.loop()
    assert "Unexpected error" not in caplog.text
    (trade,) = Trade.get_open_trades()
    (order,) = desk.posts("/api/v1/trade/order")
    (stop,) = desk.standing_stops()
    assert stop.tpsl.sl_trigger == pytest.approx(Decimal(order["slTriggerPrice"]))
    assert [o.order_id for o in trade.open_sl_orders] == [stop.tpsl_id]


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
    desk.phone.wait_for("No trade.", "1 long trades are open already")
    assert len(desk.posts("/api/v1/trade/order")) == 1
