"""
The parts of an analyzer: only those run that make the columns asked for, and what they need.

An analyzer lists its parts in `PARTS` (its `columns.py`): functions of a `Work` and the columns
that each makes. What a part needs it asks the work for: another part's result with `work.of(part)`,
a column with `work["fc_poc"]`. Each is computed when it is first asked for, and once.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar, cast

import numpy.typing as npt
import pandas as pd

from bubbybot_freqtrade.analyzers.candles import Candles, read_candles, with_columns

Column = npt.NDArray[Any]
S = TypeVar("S")
T = TypeVar("T")


class Part(NamedTuple):
    """A function of the work, and the names of the columns that it makes, in its result's order."""

    make: Callable[[Any], Sequence[Column]]
    columns: tuple[str, ...]


class Work(Mapping[str, Column], Generic[S]):
    """One frame's candles and settings, and all that was made of them, by column and by part."""

    def __init__(
        self, candles: Candles, dates: pd.Series, settings: S, parts: Iterable[Part]
    ) -> None:
        self.candles = candles
        self.dates = dates
        self.settings = settings
        self._parts = {name: part for part in parts for name in part.columns}
        self._made: dict[Callable[[Any], Any], Any] = {}

    def of(self, make: Callable[[Work[S]], T]) -> T:
        """What `make` returns for this work; it is called once."""
        if make not in self._made:
            self._made[make] = make(self)
        return cast(T, self._made[make])

    def made(self) -> frozenset[str]:
        """The columns of all parts that have run."""
        return frozenset(name for name, part in self._parts.items() if part.make in self._made)

    def __getitem__(self, column: str) -> Column:
        """The column's array, whichever part makes it."""
        part = self._parts[column]
        return self.of(part.make)[part.columns.index(column)]

    def __iter__(self) -> Iterator[str]:
        """The names of all columns."""
        return iter(self._parts)

    def __len__(self) -> int:
        """How many columns there are."""
        return len(self._parts)


def names_of(parts: Iterable[Part]) -> tuple[str, ...]:
    """Every column of the parts, in order."""
    return tuple(name for part in parts for name in part.columns)


def populate_parts(
    dataframe: pd.DataFrame, settings: Any, parts: Sequence[Part], columns: Iterable[str] | None
) -> pd.DataFrame:
    """
    Add the `columns` of these parts to freqtrade's candles, in the parts' order; None adds all.

    :raises CandleError: the candles cannot be read (see `read_candles`).
    :raises ValueError: a column that none of the parts makes.
    """
    wanted = _wanted(names_of(parts), columns)
    work = Work(read_candles(dataframe), dataframe["date"], settings, parts)
    return with_columns(dataframe, {name: work[name] for name in wanted})


def _wanted(known: tuple[str, ...], columns: Iterable[str] | None) -> Iterable[str]:
    if columns is None:
        return known
    asked = {columns} if isinstance(columns, str) else set(columns)
    for name in sorted(asked.difference(known), key=str):
        near = difflib.get_close_matches(str(name), known)
        hint = f"near: {', '.join(near)}" if near else "`COLUMNS` lists them"
        raise ValueError(f"The analyzer has no column {name!r} ({hint}).")
    return [name for name in known if name in asked]
