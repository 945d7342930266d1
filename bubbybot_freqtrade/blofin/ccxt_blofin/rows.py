"""What the venue's answers and pushes must hold to be acted on, checked before they are parsed.

ccxt reads a missing or unreadable field as None, and None as nothing: a position without a size
would be no position, and its stop a leftover. So whatever an answer is acted on for must be there
and readable, or the answer is a `ccxt.BadResponse`, which is told and asked again. Fields as of the
reference; those that it shows as null or empty may be missing here.
"""

# ruff: noqa: N815 - the venue's names

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal, Self

import ccxt
from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    FiniteFloat,
    TypeAdapter,
    ValidationError,
    model_validator,
)

_PARSING = (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError)
_PATH = re.compile(r"/api/v\d+/([a-z0-9/-]+)")


def _number(value: Any) -> Any:
    """A number, or text that is one; neither a boolean nor Python's 1_000."""
    is_text = isinstance(value, str) and value.isascii() and "_" not in value
    if not is_text and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise ValueError("no number")
    return value


def _none_if_empty(value: Any) -> Any:
    return None if value == "" else value


def _text(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        raise ValueError("no text")
    return value


Number = Annotated[FiniteFloat, BeforeValidator(_number)]
Positive = Annotated[Number, Field(gt=0)]
NumberOrNone = Annotated[Number | None, BeforeValidator(_none_if_empty)]
NotNegative = Annotated[Number, Field(ge=0)]
# 0 is how prices and triggers are written that there aren't.
PriceOrNone = Annotated[NotNegative | None, BeforeValidator(_none_if_empty)]
# Ten digits of seconds to the year 9999 in ms.
Time = Annotated[Number, Field(ge=0, le=253_402_300_799_999)]
TimeOrNone = Annotated[Time | None, BeforeValidator(_none_if_empty)]
Text = Annotated[Any, BeforeValidator(_text)]
Side = Literal["buy", "sell"]
MarginMode = Literal["cross", "isolated"]
PositionSide = Literal["net", "long", "short"]
# Size of a TP/SL that closes whatever there is.
WHOLE_POSITION = -1
Bool = Annotated[Literal["true", "false", "", None] | bool, Field(union_mode="left_to_right")]


class Ticker(BaseModel):
    """A row of ``market/tickers`` or ``market/mark-price``; a new market has no prices yet."""

    instId: Text
    last: PriceOrNone = None
    askPrice: PriceOrNone = None
    askSize: PriceOrNone = None
    bidPrice: PriceOrNone = None
    bidSize: PriceOrNone = None
    high24h: PriceOrNone = None
    low24h: PriceOrNone = None
    open24h: PriceOrNone = None
    vol24h: PriceOrNone = None
    volCurrency24h: PriceOrNone = None
    indexPrice: PriceOrNone = None
    markPrice: PriceOrNone = None
    ts: TimeOrNone = None


class Instrument(BaseModel):
    """A row of ``market/instruments``."""

    instId: Text


class Market(Instrument):
    """An instrument that can be traded; see `Markets.parse_market`."""

    instType: Text
    baseCurrency: Text
    quoteCurrency: Text
    contractValue: Positive
    lotSize: Positive
    tickSize: Positive
    minSize: Positive
    maxLeverage: Positive
    maxLimitSize: NumberOrNone = None
    maxMarketSize: NumberOrNone = None
    listTime: TimeOrNone = None
    expireTime: TimeOrNone = None


class Tier(BaseModel):
    """A row of ``market/position-tiers``."""

    maxSize: Positive
    maintenanceMarginRate: Annotated[NotNegative, Field(lt=1)]
    maxLeverage: Positive


class FundingRate(BaseModel):
    """A row of ``market/funding-rate`` and its history."""

    instId: Text
    fundingRate: Number
    fundingTime: Time


class Book(BaseModel):
    """An order book."""

    asks: list[Annotated[list[Number], Field(min_length=2)]]
    bids: list[Annotated[list[Number], Field(min_length=2)]]
    ts: Time


class Trade(BaseModel):
    """A row of ``market/trades``."""

    tradeId: Text
    instId: Text
    price: Positive
    size: Positive
    side: Side
    ts: Time


class Fill(BaseModel):
    """A row of ``trade/fills-history``."""

    tradeId: Text
    orderId: Text
    instId: Text
    fillPrice: Positive
    fillSize: Positive
    side: Side
    ts: Time
    fee: NumberOrNone = None


class _Prices(BaseModel):
    slTriggerPrice: PriceOrNone = None
    slOrderPrice: NumberOrNone = None
    tpTriggerPrice: PriceOrNone = None
    tpOrderPrice: NumberOrNone = None


class _Order(_Prices):
    instId: Text
    side: Side
    state: Text
    size: Number
    leverage: NumberOrNone = None
    reduceOnly: Bool = None
    triggerPrice: NumberOrNone = None
    orderPrice: NumberOrNone = None
    attachAlgoOrders: list[_Prices] | None = None
    createTime: TimeOrNone = None
    updateTime: TimeOrNone = None


class Order(_Order):
    """A row of ``trade/orders-pending``, ``trade/orders-history`` or ``trade/order-detail``."""

    orderId: Text
    orderType: Text
    size: Positive
    filledSize: NotNegative
    averagePrice: PriceOrNone = None
    price: PriceOrNone = None
    fee: NumberOrNone = None
    createTime: Time

    @model_validator(mode="after")
    def _fill_has_a_price(self) -> Self:
        if self.filledSize and not self.averagePrice:
            raise ValueError("a fill without a price")
        return self


class Tpsl(_Order):
    """A row of the TP/SL orders; their history leaves the time out."""

    tpslId: Text

    @model_validator(mode="after")
    def _has_a_size(self) -> Self:
        if self.size < 0 and self.size != WHOLE_POSITION:
            raise ValueError("a size below nothing")
        return self


class Algo(_Order):
    """A row of the trigger orders."""

    algoId: Text


class Position(BaseModel):
    """A row of ``account/positions``."""

    positionId: Text
    instId: Text
    marginMode: MarginMode
    positionSide: PositionSide
    positions: Number
    averagePrice: Number
    leverage: Positive
    markPrice: NumberOrNone = None
    liquidationPrice: NumberOrNone = None
    margin: NumberOrNone = None
    initialMargin: NumberOrNone = None
    maintenanceMargin: NumberOrNone = None
    unrealizedPnl: NumberOrNone = None
    unrealizedPnlRatio: NumberOrNone = None
    createTime: TimeOrNone = None
    updateTime: TimeOrNone = None

    @model_validator(mode="after")
    def _was_opened_at_a_price(self) -> Self:
        if self.positions and self.averagePrice <= 0:
            raise ValueError("a position without a price")
        return self


class ClosedPosition(BaseModel):
    """A row of ``account/positions-history``."""

    historyId: Text
    instId: Text
    positionSide: PositionSide
    closePositions: Number
    openAveragePrice: NumberOrNone
    updateTime: Time
    leverage: Positive


class Currency(BaseModel):
    """One currency of ``account/balance``."""

    currency: Text
    equity: Number
    available: Number
    balance: NumberOrNone = None
    availableEquity: NumberOrNone = None


class Balance(BaseModel):
    """``account/balance``."""

    details: list[Currency]
    ts: TimeOrNone = None


class MarginModeOf(BaseModel):
    """``account/margin-mode``."""

    marginMode: MarginMode


class PositionModeOf(BaseModel):
    """``account/position-mode``: one-way, hedge, or one that this extension doesn't trade in."""

    positionMode: Text


class Leverage(BaseModel):
    """A row of ``account/batch-leverage-info``."""

    instId: Text
    leverage: Positive
    marginMode: MarginMode


class Key(BaseModel):
    """``user/query-apikey``."""

    readOnly: Annotated[Number, Field(ge=0, le=1)]
    expireTime: TimeOrNone = None


class FundingFee(BaseModel):
    """A row of ``account/funding-fees``, whose names of amount and time public clients differ in.

    `_funding_fee` sees to those two.
    """

    instId: Text
    currency: Text | None = None
    positionSide: Annotated[PositionSide | None, BeforeValidator(_none_if_empty)] = None


def _funding_fee(row: Any) -> Any:
    if isinstance(row, dict):
        amounts = [row[k] for k in ("fundingFee", "amount") if row.get(k) is not None]
        names = ("fundingTime", "ts", "createTime", "updateTime")
        times = [row[k] for k in names if row.get(k) is not None]
        if not amounts or not times:
            raise ValueError("no amount or no time")
        for value in (*amounts, *times):
            if not math.isfinite(float(_number(value))):
                raise ValueError("no number")
    return row


class SentOrder(BaseModel):
    """The verdict on an order that was sent, moved or canceled."""

    orderId: Text | None = None
    tpslId: Text | None = None
    algoId: Text | None = None


# Read by float() where it is parsed; a page is up to 1440 of them, on every candle of every pair.
Candle = Annotated[list[Annotated[FiniteFloat, Field(ge=0)]], Field(min_length=6)]


def _list(row: Any) -> TypeAdapter[Any]:
    return TypeAdapter(list[row])


def _if_any(row: Any) -> TypeAdapter[Any]:
    """Of one order; an empty answer says that the venue doesn't know it."""
    empty = Annotated[None, BeforeValidator(lambda data: data or None)]
    return TypeAdapter(row | Annotated[list[row], Field(max_length=1)] | empty)


def _one_or_list(row: Any, least: int = 0) -> TypeAdapter[Any]:
    return TypeAdapter(row | Annotated[list[row], Field(min_length=least)])


_TICKERS, _CANDLES, _RATES = _list(Ticker), _list(Candle), _list(FundingRate)
_ORDERS, _TPSL, _ALGO, _POSITIONS = _list(Order), _list(Tpsl), _list(Algo), _list(Position)
_SENT = _one_or_list(SentOrder)

ENDPOINTS: dict[str, TypeAdapter[Any]] = {
    "GET market/instruments": _list(Instrument),
    "GET market/tickers": _TICKERS,
    "GET market/mark-price": _TICKERS,
    "GET market/books": _list(Book),
    "GET market/trades": _list(Trade),
    "GET market/candles": _CANDLES,
    "GET market/mark-price-candles": _CANDLES,
    "GET market/index-candles": _CANDLES,
    "GET market/funding-rate": _RATES,
    "GET market/funding-rate-history": _RATES,
    # A market that takes orders has one: without any nothing is known of its leverage.
    "GET market/position-tiers": _one_or_list(Tier, least=1),
    "GET account/balance": TypeAdapter(Balance),
    "GET account/positions": _POSITIONS,
    "GET account/positions-history": _list(ClosedPosition),
    "GET account/margin-mode": TypeAdapter(MarginModeOf),
    "GET account/position-mode": TypeAdapter(PositionModeOf),
    "GET account/batch-leverage-info": _list(Leverage),
    "GET account/funding-fees": _list(Annotated[FundingFee, BeforeValidator(_funding_fee)]),
    "GET user/query-apikey": TypeAdapter(Key),
    "GET trade/orders-pending": _ORDERS,
    "GET trade/orders-history": _ORDERS,
    "GET trade/order-detail": _if_any(Order),
    "GET trade/orders-tpsl-pending": _TPSL,
    "GET trade/orders-tpsl-history": _TPSL,
    "GET trade/order-tpsl-detail": _if_any(Tpsl),
    "GET trade/orders-algo-pending": _ALGO,
    "GET trade/orders-algo-history": _ALGO,
    "GET trade/fills-history": _list(Fill),
    "POST trade/order": _SENT,
    "POST trade/batch-orders": _SENT,
    "POST trade/order-tpsl": _SENT,
    "POST trade/order-algo": _SENT,
    "POST trade/cancel-order": _SENT,
    "POST trade/cancel-batch-orders": _SENT,
    "POST trade/cancel-tpsl": _SENT,
    "POST trade/cancel-algo": _SENT,
    "POST trade/amend-tpsl": _SENT,
    "POST trade/close-position": _one_or_list(dict[str, Any]),
}

CHANNELS: dict[str, TypeAdapter[Any]] = {
    "tickers": _TICKERS,
    "trades": _list(Trade),
    "books": TypeAdapter(Book),
    "candle": _CANDLES,
    "funding-rate": _RATES,
    "account": TypeAdapter(Balance),
    "positions": _POSITIONS,
    "orders": _ORDERS,
    "orders-algo": _list(Algo | Tpsl),
}


_FIELDS = {
    field
    for row in vars().copy().values()
    if isinstance(row, type) and issubclass(row, BaseModel)
    for field in row.model_fields
}


def is_tradable(row: dict[str, Any]) -> bool:
    """Whether an instrument has all that orders on it are made of."""
    try:
        Market.model_validate(row)
    except ValidationError:
        return False
    return True


def check_answer(exchange_id: str, method: str, url: str, data: Any) -> None:
    """See to it that `data` of a successful answer can be acted on.

    :raises ccxt.BadResponse: when it can't; it names the endpoint and the first wrong field
    """
    path = _PATH.search(url)
    endpoint = f"{method} {path[1]}" if path else ""
    if endpoint in ENDPOINTS:
        _check(exchange_id, f"The answer of {endpoint}", ENDPOINTS[endpoint], data)


def check_push(exchange_id: str, channel: str, instrument: str | None, data: Any) -> None:
    """The same for what a channel has pushed.

    :param instrument: that was subscribed; rows of candles and books don't name their own
    """
    kind = "candle" if channel.startswith("candle") else channel
    if kind in ("candle", "books"):
        _text(instrument)
    if kind in CHANNELS:
        _check(exchange_id, f"A push of channel {channel}", CHANNELS[kind], data)


def _check(exchange_id: str, what: str, rows: TypeAdapter[Any], data: Any) -> None:
    try:
        rows.validate_python(data)
    except ValidationError as e:
        # Neither the value nor pydantic's words: an answer may hold anything, in any length.
        first = e.errors(include_url=False, include_context=False, include_input=False)[0]
        row = next((f" in row {part + 1}" for part in first["loc"] if isinstance(part, int)), "")
        field = next((f", field {part}" for part in first["loc"][::-1] if part in _FIELDS), "")
        raise ccxt.BadResponse(
            f"{exchange_id}: {what} can't be read{row}{field}. Nothing is done on it."
        ) from None


@contextmanager
def readable(exchange_id: str, what: str) -> Iterator[None]:
    """Turn whatever parsing stumbles over into a `ccxt.BadResponse`."""
    try:
        yield
    except _PARSING as e:
        raise ccxt.BadResponse(
            f"{exchange_id}: {what} can't be read ({type(e).__name__}). Nothing is done on it."
        ) from e
