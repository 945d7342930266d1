"""The venue's request limits: per address with shut-outs, per user for trading.

Counted on the venue's clock, so that a rehearsal on a driven clock meets the limits that the same
requests would meet in real time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

MINUTE_MS = 60_000
PER_MINUTE = 500
PER_FIVE_MINUTES = 1500
MINUTE_BAN_MS = 5 * MINUTE_MS
FIVE_MINUTES_BAN_MS = 60 * MINUTE_MS
TRADING_PER_WINDOW = 30
TRADING_WINDOW_MS = 10_000
SOCKETS_INTERVAL_S = 1.0


@dataclass(slots=True)
class _Address:
    """Times of an address's requests of the last five minutes, and until when it is shut out."""

    times: deque[int] = field(default_factory=deque)
    banned_until_ms: int = 0


class RateLimits:
    """Says no. Requests that are refused do not count.

    Without `enforced` nobody ever asks too much, but a `ban` still holds.
    """

    def __init__(self, *, enforced: bool = True) -> None:
        """Nobody has asked for anything yet."""
        self.enforced = enforced
        self._addresses: dict[str, _Address] = {}
        self._users: dict[str, deque[int]] = {}
        self._sockets: dict[str, float] = {}

    def allows_address(self, ip: str, now_ms: int) -> bool:
        """500 a minute or be shut out for 5 minutes; 1500 in 5 minutes or for an hour."""
        address = self._addresses.setdefault(ip, _Address())
        if now_ms < address.banned_until_ms:
            return False
        if not self.enforced:
            return True
        times = address.times
        while times and times[0] <= now_ms - 5 * MINUTE_MS:
            times.popleft()
        if len(times) >= PER_FIVE_MINUTES:
            address.banned_until_ms = now_ms + FIVE_MINUTES_BAN_MS
            return False
        if len(times) >= PER_MINUTE and times[-PER_MINUTE] > now_ms - MINUTE_MS:
            address.banned_until_ms = now_ms + MINUTE_BAN_MS
            return False
        times.append(now_ms)
        return True

    def allows_trading(self, uid: str, now_ms: int) -> bool:
        """30 trading requests in 10 seconds; no shut-out, just a refusal."""
        if not self.enforced:
            return True
        times = self._users.setdefault(uid, deque())
        while times and times[0] <= now_ms - TRADING_WINDOW_MS:
            times.popleft()
        if len(times) >= TRADING_PER_WINDOW:
            return False
        times.append(now_ms)
        return True

    def allows_socket(self, ip: str, monotonic_s: float) -> bool:
        """One new websocket a second. Sockets live in real time, whatever the venue's clock."""
        last = self._sockets.get(ip)
        if self.enforced and last is not None and monotonic_s - last < SOCKETS_INTERVAL_S:
            return False
        self._sockets[ip] = monotonic_s
        return True

    def ban(self, ip: str, until_ms: int) -> None:
        """Shut an address out, as the venue's firewall does for reasons of its own."""
        self._addresses.setdefault(ip, _Address()).banned_until_ms = until_ms

    def lift_bans(self) -> None:
        """Forget everything that was counted."""
        self._addresses.clear()
        self._users.clear()
        self._sockets.clear()
