"""Longer candles made of the shorter ones that are there already, instead of being asked for."""

from decimal import Decimal

import numpy as np
from freqtrade.constants import PairWithTimeframe
from freqtrade.exchange.exchange import Exchange
from freqtrade.exchange.exchange_utils_timeframe import timeframe_to_msecs
from freqtrade.util import dt_ts
from pandas import DataFrame, DatetimeIndex, concat

# A venue's days may begin at another midnight than UTC's; what divides eight hours begins with UTC
# in the time zones that venues use.
_SAME_EVERYWHERE_MS = 8 * 3_600_000
_VALUES = ("open", "high", "low", "close", "volume")


def is_made_of(timeframe: str, base: str) -> bool:
    """Whether candles of `timeframe` begin and end with some of `base`, on every venue."""
    step, part = timeframe_to_msecs(timeframe), timeframe_to_msecs(base)
    return step > part and step % part == 0 and _SAME_EVERYWHERE_MS % step == 0


def made_candles(base: DataFrame, step: int, part: int, first: int) -> DataFrame | None:
    """Whole candles of `step` ms from the one that opens at `first` (ms) on; None for none.

    :param base: finished candles of `part` ms. Where one is missing nothing is made, nor where one
        is without volume: freqtrade fills gaps with such, whose prices the venue may not have had.
    """
    opened = base["date"].to_numpy(dtype="datetime64[ms]").astype(np.int64)
    if not len(opened):
        return None
    count = (int(opened[-1]) + part - first) // step
    at = int(opened.searchsorted(first))
    rows, parts = max(count, 0) * (step // part), step // part
    wanted = first + part * np.arange(rows)
    if not rows or not np.array_equal(opened[at : at + rows], wanted):
        return None
    open_, high, low, close, volume = (
        base[name].to_numpy(dtype=np.float64)[at : at + rows].reshape(-1, parts) for name in _VALUES
    )
    if not (volume > 0).all():
        return None
    dates = DatetimeIndex(wanted[::parts].astype("datetime64[ms]"), tz="UTC")
    return DataFrame(
        {
            "date": dates.astype(base["date"].dtype),
            "open": open_[:, 0],
            "high": high.max(axis=1),
            "low": low.min(axis=1),
            "close": close[:, -1],
            "volume": [_sum(row) for row in volume.tolist()],
        }
    )


def _sum(volumes: list[float]) -> float:
    """The sum as the venue has it, whose volumes are decimals."""
    return float(sum(map(Decimal, map(repr, volumes))))


def add_made(exchange: Exchange, key: PairWithTimeframe, base: PairWithTimeframe) -> bool:
    """Add the candles of `key` that have ended since its newest; False where none can be made.

    :param base: series of the same pair whose candles they are made of (`is_made_of`)
    """
    if key not in exchange._klines or base not in exchange._klines:
        return False
    kept, newest = exchange._klines[key], exchange._pairs_last_refresh_time.get(key, 0)
    if kept.empty or dt_ts(kept["date"].iloc[-1].to_pydatetime()) != newest:
        return False
    step, part = timeframe_to_msecs(key[1]), timeframe_to_msecs(base[1])
    made = made_candles(exchange._klines[base], step, part, newest + step)
    if made is None:
        return False
    longer = concat([kept, made.astype({"date": kept["date"].dtype})], ignore_index=True)
    exchange._klines[key] = longer
    age_out(exchange, key)
    exchange._pairs_last_refresh_time[key] = newest + step * len(made)
    return True


def length_at_start(exchange: Exchange, key: PairWithTimeframe) -> int:
    """How many finished candles a bot has of a series once it has started."""
    limit = exchange.ohlcv_candle_limit(key[1], key[2])
    # The last one of an answer has not ended.
    return exchange.required_candle_call_count * limit - 1


def age_out(exchange: Exchange, key: PairWithTimeframe) -> None:
    """Keep as many candles of a series as at the start.

    freqtrade lets them grow by `startup_candle_count`, which at 1,439 doubles them: a fortnight of
    15m candles in which memory grows, and signals that a bot that starts again hasn't got.
    """
    frame, most = exchange._klines.get(key), length_at_start(exchange, key)
    if frame is not None and len(frame) > most:
        exchange._klines[key] = frame.tail(most).reset_index(drop=True)
