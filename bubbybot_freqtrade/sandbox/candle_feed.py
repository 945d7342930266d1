"""Candles as the venue serves them on REST and websocket, with the mistakes a drill asks for."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bubbybot_freqtrade.sandbox.amounts import plain
from bubbybot_freqtrade.sandbox.prices import Candle, MarketData, PriceKind


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


class CandleFeed:
    """The market's candles, through which drills can make the venue err."""

    def __init__(self, market: MarketData) -> None:
        """Serves the truth until told otherwise."""
        self.market = market
        self.faults: list[CandleFault] = []

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
        if not self.faults or kind != "last":
            return candles
        played = {
            fault.ts: fault
            for fault in self.faults
            if (fault.inst_id, fault.bar) == (inst_id, bar)
            and (fault.until_ms is None or now_ms < fault.until_ms)
        }
        served = (_spoil(candle, played.get(candle.ts)) for candle in candles)
        return [candle for candle in served if candle is not None]


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
