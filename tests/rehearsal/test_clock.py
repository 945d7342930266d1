"""The virtual clock: everything a bot lives by moves with it, nothing else does."""

import asyncio
import gc
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import cachetools
import pytest
from freqtrade.strategy import informative_decorator
from freqtrade.util import FtTTLCache, PeriodicCache
from hypothesis import given
from hypothesis import strategies as st

from bubbybot_freqtrade.rehearsal.clock import VirtualClock

START = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)
DAY = 86_400


@pytest.fixture(autouse=True)
def nothing_to_collect() -> Iterator[None]:
    """An exchange of an earlier test sleeps when it is collected: here that would move the time."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_the_wall_clock_is_the_virtual_time():
    with VirtualClock(START_MS) as clock:
        assert datetime.now(UTC) == START
        clock.sleep(1.5)
        assert time.time() == START.timestamp() + 1.5
        assert clock.now_ms == START_MS + 1500
    assert time.time() > START.timestamp() + DAY


def test_sleeping_takes_no_real_time():
    real_begin = time.monotonic()
    with VirtualClock(START_MS) as clock:
        time.sleep(30 * DAY)
        asyncio.run(asyncio.sleep(30 * DAY))
        assert clock.now_ms == START_MS + 60 * DAY * 1000
    assert time.monotonic() - real_begin < DAY


def test_sleeps_bound_by_name_are_virtual_too():
    from freqtrade import freqtradebot

    with VirtualClock(START_MS) as clock:
        freqtradebot.sleep(DAY)
        assert clock.now_ms == START_MS + DAY * 1000
    assert freqtradebot.sleep is time.sleep


@given(st.lists(st.floats(min_value=0, max_value=DAY), max_size=20))
def test_time_passes_exactly_as_asked_to_the_millisecond(sleeps):
    seen = []
    with VirtualClock(START_MS, seen.append) as clock:
        monotonic = time.monotonic()
        for seconds in sleeps:
            before = clock.now_ms
            time.sleep(seconds)
            assert 0 <= clock.now_ms - before - seconds * 1000 < 1 + 1e-6
        assert time.time_ns() == clock.now_ms * 1_000_000
        assert time.monotonic() - monotonic == pytest.approx(
            (clock.now_ms - START_MS) / 1000, abs=1e-6
        )
    assert seen == sorted(seen)
    assert (seen or [START_MS])[-1] == clock.now_ms


def _informative_cache():
    if not hasattr(informative_decorator, "InformativeCache"):
        pytest.skip("freqtrade keeps informative pairs since 2026.8")
    cache = informative_decorator.InformativeCache(10)
    key = informative_decorator.InformativeCacheKey(print, "print", "BTC/USDT", "1h", "1h", None)
    return cache, key, 2 * 3600


@pytest.mark.parametrize(
    "make",
    [
        lambda: (cachetools.TTLCache(10, 600), "key", 600),
        lambda: (FtTTLCache(10, 600), "key", 600),
        lambda: (PeriodicCache(10, 600), "key", 600),
        _informative_cache,
    ],
)
def test_caches_time_out_in_virtual_time(make):
    with VirtualClock(START_MS) as clock:
        cache, key, seconds = make()
        cache[key] = "old"
        clock.sleep(seconds / 2)
        assert cache.get(key) == "old"
        clock.sleep(seconds)
        assert cache.get(key) is None


def test_the_venue_is_there_before_the_bot():
    seen = []
    with VirtualClock(START_MS, lambda ms: seen.append((ms, time.time_ns() // 1_000_000))) as clock:
        clock.move_to(START_MS + 5000)
    assert seen == [(START_MS + 5000, START_MS)]


def test_a_move_that_fails_on_the_venue_moves_nobody():
    def fail(_):
        raise OSError("no more candles")

    with VirtualClock(START_MS, fail) as clock:
        with pytest.raises(OSError, match="no more candles"):
            time.sleep(1)
        assert clock.now_ms == START_MS


def test_other_threads_sleep_and_count_in_real_time():
    with VirtualClock(START_MS) as clock, ThreadPoolExecutor(1) as pool:
        begin = pool.submit(time.monotonic).result()
        clock.sleep(30 * DAY)
        pool.submit(time.sleep, 0.001).result()
        assert pool.submit(time.monotonic).result() - begin < DAY
        assert clock.now_ms == START_MS + 30 * DAY * 1000


def test_event_loops_keep_real_time():
    """A jump of days must not look like a timeout to a socket."""

    async def long_jump():
        async with asyncio.timeout(3600):
            await asyncio.sleep(30 * DAY)
            await asyncio.sleep(0)
        return asyncio.get_running_loop().time()

    begin = time.monotonic()
    with VirtualClock(START_MS):
        end = asyncio.run(long_jump())
    assert end - begin < 3600


def test_waiting_for_threads_stays_real():
    done = threading.Event()
    with VirtualClock(START_MS) as clock:
        thread = threading.Thread(target=done.set)
        thread.start()
        assert done.wait(60)
        thread.join()
        assert clock.now_ms == START_MS


def test_the_past_is_closed():
    with VirtualClock(START_MS) as clock, pytest.raises(ValueError, match="cannot go back"):
        clock.move_to(START_MS - 1)


def test_two_virtual_clocks_exclude_each_other():
    with (
        VirtualClock(START_MS),
        pytest.raises(RuntimeError, match="another virtual clock"),
        VirtualClock(START_MS),
    ):
        pass


def test_leaving_restores_everything():
    before = (time.sleep, time.monotonic, asyncio.sleep, asyncio.BaseEventLoop.time)
    defaults = cachetools.TTLCache.__init__.__defaults__
    with VirtualClock(START_MS):
        assert time.sleep is not before[0]
    assert (time.sleep, time.monotonic, asyncio.sleep, asyncio.BaseEventLoop.time) == before
    assert cachetools.TTLCache.__init__.__defaults__ == defaults
