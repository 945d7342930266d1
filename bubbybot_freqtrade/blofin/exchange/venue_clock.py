"""This machine's clock beside BloFin's: told to the owner, and reckoned with in look-ups."""

import logging
from datetime import datetime
from typing import Any

from freqtrade.util import dt_ts

from bubbybot_freqtrade.blofin.ccxt_blofin.time_difference import NOTICED_MS

logger = logging.getLogger(__name__)


class VenueClock:
    """What this machine's time is worth at the venue.

    :param api: ccxt's sync BloFin, which measures
    """

    def __init__(self, api: Any) -> None:
        self._api = api
        self._told_ms = 0

    def is_wrong(self) -> bool:
        """Whether the venue refuses this machine's time, also as far as it can be corrected."""
        return bool(self._api.is_time_wrong())

    def venue_ms(self, date: datetime) -> int:
        """BloFin's time, ms, at a moment that this machine's clock has noted."""
        return dt_ts(date) - self._api.applied_time_difference()

    def remind(self) -> None:
        """Tell once when the clock is off, when that changes, and when it is right again."""
        measured, told = int(self._api.options["timeDifference"]), self._told_ms
        if measured == told or (measured and told and abs(measured - told) <= NOTICED_MS):
            return
        self._told_ms = measured
        if news := self.news():
            logger.warning(news)
        else:
            logger.warning("This machine's clock agrees with BloFin's again.")

    def news(self) -> str | None:
        """What is wrong with the clock, for the owner; None when it is right."""
        if not self._told_ms:
            return None
        off = f"{abs(self._told_ms) / 1000:.0f} s {'ahead of' if self._told_ms > 0 else 'behind'}"
        what = (
            "Nothing can be asked or placed with that time and no entry is sent; the stops stand "
            "at BloFin."
            if self.is_wrong()
            else "Requests are signed with BloFin's time meanwhile."
        )
        return (
            f"This machine's clock is {off} BloFin's. {what} Set the clock right (NTP): candles "
            "and the dates of trades follow it."
        )
