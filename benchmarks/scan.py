"""Many variants of the strategy in seconds: its own signals and levels on 1h candles, cached.

freqtrade's backtests judge (benchmarks/results.py); this answers what would take hundreds of them:
parameter ranges, random entries, walk-forward. Analyzers run once per pair; readings, scores, stops
and targets are the package's own functions. An entry is at the open after the hour that closed, a
candle that reaches stop and target counts as the stop, the daily loss limit and funding are left
out. How close it comes to the backtest stands on the page beside it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pandas as pd

from bubbybot_freqtrade.analyzers.candles import with_columns
from bubbybot_freqtrade.risk.levels import (
    LEVEL_COLUMNS,
    average_true_range,
    long_levels,
    short_levels,
)
from bubbybot_freqtrade.risk.plan import desired_risk
from bubbybot_freqtrade.settings import BubbyBotSettings
from bubbybot_freqtrade.signals.confluence import scores
from bubbybot_freqtrade.signals.context import (
    Context,
    analyze_context,
    opened,
    seen,
    whole_candles,
)
from bubbybot_freqtrade.signals.trend import TREND_COLUMNS, readings, window_side

FEE = 0.0006
COLUMNS = list(dict.fromkeys((*TREND_COLUMNS, *LEVEL_COLUMNS)))

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Chooser = Callable[[str, pd.DataFrame, BubbyBotSettings], tuple[Floats, Floats]]
"""Pair, frame and settings in; long and short score of every hour out."""


@dataclass(frozen=True)
class Market:
    """Analyzed hours of several pairs, in the order of the whitelist."""

    frames: Mapping[str, pd.DataFrame]
    start: str
    end: str


def read_market(folder: Path, pairs: Sequence[str], start: str, end: str) -> Market:
    """Analyze the 1h candles of a freqtrade data folder."""
    return Market({pair: _analyzed(folder, pair, start) for pair in pairs}, start, end)


def _analyzed(folder: Path, pair: str, start: str) -> pd.DataFrame:
    name = pair.replace("/", "_").replace(":", "_")
    hours = pd.read_feather(folder / "futures" / f"{name}-1h-futures.feather")
    hours = hours.drop_duplicates("date").reset_index(drop=True)
    own = analyze_context(hours, 1, COLUMNS)
    fours = whole_candles(hours, "4h", parts=4)
    context = Context.of(fours, "4h", analyze_context(fours, 1, COLUMNS))
    columns = {f"{name}_1h": column for name, column in own.items()}
    columns |= seen(opened(hours), "1h", context) | {"atr": average_true_range(hours)}
    made = with_columns(hours, columns)
    # What comes before the range served the analyzers, and the longest window.
    first = pd.Timestamp(start, tz="UTC") - pd.Timedelta("1000h")
    return made[made["date"] >= first].reset_index(drop=True)


def by_confluence(_pair: str, frame: pd.DataFrame, settings: BubbyBotSettings) -> Any:
    """BubbyBot's own scores."""
    return scores(readings(frame, settings.confluence), settings.confluence)


def any_breakout(_pair: str, frame: pd.DataFrame, settings: BubbyBotSettings) -> Any:
    """The least score on every highest or lowest close of the window."""
    side = frame["window_side_1h"].to_numpy()
    return np.where(side > 0, 0.7, 0.0), np.where(side < 0, 0.7, 0.0)


def momentum(_pair: str, frame: pd.DataFrame, _settings: BubbyBotSettings) -> Any:
    """The least score on the side of the last thirty days (Moskowitz, Ooi and Pedersen, 2012)."""
    change = frame["close"].diff(30 * 24).to_numpy()
    return np.where(change > 0, 0.7, 0.0), np.where(change < 0, 0.7, 0.0)


def at_random(seed: int, share: float) -> Chooser:
    """The least score on a share of all hours."""

    def choose(pair: str, frame: pd.DataFrame, _settings: BubbyBotSettings) -> Any:
        die = np.random.default_rng([seed, *pair.encode()]).random((2, len(frame)))
        return tuple(np.where(thrown < share, 0.7, 0.0) for thrown in die)

    return choose


def trades_of(
    market: Market,
    block: Mapping[str, Any] | None = None,
    choose: Chooser = by_confluence,
    *,
    hours: int | None = None,
    slippage: float = 0.0,
) -> pd.DataFrame:
    """The trades of the portfolio, in the columns that `search.performance` reads."""
    settings = BubbyBotSettings.from_config({"bubbybot": block or {}})
    held = hours or int(settings.exits.max_hours or 10_000)
    signals = [
        _signals(pair, rank, frame, settings, choose, market, held, FEE + slippage)
        for rank, (pair, frame) in enumerate(market.frames.items())
    ]
    found = pd.concat(signals).sort_values(["entered", "rank"], kind="stable")
    return _taken(found.reset_index(drop=True), settings)


def _signals(
    pair: str,
    rank: int,
    frame: pd.DataFrame,
    settings: BubbyBotSettings,
    choose: Chooser,
    market: Market,
    held: int,
    fee: float,
) -> pd.DataFrame:
    window = settings.confluence.window
    frame = frame.assign(window_side_1h=window_side(frame["close"].to_numpy(), window))
    long, short = choose(pair, frame, settings)
    least = settings.confluence.min_confidence
    side = (long >= least).astype(np.int64) - (short >= least).astype(np.int64)
    span = frame["date"].between(market.start, market.end).to_numpy()
    rows = np.flatnonzero((side != 0) & span & frame["atr"].notna().to_numpy())
    rows = rows[rows < len(frame) - 1]
    sides = side[rows]
    picked = frame.iloc[rows]
    atr = picked["atr"].to_numpy()
    up = long_levels(picked, atr, FEE, settings.risk)
    down = short_levels(picked, atr, FEE, settings.risk)
    stop = np.where(sides > 0, up.stop, down.stop)
    target = np.where(sides > 0, up.target, down.target)
    prices = [frame[name].to_numpy(dtype=np.float64) for name in ("open", "high", "low")]
    rate, last = _walk(*prices, rows, sides, stop, target, held)
    opened = prices[0][rows + 1]
    loss = np.abs(opened - stop) + fee * (opened + stop)
    gain = sides * (rate - opened) - fee * (opened + rate)
    dates = frame["date"].array
    return pd.DataFrame(
        {
            "pair": pair,
            "rank": rank,
            "entered": dates[rows + 1],
            "left": dates[np.minimum(last, len(frame) - 1)],
            "is_short": sides < 0,
            "confidence": np.where(sides > 0, long[rows], short[rows]),
            "open_rate": opened,
            "close_rate": rate,
            "share": loss / opened,
            "r": gain / loss,
        }
    )


@numba.njit(cache=True)
def _walk(
    opens: Floats, highs: Floats, lows: Floats, rows: Rows, sides: Rows, stop: Floats,
    target: Floats, held: int,
) -> tuple[Floats, Rows]:  # fmt: skip
    """Where and in which hour each trade ends; entered at the open after its row."""
    rate, last = np.empty(len(rows)), np.empty(len(rows), np.int64)
    for k in range(len(rows)):
        first, side = rows[k] + 1, sides[k]
        end = min(first + held, len(opens) - 1)
        rate[k], last[k] = opens[end], end
        for hour in range(first, end):
            worst, best = (lows[hour], highs[hour]) if side > 0 else (highs[hour], lows[hour])
            if side * (worst - stop[k]) <= 0:
                gapped = side * (opens[hour] - stop[k]) < 0
                rate[k], last[k] = (opens[hour] if gapped else stop[k]), hour + 1
                break
            if side * (best - target[k]) >= 0:
                rate[k], last[k] = target[k], hour + 1
                break
    return rate, last


def _taken(signals: pd.DataFrame, settings: BubbyBotSettings) -> pd.DataFrame:
    """Those that find a free place on their side, one trade a pair."""
    most, least = settings.risk.max_same_side, settings.confluence.min_confidence
    entered, left = signals["entered"].to_numpy(), signals["left"].to_numpy()
    short, pair = signals["is_short"].to_numpy(), signals["pair"].to_numpy()
    taken: list[int] = []
    opened: list[int] = []
    for k in range(len(signals)):
        opened = [one for one in opened if left[one] > entered[k]]
        same = [one for one in opened if short[one] == short[k]]
        if len(same) < most and all(pair[one] != pair[k] for one in opened):
            opened.append(k)
            taken.append(k)
    made = signals.iloc[taken].reset_index(drop=True)
    risk = np.array([desired_risk(score, least, settings.risk) for score in made["confidence"]])
    return made.assign(
        open_date=made["entered"],
        close_date=made["left"],
        profit_abs=risk * made["r"],
        plan_risk=risk,
        plan_equity=1.0,
        amount=risk / made["share"] / made["open_rate"],
        fee_open=FEE,
        funding_fees=0.0,
    )
