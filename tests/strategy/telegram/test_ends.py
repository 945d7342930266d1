"""How a trade has ended reaches the phone: once, with its result in R, and once in freqtrade's own
words, whatever it was that ended it.
"""

import re

import pytest
from freqtrade.persistence import Trade

from bubbybot_freqtrade.risk.plan import PLAN, TradePlan
from bubbybot_freqtrade.sandbox.settings import DEMO_UID
from tests.strategy.telegram.conftest import BTC, ETH, START, write_market


@pytest.fixture
def open_market(open_desk, tmp_path):
    """`open_market(course)`: a desk whose BTC goes the written way from START on."""

    def make(course):
        write_market(tmp_path / "data", {BTC: course, ETH: [(0, 1)]})
        return open_desk(data=tmp_path / "data", start_ms=int(START.timestamp() * 1000))

    return make


def end(desk, minutes, loops):
    for _ in range(loops):
        desk.loop(minutes=minutes)


def cancel_stops(desk):
    """The owner takes the stop away in the app, and the market is quicker than the bot."""
    for order in desk.standing_stops():
        body = {"instId": order.inst_id, "tpslId": order.tpsl_id}
        desk.sandbox.app("/api/v1/trade/cancel-tpsl", body, uid=DEMO_UID)


@pytest.mark.parametrize(
    ("course", "act", "own", "reason", "words"),
    [
        ([(0, 1), (15, 1), (75, 0.9)], None, {}, "stoploss_on_exchange", "by its stop"),
        ([(0, 1), (15, 1), (75, 1.2)], None, {}, "take_profit_on_exchange", "at its target"),
        ([(0, 1), (14.95, 1), (15, 0.6)], cancel_stops, {}, "liquidation", "by liquidation"),
        ([(0, 1)], None, {"max_hours": 1.0}, "too_old", "because the trade is older than it may"),
    ],
)
def test_each_end_is_told_once_with_its_r(open_market, course, act, own, reason, words):
    desk = open_market(course)
    desk.start(bubbybot={"exits": {"liquidation_near": 0.001, **own}})
    trade = desk.enter()
    plan = TradePlan.from_dict(trade.get_custom_data(PLAN))
    desk.phone.wait_for("Plan of", f"{BTC} long")
    before = len(desk.phone.texts())
    if act is not None:
        desk.loop(minutes=14)
        act(desk)
    end(desk, 5, 16)
    Trade.session.refresh(trade)
    assert (trade.is_open, trade.exit_reason) == (False, reason)
    told = desk.phone.wait_for(f"{BTC} long has ended {words}", after=before)
    lost = plan.size * (abs(trade.open_rate - plan.stop) + 0.0006 * (trade.open_rate + plan.stop))
    r = float(re.search(r": ([+-]\d+\.\d\d)R, ", told)[1])
    assert r == pytest.approx(trade.close_profit_abs / lost, abs=0.006)
    assert f"{trade.close_profit_abs:+.2f} USDT" in told
    # Whatever was sent is there once the phone has the answer to a command that came after it.
    desk.command("/status", "no active trade")
    for words in ("Plan of", "New Trade"):
        assert sum(words in text for text in desk.phone.texts()) == 1
    texts = desk.phone.texts()[before:]
    assert sum("has ended" in text for text in texts) == 1
    assert sum("Exited" in text for text in texts) == 1
    assert desk.phone.refused == []
