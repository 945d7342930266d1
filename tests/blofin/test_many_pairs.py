"""Candles of more pairs than a loop has time for: in slices, in the end as freqtrade has them."""

from collections import Counter
from contextlib import closing, contextmanager
from itertools import count
from types import SimpleNamespace

import pytest
from freqtrade.enums import CandleType
from freqtrade.exchange.exchange import Exchange
from freqtrade.resolvers import ExchangeResolver
from pandas.testing import assert_frame_equal

from bubbybot_freqtrade.blofin.ccxt_blofin import candle_streams
from bubbybot_freqtrade.blofin.exchange import candle_queue
from bubbybot_freqtrade.drills.desk import HALF_A_DAY, Desk
from bubbybot_freqtrade.drills.market import BTC, ETH, SOL, inst_id, walk
from bubbybot_freqtrade.sandbox.api.candle_feed import CandleFault
from bubbybot_freqtrade.sandbox.api.streams import StreamFaults

CANDLES = "/api/v1/market/candles"
OTHERS = [f"C{number}/USDT:USDT" for number in range(3)]
HOUR_MS = 3_600_000
PAIRS = [BTC, ETH, SOL, *OTHERS]
TIMEFRAMES = ("15m", "1h", "4h")
# As freqtrade asks: all pairs on their timeframe, then what else a strategy wants.
KEYS = [(pair, tf, CandleType.FUTURES) for tf in TIMEFRAMES for pair in PAIRS]
QUARTER_MS = 15 * 60_000
# Minutes from one loop to the next; at noon, where a desk begins, all three timeframes close.
STEPS = (1, 14, 1, 15, 30, 60, 7, 53, 240, 16)


@pytest.fixture
def slices(monkeypatch):
    """Two slices of three requests a loop: a second of the loop's time passes at every look."""
    ticks = count()
    monkeypatch.setattr(candle_queue, "FEW_SERIES", 0)
    monkeypatch.setattr(candle_queue, "AT_ONCE", 3)
    monkeypatch.setattr(candle_queue, "SECONDS_A_LOOP", 2.0)
    clock = SimpleNamespace(monotonic=lambda: float(next(ticks)))
    monkeypatch.setattr(candle_queue, "time", clock)


@contextmanager
def desk_with_many(folder, **exchange):
    """A desk with six pairs whose bot has started."""
    prices = {pair: walk(100.0, HALF_A_DAY, number) for number, pair in enumerate(PAIRS)}
    with Desk(folder, prices) as desk:
        desk.start(timeframe="15m", exchange=exchange)
        yield desk


def asked(desk) -> list[tuple[str, str]]:
    """Instruments and bars that candles were asked for of, since the last time."""
    found = []
    for entry in desk.sandbox.requests:
        if entry.path == CANDLES:
            query = dict(part.split("=") for part in entry.query.split("&"))
            found.append((query["instId"], query["bar"]))
    desk.sandbox.requests.clear()
    return found


def loops_until_there(exchange, keys=KEYS) -> int:
    """How many loops it takes until nothing has to wait."""
    exchange.refresh_latest_ohlcv(keys)
    loops = 1
    while exchange.candle_queue.is_behind:
        exchange.refresh_latest_ohlcv(keys)
        loops += 1
        assert loops < 50
    return loops


def test_in_the_end_candles_are_as_freqtrade_itself_gets_them(tmp_path, slices):
    with desk_with_many(tmp_path) as desk:
        ours = desk.bot.exchange
        stock = ExchangeResolver.load_exchange({**desk.bot.config, "dry_run": True})
        asked(desk)
        assert loops_until_there(ours) == len(KEYS) // 6
        assert Counter(asked(desk)) == Counter(
            (inst_id(pair), bar) for pair in PAIRS for bar in ("15m", "1H", "4H")
        )
        for minutes in STEPS:
            desk.pass_time(minutes)
            loops_until_there(ours)
            assert {bar for _, bar in asked(desk)} <= {"15m"}
            Exchange.refresh_latest_ohlcv(stock, KEYS)
            asked(desk)
            for key in KEYS:
                assert_frame_equal(ours.klines(key), stock.klines(key), check_exact=True)


def test_a_loop_asks_for_a_slice_and_each_candle_once(tmp_path, slices):
    with desk_with_many(tmp_path) as desk:
        exchange = desk.bot.exchange
        asked(desk)
        exchange.refresh_latest_ohlcv(KEYS)
        assert asked(desk) != []
        loops_until_there(exchange)
        asked(desk)
        exchange.refresh_latest_ohlcv(KEYS)
        assert asked(desk) == []
        desk.pass_time(15)
        exchange.refresh_latest_ohlcv(KEYS)
        first = asked(desk)
        assert len(first) == 6
        exchange.refresh_latest_ohlcv(KEYS)
        assert asked(desk) == []


def test_pairs_with_a_trade_come_first_then_the_list_as_it_is(tmp_path, slices, monkeypatch):
    monkeypatch.setattr(candle_queue, "AT_ONCE", 1)
    with desk_with_many(tmp_path) as desk:
        desk.loop()
        desk.enter(SOL)
        desk.loop()
        exchange = desk.bot.exchange
        loops_until_there(exchange)
        desk.pass_time(15)
        asked(desk)
        loops_until_there(exchange)
        expected = [SOL, BTC, ETH, *OTHERS]
        assert asked(desk) == [(inst_id(pair), "15m") for pair in expected]


def test_no_pair_has_new_quarters_beside_old_hours(tmp_path, slices):
    with desk_with_many(tmp_path) as desk:
        exchange = desk.bot.exchange
        for minutes in (0, 15, 45, 60, 180):
            desk.pass_time(minutes)
            behind = True
            while behind:
                exchange.refresh_latest_ohlcv(KEYS)
                behind = exchange.candle_queue.is_behind
                for pair in PAIRS:
                    newest = {
                        tf: exchange.klines((pair, tf, CandleType.FUTURES)) for tf in TIMEFRAMES
                    }
                    if newest["15m"].empty:
                        continue
                    end = newest["15m"]["date"].iloc[-1].timestamp() + 15 * 60
                    for tf, seconds in (("1h", 3600), ("4h", 14_400)):
                        opened = newest[tf]["date"].iloc[-1].timestamp()
                        assert opened == (end // seconds - 1) * seconds


@pytest.mark.parametrize("failures", [1, 2])
def test_a_pair_waits_once_for_what_could_not_be_had(tmp_path, slices, monkeypatch, failures):
    monkeypatch.setattr(candle_queue, "AT_ONCE", 1)
    half_days = [(pair, "12h", CandleType.FUTURES) for pair in PAIRS]
    keys = [*KEYS[: len(PAIRS)], *half_days]
    with desk_with_many(tmp_path) as desk:
        exchange = desk.bot.exchange
        # freqtrade tries each of them five times.
        desk.fault(kind="http", path=f"*{CANDLES}", times=5)
        exchange.refresh_latest_ohlcv(keys)
        assert exchange.klines(keys[0]).empty
        assert not exchange.klines(keys[1]).empty
        for _ in range(5):
            if exchange.klines(keys[5]).empty:
                exchange.refresh_latest_ohlcv(keys)
        assert not exchange.klines(keys[5]).empty
        # All others came before it.
        assert exchange.klines(keys[0]).empty
        if failures == 2:
            desk.fault(kind="http", path=f"*{CANDLES}", times=5)
        loops_until_there(exchange, keys)
        assert not exchange.klines(keys[0]).empty
        assert exchange.klines(half_days[0]).empty == (failures == 2)
        exchange.refresh_latest_ohlcv(keys)
        assert not exchange.klines(half_days[0]).empty


def test_what_many_pairs_are_judged_by_comes_before_them(tmp_path, slices, monkeypatch):
    monkeypatch.setattr(candle_queue, "AT_ONCE", 1)
    keys = [*KEYS[1:6], (SOL, "1h", CandleType.FUTURES), (BTC, "15m", CandleType.FUTURES)]
    with desk_with_many(tmp_path) as desk:
        asked(desk)
        # BTC isn't traded: of its candles nobody asks for the first ones on the traded timeframe.
        loops_until_there(desk.bot.exchange, keys)
        assert asked(desk)[0] == (inst_id(SOL), "1H")


def test_few_pairs_have_all_their_candles_in_one_loop(tmp_path):
    with desk_with_many(tmp_path) as desk:
        asked(desk)
        desk.bot.exchange.refresh_latest_ohlcv(KEYS)
        assert len(asked(desk)) == len(KEYS)
        desk.pass_time(60)
        desk.bot.exchange.refresh_latest_ohlcv(KEYS)
        assert Counter(bar for _, bar in asked(desk)) == {"15m": 6, "1H": 6}


@pytest.mark.parametrize("few", [0, 1_000])
def test_a_running_bot_has_the_candles_of_one_that_starts(tmp_path, monkeypatch, few):
    monkeypatch.setattr(candle_queue, "FEW_SERIES", few)
    with desk_with_many(tmp_path, _ft_has_params={"ohlcv_candle_limit": 20}) as desk:
        running = desk.bot.exchange
        loops_until_there(running)
        for _ in range(8):
            desk.pass_time(15)
            loops_until_there(running)
        # Closed here: one that is left to the garbage collector may end amid another test.
        with closing(
            ExchangeResolver.load_exchange({**desk.bot.config, "dry_run": True})
        ) as starting:
            Exchange.refresh_latest_ohlcv(starting, KEYS)
            assert len(running.klines(KEYS[0])) == 19
            for key in KEYS:
                assert_frame_equal(running.klines(key), starting.klines(key), check_exact=True)


def test_candles_that_ended_by_websocket_are_taken_and_longer_ones_made(tmp_path, slices):
    with desk_with_many(tmp_path, enable_ws=True) as desk:
        exchange = desk.bot.exchange
        loops_until_there(exchange)
        asked(desk)
        for _ in range(4):
            quarter_with_pushes(desk)
            loops_until_there(exchange)
            assert asked(desk) == []
        now = desk.sandbox.engine.now_ms
        for pair, timeframe, _ in KEYS[:12]:
            newest = exchange.klines((pair, timeframe, CandleType.FUTURES)).iloc[-1]
            (truth, *_) = desk.sandbox.market.candles(
                inst_id(pair), timeframe.replace("h", "H"), "last", now_ms=now - 1, limit=1
            )
            assert newest["date"].timestamp() * 1000 == truth.ts
            assert newest["close"] == float(truth.close)


def test_a_lost_websocket_comes_back_on_one_connection_and_no_candle_is_lost(
    tmp_path, slices, monkeypatch
):
    monkeypatch.setattr(candle_streams, "PAUSES_S", (0.05,))
    with desk_with_many(tmp_path, enable_ws=True) as desk:
        exchange, streams = desk.bot.exchange, desk.sandbox.streams
        loops_until_there(exchange)
        quarter_with_pushes(desk)
        loops_until_there(exchange)
        asked(desk)
        # Within a candle: its end is pushed to the new connection.
        cut_websockets(desk)
        assert len(streams.connections) == 1
        quarter_with_pushes(desk)
        loops_until_there(exchange)
        assert asked(desk) == []
        # Over the end of a candle, which is asked for, once a pair.
        streams.faults = StreamFaults(refuse=True)
        streams.drop()
        desk.pass_time(16)
        loops_until_there(exchange)
        assert Counter(asked(desk)) == Counter((inst_id(pair), "15m") for pair in PAIRS)
        streams.faults = StreamFaults()
        until_subscribed(desk)
        assert len(streams.connections) == 1
        desk.pass_time(14)
        quarter_with_pushes(desk)
        for minutes in (0, 15):
            desk.pass_time(minutes)
            loops_until_there(exchange)
        stock = ExchangeResolver.load_exchange({**desk.bot.config, "dry_run": True})
        Exchange.refresh_latest_ohlcv(stock, KEYS)
        for key in KEYS:
            assert_frame_equal(exchange.klines(key), stock.klines(key), check_exact=True)


def cut_websockets(desk) -> None:
    """Cut them, and wait until the bot is subscribed anew."""
    before = set(desk.sandbox.streams.connections)
    desk.sandbox.streams.drop()
    while before & desk.sandbox.streams.connections:
        desk.real_pause(0.01)
    until_subscribed(desk)


def until_subscribed(desk) -> None:
    """Until the candles of all pairs are subscribed."""
    for _ in range(6000):
        subscribed = desk.sandbox.streams.subscribed("candle15m")
        if subscribed == {inst_id(pair): 1 for pair in PAIRS}:
            return
        desk.real_pause(0.01)
    raise AssertionError(f"only {subscribed} are subscribed")


def quarter_with_pushes(desk) -> None:
    """Fifteen minutes of the market and its pushes, read by the websocket's thread."""
    begin = desk.sandbox.engine.now_ms
    # A push comes at the time before the step: freqtrade wants one of the candle's second half.
    for minutes in (10, 4.9):
        desk.pass_time(minutes)
    wait_for(desk, lambda candles, heard_at: heard_at >= begin + QUARTER_MS / 2)
    desk.pass_time(0.1)
    wait_for(desk, lambda candles, heard_at: candles[-1][0] == begin + QUARTER_MS)


def wait_for(desk, has_come) -> None:
    websocket = desk.bot.exchange._exchange_ws
    for pair in PAIRS:
        for _ in range(3000):
            pushed = websocket.get_ohlcv_with_refresh(pair, "15m", CandleType.FUTURES)
            if pushed[0] and has_come(*pushed):
                break
            desk.real_pause(0.01)
        else:
            raise AssertionError(f"{pair}: nothing was pushed")


def test_made_candles_are_compared_with_the_venues_and_replaced(tmp_path, slices):
    hour = (BTC, "1h", CandleType.FUTURES)
    with desk_with_many(tmp_path) as desk:
        exchange = desk.bot.exchange
        loops_until_there(exchange)
        # A start that takes long on a busy machine is over a little after the hour.
        opened = desk.sandbox.engine.now_ms // HOUR_MS * HOUR_MS
        fault = {"inst_id": inst_id(BTC), "bar": "1H", "ts": opened, "kind": "changed"}
        desk.sandbox.feed.faults.append(CandleFault.model_validate(fault))
        for _ in range(4):
            desk.pass_time(60)
            loops_until_there(exchange)
        asked(desk)
        made = exchange.klines(hour)["close"].iloc[-4]
        # Nothing is due: there is time to compare, a slice at a time.
        exchange.refresh_latest_ohlcv(KEYS)
        exchange.refresh_latest_ohlcv(KEYS)
        assert Counter(asked(desk)) == Counter((inst_id(pair), "1H") for pair in PAIRS)
        assert exchange.klines(hour)["close"].iloc[-4] == pytest.approx(made * 1.01, rel=1e-3)
        assert desk.said("WARNING", BTC, "1 of the 1h candles", "close", "1 series so far")
        assert not desk.said("WARNING", ETH, "candles")
        exchange.refresh_latest_ohlcv(KEYS)
        assert asked(desk) == []
        desk.pass_time(60)
        loops_until_there(exchange)
        assert [bar for _, bar in asked(desk)].count("1H") == 1
