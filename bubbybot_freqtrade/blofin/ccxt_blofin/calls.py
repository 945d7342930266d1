"""The methods that talk to the venue, written once for sync and async.

Each is a generator: it yields the name of a ccxt method with its arguments, is given the answer
and at its end returns the result. `blocking` and `awaiting` turn such a generator into the method
of a sync or an async class; that is the only difference between the two.
"""

import functools
import inspect
from collections.abc import Callable, Generator
from typing import Any

import ccxt

from bubbybot_freqtrade.blofin.ccxt_blofin.description import (
    CANDLES_PER_REQUEST,
    LEVERAGES_PER_REQUEST,
    ORDERS_PER_BATCH,
    ROWS_PER_REQUEST,
)
from bubbybot_freqtrade.blofin.ccxt_blofin.orders import (
    CANCEL,
    CREATE,
    HISTORY,
    ORDER_ID,
    PENDING,
    OrderKind,
    order_kind,
    without_flags,
)

Steps = Generator[tuple[Any, ...], Any, Any]
Row = dict[str, Any]

_NO_PARAMS: dict[str, Any] = {}
# Most instruments pay every 8 hours; a window of this step per row holds what was asked for there,
# and is read page by page where an instrument pays more often.
_FUNDING_STEP = 8 * 60 * 60 * 1000
_NOT_FOUND = "404"


def blocking(call: Callable[..., Steps]) -> Callable[..., Any]:
    """The method of a sync class that carries out `call`."""

    @functools.wraps(call)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.markets is None:
            self.load_markets()
        steps = call(self, *args, **kwargs)
        try:
            name, *arguments = next(steps)
            while True:
                try:
                    answer = getattr(self, name)(*arguments)
                except ccxt.BaseError as e:
                    name, *arguments = steps.throw(e)
                else:
                    name, *arguments = steps.send(answer)
        except StopIteration as end:
            return end.value

    return method


def awaiting(call: Callable[..., Steps]) -> Callable[..., Any]:
    """The method of an async class that carries out `call`."""

    @functools.wraps(call)
    async def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.markets is None:
            await self.load_markets()
        steps = call(self, *args, **kwargs)
        try:
            name, *arguments = next(steps)
            while True:
                try:
                    answer = await getattr(self, name)(*arguments)
                except ccxt.BaseError as e:
                    name, *arguments = steps.throw(e)
                else:
                    name, *arguments = steps.send(answer)
        except StopIteration as end:
            return end.value

    return method


def with_calls(how: Callable[[Callable[..., Steps]], Any]) -> Callable[[type], type]:
    """A class decorator that adds every public call of `CallsToBlofin`, bound by `how`."""

    def decorate(cls: type) -> type:
        for name, call in vars(CallsToBlofin).items():
            if not name.startswith("_") and inspect.isgeneratorfunction(call):
                setattr(cls, name, how(call))
        return cls

    return decorate


class CallsToBlofin:
    """ccxt's unified methods for BloFin."""

    # ---- candles, funding rates, tiers ---------------------------------------------------------

    def fetch_ohlcv(
        self: Any,
        symbol: str,
        timeframe: str = "1m",
        since: int | None = None,
        limit: int | None = None,
        params: Row = _NO_PARAMS,
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
        params: Row = _NO_PARAMS,
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
        rows = yield from _pages(
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
        return _latest_or_first(sorted(rates, key=_time_of), since, limit)

    def fetch_funding_rates(
        self: Any, symbols: list[str] | None = None, params: Row = _NO_PARAMS
    ) -> Steps:
        """The current funding rate of every market, or of `symbols`, in one request."""
        answer = yield "publicGetMarketFundingRate", params
        rates = self.parse_funding_rates(self.safe_list(answer, "data", []))
        wanted = self.market_symbols(symbols)
        return rates if wanted is None else {s: rates[s] for s in wanted if s in rates}

    def fetch_market_leverage_tiers(self: Any, symbol: str, params: Row = _NO_PARAMS) -> Steps:
        """Leverage tiers of one market, smallest first; two requests.

        :param params: ``marginMode``; ``price``: quote per base unit to convert the venue's sizes
            at, instead of the low of the day
        """
        price = params.get("price")
        if price is None:
            price = self.tier_price((yield "fetch_ticker", symbol))
        return (yield from _tiers(self, self.market(symbol), price, params))

    def fetch_leverage_tiers(
        self: Any, symbols: list[str] | None = None, params: Row = _NO_PARAMS
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

    # ---- placing, moving and cancelling orders -------------------------------------------------

    def create_order(
        self: Any,
        symbol: str,
        type: str,
        side: str,
        amount: float | None,
        price: float | None = None,
        params: Row = _NO_PARAMS,
    ) -> Steps:
        """Place an order; `amount` in contracts.

        :param params: for every kind: ``clientOrderId``, ``marginMode``, ``reduceOnly``,
            ``hedged`` or ``positionSide``, and anything the venue knows.

            - normal: ``timeInForce`` GTC, PO, IOC, FOK, or ``postOnly``;
              ``stopLoss`` and ``takeProfit``: ``{'triggerPrice', 'price'}``, sent in the same
              request, at market without ``price``.
            - TP/SL: ``stopLossPrice`` and/or ``takeProfitPrice``; `amount` None or -1 covers the
              whole position. A limit order with `price`, or with ``stopLossLimitPrice`` and
              ``takeProfitLimitPrice``.
            - trigger: ``triggerPrice``, and ``stopLoss``, ``takeProfit`` as above.
        :raises ccxt.InvalidOrder: before anything is sent, when the venue has no such order
        """
        kind, request = self.new_order_request(symbol, type, side, amount, price, params)
        answer = yield CREATE[kind], request
        row = _first_row(answer)
        if not row:
            raise ccxt.BadResponse(
                f"{self.id} did not say what became of the order on {symbol}; "
                "look it up by its clientOrderId."
            )
        return _accepted(self, type, request, row)

    def create_orders(self: Any, orders: list[Row], params: Row = _NO_PARAMS) -> Steps:
        """Place up to 20 normal orders of one market and margin mode in one request.

        The result has one order for each, in the same sequence; those refused have the status
        ``rejected`` and the venue's ``code`` and ``msg`` in ``info``.
        """
        if len(orders) > ORDERS_PER_BATCH:
            raise ccxt.InvalidOrder(f"{self.id} takes up to {ORDERS_PER_BATCH} orders at once.")
        requests = []
        for order in orders:
            given = self.extend(order.get("params", {}), params)
            kind, request = self.new_order_request(
                order["symbol"],
                order["type"],
                order["side"],
                order["amount"],
                order.get("price"),
                given,
            )
            if kind != "normal":
                raise ccxt.InvalidOrder(f"{self.id} takes no TP/SL or trigger orders in a batch.")
            requests.append(request)
        answer = yield "privatePostTradeBatchOrders", requests
        rows = self.safe_list(answer, "data", [])
        return [
            _accepted(self, order["type"], request, row)
            for order, request, row in zip(orders, requests, rows, strict=True)
        ]

    def edit_tpsl_order(
        self: Any,
        id: str | None,
        symbol: str,
        stop_loss: float | Row | None = None,
        take_profit: float | Row | None = None,
        params: Row = _NO_PARAMS,
    ) -> Steps:
        """Move the stop and/or target of a pending TP/SL order in place.

        :param stop_loss: new trigger price, or ``{'triggerPrice', 'price'}``; None leaves it
        :param take_profit: the same for the target
        :param params: ``requestId``, ``newSize``, and ``clientOrderId`` when `id` is None
        :raises ccxt.OrderNotFound: when it was triggered or cancelled meanwhile
        """
        request = self.amend_tpsl_request(id, symbol, stop_loss, take_profit, params)
        answer = yield "privatePostTradeAmendTpsl", request
        row = {"tpslId": id, "instId": request["instId"], **_given(_first_row(answer))}
        for leg in ("Sl", "Tp"):
            if f"new{leg}TriggerPrice" in request:
                row[f"{leg.lower()}TriggerPrice"] = request[f"new{leg}TriggerPrice"]
                row[f"{leg.lower()}OrderPrice"] = request[f"new{leg}OrderPrice"]
        return self.parse_order(row, self.market(symbol))

    def cancel_order(
        self: Any,
        id: str | None,
        symbol: str | None = None,
        params: Row = _NO_PARAMS,
    ) -> Steps:
        """Cancel an order by its id or, when `id` is None, by ``params['clientOrderId']``.

        :param params: ``tpsl`` (or ``stop``) for a TP/SL order, ``trigger`` for a trigger order
        :raises ccxt.OrderNotFound: when it is filled, triggered, cancelled or unknown
        """
        kind = order_kind(params)
        request = self.order_reference(kind, id, params)
        if symbol is not None:
            request["instId"] = self.market(symbol)["id"]
        request = self.extend(request, self.omit(without_flags(params), ["clientOrderId"]))
        answer = yield CANCEL[kind], [request] if kind == "tpsl" else request
        row = {**request, **_given(_first_row(answer))}
        return self.parse_order(row, None if symbol is None else self.market(symbol))

    def cancel_orders(
        self: Any, ids: list[str], symbol: str | None = None, params: Row = _NO_PARAMS
    ) -> Steps:
        """Cancel several orders, 20 a request; trigger orders take one request each.

        Those that could not be cancelled carry the venue's ``code`` and ``msg`` in ``info``; an
        error is raised when none could.
        """
        kind = order_kind(params)
        market = None if symbol is None else self.market(symbol)
        instrument = {} if market is None else {"instId": market["id"]}
        requests = [{**self.order_reference(kind, id_, params), **instrument} for id_ in ids]
        rows: list[Row] = []
        if kind == "algo":
            for request in requests:
                rows += _rows_of((yield CANCEL[kind], request))
        else:
            endpoint = CANCEL[kind] if kind == "tpsl" else "privatePostTradeCancelBatchOrders"
            for start in range(0, len(requests), ORDERS_PER_BATCH):
                rows += _rows_of((yield endpoint, requests[start : start + ORDERS_PER_BATCH]))
        return [self.parse_order({**instrument, **_given(row)}, market) for row in rows]

    def close_position(
        self: Any, symbol: str, side: str | None = None, params: Row = _NO_PARAMS
    ) -> Steps:
        """Close a position at market, whatever its size.

        :param side: in hedge mode the side of the position, ``long`` or ``short``
        :param params: ``marginMode``, ``clientOrderId``
        """
        market = self.market(symbol)
        request = {
            "instId": market["id"],
            "marginMode": self.order_margin_mode(params),
            "positionSide": self.position_side_of(side, params),
        }
        if broker := self.safe_string(self.options, "brokerId"):
            request["brokerId"] = broker
        rest = self.omit(params, ["marginMode", "positionSide", "hedged"])
        answer = yield "privatePostTradeClosePosition", self.extend(request, rest)
        return self.parse_order({**request, **_given(_first_row(answer))}, market)

    # ---- looking orders up ---------------------------------------------------------------------

    def fetch_order(
        self: Any,
        id: str | None,
        symbol: str | None = None,
        params: Row = _NO_PARAMS,
    ) -> Steps:
        """One order in any state, by its id or, when `id` is None, by ``params['clientOrderId']``.

        :param params: ``tpsl`` (or ``stop``) for a TP/SL order, ``trigger`` for a trigger order
        :raises ccxt.OrderNotFound: when the venue does not know it
        """
        if symbol is None:
            raise ccxt.ArgumentsRequired(f"{self.id}: an order is looked up with its symbol.")
        kind = order_kind(params)
        market = self.market(symbol)
        request = {"instId": market["id"], **self.order_reference(kind, id, params)}
        request = self.extend(request, self.omit(without_flags(params), ["clientOrderId"]))
        row = yield from (
            _trigger_order(request) if kind == "algo" else _order_detail(kind, request)
        )
        if not row:
            raise ccxt.OrderNotFound(f"{self.id} knows no {kind} order {request}.")
        return self.parse_order(row, market)

    def fetch_open_order(
        self: Any,
        id: str | None,
        symbol: str | None = None,
        params: Row = _NO_PARAMS,
    ) -> Steps:
        """`fetch_order`, when the order is open."""
        order = yield from CallsToBlofin.fetch_order(self, id, symbol, params)
        if order["status"] != "open":
            raise ccxt.OrderNotFound(f"{self.id}: order {id} is {order['status']}, not open.")
        return order

    def fetch_closed_order(
        self: Any,
        id: str | None,
        symbol: str | None = None,
        params: Row = _NO_PARAMS,
    ) -> Steps:
        """`fetch_order`, when the order is no longer open."""
        order = yield from CallsToBlofin.fetch_order(self, id, symbol, params)
        if order["status"] == "open":
            raise ccxt.OrderNotFound(f"{self.id}: order {id} is still open.")
        return order

    def fetch_open_orders(
        self: Any,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Row = _NO_PARAMS,
    ) -> Steps:
        """All pending orders of one kind, of one market or of all; one request per 100 of them.

        :param params: ``tpsl`` (or ``stop``) for TP/SL orders, ``trigger`` for trigger orders
        """
        kind = order_kind(params)
        request = _order_list_request(self, kind, symbol, params)
        rows = yield from _pages(self, PENDING[kind], request, ORDER_ID[kind])
        return _orders(self, rows, symbol, since, limit)

    def fetch_canceled_and_closed_orders(
        self: Any,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Row = _NO_PARAMS,
    ) -> Steps:
        """Finished orders of one kind, filled or not.

        Without `since` the last 100 (or `limit`), with `since` all from then on.

        :param params: ``tpsl`` (or ``stop``), ``trigger``; ``until``
        """
        orders = yield from _finished(self, symbol, since, limit, params)
        return _latest_or_first(orders, since, limit)

    def fetch_closed_orders(
        self: Any,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Row = _NO_PARAMS,
    ) -> Steps:
        """Filled (TP/SL and trigger orders: triggered) orders; as above otherwise."""
        orders = yield from _finished(self, symbol, since, limit, params)
        return _latest_or_first([o for o in orders if o["status"] == "closed"], since, limit)

    def fetch_canceled_orders(
        self: Any,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Row = _NO_PARAMS,
    ) -> Steps:
        """Orders cancelled or refused, maybe after a part was filled; as above otherwise."""
        orders = yield from _finished(self, symbol, since, limit, params)
        canceled = [o for o in orders if o["status"] in ("canceled", "rejected")]
        return _latest_or_first(canceled, since, limit)

    def fetch_orders(
        self: Any,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Row = _NO_PARAMS,
    ) -> Steps:
        """Orders of one kind in every state: the pending ones and the finished ones."""
        pending = yield from CallsToBlofin.fetch_open_orders(self, symbol, since, None, params)
        finished = yield from _finished(self, symbol, since, limit, params)
        # An order that finishes between the two requests is in both: the later answer counts.
        by_id = {order["id"]: order for order in (*pending, *finished)}
        return _latest_or_first(sorted(by_id.values(), key=_time_of), since, limit)

    # ---- fills, positions, leverage ------------------------------------------------------------

    def fetch_my_trades(
        self: Any,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Row = _NO_PARAMS,
    ) -> Steps:
        """Fills, oldest first: the last 100 (or `limit`), or all since `since`.

        :param params: ``orderId``; ``until``
        """
        request = {"limit": ROWS_PER_REQUEST}
        if symbol is not None:
            request["instId"] = self.market(symbol)["id"]
        _between(request, since, params)
        request = self.extend(request, self.omit(params, ["until", "paginate", "type"]))
        wanted = (limit or ROWS_PER_REQUEST) if since is None else None
        rows = yield from _pages(self, "privateGetTradeFillsHistory", request, "tradeId", wanted)
        trades = sorted((self.parse_trade(row) for row in rows), key=_time_of)
        return _latest_or_first(trades, since, limit)

    def fetch_order_trades(
        self: Any,
        id: str,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Row = _NO_PARAMS,
    ) -> Steps:
        """Fills of one order, oldest first."""
        given = self.extend({"orderId": str(id)}, params)
        return (yield from CallsToBlofin.fetch_my_trades(self, symbol, since, limit, given))

    def fetch_funding_history(
        self: Any,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Row = _NO_PARAMS,
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
        _between(request, since, params)
        request = self.extend(request, self.omit(params, ["until", "paginate"]))
        wanted = (limit or ROWS_PER_REQUEST) if since is None else None
        rows = yield from _pages(self, "privateGetAccountFundingFees", request, "billId", wanted)
        payments = sorted((self.parse_income(row, market) for row in rows), key=_time_of)
        return _latest_or_first(payments, since, limit)

    def fetch_positions(
        self: Any, symbols: list[str] | None = None, params: Row = _NO_PARAMS
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
        params: Row = _NO_PARAMS,
    ) -> Steps:
        """Closed positions, oldest first: the last 100 (or `limit`), or all since `since`.

        :param params: ``until``; ``state``: one of the venue's, such as ``liquidated``
        """
        wanted = self.market_symbols(symbols)
        request = {"limit": ROWS_PER_REQUEST}
        if wanted and len(wanted) == 1:
            request["instId"] = self.market(wanted[0])["id"]
        _between(request, since, params)
        request = self.extend(request, self.omit(params, ["until"]))
        count = (limit or ROWS_PER_REQUEST) if since is None else None
        rows = yield from _pages(
            self, "privateGetAccountPositionsHistory", request, "historyId", count
        )
        positions = [self.parse_position(row) for row in rows]
        positions = [p for p in positions if wanted is None or p["symbol"] in wanted]
        return _latest_or_first(sorted(positions, key=_time_of), since, limit)

    def fetch_leverage(self: Any, symbol: str, params: Row = _NO_PARAMS) -> Steps:
        """Leverage set for a market, by ``params['marginMode']``."""
        leverages = yield from CallsToBlofin.fetch_leverages(self, [symbol], params)
        return leverages.get(self.market(symbol)["symbol"])

    def fetch_leverages(
        self: Any, symbols: list[str] | None = None, params: Row = _NO_PARAMS
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
            rows += _rows_of(answer)
        by_id = self.group_by(rows, "instId")
        return {
            symbol: self.parse_leverages_of(by_id.get(self.market(symbol)["id"], []), symbol)
            for symbol in wanted
        }

    def set_leverage(
        self: Any, leverage: float, symbol: str | None = None, params: Row = _NO_PARAMS
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
        page = CallsToBlofin.fetch_ohlcv(exchange, symbol, timeframe, start, None, params)
        candles += yield from page
    return candles


def _tiers(exchange: Any, market: Row, price: float, params: Row) -> Steps:
    request = {"instId": market["id"], "marginMode": exchange.order_margin_mode(params)}
    rest = exchange.omit(params, ["marginMode", "price"])
    answer = yield "publicGetMarketPositionTiers", exchange.extend(request, rest)
    return exchange.parse_position_tiers(_rows_of(answer), market, price)


def _order_detail(kind: OrderKind, request: Row) -> Steps:
    endpoint = "privateGetTradeOrderTpslDetail" if kind == "tpsl" else "privateGetTradeOrderDetail"
    try:
        answer = yield endpoint, request
    except ccxt.BadRequest as e:
        if getattr(e, "code", None) != _NOT_FOUND:
            raise
        return {}
    return _first_row(answer)


def _trigger_order(request: Row) -> Steps:
    """The venue has no detail of trigger orders; its two lists can be asked for one id."""
    request = {**request, "orderType": "trigger"}
    for endpoint in (PENDING["algo"], HISTORY["algo"]):
        for row in _rows_of((yield endpoint, request)):
            if all(str(row.get(k)) == v for k, v in request.items() if k in _ORDER_NAMES):
                return row
    return {}


_ORDER_NAMES = ("algoId", "clientOrderId")


def _order_list_request(exchange: Any, kind: OrderKind, symbol: str | None, params: Row) -> Row:
    request: Row = {"limit": ROWS_PER_REQUEST}
    if symbol is not None:
        request["instId"] = exchange.market(symbol)["id"]
    if kind == "algo":
        request["orderType"] = "trigger"
    rest = exchange.omit(without_flags(params), ["until", "paginate"])
    return dict(exchange.extend(request, rest))


def _finished(
    exchange: Any, symbol: str | None, since: int | None, limit: int | None, params: Row
) -> Steps:
    kind = order_kind(params)
    request = _order_list_request(exchange, kind, symbol, params)
    if kind == "normal":  # the other lists know no times
        _between(request, since, params)
    wanted = (limit or ROWS_PER_REQUEST) if since is None else None
    rows = yield from _pages(exchange, HISTORY[kind], request, ORDER_ID[kind], wanted, since)
    orders = _orders(exchange, rows, symbol, since, None)
    until = params.get("until")
    return [o for o in orders if until is None or _time_of(o) <= until]


def _orders(
    exchange: Any, rows: list[Row], symbol: str | None, since: int | None, limit: int | None
) -> list[Row]:
    market = None if symbol is None else exchange.market(symbol)
    orders = sorted((exchange.parse_order(row, market) for row in rows), key=_time_of)
    return _latest_or_first(orders, since, limit)


def _pages(
    exchange: Any,
    endpoint: str,
    request: Row,
    cursor: str,
    wanted: int | None = None,
    since: int | None = None,
) -> Steps:
    """Rows of a list that comes newest first, page after page.

    It ends with the list, with `wanted` rows, or with a row created before `since`.
    """
    rows: list[Row] = []
    while True:
        page = _rows_of((yield endpoint, request))
        rows += page
        if len(page) < request["limit"] or (wanted is not None and len(rows) >= wanted):
            return rows
        last = page[-1]
        created = exchange.safe_integer(last, "createTime")
        passed = since is not None and created is not None and created < since
        # A venue that would not move on with its cursor must not be asked forever.
        if passed or str(last.get(cursor)) == str(request.get("after")):
            return rows
        request = {**request, "after": last.get(cursor)}


def _between(request: Row, since: int | None, params: Row) -> None:
    if since is not None:
        request["begin"] = since
    if params.get("until") is not None:
        request["end"] = int(params["until"])


def _rows_of(answer: Any) -> list[Row]:
    """``data`` as a list, whether the venue sent one or a single object."""
    data = answer.get("data") if isinstance(answer, dict) else None
    if isinstance(data, dict):
        return [data]
    return data if isinstance(data, list) else []


def _first_row(answer: Any) -> Row:
    rows = _rows_of(answer)
    return rows[0] if rows else {}


def _given(row: Row) -> Row:
    """`row` without its empty fields, so that it does not hide what the request says."""
    return {k: v for k, v in row.items() if v not in (None, "")}


def _accepted(exchange: Any, type: str, request: Row, row: Row) -> Row:
    """The order of a request, with the id the venue gave it or the reason it was refused.

    The answer to a new order holds no more than that.
    """
    attached = (request.get("attachAlgoOrders") or [{}])[0]
    placed = {**request, **attached, **_given(row)}
    if placed.get("orderType") == "trigger":
        placed["price"] = placed.get("orderPrice")
    if str(row.get("code") or "0") != "0":
        placed["state"] = "order_failed"
    order = exchange.parse_order(placed)
    order["type"] = "market" if type == "market" else "limit"
    order["info"] = row
    return dict(order)


def _time_of(entry: Row) -> int:
    return entry.get("timestamp") or 0


def _latest_or_first(entries: list[Row], since: int | None, limit: int | None) -> list[Row]:
    """From `since` on the first `limit`, without `since` the last, of a list in order of time.

    Entries without a time are kept: the venue's TP/SL history leaves it out.
    """
    if since is not None:
        entries = [e for e in entries if not _time_of(e) or _time_of(e) >= since]
        return entries if limit is None else entries[:limit]
    return entries if limit is None else entries[-limit:]
