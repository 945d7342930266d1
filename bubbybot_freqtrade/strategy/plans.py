"""The plan of a trade: made for its order, kept with it, found again after a restart."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from freqtrade.persistence import LocalTrade, Order, Trade

from bubbybot_freqtrade.risk.order_tag import with_levels, with_move
from bubbybot_freqtrade.risk.plan import (
    PLAN,
    STOP_MOVES,
    Refusal,
    Signal,
    TradePlan,
    fit,
    floor_to,
    measure,
    plan,
)
from bubbybot_freqtrade.strategy import messages, pictures
from bubbybot_freqtrade.strategy.market import limits_of, signal_of, standing_bracket
from bubbybot_freqtrade.strategy.memory import key_of
from bubbybot_freqtrade.strategy.operator import tell
from bubbybot_freqtrade.strategy.parameters import risk_of
from bubbybot_freqtrade.strategy.run_modes import is_backtest, is_hyperopt, is_running

if TYPE_CHECKING:
    from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy


def make(
    bot: BubbyBotStrategy,
    signal: Signal,
    rate: float,
    now: datetime,
    leverage: float | None,
    *,
    is_forced: bool = False,
) -> TradePlan | Refusal:
    """A plan for an entry at `rate`; a forced one needs no least confidence."""
    least = bot.min_confidence.value
    return plan(
        signal,
        rate,
        bot.equity.for_plans(now),
        limits_of(bot, signal.pair),
        risk_of(bot),
        min_confidence=min(least, signal.confidence) if is_forced else least,
        leverage=None if leverage is None else int(leverage),
    )


def make_for_order(
    bot: BubbyBotStrategy, planned: TradePlan | None, rate: float, amount: float
) -> TradePlan | Refusal:
    """The plan again, with the order's own rate and amount (base currency)."""
    if planned is None:
        return Refusal("the entry has no plan")
    market, risk = limits_of(bot, planned.pair), risk_of(bot)
    signal = Signal(
        planned.pair,
        planned.side,
        planned.stop,
        planned.target,
        planned.confidence,
        planned.tag,
        planned.regime,
        planned.trust,
    )
    again = plan(
        signal,
        rate,
        planned.equity,
        market,
        risk,
        # Already held against the least when it was planned, unless a person asked for it.
        min_confidence=min(bot.min_confidence.value, planned.confidence),
        leverage=planned.leverage,
    )
    if isinstance(again, Refusal):
        return again
    size = floor_to(amount, market.size_step)
    return fit(signal, rate, size, planned.leverage, planned.equity, market, risk)


def plan_of(bot: BubbyBotStrategy, trade: LocalTrade) -> TradePlan | None:
    """The plan that was kept with a trade."""
    plans, key = bot.memory.plans, key_of(trade)
    if key not in plans:
        kept = trade.get_custom_data(PLAN)
        if kept is None:
            return None
        plans[key] = TradePlan.from_dict(kept)
    return plans[key]


def keep_with_the_trade(bot: BubbyBotStrategy, trade: Trade, order: Order) -> None:
    """Keep the plan of a trade's first entry, so that a restart knows it."""
    if order.ft_order_side != trade.entry_side or trade.nr_of_successful_entries > 1:
        return
    pending = bot.memory.pending
    if trade.pair not in pending and plan_of(bot, trade) is not None:
        # freqtrade comes again with a filled entry: /reload_trade, a fee that arrives late.
        return
    # What the pair's last trade was seen at says nothing of this one.
    bot.equity.marks.pop(trade.pair, None)
    _keep(bot, trade, pending.pop(trade.pair, None))
    if is_backtest(bot.config) and (made := plan_of(bot, trade)):
        order.ft_order_tag = with_levels(order.ft_order_tag or "", made)


def keep_stop_move(bot: BubbyBotStrategy, trade: Trade, now: datetime, stop: float) -> None:
    """Keep where the stop moves to, for reports: the database knows the last one only."""
    if is_hyperopt(bot.config):
        return
    if is_running(bot.config):
        moves = trade.get_custom_data(STOP_MOVES) or []
        trade.set_custom_data(STOP_MOVES, [*moves, [now.timestamp(), stop]])
    elif trade.orders:
        entry = trade.orders[0]
        entry.ft_order_tag = with_move(entry.ft_order_tag or "", now, stop)


def find_lost(bot: BubbyBotStrategy) -> None:
    """Make plans for trades whose fill came when BloFin could not be asked, or a kill did."""
    for trade in Trade.get_trades_proxy(is_open=True):
        if trade.id in bot.memory.planless or not trade.nr_of_successful_entries:
            continue
        if plan_of(bot, trade) is None:
            _keep(bot, trade, None)


def _keep(bot: BubbyBotStrategy, trade: Trade, planned: TradePlan | None) -> None:
    made = planned or _found_again(bot, trade)
    if made is None:
        stops = [trade.stop_loss]
        if bracket := standing_bracket(bot, trade):
            stops.append(bracket.stop)
        stop = min(stops) if trade.is_short else max(stops)
        bot.memory.planless.add(trade.id)
        tell(bot, messages.no_plan(trade.pair, trade.trade_direction, stop))
        return
    bot.memory.plans[key_of(trade)] = made
    trade.set_custom_data(PLAN, made.to_dict())
    if is_running(bot.config):
        tell(bot, messages.plan_told(made, trade.open_rate, found_again=planned is None))
        caption = messages.headline(f"#{trade.id}", made, trade.open_date_utc)
        pictures.show(bot, made, trade.open_rate, caption)


def _found_again(bot: BubbyBotStrategy, trade: Trade) -> TradePlan | None:
    """The plan of a trade whose own was lost by a restart.

    Its bracket is what stands on the venue; on paper, what its signal candle says. The position is
    there already, so it gets stop and target whatever the rules say of it.
    """
    signal = signal_of(bot, trade.pair, trade.trade_direction, before=trade.open_date_utc)
    if bracket := standing_bracket(bot, trade):
        known = signal is not None and np.isfinite(signal.confidence)
        signal = Signal(
            pair=trade.pair,
            side=trade.trade_direction,
            stop=bracket.stop,
            target=bracket.target or 0.0,
            # It was entered, so it had at least the least.
            confidence=signal.confidence if signal and known else bot.min_confidence.value,
            tag=trade.enter_tag or "",
        )
    if signal is None or not trade.amount or not signal.stop > 0 or not signal.target > 0:
        return None
    leverage = int(trade.leverage or 1)
    market = limits_of(bot, trade.pair)
    equity = bot.equity.for_plans(trade.open_date_utc)
    return measure(signal, trade.open_rate, trade.amount, leverage, equity, market)
