"""One budget of requests for all programs of this machine that ask the same BloFin.

BloFin counts by address, and programs of one machine have one: five bots that keep to the limit
each for itself are shut out together. Each writes down when it sends, in a file that all of them
read. `time.monotonic` is the machine's own, the same in every process. Where there is no such file
(Windows has no `fcntl`), every program counts for itself.
"""

import logging
import os
import secrets
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)

Limits = tuple[tuple[float, int], ...]
"""Pairs of a window's length in seconds and the requests it may hold."""

KEPT_BESIDE_OTHERS = 0.1
"""Share of each limit that candles leave to orders and stops, of whichever program."""

LOCK_SECONDS = 2.0
"""A program that was halted in the middle must not halt the others: after so long they go on."""

ALONE_SECONDS = 30.0
"""Without the file, before they try again."""

LONGEST_PAUSE = 1.0
"""A place may come free before it was expected, so who waits looks again after so many seconds."""

FORGOTTEN_SECONDS = 3600.0

_ROW = np.dtype([("at", "f8"), ("program", "i8")])
# No process number: programs in containers have the same ones.
_OWN = secrets.randbits(62)


@dataclass(frozen=True, slots=True)
class _Sent:
    """What all programs have sent of late, held for this one alone."""

    file: int
    rows: npt.NDArray[np.void]

    @property
    def times(self) -> npt.NDArray[np.float64]:
        return self.rows["at"]

    @property
    def is_of_others(self) -> bool:
        return bool((self.rows["program"] != _OWN).any())

    def add(self, at: float) -> None:
        new = np.array([(at, _OWN)], _ROW)
        written = np.concatenate([self.rows, new]).tobytes()
        os.pwrite(self.file, written, 0)
        os.ftruncate(self.file, len(written))


class MachineBudget:
    """Places to send at, for every program of this user on this machine.

    :param venue: the address that is asked, and what is counted there
    :param limits: what its windows may hold
    """

    is_shared = True
    """False where time is not the machine's: a rehearsal's requests are nobody else's."""

    def __init__(self, venue: str, limits: Limits) -> None:
        self._name = sha256(venue.encode()).hexdigest()[:16]
        self._limits = limits
        self._longest = max(seconds for seconds, _ in limits)
        self._is_told = False
        self._alone_until = 0.0
        # This program's own, and who takes one now: several of its threads connect.
        self._turns: list[float] = []
        self._turn_taker = Lock()

    def claim(self, *, for_candles: bool = False) -> float:
        """Take a place for a request that is sent now.

        :param for_candles: leave room for orders and stops, as soon as there are other programs
        :return: 0, or the seconds after which to come again: then nothing was taken
        """
        with self._sent() as sent:
            if sent is None:
                return 0.0
            now = time.monotonic()
            kept = KEPT_BESIDE_OTHERS if for_candles and sent.is_of_others else 0.0
            waits = [
                _wait(sent.times, now, seconds, int(most * (1 - kept)))
                for seconds, most in self._limits
            ]
            if max(waits) <= 0:
                sent.add(now)
            return min(max(*waits, 0.0), LONGEST_PAUSE)

    def take_turn(self, after: float, apart: float) -> float:
        """Take a place that is so many seconds `apart` from all others; the seconds to it.

        :param after: seconds from now before which there is no use for one
        """
        with self._turn_taker, self._sent() as sent:
            now = time.monotonic()
            at = now + after
            others = [] if sent is None else sent.times.tolist()
            for taken in sorted([*self._turns, *others]):
                if abs(taken - at) < apart:
                    at = taken + apart
            self._turns = [*(taken for taken in self._turns if taken > now - apart), at]
            if sent is not None:
                sent.add(at)
            return at - now

    def free(self, kept: float) -> int | None:
        """Requests for candles that can be sent now; None where nothing is shared.

        :param kept: the share of each limit that the program would leave to its own orders
        """
        with self._sent() as sent:
            if sent is None:
                return None
            now = time.monotonic()
            kept = max(kept, KEPT_BESIDE_OTHERS) if sent.is_of_others else kept
            return min(
                int(most * (1 - kept)) - int((sent.times > now - seconds).sum())
                for seconds, most in self._limits
            )

    # The file

    @contextmanager
    def _sent(self) -> Iterator[_Sent | None]:
        file = self._locked_file()
        if file is None:
            yield None
            return
        try:
            size = os.fstat(file).st_size // _ROW.itemsize * _ROW.itemsize
            rows = np.frombuffer(os.pread(file, size, 0), _ROW)
            now = time.monotonic()
            # What lies far ahead was written before the machine was started anew.
            is_near = np.abs(rows["at"] - now) < self._longest
            yield _Sent(file, rows[is_near])
        finally:
            os.close(file)

    def _locked_file(self) -> int | None:
        if fcntl is None or not self.is_shared or time.monotonic() < self._alone_until:
            return None
        try:
            file = os.open(_folder() / self._name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            self._tell(str(error))
            return None
        if _lock(file):
            return file
        os.close(file)
        self._alone_until = time.monotonic() + ALONE_SECONDS
        self._tell("another program does not let go of the file")
        return None

    def _tell(self, why: str) -> None:
        if not self._is_told:
            self._is_told = True
            logger.warning(
                "Requests of this machine's programs are not counted together: this one keeps to "
                f"BloFin's limits for itself alone ({why})."
            )


def _wait(times: npt.NDArray[np.float64], now: float, seconds: float, most: int) -> float:
    """Seconds until a window of so many seconds has room for another; 0 or less when it has."""
    if len(times) < most:
        return 0.0
    return max(float(np.sort(times)[-most]) + seconds - now, 0.0)


def _lock(file: int) -> bool:
    until = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(0.001)
        else:
            return True


def _folder() -> Path:
    """Where the files are: one folder a user, which nobody else can write to.

    :raises OSError: when it can't be made, or is somebody else's.
    """
    folder = Path(tempfile.gettempdir(), f"bubbybot-requests-{os.getuid()}")
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise PermissionError(f"{folder} is not this user's folder") from None
    return folder


def forget_old_files() -> None:
    """Remove the files of venues that nobody has asked for an hour."""
    if fcntl is None:
        return
    with suppress(OSError):  # another program may be just as tidy
        for file in _folder().iterdir():
            if time.time() - file.stat().st_mtime > FORGOTTEN_SECONDS:
                file.unlink()
