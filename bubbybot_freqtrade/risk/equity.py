"""What the account is worth, now and since the day began, by freqtrade's wallets and trades."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from freqtrade.enums import CandleType, RunMode
from freqtrade.exchange import Exchange
from freqtrade.persistence import LocalTrade, Order, Trade
from freqtrade.util import dt_ts
from freqtrade.wallets import Wallets

from bubbybot_freqtrade.risk.breakers import Day, Exposure, day_of, day_start, price_profit
from bubbybot_freqtrade.risk.closed_candles import CANDLE, ClosedCandles

LOOKAHEAD_CAPITAL = 10_000.0

EarlierClose = Callable[[str, datetime], float | None]
"""Asked for the last close of a pair before a moment where no analyzed candle says it."""


class UnknownMarkError(Exception):
    """What the day has lost can't be said: a price at its start is missing. Names which."""


class Equity:
    """The account of one strategy. Amounts in stake currency."""

    def __init__(
        self,
        config: Mapping[str, Any],
        wallets: Callable[[], Wallets],
        candles: ClosedCandles,
        earlier_close: EarlierClose,
    ) -> None:
        self.marks: dict[str, float] = {}
        """Latest rate of each pair with an open trade, where there is a real market."""
        self._config = config
        self._wallets = wallets
        self._candles = candles
        self._earlier_close = earlier_close

    def day(self, now: datetime) -> Day:
        """Gains and losses of the UTC day so far, open trades included.

        :raises UnknownMarkError: when nobody knows what a trade stood at when the day began
        """
        start = day_start(now)
        trades = open_trades()
        opened = [self._exposure(trade, start, now) for trade in trades]
        ended = [self._ended(trade, start) for trade in closed_today(now)]
        # What parts of open trades have brought is in the wallet already.
        equity = self._wallet() + sum(self._open_profit(trade, now) for trade in trades)
        return day_of(equity, opened + ended)

    def for_plans(self, now: datetime) -> float:
        """What a plan may count on: open losses count, open gains are not money yet."""
        wallet = self._wallet()
        profits = sum(self._open_profit(t, now) for t in open_trades())
        return float(min(wallet, wallet + profits))

    def _wallet(self) -> float:
        """Account value without open profits: what the bot may call its own.

        `available_capital` is freqtrade's share of an account for one bot.
        """
        wallets = self._wallets()
        wallet = float(wallets.get_total(self._config["stake_currency"]))
        if "available_capital" in self._config:
            return min(wallet, float(wallets.get_total_stake_amount()))
        if looks_for_bias(self._config):
            # It hands out a billion so that any stake is small beside it; ours are shares of it,
            # and no market takes them.
            return min(wallet, LOOKAHEAD_CAPITAL)
        return wallet

    def _exposure(self, trade: LocalTrade, start: datetime, now: datetime) -> Exposure:
        if not trade.amount:
            # An entry that has not filled yet may still do so, and lose its margin at most.
            return Exposure(profit=0.0, profit_at_stop=-trade.stake_amount)
        taken = _realised(_exits(trade, since=start), trade)
        return Exposure(
            profit=self._open_profit(trade, now) + taken,
            profit_at_stop=trade.calc_profit(trade.stop_loss) + taken,
            profit_at_day_start=self._profit_at(trade, start),
        )

    def _ended(self, trade: LocalTrade, start: datetime) -> Exposure:
        # Parts of it may have been closed on days before.
        before = _realised(_exits(trade, until=start), trade)
        profit = float(trade.close_profit_abs or 0.0) - before
        return Exposure(profit, profit, self._profit_at(trade, start))

    def _open_profit(self, trade: LocalTrade, now: datetime) -> float:
        if not trade.amount:
            return 0.0
        rate = self.marks.get(trade.pair) or self._close(trade.pair, now) or trade.open_rate
        return float(trade.calc_profit(rate))

    def _profit_at(self, trade: LocalTrade, start: datetime) -> float:
        """What the trade stood at when the day began; 0 when it was opened since."""
        if trade.open_date_utc >= start:
            return 0.0
        rate = self._close(trade.pair, start)
        if rate is None:
            rate = self._earlier_close(trade.pair, start)
        if rate is None:
            raise UnknownMarkError(f"{trade.pair}: its price at {start:%Y-%m-%d %H:%M} UTC")
        amount = _amount_at(trade, start)
        return price_profit(trade.trade_direction, trade.open_rate, rate, amount, trade.fee_open)

    def _close(self, pair: str, moment: datetime) -> float | None:
        candle = self._candles.last(pair, moment)
        return None if candle is None else candle.close


def _exits(
    trade: LocalTrade, *, since: datetime | None = None, until: datetime | None = None
) -> list[Order]:
    """Orders that closed some of the trade, by the time of their last fill."""
    if len(trade.orders) < 2:
        return []
    return [
        order
        for order in trade.orders
        if order.ft_order_side != trade.entry_side
        and order.safe_filled
        and (filled := order.order_filled_utc)
        and (since is None or filled >= since)
        and (until is None or filled < until)
    ]


def _realised(exits: list[Order], trade: LocalTrade) -> float:
    """What those orders have brought; both fees counted, funding not."""
    return sum(
        price_profit(
            trade.trade_direction,
            trade.open_rate,
            order.safe_price,
            order.safe_filled,
            trade.fee_open,
        )
        for order in exits
    )


def _amount_at(trade: LocalTrade, moment: datetime) -> float:
    """Size of a trade at a moment after its entry, in base currency."""
    entered = sum(o.safe_filled for o in trade.orders if o.ft_order_side == trade.entry_side)
    exited = sum(order.safe_filled for order in _exits(trade, until=moment))
    return (entered or trade.amount or trade.amount_requested or 0.0) - exited


def close_before(
    exchange: Exchange, pair: str, moment: datetime, candle_type: CandleType
) -> float | None:
    """The last 15m close before a moment, asked of the venue; None when it has no such candle.

    :raises FreqtradeException: when the venue does not answer.
    """
    candles = exchange.get_historic_ohlcv(
        pair,
        "15m",
        since_ms=dt_ts(moment - 4 * CANDLE),
        candle_type=candle_type,
        until_ms=dt_ts(moment + CANDLE),
    )
    closed = candles.loc[candles["date"] <= moment - CANDLE, "close"]
    return None if closed.empty else float(closed.iat[-1])


def open_trades() -> list[LocalTrade]:
    """Trades that are open now. A backtest asks for them at every candle, so without a filter."""
    return Trade.get_trades_proxy(is_open=True) if Trade.use_db else LocalTrade.bt_trades_open


def closed_today(now: datetime) -> list[LocalTrade]:
    """Trades that ended on the UTC day of `now`, so far."""
    start = day_start(now)
    if not Trade.use_db:
        today = []
        for trade in reversed(LocalTrade.bt_trades):
            if trade.close_date_utc < start:
                break
            today.append(trade)
        return today
    # freqtrade's filter is "later than"; the database keeps naive UTC.
    just_before = (start - timedelta(microseconds=1)).replace(tzinfo=None)
    return Trade.get_trades_proxy(is_open=False, close_date=just_before)


def looks_for_bias(config: Mapping[str, Any]) -> bool:
    """Whether this is lookahead-analysis or recursive-analysis, the only ones in this run mode.

    The former repeats each trade alone and calls a missing one biased. Rules of the whole account,
    which see the other trades, are off there as freqtrade's protections are.
    """
    return config.get("runmode") == RunMode.UTIL_NO_EXCHANGE
