"""What the operator should hear between trades: fast prices, old candles, a strange account.

State machines without I/O: the strategy feeds them each loop and sends what they return. Each
thing is told once, and again only when it happens again.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from bubbybot_freqtrade.settings import MessageSettings
from bubbybot_freqtrade.strategy import messages

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


class CandleWatch:
    """Tells of pairs whose newest candle is old, and when that is over."""

    def __init__(self, settings: MessageSettings) -> None:
        self._limit = timedelta(minutes=settings.stale_minutes)
        self._stale: set[str] = set()

    def look(self, now: datetime, closed: Mapping[str, datetime]) -> list[str]:
        """Take in when each pair's newest candle closed."""
        told = []
        for pair, moment in closed.items():
            is_stale = now - moment > self._limit
            if is_stale and pair not in self._stale:
                told.append(messages.stale(pair, now - moment))
                self._stale.add(pair)
            elif not is_stale and pair in self._stale:
                told.append(messages.fresh_again(pair))
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


def _minutes(span: timedelta) -> float:
    return max(1.0, span.total_seconds() / 60)
