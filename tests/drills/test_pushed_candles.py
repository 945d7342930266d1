"""Candles that the websocket has pushed are taken from the first one on."""

from asyncio import run_coroutine_threadsafe
from datetime import timedelta

import pytest

from bubbybot_freqtrade.drills.desk import Desk
from bubbybot_freqtrade.drills.market import BTC, ETH, SOL, START
from bubbybot_freqtrade.drills.streams import PUSHES_A_MINUTE, await_pushes, push

CANDLES = "GET /api/v1/market/candles"
# Real seconds for what a loaded machine brings late; nothing waits so long otherwise.
PATIENCE_S = 30.0


def _minute(desk):
    """A minute whose pushes have all come, and then the loop that sees the new candle."""
    push(desk, PUSHES_A_MINUTE, PATIENCE_S)
    desk.loop()


@pytest.mark.parametrize("is_pushed", [True, False])
def test_the_first_pushed_candle_of_each_pair_is_not_asked_for_again(tmp_path, is_pushed):
    with Desk(tmp_path) as desk:
        desk.start(timeframe="1m", exchange={"enable_ws": is_pushed})
        desk.loop()
        if is_pushed:
            # The venue greets a new subscription with the present candle.
            await_pushes(desk, [[], [], []], PATIENCE_S)
        at_start = desk.watch.requests[CANDLES]
        assert at_start >= 3
        _minute(desk)
        asked = desk.watch.requests[CANDLES] - at_start
        assert asked == (0 if is_pushed else 3)
        newest = {desk.bot.strategy.seen[pair]["date"].iloc[-1] for pair in (BTC, ETH, SOL)}
        assert newest == {START}
        _minute(desk)
        newest = {desk.bot.strategy.seen[pair]["date"].iloc[-1] for pair in (BTC, ETH, SOL)}
        assert newest == {START + timedelta(minutes=1)}


def test_an_exchange_that_is_dropped_ends_on_its_websockets_own_thread_too(tmp_path):
    with Desk(tmp_path) as desk:
        desk.start(timeframe="1m", exchange={"enable_ws": True})
        exchange, websocket = desk.bot.exchange, desk.bot.exchange._exchange_ws

        async def drop():
            exchange.close()

        # As the garbage collector does when it happens to run there.
        run_coroutine_threadsafe(drop(), websocket._loop).result(PATIENCE_S)
        websocket._thread.join(PATIENCE_S)
        assert not websocket._thread.is_alive()
