"""Whether the strategy is still working, by its own closed trades: what follows from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from bubbybot_freqtrade.learning.edge import Edge, edge_of, shipped
from bubbybot_freqtrade.risk.plan import Refusal, Signal

if TYPE_CHECKING:
    from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy


def edge_at(bot: BubbyBotStrategy, now: datetime) -> Edge:
    """What the trades that have closed by now say."""
    settings = bot.settings.edge
    results = bot.closed_trades.history().results(now, settings.since)
    return edge_of(results, shipped(), settings)


def with_doubt(bot: BubbyBotStrategy, signal: Signal, now: datetime) -> Signal | Refusal:
    """The signal; with the least risk while the edge is in doubt, none once it is gone."""
    if not bot.settings.edge.act:
        return signal
    known = edge_at(bot, now)
    if known.state == "gone":
        return Refusal(
            f"{signal.pair}: {known.told(shipped())} No entries (edge.since begins anew)"
        )
    return replace(signal, trust=0.0) if known.state == "in doubt" else signal
