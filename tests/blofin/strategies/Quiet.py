"""Strategies without signals: the tests force the entries and look at what becomes of them."""

from datetime import datetime

from freqtrade.persistence import Trade
from freqtrade.strategy import IStrategy, stoploss_from_absolute
from pandas import DataFrame

from bubbybot_freqtrade.blofin.bracket import Bracket, offer_bracket


class Quiet(IStrategy):
    """Any freqtrade strategy: a relative stoploss, no stop on the exchange asked for."""

    INTERFACE_VERSION = 3
    timeframe = "5m"
    can_short = True
    stoploss = -0.10
    minimal_roi = {"0": 100}  # noqa: RUF012
    startup_candle_count = 20
    order_types = {  # noqa: RUF012
        "entry": "market",
        "exit": "market",
        "stoploss": "market",
        "stoploss_on_exchange": False,
    }

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        return dataframe


class Bracketed(Quiet):
    """Offers stop and target with every entry and moves the stop where a test wants it."""

    use_custom_stoploss = True
    leverage_wanted = 5.0
    # Set by tests: price of the stop per pair, None keeps it.
    stop_at: dict[str, float] = {}  # noqa: RUF012
    stop_share = 0.02
    target_share = 0.04

    def leverage(self, pair: str, **kwargs) -> float:
        return self.leverage_wanted

    def confirm_trade_entry(self, pair: str, rate: float, side: str, **kwargs) -> bool:
        sign = 1 if side == "long" else -1
        stop, target = rate * (1 - sign * self.stop_share), rate * (1 + sign * self.target_share)
        offer_bracket(pair, side, Bracket(stop=stop, target=target))
        return True

    def custom_stoploss(
        self, pair: str, trade: Trade, current_time: datetime, current_rate: float, **kwargs
    ) -> float | None:
        if (stop := self.stop_at.get(pair)) is None:
            return None
        return stoploss_from_absolute(
            stop, current_rate, is_short=trade.is_short, leverage=trade.leverage
        )


class Picky(Quiet):
    """Sees a signal in every pair, and takes none."""

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe["enter_long"] = 1
        return dataframe

    def custom_stake_amount(self, **kwargs) -> float:
        return 0.0
