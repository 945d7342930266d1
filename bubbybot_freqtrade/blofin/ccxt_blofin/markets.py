"""Instruments, tickers, candles and position tiers: requests and parsing, no I/O."""

import logging
from decimal import Decimal
from typing import Any

import ccxt

from bubbybot_freqtrade.blofin.ccxt_blofin.description import CANDLES_PER_REQUEST
from bubbybot_freqtrade.blofin.ccxt_blofin.rows import is_tradable

logger = logging.getLogger(__name__)

CANDLE_ENDPOINTS: dict[str | None, str] = {
    None: "publicGetMarketCandles",
    "mark": "publicGetMarketMarkPriceCandles",
    "index": "publicGetMarketIndexCandles",
}
_ROW_WITH_VOLUME = 9  # mark and index rows end after the close with the candle's state


class Markets:
    """Public data; mixed into the ccxt classes."""

    def parse_market(self: Any, market: dict[str, Any]) -> dict[str, Any] | None:
        """ccxt's market, with the market-order size limit and the time of delisting.

        ``limits.amount`` are contracts of a limit order, ``limits.market`` of a market order.
        ``expiry`` is set only while ``expireTime`` lies ahead: the venue gives live perpetuals a
        time long past (so does the reference's example), which says nothing.

        None for an instrument whose sizes or prices are not known: orders can't be made for it.
        """
        if not is_tradable(market):
            # Left out until it can be read; its ids are the venue's.
            logger.debug("%s: instrument %s can't be traded.", self.id, market.get("instId"))
            return None
        parsed = super().parse_market(market)  # type: ignore[misc]
        if parsed is None:
            return None
        parsed["limits"]["market"] = {
            "min": self.safe_number(market, "minSize"),
            "max": self.safe_number(market, "maxMarketSize"),
        }
        expires = self.safe_integer(market, "expireTime")
        if expires is not None and expires > self.milliseconds():
            parsed["expiry"], parsed["expiryDatetime"] = expires, self.iso8601(expires)
        return parsed

    def parse_markets(self: Any, markets: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The markets that can be traded.

        :raises ccxt.BadResponse: when none can: the venue has hundreds, so the list is wrong
        """
        parsed: list[dict[str, Any]] = super().parse_markets(markets)  # type: ignore[misc]
        if not parsed:
            raise ccxt.BadResponse(
                f"{self.id}: none of {len(markets)} instruments can be traded, so the list of "
                "markets is not believed."
            )
        return parsed

    def parse_ticker(
        self: Any, ticker: dict[str, Any], market: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """ccxt's ticker with volumes in base and quote units instead of contracts.

        The venue gives no quote volume; it is the base volume at the last price.
        """
        parsed = super().parse_ticker(ticker, market)  # type: ignore[misc]
        base_volume = self.safe_number(ticker, "volCurrency24h")
        if base_volume is not None:
            last = parsed["last"]
            parsed["baseVolume"] = base_volume
            parsed["quoteVolume"] = None if last is None else base_volume * last
            parsed["vwap"] = None
        return parsed

    def parse_ohlcv(self: Any, ohlcv: Any, market: dict[str, Any] | None = None) -> list[Any]:
        """Time in ms, open, high, low, close and volume in base units (0 for mark and index)."""
        # float() and not safe_number: a page is up to 1440 rows, on every candle of every pair.
        volume = float(ohlcv[6]) if len(ohlcv) >= _ROW_WITH_VOLUME else 0.0
        return [int(ohlcv[0]), *map(float, ohlcv[1:5]), volume]

    def candles_request(
        self: Any,
        symbol: str,
        timeframe: str,
        since: int | None,
        limit: int | None,
        params: dict[str, Any],
    ) -> tuple[str, dict[str, Any], int]:
        """Endpoint, request and row count of one page of candles.

        ``before`` and ``after`` exclude the times they name, and the newest rows win when there
        are more than ``limit``; so a page that starts at `since` has to be closed at its end too.
        """
        price = params.get("price")
        if price not in CANDLE_ENDPOINTS:
            raise ccxt.NotSupported(f"{self.id} has no candles of the price '{price}'.")
        count = min(limit or CANDLES_PER_REQUEST, CANDLES_PER_REQUEST)
        request = {
            "instId": self.market(symbol)["id"],
            "bar": self.safe_string(self.timeframes, timeframe, timeframe),
            "limit": count,
        }
        ends = [] if params.get("until") is None else [int(params["until"]) + 1]
        if since is not None:
            request["before"] = max(since - 1, 0)
            ends.append(since + count * self.parse_timeframe(timeframe) * 1000)
        if ends:
            request["after"] = min(ends)
        rest = self.omit(params, ["price", "until", "paginate"])
        return CANDLE_ENDPOINTS[price], self.extend(request, rest), count

    def parse_position_tiers(
        self: Any, rows: list[dict[str, Any]], market: dict[str, Any], price: float
    ) -> list[dict[str, Any]]:
        """Leverage tiers of one market, smallest first, notionals in quote at `price`.

        ``minSize`` and ``maxSize`` are contracts: "Max. Amount (Cont)" in the venue's notice of
        2024-06-28, which a client that measured live tiers agrees with. They stay in ``info``.
        """
        unit = Decimal(str(market["contractSize"])) * Decimal(str(price))
        tiers: list[dict[str, Any]] = []
        for row in sorted(rows, key=lambda row: Decimal(row["maxSize"])):
            # Tiers are a lot apart ("150", "150.1"); what falls between belongs to the stricter.
            floor = tiers[-1]["maxNotional"] if tiers else 0.0
            tiers.append(
                {
                    "tier": len(tiers) + 1,
                    "symbol": market["symbol"],
                    "currency": market["quote"],
                    "minNotional": floor,
                    "maxNotional": float(Decimal(row["maxSize"]) * unit),
                    "maintenanceMarginRate": self.safe_number(row, "maintenanceMarginRate"),
                    "maxLeverage": self.safe_number(row, "maxLeverage"),
                    "info": row,
                }
            )
        return tiers

    def tier_price(self: Any, ticker: dict[str, Any]) -> float:
        """The price tiers are converted at: the day's low, as a lower price shrinks every tier."""
        price = ticker.get("low") or ticker.get("last")
        if not price:
            raise ccxt.BadResponse(
                f"{self.id} gives no price for {ticker.get('symbol')}, "
                "so its leverage tiers cannot be converted to notional."
            )
        return float(price)
