"""Instruments, tickers, candles, funding rates and tiers."""

import ccxt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

BTC = "BTC/USDT:USDT"
PEPE = "PEPE/USDT:USDT"
START = 1_700_000_100_000  # a minute
MINUTE = 60_000


def candle_row(time, index):
    return [str(time), "10", "12", "9", "11", str(index), "0.5", "5.5", "1"]


def candles(count, columns=9):
    """A candle endpoint as the reference has it: bounds excluded, newest first, 500 by default."""

    def answer(request):
        limit = min(int(request.query.get("limit", 500)), 1440)
        after = int(request.query.get("after", 2**60))
        before = int(request.query.get("before", -1))
        times = (START + n * MINUTE for n in reversed(range(count)))
        found = [t for t in times if before < t < after][:limit]
        rows = [candle_row(t, i) for i, t in enumerate(found)]
        return rows if columns == 9 else [[*row[:5], row[-1]] for row in rows]

    return answer


def times(rows):
    return [row[0] for row in rows]


def test_markets(blofin):
    blofin.load_markets()
    btc = blofin.market(BTC)
    assert (btc["id"], btc["active"], btc["swap"], btc["linear"]) == ("BTC-USDT", True, True, True)
    assert btc["contractSize"] == 0.001
    assert btc["precision"] == {"amount": 0.1, "price": 0.1} | {
        k: v for k, v in btc["precision"].items() if k not in ("amount", "price")
    }
    assert btc["limits"]["amount"] == {"min": 0.1, "max": 100000000}
    assert btc["limits"]["market"] == {"min": 0.1, "max": 1000000}
    assert btc["limits"]["leverage"] == {"min": 1, "max": 150}
    assert (btc["taker"], btc["maker"]) == (0.0006, 0.0002)
    assert blofin.market("GONE/USDT:USDT")["active"] is False
    assert btc["expiry"] is None  # the reference gives a live perpetual a date in the past
    assert btc["info"]["expireTime"] == "1704124800000"


def test_a_coming_delisting_is_the_expiry(mine, venue):
    soon = mine.milliseconds() + 86_400_000
    instruments = [dict(row, expireTime=str(soon)) for row in venue.answers["market/instruments"]]
    venue.answer("market/instruments", instruments)
    mine.load_markets()
    assert mine.market(BTC)["expiry"] == soon
    assert mine.market(BTC)["symbol"] == BTC


def test_loading_markets_signs_nothing(mine, stock, venue):
    mine.load_markets()
    assert [r.path for r in venue.requests] == ["market/instruments"]
    stock.load_markets()
    assert venue.asked("asset/currencies")  # refused for a demo account


TICKER = {
    "instId": "BTC-USDT",
    "last": "60000",
    "lastSize": "1",
    "askPrice": "60001",
    "askSize": "20",
    "bidPrice": "59999",
    "bidSize": "2",
    "high24h": "61000",
    "open24h": "59000",
    "low24h": "50000",
    "volCurrency24h": "3224.82",
    "vol24h": "3224820",
    "ts": "1695261862487",
}


def test_ticker_volumes_are_base_and_quote(blofin, stock, venue):
    venue.answer("market/tickers", [TICKER])
    ticker = blofin.fetch_tickers()[BTC]
    assert ticker["baseVolume"] == 3224.82
    assert ticker["quoteVolume"] == 3224.82 * 60000
    assert ticker["percentage"] == pytest.approx(100 * (60000 / 59000 - 1))
    theirs = stock.fetch_ticker(BTC)
    assert (theirs["baseVolume"], theirs["quoteVolume"]) == (3224820, None)  # contracts


def test_one_request_gives_1440_candles(blofin, venue):
    venue.answer("market/candles", candles(2000))
    rows = blofin.fetch_ohlcv(BTC)
    assert len(rows) == 1440
    assert times(rows) == [START + n * MINUTE for n in range(560, 2000)]
    assert rows[-1][1:] == [10, 12, 9, 11, 0.5]  # volume in base units
    assert len(venue.asked("market/candles")) == 1
    assert blofin.features["swap"]["linear"]["fetchOHLCV"]["limit"] == 1440


def test_stock_ccxt_asks_for_100_candles(stock, venue):
    venue.answer("market/candles", candles(2000))
    assert len(stock.fetch_ohlcv(BTC)) == 100


def test_timeframes_are_spelled_as_the_venue_does(mine, venue):
    venue.answer("market/candles", [])
    for timeframe in ("15m", "1h", "1d", "1w", "1M"):
        mine.fetch_ohlcv(BTC, timeframe)
    bars = [r.query["bar"] for r in venue.asked("market/candles")]
    assert bars == ["15m", "1H", "1D", "1W", "1M"]


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    since=st.none() | st.integers(-3000, 2500),
    until=st.none() | st.integers(-10, 2500),
    limit=st.none() | st.integers(1, 2000),
    offset=st.integers(0, MINUTE - 1),
)
def test_a_page_of_candles_is_the_first_from_since_or_the_last(
    mine, venue, since, until, limit, offset
):
    venue.answer("market/candles", candles(2000))
    start = None if since is None else START + since * MINUTE + offset
    end = None if until is None else START + until * MINUTE
    params = {} if end is None else {"until": end}
    rows = mine.fetch_ohlcv(BTC, "1m", start, limit, params)
    count = min(limit or 1440, 1440)
    every = [START + n * MINUTE for n in range(2000)]
    wanted = [t for t in every if (start is None or t >= start) and (end is None or t <= end)]
    if start is not None:  # candles that open within `count` candles' time from `since` on
        wanted = [t for t in wanted if t < start + count * MINUTE]
    assert times(rows) == (wanted[-count:] if start is None else wanted[:count])


def test_stock_ccxt_leaves_a_gap_before_until(stock, mine, venue):
    venue.answer("market/candles", candles(2000))
    arguments = (BTC, "1m", START, 10, {"until": START + 1000 * MINUTE})
    assert times(mine.fetch_ohlcv(*arguments))[0] == START
    assert START not in times(stock.fetch_ohlcv(*arguments))


@pytest.mark.parametrize(
    ("price", "path"), [("mark", "market/mark-price-candles"), ("index", "market/index-candles")]
)
def test_mark_and_index_candles(blofin, venue, price, path):
    venue.answer(path, candles(50, columns=6))
    assert blofin.has[f"fetch{price.capitalize()}OHLCV"] is True
    rows = blofin.fetch_ohlcv(BTC, "1m", START, 10, {"price": price})
    assert times(rows) == [START + n * MINUTE for n in range(10)]
    assert rows[0][1:] == [10, 12, 9, 11, 0.0]  # the last column is a state, not a volume
    assert "price" not in venue.asked(path)[0].query
    assert getattr(blofin, f"fetch_{price}_ohlcv")(BTC, "1m", START, 10) == rows


def test_stock_ccxt_gives_traded_prices_for_mark_prices(stock, venue):
    venue.answer("market/candles", candles(50))
    assert not stock.has["fetchMarkOHLCV"]
    stock.fetch_ohlcv(BTC, "1m", params={"price": "mark"})
    assert venue.asked("market/candles")


def test_premium_index_candles_are_refused(mine):
    with pytest.raises(ccxt.NotSupported, match="premiumIndex"):
        mine.fetch_ohlcv(BTC, "1m", params={"price": "premiumIndex"})


def test_candles_page_by_page(blofin, venue):
    venue.answer("market/candles", candles(4000))
    rows = blofin.fetch_ohlcv(BTC, "1m", START, 3000, {"paginate": True})
    assert times(rows) == [START + n * MINUTE for n in range(3000)]
    assert len(venue.asked("market/candles")) == 3
    until = {"paginate": True, "until": START + 2999 * MINUTE}
    assert blofin.fetch_ohlcv(BTC, "1m", START, None, until) == rows
    assert blofin.fetch_ohlcv(BTC, "1m", None, 3000, until) == rows


HOUR = 3_600_000


def funding(hours, count, start=START):
    def answer(request):
        limit = min(int(request.query.get("limit", 100)), 100)
        after = int(request.query.get("after", 2**60))
        before = int(request.query.get("before", -1))
        rows = [
            {
                "instId": "BTC-USDT",
                "fundingRate": str(n),
                "fundingTime": str(start + n * hours * HOUR),
            }
            for n in reversed(range(count))
        ]
        return [row for row in rows if before < int(row["fundingTime"]) < after][:limit]

    return answer


def rates(rows):
    return [row["fundingRate"] for row in rows]


def test_the_latest_funding_rates(blofin, venue):
    venue.answer("market/funding-rate-history", funding(8, 500))
    assert rates(blofin.fetch_funding_rate_history(BTC)) == list(range(400, 500))
    assert rates(blofin.fetch_funding_rate_history(BTC, limit=3)) == [497, 498, 499]
    assert rates(blofin.fetch_funding_rate_history(BTC, limit=250)) == list(range(250, 500))


def test_funding_rates_from_a_time_on_have_no_gap(blofin, stock, venue):
    venue.answer("market/funding-rate-history", funding(8, 500))
    assert rates(blofin.fetch_funding_rate_history(BTC, START, 50)) == list(range(50))
    assert rates(blofin.fetch_funding_rate_history(BTC, START)) == list(range(100))
    until = {"until": START + 4 * 8 * HOUR}
    assert rates(blofin.fetch_funding_rate_history(BTC, START, params=until)) == list(range(5))
    assert rates(stock.fetch_funding_rate_history(BTC, START, 50))[0] == 450  # not the first


@pytest.mark.parametrize("hours", [1, 4])
def test_funding_paid_more_often_is_read_to_the_end_of_the_window(mine, venue, hours):
    venue.answer("market/funding-rate-history", funding(hours, 2000))
    found = rates(mine.fetch_funding_rate_history(BTC, START))
    assert found == list(range(100 * 8 // hours))
    assert rates(mine.fetch_funding_rate_history(BTC, START, 150)) == list(range(150))


def test_funding_rates_of_all_markets_in_one_request(blofin, venue):
    row = {"fundingRate": "0.0001", "fundingTime": "1703462400000"}
    venue.answer("market/funding-rate", [dict(row, instId=f"{b}-USDT") for b in ("BTC", "ETH")])
    assert set(blofin.fetch_funding_rates()) == {BTC, "ETH/USDT:USDT"}
    assert set(blofin.fetch_funding_rates([BTC])) == {BTC}
    assert blofin.fetch_funding_rates()[BTC]["fundingRate"] == 0.0001


def tier(inst_id, low, high, rate, leverage):
    return {
        "symbol": inst_id,
        "marginMode": "isolated",
        "minSize": low,
        "maxSize": high,
        "maintenanceMarginRate": rate,
        "maxLeverage": leverage,
    }


@pytest.fixture
def tiers(venue):
    tickers = [TICKER, dict(TICKER, instId="PEPE-USDT", last="0.00002", low24h="0.00001")]
    venue.answer(
        "market/tickers",
        lambda r: [t for t in tickers if r.query.get("instId") in (None, t["instId"])],
    )
    by_market = {
        "BTC-USDT": [
            tier("BTC-USDT", "150", "400", "0.005", "100"),
            tier("BTC-USDT", "0.01", "150", "0.004", "150"),
        ],
        "PEPE-USDT": [tier("PEPE-USDT", "1", "5000", "0.01", "50")],
    }
    venue.answer(
        "market/position-tiers",
        lambda request: by_market.get(request.query["instId"], []),
    )
    return by_market


def test_sizes_of_tiers_are_contracts(blofin, venue, tiers):
    first, second = blofin.fetch_market_leverage_tiers(BTC, {"marginMode": "isolated"})
    assert venue.asked("market/position-tiers")[0].query == {
        "instId": "BTC-USDT",
        "marginMode": "isolated",
    }
    # 150 contracts of 0.001 BTC at the day's low
    assert (first["minNotional"], first["maxNotional"]) == (0, pytest.approx(150 * 0.001 * 50000))
    assert second["minNotional"] == first["maxNotional"]
    assert (first["maxLeverage"], first["maintenanceMarginRate"]) == (150, 0.004)
    assert (second["tier"], second["currency"], second["symbol"]) == (2, "USDT", BTC)
    # one PEPE contract is 1000 PEPE
    (only,) = blofin.fetch_market_leverage_tiers(PEPE)
    assert only["maxNotional"] == pytest.approx(5000 * 1000 * 0.00001)
    assert only["info"]["maxSize"] == "5000"


def test_tiers_at_a_given_price_take_one_request(mine, venue, tiers):
    first, _ = mine.fetch_market_leverage_tiers(BTC, {"price": 100_000})
    assert first["maxNotional"] == pytest.approx(150 * 0.001 * 100_000)
    assert not venue.asked("market/tickers")
    assert venue.asked("market/position-tiers")[0].query["marginMode"] == "cross"


def test_tiers_of_all_active_markets(blofin, venue, tiers):
    found = blofin.fetch_leverage_tiers()
    assert set(found) == {BTC, PEPE}  # those with a price
    assert len(found[BTC]) == 2
    assert set(blofin.fetch_leverage_tiers([PEPE])) == {PEPE}
    assert len(venue.asked("market/tickers")) == 2
    asked = {r.query["instId"] for r in venue.asked("market/position-tiers")}
    assert asked == {"BTC-USDT", "PEPE-USDT"}


def test_stock_ccxt_has_no_tiers(stock):
    assert not stock.has["fetchLeverageTiers"]
    with pytest.raises(ccxt.NotSupported):
        stock.fetch_market_leverage_tiers(BTC)


def test_tiers_without_a_price_are_refused(mine, venue, tiers):
    venue.answer("market/tickers", [dict(TICKER, last="", low24h="")])
    with pytest.raises(ccxt.BadResponse, match="no price for BTC/USDT:USDT"):
        mine.fetch_market_leverage_tiers(BTC)


CALLABLE = [
    *("fetchOrder", "fetchOpenOrder", "fetchClosedOrder", "fetchOrders", "fetchOpenOrders"),
    *("fetchClosedOrders", "fetchCanceledOrders", "fetchCanceledAndClosedOrders"),
    *("fetchLeverageTiers", "fetchMarketLeverageTiers", "fetchMarkOHLCV", "fetchIndexOHLCV"),
    *("fetchPositionsHistory", "fetchFundingHistory", "fetchFundingRates", "fetchOrderTrades"),
    *("createStopLossOrder", "createTakeProfitOrder", "createPostOnlyOrder"),
    *("createReduceOnlyOrder", "createTriggerOrder", "cancelOrders", "closePosition"),
]


@pytest.mark.parametrize("name", CALLABLE)
def test_has_says_what_there_is(blofin, name):
    assert blofin.has[name] is True
    assert callable(getattr(blofin.exchange, name, None))


def test_the_class_looks_like_ccxt_s(blofin):
    assert type(blofin.exchange).__name__ == "blofin"
    assert (blofin.id, blofin.name) == ("blofin", "BloFin")
