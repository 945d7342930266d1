"""Prices that are none take no trade out."""

import pytest

from bubbybot_freqtrade.sandbox.api.faults import Fault
from tests.blofin.desk import BTC

STOPS = {"entry": "market", "exit": "market", "stoploss": "market", "stoploss_on_exchange": True}


@pytest.mark.parametrize(
    ("price_type", "price"), [("last", "0"), ("last", "-1"), ("mark", "-1"), ("index", "0")]
)
def test_a_price_that_is_none_has_passed_no_stop(open_desk, price_type, price):
    desk = open_desk()
    desk.start(order_types=STOPS | {"stoploss_price_type": price_type})
    trade = desk.enter(BTC)
    said = {"instId": "BTC-USDT", "ts": "1746100800000"}
    ticker = said | {"last": price, "askPrice": "50001", "bidPrice": "49999"}
    mark = said | {"markPrice": price, "indexPrice": price}
    desk.sandbox.faults.add(Fault(kind="data", path="*/market/tickers", data=[ticker]))
    desk.sandbox.faults.add(Fault(kind="data", path="*/market/mark-price", data=[mark]))
    desk.bot.strategy.stop_at = {BTC: 49_500.0}
    for _ in range(3):
        desk.loop(minutes=1)
    assert trade.is_open
    assert desk.standing_stops(BTC)
