"""The trades of a market, made from the minutes of a source, and the prices made from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from . import paths
from .candles import CandleSource
from .instruments import Instrument
from .paths import DAY_MS, MINUTE_MS, Order, compact
from .quotes import PriceKind, Tick, Trade

# The mark price is the mean of the trades of a minute, the index price of two.
_MARK_MINUTES = 1
_INDEX_MINUTES = 2


@dataclass(frozen=True)
class DayTrades:
    """The trades of a stretch of one UTC day, evenly spaced, and the prices made from them.

    Prices and lots as `paths.compact` keeps them: widen them before sums and products.
    `before` makes the prices of the trades right before the stretch.
    """

    first_ms: int
    step_ms: int
    last: NDArray[np.integer]
    lots: NDArray[np.integer]
    buy: NDArray[np.bool_]
    steps: int
    before: Callable[[], NDArray[np.int64]]

    # Most days are only looked at for their last prices.

    @cached_property
    def mark(self) -> NDArray[np.integer]:
        return self._mean(_MARK_MINUTES)

    @cached_property
    def index(self) -> NDArray[np.integer]:
        return self._mean(_INDEX_MINUTES)

    def _mean(self, minutes: int) -> NDArray[np.integer]:
        return compact(
            _trailing_mean(self.before(), self.last.astype(np.int64), minutes * self.steps)
        )

    def count_to(self, ms: int) -> int:
        """How many trades have happened at `ms`."""
        return min(max((ms - self.first_ms) // self.step_ms + 1, 0), len(self.last))

    def of(self, kind: PriceKind) -> NDArray[np.integer]:
        prices: NDArray[np.integer] = getattr(self, kind)
        return prices


class Tape:
    """Every trade of every instrument, day by day; times as `MarketData` has them."""

    def __init__(
        self, source: CandleSource, *, steps_per_minute: int, order: Order, shift_ms: int
    ) -> None:
        """ValueError names the setting that is out of bounds."""
        if steps_per_minute < 4 or MINUTE_MS % steps_per_minute:
            raise ValueError(
                f"steps_per_minute={steps_per_minute}: take a divisor of 60000 that is 4 or more"
            )
        if shift_ms % DAY_MS:
            raise ValueError(f"shift_ms={shift_ms}: must be a whole number of days ({DAY_MS} ms)")
        self.instruments: dict[str, Instrument] = source.instruments
        self.source = source
        self.steps = steps_per_minute
        self.step_ms = MINUTE_MS // steps_per_minute
        self.shift_ms = shift_ms
        self._order: Order = order
        self.spans = {inst_id: self._shifted_span(inst_id) for inst_id in source.instruments}
        self.day = lru_cache(maxsize=self.kept_days)(self._trades_of_day)

    @property
    def kept_days(self) -> int:
        """Enough for the last 24 hours of every instrument, and days of a few.

        Each takes 52 KB at four trades a minute, 780 KB at sixty.
        """
        return 2 * len(self.instruments) + 64

    def ticks(self, from_ms: int, to_ms: int, *inst_ids: str) -> Iterator[Tick]:
        """Every trade with from_ms < ts <= to_ms in time order, of all instruments or of these."""
        chosen = inst_ids or tuple(self.instruments)
        step = self.step_ms
        first, last = (from_ms // step + 1) * step, to_ms // step * step
        while first <= last:
            day = first // DAY_MS
            end = min(last, (day + 1) * DAY_MS - step)
            columns = [self._column(inst_id, day) for inst_id in chosen]
            for ts in range(first, end + 1, step):
                for inst_id, ticks, tick_size, lot_size in columns:
                    at = (ts - ticks.first_ms) // step
                    if 0 <= at < len(ticks.last):
                        yield Tick(
                            ts,
                            inst_id,
                            int(ticks.last[at]) * tick_size,
                            int(ticks.lots[at]) * lot_size,
                            "buy" if ticks.buy[at] else "sell",
                        )
            first = end + step

    def _column(self, inst_id: str, day: int) -> tuple[str, DayTrades, Decimal, Decimal]:
        contract = self.instruments[inst_id]
        return inst_id, self.day(inst_id, day), contract.tick_size, contract.lot_size

    def next_tick_ms(self, after_ms: int) -> int:
        """When the first trade after `after_ms` happens; all instruments trade at the same ms."""
        return (after_ms // self.step_ms + 1) * self.step_ms

    def extremes(
        self, inst_id: str, from_ms: int, to_ms: int, kind: PriceKind = "last"
    ) -> tuple[Decimal, Decimal] | None:
        """Lowest and highest price with from_ms < ts <= to_ms; None when nothing happened."""
        parts = [ticks.of(kind)[part] for ticks, part in self.parts(inst_id, from_ms, to_ms)]
        if not parts:
            return None
        tick = self.instruments[inst_id].tick_size
        low, high = min(int(part.min()) for part in parts), max(int(part.max()) for part in parts)
        return low * tick, high * tick

    def trades(self, inst_id: str, now_ms: int, limit: int = 100) -> list[Trade]:
        """The latest trades, newest first; the id grows with time."""
        contract = self.instruments[inst_id]
        found: list[Trade] = []
        start, _ = self.spans[inst_id]
        until = now_ms
        while len(found) < limit and until >= start:
            ticks = self.day(inst_id, until // DAY_MS)
            for at in np.flatnonzero(ticks.lots[: ticks.count_to(until)])[::-1][
                : limit - len(found)
            ]:
                ts = ticks.first_ms + int(at) * self.step_ms
                found.append(
                    Trade(
                        ts // self.step_ms,
                        inst_id,
                        int(ticks.last[at]) * contract.tick_size,
                        int(ticks.lots[at]) * contract.lot_size,
                        "buy" if ticks.buy[at] else "sell",
                        ts,
                    )
                )
            until = until // DAY_MS * DAY_MS - 1
        return found

    def _shifted_span(self, inst_id: str) -> tuple[int, int | None]:
        start, end = self.source.span(inst_id)
        return start + self.shift_ms, None if end is None else end + self.shift_ms

    def _trades_of_day(self, inst_id: str, day: int) -> DayTrades:
        """All trades of a UTC day. They lie on one grid, whatever the instrument."""
        start = day * DAY_MS - self.shift_ms
        today = self.source.minutes(inst_id, start, start + DAY_MS)
        stream = paths.salt(self.source.seed, inst_id, "trades")
        walk = paths.trades_inside(today, self.steps, stream, self._order)

        def before() -> NDArray[np.int64]:
            lead = self.source.minutes(inst_id, start - _INDEX_MINUTES * MINUTE_MS, start)
            return paths.trades_inside(lead, self.steps, stream, self._order).price.ravel()

        return DayTrades(
            first_ms=today.start_ms + self.shift_ms if len(today) else start + self.shift_ms,
            step_ms=self.step_ms,
            last=compact(walk.price.ravel()),
            lots=compact(walk.lots.ravel()),
            buy=walk.buy.ravel(),
            steps=self.steps,
            before=before,
        )

    def at(self, inst_id: str, now_ms: int) -> tuple[DayTrades, int]:
        """The day of the latest trade at `now_ms`, and where it is in it."""
        start, end = self.spans[inst_id]
        if now_ms < start:
            raise ValueError(f"{inst_id}: no price at {now_ms} ms, its data begin at {start} ms")
        ms = now_ms if end is None else min(now_ms, end - 1)
        ticks = self.day(inst_id, ms // DAY_MS)
        return ticks, ticks.count_to(ms) - 1

    def price(self, inst_id: str, kind: PriceKind, now_ms: int) -> Decimal:
        ticks, at = self.at(inst_id, now_ms)
        return int(ticks.of(kind)[at]) * self.instruments[inst_id].tick_size

    def parts(self, inst_id: str, from_ms: int, to_ms: int) -> Iterator[tuple[DayTrades, slice]]:
        """The trades with from_ms < ts <= to_ms, day by day."""
        start, end = self.spans[inst_id]
        first = max(from_ms + 1, start)
        last = to_ms if end is None else min(to_ms, end - 1)
        for day in range(first // DAY_MS, last // DAY_MS + 1):
            ticks = self.day(inst_id, day)
            part = slice(ticks.count_to(first - 1), ticks.count_to(last))
            if part.start < part.stop:
                yield ticks, part


def _trailing_mean(
    earlier: NDArray[np.int64], prices: NDArray[np.int64], count: int
) -> NDArray[np.int64]:
    """The rounded mean of each price and the ones before it, `count` in all.

    Where there are fewer, the first one stands in for the missing.
    """
    if not len(prices):
        return prices
    known = np.concatenate([earlier, prices])
    padded = np.concatenate([np.full(count, known[0]), known])
    sums = np.cumsum(padded)
    means = (2 * (sums[count:] - sums[:-count]) + count) // (2 * count)
    return means[len(means) - len(prices) :]
