"""Pushes that are no rows: the websockets go on, and what comes after them is heard."""

import itertools
import math

import pytest

from bubbybot_freqtrade.blofin.exchange.price_moves import PriceMoves
from bubbybot_freqtrade.drills.market import BTC
from tests.drills.test_woken import falling, stops, until  # noqa: F401 - a fixture

PRIVATE = ("orders", "orders-algo", "positions", "account")
NO_ROWS = (
    None,
    5,
    "x",
    {},
    ["x", None, 5],
    [{}],
    [{"instId": 5}],
    [{"orderId": [1], "state": "live"}],
    [{"tpslId": {"a": 1}, "state": ["canceled"]}],
    [{"positionId": [1], "positions": {}, "markPrice": "nan"}],
    [{"instId": "BTC-USDT", "last": "nan"}, {"instId": ["BTC-USDT"], "last": []}],
    [{"instId": "BTC-USDT", "last": "-1"}],
)


def push(desk, private, channel, data):
    streams = desk.sandbox.streams
    connections = [one for one in tuple(streams.connections) if one.private is private]
    with desk.sandbox.engine.exclusive():
        streams._push(
            connections, {"arg": {"channel": channel, "instId": "BTC-USDT"}, "data": data}
        )


def test_the_websockets_go_on_after_pushes_that_are_no_rows(falling):  # noqa: F811
    real_time = falling.bot.exchange.real_time
    session, before = real_time.stream.pulse.session, real_time.prices.pushes
    for channel, data in itertools.product(PRIVATE, NO_ROWS):
        push(falling, True, channel, data)
    for data in NO_ROWS:
        push(falling, False, "tickers", data)
    until(lambda: real_time.prices.pushes >= before + len(NO_ROWS), "all of them")
    falling.loop(2)
    falling.cancel_stops(BTC)
    falling.loop(2)
    assert len(stops(falling)) == 1
    assert real_time.stream.pulse.session == session
    assert falling.broken() == []


@pytest.mark.parametrize("none", [math.nan, math.inf, 0.0, -1.0])
def test_a_price_that_is_none_hides_no_fast_one(none):
    moves = PriceMoves()
    assert not moves.is_fast("a", none)
    assert not moves.is_fast("a", 100.0)
    assert not moves.is_fast("a", none)
    assert moves.is_fast("a", 101.0)
