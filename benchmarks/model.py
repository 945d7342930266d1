"""What BubbyBotAI's model knows, and what it costs: the figures and the picture of docs/model.md.

    python benchmarks/model.py [--data FOLDER] [--start 2023-01-01]

A purged walk-forward by FreqAI's own windows, as config.ai.json has them: each window's model was
trained on days before it, without the last candles, whose outcomes lie in it. Then freqtrade's
backtests with the model and without, and a rehearsal on the sandbox in which the model answers for
every new candle.
"""

import argparse
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.resolvers import ExchangeResolver
from results import MAJORS

from bubbybot_freqtrade.learning.calibration import (
    Bin,
    brier,
    one_hot,
    past_rates,
    reliability,
    skill,
)
from bubbybot_freqtrade.learning.labels import OUTCOMES, barriers, outcomes
from bubbybot_freqtrade.rehearsal.run import rehearse
from bubbybot_freqtrade.rehearsal.settings import RehearsalSettings
from bubbybot_freqtrade.search.backtests import (
    BacktestDesk,
    backtest_desk,
    generate_folder,
    link_folder,
    quiet,
)
from bubbybot_freqtrade.search.performance import Figures
from bubbybot_freqtrade.search.performance import figures as earned
from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy
from bubbybot_freqtrade.strategy.with_model import BubbyBotAIStrategy

RECORDED = Path("../shared/data/binance-majors")
END = "2025-06-30"
PAGE, PICTURE = Path("docs/model.md"), Path("docs/model_reliability.svg")
BEGIN_MARK, END_MARK = "<!-- figures by benchmarks/model.py -->", "<!-- end of figures -->"
CHANCES = [f"model_{name}" for name in OUTCOMES]


@dataclass(frozen=True)
class Judged:
    """Candidates of the judged candles: what the model said, the base rate said, and what came."""

    said: np.ndarray
    base: np.ndarray
    came: np.ndarray
    signal: np.ndarray
    expected: np.ndarray


CAPS = {"fee": 0.0006, "max_open_trades": 6}
"""As in benchmarks/results.py."""


def shipped() -> dict[str, Any]:
    """The config that ships, as `BacktestDesk.run` takes it."""
    config = json.loads(Path("config.ai.json").read_text())
    return {name: config[name] for name in ("strategy", "freqai", "freqaimodel")}


def walk_forward(desk: BacktestDesk, timerange: str, model: dict[str, Any]) -> Judged:
    """Train and predict window by window, and put all pairs' candidates together."""
    with quiet():
        frames = analyzed(desk, timerange, **model)
        plain = analyzed(desk, timerange)
    horizon = model["freqai"]["feature_parameters"]["label_period_candles"]
    parts = [
        judged(frame, entries(plain[pair]), horizon, timerange) for pair, frame in frames.items()
    ]
    return Judged(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def analyzed(desk: BacktestDesk, timerange: str, **changes: Any) -> dict[str, pd.DataFrame]:
    """Each pair's frame as the strategy has it, entries included."""
    config = desk.config(timerange, **changes)
    if desk.exchange is None:
        desk.exchange = ExchangeResolver.load_exchange(config, load_leverage_tiers=True)
    backtesting = Backtesting(config, desk.exchange)
    candles, _ = backtesting.load_bt_data()
    backtesting._set_strategy(backtesting.strategylist[0])
    strategy = backtesting.strategy
    frames = strategy.advise_all_indicators(candles)
    return {pair: strategy.advise_entry(frame, {"pair": pair}) for pair, frame in frames.items()}


def entries(frame: pd.DataFrame) -> pd.DatetimeIndex:
    """Dates of BubbyBot's own signals."""
    return pd.DatetimeIndex(frame.loc[frame[["enter_long", "enter_short"]].any(axis=1), "date"])


def judged(
    frame: pd.DataFrame, signals: pd.DatetimeIndex, horizon: int, timerange: str
) -> tuple[np.ndarray, ...]:
    """The pair's candidates in the range whose outcome is known."""
    sides = frame["model_side"].to_numpy().astype(np.int8)
    came = one_hot(outcomes(frame, sides, *barriers(frame, sides), horizon), OUTCOMES)
    base, said = past_rates(came, horizon), frame[CHANCES].to_numpy()
    start = pd.Timestamp(timerange.partition("-")[0], tz=UTC)
    use = (frame["date"] >= start).to_numpy()
    for column in (came, base, said):
        use = use & ~np.isnan(column).any(axis=1)
    signal = frame["date"].isin(signals).to_numpy()
    expected = frame["model_expected_r"].to_numpy()
    return tuple(column[use] for column in (said, base, came, signal, expected))


def scores(all_of_them: Judged) -> Iterator[str]:
    """Rows of the table of Brier scores."""
    rows = {
        "all candidates": np.ones(len(all_of_them.signal), dtype=bool),
        "BubbyBot's signals": all_of_them.signal,
    }
    for name, rows_ in rows.items():
        model = brier(all_of_them.said[rows_], all_of_them.came[rows_])
        base = brier(all_of_them.base[rows_], all_of_them.came[rows_])
        shares = " / ".join(f"{share:.0%}" for share in all_of_them.came[rows_].mean(axis=0))
        yield (
            f"| {name} | {rows_.sum():,} | {shares} | {model:.3f} | {base:.3f} | "
            f"{skill(model, base):+.1%} |"
        )


def bin_rows(bins: list[Bin]) -> Iterator[str]:
    """Rows of the reliability table."""
    for one in bins:
        yield (
            f"| {one.said:.1%} | {one.came:.1%} | {one.low:.1%} to {one.high:.1%} | "
            f"{one.candles:,} |"
        )


# --- the picture ----------------------------------------------------------------------------------

SIZE, MARGIN = 420, 50


def picture(curves: dict[str, list[Bin]]) -> str:
    """The reliability curves of all outcomes as SVG: on the diagonal, what is said comes true."""
    colours = {"target": "#2a7f62", "stop": "#b3423a", "time": "#6b6b6b"}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE + 130} {SIZE + 20}" '
        'font-family="sans-serif" font-size="13" role="img" '
        'aria-label="How often each outcome came, by the probability the model gave it">',
        f'<rect width="{SIZE + 130}" height="{SIZE + 20}" fill="white"/>',
    ]
    for tick in range(0, 101, 20):
        x, y = place(tick / 100, tick / 100)
        parts += [
            f'<line x1="{MARGIN}" x2="{SIZE}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e4e4e4"/>',
            f'<text x="{MARGIN - 6}" y="{y + 4:.1f}" text-anchor="end">{tick} %</text>',
            f'<text x="{x:.1f}" y="{SIZE - MARGIN + 38}" text-anchor="middle">{tick} %</text>',
        ]
    (x0, y0), (x1, y1) = place(0, 0), place(1, 1)
    parts.append(
        f'<line x1="{x0}" y1="{y0}" x2="{x1}" y2="{y1}" stroke="#999" stroke-dasharray="4 4"/>'
    )
    for number, (name, bins) in enumerate(curves.items()):
        parts += curve(bins, colours[name])
        parts.append(
            f'<text x="{SIZE + 14}" y="{60 + 22 * number}" fill="{colours[name]}">{name}</text>'
        )
    middle = (MARGIN + SIZE) / 2
    parts += [
        f'<text x="{middle}" y="{SIZE + 12}" text-anchor="middle">the model said</text>',
        f'<text x="14" y="{SIZE / 2}" transform="rotate(-90 14 {SIZE / 2})" '
        'text-anchor="middle">it came</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def place(said: float, came: float) -> tuple[float, float]:
    """Where a point of the unit square stands in the picture."""
    width = SIZE - MARGIN
    return MARGIN + said * width, 20 + (1 - came) * (SIZE - MARGIN - 20)


def curve(bins: list[Bin], colour: str) -> Iterator[str]:
    """A line through the bins, with their intervals."""
    points = [place(one.said, one.came) for one in bins]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for one, (x, y) in zip(bins, points, strict=True):
        (_, low), (_, high) = place(one.said, one.low), place(one.said, one.high)
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}" stroke="{colour}"/>'
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>'


# --- the live loop --------------------------------------------------------------------------------


@contextmanager
def timed() -> Iterator[dict[str, list[float]]]:
    """Seconds of every call that analyzes a pair's newest candles, by the class that does it."""
    seconds: dict[str, list[float]] = defaultdict(list)
    classes = (BubbyBotStrategy, BubbyBotAIStrategy)
    before = {each: each.populate_indicators for each in classes}

    def timing(each: type) -> Any:
        call = before[each]

        @wraps(call)
        def populate(self: Any, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
            begun = time.perf_counter()
            made = call(self, dataframe, metadata)
            if each is BubbyBotStrategy or made["model_target"].notna().any():
                seconds[each.__name__].append(time.perf_counter() - begun)
            return made

        return populate

    for each in classes:
        each.populate_indicators = timing(each)
    try:
        yield seconds
    finally:
        for each, call in before.items():
            each.populate_indicators = call


def live_cost(folder: Path, model: dict[str, Any]) -> list[str]:
    """A day of rehearsal with the model, and what its answers took."""
    given = folder / "rehearsal.json"
    # A month of training is enough for its size in the loop; four would be four times the wait.
    freqai = model["freqai"] | {"identifier": "live", "train_period_days": 30}
    freqai["feature_parameters"] = freqai["feature_parameters"] | {"include_timeframes": ["15m"]}
    config = {"freqai": freqai, "freqaimodel": model["freqaimodel"]}
    given.write_text(json.dumps(config | {"exchange": {"name": "blofin"}}))
    settings = RehearsalSettings(
        days=0.5, strategy=model["strategy"], config=given, out=folder / "rehearsal"
    )
    with timed() as seconds:
        result = rehearse(settings)
    plain = median(seconds["BubbyBotStrategy"])
    both = median(seconds["BubbyBotAIStrategy"])
    return [
        f"In the live loop ({len(result.span.pairs)} pairs on the sandbox, "
        f"{len(seconds['BubbyBotAIStrategy'])} answers, medians): a pair's new candle takes "
        f"{1000 * plain:.0f} ms to analyze and {1000 * both:.0f} ms with the model, "
        f"{both / plain:.1f} times as long, once in 15 minutes. Training runs beside the loop, in "
        "a thread of its own.",
    ]


# --- the page -------------------------------------------------------------------------------------


def figures(desk: BacktestDesk, folder: Path, start: str, source: str) -> str:
    """The section of the page; the picture is written beside it."""
    model = shipped()
    timerange = f"{start.replace('-', '')}-{END.replace('-', '')}"
    # First: a backtest leaves freqtrade without a database in this process.
    cost = live_cost(folder, model)
    begun = time.monotonic()
    found = walk_forward(desk, timerange, model)
    minutes = (time.monotonic() - begun) / 60
    runs = {
        "BubbyBot": desk.run(timerange, **CAPS).trades,
        "BubbyBotAI": desk.run(timerange, **CAPS, **model).trades,
    }
    curves = {
        name: reliability(found.said[:, column], found.came[:, column] == 1)
        for column, name in enumerate(OUTCOMES)
    }
    PICTURE.write_text(picture(curves))
    freqai = model["freqai"]
    return "\n".join(
        [
            f"On {source}, {start} to {END}, {', '.join(desk.pairs)}: every "
            f"{freqai['backtest_period_days']} days a model of the {freqai['train_period_days']} "
            f"days before, {minutes:.1f} minutes in all.",
            "",
            "| | candles | target / stop / time | Brier score | base rate's | skill |",
            "|---|---:|---:|---:|---:|---:|",
            *scores(found),
            "",
            "![How often each outcome came](model_reliability.svg)",
            "",
            "Target first, a tenth of the candidates a row:",
            "",
            "| the model said | it came | 95 % if candles were independent | candles |",
            "|---:|---:|---:|---:|",
            *bin_rows(curves["target"]),
            "",
            "What it earns, beside the same without it (freqtrade's backtester, as on the "
            "[results](results.md) page):",
            "",
            Figures.HEAD,
            *(earned(trades, start, END).row(name) for name, trades in runs.items()),
            "",
            *cost,
        ]
    )


def main() -> None:
    """Read the options, find the candles, replace the page's section."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=RECORDED if RECORDED.exists() else None)
    parser.add_argument("--start", default="2023-01-01")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        if options.data is not None:
            link_folder(options.data, folder / "data")
            source = f"the recorded candles of {options.data.name}"
        else:
            generate_folder(folder / "data", datetime(2022, 1, 1, tzinfo=UTC), days=1277)
            source = "a generated market"
        pairs = [f"{name}/USDT:USDT" for name in (MAJORS if options.data else MAJORS[:3])]
        with backtest_desk(folder / "data", folder / "user_data", pairs) as desk:
            text = figures(desk, folder, options.start, source)
    page = PAGE.read_text()
    before, after = page.partition(BEGIN_MARK)[0], page.partition(END_MARK)[2]
    PAGE.write_text(f"{before}{BEGIN_MARK}\n{text}\n{END_MARK}{after}")
    print(text)


if __name__ == "__main__":
    main()
