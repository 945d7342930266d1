"""What the market of the sandbox looks like at a moment, and what happens on the way to the next.

`MarketData` turns the minutes of a source into trades, and everything else is made from the trades
up to the moment asked for: candles, ticker, book, mark and index price, funding. Nothing here knows
what comes after that moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import paths
from .candles import CandleSource
from .instruments import Instrument, Tier, tiers
from .paths import DAY_MS, HOUR_MS, MINUTE_MS, Order

PriceKind = Literal["last", "mark", "index"]
Side = Literal["buy", "sell"]

FUNDING_INTERVAL_MS = 8 * HOUR_MS

# BloFin's bar names. A month has no fixed length.
BARS: dict[str, int | None] = {
    "1m": MINUTE_MS,
    "3m": 3 * MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1H": HOUR_MS,
    "2H": 2 * HOUR_MS,
    "4H": 4 * HOUR_MS,
    "6H": 6 * HOUR_MS,
    "8H": 8 * HOUR_MS,
    "12H": 12 * HOUR_MS,
    "1D": DAY_MS,
    "3D": 3 * DAY_MS,
    "1W": 7 * DAY_MS,
    "1M": None,
}
_MONDAY_MS = 4 * DAY_MS  # 1970-01-05, where weeks are counted from

# The mark price is the mean of the trades of a minute, the index price of two.
_MARK_MINUTES = 1
_INDEX_MINUTES = 2

# Funding: a base rate, plus what the price has gained since the last settlement but one percent of
# it, within the venue's bounds. Rates have six decimals.
_FUNDING_BASE = 0.0001
_FUNDING_PULL = 0.01
_FUNDING_BOUND = 0.00375


class Candle(NamedTuple):
    """One candle of `market/candles`; numbers as decimal text, `ts` the opening time in ms.

    `volume` is in contracts, `volume_currency` in base and `volume_currency_quote` in quote units;
    all three are "0" for mark and index candles.
    """

    ts: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    volume_currency: str
    volume_currency_quote: str
    confirm: bool

    def row(self) -> list[str]:
        """The nine fields of `market/candles`."""
        return [str(self.ts), *self[1:8], "1" if self.confirm else "0"]

    def price_row(self) -> list[str]:
        """The six fields of `market/mark-price-candles` and `market/index-candles`."""
        return [str(self.ts), *self[1:5], "1" if self.confirm else "0"]


class Tick(NamedTuple):
    """One trade. Where a minute has fewer lots than trades, `size_contracts` may be 0."""

    ts_ms: int
    inst_id: str
    price: Decimal
    size_contracts: Decimal
    side: Side


class Trade(NamedTuple):
    """One row of `market/trades`; `size` in contracts."""

    trade_id: int
    inst_id: str
    price: Decimal
    size: Decimal
    side: Side
    ts_ms: int


class Ticker(NamedTuple):
    """`market/tickers`: the last 24 hours up to `ts_ms`; sizes and `vol_24h` in contracts."""

    inst_id: str
    last: Decimal
    last_size: Decimal
    ask_price: Decimal
    ask_size: Decimal
    bid_price: Decimal
    bid_size: Decimal
    high_24h: Decimal
    open_24h: Decimal
    low_24h: Decimal
    vol_currency_24h: Decimal
    vol_24h: Decimal
    ts_ms: int


class Book(NamedTuple):
    """Price and size (contracts) per level, the best one first on both sides."""

    bids: list[tuple[Decimal, Decimal]]
    asks: list[tuple[Decimal, Decimal]]


class FundingRate(NamedTuple):
    """A settled rate, as a fraction of the position's value, and when it was settled (ms)."""

    inst_id: str
    rate: Decimal
    funding_time: int


@dataclass(frozen=True, slots=True)
class _Ticks:
    """The trades of a stretch of one UTC day, evenly spaced, and the prices made from them."""

    first_ms: int
    step_ms: int
    last: NDArray[np.int64]
    lots: NDArray[np.int64]
    buy: NDArray[np.bool_]
    mark: NDArray[np.int64]
    index: NDArray[np.int64]

    def count_to(self, ms: int) -> int:
        """How many trades have happened at `ms`."""
        return min(max((ms - self.first_ms) // self.step_ms + 1, 0), len(self.last))

    def of(self, kind: PriceKind) -> NDArray[np.int64]:
        prices: NDArray[np.int64] = getattr(self, kind)
        return prices


@dataclass(frozen=True, slots=True)
class _Rows:
    """Candles as columns: `start` in ms and, shape (6, n), open, high, low, close in ticks,
    volume in lots, turnover in ticks times lots.
    """

    start: NDArray[np.int64]
    values: NDArray[np.int64]

    @staticmethod
    def join(parts: list[_Rows]) -> _Rows:
        if not parts:
            return _Rows(np.empty(0, np.int64), np.empty((6, 0), np.int64))
        return _Rows(
            np.concatenate([part.start for part in parts]),
            np.concatenate([part.values for part in parts], axis=1),
        )

    def cut(self, from_ms: int, to_ms: int) -> _Rows:
        """The rows that start in [from_ms, to_ms)."""
        first, last = np.searchsorted(self.start, [from_ms, to_ms])
        return _Rows(self.start[first:last], self.values[:, first:last])

    def covered_by(self, others: _Rows, duration_ms: int) -> _Rows:
        """The others, each `duration_ms` long, and of these what lies outside of them."""
        at = np.searchsorted(others.start, self.start, side="right") - 1
        ends = np.append(others.start, 0)[at] + duration_ms
        free = (at < 0) | (self.start >= ends)
        joined = _Rows.join([_Rows(self.start[free], self.values[:, free]), others])
        order = np.argsort(joined.start)
        return _Rows(joined.start[order], joined.values[:, order])

    def fold(self, bar: str) -> _Rows:
        """Candles of a longer bar."""
        opens = bar_open(bar, self.start)
        first = np.flatnonzero(np.diff(opens, prepend=-1))
        if not len(first):
            return self
        open_, high, low, close, volume, turnover = self.values
        last = np.append(first[1:], len(opens)) - 1
        return _Rows(
            opens[first],
            np.stack(
                [
                    open_[first],
                    np.maximum.reduceat(high, first),
                    np.minimum.reduceat(low, first),
                    close[last],
                    np.add.reduceat(volume, first),
                    np.add.reduceat(turnover, first),
                ]
            ),
        )


def bar_open(bar: str, ms: NDArray[np.int64]) -> NDArray[np.int64]:
    """When the bars that these times lie in have opened (UTC; weeks on Monday, months on the 1st).

    ValueError for a bar that the venue does not have.
    """
    if bar not in BARS:
        raise ValueError(f"bar {bar!r} does not exist; use one of {', '.join(BARS)}")
    duration = BARS[bar]
    if duration is None:
        months = ms.astype("datetime64[ms]").astype("datetime64[M]")
        return months.astype("datetime64[ms]").astype(np.int64)
    offset = _MONDAY_MS if bar == "1W" else 0
    return (ms - offset) // duration * duration + offset


def bar_start(bar: str, ms: int, offset: int = 0) -> int:
    """Opening time (ms) of the bar that `ms` lies in, or of the one `offset` bars further on."""
    start = int(bar_open(bar, np.array([ms], np.int64))[0])
    duration = BARS[bar]
    if duration is not None:
        return start + offset * duration
    month = np.datetime64(start, "ms").astype("datetime64[M]") + offset
    return int(month.astype("datetime64[ms]").astype(np.int64))


class MarketData:
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
        if steps_per_minute < 4 or MINUTE_MS % steps_per_minute:
            raise ValueError(
                f"steps_per_minute={steps_per_minute}: take a divisor of 60000 that is 4 or more"
            )
        if shift_ms % DAY_MS:
            raise ValueError(f"shift_ms={shift_ms}: must be a whole number of days ({DAY_MS} ms)")
        self.instruments: dict[str, Instrument] = source.instruments
        self._source = source
        self._steps = steps_per_minute
        self._step_ms = MINUTE_MS // steps_per_minute
        self._order: Order = order
        self._shift = shift_ms
        self._spans = {inst_id: self._shifted_span(inst_id) for inst_id in source.instruments}
        self._funding = {inst_id: self._settled(inst_id) for inst_id in source.instruments}
        # Enough for the last 24 hours of every instrument, and days of a few; about 0.2 MB each.
        kept = max(3 * len(source.instruments), 64)
        self._day = lru_cache(maxsize=kept)(self._ticks_of_day)
        self._minute_rows = lru_cache(maxsize=2 * kept)(self._minute_rows_of_day)
        self._hour_rows = lru_cache(maxsize=500 * len(source.instruments))(self._hour_rows_of_day)

    # -- the range of the data ---------------------------------------------------------------

    @property
    def start_ms(self) -> int:
        """From here on every instrument has prices."""
        return max(start for start, _ in self._spans.values())

    @property
    def end_ms(self) -> int | None:
        """Until here (not included) every instrument has prices; None: without end."""
        ends = [end for _, end in self._spans.values() if end is not None]
        return min(ends, default=None)

    def span(self, inst_id: str) -> tuple[int, int | None]:
        """First ms of an instrument's data and the ms after its last (None: without end)."""
        return self._spans[inst_id]

    def tiers(self, inst_id: str) -> list[Tier]:
        """The position tiers of an instrument."""
        return tiers(self.instruments[inst_id])

    # -- candles -----------------------------------------------------------------------------

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
        start, end = self._spans[inst_id]
        latest = now_ms if end is None else min(now_ms, end - 1)
        first = bar_start(bar, start)  # a recording may begin in the middle of a bar
        if now_ms < start or limit < 1:
            return []
        if after_ms is not None:
            latest = min(latest, after_ms - 1)
        if latest < first or (before_ms is not None and before_ms >= latest):
            return []
        newest = bar_start(bar, latest)
        oldest = max(bar_start(bar, newest, 1 - limit), first)
        if before_ms is not None and before_ms >= oldest:
            oldest = bar_start(bar, before_ms, 1)
        if newest < oldest:
            return []
        until = min(bar_start(bar, newest, 1) - 1, now_ms)
        rows = self._rows(inst_id, kind, bar, (oldest, until), now_ms).fold(bar)
        return self._as_candles(inst_id, bar, rows, now_ms)

    def _as_candles(self, inst_id: str, bar: str, rows: _Rows, now_ms: int) -> list[Candle]:
        contract = self.instruments[inst_id]
        lot, tick = contract.lot_size, contract.tick_size
        base = lot * contract.contract_value
        columns = [
            *(_texts(prices, tick) for prices in rows.values[:4]),
            _texts(rows.values[4], lot),
            _texts(rows.values[4], base),
            _texts(rows.values[5], base * tick),
        ]
        starts = rows.start.tolist()
        candles = [
            Candle(ts, *texts, True)  # type: ignore[call-arg]
            for ts, *texts in zip(starts, *columns, strict=True)
        ]
        if candles and bar_start(bar, starts[-1], 1) > now_ms:
            candles[-1] = candles[-1]._replace(confirm=False)
        candles.reverse()
        return candles

    def _rows(
        self, inst_id: str, kind: PriceKind, bar: str, stretch: tuple[int, int], now_ms: int
    ) -> _Rows:
        """Rows no longer than `bar` that cover the stretch, both ends included."""
        from_ms, until = stretch
        bars = self._source.mark_bars(inst_id) if kind == "mark" else None
        duration = BARS[bar]
        if bars is None or (duration is not None and duration < bars.duration_ms):
            return self._made_rows(inst_id, kind, bar, from_ms, until)
        # Made rows have to fit between recorded ones.
        unit = bar if bars.duration_ms >= HOUR_MS else "1m"
        made = self._made_rows(inst_id, kind, unit, from_ms, until)
        nothing = np.zeros_like(bars.start)
        recorded = _Rows(
            bars.start + self._shift,
            np.stack([bars.open, bars.high, bars.low, bars.close, nothing, nothing]),
        ).cut(from_ms, min(until + 1, now_ms) + 1 - bars.duration_ms)
        return made.covered_by(recorded, bars.duration_ms)

    def _made_rows(
        self, inst_id: str, kind: PriceKind, bar: str, from_ms: int, until: int
    ) -> _Rows:
        """Rows made from trades: hours for long bars, minutes for short ones and the present."""
        if until < from_ms:
            return _Rows.join([])
        duration = BARS[bar]
        hourly = duration is None or duration >= HOUR_MS
        parts = []
        first, _ = self._spans[inst_id]
        for day in range(max(from_ms, first) // DAY_MS, until // DAY_MS + 1):
            if (day + 1) * DAY_MS - 1 <= until:
                rows = (self._hour_rows if hourly else self._minute_rows)(inst_id, kind, day)
            else:
                rows = self._rows_until(inst_id, kind, until)
            parts.append(rows.cut(from_ms, until + 1))
        return _Rows.join(parts)

    def _rows_until(self, inst_id: str, kind: PriceKind, until: int) -> _Rows:
        """The minutes of the day of `until`, the last one as far as it has come."""
        day, minute = until // DAY_MS, until // MINUTE_MS * MINUTE_MS
        whole = self._minute_rows(inst_id, kind, day).cut(day * DAY_MS, minute)
        ticks = self._day(inst_id, day)
        part = slice(ticks.count_to(minute - 1), ticks.count_to(until))
        prices, lots = ticks.of(kind)[part], ticks.lots[part] * (kind == "last")
        if not len(prices):
            return whole
        started = _fold_ticks(prices[None], lots[None])
        return _Rows.join([whole, _Rows(np.array([minute], np.int64), started)])

    def _minute_rows_of_day(self, inst_id: str, kind: PriceKind, day: int) -> _Rows:
        ticks = self._day(inst_id, day)
        prices = ticks.of(kind).reshape(-1, self._steps)
        lots = ticks.lots.reshape(-1, self._steps) * (kind == "last")
        starts = ticks.first_ms + MINUTE_MS * np.arange(len(prices), dtype=np.int64)
        return _Rows(starts, _fold_ticks(prices, lots))

    def _hour_rows_of_day(self, inst_id: str, kind: PriceKind, day: int) -> _Rows:
        return self._minute_rows(inst_id, kind, day).fold("1H")

    # -- trades ------------------------------------------------------------------------------

    def ticks(self, from_ms: int, to_ms: int, *inst_ids: str) -> Iterator[Tick]:
        """Every trade with from_ms < ts <= to_ms in time order, of all instruments or of these."""
        chosen = inst_ids or tuple(self.instruments)
        step = self._step_ms
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

    def _column(self, inst_id: str, day: int) -> tuple[str, _Ticks, Decimal, Decimal]:
        contract = self.instruments[inst_id]
        return inst_id, self._day(inst_id, day), contract.tick_size, contract.lot_size

    def next_tick_ms(self, after_ms: int) -> int:
        """When the first trade after `after_ms` happens; all instruments trade at the same ms."""
        return (after_ms // self._step_ms + 1) * self._step_ms

    def extremes(
        self, inst_id: str, from_ms: int, to_ms: int, kind: PriceKind = "last"
    ) -> tuple[Decimal, Decimal] | None:
        """Lowest and highest price with from_ms < ts <= to_ms; None when nothing happened."""
        parts = [ticks.of(kind)[part] for ticks, part in self._parts(inst_id, from_ms, to_ms)]
        if not parts:
            return None
        tick = self.instruments[inst_id].tick_size
        low, high = min(int(part.min()) for part in parts), max(int(part.max()) for part in parts)
        return low * tick, high * tick

    def trades(self, inst_id: str, now_ms: int, limit: int = 100) -> list[Trade]:
        """The latest trades, newest first; the id grows with time."""
        contract = self.instruments[inst_id]
        found: list[Trade] = []
        start, _ = self._spans[inst_id]
        until = now_ms
        while len(found) < limit and until >= start:
            ticks = self._day(inst_id, until // DAY_MS)
            for at in np.flatnonzero(ticks.lots[: ticks.count_to(until)])[::-1][
                : limit - len(found)
            ]:
                ts = ticks.first_ms + int(at) * self._step_ms
                found.append(
                    Trade(
                        ts // self._step_ms,
                        inst_id,
                        int(ticks.last[at]) * contract.tick_size,
                        int(ticks.lots[at]) * contract.lot_size,
                        "buy" if ticks.buy[at] else "sell",
                        ts,
                    )
                )
            until = until // DAY_MS * DAY_MS - 1
        return found

    # -- prices at a moment ------------------------------------------------------------------

    def last_price(self, inst_id: str, now_ms: int) -> Decimal:
        """The price of the latest trade."""
        return self._price(inst_id, "last", now_ms)

    def mark_price(self, inst_id: str, now_ms: int) -> Decimal:
        """The mean price of the last minute, on tick size: what liquidation looks at."""
        return self._price(inst_id, "mark", now_ms)

    def index_price(self, inst_id: str, now_ms: int) -> Decimal:
        """The mean price of the last two minutes, on tick size."""
        return self._price(inst_id, "index", now_ms)

    def ticker(self, inst_id: str, now_ms: int) -> Ticker:
        """The last 24 hours, or what there is of them."""
        contract = self.instruments[inst_id]
        tick, lot = contract.tick_size, contract.lot_size
        day, at = self._at(inst_id, now_ms)
        parts = list(self._parts(inst_id, now_ms - DAY_MS, now_ms)) or [(day, slice(at, at + 1))]
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
        ticks, at = self._at(inst_id, now_ms)
        last = int(ticks.last[at])
        lots = self._lots_per_minute(inst_id, now_ms)
        noise = self._book_noise(inst_id, ticks.first_ms + at * self._step_ms, depth)
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
        stream = paths.salt(self._source.seed, inst_id, "book")
        keys = ts * 4 + np.arange(4)[:, None] + np.arange(depth) * 2**48
        return paths.uniform(keys.astype(np.int64), stream).reshape(2, 2, depth)

    def _lots_per_minute(self, inst_id: str, now_ms: int) -> float:
        parts = self._parts(inst_id, now_ms - DAY_MS, now_ms)
        sums = [(int(ticks.lots[part].sum()), part.stop - part.start) for ticks, part in parts]
        trades = sum(count for _, count in sums)
        return self._steps * sum(lots for lots, _ in sums) / trades if trades else 1.0

    # -- funding -----------------------------------------------------------------------------

    def next_funding_time(self, now_ms: int) -> int:
        """The settlement after `now_ms`: 00:00, 08:00 and 16:00 UTC."""
        return (now_ms // FUNDING_INTERVAL_MS + 1) * FUNDING_INTERVAL_MS

    def funding_rate(self, inst_id: str, at_ms: int) -> Decimal:
        """The rate of the settlement at `at_ms` or of the next one, as far as it is known then.

        At a settlement this is the rate that is paid. Before it, the expected one: with recorded
        rates the latest that was settled, else one that follows the price and arrives at the
        settled rate when the time has come.
        """
        settled = at_ms // FUNDING_INTERVAL_MS * FUNDING_INTERVAL_MS
        known = self._funding[inst_id].get(settled)
        return known if known is not None else self._rate_at(inst_id, at_ms)

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
        start, end = self._spans[inst_id]
        latest = now_ms if after_ms is None else min(now_ms, after_ms - 1)
        if end is not None:
            latest = min(latest, end)
        first = start if before_ms is None else max(start, before_ms + 1)
        time = latest // FUNDING_INTERVAL_MS * FUNDING_INTERVAL_MS
        rates: list[FundingRate] = []
        while time >= first and len(rates) < limit:
            rates.append(FundingRate(inst_id, self.funding_rate(inst_id, time), time))
            time -= FUNDING_INTERVAL_MS
        return rates

    def _rate_at(self, inst_id: str, ms: int) -> Decimal:
        start, _ = self._spans[inst_id]
        now = self._price(inst_id, "index", ms)
        before = self._price(inst_id, "index", max(ms - FUNDING_INTERVAL_MS, start))
        gained = float(now / before) - 1.0
        rate = _FUNDING_BASE + _FUNDING_PULL * gained
        bounded = min(max(rate, -_FUNDING_BOUND), _FUNDING_BOUND)
        return Decimal(round(bounded * 1e6)).scaleb(-6)

    def _settled(self, inst_id: str) -> dict[int, Decimal]:
        """Recorded rates by settlement time; rates between two settlements add up."""
        recorded = self._source.funding(inst_id)
        rates: dict[int, Decimal] = {}
        if recorded is None:
            return rates
        times = -(-recorded.time // FUNDING_INTERVAL_MS) * FUNDING_INTERVAL_MS + self._shift
        for time, rate in zip(times.tolist(), recorded.rate.tolist(), strict=True):
            rates[time] = rates.get(time, Decimal(0)) + Decimal(f"{rate:.8f}").normalize()
        return rates

    # -- the trades of a day -----------------------------------------------------------------

    def _shifted_span(self, inst_id: str) -> tuple[int, int | None]:
        start, end = self._source.span(inst_id)
        return start + self._shift, None if end is None else end + self._shift

    def _ticks_of_day(self, inst_id: str, day: int) -> _Ticks:
        """All trades of a UTC day. They lie on one grid, whatever the instrument."""
        start = day * DAY_MS - self._shift
        lead = self._source.minutes(inst_id, start - _INDEX_MINUTES * MINUTE_MS, start)
        today = self._source.minutes(inst_id, start, start + DAY_MS)
        stream = paths.salt(self._source.seed, inst_id, "trades")
        walk = paths.trades_inside(today, self._steps, stream, self._order)
        last = walk.price.ravel()
        earlier = paths.trades_inside(lead, self._steps, stream, self._order).price.ravel()
        return _Ticks(
            first_ms=today.start_ms + self._shift if len(today) else start + self._shift,
            step_ms=self._step_ms,
            last=last,
            lots=walk.lots.ravel(),
            buy=walk.buy.ravel(),
            mark=_trailing_mean(earlier, last, _MARK_MINUTES * self._steps),
            index=_trailing_mean(earlier, last, _INDEX_MINUTES * self._steps),
        )

    def _at(self, inst_id: str, now_ms: int) -> tuple[_Ticks, int]:
        """The day of the latest trade at `now_ms`, and where it is in it."""
        start, end = self._spans[inst_id]
        if now_ms < start:
            raise ValueError(f"{inst_id}: no price at {now_ms} ms, its data begin at {start} ms")
        ms = now_ms if end is None else min(now_ms, end - 1)
        ticks = self._day(inst_id, ms // DAY_MS)
        return ticks, ticks.count_to(ms) - 1

    def _price(self, inst_id: str, kind: PriceKind, now_ms: int) -> Decimal:
        ticks, at = self._at(inst_id, now_ms)
        return int(ticks.of(kind)[at]) * self.instruments[inst_id].tick_size

    def _parts(self, inst_id: str, from_ms: int, to_ms: int) -> Iterator[tuple[_Ticks, slice]]:
        """The trades with from_ms < ts <= to_ms, day by day."""
        start, end = self._spans[inst_id]
        first = max(from_ms + 1, start)
        last = to_ms if end is None else min(to_ms, end - 1)
        for day in range(first // DAY_MS, last // DAY_MS + 1):
            ticks = self._day(inst_id, day)
            part = slice(ticks.count_to(first - 1), ticks.count_to(last))
            if part.start < part.stop:
                yield ticks, part


def day_shift(data_ms: int, now_ms: int) -> int:
    """The whole days (in ms) by which the UTC day of `data_ms` has to move to be that of `now_ms`.

    Given to `MarketData` as `shift_ms`, it plays recorded candles on a real clock.
    """
    return (now_ms // DAY_MS - data_ms // DAY_MS) * DAY_MS


def _fold_ticks(prices: NDArray[np.int64], lots: NDArray[np.int64]) -> NDArray[np.int64]:
    """Trades of shape (n, k) as candles of shape (6, n)."""
    return np.stack(
        [
            prices[:, 0],
            prices.max(axis=1),
            prices.min(axis=1),
            prices[:, -1],
            lots.sum(axis=1),
            (prices * lots).sum(axis=1),
        ]
    )


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


def _texts(numbers: NDArray[np.int64], unit: Decimal) -> list[str]:
    """Whole numbers times a decimal unit as plain text, without trailing zeros."""
    _, digits, exponent = unit.as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - a finite unit
    factor = int("".join(map(str, digits)))
    if exponent >= 0:
        return [str(number * factor * 10**exponent) for number in numbers.tolist()]
    width = 1 - exponent
    texts = []
    for number in numbers.tolist():
        text = f"{number * factor:0{width}d}"
        texts.append(f"{text[:exponent]}.{text[exponent:]}".rstrip("0").rstrip("."))
    return texts
