"""One budget of requests for everything in this process that asks the same BloFin.

freqtrade holds three ccxt objects (sync, async, websocket), each of which spaces only its own
requests. BloFin counts them together: 500 a minute and 1500 in five minutes per address, and 30
trading requests in ten seconds per user; who passes a limit is shut out for minutes. What other
programs of this machine send is counted as well (machine_budget.py).
"""

import asyncio
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

from bubbybot_freqtrade.blofin.ccxt_blofin.machine_budget import (
    Limits,
    MachineBudget,
    forget_old_files,
)

# (seconds, requests): a tenth below what the reference allows, for retries and the app itself.
LIMITS: Limits = ((60.0, 450), (300.0, 1350))
TRADING_LIMITS: Limits = ((10.0, 27),)
# The share of them that no second question may use.
KEPT_FOR_OTHERS = 0.1


class RequestBudget:
    """Hands out times to send at, so that no window ever holds more than its limit.

    :param limits: what its windows may hold
    """

    def __init__(self, limits: Limits) -> None:
        self._all = self._limits = limits
        self._sent: deque[float] = deque(maxlen=max(count for _, count in limits))
        self._lock = threading.Lock()

    def share_with(self, others: int) -> None:
        """Hand out one of `others` + 1 equal shares from now on."""
        with self._lock:
            self._limits = tuple((seconds, count // (others + 1)) for seconds, count in self._all)

    def reserve(self, now: float, left: int = 0) -> float:
        """Reserve the next free time, and return the seconds to wait for it.

        :param left: requests of each limit that are left to who comes with 0, at most half of it
        """
        with self._lock:
            at = now
            for seconds, most in self._limits:
                count = max(most - left, (most + 1) // 2)
                if len(self._sent) >= count:
                    at = max(at, self._sent[-count] + seconds)
            self._sent.append(at)
            return at - now

    def free(self, now: float, kept: float) -> int:
        """Requests that can be sent now without waiting, with this share of each limit kept."""
        with self._lock:
            return min(
                int(count * (1 - kept)) - sum(at > now - seconds for at in self._sent)
                for seconds, count in self._limits
            )


_budgets: dict[str, tuple[RequestBudget, RequestBudget]] = defaultdict(
    lambda: (RequestBudget(LIMITS), RequestBudget(TRADING_LIMITS))
)
_machines: dict[str, MachineBudget] = {}
_CONNECTIONS_LIMIT = ((60.0, 60),)


def machine_budget(exchange: Any) -> MachineBudget:
    """What all programs of this machine may ask the venue of `exchange`."""
    return _of_machine(exchange.urls["api"]["rest"], LIMITS)


def machine_connections(exchange: Any) -> MachineBudget:
    """When they may open websockets there."""
    return _of_machine(exchange.urls["api"]["rest"] + " websockets", _CONNECTIONS_LIMIT)


def _of_machine(counted: str, limits: Limits) -> MachineBudget:
    if counted not in _machines:
        forget_old_files()
        _machines[counted] = MachineBudget(counted, limits)
    return _machines[counted]


def wait_for(exchange: Any, cost: float | None, left: int = 0) -> float:
    """Reserve a place for a request of `exchange`; the seconds to wait are returned.

    ccxt gives trading endpoints a higher cost than the others.

    :param left: trading requests that are left to urgent ones
    """
    total, trading = _budgets[exchange.urls["api"]["rest"]]
    now = time.monotonic()
    wait = total.reserve(now)
    return max(wait, trading.reserve(now, left)) if (cost or 1) > 1 else wait


def free_requests(exchange: Any, kept: float) -> int:
    """How many requests can be sent now without waiting, this share of each limit kept."""
    total, _ = _budgets[exchange.urls["api"]["rest"]]
    own, shared = total.free(time.monotonic(), kept), machine_budget(exchange).free(kept)
    return max(own if shared is None else min(own, shared), 0)


def share_with(exchange: Any, others: int) -> None:
    """Leave room for other programs on the account of `exchange`, each its equal share.

    BloFin counts trading requests by account, all requests by address; whether bots on different
    machines share the latter isn't known.
    """
    for budget in _budgets[exchange.urls["api"]["rest"]]:
        budget.share_with(others)


class SyncBudget:
    """Waits for the shared budget after ccxt's own spacing; for the sync class.

    After it, since a place is a time to send at: a pause between the two would shift requests
    against each other, and more of them into a window of the venue than the budget counts.
    """

    # BloFin counts in windows. Evenly spaced, the six requests that put a stop back take two
    # seconds; at once they take no more of its limits.
    is_urgent = False
    # Trading requests in ten seconds that only what is urgent may use.
    left_to_urgent = 0
    # Waits so many seconds; None for a plain sleep.
    pause: Callable[[float], None] | None = None

    def throttle(self, cost: float | None = None) -> None:
        """Wait until the request may be sent."""
        if not self.is_urgent:
            super().throttle(cost)  # type: ignore[misc]
        self._wait(wait_for(self, cost, 0 if self.is_urgent else self.left_to_urgent))
        while (seconds := machine_budget(self).claim()) > 0:
            self._wait(seconds)

    def _wait(self, seconds: float) -> None:
        (self.pause or time.sleep)(seconds)

    def has_room_for(self, *, trading: bool) -> bool:
        """Take a place for a request that is sent at once; False when there is none."""
        if free_requests(self, KEPT_FOR_OTHERS) <= 0 or machine_budget(self).claim() > 0:
            return False
        return wait_for(self, 2 if trading else 1) <= 0


class AsyncBudget:
    """The same for the async classes, by which freqtrade asks for candles."""

    async def throttle(self, cost: float | None = None) -> None:
        """Wait until the request may be sent."""
        await super().throttle(cost)  # type: ignore[misc]
        await asyncio.sleep(wait_for(self, cost))
        while (seconds := machine_budget(self).claim(for_candles=True)) > 0:
            await asyncio.sleep(seconds)
