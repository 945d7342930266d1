"""What the strategy knows from one callback to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd
from freqtrade.persistence import LocalTrade

from bubbybot_freqtrade.risk.closed_candles import ClosedCandles
from bubbybot_freqtrade.risk.plan import TradePlan
from bubbybot_freqtrade.settings import BubbyBotSettings
from bubbybot_freqtrade.signals.context import Context
from bubbybot_freqtrade.strategy.watch import Watches

TradeKey = tuple[int, datetime]
"""A trade's id and opening: a backtest's ids begin again with each of its runs."""


@dataclass(frozen=True, slots=True)
class KeptContext:
    """The analysis of candles that are not kept: what they were, and from which moment (s) on.

    :param candles: a digest of all that was analyzed
    """

    candles: bytes
    first: int
    context: Context


@dataclass
class Memory:
    """All of it can be lost: a restart finds it again in freqtrade's database and on the venue.

    :param candles: the analyzed candles, by the time they are asked for
    :param pending: the plan of a pair's entry, until the entry has filled
    :param plans: the plans of open and past trades
    :param planless: ids of trades for which no plan could be found
    :param target_ratios: the profit ratio of each pair's target, and what it was made of
    :param contexts: of a pair and timeframe what is needed of its analysis
    :param told_signals: the candle of each pair's last signal that was told instead of traded
    :param told_refusals: the candle of each pair's last signal that was refused, and why
    :param funding: when a pair's funding rate was asked, and the rate
    :param earlier_closes: closes before a moment that the exchange was asked for
    :param began: when the first loop was
    :param told_results: trades whose result was told
    :param followed: a follower's newest candle of a pair, and which frame its producer has sent
    :param doubled: pairs of which it was told that several producers send them
    :param heard: when a producer's newest candle closed, or since when it is waited for
    :param awaited_close: the newest close (s since the epoch) that pairs are analyzed after
    :param told_close: the newest of which it was told that all pairs have been
    :param is_halted: the day's loss limit is reached
    :param harmless: the account in a state that cannot reach the limit (see `day`)
    """

    candles: ClosedCandles
    watches: Watches
    pending: dict[str, TradePlan] = field(default_factory=dict)
    plans: dict[TradeKey, TradePlan] = field(default_factory=dict)
    planless: set[int] = field(default_factory=set)
    target_ratios: dict[str, tuple[tuple[Any, ...], float]] = field(default_factory=dict)
    contexts: dict[tuple[str, str], KeptContext] = field(default_factory=dict)
    told_signals: dict[str, pd.Timestamp] = field(default_factory=dict)
    told_refusals: dict[str, tuple[pd.Timestamp, str]] = field(default_factory=dict)
    funding: dict[str, tuple[datetime, float]] = field(default_factory=dict)
    earlier_closes: dict[tuple[str, datetime], float] = field(default_factory=dict)
    began: datetime | None = None
    told_results: set[TradeKey] = field(default_factory=set)
    followed: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    doubled: set[str] = field(default_factory=set)
    heard: dict[str, datetime] = field(default_factory=dict)
    awaited_close: int | None = None
    told_close: int | None = None
    is_halted: bool = False
    harmless: tuple[Any, ...] | None = None

    @classmethod
    def empty(cls, settings: BubbyBotSettings) -> Memory:
        """Nothing yet."""
        return cls(ClosedCandles(settings.exits.volatility_shock), Watches.of(settings.messages))


def key_of(trade: LocalTrade) -> TradeKey:
    """What a trade's plan is kept under."""
    return trade.id, trade.open_date_utc
