"""The market a trade was entered in, in two words: the trend, and how much prices move.

The trend is Lux Algo's swing trend of 4h seen from the trade's side: `trend`, `counter`, or `range`
before its first break. Prices are `wild` where
the ATR's share of the price is above its median of the last seven days, `calm` elsewhere. Both need
no more candles than the strategy's warm-up has, so backtest and live say the same.
"""

import numpy as np
import pandas as pd

from bubbybot_freqtrade.signals.trend import Side

WEEK = 7 * 96
"""Candles of 15 minutes."""

TRENDS = {1: "trend", -1: "counter", 0: "range"}


def regime_of(frame: pd.DataFrame, row: int, side: Side) -> str:
    """Regime of a trade for `side` that is entered on the signal candle `row`; "" if unknown.

    :param frame: analyzed candles with `close` and `plan_atr`; a follower's may lack `regime` while
        its producer is silent
    """
    direction = float(frame["regime"].to_numpy()[row]) if "regime" in frame else np.nan
    if not np.isfinite(direction):
        return ""
    sign = 1 if side == "long" else -1
    trend = TRENDS[sign * int(direction)]
    since = slice(max(row + 1 - WEEK, 0), row + 1)
    share = frame["plan_atr"].to_numpy()[since] / frame["close"].to_numpy()[since]
    known = share[np.isfinite(share)]
    is_wild = len(known) > 0 and share[-1] > np.median(known)
    return f"{trend} {'wild' if is_wild else 'calm'}"
