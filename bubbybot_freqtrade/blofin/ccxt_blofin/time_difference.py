"""How far this machine's clock is from BloFin's, and requests signed with the venue's time.

BloFin refuses requests whose timestamp is more than 60 seconds off (152405) and has no endpoint
that tells its time. Each of its answers carries one, though: the `Date` header (RFC 9110, 6.6.1),
in whole seconds. It was written between the moment the request left and the moment the answer
arrived; where that can't be by this machine's clock, the clock is off, and by how much is known to
within that span. A slow answer proves nothing by itself, nor does one out of a cache.

Names are ccxt's: the options `adjustForTimeDifference` and `timeDifference` (ms that this machine
is ahead) and `nonce()`, the time to sign with.
"""

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

# Less than this is left alone: the venue takes it, and the header has whole seconds.
NOTICED_MS = 10_000
# A clock further off than this is not corrected. Candles, expiries and the dates in freqtrade's
# database follow it too, and are wrong by then in ways that a signature doesn't show.
CORRECTED_MS = 600_000
# Half of what the venue takes.
TOLERATED_MS = 30_000
# An answer that took longer says too little.
LONGEST_SPAN_MS = 20_000


class TimeDifference:
    """Measures with every answer of the venue; mixed into the ccxt classes."""

    options: dict[str, Any]

    def nonce(self: Any) -> int:
        """BloFin's time in ms, as well as it is known."""
        return int(self.milliseconds() - self.applied_time_difference())

    def applied_time_difference(self) -> int:
        """Ms that are taken off this machine's time, 0 when it is right or too far off."""
        measured = int(self.options["timeDifference"])
        if not self.options["adjustForTimeDifference"] or abs(measured) > CORRECTED_MS:
            return 0
        return measured

    def is_time_wrong(self) -> bool:
        """Whether requests are signed with a time that the venue refuses, or soon will."""
        left = int(self.options["timeDifference"]) - self.applied_time_difference()
        return abs(left) > TOLERATED_MS

    def measure_time_difference(
        self: Any, headers: Mapping[str, str] | None, request_headers: Mapping[str, str] | None
    ) -> None:
        """Take what an answer's headers say of the venue's time into `timeDifference`.

        :param request_headers: of a signed request they tell when it left; of others only that
            they waited no longer than ccxt's timeout
        """
        written = date_ms(headers)
        if written is None:
            return
        received = self.milliseconds()
        signed = (request_headers or {}).get("ACCESS-TIMESTAMP")
        sent = received - self.timeout
        if signed is not None:
            sent = max(int(signed) + self.applied_time_difference(), sent)
        self.options["timeDifference"] = difference(
            sent, received, written, int(self.options["timeDifference"])
        )


def difference(sent: int, received: int, written: int, before: int) -> int:
    """Ms that this machine is ahead, from one answer; `before` where it tells nothing new.

    :param sent: when the request left, by this machine, ms
    :param received: when the answer came, by this machine, ms
    :param written: the venue's time in it, ms, its second rounded down
    :param before: what was known before
    """
    lowest, highest = sent - written - 1000, received - written
    if not 0 <= received - sent <= LONGEST_SPAN_MS or lowest <= before <= highest:
        return before
    middle = (lowest + highest) // 2
    is_right = lowest <= 0 <= highest or abs(middle) <= NOTICED_MS
    return 0 if is_right else middle


def date_ms(headers: Mapping[str, str] | None) -> int | None:
    """Time of an answer in ms; None without one that was written for this answer."""
    given = {name.lower(): value for name, value in (headers or {}).items()}
    if "date" not in given or given.get("age", "0") != "0":
        return None
    try:
        date = parsedate_to_datetime(given["date"])
    except ValueError:
        return None
    return int(date.replace(tzinfo=date.tzinfo or UTC).timestamp() * 1000)
