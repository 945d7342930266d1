"""What a market says of itself: trades, candles, tickers, books and funding rates as values."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, NamedTuple

PriceKind = Literal["last", "mark", "index"]
Side = Literal["buy", "sell"]


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
