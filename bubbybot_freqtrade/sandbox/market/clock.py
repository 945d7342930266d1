"""Where the sandbox gets its time from: the machine's clock, or one that is driven from outside."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Anything that can tell the time of the venue."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC, never smaller than the answer before."""
        ...


class RealClock:
    """The wall clock, held back when the machine's own clock is set backwards.

    A venue whose time runs backwards would un-happen trades, so the last answer is repeated until
    the wall clock has passed it again.
    """

    def __init__(self) -> None:
        """Start at the machine's present."""
        self._lock = threading.Lock()
        self._latest = 0

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        with self._lock:
            self._latest = max(self._latest, time.time_ns() // 1_000_000)
            return self._latest


class DrivenClock:
    """Time that stands still until somebody moves it forward. Safe to use from any thread."""

    def __init__(self, start_ms: int) -> None:
        """Stand at `start_ms` (milliseconds since 1970-01-01 UTC)."""
        self._lock = threading.Lock()
        self._now = int(start_ms)

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        with self._lock:
            return self._now

    def set(self, ms: int) -> None:
        """Move to `ms`; the same time is allowed, an earlier one raises ValueError."""
        with self._lock:
            if ms < self._now:
                raise ValueError(
                    f"the clock stands at {self._now} ms and cannot go back to {ms} ms; "
                    "start a new sandbox for an earlier time"
                )
            self._now = int(ms)
