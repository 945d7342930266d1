"""Candles of thousands of trades in a page: each once, packed, and unpacked for the chart opened.

Prices are float32, which has the seven digits that a chart shows. Their bytes are laid out by
place, which deflate makes half of; a browser inflates a pair when one of its trades is opened.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from freqtrade.exchange import timeframe_to_seconds

from bubbybot_freqtrade.learning.results import ReportTrade
from bubbybot_freqtrade.report.charts import CANDLES_AFTER, CANDLES_BEFORE, Candles, stops_of

PRICES = ("open", "high", "low", "close")


def packed(trades: Sequence[ReportTrade], timeframe: str, candles: Candles) -> dict[str, Any]:
    """What the page draws the charts of these trades from, by pair, and how their stops moved."""
    step = timedelta(seconds=timeframe_to_seconds(timeframe))
    pairs = {}
    for pair, those in groupby(sorted(trades, key=lambda t: t.pair), key=lambda t: t.pair):
        frame = candles(pair)
        if not frame.empty and (made := _pair(list(those), frame, step)):
            pairs[pair] = made
    return {
        "step": step // timedelta(milliseconds=1),
        "before": CANDLES_BEFORE,
        "after": CANDLES_AFTER,
        "pairs": pairs,
        "stops": {trade.number: stops_of(trade) for trade in trades if trade.stop > 0},
    }


def _pair(
    trades: Sequence[ReportTrade], frame: pd.DataFrame, step: timedelta
) -> dict[str, Any] | None:
    """The candles around these trades: runs of (first ms, count), and their prices."""
    dates = frame["date"]
    firsts = dates.searchsorted([t.opened - CANDLES_BEFORE * step for t in trades])
    lasts = dates.searchsorted([t.closed + CANDLES_AFTER * step for t in trades], side="right")
    borders = np.zeros(len(frame) + 1, dtype=np.int64)
    np.add.at(borders, firsts, 1)
    np.add.at(borders, lasts, -1)
    shown = borders.cumsum()[:-1] > 0
    if not shown.any():
        return None
    kept = frame.loc[shown, ["date", *PRICES]]
    at = kept["date"].dt.as_unit("ms").astype(np.int64).to_numpy()
    begins = np.flatnonzero(np.diff(at, prepend=at[0] - 1) != step // timedelta(milliseconds=1))
    counts = np.diff([*begins, len(at)])
    runs = [[int(at[row]), int(count)] for row, count in zip(begins, counts, strict=True)]
    return {"runs": runs, "prices": _text(kept[list(PRICES)].to_numpy(dtype="<f4").T)}


def _text(prices: npt.NDArray[np.float32]) -> str:
    """Rows of prices, one after another, as base64 of their deflated bytes, by place."""
    by_place = np.ascontiguousarray(prices).reshape(-1).view(np.uint8).reshape(-1, 4).T
    return base64.b64encode(zlib.compress(by_place.tobytes(), 9)).decode()
