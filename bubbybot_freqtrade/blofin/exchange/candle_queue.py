"""Candles of hundreds of pairs: some at every loop, the most wanted first.

freqtrade asks for all that are due before it looks at anything else: with 400 pairs stops, exits
and the account would wait for minutes. Here a loop takes what has been pushed, makes longer candles
of shorter ones, and sends requests for a few seconds; the rest is for the next loop. Until its turn
a pair keeps all candles that it has. When it comes the longer candles come before those that the
pair is traded by, so that none is analyzed with half of its candles.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from freqtrade.constants import PairWithTimeframe
from freqtrade.exchange.exchange import Exchange
from pandas import DataFrame

from bubbybot_freqtrade.blofin.ccxt_blofin.budget import free_requests
from bubbybot_freqtrade.blofin.exchange.candle_checks import CandleChecks
from bubbybot_freqtrade.blofin.exchange.kept_candles import KeptCandles, newest_of
from bubbybot_freqtrade.blofin.exchange.made_candles import add_made, is_made_of
from bubbybot_freqtrade.blofin.exchange.pushed_candles import PushedCandles

logger = logging.getLogger(__name__)

FEW_SERIES = 120
"""Of so many (40 pairs on three timeframes) freqtrade fetches all at once, as everywhere: 12 s."""

SECONDS_A_LOOP = 4.0
"""After so long no further requests are sent in a loop; those under way are waited for."""

AT_ONCE = 15
"""Requests under way together: some pairs, and not two seconds of ccxt's pace."""

PUSHED_PAIRS_A_LOOP = 100
"""Whose analysis takes some seconds, and so does the next part's. Entries leave in between."""

KEPT_FREE = 0.1
"""Of the venue's requests, for stops, exits and the account while candles are asked for."""

KEPT_FREE_WITHOUT_TRADES = 0.03
"""The same while nothing is open: enough for an entry."""

SECONDS_BETWEEN_WORDS = 15.0
BAR_LENGTH = 20

Series = dict[PairWithTimeframe, DataFrame]
Fetch = Callable[[list[PairWithTimeframe]], Series]
Group = list[PairWithTimeframe]


@dataclass(frozen=True, slots=True)
class _Due:
    """What a pair lacks: candles to ask for, its traded ones, and those that are made of these."""

    asked: Group
    base: PairWithTimeframe | None
    made: Group

    @property
    def requests(self) -> int:
        return len(self.asked) + (1 if self.base else len(self.made))


class CandleQueue:
    """What of the candles comes in this loop.

    :param traded: timeframe that pairs are traded by; longer ones are made of it
    """

    def __init__(self, exchange: Exchange, pushed: PushedCandles, traded: str) -> None:
        self._exchange = exchange
        self._pushed = pushed
        self._traded = traded
        self.checks = CandleChecks(exchange)
        self._kept = KeptCandles(exchange, traded)
        self._is_first = True
        # What was asked for in vain the last time: it comes after all others.
        self._late: set[PairWithTimeframe] = set()
        self._told = 0.0
        self.is_needed = False
        """Whether there are more series than freqtrade is left to fetch by itself."""
        self.is_behind = False
        """Whether some have to wait for the next loop."""

    def refresh(
        self, keys: Sequence[PairWithTimeframe], held: Collection[str], fetch: Fetch, ask: Fetch
    ) -> Series:
        """Bring the candles of `keys` up to date, as many as this loop has time for.

        :param held: pairs before all others; the rest in the order of `keys`
        :param fetch: freqtrade's way to fetch series; what failed is missing in its answer
        :param ask: the venue's candles of series, of which nothing is kept
        """
        self.is_needed = len(set(keys)) > FEW_SERIES
        if not self.is_needed:
            self.is_behind = False
            return fetch(list(keys))
        is_first, self._is_first = self._is_first, False
        if is_first:
            self._read(keys, ask)
        until = time.monotonic() + SECONDS_A_LOOP
        known = [key for key in keys if key[1] == self._traded and key in self._exchange._klines]
        self._pushed.keep_watched(known)
        due = [due for due in map(self._due, self._groups(keys, held)) if due]
        waiting, left = self._take_pushed(due, fetch)
        self._ask(waiting, fetch, until, KEPT_FREE if held else KEPT_FREE_WITHOUT_TRADES)
        self.is_behind = bool(waiting or left)
        if not due and not is_first:
            self.checks.run(set(keys), min(AT_ONCE, self._room(0.5)), ask)
        self._kept.save(keys, self.checks.doubted)
        self._tell(keys)
        klines = self._exchange._klines
        return {key: klines[key] for key in keys if key in klines}

    def _read(self, keys: Sequence[PairWithTimeframe], ask: Fetch) -> None:
        """Begin with the candles that an earlier run of the bot has kept."""
        missing = [key for key in dict.fromkeys(keys) if key not in self._exchange._klines]
        for key, frame in self._kept.read(missing, ask).items():
            self._exchange._klines[key] = frame
            self._exchange._pairs_last_refresh_time[key] = newest_of(frame)
            self.checks.owed(key)

    # What is due, in its order

    def _groups(self, keys: Sequence[PairWithTimeframe], held: Iterable[str]) -> list[Group]:
        """The series by pair, most wanted pairs first.

        First of all what many pairs may be judged by: a series that no pair is traded by, or of a
        timeframe that most pairs don't have (BTC's hours beside each pair's own quarters).
        """
        keys = list(dict.fromkeys(keys))
        pairs = [pair for pair, timeframe, _ in keys if timeframe == self._traded]
        counts = Counter((timeframe, candle_type) for _, timeframe, candle_type in keys)
        traded, shared = set(pairs), []
        by_pair: dict[str, Group] = {pair: [] for pair in (*held, *pairs)}
        for key in keys:
            if key[0] not in traded or counts[key[1:]] < len(traded) / 2:
                shared.append([key])
            else:
                by_pair[key[0]].append(key)
        groups = [*shared, *(group for group in by_pair.values() if group)]
        return sorted(
            groups, key=lambda group: group[0][0] not in held and not self._late.isdisjoint(group)
        )

    def _due(self, group: Group) -> _Due | None:
        due = [key for key in group if self._is_due(key)]
        if not due:
            return None
        traded = next((key for key in group if key[1] == self._traded), None)
        made = [key for key in due if key != traded and self._may_be_made(key, traded)]
        asked = [key for key in due if key != traded and key not in made]
        return _Due(asked, traded if traded in due else None, made)

    def _is_due(self, key: PairWithTimeframe) -> bool:
        exchange = self._exchange
        return key not in exchange._klines or exchange._now_is_time_to_refresh(*key)

    def _may_be_made(self, key: PairWithTimeframe, base: PairWithTimeframe | None) -> bool:
        return (
            base is not None
            and key[2] == base[2]
            and not self.is_doubted(key)
            and key in self._exchange._klines
            and is_made_of(key[1], base[1])
        )

    # Candles without and with a request

    def _take_pushed(self, due: Sequence[_Due], fetch: Fetch) -> tuple[list[_Due], int]:
        """Take those for which nothing has to be asked.

        :return: for which something has to, and how many could be taken in the next loop
        """
        pushed: list[_Due] = []
        rest: list[_Due] = []
        for one in due:
            (pushed if not one.asked and self._is_pushed(one) else rest).append(one)
        if pushed:
            self._bring(pushed[:PUSHED_PAIRS_A_LOOP], fetch)
        waiting = [one for one in rest if not self._is_expected(one)]
        return waiting, len(pushed[PUSHED_PAIRS_A_LOOP:])

    def _is_pushed(self, due: _Due) -> bool:
        base = due.base
        return base is not None and not self.is_doubted(base) and self._pushed.have_ended(base)

    def _is_expected(self, due: _Due) -> bool:
        base = due.base
        return base is not None and not self.is_doubted(base) and self._pushed.are_expected(base)

    def is_doubted(self, key: PairWithTimeframe) -> bool:
        """Whether candles of a series have been others than the venue's own."""
        return key in self.checks.doubted

    def _ask(self, waiting: list[_Due], fetch: Fetch, until: float, kept: float) -> None:
        """Send requests, a slice at a time, while there is time and room for them."""
        while waiting and time.monotonic() <= until:
            room = min(AT_ONCE, self._room(kept))
            if room <= 0:
                break
            part = _first(waiting, room)
            self._bring(part, fetch)
            del waiting[: len(part)]
            if self._exchange.real_time.bell.is_rung:
                # Something has happened on the account: the next loop comes at once.
                break

    def _room(self, kept: float) -> int:
        return free_requests(self._exchange._api_async, kept)

    def _bring(self, part: Sequence[_Due], fetch: Fetch) -> None:
        """Longer candles, then those that pairs are traded by, then those that are made."""
        late = set(self._late)
        self._fetch([key for due in part for key in due.asked], fetch)
        # A pair waits once for what could not be had; then it goes on without, as in freqtrade.
        missed = self._late - late
        ready = [due for due in part if missed.isdisjoint(due.asked)]
        self._fetch([due.base for due in ready if due.base], fetch)
        lacking: Group = []
        for due in ready:
            if due.base is None or not self._is_due(due.base):
                lacking += [key for key in due.made if not self._make(key)]
        self._fetch(lacking, fetch)

    def _fetch(self, keys: Group, fetch: Fetch) -> None:
        if keys:
            fetch(keys)
            self._late.difference_update(keys)
            self._late.update(key for key in keys if self._is_due(key))

    def _make(self, key: PairWithTimeframe) -> bool:
        made = add_made(self._exchange, key, (key[0], self._traded, key[2]))
        if made:
            self.checks.unasked(key)
        return made

    # Words

    def _tell(self, keys: Sequence[PairWithTimeframe]) -> None:
        """Say how far the first load is, where it takes more than a loop."""
        here = sum(key in self._exchange._klines for key in keys)
        now = time.monotonic()
        if not self.is_behind:
            if self._told:
                logger.info(f"{here} of {len(keys)} series of candles are here.")
            self._told = 0.0
        elif here < len(keys) and now - self._told >= SECONDS_BETWEEN_WORDS:
            self._told = now
            filled = BAR_LENGTH * here // len(keys)
            bar = "█" * filled + "░" * (BAR_LENGTH - filled)
            logger.info(f"Candles: {bar} {here} of {len(keys)} series are here.")


def _first(waiting: Sequence[_Due], room: int) -> list[_Due]:
    """As many from the front as need no more than `room` requests, one at least."""
    part: list[_Due] = []
    for due in waiting:
        room -= due.requests
        if room < 0 and part:
            break
        part.append(due)
    return part
