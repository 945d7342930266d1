"""Signals of many pairs from several processes, traded by one: from a candle's close to its order.

    python benchmarks/producers.py [--pairs 40] [--lead SECONDS]
                                   [--rows "4 producers" "1 bot" "sample strategy"]

A sandbox with generated pairs and BloFin's limits runs in a process of its own; its clock and the
bots' run as fast as the real one and begin some minutes before 00:00 UTC, when candles of 15m, 1h
and 4h close together. The rows: four producers that share the pairs as in docs/followers.md and a
follower that trades on the account; one BubbyBot with all pairs; freqtrade's sample strategy with
all pairs, which reads 15m alone. Printed are the seconds after the close until a bot had analyzed
its first and last pair and until the first and last entry reached the venue, what each process has
asked the venue for (and how often that said 429), and each one's largest resident memory.
"""

import argparse
import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import freqtrade
import psutil
import requests
from processes import hear_ctrl_c, serving

from bubbybot_freqtrade.sandbox.cli import config_fragment
from bubbybot_freqtrade.sandbox.server import Sandbox
from bubbybot_freqtrade.sandbox.settings import SandboxSettings

COUNTS = (40,)
PRODUCERS = 4
MIDNIGHT_MS = 1_748_736_000_000  # 2025-06-01 00:00 UTC
# Before the close: programs start, and so many pairs' candles come inside BloFin's limits.
LEAD_S, LEAD_S_A_PAIR = 120.0, 1.0
PATIENCE_S = 180.0
BARS = ("4H", "1H", "15m")
LAUNCHER = Path(__file__).with_name("strategies") / "bot_at.py"
TEMPLATES = Path(freqtrade.__file__).parent / "templates"
TOKEN, OWNER = "a-token-of-the-benchmark", ("owner", "local-password")
# Generated markets have few signals; and many small trades.
LIVELY = {
    "confluence": {
        "window": 12,
        "ribbon_room": 10.0,
        "structure_room": 20.0,
        "value_room": 16.0,
    },
    "risk": {"min_risk": 0.0025, "max_risk": 0.005, "max_same_side": 10},
}
SAMPLE = {
    "strategy": "SampleStrategy",
    "strategy_path": str(TEMPLATES),
    "timeframe": "15m",
    "stake_amount": 50,
}
ROWS = (f"{PRODUCERS} producers", "1 bot", "sample strategy")


# --- the venue ------------------------------------------------------------------------------------


def serve(count: int, lead_s: float, here: Connection) -> None:
    """A sandbox whose time passes, until the other end says something.

    Sent are its address, what a config says of it, and how far its time is from ours, s.
    """
    start_ms = MIDNIGHT_MS - int(lead_s * 1000)
    settings = SandboxSettings(pair_count=count, start_ms=start_ms, margin_mode="isolated")
    sandbox = Sandbox(settings)
    # The history of all series is made before: minutes of work that no venue has at a bot's start.
    for name in sandbox.market.instruments:
        for bar in BARS:
            sandbox.feed.latest(name, bar, "last", now_ms=start_ms, limit=1440)
    with sandbox:
        offset = sandbox.clock.now_ms() / 1000 - time.time()
        here.send((sandbox.url, config_fragment(sandbox)["exchange"], offset))
        while not here.poll(0.2):
            sandbox.advance(int((time.time() + offset) * 1000))


# --- the bots -------------------------------------------------------------------------------------


@dataclass
class Bots:
    """freqtrade processes that live by the venue's time."""

    folder: Path
    exchange: Mapping[str, Any]
    offset: float
    running: dict[str, psutil.Popen] = field(default_factory=dict)
    most_mb: dict[str, float] = field(default_factory=dict)

    def start(self, name: str, **changes: Any) -> None:
        """`freqtrade trade` with the shipped config and these changes."""
        config = json.loads(Path("config.json").read_text())
        # The venue answers one at a time, and a busy machine is slow.
        urls = self.exchange["ccxt_config"]["urls"]
        exchange = config["exchange"] | self.exchange | {"pair_whitelist": []}
        exchange["ccxt_config"] = {"urls": urls, "timeout": 120_000}
        own = {
            "bubbybot": LIVELY,
            "exchange": exchange,
            "db_url": f"sqlite:///{self.folder / name}.sqlite",
            "strategy_path": "user_data/strategies",
        }
        file = self.folder / f"{name}.json"
        file.write_text(json.dumps(config | own | changes))
        # One folder for all, which keeps leverage tiers and candles.
        (self.folder / "user_data").mkdir(exist_ok=True)
        words = [str(self.folder / f"{name}.found"), str(self.offset), str(MIDNIGHT_MS)]
        words += ["trade", "-c", str(file), "--userdir", str(self.folder / "user_data")]
        with (self.folder / f"{name}.log").open("w") as log:
            self.running[name] = psutil.Popen(
                [sys.executable, str(LAUNCHER), *words], stdout=log, stderr=subprocess.STDOUT
            )

    def look(self) -> None:
        """Take their memory.

        :raises SystemExit: when one has ended
        """
        for name, bot in self.running.items():
            if bot.poll() is not None:
                log = (self.folder / f"{name}.log").read_text()
                raise SystemExit(f"{name} has ended:\n{log[-3000:]}")
            mb = bot.memory_info().rss / 1e6
            self.most_mb[name] = max(self.most_mb.get(name, 0.0), mb)

    def stop(self) -> dict[str, dict[str, Any]]:
        """End them; what each has found, by name."""
        for bot in self.running.values():
            with suppress(psutil.NoSuchProcess):
                bot.send_signal(signal.SIGINT)
        for bot in self.running.values():
            try:
                bot.wait(120)
            except psutil.TimeoutExpired:
                bot.kill()
        files = {name: self.folder / f"{name}.found" for name in self.running}
        return {n: json.loads(f.read_text()) for n, f in files.items() if f.exists()}


def free_port() -> int:
    """One that nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def by_volume(count: int) -> dict[str, Any]:
    """The most traded pairs."""
    method = {"method": "VolumePairList", "number_assets": count, "sort_key": "quoteVolume"}
    return method | {"refresh_period": 86400}


def start_producers(bots: Bots, count: int) -> None:
    """Producers of a part each, then one that trades on all (docs/followers.md)."""
    part = -(-count // PRODUCERS)
    ports = [free_port() for _ in range(PRODUCERS)]
    for number, port in enumerate(ports):
        offset = {"method": "OffsetFilter", "offset": number * part, "number_assets": part}
        bots.start(
            f"part-{number + 1}",
            dry_run=True,
            max_open_trades=0,
            pairlists=[by_volume(count), offset],
            api_server=api(port),
        )
    for port in ports:
        wait_for_analysis(bots, port)
    names = [f"part-{number + 1}" for number in range(PRODUCERS)]
    bots.start(
        "follower",
        strategy="BubbyBotFollower",
        dry_run=False,
        max_open_trades=10,
        pairlists=[{"method": "ProducerPairList", "producer_name": name} for name in names],
        external_message_consumer={
            "enabled": True,
            "initial_candle_limit": 200,
            "producers": [
                {"name": name, "host": "127.0.0.1", "port": port, "ws_token": TOKEN}
                for name, port in zip(names, ports, strict=True)
            ],
        },
    )


def wait_for_analysis(bots: Bots, port: int) -> None:
    """Until a producer has analyzed all its pairs: whoever asks earlier is sent 1,500 candles."""
    waiting: list[str] | None = None
    while waiting is None or waiting:
        bots.look()
        with suppress(requests.RequestException):
            if waiting is None:
                # An error, or no pairs, until the bot behind the server is made.
                waiting = ask(port, "whitelist").get("whitelist") or None
            elif ask(port, "pair_candles", pair=waiting[-1], timeframe="15m", limit=1).get("data"):
                waiting.pop()
                continue
        time.sleep(1)


def ask(port: int, path: str, **words: Any) -> dict[str, Any]:
    """What a bot's API answers."""
    url = f"http://127.0.0.1:{port}/api/v1/{path}"
    answer: dict[str, Any] = requests.get(url, params=words, auth=OWNER, timeout=5).json()
    return answer


def api(port: int) -> dict[str, Any]:
    """A producer's server."""
    return {
        "enabled": True,
        "listen_ip_address": "127.0.0.1",
        "listen_port": port,
        "jwt_secret_key": "0123456789abcdef0123456789abcdef",
        "ws_token": TOKEN,
        "username": OWNER[0],
        "password": OWNER[1],
    }


def start_row(bots: Bots, row: str, count: int) -> None:
    """The processes of a row."""
    if row == ROWS[0]:
        start_producers(bots, count)
        return
    strategy = {} if row == ROWS[1] else SAMPLE
    lists = [by_volume(count)]
    bots.start("bot", dry_run=False, max_open_trades=10, pairlists=lists, **strategy)


# --- measuring ------------------------------------------------------------------------------------


def measure(row: str, count: int, lead_s: float) -> None:
    """A row, and a line for each of its processes."""
    lead_s = lead_s or LEAD_S + LEAD_S_A_PAIR * count
    with (
        serving(serve, count, lead_s) as (url, exchange, offset),
        tempfile.TemporaryDirectory() as folder,
    ):
        bots = Bots(Path(folder), exchange, offset)
        try:
            start_row(bots, row, count)
            while time.time() + offset < MIDNIGHT_MS / 1000 + PATIENCE_S:
                bots.look()
                time.sleep(1)
        finally:
            found = bots.stop()
        asked = requests.get(f"{url}/sandbox/requests", timeout=60).json()["data"]
    orders = [
        one["ts_ms"] / 1000 - MIDNIGHT_MS / 1000
        for one in asked
        if one["path"] == "/api/v1/trade/order" and one["ts_ms"] >= MIDNIGHT_MS
    ]
    refused = sum(one["status"] == 429 for one in asked)
    print(
        f"{count:>5}   {row:<16}   entries: {len(orders)}, {_span(orders)}   "
        f"requests: {len(asked)}, refused {refused}",
        flush=True,
    )
    for name, one in found.items():
        told = f"analyzed {len(one['analyzed'])} pairs, {_span(one['analyzed'])}"
        told += f"   requests {one['requests']}, {one['after']} after the close"
        print(f"        {name:<14}   {told}   {bots.most_mb[name]:.0f} MB", flush=True)


def _span(seconds: list[float]) -> str:
    return f"{min(seconds):.1f}-{max(seconds):.1f} s" if seconds else "none"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, nargs="+", default=COUNTS)
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS)
    parser.add_argument("--lead", type=float, default=0, help="to start in")
    given = parser.parse_args()
    hear_ctrl_c()
    print("seconds after the close of 15m, 1h and 4h; requests from the start on")
    for count in given.pairs:
        for row in given.rows:
            measure(row, count, given.lead)


if __name__ == "__main__":
    main()
