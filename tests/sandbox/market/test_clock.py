import contextlib
import threading
import time

import pytest
import time_machine

from bubbybot_freqtrade.sandbox.market.clock import DrivenClock, RealClock


def test_real_clock_follows_the_wall_clock() -> None:
    before = time.time_ns() // 1_000_000
    now = RealClock().now_ms()
    assert before <= now <= time.time_ns() // 1_000_000


def test_real_clock_does_not_run_backwards() -> None:
    clock = RealClock()
    with time_machine.travel(2_000_000_000, tick=False) as traveller:
        assert clock.now_ms() == 2_000_000_000_000
        traveller.shift(-60)
        assert clock.now_ms() == 2_000_000_000_000
        traveller.shift(61)
        assert clock.now_ms() == 2_000_000_001_000


def test_driven_clock_stands_still_until_it_is_set() -> None:
    clock = DrivenClock(1_000)
    assert clock.now_ms() == clock.now_ms() == 1_000
    clock.set(1_000)
    clock.set(5_000)
    assert clock.now_ms() == 5_000


def test_driven_clock_never_goes_back() -> None:
    clock = DrivenClock(5_000)
    with pytest.raises(ValueError, match="cannot go back to 4999 ms"):
        clock.set(4_999)
    assert clock.now_ms() == 5_000


def test_driven_clock_is_shared_by_threads() -> None:
    """However many drive it, nobody ever reads an earlier time than before."""
    clock = DrivenClock(0)
    faults: list[tuple[int, int]] = []

    def drive() -> None:
        seen = 0
        for ms in range(2_000):
            with contextlib.suppress(ValueError):
                clock.set(ms)
            now = clock.now_ms()
            if now < seen or now < ms:
                faults.append((seen, now))
            seen = now

    threads = [threading.Thread(target=drive) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert clock.now_ms() == 1_999
