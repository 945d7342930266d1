"""From an event at the venue to the bot's action, and what watching costs, on a real clock.

freqtrade's own worker trades on a sandbox in this process, once asking in every loop and once
listening (`exchange.account_stream`). The owner cancels the stop of a trade in the app, at a
random moment: how long until another one stands. Requests are those that the venue received.
"""

import argparse
import json
import random
import statistics
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freqtrade.configuration import Configuration
from freqtrade.enums import State
from freqtrade.rpc import RPC
from freqtrade.worker import Worker

from bubbybot_freqtrade.blofin.exchange.trust import LAG_SECONDS
from bubbybot_freqtrade.drills.desk import bot_config, environment_of
from bubbybot_freqtrade.drills.market import pair_of
from bubbybot_freqtrade.sandbox.server import Sandbox
from bubbybot_freqtrade.sandbox.settings import ApiKey, SandboxSettings

TRADES = (1, 20)
EVENT_EVERY_S = 6.0
# freqtrade's default.
LOOP_SECONDS = 5
# A stop that nobody puts back ends the measurement.
PATIENCE_S = 60.0
KEY = ApiKey()


@dataclass
class Row:
    """What was measured with one way of watching and so many open trades."""

    way: str
    trades: int
    bare_ms: list[float]
    quiet: Counter[str]
    busy: Counter[str]
    minutes: float

    def told(self) -> str:
        """A line of the table."""
        median, worst = statistics.median(self.bare_ms), max(self.bare_ms)
        rates = (
            f"{counts[what] / self.minutes:7.1f}"
            for counts in (self.quiet, self.busy)
            for what in ("trading", "all")
        )
        return f"{self.way:8} {self.trades:6} {median:9.0f} {worst:9.0f}  {' '.join(rates)}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each quiet and busy span")
    parser.add_argument("--trades", type=int, nargs="+", default=TRADES, help="open trades")
    given = parser.parse_args()
    seconds = given.seconds
    print(
        f"{seconds:g} s quiet, {seconds:g} s with an event every {EVENT_EVERY_S:g} s; ms bare and"
    )
    print("requests a minute: trading (30 in 10 s are allowed) and all, quiet and busy")
    print("way      trades    median     worst  trading   all  trading   all")
    rows = []
    for trades in given.trades:
        for way, streamed in (("polled", False), ("streamed", True)):
            rows.append(measure(way, streamed, trades, seconds))
            print(rows[-1].told(), flush=True)
    for polled, streamed in zip(rows[::2], rows[1::2], strict=True):
        faster = statistics.median(polled.bare_ms) / statistics.median(streamed.bare_ms)
        quiet = polled.quiet["trading"] / max(streamed.quiet["trading"], 1)
        busy = polled.busy["trading"] / max(streamed.busy["trading"], 1)
        print(
            f"{polled.trades} open trades, streamed beside polled: {faster:.0f} times sooner, "
            f"1/{quiet:.1f} of the trading requests when quiet, 1/{busy:.1f} when busy"
        )


def measure(way: str, streamed: bool, trades: int, seconds: float) -> Row:
    """One bot's life on one sandbox."""
    # A price a second, as `bubbybot sandbox` has it: what is pushed no oftener than
    # `account_stream_silence` is asked for.
    settings: dict[str, Any] = {
        "clock": "real",
        "steps_per_minute": 60,
        "pair_count": trades + 1,
        "rate_limits": False,
    }
    sandbox = Sandbox(SandboxSettings(margin_mode="isolated", keys=(KEY,), **settings))
    with sandbox, environment_of(KEY), tempfile.TemporaryDirectory() as folder:
        worker = started(sandbox, Path(folder), streamed)
        done = threading.Event()
        row = Row(way, trades, [], Counter(), Counter(), seconds / 60)
        owner = threading.Thread(target=_own, args=(sandbox, row, seconds, done))
        try:
            state = prove(worker)
            enter(worker, trades)
            owner.start()
            while not done.is_set():
                state = worker._worker(old_state=state)
            owner.join()
        finally:
            worker.exit()
    return row


def started(sandbox: Sandbox, folder: Path, streamed: bool) -> Worker:
    """A bot that waits for orders of its owner."""
    instruments = sandbox.engine.venue.instruments
    pairs = tuple(map(pair_of, instruments))
    config = bot_config(
        sandbox.url,
        folder,
        "Idle",
        pairs,
        internals={"process_throttle_secs": LOOP_SECONDS, "heartbeat_interval": 0},
        exchange={"account_stream": streamed},
    )
    file = folder / "config.json"
    file.write_text(json.dumps(config))
    args = {"config": [str(file)], "verbosity": 0}
    return Worker(args, Configuration(args).get_config())


def prove(worker: Worker) -> State:
    """A trade that comes and goes: a list is relied on after three changes that were pushed."""
    state: State | None = None
    for act in (lambda: None, lambda: enter(worker, 1), lambda: leave(worker)):
        act()
        # Lists may lag behind what was before the connection.
        end = time.monotonic() + LAG_SECONDS + 3 * LOOP_SECONDS
        while time.monotonic() < end:
            state = worker._worker(old_state=state)
    return state


def leave(worker: Worker) -> None:
    """Close every trade."""
    RPC(worker.freqtrade)._rpc_force_exit("all")


def enter(worker: Worker, trades: int) -> None:
    """Open so many trades, no faster than the venue's limit lets one."""
    for pair in worker.freqtrade.active_pair_whitelist[:trades]:
        RPC(worker.freqtrade)._rpc_force_entry(pair, None, order_side="long")


def _own(sandbox: Sandbox, row: Row, seconds: float, done: threading.Event) -> None:
    """The account's owner: quiet first, then busy."""
    try:
        # Until what the entries have stirred up has settled.
        time.sleep(3 * LOOP_SECONDS + 10)
        begin = len(sandbox.requests.select())
        time.sleep(seconds)
        row.quiet = counted(sandbox, begin)
        begin = len(sandbox.requests.select())
        draw, end = random.Random(7), time.perf_counter() + seconds
        while time.perf_counter() < end:
            next_at = time.perf_counter() + EVENT_EVERY_S
            row.bare_ms.append(bare_ms(sandbox, draw))
            # Not at the same moment of a loop each time.
            time.sleep(max(0.0, next_at - time.perf_counter() + draw.random() * 2 - 1))
        row.busy = counted(sandbox, begin)
    finally:
        done.set()


def bare_ms(sandbox: Sandbox, draw: random.Random) -> float:
    """Cancel the stop of one trade; ms of real time until it has one again."""
    account = sandbox.engine.account(KEY.uid)
    with sandbox.engine.exclusive():
        inst_id = draw.choice([position.inst_id for position in account.positions.values()])
        for order in list(account.live_tpsl(inst_id)):
            body = {"instId": inst_id, "tpslId": order.tpsl_id}
            sandbox.app("/api/v1/trade/cancel-tpsl", body, uid=KEY.uid)
    began = time.perf_counter()
    while time.perf_counter() - began < PATIENCE_S:
        with sandbox.engine.exclusive():
            if list(account.live_tpsl(inst_id)):
                return (time.perf_counter() - began) * 1000
        time.sleep(0.002)
    raise SystemExit(f"{inst_id} has been without a stop for {PATIENCE_S:g} s")


def counted(sandbox: Sandbox, begin: int) -> Counter[str]:
    """Requests since the one with this number."""
    asked = [request.path for request in sandbox.requests.select()[begin:]]
    trading = [path for path in asked if "/trade/" in path]
    return Counter({"trading": len(trading), "all": len(asked)})


if __name__ == "__main__":
    main()
