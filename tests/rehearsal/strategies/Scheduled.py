"""A strategy that trades by the clock, so that every way out of a trade is taken for sure."""

from datetime import timedelta

from freqtrade.enums import RunMode
from freqtrade.strategy import IStrategy, stoploss_from_absolute

from bubbybot_freqtrade.blofin.bracket import Bracket, offer_bracket

# By the hour of the entry: distance of stop and target in parts of the entry price.
SLOTS = {
    "target": (0.030, 0.0015),
    "stop": (0.0015, 0.030),
    "exit": (0.030, 0.030),
    "trail": (0.004, 0.030),
}
NAMES = tuple(SLOTS)
LEVERAGE = 5.0


def slot_of(moment):
    return NAMES[moment.hour // 2 % len(NAMES)]


class Scheduled(IStrategy):
    INTERFACE_VERSION = 3
    timeframe = "15m"
    can_short = True
    process_only_new_candles = True
    startup_candle_count = 10
    stoploss = -0.30
    use_custom_stoploss = True
    use_custom_roi = True
    minimal_roi = {}  # noqa: RUF012 - freqtrade's own interface
    use_exit_signal = True
    ignore_buying_expired_candle_after = 180
    order_types = {  # noqa: RUF012 - freqtrade's own interface
        "entry": "market",
        "exit": "market",
        "stoploss": "market",
        "stoploss_on_exchange": True,
    }

    def populate_indicators(self, dataframe, metadata):
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        """Every two hours, in turns long and short, the pairs in opposite directions."""
        signal = dataframe["date"] + timedelta(minutes=15)
        due = (signal.dt.hour % 2 == 0) & (signal.dt.minute == 0)
        turn = (signal.dt.hour // 2 + signal.dt.day + ord(metadata["pair"][0])) % 2
        dataframe["enter_long"] = (due & (turn == 0)).astype(int)
        dataframe["enter_short"] = (due & (turn == 1)).astype(int)
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe

    def leverage(self, *args, **kwargs):
        return LEVERAGE

    def custom_stake_amount(self, *args, **kwargs):
        return 40.0

    def confirm_trade_entry(
        self, pair, order_type, amount, rate, time_in_force, current_time, entry_tag, side, **kwargs
    ):
        stop, target = SLOTS[slot_of(current_time)]
        sign = 1 if side == "long" else -1
        offer_bracket(pair, side, Bracket(rate * (1 - sign * stop), rate * (1 + sign * target)))
        return True

    def custom_stoploss(
        self, pair, trade, current_time, current_rate, current_profit, after_fill, **kwargs
    ):
        slot = slot_of(trade.open_date_utc)
        sign = -1 if trade.is_short else 1
        base = current_rate if slot == "trail" else trade.open_rate
        stop = base * (1 - sign * SLOTS[slot][0])
        if sign * (current_rate - stop) <= 0 or sign * (stop - trade.stop_loss) <= 1e-9:
            return None
        return stoploss_from_absolute(stop, current_rate, trade.is_short, trade.leverage)

    def custom_roi(self, pair, trade, current_time, trade_duration, entry_tag, side, **kwargs):
        if self.config["runmode"] == RunMode.LIVE:
            return None
        sign = -1 if trade.is_short else 1
        target = SLOTS[slot_of(trade.open_date_utc)][1]
        return trade.calc_profit_ratio(trade.open_rate * (1 + sign * target))

    def custom_exit(self, pair, trade, current_time, current_rate, current_profit, **kwargs):
        due = current_time - trade.open_date_utc >= timedelta(hours=1)
        return "scheduled" if due and slot_of(trade.open_date_utc) == "exit" else None
