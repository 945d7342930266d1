"""Candles that were pushed, made or read, compared with the venue's own when there is time."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable

from freqtrade.constants import PairWithTimeframe
from freqtrade.exchange.exchange import Exchange
from pandas import DataFrame, Index

from bubbybot_freqtrade.blofin.exchange.pushed_candles import UNASKED

logger = logging.getLogger(__name__)

VALUES = ["open", "high", "low", "close", "volume"]
# Of a price or volume. BloFin's are decimals of some ten digits.
_TOLERANCE = 1e-9

Series = dict[PairWithTimeframe, DataFrame]
Fetch = Callable[[list[PairWithTimeframe]], Series]


class CandleChecks:
    """Which series the venue has to be asked for again, and what came of it.

    A series that differs from the venue's is the venue's from then on: its candles are replaced,
    and the next ones asked for.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._unasked: Counter[PairWithTimeframe] = Counter()
        self.doubted: set[PairWithTimeframe] = set()
        """Series whose candles are neither taken as they are pushed nor made any more."""

    def unasked(self, key: PairWithTimeframe) -> None:
        """A candle of a series came without the venue being asked for it."""
        self._unasked[key] += 1

    def owed(self, key: PairWithTimeframe) -> None:
        """A series was not asked for at all: it is compared as soon as there is time."""
        self._unasked[key] = UNASKED

    def asked(self, key: PairWithTimeframe) -> None:
        """The venue was asked for a series: its answer took the place of what was known."""
        self._unasked.pop(key, None)

    def run(self, keys: Collection[PairWithTimeframe], most: int, fetch: Fetch) -> None:
        """Compare up to `most` series of `keys`, those first that were unasked for longest.

        :param fetch: the venue's own candles of series, finished ones; nothing is kept of them
        """
        due = [key for key, count in self._unasked.most_common() if count >= UNASKED]
        wanted = [key for key in due if key in keys][:most]
        if wanted:
            self._compare(wanted, fetch(wanted))

    def _compare(self, wanted: Iterable[PairWithTimeframe], venue: Series) -> None:
        for key in wanted:
            # Where it could not be had, it is tried with the next candle.
            self._unasked[key] -= 1
            if key in venue:
                self._unasked.pop(key)
                self._replace(key, venue[key])

    def _replace(self, key: PairWithTimeframe, venue: DataFrame) -> None:
        kept = self._exchange._klines.get(key)
        if kept is None or kept.empty or venue.empty:
            return
        different, both = differs(kept, venue)
        if not different.to_numpy().any():
            return
        ours = kept.set_index("date")
        ours.loc[both, VALUES] = venue.set_index("date").loc[both, VALUES]
        self._exchange._klines[key] = ours.reset_index()
        self.doubted.add(key)
        wrong = both[different.any(axis=1)]
        names = ", ".join(different.columns[different.any()])
        logger.warning(
            f"{key[0]}: {len(wrong)} of the {key[1]} candles, the first of "
            f"{wrong[0]:%Y-%m-%d %H:%M}, were not as BloFin has them ({names}). They are replaced, "
            f"and the next ones asked for; {len(self.doubted)} series so far."
        )


def differs(ours: DataFrame, theirs: DataFrame) -> tuple[DataFrame, Index]:
    """Which values of the candles that both have differ, and the dates of these candles."""
    mine, own = ours.set_index("date"), theirs.set_index("date")
    both = mine.index.intersection(own.index)
    mine, own = mine.loc[both, VALUES], own.loc[both, VALUES]
    return (mine - own).abs() > _TOLERANCE * own.abs(), both
