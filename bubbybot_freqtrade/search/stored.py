"""Analyzed candles on disk, some rows of them in memory.

The file has no name: it is gone with the process that made it, however that ends. `TMPDIR` says on
which disk it is.
"""

import os
import pickle
import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

FRAME_BLOCK = 1000
"""Rows of a frame that are read at once: what freqtrade shows a strategy's callback at most."""

ROWS_BLOCK = 256
"""Rows that freqtrade's loop goes through, as Python's objects, which are five times as large."""


class Store:
    """A file of frames, for as long as somebody holds it."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="bubbybot-candles-")  # noqa: SIM115

    def put(self, frame: pd.DataFrame) -> tuple[int, int]:
        """Write a frame; where it is.

        :raises OSError: when the disk is full
        """
        content = pickle.dumps(frame, protocol=pickle.HIGHEST_PROTOCOL)
        start = self._file.seek(0, os.SEEK_END)
        self._file.write(content)
        self._file.flush()
        return start, len(content)

    def get(self, place: tuple[int, int]) -> pd.DataFrame:
        """The frame of a place that `put` has returned."""
        self._file.seek(place[0])
        # Nobody but this process can have written there.
        frame: pd.DataFrame = pickle.loads(self._file.read(place[1]))  # noqa: S301
        return frame


class StoredFrame:
    """A frame in a store, in blocks of rows. Of pandas' it has what freqtrade's callbacks ask."""

    def __init__(self, store: Store, frame: pd.DataFrame, block: int = FRAME_BLOCK) -> None:
        self._store = store
        self._block = block
        self._length = len(frame)
        starts = range(0, max(len(frame), 1), block)
        self._places = [store.put(frame.iloc[start : start + block]) for start in starts]
        self._latest: tuple[slice, pd.DataFrame] | None = None

    def __len__(self) -> int:
        """Its rows."""
        return self._length

    @property
    def iloc(self) -> "StoredFrame":
        """Itself: `frame.iloc[first:end]` reads these rows."""
        return self

    def __getitem__(self, rows: slice) -> pd.DataFrame:
        """Rows by their place, without a step."""
        # An entry's callbacks ask for the same rows one after the other.
        if self._latest is None or self._latest[0] != rows:
            first, end, _ = rows.indices(self._length)
            self._latest = rows, self._read(first, end)
        return self._latest[1].copy()

    def read(self) -> pd.DataFrame:
        """All of it."""
        return self._read(0, self._length)

    def _read(self, first: int, end: int) -> pd.DataFrame:
        blocks = range(first // self._block, max(end - 1, first) // self._block + 1)
        frames = [self._store.get(self._places[number]) for number in blocks]
        joined = frames[0] if len(frames) == 1 else pd.concat(frames)
        offset = blocks.start * self._block
        return joined.iloc[first - offset : end - offset]


class StoredRows(Sequence[list[Any]]):
    """A frame's rows as freqtrade's loop reads them: lists, one after the other."""

    def __init__(self, store: Store, rows: list[list[Any]], columns: Sequence[str]) -> None:
        made = {
            name: _column(list(v)) for name, v in zip(columns, zip(*rows, strict=True), strict=True)
        }
        self._frame = StoredFrame(store, pd.DataFrame(made), ROWS_BLOCK)
        self._first = 0
        self._rows: list[list[Any]] = []

    def __len__(self) -> int:
        return len(self._frame)

    def __getitem__(self, number: Any) -> Any:
        """A row by its place, from the end too.

        :raises IndexError: when there is none
        """
        at = number - self._first
        if not 0 <= at < len(self._rows):
            at = self._go_to(number)
        return self._rows[at]

    def _go_to(self, number: int) -> int:
        row = number + len(self) if number < 0 else number
        if not 0 <= row < len(self):
            raise IndexError(number)
        self._first = row // ROWS_BLOCK * ROWS_BLOCK
        block = self._frame.iloc[self._first : self._first + ROWS_BLOCK]
        self._rows = block.to_numpy().tolist()
        return row - self._first


def _column(values: list[Any]) -> Any:
    """Without a guess by pandas, which makes texts of its own kind of them, and NaN of None."""
    kinds = {type(value) for value in values}
    if kinds == {pd.Timestamp}:
        return pd.DatetimeIndex(values)
    if kinds in ({float}, {int}):
        return np.array(values)
    return pd.Series(values, dtype=object)
