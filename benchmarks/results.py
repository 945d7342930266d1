"""What BubbyBot earns, beside what it has to beat: docs/results.md and its pictures.

    python benchmarks/results.py [--data FOLDER] [--out FILE] [--jobs NUMBER]
    python benchmarks/results.py --backend dask --scheduler tcp://HOST:8786

FOLDER holds `binance-majors` and `binance-wide`, freqtrade data folders. freqtrade's backtester
judges the strategy and its controls, one process a core or by the workers of `bubbybot search`'s
clusters, which need this folder, FOLDER and `--cache` under the same paths. Each run is kept in
`--cache` under the code and settings it is of, so that a run that was stopped goes on. What takes
hundreds of runs (random entries, parameter ranges, walk-forward) is scanned (benchmarks/scan.py).
"""

import argparse
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from results_page import SLIPPAGE, page, without

from bubbybot_freqtrade.search.backends import EXTRAS, side_by_side, workers
from bubbybot_freqtrade.search.backtests import STAKE, backtest_desk, link_folder

MAJORS = ("BTC", "ETH", "SOL", "AVAX", "DOGE", "XRP", "ADA", "BNB", "TRX")
# The shipped list's pairs of which there are candles, and the next by turnover.
WIDE = (
    *("BTC", "ETH", "SOL", "AVAX", "DOGE", "XRP", "SUI", "ADA", "BNB", "BCH", "AAVE", "UNI"),
    *("XLM", "HBAR", "TRX", "APT", "WIF", "ENA", "TIA", "ORDI", "CRV", "INJ"),
)
RECORDED = Path("../shared/data")
STRATEGIES = "benchmarks/strategies"
FEE = 0.0006
RISK = 0.02
"""Share of the account that Breakout480 puts at risk; it writes no plans."""

LEARNING = {
    "the ledger scales the risk": {"learning": {"scale_risk": True}},
    "the same, from a fair game": {"learning": {"scale_risk": True, "prior": None}},
    "the ledger refuses what has not paid": {"learning": {"veto": True}},
    "the edge's test only tells": {"edge": {"act": False}},
}
"""What learning changes, beside the shipped settings: ledger off, edge's test on."""


@dataclass(frozen=True)
class Market:
    """Candles of some pairs, and the range that is traded."""

    name: str
    pairs: tuple[str, ...]
    start: str
    end: str


@dataclass(frozen=True)
class Job:
    """One backtest: its name on the page, and what makes it."""

    name: str
    market: str
    block: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)


def _pairs(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{name}/USDT:USDT" for name in names)


MARKETS = {
    "majors": Market("majors", _pairs(MAJORS), "2022-03-01", "2025-06-30"),
    "wide": Market("wide", _pairs(WIDE), "2024-12-05", "2025-06-30"),
}


def jobs() -> Iterator[Job]:
    """Every backtest of the page; on both markets what is to be beaten first."""
    plain = {"confluence": {"window": 480}}
    for market in MARKETS:
        yield Job("BubbyBot", market)
        yield Job("plain 480-hour breakout, same exits", market, plain, _control("PlainBreakout"))
        yield Job("Breakout480", market, changes=_control("Breakout480") | {"timeframe": "1h"})
        for name, learning in LEARNING.items():
            yield Job(name, market, learning)
    yield Job("+0.05 % slippage", "majors", changes={"fee": FEE + SLIPPAGE})
    for analyzer in ("market_cipher", "lux_algo", "frankie_candles"):
        yield Job(f"without {analyzer.replace('_', ' ')}", "majors", without(analyzer))


def _control(strategy: str) -> dict[str, Any]:
    return {"strategy": strategy, "strategy_path": STRATEGIES}


# --- running --------------------------------------------------------------------------------------


def run(job: Job, data: Path) -> pd.DataFrame:
    """The trades of one backtest, with the account each was entered with."""
    market = MARKETS[job.market]
    span = f"{market.start}-{market.end}".replace("-", "")
    with (
        tempfile.TemporaryDirectory() as folder,
        backtest_desk(data / job.market, Path(folder), market.pairs) as desk,
    ):
        changes = {"fee": FEE, "max_open_trades": 6} | dict(job.changes)
        trades = desk.trades(f"{span[:8]}-{span[8:]}", job.block, **changes)
    return trades if "plan_risk" in trades else with_account(trades)


def kept(job: Job, data: Path, cache: Path) -> pd.DataFrame:
    """The trades of one job, from the cache where they are there."""
    file = cache / f"{_key(job, _code())}.pkl"
    if not file.exists():
        trades = run(job, data)
        part = file.with_suffix(f".{os.getpid()}")
        trades.to_pickle(part)
        part.replace(file)
        print(f"{job.market}: {job.name}", file=sys.stderr, flush=True)
    return pd.read_pickle(file)


def with_account(trades: pd.DataFrame) -> pd.DataFrame:
    """Equity and risk where a strategy records none: of its closed trades, and 2 % of it."""
    trades = trades.sort_values("open_date")
    account = [
        STAKE + trades.loc[trades["close_date"] <= opened, "profit_abs"].sum()
        for opened in trades["open_date"]
    ]
    equity = pd.Series(account, index=trades.index)
    return trades.assign(plan_equity=equity, plan_risk=RISK * equity)


def run_all(data: Path, cache: Path) -> dict[tuple[str, str], pd.DataFrame]:
    """Trades of every job by market and name, made by joblib's workers."""
    every = list(jobs())
    found = side_by_side(partial(kept, data=data, cache=cache), every)
    return {(job.market, job.name): trades for job, trades in zip(every, found, strict=True)}


def _code() -> str:
    """Changes with the rooms that make trades, and with the controls."""
    rooms = ("analyzers", "signals", "risk", "strategy", "learning")
    files = [file for room in rooms for file in Path("bubbybot_freqtrade", room).rglob("*.py")]
    files += [Path("bubbybot_freqtrade/settings.py"), *Path(STRATEGIES).glob("*.py")]
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(files))).hexdigest()


def _key(job: Job, code: str) -> str:
    text = json.dumps([asdict(job), asdict(MARKETS[job.market]), code], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def folders(recorded: Path, made: Path) -> None:
    """A data folder a market, with links to the recorded files and 4h candles."""
    link_folder(recorded / "binance-majors", made / "majors")
    link_folder(recorded / "binance-wide", made / "wide")
    for file in sorted((made / "majors" / "futures").iterdir()):
        link = made / "wide" / "futures" / file.name
        if not link.exists():
            link.symlink_to(file.resolve())


def main() -> None:
    """Read the options, find the candles, run and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=RECORDED)
    parser.add_argument("--out", type=Path, default=Path("docs/results.md"))
    parser.add_argument("--cache", type=Path, default=Path("user_data/results"))
    parser.add_argument("--jobs", type=int, default=-1, help="processes; by default one a core")
    parser.add_argument("--backend", choices=("local", *EXTRAS), default="local")
    parser.add_argument("--scheduler", help="the cluster's address")
    options = parser.parse_args()
    cache = options.cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=cache) as folder,
        workers(options.backend, options.jobs, options.scheduler),
    ):
        folders(options.data.resolve(), Path(folder))
        found = run_all(Path(folder), cache)
        page(found, MARKETS, Path(folder), options.out)


if __name__ == "__main__":
    main()
