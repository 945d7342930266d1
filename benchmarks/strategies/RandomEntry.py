"""A control: BubbyBot's stops, targets, sizes and exits on entries that a die decides."""

import zlib

import numpy as np
import numpy.typing as npt
import pandas as pd

from bubbybot_freqtrade.signals.trend import SIDES, Side
from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy

CONFIDENCE = 0.75


class RandomEntry(BubbyBotStrategy):
    """Config key `random_entry`: `{"share": of candles with a signal, "seed": of the die}`."""

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe = super().populate_indicators(dataframe, metadata)
        for side in SIDES:
            dataframe[f"{side}_confluence"] = CONFIDENCE
        return dataframe

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        self._pair = metadata["pair"]
        return super().populate_entry_trend(dataframe, metadata)

    def entry_candles(self, dataframe: pd.DataFrame, side: Side) -> npt.NDArray[np.bool_]:
        die = self.config["random_entry"]
        words = f"{die['seed']} {self._pair} {side}".encode()
        random = np.random.default_rng(zlib.crc32(words))
        thrown = random.random(len(dataframe)) < die["share"]
        return thrown & dataframe[f"plan_{side}_target"].notna().to_numpy()
