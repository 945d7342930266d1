"""Prices of open trades between two loops: the next one comes at once where they ask for it.

The extension hears them, and wakes the loop; what to do is judged in the loop, by prices that
freqtrade asks for.
"""

from __future__ import annotations

import logging
import math
from datetime import datetime
from typing import TYPE_CHECKING, Any

from freqtrade.exceptions import FreqtradeException
from freqtrade.persistence import LocalTrade

from bubbybot_freqtrade.risk.breakers import Day
from bubbybot_freqtrade.risk.equity import open_trades
from bubbybot_freqtrade.strategy.exits import liquidation_bound, shock_bound
from bubbybot_freqtrade.strategy.freqtrade_seams import exchange_of
from bubbybot_freqtrade.strategy.market import sign_of

if TYPE_CHECKING:
    from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy

logger = logging.getLogger(__name__)


def _real_time(bot: BubbyBotStrategy) -> Any | None:
    """The extension's websockets; None where it doesn't listen, or is another exchange's."""
    real_time = getattr(exchange_of(bot.dp), "real_time", None)
    return real_time if real_time is not None and real_time.is_listening else None


def are_moving(bot: BubbyBotStrategy) -> bool:
    """Whether a pushed price has woken this loop.

    The marks are those of now then, not of the last loop: the day's loss is judged by them before
    exits are.
    """
    real_time = _real_time(bot)
    if real_time is None or not real_time.has_moved:
        return False
    for trade in open_trades():
        try:
            bot.equity.marks[trade.pair] = exchange_of(bot.dp).get_rate(
                trade.pair, refresh=True, side="exit", is_short=trade.is_short
            )
        except FreqtradeException as error:
            # Judged by its last price, and again where freqtrade looks at its exit.
            logger.warning("%s: no price to judge it by: %s", trade.pair, error)
    return True


def set_alarms(bot: BubbyBotStrategy, now: datetime, day: Day | None) -> None:
    """Have the loop woken where a trade comes near liquidation, the candle that runs is a shock, a
    price is worth a message, or the day's loss reaches its limit.
    """
    real_time = _real_time(bot)
    if real_time is None:
        return
    trades = [trade for trade in open_trades() if trade.amount]
    exposures = {trade.pair: _exposure(bot, trade) for trade in trades}
    known = {pair: one for pair, one in exposures.items() if one is not None}
    bounds = {trade.pair: _bounds(bot, trade, now) for trade in trades}
    real_time.wake_at(bounds, known, _room(bot, day))


def _bounds(bot: BubbyBotStrategy, trade: LocalTrade, now: datetime) -> tuple[float, float]:
    low, high = bot.memory.watches.prices.bounds(trade.pair, now)
    near = liquidation_bound(trade, bot.settings.exits.liquidation_near)
    against = [bound for bound in (near, shock_bound(bot, trade, now)) if bound is not None]
    if sign_of(trade) > 0:
        return max([low, *against]), high
    return low, min([high, *against])


def _exposure(bot: BubbyBotStrategy, trade: LocalTrade) -> tuple[float, float] | None:
    mark = bot.equity.marks.get(trade.pair)
    return None if mark is None else (sign_of(trade) * trade.amount, mark)


def _room(bot: BubbyBotStrategy, day: Day | None) -> float:
    """What the day may still lose from the marks on before its limit, in stake currency."""
    if day is None or bot.memory.is_halted:
        return math.inf
    return bot.settings.risk.daily_loss * day.opening_equity + day.profit
