"""An hour of `freqtrade trade` on a real clock, with an owner who takes stops away in the app.

    python benchmarks/real_hour.py [--minutes 60] [--pairs 6] [--ways listening asking]
                                   [--out FOLDER]

Each way of watching the account (`exchange.account_stream`) has a process with a sandbox, BloFin's
limits included, and a freqtrade process of its own; both run in the same hour. Trades are short
(the drills' Restless, by candles of a minute). The owner cancels a position's stops at random
moments, and closes a position now and then; the websockets are cut once in five minutes, and for a
part of the time they are late, or tell everything twice. Then Ctrl-C.

Printed are the ms until a position had a stop again, the requests that the venue received and
refused, what laws of the drills were broken (a bare position, an entry or stop twice, books that
differ by a cent; an order that the venue has filled since the bot's last loop is told as one that
the database waits for), what the log told as an error, and what the bot's process had grown by.
"""

import argparse
import json
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
from freqtrade.persistence import Trade, init_db
from processes import begin, hear_ctrl_c

from bubbybot_freqtrade.drills.desk import bot_config, environment_of
from bubbybot_freqtrade.drills.laws import audit
from bubbybot_freqtrade.drills.market import pair_of
from bubbybot_freqtrade.drills.watch import Watch, covered
from bubbybot_freqtrade.sandbox.api.streams import StreamFaults
from bubbybot_freqtrade.sandbox.server import Sandbox
from bubbybot_freqtrade.sandbox.settings import ApiKey, SandboxSettings
from bubbybot_freqtrade.sandbox.venue.accounts import Position

WAYS = {"listening": True, "asking": False}
KEY = ApiKey()
# Between two things that the owner does, and until the first one, s.
EVENT_EVERY_S, BEGIN_S = 25.0, 60.0
# One in so many is a position that is closed.
CLOSE_ONE_IN = 6
CUT_EVERY_S = 300.0
# In turn, by sixths of the time.
FAULTS = {
    "whole": StreamFaults(),
    "late by 300 ms": StreamFaults(delay_ms=300),
    "twice": StreamFaults(twice=True),
    "in another order": StreamFaults(shuffle=True),
    "silent": StreamFaults(silent=True),
    "whole again": StreamFaults(),
}
# A stop that nobody puts back ends its measurement.
PATIENCE_S = 60.0
LOOK_S = 0.002


@dataclass
class Owner:
    """The account's owner and the network. bare: ms without a stop, by the websocket's state."""

    sandbox: Sandbox
    watch: Watch
    draw: random.Random
    seconds: float
    bare: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def work(self) -> None:
        """Do what owners do, for so long."""
        began = time.monotonic()
        time.sleep(BEGIN_S)
        cut_at = began + CUT_EVERY_S
        while (passed := time.monotonic() - began) < self.seconds:
            state = list(FAULTS)[int(len(FAULTS) * passed / self.seconds)]
            self.sandbox.streams.faults = FAULTS[state]
            if time.monotonic() > cut_at:
                self.sandbox.streams.drop()
                cut_at += CUT_EVERY_S
            self._act(state)
            time.sleep(EVENT_EVERY_S * (0.5 + self.draw.random()))

    def told(self) -> list[str]:
        """A line for each state of the websocket."""
        return [
            f"{len(ms)} stops taken away while it was {state}: another one after "
            f"{statistics.median(ms):.0f} ms (median), {max(ms):.0f} at most"
            for state, ms in self.bare.items()
        ]

    def _act(self, state: str) -> None:
        with self.sandbox.engine.exclusive():
            held = [p for p in self.watch.account.positions.values() if not self._is_bare(p)]
            if not held:
                return
            position = self.draw.choice(held)
            if self.draw.randrange(CLOSE_ONE_IN) == 0:
                self._app("close-position", position, positionSide=position.position_side)
                return
            for order in list(self.watch.account.live_tpsl(position.inst_id)):
                self._app("cancel-tpsl", position, tpslId=order.tpsl_id)
            if not self._is_bare(position):
                return
        self.bare[state].append(self._until_covered(position))

    def _app(self, path: str, position: Position, **fields: str) -> None:
        body = {"instId": position.inst_id, "marginMode": position.margin_mode, **fields}
        with self.watch.by_hand("by hand in the app"):
            self.sandbox.app(f"/api/v1/trade/{path}", body, uid=KEY.uid)

    def _is_bare(self, position: Position) -> bool:
        last = self.sandbox.engine.venue.last_price(position.inst_id)
        return covered(self.watch.account, position, last) < position.size

    def _until_covered(self, position: Position) -> float:
        """Ms until it has a stop again or is none any more."""
        began = time.perf_counter()
        while (passed := time.perf_counter() - began) < PATIENCE_S:
            with self.sandbox.engine.exclusive():
                held = any(p is position for p in self.watch.account.positions.values())
                if not held or not self._is_bare(position):
                    return passed * 1000
            time.sleep(LOOK_S)
        return PATIENCE_S * 1000


def live(way: str, given: argparse.Namespace, to: Connection) -> None:
    """One way's hour; its lines go `to` the parent."""
    settings = SandboxSettings(
        clock="real",
        steps_per_minute=60,
        pair_count=given.pairs,
        margin_mode="isolated",
        keys=(KEY,),
    )
    sandbox = Sandbox(settings)
    watch = Watch(sandbox, KEY.uid)
    folder = Path(given.out) / way
    folder.mkdir(parents=True)
    owner = Owner(sandbox, watch, random.Random(7), given.minutes * 60)
    with sandbox, environment_of(KEY), trading(sandbox, folder, listening=WAYS[way]) as bot:
        with ThreadPoolExecutor(1) as hand:
            acts = hand.submit(owner.work)
            before = _size(bot, given.minutes * 30)
            acts.result()
        grown = f"{before} after half of the time, {_size(bot)} at the end"
        lines = [f"memory and threads: {grown}", _requests(sandbox), end(bot)]
        lines += _books(sandbox, watch, folder)
    to.send("\n  ".join([*owner.told(), *lines]))


@contextmanager
def trading(sandbox: Sandbox, folder: Path, *, listening: bool) -> Iterator[psutil.Popen]:
    """`freqtrade trade` with short trades on the sandbox's pairs."""
    pairs = tuple(map(pair_of, sandbox.engine.venue.instruments))
    config = bot_config(
        sandbox.url,
        folder,
        "Restless",
        pairs,
        timeout_ms=10_000,
        exchange={"account_stream": listening, "enable_ws": True},
        unfilledtimeout={"entry": 2, "exit": 2, "unit": "minutes"},
        stake_amount=50,
    )
    # As anybody's: BloFin's limits are kept, and the log is freqtrade's.
    config["exchange"]["ccxt_config"]["enableRateLimit"] = True
    del config["log_config"]
    (folder / "config.json").write_text(json.dumps(config))
    words = ["trade", "-c", str(folder / "config.json"), "--userdir", str(folder)]
    with (folder / "bot.log").open("w") as log:
        bot = psutil.Popen(
            [sys.executable, "-m", "freqtrade", *words], stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield bot
    finally:
        if bot.poll() is None:
            bot.kill()


def end(bot: psutil.Popen) -> str:
    """Ctrl-C."""
    began = time.perf_counter()
    bot.send_signal(signal.SIGINT)
    code = bot.wait(120)
    return f"ended {time.perf_counter() - began:.1f} s after Ctrl-C with exit code {code}"


def _size(bot: psutil.Popen, after_s: float = 0.0) -> str:
    time.sleep(after_s)
    if bot.poll() is not None:
        raise SystemExit(f"the bot has ended with exit code {bot.poll()}")
    return f"{bot.memory_info().rss / 1e6:.0f} MB, {bot.num_threads()}"


def _requests(sandbox: Sandbox) -> str:
    asked = list(sandbox.requests)
    refused = sum(one.status == 429 for one in asked)
    trading = sum("/trade/" in one.path for one in asked)
    return f"{len(asked)} requests, {trading} of them trading, {refused} refused"


def _books(sandbox: Sandbox, watch: Watch, folder: Path) -> list[str]:
    """Both sides' books beside each other, and what else the laws and the log say."""
    init_db(f"sqlite:///{folder}/trades.sqlite")
    found = audit(sandbox.engine, KEY.uid, by_hand=watch.is_by_hand).broken
    trades = len(Trade.get_trades().all())
    log = (folder / "bot.log").read_text().splitlines()
    errors = Counter(line.split(" - ", 1)[1][:160] for line in log if " - ERROR - " in line)
    broken = [*watch.broken, *found]
    return [
        f"{trades} trades, {len(broken)} laws broken, {errors.total()} errors in the log",
        *broken,
        *(f"{times} x {what}" for what, times in errors.items()),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--out", help="for logs and databases, an empty folder; else they go")
    given = parser.parse_args()
    hear_ctrl_c()
    with tempfile.TemporaryDirectory() as folder:
        given.out = given.out or folder
        measure(given)


def measure(given: argparse.Namespace) -> None:
    """All ways beside each other."""
    running = [(way, begin(live, way, given)) for way in given.ways]
    for way, (process, here) in running:
        try:
            print(f"{way}, {given.pairs} pairs, {given.minutes:g} minutes\n  {here.recv()}")
        except EOFError:
            raise SystemExit(f"the bot that was {way} came to no end") from None
        process.join()


if __name__ == "__main__":
    main()
