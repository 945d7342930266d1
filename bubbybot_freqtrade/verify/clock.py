"""Time of a run; a test gives one that moves a sandbox's clock instead of waiting."""

from __future__ import annotations

import time


class Clock:
    """The machine's."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC, as requests are signed with."""
        return time.time_ns() // 1_000_000

    def elapsed_ms(self) -> int:
        """Milliseconds of a clock that nobody sets, to measure delays with."""
        return time.monotonic_ns() // 1_000_000

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
