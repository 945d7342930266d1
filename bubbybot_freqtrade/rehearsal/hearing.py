"""Sockets live in real time, the bot in virtual: it is let hear what was pushed to it.

Without that it would depend on the machine whether a loop, which comes microseconds after the last
one, has heard of what happened between the two.
"""

from __future__ import annotations

import threading
import time

from bubbybot_freqtrade.blofin.exchange.real_time import RealTime
from bubbybot_freqtrade.sandbox.server import Sandbox

# Pushes that weren't heard by then are late or lost, which is one of the cases.
PUSH_PATIENCE_S = 0.4
# The venue takes one new websocket a second.
CONNECT_PATIENCE_S = 3.0


class Hearing:
    """One bot's account and price streams beside what its venue has pushed."""

    def __init__(self, sandbox: Sandbox, real_time: RealTime) -> None:
        """Nothing was pushed to it before."""
        self._sandbox = sandbox
        self._stream = real_time.stream
        self._prices = real_time.prices
        self._not_for_it = self._missing()
        self._is_connected = False

    def connect(self) -> None:
        """Give a bot that has just begun to listen the time to connect; once."""
        deadline = time.perf_counter() + CONNECT_PATIENCE_S
        while self._stream.is_running and not self._is_connected:
            has_session = self._stream.pulse.session is not None
            self._is_connected = has_session or time.perf_counter() > deadline
            threading.Event().wait(0.001)

    def catch_up(self) -> None:
        """Let it hear everything that was pushed; what never comes is waited for once."""
        deadline = time.perf_counter() + PUSH_PATIENCE_S
        while (
            self._stream.is_running
            and self._missing() > self._not_for_it
            and time.perf_counter() < deadline
        ):
            threading.Event().wait(0.001)
        self._not_for_it = self._missing()

    def _missing(self) -> int:
        """Pushes that it has not heard, be they meant for another or lost."""
        pushed = self._sandbox.streams.private_pushes + self._sandbox.streams.ticker_pushes
        return pushed - self._stream.pulse.data - self._prices.pushes
