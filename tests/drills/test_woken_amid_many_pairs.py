"""More than 120 series of candles come in slices; what happens on the account ends them."""

from collections import Counter

import numpy as np

from bubbybot_freqtrade.blofin.exchange.candle_queue import FEW_SERIES
from bubbybot_freqtrade.drills.desk import HALF_A_DAY, LOOP_SECONDS, Desk
from bubbybot_freqtrade.drills.market import BTC, MINUTES_BEFORE, inst_id
from tests.drills.test_woken import LISTENING, stops, until

OTHERS = [f"C{number}/USDT:USDT" for number in range(38)]
TIMEFRAMES = ("15m", "1h", "4h")
MOST_LOOPS = 60


def test_a_stop_that_is_canceled_amid_their_candles_ends_the_slices_of_many_pairs(
    tmp_path, monkeypatch
):
    flat = np.full(MINUTES_BEFORE + HALF_A_DAY + 1, 100.0)
    with Desk(tmp_path, dict.fromkeys(OTHERS, flat)) as desk:
        desk.start(exchange=LISTENING)
        exchange = desk.bot.exchange
        longer = [(pair, tf, "futures") for pair in desk.pairs for tf in TIMEFRAMES[1:]]
        assert len(desk.pairs) + len(longer) > FEW_SERIES
        monkeypatch.setattr(desk.bot.strategy, "informative_pairs", lambda: longer)
        desk.loop()
        for _ in range(MOST_LOOPS):
            if not exchange.candle_queue.is_behind:
                break
            desk.loop()
        until(lambda: exchange.real_time.is_heard, "a connection")
        desk.enter(BTC)
        desk.loop(2)
        asked, stock, seen = [], exchange._api_async.fetch_ohlcv, []

        async def fetch(pair, *args, **kwargs):
            asked.append(pair)
            if not seen:
                seen.append(len(stops(desk)))
                desk.cancel_stops(BTC)
                seen.append(len(stops(desk)))
                until(lambda: exchange.real_time.bell.is_rung, "a ring")
            return await stock(pair, *args, **kwargs)

        monkeypatch.setattr(exchange._api_async, "fetch_ohlcv", fetch)
        desk.pass_time(15)
        begun = desk.clock.now_ms
        desk.loop()
        assert seen == [1, 0]
        assert 0 < len(asked) < len(desk.pairs)
        # The next loop doesn't wait for its pause to be over.
        assert desk.clock.now_ms - begun < LOOP_SECONDS * 1000
        desk.loop()
        assert len(stops(desk)) == 1
        (placed,) = (
            request.ts_ms
            for request in desk.sandbox.requests.select(path="/api/v1/trade/order-tpsl")
        )
        assert placed - begun <= 1000
        for _ in range(MOST_LOOPS):
            if len(asked) >= len(desk.pairs):
                break
            desk.loop()
        desk.loop()
        # Nobody's candle is lost by it, none is asked for twice.
        assert Counter(asked) == Counter(desk.pairs)
        assert inst_id(BTC) in {position.inst_id for position in positions(desk)}
        assert desk.broken() == []


def positions(desk):
    return desk.watch.account.positions.values()
