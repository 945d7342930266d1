"""Strategies of the drills: their trades are many and short, for what becomes of them matters."""

from datetime import datetime
from random import Random
from typing import Any

from freqtrade.persistence import Trade
from freqtrade.strategy import IStrategy, stoploss_from_absolute
from pandas import DataFrame

from bubbybot_freqtrade.blofin.bracket import Bracket, TradeSide, offer_bracket


class Idle(IStrategy):
    """Enters nothing by itself; offers a bracket with every entry, moves the stop on demand."""

    INTERFACE_VERSION = 3
    timeframe = "15m"
    can_short = True
    stoploss = -0.30
    minimal_roi = {"0": 100}  # noqa: RUF012
    startup_candle_count = 5
    use_custom_stoploss = True
    process_only_new_candles = True
    order_types = {  # noqa: RUF012
        "entry": "market",
        "exit": "market",
        "stoploss": "market",
        "stoploss_on_exchange": True,
        "stoploss_on_exchange_interval": 10,
    }
    stop_share = 0.02
    target_share = 0.04

    def bot_start(self, **kwargs: Any) -> None:
        """Nothing has been asked for yet: prices of stops by pair, and what was seen of candles."""
        self.stop_at: dict[str, float] = {}
        self.seen: dict[str, DataFrame] = {}

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """Keep what the strategy gets to see."""
        columns = ["date", "open", "high", "low", "close", "volume"]
        self.seen[metadata["pair"]] = dataframe[columns].copy()
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """No entries."""
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """No exits."""
        return dataframe

    def leverage(self, pair: str, **kwargs: Any) -> float:
        """5x: liquidation lies far behind the stop."""
        return 5.0

    def confirm_trade_entry(self, pair: str, rate: float, side: TradeSide, **kwargs: Any) -> bool:
        """Offer the bracket."""
        sign = 1 if side == "long" else -1
        stop, target = rate * (1 - sign * self.stop_share), rate * (1 + sign * self.target_share)
        offer_bracket(pair, side, Bracket(stop=stop, target=target))
        return True

    def custom_stoploss(
        self, pair: str, trade: Trade, current_time: datetime, current_rate: float, **kwargs: Any
    ) -> float | None:
        """The price in `stop_at`."""
        if (stop := self.stop_at.get(pair)) is None:
            return None
        return stoploss_from_absolute(
            stop, current_rate, is_short=trade.is_short, leverage=trade.leverage
        )


class Restless(Idle):
    """Always in or about to be: enters every few minutes, tightens its stop, leaves at whim.

    Whims are drawn from pair and time, so that a restarted bot has the same ones.
    """

    timeframe = "1m"
    stop_share = 0.006
    target_share = 0.012
    order_types = Idle.order_types | {"entry": "limit"}

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """A side for two candles of three, by the number of the minute."""
        whim = (dataframe["date"].dt.minute + ord(metadata["pair"][0])) % 6
        dataframe.loc[whim.isin([0, 1]), "enter_long"] = 1
        dataframe.loc[whim.isin([3, 4]), "enter_short"] = 1
        return dataframe

    def custom_stoploss(
        self, pair: str, trade: Trade, current_time: datetime, current_rate: float, **kwargs: Any
    ) -> float | None:
        """Half a stop's distance from the rate, on whims."""
        if self._whim(trade, current_time).random() > 0.4:
            return None
        sign = -1 if trade.is_short else 1
        return stoploss_from_absolute(
            current_rate * (1 - sign * self.stop_share * 0.7),
            current_rate,
            is_short=trade.is_short,
            leverage=trade.leverage,
        )

    def custom_entry_price(
        self, pair: str, current_time: datetime, proposed_rate: float, side: str, **kwargs: Any
    ) -> float:
        """Some entries wait in the book, and not all of them are filled."""
        patient = Random(f"{pair} {current_time:%H:%M}").random() > 0.7  # noqa: S311 - a drill
        away = 0.001 * (1 if side == "long" else -1)
        return proposed_rate * (1 - away) if patient else proposed_rate

    def custom_exit(
        self, pair: str, trade: Trade, current_time: datetime, **kwargs: Any
    ) -> str | None:
        """Leave, on whims."""
        return "whim" if self._whim(trade, current_time).random() > 0.8 else None

    @staticmethod
    def _whim(trade: Trade, current_time: datetime) -> Random:
        return Random(f"{trade.pair} {trade.id} {current_time:%H:%M}")  # noqa: S311 - a drill


class Crowded(Idle):
    """As many trades as are allowed, all the time: every candle of every pair is a signal.

    Stops follow the price; trades end at the venue, by stop or target, and make room for others.
    """

    timeframe = "1m"
    stop_share = 0.008
    target_share = 0.016
    order_types = Idle.order_types | {"stoploss_on_exchange_interval": 60}

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """Half of the pairs long, half of them short."""
        long = int(metadata["pair"][1:3]) % 2
        dataframe["enter_long" if long else "enter_short"] = 1
        return dataframe

    def custom_stoploss(
        self, pair: str, trade: Trade, current_time: datetime, current_rate: float, **kwargs: Any
    ) -> float | None:
        """At its distance from the rate; freqtrade only ever tightens it."""
        sign = -1 if trade.is_short else 1
        return stoploss_from_absolute(
            current_rate * (1 - sign * self.stop_share),
            current_rate,
            is_short=trade.is_short,
            leverage=trade.leverage,
        )


class CrowdedQuarters(Crowded):
    """The same by the quarter of an hour, with each pair's hours beside, as many pairs want it."""

    timeframe = "15m"

    def informative_pairs(self) -> list[tuple[str, str]]:
        """Candles of 1h and 4h of every pair."""
        return [(pair, length) for pair in self.dp.current_whitelist() for length in ("1h", "4h")]

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """Nothing, and nothing is kept: the memory is the bot's own."""
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """Some pairs long, some short, by their name."""
        long = sum(map(ord, metadata["pair"])) % 2
        dataframe["enter_long" if long else "enter_short"] = 1
        return dataframe


class Rival(Idle):
    """In every pair for three minutes of five, as soon as others of its kind."""

    timeframe = "1m"
    side = "long"

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """Three candles of five, none of which is the one that a bot starts with."""
        dataframe.loc[dataframe["date"].dt.minute % 5 < 3, f"enter_{self.side}"] = 1
        return dataframe

    def custom_exit(
        self, pair: str, trade: Trade, current_time: datetime, **kwargs: Any
    ) -> str | None:
        """In the fifth minute."""
        return "time" if current_time.minute % 5 == 4 else None


class Contrary(Rival):
    """Its adversary."""

    side = "short"
