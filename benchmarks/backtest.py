"""A whole `freqtrade backtesting`, beside freqtrade's sample strategy on the same candles.

    python benchmarks/backtest.py [--data FOLDER] [--pairs NUMBER] [--runs NUMBER]

Both are processes of their own, from Python's start to the last table, in turn; a sandbox on
loopback answers for the exchange's markets. FOLDER is a freqtrade data folder; without one, a
generated market. `SampleStrategy` is read from freqtrade's templates and trades as it ships, but on
BubbyBot's timeframe, so that both read the same candles.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import freqtrade
import pandas as pd

from bubbybot_freqtrade.sandbox.server import Sandbox
from bubbybot_freqtrade.sandbox.settings import SandboxSettings
from bubbybot_freqtrade.search.backtests import generate_folder, link_folder

DAYS = 180
WARM_UP = timedelta(days=250)
PEERS = {
    "BubbyBot": Path("user_data/strategies"),
    "SampleStrategy": Path(freqtrade.__file__).parent / "templates",
}
RUNS = 3


def settings(pairs: list[str], url: str) -> dict[str, Any]:
    """One config for both."""
    pricing = {"price_side": "other", "use_order_book": True}
    return {
        "dry_run": True,
        "dry_run_wallet": 10_000,
        "trading_mode": "futures",
        "margin_mode": "isolated",
        "stake_currency": "USDT",
        "stake_amount": "unlimited",
        "max_open_trades": 6,
        "fee": 0.0006,
        "entry_pricing": pricing,
        "exit_pricing": pricing,
        "pairlists": [{"method": "StaticPairList"}],
        "exchange": {
            "name": "blofin",
            "pair_whitelist": pairs,
            "ccxt_config": {"urls": {"api": {"rest": url}}},
            "enable_ws": False,
        },
    }


def backtest(strategy: str, config: Path, data: Path, span: str) -> tuple[float, float, int]:
    """Wall and processor seconds of the whole command, and the most memory it took in KB."""
    words = [sys.executable, "-m", "freqtrade", "backtesting", "-c", str(config)]
    words += ["--datadir", str(data), "--userdir", str(config.parent), "--timerange", span]
    words += ["--strategy", strategy, "--strategy-path", str(PEERS[strategy])]
    words += ["--timeframe", "15m", "--cache", "none", "--export", "none"]
    started = time.perf_counter()
    with (config.parent / f"{strategy}.log").open("w") as log:
        process = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit((config.parent / f"{strategy}.log").read_text()[-3000:])
    return time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss


def pairs_of(data: Path, most: int) -> list[str]:
    """The first pairs of a data folder that have candles of 15m."""
    files = sorted((data / "futures").glob("*-15m-futures.feather"))[:most]
    bases = [file.name.split("_")[0] for file in files]
    return [f"{base}/USDT:USDT" for base in bases]


def market(folder: Path, recorded: Path | None, count: int) -> Path:
    """A data folder with 4h candles: links to the recorded one, or generated."""
    data = folder / "data"
    if recorded is not None:
        link_folder(recorded, data)
    else:
        names = [f"P{number}/USDT:USDT" for number in range(count)]
        start = datetime(2025, 6, 30, tzinfo=UTC) - timedelta(days=DAYS) - WARM_UP
        generate_folder(data, start, DAYS + WARM_UP.days, pairs=names)
    return data


def span_of(data: Path, pairs: list[str]) -> str:
    """The last DAYS days that all pairs have."""
    ends = [
        pd.read_feather(
            data / "futures" / f"{pair[: -len('/USDT:USDT')]}_USDT_USDT-15m-futures.feather",
            columns=["date"],
        )["date"].iloc[-1]
        for pair in pairs
    ]
    end = min(ends).normalize()
    return f"{end - pd.Timedelta(days=DAYS):%Y%m%d}-{end:%Y%m%d}"


def main() -> None:
    """Run both in turn and print the ratio of the best."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--runs", type=int, default=RUNS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = market(folder, options.data and options.data.resolve(), options.pairs)
        pairs = pairs_of(data, options.pairs)
        span = span_of(data, pairs)
        instruments = tuple(pair.partition(":")[0].replace("/", "-") for pair in pairs)
        with Sandbox(SandboxSettings(pairs=instruments, rate_limits=False)) as sandbox:
            config = folder / "config.json"
            config.write_text(json.dumps(settings(pairs, sandbox.url)))
            taken: dict[str, list[tuple[float, float, int]]] = {peer: [] for peer in PEERS}
            for _ in range(options.runs):
                for peer, runs in taken.items():
                    runs.append(backtest(peer, config, data, span))
    print(f"freqtrade backtesting, {len(pairs)} pairs, 15m, {span}, best of {options.runs}")
    best = {
        peer: [min(column) for column in zip(*runs, strict=True)] for peer, runs in taken.items()
    }
    for peer, (wall, cpu, memory) in best.items():
        print(f"{peer:>15}: {wall:6.2f} s, {cpu:6.2f} s of a processor, {memory / 1024:,.0f} MB")
    ratios = [own / peer for own, peer in zip(*best.values(), strict=True)]
    print("ratios: {:.2f} wall, {:.2f} processor, {:.2f} memory".format(*ratios))


if __name__ == "__main__":
    main()
