"""The candles of a market, of each kind of price and every bar."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .bars import BARS, Rows, bar_start, fold_ticks, texts
from .paths import DAY_MS, HOUR_MS, MINUTE_MS
from .quotes import Candle, PriceKind
from .tape import Tape


class Chart:
    """Candles made from the trades of a tape, or from what its source has recorded."""

    def __init__(self, tape: Tape) -> None:
        """Nothing is made before it is asked for."""
        self._tape = tape
        # 80 KB each: a day of every instrument and its last 24 hours, for what is pushed.
        self._minute_rows = lru_cache(maxsize=tape.kept_days)(self._minute_rows_of_day)
        # 2 KB each: who asks for candles of 4h mostly wants some weeks of those of 1h as well.
        self._hour_rows = lru_cache(maxsize=100 * tape.kept_days)(self._hour_rows_of_day)

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
        start, end = self._tape.spans[inst_id]
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

    def _as_candles(self, inst_id: str, bar: str, rows: Rows, now_ms: int) -> list[Candle]:
        contract = self._tape.instruments[inst_id]
        lot, tick = contract.lot_size, contract.tick_size
        base = lot * contract.contract_value
        columns = [
            *(texts(prices, tick) for prices in rows.values[:4]),
            texts(rows.values[4], lot),
            texts(rows.values[4], base),
            texts(rows.values[5], base * tick),
        ]
        starts = rows.start.tolist()
        candles = [
            Candle(ts, *words, True)  # type: ignore[call-arg]
            for ts, *words in zip(starts, *columns, strict=True)
        ]
        if candles and bar_start(bar, starts[-1], 1) > now_ms:
            candles[-1] = candles[-1]._replace(confirm=False)
        candles.reverse()
        return candles

    def _rows(
        self, inst_id: str, kind: PriceKind, bar: str, stretch: tuple[int, int], now_ms: int
    ) -> Rows:
        """Rows no longer than `bar` that cover the stretch, both ends included."""
        from_ms, until = stretch
        bars = self._tape.source.mark_bars(inst_id) if kind == "mark" else None
        duration = BARS[bar]
        if bars is None or (duration is not None and duration < bars.duration_ms):
            return self._made_rows(inst_id, kind, bar, from_ms, until)
        # Made rows have to fit between recorded ones.
        unit = bar if bars.duration_ms >= HOUR_MS else "1m"
        made = self._made_rows(inst_id, kind, unit, from_ms, until)
        nothing = np.zeros_like(bars.start)
        recorded = Rows(
            bars.start + self._tape.shift_ms,
            np.stack([bars.open, bars.high, bars.low, bars.close, nothing, nothing]),
        ).cut(from_ms, min(until + 1, now_ms) + 1 - bars.duration_ms)
        return made.covered_by(recorded, bars.duration_ms)

    def _made_rows(self, inst_id: str, kind: PriceKind, bar: str, from_ms: int, until: int) -> Rows:
        """Rows made from trades: hours for long bars, minutes for short ones and the present."""
        if until < from_ms:
            return Rows.join([])
        duration = BARS[bar]
        hourly = duration is None or duration >= HOUR_MS
        parts = []
        first, _ = self._tape.spans[inst_id]
        for day in range(max(from_ms, first) // DAY_MS, until // DAY_MS + 1):
            if (day + 1) * DAY_MS - 1 <= until:
                rows = (self._hour_rows if hourly else self._minute_rows)(inst_id, kind, day)
            else:
                rows = self._rows_until(inst_id, kind, until)
            parts.append(rows.cut(from_ms, until + 1))
        return Rows.join(parts)

    def _rows_until(self, inst_id: str, kind: PriceKind, until: int) -> Rows:
        """The minutes of the day of `until`, the last one as far as it has come."""
        day, minute = until // DAY_MS, until // MINUTE_MS * MINUTE_MS
        whole = self._minute_rows(inst_id, kind, day).cut(day * DAY_MS, minute)
        ticks = self._tape.day(inst_id, day)
        part = slice(ticks.count_to(minute - 1), ticks.count_to(until))
        prices, lots = ticks.of(kind)[part], ticks.lots[part] * (kind == "last")
        if not len(prices):
            return whole
        started = fold_ticks(prices[None], lots[None])
        return Rows.join([whole, Rows(np.array([minute], np.int64), started)])

    def _minute_rows_of_day(self, inst_id: str, kind: PriceKind, day: int) -> Rows:
        ticks = self._tape.day(inst_id, day)
        prices = ticks.of(kind).reshape(-1, self._tape.steps)
        lots = ticks.lots.reshape(-1, self._tape.steps) * (kind == "last")
        starts = ticks.first_ms + MINUTE_MS * np.arange(len(prices), dtype=np.int64)
        return Rows(starts, fold_ticks(prices, lots))

    def _hour_rows_of_day(self, inst_id: str, kind: PriceKind, day: int) -> Rows:
        return self._minute_rows(inst_id, kind, day).fold("1H")
