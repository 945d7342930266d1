"""The market at a moment, held against a plain count over the trades up to that moment."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bubbybot_freqtrade.sandbox.market.bars import BARS, bar_start
from bubbybot_freqtrade.sandbox.market.candles import CandleFolder
from bubbybot_freqtrade.sandbox.market.clock import RealClock
from bubbybot_freqtrade.sandbox.market.funding import FUNDING_INTERVAL_MS
from bubbybot_freqtrade.sandbox.market.generator import GeneratedMarket
from bubbybot_freqtrade.sandbox.market.instruments import instrument
from bubbybot_freqtrade.sandbox.market.paths import DAY_MS, HOUR_MS, MINUTE_MS
from bubbybot_freqtrade.sandbox.market.prices import MarketData, day_shift
from bubbybot_freqtrade.sandbox.market.quotes import Candle, Tick

# A recorded stretch that begins and ends in the middle of everything, and has a Monday and the
# first of a month in it: Friday 2025-05-30 07:13 to Wednesday 2025-06-04 02:53.
FIRST = 1_748_589_180_000
COUNT = 6_940
LAST = FIRST + COUNT * MINUTE_MS
MONDAY = 1_746_403_200_000  # 2025-05-05

moments = st.one_of(
    st.integers(FIRST, LAST + DAY_MS),
    st.integers(FIRST // MINUTE_MS, LAST // MINUTE_MS).map(lambda minute: minute * MINUTE_MS),
    st.integers(FIRST // HOUR_MS + 1, LAST // HOUR_MS).map(lambda hour: hour * HOUR_MS),
    st.builds(
        lambda day, ms: day * DAY_MS + ms,
        st.integers(FIRST // DAY_MS + 1, LAST // DAY_MS),
        st.integers(-2 * MINUTE_MS, 2 * MINUTE_MS),
    ),
)
bars = st.sampled_from(list(BARS))
relaxed = settings(max_examples=60, deadline=None)
few = settings(max_examples=15, deadline=None)

Frame = Callable[..., pd.DataFrame]


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    """Two instruments, one silent now and then."""
    made = {}
    for index, (name, unit) in enumerate((("BTC", 0.1), ("DOGE", 0.00001))):
        random = np.random.default_rng(index)
        level = 1_000_000 if name == "BTC" else 20_000
        closes = level + np.cumsum(random.integers(-30, 31, COUNT))
        opens = np.concatenate([[level], closes[:-1]]) + random.integers(-3, 4, COUNT)
        made[name] = pd.DataFrame(
            {
                "date": pd.to_datetime(FIRST + MINUTE_MS * np.arange(COUNT), unit="ms", utc=True),
                "open": np.round(opens * unit, 5),
                "high": np.round(
                    (np.maximum(opens, closes) + random.integers(0, 9, COUNT)) * unit, 5
                ),
                "low": np.round(
                    (np.minimum(opens, closes) - random.integers(0, 9, COUNT)) * unit, 5
                ),
                "close": np.round(closes * unit, 5),
                "volume": random.integers(0, 30, COUNT) * random.integers(0, 2, COUNT) * 100.0,
            }
        )
    return made


def write(frames: dict[str, pd.DataFrame], folder: Path, until_ms: int = LAST) -> Path:
    (folder / "futures").mkdir(parents=True, exist_ok=True)
    end = pd.Timestamp(until_ms, unit="ms", tz="UTC")
    for name, frame in frames.items():
        frame[frame["date"] < end].reset_index(drop=True).to_feather(
            folder / "futures" / f"{name}_USDT_USDT-1m-futures.feather"
        )
    return folder


@pytest.fixture(scope="module")
def recorded(
    frames: dict[str, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory
) -> MarketData:
    return MarketData(CandleFolder(write(frames, tmp_path_factory.mktemp("recorded")), seed=3))


@pytest.fixture(scope="module")
def trades(recorded: MarketData) -> dict[str, list[Tick]]:
    """Everything that ever happens, per instrument."""
    return {
        inst_id: list(recorded.ticks(FIRST - DAY_MS, LAST + DAY_MS, inst_id))
        for inst_id in recorded.instruments
    }


def up_to(ticks: list[Tick], from_ms: int, to_ms: int) -> list[Tick]:
    """from_ms < ts <= to_ms."""
    key = [tick.ts_ms for tick in ticks]
    return ticks[bisect_right(key, from_ms) : bisect_right(key, to_ms)]


def opening(bar: str, ms: int) -> int:
    """When a bar opened, by the calendar."""
    when = datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=0)
    midnight = when.replace(hour=0, minute=0, second=0)
    unit, number = bar[-1], int(bar[:-1])
    if bar == "1M":
        opened = midnight.replace(day=1)
    elif bar == "1W":
        opened = midnight - timedelta(days=midnight.weekday())
    elif unit == "D":
        opened = midnight - timedelta(
            days=(midnight - datetime(1970, 1, 1, tzinfo=UTC)).days % number
        )
    elif unit == "H":
        opened = midnight.replace(hour=when.hour - when.hour % number)
    else:
        opened = when.replace(minute=when.minute - when.minute % number, second=0)
    return int(opened.timestamp() * 1000)


def counted(ticks: list[Tick], bar: str, contract_value: Decimal) -> list[list[object]]:
    """Candles by counting, newest first, without `confirm`."""
    groups: dict[int, list[Tick]] = {}
    for tick in ticks:
        groups.setdefault(opening(bar, tick.ts_ms), []).append(tick)
    rows: list[list[object]] = []
    for ts, group in groups.items():
        prices = [tick.price for tick in group]
        size = sum(tick.size_contracts for tick in group)
        quote = sum(tick.size_contracts * tick.price for tick in group) * contract_value
        numbers = (prices[0], max(prices), min(prices), prices[-1])
        rows.append([ts, *numbers, size, size * contract_value, quote])
    return rows[::-1]


def numbers(candles: list[Candle]) -> list[list[object]]:
    return [[candle.ts, *map(Decimal, candle[1:8])] for candle in candles]


# Candles


@relaxed
@given(st.sampled_from(["BTC-USDT", "DOGE-USDT"]), bars, moments)
def test_candles_are_what_the_trades_up_to_now_add_up_to(
    recorded: MarketData, trades: dict[str, list[Tick]], inst_id: str, bar: str, now: int
) -> None:
    candles = recorded.candles(inst_id, bar, now_ms=now, limit=10_000)
    past = up_to(trades[inst_id], 0, now)
    assert numbers(candles) == counted(past, bar, recorded.instruments[inst_id].contract_value)
    unfinished = [candle.ts for candle in candles if not candle.confirm]
    assert unfinished == ([opening(bar, now)] if now < LAST else unfinished[:1])


@relaxed
@given(bars, moments, st.data())
def test_after_and_before_are_strict_and_the_newest_win(
    recorded: MarketData, bar: str, now: int, data: st.DataObject
) -> None:
    everything = recorded.candles("BTC-USDT", bar, now_ms=now, limit=10_000)
    edges = st.one_of(
        st.none(),
        st.integers(FIRST - DAY_MS, LAST + DAY_MS),
        st.sampled_from([candle.ts for candle in everything]),
        st.sampled_from([0, -1, 10**18]),
    )
    after, before = data.draw(edges), data.draw(edges)
    limit = data.draw(st.integers(0, 50))
    page = recorded.candles(
        "BTC-USDT", bar, now_ms=now, after_ms=after, before_ms=before, limit=limit
    )
    wanted = [
        candle
        for candle in everything
        if (after is None or candle.ts < after) and (before is None or candle.ts > before)
    ]
    assert page == wanted[:limit]


@relaxed
@given(bars, moments, st.sampled_from(["mark", "index"]))
def test_mark_and_index_candles_follow_their_price(
    recorded: MarketData, bar: str, now: int, kind: str
) -> None:
    price = recorded.mark_price if kind == "mark" else recorded.index_price
    candle, *_ = recorded.candles("BTC-USDT", bar, kind, now_ms=now, limit=1)  # type: ignore[arg-type]
    assert Decimal(candle.close) == price("BTC-USDT", now)
    start, until = max(candle.ts, FIRST), min(now, LAST - 1)
    grid = range(max(start, until - HOUR_MS), until + 1, 15_000)
    seen = [price("BTC-USDT", ms) for ms in grid]
    assert Decimal(candle.low) <= min(seen) <= max(seen) <= Decimal(candle.high)
    if start >= until - HOUR_MS:
        assert (Decimal(candle.low), Decimal(candle.high)) == (min(seen), max(seen))
        assert Decimal(candle.open) == seen[0]
    assert candle.volume == candle.volume_currency == candle.volume_currency_quote == "0"


@given(st.integers(0, 4_000_000_000_000), bars, st.integers(-30, 30))
@settings(deadline=None)
def test_bars_open_by_the_calendar(ms: int, bar: str, offset: int) -> None:
    assert bar_start(bar, ms) == opening(bar, ms)
    moved = bar_start(bar, ms, offset)
    assert bar_start(bar, moved) == moved
    assert bar_start(bar, moved, -offset) == bar_start(bar, ms)


def test_rows_are_the_venue_s_text() -> None:
    """Numbers as the reference's examples show them: no exponent, no trailing zeros."""
    candle = Candle(
        1703484240000, "2283.45", "2283.45", "2282.8", "2282.8", "835", "8.35", "1", True
    )
    assert candle.row() == [
        "1703484240000", "2283.45", "2283.45", "2282.8", "2282.8", "835", "8.35", "1", "1"
    ]  # fmt: skip
    assert candle.price_row() == [
        "1703484240000", "2283.45", "2283.45", "2282.8", "2282.8", "1"
    ]  # fmt: skip


def test_small_prices_and_round_numbers_are_written_out() -> None:
    market = MarketData(GeneratedMarket([instrument("PEPE-USDT")], start_ms=MONDAY))
    for candle in market.candles("PEPE-USDT", "1m", now_ms=MONDAY, limit=200):
        for text in candle[1:8]:
            assert not set(text) - set("0123456789.")
            assert not ("." in text and text[-1] in "0.")
            assert text[0] != "."
        assert Decimal(candle.close) % market.instruments["PEPE-USDT"].tick_size == 0


def test_a_bar_the_venue_does_not_have(recorded: MarketData) -> None:
    with pytest.raises(ValueError, match=r"bar '1h' does not exist; use one of 1m, 3m"):
        recorded.candles("BTC-USDT", "1h", now_ms=LAST)


def test_no_candles_before_the_first(recorded: MarketData) -> None:
    assert recorded.candles("BTC-USDT", "1m", now_ms=FIRST - 1) == []
    newborn = recorded.candles("BTC-USDT", "1m", now_ms=FIRST)
    assert [candle.ts for candle in newborn] == [FIRST]


# Trades


@relaxed
@given(moments, st.integers(0, 3 * HOUR_MS), st.integers(0, 3 * HOUR_MS), st.sampled_from([4, 12]))
def test_trades_come_once_each_and_in_time_order(
    recorded: MarketData, start: int, first: int, second: int, steps: int
) -> None:
    market = MarketData(recorded.source, steps_per_minute=steps)
    middle, end = start + first, start + first + second
    ticks = list(market.ticks(start, end))
    assert ticks == [*market.ticks(start, middle), *market.ticks(middle, end)]
    order = list(market.instruments)
    keys = [(tick.ts_ms, order.index(tick.inst_id)) for tick in ticks]
    assert keys == sorted(set(keys))
    assert all(start < tick.ts_ms <= end for tick in ticks)
    for inst_id in order:
        assert [tick for tick in ticks if tick.inst_id == inst_id] == list(
            market.ticks(start, end, inst_id)
        )


def test_trades_are_on_tick_and_lot_size(
    recorded: MarketData, trades: dict[str, list[Tick]]
) -> None:
    for inst_id, ticks in trades.items():
        contract = recorded.instruments[inst_id]
        for tick in ticks[:5_000]:
            assert tick.price % contract.tick_size == 0
            assert tick.size_contracts % contract.lot_size == 0
            assert tick.side in ("buy", "sell")


def test_trades_make_exactly_the_candles_of_the_file(
    frames: dict[str, pd.DataFrame], recorded: MarketData, trades: dict[str, list[Tick]]
) -> None:
    for name, frame in frames.items():
        contract = recorded.instruments[f"{name}-USDT"]
        rows = counted(trades[f"{name}-USDT"], "1m", contract.contract_value)[::-1]
        assert len(rows) == COUNT
        for at, column in enumerate(("open", "high", "low", "close"), start=1):
            assert [float(row[at]) for row in rows] == frame[column].tolist()  # type: ignore[arg-type]
        assert [float(row[6]) for row in rows] == frame["volume"].tolist()  # type: ignore[arg-type]


@relaxed
@given(moments, st.integers(0, 2 * DAY_MS))
def test_extremes_are_those_of_the_trades(
    recorded: MarketData, trades: dict[str, list[Tick]], start: int, length: int
) -> None:
    prices = [tick.price for tick in up_to(trades["BTC-USDT"], start, start + length)]
    wanted = (min(prices), max(prices)) if prices else None
    assert recorded.extremes("BTC-USDT", start, start + length) == wanted


@relaxed
@given(moments)
def test_the_next_trade_is_where_it_is_said_to_be(recorded: MarketData, now: int) -> None:
    following = recorded.next_tick_ms(now)
    if following < LAST:
        assert next(recorded.ticks(now, LAST)).ts_ms == following


@relaxed
@given(moments, st.integers(1, 100))
def test_the_latest_trades(
    recorded: MarketData, trades: dict[str, list[Tick]], now: int, limit: int
) -> None:
    rows = recorded.trades("DOGE-USDT", now, limit)
    real = [tick for tick in up_to(trades["DOGE-USDT"], 0, now) if tick.size_contracts]
    assert [(row.ts_ms, row.price, row.size, row.side) for row in rows] == [
        (tick.ts_ms, tick.price, tick.size_contracts, tick.side) for tick in real[::-1][:limit]
    ]
    ids = [row.trade_id for row in rows]
    assert ids == sorted(set(ids), reverse=True)


# Prices at a moment


@relaxed
@given(moments)
def test_the_last_price_is_that_of_the_last_trade(
    recorded: MarketData, trades: dict[str, list[Tick]], now: int
) -> None:
    assert recorded.last_price("BTC-USDT", now) == up_to(trades["BTC-USDT"], 0, now)[-1].price


@relaxed
@given(moments, st.sampled_from([("mark_price", 4), ("index_price", 8)]))
def test_mark_and_index_are_means_of_the_latest_trades(
    recorded: MarketData, trades: dict[str, list[Tick]], now: int, kind: tuple[str, int]
) -> None:
    name, count = kind
    price = getattr(recorded, name)("BTC-USDT", now)
    past = [tick.price for tick in up_to(trades["BTC-USDT"], 0, now)][-count:]
    past = [past[0]] * (count - len(past)) + past
    tick_size = recorded.instruments["BTC-USDT"].tick_size
    assert abs(price - sum(past) / count) <= tick_size / 2
    assert price % tick_size == 0


@relaxed
@given(moments)
def test_the_ticker_looks_back_24_hours(
    recorded: MarketData, trades: dict[str, list[Tick]], now: int
) -> None:
    ticker = recorded.ticker("BTC-USDT", now)
    everything = up_to(trades["BTC-USDT"], 0, now)
    day = up_to(everything, now - DAY_MS, now) or everything[-1:]
    prices = [tick.price for tick in day]
    size = sum(tick.size_contracts for tick in day)
    assert (ticker.last, ticker.last_size) == (day[-1].price, day[-1].size_contracts)
    assert (ticker.open_24h, ticker.high_24h, ticker.low_24h) == (
        prices[0],
        max(prices),
        min(prices),
    )
    contract = recorded.instruments["BTC-USDT"]
    assert (ticker.vol_24h, ticker.vol_currency_24h) == (size, size * contract.contract_value)
    book = recorded.book("BTC-USDT", now, 1)
    assert (ticker.bid_price, ticker.bid_size) == book.bids[0]
    assert (ticker.ask_price, ticker.ask_size) == book.asks[0]


@relaxed
@given(st.sampled_from(["BTC-USDT", "DOGE-USDT"]), moments, st.integers(1, 200))
def test_a_book_stands_around_the_last_price(
    recorded: MarketData, trades: dict[str, list[Tick]], inst_id: str, now: int, depth: int
) -> None:
    contract = recorded.instruments[inst_id]
    book = recorded.book(inst_id, now, depth)
    bids, asks = ([price for price, _ in side] for side in book)
    assert len(bids) == len(asks) == depth
    assert bids == sorted(set(bids), reverse=True)
    assert asks == sorted(set(asks))
    assert bids[0] < asks[0]
    taken = up_to(trades[inst_id], 0, now)[-1]
    assert taken.price == (asks[0] if taken.side == "buy" else bids[0])
    assert (asks[0] - bids[0]) / bids[0] <= Decimal("0.0011")
    for price, size in [*book.bids, *book.asks]:
        assert price > 0
        assert price % contract.tick_size == 0
        assert size >= contract.lot_size
        assert size % contract.lot_size == 0
    deeper = recorded.book(inst_id, now, depth + 7)
    assert (deeper.bids[:depth], deeper.asks[:depth]) == (book.bids, book.asks)


def test_a_book_is_as_deep_as_the_market_is_busy() -> None:
    """A minute's turnover takes more than the best level, and less than all 200."""
    market = MarketData(
        GeneratedMarket(map(instrument, ("BTC-USDT", "AVAX-USDT")), start_ms=MONDAY)
    )
    spreads = []
    for inst_id in market.instruments:
        ticker, book = market.ticker(inst_id, MONDAY), market.book(inst_id, MONDAY, 200)
        depth = sum(size for _, size in book.asks)
        assert book.asks[0][1] < ticker.vol_24h / 1440 < depth
        assert depth < ticker.vol_24h
        spreads.append((book.asks[0][0] - book.bids[0][0]) / ticker.last)
    assert spreads[0] < spreads[1] < Decimal("0.001")


def test_questions_that_have_no_answer(recorded: MarketData) -> None:
    for ask in (recorded.last_price, recorded.mark_price, recorded.ticker, recorded.book):
        with pytest.raises(ValueError, match=f"BTC-USDT: no price at {FIRST - 1} ms"):
            ask("BTC-USDT", FIRST - 1)
        with pytest.raises(KeyError, match="XRP-USDT"):
            ask("XRP-USDT", FIRST)


# Funding


def test_funding_without_a_recording(recorded: MarketData) -> None:
    """Every eight hours; the rate that was settled is the one expected at that moment."""
    history = recorded.funding_history("BTC-USDT", now_ms=LAST)
    times = [row.funding_time for row in history]
    assert times == sorted(times, reverse=True)
    assert {time % FUNDING_INTERVAL_MS for time in times} == {0}
    assert len(times) == LAST // FUNDING_INTERVAL_MS - FIRST // FUNDING_INTERVAL_MS
    for row in history:
        assert row.rate == recorded.funding_rate("BTC-USDT", row.funding_time)
        assert abs(row.rate) <= Decimal("0.00375")
    assert recorded.next_funding_time(times[0]) == times[0] + FUNDING_INTERVAL_MS
    assert recorded.next_funding_time(times[0] - 1) == times[0]


def test_funding_follows_the_price() -> None:
    market = MarketData(GeneratedMarket([instrument("BTC-USDT")], start_ms=MONDAY))
    history = market.funding_history("BTC-USDT", now_ms=MONDAY, limit=100)
    gains = [
        market.index_price("BTC-USDT", row.funding_time)
        / market.index_price("BTC-USDT", row.funding_time - FUNDING_INTERVAL_MS)
        for row in history
    ]
    rates = [float(row.rate) for row in history]
    assert np.corrcoef(rates, [float(gain) for gain in gains])[0, 1] > 0.95
    assert min(rates) < 0 < max(rates)


@relaxed
@given(moments, st.data())
def test_pages_of_funding_are_strict(recorded: MarketData, now: int, data: st.DataObject) -> None:
    everything = recorded.funding_history("BTC-USDT", now_ms=now)
    edges = st.one_of(
        st.none(), st.integers(FIRST - DAY_MS, LAST), st.sampled_from([0, 10**18])
    ) | st.sampled_from([row.funding_time for row in everything] or [0])
    after, before, limit = data.draw(edges), data.draw(edges), data.draw(st.integers(0, 20))
    page = recorded.funding_history(
        "BTC-USDT", now_ms=now, after_ms=after, before_ms=before, limit=limit
    )
    wanted = [
        row
        for row in everything
        if (after is None or row.funding_time < after)
        and (before is None or row.funding_time > before)
    ]
    assert page == wanted[:limit]


@pytest.fixture(scope="module")
def with_mark_and_funding(
    frames: dict[str, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Recorded hourly mark prices that differ from the made ones, an hour missing, and rates."""
    folder = write(frames, tmp_path_factory.mktemp("with_mark"))
    btc = frames["BTC"].set_index("date")
    mark = btc.resample("1h").agg({"open": "first", "high": "max", "low": "min", "close": "last"})
    mark = (mark + 50).assign(volume=0.0).reset_index().drop(index=20).reset_index(drop=True)
    mark.to_feather(folder / "futures" / "BTC_USDT_USDT-1h-mark.feather")
    times = [
        time
        for time in range(FIRST // HOUR_MS * HOUR_MS, LAST, HOUR_MS)
        if time % (4 * HOUR_MS) == 0
    ]
    pd.DataFrame(
        {
            "date": pd.to_datetime(times, unit="ms", utc=True),
            "funding_rate": [0.00001 * (index + 1) for index in range(len(times))],
        }
    ).to_feather(folder / "futures" / "BTC_USDT_USDT-1h-funding_rate.feather")
    return folder


def test_recorded_mark_prices_are_served_once_they_are_over(
    frames: dict[str, pd.DataFrame], with_mark_and_funding: Path
) -> None:
    market = MarketData(CandleFolder(with_mark_and_funding))
    hour = FIRST // HOUR_MS * HOUR_MS + 30 * HOUR_MS
    mark = pd.read_feather(with_mark_and_funding / "futures" / "BTC_USDT_USDT-1h-mark.feather")
    by_time = {int(row.date.timestamp() * 1000): row for row in mark.itertuples()}
    unfinished, *finished = market.candles("BTC-USDT", "1H", "mark", now_ms=hour - 1, limit=25)
    assert unfinished.ts == hour - HOUR_MS
    assert float(unfinished.close) < by_time[hour - HOUR_MS].close - 40
    made = FIRST // HOUR_MS * HOUR_MS + 20 * HOUR_MS
    assert made not in by_time
    for candle in finished:
        if candle.ts == made:
            assert Decimal(candle.close) == market.mark_price("BTC-USDT", made + HOUR_MS - 1)
            continue
        row = by_time[candle.ts]
        assert (float(candle.open), float(candle.high), float(candle.low), float(candle.close)) == (
            pytest.approx((row.open, row.high, row.low, row.close), abs=1e-9)
        )
    assert [candle.ts for candle in finished] == [
        hour - HOUR_MS - back * HOUR_MS for back in range(1, 25)
    ]
    over = market.candles("BTC-USDT", "1H", "mark", now_ms=hour, limit=2)[1]
    assert float(over.close) == pytest.approx(by_time[hour - HOUR_MS].close)
    # Finer bars know nothing of an hourly recording.
    minute = market.candles("BTC-USDT", "1m", "mark", now_ms=hour - 1, limit=1)[0]
    assert Decimal(minute.close) == market.mark_price("BTC-USDT", hour - 1)


def test_recorded_rates_add_up_to_the_settlement(with_mark_and_funding: Path) -> None:
    """The exchange of the file settles every four hours, the venue every eight."""
    market = MarketData(CandleFolder(with_mark_and_funding))
    # 08:00, 12:00, 16:00 ... : 0.00001, 0.00002, 0.00003 ...; the first one stands alone.
    settled = market.funding_history("BTC-USDT", now_ms=FIRST + DAY_MS)[::-1]
    assert [row.rate for row in settled] == [
        Decimal("0.00001"), Decimal("0.00005"), Decimal("0.00009")
    ]  # fmt: skip
    time = settled[-1].funding_time
    assert market.funding_rate("BTC-USDT", time) == settled[-1].rate
    assert market.funding_rate("BTC-USDT", time - 1) == settled[-2].rate


# Nothing of the future


def _answers(market: MarketData, now: int) -> list[object]:
    """All that a client could see of BTC-USDT at a moment."""
    inst_id = "BTC-USDT"
    return [
        *(
            market.candles(inst_id, bar, kind, now_ms=now, limit=100)
            for bar in BARS
            for kind in ("last", "mark", "index")
        ),
        market.ticker(inst_id, now),
        market.book(inst_id, now, 50),
        market.trades(inst_id, now, 100),
        market.last_price(inst_id, now),
        market.mark_price(inst_id, now),
        market.index_price(inst_id, now),
        market.funding_rate(inst_id, now),
        market.funding_history(inst_id, now_ms=now),
        list(market.ticks(now - HOUR_MS, now)),
        market.extremes(inst_id, now - DAY_MS, now),
    ]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    now=moments.filter(lambda now: FIRST + DAY_MS <= now < LAST - 2 * MINUTE_MS),
    more=st.integers(0, 120),
)
def test_cutting_the_future_changes_nothing(
    with_mark_and_funding: Path,
    tmp_path_factory: pytest.TempPathFactory,
    now: int,
    more: int,
) -> None:
    cut = pd.Timestamp(now // MINUTE_MS * MINUTE_MS + MINUTE_MS * (1 + more), unit="ms", tz="UTC")
    folder = tmp_path_factory.mktemp("cut")
    (folder / "futures").mkdir()
    for file in (with_mark_and_funding / "futures").iterdir():
        frame = pd.read_feather(file)
        frame = frame[frame["date"] < cut]
        if "mark" in file.name:
            # The mark candle that ends at this very ms is known.
            frame = frame[frame["date"] <= pd.Timestamp(now - HOUR_MS, unit="ms", tz="UTC")]
        frame.reset_index(drop=True).to_feather(folder / "futures" / file.name)
    whole, rest = MarketData(CandleFolder(with_mark_and_funding)), MarketData(CandleFolder(folder))
    assert _answers(rest, now) == _answers(whole, now)


@few
@given(now=st.integers(MONDAY, MONDAY + 5 * DAY_MS), earlier=st.integers(0, 2 * DAY_MS))
def test_what_was_asked_before_changes_nothing(
    generated: GeneratedMarket, now: int, earlier: int
) -> None:
    """A market that was asked about another time first gives the same answers as a fresh one."""
    used, fresh = MarketData(generated), MarketData(generated)
    _answers(used, now + earlier)
    assert _answers(used, now - earlier) == _answers(fresh, now - earlier)


# Range and shift


def test_the_range_of_the_data(recorded: MarketData, market: MarketData) -> None:
    assert (recorded.start_ms, recorded.end_ms) == (FIRST, LAST)
    assert recorded.span("BTC-USDT") == (FIRST, LAST)
    assert (market.start_ms, market.end_ms) == (MONDAY - 40 * DAY_MS, None)
    assert all(contract.list_time <= FIRST for contract in recorded.instruments.values())


def test_instruments_of_different_lengths(frames: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    write({"BTC": frames["BTC"].iloc[100:]}, tmp_path)
    write({"DOGE": frames["DOGE"].iloc[:5_000]}, tmp_path)
    market = MarketData(CandleFolder(tmp_path))
    assert market.start_ms == FIRST + 100 * MINUTE_MS
    assert market.end_ms == FIRST + 5_000 * MINUTE_MS
    seen = {tick.inst_id for tick in market.ticks(FIRST - 1, FIRST + 99 * MINUTE_MS)}
    assert seen == {"DOGE-USDT"}


def test_the_last_price_stands_after_the_end(recorded: MarketData) -> None:
    later = LAST + 3 * DAY_MS
    assert recorded.last_price("BTC-USDT", later) == recorded.last_price("BTC-USDT", LAST - 1)
    assert list(recorded.ticks(LAST - 1, later)) == []
    assert recorded.extremes("BTC-USDT", LAST - 1, later) is None
    newest = recorded.candles("BTC-USDT", "1m", now_ms=later, limit=1)[0]
    assert (newest.ts, newest.confirm) == (LAST - MINUTE_MS, True)


@few
@given(now=st.integers(FIRST, LAST), days=st.integers(-400, 400))
def test_a_shift_moves_everything_and_changes_nothing(
    with_mark_and_funding: Path, now: int, days: int
) -> None:
    shift = days * DAY_MS
    source = CandleFolder(with_mark_and_funding)
    plain, moved = MarketData(source), MarketData(source, shift_ms=shift)
    assert (moved.start_ms, moved.end_ms) == (FIRST + shift, LAST + shift)
    for bar in ("1m", "15m", "1H", "12H", "1D"):
        for kind in ("last", "mark", "index"):
            assert [
                candle._replace(ts=candle.ts - shift)
                for candle in moved.candles("BTC-USDT", bar, kind, now_ms=now + shift)
            ] == plain.candles("BTC-USDT", bar, kind, now_ms=now)
    assert [
        tick._replace(ts_ms=tick.ts_ms - shift)
        for tick in moved.ticks(now - HOUR_MS + shift, now + shift)
    ] == list(plain.ticks(now - HOUR_MS, now))
    assert moved.funding_rate("BTC-USDT", now + shift) == plain.funding_rate("BTC-USDT", now)
    assert [row.rate for row in moved.funding_history("BTC-USDT", now_ms=now + shift)] == [
        row.rate for row in plain.funding_history("BTC-USDT", now_ms=now)
    ]


def test_recorded_candles_on_a_real_clock(recorded: MarketData) -> None:
    now = RealClock().now_ms()
    shift = day_shift(FIRST + 2 * DAY_MS, now)
    market = MarketData(recorded.source, shift_ms=shift)
    assert market.start_ms < now < market.end_ms  # type: ignore[operator]
    assert market.candles("BTC-USDT", "15m", now_ms=now, limit=1)[0].ts == now // 900_000 * 900_000
    assert time.gmtime((now - shift) // 1000)[:3] == (2025, 6, 1)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"steps_per_minute": 3}, "steps_per_minute=3"),
        ({"steps_per_minute": 7}, "steps_per_minute=7"),
        ({"shift_ms": HOUR_MS}, "shift_ms=3600000"),
    ],
)
def test_settings_that_cannot_be(
    recorded: MarketData, setting: dict[str, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        MarketData(recorded.source, **setting)


def test_tiers_are_those_of_the_instrument_as_it_is(recorded: MarketData) -> None:
    rows = recorded.tiers("BTC-USDT")
    assert rows[0].inst_id == "BTC-USDT"
    assert rows[0].min_size == recorded.instruments["BTC-USDT"].min_size
