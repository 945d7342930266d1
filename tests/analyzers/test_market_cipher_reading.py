"""Market Cipher against a slow, literal reading of its definition in plain Python."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import talib

from bubbybot_freqtrade.analyzers import market_cipher
from tests.analyzers.conftest import faded

SETTLED = 450  # rows after which the seed of an EMA(34) is below 1e-9: (33/35)^350


ELSEWHERE = (
    *("mc_dbsi_", "mc_long_score", "mc_short_score"),
    # test_market_cipher_parts_reading.py
    *("mc_small_", "mc_stc", "mc_rsi_", "mc_stoch_bull", "mc_stoch_bear", "mc_sommi_"),
    *("mc_green_cross", "mc_yellow_cross_down", "mc_yellow_diamond"),
    *("mc_bull_candle", "mc_bear_candle"),
)
READ = [name for name in market_cipher.COLUMNS if not name.startswith(ELSEWHERE)]


# --- the definition, read aloud -------------------------------------------------------------------


def ema(values, length):
    """The recursive one, α = 2/(n+1), written with both shares (not as the kernel writes it)."""
    alpha = 2 / (length + 1)
    out, last = [], None
    for value in values:
        if value is not None:
            last = value if last is None else alpha * value + (1 - alpha) * last
        out.append(last)
    return out


def sma(values, length):
    out = []
    for t in range(len(values)):
        window = values[max(0, t - length + 1) : t + 1]
        complete = len(window) == length and None not in window
        out.append(math.fsum(window) / length if complete else None)
    return out


def rsi(close, length):
    """Wilder's: plain means of the first `length` moves, then smoothed by 1/length."""
    out = [None] * len(close)
    gain = loss = 0.0
    for t in range(1, len(close)):
        move = close[t] - close[t - 1]
        up, down = max(move, 0.0), max(-move, 0.0)
        if t <= length:
            gain += up / length
            loss += down / length
        else:
            gain = (gain * (length - 1) + up) / length
            loss = (loss * (length - 1) + down) / length
        if t >= length:
            out[t] = 100 * gain / (gain + loss) if gain + loss > 0 else 0.0
    return out


def wave_trend(hlc3, average_length):
    esa = ema(hlc3, 9)
    d = ema([abs(p - e) for p, e in zip(hlc3, esa, strict=True)], 9)
    ci = [(p - e) / (0.015 * s) if s else 0.0 for p, e, s in zip(hlc3, esa, d, strict=True)]
    wt1 = ema(ci, average_length)
    return wt1, sma(wt1, 3)


def crosses_up(a, b, t):
    return None not in (a[t - 1], b[t - 1]) and a[t] > b[t] and a[t - 1] <= b[t - 1]


def fractals(wt2, kind):
    """(row known, candle) of every bottom or top fractal."""
    sign = 1 if kind == "bottom" else -1
    found = []
    for t in range(4, len(wt2)):
        five = wt2[t - 4 : t + 1]
        if None in five:
            continue
        middle = sign * five[2]
        if all(middle < sign * five[i] for i in (0, 1, 3, 4)):
            found.append((t, t - 2))
    return found


def divergences(wt2, high, low, bottom, top):
    """Row → (kind, previous candle) for the regular and hidden divergences of one band."""
    events = {"bull": {}, "bear": {}, "bull_hidden": {}, "bear_hidden": {}}
    counting = [f for f in fractals(wt2, "bottom") if wt2[f[1]] <= bottom]
    for (_, before), (t, at) in pairwise(counting):
        if low[at] < low[before] and wt2[at] > wt2[before]:
            events["bull"][t] = before
        if low[at] > low[before] and wt2[at] < wt2[before]:
            events["bull_hidden"][t] = before
    counting = [f for f in fractals(wt2, "top") if wt2[f[1]] >= top]
    for (_, before), (t, at) in pairwise(counting):
        if high[at] > high[before] and wt2[at] < wt2[before]:
            events["bear"][t] = before
        if high[at] < high[before] and wt2[at] > wt2[before]:
            events["bear_hidden"][t] = before
    return events


def place_of_last(values, length):
    """Where the newest of the last `length` values lies between their lowest and highest, 0–100."""
    out = []
    for t in range(len(values)):
        window = values[max(0, t - length + 1) : t + 1]
        if len(window) < length or None in window:
            out.append(None)
            continue
        size = max(window) - min(window)
        # An RSI of a price that stands still is equal in exact numbers and rounds here.
        out.append(100 * (values[t] - min(window)) / size if size > 1e-9 else 0.0)
    return out


def money_flow(open_, high, low, close):
    """The mean over the last 60 candles that are not flat, less 2.5."""
    out, bodies = [], []
    for o, h, lo, c in zip(open_, high, low, close, strict=True):
        if h != lo:
            bodies.append(150 * (c - o) / (h - lo))
        out.append(math.fsum(bodies[-60:]) / 60 - 2.5 if len(bodies) >= 60 else None)
    return out


def nearest_levels(high, low, close, t, reach):
    """Pivots with 10 candles either side among the last 500, closer than `reach` merged."""
    prices = []
    for at in range(max(t - 499, 0), t - 9):
        if at < 10:
            continue
        around = [*range(at - 10, at), *range(at + 1, at + 11)]
        if all(high[at] > high[i] for i in around):
            prices.append(high[at])
        if all(low[at] < low[i] for i in around):
            prices.append(low[at])
    levels = []
    for price in sorted(prices):
        if levels and price - sum(levels[-1]) / len(levels[-1]) < reach:
            levels[-1].append(price)
        else:
            levels.append([price])
    merged = [(sum(level) / len(level), len(level)) for level in levels]
    nothing = (math.nan, math.nan)
    support = max((m for m in merged if m[0] < close[t]), default=nothing)
    resistance = min((m for m in merged if m[0] > close[t]), default=nothing)
    return (*support, *resistance)


def literal(frame: pd.DataFrame) -> dict[str, list]:
    open_, high, low, close = (frame[c].tolist() for c in ("open", "high", "low", "close"))
    count = len(close)
    hlc3 = [(h + lo + c) / 3 for h, lo, c in zip(high, low, close, strict=True)]
    wt1, wt2 = wave_trend(hlc3, 12)
    strength = rsi(close, 14)
    k = sma(place_of_last(rsi([math.log(price) for price in close], 14), 14), 3)
    flow = money_flow(open_, high, low, close)
    ribbon = [ema(close, length) for length in (5, 11, 15, 18, 21, 24, 28, 34)]
    ema_1, ema_2, ema_3, ema_8 = ribbon[0], ribbon[1], ribbon[2], ribbon[7]
    trend_1, trend_2 = wave_trend(hlc3, 13)
    first = divergences(wt2, high, low, -65, 45)
    second = divergences(wt2, high, low, -40, 15)
    free = divergences(wt2, high, low, math.inf, -math.inf)

    out: dict[str, list] = {name: [] for name in READ}
    atr = None
    for t in range(count):
        red_diamond = t > 0 and crosses_up(trend_2, trend_1, t)
        green_diamond = t > 0 and crosses_up(trend_1, trend_2, t)
        red_cross = t > 0 and crosses_up(ema_2, ema_1, t)
        row = {
            "mc_wt1": wt1[t],
            "mc_wt2": wt2[t],
            "mc_wt_vwap": None if wt2[t] is None else wt1[t] - wt2[t],
            "mc_money_flow": flow[t],
            "mc_rsi": strength[t],
            "mc_stoch_k": k[t],
            "mc_stoch_d": None,
            "mc_green_dot": t > 0 and crosses_up(wt1, wt2, t) and wt2[t] <= -53,
            "mc_red_dot": t > 0 and crosses_up(wt2, wt1, t) and wt2[t] >= 53,
            "mc_bull_div": t in first["bull"],
            "mc_bear_div": t in first["bear"],
            "mc_bull_div_weak": t in second["bull"] and t not in first["bull"],
            "mc_bear_div_weak": t in second["bear"] and t not in first["bear"],
            "mc_bull_div_hidden": t in free["bull_hidden"],
            "mc_bear_div_hidden": t in free["bear_hidden"],
            "mc_gold_dot": False,
            "mc_ribbon_bull": ema_8[t] < ema_2[t],
            "mc_long_ema": t > 0 and crosses_up(ema_2, ema_8, t),
            "mc_short_ema": t > 0 and crosses_up(ema_8, ema_2, t),
            "mc_red_cross": red_cross,
            "mc_blue_triangle_up": t > 0 and crosses_up(ema_2, ema_3, t),
            "mc_blue_triangle_down": t > 0 and crosses_up(ema_3, ema_2, t),
            "mc_red_diamond": red_diamond,
            "mc_green_diamond": green_diamond,
            "mc_blood_diamond": red_diamond and red_cross,
            "mc_moon_diamond": green_diamond and crosses_up(ema_1, ema_2, t),
            "mc_yellow_cross": red_diamond
            and -80 < trend_2[t] < 45
            and strength[t] is not None
            and 15 < strength[t] < 30
            and flow[t] is not None
            and flow[t] + 2.5 < -5,
        }
        row |= {f"mc_ema_{i}": line[t] for i, line in enumerate(ribbon, start=1)}
        if t in first["bull"]:
            before = first["bull"][t]
            row["mc_gold_dot"] = (
                wt2[before] <= -75
                and wt2[t] > -75
                and wt2[before] - wt2[t] <= -5
                and strength[before] is not None
                and strength[before] < 30
            )
        if t == 14:
            atr = sum(true_range(high, low, close, i) for i in range(1, 15)) / 14
        elif t > 14:
            atr = (atr * 13 + true_range(high, low, close, t)) / 14
        levels = nearest_levels(high, low, close, t, 0.5 * atr) if t >= SETTLED else (math.nan,) * 4
        names = ("support", "support_touches", "resistance", "resistance_touches")
        row |= {f"mc_{name}": value for name, value in zip(names, levels, strict=True)}
        for name, values in out.items():
            values.append(row[name])
    out["mc_stoch_d"] = sma(out["mc_stoch_k"], 3)
    return out


def true_range(high, low, close, t):
    return max(high[t] - low[t], abs(high[t] - close[t - 1]), abs(low[t] - close[t - 1]))


# The events of the page's table: column of the long side, of the short side, weight.
EVENTS = (
    ("mc_green_dot", "mc_red_dot", 0.20),
    ("bull_div_no_gold", "mc_bear_div", 0.30),
    ("mc_bull_div_weak", "mc_bear_div_weak", 0.15),
    ("mc_bull_div_hidden", "mc_bear_div_hidden", 0.15),
    ("mc_long_ema", "mc_short_ema", 0.10),
    ("mc_blue_triangle_up", "mc_blue_triangle_down", 0.05),
    ("mc_green_diamond", "mc_red_diamond", 0.05),
    ("mc_moon_diamond", "mc_blood_diamond", 0.15),
)


def literal_scores(frame: pd.DataFrame) -> dict[str, list[float]]:
    """The page's table of scores, read off a populated frame's other columns."""
    atr = talib.ATR(*(frame[name].to_numpy() for name in ("high", "low", "close")), 14)
    frame = frame.assign(atr=atr, bull_div_no_gold=frame["mc_bull_div"] & ~frame["mc_gold_dot"])
    columns = {name: frame[name].tolist() for name in frame}
    scores: dict[str, list[float]] = {"long": [], "short": []}
    for t in range(len(frame)):
        now = {name: values[t] for name, values in columns.items()}
        before = {name: values[max(t - 1, 0)] for name, values in columns.items()}
        near = {
            "mc_support": now["close"] - now["mc_support"] <= now["atr"],
            "mc_resistance": now["mc_resistance"] - now["close"] <= now["atr"],
        }
        for side, place, level, states in (
            ("long", 0, "mc_support", (now["mc_wt1"] > now["mc_wt2"], now["mc_money_flow"] > 0)),
            (
                "short",
                1,
                "mc_resistance",
                (now["mc_wt1"] < now["mc_wt2"], now["mc_money_flow"] < 0),
            ),
        ):
            wave, flow = states
            strength = "mc_dbsi_bull" if side == "long" else "mc_dbsi_bear"
            slow, fast = now["mc_ema_8"], now["mc_ema_2"]
            total = 0.10 if wave else 0.0
            total += 0.10 if flow else 0.0
            total += 0.15 if (slow < fast if side == "long" else slow > fast) else 0.0
            total += 0.15 if now[strength] > 15 and now[strength] > before[strength] else 0.0
            total += 0.10 if near[level] and now[f"{level}_touches"] >= 2 else 0.0
            total += sum(event[2] * faded(columns[event[place]], t) for event in EVENTS)
            total = min(total, 1.0)
            if side == "long":
                total *= 1 - 0.50 * faded(columns["mc_gold_dot"], t)
            scores[side].append(0.0 if now["mc_yellow_cross"] else total)
    return scores


# --- the comparison -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def both(candles: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, list]]:
    return market_cipher.populate(candles), literal(candles)


@pytest.mark.parametrize("column", READ)
def test_column_agrees_with_the_slow_reading(both, column: str) -> None:
    fast, slow = both
    got = fast[column].to_numpy()[SETTLED:]
    if fast[column].dtype == bool:
        np.testing.assert_array_equal(got, np.array(slow[column][SETTLED:], dtype=bool))
    else:
        want = np.array(slow[column][SETTLED:], dtype=float)
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("side", ["long", "short"])
def test_scores_are_the_sums_of_the_table(candles: pd.DataFrame, side: str) -> None:
    frame = market_cipher.populate(candles)
    got, want = frame[f"mc_{side}_score"], literal_scores(frame)[side]
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-12)


def test_events_occur_in_the_markets_compared(market) -> None:
    """An agreement on columns that are never set would prove nothing."""
    fast = market_cipher.populate(market(30_000, 3))
    for column in READ:
        if fast[column].dtype == bool:
            assert fast[column].any(), column
