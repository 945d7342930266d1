"""Trades of this bot that its database doesn't know, put back: after a kill, from an old copy."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from freqtrade.exchange import Exchange
from freqtrade.exchange.exchange_types import CcxtOrder
from freqtrade.persistence import Trade
from freqtrade.util import dt_now, dt_ts

from bubbybot_freqtrade.blofin.account import books, database
from bubbybot_freqtrade.blofin.account.replay import Life, lives
from bubbybot_freqtrade.blofin.account.venue import Requests
from bubbybot_freqtrade.blofin.bracket import TradeSide
from bubbybot_freqtrade.blofin.closings import in_sequence

logger = logging.getLogger(__name__)

# How far back orders are looked for that made a position which the database doesn't know.
RECOVERY_WINDOW = timedelta(days=7)

SIDES: tuple[TradeSide, ...] = ("long", "short")


class LostTrades:
    """Looks through the account's ended orders for this bot's own, and books what it finds."""

    def __init__(self, exchange: Exchange, requests: Requests) -> None:
        self._exchange = exchange
        self._requests = requests

    def put_back(self) -> list[str]:
        """Put back all that the database has missed since its newest order; what to tell of it.

        What stands goes on, what has ended is booked. An empty database asks for nothing: it may
        be a new one on an old account.
        """
        newest = database.newest_order_date()
        if newest is None:
            return []
        # Its date is the venue's or this machine's: the earlier of the two.
        since = min(dt_ts(newest), self._requests.clock.venue_ms(newest))
        return self._put_back(None, since)

    def put_back_of(self, pair: str) -> list[str]:
        """Put back what made a position of `pair` that the database doesn't know."""
        newest = database.newest_order_date() or dt_now()
        since = min(newest, dt_now() - RECOVERY_WINDOW)
        return self._put_back(pair, dt_ts(since))

    def _put_back(self, pair: str | None, since: int) -> list[str]:
        ended = self._requests.ended_orders(pair, since)
        own = [order for order in ended if self._requests.is_own(order)]
        settled = database.known_order_ids(ended) | database.deleted_entry_ids(own)
        pairs = {o["symbol"] for o in own if o["id"] not in settled}
        told: list[str] = []
        for symbol in sorted(pairs):
            if symbol not in self._exchange.markets:
                told.append(
                    f"{symbol}: BloFin doesn't list it any more, and this bot has orders there "
                    "that its database doesn't know. They can't be booked: look at the app's "
                    "order history."
                )
                continue
            unknown = [o for o in ended if o["symbol"] == symbol and o["id"] not in settled]
            for side in SIDES:
                told += self._book(symbol, side, unknown)
        return told

    def _book(self, pair: str, side: TradeSide, unknown: list[CcxtOrder]) -> list[str]:
        trade, is_own = database.open_trade(pair, side), self._requests.is_own
        if trade is None:
            found = lives(unknown, side, is_own)
        else:
            held = self._requests.exact_contracts(pair, trade.amount) if trade.amount else 0.0
            before, since = self._parted(trade, unknown)
            earlier = lives(before, side, is_own)
            # What was entered before and stands is of this trade.
            standing = [entry for life in earlier if life.left > 0 for entry in life.entries]
            ended = [life for life in earlier if life.left <= 0]
            found = [*ended, *lives([*standing, *since], side, is_own, held)]
        return [say for life in found if (say := self._book_life(trade, life))]

    def _parted(
        self, trade: Trade, unknown: list[CcxtOrder]
    ) -> tuple[list[CcxtOrder], list[CcxtOrder]]:
        """Orders from before a trade's entry, none of which can have closed it, and those since."""
        entry = database.first_entry(trade.pair)
        opened = entry and self._requests.order(entry.order_id, trade.pair)
        if not opened:
            # Older than what BloFin keeps.
            return [], unknown
        row = in_sequence([opened, *unknown], trade.trade_direction)
        place = row.index(opened)
        return row[:place], row[place + 1 :]

    def _book_life(self, trade: Trade | None, life: Life) -> str | None:
        entries, exits = self._in_base(life.entries), self._in_base(life.exits)
        if life.continues and trade is not None:
            return self._go_on(trade, life, entries, exits)
        if life.left > 0:
            recovered = books.recover_trade(self._exchange, self._config, entries[0])
            for entry in entries[1:]:
                books.await_fill(recovered, entry)
            return (
                f"{recovered.pair}: found an entry of this bot that its database didn't know, put "
                f"it back: {recovered}. The trade goes on. Nothing has to be done."
            )
        ended = books.book_ended_trade(self._exchange, self._config, entries, exits)
        return (
            f"{ended.pair}: a trade of this bot was opened and closed while its database didn't "
            f"know. It is booked now: {ended}, {ended.close_profit_abs or 0:.2f} "
            f"{ended.stake_currency}."
        )

    def _go_on(
        self, trade: Trade, life: Life, entries: list[CcxtOrder], exits: list[CcxtOrder]
    ) -> str | None:
        if life.left > 0:
            # Its exits are booked by AccountWatch, once the entries have been.
            for entry in entries:
                books.await_fill(trade, entry)
            return (
                f"{trade.pair}: {len(entries)} entries that this bot had added to its trade were "
                "missing in its database. They are put back. Nothing has to be done."
                if entries
                else None
            )
        for entry in entries:
            books.book_entry(trade, entry)
        for order in exits:
            books.book_exit(self._exchange, trade, order)
        return (
            f"{trade.pair}: the bot's trade ended on BloFin while its database didn't know. It is "
            f"booked now: {trade}. Nothing has to be done."
        )

    @property
    def _config(self) -> dict[str, Any]:
        return dict(self._exchange._config)

    def _in_base(self, orders: Iterable[CcxtOrder]) -> list[CcxtOrder]:
        return [self._requests.in_base_currency(order) for order in orders]
