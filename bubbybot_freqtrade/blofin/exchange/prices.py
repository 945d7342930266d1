"""Best prices of a pair out of the list of all pairs' tickers."""

from collections.abc import Iterable
from typing import Any

from freqtrade.exchange.exchange_types import OrderBook


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
