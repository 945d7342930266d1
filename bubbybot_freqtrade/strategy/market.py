"""What the strategy asks freqtrade of a pair: its last analyzed candle, limits, fee, funding."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from freqtrade.exceptions import FreqtradeException
from freqtrade.persistence import LocalTrade

from bubbybot_freqtrade.blofin.bracket import Bracket
from bubbybot_freqtrade.learning.regime import regime_of
from bubbybot_freqtrade.risk.closed_candles import CANDLE
from bubbybot_freqtrade.risk.equity import close_before
from bubbybot_freqtrade.risk.plan import LeverageTier, MarketLimits, Signal
from bubbybot_freqtrade.signals.trend import SIDES, Side
from bubbybot_freqtrade.strategy.freqtrade_seams import exchange_of, leverage_tiers
from bubbybot_freqtrade.strategy.run_modes import is_live, is_running

if TYPE_CHECKING:
    from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy

logger = logging.getLogger(__name__)

TAKER_FEE = 0.0006
FUNDING_INTERVAL = timedelta(minutes=30)


def awaits_candles(bot: BubbyBotStrategy, pair: str) -> bool:
    """Whether a pair's first candles are still to come: those of hundreds do, loop by loop."""
    queue = getattr(exchange_of(bot.dp), "candle_queue", None)
    is_behind = queue is not None and queue.is_behind
    return is_behind and bot.dp.ohlcv(pair, bot.timeframe, copy=False).empty


def is_unread(bot: BubbyBotStrategy, pair: str) -> bool:
    """Whether a pair has candles that were not analyzed, or none though they should be there.

    freqtrade looks for itself, but copies a pair's candles twice for it, in every loop.
    """
    candles, read = bot.dp.ohlcv(pair, bot.timeframe, copy=False), analyzed(bot, pair)
    if candles.empty:
        return not awaits_candles(bot, pair)
    if read.empty or not bot.process_only_new_candles:
        return True
    return bool(candles["date"].array[-1] != read["date"].array[-1])


def side_of(side: str) -> Side:
    """freqtrade's word for a side, as ours."""
    return SIDES[0] if side == "long" else SIDES[1]


def sign_of(trade: LocalTrade) -> int:
    """+1 for a long, -1 for a short."""
    return -1 if trade.is_short else 1


def analyzed(bot: BubbyBotStrategy, pair: str) -> pd.DataFrame:
    """The pair's analyzed candles; empty before the first analysis."""
    frame, _ = bot.dp.get_analyzed_dataframe(pair, bot.timeframe)
    return frame


def signal_of(
    bot: BubbyBotStrategy, pair: str, side: Side, before: datetime | None = None
) -> Signal | None:
    """What the last closed candle (the last that closed `before`) says for this side."""
    frame = analyzed(bot, pair)
    row = len(frame) - 1
    if before is not None and not frame.empty:
        opened = before - CANDLE
        row = int(frame["date"].searchsorted(pd.Timestamp(opened), side="right")) - 1
    if row < 0:
        return None

    def value(column: str) -> float:
        return float(frame[column].to_numpy(dtype=np.float64)[row])

    return Signal(
        pair=pair,
        side=side,
        stop=value(f"plan_{side}_stop"),
        target=value(f"plan_{side}_target"),
        confidence=value(f"{side}_confluence"),
        tag=str(frame["enter_tag"].iat[row] or ""),
        regime=regime_of(frame, row, side),
    )


def fee_of(bot: BubbyBotStrategy, pair: str) -> float:
    """The taker fee that trades will pay: the config's, else the market's."""
    if bot.config.get("fee") is not None:
        return float(bot.config["fee"])
    market = bot.dp.market(pair) or {}
    return float(market.get("taker") or TAKER_FEE)


def limits_of(bot: BubbyBotStrategy, pair: str) -> MarketLimits:
    """What the pair's market allows.

    :raises ValueError: when freqtrade does not know the market or its leverage tiers
    """
    market = bot.dp.market(pair)
    tiers = leverage_tiers(bot.dp, pair)
    if market is None or not tiers:
        raise ValueError(f"{pair}: market or leverage tiers are not known.")
    return MarketLimits.from_ccxt(
        market | {"taker": fee_of(bot, pair)},
        [
            LeverageTier(
                tier["maxNotional"] or float("inf"),
                tier["maintenanceMarginRate"],
                tier["maxLeverage"],
            )
            for tier in tiers
        ],
    )


def funding_rate(bot: BubbyBotStrategy, pair: str, now: datetime) -> float:
    """The pair's funding rate, asked once in half an hour."""
    asked, rate = bot.memory.funding.get(pair, (datetime.min.replace(tzinfo=now.tzinfo), 0.0))
    if now - asked > FUNDING_INTERVAL:
        rate = float(bot.dp.funding_rate(pair).get("fundingRate") or 0.0)
        bot.memory.funding[pair] = (now, rate)
    return rate


def earlier_close(bot: BubbyBotStrategy, pair: str, moment: datetime) -> float | None:
    """Asked of the exchange, once: before the first analysis, or of a pair no longer listed."""
    if not is_running(bot.config):
        return None
    known = bot.memory.earlier_closes
    if (pair, moment) not in known:
        candle_type = bot.config["candle_type_def"]
        try:
            close = close_before(exchange_of(bot.dp), pair, moment, candle_type)
        except FreqtradeException as error:
            logger.warning("No candles of %s before %s: %s", pair, moment, error)
            return None
        if close is None:
            return None
        known[pair, moment] = close
    return known[pair, moment]


def standing_bracket(bot: BubbyBotStrategy, trade: LocalTrade) -> Bracket | None:
    """The stop and target that stand on the venue for a trade; None on paper."""
    if not is_live(bot.config):
        return None
    return exchange_of(bot.dp).standing_bracket(trade.pair, trade.trade_direction)


def sends_brackets(bot: BubbyBotStrategy) -> bool:
    """Whether freqtrade's exchange is our extension, where every entry carries its stop."""
    return hasattr(exchange_of(bot.dp), "standing_bracket")
