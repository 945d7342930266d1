"""Leverage tiers: kept on disk, the oldest few asked for again; many new ones loop by loop.

BloFin tells those of one market a request (`market/position-tiers` wants an `instId`), and lists
hundreds of markets: asked for at the start they would hold up the first candles for a minute, and
take a third of the requests that BloFin allows in five.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import ccxt
from freqtrade.enums import TRADE_MODES, TradingMode
from freqtrade.exchange.common import retrier_async
from freqtrade.exchange.exchange import Exchange
from freqtrade.util import dt_now, dt_ts

from bubbybot_freqtrade.blofin.ccxt_blofin.budget import free_requests
from bubbybot_freqtrade.blofin.exchange.errors import freqtrade_errors

logger = logging.getLogger(__name__)

# BloFin changes leverage tiers without notice, and freqtrade's limits in quote follow the price.
MAX_AGE = timedelta(days=1)
# Asked for again in one loop. Markets are reloaded every hour: in a day all of them.
AT_ONCE = 25

MOST_AT_START = 100
"""Markets whose tiers a start waits for: some ten seconds. More come after the first candles."""

KEPT_FREE = 0.3
"""Of the venue's requests, while the tiers of markets that nobody trades yet are asked for."""

LEFT_SECONDS = 3600.0
"""No bot that is running takes so long to write a file."""

MarketTiers = list[dict[str, Any]]


def venue_name(exchange: Exchange) -> str:
    """A name for files of what live, the demo account or a sandbox has told."""
    host: str = urlsplit(exchange._api.urls["api"]["rest"]).netloc
    return host.replace(":", "_")


class Tiers:
    """What freqtrade loads the leverage tiers of a market with."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._tickers: dict[str, Any] = {}
        self._deferred: set[str] = set()

    def file(self, stake_currency: str) -> str:
        """Name of the file of kept tiers: those of live, demo and a sandbox differ.

        `contracts` is what their sizes are read as; earlier versions kept other readings.
        """
        mode = self._exchange.margin_mode.value
        return f"{stake_currency}_{mode}_contracts_{venue_name(self._exchange)}"

    def without_due(self, kept: dict[str, MarketTiers]) -> dict[str, MarketTiers]:
        """Return kept tiers but for those that are due to be asked for again.

        At start that is all that are old, later the oldest few: hundreds of requests would hold up
        the loop.
        """
        count = len(kept)
        kept = self._undue(kept)
        self._tickers = self._prices() if len(kept) < count or not kept else {}
        return kept

    def _undue(self, kept: dict[str, MarketTiers]) -> dict[str, MarketTiers]:
        oldest = dt_ts(dt_now() - MAX_AGE)
        asked_at = {pair: _asked_at(tiers) for pair, tiers in kept.items()}
        due = sorted((pair for pair in kept if asked_at[pair] < oldest), key=asked_at.__getitem__)
        left_out = set(due[: AT_ONCE if self._exchange._leverage_tiers else None])
        return {pair: tiers for pair, tiers in kept.items() if pair not in left_out}

    def _prices(self) -> dict[str, Any]:
        try:
            return dict(self._exchange._api.fetch_tickers())
        except ccxt.BaseError as e:
            # Each market's price is asked for with its tiers then.
            logger.warning(
                "BloFin gives no list of prices, so each market's is asked for with its leverage "
                f"tiers, which takes longer. Nothing has to be done: {e}"
            )
            return {}

    async def fetch(self, symbol: str) -> MarketTiers:
        """Return the tiers of a market, with the time they were asked for."""
        api, ticker = self._exchange._api_async, self._tickers.get(symbol)
        with freqtrade_errors(f"load the leverage tiers of {symbol}"):
            params = {"price": api.tier_price(ticker)} if ticker else {}
            tiers = await api.fetch_market_leverage_tiers(symbol, params)
        return [{**tier, "askedAt": dt_ts()} for tier in tiers]

    # Those that a start doesn't wait for

    def defer(self, kept: dict[str, MarketTiers]) -> dict[str, MarketTiers] | None:
        """Return what is kept when the rest is so much that it has to come later; else None."""
        exchange = self._exchange
        kept = self._undue(kept)
        stake_currency = exchange._config["stake_currency"]
        missing = {
            symbol
            for symbol, market in exchange.markets.items()
            if market["quote"] == stake_currency
            and exchange.market_is_future(market)
            and symbol not in kept
            and symbol not in exchange._leverage_tiers
        }
        if len(missing) <= (AT_ONCE if exchange._leverage_tiers else MOST_AT_START):
            return None
        self._deferred = missing
        logger.info(
            f"BloFin tells leverage tiers a market at a time. Those of {len(missing)} markets are "
            "asked for after the first candles, traded pairs first, and before a pair's order at "
            "the latest."
        )
        return kept

    def need(self, pair: str) -> None:
        """Ask for the tiers of a pair now, if they were to come later."""
        if pair in self._deferred:
            self._ask([pair])

    def ask_some(self, wanted: Iterable[str]) -> None:
        """Ask for some of those that are to come, `wanted` pairs first."""
        exchange = self._exchange
        if not self._deferred or free_requests(exchange._api_async, KEPT_FREE) <= AT_ONCE:
            return
        self._take_what_others_keep()
        if not self._deferred:
            return
        first = [pair for pair in dict.fromkeys(wanted) if pair in self._deferred]
        self._tickers = self._prices()
        self._ask([*first, *sorted(self._deferred.difference(first))][:AT_ONCE])
        self._tickers = {}

    def _take_what_others_keep(self) -> None:
        """Bots that share a folder ask for each market once among them."""
        oldest, kept = dt_ts(dt_now() - MAX_AGE), self._kept()
        told = {
            symbol: kept[symbol]
            for symbol in self._deferred & kept.keys()
            if _asked_at(kept[symbol]) >= oldest
        }
        self._deferred.difference_update(told)
        self._take(told)

    def _kept(self) -> dict[str, MarketTiers]:
        name = self.file(self._exchange._config["stake_currency"])
        return Exchange.load_cached_leverage_tiers(self._exchange, name) or {}

    def _take(self, told: dict[str, MarketTiers]) -> None:
        parse = self._exchange.parse_leverage_tier
        for symbol, tiers in told.items():
            self._exchange._leverage_tiers[symbol] = [parse(tier) for tier in tiers]

    def _ask(self, symbols: Sequence[str]) -> None:
        """Those that can't be had come with the markets' next refresh."""
        exchange = self._exchange
        self._deferred.difference_update(symbols)

        async def answers() -> list[Any]:
            asked = map(exchange.get_market_leverage_tiers, symbols)
            return await asyncio.gather(*asked, return_exceptions=True)

        with exchange._loop_lock:
            results = exchange.loop.run_until_complete(answers())
        told: dict[str, MarketTiers] = {}
        for symbol, result in zip(symbols, results, strict=True):
            if isinstance(result, BaseException):
                logger.warning(
                    f"{symbol}: its leverage tiers could not be had, so it is not traded. They are "
                    f"asked for again with the markets, every hour. Message: {result}"
                )
            else:
                told[symbol] = result[1]
        self._take(told)
        if told:
            exchange.cache_leverage_tiers(
                {**self._kept(), **told}, exchange._config["stake_currency"]
            )


class TiersInLoops(Exchange):
    """Where freqtrade loads leverage tiers, and where it needs them."""

    @cached_property
    def tiers(self) -> Tiers:
        """What is asked for of them, and when."""
        return Tiers(self)

    def load_leverage_tiers(self) -> dict[str, list[dict]]:
        """Load the tiers of all markets; a bot's start doesn't wait for hundreds of them."""
        if self._config["runmode"] in TRADE_MODES and self.trading_mode == TradingMode.FUTURES:
            name = self.tiers.file(self._config["stake_currency"])
            kept = self.tiers.defer(super().load_cached_leverage_tiers(name) or {})
            if kept is not None:
                return kept
        return super().load_leverage_tiers()

    def cache_leverage_tiers(self, tiers: dict[str, list[dict]], stake_currency: str) -> None:
        """Keep tiers on disk, apart for live, demo and a sandbox: theirs differ.

        In one piece, whenever the bot is killed and however many bots share the folder.
        """
        name, folder = self.tiers.file(stake_currency), self._config["datadir"] / "futures"
        aside = f"{name}.{uuid4().hex}.new"
        try:
            super().cache_leverage_tiers(tiers, aside)
            new = folder / f"leverage_tiers_{aside}.json"
            new.replace(folder / f"leverage_tiers_{name}.json")
            _remove_left(folder.glob(f"leverage_tiers_{name}.*.new.json"))
        except OSError as e:
            logger.warning(
                f"Leverage tiers can't be kept in {folder}, so they are asked for again at the "
                f"bot's next start. Free space there, or let the bot write there. Message: {e}"
            )

    def load_cached_leverage_tiers(
        self, stake_currency: str, cache_time: timedelta | None = None
    ) -> dict[str, list[dict]] | None:
        """Load tiers kept on disk, but for those that are due to be asked for again."""
        kept = super().load_cached_leverage_tiers(self.tiers.file(stake_currency), cache_time)
        return self.tiers.without_due(kept or {})

    @retrier_async
    async def get_market_leverage_tiers(self, symbol: str) -> tuple[str, list[dict]]:
        """Leverage tiers per symbol"""
        return symbol, await self.tiers.fetch(symbol)

    def need_leverage_tiers(self, pair: str) -> None:
        """Ask for the tiers of a pair now, if they were to come later."""
        self.tiers.need(pair)

    def get_max_leverage(self, pair: str, stake_amount: float | None) -> float:
        """Return the most leverage of a pair, whose tiers are asked for now if they are to come."""
        self.need_leverage_tiers(pair)
        return super().get_max_leverage(pair, stake_amount)

    def get_maintenance_ratio_and_amt(
        self, pair: str, notional_value: float
    ) -> tuple[float, float | None]:
        """Return a pair's maintenance margin; its tiers as with `get_max_leverage`."""
        self.need_leverage_tiers(pair)
        return super().get_maintenance_ratio_and_amt(pair, notional_value)


def _asked_at(tiers: MarketTiers) -> int:
    return tiers[0].get("askedAt", 0) if tiers else 0


def _remove_left(files: Iterable[Path]) -> None:
    """Remove what bots that were killed had not moved to its place."""
    for left in files:
        with suppress(FileNotFoundError):  # another bot was faster
            if time.time() - left.stat().st_mtime > LEFT_SECONDS:
                left.unlink()
