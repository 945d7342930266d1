"""Lux Algo against a slow, literal reading of its definition, candle by candle in plain Python."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from bubbybot_freqtrade.analyzers import lux_algo
from tests.analyzers.conftest import faded

NAN = math.nan

READ = [name for name in lux_algo.COLUMNS if "score" not in name and "prev" not in name]
"""Columns that are read candle by candle; what the calendar says is read by the calendar."""


# --- the definition, read aloud -------------------------------------------------------------------


@dataclass
class Level:
    price: float
    candle: int
    crossed: bool = False
    fired: bool = False


@dataclass
class Walk:
    """One structure walk; `turned` says what this row's turn made."""

    length: int
    leg: str = "empty"
    high: Level | None = None
    low: Level | None = None
    trend: int = 0
    before: tuple[float, float] = (NAN, NAN)
    turned: str = ""

    def turn(self, high: list, low: list, t: int) -> None:
        self.before = (price(self.high), price(self.low))
        self.turned = ""
        at = t - self.length
        if at < 0:
            return
        if high[at] > max(high[at + 1 : t + 1]):
            now = "bearish"
        elif low[at] < min(low[at + 1 : t + 1]):
            now = "bullish"
        else:
            return
        if now == self.leg:
            return
        self.leg = self.turned = now
        if now == "bearish":
            self.high = Level(high[at], at)
        else:
            self.low = Level(low[at], at)

    def break_(self, close: list, t: int, swing: Walk | None) -> str:
        """The name of this row's break, '' for none."""
        if t == 0:
            return ""
        level, last = self.high, self.before[0]
        if level and not level.crossed and close[t] > level.price and close[t - 1] <= last:
            if swing and price(swing.high) == level.price:
                return ""
            name = "choch_bull" if self.trend == -1 else "bos_bull"
            level.crossed, self.trend = True, 1
            return name
        level, last = self.low, self.before[1]
        if level and not level.crossed and close[t] < level.price and close[t - 1] >= last:
            if swing and price(swing.low) == level.price:
                return ""
            name = "choch_bear" if self.trend == 1 else "bos_bear"
            level.crossed, self.trend = True, -1
            return name
        return ""


def price(level: Level | None) -> float:
    return NAN if level is None else level.price


@dataclass
class Zone:
    top: float
    bottom: float
    made: int
    age_from: int
    swing: bool = False


@dataclass
class Side:
    """All zones of one side that are still there; `broken` says whether this row ended one."""

    bullish: bool
    memory: int = 500
    zones: list[Zone] = field(default_factory=list)
    broken: bool = False

    def pass_row(self, lowest: float, highest: float, t: int, first_test: int = 0) -> None:
        self.broken = False
        if self.memory:
            self.zones = [zone for zone in self.zones if zone.age_from > t - self.memory]
        for zone in [zone for zone in self.zones if t >= zone.made + first_test]:
            if lowest < zone.bottom if self.bullish else highest > zone.top:
                self.zones.remove(zone)
                self.broken = True


def nearest(zones: list[Zone], close: float) -> tuple[float, float]:
    def order(zone: Zone) -> tuple:
        inside = zone.bottom <= close <= zone.top
        edge = min(abs(close - zone.top), abs(close - zone.bottom))
        return (0.0 if inside else edge, -zone.made, not zone.swing)

    if not zones:
        return (NAN, NAN)
    zone = min(zones, key=order)
    return (zone.top, zone.bottom)


def block(
    high: list, low: list, wide: list, bullish: bool, start: int, t: int, swing: bool
) -> Zone:
    if bullish:
        key = [high[i] if wide[i] else low[i] for i in range(start, t)]
        at = start + key.index(min(key))
    else:
        key = [low[i] if wide[i] else high[i] for i in range(start, t)]
        at = start + key.index(max(key))
    return Zone(high[at], low[at], t, at, swing)


@dataclass
class Reading:
    """Which of the definition's settings is read: those of the defaults, or the others."""

    wilder: bool = True
    by_close: bool = False
    memory: int = 500
    bodies: int = 500


def mean_ranges(high: list, low: list, close: list, wilder: bool) -> list:
    """MTR of every row, None before there is one."""
    ranges = [high[0] - low[0]]
    for t in range(1, len(close)):
        before = close[t - 1]
        ranges.append(max(high[t] - low[t], abs(high[t] - before), abs(low[t] - before)))
    out: list = [None] * 199
    for t in range(199, len(close)):
        if wilder and t > 199:
            out.append((out[-1] * 199 + ranges[t]) / 200)
        else:
            out.append(math.fsum(ranges[t - 199 : t + 1]) / 200)
    return out


def label(walk: Walk, before: tuple[float, float]) -> str:
    """What this row's turn is called, '' without a turn or with nothing to compare it with."""
    if walk.turned == "bearish" and not math.isnan(before[0]):
        return "hh" if walk.high.price > before[0] else "lh"
    if walk.turned == "bullish" and not math.isnan(before[1]):
        return "ll" if walk.low.price < before[1] else "hl"
    return ""


def literal(frame: pd.DataFrame, reading: Reading) -> dict[str, list]:  # noqa: C901 (in one piece)
    open_, high, low, close = (frame[c].tolist() for c in ("open", "high", "low", "close"))
    out: dict[str, list] = {name: [] for name in READ}
    swing, internal, small = Walk(50), Walk(5), Walk(3)
    walks = (("swing", swing), ("internal", internal))
    sides = ("bull", "bear")
    blocks = {
        (name, side): Side(side == "bull", reading.memory) for name, _ in walks for side in sides
    }
    gaps = {side: Side(side == "bull", reading.memory) for side in sides}
    body = [(c - o) / o for o, c in zip(open_, close, strict=True)]
    mtr = mean_ranges(high, low, close, reading.wilder)
    wide = [
        m is not None and h > lo and h - lo >= 2 * m
        for h, lo, m in zip(high, low, mtr, strict=True)
    ]
    equal: dict[str, Level | None] = {"bull": None, "bear": None}
    last_small = {"bearish": NAN, "bullish": NAN}
    range_high = range_low = NAN
    for t in range(len(close)):
        row: dict[str, object] = dict.fromkeys(out, False)
        row["lux_wide_candle"] = wide[t]

        for walk in (swing, internal, small):
            walk.turn(high, low, t)
        breaks = {"swing": swing.break_(close, t, None)}
        breaks["internal"] = internal.break_(close, t, swing)
        for name, walk in walks:
            if breaks[name]:
                row[f"lux_{name}_{breaks[name]}"] = True
                side = breaks[name].split("_")[1]
                pivot = walk.high if side == "bull" else walk.low
                zone = block(high, low, wide, side == "bull", pivot.candle, t, name == "swing")
                blocks[name, side].zones.append(zone)
            if label(walk, walk.before):
                row[f"lux_{name}_{label(walk, walk.before)}"] = True
            row[f"lux_{name}_high"] = price(walk.high)
            row[f"lux_{name}_low"] = price(walk.low)
            row[f"lux_{name}_trend"] = walk.trend

        first = t - reading.bodies if reading.bodies else 0
        if first >= 0 and t >= 2:
            usual = math.fsum(abs(b) for b in body[first:t]) / (t - first)
            if low[t] > high[t - 2] and close[t - 1] > high[t - 2] and body[t - 1] > 2 * usual:
                row["lux_fvg_bull"] = True
                gaps["bull"].zones.append(Zone(low[t], high[t - 2], t, t))
            if high[t] < low[t - 2] and close[t - 1] < low[t - 2] and -body[t - 1] > 2 * usual:
                row["lux_fvg_bear"] = True
                gaps["bear"].zones.append(Zone(low[t - 2], high[t], t, t))
        for side in sides:
            both = []
            for name, _ in walks:
                kind = blocks[name, side]
                if reading.by_close:
                    kind.pass_row(close[t], close[t], t)
                else:
                    kind.pass_row(low[t], high[t], t)
                top, bottom = nearest(kind.zones, close[t])
                row[f"lux_{name}_{side}_ob_top"] = top
                row[f"lux_{name}_{side}_ob_bottom"] = bottom
                row[f"lux_{name}_{side}_ob_broken"] = kind.broken
                both += kind.zones
            top, bottom = nearest(both, close[t])
            row[f"lux_{side}_ob_top"], row[f"lux_{side}_ob_bottom"] = top, bottom
            row[f"lux_in_{side}_ob"] = low[t] <= top and high[t] >= bottom
            gaps[side].pass_row(low[t], high[t], t, first_test=1)
            top, bottom = nearest(gaps[side].zones, close[t])
            row[f"lux_{side}_fvg_top"], row[f"lux_{side}_fvg_bottom"] = top, bottom

        if small.turned:
            bearish = small.turned == "bearish"
            new = small.high if bearish else small.low
            if mtr[t] is not None and abs(new.price - last_small[small.turned]) <= 0.1 * mtr[t]:
                row["lux_eqh" if bearish else "lux_eql"] = True
                equal["bear" if bearish else "bull"] = Level(new.price, new.candle)
            last_small[small.turned] = new.price

        for level in (swing.low, equal["bull"]):
            if not t or not level or level.fired:
                continue
            if low[t] < level.price and close[t - 1] > level.price and close[t] > level.price:
                level.fired = row["lux_sweep_bull"] = True
        for level in (swing.high, equal["bear"]):
            if not t or not level or level.fired:
                continue
            if high[t] > level.price and close[t - 1] < level.price and close[t] < level.price:
                level.fired = row["lux_sweep_bear"] = True

        if swing.turned == "bearish":
            range_high = swing.high.price
        if swing.turned == "bullish":
            range_low = swing.low.price
        range_high = NAN if math.isnan(range_high) else max(range_high, high[t])
        range_low = NAN if math.isnan(range_low) else min(range_low, low[t])
        position = (close[t] - range_low) / (range_high - range_low)
        row |= {"lux_range_high": range_high, "lux_range_low": range_low}
        row |= {"lux_range_pos": position, "lux_zone": zone_of(position)}
        row["lux_strong_high"], row["lux_weak_high"] = (
            (range_high, NAN) if swing.trend == -1 else (NAN, range_high)
        )
        row["lux_strong_low"], row["lux_weak_low"] = (
            (range_low, NAN) if swing.trend == 1 else (NAN, range_low)
        )
        for name, values in out.items():
            values.append(row[name])
    return out


def zone_of(position: float) -> float:
    if math.isnan(position):
        return NAN
    if position >= 0.95:
        return 1
    if position <= 0.05:
        return -1
    if 0.475 <= position <= 0.525:
        return 0
    return 0.5 if position > 0.525 else -0.5


EVENTS = (
    ("lux_swing_choch", 0.25),
    ("lux_swing_bos", 0.20),
    ("lux_internal_choch", 0.15),
    ("lux_internal_bos", 0.10),
    ("lux_sweep", 0.25),
)


def literal_scores(frame: pd.DataFrame) -> dict[str, list[float]]:
    """The page's table of scores, read off a populated frame's other columns."""
    columns = {name: frame[name].tolist() for name in frame}
    scores: dict[str, list[float]] = {"long": [], "short": []}
    for t in range(len(frame)):
        now = {name: values[t] for name, values in columns.items()}
        for side, name, trend, full, half in (
            ("long", "bull", 1, -1, -0.5),
            ("short", "bear", -1, 1, 0.5),
        ):
            total = 0.15 if now["lux_swing_trend"] == trend else 0.0
            total += 0.10 if now["lux_internal_trend"] == trend else 0.0
            total += 0.20 if now[f"lux_in_{name}_ob"] else 0.0
            reaches_down = now["low"] <= now[f"lux_{name}_fvg_top"]
            reaches_up = now["high"] >= now[f"lux_{name}_fvg_bottom"]
            total += 0.10 if reaches_down and reaches_up else 0.0
            total += {full: 0.10, half: 0.05}.get(now["lux_zone"], 0.0)
            total += sum(weight * faded(columns[f"{event}_{name}"], t) for event, weight in EVENTS)
            scores[side].append(min(total, 1.0))
    return scores


# --- the comparison -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def both(candles: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, list]]:
    return lux_algo.populate(candles), literal(candles, Reading())


@pytest.mark.parametrize("column", READ)
def test_column_agrees_exactly_with_the_slow_reading(both, column: str) -> None:
    agree(*both, column)


def agree(fast: pd.DataFrame, slow: dict[str, list], column: str) -> None:
    want = np.array(slow[column], dtype=fast[column].dtype)
    np.testing.assert_array_equal(fast[column].to_numpy(), want, err_msg=column)


def test_the_other_settings_agree_with_the_slow_reading_too(market) -> None:
    """A plain mean, mitigation by close, zones that live for ever, bodies of the whole frame."""
    frame = market(1_800, 11)
    slow = literal(frame, Reading(wilder=False, by_close=True, memory=0, bodies=0))
    for none in (0, None):
        settings = lux_algo.Settings(
            mean_range="simple",
            order_block_mitigation="close",
            order_block_memory=none,
            gap_memory=none,
            gap_body_length=none,
        )
        fast = lux_algo.populate(frame, settings, columns=READ)
        for column in READ:
            agree(fast, slow, column)
    usual = lux_algo.populate(frame)
    for column in (
        "lux_wide_candle",
        "lux_swing_bull_ob_broken",
        "lux_internal_bear_ob_top",
        "lux_fvg_bull",
    ):
        assert not fast[column].equals(usual[column])


def literal_periods(frame: pd.DataFrame) -> dict[str, list[float]]:
    """The period before this candle's, by the calendar."""
    names = {
        "day": lambda moment: moment.date(),
        "week": lambda moment: moment.isocalendar()[:2],
        "month": lambda moment: (moment.year, moment.month),
    }
    moments = frame["date"].tolist()
    out: dict[str, list[float]] = {}
    for period, name in names.items():
        highs: dict[object, list[float]] = {}
        lows: dict[object, list[float]] = {}
        columns: tuple[list[float], list[float]] = ([], [])
        instant_before = moments[0] - pd.Timedelta(1, "s")
        begins_whole = name(instant_before) != name(moments[0])
        for moment, high, low in zip(moments, frame["high"], frame["low"], strict=True):
            highs.setdefault(name(moment), []).append(high)
            lows.setdefault(name(moment), []).append(low)
            before = list(highs)[:-1]
            if not begins_whole:
                before = before[1:]
            columns[0].append(max(highs[before[-1]]) if before else NAN)
            columns[1].append(min(lows[before[-1]]) if before else NAN)
        out[f"lux_prev_{period}_high"], out[f"lux_prev_{period}_low"] = columns
    return out


@pytest.mark.parametrize(
    ("start", "step", "lost"),
    [
        ("2024-12-30", "4h", None),  # a Monday
        ("2024-02-01", "6h", None),  # a month's first day, in a leap year
        ("2025-01-29 05:00", "1h", None),
        ("2025-01-29 00:15", "15min", None),
        ("2024-12-20", "1h", slice(400, 1_200)),  # five weeks without candles
        ("2024-12-26 12:00", "1D", None),
    ],
)
def test_previous_highs_and_lows_agree_with_the_calendar(market, start, step, lost) -> None:
    frame = market(1_500, 5)
    frame["date"] = pd.date_range(start, periods=len(frame), freq=step, tz="UTC")
    if lost:
        frame = frame.drop(index=frame.index[lost]).reset_index(drop=True)
    fast = lux_algo.previous_highs_lows(frame)
    for column, want in literal_periods(frame).items():
        np.testing.assert_array_equal(fast[column], want, err_msg=column)
        assert fast[column].notna().any() or (step == "15min" and "month" in column), column


@pytest.mark.parametrize("side", ["long", "short"])
def test_scores_are_the_sums_of_the_table(candles: pd.DataFrame, side: str) -> None:
    frame = lux_algo.populate(candles)
    got, want = frame[f"lux_{side}_score"], literal_scores(frame)[side]
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-12)


def test_a_market_upside_down_swaps_long_and_short(candles: pd.DataFrame) -> None:
    """What the columns of a populated frame say of the mirrored market, scored."""
    columns = {name: values.to_numpy() for name, values in lux_algo.populate(candles).items()}
    mirrors = {"bull": "bear", "bear": "bull", "top": "bottom", "bottom": "top"}
    flipped = {}
    for name, values in columns.items():
        other = "_".join(mirrors.get(word, word) for word in name.split("_"))
        is_signed = name.endswith(("_trend", "_zone", "_top", "_bottom"))
        flipped[other] = -values if is_signed else values
    long, short = lux_algo.scores(columns, columns["high"], columns["low"])
    mirrored = lux_algo.scores(flipped, -columns["low"], -columns["high"])
    np.testing.assert_array_equal(mirrored, (short, long))


def test_events_occur_in_the_markets_compared(market) -> None:
    """An agreement on columns that are never set would prove nothing."""
    fast = lux_algo.populate(market(8_000, 3))
    for column in READ:
        if fast[column].dtype == bool:
            assert fast[column].any(), column
