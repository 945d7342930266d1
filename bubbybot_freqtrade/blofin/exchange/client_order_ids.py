"""The clientOrderIds of this bot: its own, also beside another bot on the account."""

import hashlib
from datetime import datetime
from functools import cached_property
from uuid import uuid4

from freqtrade.exchange.exchange_types import CcxtOrder
from freqtrade.util import dt_from_ts, dt_now, dt_ts

from bubbybot_freqtrade.blofin.account import database
from bubbybot_freqtrade.blofin.exchange.venue_clock import VenueClock


class ClientOrderIds:
    """Makes them, and tells whose an order is.

    :param db_url: of freqtrade's database, which keeps the bot's prefix
    """

    def __init__(self, db_url: str, clock: VenueClock) -> None:
        self._db_url = db_url
        self._clock = clock

    def new(self) -> str:
        """An id for one order, never used before."""
        return f"{self._prefix}{uuid4().hex[:24]}"

    def is_own(self, order: CcxtOrder) -> bool:
        """Whether this bot (a bot on this database) placed the order."""
        client_order_id = str(order.get("clientOrderId"))
        if client_order_id.startswith(self._prefix):
            return True
        prefix, until = self._earlier_prefix
        return client_order_id.startswith(prefix) and (order["timestamp"] or 0) < until

    @cached_property
    def _prefix(self) -> str:
        return database.order_prefix(dt_from_ts(self._clock.venue_ms(dt_now())))

    @cached_property
    def _earlier_prefix(self) -> tuple[str, int]:
        """What stood there before databases had a prefix of their own, and until when (ms)."""
        until: datetime | None = database.earlier_prefix_until()
        digest = hashlib.sha256(self._db_url.encode()).hexdigest()
        return f"ft{digest[:6]}", dt_ts(until) if until else 0
