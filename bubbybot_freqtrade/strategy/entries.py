"""From freqtrade's questions before an entry to a planned order with its bracket, or to none.

freqtrade asks for leverage, then for the stake, then for a last word: the first two plan, the last
plans again with the order's own rate and amount. Whatever fails on the way, there is no entry.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import numpy as np
import pandas as pd

from bubbybot_freqtrade.blofin.bracket import Bracket, offer_bracket
from bubbybot_freqtrade.risk.equity import looks_for_bias
from bubbybot_freqtrade.risk.levels import forced_levels
from bubbybot_freqtrade.risk.plan import Refusal, Signal, TradePlan
from bubbybot_freqtrade.strategy import messages, pictures, plans
from bubbybot_freqtrade.strategy.day import refuse_side, within_the_account
from bubbybot_freqtrade.strategy.edge import with_doubt
from bubbybot_freqtrade.strategy.freqtrade_seams import exchange_of
from bubbybot_freqtrade.strategy.market import analyzed, fee_of, side_of, signal_of
from bubbybot_freqtrade.strategy.operator import tell
from bubbybot_freqtrade.strategy.parameters import risk_of
from bubbybot_freqtrade.strategy.run_modes import is_running

if TYPE_CHECKING:
    from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

# A forced market order with a price fills at the market's; so far apart the plan still holds.
FORCED_RATE_GAP = 0.002


def closed_on_error(refusal: R) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Answer `refusal` when the callback fails: freqtrade itself would go on and trade."""

    def decorate(callback: Callable[P, R]) -> Callable[P, R]:
        @wraps(callback)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return callback(*args, **kwargs)
            except Exception:
                logger.exception("BubbyBot refuses an entry: %s failed.", callback.__name__)
                return refusal

        return guarded

    return decorate


def leverage(
    bot: BubbyBotStrategy, pair: str, side: str, rate: float, now: datetime, entry_tag: str | None
) -> float:
    """The plan's leverage; 1 when there is no plan, which the next question refuses."""
    made = _planned(bot, pair, side, rate, now, entry_tag)
    return float(made.leverage) if isinstance(made, TradePlan) else 1.0


def stake(
    bot: BubbyBotStrategy,
    pair: str,
    side: str,
    rate: float,
    now: datetime,
    entry_tag: str | None,
    leverage: float,
    max_stake: float,
) -> float:
    """The plan's margin at the leverage that freqtrade settled on; 0 for no trade."""
    bot.memory.pending.pop(pair, None)
    made = _planned(bot, pair, side, rate, now, entry_tag, leverage)
    if isinstance(made, Refusal):
        _refuse(bot, made, pair, entry_tag)
        return 0.0
    bot.memory.pending[pair] = made
    # freqtrade divides and multiplies this back into whole contracts, rounding down.
    return min(made.margin * (1 + 1e-12), max_stake)


def confirm(
    bot: BubbyBotStrategy,
    pair: str,
    order_type: str,
    amount: float,
    rate: float,
    now: datetime,
    entry_tag: str | None,
) -> bool:
    """Plan again with the order's own rate and amount; offer the bracket, or refuse."""
    planned = bot.memory.pending.pop(pair, None)
    made = plans.make_for_order(bot, planned, rate, amount)
    if isinstance(made, TradePlan):
        made = within_the_account(bot, made, now)
    if isinstance(made, TradePlan) and order_type == "market":
        made = _at_the_market(bot, made, rate, entry_tag)
    if isinstance(made, Refusal):
        _refuse(bot, made, pair, entry_tag)
        return False
    if bot.settings.messages.signals_only and is_running(bot.config):
        _tell_once(bot, made, rate, now)
        return False
    bot.memory.pending[pair] = made
    offer_bracket(pair, made.side, Bracket(stop=made.stop, target=made.target))
    tell(bot, f"Plan: {made.why}.", notify=False)
    return True


def _tell_once(bot: BubbyBotStrategy, made: TradePlan, rate: float, now: datetime) -> None:
    if _is_told(bot.memory.told_signals, made.pair, _newest_candle(bot, made.pair)):
        return
    tell(bot, messages.signal_told(made, rate))
    pictures.show(bot, made, rate, messages.headline("Signal", made, now))


def _is_told(told: dict[str, T], pair: str, what: T) -> bool:
    """Whether it was told last of the pair; it is now. freqtrade asks again in every loop while the
    signal's candle is the newest.
    """
    before, told[pair] = told.get(pair), what
    return before == what


def _newest_candle(bot: BubbyBotStrategy, pair: str) -> pd.Timestamp:
    return pd.Timestamp(analyzed(bot, pair)["date"].max())


def _planned(
    bot: BubbyBotStrategy,
    pair: str,
    side: str,
    rate: float,
    now: datetime,
    entry_tag: str | None,
    leverage: float | None = None,
) -> TradePlan | Refusal:
    # First what costs nothing: while a trade is open, most signals end here.
    if refusal := refuse_side(bot, pair, side_of(side)):
        return refusal
    signal = signal_of(bot, pair, side_of(side))
    if signal is None:
        return Refusal(f"{pair}: {_why_not_analyzed(bot, pair)}")
    if _is_forced(bot, pair, entry_tag):
        return _planned_for_a_person(bot, signal, rate, now, entry_tag, leverage)
    weighed = _weighed(bot, signal, now)
    if isinstance(weighed, Refusal):
        return weighed
    return plans.make(bot, weighed, rate, now, leverage)


def _why_not_analyzed(bot: BubbyBotStrategy, pair: str) -> str:
    if pair not in bot.dp.current_whitelist():
        return "it is not among the pairs that the bot analyzes (exchange.pair_whitelist)"
    return "no analyzed candle yet"


def _planned_for_a_person(
    bot: BubbyBotStrategy,
    signal: Signal,
    rate: float,
    now: datetime,
    entry_tag: str | None,
    leverage: float | None,
) -> TradePlan | Refusal:
    """A person answers for the idea; every rule of the trade itself stays."""
    confidence = float(np.nan_to_num(signal.confidence))
    forced = replace(signal, confidence=confidence, tag=entry_tag or "")
    made = plans.make(bot, forced, rate, now, leverage, is_forced=True)
    if isinstance(made, Refusal):
        atr = float(analyzed(bot, signal.pair)["stop_atr"].to_numpy(dtype=np.float64)[-1])
        fee = fee_of(bot, signal.pair)
        stop, target = forced_levels(signal.side, rate, atr, fee, risk_of(bot))
        forced = replace(forced, stop=stop, target=target)
        made = plans.make(bot, forced, rate, now, leverage, is_forced=True)
    return made


def _weighed(bot: BubbyBotStrategy, signal: Signal, now: datetime) -> Signal | Refusal:
    """The signal by what past trades say of the edge and of its patterns."""
    if looks_for_bias(bot.config):
        return signal
    weighed: Signal | Refusal = signal
    if bot.settings.learning.is_used:
        weighed = bot.ledger.weigh(bot.closed_trades.history(), signal, now)
    return weighed if isinstance(weighed, Refusal) else with_doubt(bot, weighed, now)


def _is_forced(bot: BubbyBotStrategy, pair: str, entry_tag: str | None) -> bool:
    """Whether the entry comes from a person: its tag is not the latest candle's."""
    if not entry_tag or not is_running(bot.config):
        return False
    frame = analyzed(bot, pair)
    return frame.empty or entry_tag != frame["enter_tag"].iat[-1]


def _at_the_market(
    bot: BubbyBotStrategy, made: TradePlan, rate: float, entry_tag: str | None
) -> TradePlan | Refusal:
    """Refuse a forced market order whose given price is not the market's."""
    if not _is_forced(bot, made.pair, entry_tag):
        return made
    now = exchange_of(bot.dp).get_rate(
        made.pair, refresh=True, side="entry", is_short=made.side == "short"
    )
    if abs(now / rate - 1) <= FORCED_RATE_GAP:
        return made
    return Refusal(
        f"{made.pair}: a market order fills at about {messages.price(now)}, the plan was asked for "
        f"{messages.price(rate)}; leave the price out, or ask for a limit order"
    )


def _refuse(bot: BubbyBotStrategy, refusal: Refusal, pair: str, entry_tag: str | None) -> None:
    """Log why there is no trade, once a candle; a person who asked for it is told each time."""
    is_forced = _is_forced(bot, pair, entry_tag)
    if is_running(bot.config) and not is_forced:
        told = _newest_candle(bot, pair), refusal.reason
        if _is_told(bot.memory.told_refusals, pair, told):
            return
    tell(bot, messages.refused(refusal.reason), notify=is_forced)
