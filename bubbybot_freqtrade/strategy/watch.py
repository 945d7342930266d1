"""What the operator should hear between trades: fast prices, old candles, a strange account.

State machines without I/O, and what feeds them. Each thing is told once, and again only when it
happens again.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from freqtrade.exceptions import FreqtradeException

from bubbybot_freqtrade.learning.edge import Edge, State
from bubbybot_freqtrade.learning.table import pattern_rows
from bubbybot_freqtrade.risk.closed_candles import CANDLE
from bubbybot_freqtrade.settings import MessageSettings
from bubbybot_freqtrade.strategy import messages
from bubbybot_freqtrade.strategy.edge import edge_at
from bubbybot_freqtrade.strategy.freqtrade_seams import exchange_of
from bubbybot_freqtrade.strategy.operator import tell

if TYPE_CHECKING:
    from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy

logger = logging.getLogger(__name__)

INTERVAL = timedelta(minutes=1)
WINDOW = timedelta(minutes=15)
"""Fast moves are those within this time."""


class PriceWatch:
    """Tells of pairs whose price moved more than their threshold within the window."""

    def __init__(self, settings: MessageSettings) -> None:
        self._settings = settings
        self._seen: dict[str, list[tuple[datetime, float]]] = {}

    def look(self, now: datetime, prices: Mapping[str, float]) -> list[str]:
        """Take in the prices of this moment; one text for each pair that moved fast."""
        told = []
        for pair, rate in prices.items():
            threshold = self._settings.price_moves.get(pair, self._settings.price_move)
            if not threshold or not rate > 0:
                continue
            recent = [(at, seen) for at, seen in self._seen.get(pair, []) if now - at <= WINDOW]
            far = max(recent, key=lambda entry: abs(rate / entry[1] - 1), default=(now, rate))
            change = rate / far[1] - 1
            if abs(change) >= threshold:
                told.append(messages.fast_move(pair, change, _minutes(now - far[0]), rate))
                # The next message needs another whole move from here.
                recent = []
            self._seen[pair] = [*recent, (now, rate)]
        return told

    def bounds(self, pair: str, now: datetime) -> tuple[float, float]:
        """The prices below and above which a pair's next message is due; it has seen one."""
        threshold = self._settings.price_moves.get(pair, self._settings.price_move)
        recent = [rate for at, rate in self._seen.get(pair, []) if now - at <= WINDOW]
        if not threshold or not recent:
            return 0.0, math.inf
        return max(recent) * (1 - threshold), min(recent) * (1 + threshold)


class CandleWatch:
    """Tells of pairs, or producers, whose newest candle is old, and when that is over."""

    def __init__(
        self,
        settings: MessageSettings,
        stale: Callable[[str, timedelta], str] = messages.stale,
        fresh_again: Callable[[str], str] = messages.fresh_again,
    ) -> None:
        self._limit = timedelta(minutes=settings.stale_minutes)
        self._says_stale, self._says_fresh = stale, fresh_again
        self._stale: set[str] = set()

    def look(self, now: datetime, closed: Mapping[str, datetime]) -> list[str]:
        """Take in when each pair's newest candle closed."""
        told = []
        for pair, moment in closed.items():
            is_stale = now - moment > self._limit
            if is_stale and pair not in self._stale:
                told.append(self._says_stale(pair, now - moment))
                self._stale.add(pair)
            elif not is_stale and pair in self._stale:
                told.append(self._says_fresh(pair))
                self._stale.discard(pair)
        return told


class AccountMessages:
    """Passes on what the extension found on the account, once while it lasts."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def look(self, findings: Iterable[str]) -> list[str]:
        """Take in the sentences of this loop's findings."""
        current = [messages.plain(sentence) for sentence in findings]
        told = [sentence for sentence in current if sentence not in self._told]
        self._told = set(current)
        return told


class PatternCalendar:
    """Says when the patterns are due: with the first look of each UTC day, or of each Monday."""

    def __init__(self, settings: MessageSettings) -> None:
        self._every = settings.patterns
        self._period: date | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether a day or week has begun since the last look; the first look begins none."""
        today = now.astimezone(UTC).date()
        weekday = today.weekday() if self._every == "weekly" else 0
        period = today - timedelta(days=weekday)
        begun = self._period is not None and period != self._period
        self._period = period
        return begun and self._every is not None


class EdgeWatch:
    """Tells when the edge comes into doubt, is gone, or works again."""

    def __init__(self) -> None:
        self._told: State = "working"

    def look(self, known: Edge) -> list[str]:
        """Take in what the closed trades say now."""
        if known.state == self._told:
            return []
        self._told = known.state
        return [messages.edge_told(known)]


@dataclass
class Watches:
    """All of them, and when they last looked."""

    prices: PriceWatch
    candles: CandleWatch
    producers: CandleWatch
    account: AccountMessages
    patterns: PatternCalendar
    edge: EdgeWatch
    looked_at: datetime | None = None

    @classmethod
    def of(cls, settings: MessageSettings) -> Watches:
        """Watches that have seen nothing yet."""
        return cls(
            PriceWatch(settings),
            CandleWatch(settings),
            CandleWatch(settings, messages.silent, messages.heard_again),
            AccountMessages(),
            PatternCalendar(settings),
            EdgeWatch(),
        )

    def are_due(self, now: datetime, *, moving: bool = False) -> bool:
        """Whether to look now: once a minute, and when the price of a position moves fast."""
        is_soon = self.looked_at is not None and now - self.looked_at < INTERVAL
        if is_soon and not moving:
            return False
        self.looked_at = now
        return True


def tell_news(bot: BubbyBotStrategy, now: datetime) -> None:
    """Fast prices, old candles and the account's findings."""
    watches = bot.memory.watches
    news = watches.account.look(_account_findings(bot))
    news += watches.candles.look(now, _candles_closed(bot))
    news += watches.prices.look(now, _prices(bot))
    known = edge_at(bot, now)
    news += watches.edge.look(known)
    if watches.patterns.is_due(now):
        news += [messages.edge_told(known)] if known.trades else []
        news += _patterns_told(bot, now)
    for message in news:
        tell(bot, message)


def _patterns_told(bot: BubbyBotStrategy, now: datetime) -> list[str]:
    """What past trades say of the patterns; nothing while there are none."""
    found = pattern_rows(bot.ledger, bot.closed_trades.history(), now)
    return [messages.patterns_told(found)] if found else []


def _account_findings(bot: BubbyBotStrategy) -> list[str]:
    """What the extension found wrong with the account, the database or the clock."""
    watch = getattr(exchange_of(bot.dp), "account_watch", None)
    return [] if watch is None else watch.news()


def _candles_closed(bot: BubbyBotStrategy) -> dict[str, datetime]:
    """When the newest analyzed candle of each pair closed."""
    closed = {}
    for pair in bot.dp.current_whitelist():
        frame, _ = bot.dp.get_analyzed_dataframe(pair, bot.timeframe)
        if not frame.empty:
            closed[pair] = frame["date"].iat[-1].to_pydatetime() + CANDLE
    return closed


def _prices(bot: BubbyBotStrategy) -> dict[str, float]:
    """Last prices of all pairs: one request. Empty when nobody wants them or none come."""
    settings = bot.settings.messages
    if not settings.price_move and not settings.price_moves:
        return {}
    try:
        tickers = exchange_of(bot.dp).get_tickers()
    except FreqtradeException as error:
        logger.warning("No tickers for the price watch: %s", error)
        return {}
    pairs = bot.dp.current_whitelist()
    return {pair: float(tickers[pair]["last"] or 0) for pair in pairs if pair in tickers}


def _minutes(span: timedelta) -> float:
    return max(1.0, span.total_seconds() / 60)
