"""Strategies as people write them who know nothing of BloFin: signals, additions, trailing stops.

None offers a bracket, so the stop attached to an entry is made from their own `stoploss`.
"""

from datetime import datetime
from typing import Any

import talib.abstract as ta
from freqtrade.persistence import Trade
from freqtrade.strategy import IStrategy
from pandas import DataFrame


class Sample(IStrategy):
    """Enters and leaves on crossings of the RSI, with a table of profits to be content with."""

    INTERFACE_VERSION = 3
    timeframe = "1m"
    can_short = True
    stoploss = -0.05
    minimal_roi = {"60": 0.01, "20": 0.02, "0": 0.04}  # noqa: RUF012
    startup_candle_count = 30
    order_types = {  # noqa: RUF012
        "entry": "market",
        "exit": "market",
        "stoploss": "market",
        "stoploss_on_exchange": True,
        "stoploss_on_exchange_interval": 10,
    }

    def leverage(self, pair: str, **kwargs: Any) -> float:
        """5x."""
        return 5.0

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """The RSI."""
        dataframe["rsi"] = ta.RSI(dataframe, timeperiod=7)
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """Oversold and overbought."""
        dataframe.loc[dataframe["rsi"] < 35, "enter_long"] = 1
        dataframe.loc[dataframe["rsi"] > 65, "enter_short"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """The other way round."""
        dataframe.loc[dataframe["rsi"] > 75, "exit_long"] = 1
        dataframe.loc[dataframe["rsi"] < 25, "exit_short"] = 1
        return dataframe


class Adjusting(Sample):
    """Adds to losers and takes winners off in parts, by odd amounts.

    Two additions at most, each smaller; a third, then more than half of the rest, comes off.
    Entries take what the book has, additions wait in it: their fees differ.
    """

    position_adjustment_enable = True
    max_entry_position_adjustment = 2
    order_types = Sample.order_types | {"entry": "limit"}

    def custom_entry_price(
        self, pair: str, trade: Trade | None, proposed_rate: float, side: str, **kwargs: Any
    ) -> float:
        """A tenth of a percent better for an addition."""
        if trade is None:
            return proposed_rate
        return proposed_rate * (0.999 if side == "long" else 1.001)

    def adjust_trade_position(
        self,
        trade: Trade,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        min_stake: float | None,
        max_stake: float,
        **kwargs: Any,
    ) -> float | None:
        """Signed stake to add or to take off; None leaves it."""
        if trade.has_open_orders:
            return None
        if current_profit > 0.004 and trade.nr_of_successful_exits < 2:
            return -trade.stake_amount * (0.37, 0.61)[trade.nr_of_successful_exits]
        added = trade.nr_of_successful_entries - 1
        if current_profit < -0.006 * (added + 1) and added < 2:
            return trade.stake_amount * 0.43
        return None


class Trailing(Sample):
    """Trails tightly once it is ahead, so that the price often passes the stop between loops."""

    trailing_stop = True
    trailing_stop_positive = 0.004
    trailing_stop_positive_offset = 0.006
    trailing_only_offset_is_reached = True
    minimal_roi = {"0": 10}  # noqa: RUF012
