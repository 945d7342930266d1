"""ccxt's methods for candles, funding rates and leverage tiers."""

from typing import Any

import ccxt

from bubbybot_freqtrade.blofin.ccxt_blofin.calls import (
    NO_PARAMS,
    Row,
    Steps,
    latest_or_first,
    pages,
    rows_of,
    time_of,
)
from bubbybot_freqtrade.blofin.ccxt_blofin.description import CANDLES_PER_REQUEST, ROWS_PER_REQUEST

# Most instruments pay every 8 hours; a window of this step per row holds what was asked for there,
# and is read page by page where an instrument pays more often.
_FUNDING_STEP = 8 * 60 * 60 * 1000


class MarketCalls:
    """Public data of the venue."""

    def fetch_ohlcv(
        self: Any,
        symbol: str,
        timeframe: str = "1m",
        since: int | None = None,
        limit: int | None = None,
        params: Row = NO_PARAMS,
    ) -> Steps:
        """Candles, oldest first: time in ms, open, high, low, close, volume in base units.

        One request gives 1440, which is also the default. The last candle may be incomplete.

        :param since: time of the first candle, included
        :param params: ``price``: ``mark`` or ``index`` instead of traded prices; ``until``: time of
            the last candle, included; ``paginate``: as many requests as it takes to give `limit`
            candles, or all from `since` to ``until`` or now
        """
        if params.get("paginate"):
            return (yield from _candle_pages(self, symbol, timeframe, since, limit, params))
        endpoint, request, count = self.candles_request(symbol, timeframe, since, limit, params)
        answer = yield endpoint, request
        rows = self.safe_list(answer, "data", [])
        return self.parse_ohlcvs(rows, self.market(symbol), timeframe, since, count)

    def fetch_funding_rate_history(
        self: Any,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Row = NO_PARAMS,
    ) -> Steps:
        """Past funding rates of a market, oldest first.

        Without `since` the last `limit` (100) of them. With `since`, those of the next `limit`
        times 8 hours; that can be more than `limit` where funding is paid more often, and only with
        `limit` given it is cut to that many.

        :param params: ``until``: time of the last rate, included
        """
        if symbol is None:
            raise ccxt.ArgumentsRequired(f"{self.id}: funding rates are asked for one symbol.")
        market = self.market(symbol)
        ends = [] if params.get("until") is None else [int(params["until"]) + 1]
        request = {"instId": market["id"], "limit": ROWS_PER_REQUEST}
        if since is not None:
            request["before"] = max(since - 1, 0)
            ends.append(since + (limit or ROWS_PER_REQUEST) * _FUNDING_STEP)
        if ends:
            request["after"] = min(ends)
        request = self.extend(request, self.omit(params, ["until", "paginate"]))
        wanted = (limit or ROWS_PER_REQUEST) if since is None else None
        rows = yield from pages(
            self, "publicGetMarketFundingRateHistory", request, "fundingTime", wanted
        )
        rates = [
            {
                "info": row,
                "symbol": market["symbol"],
                "fundingRate": self.safe_number(row, "fundingRate"),
                "timestamp": self.safe_integer(row, "fundingTime"),
                "datetime": self.iso8601(self.safe_integer(row, "fundingTime")),
            }
            for row in rows
        ]
        return latest_or_first(sorted(rates, key=time_of), since, limit)

    def fetch_funding_rates(
        self: Any, symbols: list[str] | None = None, params: Row = NO_PARAMS
    ) -> Steps:
        """The current funding rate of every market, or of `symbols`, in one request."""
        answer = yield "publicGetMarketFundingRate", params
        rates = self.parse_funding_rates(self.safe_list(answer, "data", []))
        wanted = self.market_symbols(symbols)
        return rates if wanted is None else {s: rates[s] for s in wanted if s in rates}

    def fetch_market_leverage_tiers(self: Any, symbol: str, params: Row = NO_PARAMS) -> Steps:
        """Leverage tiers of one market, smallest first; two requests.

        :param params: ``marginMode``; ``price``: quote per base unit to convert the venue's sizes
            at, instead of the low of the day
        """
        price = params.get("price")
        if price is None:
            price = self.tier_price((yield "fetch_ticker", symbol))
        return (yield from _tiers(self, self.market(symbol), price, params))

    def fetch_leverage_tiers(
        self: Any, symbols: list[str] | None = None, params: Row = NO_PARAMS
    ) -> Steps:
        """Leverage tiers by market; one request each, as the venue has no list of them.

        :param symbols: all active linear markets when None: some 500 requests
        """
        wanted = self.market_symbols(symbols) or [
            symbol
            for symbol, market in self.markets.items()
            if market["swap"] and market["linear"] and market["active"]
        ]
        tickers = yield "fetch_tickers", wanted
        tiers = {}
        for symbol in wanted:
            if symbol in tickers:
                price = self.tier_price(tickers[symbol])
                tiers[symbol] = yield from _tiers(self, self.market(symbol), price, params)
        return tiers


def _candle_pages(
    exchange: Any, symbol: str, timeframe: str, since: int | None, limit: int | None, params: Row
) -> Steps:
    """Candles of any number of requests, from `since` on or the last `limit` of them."""
    step = exchange.parse_timeframe(timeframe) * 1000
    end = int(params.get("until") or exchange.milliseconds())
    if since is None:
        since = end - (limit or CANDLES_PER_REQUEST) * step + 1
    if limit is not None:
        end = min(end, since + limit * step - 1)
    params = {**params, "until": end, "paginate": False}
    candles: list[Any] = []
    for start in range(since, end + 1, CANDLES_PER_REQUEST * step):
        page = MarketCalls.fetch_ohlcv(exchange, symbol, timeframe, start, None, params)
        candles += yield from page
    return candles


def _tiers(exchange: Any, market: Row, price: float, params: Row) -> Steps:
    request = {"instId": market["id"], "marginMode": exchange.order_margin_mode(params)}
    rest = exchange.omit(params, ["marginMode", "price"])
    answer = yield "publicGetMarketPositionTiers", exchange.extend(request, rest)
    return exchange.parse_position_tiers(rows_of(answer), market, price)
