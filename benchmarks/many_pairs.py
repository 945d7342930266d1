"""A whole bot with hundreds of pairs on a sandbox: its start, the next closes, and a restart.

    python benchmarks/many_pairs.py [--pairs NUMBER] [--before MINUTES] [--minutes NUMBER]
                                    [--restarts NUMBER] [--again MINUTES] [--folder FOLDER]

A sandbox with generated pairs, BloFin's request limits and a history that is made before is one
process; `freqtrade trade` with BubbyBot, its websockets and real orders is another one. Time is
real, only that both clocks begin some minutes before midnight UTC, where 15m, 1h and 4h close
together. Printed are the requests (in all, and the most in a minute and in five), refusals for too
many, when candles and leverage tiers were asked for, how long after each close the last pair was
analyzed, the requests in the minute after it, the loops, and processor time and memory of both
processes. A restart kills the bot (SIGKILL) and starts it again in the same folder.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import requests

from bubbybot_freqtrade.drills.desk import bot_config
from bubbybot_freqtrade.drills.market import pair_of
from bubbybot_freqtrade.drills.secrets import environment
from bubbybot_freqtrade.sandbox.settings import ApiKey

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
CANDLES = "/api/v1/market/candles"
TIERS = "/api/v1/market/position-tiers"
WINDOWS = (60, 300)
ANALYZED = re.compile(r"All (\d+) pairs have been analyzed ([\d.]+) s after the close of (\S+)\.")
LOOP = "A loop took "
BARS = ("4H", "1H", "15m")
SCRIPT = __file__

# --- the bot --------------------------------------------------------------------------------------


def live(config: str, url: str) -> None:
    """`freqtrade trade` by the venue's clock, with a line for each loop's seconds."""
    import logging

    import time_machine
    from freqtrade.freqtradebot import FreqtradeBot
    from freqtrade.main import main as freqtrade

    work = FreqtradeBot.process
    logger = logging.getLogger("benchmark")

    def timed(bot: FreqtradeBot) -> None:
        started = time.monotonic()
        work(bot)
        logger.info(f"{LOOP}{time.monotonic() - started:.2f} s.")

    FreqtradeBot.process = timed  # type: ignore[method-assign]
    now = requests.get(f"{url}/sandbox/clock", timeout=60).json()["data"]["now"]
    time_machine.travel(now / 1000, tick=True).start()
    freqtrade(["trade", "-c", config])


@contextmanager
def bot(config: Path, url: str, log: Path) -> Iterator[psutil.Process]:
    """A process of it; killed in the end."""
    command = [sys.executable, SCRIPT, "--live", str(config), url]
    with log.open("w") as to:
        process = subprocess.Popen(
            command, stdout=to, stderr=to, env={**os.environ, **environment(ApiKey())}
        )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def write_config(folder: Path, url: str, pairs: list[str]) -> Path:
    """Its config: all pairs, the websocket on, ccxt's own pace and the venue's limits."""
    exchange = {"enable_ws": True}
    config = bot_config(
        url,
        folder,
        "BubbyBot",
        tuple(pairs),
        exchange=exchange,
        strategy_path="user_data/strategies",
        stake_amount="unlimited",
        max_open_trades=6,
        timeout_ms=30_000,
    )
    config["exchange"]["ccxt_config"]["enableRateLimit"] = True
    del config["log_config"]
    file = folder / "config.json"
    file.write_text(json.dumps(config))
    return file


# --- the venue ------------------------------------------------------------------------------------


def warm(sandbox: Any) -> None:
    """Make the history of all series: some minutes of work that no venue has at a bot's start."""
    now = sandbox.clock.now_ms()
    for name in sandbox.market.instruments:
        for bar in BARS:
            sandbox.feed.latest(name, bar, "last", now_ms=now, limit=1440)


def serve(count: str, start: str) -> None:
    """A sandbox whose clock goes on from `start`; its address is the first line that it prints."""
    import time_machine

    from bubbybot_freqtrade.sandbox.server import Sandbox
    from bubbybot_freqtrade.sandbox.settings import SandboxSettings

    settings: dict[str, Any] = {"pair_count": int(count), "port": 0, "margin_mode": "isolated"}
    began = time.monotonic()
    with time_machine.travel(datetime.fromisoformat(start), tick=False):
        sandbox = Sandbox(SandboxSettings(**settings, clock="real"))
        warm(sandbox)
    time_machine.travel(datetime.fromisoformat(start), tick=True).start()
    with sandbox:
        print(f"{sandbox.url} ({time.monotonic() - began:.0f} s)", flush=True)
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


@contextmanager
def venue(count: int, before: float, folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Its address and process."""
    start = MIDNIGHT - timedelta(minutes=before)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    command = [sys.executable, SCRIPT, "--serve", str(count), start.isoformat()]
    log = folder / "sandbox.log"
    with log.open("w") as to:
        process = subprocess.Popen(command, stdout=to, stderr=to)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    try:
        while not (found := re.search(r"(http://\S+) \(", log.read_text())):
            if process.poll() is not None:
                raise SystemExit(log.read_text())
            time.sleep(0.2)
        yield found[1], psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def asked(url: str) -> list[dict[str, Any]]:
    """All requests since the last time."""
    found = requests.get(f"{url}/sandbox/requests", timeout=60).json()["data"]
    requests.delete(f"{url}/sandbox/requests", timeout=60)
    return list(found)


# --- what is printed ------------------------------------------------------------------------------


def most_within(times: list[float], seconds: float) -> int:
    """The most requests in a window of so many seconds."""
    first, most = 0, 0
    for last, at in enumerate(times):
        while at - times[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def report(rows: list[dict[str, Any]], log: str, began_ms: int) -> None:
    """What came of one life of the bot."""
    times = sorted(row["ts_ms"] / 1000 for row in rows)
    windows = ", ".join(f"{most_within(times, seconds)} in {seconds} s" for seconds in WINDOWS)
    refused = sum(row["status"] == 429 for row in rows)
    paths = Counter(row["path"] for row in rows)
    print(f"  {len(rows)} requests, at most {windows}; {refused} refused as too many")
    print("  " + ", ".join(f"{path.rsplit('/', 1)[1]} {n}" for path, n in paths.most_common(6)))
    for path in (CANDLES, TIERS):
        if at := [row["ts_ms"] for row in rows if row["path"] == path]:
            first, last = ((ms - began_ms) / 1000 for ms in (min(at), max(at)))
            name = path.rsplit("/", 1)[1]
            print(f"  {name}: {len(at)}, {first:.0f} to {last:.0f} s after the start")
    closes = [MIDNIGHT.timestamp() + 900 * number for number in range(-8, 9)]
    for close in closes:
        after = [row for row in rows if 0 <= row["ts_ms"] / 1000 - close < 60]
        if after and close * 1000 > began_ms:
            bars = Counter(
                re.search(r"bar=(\w+)", row["query"])[1]  # type: ignore[index]
                for row in after
                if row["path"] == CANDLES
            )
            print(
                f"  in the minute after {datetime.fromtimestamp(close, UTC):%H:%M} "
                f"{len(after)} requests, for candles {dict(bars) or 'none'}"
            )
    for line in log.splitlines():
        if ANALYZED.search(line) or "By the next close" in line:
            moment = datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f").replace(tzinfo=UTC)
            said = line.split(" - ")[-1]
            print(f"  {moment.timestamp() - began_ms / 1000:.0f} s after the start: {said}")
    loops = sorted(float(x) for x in re.findall(LOOP + r"([\d.]+)", log))
    if loops:
        print(
            f"  {len(loops)} loops, the longest {loops[-1]:.1f} s, "
            f"{sum(x > 5 for x in loops)} over 5 s, median {loops[len(loops) // 2]:.2f} s"
        )
    levels = Counter(found[1] for found in re.finditer(r" - (WARNING|ERROR|CRITICAL) - ", log))
    print(f"  {dict(levels) or 'no'} warnings")


def life(given: argparse.Namespace, folder: Path, url: str, log: Path, minutes: float) -> None:
    """One life of the bot."""
    began = requests.get(f"{url}/sandbox/clock", timeout=60).json()["data"]["now"]
    with bot(folder / "config.json", url, log) as process:
        end = time.monotonic() + minutes * 60
        while time.monotonic() < end and process.is_running():
            time.sleep(1)
            memory, spent = process.memory_info().rss / 1e6, sum(process.cpu_times()[:2])
    report(asked(url), log.read_text(), began)
    print(f"  the bot took {spent:.0f} s of processor time, {memory:.0f} MB", flush=True)


def run(given: argparse.Namespace, folder: Path) -> None:
    """Sandbox, bot, restarts."""
    started = time.monotonic()
    with venue(given.pairs, given.before, folder) as (url, process):
        print(f"sandbox of {given.pairs} pairs ready after {time.monotonic() - started:.0f} s")
        tickers = requests.get(f"{url}/api/v1/market/tickers", timeout=60).json()["data"]
        names = [row["instId"] for row in tickers]
        asked(url)
        write_config(folder, url, list(map(pair_of, names)))
        for number in range(1 + given.restarts):
            print("the start" if not number else f"restart {number}")
            minutes = given.minutes if not number else given.again
            life(given, folder, url, folder / f"bot{number}.log", minutes)
        print(f"memory of the sandbox {process.memory_info().rss / 1e6:.0f} MB")


def main() -> None:
    """Measure and print."""
    if "--live" in sys.argv:
        return live(*sys.argv[2:])
    if "--serve" in sys.argv:
        return serve(*sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=400)
    parser.add_argument("--before", type=float, default=6.0, help="minutes before midnight")
    parser.add_argument("--minutes", type=float, default=8.0, help="of the first life")
    parser.add_argument("--again", type=float, default=3.0, help="minutes of a life after it")
    parser.add_argument("--restarts", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="keeps logs and data")
    given = parser.parse_args()
    if given.folder:
        given.folder.mkdir(parents=True, exist_ok=True)
        return run(given, given.folder)
    with tempfile.TemporaryDirectory() as folder:
        run(given, Path(folder))
    return None


if __name__ == "__main__":
    main()
