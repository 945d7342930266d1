"""Faults that can be switched on: what a bad day at the venue looks like from outside.

A fault says which requests it hits, how often, and what it does. REST faults either stop a request
before it takes effect (`delay` and `meet` only slow it down) or, the `lost_*` ones, let it take
effect and spoil the answer.
"""

from __future__ import annotations

import random
import threading
from fnmatch import fnmatchcase
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

FaultKind = Literal[
    "delay",  # answer after delay_ms
    "meet",  # wait for the next request that it hits, delay_ms at most: both arrive at once
    "http",  # answer `status` without effect: 429, 403, 5xx
    "code",  # answer 200 with the venue's `code`, without effect
    "data",  # answer 200 and code 0 with `data` in place of the true one, without effect
    "redirect",  # send the client to `location`, without effect
    "reset",  # cut the connection before the request takes effect
    "lost_reset",  # take effect, then cut the connection
    "lost_timeout",  # take effect, then say nothing for delay_ms and cut the connection
    "lost_http",  # take effect, then answer `status` (502 and the like)
    "lost_truncated",  # take effect, then send half of the answer and cut the connection
    "fill_first",  # the order that the request names (to cancel it) fills just before
    "tpsl_canceled",  # every TP/SL that the request makes is canceled by the venue at once
    "stale",  # answer what the same request was answered delay_ms ago
]
UNSPOILED = ("delay", "meet", "fill_first", "tpsl_canceled")
"""Kinds under which the request takes effect and its answer arrives whole."""
HAPPENS = (*UNSPOILED, "stale", "lost_reset", "lost_timeout", "lost_http", "lost_truncated")
"""Kinds under which the request takes effect."""


class Fault(BaseModel):
    """One fault.

    path: pattern of the request path (`*/trade/order`, `/api/v1/trade/*`, `*`).
    after, times: it starts with the (after+1)th matching request and hits `times` of them (None:
        until it is switched off). probability: of hitting each of these.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: FaultKind
    path: str = "*"
    method: Literal["GET", "POST"] | None = None
    uid: str | None = None
    after: int = Field(default=0, ge=0)
    times: int | None = Field(default=None, ge=1)
    probability: float = Field(default=1.0, gt=0, le=1)
    delay_ms: int = Field(default=0, ge=0)
    status: int = Field(default=502, ge=400, le=599)
    code: str = "103013"
    msg: str = ""
    data: Any = None
    location: str = ""

    @model_validator(mode="after")
    def _delay_is_given(self) -> Fault:
        if self.kind in ("delay", "meet", "lost_timeout", "stale") and not self.delay_ms:
            raise ValueError(f"fault {self.kind}: delay_ms says how long, give it in ms")
        if self.kind == "redirect" and not self.location:
            raise ValueError("fault redirect: location says where to, give an address")
        return self


class _Running:
    """A fault that is switched on, and how often it was met."""

    def __init__(self, fault_id: str, fault: Fault) -> None:
        self.fault_id = fault_id
        self.fault = fault
        self.met = 0
        self.hits = 0

    def matches(self, method: str, path: str, uid: str) -> bool:
        fault = self.fault
        return (
            fnmatchcase(path, fault.path)
            and fault.method in (None, method)
            and fault.uid in (None, uid)
        )


class Faults:
    """The faults that are on. Safe to switch from any thread."""

    def __init__(self, seed: int = 0) -> None:
        """`seed` decides the draws of faults with a probability."""
        self._lock = threading.Lock()
        self._random = random.Random(seed)  # noqa: S311 - drills, not secrets
        self._running: dict[str, _Running] = {}
        self._count = 0

    def add(self, fault: Fault) -> str:
        """Switch one on; the id it can be switched off by."""
        with self._lock:
            self._count += 1
            fault_id = f"fault-{self._count}"
            self._running[fault_id] = _Running(fault_id, fault)
            return fault_id

    def remove(self, fault_id: str) -> None:
        """Switch one off; KeyError when it is not on."""
        with self._lock:
            del self._running[fault_id]

    def clear(self) -> None:
        """Switch all off."""
        with self._lock:
            self._running.clear()

    def hits(self) -> dict[str, int]:
        """How often each fault that is on has struck."""
        with self._lock:
            return {running.fault_id: running.hits for running in self._running.values()}

    def strike(self, method: str, path: str, uid: str) -> Fault | None:
        """The fault that hits this request, if any: the first one switched on that matches."""
        if not self._running:
            return None
        with self._lock:
            for running in self._running.values():
                if running.matches(method, path, uid) and self._due(running):
                    return running.fault
        return None

    def _due(self, running: _Running) -> bool:
        fault = running.fault
        running.met += 1
        if running.met <= fault.after or (fault.times is not None and running.hits >= fault.times):
            return False
        if fault.probability < 1.0 and self._random.random() >= fault.probability:
            return False
        running.hits += 1
        return True
