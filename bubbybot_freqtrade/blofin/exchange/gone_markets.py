"""Markets that BloFin has taken off its list while they are traded."""

import logging
from typing import Any

from freqtrade.exchange.exchange import Exchange

from bubbybot_freqtrade.blofin.account import database

logger = logging.getLogger(__name__)


class GoneMarkets:
    """Markets that BloFin doesn't list any more, kept for the trades and orders they have.

    freqtrade and ccxt know a contract's value, lot and tick from the list of markets alone: without
    them neither what is left of a position could be read nor what has closed it.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._known: dict[str, Any] = {}

    def keep(self) -> None:
        """Add those that were there before to markets that have just been loaded, as inactive."""
        api = self._exchange._api_async
        self._known |= api.markets
        gone = {pair: market for pair, market in self._known.items() if pair not in api.markets}
        if not gone:
            return
        for pair, market in gone.items():
            if market.get("active"):
                logger.warning(
                    f"{pair}: BloFin doesn't list this market any more. It is not traded. What "
                    "it had open is looked after as far as BloFin lets it be; look at it in the "
                    "app."
                )
            self._known[pair] = {**market, "active": False}
        api.set_markets([*api.markets.values(), *(self._known[pair] for pair in gone)])

    def add_of_open_trades(self) -> None:
        """Make up those that open trades were made on and that this process has never seen."""
        exchange = self._exchange
        if not database.is_open():
            # freqtrade makes the exchange first.
            return
        missing = [t for t in database.open_trades() if t.pair not in exchange.markets]
        for trade in missing:
            self._known[trade.pair] = self._of_trade(trade) | {"active": True}
        if missing:
            self.keep()
            exchange._markets = exchange._api_async.markets
            exchange._api.set_markets_from_exchange(exchange._api_async)

    def _of_trade(self, trade: Any) -> dict[str, Any]:
        """A market as its trade was booked with."""
        base, _, quote = trade.pair.partition(":")[0].partition("/")
        fees = {"taker": trade.fee_close, "maker": trade.fee_close}
        market = {
            "id": f"{base}-{quote}",
            "symbol": trade.pair,
            "base": base,
            "baseId": base,
            "quote": quote,
            "quoteId": quote,
            "settle": quote,
            "settleId": quote,
            "type": "swap",
            "swap": True,
            "spot": False,
            "contract": True,
            "linear": True,
            "inverse": False,
            **fees,
            "contractSize": trade.contract_size,
            "precision": {"amount": trade.amount_precision, "price": trade.price_precision},
            "info": {},
        }
        return dict(self._exchange._api_async.safe_market_structure(market))
