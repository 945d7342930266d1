import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bubbybot_freqtrade.sandbox.market.paths import (
    DAY_MS,
    MINUTE_MS,
    Minutes,
    compact,
    minutes_inside,
    salt,
    trades_inside,
)

relaxed = settings(deadline=None)

DURATIONS = [3, 5, 15, 30, 60, 240, 1440]


@st.composite
def bars(draw: st.DrawFn) -> np.ndarray:
    """Valid candles in ticks and lots, extremes, flat and silent ones included."""
    count = draw(st.integers(1, 12))
    columns = []
    for _ in range(count):
        low = draw(st.integers(1, 10**7))
        high = low + draw(st.sampled_from([0, 1, 2, 7, 400, 10**6]))
        inside = st.integers(low, high)
        columns.append([draw(inside), high, low, draw(inside), draw(st.integers(0, 10**9))])
    return np.array(columns, np.int64).T


steps = st.sampled_from([4, 5, 6, 12, 60])
orders = st.sampled_from(["nearer", "seeded"])
streams = st.integers(0, 2**64 - 1)


@relaxed
@given(bars(), steps, orders, streams)
def test_a_walk_keeps_to_its_candle(rows: np.ndarray, count: int, order: str, stream: int) -> None:
    walk = trades_inside(Minutes(0, rows), count, stream, order)  # type: ignore[arg-type]
    open_, high, low, close, volume = rows
    assert walk.price.shape == (rows.shape[1], count)
    assert (walk.price[:, 0] == open_).all()
    assert (walk.price[:, -1] == close).all()
    assert (walk.price.max(axis=1) == high).all()
    assert (walk.price.min(axis=1) == low).all()
    assert (walk.lots.sum(axis=1) == volume).all()
    assert (walk.lots >= 0).all()


@relaxed
@given(bars(), steps, streams)
def test_buyers_lift_the_price_and_sellers_press_it(
    rows: np.ndarray, count: int, stream: int
) -> None:
    walk = trades_inside(Minutes(0, rows), count, stream)
    moves = np.diff(walk.price, axis=1)
    assert walk.buy[:, 1:][moves > 0].all()
    assert not walk.buy[:, 1:][moves < 0].any()


@relaxed
@given(bars(), steps, streams)
def test_the_nearer_extreme_comes_first(rows: np.ndarray, count: int, stream: int) -> None:
    walk = trades_inside(Minutes(0, rows), count, stream)
    open_, high, low, _, _ = rows
    # With the first price: a minute that opens at its low was there before any high.
    at_high, at_low = walk.price == high[:, None], walk.price == low[:, None]
    high_first = at_high.argmax(axis=1) <= at_low.argmax(axis=1)
    assert high_first[high - open_ < open_ - low].all()
    assert not high_first[(high - open_ > open_ - low)].any()


def test_a_drawn_order_goes_both_ways() -> None:
    rows = np.tile(np.array([[55], [100], [50], [60], [9]]), 400)
    walk = trades_inside(Minutes(0, rows), 4, salt(1), "seeded")
    assert 100 < (walk.price[:, 1] == 100).sum() < 300


@relaxed
@given(bars(), st.sampled_from(DURATIONS), streams)
def test_minutes_fold_back_to_the_candle_they_were_cut_from(
    rows: np.ndarray, duration: int, stream: int
) -> None:
    minutes = minutes_inside(0, duration * MINUTE_MS, rows, stream)
    open_, high, low, close, volume = minutes.bars.reshape(5, -1, duration)
    assert (open_[:, 0] == rows[0]).all()
    assert (high.max(axis=1) == rows[1]).all()
    assert (low.min(axis=1) == rows[2]).all()
    assert (close[:, -1] == rows[3]).all()
    assert (volume.sum(axis=1) == rows[4]).all()
    assert (high >= np.maximum(open_, close)).all()
    assert (low <= np.minimum(open_, close)).all()
    assert (volume >= 0).all()


@relaxed
@given(bars(), st.sampled_from(DURATIONS), streams, st.data())
def test_the_way_through_a_candle_depends_on_that_candle_alone(
    rows: np.ndarray, duration: int, stream: int, data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, rows.shape[1] - 1))
    whole = minutes_inside(DAY_MS, duration * MINUTE_MS, rows, stream)
    start = DAY_MS + first * duration * MINUTE_MS
    alone = minutes_inside(start, duration * MINUTE_MS, rows[:, first : first + 1], stream)
    cut = whole.cut(start, start + duration * MINUTE_MS)
    assert (alone.start_ms, alone.bars.tolist()) == (cut.start_ms, cut.bars.tolist())

    walked = trades_inside(whole, 6, stream)
    walked_alone = trades_inside(alone, 6, stream)
    part = slice(first * duration, (first + 1) * duration)
    assert walked.price[part].tolist() == walked_alone.price.tolist()
    assert walked.lots[part].tolist() == walked_alone.lots.tolist()
    assert walked.buy[part].tolist() == walked_alone.buy.tolist()


@relaxed
@given(st.integers(0, 50), st.integers(-70, 70), st.integers(-70, 70))
def test_a_cut_holds_the_minutes_that_start_in_it(count: int, first: int, last: int) -> None:
    start = 100 * MINUTE_MS
    minutes = Minutes(start, np.tile(np.arange(count), (5, 1)))
    cut = minutes.cut(start + first * MINUTE_MS - 1, start + last * MINUTE_MS - 1)
    wanted = [minute for minute in range(count) if first <= minute < last]
    assert cut.bars[0].tolist() == wanted
    if wanted:
        assert cut.start_ms == start + wanted[0] * MINUTE_MS
        assert cut.end_ms == start + (wanted[-1] + 1) * MINUTE_MS


@pytest.mark.parametrize("words", [("BTC-USDT",), ("BTC-USDT", "trades"), (1,)])
def test_a_salt_belongs_to_its_words(words: tuple[object, ...]) -> None:
    assert salt(3, *words) == salt(3, *words)
    assert salt(3, *words) != salt(4, *words)
    assert salt(3, *words) != salt(3, *words, "more")


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
@example([2**31 - 1, -(2**31)])
@example([2**31])
@example([-(2**31) - 1])
def test_compact_numbers_are_the_same_numbers(numbers):
    assert compact(np.array(numbers, np.int64)).tolist() == numbers
