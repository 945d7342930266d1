"""Leverage tiers: kept on disk, the oldest few asked for again."""

import logging
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import ccxt
from freqtrade.exchange.exchange import Exchange
from freqtrade.util import dt_now, dt_ts

from bubbybot_freqtrade.blofin.exchange.errors import freqtrade_errors

logger = logging.getLogger(__name__)

# BloFin changes leverage tiers without notice, and freqtrade's limits in quote follow the price.
MAX_AGE = timedelta(days=1)
# Asked for again in one loop. Markets are reloaded every hour: in a day all of them.
AT_ONCE = 25

MarketTiers = list[dict[str, Any]]


class Tiers:
    """What freqtrade loads the leverage tiers of a market with."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._tickers: dict[str, Any] = {}

    def file(self, stake_currency: str) -> str:
        """Name of the file of kept tiers: those of live, demo and a sandbox differ.

        `contracts` is what their sizes are read as; earlier versions kept other readings.
        """
        venue = urlsplit(self._exchange._api.urls["api"]["rest"]).netloc.replace(":", "_")
        return f"{stake_currency}_{self._exchange.margin_mode.value}_contracts_{venue}"

    def without_due(self, kept: dict[str, MarketTiers]) -> dict[str, MarketTiers]:
        """Return kept tiers but for those that are due to be asked for again.

        At start that is all that are old, later the oldest few: hundreds of requests would hold up
        the loop.
        """
        oldest = dt_ts(dt_now() - MAX_AGE)
        asked_at = {pair: _asked_at(tiers) for pair, tiers in kept.items()}
        due = sorted((pair for pair in kept if asked_at[pair] < oldest), key=asked_at.__getitem__)
        for pair in due[: AT_ONCE if self._exchange._leverage_tiers else None]:
            del kept[pair]
        self._tickers = self._prices() if due or not kept else {}
        return kept

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


def _asked_at(tiers: MarketTiers) -> int:
    return tiers[0].get("askedAt", 0) if tiers else 0
