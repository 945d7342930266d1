"""BubbyBot that sees the same signal every eight hours, whatever the market does."""

from datetime import timedelta

from bubbybot_freqtrade.risk.levels import average_true_range
from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy

TAG = "mc:early lux:late fc:late"
HOURS = 8


class Stubborn(BubbyBotStrategy):
    startup_candle_count = 30

    def informative_pairs(self):
        return []

    def populate_indicators(self, dataframe, metadata):
        dataframe["plan_atr"] = average_true_range(dataframe)
        dataframe["regime"] = 0.0
        dataframe["lux_internal_low"] = dataframe["low"]
        dataframe["lux_internal_high"] = dataframe["high"]
        dataframe["long_confluence"], dataframe["short_confluence"] = 0.8, 0.0
        dataframe["plan_long_stop"] = dataframe["close"] * 0.983
        dataframe["plan_long_target"] = dataframe["close"] * 1.08
        dataframe["plan_short_stop"] = dataframe["plan_short_target"] = float("nan")
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        signal = dataframe["date"] + timedelta(minutes=15)
        due = (signal.dt.hour % HOURS == 0) & (signal.dt.minute == 0)
        dataframe["enter_long"] = due.astype(int)
        dataframe["enter_short"] = 0
        dataframe["enter_tag"] = None
        dataframe.loc[due, "enter_tag"] = TAG
        self.memory.candles.keep(metadata["pair"], dataframe)
        return dataframe
