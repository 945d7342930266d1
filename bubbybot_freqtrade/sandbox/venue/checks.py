"""Checks that an order has to pass before it exists, and the reading of its brackets.

Each raises VenueError for a refusal.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from bubbybot_freqtrade.sandbox.market.instruments import Instrument
from bubbybot_freqtrade.sandbox.venue import parameters
from bubbybot_freqtrade.sandbox.venue.accounts import Account
from bubbybot_freqtrade.sandbox.venue.amounts import plain
from bubbybot_freqtrade.sandbox.venue.core import Venue
from bubbybot_freqtrade.sandbox.venue.errors import VenueError
from bubbybot_freqtrade.sandbox.venue.orders import (
    ENTIRE_POSITION,
    MARKET_PRICE,
    OPPOSITE,
    Order,
    Tpsl,
)
from bubbybot_freqtrade.sandbox.venue.parameters import Fields

MARGIN_MODES = ("cross", "isolated")
SIDES = ("buy", "sell")
PRICE_TYPES = ("last", "index", "mark")
OFF_GRID = "102016"

PriceOf = Callable[[str], Decimal]
"""The price of a type: last, index or mark."""


def tradable(venue: Venue, body: Fields) -> Instrument:
    """The instrument that `instId` names, as long as it can be traded."""
    instrument = venue.instrument(parameters.required(body, "instId"))
    offline = 0 < instrument.expire_time <= venue.now_ms
    if instrument.state != "live" or offline:
        raise VenueError("152002", "instId")
    return instrument


def position_side(account: Account, body: Fields) -> str:
    """`net` in one-way mode, else `long` or `short`; what does not fit the mode is 102089."""
    side = parameters.choice(body, "positionSide", ("net", "long", "short"), default="net")
    if (side == "net") != (account.position_mode == "net_mode"):
        raise VenueError("102089")
    return side


def slot(venue: Venue, account: Account, body: Fields, new: str = "") -> str:
    """Which position of a pair and side is meant; in Multi-Position mode that has to be said.

    new: of a position that is opened by an order that names none.
    """
    if not venue.settings.multi_position:
        return ""
    position_id = parameters.text(body, "positionId")
    if not position_id:
        if new:
            return new
        raise VenueError("152001", "positionId")
    for position in account.positions.values():
        if position.position_id == position_id:
            return position.slot
    raise VenueError("152002", "positionId")


def same_margin_mode(venue: Venue, account: Account, inst_id: str, margin_mode: str) -> None:
    """In net mode cross and isolated do not stand side by side on one pair."""
    if account.position_mode != "net_mode":
        return
    if any(
        position.inst_id == inst_id and position.margin_mode != margin_mode
        for position in account.positions.values()
    ):
        raise VenueError(venue.settings.other_margin_mode, "marginMode")


def use_request_id(account: Account, body: Fields) -> None:
    """A `requestId` is good for one request (102148)."""
    request_id = parameters.client_id(body, "requestId")
    if not request_id:
        return
    if request_id in account.request_ids:
        raise VenueError("102148")
    account.request_ids[request_id] = None


# Sizes and prices


def check_size(instrument: Instrument, order: Order) -> None:
    """On the lot, not below the minimum, not above what one order may have."""
    check_lot(instrument, order.size)
    if order.order_type == "market":
        if order.size > instrument.max_market_size:
            raise VenueError("102015")
    elif order.size > instrument.max_limit_size:
        raise VenueError("102014")


def check_lot(instrument: Instrument, size: Decimal) -> None:
    """On the lot and not below the minimum."""
    if size > 0 and size % instrument.lot_size:
        raise VenueError(OFF_GRID)
    if size < instrument.min_size:
        raise VenueError("152002", "size")


def check_tick(instrument: Instrument, price: Decimal, name: str) -> None:
    """A price above nothing and on the tick."""
    if price <= 0:
        raise VenueError("152002", name)
    if price % instrument.tick_size:
        raise VenueError(OFF_GRID)


def check_price(venue: Venue, instrument: Instrument, order: Order) -> None:
    """A limit price on the tick and within the venue's limits."""
    check_tick(instrument, order.price, "price")
    lowest, highest = venue.price_range(instrument.inst_id, order.side)
    if not lowest <= order.price <= highest:
        code = "102064" if order.side == "buy" else "102065"
        raise VenueError(code, plain(lowest), plain(highest))


def trigger_size(instrument: Instrument, body: Fields) -> Decimal:
    """The size of a TP/SL or trigger order; -1 stands for the entire position."""
    size = parameters.required_number(body, "size")
    if size != ENTIRE_POSITION:
        check_lot(instrument, size)
    return size


# Brackets


def check_bracket(venue: Venue, instrument: Instrument, order: Order) -> None:
    """Both halves on the right side of the order price, or of the present for a market order."""
    tpsl = order.tpsl
    if not tpsl:
        return
    check_tpsl_prices(instrument, tpsl)
    if order.order_type == "market":
        refuse_passed(tpsl, OPPOSITE[order.side], venue.price_of(order.inst_id))
        return
    buy = order.side == "buy"
    stop, target = tpsl.sl_trigger, tpsl.tp_trigger
    if stop is not None and (stop >= order.price if buy else stop <= order.price):
        raise VenueError("102051" if buy else "102047")
    if target is not None and (target <= order.price if buy else target >= order.price):
        raise VenueError("102052" if buy else "102049")


def check_tpsl_prices(instrument: Instrument, tpsl: Tpsl) -> None:
    """All of them on the tick."""
    prices = {
        "tpTriggerPrice": tpsl.tp_trigger,
        "slTriggerPrice": tpsl.sl_trigger,
        "tpOrderPrice": tpsl.tp_order,
        "slOrderPrice": tpsl.sl_order,
    }
    for name, price in prices.items():
        if price is not None and price != MARKET_PRICE:
            check_tick(instrument, price, name)


def passed_trigger(tpsl: Tpsl, side: str, price_of: PriceOf) -> str | None:
    """Which half of a bracket that closes with `side` is reached, if any; the stop first."""
    sells = side == "sell"
    stop, target = tpsl.sl_trigger, tpsl.tp_trigger
    if stop is not None:
        price = price_of(tpsl.sl_type)
        if price <= stop if sells else price >= stop:
            return "sl"
    if target is not None:
        price = price_of(tpsl.tp_type)
        if price >= target if sells else price <= target:
            return "tp"
    return None


def refuse_passed(tpsl: Tpsl, side: str, price_of: PriceOf) -> None:
    """Raise 102037..102040 when a half of a bracket that closes with `side` is already reached."""
    kind = passed_trigger(tpsl, side, price_of)
    if kind is None:
        return
    codes = {
        ("tp", "sell"): "102037",
        ("sl", "sell"): "102038",
        ("tp", "buy"): "102039",
        ("sl", "buy"): "102040",
    }
    raise VenueError(codes[kind, side])


def read_tpsl(fields: Fields) -> Tpsl:
    """The TP/SL parameters of an order. A trigger without its order price means at the market.

    The reference says that both should be filled in, and shows examples with one.
    """
    return _at_market(
        Tpsl(
            tp_trigger=parameters.number(fields, "tpTriggerPrice"),
            tp_order=parameters.number(fields, "tpOrderPrice"),
            sl_trigger=parameters.number(fields, "slTriggerPrice"),
            sl_order=parameters.number(fields, "slOrderPrice"),
            tp_type=parameters.choice(fields, "tpTriggerPriceType", PRICE_TYPES, default="last"),
            sl_type=parameters.choice(fields, "slTriggerPriceType", PRICE_TYPES, default="last"),
        )
    )


def amended_tpsl(tpsl: Tpsl, body: Fields, unnamed_leg: str = "keep") -> Tpsl:
    """`tpsl` with what `newTpTriggerPrice` and its sisters change."""

    def leg(
        name: str, trigger: Decimal | None, order: Decimal | None, kind: str
    ) -> tuple[Decimal | None, Decimal | None, str]:
        new_trigger = parameters.number(body, f"new{name}TriggerPrice")
        new_order = parameters.number(body, f"new{name}OrderPrice")
        if new_trigger is None and new_order is None and unnamed_leg == "remove":
            return None, None, "last"
        return (
            trigger if new_trigger is None else new_trigger,
            order if new_order is None else new_order,
            kind,
        )

    tp_trigger, tp_order, tp_type = leg("Tp", tpsl.tp_trigger, tpsl.tp_order, tpsl.tp_type)
    sl_trigger, sl_order, sl_type = leg("Sl", tpsl.sl_trigger, tpsl.sl_order, tpsl.sl_type)
    return _at_market(Tpsl(tp_trigger, tp_order, sl_trigger, sl_order, tp_type, sl_type))


def _at_market(tpsl: Tpsl) -> Tpsl:
    if tpsl.tp_trigger is not None and tpsl.tp_order is None:
        tpsl.tp_order = MARKET_PRICE
    if tpsl.sl_trigger is not None and tpsl.sl_order is None:
        tpsl.sl_order = MARKET_PRICE
    return tpsl
