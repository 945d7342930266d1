"""The account's websocket: what the bot hears, what it asks nevertheless, and what it leaves."""

import asyncio
import threading
import time

import pytest
from freqtrade.enums import State
from freqtrade.exceptions import OperationalException
from freqtrade.persistence import Trade
from freqtrade.worker import Worker

from bubbybot_freqtrade.blofin.ccxt_blofin.budget import machine_connections
from bubbybot_freqtrade.blofin.exchange.pushed_rows import LIST_OF_CHANNEL
from bubbybot_freqtrade.drills.desk import Desk
from bubbybot_freqtrade.drills.market import BTC, ETH, inst_id, straight
from bubbybot_freqtrade.sandbox.api.streams import StreamFaults

STOCK_SLEEP = Worker._sleep
LISTS = ("orders-pending", "orders-tpsl-pending", "account/positions")
CHANNELS = ("orders", "orders-algo", "positions")
REAL_SECONDS = 30


def until(true, what="it"):
    """Wait in real time: sockets and their threads live there."""
    end = time.perf_counter() + REAL_SECONDS
    while not true():
        assert time.perf_counter() < end, f"{what} has not come true"
        threading.Event().wait(0.002)


def heard(desk):
    """Let the bot's websocket connect."""
    stream = desk.bot.exchange.real_time.stream
    until(lambda: stream.pulse.session is not None, "a connection")
    return stream


# Nothing is pushed more often than a desk's market moves: every 15 s.
LISTENING = {"account_stream": True, "account_stream_silence": 20}


@pytest.fixture
def listening(desk):
    """A desk whose bot listens to its account, with a long trade."""
    desk.end()
    desk.start(exchange=LISTENING)
    desk.loop()
    heard(desk)
    desk.enter(BTC)
    desk.loop(6)
    return desk


@pytest.fixture
def all_heard(monkeypatch):
    """However slow the machine is: what is pushed is heard before the next loop."""
    monkeypatch.setattr("bubbybot_freqtrade.rehearsal.hearing.PUSH_PATIENCE_S", REAL_SECONDS)


@pytest.fixture
def trusting(desk, all_heard):
    """One whose bot has seen so many changes pushed that it relies on it."""
    listen(desk)
    assert all(trust(desk).is_earned(name) for name in ("orders", "tpsl", "positions"))
    desk.loop(4)
    return desk


def listen(desk, mute=()):
    """Start the bot anew, on a venue that keeps some channels to itself, and let it trade."""
    desk.end()
    desk.sandbox.streams.faults = StreamFaults(mute=mute)
    desk.start(exchange=LISTENING)
    desk.loop()
    heard(desk)
    desk.loop(3)
    for pair in (BTC, ETH):
        desk.enter(pair)
        desk.loop(2)
    desk.exit(ETH)
    desk.loop(3)


def trust(desk):
    return desk.bot.exchange.real_time.quiet.trust


def asked(desk, name):
    return sum(n for path, n in desk.watch.requests.items() if path.endswith(name))


def stops(desk, pair=BTC):
    return list(desk.watch.account.live_tpsl(inst_id(pair)))


def listeners():
    return [thread for thread in threading.enumerate() if thread.name == "blofin_account"]


def sockets(desk):
    return [one for one in desk.sandbox.streams.connections if one.private]


def asks_every_loop(desk):
    before = asked(desk, "orders-tpsl-pending")
    desk.loop(4)
    return asked(desk, "orders-tpsl-pending") - before >= 4


# --- quiet ----------------------------------------------------------------------------------------


def test_a_quiet_account_is_asked_once_a_minute_instead_of_every_five_seconds(trusting):
    before = {name: asked(trusting, name) for name in LISTS}
    trusting.loop(24)
    for name in LISTS:
        assert 1 <= asked(trusting, name) - before[name] <= 3
    assert trusting.broken() == []


def test_a_change_asks_for_its_list_alone_and_once_where_that_shows_it(trusting):
    before = {name: asked(trusting, name) for name in LISTS}
    heard_before = trusting.bot.exchange.real_time.stream.pulse.changes
    trusting.app("/trade/order", LIMIT)
    until(lambda: trusting.bot.exchange.real_time.stream.pulse.changes > heard_before, "a push")
    trusting.loop(3)
    assert [asked(trusting, name) - before[name] for name in LISTS] == [1, 0, 0]


def trading_requests(desk):
    """What it takes to put the stop back that the owner takes away, and the loops after it."""
    before = sum(n for path, n in desk.watch.requests.items() if "/trade/" in path)
    for _ in range(3):
        in_the_pause_of(desk, 2.0, lambda: desk.cancel_stops(BTC))
        desk.loop(2)
    assert len(stops(desk)) == 1
    return sum(n for path, n in desk.watch.requests.items() if "/trade/" in path) - before


def test_a_busy_account_costs_less_than_by_asking_in_every_loop(trusting):
    listening = trading_requests(trusting)
    trusting.end()
    trusting.start(exchange={"account_stream": False})
    trusting.loop(3)
    polling = trading_requests(trusting)
    # Four loops for each stop ask for two lists. Of these eight the push is answered by one look.
    assert listening <= polling - 3 * 5
    assert trusting.broken() == []


def test_a_price_that_moves_asks_for_no_list(trusting):
    before = {name: asked(trusting, name) for name in LISTS}
    trusting.bot.exchange.real_time.bell.ring()
    trusting.loop(3)
    assert [asked(trusting, name) - before[name] for name in LISTS] == [0, 0, 0]


def test_without_the_setting_nothing_listens(desk):
    assert listeners() == []
    assert Worker._sleep is STOCK_SLEEP
    assert asks_every_loop(desk)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"account_stream": "yes"}, "exchange.account_stream is 'yes'"),
        ({"account_stream_check": 5}, "exchange.account_stream_check is 5"),
        ({"account_stream_silence": 0}, "exchange.account_stream_silence is 0"),
        ({"account_stream_silence": True}, "exchange.account_stream_silence is True"),
        ({"account_stream_check": "often"}, "exchange.account_stream_check is 'often'"),
    ],
)
def test_a_wrong_setting_is_named(desk, settings, words):
    desk.end()
    with pytest.raises(OperationalException, match=words):
        desk.start(exchange=settings)


# --- trust ----------------------------------------------------------------------------------------


def loops_bare(desk):
    """Loops until the stop is back that the owner takes away, at a moment of the pause each."""
    needed = []
    for seconds in (0.0, 4.0):
        canceled = []

        def cancel(canceled=canceled):
            desk.cancel_stops(BTC)
            canceled.append(len(stops(desk)))

        in_the_pause_of(desk, seconds, cancel, loops=1)
        assert canceled == [0]
        count = 0
        while not stops(desk):
            desk.loop(able=False)
            count += 1
        needed.append(count)
        desk.loop(3)
    return needed


@pytest.mark.parametrize("mute", [("orders-algo",), CHANNELS], ids=",".join)
def test_a_venue_that_keeps_a_channel_to_itself_is_watched_as_closely_as_by_asking(
    desk, mute, all_heard
):
    listen(desk, mute)
    before = {name: asked(desk, name) for name in LISTS}
    desk.loop(6)
    mutes = [name for name, channel in zip(LISTS, CHANNELS, strict=True) if channel in mute]
    for name in mutes:
        assert asked(desk, name) - before[name] >= 6
    assert not any(trust(desk).is_earned(LIST_OF_CHANNEL[channel]) for channel in mute)
    listening = loops_bare(desk)
    desk.end()
    desk.start(exchange={"account_stream": False})
    desk.loop(3)
    assert listening == loops_bare(desk)
    assert desk.broken() == []


def test_before_anything_was_proven_pushes_wake_and_every_loop_asks(desk):
    desk.end()
    desk.start(exchange=LISTENING)
    desk.loop()
    heard(desk)
    desk.enter(BTC)
    desk.loop(2)
    assert asks_every_loop(desk)
    gone = []

    def cancel():
        desk.cancel_stops(BTC)
        gone.append(desk.clock.now_ms)

    in_the_pause_of(desk, 2.0, cancel)
    assert first_after(desk, "/trade/order-tpsl", gone[0]) - gone[0] <= 1000


def test_a_channel_that_has_proven_itself_and_misses_one_is_not_relied_on(trusting):
    trusting.sandbox.streams.faults = StreamFaults(mute=("orders",))
    session = trusting.bot.exchange.real_time.stream.pulse.session
    trusting.app("/trade/order", LIMIT)
    trusting.loop(16)
    assert trust(trusting).missed == 1
    assert not trust(trusting).is_earned("orders")
    assert trust(trusting).is_earned("tpsl")
    # A subscription that was lost would be had again so.
    stream = trusting.bot.exchange.real_time.stream
    until(lambda: stream.pulse.session not in (session, None), "another connection")


# --- woken ----------------------------------------------------------------------------------------


def test_a_stop_canceled_in_the_app_is_back_within_a_second(listening):
    gone = []

    def cancel():
        listening.cancel_stops(BTC)
        gone.append(listening.clock.now_ms)

    in_the_pause_of(listening, 2.0, cancel)
    assert first_after(listening, "/trade/order-tpsl", gone[0]) - gone[0] <= 1000
    listening.loop()
    assert len(stops(listening)) == 1
    assert listening.broken() == []


def test_a_stop_canceled_while_the_loop_is_busy_is_back_before_the_next_pair(
    listening, monkeypatch
):
    strategy = listening.bot.strategy
    seen, stock = [], strategy.populate_indicators

    def busy(dataframe, metadata):
        if metadata["pair"] == BTC:
            listening.cancel_stops(BTC)
        else:
            seen.append(len(stops(listening)))
        return stock(dataframe, metadata)

    monkeypatch.setattr(strategy, "populate_indicators", busy)
    listening.loop(minutes=15)
    assert seen[-1:] == [1]
    listening.loop()
    assert len(stops(listening)) == 1
    assert listening.broken() == []


def test_so_is_that_of_a_young_entry_whose_own_was_booked(listening):
    listening.enter(ETH)
    listening.loop(2, sleep_after=False)
    gone = listening.clock.now_ms
    listening.cancel_stops(ETH)
    listening.loop(sleep_after=False)
    assert first_after(listening, "/trade/order-tpsl", gone) - gone <= 1000
    assert len(stops(listening, ETH)) == 1
    assert listening.broken() == []


def test_so_is_the_one_that_came_with_an_entry_before_freqtrade_has_looked_at_it(
    listening, monkeypatch
):
    strategy = listening.bot.strategy
    gone, stock = [], strategy.custom_stoploss

    def cancel(pair, *args, **kwargs):
        if not gone:
            gone.append(listening.clock.now_ms)
            listening.cancel_stops(ETH)
        return stock(pair, *args, **kwargs)

    listening.enter(ETH)
    # BTC's trade comes first.
    monkeypatch.setattr(strategy, "custom_stoploss", cancel)
    listening.loop(able=False, sleep_after=False)
    assert first_after(listening, "/trade/order-tpsl", gone[0]) - gone[0] <= 1000
    assert len(stops(listening, ETH)) == 1
    assert listening.broken() == []


def test_a_stop_canceled_while_candles_are_fetched_is_back_before_they_all_are(
    listening, monkeypatch
):
    exchange = listening.bot.exchange
    seen, stock = [], exchange._api_async.fetch_ohlcv

    async def fetch(pair, *args, **kwargs):
        if not seen:
            seen.append(len(stops(listening)))
            listening.cancel_stops(BTC)
            seen.append(len(stops(listening)))
            # The next answers, as a venue's take: real time for a socket.
            await asyncio.sleep(0)
            listening.real_pause(0.05)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        seen.append(len(stops(listening)))
        return await stock(pair, *args, **kwargs)

    monkeypatch.setattr(exchange._api_async, "fetch_ohlcv", fetch)
    listening.loop(minutes=15)
    assert seen[:2] == [1, 0]
    assert seen[-1] == 1
    assert listening.broken() == []


def test_a_position_closed_in_the_app_ends_its_trade_in_the_next_second(listening):
    gone = []

    def close():
        listening.close_position(BTC)
        gone.append(listening.clock.now_ms)

    in_the_pause_of(listening, 2.0, close)
    assert Trade.get_open_trades() == []
    (trade,) = Trade.get_trades().all()
    assert trade.close_date_utc.timestamp() * 1000 - gone[0] <= 1000


def test_a_price_that_moves_fast_wakes_the_loop(tmp_path):
    falls = straight([(0, 50_000), (1, 50_000), (2, 49_600), (9, 49_600)], 60)
    with Desk(tmp_path, {BTC: falls}, account_stream=True) as desk:
        desk.start()
        desk.loop()
        desk.enter(BTC)
        moved = []
        real_time = desk.bot.exchange.real_time
        for _ in range(24):
            begun = desk.clock.now_ms
            desk.loop()
            if real_time.has_moved:
                moved.append(begun)
        # 0.8 %, of which 0.5 % are fast; the market moves every 15 s, its mark and last price not
        # always together.
        assert 1 <= len(moved) <= 2
        assert all(moment % 15_000 <= 1000 for moment in moved)
        assert desk.broken() == []


# --- when it fails --------------------------------------------------------------------------------


def test_pushes_that_never_come_are_found_by_the_next_check_and_told_once(trusting):
    stream = trusting.bot.exchange.real_time.stream
    gone = stream.pulse.session
    trusting.sandbox.streams.faults = StreamFaults(silent=True)
    trusting.app("/trade/order", LIMIT)
    since = len(trusting.log.lines)
    trusting.loop(20)
    # It connects anew, in real time; a new connection may be silent for a while.
    until(lambda: stream.pulse.session not in (None, gone), "another connection")
    trusting.loop(5)
    assert trust(trusting).missed == 1
    told = [line for line in trusting.log.lines[since:] if "did not tell" in line]
    assert [line.split()[0] for line in told] == ["WARNING"]
    assert "open orders" in told[0]
    assert trusting.bot.exchange.account_watch.news() == trust(trusting).news()
    assert asks_every_loop(trusting)
    assert trusting.broken() == []


def test_a_websocket_that_says_nothing_while_a_position_is_held_is_not_relied_on(trusting):
    trusting.sandbox.streams.faults = StreamFaults(silent=True)
    trusting.loop(7)
    assert asks_every_loop(trusting)


def test_a_refused_login_is_told_once_and_the_account_is_asked_as_without(desk):
    desk.end()
    desk.start(exchange={"account_stream": True})
    desk.bot.exchange._api.password = "another"
    stream = desk.bot.exchange.real_time.stream
    stream.start()
    until(lambda: stream.trouble is not None, "the refusal")
    desk.bot.exchange._api.password = desk.key.passphrase
    desk.loop()
    assert "Login failed" in stream.trouble
    assert desk.bot.exchange.account_watch.news() == [stream.trouble]
    assert asks_every_loop(desk)


def test_a_key_that_is_revoked_while_it_listens_is_told_and_one_that_is_valid_again_is_heard(
    listening, monkeypatch
):
    monkeypatch.setattr("bubbybot_freqtrade.blofin.exchange.account_stream.PAUSE_REFUSED_S", 0.05)
    stream, keys = listening.bot.exchange.real_time.stream, listening.sandbox.engine.venue.keys
    kept = dict(keys)
    keys.clear()
    listening.sandbox.streams.drop()
    until(lambda: stream.trouble is not None, "the refusal")
    assert "Login failed" in stream.trouble
    assert listeners()
    keys.update(kept)
    heard(listening)
    listening.loop()
    assert stream.trouble is None
    assert len(stops(listening)) == 1
    assert listening.broken() == []


def test_after_a_gap_everything_is_asked_again_and_then_it_is_heard_again(listening):
    stream = listening.bot.exchange.real_time.stream
    session, before = stream.pulse.session, asked(listening, "orders-tpsl-pending")
    listening.sandbox.streams.drop()
    until(lambda: stream.pulse.session not in (session, None), "another connection")
    listening.loop()
    assert asked(listening, "orders-tpsl-pending") > before
    assert stream.trouble is None


# --- what is left ---------------------------------------------------------------------------------


def test_where_many_programs_connect_at_once_it_waits_for_its_turn(listening, monkeypatch):
    # Its turn comes later than its patience with a connection ends.
    monkeypatch.setattr("bubbybot_freqtrade.blofin.exchange.account_stream.PATIENCE_S", 2.0)
    turns = machine_connections(listening.bot.exchange._api)
    # On a thread of real time, in which sockets live.
    others = threading.Thread(target=lambda: [turns.take_turn(0.0, 1.1) for _ in range(5)])
    others.start()
    others.join()
    stream = listening.bot.exchange.real_time.stream
    listening.sandbox.streams.drop()
    until(lambda: stream.pulse.session == 2, "another connection")
    assert stream._attempts == 0
    assert not listening.said("websocket is not used")


def test_after_stop_no_thread_and_no_socket_is_left_and_start_brings_them_back(listening):
    listening.bot.state = State.STOPPED
    listening.stopped = ""
    listening.loop(2)
    listening.stopped = ""
    assert listeners() == []
    until(lambda: sockets(listening) == [], "a closed socket")
    assert Worker._sleep is STOCK_SLEEP
    listening.bot.state = State.RUNNING
    listening.loop()
    assert len(listeners()) == 1


def test_reload_config_listens_with_the_new_key_alone(listening):
    (before,) = listeners()
    listening.bot.state = State.RELOAD_CONFIG
    listening.loop(2)
    heard(listening)
    assert [one for one in listeners() if one is before] == []
    assert len(listeners()) == 1
    until(lambda: len(sockets(listening)) == 1, "one socket")


def test_the_end_of_the_bot_leaves_nothing(listening):
    listening.end()
    assert listeners() == []
    until(lambda: sockets(listening) == [], "a closed socket")
    assert Worker._sleep is STOCK_SLEEP


LIMIT = {
    "instId": "ETH-USDT",
    "marginMode": "isolated",
    "positionSide": "net",
    "side": "buy",
    "orderType": "limit",
    "price": "1500",
    "size": "10",
}


def first_after(desk, path, moment):
    """When (ms) the first request to a path came that was not before a moment."""
    return min(
        request.ts_ms
        for request in desk.sandbox.requests.select(path=f"/api/v1{path}")
        if request.ts_ms >= moment
    )


def in_the_pause_of(desk, seconds, act, loops=2):
    """One loop, whose pause has `act` in it, and the loop after it."""
    clock, stock = desk.clock, desk.clock.sleep
    end = []

    def sleep(pause):
        stock(pause)
        if end and clock.now_ms >= end[0]:
            end.clear()
            act()

    clock.sleep = sleep
    end.append(clock.now_ms + int(seconds * 1000))
    desk.loop(loops, able=loops > 1)
    del clock.sleep
