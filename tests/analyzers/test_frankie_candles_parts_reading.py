"""
What Frankie Candles has beside its first columns, against a slow, literal reading of its page.

Volumes are summed in exact fractions of what the exchange prints, so that ties are ties.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import talib

from bubbybot_freqtrade.analyzers import frankie_candles, market_cipher
from tests.analyzers.test_frankie_candles_reading import divergence_counts, golden_pocket, profile

NAN = math.nan
LEVELS = ("poc", "vah", "val")


@pytest.fixture(scope="module")
def frame(candles: pd.DataFrame) -> pd.DataFrame:
    """It begins in the middle of an hour, a session and a day, and lacks some candles."""
    return candles.drop(index=[*range(50), *range(300, 307), 900, 1_234]).reset_index(drop=True)


@pytest.fixture(scope="module")
def fast(frame: pd.DataFrame) -> pd.DataFrame:
    return frankie_candles.populate(frame)


def fractions(frame: pd.DataFrame, column: str) -> list[Fraction]:
    return [Fraction(str(value)) for value in frame[column]]


# --- value area by two rows -----------------------------------------------------------------------


def test_a_value_area_by_two_rows_agrees_with_the_slow_reading(frame: pd.DataFrame) -> None:
    settings = frankie_candles.Settings(profile_window=96, value_area_rows=2)
    columns = [f"fc_{name}" for name in LEVELS]
    fast = frankie_candles.populate(frame, settings, columns)
    high, low, volume = (fractions(frame, c) for c in ("high", "low", "volume"))
    for t in np.random.default_rng(6).integers(95, len(frame), 40):
        window = slice(t - 95, t + 1)
        want = profile(high[window], low[window], volume[window], pair=2)
        np.testing.assert_allclose(fast.loc[t, columns].to_numpy(float), want, rtol=1e-12)


# --- profiles of day and session, naked POCs ------------------------------------------------------


def period_of(date: pd.Timestamp, hours: tuple[int, ...]) -> pd.Timestamp:
    """When the period began that a candle's opening lies in."""
    starts = [
        date.normalize() + pd.Timedelta(days=day, hours=hour) for day in (-1, 0) for hour in hours
    ]
    return max(start for start in starts if start <= date)


def running(frame: pd.DataFrame, hours: tuple[int, ...]) -> tuple[list[int], list[int]]:
    """By row: the first row of its period, or −1 where nobody knows it; that of the one before."""
    periods = [period_of(date, hours) for date in frame["date"]]
    first: list[int] = []
    for t, period in enumerate(periods):
        if t == 0:
            first.append(0 if period == frame["date"][0] else -1)
        else:
            first.append(first[-1] if period == periods[t - 1] else t)
    before = [first[start - 1] if start > 0 else -1 for start in first]
    return first, before


@pytest.mark.parametrize(("name", "hours"), [("day", (0,)), ("session", (0, 8, 13))])
def test_profiles_of_a_period_agree_with_the_slow_reading(
    frame: pd.DataFrame, fast: pd.DataFrame, name: str, hours: tuple[int, ...]
) -> None:
    high, low, volume = (fractions(frame, c) for c in ("high", "low", "volume"))
    first, before = running(frame, hours)
    starts = [t for t in range(1, len(frame)) if first[t] == t][:8]
    random = np.random.default_rng(7).integers(0, len(frame), 25).tolist()
    for t in sorted(
        {*range(3), *(s - 1 for s in starts), *starts, *(s + 2 for s in starts), *random}
    ):
        for prefix, start, stop in (
            (f"fc_{name}", first[t], t + 1),
            (f"fc_prev_{name}", before[t], first[t]),
        ):
            part = slice(start, stop)
            want = profile(high[part], low[part], volume[part], 50) if start >= 0 else (NAN,) * 3
            got = fast.loc[t, [f"{prefix}_{level}" for level in LEVELS]].to_numpy(dtype=float)
            np.testing.assert_allclose(got, want, rtol=1e-12, err_msg=f"{prefix} on row {t}")


def test_naked_pocs_agree_with_the_slow_reading(frame: pd.DataFrame, fast: pd.DataFrame) -> None:
    first, _ = running(frame, (0,))
    high, low, close, poc = (fast[c].tolist() for c in ("high", "low", "close", "fc_day_poc"))
    ends = [t - 1 for t in range(1, len(frame)) if first[t] == t and not math.isnan(poc[t - 1])]
    for t in range(len(frame)):
        naked = [
            poc[end]
            for end in ends
            if t - 480 < end < t
            and not any(low[i] <= poc[end] <= high[i] for i in range(end + 1, t + 1))
        ]
        above = min((price for price in naked if price > close[t]), default=NAN)
        below = max((price for price in naked if price < close[t]), default=NAN)
        np.testing.assert_equal(fast["fc_naked_poc_above"][t], above)
        np.testing.assert_equal(fast["fc_naked_poc_below"][t], below)


# --- volume with a direction ----------------------------------------------------------------------


def deltas(frame: pd.DataFrame) -> list[Fraction]:
    out = []
    for high, low, close, volume in zip(
        *(fractions(frame, c) for c in ("high", "low", "close", "volume")), strict=True
    ):
        share = ((close - low) - (high - close)) / (high - low) if high != low else Fraction(0)
        out.append(volume * share)
    return out


def signed_volumes(frame: pd.DataFrame) -> list[Fraction]:
    close, volume = fractions(frame, "close"), fractions(frame, "volume")
    signs = [0, *((after > before) - (after < before) for before, after in pairwise(close))]
    return [sign * value for sign, value in zip(signs, volume, strict=True)]


def test_flows_agree_with_the_slow_reading(frame: pd.DataFrame, fast: pd.DataFrame) -> None:
    delta, signed = deltas(frame), signed_volumes(frame)
    scale = frame["volume"].max()
    np.testing.assert_allclose(fast["fc_delta"], [float(d) for d in delta], atol=1e-12 * scale)
    for column, values in (("fc_cvd", delta), ("fc_obv", signed)):
        assert fast[column].iloc[:479].isna().all()
        want = [float(sum(values[t - 479 : t + 1])) for t in range(479, len(frame), 37)]
        np.testing.assert_allclose(fast[column].iloc[479::37], want, atol=1e-9 * scale)


# --- divergences ----------------------------------------------------------------------------------


def ema(values: list[float], length: int) -> list[float]:
    """From the first value on; unknown until `length` values went in."""
    out, average = [], values[0]
    for count, value in enumerate(values, start=1):
        average += 2 / (length + 1) * (value - average)
        out.append(average if count >= length else NAN)
    return out


def slow_stochastic(frame: pd.DataFrame) -> list[float]:
    high, low, close = (frame[c].tolist() for c in ("high", "low", "close"))
    raw = []
    for t in range(len(frame)):
        window = slice(t - 13, t + 1)
        if t < 13:
            raw.append(NAN)
            continue
        top, bottom = max(high[window]), min(low[window])
        raw.append(100 * (close[t] - bottom) / (top - bottom) if top > bottom else 0.0)
    return [round(sum(raw[t - 2 : t + 1]) / 3, 9) if t >= 2 else NAN for t in range(len(raw))]


def summed(values: list[Fraction]) -> list[Fraction]:
    out, total = [], Fraction(0)
    for value in values:
        total += value
        out.append(total)
    return out


def three_oscillators(frame: pd.DataFrame) -> list[list]:
    high, low, close, volume = (frame[c].to_numpy() for c in ("high", "low", "close", "volume"))
    return [
        np.round(talib.RSI(close, 14), 9).tolist(),
        np.round(talib.MFI(high, low, close, volume, 14), 9).tolist(),
        market_cipher.wave_trend(high, low, close).wt2.tolist(),
    ]


def test_divergences_of_each_oscillator_agree_with_the_slow_reading(
    frame: pd.DataFrame, fast: pd.DataFrame
) -> None:
    high, low, close = (frame[c].to_numpy() for c in ("high", "low", "close"))
    macd = [
        round((short - long) / price, 12) * price
        for short, long, price in zip(
            ema(close.tolist(), 12), ema(close.tolist(), 26), close, strict=True
        )
    ]
    rsi, mfi, wave = three_oscillators(frame)
    oscillators = {
        "rsi": rsi,
        "mfi": mfi,
        "wave": wave,
        "macd": macd,
        "cci": np.round(talib.CCI(high, low, close, 20), 9).tolist(),
        "stoch": slow_stochastic(frame),
        "obv": summed(signed_volumes(frame)),
        "cvd": summed(deltas(frame)),
    }
    assert set(oscillators) == set(frankie_candles.OSCILLATORS)
    for name, values in oscillators.items():
        slow = divergence_counts([values], high.tolist(), low.tolist())
        for kind, events in slow.items():
            column = f"fc_{name}_{kind}"
            np.testing.assert_array_equal(fast[column].to_numpy(dtype=int), events, column)


def test_divergences_of_the_hour_agree_with_the_slow_reading(
    frame: pd.DataFrame, fast: pd.DataFrame
) -> None:
    rows = pd.Series(range(len(frame)), index=frame["date"].dt.floor("h")).groupby(level=0)
    hours, known = [], []
    for hour, members in rows:
        at = members.tolist()
        if at[0] == 0 and frame["date"][0] != hour:
            continue
        whole = frame["date"][at[-1]] + pd.Timedelta("15min") == hour + pd.Timedelta("1h")
        row = at[-1] if whole else at[-1] + 1
        if row == len(frame):
            continue
        part = frame.loc[at]
        hours.append(
            (part["high"].max(), part["low"].min(), part["close"].iloc[-1], part["volume"].sum())
        )
        known.append(row)
    made = pd.DataFrame(hours, columns=["high", "low", "close", "volume"])
    slow = divergence_counts(three_oscillators(made), made["high"].tolist(), made["low"].tolist())
    for kind, counts in slow.items():
        want = np.zeros(len(frame))
        for row, count in zip(known, counts, strict=True):
            want[row] = max(want[row], count)
        np.testing.assert_array_equal(fast[f"fc_htf_{kind}"], want, kind)


def test_the_optimal_trade_entry_agrees_with_the_slow_reading(
    frame: pd.DataFrame, fast: pd.DataFrame
) -> None:
    prices = (frame[c].tolist() for c in ("high", "low", "close"))
    slow = golden_pocket(*prices, near=0.62, far=0.79)
    columns = ["fc_ote_top", "fc_ote_bottom", "fc_in_ote"]
    np.testing.assert_array_equal(fast[columns].to_numpy(), np.array(slow, dtype=float))
