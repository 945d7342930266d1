"""Candles of hundreds of pairs on disk: a bot that starts again asks for those that are missing.

Three series of 400 pairs are 1,200 requests, most of what BloFin allows in five minutes. They are
kept in freqtrade's own format, in a folder of their own: `download-data` and backtests go by the
beginning and the end of a file, and must not meet one that a bot has cut to what it needs.

Nothing is believed for being there. A file is taken as a whole or not at all, and none of them
before those of some pairs were seen to be what the venue says now. All of them are compared with
the venue's candles later, when there is time (`candle_checks`).
"""

import logging
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from freqtrade.constants import PairWithTimeframe
from freqtrade.enums import CandleType
from freqtrade.exchange.exchange import Exchange
from freqtrade.exchange.exchange_utils_timeframe import timeframe_to_msecs, timeframe_to_prev_date
from freqtrade.misc import pair_to_filename
from freqtrade.util import dt_ts
from pandas import DataFrame, DatetimeTZDtype, read_feather
from pyarrow import ArrowException

from bubbybot_freqtrade.blofin.exchange.candle_checks import VALUES, differs
from bubbybot_freqtrade.blofin.exchange.made_candles import is_made_of, length_at_start
from bubbybot_freqtrade.blofin.exchange.tiers import LEFT_SECONDS, venue_name

if TYPE_CHECKING:
    from freqtrade.data.history.datahandlers.idatahandler import IDataHandler

logger = logging.getLogger(__name__)

FOLDER = "kept_candles"
"""Below freqtrade's data folder; in it a folder for each venue: live, demo, a sandbox."""

MAX_AGE = timedelta(days=1)
"""Since a series' newest candle. The venue may have corrected what is older."""

PROOFS = 15
"""Pairs whose candles the venue is asked for before any file is believed: as many as at once."""

SAVED_A_LOOP = 40
"""Series written in a loop, 5 ms each. The rest is for the loops after it."""

ASIDE = "new-"

Series = dict[PairWithTimeframe, DataFrame]
Fetch = Callable[[list[PairWithTimeframe]], Series]


class KeptCandles:
    """The candles of a bot, in files.

    :param traded: timeframe that pairs are traded by
    """

    def __init__(self, exchange: Exchange, traded: str) -> None:
        self._exchange = exchange
        self._traded = traded
        # The newest candle (ms) of each series' file.
        self._saved: dict[PairWithTimeframe, int] = {}
        self._is_broken = False

    @cached_property
    def folder(self) -> Path:
        """Where those of this venue are."""
        return Path(self._exchange._config["datadir"]) / FOLDER / venue_name(self._exchange)

    def read(self, keys: Sequence[PairWithTimeframe], ask: Fetch) -> Series:
        """Return those of `keys` that are whole, fresh and the venue's own.

        Candles that are not made of others have to be there up to the last one that has ended: who
        asks for one of them gets all of them.

        :param ask: the venue's candles of series, of which nothing is kept
        """
        if not self.folder.is_dir():
            return {}
        self._remove_left_files()
        found: Series = {}
        for key in keys:
            # Hundreds of files take seconds.
            self._exchange.look_at_account()
            frame = self._load(key)
            if frame is not None and self._is_whole(frame, key):
                found[key] = frame
        proofs = self._proofs(found, ask)
        if not proofs:
            return {}
        # A file of another release of freqtrade or pandas may have moments in another unit.
        moments = next(iter(proofs.values()))["date"].dtype
        fresh = {
            key: frame.astype({"date": moments})
            for key, frame in found.items()
            if is_made_of(key[1], self._traded) or newest_of(frame) == self._last_ended(key[1])
        }
        self._saved = {key: newest_of(frame) for key, frame in fresh.items()}
        logger.info(
            f"{len(fresh)} of {len(keys)} series of candles were read from {self.folder}; BloFin "
            "is asked for the others, and for these when there is time."
        )
        return fresh

    def save(self, keys: Iterable[PairWithTimeframe], doubted: set[PairWithTimeframe]) -> None:
        """Write some of those that have a newer candle than their file.

        :param doubted: series that were not as the venue has them; they have no file
        """
        if self._is_broken:
            return
        newest, klines = self._exchange._pairs_last_refresh_time, self._exchange._klines
        due = [
            key
            for key in keys
            if key[2] == CandleType.FUTURES
            and key in klines
            and key in newest
            and self._saved.get(key) != newest[key]
            and key not in doubted
        ]
        try:
            for key in doubted.intersection(self._saved):
                self._drop(key)
            if due:
                self._write({key: klines[key] for key in due[:SAVED_A_LOOP]})
        except OSError as e:
            self._is_broken = True
            logger.warning(
                f"Candles can't be kept in {self.folder}, so the bot's next start asks for all of "
                f"them again. Free space there, or let the bot write there. Message: {e}"
            )
        self._saved.update((key, newest[key]) for key in due[:SAVED_A_LOOP])

    def _drop(self, key: PairWithTimeframe) -> None:
        del self._saved[key]
        self._file(key).unlink(missing_ok=True)

    def _write(self, frames: Series) -> None:
        """Write files aside and move each to its place: killed at any moment, it is old or new."""
        place = self.folder / "futures"
        place.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=ASIDE, dir=self.folder) as aside:
            handler = _files_in(Path(aside))
            for (pair, timeframe, candle_type), frame in frames.items():
                handler.ohlcv_store(pair, timeframe, frame, candle_type)
            for file in (Path(aside) / "futures").iterdir():
                file.replace(place / file.name)

    def _file(self, key: PairWithTimeframe) -> Path:
        return self.folder / "futures" / f"{pair_to_filename(key[0])}-{key[1]}-{key[2]}.feather"

    def _load(self, key: PairWithTimeframe) -> DataFrame | None:
        """The candles of a file as they were written: freqtrade's way to read takes four times."""
        if key[2] != CandleType.FUTURES:
            return None
        try:
            return read_feather(self._file(key))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, ArrowException) as e:
            logger.info(f"{self._file(key)} can't be read; its candles are asked for. Message: {e}")
            return None

    def _remove_left_files(self) -> None:
        """Remove what bots that were killed had not moved to its place."""
        for left in self.folder.glob(f"{ASIDE}*"):
            if time.time() - left.stat().st_mtime > LEFT_SECONDS:
                shutil.rmtree(left, ignore_errors=True)

    # What is believed

    def _is_whole(self, frame: DataFrame, key: PairWithTimeframe) -> bool:
        """Whether it has as many candles as the venue gives, no gap, and values that can be."""
        timeframe, step = key[1], timeframe_to_msecs(key[1])
        if list(frame.columns) != ["date", *VALUES]:
            return False
        if len(frame) < length_at_start(self._exchange, key):
            return False
        if not isinstance(frame["date"].dtype, DatetimeTZDtype):
            return False
        opened = frame["date"].to_numpy(dtype="datetime64[ms]").astype(np.int64)
        last = self._last_ended(timeframe)
        is_fresh = last - MAX_AGE.total_seconds() * 1000 <= opened[-1] <= last
        open_, high, low, close, volume = (frame[name].to_numpy(np.float64) for name in VALUES)
        return bool(
            is_fresh
            and (last - opened[-1]) % step == 0
            and (np.diff(opened) == step).all()
            and np.isfinite(frame[VALUES].to_numpy(np.float64)).all()
            and (low > 0).all()
            and (low <= np.minimum(open_, close)).all()
            and (high >= np.maximum(open_, close)).all()
            and (volume >= 0).all()
        )

    def _proofs(self, found: Series, ask: Fetch) -> Series:
        """Return the venue's candles of some pairs if those in the files are the same."""
        sample = [key for key in found if key[1] == self._traded][:PROOFS]
        venue = ask(sample) if sample else {}
        for key in sample:
            if key not in venue or not _agree(found[key], venue[key]):
                logger.info(
                    f"{key[0]}: the candles in {self.folder} are not as BloFin has them, or it "
                    "does not answer. None of them is used; all candles are asked for."
                )
                return {}
        return venue

    @staticmethod
    def _last_ended(timeframe: str) -> int:
        """Opening time (ms) of the last candle that has ended."""
        return dt_ts(timeframe_to_prev_date(timeframe)) - timeframe_to_msecs(timeframe)


def _files_in(folder: Path) -> "IDataHandler":
    # Not at module level: freqtrade.data imports freqtrade.exchange.
    from freqtrade.data.history import get_datahandler

    return get_datahandler(folder, "feather")


def newest_of(frame: DataFrame) -> int:
    """Opening time (ms) of the last candle."""
    return dt_ts(frame["date"].iloc[-1].to_pydatetime())


def _agree(ours: DataFrame, theirs: DataFrame) -> bool:
    """Whether they have candles in common, and those are the same."""
    wrong, both = differs(ours.astype({"date": theirs["date"].dtype}), theirs)
    return len(both) > 0 and not wrong.to_numpy().any()
