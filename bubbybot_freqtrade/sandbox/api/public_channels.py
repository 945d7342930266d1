"""What the public websocket channels say: tickers, trades, books, candles, funding rates."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from bubbybot_freqtrade.sandbox.api.candle_feed import CandleFeed
from bubbybot_freqtrade.sandbox.api.rest_public import funding_row, ticker_row, trade_row
from bubbybot_freqtrade.sandbox.market.bars import BARS
from bubbybot_freqtrade.sandbox.market.quotes import Book, PriceKind, Trade
from bubbybot_freqtrade.sandbox.venue.engine import Engine

BOOK_DEPTH = 200
# After a long step of a driven clock only the latest are pushed, as nobody could use the rest.
MAX_TRADES_A_PUSH = 500
MAX_CANDLES_A_PUSH = 1440

CANDLE_CHANNELS: dict[str, PriceKind] = {
    "candle": "last",
    "index-candle": "index",
    "mark-price-candle": "mark",
}

Subscription = tuple[str, str]
"""Channel and instrument id, the latter empty for all."""


class PublicChannels:
    """Messages of the channels, and what each was told last. The caller holds the engine."""

    def __init__(self, engine: Engine, feed: CandleFeed) -> None:
        """Nobody has been told anything."""
        self.engine = engine
        self.feed = feed
        self._candles: dict[Subscription, int] = {}
        self._books: dict[str, tuple[int, Book]] = {}
        self._sequence = 0

    def forget(self, subscription: Subscription) -> None:
        """Nobody listens any more."""
        self._candles.pop(subscription, None)
        if subscription[0] == "books":
            self._books.pop(subscription[1], None)

    def present(self, subscription: Subscription) -> Iterable[dict[str, Any]]:
        """What a channel says when there is something new, and to a new subscriber."""
        channel, inst_id = subscription
        candle = candle_channel(channel)
        if candle is not None:
            return self._new_candles(subscription, *candle)
        engine = self.engine
        data: Any
        if channel == "tickers":
            data = [ticker_row(engine.market.ticker(inst_id, engine.now_ms))]
        elif channel == "funding-rate":
            data = [funding_row(engine, inst_id)]
        elif channel == "books5":
            book = engine.market.book(inst_id, engine.now_ms, 5)
            message = {"arg": argument_of(subscription), "action": "snapshot"}
            return [{**message, "data": {**_levels(book), "ts": str(engine.now_ms)}}]
        else:
            return []
        return [{"arg": argument_of(subscription), "data": data}]

    def _new_candles(
        self, subscription: Subscription, kind: PriceKind, bar: str
    ) -> list[dict[str, Any]]:
        """The candles since the last push, oldest first; the last one of then is said again."""
        pushed = self._candles.get(subscription)
        candles = self.feed.candles(
            subscription[1],
            bar,
            kind,
            now_ms=self.engine.now_ms,
            before_ms=None if pushed is None else pushed - 1,
            limit=1 if pushed is None else MAX_CANDLES_A_PUSH,
        )
        if candles:
            self._candles[subscription] = candles[0].ts
        return [
            {
                "arg": argument_of(subscription),
                "data": [candle.row() if kind == "last" else candle.price_row()],
            }
            for candle in reversed(candles)
        ]

    def trades(self, inst_id: str, from_ms: int, to_ms: int) -> list[dict[str, Any]]:
        trades: list[Trade] = self.engine.market.trades(inst_id, to_ms, MAX_TRADES_A_PUSH)
        argument = argument_of(("trades", inst_id))
        return [
            {"arg": argument, "data": [trade_row(trade)]}
            for trade in reversed(trades)
            if trade.ts_ms > from_ms
        ]

    def book_snapshot(self, inst_id: str) -> dict[str, Any]:
        book = self.engine.market.book(inst_id, self.engine.now_ms, BOOK_DEPTH)
        self._sequence += 1
        self._books[inst_id] = (self._sequence, book)
        return self._book_message(inst_id, "snapshot", _levels(book), 0)

    def book_update(self, inst_id: str) -> list[dict[str, Any]]:
        sequence, before = self._books[inst_id]
        book = self.engine.market.book(inst_id, self.engine.now_ms, BOOK_DEPTH)
        changes = {
            "asks": _changes(before.asks, book.asks),
            "bids": _changes(before.bids, book.bids),
        }
        if not any(changes.values()):
            return []
        self._sequence += 1
        self._books[inst_id] = (self._sequence, book)
        return [self._book_message(inst_id, "update", changes, sequence)]

    def _book_message(
        self, inst_id: str, action: str, levels: dict[str, Any], previous: int
    ) -> dict[str, Any]:
        return {
            "arg": argument_of(("books", inst_id)),
            "action": action,
            "data": {
                **levels,
                "ts": str(self.engine.now_ms),
                "prevSeqId": str(previous),
                "seqId": str(self._sequence),
            },
        }


def candle_channel(channel: str) -> tuple[PriceKind, str] | None:
    """Kind and bar of `candle1m`, `index-candle1H` and the like."""
    prefix, _, bar = channel.rpartition("candle")
    kind = CANDLE_CHANNELS.get(f"{prefix}candle")
    return None if kind is None or bar not in BARS else (kind, bar)


def argument_of(subscription: Subscription) -> dict[str, str]:
    channel, inst_id = subscription
    return {"channel": channel, "instId": inst_id} if inst_id else {"channel": channel}


def _levels(book: Book) -> dict[str, list[list[float]]]:
    """The channel spells prices and sizes as JSON numbers, unlike REST."""
    return {
        "asks": [[float(price), float(size)] for price, size in book.asks],
        "bids": [[float(price), float(size)] for price, size in book.bids],
    }


def _changes(
    before: list[tuple[Decimal, Decimal]], after: list[tuple[Decimal, Decimal]]
) -> list[list[float]]:
    """Levels that are new or have another size; size 0 for those that are gone."""
    old, new = dict(before), dict(after)
    rows = [[float(price), float(size)] for price, size in new.items() if old.get(price) != size]
    return rows + [[float(price), 0.0] for price in old if price not in new]
