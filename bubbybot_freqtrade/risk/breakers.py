"""The breakers of the whole account: how much a day may still lose.

A day is a UTC day. All functions are pure; what they need is in freqtrade's database and candles,
so a restart in mid-day finds the same day's loss.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bubbybot_freqtrade.risk.plan import TradeSide


@dataclass(frozen=True, slots=True)
class Exposure:
    """One trade as the day sees it. Profits in quote currency, fees and funding included.

    :param profit: profit if the trade ended now (its realised profit when it has ended)
    :param profit_at_stop: profit if it ended at its stop (the same as `profit` when it has ended)
    :param profit_at_day_start: what it stood at when the day began; 0 when opened since
    """

    profit: float
    profit_at_stop: float
    profit_at_day_start: float = 0.0


@dataclass(frozen=True, slots=True)
class Day:
    """The day's account, quote currency.

    :param opening_equity: account value at 00:00 UTC, open profits included
    :param profit: change since then, open trades at their present value
    :param profit_at_stops: change if every open trade ended at its stop now
    """

    opening_equity: float
    profit: float
    profit_at_stops: float

    @property
    def loss_share(self) -> float:
        """Share of the opening equity lost so far, open losses included; 0 on a winning day."""
        return max(0.0, -self.profit) / self.opening_equity

    def limit_reached(self, daily_loss: float) -> bool:
        """Whether the day has lost its share."""
        return self.loss_share >= daily_loss

    def room(self, daily_loss: float) -> float:
        """Quote currency that a new trade may still lose at its stop.

        What the open trades lose at their stops is taken off first, as is what the day has lost
        so far where that is more.
        """
        return daily_loss * self.opening_equity + min(self.profit, self.profit_at_stops)


def day_start(now: datetime) -> datetime:
    """00:00 UTC of the day of `now`."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def next_day(now: datetime) -> datetime:
    """00:00 UTC of the day after `now`."""
    return day_start(now) + timedelta(days=1)


def day_of(equity: float, trades: Iterable[Exposure]) -> Day:
    """The day's account from present equity and every trade that was open at any time today.

    :raises ValueError: when the account had nothing left to trade with at the day's start.
    """
    trades = list(trades)
    profit = sum(trade.profit - trade.profit_at_day_start for trade in trades)
    at_stops = sum(trade.profit_at_stop - trade.profit_at_day_start for trade in trades)
    opening = equity - profit
    if opening <= 0:
        raise ValueError(f"The day began with an equity of {opening:.2f}: nothing to trade with.")
    return Day(opening_equity=opening, profit=profit, profit_at_stops=at_stops)


def price_profit(
    side: TradeSide, open_rate: float, rate: float, amount: float, fee: float
) -> float:
    """Profit in quote currency of a linear position opened at `open_rate` and valued at `rate`.

    Fees of both ends counted, funding not.
    """
    sign = 1 if side == "long" else -1
    return sign * amount * (rate - open_rate) - fee * amount * (rate + open_rate)
