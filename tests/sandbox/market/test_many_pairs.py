"""A venue with hundreds of instruments: what it makes and keeps for them."""

import sys

import httpx
import numpy as np

from bubbybot_freqtrade.sandbox.api.candle_feed import CandleFeed
from bubbybot_freqtrade.sandbox.market.generator import GeneratedMarket
from bubbybot_freqtrade.sandbox.market.instruments import catalogue
from bubbybot_freqtrade.sandbox.market.paths import DAY_MS
from bubbybot_freqtrade.sandbox.market.prices import MarketData
from bubbybot_freqtrade.sandbox.opening import GENERATED_START_MS
from bubbybot_freqtrade.sandbox.server import Sandbox
from bubbybot_freqtrade.sandbox.settings import SandboxSettings

PAIRS = 400


def test_tickers_of_400_instruments_take_the_days_that_they_are_about_and_no_more() -> None:
    with Sandbox(SandboxSettings(pair_count=PAIRS, rate_limits=False)) as sandbox:
        rows = httpx.get(f"{sandbox.url}/api/v1/market/tickers", timeout=120).json()["data"]
        listed = {row["instId"] for row in rows}
        # Beside those that settle in another currency.
        assert sum(inst_id.endswith("-USDT") for inst_id in listed) == PAIRS
        # The last 24 hours lie in two days of trades.
        assert sandbox.market.day.cache_info().misses <= 2 * len(listed)


def test_candles_that_were_served_are_kept_as_their_text_alone() -> None:
    market = MarketData(GeneratedMarket(catalogue(1), start_ms=GENERATED_START_MS))
    feed = CandleFeed(market)
    (inst_id,) = market.instruments
    served = feed.latest(inst_id, "15m", "last", now_ms=GENERATED_START_MS, limit=1440)
    assert len(served) == 1440
    spelled = sum(map(len, served))
    assert sum(map(sys.getsizeof, served)) < spelled + 1440 * sys.getsizeof(b"") + 1440
    again = feed.latest(inst_id, "15m", "last", now_ms=GENERATED_START_MS, limit=1440)
    # Spelled once: all but the unfinished one are the same objects.
    assert all(one is other for one, other in zip(served[1:], again[1:], strict=True))


def test_the_days_of_trades_that_are_kept_are_small_and_few() -> None:
    steps = 60
    source = GeneratedMarket(catalogue(2), start_ms=GENERATED_START_MS)
    market = MarketData(source, steps_per_minute=steps)
    for inst_id in market.instruments:
        market.ticker(inst_id, GENERATED_START_MS)
        market.candles(inst_id, "15m", now_ms=GENERATED_START_MS, limit=96 * 80)
    assert market.day.cache_info().currsize <= 2 * len(market.instruments) + 64
    day = market.day(next(iter(market.instruments)), GENERATED_START_MS // DAY_MS - 1)
    # Price and size in four bytes each, the side in one; mark and index price on demand.
    kept = [value for value in vars(day).values() if isinstance(value, np.ndarray)]
    assert sum(value.nbytes for value in kept) == 9 * steps * 1440
