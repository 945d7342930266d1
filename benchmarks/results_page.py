"""The page that benchmarks/results.py writes, with what benchmarks/scan.py adds to it."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scan import Market, any_breakout, at_random, momentum, read_market, trades_of

from bubbybot_freqtrade.search.performance import (
    Figures,
    daily,
    deflated_sharpe,
    drawdown,
    figures,
    merit,
    ratio,
    returns_of,
)
from bubbybot_freqtrade.settings import MIN_RISK

Trades = pd.DataFrame
Found = Mapping[tuple[str, str], Trades]

OURS, PLAIN = "BubbyBot", "plain 480-hour breakout, same exits"
# Counted by hand from the work on the strategy; the page says of what.
TRIED_BEFORE = 960
SEEDS = range(1, 13)
SLIPPAGE = 0.0005
PLAIN_BLOCK = {"confluence": {"window": 480}}
FOLDS = ("2023-01-01", "2023-07-01", "2024-01-01", "2024-07-01", "2025-01-01", "2025-06-30")
PURGED = pd.Timedelta("48h")
"""A trade of the past that is still open where a part begins knows some of that part."""

RANGES: dict[str, tuple[str, tuple[float, ...]]] = {
    "window": ("confluence", (360, 480, 600, 720, 840, 960)),
    "ribbon_room": ("confluence", (2.5, 3.5, 4.5, 5.5, 7.0, 10.0)),
    "structure_room": ("confluence", (5.0, 7.0, 9.0, 11.0, 14.0, 20.0)),
    "value_room": ("confluence", (4.0, 5.5, 7.0, 8.5, 11.0, 15.0)),
    "stop_atrs": ("risk", (3.0, 4.0, 5.0, 6.0, 7.0)),
    "reward_risk": ("risk", (2.0, 2.5, 3.0, 4.0, 5.0)),
    "max_hours": ("exits", (24.0, 36.0, 48.0, 60.0, 72.0, 96.0)),
}
DEFAULTS = {
    "window": 720, "ribbon_room": 4.5, "structure_room": 9.0, "value_room": 7.0,
    "stop_atrs": 5.0, "reward_risk": 3.0, "max_hours": 48.0,
}  # fmt: skip

HISTORY = (
    "How it came about: the outcome of every breakout of 480 hours was held against some sixty "
    "columns, on nine majors from 2022 on, five from 2020 and 2021 and forty other pairs; what "
    "kept its sign on all three was taken. About 960 variants were run in all, 290 of them on the "
    "strategy before: filters, orders, exits, windows, units of volatility, votes and their "
    "thresholds, most of them as neighbours of one another. The defaults were taken from the "
    "middle of what worked, not from its best. **Every candle of this page has therefore been "
    "looked at.** Candles after 2025-06-30 are the judge; nobody has run them."
)


def page(found: Found, markets: Mapping[str, Any], data: Path, out: Path) -> None:
    """Write the page to `out` and its pictures beside it."""
    scanned = {
        name: read_market(data / name, market.pairs, market.start, market.end)
        for name, market in markets.items()
    }
    lines = [*_head(found, markets)]
    for name, market in markets.items():
        if (name, OURS) not in found or (name, PLAIN) not in found:
            continue
        lines += _market(name, found, market, scanned[name], data / name, out)
    lines += [*_ranges(scanned["majors"], out), *_walk_forward(found, scanned["majors"])]
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _head(found: Found, markets: Mapping[str, Any]) -> Iterator[str]:
    yield "# What it earns"
    yield ""
    yield (
        "Made by `make results` on recorded candles of Binance's USDT-M perpetuals, by freqtrade's "
        "backtester: shipped settings, 0.06 % fee on entry and exit, recorded funding, isolated "
        "margin. Profit is compounded; the profit factor is of shares of the account (`bubbybot "
        "report` takes it of USDT, as freqtrade does); ratios are of daily returns, times √365; R "
        "is the planned loss, fees included; drawdown counts closed trades. Today's majors are "
        "yesterday's survivors, so every row of this page flatters, the controls too."
    )
    yield ""
    yield f"**{verdict(found, markets)}**"
    yield ""
    yield HISTORY
    yield ""


def folded(name: str) -> tuple[str, ...]:
    """The beginning of what a reader opens if he wants it: Markdown, on the site and on GitHub."""
    return (f'<details markdown="1"><summary>{name}</summary>', "")


FOLD_ENDS = ("", "</details>", "")


def verdict(found: Found, markets: Mapping[str, Any]) -> str:
    """Whether it is above the plain breakout on these candles, in one sentence a market."""
    told = []
    for name, market in markets.items():
        ours, plain = (_figures(found[name, one], market) for one in (OURS, PLAIN))
        told.append(f"On {name} BubbyBot {_beside(ours, plain)} with the same exits.")
    return " ".join(told)


def _beside(ours: Figures, plain: Figures) -> str:
    """What is said only where both profit factor and Sharpe are above: that it is above."""
    is_above = ours.profit_factor > plain.profit_factor and ours.sharpe > plain.sharpe
    return (
        f"({_ratios(ours)}) is {'above' if is_above else 'not above'} the plain 480-hour breakout "
        f"({_ratios(plain)})"
    )


def _ratios(made: Figures) -> str:
    return (
        f"profit factor {made.profit_factor:.2f}, Sharpe {made.sharpe:.2f}, drawdown "
        f"{made.drawdown:.1%}, profit {made.profit:+.0%}"
    )


def _figures(trades: Trades, market: Any) -> Figures:
    return figures(trades, market.start, market.end)


def _market(
    name: str, found: Found, market: Any, scanned: Market, data: Path, out: Path
) -> Iterator[str]:
    ours = found[name, OURS]
    yield f"## {name.capitalize()}"
    yield ""
    yield (
        f"{len(market.pairs)} pairs ({', '.join(pair.partition('/')[0] for pair in market.pairs)}),"
        f" {market.start} to {market.end}."
    )
    yield ""
    yield Figures.HEAD
    for (where, job), trades in found.items():
        if where == name:
            yield _figures(trades, market).row(job)
    held = _held(data, market)
    yield _holding_row(held, len(market.pairs))
    yield ""
    yield from _random(ours, scanned)
    yield from _scanned_controls(scanned)
    yield from _luck(ours, market)
    yield from _split(ours, market)
    picture = out.with_name(f"results-{name}.svg")
    curves = {
        OURS: _account(ours, market),
        PLAIN: _account(found[name, PLAIN], market),
        "buy and hold": held,
    }
    picture.write_text(equity_picture(curves), encoding="utf-8")
    yield f"![Accounts on {name}, logarithmic]({picture.name})"
    yield ""


def _random(ours: Trades, scanned: Market) -> Iterator[str]:
    """Random entries with the same exits and caps, and how close the scan is to the backtest."""
    fast = trades_of(scanned)
    same = set(zip(ours["pair"], ours["open_date"], strict=True))
    same &= set(zip(fast["pair"], fast["open_date"], strict=True))
    hours = sum(len(frame) for frame in scanned.frames.values())
    seeds = []
    for seed in SEEDS:
        # Enough that there are about as many trades, few enough that the caps seldom decide.
        trades = trades_of(scanned, choose=at_random(seed, 0.75 * len(fast) / hours))
        seeds.append(figures(trades, scanned.start, scanned.end))
    factors = [one.profit_factor for one in seeds]
    sharpes = [one.sharpe for one in seeds]
    scan = figures(fast, scanned.start, scanned.end)
    yield (
        f"Twelve seeds of random entries with the same exits and caps (scanned; "
        f"{min(one.trades for one in seeds)}–{max(one.trades for one in seeds)} trades): profit "
        f"factor {min(factors):.2f}–{max(factors):.2f}, mean {np.mean(factors):.2f}; Sharpe "
        f"{min(sharpes):.2f}–{max(sharpes):.2f}. The scan of BubbyBot itself has {scan.trades} "
        f"trades, profit factor {scan.profit_factor:.2f}, Sharpe {scan.sharpe:.2f}; {len(same)} of "
        f"the backtest's {len(ours)} trades are among them."
    )
    yield ""


def without(analyzer: str) -> dict[str, Any]:
    """The weights of the other two analyzers, scaled up to one."""
    weights = {"market_cipher": 0.35, "lux_algo": 0.35, "frankie_candles": 0.30}
    left = sum(weight for name, weight in weights.items() if name != analyzer)
    return {
        "confluence": {
            name: 0.0 if name == analyzer else weight / left for name, weight in weights.items()
        }
    }


def _scanned_controls(market: Market) -> Iterator[str]:
    """What the backtester was not asked, scanned beside a scan of BubbyBot."""
    ours = trades_of(market)
    rows = {
        "BubbyBot": ours,
        "plain 480-hour breakout": trades_of(market, PLAIN_BLOCK, any_breakout),
        "plain 720-hour breakout": trades_of(market, choose=any_breakout),
        "time-series momentum, 30 days": trades_of(market, choose=momentum),
        "+0.05 % slippage": trades_of(market, slippage=SLIPPAGE),
        "the least risk throughout": ours.assign(
            profit_abs=MIN_RISK * ours["r"], plan_risk=MIN_RISK
        ),
    }
    for analyzer in ("market_cipher", "lux_algo", "frankie_candles"):
        name = f"without {analyzer.replace('_', ' ')}"
        rows[name] = trades_of(market, without(analyzer))
    yield "Scanned, all with the same exits and caps:"
    yield ""
    yield Figures.HEAD
    for name, trades in rows.items():
        yield figures(trades, market.start, market.end).row(name)
    yield ""


def _luck(ours: Trades, market: Any) -> Iterator[str]:
    """How much may be luck: days left out, and the order of the trades."""
    returns = returns_of(ours)
    days = daily(returns, ours["close_date"], market.start, market.end)
    best = days.nlargest(10).index
    left = ours[~ours["close_date"].dt.floor("D").isin(best)]
    rng = np.random.default_rng(1)
    falls = [drawdown(pd.Series(rng.permutation(returns.to_numpy()))) for _ in range(2000)]
    spread = [
        ratio(sample.mean(), sample.std())
        for sample in (rng.choice(days.to_numpy(), len(days)) for _ in range(2000))
    ]
    yield (
        f"Without its ten best days: {_figures(left, market).row('').split('|')[3].strip()} profit,"
        f" profit factor {_figures(left, market).profit_factor:.2f}. The same trades in 2,000 "
        f"other orders: drawdown {np.quantile(falls, 0.5):.0%} in the middle, "
        f"{np.quantile(falls, 0.95):.0%} in one of twenty. Days drawn again 2,000 times: Sharpe "
        f"{np.quantile(spread, 0.05):.2f} to {np.quantile(spread, 0.95):.2f} (90 %)."
    )
    yield ""


def _split(ours: Trades, market: Any) -> Iterator[str]:
    """By year, half-year, side and pair."""
    opened = ours["open_date"]
    half = opened.dt.year.astype(str) + opened.dt.month.le(6).map({True: " H1", False: " H2"})
    sides = ours["is_short"].map({True: "short", False: "long"})
    keys = (opened.dt.year.astype(str), half, sides, ours["pair"].str.partition("/")[0])
    yield from folded("By year, half-year, side and pair")
    yield "| | trades | profit factor | mean R | profit |"
    yield "|---|---:|---:|---:|---:|"
    for key in keys:
        for name, part in ours.groupby(key):
            made = _figures(part, market)
            yield (
                f"| {name} | {made.trades} | {made.profit_factor:.2f} | {made.mean_r:+.2f} | "
                f"{made.profit:+.1%} |"
            )
    yield from FOLD_ENDS


# --- holding and accounts -------------------------------------------------------------------------


def _held(data: Path, market: Any) -> pd.Series:
    """An equal share in each pair from its first day in the range, kept."""
    paths = []
    for pair in market.pairs:
        name = pair.replace("/", "_").replace(":", "_")
        hours = pd.read_feather(data / "futures" / f"{name}-1h-futures.feather")
        closes = hours.set_index("date")["close"].loc[market.start : market.end]
        paths.append((closes.resample("D").last() / closes.iloc[0]).rename(pair))
    return pd.concat(paths, axis=1).fillna(1.0).mean(axis=1)


def _holding_row(account: pd.Series, pairs: int) -> str:
    days = account.pct_change().dropna()
    sortino = ratio(days.mean(), math.sqrt((days.clip(upper=0) ** 2).mean()))
    worst = float((1 - account / account.cummax()).max())
    return (
        f"| buy and hold | {pairs} | {account.iloc[-1] - 1:+.1%} | | "
        f"{ratio(days.mean(), days.std()):.2f} | {sortino:.2f} | {worst:.1%} | | | | |"
    )


def _account(trades: Trades, market: Any) -> pd.Series:
    """The account of each day, compounded by trades as in the table."""
    logs = np.log1p(returns_of(trades).astype(float))
    return np.exp(daily(logs, trades["close_date"], market.start, market.end).cumsum())


# --- parameters -----------------------------------------------------------------------------------


def block_of(values: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """The `bubbybot` block of parameters by their names."""
    block: dict[str, dict[str, float]] = {}
    for name, value in values.items():
        section = RANGES[name][0]
        block.setdefault(section, {})[name] = int(value) if name == "window" else value
    if "stop_atrs" in values:
        block["risk"]["structure_atrs"] = values["stop_atrs"] + 2
    return block


def _scan(market: Market, values: Mapping[str, float]) -> Trades:
    return trades_of(market, block_of(values))


def _ranges(market: Market, out: Path) -> Iterator[str]:
    yield "## Parameters"
    yield ""
    yield (
        "Profit factor on the majors over each parameter's range, the others as shipped (scanned; "
        "the dot is the default)."
    )
    yield ""
    curves = {}
    for name, (_, values) in RANGES.items():
        made = [_scan(market, {name: value}) for value in values]
        curves[name] = [
            (value, figures(trades, market.start, market.end))
            for value, trades in zip(values, made, strict=True)
        ]
    picture = out.with_name("results-parameters.svg")
    picture.write_text(ranges_picture(curves), encoding="utf-8")
    yield f"![Profit factor over each parameter's range]({picture.name})"
    yield ""
    yield from folded("The numbers")
    yield "| parameter | value: profit factor, Sharpe (trades) |"
    yield "|---|---|"
    for name, points in curves.items():
        told = (
            f"{value:g}: {made.profit_factor:.2f}, {made.sharpe:.2f} ({made.trades})"
            for value, made in points
        )
        yield f"| `{name}` | {'; '.join(told)} |"
    yield from FOLD_ENDS


def _walk_forward(found: Found, market: Market) -> Iterator[str]:
    grid = [
        {
            "window": window,
            **{f"{name}_room": size * DEFAULTS[f"{name}_room"] for name in _ROOMS},
            "stop_atrs": atrs,
        }
        for window, size, atrs in product((480, 720, 960), (0.75, 1.0, 1.5), (4.0, 5.0, 6.0))
    ]
    results = [_scan(market, values) for values in grid]
    yield "## Walk-forward"
    yield ""
    yield (
        f"{len(grid)} variants (window, rooms, stop; scanned on the majors). Each part is traded "
        "with the variant whose trades before it, closed at least 48 hours earlier, had the "
        "highest mean R over its standard error."
    )
    yield ""
    yield "| part | chosen on the past | trades | profit factor | mean R |"
    yield "|---|---|---:|---:|---:|"
    parts = []
    for start, end in pairwise(FOLDS):
        border = pd.Timestamp(start, tz="UTC")
        past = [merit(made[made["close_date"] <= border - PURGED]) for made in results]
        best = int(np.argmax(past))
        inside = results[best]["open_date"].between(border, pd.Timestamp(end, tz="UTC"))
        parts.append(results[best][inside])
        made = figures(parts[-1], start, end)
        chosen = ", ".join(f"{name} {value:g}" for name, value in grid[best].items())
        yield (
            f"| {start} to {end} | {chosen} | {made.trades} | {made.profit_factor:.2f} | "
            f"{made.mean_r:+.2f} |"
        )
    forward = pd.concat(parts)
    plain = trades_of(market, PLAIN_BLOCK, any_breakout)
    plain = plain[plain["open_date"] >= pd.Timestamp(FOLDS[0], tz="UTC")]
    yield ""
    walked, passed = (figures(made, FOLDS[0], FOLDS[-1]) for made in (forward, plain))
    yield f"**BubbyBot walking forward {_beside(walked, passed)}.**"
    yield ""
    yield Figures.HEAD
    yield walked.row("walk-forward")
    yield passed.row("plain 480-hour breakout, scanned")
    yield ""
    ratios = []
    for made in results:
        days = daily(returns_of(made), made["close_date"], market.start, market.end)
        ratios.append(float(days.mean() / days.std()))
    ours = found["majors", OURS]
    days = daily(returns_of(ours), ours["close_date"], market.start, market.end)
    tried = TRIED_BEFORE + len(grid) + sum(len(values) for _, values in RANGES.values())
    yield (
        f"Deflated Sharpe ratio of the backtest on the majors (probability that the true one is "
        f"above zero after {tried} variants, with the spread of the {len(grid)} here): "
        f"**{deflated_sharpe(days, ratios, tried):.2f}**. These are neighbours and spread little, "
        "so it flatters."
    )
    yield ""


_ROOMS = ("ribbon", "structure", "value")


# --- pictures -------------------------------------------------------------------------------------

WIDTH, HEIGHT, MARGIN = 900, 360, 50
COLOURS = ("#2e9e6b", "#d1495b", "#888888")


def _svg(width: int, height: int, shapes: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>'
        + "".join(shapes)
        + "</svg>\n"
    )


def _scale(low: float, high: float, begin: float, end: float) -> Callable[[float], float]:
    return lambda value: begin + (value - low) / ((high - low) or 1) * (end - begin)


def equity_picture(curves: Mapping[str, pd.Series]) -> str:
    """Accounts that begin at 1, on a logarithmic scale."""
    logs = {name: np.log(curve) for name, curve in curves.items()}
    low = min(curve.min() for curve in logs.values())
    high = max(curve.max() for curve in logs.values())
    y = _scale(low, high, HEIGHT - MARGIN, MARGIN)
    shapes = []
    for i, (name, curve) in enumerate(logs.items()):
        x = _scale(0, len(curve) - 1, MARGIN, WIDTH - MARGIN)
        points = " ".join(
            f"{x(day):.1f},{y(value):.1f}" for day, value in enumerate(curve) if day % 2 == 0
        )
        shapes.append(
            f'<polyline points="{points}" fill="none" stroke="{COLOURS[i]}" stroke-width="1.5"/>'
            f'<text x="{MARGIN + 10}" y="{24 + 16 * i}" fill="{COLOURS[i]}">{name}: '
            f"{math.exp(curve.iloc[-1]) - 1:+.0%}</text>"
        )
    first, last = (f"{day:%Y-%m-%d}" for day in (curve.index[0], curve.index[-1]))
    shapes.append(
        f'<text x="{MARGIN}" y="{HEIGHT - 16}">{first}</text>'
        f'<text x="{WIDTH - MARGIN}" y="{HEIGHT - 16}" text-anchor="end">{last}</text>'
    )
    return _svg(WIDTH, HEIGHT, shapes)


def ranges_picture(curves: Mapping[str, Sequence[tuple[float, Figures]]]) -> str:
    """One small picture a parameter, all with the same scale from 1 to the best."""
    wide, high, columns = 220, 150, 4
    best = max(made.profit_factor for points in curves.values() for _, made in points)
    shapes = []
    for number, (name, points) in enumerate(curves.items()):
        left, top = number % columns * wide + 30, number // columns * high + 30
        x = _scale(points[0][0], points[-1][0], left, left + wide - 50)
        y = _scale(1, best, top + high - 60, top + 10)
        line = " ".join(f"{x(value):.1f},{y(made.profit_factor):.1f}" for value, made in points)
        shapes.append(
            f'<text x="{left}" y="{top}">{name}</text>'
            f'<line x1="{left}" x2="{left + wide - 50}" y1="{y(1):.1f}" y2="{y(1):.1f}" '
            f'stroke="#ccc"/><polyline points="{line}" fill="none" stroke="{COLOURS[0]}"/>'
        )
        for value, made in points:
            size = 4 if value == DEFAULTS[name] else 1.5
            shapes.append(
                f'<circle cx="{x(value):.1f}" cy="{y(made.profit_factor):.1f}" r="{size}" '
                f'fill="{COLOURS[0]}"/><text x="{x(value):.1f}" y="{top + high - 44}" '
                f'font-size="9" text-anchor="middle">{value:g}</text>'
            )
        shapes.append(
            f'<text x="{left - 4}" y="{y(best):.1f}" font-size="9" text-anchor="end">{best:.1f}'
            f'</text><text x="{left - 4}" y="{y(1):.1f}" font-size="9" text-anchor="end">1</text>'
        )
    rows = -(-len(curves) // columns)
    return _svg(columns * wide + 40, rows * high + 30, shapes)
