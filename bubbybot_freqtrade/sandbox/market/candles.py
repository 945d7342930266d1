"""Candles as the sandbox holds them, and freqtrade data folders as a source of them.

Inside the sandbox prices are whole numbers of ticks and volumes whole numbers of lots, so that
sums and comparisons are exact; they become decimals at the door. Everything the market does is
derived from a gapless row of one-minute candles. A folder that has only coarser ones gets its
minutes from `paths.minutes_inside`, which fold back to exactly the candles of the file.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import paths
from .instruments import Instrument, instrument, instrument_at_price
from .paths import DAY_MS, HOUR_MS, MINUTE_MS, Minutes

logger = logging.getLogger(__name__)

# Coarser files say too little about the way to be played minute by minute.
_DURATIONS = {
    "1m": MINUTE_MS,
    "3m": 3 * MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": HOUR_MS,
    "2h": 2 * HOUR_MS,
    "4h": 4 * HOUR_MS,
    "6h": 6 * HOUR_MS,
    "8h": 8 * HOUR_MS,
    "12h": 12 * HOUR_MS,
    "1d": DAY_MS,
}
_NAME = re.compile(
    r"(?P<pair>.+)-(?P<timeframe>\d+[a-zA-Z]+)-(?P<kind>futures|mark|funding_rate)"
    r"(?P<suffix>\.feather|\.parquet|\.json|\.json\.gz)"
)
_COLUMNS = ["date", "open", "high", "low", "close", "volume"]
_FINEST_DECIMALS = 12


class DataFolderError(ValueError):
    """A data folder, or a file of it, that cannot be played; the message names it."""


@dataclass(frozen=True, slots=True)
class PriceBars:
    """Candles without volume in ticks, `start` (ms) ascending, each `duration_ms` long."""

    duration_ms: int
    start: NDArray[np.int64]
    open: NDArray[np.int64]
    high: NDArray[np.int64]
    low: NDArray[np.int64]
    close: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FundingHistory:
    """Settled funding rates: settlement times in ms ascending, rates as fractions."""

    time: NDArray[np.int64]
    rate: NDArray[np.float64]


class CandleSource(Protocol):
    """What a market is made from: a folder of real candles, or a generator."""

    instruments: dict[str, Instrument]
    seed: int

    def span(self, inst_id: str) -> tuple[int, int | None]:
        """First ms of data and the ms after the last; None when it goes on for ever."""
        ...

    def minutes(self, inst_id: str, from_ms: int, to_ms: int) -> Minutes:
        """Every minute with from_ms <= start < to_ms that lies in the span."""
        ...

    def mark_bars(self, inst_id: str) -> PriceBars | None:
        """Recorded mark prices, when the source has any."""
        ...

    def funding(self, inst_id: str) -> FundingHistory | None:
        """Recorded funding rates, when the source has any."""
        ...


class _Recorded(NamedTuple):
    """Candles of a file: times in ms ascending, values one row per column."""

    times: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Series:
    """The candles of one file, gapless from `start_ms`."""

    duration_ms: int
    start_ms: int
    bars: NDArray[np.int64]  # open, high, low, close in ticks, volume in lots: shape (5, n)

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.duration_ms * self.bars.shape[1]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The part of the time line that one series is played for."""

    series: _Series
    start_ms: int
    end_ms: int


class CandleFolder:
    """A freqtrade data folder as a source of candles.

    path: the folder that holds `BASE_QUOTE_SETTLE-TIMEFRAME-futures.feather` (or `.parquet`,
        `.json`, `.json.gz`), or its parent with the usual `futures` folder in it.
    pairs: instruments to load (`BTC-USDT`); all that the folder has when left out.
    seed: decides the way through candles that are coarser than a minute.

    Per pair the finest timeframe is played; coarser files take over before its beginning and after
    its end. Missing candles become flat ones without volume. Ticks and lots are those of the known
    contract, or finer where the file's prices need it. DataFolderError for what cannot be played.
    """

    def __init__(
        self, path: str | Path, *, pairs: Sequence[str] | None = None, seed: int = 0
    ) -> None:
        """Read the files. DataFolderError names the folder or file that is at fault."""
        self.path = Path(path)
        self.seed = seed
        files = _files_of(self.path)
        self.instruments: dict[str, Instrument] = {}
        self._stretches: dict[str, list[_Stretch]] = {}
        self._mark: dict[str, PriceBars] = {}
        self._funding: dict[str, FundingHistory] = {}
        for inst_id in _chosen(pairs, files, self.path):
            self._load(inst_id, files[inst_id])
        self._coarse_day = lru_cache(maxsize=64)(self._minutes_of_day)

    def span(self, inst_id: str) -> tuple[int, int | None]:
        """First ms of data and the ms after the last."""
        stretches = self._stretches[inst_id]
        return stretches[0].start_ms, stretches[-1].end_ms

    def minutes(self, inst_id: str, from_ms: int, to_ms: int) -> Minutes:
        """Every minute with from_ms <= start < to_ms that lies in the span."""
        parts = []
        for index, stretch in enumerate(self._stretches[inst_id]):
            start, end = max(from_ms, stretch.start_ms), min(to_ms, stretch.end_ms)
            if start >= end:
                continue
            series = stretch.series
            if series.duration_ms == MINUTE_MS:
                parts.append(Minutes(series.start_ms, series.bars).cut(start, end))
            else:
                days = range(start // DAY_MS, -(-end // DAY_MS))
                parts += [self._coarse_day(inst_id, index, day).cut(start, end) for day in days]
        return Minutes.join(parts)

    def mark_bars(self, inst_id: str) -> PriceBars | None:
        """The finest mark price file of the pair."""
        return self._mark.get(inst_id)

    def funding(self, inst_id: str) -> FundingHistory | None:
        """The funding rate file of the pair."""
        return self._funding.get(inst_id)

    def _minutes_of_day(self, inst_id: str, index: int, day: int) -> Minutes:
        """The minutes inside the coarse candles of one UTC day, of one stretch."""
        stretch = self._stretches[inst_id][index]
        series = stretch.series
        start = max(day * DAY_MS, stretch.start_ms)
        end = min((day + 1) * DAY_MS, stretch.end_ms)
        first = (start - series.start_ms) // series.duration_ms
        last = (end - series.start_ms) // series.duration_ms
        return paths.minutes_inside(
            start, series.duration_ms, series.bars[:, first:last], paths.salt(self.seed, inst_id)
        )

    def _load(self, inst_id: str, files: dict[tuple[str, int], Path]) -> None:
        recorded = {
            duration: _recorded(file, duration, _COLUMNS[1:])
            for (kind, duration), file in sorted(files.items())
            if kind == "futures"
        }
        contract = _contract_for(inst_id, recorded)
        series = [_series(*each, duration, contract) for duration, each in recorded.items()]
        self._stretches[inst_id] = _timeline(series, inst_id)
        self.instruments[inst_id] = replace(
            contract, list_time=min(contract.list_time, self._stretches[inst_id][0].start_ms)
        )
        mark = sorted(key for key in files if key[0] == "mark")
        if mark:
            self._mark[inst_id] = _price_bars(files[mark[0]], mark[0][1], contract)
        funding = sorted(key for key in files if key[0] == "funding_rate")
        if funding:
            self._funding[inst_id] = _funding_history(files[funding[0]])


def _files_of(path: Path) -> dict[str, dict[tuple[str, int], Path]]:
    """Per instrument the playable files by (kind, duration in ms)."""
    folder = path / "futures" if (path / "futures").is_dir() else path
    if not folder.is_dir():
        raise DataFolderError(f"{path}: no such folder; give one that freqtrade downloaded into")
    found: dict[str, dict[tuple[str, int], Path]] = {}
    too_coarse = []
    for file in sorted(folder.iterdir()):
        match = _NAME.fullmatch(file.name)
        if match is None or match["pair"].count("_") < 2:
            continue
        if match["timeframe"] not in _DURATIONS:
            too_coarse.append(file.name)
            continue
        base, quote, _ = match["pair"].rsplit("_", 2)
        key = (match["kind"], _DURATIONS[match["timeframe"]])
        found.setdefault(f"{base}-{quote}", {}).setdefault(key, file)
    playable = {
        inst_id: files
        for inst_id, files in found.items()
        if any(kind == "futures" for kind, _ in files)
    }
    if not playable:
        reason = f" (too coarse: {', '.join(too_coarse)})" if too_coarse else ""
        raise DataFolderError(
            f"{path}: no futures candles in it{reason}; expected files like "
            "futures/BTC_USDT_USDT-1m-futures.feather, as `freqtrade download-data` writes them"
        )
    return playable


def _chosen(
    pairs: Sequence[str] | None, files: dict[str, dict[tuple[str, int], Path]], path: Path
) -> list[str]:
    if pairs is None:
        return list(files)
    missing = [pair for pair in pairs if pair not in files]
    if missing or not pairs:
        raise DataFolderError(
            f"{path}: no candles for {', '.join(missing) or 'an empty list of pairs'}; "
            f"it has {', '.join(files)}"
        )
    return list(pairs)


def _read(file: Path) -> pd.DataFrame:
    """The frame of one file, ascending and free of duplicates."""
    try:
        if file.suffix == ".feather":
            frame = pd.read_feather(file)
        elif file.suffix == ".parquet":
            frame = pd.read_parquet(file)
        else:
            frame = pd.read_json(file, orient="values")
            frame = frame.set_axis(_COLUMNS[: frame.shape[1]], axis=1)
            frame["date"] = pd.to_datetime(frame["date"], unit="ms", utc=True)
    except (OSError, ValueError, ImportError, json.JSONDecodeError) as error:
        raise DataFolderError(f"{file}: cannot be read ({error}); download it again") from error
    if frame.empty:
        raise DataFolderError(f"{file}: has no rows; download it again")
    if "date" not in frame.columns or not pd.api.types.is_datetime64_any_dtype(frame["date"]):
        raise DataFolderError(f"{file}: has no column date with times in it; download it again")
    return frame.drop_duplicates("date", keep="last").sort_values("date", ignore_index=True)


def _times(frame: pd.DataFrame) -> NDArray[np.int64]:
    return frame["date"].dt.as_unit("ms").astype("int64").to_numpy()


def _contract_for(inst_id: str, recorded: dict[int, _Recorded]) -> Instrument:
    """The known contract, with a tick fine enough for the prices of the files."""
    duration = min(recorded)
    # The first day stands for all: what comes later must not decide what the contract is.
    day = recorded[duration].values[:, : DAY_MS // duration]
    price = float(np.median(day[3]))
    contract = instrument(inst_id)
    if not 0.1 < price / float(contract.profile.price) < 10:
        contract = instrument_at_price(inst_id, price)
    decimals = max(_decimals(each.values[:4]) for each in recorded.values())
    turnover = float((day[3] * day[4]).mean()) * DAY_MS / duration
    profile = replace(
        contract.profile,
        price=Decimal(f"{price:.5g}"),
        daily_turnover=Decimal(max(round(turnover), 1)),
    )
    tick = min(contract.tick_size, Decimal(1).scaleb(-decimals))
    return replace(contract, tick_size=tick, profile=profile)


def _decimals(prices: NDArray[np.float64]) -> int:
    """How many decimals it takes to write these prices."""
    for decimals in range(_FINEST_DECIMALS):
        scaled = prices * 10.0**decimals
        if np.all(np.abs(scaled - np.rint(scaled)) <= 1e-9 * np.maximum(np.abs(scaled), 1.0)):
            return decimals
    return _FINEST_DECIMALS


def _columns(frame: pd.DataFrame, columns: list[str], file: Path) -> NDArray[np.float64]:
    """These columns as rows of numbers."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise DataFolderError(f"{file}: has no column {missing[0]}; download it again")
    try:
        return frame[columns].to_numpy(np.float64).T
    except (TypeError, ValueError) as error:
        raise DataFolderError(f"{file}: holds more than numbers; download it again") from error


def _recorded(file: Path, duration_ms: int, columns: list[str]) -> _Recorded:
    """The validated candles of a file; DataFolderError says what is wrong with which."""
    frame = _read(file)
    recorded = _Recorded(_times(frame), _columns(frame, columns, file))
    _check(recorded, duration_ms, file)
    return recorded


def _series(
    times: NDArray[np.int64], values: NDArray[np.float64], duration_ms: int, contract: Instrument
) -> _Series:
    """Candles in ticks and lots, gaps filled with flat ones."""
    lot = contract.lot_size * contract.contract_value
    ticks = np.rint(values[:4] / float(contract.tick_size)).astype(np.int64)
    lots = np.rint(values[4] / float(lot)).astype(np.int64)
    at = (times - times[0]) // duration_ms
    filled = np.maximum.accumulate(_last_known(at))
    bars = np.empty((5, len(filled)), np.int64)
    bars[:4] = np.where(_known(at), ticks[:, filled], ticks[3, filled])
    bars[4] = np.where(_known(at), lots[filled], 0)
    return _Series(duration_ms, int(times[0]), bars)


def _known(at: NDArray[np.int64]) -> NDArray[np.bool_]:
    known = np.zeros(at[-1] + 1, bool)
    known[at] = True
    return known


def _last_known(at: NDArray[np.int64]) -> NDArray[np.int64]:
    rows = np.zeros(at[-1] + 1, np.int64)
    rows[at] = np.arange(len(at))
    return rows


def _check(recorded: _Recorded, duration_ms: int, file: Path) -> None:
    times, values = recorded
    open_, high, low, close = values[:4]
    with np.errstate(invalid="ignore"):
        faults = {
            "a candle that does not start on its timeframe": times % duration_ms != 0,
            "a missing number": ~np.isfinite(values).all(axis=0),
            "a price that is not positive": low <= 0,
            "a high or low that its open or close lies outside of": (
                (high < np.maximum(open_, close)) | (low > np.minimum(open_, close))
            ),
            "a negative volume": (values[4:] < 0).any(axis=0),
        }
    for fault, rows in faults.items():
        if rows.any():
            when = pd.Timestamp(int(times[rows.argmax()]), unit="ms", tz="UTC")
            raise DataFolderError(f"{file}: {fault} at {when:%Y-%m-%d %H:%M}; download it again")


def _timeline(series: list[_Series], inst_id: str) -> list[_Stretch]:
    """Who is played when: the finest where it is, coarser ones around it, on whole candles."""
    line = [_Stretch(series[0], series[0].start_ms, series[0].end_ms)]
    for coarse in series[1:]:
        start, end = line[0].start_ms, line[-1].end_ms
        if coarse.end_ms < start or coarse.start_ms > end:
            logger.warning(
                "%s: candles of %d minutes are left out, a gap parts them from the finer ones",
                inst_id,
                coarse.duration_ms // MINUTE_MS,
            )
            continue
        if coarse.start_ms < start:
            border = min(-(-start // coarse.duration_ms) * coarse.duration_ms, coarse.end_ms)
            line = [_Stretch(coarse, coarse.start_ms, border), *_from(line, border)]
        if coarse.end_ms > end:
            border = max(end // coarse.duration_ms * coarse.duration_ms, coarse.start_ms)
            line = [*_until(line, border), _Stretch(coarse, border, coarse.end_ms)]
    return line


def _from(line: list[_Stretch], border: int) -> list[_Stretch]:
    kept = [replace(part, start_ms=max(part.start_ms, border)) for part in line]
    return [part for part in kept if part.start_ms < part.end_ms]


def _until(line: list[_Stretch], border: int) -> list[_Stretch]:
    kept = [replace(part, end_ms=min(part.end_ms, border)) for part in line]
    return [part for part in kept if part.start_ms < part.end_ms]


def _price_bars(file: Path, duration_ms: int, contract: Instrument) -> PriceBars:
    times, values = _recorded(file, duration_ms, _COLUMNS[1:5])
    ticks = np.rint(values / float(contract.tick_size)).astype(np.int64)
    return PriceBars(duration_ms, times, ticks[0], ticks[1], ticks[2], ticks[3])


def _funding_history(file: Path) -> FundingHistory:
    frame = _read(file)
    # freqtrade keeps the rate in a column of its own; until 2026 it was in `open`.
    column = "funding_rate" if "funding_rate" in frame.columns else "open"
    rates = _columns(frame, [column], file)[0]
    if not np.isfinite(rates).all():
        raise DataFolderError(f"{file}: a rate is not a number; download it again")
    # Exchanges report the settlement a few ms after the hour.
    return FundingHistory(_times(frame) // HOUR_MS * HOUR_MS, rates)
