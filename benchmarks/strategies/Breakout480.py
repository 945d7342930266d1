"""A control that knows nothing of BubbyBot: the close of an hour beyond the last 480.

Stop five ATRs away, target three times the loss, two days at most, 2 % at risk, one trade a side.
"""

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import talib.abstract as ta
from freqtrade.persistence import Order, Trade
from freqtrade.strategy import IStrategy, stoploss_from_absolute

FEE = 0.0006
RISK = 0.02
WAY = "stop_distance"
"""Key of the stop's distance, as a share of the entry price, in a trade's custom data."""


class Breakout480(IStrategy):
    """Sixty lines that every change to BubbyBot has to beat."""

    INTERFACE_VERSION = 3
    timeframe = "1h"
    can_short = True
    startup_candle_count = 500
    process_only_new_candles = True
    stoploss = -0.99
    minimal_roi = {"0": 100}  # noqa: RUF012 - freqtrade's own interface
    use_custom_stoploss = True
    use_custom_roi = True

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Highest and lowest close of twenty days, and the distance of a stop."""
        closes = dataframe["close"].rolling(480)
        share = 5 * ta.ATR(dataframe, timeperiod=14) / dataframe["close"]
        return dataframe.assign(
            highest=closes.max(), lowest=closes.min(), way=share.clip(0.015, 0.15)
        )

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """A close that is one of them."""
        dataframe["enter_long"] = (dataframe["close"] >= dataframe["highest"]).astype(int)
        dataframe["enter_short"] = (dataframe["close"] <= dataframe["lowest"]).astype(int)
        return dataframe

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """No exit signals."""
        return dataframe

    def leverage(self, *args: Any, max_leverage: float, **kwargs: Any) -> float:
        """Enough for the stake to fit into the account."""
        return min(5.0, max_leverage)

    def custom_stake_amount(
        self, pair: str, *args: Any, leverage: float, max_stake: float, side: str, **kwargs: Any
    ) -> float:
        """2 % of the account at the stop, fees included; nothing while the side is taken."""
        if any(trade.trade_direction == side for trade in Trade.get_trades_proxy(is_open=True)):
            return 0.0
        at_risk = RISK * self.wallets.get_total_stake_amount()
        return min(max_stake, at_risk / (self._way(pair) + 2 * FEE) / leverage)

    def order_filled(
        self, pair: str, trade: Trade, order: Order, current_time: datetime, **kwargs: Any
    ) -> None:
        """Remember the signal's distance: the frame goes on."""
        if order.ft_order_side == trade.entry_side:
            trade.set_custom_data(WAY, self._way(pair))

    def custom_stoploss(
        self, pair: str, trade: Trade, current_time: datetime, current_rate: float, *args: Any,
        **kwargs: Any,
    ) -> float | None:  # fmt: skip
        """Where the trade was wrong; it never moves."""
        way = trade.get_custom_data(WAY)
        if way is None:
            return None
        stop = trade.open_rate * (1 + way if trade.is_short else 1 - way)
        return stoploss_from_absolute(stop, current_rate, trade.is_short, trade.leverage)

    def custom_roi(self, pair: str, trade: Trade, *args: Any, **kwargs: Any) -> float | None:
        """Three times the loss at the stop, after fees."""
        way = trade.get_custom_data(WAY)
        return None if way is None else 3 * (way + 2 * FEE) * trade.leverage

    def custom_exit(
        self, pair: str, trade: Trade, current_time: datetime, *args: Any, **kwargs: Any
    ) -> str | None:
        """After two days."""
        return "time" if current_time - trade.open_date_utc >= timedelta(hours=48) else None

    def _way(self, pair: str) -> float:
        frame, _ = self.dp.get_analyzed_dataframe(pair, self.timeframe)
        return float(frame["way"].iat[-1])
