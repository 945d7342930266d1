"""ccxt's methods that place, move, cancel and look up orders."""

from typing import Any

import ccxt

from bubbybot_freqtrade.blofin.ccxt_blofin.calls import (
    NO_PARAMS,
    Row,
    Steps,
    between,
    first_row,
    given_fields,
    latest_or_first,
    pages,
    rows_of,
    time_of,
)
from bubbybot_freqtrade.blofin.ccxt_blofin.description import ORDERS_PER_BATCH, ROWS_PER_REQUEST
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

_NOT_FOUND = "404"
# What an unknown path is answered with, according to the reference and as seen.
_NO_SUCH_PATH = (_NOT_FOUND, "152404")
_ORDER_NAMES = ("algoId", "tpslId", "clientOrderId")


class OrderCalls:
    """Orders of all kinds; `order_kind` tells which flags in `params` mean which."""

    def create_order(
        self: Any,
        symbol: str,
        type: str,
        side: str,
        amount: float | None,
        price: float | None = None,
        params: Row = NO_PARAMS,
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
        row = first_row(answer)
        if not row:
            raise ccxt.BadResponse(
                f"{self.id} did not say what became of the order on {symbol}; "
                "look it up by its clientOrderId."
            )
        return _accepted(self, type, request, row)

    def create_orders(self: Any, orders: list[Row], params: Row = NO_PARAMS) -> Steps:
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
        params: Row = NO_PARAMS,
    ) -> Steps:
        """Move the stop and/or target of a pending TP/SL order in place.

        :param stop_loss: new trigger price, or ``{'triggerPrice', 'price'}``; None leaves it
        :param take_profit: the same for the target
        :param params: ``requestId``, ``newSize``, and ``clientOrderId`` when `id` is None
        :raises ccxt.OrderNotFound: when it was triggered or cancelled meanwhile
        """
        request = self.amend_tpsl_request(id, symbol, stop_loss, take_profit, params)
        answer = yield "privatePostTradeAmendTpsl", request
        row = {"tpslId": id, "instId": request["instId"], **given_fields(first_row(answer))}
        for leg in ("Sl", "Tp"):
            if f"new{leg}TriggerPrice" in request:
                row[f"{leg.lower()}TriggerPrice"] = request[f"new{leg}TriggerPrice"]
                row[f"{leg.lower()}OrderPrice"] = request[f"new{leg}OrderPrice"]
        return self.parse_order(row, self.market(symbol))

    def cancel_order(
        self: Any,
        id: str | None,
        symbol: str | None = None,
        params: Row = NO_PARAMS,
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
        row = {**request, **given_fields(first_row(answer))}
        return self.parse_order(row, None if symbol is None else self.market(symbol))

    def cancel_orders(
        self: Any, ids: list[str], symbol: str | None = None, params: Row = NO_PARAMS
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
                rows += rows_of((yield CANCEL[kind], request))
        else:
            endpoint = CANCEL[kind] if kind == "tpsl" else "privatePostTradeCancelBatchOrders"
            for start in range(0, len(requests), ORDERS_PER_BATCH):
                rows += rows_of((yield endpoint, requests[start : start + ORDERS_PER_BATCH]))
        return [self.parse_order({**instrument, **given_fields(row)}, market) for row in rows]

    def close_position(
        self: Any, symbol: str, side: str | None = None, params: Row = NO_PARAMS
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
        return self.parse_order({**request, **given_fields(first_row(answer))}, market)

    def fetch_order(
        self: Any,
        id: str | None,
        symbol: str | None = None,
        params: Row = NO_PARAMS,
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
        if kind == "algo":
            # The venue has no detail of trigger orders.
            row = yield from _listed_order(kind, {**request, "orderType": "trigger"})
        else:
            row = yield from _order_detail(self, kind, request)
        if not row:
            raise ccxt.OrderNotFound(f"{self.id} knows no {kind} order {request}.")
        return self.parse_order(row, market)

    def fetch_open_order(
        self: Any,
        id: str | None,
        symbol: str | None = None,
        params: Row = NO_PARAMS,
    ) -> Steps:
        """`fetch_order`, when the order is open."""
        order = yield from OrderCalls.fetch_order(self, id, symbol, params)
        if order["status"] != "open":
            raise ccxt.OrderNotFound(f"{self.id}: order {id} is {order['status']}, not open.")
        return order

    def fetch_closed_order(
        self: Any,
        id: str | None,
        symbol: str | None = None,
        params: Row = NO_PARAMS,
    ) -> Steps:
        """`fetch_order`, when the order is no longer open."""
        order = yield from OrderCalls.fetch_order(self, id, symbol, params)
        if order["status"] == "open":
            raise ccxt.OrderNotFound(f"{self.id}: order {id} is still open.")
        return order

    def fetch_open_orders(
        self: Any,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Row = NO_PARAMS,
    ) -> Steps:
        """All pending orders of one kind, of one market or of all; one request per 100 of them.

        :param params: ``tpsl`` (or ``stop``) for TP/SL orders, ``trigger`` for trigger orders
        """
        kind = order_kind(params)
        request = _order_list_request(self, kind, symbol, params)
        rows = yield from pages(self, PENDING[kind], request, ORDER_ID[kind])
        return _orders(self, rows, symbol, since, limit)

    def fetch_canceled_and_closed_orders(
        self: Any,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Row = NO_PARAMS,
    ) -> Steps:
        """Finished orders of one kind, filled or not.

        Without `since` the last 100 (or `limit`), with `since` all from then on.

        :param params: ``tpsl`` (or ``stop``), ``trigger``; ``until``
        """
        orders = yield from _finished(self, symbol, since, limit, params)
        return latest_or_first(orders, since, limit)

    def fetch_closed_orders(
        self: Any,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Row = NO_PARAMS,
    ) -> Steps:
        """Filled (TP/SL and trigger orders: triggered) orders; as above otherwise."""
        orders = yield from _finished(self, symbol, since, limit, params)
        return latest_or_first([o for o in orders if o["status"] == "closed"], since, limit)

    def fetch_canceled_orders(
        self: Any,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Row = NO_PARAMS,
    ) -> Steps:
        """Orders cancelled or refused, maybe after a part was filled; as above otherwise."""
        orders = yield from _finished(self, symbol, since, limit, params)
        canceled = [o for o in orders if o["status"] in ("canceled", "rejected")]
        return latest_or_first(canceled, since, limit)

    def fetch_orders(
        self: Any,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Row = NO_PARAMS,
    ) -> Steps:
        """Orders of one kind in every state: the pending ones and the finished ones."""
        pending = yield from OrderCalls.fetch_open_orders(self, symbol, since, None, params)
        finished = yield from _finished(self, symbol, since, limit, params)
        # An order that finishes between the two requests is in both: the later answer counts.
        by_id = {order["id"]: order for order in (*pending, *finished)}
        return latest_or_first(sorted(by_id.values(), key=time_of), since, limit)


def _order_detail(exchange: Any, kind: OrderKind, request: Row) -> Steps:
    if kind == "normal" or exchange.options.get("tpslDetail", True):
        endpoint = "privateGetTradeOrderDetail"
        if kind == "tpsl":
            endpoint = "privateGetTradeOrderTpslDetail"
        try:
            answer = yield endpoint, request
        except (ccxt.BadRequest, ccxt.PermissionDenied) as e:
            code = getattr(e, "code", None)
            if kind == "normal" and code == _NOT_FOUND:
                return {}
            if kind == "normal" or code not in _NO_SUCH_PATH:
                raise
            # 404 stands for an unknown order as well, and the lists know that too.
            exchange.options["tpslDetail"] = code == _NOT_FOUND
        else:
            if row := first_row(answer):
                return row
    return (yield from _listed_order(kind, request)) if kind == "tpsl" else {}


def _listed_order(kind: OrderKind, request: Row) -> Steps:
    """One order out of the pending and the ended ones, which can be asked for one id."""
    for endpoint in (PENDING[kind], HISTORY[kind]):
        for row in rows_of((yield endpoint, request)):
            if all(str(row.get(k)) == v for k, v in request.items() if k in _ORDER_NAMES):
                return row
    return {}


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
        between(request, since, params)
    wanted = (limit or ROWS_PER_REQUEST) if since is None else None
    rows = yield from pages(exchange, HISTORY[kind], request, ORDER_ID[kind], wanted, since)
    orders = _orders(exchange, rows, symbol, since, None)
    until = params.get("until")
    return [o for o in orders if until is None or time_of(o) <= until]


def _orders(
    exchange: Any, rows: list[Row], symbol: str | None, since: int | None, limit: int | None
) -> list[Row]:
    market = None if symbol is None else exchange.market(symbol)
    orders = sorted((exchange.parse_order(row, market) for row in rows), key=time_of)
    return latest_or_first(orders, since, limit)


def _accepted(exchange: Any, type: str, request: Row, row: Row) -> Row:
    """The order of a request, with the id the venue gave it or the reason it was refused.

    The answer to a new order holds no more than that.
    """
    attached = (request.get("attachAlgoOrders") or [{}])[0]
    placed = {**request, **attached, **given_fields(row)}
    if placed.get("orderType") == "trigger":
        placed["price"] = placed.get("orderPrice")
    if str(row.get("code") or "0") != "0":
        placed["state"] = "order_failed"
    order = exchange.parse_order(placed)
    order["type"] = "market" if type == "market" else "limit"
    order["info"] = row
    return dict(order)
