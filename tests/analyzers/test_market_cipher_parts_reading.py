"""
What Market Cipher has beside its first columns, against a slow, literal reading of the page
(docs/analyzers/market-cipher.md) in plain Python.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from bubbybot_freqtrade.analyzers import market_cipher
from tests.analyzers.test_market_cipher_reading import (
    crosses_up,
    divergences,
    ema,
    money_flow,
    place_of_last,
    rsi,
    sma,
    wave_trend,
)

SETTLED = 450
MINUTE = 60


# --- Schaff trend cycle ---------------------------------------------------------------------------


def followed_places(line, equal):
    """The place in the last 10 values, followed by halves."""
    out, place, follower = [], 0.0, 0.0
    for t in range(len(line)):
        window = line[max(0, t - 9) : t + 1]
        if len(window) < 10 or None in window:
            out.append(None)
            continue
        if max(window) - min(window) > equal[t]:
            place = 100 * (line[t] - min(window)) / (max(window) - min(window))
        follower = (follower + place) / 2
        out.append(follower)
    return out


def schaff(close):
    fast, slow = ema(close, 23), ema(close, 50)
    line = [f - s if t >= 49 else None for t, (f, s) in enumerate(zip(fast, slow, strict=True))]
    first = followed_places(line, [1e-10 * price for price in close])
    return followed_places(first, [1e-9] * len(close))


# --- higher candles -------------------------------------------------------------------------------


def higher(frame: pd.DataFrame, minutes: int):
    """
    (row from which it counts, (open, high, low, close)) of every higher candle. The frames compared
    have no gaps, so a span is closed by the row that ends with it.
    """
    span = minutes * MINUTE
    opened = [int(date.timestamp()) for date in frame["date"]]
    length = opened[1] - opened[0]
    rows_of: dict[int, list[int]] = {}
    for row, second in enumerate(opened):
        rows_of.setdefault(second // span, []).append(row)
    found = []
    for number, rows in rows_of.items():
        last = rows[-1]
        is_whole = opened[rows[0]] == number * span or rows[0] > 0
        if is_whole and opened[last] + length >= (number + 1) * span:
            part = frame.iloc[rows]
            prices = (
                part["open"].iloc[0],
                part["high"].max(),
                part["low"].min(),
                part["close"].iloc[-1],
            )
            found.append((last, tuple(float(price) for price in prices)))
    return found


def on_rows(known, values, count):
    """Of every row the value of the latest higher candle that counts on it."""
    out = [None] * count
    for (row, _), value in zip(known, values, strict=True):
        for t in range(row, count):
            out[t] = value
    return out


def sommi_wave(frame: pd.DataFrame, minutes: int):
    candles = higher(frame, minutes)
    wt1, wt2 = wave_trend([(h + lo + c) / 3 for _, (_, h, lo, c) in candles], 12)
    # Before 28 candles wt1 is none, and two more are what wt2 takes.
    values = [a - b if i >= 29 else None for i, (a, b) in enumerate(zip(wt1, wt2, strict=True))]
    return on_rows(candles, values, len(frame))


def heikin_ashi_rises(frame: pd.DataFrame, minutes: int):
    candles = higher(frame, minutes)
    rises, before = [], None
    for _, (o, h, lo, c) in candles:
        mean = (o + h + lo + c) / 4
        begin = (o + c) / 2 if before is None else sum(before) / 2
        rises.append(mean > begin)
        before = (begin, mean)
    return on_rows(candles, rises, len(frame))


# --- the page, read aloud -------------------------------------------------------------------------


def rounded(values):
    return [None if value is None else round(value, 9) for value in values]


def literal(frame: pd.DataFrame) -> dict[str, list]:
    open_, high, low, close = (frame[c].tolist() for c in ("open", "high", "low", "close"))
    hlc3 = [(h + lo + c) / 3 for h, lo, c in zip(high, low, close, strict=True)]
    wt1, wt2 = wave_trend(hlc3, 12)
    trend_1, trend_2 = wave_trend(hlc3, 13)
    ema_1, ema_2, ema_8 = (ema(close, length) for length in (5, 11, 34))
    flow, strength = money_flow(open_, high, low, close), rsi(close, 14)
    k = sma(place_of_last(rsi([math.log(price) for price in close], 14), 14), 3)
    limited = divergences(rounded(strength), high, low, 30, 60)
    every = divergences(rounded(strength), high, low, math.inf, -math.inf)
    stochastic = divergences(rounded(k), high, low, math.inf, -math.inf)
    length = int((frame["date"].iloc[1] - frame["date"].iloc[0]).total_seconds()) // MINUTE
    far = sommi_wave(frame, 3 * length)
    hour, four_hours = (heikin_ashi_rises(frame, minutes) for minutes in (60, 240))
    out: dict[str, list] = {"mc_stc": schaff(close), "mc_sommi_wave": far}
    rows = []
    for t in range(len(close)):
        if t < SETTLED:
            continue
        up, down = crosses_up(wt1, wt2, t), crosses_up(wt2, wt1, t)
        red, green = crosses_up(trend_2, trend_1, t), crosses_up(trend_1, trend_2, t)
        red_cross, green_cross = crosses_up(ema_2, ema_1, t), crosses_up(ema_1, ema_2, t)
        rose, fell = close[t - 1] > open_[t - 1], close[t - 1] < open_[t - 1]
        above = open_[t] > ema_2[t] and open_[t] > ema_8[t]
        below = open_[t] < ema_2[t] and open_[t] < ema_8[t]
        bull = above and rose and close[t] > open_[t] and not red and not red_cross
        rows.append(
            {
                "mc_small_green_dot": up,
                "mc_small_red_dot": down,
                "mc_rsi_bull_div": t in limited["bull"],
                "mc_rsi_bear_div": t in limited["bear"],
                "mc_rsi_bull_div_hidden": t in every["bull_hidden"],
                "mc_rsi_bear_div_hidden": t in every["bear_hidden"],
                "mc_stoch_bull_div": t in stochastic["bull"],
                "mc_stoch_bear_div": t in stochastic["bear"],
                "mc_stoch_bull_div_hidden": t in stochastic["bull_hidden"],
                "mc_stoch_bear_div_hidden": t in stochastic["bear_hidden"],
                "mc_sommi_flag_bull": up and wt2[t] < 0 and flow[t] > 0 and far[t] > 0,
                "mc_sommi_flag_bear": down and wt2[t] > 0 and flow[t] < 0 and far[t] < 0,
                "mc_sommi_diamond_bull": up and wt2[t] <= 0 and hour[t] and four_hours[t],
                "mc_sommi_diamond_bear": down and wt2[t] >= 0 and not hour[t] and not four_hours[t],
                "mc_green_cross": green_cross,
                "mc_yellow_cross_down": green and 55 < trend_2[t] < 100 and strength[t] < 70,
                "mc_bull_candle": bull,
                "mc_bear_candle": below
                and fell
                and close[t] < open_[t]
                and not green
                and not red_cross,
                "mc_yellow_diamond": bull,
            }
        )
    return out | {name: [None] * SETTLED + [row[name] for row in rows] for name in rows[0]}


@pytest.fixture(scope="module")
def both(candles: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, list]]:
    slow = literal(candles)
    return market_cipher.populate(candles, columns=slow), slow


def test_columns_agree_with_the_slow_reading(both) -> None:
    fast, slow = both
    for column, values in slow.items():
        got = fast[column].to_numpy()[SETTLED:]
        if fast[column].dtype == bool:
            differ = np.flatnonzero(got != np.array(values[SETTLED:], dtype=bool)) + SETTLED
            assert differ.tolist() == [], column
        else:
            want = np.array(values[SETTLED:], dtype=float)
            np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6, err_msg=column)


def test_lines_begin_where_the_page_says(both) -> None:
    """Schaff with the 68th candle, Sommi's wave with the thirtieth higher one."""
    fast, slow = both
    assert np.flatnonzero(fast["mc_stc"].notna())[0] == 67
    for column in ("mc_stc", "mc_sommi_wave"):
        want = [value is None for value in slow[column]]
        assert fast[column].isna().tolist() == want, column


def test_events_occur_in_the_markets_compared(market) -> None:
    fast = market_cipher.populate(market(30_000, 3))
    for column in fast.columns:
        if column.startswith("mc_") and fast[column].dtype == bool:
            assert fast[column].any(), column


@pytest.mark.parametrize("minutes", [15, 30, 60, 240, 1440])
def test_frames_of_every_timeframe_have_their_flag_and_diamond(market, minutes: int) -> None:
    """A candle as long as the higher one is the higher one."""
    frame = market(1_200, 8)
    step = pd.Timedelta(minutes=minutes)
    frame["date"] = frame["date"].iloc[0] + np.arange(len(frame)) * step
    slow = literal(frame)
    names = [name for name in slow if "sommi" in name]
    fast = market_cipher.populate(frame, columns=names)
    for name in names:
        got = fast[name].to_numpy()[SETTLED:]
        if fast[name].dtype == bool:
            assert got.tolist() == [bool(value) for value in slow[name][SETTLED:]], name
        else:
            want = np.array(slow[name][SETTLED:], dtype=float)
            np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6)


def test_a_flag_of_the_published_twelve_hours(market) -> None:
    """On 4h candles they are the default; on 15m a setting, for frames that are long enough."""
    frame = market(3_000, 8)
    wide = frame.assign(date=frame["date"].iloc[0] + np.arange(3_000) * pd.Timedelta(hours=4))
    published = market_cipher.Settings(sommi_flag_minutes=720)
    columns = ["mc_sommi_wave", "mc_sommi_flag_bull"]
    pd.testing.assert_frame_equal(
        market_cipher.populate(wide, published, columns),
        market_cipher.populate(wide, None, columns),
    )
    far = market_cipher.populate(frame, published, columns)["mc_sommi_wave"]
    # 2025-01-01 00:00 begins a span; thirty of 48 candles, known on the last one's row.
    assert np.flatnonzero(far.notna())[0] == 30 * 48 - 1
    assert far.iloc[1_439:].tolist()[:48] == [far.iloc[1_439]] * 48


CONCEPTS = (
    market_cipher.waves,
    market_cipher.oscillators,
    market_cipher.divergences,
    market_cipher.higher_timeframes,
    market_cipher.ribbon,
    market_cipher.diamonds,
    market_cipher.nearest_levels,
    market_cipher.band_strength,
)


def test_every_column_belongs_to_one_concept_that_makes_it_alone(market) -> None:
    frame = market(700, 5)
    frame.index = range(100, 800)
    full = market_cipher.populate(frame)
    names: list[str] = []
    for concept in CONCEPTS:
        got = concept(frame)
        pd.testing.assert_frame_equal(got, full[list(got.columns)], check_exact=True)
        names += list(got.columns)
    assert [*names, "mc_long_score", "mc_short_score"] == list(market_cipher.COLUMNS)


def test_what_is_new_moves_no_score(market) -> None:
    frame = market_cipher.populate(market(3_000, 3))
    counting = {name: frame[name].to_numpy() for name in market_cipher.COLUMNS}
    rest = {name: values for name, values in counting.items() if name not in NEW}
    close, atr = frame["close"].to_numpy(), np.full(len(frame), 1.0)
    for with_all, without in zip(
        market_cipher.scores(counting, close, atr),
        market_cipher.scores(rest, close, atr),
        strict=True,
    ):
        np.testing.assert_array_equal(with_all, without)


NEW = {name for name in market_cipher.COLUMNS if "sommi" in name} | {
    *("mc_small_green_dot", "mc_small_red_dot", "mc_stc", "mc_green_cross"),
    *("mc_yellow_cross_down", "mc_yellow_diamond", "mc_bull_candle", "mc_bear_candle"),
    *(
        f"mc_{line}_{side}_div{kind}"
        for line in ("rsi", "stoch")
        for side in ("bull", "bear")
        for kind in ("", "_hidden")
    ),
}


def test_the_reading_has_every_new_column(both) -> None:
    assert set(both[1]) == NEW
