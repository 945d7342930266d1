"""The pause between two loops of the bot, which ends early when something has happened.

freqtrade's `Worker` sleeps between loops (`process_throttle_secs`). Its `_sleep` is there to be
replaced ("to improve testability"); here it waits for a bell. So does its sleep of 30 s after an
error of the network (`_process_running`), for which the module's own `time` has to be replaced. The
loop that comes at once instead of after its pause is freqtrade's own loop, on its own thread:
nothing acts beside it.
"""

import time
from collections.abc import Callable
from threading import Event, get_ident
from typing import Any, ClassVar

# Loops that are rung for begin so far apart: a burst of fills is one loop, not a hundred. Where
# each of them asks for all lists, fewer leave requests for orders: thirty are allowed in 10 s.
LEAST_SECONDS, LEAST_SECONDS_ASKING = 0.5, 2.0
# One event is pushed on up to three channels: what comes so soon after is one question.
GATHER_SECONDS = 0.05


class Bell:
    """Ends the pause of one bot's thread.

    :param on_idle: called on that thread when a pause begins that no loop came before: /stop
    :param on_ring: called on that thread when a pause ends early, but the loop can't come yet
    :param least_seconds: tells how far apart loops that are rung for begin
    """

    _of_threads: ClassVar[dict[int, "Bell"]] = {}
    # Gives freqtrade's own pause back.
    _give_back: ClassVar[Callable[[], None] | None] = None

    def __init__(
        self,
        on_idle: Callable[[], None],
        on_ring: Callable[[], None],
        least_seconds: Callable[[], float] = lambda: LEAST_SECONDS,
    ) -> None:
        self._on_idle = on_idle
        self._on_ring = on_ring
        self._least_seconds = least_seconds
        self._rung = Event()
        self._began_at = 0.0
        self._looped = False
        self._thread: int | None = None

    @property
    def is_rung(self) -> bool:
        """Whether something has happened that no loop has begun after."""
        return self._rung.is_set()

    @property
    def is_of_this_thread(self) -> bool:
        """Whether the calling thread is the one whose pauses it ends."""
        return self._thread == get_ident()

    def ring(self) -> None:
        """Something has happened; from any thread."""
        self._rung.set()

    def hush(self) -> None:
        """What has happened so far is about to be looked at."""
        self._rung.clear()

    def loop_begins(self) -> None:
        """A loop begins on this thread, and will see what has happened so far."""
        self.hush()
        self._began_at = time.monotonic()
        self._looped = True
        if self._thread is None:
            self._thread = get_ident()
            Bell._of_threads[self._thread] = self
            if Bell._give_back is None:
                Bell._give_back = _replace_pause()

    def take_down(self) -> None:
        """Leave freqtrade's pauses as they were."""
        if self._thread is not None and Bell._of_threads.get(self._thread) is self:
            del Bell._of_threads[self._thread]
        self._thread = None
        if not Bell._of_threads and Bell._give_back is not None:
            Bell._give_back()
            Bell._give_back = None

    def pause(self, seconds: float) -> None:
        """Wait so long after a loop, or until something happens."""
        if not self._looped:
            self._on_idle()
        self._looped = False
        self.rest(seconds)

    def rest(self, seconds: float) -> None:
        """Wait so long, or until something happens."""
        end = time.monotonic() + seconds
        if not self.wait(seconds):
            return
        now = time.monotonic()
        time.sleep(max(0.0, min(now + GATHER_SECONDS, end) - now))
        next_at = min(self._began_at + self._least_seconds(), end)
        if next_at > time.monotonic():
            # What can't wait for the loop; else that looks itself, first of all.
            self._on_ring()
            time.sleep(max(0.0, next_at - time.monotonic()))

    def wait(self, seconds: float) -> bool:
        """Wait for a ring so long at most; whether there was one."""
        return self._rung.wait(seconds)


class _WorkersTime:
    """Python's `time`, but for a sleep that ends when something happens."""

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def sleep(self, seconds: float) -> None:
        """Stand in for `time.sleep`."""
        bell = Bell._of_threads.get(get_ident())
        if bell is None:
            time.sleep(seconds)
        else:
            bell.rest(seconds)


def _replace_pause() -> Callable[[], None]:
    """Take the place of freqtrade's pauses; what gives them back."""
    # freqtrade's worker imports the exchanges.
    from freqtrade import worker

    stock = worker.Worker._sleep
    worker.Worker._sleep = staticmethod(pause)
    worker.time = _WorkersTime()

    def give_back() -> None:
        worker.Worker._sleep = staticmethod(stock)
        worker.time = time

    return give_back


def pause(sleep_duration: float) -> None:
    """Stand in for freqtrade's `Worker._sleep`."""
    bell = Bell._of_threads.get(get_ident())
    if bell is None:
        time.sleep(sleep_duration)
    else:
        bell.pause(sleep_duration)
