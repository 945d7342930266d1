"""A control: BubbyBot's stops, targets, sizes, caps and exits on every breakout of 480 hours."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from bubbybot_freqtrade.settings import MIN_CONFIDENCE
from bubbybot_freqtrade.signals.confluence import closes_an_hour
from bubbybot_freqtrade.signals.trend import SIDES, Side
from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy


class PlainBreakout(BubbyBotStrategy):
    """No analyzer is asked; the least confidence, so the least risk. Wants `window` 480."""

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe = super().populate_indicators(dataframe, metadata)
        return dataframe.assign(**{f"{side}_confluence": MIN_CONFIDENCE for side in SIDES})

    def entry_candles(self, dataframe: pd.DataFrame, side: Side) -> npt.NDArray[np.bool_]:
        sign = 1 if side == "long" else -1
        return (
            (dataframe["window_side_1h"].to_numpy() == sign)
            & closes_an_hour(dataframe)
            & dataframe[f"plan_{side}_target"].notna().to_numpy()
        )
