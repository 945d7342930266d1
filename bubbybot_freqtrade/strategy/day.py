"""The day's loss limit: what an entry may still risk, and the lock when nothing is left."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from freqtrade.persistence import LocalTrade, PairLocks

from bubbybot_freqtrade.risk.breakers import Day, day_start, next_day
from bubbybot_freqtrade.risk.equity import (
    UnknownMarkError,
    closed_today,
    looks_for_bias,
    open_trades,
)
from bubbybot_freqtrade.risk.plan import Refusal, TradePlan
from bubbybot_freqtrade.signals.trend import Side
from bubbybot_freqtrade.signals.words import counted
from bubbybot_freqtrade.strategy import messages
from bubbybot_freqtrade.strategy.operator import tell
from bubbybot_freqtrade.strategy.run_modes import is_plot, is_running

if TYPE_CHECKING:
    from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy

logger = logging.getLogger(__name__)

DAILY_LOSS_LOCK = "BubbyBot: daily loss limit"


def stop_at_the_limit(bot: BubbyBotStrategy, now: datetime) -> Day | None:
    """Lock every pair once the day has lost its share; critical exits then close what is open.

    :return: the day so far; None where nothing of it can change, or it is not known
    """
    if looks_for_bias(bot.config) or is_plot(bot.config):
        return None
    memory = bot.memory
    memory.is_halted = False
    opened = open_trades()
    state = _account_state(bot, opened, now)
    if state is not None and state == memory.harmless:
        return None
    if not opened and not closed_today(now):
        memory.harmless = state
        return None
    try:
        day = bot.equity.day(now)
    except UnknownMarkError as error:
        # Entries are refused until it is known; what is open keeps its stops.
        logger.warning("The day's loss is not known: %s is missing.", error)
        return None
    memory.is_halted = day.limit_reached(bot.settings.risk.daily_loss)
    if day.room(bot.settings.risk.daily_loss) > 0:
        memory.harmless = state
    if memory.is_halted and not _is_over(now):
        _end(bot, day, now)
    return day


def _end(bot: BubbyBotStrategy, day: Day, now: datetime) -> None:
    # freqtrade rounds the end up to the next candle: just before midnight is midnight.
    bot.lock_pair("*", next_day(now) - timedelta(seconds=1), DAILY_LOSS_LOCK)
    risk = bot.settings.risk
    told = messages.day_over(
        day.loss_share, risk.daily_loss, next_day(now), closes_trades=risk.flatten_on_daily_loss
    )
    tell(bot, told)


def _account_state(
    bot: BubbyBotStrategy, opened: list[LocalTrade], now: datetime
) -> tuple[Any, ...] | None:
    """What can change a day that not even all stops would bring to its limit.

    None where the market is real: there a price can go through a stop.
    """
    if is_running(bot.config):
        return None
    stops = [(trade.id, trade.stop_loss) for trade in opened]
    return day_start(now), len(LocalTrade.bt_trades), stops


def _is_over(now: datetime) -> bool:
    """Whether the day's loss limit has locked all pairs; other locks may stand beside it."""
    locks = PairLocks.get_pair_locks("*", now)
    return any(lock.reason == DAILY_LOSS_LOCK for lock in locks)


# --- what an entry may still do -------------------------------------------------------------------


def refuse_side(bot: BubbyBotStrategy, pair: str, side: Side) -> Refusal | None:
    """No more trades of this side than the settings allow."""
    most = bot.settings.risk.max_same_side
    opened = open_trades()
    if looks_for_bias(bot.config) or sum(trade.trade_direction == side for trade in opened) < most:
        return None
    allowed = counted(most, f"{side} trade")
    return Refusal(f"{pair}: no more than {allowed} at once (risk.max_same_side)")


def within_the_account(
    bot: BubbyBotStrategy, made: TradePlan, now: datetime
) -> TradePlan | Refusal:
    """The plan, where neither its side nor the day's limit forbids it."""
    if looks_for_bias(bot.config):
        return made
    if refusal := refuse_side(bot, made.pair, made.side):
        return refusal
    if _is_over(now):
        return Refusal(f"{made.pair}: the day's loss limit was reached, trading is over for today")
    try:
        day = bot.equity.day(now)
    except UnknownMarkError as error:
        return Refusal(f"{made.pair}: the day's loss is not known, {error} is missing")
    limit = bot.settings.risk.daily_loss
    if day.limit_reached(limit):
        return Refusal(f"{made.pair}: the day has lost {day.loss_share:.2%}")
    if made.risk > day.room(limit):
        return Refusal(
            f"{made.pair}: {made.risk:.2f} at risk, the day has room for {day.room(limit):.2f}"
        )
    return made
