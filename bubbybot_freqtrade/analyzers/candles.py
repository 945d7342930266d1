"""Reading freqtrade's candle frames, and adding columns to them."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import talib

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

PRICES = ("open", "high", "low", "close")


class CandleError(ValueError):
    """The candles handed to an analyzer cannot be read as candles."""


class Candles(NamedTuple):
    """One array per column, float64, in the order of the dates."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


def read_candles(dataframe: pd.DataFrame) -> Candles:
    """
    Take the arrays out of freqtrade's frame (`date, open, high, low, close, volume`).

    Gaps in time are no error: lengths count candles.

    :raises CandleError: a column is missing or not numeric; dates are unsorted or duplicated; a
        value is NaN or infinite; a price is not positive; a high is below its low; a volume is
        negative.
    """
    missing = [name for name in ("date", *PRICES, "volume") if name not in dataframe.columns]
    if missing:
        raise CandleError(f"The frame has no column {', '.join(missing)}.")
    _check_dates(dataframe["date"])
    candles = Candles(*(_column(dataframe, name) for name in Candles._fields))
    for name in PRICES:
        _refuse(dataframe, getattr(candles, name) <= 0, f"{name} is not positive")
    _refuse(dataframe, candles.volume < 0, "volume is negative")
    _refuse(dataframe, candles.high < candles.low, "high is below low")
    return candles


def _check_dates(dates: pd.Series) -> None:
    if len(dates) == 0:
        return
    if not pd.api.types.is_datetime64_any_dtype(dates.dtype):
        raise CandleError(f"The column date holds {dates.dtype}, not datetimes.")
    if dates.isna().any():
        raise CandleError("The column date has empty dates.")
    steps = np.diff(dates.to_numpy(dtype="datetime64[ns]").astype(np.int64))
    if (steps <= 0).any():
        at = int(np.argmax(steps <= 0)) + 1
        what = "duplicated" if steps[at - 1] == 0 else "unsorted"
        raise CandleError(f"Dates are {what} at row {at} ({dates.iloc[at]}).")


def _column(dataframe: pd.DataFrame, name: str) -> Floats:
    try:
        values = floats(dataframe[name].to_numpy(dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise CandleError(f"The column {name} is not numeric: {error}") from error
    _refuse(dataframe, ~np.isfinite(values), f"{name} is NaN or infinite")
    return values


def _refuse(dataframe: pd.DataFrame, bad: Flags, what: str) -> None:
    if bad.any():
        at = int(np.argmax(bad))
        raise CandleError(f"{what} at row {at} ({dataframe['date'].iloc[at]}).")


def floats(values: npt.ArrayLike) -> Floats:
    """
    A float64 array as the kernels take it. Frames hand out read-only views, for which Numba would
    compile a second version of every kernel.
    """
    return np.require(np.asarray(values), np.float64, ["C", "W"])


def epoch_seconds(dates: pd.Series) -> Integers:
    """Seconds since 1970 UTC at which each candle opens."""
    return dates.to_numpy(dtype="datetime64[s]").astype(np.int64)


def digest_of(dataframe: pd.DataFrame) -> bytes:
    """Another one for other candles: of their dates, prices and volume, to the bit."""
    digest = blake2b(epoch_seconds(dataframe["date"]).tobytes(), digest_size=16)
    for name in (*PRICES, "volume"):
        digest.update(dataframe[name].to_numpy(dtype=np.float64).tobytes())
    return digest.digest()


def with_columns(dataframe: pd.DataFrame, columns: Mapping[str, npt.NDArray[Any]]) -> pd.DataFrame:
    """The frame with these columns added in one piece; columns of the same name are replaced."""
    stale = [name for name in columns if name in dataframe.columns]
    kept = dataframe.drop(columns=stale) if stale else dataframe
    return pd.concat([kept, pd.DataFrame(dict(columns), index=dataframe.index)], axis=1)


def earlier(values: Floats, rows: int = 1) -> Floats:
    """The values `rows` candles before; NaN where there are none."""
    out = np.full(len(values), np.nan)
    if len(values) > rows:
        out[rows:] = values[:-rows]
    return out


def true_range(high: Floats, low: Floats, close: Floats) -> Floats:
    """
    The largest of high − low, |high − previous close| and |low − previous close|; high − low on the
    first row, which has no previous close.
    """
    out = high - low
    before = close[:-1]
    out[1:] = np.maximum(high[1:], before) - np.minimum(low[1:], before)
    return out


def average_true_range(high: Floats, low: Floats, close: Floats, length: int) -> Floats:
    """ATR as TA-Lib has it, in price; NaN on the first `length` rows."""
    if len(close) <= length:
        return np.full(len(close), np.nan)
    return talib.ATR(high, low, close, length)


def cross_up(a: Floats, b: Floats) -> Flags:
    """a[t] > b[t] and a[t−1] ≤ b[t−1]; False where a value is missing."""
    out = np.zeros(len(a), dtype=np.bool_)
    out[1:] = (a[1:] > b[1:]) & (a[:-1] <= b[:-1])
    return out


def cross_down(a: Floats, b: Floats) -> Flags:
    """a[t] < b[t] and a[t−1] ≥ b[t−1]; False where a value is missing."""
    return cross_up(b, a)


def relative_strength(close: Floats, length: int) -> Floats:
    """RSI as TA-Lib has it, 0–100; NaN on the first `length` rows."""
    if len(close) <= length:
        return np.full(len(close), np.nan)
    return talib.RSI(close, length)
