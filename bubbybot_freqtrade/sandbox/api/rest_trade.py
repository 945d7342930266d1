"""Private REST endpoints of trading: trade/*."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bubbybot_freqtrade.sandbox.api import paging
from bubbybot_freqtrade.sandbox.api.answers import (
    Answer,
    PrivateCall,
    PrivateEndpoint,
    order_answer,
)
from bubbybot_freqtrade.sandbox.api.auth import check_broker
from bubbybot_freqtrade.sandbox.venue import parameters
from bubbybot_freqtrade.sandbox.venue.amounts import padded, plain
from bubbybot_freqtrade.sandbox.venue.errors import UNKNOWN_PATH, VenueError
from bubbybot_freqtrade.sandbox.venue.orders import AlgoOrder, Order, TpslOrder
from bubbybot_freqtrade.sandbox.venue.trailing import ORDER_TYPE as TRAILING_STOP

BATCH_LIMIT = 20
# Refusals of a single order live inside data[]; broken requests are refused as a whole.
ORDER_LEVEL = ("102", "103", "542")


# Placing


def _order(call: PrivateCall) -> Answer:
    return order_answer([_place(call, call.fields)], call.engine.settings.order_failure)


def _batch_orders(call: PrivateCall) -> Answer:
    rows = _batch(call)
    pairs = {tuple(parameters.text(row, name) for name in ("instId", "marginMode")) for row in rows}
    if len(pairs) > 1:
        raise VenueError("152007")
    return order_answer([_place(call, row) for row in rows], call.engine.settings.order_failure)


def _batch(call: PrivateCall) -> list[Mapping[str, Any]]:
    if not isinstance(call.body, list):
        raise VenueError("152004")
    rows = call.rows()
    if len(rows) > BATCH_LIMIT:
        raise VenueError("152006")
    return rows


def _place(call: PrivateCall, body: Mapping[str, Any]) -> dict[str, Any]:
    try:
        check_broker(call.key, parameters.text(body, "brokerId"))
        order = call.engine.order_entry.place(call.account, body)
    except VenueError as error:
        if not error.code.startswith(ORDER_LEVEL):
            raise
        return {
            "orderId": None,
            "clientOrderId": parameters.text(body, "clientOrderId"),
            "msg": error.msg,
            "code": error.code,
        }
    return {
        "orderId": order.order_id,
        "clientOrderId": order.client_order_id,
        "msg": "success",
        "code": "0",
    }


def _order_tpsl(call: PrivateCall) -> Answer:
    check_broker(call.key, parameters.text(call.fields, "brokerId"))
    return _single(
        "tpslId",
        call.fields,
        lambda: call.engine.trigger_entry.place_tpsl(call.account, call.fields),
    )


def _order_algo(call: PrivateCall) -> Answer:
    check_broker(call.key, parameters.text(call.fields, "brokerId"))
    return _single(
        "algoId",
        call.fields,
        lambda: call.engine.trigger_entry.place_algo(call.account, call.fields),
    )


def _single(name: str, body: Mapping[str, Any], act: Any) -> Answer:
    """An answer whose data is one object with a code of its own."""
    return Answer(_outcome(name, body, act))


def _outcome(name: str, body: Mapping[str, Any], act: Any) -> dict[str, Any]:
    try:
        order = act()
    except VenueError as error:
        if not error.code.startswith((*ORDER_LEVEL, "500")):
            raise
        return {
            name: parameters.text(body, name) or None,
            "clientOrderId": parameters.text(body, "clientOrderId") or None,
            "code": error.code,
            "msg": error.msg,
        }
    ids = {"orderId": "order_id", "tpslId": "tpsl_id", "algoId": "algo_id"}
    return {
        name: getattr(order, ids[name]),
        "clientOrderId": order.client_order_id or None,
        "code": "0",
        "msg": None,
    }


# Canceling and amending


def _cancel_order(call: PrivateCall) -> Answer:
    return _single(
        "orderId", call.fields, lambda: call.engine.order_entry.cancel(call.account, call.fields)
    )


def _cancel_batch_orders(call: PrivateCall) -> Answer:
    outcomes = []
    for row in _batch(call):
        outcome = _outcome(
            "orderId", row, lambda row=row: call.engine.order_entry.cancel(call.account, row)
        )
        if outcome["code"] == "102068":
            # The reference's batch example words the same refusal with code 1000.
            outcome["code"] = "1000"
        outcomes.append(outcome)
    return Answer(outcomes)


def _cancel_tpsl(call: PrivateCall) -> Answer:
    return Answer(
        [
            _outcome(
                "tpslId",
                row,
                lambda row=row: call.engine.trigger_entry.cancel_tpsl(call.account, row),
            )
            for row in call.rows()
        ]
    )


def _cancel_algo(call: PrivateCall) -> Answer:
    return _single(
        "algoId",
        call.fields,
        lambda: call.engine.trigger_entry.cancel_algo(call.account, call.fields),
    )


def _amend_order(call: PrivateCall) -> Answer:
    order = call.engine.order_entry.amend(call.account, call.fields)
    return Answer({"orderId": order.order_id, "clientOrderId": order.client_order_id, **_amended()})


def _amend_batch_orders(call: PrivateCall) -> Answer:
    """Not in the reference; ccxt lists the path. Taken for a list of amend-order bodies."""
    rows = []
    for row in _batch(call):
        try:
            order = call.engine.order_entry.amend(call.account, row)
        except VenueError as error:
            rows.append({"orderId": row.get("orderId"), "code": error.code, "msg": error.msg})
        else:
            ids = {"orderId": order.order_id, "clientOrderId": order.client_order_id}
            rows.append({**ids, **_amended()})
    return order_answer(rows, call.engine.settings.order_failure)


def _amend_tpsl(call: PrivateCall) -> Answer:
    if not call.engine.settings.amend_tpsl:
        raise VenueError(UNKNOWN_PATH)
    order = call.engine.trigger_entry.amend_tpsl(call.account, call.fields)
    return Answer({"tpslId": order.tpsl_id, "clientOrderId": order.client_order_id, **_amended()})


def _amended() -> dict[str, str]:
    return {"code": "0", "msg": "Order modified"}


def _close_position(call: PrivateCall) -> Answer:
    check_broker(call.key, parameters.text(call.fields, "brokerId"))
    order = call.engine.order_entry.close_position(call.account, call.fields)
    return Answer(
        {
            "instId": order.inst_id,
            "positionSide": order.position_side,
            "clientOrderId": order.client_order_id,
        }
    )


# Looking up


def _orders_pending(call: PrivateCall) -> Answer:
    return _orders(call, call.engine.visibility.open_orders(call.account))


def _orders_history(call: PrivateCall) -> Answer:
    return _orders(call, call.engine.visibility.ended_orders(call.account))


def _orders(call: PrivateCall, orders: Iterable[Order]) -> Answer:
    """Rows that the query asks for; the venue looks at no orderId or clientOrderId here."""
    wanted = {name: parameters.text(call.fields, name) for name in ("instId", "orderType", "state")}
    begin = parameters.whole_number(call.fields, "begin")
    end = parameters.whole_number(call.fields, "end")
    rows = [
        order
        for order in sorted(orders, key=lambda order: int(order.order_id), reverse=True)
        if wanted["instId"] in ("", order.inst_id)
        and wanted["orderType"] in ("", order.order_type)
        and wanted["state"] in ("", order.state)
        and (begin is None or order.created_ms >= begin)
        and (end is None or order.created_ms <= end)
    ]
    return _page_of(rows, call, "orderId", "order_id")


def _page_of(
    orders: list[Any],
    call: PrivateCall,
    cursor: str,
    attribute: str,
    spell: Callable[[Any], dict[str, Any]] = lambda order: order.as_rest(),
) -> Answer:
    """Cut the page first and spell out only what is on it."""
    by_id = {getattr(order, attribute): order for order in orders}
    ids = paging.page([{cursor: order_id} for order_id in by_id], call.fields, cursor)
    return Answer([spell(by_id[row[cursor]]) for row in ids])


def _order_detail(call: PrivateCall) -> Answer:
    parameters.required(call.fields, "instId")
    order = call.engine.order_entry.find_order(call.account, call.fields)
    found = list(call.engine.visibility.orders([order] if order is not None else []))
    return Answer(found[0].as_rest() if found else _unknown(call))


def _unknown(call: PrivateCall) -> Any:
    """The data of a detail that nobody has."""
    return [] if call.engine.settings.unknown_detail == "empty" else None


def _tpsl_pending(call: PrivateCall) -> Answer:
    return _tpsl_orders(call, call.engine.visibility.open_tpsl(call.account))


def _tpsl_history(call: PrivateCall) -> Answer:
    return _tpsl_orders(call, call.engine.visibility.ended_tpsl(call.account))


def _tpsl_orders(call: PrivateCall, orders: Iterable[TpslOrder]) -> Answer:
    return _waiting_orders(call, orders, "tpslId", "tpsl_id", lambda order: _tpsl_row(call, order))


def _tpsl_row(call: PrivateCall, order: TpslOrder) -> dict[str, Any]:
    return order.as_rest(padded if call.engine.settings.tpsl_sizes == "padded" else plain)


def _waiting_orders(
    call: PrivateCall,
    orders: Iterable[Any],
    cursor: str,
    attribute: str,
    spell: Callable[[Any], dict[str, Any]] = lambda order: order.as_rest(),
) -> Answer:
    """TP/SL or trigger orders that the query asks for; `cursor` is their id's field."""
    names = ("instId", cursor, "clientOrderId", "state")
    wanted = {name: parameters.text(call.fields, name) for name in names}
    rows = [
        order
        for order in sorted(orders, key=lambda order: int(getattr(order, attribute)), reverse=True)
        if wanted["instId"] in ("", order.inst_id)
        and wanted[cursor] in ("", getattr(order, attribute))
        and wanted["clientOrderId"] in ("", order.client_order_id)
        and wanted["state"] in ("", order.state)
    ]
    return _page_of(rows, call, cursor, attribute, spell)


def _tpsl_detail(name: str) -> Callable[[PrivateCall], Answer]:
    """One TP/SL, at a path that the venue may not have."""

    def detail(call: PrivateCall) -> Answer:
        if call.engine.settings.tpsl_detail != name:
            raise VenueError(UNKNOWN_PATH)
        parameters.required(call.fields, "instId")
        order = call.engine.trigger_entry.find_tpsl(call.account, call.fields)
        found = list(call.engine.visibility.tpsl_orders([order] if order is not None else []))
        return Answer(_tpsl_row(call, found[0]) if found else _unknown(call))

    return detail


def _algo_pending(call: PrivateCall) -> Answer:
    orders = [call.account.algo_orders[algo_id] for algo_id in call.account.open_algo]
    return _algo_orders(call, orders)


def _algo_history(call: PrivateCall) -> Answer:
    orders = [o for o in call.account.algo_orders.values() if o.state != "live"]
    return _algo_orders(call, orders)


def _algo_orders(call: PrivateCall, orders: list[AlgoOrder]) -> Answer:
    known = ("trigger", TRAILING_STOP) if call.engine.settings.trailing_stop else ("trigger",)
    asked = parameters.choice(call.fields, "orderType", known)
    chosen = [order for order in orders if order.order_type == asked]
    return _waiting_orders(call, chosen, "algoId", "algo_id")


def _fills_history(call: PrivateCall) -> Answer:
    wanted = {name: parameters.text(call.fields, name) for name in ("instId", "orderId")}
    begin = parameters.whole_number(call.fields, "begin")
    end = parameters.whole_number(call.fields, "end")
    rows = [
        fill
        for fill in call.engine.visibility.fills(call.account)
        if wanted["instId"] in ("", fill.inst_id)
        and wanted["orderId"] in ("", fill.order_id)
        and (begin is None or fill.ts_ms >= begin)
        and (end is None or fill.ts_ms <= end)
    ]
    return _page_of(rows, call, "tradeId", "trade_id")


def _price_range(call: PrivateCall) -> Answer:
    inst_id = call.engine.venue.instrument(parameters.required(call.fields, "instId")).inst_id
    side = parameters.choice(call.fields, "side", ("buy", "sell"))
    lowest, highest = call.engine.venue.price_range(inst_id, side)
    return Answer({"maxPrice": padded(highest), "minPrice": padded(lowest)})


def _get(handle: Any) -> PrivateEndpoint:
    return PrivateEndpoint(handle, "READ", trading=True)


def _post(handle: Any) -> PrivateEndpoint:
    return PrivateEndpoint(handle, "TRADE", trading=True)


GET: dict[str, PrivateEndpoint] = {
    "/api/v1/trade/orders-pending": _get(_orders_pending),
    "/api/v1/trade/order-detail": _get(_order_detail),
    "/api/v1/trade/orders-history": _get(_orders_history),
    "/api/v1/trade/orders-tpsl-pending": _get(_tpsl_pending),
    **{
        f"/api/v1/trade/{name}": _get(_tpsl_detail(name))
        for name in ("order-tpsl-detail", "orders-tpsl-detail")
    },
    "/api/v1/trade/orders-tpsl-history": _get(_tpsl_history),
    "/api/v1/trade/orders-algo-pending": _get(_algo_pending),
    "/api/v1/trade/orders-algo-history": _get(_algo_history),
    "/api/v1/trade/fills-history": _get(_fills_history),
    "/api/v1/trade/order/price-range": _get(_price_range),
}
POST: dict[str, PrivateEndpoint] = {
    "/api/v1/trade/order": _post(_order),
    "/api/v1/trade/batch-orders": _post(_batch_orders),
    "/api/v1/trade/order-tpsl": _post(_order_tpsl),
    "/api/v1/trade/order-algo": _post(_order_algo),
    "/api/v1/trade/cancel-order": _post(_cancel_order),
    "/api/v1/trade/cancel-batch-orders": _post(_cancel_batch_orders),
    "/api/v1/trade/cancel-tpsl": _post(_cancel_tpsl),
    "/api/v1/trade/cancel-algo": _post(_cancel_algo),
    "/api/v1/trade/amend-order": _post(_amend_order),
    "/api/v1/trade/amend-batch-orders": _post(_amend_batch_orders),
    "/api/v1/trade/amend-tpsl": _post(_amend_tpsl),
    "/api/v1/trade/close-position": _post(_close_position),
}
