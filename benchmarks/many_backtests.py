"""A backtest of more and more pairs: memory and time, pair by pair and as freqtrade does it.

    python benchmarks/many_backtests.py [--pairs 10 40] [--days NUMBER] [--data FOLDER]

What a worker of `bubbybot search` and `make results` does (candles, analysis, trades; no report),
beside freqtrade's own backtester with the same strategy, and with its sample strategy. Each is a
process of its own. FOLDER is a freqtrade data folder; without one, a generated market. Where it has
fewer pairs than are wanted they come again under other names. The trades of the first two are
compared.
"""

import argparse
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import freqtrade
import pandas as pd
from freqtrade.exchange import Exchange
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.resolvers import ExchangeResolver
from processes import answer_of

from bubbybot_freqtrade.search.backtests import backtest_desk, generate_folder, link_folder, quiet
from bubbybot_freqtrade.search.pair_by_pair import PairByPair

COUNTS = (10, 40)
DAYS = 60
WARM_UP = timedelta(days=250)
END = datetime(2025, 6, 30, tzinfo=UTC)
DISTINCT = 4
SAMPLE = {
    "strategy": "SampleStrategy",
    "strategy_path": str(Path(freqtrade.__file__).parent / "templates"),
    "timeframe": "15m",
}
PEERS: dict[str, tuple[bool, dict[str, Any]]] = {
    "BubbyBot, pair by pair": (True, {}),
    "BubbyBot, freqtrade's way": (False, {}),
    "sample strategy": (False, SAMPLE),
}


def plain(config: dict[str, Any], exchange: Exchange) -> pd.DataFrame:
    """Candles, analysis and trades by freqtrade's own backtester."""
    backtesting = Backtesting(config, exchange)
    candles, timerange = backtesting.load_bt_data()
    strategy = backtesting.strategylist[0]
    backtesting.backtest_one_strategy(strategy, candles, timerange)
    found: pd.DataFrame = backtesting.all_bt_content[strategy.get_strategy_name()]["results"]
    return found


def pair_by_pair(config: dict[str, Any], exchange: Exchange) -> pd.DataFrame:
    """The same with one pair's candles in memory."""
    backtesting = PairByPair(config, exchange)
    return backtesting.play(backtesting.analyze(backtesting.strategylist[0]))


def live(data: Path, pairs: tuple[str, ...], span: str, peer: str, to: Connection) -> None:
    """One peer's backtest; MB before, MB at most, seconds of a processor and trades go `to`."""
    is_ours, changes = PEERS[peer]
    with tempfile.TemporaryDirectory() as folder, backtest_desk(data, Path(folder), pairs) as desk:
        with quiet():
            config = desk.config(span, max_open_trades=6, fee=0.0006, **changes)
            exchange = ExchangeResolver.load_exchange(config, load_leverage_tiers=True)
            before, started = most_mb(), time.process_time()
            trades = (pair_by_pair if is_ours else plain)(config, exchange)
        to.send((before, most_mb(), time.process_time() - started, trades))


def most_mb() -> float:
    """Of the process that is asked, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def market(folder: Path, recorded: Path | None, count: int, days: int) -> tuple[str, ...]:
    """A data folder of so many pairs under `folder`."""
    source = folder / "source"
    if recorded is not None:
        link_folder(recorded, source)
    else:
        names = [f"S{number}/USDT:USDT" for number in range(DISTINCT)]
        generate_folder(source, END - timedelta(days) - WARM_UP, days + WARM_UP.days, pairs=names)
    found = sorted((source / "futures").glob("*-1h-mark.feather"))
    (folder / "data" / "futures").mkdir(parents=True)
    for number in range(count):
        base = found[number % len(found)].name.partition("_")[0]
        for file in (source / "futures").glob(f"{base}_*"):
            link = folder / "data" / "futures" / file.name.replace(base, f"P{number}", 1)
            link.symlink_to(file.resolve())
    return tuple(f"P{number}/USDT:USDT" for number in range(count))


def measure(count: int, given: argparse.Namespace) -> None:
    """A line for each peer."""
    span = f"{END - timedelta(given.days):%Y%m%d}-{END:%Y%m%d}"
    found = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pairs = market(folder, given.data and given.data.resolve(), count, given.days)
        for peer in PEERS:
            before, most, seconds, found[peer] = answer_of(
                live, folder / "data", pairs, span, peer, name=f"{peer} with {count} pairs"
            )
            print(
                f"{count:>5}   {peer:<26} {most:6.0f} MB   {(most - before) / count:6.1f} MB   "
                f"{seconds:7.1f} s   {len(found[peer]):5} trades",
                flush=True,
            )
    ours, theirs, _ = found.values()
    if not ours.equals(theirs):
        raise SystemExit("pair by pair gives other trades than freqtrade's way")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, nargs="+", default=COUNTS)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--data", type=Path)
    given = parser.parse_args()
    print(f"backtest of {given.days} days of 15m: most memory, more a pair, processor, trades")
    for count in given.pairs:
        measure(count, given)


if __name__ == "__main__":
    main()
