"""What was asked of the sandbox and what it answered, for drills and rehearsals to look at."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One REST request. Headers are not kept, so neither are keys' secrets.

    `ts_ms` on the venue's clock; `body` as it came; `status` 0 when the connection was cut instead
    of answered; `code` the outer code of the answer; `fault` the name of the fault that was played.
    """

    ts_ms: int
    method: str
    path: str
    query: str
    body: str
    status: int
    code: str
    uid: str
    ip: str
    elapsed_ms: float
    fault: str = ""

    def json(self) -> Any:
        """The body as data; None when there is none."""
        return orjson.loads(self.body) if self.body else None


class RequestLog:
    """The latest requests, oldest first. Safe to read while requests come in."""

    def __init__(self, size: int) -> None:
        """Keep the latest `size` requests."""
        self._lock = threading.Lock()
        self._entries: deque[LoggedRequest] = deque(maxlen=size)
        self.count = 0

    def append(self, entry: LoggedRequest) -> None:
        """Add one."""
        with self._lock:
            self._entries.append(entry)
            self.count += 1

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._entries)

    def __iter__(self) -> Iterator[LoggedRequest]:
        """A copy, so that it can be gone through while more come in."""
        with self._lock:
            return iter(list(self._entries))

    def select(
        self,
        *,
        path: str | None = None,
        method: str | None = None,
        uid: str | None = None,
        since_ms: int | None = None,
        until_ms: int | None = None,
    ) -> list[LoggedRequest]:
        """Requests with since_ms <= ts < until_ms whose path ends with `path`."""
        return [
            entry
            for entry in self
            if (path is None or entry.path.endswith(path))
            and (method is None or entry.method == method)
            and (uid is None or entry.uid == uid)
            and (since_ms is None or entry.ts_ms >= since_ms)
            and (until_ms is None or entry.ts_ms < until_ms)
        ]

    def clear(self) -> None:
        """Forget them."""
        with self._lock:
            self._entries.clear()
            self.count = 0
