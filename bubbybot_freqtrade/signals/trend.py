"""Which side each analyzer is on, and how strongly: one reading each, from −1 (short) to 1 (long).

An analyzer is on the side of the trend that it sees, as strongly as that trend is young:

    strength = 1 − 0.3 · run / room          while the run is within its room
             = 0.7 · (2 − run / room)        beyond it, 0 from twice the room on

where the run is measured in typical 4h ranges (the mean true range of the last 360 candles of 4h):

- Market Cipher: the 4h ribbon's side; the run is the way of the price from the ribbon's slow line.
- Lux Algo: the side of the last 1h swing break; the run is the way back to the swing level behind
  it, where the trend would be over.
- Frankie Candles: price has left its value: the last close of 1h is the highest (lowest) of the
  window. The run is the width of the 1h value area that it has left: a wide one is no balance that
  could be left.

Why: on 49 pairs from 2020 to mid-2025 a breakout out of a quiet, tight market paid about +0.3R, one
that came after a long run nothing (docs/results.md). Where the price is on the wrong side of the
line or level, and before there are enough candles, the reading is 0. Reversal signs (dots,
divergences, sweeps, the golden pocket) lost money as evidence for their side: they are shown
(`signals.marks`) and count for nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import talib

from bubbybot_freqtrade.settings import MIN_CONFIDENCE, ConfluenceSettings

Floats = npt.NDArray[np.float64]
Columns = pd.DataFrame | Mapping[str, npt.NDArray[Any]]
"""A frame, or arrays of one length by the names that its columns would have."""

Side = Literal["long", "short"]

SIDES: tuple[Side, Side] = ("long", "short")

PREFIXES = {"market_cipher": "mc", "lux_algo": "lux", "frankie_candles": "fc"}

READING_COLUMNS = {name: f"{prefix}_trend" for name, prefix in PREFIXES.items()}
"""Column of each analyzer's reading."""

TYPICAL_CANDLES = 360
"""Candles of 4h whose mean true range is the typical one: sixty days."""

LEAST_CANDLES = 60
"""With fewer, as of a coin just listed, there is no typical range, and so no signal."""

TREND_COLUMNS = (
    *("window_side", "typical_range", "mc_ribbon_bull", "mc_ema_8", "lux_swing_trend"),
    *("lux_swing_low", "lux_swing_high", "fc_vah", "fc_val"),
)
"""What the readings need of the context's timeframes."""


def window_side(closes: Floats, window: int) -> Floats:
    """+1 where the close is the highest of the last `window`, −1 the lowest, else 0."""
    series = pd.Series(closes)
    rolled = series.rolling(window)
    highest, lowest = series >= rolled.max(), series <= rolled.min()
    return highest.to_numpy(dtype=np.float64) - lowest.to_numpy(dtype=np.float64)


def typical_range(high: Floats, low: Floats, close: Floats) -> Floats:
    """Mean true range of the last `TYPICAL_CANDLES`, in price; of fewer from `LEAST_CANDLES` on."""
    if len(close) < 2:
        return np.full(len(close), np.nan)
    ranges = pd.Series(talib.TRANGE(high, low, close))
    return ranges.rolling(TYPICAL_CANDLES, min_periods=LEAST_CANDLES).mean().to_numpy()


def strength(run: Floats, room: float) -> Floats:
    """How strong a trend is that has run so far, 0 to 1; 0 for a negative or unknown run."""
    share = run / room
    within = 1 - (1 - MIN_CONFIDENCE) * share
    beyond = MIN_CONFIDENCE * np.clip(2 - share, 0, 1)
    with np.errstate(invalid="ignore"):
        return np.where(share >= 0, np.where(share <= 1, within, beyond), 0.0)


def runs(frame: Columns) -> dict[str, tuple[Floats, Floats]]:
    """Side (±1, 0 for none) and run in typical ranges of each analyzer, by its name."""
    return {name: measure(frame) for name, measure in _MEASURES.items()}


def readings(frame: Columns, settings: ConfluenceSettings) -> dict[str, Floats]:
    """Each analyzer's reading on every row, by its name."""
    rooms = rooms_of(settings)
    return {name: side * strength(run, rooms[name]) for name, (side, run) in runs(frame).items()}


def rooms_of(settings: ConfluenceSettings) -> dict[str, float]:
    """The room of each analyzer's run, by its name."""
    return {
        "market_cipher": settings.ribbon_room,
        "lux_algo": settings.structure_room,
        "frankie_candles": settings.value_room,
    }


def _column(frame: Columns, name: str) -> Floats:
    if name not in frame:
        return np.full(len(frame["close"]), np.nan)
    return np.asarray(frame[name], dtype=np.float64)


def _in_ranges(frame: Columns, way: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return way / _column(frame, "typical_range_4h")


def _ribbon(frame: Columns) -> tuple[Floats, Floats]:
    is_bull = _column(frame, "mc_ribbon_bull_4h")
    slow = _column(frame, "mc_ema_8_4h")
    side = np.nan_to_num(np.where(np.isnan(slow), np.nan, 2 * is_bull - 1))
    return side, _in_ranges(frame, side * (_column(frame, "close") - slow))


def _structure(frame: Columns) -> tuple[Floats, Floats]:
    side = np.nan_to_num(_column(frame, "lux_swing_trend_1h"))
    low, high = _column(frame, "lux_swing_low_1h"), _column(frame, "lux_swing_high_1h")
    return side, _in_ranges(frame, side * (_column(frame, "close") - np.where(side > 0, low, high)))


def _value(frame: Columns) -> tuple[Floats, Floats]:
    side = np.nan_to_num(_column(frame, "window_side_1h"))
    return side, _in_ranges(frame, _column(frame, "fc_vah_1h") - _column(frame, "fc_val_1h"))


_MEASURES: Mapping[str, Callable[[Columns], tuple[Floats, Floats]]] = {
    "market_cipher": _ribbon,
    "lux_algo": _structure,
    "frankie_candles": _value,
}
