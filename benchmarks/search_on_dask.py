"""A search on a Dask cluster with more pairs than a worker's memory holds at once.

    python benchmarks/search_on_dask.py [--pairs 36] [--memory MB] [--days NUMBER] [--data FOLDER]

Two workers of one thread, each ended by Dask when it passes its memory, as on a cluster of small
machines. `bubbybot search` has them play one part: some trials of its past, then the part. Printed
are each worker's most memory, how often one was ended, and beside it what freqtrade's own way takes
for one such backtest in a process without a limit. FOLDER as of many_backtests.py.
"""

import argparse
import json
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from distributed import Client, LocalCluster
from many_backtests import END, PEERS, live, market, most_mb
from processes import answer_of

from bubbybot_freqtrade.search.backends import runner
from bubbybot_freqtrade.search.backtests import BacktestDesk, backtest_desk
from bubbybot_freqtrade.search.cli import checked_config
from bubbybot_freqtrade.search.study import Plan, Search

WORKERS = 2
TRIALS = 4
JUDGED_DAYS = 20
THEIRS = list(PEERS)[1]


def plan_of(desk: BacktestDesk, days: int) -> Plan:
    """A past of so many days and the part after it."""
    file = desk.user_data / "search.json"
    file.write_text(json.dumps(desk._settings({})))
    options = {
        "configs": [str(file)],
        "strategy": "BubbyBot",
        "strategy_path": "user_data/strategies",
        "userdir": str(desk.user_data),
        "datadir": str(desk.data),
    }
    start = END - timedelta(days + JUDGED_DAYS)
    config = checked_config(options)
    return Plan(config, start, END, parts=1, past_days=days, trials=TRIALS, batch=WORKERS)


def search(desk: BacktestDesk, given: argparse.Namespace) -> None:
    """The search, and a line about it."""
    plan, began = plan_of(desk, given.days), time.perf_counter()
    with (
        LocalCluster(
            n_workers=WORKERS,
            threads_per_worker=1,
            memory_limit=f"{given.memory}MB",
            dashboard_address=None,
        ) as cluster,
        Client(cluster) as client,
    ):
        pids = {worker.pid for worker in cluster.workers.values()}
        with runner("dask", scheduler=cluster.scheduler_address) as run:
            (part,) = Search(plan, desk.user_data / "study.sqlite", run).parts()
        taken = client.run(most_mb).values()
        ended = len(pids - {worker.pid for worker in cluster.workers.values()})
    print(
        f"Dask, {WORKERS} workers of {given.memory} MB: "
        f"{', '.join(f'{mb:.0f} MB' for mb in taken)} at most, {ended} ended; {part.trials} trials "
        f"and the part's {len(part.trades)} trades in {time.perf_counter() - began:.0f} s",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=36)
    parser.add_argument("--memory", type=int, default=1200)
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--data", type=Path)
    given = parser.parse_args()
    print(f"a search of {given.pairs} pairs, {given.days} days of 15m", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder, days = Path(name), given.days + JUDGED_DAYS
        data = given.data and given.data.resolve()
        pairs = market(folder, data, given.pairs, days)
        with backtest_desk(folder / "data", folder, pairs) as desk:
            search(desk, given)
        span = f"{END - timedelta(days):%Y%m%d}-{END:%Y%m%d}"
        _, most, _, _ = answer_of(live, folder / "data", pairs, span, THEIRS, name=THEIRS)
        print(f"{THEIRS}, one backtest of past and part, without a limit: {most:.0f} MB")


if __name__ == "__main__":
    main()
