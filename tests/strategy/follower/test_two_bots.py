"""Bots in processes of their own: two analyze a pair each, another trades on what it is sent.

Real processes, a real websocket, and a sandbox that all of them live by: its time runs as fast as
theirs, and begins shortly before a candle on which BubbyBot's backtest has entered.
"""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from bubbybot_freqtrade.sandbox.cli import config_fragment
from bubbybot_freqtrade.sandbox.server import Sandbox
from bubbybot_freqtrade.sandbox.settings import DEMO_UID, SandboxSettings
from tests.places import ROOT
from tests.strategy.follower.conftest import OTHER, PAIR, SETTINGS

LAUNCHER = Path(__file__).with_name("trade_at.py")
BEFORE_S = 20
PATIENCE_S = 170
TOKEN, OWNER = "a-token-of-the-test", ("owner", "local-password")


class Village:
    """A sandbox whose time passes, and bots that live in it."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.offset = sandbox.clock.now_ms() / 1000 - time.time()
        self._ended = threading.Event()
        self._time = threading.Thread(target=self._pass, daemon=True)
        self._time.start()
        self.bots: dict[str, subprocess.Popen] = {}

    def _pass(self) -> None:
        while not self._ended.wait(0.2):
            self.sandbox.advance(int((time.time() + self.offset) * 1000))

    def start(self, name: str, port: int, *pairs: str, **changes: Any) -> None:
        """A bot of these pairs with an API of its own at `port`."""
        config = json.loads((ROOT / "config.json").read_text())
        exchange = config["exchange"] | config_fragment(self.sandbox)["exchange"]
        exchange |= {"pair_whitelist": pairs, "enable_ws": False}
        api = {
            "enabled": True,
            "listen_ip_address": "127.0.0.1",
            "listen_port": port,
            "jwt_secret_key": "0123456789abcdef0123456789abcdef",
            "ws_token": TOKEN,
            "username": OWNER[0],
            "password": OWNER[1],
        }
        own = {
            "bubbybot": SETTINGS,
            "exchange": exchange,
            "api_server": api,
            "db_url": f"sqlite:///{self.folder / name}.sqlite",
            "internals": {"process_throttle_secs": 1},
        }
        file = self.folder / f"{name}.json"
        file.write_text(json.dumps(config | own | changes))
        words = ["trade", "-c", str(file), "--userdir", str(self.folder / name)]
        words += ["--strategy-path", str(ROOT / "user_data/strategies")]
        (self.folder / name).mkdir()
        with (self.folder / f"{name}.log").open("w") as log:
            self.bots[name] = subprocess.Popen(
                [sys.executable, str(LAUNCHER), str(self.offset), *words],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
            )

    def logs(self) -> str:
        return "\n".join((self.folder / f"{name}.log").read_text()[-6000:] for name in self.bots)

    def wait(self, ready: Callable[[], Any]) -> Any:
        """What `ready` returns once it is something."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            for name, bot in self.bots.items():
                assert bot.poll() is None, f"{name} has ended\n{self.logs()}"
            if found := ready():
                return found
            time.sleep(0.3)
        raise AssertionError(self.logs())

    def stop(self) -> None:
        for bot in self.bots.values():
            bot.send_signal(signal.SIGINT)
        for bot in self.bots.values():
            try:
                bot.wait(30)
            except subprocess.TimeoutExpired:
                bot.kill()
        self._ended.set()
        self._time.join(5)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def last_candle(port: int, pair: str = PAIR) -> dict[str, Any]:
    """The newest analyzed candle that a bot's own API shows."""
    try:
        answer = requests.get(
            f"http://127.0.0.1:{port}/api/v1/pair_candles",
            params={"pair": pair, "timeframe": "15m", "limit": 1},
            auth=OWNER,
            timeout=5,
        )
    except requests.ConnectionError:
        return {}
    told = answer.json()
    return dict(zip(told["columns"], told["data"][-1], strict=True)) if told.get("data") else {}


@pytest.fixture
def village(market, backtested, tmp_path):
    trade = backtested.iloc[len(backtested) // 2]
    opened = int(trade["open_date"].timestamp())
    settings = SandboxSettings(
        data=market,
        pairs=("BTC-USDT", "ETH-USDT"),
        start_ms=(opened - BEFORE_S) * 1000,
        margin_mode="isolated",
        rate_limits=False,
    )
    with Sandbox(settings) as sandbox:
        village = Village(tmp_path, sandbox)
        try:
            yield village, trade
        finally:
            village.stop()


@pytest.mark.timeout(280)
def test_a_follower_enters_what_a_producer_of_its_pair_sees_with_the_same_plan(village):
    village, expected = village
    ports = {"others": free_port(), "signals": free_port()}
    signals, follows = ports["signals"], free_port()
    # They open nothing themselves: they are there for their signals.
    alone = {"strategy": "BubbyBot", "dry_run": True, "max_open_trades": 0}
    village.start("signals", signals, PAIR, **alone)
    village.start("others", ports["others"], OTHER, **alone)
    village.start(
        "follower",
        follows,
        PAIR,
        OTHER,
        strategy="BubbyBotFollower",
        dry_run=False,
        external_message_consumer={
            "enabled": True,
            "producers": [
                {"name": name, "host": "127.0.0.1", "port": port, "ws_token": TOKEN}
                for name, port in ports.items()
            ],
            "sleep_time": 1,
            "initial_candle_limit": 200,
            "message_size_limit": 8,
        },
    )
    account = village.sandbox.engine.account(DEMO_UID)
    bracket = village.wait(lambda: account.positions and list(account.live_tpsl()))[0]
    position = next(iter(account.positions.values()))
    assert (position.direction < 0) == expected["is_short"]
    # The plan of the same candle: the backtest's, up to the venue's ticks.
    assert float(bracket.tpsl.sl_trigger) == pytest.approx(expected["plan_stop"], rel=2e-4)
    assert float(bracket.tpsl.tp_trigger) == pytest.approx(expected["plan_target"], rel=2e-4)
    theirs, ours = last_candle(signals), village.wait(lambda: last_candle(follows))
    assert ours["date"] == theirs["date"]
    shared = [name for name in theirs if name.startswith(("mc_", "lux_", "fc_", "plan_"))]
    assert len(shared) > 60
    assert {name: ours[name] for name in shared} == pytest.approx(
        {name: None if theirs[name] is None else float(theirs[name]) for name in shared},
        nan_ok=True,
    )
    both = village.wait(lambda: last_candle(follows, OTHER))
    theirs_of_other = last_candle(ports["others"], OTHER)
    assert both["date"] == theirs_of_other["date"]
    assert (both["plan_atr"], both["mc_wt2"]) == pytest.approx(
        (theirs_of_other["plan_atr"], theirs_of_other["mc_wt2"])
    )
    assert ours["enter_tag"] == theirs["enter_tag"] == expected["enter_tag"]
