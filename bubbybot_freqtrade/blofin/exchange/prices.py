"""Best prices of a pair out of the list of all pairs' tickers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from freqtrade.enums import TRADE_MODES
from freqtrade.exchange.exchange_types import OrderBook

from bubbybot_freqtrade.blofin.exchange.real_time import AccountInRealTime

if TYPE_CHECKING:
    # It reads the database, and freqtrade.persistence imports freqtrade.exchange.
    from bubbybot_freqtrade.blofin.exchange.requests import Requests


def best_prices(pair: str, tickers: Iterable[dict[str, Any]]) -> OrderBook | None:
    """Return an order book of one level a side; None where the list has no such ticker."""
    for ticker in tickers:
        if ticker["symbol"] == pair and ticker.get("bid") and ticker.get("ask"):
            return {
                "symbol": pair,
                "bids": [(ticker["bid"], ticker["bidVolume"] or 0.0)],
                "asks": [(ticker["ask"], ticker["askVolume"] or 0.0)],
                "timestamp": ticker["timestamp"],
                "datetime": ticker["datetime"],
                "nonce": None,
            }
    return None


class SharedPrices(AccountInRealTime):
    """Where freqtrade asks for a pair's prices."""

    requests: Requests

    def fetch_l2_order_book(self, pair: str, limit: int = 100) -> OrderBook:
        """Return an order book; its first level alone comes from the tickers of all pairs.

        freqtrade prices every open trade in every loop. One request a trade would pass BloFin's
        1500 requests in five minutes with some twenty-five open trades. Between those of two
        trades is time to look at the account.
        """
        self.look_at_account()
        if limit == 1 and self._config["runmode"] in TRADE_MODES:
            best = best_prices(pair, self.requests.rows("tickers"))
            if best is not None:
                return best
        return super().fetch_l2_order_book(pair, limit)
