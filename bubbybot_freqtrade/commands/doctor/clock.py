"""This machine's clock beside the venue's."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import requests

from bubbybot_freqtrade.commands.doctor.findings import Finding, note, ok, problem

TIMEOUT_S = 10
CLOCK_REFUSED_S = 60.0
CLOCK_NOTED_S = 5.0


def clock(url: str) -> Iterator[Finding]:
    """This machine's time beside the Date header of the venue at `url`."""
    offset = clock_offset(url)
    mend = "Synchronise the clock (NTP, e.g. timedatectl set-ntp true)."
    if offset is None:
        yield note("clock", f"{url} tells no time: this machine's clock was not compared.")
    elif abs(offset) > CLOCK_REFUSED_S / 2:
        yield problem(
            "clock", f"{offset:+.0f} s off; BloFin refuses {CLOCK_REFUSED_S:.0f} s and more.", mend
        )
    elif abs(offset) > CLOCK_NOTED_S:
        yield note("clock", f"{offset:+.0f} s off.", mend)
    else:
        yield ok("clock", f"Within {CLOCK_NOTED_S:.0f} s of BloFin's.")


def clock_offset(url: str) -> float | None:
    """Seconds that this machine's clock is ahead of the server's; None where it tells no time:
    without a Date header, or with a redirect to another server, whose time is not BloFin's.

    :raises requests.RequestException: when the server does not answer.
    """
    asked = datetime.now(UTC)
    path = "/api/v1/market/tickers?instId=BTC-USDT"
    answer = requests.get(f"{url}{path}", timeout=TIMEOUT_S, allow_redirects=False)
    answered = datetime.now(UTC)
    if answer.is_redirect or "Date" not in answer.headers:
        return None
    # The header has whole seconds, rounded down.
    server = parsedate_to_datetime(answer.headers["Date"]) + timedelta(seconds=0.5)
    return (asked + (answered - asked) / 2 - server).total_seconds()
