"""One websocket of a client, and what waits to be sent on it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import monotonic

from aiohttp import web

from bubbybot_freqtrade.sandbox.settings import ApiKey

MOST_WAITING = 100_000
"""Messages to one websocket, some 30 MB: a client that falls behind by more is cut off."""


@dataclass(slots=True, eq=False)
class Connection:
    """One websocket. `outbox` holds (text, is data) in the order they happened."""

    socket: web.WebSocketResponse
    http: web.BaseRequest
    private: bool
    outbox: asyncio.Queue[tuple[str, bool]] = field(
        default_factory=lambda: asyncio.Queue(MOST_WAITING)
    )
    key: ApiKey | None = None
    active_at: float = field(default_factory=monotonic)

    def put(self, text: str, *, is_data: bool) -> None:
        """Let a message wait for its turn. In the server's thread."""
        try:
            self.outbox.put_nowait((text, is_data))
        except asyncio.QueueFull:
            self.abort()

    def abort(self) -> None:
        """Cut it without a goodbye. In the server's thread."""
        if self.http.transport is not None:
            self.http.transport.abort()
