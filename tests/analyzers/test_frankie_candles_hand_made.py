"""
Hand-made candles for every event of Frankie Candles: a person can see that it belongs there, and
beside each a near miss in which it must not appear.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bubbybot_freqtrade.analyzers import frankie_candles
from bubbybot_freqtrade.analyzers.candles import read_candles
from bubbybot_freqtrade.analyzers.frankie_candles import divergences, golden_pocket, volume_profile
from bubbybot_freqtrade.analyzers.lux_algo.range import running_range
from bubbybot_freqtrade.analyzers.lux_algo.structure import structure_walk


@pytest.fixture
def path(draw):
    """Candles that run through these closes, with small wicks."""

    def drawn(closes):
        opens = [closes[0], *closes[:-1]]
        return draw(
            (o, max(o, c) + 0.01, min(o, c) - 0.01, c) for o, c in zip(opens, closes, strict=True)
        )

    return drawn


# --- volume profile, in four rows from 10 to 14 ---------------------------------------------------


def profile(*candles: tuple[float, float, float], rows: int = 4) -> tuple[float, float, float]:
    """(POC, VAH, VAL) after these (low, high, volume)."""
    low, high, volume = (np.array(values, dtype=float) for values in zip(*candles, strict=True))
    found = volume_profile(high, low, volume, window=len(candles), rows=rows)
    return tuple(values[-1] for values in found)


def test_an_even_spread_ties_and_the_lowest_row_wins() -> None:
    # Four rows of 1; from the lowest the area can only grow upwards, to 3 of 4 ≥ 70 %.
    assert profile((10, 14, 4)) == (10.5, 13, 10)


def test_the_fullest_row_is_the_point_of_control() -> None:
    assert profile((10, 14, 4), (12, 13, 1))[0] == 12.5
    # 1 more in the lowest row: a tie again.
    assert profile((10, 14, 4), (12, 13, 1), (10, 11, 1))[0] == 10.5


def test_volume_spreads_in_proportion_to_the_overlap() -> None:
    # 10–12.5 with 5: 2, 2, 1; a point of 1.1 makes the third the fullest.
    assert profile((10, 12.5, 5), (14, 14, 0), (12.2, 12.2, 1.1))[0] == 12.5
    assert profile((10, 12.5, 5), (14, 14, 0), (12.2, 12.2, 0.9))[0] == 10.5


@pytest.mark.parametrize(
    ("price", "poc"),
    [(12, 12.5), (11.99, 11.5), (10, 10.5), (14, 13.5), (13, 13.5)],
)
def test_a_candle_without_range_lies_in_one_row_and_on_an_edge_in_the_upper(
    price: float, poc: float
) -> None:
    assert profile((10, 14, 4), (price, price, 5))[0] == poc


def test_a_decimal_price_on_an_edge_lies_in_the_upper_row() -> None:
    # (100.3 − 100)·10 is 2.9999999999999716 in binary; on paper it is the edge of the fourth row.
    poc, _, _ = profile((100, 101, 1), (100.3, 100.3, 9), rows=10)
    assert poc == pytest.approx(100.35)


def test_the_value_area_takes_the_fuller_neighbour_and_the_upper_on_a_tie() -> None:
    base = (10, 14, 4)  # 1 each
    # Rows 1, 1, 7, 1 of 10: 7 is 70 %, the point of control is all of it.
    assert profile(base, (12, 13, 6))[1:] == (13, 12)
    # Rows 1, 1, 6, 1 of 9: one neighbour more, a tie, the upper.
    assert profile(base, (12, 13, 5))[1:] == (14, 12)
    # Rows 1, 1.5, 6, 1 of 9.5: the lower is fuller.
    assert profile(base, (12, 13, 5), (11, 12, 0.5))[1:] == (13, 11)


def test_the_value_area_goes_on_downwards_when_the_top_is_used_up() -> None:
    # Rows 1, 1, 1, 3 of 6: from the top it can only go down, 5 of 6 are needed.
    assert profile((10, 14, 4), (13, 14, 2)) == (13.5, 14, 11)


@pytest.mark.parametrize("candle", [(10, 14, 0.0), (10, 10, 5.0)])
def test_no_volume_or_no_range_has_no_profile(candle) -> None:
    assert np.isnan(profile(candle, candle)).all()


def test_only_the_window_counts() -> None:
    low = np.array([10.0, 10, 10, 10, 10])
    high = np.array([14.0, 11, 14, 14, 14])
    volume = np.array([4.0, 100, 4, 4, 4])
    found = volume_profile(high, low, volume, window=3, rows=4)
    assert np.isnan(found.poc[:2]).all()
    assert found.value_high[2:].tolist() == [11, 11, 13]  # the heavy candle leaves with row 4


@settings(max_examples=80, deadline=None)
@given(low=st.integers(1, 99_999), ticks=st.integers(1, 99_999), digits=st.integers(0, 8))
def test_an_even_spread_ties_in_any_decimal_price(low: int, ticks: int, digits: int) -> None:
    """Binary rounding makes the hundred equal rows differ in the last digit; it must not choose."""
    bottom, top = low / 10**digits, (low + ticks) / 10**digits
    poc, value_high, value_low = profile((bottom, top, 3.3), rows=100)
    size = top - bottom
    assert poc == pytest.approx(bottom + 0.005 * size, rel=1e-12)
    assert value_high == pytest.approx(bottom + 0.7 * size, rel=1e-12)
    assert value_low == bottom


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_candles_that_left_leave_no_rounding_behind(seed: int) -> None:
    """Volumes from 1e-6 to 1e12: the row equals that of its own window alone."""
    rng = np.random.default_rng(seed)
    count, window, rows = 120, 15, 8
    low, high = np.full(count, 10.0), np.full(count, 18.0)
    narrow = np.arange(count) % 5 > 0  # the others hold the window's range
    low[narrow] += rng.random(narrow.sum()) * 6
    high[narrow] = low[narrow] + rng.random(narrow.sum()) * 2
    volume = 10.0 ** rng.choice([-6, 0, 12], count, p=[0.8, 0.15, 0.05]) * (1 + rng.random(count))
    rolling = volume_profile(high, low, volume, window, rows)
    for t in range(window, count):
        own = slice(t - window + 1, t + 1)
        alone = volume_profile(high[own], low[own], volume[own], window, rows)
        assert [v[t] for v in rolling] == [v[-1] for v in alone]


# --- divergences ----------------------------------------------------------------------------------


def vee(*bottoms: tuple[int, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Oscillator and price with bottoms of (candle, oscillator, price), slopes of 5 around."""
    count = bottoms[-1][0] + 6
    wave, price = np.full(count, 50.0), np.full(count, 1000.0)
    for at, depth, low in bottoms:
        for k in range(-5, 6):
            wave[at + k] = depth + 2 * abs(k)
        price[at] = low
    return wave, price


def counted(sign: int, *bottoms: tuple[int, float, float]) -> dict[str, list[float]]:
    wave, price = vee(*bottoms)
    if sign > 0:
        found = divergences((wave,), price + 5000, price)
        names = {"regular": found.bull, "hidden": found.bull_hidden}
    else:
        found = divergences((-wave,), -price + 5000, -price - 5000)
        names = {"regular": found.bear, "hidden": found.bear_hidden}
    return {name: np.flatnonzero(values).tolist() for name, values in names.items()}


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("second", "regular", "hidden"),
    [
        ((30, 25, 90), [35], []),  # lower low in price, higher low in the oscillator
        ((30, 15, 110), [], [35]),  # the other way round
        ((30, 25, 110), [], []),
        ((30, 15, 90), [], []),
        ((30, 20, 90), [], []),  # equal oscillator
        ((30, 25, 100), [], []),  # equal price
        ((70, 25, 90), [75], []),  # 60 candles from pivot to pivot
        ((71, 25, 90), [], []),  # 61
    ],
)
def test_divergence_of_two_pivots(sign: int, second, regular, hidden) -> None:
    found = counted(sign, (10, 20, 100), second)
    assert found == {"regular": regular, "hidden": hidden}


def test_a_pivot_needs_five_candles_on_either_side() -> None:
    wave, price = vee((10, 20, 100), (30, 25, 90))
    assert divergences((wave[:35],), price[:35], price[:35]).bull.sum() == 0
    wave[25] = 25.0  # as low as the pivot, five candles before it
    assert divergences((wave,), price, price).bull.sum() == 0
    wave[25] = 25.1
    assert divergences((wave,), price, price).bull.sum() == 1


def test_oscillators_that_agree_are_counted() -> None:
    wave, price = vee((10, 20, 100), (30, 25, 90))
    falling, _ = vee((10, 20, 100), (30, 15, 90))
    found = divergences((wave, falling, wave + 3), price + 5000, price)
    assert found.bull[35] == 2
    assert divergences((wave,) * 3, price + 5000, price).bull[35] == 3


def test_a_price_that_stands_still_makes_no_pivot_of_the_rsi(market, path) -> None:
    """Gains and losses shrink alike, so the RSI stays: what is left of it is rounding."""
    closes = market(1_200, 2)["close"].tolist()
    for stop in range(200, 1_200, 25):
        frame = path([*closes[:stop], *[closes[stop - 1]] * 60])
        rsi, _, _ = frankie_candles.oscillators(read_candles(frame))
        found = divergences((rsi,), frame["high"].to_numpy(), frame["low"].to_numpy())
        known = stop + 4  # by then every pivot of the candles that moved has been
        assert [int(values[known:].sum()) for values in found] == [0, 0, 0, 0], stop


def test_strong_divergences_lie_beyond_the_value_area(market) -> None:
    frame = frankie_candles.populate(market(8_000, 3))
    low, high = frame["low"].shift(5), frame["high"].shift(5)
    bull, bear = frame["fc_bull_div"] > 0, frame["fc_bear_div"] > 0
    assert (bull & ~frame["fc_bull_div_strong"] & (low >= frame["fc_val"])).any()
    assert (frame["fc_bull_div_strong"] == (bull & (low < frame["fc_val"]))).all()
    assert (bear & ~frame["fc_bear_div_strong"] & (high <= frame["fc_vah"])).any()
    assert (frame["fc_bear_div_strong"] == (bear & (high > frame["fc_vah"]))).all()


def two_dips(sign: int, days_at: float, second: float = 96.0) -> list[float]:
    """
    Five days of sideways closes, every other hour or so of them at 100 and at `days_at`; then a
    plunge to 97 in 6 candles and, after a recovery, a slow slide of 20 to `second` (sign −1: up).
    """
    days = [
        (days_at if i % 120 < 60 and i < 420 else 100.0) + 0.5 * (-1) ** i  # the last hours at 100
        for i in range(480)
    ]
    slide = []
    for low in np.linspace(99.5, second, 11)[1:]:
        slide += [low + 0.1, low]  # down, a little more down: few and small losses
    plunge, recovery = np.linspace(100, 97, 7)[1:], np.linspace(97, 99.5, 11)[1:]
    closes = [*days, *plunge, *recovery, *slide, *np.linspace(second, 99, 9)[1:]]
    return [100 + sign * (close - 100) for close in closes]


SECOND_DIP = 480 + 6 + 10 + 20 - 1


@pytest.mark.parametrize(("sign", "name", "edge"), [(1, "bull", "fc_val"), (-1, "bear", "fc_vah")])
@pytest.mark.parametrize(
    ("days_at", "strong"),
    [
        (100.0, True),  # nobody had traded where the second dip ends
        (96.0, True),  # the value area ends 0.2 above its low of 95.99
        (95.5, False),  # the value area takes it in
        (95.0, False),
    ],
)
def test_a_divergence_is_strong_outside_the_value_area_only(
    path, sign: int, name: str, edge: str, days_at: float, strong: bool
) -> None:
    frame = frankie_candles.populate(path(two_dips(sign, days_at)))
    known = frame.loc[SECOND_DIP + 5]
    assert known[f"fc_{name}_div"] >= 1  # the same divergence every time
    extreme = frame["low" if sign > 0 else "high"][SECOND_DIP]
    assert extreme == pytest.approx(100 - sign * 4.01)
    assert (sign * extreme < sign * known[edge]) == strong  # what the days are drawn for
    assert np.flatnonzero(frame[f"fc_{name}_div_strong"][490:]).tolist() == (
        [SECOND_DIP + 5 - 490] if strong else []
    )


@pytest.mark.parametrize(("sign", "name"), [(1, "bull"), (-1, "bear")])
def test_a_dip_outside_the_value_area_without_divergence_is_not_strong(
    path, sign: int, name: str
) -> None:
    """The second dip ends above the first: no lower low, though far below the value area."""
    frame = frankie_candles.populate(path(two_dips(sign, 100.0, second=97.5)))
    known = frame.loc[SECOND_DIP + 5]
    assert sign * frame["close"][SECOND_DIP] < sign * known["fc_val" if sign > 0 else "fc_vah"]
    assert not frame[f"fc_{name}_div_strong"][490:].any()


def test_divergences_on_the_wrong_side_of_the_poc_do_not_score(path) -> None:
    """The second dip, to 95.99, diverges; where nearly all volume lies decides what it is worth."""

    def newest(volume_below: float) -> pd.Series:
        frame = path(two_dips(1, 95.0))
        frame.loc[frame["close"] < 95.6, "volume"] = volume_below
        return frankie_candles.populate(frame).loc[SECOND_DIP + 5]

    right, wrong = newest(100.0), newest(1e6)
    for known in (right, wrong):
        assert known["fc_bull_div"] >= 1
        assert not known["fc_bull_div_strong"]
        assert known["fc_in_golden_pocket"] == 0
    assert wrong["fc_poc"] < 95.99 < right["fc_poc"]
    assert (wrong["fc_bull_div_wrong_side"], right["fc_bull_div_wrong_side"]) == (True, False)
    assert wrong["fc_long_score"] == 0
    further = right["fc_bull_div"] - 1
    below = 0.10 * (right["close"] < right["fc_poc"])
    assert right["fc_long_score"] == pytest.approx(0.30 + 0.10 * further + below)


# --- golden pocket --------------------------------------------------------------------------------


def pocket(closes: list[float], last: float) -> tuple[float, float, float]:
    """(top, bottom, inside) on the last row; the candles are points, swings of length 2."""
    line = np.array([*closes, last])
    walk = structure_walk(line, line, line, 2)
    found = golden_pocket(line, running_range(line, line, walk.turn, 2))
    return tuple(values[-1] for values in found)


UP = [130.0, 115, 100, 150, 200, 190, 160]  # low 100 (known on row 4), then high 200 (row 6)
DOWN = [300 - value for value in UP]


@pytest.mark.parametrize(
    ("last", "inside"), [(138.2, 1), (136, 1), (135, 1), (138.3, 0), (134.9, 0), (150, 0)]
)
def test_pocket_of_an_up_leg(last: float, inside: float) -> None:
    top, bottom, found = pocket(UP, last)
    assert (top, bottom) == pytest.approx((138.2, 135))
    assert found == inside


@pytest.mark.parametrize(
    ("last", "inside"), [(165, -1), (164, -1), (161.8, -1), (165.1, 0), (161.7, 0)]
)
def test_pocket_of_a_down_leg(last: float, inside: float) -> None:
    top, bottom, found = pocket(DOWN, last)
    assert (top, bottom) == pytest.approx((165, 161.8))
    assert found == inside


def test_an_outside_candle_that_makes_both_ends_is_no_up_leg() -> None:
    """Its high was not made after its low."""
    high, low = np.array([*UP, 210.0]), np.array([*UP, 90.0])
    close = np.array([*UP, 165.0])
    walk = structure_walk(high, low, close, 2)
    found = golden_pocket(close, running_range(high, low, walk.turn, 2))
    assert (found.top[-1], found.bottom[-1]) == pytest.approx((168, 164.16))
    assert found.inside[-1] == -1


def test_no_pocket_before_both_pivots() -> None:
    top, bottom, found = pocket(UP[:2], 120)
    assert np.isnan([top, bottom]).all()
    assert found == 0
