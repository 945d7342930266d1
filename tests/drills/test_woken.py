"""What wakes the loop beside the account's own pushes, and what can't hold it up."""

import math
import threading
import time

import freqtrade.worker
import pytest
from freqtrade.enums import State
from freqtrade.exceptions import OperationalException, TemporaryError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests import Session

from bubbybot_freqtrade.blofin.exchange.price_moves import PriceAlarm
from bubbybot_freqtrade.drills.desk import Desk
from bubbybot_freqtrade.drills.market import BTC, ETH, inst_id, straight
from bubbybot_freqtrade.sandbox.api.streams import StreamFaults

LISTENING = {"account_stream": True, "account_stream_silence": 20}
REAL_SECONDS = 10


def until(true, what):
    """Wait in real time: sockets and their threads live there."""
    end = time.perf_counter() + REAL_SECONDS
    while not true():
        assert time.perf_counter() < end, f"{what} has not come true"
        threading.Event().wait(0.002)


@pytest.fixture
def falling(tmp_path):
    """A desk whose bot listens, with a trade whose price falls by 0.3 % in the second minute."""
    falls = straight([(0, 50_000), (1, 50_000), (2, 49_850), (9, 49_850)], 60)
    with Desk(tmp_path, {BTC: falls}) as desk:
        desk.start(exchange=LISTENING)
        desk.loop()
        desk.enter(BTC)
        desk.loop()
        prices = desk.bot.exchange.real_time.prices
        until(lambda: prices.pushes, "a price")
        yield desk


def stops(desk, pair=BTC):
    return list(desk.watch.account.live_tpsl(inst_id(pair)))


def loops_that_were_woken(desk, count=24):
    """The times, ms, at which loops began that a price had woken."""
    woken = []
    for _ in range(count):
        begun = desk.clock.now_ms
        desk.loop()
        if desk.bot.exchange.real_time.has_moved:
            woken.append(begun)
    return woken


# --- prices ---------------------------------------------------------------------------------------


def test_a_price_that_a_strategy_waits_for_wakes_the_loop_once(falling):
    real_time = falling.bot.exchange.real_time
    real_time.wake_at({BTC: (49_900, math.inf)})
    woken = loops_that_were_woken(falling)
    # The market moves every 15 s; the price stays below, which is nothing new.
    assert len(woken) == 1
    assert woken[0] % 15_000 <= 1000
    assert falling.broken() == []


def test_so_does_what_all_trades_lose_together(falling):
    falling.bot.exchange.real_time.wake_at({}, {BTC: (2.0, 50_000.0)}, room=200.0)
    assert len(loops_that_were_woken(falling)) == 1


def test_a_small_move_that_nobody_waits_for_does_not(falling):
    falling.bot.exchange.real_time.wake_at({BTC: (49_000, 51_000)})
    assert loops_that_were_woken(falling) == []


def test_prices_are_heard_of_what_is_held_and_of_nothing_else(falling):
    def heard():
        subscribers = falling.sandbox.streams._subscribers
        return {
            name for (channel, name), who in subscribers.items() if channel == "tickers" and who
        }

    until(lambda: heard() == {inst_id(BTC)}, "BTC's alone")
    falling.enter(ETH)
    falling.loop()
    falling.loop()
    until(lambda: heard() == {inst_id(BTC), inst_id(ETH)}, "ETH's too")
    falling.close_position(BTC)
    falling.loop(3)
    until(lambda: heard() == {inst_id(ETH)}, "ETH's alone")


def test_prices_are_heard_again_after_a_gap(falling):
    prices = falling.bot.exchange.real_time.prices
    falling.sandbox.streams.drop()
    before = prices.pushes
    until(lambda: prices.pushes > before, "a price after the gap")
    assert not falling.said("websocket of prices can't be had")


def test_stop_reload_and_the_end_leave_no_thread_and_no_socket_of_account_or_prices(falling):
    def threads():
        return [one.name for one in threading.enumerate() if one.name.startswith("blofin_")]

    def private():
        return sorted(one.private for one in tuple(falling.sandbox.streams.connections))

    loops = []

    def listens():
        until(lambda: private() == [False, True], "a socket of each")
        assert threads() == ["blofin_account"]
        loops.append(falling.bot.exchange.real_time.stream._loop)

    def left_nothing():
        until(lambda: private() == [], "closed sockets")
        assert threads() == []
        assert loops[-1].is_closed()

    listens()
    falling.bot.state = State.STOPPED
    falling.loop(2)
    falling.stopped = ""
    left_nothing()
    falling.bot.state = State.RUNNING
    falling.loop()
    listens()
    falling.bot.state = State.RELOAD_CONFIG
    falling.loop(2)
    assert loops[-1].is_closed()
    listens()
    falling.end()
    left_nothing()


def test_prices_that_cannot_be_had_are_told_once_and_once_when_they_are(falling, monkeypatch):
    monkeypatch.setattr("bubbybot_freqtrade.blofin.exchange.price_stream.PAUSES_S", (0.01,))
    since = len(falling.log.lines)

    def told(words):
        return sum(words in line for line in falling.log.lines[since:])

    falling.sandbox.streams.faults = StreamFaults(refuse=True)
    falling.sandbox.streams.drop()
    until(lambda: told("websocket of prices can't be had"), "the news")
    falling.loop(2)
    falling.sandbox.streams.faults = StreamFaults()
    until(lambda: told("websocket of prices works again"), "the good news")
    assert told("websocket of prices can't be had") == 1


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    prices=st.dictionaries(st.sampled_from("abc"), st.floats(1, 100), min_size=1),
    low=st.floats(1, 100),
    amount=st.floats(-5, 5),
    room=st.floats(0, 100),
)
def test_an_alarm_is_reached_where_its_words_say_so(prices, low, amount, room):
    alarm = PriceAlarm({"a": (low, math.inf)}, {"a": (amount, 50.0), "b": (amount, 50.0)}, room)
    lost = -sum(amount * (prices[pair] - 50.0) for pair in "ab" if pair in prices)
    assert ("a" in alarm.reached(prices)) == (prices.get("a", math.inf) < low)
    assert ("" in alarm.reached(prices)) == (lost >= room)


# --- what can't hold it up ------------------------------------------------------------------------


def hang_once(monkeypatch, is_it, act, until_then, *, has_effect=False):
    """The first request of a kind hangs: `act`, and the request goes on when something is so."""
    stock, seen = Session.send, []

    def send(session, request, **kwargs):
        if seen or not is_it(request):
            return stock(session, request, **kwargs)
        seen.append(request.path_url)
        answer = stock(session, request, **kwargs) if has_effect else None
        act()
        until(until_then, "what is waited for while the request hangs")
        return answer or stock(session, request, **kwargs)

    monkeypatch.setattr(Session, "send", send)
    return seen


def test_a_public_request_that_hangs_does_not_hold_up_a_stop(falling, monkeypatch):
    seen = []

    def act():
        seen.append(len(stops(falling)))
        falling.cancel_stops(BTC)
        seen.append(len(stops(falling)))

    hang_once(
        monkeypatch,
        lambda request: request.path_url.startswith("/api/v1/market/tickers"),
        act,
        lambda: stops(falling),
    )
    falling.loop()
    assert seen == [1, 0]
    falling.loop(2)
    assert len(stops(falling)) == 1
    assert falling.broken() == []


@pytest.mark.parametrize("path", ["trade/orders-tpsl-pending", "account/positions", "trade/order-"])
def test_what_the_account_is_asked_for_is_asked_again_when_the_answer_hangs(
    falling, monkeypatch, path
):
    falling.cancel_stops(BTC)
    before = len(falling.sandbox.requests.select())
    seen = hang_once(
        monkeypatch,
        lambda request: request.method == "GET" and f"/api/v1/{path}" in request.path_url,
        lambda: None,
        lambda: stops(falling),
    )
    falling.loop(able=False)
    assert seen
    (asked, *_) = [r for r in falling.sandbox.requests.select()[before:] if path in r.path]
    # With the question as it was: signed anew, it is none that was heard before.
    assert seen[0].removesuffix("?") == f"{asked.path}?{asked.query}".removesuffix("?")
    falling.loop(2)
    assert len(stops(falling)) == 1
    assert falling.broken() == []


@pytest.mark.parametrize("has_effect", [False, True])
def test_an_order_that_hangs_does_not_hold_up_the_stop_of_another_pair(
    falling, monkeypatch, has_effect
):
    seen = hang_once(
        monkeypatch,
        lambda request: request.method == "POST" and request.path_url == "/api/v1/trade/order",
        lambda: falling.cancel_stops(BTC),
        lambda: stops(falling),
        has_effect=has_effect,
    )
    falling.enter(ETH)
    falling.loop(2)
    assert seen
    assert (len(stops(falling)), len(stops(falling, ETH))) == (1, 1)
    orders = falling.sandbox.requests.select(path="/api/v1/trade/order")
    assert len(orders) == 2
    assert falling.broken() == []


@pytest.mark.parametrize("path", ["trade/order-tpsl", "market/tickers"])
def test_a_pair_whose_stop_is_being_placed_gets_no_second_one_meanwhile(falling, monkeypatch, path):
    """Both stops are gone; a request for the one of ETH hangs, BTC's is placed amid that.

    A look takes the newest position first.
    """
    falling.enter(ETH)
    falling.loop(2)
    tpsl = "/api/v1/trade/order-tpsl"
    before = len(falling.sandbox.requests.select(path=tpsl))
    seen = hang_once(
        monkeypatch,
        lambda request: request.path_url.partition("?")[0] == f"/api/v1/{path}",
        lambda: falling.cancel_stops(BTC),
        lambda: stops(falling),
    )
    falling.cancel_stops(ETH)
    falling.loop(3, able=False)
    assert seen
    assert (len(stops(falling)), len(stops(falling, ETH))) == (1, 1)
    assert len(falling.sandbox.requests.select(path=tpsl)) == before + 2
    assert falling.broken() == []


def test_a_look_that_fails_amid_an_order_is_told_once_its_answer_was_taken_in(falling, monkeypatch):
    failed = []

    def fail():
        failed.append(True)
        raise OperationalException("there is another bot")

    def act():
        monkeypatch.setattr(falling.bot.exchange.account_watch, "guard", fail)
        falling.cancel_stops(BTC)

    hang_once(
        monkeypatch,
        lambda request: request.method == "POST" and request.path_url == "/api/v1/trade/order",
        act,
        lambda: failed,
    )
    assert falling.enter(ETH) is not None
    monkeypatch.undo()
    falling.loop(able=False)
    assert "stopped itself" in falling.stopped
    assert falling.said("there is another bot")
    assert len(failed) == 1


def replaced_after_ms(desk, monkeypatch, at_ms, act):
    """Do what makes the bot wait, `at_ms` into which the owner cancels BTC's stop; ms until the
    next one is placed.
    """
    sleep, begun, gone = desk.clock.sleep, desk.clock.now_ms, []

    def cancel_amid(seconds):
        until_then = max((begun + at_ms - desk.clock.now_ms) / 1000, 0)
        if not gone and until_then <= seconds:
            sleep(until_then)
            gone.append(desk.clock.now_ms)
            desk.cancel_stops(BTC)
            seconds -= until_then
        sleep(seconds)

    monkeypatch.setattr(desk.clock, "sleep", cancel_amid)
    act()
    assert gone
    placed = [
        request.ts_ms
        for request in desk.sandbox.requests.select(path="/api/v1/trade/order-tpsl")
        if request.ts_ms >= gone[0] and inst_id(BTC) in request.body
    ]
    return placed[0] - gone[0]


def test_an_order_that_waits_for_its_place_in_the_budget_does_not_hold_up_a_stop(
    falling, monkeypatch
):
    api = falling.bot.exchange._api
    api.enableRateLimit, api.rateLimit = True, 1
    # What was asked before is ten seconds old.
    falling.loop(3)
    begun = falling.clock.now_ms
    while falling.clock.now_ms - begun < 100:
        api.fetch_open_orders()
    begun = falling.clock.now_ms
    assert replaced_after_ms(falling, monkeypatch, 2_000, lambda: falling.enter(ETH)) <= 1000
    assert falling.clock.now_ms - begun > 5_000
    falling.loop(2)
    assert (len(stops(falling)), len(stops(falling, ETH))) == (1, 1)
    assert falling.broken() == []


def test_so_does_no_order_whose_answer_got_lost(falling, monkeypatch):
    falling.fault(kind="reset", path="/api/v1/trade/order", times=1)
    took = replaced_after_ms(falling, monkeypatch, 2_000, lambda: falling.enter(ETH))
    assert took <= 1000
    falling.loop(2)
    assert len(stops(falling)) == 1
    assert falling.broken() == []


def test_looks_amid_looks_come_to_an_end(falling, monkeypatch):
    """An account where something happens all the time while every request has to wait."""
    real_time, depth, deepest = falling.bot.exchange.real_time, [0], [0]

    def look():
        depth[0] += 1
        deepest[0] = max(deepest[0], depth[0])
        real_time.pause(1.0)
        depth[0] -= 1

    monkeypatch.setattr(real_time, "is_due", lambda: True)
    monkeypatch.setattr(falling.bot.exchange.account_watch, "guard", look)
    real_time.pause(1.0)
    assert deepest == [2]


def test_an_error_of_the_network_is_slept_over_only_until_something_happens(falling, monkeypatch):
    failing = [True]
    stock = falling.bot.process

    def process():
        stock()
        if failing:
            failing.clear()
            raise TemporaryError("no network")

    monkeypatch.setattr(falling.bot, "process", process)

    def loops():
        falling.loop(able=False)
        falling.loop()

    assert replaced_after_ms(falling, monkeypatch, 10_000, loops) <= 1000
    # It is no /stop: the same connection goes on.
    assert falling.bot.exchange.real_time.stream.pulse.session == 1
    assert falling.broken() == []


def test_without_listening_freqtrade_has_its_own_time(tmp_path):
    with Desk(tmp_path) as desk:
        desk.start(exchange=LISTENING)
        desk.loop()
        assert freqtrade.worker.time is not time
        assert freqtrade.worker.time.time() == time.time()
        desk.end()
        assert freqtrade.worker.time is time
