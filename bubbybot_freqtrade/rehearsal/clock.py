"""One virtual time for the bot and the venue.

time-machine moves the wall clock of the whole process (``time.time``, ``datetime.now``, also where
a module has bound them by name), so freqtrade's candles, ccxt's signatures and the log all show
the rehearsal's time. It leaves alone what a bot also lives by: the monotonic clock, which times
caches out, and sleeping, which is how throttles wait. Here both follow the virtual time too, on the
one thread that drives the clock; a sleep there does not wait but moves time on, for the venue first
and then for the bot. All other threads (the sandbox's server) sleep and count in real time, and so
do event loops everywhere: a jump of days must not look like a timeout to a socket.

Time stands still between two moves. So a rehearsal gives the same result on a slow machine as on a
fast one.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading
import time
from asyncio.base_events import BaseEventLoop
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, ClassVar

import cachetools
import time_machine
from freqtrade.strategy import informative_decorator

from bubbybot_freqtrade.blofin.ccxt_blofin.machine_budget import MachineBudget
from bubbybot_freqtrade.blofin.exchange.pause import Bell

_REAL_SLEEP = time.sleep
_REAL_MONOTONIC = time.monotonic
_REAL_ASYNC_SLEEP = asyncio.sleep
_REAL_BELL_WAIT = Bell.wait
# Virtual seconds in which a bot in its pause hears of what has happened.
_HEARS_WITHIN = 0.25

# Packages whose modules may have bound time.sleep or time.monotonic by name.
_PACKAGES = ("freqtrade", "bubbybot_freqtrade", "ccxt", "schedule")


# Functions whose default timer is the monotonic clock, bound when they were defined.
_WITH_TIMERS: list[Any] = [
    cachetools.TTLCache.__init__,
    cachetools.TLRUCache.__init__,
]
if hasattr(informative_decorator, "InformativeCache"):  # since freqtrade 2026.8
    _WITH_TIMERS.append(informative_decorator.InformativeCache.__init__)


class VirtualClock:
    """Virtual time of the whole process while it is entered; the entering thread drives it.

    start_ms: where time begins, ms since 1970-01-01 UTC.
    advance: called with every new time (ms) before the bot sees it, so that whatever happens on the
        venue until then has happened. Its errors end the move.

    Caches get their timer when they are made: build the bot inside.
    """

    _running: ClassVar[VirtualClock | None] = None

    def __init__(self, start_ms: int, advance: Callable[[int], None] | None = None) -> None:
        """Stand at `start_ms`; nothing is changed before the clock is entered."""
        self._start_ms = self._now_ms = int(start_ms)
        self._monotonic_start = _REAL_MONOTONIC()
        self._advance = advance or (lambda _: None)
        self._changes = ExitStack()
        self._thread: int | None = None
        self._traveller: time_machine.Traveller | None = None

    @property
    def now_ms(self) -> int:
        """Virtual time in ms since 1970-01-01 UTC."""
        return self._now_ms

    @property
    def now(self) -> datetime:
        """Virtual time as an aware datetime."""
        return datetime.fromtimestamp(self._now_ms / 1000, tz=UTC)

    @property
    def monotonic(self) -> float:
        """What ``time.monotonic`` says in virtual time, s."""
        return self._monotonic_start + (self._now_ms - self._start_ms) / 1000

    def __enter__(self) -> VirtualClock:
        """RuntimeError when another virtual clock runs in this process."""
        if VirtualClock._running is not None:
            raise RuntimeError("another virtual clock runs in this process; leave it first")
        VirtualClock._running = self
        self._thread = threading.get_ident()
        self._changes.callback(self._stop)
        # An aware destination also sets the local time zone to UTC: freqtrade's daily jobs are
        # timed in local time and would depend on the machine otherwise.
        start = datetime.fromtimestamp(self._now_ms / 1000, tz=UTC)
        self._traveller = self._changes.enter_context(time_machine.travel(start, tick=False))
        self._changes.enter_context(_replaced_clocks())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give the process its own time back."""
        self._changes.close()

    def _stop(self) -> None:
        VirtualClock._running = None
        self._thread = None

    def move_to(self, ms: int) -> None:
        """Move time on to `ms`. ValueError for a time that has passed."""
        if ms < self._now_ms:
            raise ValueError(f"the clock stands at {self._now_ms} ms and cannot go back to {ms} ms")
        if self._traveller is None or not self.is_driven_here():
            raise RuntimeError("a virtual clock is moved by the thread that entered it")
        self._advance(ms)
        self._traveller.shift(timedelta(milliseconds=ms - self._now_ms))
        self._now_ms = ms

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass, rounded up to a millisecond, without waiting."""
        self.move_to(self._now_ms - int(-seconds * 1000 // 1))

    def is_driven_here(self) -> bool:
        """Whether the calling thread lives in virtual time."""
        return self._thread == threading.get_ident()


def _here() -> VirtualClock | None:
    """The clock that the calling thread lives by; None for real time."""
    clock = VirtualClock._running
    return clock if clock is not None and clock.is_driven_here() else None


# What takes the place of the standard library's functions. Modules that are imported while a clock
# runs keep them for good, so they ask each time.


def _sleep(seconds: float) -> None:
    clock = _here()
    if clock is None:
        _REAL_SLEEP(seconds)
    else:
        clock.sleep(seconds)


async def _async_sleep(delay: float, result: Any = None) -> Any:
    clock = _here()
    if clock is None or delay <= 0:
        return await _REAL_ASYNC_SLEEP(delay, result)
    clock.sleep(delay)
    return await _REAL_ASYNC_SLEEP(0, result)


def _monotonic() -> float:
    clock = _here()
    return _REAL_MONOTONIC() if clock is None else clock.monotonic


def _bell_wait(bell: Bell, seconds: float) -> bool:
    clock = _here()
    if clock is None:
        return _REAL_BELL_WAIT(bell, seconds)
    while seconds > 0 and not bell.is_rung:
        clock.sleep(min(seconds, _HEARS_WITHIN))
        seconds -= _HEARS_WITHIN
    return bell.is_rung


@contextmanager
def _replaced_clocks() -> Iterator[None]:
    """Put the functions above in place of the standard library's, wherever they are bound."""
    own: dict[Any, Any] = {
        _REAL_SLEEP: _sleep,
        _REAL_MONOTONIC: _monotonic,
        _REAL_ASYNC_SLEEP: _async_sleep,
    }
    with ExitStack() as changes:
        _set(changes, time, "sleep", _sleep)
        _set(changes, time, "monotonic", _monotonic)
        _set(changes, asyncio, "sleep", _async_sleep)
        _set(changes, Bell, "wait", _bell_wait)
        # Requests in virtual time are not the machine's.
        _set(changes, MachineBudget, "is_shared", False)
        # asyncio asks time.monotonic() for the time of its loops.
        _set(changes, BaseEventLoop, "time", lambda _: _REAL_MONOTONIC())
        for holder, name, value in list(_bound_by_name(own)):
            _set(changes, holder, name, own[value])
        for function in _WITH_TIMERS:
            defaults = tuple(
                _monotonic if value is _REAL_MONOTONIC else value
                for value in function.__defaults__ or ()
            )
            _set(changes, function, "__defaults__", defaults)
        yield


def _set(changes: ExitStack, holder: Any, name: str, value: Any) -> None:
    changes.callback(setattr, holder, name, vars(holder).get(name, getattr(holder, name)))
    setattr(holder, name, value)


def _bound_by_name(functions: dict[Any, Any]) -> Iterator[tuple[Any, str, Any]]:
    """Modules of a bot that hold one of `functions` under a name of their own."""
    for module_name, module in list(sys.modules.items()):
        if module_name.partition(".")[0] not in _PACKAGES or module_name == __name__:
            continue
        for name, value in list(vars(module).items()):
            if inspect.isroutine(value) and value in functions:
                yield module, name, value
