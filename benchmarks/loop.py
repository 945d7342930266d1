"""A loop without a new candle, with many pairs and twenty open trades: processor time and memory.

    python benchmarks/loop.py [--pairs 10 40 100] [--loops NUMBER] [--hours NUMBER]

A sandbox with generated pairs runs in a process of its own, and so does each bot, one after the
other: freqtrade with BubbyBot, then with its own sample strategy on the same pairs and the same
exchange class. Time is virtual: the bot's loop, the venue, five seconds. Printed are the processor
time of the bot's loops, the part of it that is spent in this package's own lines (by cProfile, and
so too much rather than too little), the same of the strategy's rooms alone, and the bot's resident
memory: after the first analysis, and at the end. `--hours` goes on for so many hours of the market
after that, new candles included, and prints memory by the hour.
"""

import argparse
import cProfile
import json
import pstats
import statistics
import tempfile
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import freqtrade
import psutil
import requests
from freqtrade.configuration import Configuration
from freqtrade.freqtradebot import FreqtradeBot
from freqtrade.persistence import Trade
from freqtrade.rpc import RPC
from freqtrade.rpc.rpc import RPCException
from processes import answer_of, serving

import bubbybot_freqtrade
from bubbybot_freqtrade.drills.desk import bot_config, environment_of
from bubbybot_freqtrade.drills.market import pair_of
from bubbybot_freqtrade.rehearsal.clock import VirtualClock
from bubbybot_freqtrade.sandbox.server import Sandbox
from bubbybot_freqtrade.sandbox.settings import ApiKey, SandboxSettings

COUNTS = (10, 40, 100)
TRADES = 20
LOOPS = 60
LOOP_SECONDS = 5
KEY = ApiKey()
START_MS = 1_748_736_000_000  # 2025-06-01 00:00 UTC
OWN = str(Path(bubbybot_freqtrade.__file__).parent)
# Many small trades, so that there can be twenty.
SMALL = {"min_risk": 0.0025, "max_risk": 0.005, "max_same_side": TRADES}
PEERS: dict[str, dict[str, Any]] = {
    "BubbyBot": {
        "strategy_path": "user_data/strategies",
        "stake_amount": "unlimited",
        "bubbybot": {"risk": SMALL},
    },
    "SampleStrategy": {
        "strategy_path": str(Path(freqtrade.__file__).parent / "templates"),
        "timeframe": "15m",
        "stake_amount": 50,
        # As it ships it would leave at a profit, and in minutes.
        "minimal_roi": {"0": 10.0},
    },
}


# --- the venue ------------------------------------------------------------------------------------


def serve(count: int, here: Connection) -> None:
    """A sandbox until the other end says something; its address and pairs."""
    settings: dict[str, Any] = {"pair_count": count, "start_ms": START_MS, "rate_limits": False}
    settings |= {"margin_mode": "isolated", "keys": (KEY,), "request_log_size": 1}
    with Sandbox(SandboxSettings(**settings)) as sandbox:
        pairs = list(map(pair_of, sandbox.engine.venue.instruments))
        here.send((sandbox.url, pairs))
        here.recv()


# --- the bot --------------------------------------------------------------------------------------


class Life:
    """A bot on a clock that moves the venue's with it."""

    def __init__(self, url: str, folder: Path, strategy: str, pairs: list[str]) -> None:
        session = requests.Session()

        def advance(now_ms: int) -> None:
            session.post(
                f"{url}/sandbox/clock", json={"now": now_ms}, timeout=600
            ).raise_for_status()

        self.clock = VirtualClock(START_MS, advance)
        self.config = bot_config(
            url, folder, strategy, tuple(pairs), max_open_trades=TRADES, **PEERS[strategy]
        )
        # The venue answers one at a time, and hundreds of requests wait for the first candles.
        self.config["exchange"]["ccxt_config"]["timeout"] = 600_000
        self.file = folder / "config.json"
        self.file.write_text(json.dumps(self.config))
        self.bot: FreqtradeBot

    def start(self) -> None:
        """The bot, its candles and first analysis, and as many trades as it may have."""
        self.bot = FreqtradeBot(Configuration({"config": [str(self.file)]}).get_config())
        self.bot.startup()
        self.loop()
        for pair in self.bot.active_pair_whitelist:
            held = {trade.pair: trade for trade in Trade.get_open_trades()}
            if len(held) == TRADES:
                break
            if pair not in held:
                side = "short" if len(held) % 2 and self.bot.strategy.can_short else "long"
                # One that the strategy's rules refuse leaves its place to the next pair.
                with suppress(RPCException):
                    RPC(self.bot)._rpc_force_entry(pair, None, order_side=side)
                self.loop()
        opened = len(Trade.get_open_trades())
        if opened < min(TRADES, len(self.bot.active_pair_whitelist)):
            raise SystemExit(f"only {opened} trades opened")

    def loop(self) -> float:
        """Five seconds later a loop; its processor seconds."""
        self.clock.sleep(LOOP_SECONDS)
        started = time.process_time()
        self.bot.process()
        return time.process_time() - started

    def own(self, loops: int) -> float:
        """Seconds in the package's own lines, a loop."""
        profile = cProfile.Profile(time.process_time)
        for _ in range(loops):
            self.clock.sleep(LOOP_SECONDS)
            profile.runcall(self.bot.process)
        found = pstats.Stats(profile).stats  # type: ignore[attr-defined]
        return sum(row[2] for (file, _, _), row in found.items() if file.startswith(OWN)) / loops

    def past_the_candle(self) -> None:
        """On until all candles of the last quarter of an hour are there."""
        for _ in range(30):
            self.loop()


def live(
    url: str, folder: str, strategy: str, pairs: list[str], given: Any, to: Connection
) -> None:
    """One bot's life; what was measured goes `to` the parent."""
    memory = psutil.Process()
    with environment_of(KEY):
        life = Life(url, Path(folder), strategy, pairs)
        with life.clock:
            life.start()
            first_mb = memory.memory_info().rss / 1e6
            life.past_the_candle()
            # A loop in thirty looks at more than the others: the worst counts too.
            times = [life.loop() for _ in range(given.loops)]
            own = life.own(given.loops // 3)
            grown = [] if not given.hours else _hours(life, given.hours, memory)
            life.bot.cleanup()
    to.send(
        (statistics.median(times), max(times), own, first_mb, memory.memory_info().rss / 1e6, grown)
    )


def _hours(life: Life, hours: float, memory: psutil.Process) -> list[float]:
    """MB after each hour of the market, in loops of a minute."""
    grown = []
    for minute in range(int(hours * 60)):
        life.clock.sleep(60 - LOOP_SECONDS)
        life.loop()
        if minute % 60 == 59:
            grown.append(memory.memory_info().rss / 1e6)
    return grown


def measure(count: int, given: argparse.Namespace) -> None:
    """Both bots on as many pairs, a line for each."""
    rows = {}
    for strategy in given.strategies:
        name = f"{strategy} with {count} pairs"
        with serving(serve, count) as (url, pairs), tempfile.TemporaryDirectory() as folder:
            rows[strategy] = answer_of(live, url, folder, strategy, pairs, given, name=name)
        loop, worst, own, first, last, grown = rows[strategy]
        print(
            f"{count:>5}   {strategy:<14}   {loop * 1000:6.0f} ms   {worst * 1000:6.0f} ms   "
            f"{own * 1000:6.1f} ms   {first:6.0f} MB   {last:6.0f} MB",
            flush=True,
        )
        if grown:
            print("        by the hour: " + " ".join(f"{mb:.0f}" for mb in grown) + " MB")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, nargs="+", default=COUNTS)
    parser.add_argument("--loops", type=int, default=LOOPS)
    parser.add_argument("--hours", type=float, default=0)
    parser.add_argument("--strategies", nargs="+", choices=PEERS, default=list(PEERS))
    given = parser.parse_args()
    print(f"a loop without a new candle, {TRADES} open trades, {given.loops} loops")
    print("pairs   strategy         median      worst       own lines    at start    at the end")
    for count in given.pairs:
        measure(count, given)


if __name__ == "__main__":
    main()
