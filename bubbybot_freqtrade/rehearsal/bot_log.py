"""freqtrade's log during a rehearsal: into a file, and the lines that matter into memory."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from types import TracebackType

from freqtrade.loggers import LOGFORMAT

_PAIR = re.compile(r"\b[A-Z0-9]+/[A-Z]+(?::[A-Z]+)?")

ALL_PAIRS = "*"


class BotLog(logging.Handler):
    """Takes the place of the root logger's handlers while it is entered.

    `errors` are the lines of level ERROR and above; `lines_about` finds what was said of a pair.
    """

    def __init__(self, path: Path) -> None:
        """Write to `path`."""
        super().__init__(logging.INFO)
        self._file = logging.FileHandler(path, encoding="utf-8", delay=True)
        self._file.setFormatter(logging.Formatter(LOGFORMAT))
        self.errors: list[str] = []
        self._of_pairs: list[tuple[int, str, str]] = []
        self._before: tuple[list[logging.Handler], int] | None = None

    def __enter__(self) -> BotLog:
        """Log to the file alone."""
        self._before = (list(logging.root.handlers), logging.root.level)
        logging.captureWarnings(True)
        self.attach()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give the root logger its handlers back."""
        logging.captureWarnings(False)
        if self._before is not None:
            logging.root.handlers, level = self._before
            logging.root.setLevel(level)
        self._file.close()

    def attach(self) -> None:
        """Be the only handler; freqtrade puts up its own when it reads a config."""
        logging.root.handlers = [self, self._file]
        logging.root.setLevel(logging.INFO)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep errors and lines that name a pair."""
        message = record.getMessage()
        if record.levelno >= logging.ERROR:
            self.errors.append(f"{record.name}: {message.splitlines()[0]}")
        named = set(_PAIR.findall(message)) or ({ALL_PAIRS} if "lock" in message else set())
        for pair in named:
            self._of_pairs.append((int(record.created * 1000), pair, message))

    def lines_about(self, pair: str, from_ms: int, to_ms: int) -> list[str]:
        """Messages that name `pair`, logged in [from_ms, to_ms).

        `ALL_PAIRS` finds those about locks that name none.
        """
        return [
            message
            for logged, name, message in self._of_pairs
            if name == pair and from_ms <= logged < to_ms
        ]
