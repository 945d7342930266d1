"""The feed's memory of finished candles changes nothing but the time it takes."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bubbybot_freqtrade.sandbox.api.candle_feed import CandleFeed
from bubbybot_freqtrade.sandbox.market.generator import GeneratedMarket
from bubbybot_freqtrade.sandbox.market.instruments import instrument
from bubbybot_freqtrade.sandbox.market.prices import MarketData
from tests.sandbox.owner import MINUTE, START

# Asked for at these steps of the clock; some longer than what is remembered by then.
steps = st.tuples(
    st.sampled_from((0, 1000, 15_000, MINUTE, 7 * MINUTE, 100 * MINUTE, 3000 * MINUTE)),
    st.integers(1, 60),
)


@pytest.fixture(scope="module")
def market() -> MarketData:
    source = GeneratedMarket([instrument("BTC-USDT")], seed=3, start_ms=START, history_days=2)
    return MarketData(source)


@settings(max_examples=60, deadline=None)
@given(
    questions=st.lists(steps, min_size=2, max_size=8),
    bar=st.sampled_from(("1m", "15m", "4H", "1M")),
    kind=st.sampled_from(("last", "mark", "index")),
)
def test_remembered_candles_are_the_markets(market, questions, bar, kind):
    feed = CandleFeed(market)
    now = START
    for step, limit in questions:
        now += step
        rows = feed.latest("BTC-USDT", bar, kind, now_ms=now, limit=limit)
        wanted = market.candles("BTC-USDT", bar, kind, now_ms=now, limit=limit)
        said = [candle.row() if kind == "last" else candle.price_row() for candle in wanted]
        assert [orjson.loads(row) for row in rows] == said
