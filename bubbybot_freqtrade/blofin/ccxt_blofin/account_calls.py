"""ccxt's methods for fills, funding payments, positions and leverage of the account."""

from typing import Any

import ccxt

from bubbybot_freqtrade.blofin.ccxt_blofin.calls import (
    NO_PARAMS,
    Row,
    Steps,
    between,
    latest_or_first,
    pages,
    rows_of,
    time_of,
)
from bubbybot_freqtrade.blofin.ccxt_blofin.description import (
    LEVERAGES_PER_REQUEST,
    ROWS_PER_REQUEST,
)


class AccountCalls:
    """The account's data and settings."""

    def fetch_my_trades(
        self: Any,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Row = NO_PARAMS,
    ) -> Steps:
        """Fills, oldest first: the last 100 (or `limit`), or all since `since`.

        :param params: ``orderId``; ``until``
        :raises ccxt.NotSupported: for ``type: spot``: the markets here are perpetuals
        """
        if (params.get("type") or "swap") not in ("swap", "future"):
            raise ccxt.NotSupported(
                f"{self.id} has fills of perpetuals here, none of type '{params['type']}'."
            )
        request = {"limit": ROWS_PER_REQUEST}
        if symbol is not None:
            request["instId"] = self.market(symbol)["id"]
        between(request, since, params)
        request = self.extend(request, self.omit(params, ["until", "paginate", "type"]))
        wanted = (limit or ROWS_PER_REQUEST) if since is None else None
        rows = yield from pages(self, "privateGetTradeFillsHistory", request, "tradeId", wanted)
        trades = sorted((self.parse_trade(row) for row in rows), key=time_of)
        return latest_or_first(trades, since, limit)

    def fetch_order_trades(
        self: Any,
        id: str,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Row = NO_PARAMS,
    ) -> Steps:
        """Fills of one order, oldest first."""
        given = self.extend({"orderId": str(id)}, params)
        return (yield from AccountCalls.fetch_my_trades(self, symbol, since, limit, given))

    def fetch_funding_history(
        self: Any,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Row = NO_PARAMS,
    ) -> Steps:
        """Funding paid and received, oldest first; ``amount`` is positive when received.

        The endpoint is in ccxt's list and in public clients, not in the reference; those clients
        find the last seven days there.

        :param params: ``until``
        """
        request = {"limit": ROWS_PER_REQUEST}
        market = None
        if symbol is not None:
            market = self.market(symbol)
            request["instId"] = market["id"]
        between(request, since, params)
        request = self.extend(request, self.omit(params, ["until", "paginate"]))
        wanted = (limit or ROWS_PER_REQUEST) if since is None else None
        rows = yield from pages(self, "privateGetAccountFundingFees", request, "billId", wanted)
        payments = sorted((self.parse_income(row, market) for row in rows), key=time_of)
        return latest_or_first(payments, since, limit)

    def fetch_positions(
        self: Any, symbols: list[str] | None = None, params: Row = NO_PARAMS
    ) -> Steps:
        """Open positions, of all markets in one request."""
        wanted = self.market_symbols(symbols)
        request = {"instId": self.market(wanted[0])["id"]} if wanted and len(wanted) == 1 else {}
        answer = yield "privateGetAccountPositions", self.extend(request, params)
        positions = [self.parse_position(row) for row in self.safe_list(answer, "data", [])]
        return [p for p in positions if wanted is None or p["symbol"] in wanted]

    def fetch_positions_history(
        self: Any,
        symbols: list[str] | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Row = NO_PARAMS,
    ) -> Steps:
        """Closed positions, oldest first: the last 100 (or `limit`), or all since `since`.

        :param params: ``until``; ``state``: one of the venue's, such as ``liquidated``
        """
        wanted = self.market_symbols(symbols)
        request = {"limit": ROWS_PER_REQUEST}
        if wanted and len(wanted) == 1:
            request["instId"] = self.market(wanted[0])["id"]
        between(request, since, params)
        request = self.extend(request, self.omit(params, ["until"]))
        count = (limit or ROWS_PER_REQUEST) if since is None else None
        rows = yield from pages(
            self, "privateGetAccountPositionsHistory", request, "historyId", count
        )
        positions = [self.parse_position(row) for row in rows]
        positions = [p for p in positions if wanted is None or p["symbol"] in wanted]
        return latest_or_first(sorted(positions, key=time_of), since, limit)

    def fetch_leverage(self: Any, symbol: str, params: Row = NO_PARAMS) -> Steps:
        """Leverage set for a market, by ``params['marginMode']``."""
        leverages = yield from AccountCalls.fetch_leverages(self, [symbol], params)
        return leverages.get(self.market(symbol)["symbol"])

    def fetch_leverages(
        self: Any, symbols: list[str] | None = None, params: Row = NO_PARAMS
    ) -> Steps:
        """Leverage set for `symbols`, by ``params['marginMode']``; one request per 20."""
        wanted = self.market_symbols(symbols)
        if not wanted:
            raise ccxt.ArgumentsRequired(f"{self.id}: leverages are asked for a list of symbols.")
        rows: list[Row] = []
        for start in range(0, len(wanted), LEVERAGES_PER_REQUEST):
            some = wanted[start : start + LEVERAGES_PER_REQUEST]
            request = {
                "instId": ",".join(self.market(symbol)["id"] for symbol in some),
                "marginMode": self.order_margin_mode(params),
            }
            answer = yield (
                "privateGetAccountBatchLeverageInfo",
                self.extend(request, self.omit(params, "marginMode")),
            )
            rows += rows_of(answer)
        by_id = self.group_by(rows, "instId")
        return {
            symbol: self.parse_leverages_of(by_id.get(self.market(symbol)["id"], []), symbol)
            for symbol in wanted
        }

    def set_leverage(
        self: Any, leverage: float, symbol: str | None = None, params: Row = NO_PARAMS
    ) -> Steps:
        """Set the leverage of a market.

        :param params: ``marginMode``; ``positionSide`` (long or short), needed when isolated in
            hedge mode
        """
        if symbol is None:
            raise ccxt.ArgumentsRequired(f"{self.id}: leverage is set for one symbol.")
        return (
            yield (
                "privatePostAccountSetLeverage",
                self.leverage_request(leverage, symbol, params),
            )
        )
