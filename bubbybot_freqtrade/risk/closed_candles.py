"""What the strategy asks of a pair's candles again and again, by the time it asks at.

A backtest hands the strategy a cut of the frame for every question, which takes most of its time
once a stop follows the market. The arrays here hold all candles, so every question names its
moment: a candle is seen from its close on, never before.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

CANDLE = timedelta(minutes=15)
CANDLE_SECONDS = int(CANDLE.total_seconds())


@dataclass(frozen=True, slots=True)
class Candle:
    """One closed candle. Prices and ATR in quote currency; `shock` is its move if it is one.

    `opened` is in seconds since the epoch.
    """

    opened: int
    close: float
    atr: float
    internal_low: float
    internal_high: float
    shock: float


class ClosedCandles:
    """The analyzed candles of every pair."""

    def __init__(self, shock_atrs: float) -> None:
        self._shock_atrs = shock_atrs
        self._opened: dict[str, npt.NDArray[np.int64]] = {}
        self._columns: dict[str, tuple[Floats, ...]] = {}
        self._latest: dict[str, tuple[int, Candle | None]] = {}

    def keep(self, pair: str, frame: pd.DataFrame, *, apart: bool = False) -> None:
        """Replace the candles of `pair`.

        :param frame: analyzed candles by `date`, with open, close, plan_atr and Lux Algo's
            internal levels
        :param apart: copy them; a view of a column keeps all columns of a frame in memory, which
            costs nothing where somebody else does too
        """
        self._opened[pair] = frame["date"].to_numpy(dtype="datetime64[s]").astype(np.int64)
        names = ("close", "plan_atr", "lux_internal_low", "lux_internal_high")
        columns = tuple(frame[name].to_numpy(dtype=np.float64, copy=apart) for name in names)
        self._latest.pop(pair, None)
        self._columns[pair] = (*columns, shocks(frame, self._shock_atrs))

    def newest_close(self, pair: str) -> int:
        """When the newest candle closed, in seconds since the epoch; 0 before the first."""
        opened = self._opened.get(pair)
        return 0 if opened is None or not len(opened) else int(opened[-1]) + CANDLE_SECONDS

    def last(self, pair: str, moment: datetime) -> Candle | None:
        """The last candle that had closed at `moment`; None before the first."""
        if pair not in self._opened:
            return None
        # A whole number: for a float NumPy would convert the whole array first.
        latest = int(moment.timestamp() // 1) - CANDLE_SECONDS
        # Stop and exit of a trade are asked for at the same moment.
        known = self._latest.get(pair)
        if known is None or known[0] != latest:
            known = self._latest[pair] = latest, self._find(pair, latest)
        return known[1]

    def _find(self, pair: str, latest: int) -> Candle | None:
        opened = self._opened[pair]
        row = int(opened.searchsorted(latest, side="right")) - 1
        if row < 0:
            return None
        return Candle(int(opened[row]), *(float(column[row]) for column in self._columns[pair]))


def shocks(frame: pd.DataFrame, atrs: float) -> Floats:
    """The move of every candle whose body is more than `atrs` of the ATR before it, else 0."""
    move = (frame["close"] - frame["open"]).to_numpy(dtype=np.float64)
    before = frame["plan_atr"].shift(1).to_numpy(dtype=np.float64)
    return np.where(np.abs(move) > atrs * before, move, 0.0)
