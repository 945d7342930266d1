"""What the market of the sandbox looks like at a moment, and what happens on the way to the next.

`MarketData` turns the minutes of a source into trades, and everything else is made from the trades
up to the moment asked for: candles, ticker, book, mark and index price, funding. Nothing here knows
what comes after that moment.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from . import paths
from .candles import CandleSource
from .chart import Chart
from .funding import Funding
from .instruments import Tier, tiers
from .paths import DAY_MS, Order
from .quotes import Book, Candle, FundingRate, PriceKind, Ticker
from .tape import Tape


class MarketData(Tape):
    """The market of the sandbox at any moment of its data.

    source: `CandleFolder` or `GeneratedMarket`.
    steps_per_minute: trades per minute and instrument, 4 or more, a divisor of 60000.
    order: which extreme of a minute comes first (`paths.trades_inside`).
    shift_ms: whole days that all times of the source are moved by, so that recorded candles can be
        played at another time; `day_shift` gives the one that makes a recorded day today.

    Times are ms UTC. What happens "at" a ms is included: a question at `now_ms` sees the trade of
    that ms, a stretch from a to b means (a, b]. After the end of the data the last price stands.
    A question before its beginning raises ValueError, an unknown instrument KeyError.
    """

    def __init__(
        self,
        source: CandleSource,
        *,
        steps_per_minute: int = 4,
        order: Order = "nearer",
        shift_ms: int = 0,
    ) -> None:
        """ValueError names the setting that is out of bounds."""
        super().__init__(source, steps_per_minute=steps_per_minute, order=order, shift_ms=shift_ms)
        self._chart = Chart(self)
        self._funding = Funding(self)

    @property
    def start_ms(self) -> int:
        """From here on every instrument has prices."""
        return max(start for start, _ in self.spans.values())

    @property
    def end_ms(self) -> int | None:
        """Until here (not included) every instrument has prices; None: without end."""
        ends = [end for _, end in self.spans.values() if end is not None]
        return min(ends, default=None)

    def span(self, inst_id: str) -> tuple[int, int | None]:
        """First ms of an instrument's data and the ms after its last (None: without end)."""
        return self.spans[inst_id]

    def tiers(self, inst_id: str) -> list[Tier]:
        """The position tiers of an instrument."""
        return tiers(self.instruments[inst_id])

    def candles(
        self,
        inst_id: str,
        bar: str,
        kind: PriceKind = "last",
        *,
        now_ms: int,
        after_ms: int | None = None,
        before_ms: int | None = None,
        limit: int = 500,
    ) -> list[Candle]:
        """Candles with before_ms < ts < after_ms (both strict, as on the venue), newest first.

        The newest `limit` of them. The unfinished candle holds what has happened up to `now_ms`.
        Mark prices come from the source's recording where it covers a finished stretch.
        """
        return self._chart.candles(
            inst_id,
            bar,
            kind,
            now_ms=now_ms,
            after_ms=after_ms,
            before_ms=before_ms,
            limit=limit,
        )

    def last_price(self, inst_id: str, now_ms: int) -> Decimal:
        """The price of the latest trade."""
        return self.price(inst_id, "last", now_ms)

    def mark_price(self, inst_id: str, now_ms: int) -> Decimal:
        """The mean price of the last minute, on tick size: what liquidation looks at."""
        return self.price(inst_id, "mark", now_ms)

    def index_price(self, inst_id: str, now_ms: int) -> Decimal:
        """The mean price of the last two minutes, on tick size."""
        return self.price(inst_id, "index", now_ms)

    def ticker(self, inst_id: str, now_ms: int) -> Ticker:
        """The last 24 hours, or what there is of them."""
        contract = self.instruments[inst_id]
        tick, lot = contract.tick_size, contract.lot_size
        day, at = self.at(inst_id, now_ms)
        parts = list(self.parts(inst_id, now_ms - DAY_MS, now_ms)) or [(day, slice(at, at + 1))]
        prices = [ticks.last[part] for ticks, part in parts]
        lots = sum(int(ticks.lots[part].sum()) for ticks, part in parts)
        book = self.book(inst_id, now_ms, 1)
        return Ticker(
            inst_id=inst_id,
            last=int(day.last[at]) * tick,
            last_size=int(day.lots[at]) * lot,
            ask_price=book.asks[0][0],
            ask_size=book.asks[0][1],
            bid_price=book.bids[0][0],
            bid_size=book.bids[0][1],
            high_24h=max(int(part.max()) for part in prices) * tick,
            open_24h=int(prices[0][0]) * tick,
            low_24h=min(int(part.min()) for part in prices) * tick,
            vol_currency_24h=lots * lot * contract.contract_value,
            vol_24h=lots * lot,
            ts_ms=now_ms,
        )

    def book(self, inst_id: str, now_ms: int, depth: int = 1) -> Book:
        """Levels around the latest trade: it was made at the best bid or the best ask.

        Sizes follow the turnover of the last 24 hours and grow away from the price; the spread
        widens as turnover falls. The same moment gives the same book.
        """
        contract = self.instruments[inst_id]
        ticks, at = self.at(inst_id, now_ms)
        last = int(ticks.last[at])
        lots = self._lots_per_minute(inst_id, now_ms)
        noise = self._book_noise(inst_id, ticks.first_ms + at * self.step_ms, depth)
        contract_price = float(last * contract.tick_size * contract.contract_value)
        turnover = lots * 1440 * float(contract.lot_size) * contract_price
        spread = max(round(last * 5e-6 * (1e9 / max(turnover, 1.0)) ** 0.5), 1)
        spread = min(spread, max(last // 1000, 1))
        best_bid = last - spread if ticks.buy[at] else last
        gaps = 1 + (noise[0] * max(last * 2e-5, 2)).astype(np.int64)
        away = np.cumsum(gaps, axis=1) - gaps[:, :1]
        sizes = np.rint(lots * 0.05 * -np.log1p(-noise[1]) * (1 + np.arange(depth) / 5))
        sizes = np.maximum(sizes, 1).astype(np.int64)
        tick, lot = contract.tick_size, contract.lot_size
        bids, asks = (
            [
                (price * tick, size * lot)
                for price, size in zip((best + way).tolist(), size_row.tolist(), strict=True)
                if price > 0
            ]
            for best, way, size_row in (
                (best_bid, -away[0], sizes[0]),
                (best_bid + spread, away[1], sizes[1]),
            )
        )
        return Book(bids, asks)

    def _book_noise(self, inst_id: str, ts: int, depth: int) -> NDArray[np.float64]:
        """Draws of shape (gaps or sizes, bids or asks, depth)."""
        stream = paths.salt(self.source.seed, inst_id, "book")
        keys = ts * 4 + np.arange(4)[:, None] + np.arange(depth) * 2**48
        return paths.uniform(keys.astype(np.int64), stream).reshape(2, 2, depth)

    def _lots_per_minute(self, inst_id: str, now_ms: int) -> float:
        parts = self.parts(inst_id, now_ms - DAY_MS, now_ms)
        sums = [(int(ticks.lots[part].sum()), part.stop - part.start) for ticks, part in parts]
        trades = sum(count for _, count in sums)
        return self.steps * sum(lots for lots, _ in sums) / trades if trades else 1.0

    def next_funding_time(self, now_ms: int) -> int:
        """The settlement after `now_ms`: 00:00, 08:00 and 16:00 UTC."""
        return self._funding.next_time(now_ms)

    def funding_rate(self, inst_id: str, at_ms: int) -> Decimal:
        """The rate of the settlement at `at_ms`, or of the next one as far as it is known then."""
        return self._funding.rate(inst_id, at_ms)

    def funding_history(
        self,
        inst_id: str,
        *,
        now_ms: int,
        after_ms: int | None = None,
        before_ms: int | None = None,
        limit: int = 100,
    ) -> list[FundingRate]:
        """Settled rates with before_ms < funding_time < after_ms, newest first."""
        return self._funding.history(
            inst_id, now_ms=now_ms, after_ms=after_ms, before_ms=before_ms, limit=limit
        )


def day_shift(data_ms: int, now_ms: int) -> int:
    """The whole days (in ms) by which the UTC day of `data_ms` has to move to be that of `now_ms`.

    Given to `MarketData` as `shift_ms`, it plays recorded candles on a real clock.
    """
    return (now_ms // DAY_MS - data_ms // DAY_MS) * DAY_MS
