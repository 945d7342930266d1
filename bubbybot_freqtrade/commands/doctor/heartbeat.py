"""When a bot was last alive: with `--logfile`, freqtrade writes a heartbeat each minute.

The heartbeat comes from the thread that trades. A bot that hangs there may still answer on Telegram
and REST, and write other lines.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bubbybot_freqtrade.commands.doctor.findings import Finding, ok, problem

HUNG_AFTER = timedelta(minutes=10)
"""A loop takes seconds; the first one, with all candles to load, some minutes at most."""

# freqtrade.worker, by freqtrade's own log format.
_SIGN = re.compile(
    r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),\d+ - freqtrade\.worker - INFO - "
    r"(?:Bot heartbeat\. .*state='(\w+)'|(Starting) worker )",
    re.MULTILINE,
)
# Far more than a bot writes between two heartbeats, also with -vv.
_TAIL_BYTES = 4_000_000


def bot(logfile: Path) -> Iterator[Finding]:
    """Does the bot that writes this log still work, or does it hang?"""
    try:
        sign = last_sign_of_life(logfile)
    except OSError as error:
        yield problem(
            "bot",
            f"{logfile} cannot be read ({error.strerror}).",
            "Start the bot with --logfile, and give the same file here.",
        )
        return
    if sign is None:
        yield problem(
            "bot",
            f"{logfile} has no heartbeat of a bot.",
            "Start it with this --logfile; internals.heartbeat_interval must not be 0.",
        )
        return
    minutes = sign.age(datetime.now(UTC)) / timedelta(minutes=1)
    if minutes > HUNG_AFTER / timedelta(minutes=1):
        yield problem(
            "bot",
            f"Its last sign of life is {minutes:.0f} minutes old ({logfile}): it hangs or has "
            "ended.",
            "Start it again; stops and targets stand on BloFin meanwhile.",
        )
    else:
        yield ok("bot", f"Alive {max(minutes, 0) * 60:.0f} s ago, {sign.state}.")


@dataclass(frozen=True, slots=True)
class SignOfLife:
    """The newest heartbeat, or the start when there was none since: when, and the bot's state.

    at: as the log has it, this machine's local time without a zone.
    """

    at: datetime
    state: str

    def age(self, now: datetime) -> timedelta:
        """How long before `now`, also where the clock has been changed since.

        An hour that the clock repeats in autumn may be the first or the second one: the later that
        isn't ahead of `now`.
        """
        moments = [self.at.replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
        past = [moment for moment in moments if moment <= now + timedelta(minutes=1)]
        return now - max(past, default=min(moments))


def last_sign_of_life(logfile: Path) -> SignOfLife | None:
    """The newest sign of life in a log, or in the one before it that freqtrade has put aside.

    :raises OSError: when the log cannot be read.
    """
    for file in (logfile, logfile.with_name(f"{logfile.name}.1")):
        if file == logfile or file.exists():
            found = _SIGN.findall(_tail(file))
            if found:
                moment, state, started = found[-1]
                return SignOfLife(datetime.fromisoformat(moment), (state or started).lower())
    return None


def _tail(file: Path) -> str:
    with file.open("rb") as log:
        log.seek(max(0, file.stat().st_size - _TAIL_BYTES))
        return log.read().decode(errors="replace")
