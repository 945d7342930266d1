"""
Frankie Candles against a slow, literal reading of its definition.

The volume profile is read in exact fractions of the prices as the exchange prints them, so that
ties and prices on an edge are what they are and no rounding is shared with the fast one.
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
from tests.analyzers.conftest import faded

NAN = math.nan


# --- the definition, read aloud -------------------------------------------------------------------


def profile(
    high: list, low: list, volume: list, count: int = 100, pair: int = 1
) -> tuple[float, float, float]:
    """POC, VAH, VAL of one window of Fractions in `count` rows, compared by `pair` rows a side."""
    floor, roof = min(low), max(high)
    total = sum(volume)
    if roof == floor or total == 0:
        return (NAN, NAN, NAN)
    step = (roof - floor) / count
    edges = [floor + i * step for i in range(count + 1)]
    rows = [Fraction(0)] * count
    for h, lo, v in zip(high, low, volume, strict=True):
        first = min(int((lo - floor) / step), count - 1)
        if h == lo:
            rows[first] += v
            continue
        for i in range(first, min(int((h - floor) / step), count - 1) + 1):
            overlap = min(h, edges[i + 1]) - max(lo, edges[i])
            rows[i] += v * overlap / (h - lo)
    poc = rows.index(max(rows))
    top = bottom = poc
    inside = rows[poc]
    while inside < Fraction(7, 10) * total:
        above = rows[top + 1 : top + 1 + pair]
        below = rows[max(bottom - pair, 0) : bottom]
        if not below or (above and sum(above) >= sum(below)):
            top += len(above)
            inside += sum(above)
        else:
            bottom -= len(below)
            inside += sum(below)
    return (float((edges[poc] + edges[poc + 1]) / 2), float(edges[top + 1]), float(edges[bottom]))


def pivots(values: list, kind: int) -> list[int]:
    """Candles strictly beyond the 5 either side; kind +1 bottoms, −1 tops."""
    found = []
    for at in range(5, len(values) - 5):
        around = values[at - 5 : at] + values[at + 1 : at + 6]
        if all(kind * values[at] < kind * other for other in around):
            found.append(at)
    return found


def divergence_counts(oscillators: list[list], high: list, low: list) -> dict[str, list]:
    counts = {
        name: [0] * len(high)
        for name in ("bull_div", "bear_div", "bull_div_hidden", "bear_div_hidden")
    }
    for values in oscillators:
        for kind, prices, side in ((1, low, "bull"), (-1, high, "bear")):
            found = pivots(values, kind)
            for before, at in pairwise(found):
                if at - before > 60:
                    continue
                price_lower = kind * prices[at] < kind * prices[before]
                price_higher = kind * prices[at] > kind * prices[before]
                if price_lower and kind * values[at] > kind * values[before]:
                    counts[f"{side}_div"][at + 5] += 1
                if price_higher and kind * values[at] < kind * values[before]:
                    counts[f"{side}_div_hidden"][at + 5] += 1
    return counts


def golden_pocket(
    high: list, low: list, close: list, near: float = 0.618, far: float = 0.65, length: int = 50
) -> list[tuple]:
    """(top, bottom, inside) per row, from the swing leg's own walk."""
    out = []
    leg = ""
    top = bottom = None  # (price, candle)
    for t in range(len(close)):
        at = t - length
        now = leg
        if at >= 0 and high[at] > max(high[at + 1 : t + 1]):
            now = "bearish"
        elif at >= 0 and low[at] < min(low[at + 1 : t + 1]):
            now = "bullish"
        if now != leg:
            leg = now
            if leg == "bearish":
                top = (high[at], at)
            else:
                bottom = (low[at], at)
        if top and high[t] > top[0]:
            top = (high[t], t)
        if bottom and low[t] < bottom[0]:
            bottom = (low[t], t)
        if not top or not bottom:
            out.append((NAN, NAN, 0))
            continue
        size = top[0] - bottom[0]
        if top[1] > bottom[1]:
            edges, direction = (top[0] - near * size, top[0] - far * size), 1
        else:
            edges, direction = (bottom[0] + far * size, bottom[0] + near * size), -1
        out.append((*edges, direction if edges[1] <= close[t] <= edges[0] else 0))
    return out


def literal_scores(frame: pd.DataFrame) -> dict[str, list[float]]:
    """The page's table of scores, read off a populated frame's other columns."""
    columns = {name: frame[name].tolist() for name in frame}
    scores: dict[str, list[float]] = {"long": [], "short": []}
    for side, name, price, kind in (("long", "bull", "low", 1), ("short", "bear", "high", -1)):
        edge = columns["fc_val" if side == "long" else "fc_vah"]
        regular: list[float] = []
        hidden: list[float] = []
        strong: list[float] = []
        for t, (close, poc) in enumerate(zip(columns["close"], columns["fc_poc"], strict=True)):
            # The pivot lies five candles before the row that knows it.
            counts = t >= 5 and kind * columns[price][t - 5] <= kind * poc
            one, another = columns[f"fc_{name}_div"][t], columns[f"fc_{name}_div_hidden"][t]
            regular.append(0.30 + 0.10 * (one - 1) if one and counts else 0.0)
            hidden.append(0.20 + 0.10 * (another - 1) if another and counts else 0.0)
            strong.append(0.20 if columns[f"fc_{name}_div_strong"][t] and counts else 0.0)
            total = 0.35 if columns["fc_in_golden_pocket"][t] == kind else 0.0
            total += 0.10 if kind * close < kind * poc else 0.0
            total += 0.15 if kind * close < kind * edge[t] else 0.0
            total += faded(regular, t) + faded(hidden, t) + faded(strong, t)
            scores[side].append(min(total, 1.0))
    return scores


# --- the comparison -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fast(candles: pd.DataFrame) -> pd.DataFrame:
    return frankie_candles.populate(candles)


def test_profile_agrees_with_the_slow_reading(candles: pd.DataFrame, fast: pd.DataFrame) -> None:
    high, low, volume = ([Fraction(str(v)) for v in candles[c]] for c in ("high", "low", "volume"))
    rows = [*range(477, 487), *np.random.default_rng(5).integers(487, len(candles), 40)]
    for t in rows:
        window = slice(t - 479, t + 1)
        want = profile(high[window], low[window], volume[window]) if t >= 479 else (NAN,) * 3
        got = fast.loc[t, ["fc_poc", "fc_vah", "fc_val"]].to_numpy(dtype=float)
        np.testing.assert_allclose(got, want, rtol=1e-12)


def test_divergences_agree_with_the_slow_reading(candles: pd.DataFrame, fast: pd.DataFrame) -> None:
    high, low, close, volume = (candles[c].to_numpy() for c in ("high", "low", "close", "volume"))
    wt2 = market_cipher.populate(candles)["mc_wt2"]
    # TA-Lib's sums round; equal values of its MFI are equal only within that, and so are those of
    # its RSI on candles that close where the one before did.
    mfi = np.round(talib.MFI(high, low, close, volume, 14), 9)
    rsi = np.round(talib.RSI(close, 14), 9)
    slow = divergence_counts(
        [rsi.tolist(), mfi.tolist(), wt2.tolist()], high.tolist(), low.tolist()
    )
    for name, values in slow.items():
        np.testing.assert_array_equal(fast[f"fc_{name}"].to_numpy(), values, name)
    at = np.arange(len(candles)) - 5
    strong = [
        slow["bull_div"][t] > 0 and at[t] >= 0 and low[at[t]] < fast["fc_val"][t]
        for t in range(len(candles))
    ]
    np.testing.assert_array_equal(fast["fc_bull_div_strong"], strong)
    strong = [
        slow["bear_div"][t] > 0 and at[t] >= 0 and high[at[t]] > fast["fc_vah"][t]
        for t in range(len(candles))
    ]
    np.testing.assert_array_equal(fast["fc_bear_div_strong"], strong)
    for name, sign, price in (("bull", 1, low), ("bear", -1, high)):
        wrong = [
            slow[f"{name}_div"][t] + slow[f"{name}_div_hidden"][t] > 0
            and not sign * price[at[t]] <= sign * fast["fc_poc"][t]
            for t in range(len(candles))
        ]
        np.testing.assert_array_equal(fast[f"fc_{name}_div_wrong_side"], wrong)


def test_golden_pocket_agrees_exactly_with_the_slow_reading(
    candles: pd.DataFrame, fast: pd.DataFrame
) -> None:
    slow = golden_pocket(*(candles[c].tolist() for c in ("high", "low", "close")))
    columns = ["fc_gp_top", "fc_gp_bottom", "fc_in_golden_pocket"]
    np.testing.assert_array_equal(fast[columns].to_numpy(), np.array(slow, dtype=float))


@pytest.mark.parametrize("side", ["long", "short"])
def test_scores_are_the_sums_of_the_table(candles: pd.DataFrame, side: str) -> None:
    frame = frankie_candles.populate(candles)
    got, want = frame[f"fc_{side}_score"], literal_scores(frame)[side]
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-12)


def test_everything_occurs_in_the_markets_compared(market) -> None:
    """An agreement on columns that are never set would prove nothing."""
    frame = frankie_candles.populate(market(8_000, 3))
    for column in frankie_candles.COLUMNS:
        if "div" in column:
            assert (frame[column] > 0).any(), column
    for column in ("fc_in_golden_pocket", "fc_in_ote"):
        assert set(frame[column]) == {-1.0, 0.0, 1.0}
    for column in ("fc_naked_poc_above", "fc_naked_poc_below"):
        assert 0 < frame[column].isna().mean() < 1
