"""A control: time-series momentum, with BubbyBot's stops, targets, sizes, caps and exits.

Moskowitz, Ooi and Pedersen, Time Series Momentum (2012), on thirty days: each hour every pair is
bought if it has risen since, and sold if it has fallen; the caps decide how many are held.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from bubbybot_freqtrade.settings import MIN_CONFIDENCE
from bubbybot_freqtrade.signals.confluence import closes_an_hour
from bubbybot_freqtrade.signals.trend import SIDES, Side
from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy

MONTH = 30 * 96
"""Candles of 15 minutes."""


class Momentum(BubbyBotStrategy):
    """The side of the last thirty days."""

    startup_candle_count = MONTH

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe = super().populate_indicators(dataframe, metadata)
        return dataframe.assign(**{f"{side}_confluence": MIN_CONFIDENCE for side in SIDES})

    def entry_candles(self, dataframe: pd.DataFrame, side: Side) -> npt.NDArray[np.bool_]:
        change = dataframe["close"].diff(MONTH).to_numpy()
        sign = 1 if side == "long" else -1
        return (
            (sign * change > 0)
            & closes_an_hour(dataframe)
            & dataframe[f"plan_{side}_target"].notna().to_numpy()
        )
