"""Public REST endpoints: market/* and the server time."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import orjson

from bubbybot_freqtrade.sandbox.api.answers import Answer, PublicCall
from bubbybot_freqtrade.sandbox.market.bars import BARS
from bubbybot_freqtrade.sandbox.market.instruments import Instrument, of_other_currencies
from bubbybot_freqtrade.sandbox.market.quotes import Book, PriceKind, Ticker, Trade
from bubbybot_freqtrade.sandbox.venue import parameters
from bubbybot_freqtrade.sandbox.venue.amounts import plain
from bubbybot_freqtrade.sandbox.venue.engine import Engine
from bubbybot_freqtrade.sandbox.venue.errors import VenueError

MAX_CANDLES = 1440


def instrument_row(instrument: Instrument) -> dict[str, str]:
    """One object of market/instruments."""
    return {
        "instId": instrument.inst_id,
        "baseCurrency": instrument.base,
        "quoteCurrency": instrument.quote,
        "contractValue": plain(instrument.contract_value),
        "listTime": str(instrument.list_time),
        "expireTime": str(instrument.expire_time),
        "maxLeverage": plain(instrument.max_leverage),
        "minSize": plain(instrument.min_size),
        "lotSize": plain(instrument.lot_size),
        "tickSize": plain(instrument.tick_size),
        "instType": instrument.inst_type,
        "contractType": instrument.contract_type,
        "maxLimitSize": plain(instrument.max_limit_size),
        "maxMarketSize": plain(instrument.max_market_size),
        "state": instrument.state,
        "settleCurrency": instrument.settle,
    }


def ticker_row(ticker: Ticker) -> dict[str, str]:
    """One object of market/tickers and of the tickers channel."""
    return {
        "instId": ticker.inst_id,
        "last": plain(ticker.last),
        "lastSize": plain(ticker.last_size),
        "askPrice": plain(ticker.ask_price),
        "askSize": plain(ticker.ask_size),
        "bidPrice": plain(ticker.bid_price),
        "bidSize": plain(ticker.bid_size),
        "high24h": plain(ticker.high_24h),
        "open24h": plain(ticker.open_24h),
        "low24h": plain(ticker.low_24h),
        "volCurrency24h": plain(ticker.vol_currency_24h),
        "vol24h": plain(ticker.vol_24h),
        "ts": str(ticker.ts_ms),
    }


def trade_row(trade: Trade) -> dict[str, str]:
    """One object of market/trades and of the trades channel."""
    return {
        "tradeId": str(trade.trade_id),
        "instId": trade.inst_id,
        "price": plain(trade.price),
        "size": plain(trade.size),
        "side": trade.side,
        "ts": str(trade.ts_ms),
    }


def book_sides(book: Book) -> dict[str, list[list[str]]]:
    """Asks and bids as the REST API spells them."""
    return {
        "asks": [[plain(price), plain(size)] for price, size in book.asks],
        "bids": [[plain(price), plain(size)] for price, size in book.bids],
    }


def funding_row(engine: Engine, inst_id: str) -> dict[str, str]:
    """One object of market/funding-rate and of the funding-rate channel: the coming settlement."""
    return {
        "instId": inst_id,
        "fundingRate": plain(engine.market.funding_rate(inst_id, engine.now_ms)),
        "fundingTime": str(engine.market.next_funding_time(engine.now_ms)),
    }


def _instruments(call: PublicCall) -> Answer:
    return Answer([instrument_row(i) for _, i in _listed_with_others(call)])


def _tickers(call: PublicCall) -> Answer:
    engine = call.engine
    rows = (
        (ticker_row(engine.market.ticker(traded.inst_id, engine.now_ms)), listed.inst_id)
        for traded, listed in _listed_with_others(call)
    )
    return Answer([{**row, "instId": inst_id} for row, inst_id in rows])


def _books(call: PublicCall) -> Answer:
    engine = call.engine
    inst_id = _inst_id(call)
    depth = parameters.whole_number(call.fields, "size") or 1
    book = engine.market.book(inst_id, engine.now_ms, min(depth, 100))
    return Answer([{**book_sides(book), "ts": str(engine.now_ms)}])


def _trades(call: PublicCall) -> Answer:
    engine = call.engine
    limit = parameters.limit(call.fields, 100, 100)
    rows = engine.market.trades(_inst_id(call), engine.now_ms, limit)
    return Answer([trade_row(row) for row in rows])


def _mark_price(call: PublicCall) -> Answer:
    engine = call.engine
    return Answer(
        [
            {
                "instId": i.inst_id,
                "indexPrice": plain(engine.market.index_price(i.inst_id, engine.now_ms)),
                "markPrice": plain(engine.market.mark_price(i.inst_id, engine.now_ms)),
                "ts": str(engine.now_ms),
            }
            for i in _listed(call)
        ]
    )


def _funding_rate(call: PublicCall) -> Answer:
    return Answer([funding_row(call.engine, i.inst_id) for i in _listed(call)])


def _funding_rate_history(call: PublicCall) -> Answer:
    rates = call.engine.market.funding_history(
        _inst_id(call),
        now_ms=call.engine.now_ms,
        after_ms=parameters.whole_number(call.fields, "after"),
        before_ms=parameters.whole_number(call.fields, "before"),
        limit=parameters.limit(call.fields, 100, 100),
    )
    return Answer(
        [
            {
                "instId": rate.inst_id,
                "fundingRate": plain(rate.rate),
                "fundingTime": str(rate.funding_time),
            }
            for rate in rates
        ]
    )


def _candles(kind: PriceKind) -> Callable[[PublicCall], Answer]:
    def handle(call: PublicCall) -> Answer:
        bar = parameters.text(call.fields, "bar", "1m")
        if bar not in BARS:
            raise VenueError("152002", "bar")
        inst_id, now_ms = _inst_id(call), call.engine.now_ms
        after = parameters.whole_number(call.fields, "after")
        before = parameters.whole_number(call.fields, "before")
        limit = parameters.limit(call.fields, 500, MAX_CANDLES)
        if after is None and before is None:
            rows = call.feed.latest(inst_id, bar, kind, now_ms=now_ms, limit=limit)
            return Answer(orjson.Fragment(b"[" + b",".join(rows) + b"]"))
        candles = call.feed.candles(
            inst_id, bar, kind, now_ms=now_ms, after_ms=after, before_ms=before, limit=limit
        )
        if kind == "last":
            return Answer([candle.row() for candle in candles])
        return Answer([candle.price_row() for candle in candles])

    return handle


def _position_tiers(call: PublicCall) -> Answer:
    margin_mode = parameters.choice(call.fields, "marginMode", ("isolated", "cross"))
    instrument = call.engine.venue.instrument(_inst_id(call))
    unit = Decimal(1)
    if call.engine.settings.tier_unit == "quote":
        unit = instrument.profile.price * instrument.contract_value
    return Answer(
        [
            {
                "symbol": parameters.required(call.fields, "instId"),
                "marginMode": margin_mode,
                "minSize": plain(tier.min_size * unit),
                "maxSize": plain(tier.max_size * unit),
                "maintenanceMarginRate": plain(tier.maintenance_margin_rate),
                "maxLeverage": plain(tier.max_leverage),
            }
            for tier in call.engine.venue.tiers(instrument.inst_id)
        ]
    )


def _time(call: PublicCall) -> Answer:
    return Answer({"timestamp": str(call.engine.now_ms)})


def _inst_id(call: PublicCall) -> str:
    """The traded contract whose prices are asked for."""
    inst_id = parameters.required(call.fields, "instId")
    if inst_id in call.engine.venue.instruments:
        return inst_id
    ((traded, _),) = _listed_with_others(call)
    return traded.inst_id


def _listed(call: PublicCall) -> list[Instrument]:
    inst_id = parameters.text(call.fields, "instId")
    if inst_id:
        return [call.engine.venue.instrument(inst_id)]
    return list(call.engine.venue.instruments.values())


def _listed_with_others(call: PublicCall) -> list[tuple[Instrument, Instrument]]:
    """Contracts that are traded here, each beside those listed for it: itself, and those of other
    currencies, which are not traded here and have its prices.
    """
    inst_id = parameters.text(call.fields, "instId")
    listed = [
        (traded, one)
        for traded in call.engine.venue.instruments.values()
        for one in (traded, *of_other_currencies(traded))
        if inst_id in ("", one.inst_id)
    ]
    if not listed:
        raise VenueError("152014")
    return listed


ENDPOINTS: dict[str, Callable[[PublicCall], Answer]] = {
    "/api/v1/market/instruments": _instruments,
    "/api/v1/market/tickers": _tickers,
    "/api/v1/market/books": _books,
    "/api/v1/market/trades": _trades,
    "/api/v1/market/mark-price": _mark_price,
    "/api/v1/market/funding-rate": _funding_rate,
    "/api/v1/market/funding-rate-history": _funding_rate_history,
    "/api/v1/market/candles": _candles("last"),
    "/api/v1/market/index-candles": _candles("index"),
    "/api/v1/market/mark-price-candles": _candles("mark"),
    "/api/v1/market/position-tiers": _position_tiers,
    # Not in the reference; the official SDK asks for it when told to use the server's time.
    "/api/v1/public/time": _time,
}
