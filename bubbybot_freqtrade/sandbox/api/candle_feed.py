"""Candles as the venue serves them on REST and websocket, with the mistakes a drill asks for."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from itertools import islice
from typing import Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field

from bubbybot_freqtrade.sandbox.market.prices import MarketData
from bubbybot_freqtrade.sandbox.market.quotes import Candle, PriceKind
from bubbybot_freqtrade.sandbox.venue.amounts import plain

KEPT_CANDLES = 1500
"""A little more than the 1440 that one request can ask for."""


class CandleFault(BaseModel):
    """One candle that the venue gets wrong until `until_ms` (venue time; None: for ever).

    `missing` leaves it out; `changed` serves its close, and high or low with it, times `factor`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    inst_id: str
    bar: str
    ts: int
    kind: Literal["missing", "changed"]
    until_ms: int | None = None
    factor: Decimal = Field(default=Decimal("1.01"), gt=0)


class _Finished:
    """The finished candles of one series that have been asked for, oldest first, without a gap.

    A finished candle never changes, so it is spelled out once; bots ask for the same thousand of
    them again and again. What it was spelled from is not kept: it takes ten times the memory, which
    a few hundred instruments don't have.
    """

    def __init__(self) -> None:
        self.rows: deque[bytes] = deque()
        self.oldest_ms = self.newest_ms = 0

    def extend(self, candles: Sequence[Candle], kind: PriceKind) -> None:
        """Candles that follow, oldest first."""
        if not candles:
            return
        if not self.rows:
            self.oldest_ms = candles[0].ts
        self.newest_ms = candles[-1].ts
        self.rows.extend(_encoded(candle, kind) for candle in candles)
        while len(self.rows) > KEPT_CANDLES:
            self.rows.popleft()
            self.oldest_ms = int(orjson.loads(self.rows[0])[0])

    def extend_back(self, candles: Sequence[Candle], kind: PriceKind) -> None:
        """Candles that go before, newest first."""
        if candles:
            self.oldest_ms = candles[-1].ts
            self.rows.extendleft(_encoded(candle, kind) for candle in candles)


class CandleFeed:
    """The market's candles, through which drills can make the venue err."""

    def __init__(self, market: MarketData) -> None:
        """Serves the truth until told otherwise."""
        self.market = market
        self.faults: list[CandleFault] = []
        self._finished: dict[tuple[str, str, PriceKind], _Finished] = {}

    def candles(
        self,
        inst_id: str,
        bar: str,
        kind: PriceKind,
        *,
        now_ms: int,
        after_ms: int | None = None,
        before_ms: int | None = None,
        limit: int,
    ) -> list[Candle]:
        """As `MarketData.candles`; faults touch candles of the last price only."""
        candles = self.market.candles(
            inst_id,
            bar,
            kind,
            now_ms=now_ms,
            after_ms=after_ms,
            before_ms=before_ms,
            limit=limit,
        )
        played = self._faults_of(inst_id, bar, kind, now_ms)
        if not played:
            return candles
        served = (_spoil(candle, played.get(candle.ts)) for candle in candles)
        return [candle for candle in served if candle is not None]

    def latest(
        self, inst_id: str, bar: str, kind: PriceKind, *, now_ms: int, limit: int
    ) -> list[bytes]:
        """The latest `limit` candles, newest first, each as the JSON array REST answers."""
        if self._faults_of(inst_id, bar, kind, now_ms):
            candles = self.candles(inst_id, bar, kind, now_ms=now_ms, limit=limit)
            return [_encoded(candle, kind) for candle in candles]
        series = self._finished.setdefault((inst_id, bar, kind), _Finished())
        present = self._catch_up(series, inst_id, bar, kind, now_ms, limit)
        missing = limit - len(present) - len(series.rows)
        if missing > 0 and series.rows:
            older = self.market.candles(
                inst_id,
                bar,
                kind,
                now_ms=now_ms,
                after_ms=series.oldest_ms,
                limit=missing,
            )
            series.extend_back(older, kind)
        finished = islice(reversed(series.rows), limit - len(present))
        return [_encoded(candle, kind) for candle in present] + list(finished)

    def _catch_up(
        self,
        series: _Finished,
        inst_id: str,
        bar: str,
        kind: PriceKind,
        now_ms: int,
        limit: int,
    ) -> list[Candle]:
        """Add what has finished since the last time; the unfinished candle, if there is one."""
        newest = series.newest_ms if series.rows else None
        new = self.market.candles(
            inst_id, bar, kind, now_ms=now_ms, before_ms=newest, limit=limit + 1
        )
        if len(new) > limit:
            # More has happened than was asked for: what is known would leave a gap.
            series.rows.clear()
        present = new[:1] if new and not new[0].confirm else []
        series.extend(new[len(present) :][::-1], kind)
        return present

    def _faults_of(
        self, inst_id: str, bar: str, kind: PriceKind, now_ms: int
    ) -> dict[int, CandleFault]:
        """The faults that are on for a series, by the candle they spoil."""
        if not self.faults or kind != "last":
            return {}
        return {
            fault.ts: fault
            for fault in self.faults
            if (fault.inst_id, fault.bar) == (inst_id, bar)
            and (fault.until_ms is None or now_ms < fault.until_ms)
        }


def _encoded(candle: Candle, kind: PriceKind) -> bytes:
    spelled = orjson.dumps(candle.row() if kind == "last" else candle.price_row())
    # orjson hands out its working buffer, 4 KB for a hundred bytes.
    return memoryview(spelled).tobytes()


def _spoil(candle: Candle, fault: CandleFault | None) -> Candle | None:
    if fault is None:
        return candle
    if fault.kind == "missing":
        return None
    close = Decimal(candle.close) * fault.factor
    return candle._replace(
        close=plain(close),
        high=plain(max(close, Decimal(candle.high))),
        low=plain(min(close, Decimal(candle.low))),
    )
