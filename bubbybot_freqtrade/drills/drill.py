"""What every drill is given, and what it has to show for itself."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from bubbybot_freqtrade.drills.desk import Desk

# freqtrade waits 30 s after a request that failed, and an order whose answer is lost is given a
# minute to arrive.
SETTLING_LOOPS, SETTLING_MINUTES = 3, 1.2


@dataclass(slots=True)
class Figures:
    """What a drill did and what came of it; `broken` in sentences, empty when every law held.

    pushes: of an account, to bots that listened. heard_at: of the desks, those that had any.
    bare_ms: of stops that the owner or the venue took, how long a bot took for another one.
    """

    name: str
    requests: int = 0
    faults: int = 0
    kills: int = 0
    inputs: int = 0
    bare: int = 0
    duplicates: int = 0
    orphans: int = 0
    secrets: int = 0
    pushes: int = 0
    heard_at: int = 0
    bare_ms: list[int] = field(default_factory=list)
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Run:
    """One run of one drill.

    kills, steps, minutes, pairs: how many of them, where a drill has any. cases: which of its
    cases, by name. account_stream: whether its bots listen to their account. readings: of the
    venue's open questions, where a case has none of its own.
    new_database: makes an empty one for each bot and tells its address; SQLite files without it.
    say: told of progress, a line at a time.
    """

    name: str
    folder: Path
    seed: int = 1
    kills: int = 200
    steps: int = 2000
    minutes: int = 1440
    pairs: int = 40
    cases: Callable[[str], bool] = lambda _: True
    readings: Mapping[str, Any] = field(default_factory=dict)
    account_stream: bool = False
    new_database: Callable[[], str] | None = None
    say: Callable[[str], None] = lambda _: None
    figures: Figures = field(init=False)
    _desks: int = 0

    def __post_init__(self) -> None:
        """Begin with nothing done."""
        self.figures = Figures(self.name)

    @contextmanager
    def desk(self, *args: Any, **settings: Any) -> Iterator[Desk]:
        """A desk whose doings count for this drill; see `Desk` for the settings."""
        self._desks += 1
        settings = {"account_stream": self.account_stream, **self.readings, **settings}
        if self.new_database is not None:
            settings["config"] = {"db_url": self.new_database(), **settings.get("config", {})}
        desk = Desk(self.folder / f"{self.name}-{self._desks}", *args, **settings)
        with desk:
            yield desk
            self.count(desk)
        secrets = desk.secrets_told()
        self.figures.secrets += len(secrets)
        self.figures.broken += secrets

    def count(self, desk: Desk) -> None:
        """Add up what was done at a desk."""
        self.figures.requests += sum(desk.watch.requests.values())
        self.figures.faults += sum(desk.watch.faults.values())
        self.figures.bare += desk.watch.bare_count
        self.figures.pushes += desk.sandbox.streams.private_pushes
        self.figures.heard_at += desk.sandbox.streams.private_pushes > 0
        self.figures.bare_ms += desk.watch.bare_ms

    def check(self, desk: Desk, case: str, *, books: bool = True) -> None:
        """The laws, after a case: what was broken since the last check, and the books.

        books: False where a position is not the trade's alone, so that its money can't be either.
        """
        audit = desk.audit()
        if not books:
            audit.ledgers.clear()
        self.figures.inputs += 1
        self.figures.duplicates += len(audit.duplicates)
        self.figures.orphans += len(audit.orphans)
        stopped = [desk.stopped] if desk.stopped else []
        for what in (*desk.watch.broken, *audit.broken, *stopped):
            self.figures.broken.append(f"{case}: {what}")
        desk.watch.broken.clear()

    def tell_pushes(self) -> None:
        """How much its bots heard: one that never connected would hold all laws by asking."""
        if self.figures.pushes:
            where = f"at {self.figures.heard_at} of {self._desks} desks"
            self.figures.notes.append(f"{self.figures.pushes:,} pushes of accounts, {where}")
        elif self.account_stream:
            silent = "its bots should have listened, and nothing was pushed to them"
            self.figures.broken.append(silent)

    def tell_bare(self) -> None:
        """How long positions were bare whose stop the owner or the venue took."""
        if self.figures.bare_ms:
            median, most = statistics.median(self.figures.bare_ms), max(self.figures.bare_ms)
            self.figures.notes.append(
                f"{len(self.figures.bare_ms):,} stops taken by the owner or the venue, another one "
                f"after {median:,.0f} ms (median), {most:,} at most"
            )

    def must(self, holds: bool, case: str, otherwise: str) -> None:
        """Something a case demands besides the laws."""
        if not holds:
            self.figures.broken.append(f"{case}: {otherwise}")


def settle(desk: Desk) -> None:
    """No more faults, and time enough for the bot to find out where it stands."""
    desk.calm()
    desk.loop()
    desk.loop(SETTLING_LOOPS, minutes=SETTLING_MINUTES)
    # In the sleep after a loop the market goes on; the books are compared before.
    desk.loop(sleep_after=False)


def leave(desk: Desk) -> None:
    """Close every trade, as `/forceexit all`."""
    desk.exit()
    desk.loop(2)


@contextmanager
def timed(figures: Figures) -> Iterator[None]:
    """Note how long it took."""
    begin = perf_counter()
    yield
    figures.seconds += perf_counter() - begin


def spread(counts: Counter[str]) -> str:
    """Counts in words, the most frequent first."""
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())
