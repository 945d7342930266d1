"""Candles that were pushed or made, compared with the venue's own when there is time."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable

from freqtrade.constants import PairWithTimeframe
from freqtrade.exchange.exchange import Exchange
from pandas import DataFrame

from bubbybot_freqtrade.blofin.exchange.pushed_candles import UNASKED

logger = logging.getLogger(__name__)

_VALUES = ["open", "high", "low", "close", "volume"]
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
        ours, theirs = kept.set_index("date"), venue.set_index("date")
        both = ours.index.intersection(theirs.index)
        mine, own = ours.loc[both, _VALUES], theirs.loc[both, _VALUES]
        differs = (mine - own).abs() > _TOLERANCE * own.abs()
        if not differs.to_numpy().any():
            return
        ours.loc[both, _VALUES] = own
        self._exchange._klines[key] = ours.reset_index()
        self.doubted.add(key)
        wrong = both[differs.any(axis=1)]
        names = ", ".join(differs.columns[differs.any()])
        logger.warning(
            f"{key[0]}: {len(wrong)} of the {key[1]} candles, the first of "
            f"{wrong[0]:%Y-%m-%d %H:%M}, were not as BloFin has them ({names}). They are replaced, "
            f"and the next ones asked for; {len(self.doubted)} series so far."
        )
