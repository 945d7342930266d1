"""
Hand-made candles and lines for every event of Market Cipher: a person can see that it belongs
there, and beside each a near miss in which it must not appear.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bubbybot_freqtrade.analyzers import market_cipher
from bubbybot_freqtrade.analyzers.candles import average_true_range, relative_strength
from bubbybot_freqtrade.analyzers.market_cipher import (
    dbsi,
    fractal_divergences,
    gold_dots,
    money_flow,
    stochastic_rsi,
    support_resistance,
    wave_trend,
)


def rows_of(frame: pd.DataFrame, column: str) -> list[int]:
    return np.flatnonzero(frame[column]).tolist()


@pytest.fixture
def path(draw):
    """Candles that run through these closes, with small wicks."""

    def drawn(closes) -> pd.DataFrame:
        opens = [closes[0], *closes[:-1]]
        return draw(
            (o, max(o, c) + 0.01, min(o, c) - 0.01, c) for o, c in zip(opens, closes, strict=True)
        )

    return drawn


def legs(*parts: tuple[int, float], start: float = 100.0) -> list[float]:
    """Closes of straight legs: (candles, step per candle)."""
    closes = [start]
    for candles, step in parts:
        closes += [closes[-1] + step * (i + 1) for i in range(candles)]
    return closes


# --- B: dots --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sign", "dot"), [(1, "mc_green_dot"), (-1, "mc_red_dot")])
def test_dot_stands_on_the_turn_after_a_plunge(path, sign: int, dot: str) -> None:
    calm = [100 + 0.1 * (-1) ** i for i in range(60)]
    plunge = [100 - sign * 0.1 * (i + 1) ** 2 for i in range(6)]  # ever steeper
    turn = [plunge[-1] + sign * 1.5 * (i + 1) for i in range(8)]
    frame = market_cipher.populate(path(calm + plunge + turn))
    (row,) = [row for row in rows_of(frame, dot) if row > 60]
    assert 66 <= row <= 68  # within three candles of the turn
    assert sign * frame["mc_wt2"][row] <= -53


@pytest.mark.parametrize(("sign", "dot"), [(1, "mc_green_dot"), (-1, "mc_red_dot")])
def test_the_same_turn_inside_the_bounds_is_no_dot(path, sign: int, dot: str) -> None:
    calm = [100 + 1.5 * (-1) ** i for i in range(60)]  # as noisy as the dip itself
    plunge = [100 - sign * 0.3 * (i + 1) for i in range(6)]
    turn = [plunge[-1] + sign * 1.5 * (i + 1) for i in range(8)]
    frame = market_cipher.populate(path(calm + plunge + turn))
    crossed = np.sign(frame["mc_wt_vwap"]).diff().abs()[66:72]
    assert crossed.max() == 2  # the cross is there ...
    assert not [row for row in rows_of(frame, dot) if row > 60]  # ... the depth is not


# --- B: divergences, on lines drawn by hand (wt2, and lows or highs at the fractal candles) -------


def vee(*bottoms: tuple[float, float], top: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """An oscillator of V shapes and a price line: one (oscillator, price) pair per bottom."""
    wave, price = [top], [1000.0]
    for depth, low in bottoms:
        wave += [(top + depth) / 2, depth, (top + depth) / 2, top]
        price += [1000.0, low, 1000.0, 1000.0]
    return np.array(wave), np.array(price)


def events(wave: np.ndarray, price: np.ndarray, sign: int, limit: float) -> dict[str, list[int]]:
    """The divergences of V shapes (sign +1) or of their mirror (−1)."""
    if sign > 0:
        found = fractal_divergences(wave, price + 5000, price, bottom=limit)
        pairs = (("regular", found.bull), ("hidden", found.bull_hidden))
    else:
        found = fractal_divergences(-wave, -price + 5000, -price, top=-limit)
        pairs = (("regular", found.bear), ("hidden", found.bear_hidden))
    return {name: np.flatnonzero(rows).tolist() for name, rows in pairs}


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("second", "regular", "hidden"),
    [
        ((-70, 90), [8], []),  # lower low in price, higher low in the wave
        ((-90, 110), [], [8]),  # higher low in price, lower low in the wave
        ((-90, 90), [], []),  # both lower: they agree
        ((-70, 110), [], []),  # both higher: they agree
        ((-70, 100), [], []),  # the same low is no lower low
        ((-80, 90), [], []),  # the same wave is no higher low
        ((-64, 90), [], []),  # not deep enough to count
        ((-65, 90), [8], []),  # just deep enough
    ],
)
def test_divergence_of_two_bottoms(sign: int, second, regular, hidden) -> None:
    wave, price = vee((-80, 100), second)
    assert events(wave, price, sign, limit=-65) == {"regular": regular, "hidden": hidden}


@pytest.mark.parametrize("sign", [1, -1])
def test_only_the_previous_counting_bottom_is_compared(sign: int) -> None:
    """A shallow bottom between two deep ones does not count, so the deep ones are compared."""
    wave, price = vee((-80, 100), (-50, 95), (-70, 90))
    assert events(wave, price, sign, limit=-65)["regular"] == [12]
    wave, price = vee((-80, 100), (-75, 85), (-70, 90))
    assert events(wave, price, sign, limit=-65)["regular"] == [8]  # 90 is no lower low than 85


@pytest.mark.parametrize("side", [0, 1, 2, 3])
def test_a_fractal_is_strictly_beyond_its_four_neighbours(side: int) -> None:
    wave, price = vee((-80, 100), (-70, 90))
    wave[[4, 5, 7, 8][side]] = -70.0  # one of the four is as low as the bottom itself
    assert events(wave, price, 1, limit=-65)["regular"] == []


def test_a_fractal_is_known_two_candles_later_and_not_before() -> None:
    wave, price = vee((-80, 100), (-70, 90))
    assert events(wave[:8], price[:8], 1, limit=-65)["regular"] == []
    assert events(wave[:9], price[:9], 1, limit=-65)["regular"] == [8]


def test_weak_band_keeps_its_own_previous_fractal_and_yields_to_the_first(market) -> None:
    frame = market_cipher.populate(market(20_000, 3))
    wave = frame["mc_wt2"].to_numpy()
    for kind, sign in (("bull", 1), ("bear", -1)):
        strong, weak = frame[f"mc_{kind}_div"], frame[f"mc_{kind}_div_weak"]
        assert not (strong & weak).any()
        at = np.flatnonzero(weak) - 2
        assert (sign * wave[at] <= (-40 if sign > 0 else -15)).all()


# --- B: gold --------------------------------------------------------------------------------------


def gold(first=-80.0, now=-60.0, rsi=25.0) -> list[int]:
    wave, price = vee((first, 100), (-66 if first > -66 else -70, 90), top=now)
    found = fractal_divergences(wave, price + 5000, price, bottom=-65)
    strength = np.full(len(wave), 50.0)
    strength[2] = rsi  # at the previous bottom itself
    return np.flatnonzero(gold_dots(found, wave, strength)).tolist()


def test_gold_dot_on_the_divergence_row() -> None:
    assert gold() == [8]


@pytest.mark.parametrize(
    "miss",
    [
        {"rsi": 30.0},  # not below 30
        {"first": -74.9},  # the previous bottom was not at −75
    ],
)
def test_no_gold_dot_when_one_condition_misses(miss) -> None:
    assert gold(**miss) == []


@pytest.mark.parametrize(
    ("now", "expected"), [(-74.0, True), (-75.0, False), (-78.0, False), (-76.5, False)]
)
def test_gold_dot_needs_the_wave_of_this_row_above_its_level(now: float, expected: bool) -> None:
    """The wave of the row itself, not of the bottom two candles before, decides."""
    wave = np.array([-50.0, -70, -82, -70, -60, -70, -78, -76, now])
    price = np.array([1000.0, 1000, 100, 1000, 1000, 1000, 90, 1000, 1000])
    found = fractal_divergences(wave, price + 5000, price, bottom=-65)
    strength = np.full(9, 25.0)
    assert gold_dots(found, wave, strength)[8] == expected


@pytest.mark.parametrize(("first", "expected"), [(-79.0, True), (-78.9, False)])
def test_gold_dot_needs_a_rise_of_five(first: float, expected: bool) -> None:
    wave = np.array([-50.0, -70, first, -70, -60, -76, -78, -76, -74])
    price = np.array([1000.0, 1000, 100, 1000, 1000, 1000, 90, 1000, 1000])
    found = fractal_divergences(wave, price + 5000, price, bottom=-65)
    assert found.bull[8]
    assert gold_dots(found, wave, np.full(9, 25.0))[8] == expected


def test_gold_never_adds_to_the_long_score(market) -> None:
    frame = market_cipher.populate(market(20_000, 3))
    columns = {name: frame[name].to_numpy() for name in market_cipher.COLUMNS}
    high, low, close = (frame[name].to_numpy().copy() for name in ("high", "low", "close"))
    atr = average_true_range(high, low, close, 14)
    golden = columns["mc_gold_dot"]
    assert golden.any()
    with_gold, _ = market_cipher.scores(columns, close, atr)
    without = columns | {
        "mc_gold_dot": np.zeros_like(golden),
        "mc_bull_div": columns["mc_bull_div"] & ~golden,
    }
    without_gold, _ = market_cipher.scores(without, close, atr)
    assert (with_gold <= without_gold).all()
    assert (with_gold < without_gold)[golden].any()


# --- B: lines -------------------------------------------------------------------------------------


def test_money_flow_of_full_bodies() -> None:
    one = np.ones(60)
    up = money_flow(10 * one, 11 * one, 10 * one, 11 * one)
    assert up[59] == pytest.approx(147.5)
    assert np.isnan(up[58])


def test_money_flow_looks_past_candles_without_range() -> None:
    """Five flat candles between the first two bodies: the sixtieth body comes five rows later."""
    opens, closes = np.full(66, 10.0), np.full(66, 11.0)
    closes[1:6] = 10.0
    flow = money_flow(opens, np.maximum(opens, closes), opens, closes)
    assert np.isnan(flow[:64]).all()
    assert flow[64] == pytest.approx(147.5)
    # A flat candle leaves it as it was; the next body takes the oldest one's place.
    closes[65] = 10.0
    assert money_flow(opens, np.maximum(opens, closes), opens, closes)[65] == flow[64]
    half = money_flow(opens, np.full(66, 11.0), np.full(66, 9.0), closes)
    assert half[59] == pytest.approx(75 * 55 / 60 - 2.5)  # with a range, a doji counts 0
    assert np.isnan(money_flow(opens, opens, opens, opens)).all()


def test_stochastic_is_the_place_of_the_rsi_in_its_window() -> None:
    rsi = np.array([50.0] * 14 + [60, 60, 60] + [40, 40, 40])
    stoch = stochastic_rsi(rsi)
    assert stoch.k[13:16].tolist()[-1] == pytest.approx(200 / 3)  # raw 0, 100, 100
    assert stoch.k[16] == 100
    assert stoch.k[19] == 0
    assert stochastic_rsi(np.full(20, 50.0)).k[15] == 0  # equal values: 0, not NaN


def test_stochastic_reads_the_rsi_of_the_logarithm(path) -> None:
    """
    A price that halves and doubles: in logarithms each fall is as large as the next rise, so that
    the RSI swings about 50; in prices the same falls are smaller than the rises from below.
    """
    closes = [100.0]
    for step in (1.5, 1.2, 1 / 1.8) * 20:
        closes.append(closes[-1] * step)
    frame = market_cipher.populate(path(closes))
    close = frame["close"].to_numpy()
    of_logarithms = stochastic_rsi(relative_strength(np.log(close), 14))
    of_prices = stochastic_rsi(relative_strength(close, 14))
    assert frame["mc_stoch_k"].iloc[-1] == of_logarithms.k[-1]
    assert abs(of_logarithms.k - of_prices.k)[-20:].max() > 1


def test_wave_trend_of_candles_without_a_move_is_zero() -> None:
    flat = np.full(100, 7.3)
    wave = wave_trend(flat, flat, flat)
    assert (wave.wt1[27:] == 0).all()
    assert (wave.wt2[29:] == 0).all()


def test_wave_trend_does_not_amplify_the_rounding_of_a_market_that_stopped() -> None:
    close = np.concatenate([100 + np.sin(np.arange(200.0)), np.full(672, 100.1)])
    wave = wave_trend(close, close, close)
    assert np.abs(wave.wt1[-300:]).max() < 1


# --- A: crosses -----------------------------------------------------------------------------------


def test_crosses_of_a_decline_that_turns_up(path) -> None:
    frame = market_cipher.populate(path(legs((80, -0.2), (60, 0.5))))
    (red_cross_free, long_ema, triangle) = (
        [row for row in rows_of(frame, column) if row > 60]
        for column in ("mc_red_cross", "mc_long_ema", "mc_blue_triangle_up")
    )
    assert red_cross_free == []
    assert len(long_ema) == len(triangle) == 1
    # The faster pair crosses first, and the ribbon turns on the cross.
    assert 80 < triangle[0] < long_ema[0] < 100
    ribbon = frame["mc_ribbon_bull"].to_numpy()
    assert not ribbon[61 : long_ema[0]].any()
    assert ribbon[long_ema[0] :].all()
    assert rows_of(frame, "mc_short_ema") == []


def test_crosses_of_a_rise_that_turns_down(path) -> None:
    frame = market_cipher.populate(path(legs((80, 0.2), (60, -0.5))))
    first = {
        column: [row for row in rows_of(frame, column) if row > 60]
        for column in ("mc_red_cross", "mc_blue_triangle_down", "mc_short_ema")
    }
    assert [len(rows) for rows in first.values()] == [1, 1, 1]
    assert 80 < first["mc_red_cross"][0] < first["mc_blue_triangle_down"][0]
    assert first["mc_blue_triangle_down"][0] < first["mc_short_ema"][0] < 100


@pytest.mark.parametrize("step", [0.2, -0.2])
def test_a_straight_line_crosses_nothing(path, step: float) -> None:
    frame = market_cipher.populate(path(legs((140, step))))
    for column in ("long_ema", "short_ema", "red_cross", "blue_triangle_up", "blue_triangle_down"):
        assert [row for row in rows_of(frame, f"mc_{column}") if row > 40] == []


# --- A: diamonds ----------------------------------------------------------------------------------


def test_blood_and_moon_need_both_crosses_on_one_candle(market) -> None:
    frame = market_cipher.populate(market(20_000, 3))
    for diamond, both in (
        ("mc_blood_diamond", "mc_red_diamond"),
        ("mc_moon_diamond", "mc_green_diamond"),
    ):
        assert (frame[both] & ~frame[diamond]).any()  # the diamond alone is there, too
        assert not (frame[diamond] & ~frame[both]).any()
    assert (frame["mc_red_cross"] & ~frame["mc_blood_diamond"]).any()
    assert not (frame["mc_blood_diamond"] & ~frame["mc_red_cross"]).any()


@pytest.mark.parametrize("sign", [1, -1])
def test_blood_and_moon_diamond_on_a_candle_that_turns_everything(path, sign: int) -> None:
    """A bounce in a decline ends in one candle: wave and averages cross on it (and the mirror)."""
    strong = "mc_blood_diamond" if sign > 0 else "mc_moon_diamond"
    diamond = "mc_red_diamond" if sign > 0 else "mc_green_diamond"
    bounce = legs((60, -sign * 0.3), (14, sign * 0.2))
    crash = market_cipher.populate(path([*bounce, bounce[-1] - sign * 4]))
    assert crash[diamond].iloc[-1]
    assert crash[strong].iloc[-1]
    dip = market_cipher.populate(path([*bounce, bounce[-1] - sign * 2]))
    assert dip[diamond].iloc[-1]  # the wave turns, the averages hold
    assert not dip[strong].iloc[-1]
    pause = market_cipher.populate(path([*bounce, bounce[-1] - sign * 0.3]))
    assert not pause[diamond].iloc[-1]


def decline_and_bounce(candles: int, step: float, last: float) -> list[float]:
    """60 falling candles, a bounce of so many steps, and one last candle down."""
    closes = legs((60, -0.3), (candles, step))
    return [*closes, closes[-1] - last]


DRIFTING = (0.05, 0.01, -0.03)  # two small bodies down, one large one up: money flows out
WAVERING = (0.05, -0.05)


def plunge_and_pause(
    candles: int, last: float, calm_of: tuple[float, ...] = DRIFTING
) -> list[float]:
    """Calm, a plunge of 3 candles, a pause of so many and one last candle down."""
    calm = [100 + step for step in calm_of * (60 // len(calm_of))]
    plunge = [100 - 0.2 * (i + 1) ** 1.5 for i in range(3)]
    pause = [plunge[-1] + 0.3 * (i + 1) for i in range(candles)]
    return [*calm, *plunge, *pause, pause[-1] - last]


@pytest.mark.parametrize(
    ("closes", "missing"),
    [
        (decline_and_bounce(14, 0.2, last=4), set()),
        (decline_and_bounce(14, 0.2, last=2), {"rsi"}),  # a milder fall: RSI 33, not weak
        (decline_and_bounce(14, 0.2, last=12), {"rsi"}),  # a crash: RSI 11, a true panic
        (decline_and_bounce(14, 0.2, last=0.3), {"diamond", "rsi"}),  # the wave does not turn
        (decline_and_bounce(14, 0.05, last=0.1), {"diamond"}),  # a weak bounce just pauses
        (decline_and_bounce(20, 0.1, last=2), set()),
        (decline_and_bounce(24, 0.1, last=2), {"wave"}),  # a longer bounce: the wave is high
        (plunge_and_pause(3, last=3), set()),
        (plunge_and_pause(2, last=3), {"wave"}),  # sooner after the plunge: it is still too deep
        (plunge_and_pause(3, last=3, calm_of=WAVERING), {"flow"}),  # as many bought before it
    ],
)
def test_yellow_cross_of_a_weak_market_that_gives_up_its_bounce(path, closes, missing) -> None:
    frame = market_cipher.populate(path(closes))
    high, low, close = (frame[name].to_numpy() for name in ("high", "low", "close"))
    wave = wave_trend(high, low, close, average_length=13).wt2[-1]
    last = frame.iloc[-1]
    holds = {
        "diamond": last["mc_red_diamond"],
        "wave": -80 < wave < 45,
        "rsi": 15 < last["mc_rsi"] < 30,
        "flow": last["mc_money_flow"] + 2.5 < -5,
    }
    assert {name for name, held in holds.items() if not held} == missing  # as drawn
    assert last["mc_yellow_cross"] == (not missing)
    loose = market_cipher.populate(frame, market_cipher.Settings(yellow_money_flow=None))
    assert loose["mc_yellow_cross"].iloc[-1] == (missing <= {"flow"})


def test_yellow_cross_is_a_red_diamond_at_a_weak_rsi_and_blocks_the_scores(market) -> None:
    frame = market_cipher.populate(market(30_000, 3))
    yellow = frame[frame["mc_yellow_cross"]]
    assert len(yellow) > 0
    assert yellow["mc_red_diamond"].all()
    assert yellow["mc_rsi"].between(15, 30, inclusive="neither").all()
    assert (yellow[["mc_long_score", "mc_short_score"]] == 0).all(axis=None)
    near_miss = frame["mc_red_diamond"] & (frame["mc_rsi"] >= 30)
    assert near_miss.any()
    assert not frame["mc_yellow_cross"][near_miss].any()


# --- SR -------------------------------------------------------------------------------------------


def levels_of(highs: list[float], lows: list[float], close: float, atr: float, side: int = 2):
    """The levels on the last row of hand-made highs and lows."""
    count = len(highs)
    found = support_resistance(
        np.array(highs), np.array(lows), np.full(count, close), np.full(count, atr), side=side
    )
    return {name: values[-1] for name, values in found._asdict().items()}


def test_nearest_pivots_above_and_below_close() -> None:
    highs = [11, 11, 14, 11, 11, 11, 11, 11]
    lows = [10, 10, 10, 10, 10, 8, 10, 10]
    assert levels_of(highs, lows, close=10.5, atr=0.1) == {
        "support": 8,
        "support_touches": 1,
        "resistance": 14,
        "resistance_touches": 1,
    }


def test_a_pivot_is_unknown_until_its_last_candle_and_must_be_strict() -> None:
    highs = [11, 11, 14, 11]
    assert np.isnan(levels_of(highs, [10] * 4, close=10.5, atr=0.1)["resistance"])
    highs = [11, 11, 14, 14, 11, 11]
    assert np.isnan(levels_of(highs, [10] * 6, close=10.5, atr=0.1)["resistance"])


def test_levels_closer_than_half_an_atr_merge() -> None:
    highs = [11, 11, 14, 11, 11, 14.4, 11, 11]
    found = levels_of(highs, [10] * 8, close=10.5, atr=1.0)
    assert (found["resistance"], found["resistance_touches"]) == (pytest.approx(14.2), 2)
    highs[5] = 14.5  # 0.5 is not closer than 0.5
    found = levels_of(highs, [10] * 8, close=10.5, atr=1.0)
    assert (found["resistance"], found["resistance_touches"]) == (14, 1)


def test_levels_are_forgotten_after_their_window() -> None:
    highs = [11.0] * 12
    highs[2] = 14.0
    count = 12
    found = support_resistance(
        np.array(highs),
        np.full(count, 10.0),
        np.full(count, 10.5),
        np.full(count, 0.1),
        side=2,
        window=8,
    )
    assert np.flatnonzero(found.resistance == 14).tolist() == [4, 5, 6, 7, 8, 9]


# --- DBSI -----------------------------------------------------------------------------------------


def test_dbsi_is_the_published_table() -> None:
    assert len(set(dbsi.VOTES)) == 36
    assert len(dbsi.PENALTIES) == 5
    assert len(dbsi.TWO_SIDED) + len(dbsi.BULL_ONLY) == 28
    assert len(dbsi.TWO_SIDED) + len(dbsi.BEAR_ONLY) == 28
    table = [line.split()[0] for line in dbsi.__doc__.splitlines() if "  " in line]
    assert [name for name in table if name in dbsi.VOTES] == list(dbsi.VOTES)


def test_dbsi_votes_are_cast_as_named(market) -> None:
    frame = market(3_000, 5)
    candles = [frame[c].to_numpy() for c in ("open", "high", "low", "close", "volume")]
    cast = dbsi.votes(*candles)
    assert set(cast) == set(dbsi.VOTES)
    for name, vote in cast.items():
        assert vote.bull.any() == (name not in dbsi.BEAR_ONLY), name
        assert vote.bear.any() == (name not in dbsi.BULL_ONLY), name
        if name in dbsi.TWO_SIDED:
            assert not (vote.bull & vote.bear).any(), name
    counts = dbsi.strength(*candles)
    for count in counts:
        assert np.nanmin(count) >= -3
        assert np.nanmax(count) <= 28
        assert np.flatnonzero(~np.isnan(count))[0] == dbsi.WARM_UP


@pytest.mark.parametrize("seed", range(3))
def test_what_an_exhausted_move_loses_it_has_won(market, seed: int) -> None:
    """So that a count of votes falls below 0 only by the penalties of both sides."""
    frame = market(20_000, seed)
    candles = [frame[c].to_numpy() for c in ("open", "high", "low", "close", "volume")]
    cast = dbsi.votes(*candles)
    for penalty, vote in (
        ("rsi_exhausted", "rsi"),
        ("macd_turning", "macd_signal"),
        ("band_stretched", "ema_price"),
    ):
        for taken, given in zip(cast[penalty], cast[vote], strict=True):
            assert taken[dbsi.WARM_UP :].any()
            assert not (taken & ~given)[dbsi.WARM_UP :].any()


def test_dbsi_of_a_steady_rise_is_strong_for_the_bulls_only(path) -> None:
    rise = [100 * 1.002**i * (1 + 0.001 * (-1) ** i) for i in range(200)]
    frame = market_cipher.populate(path(rise))
    assert frame["mc_dbsi_bull"].iloc[-50:].min() >= 15
    assert frame["mc_dbsi_bear"].iloc[-50:].max() <= 5
    fall = market_cipher.populate(path(rise[::-1]))
    assert fall["mc_dbsi_bear"].iloc[-50:].min() >= 15
    assert fall["mc_dbsi_bull"].iloc[-50:].max() <= 5
