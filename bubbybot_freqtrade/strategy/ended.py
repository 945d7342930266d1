"""Trades that have ended, told once each, with what they came to in R."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from freqtrade.persistence import LocalTrade

from bubbybot_freqtrade.learning.trades import past_of
from bubbybot_freqtrade.risk.equity import closed_today
from bubbybot_freqtrade.strategy import messages
from bubbybot_freqtrade.strategy.memory import key_of
from bubbybot_freqtrade.strategy.operator import tell
from bubbybot_freqtrade.strategy.plans import plan_of
from bubbybot_freqtrade.strategy.run_modes import is_running

if TYPE_CHECKING:
    from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy


def tell_result(bot: BubbyBotStrategy, trade: LocalTrade) -> None:
    """Tell what a trade has come to, if it has just ended."""
    told = bot.memory.told_results
    if not is_running(bot.config) or trade.is_open or key_of(trade) in told:
        return
    told.add(key_of(trade))
    if trade.close_rate is None or not trade.nr_of_successful_entries:
        # An entry that never filled.
        return
    past = past_of(trade, plan_of(bot, trade), timedelta(0))
    profit = f"{trade.close_profit_abs or 0.0:+.2f} {bot.config['stake_currency']}"
    tell(
        bot,
        messages.result_told(
            trade.pair,
            trade.trade_direction,
            trade.exit_reason or "",
            trade.close_rate,
            profit,
            None if past is None else past.r,
        ),
    )


def tell_of_others(bot: BubbyBotStrategy, now: datetime) -> None:
    """Tell those that no order of freqtrade's has ended: booked from the venue's history.

    What had ended before the bot started is not news.
    """
    memory = bot.memory
    if memory.began is None:
        memory.began = now
    for trade in closed_today(now):
        if trade.close_date_utc >= memory.began:
            tell_result(bot, trade)
