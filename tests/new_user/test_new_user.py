"""The guide's way of a new user, done by a script: clone, doctor, demo, Telegram, report.

Every step is a process of its own, as on a terminal; only what is committed is there. The clock is
real. Then the pages that he has are opened in a browser, on a desk and on a phone; with
BUBBYBOT_SCREENSHOTS=<folder> the screenshots are kept.
"""

import json
import os
import re
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pytest

from tests.browser import DESK, PHONE, open_browser
from tests.places import ROOT
from tests.strategy.telegram.bot_api import CHAT_ID, TOKEN, BotApi

BIN = Path(sys.executable).parent
LAUNCHER = Path(__file__).with_name("trade_with_local_telegram.py")
PAIR = "BTC/USDT:USDT"
CONFIGS = ("-c", "config.demo.json", "-c", "sandbox.json")


class Terminal:
    """Commands in the clone, with what a user's shell has after loading .env."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            # freqtrade leaves its log as it is where it sees pytest.
            **{k: v for k, v in os.environ.items() if not k.startswith(("FREQTRADE", "PYTEST"))},
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "COLUMNS": "200",
        }

    def run(self, *command: str, **environment: str) -> str:
        """Output of a command, which must succeed."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    @contextmanager
    def running(self, *command: str, ready: str) -> Iterator[list[str]]:
        """A command that goes on, from its line that has `ready` on; ended as by Ctrl-C."""
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        lines: list[str] = []
        seen = threading.Event()

        def read() -> None:
            for line in process.stdout:
                lines.append(line)
                if ready in line:
                    seen.set()
            seen.set()

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            assert seen.wait(120), "".join(lines)
            assert process.poll() is None, "".join(lines)
            yield lines
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
            reader.join(10)


@pytest.mark.timeout(600)
def test_from_a_fresh_clone_to_a_trade_closed_from_the_phone(tmp_path):
    subprocess.run(
        ["git", "clone", "--quiet", "--depth", "1", ROOT.as_uri(), str(tmp_path / "clone")],
        check=True,
    )
    terminal = Terminal(tmp_path / "clone")
    sandbox = ("bubbybot", "sandbox", "--port", "0", "--margin-mode", "isolated")
    with terminal.running(*sandbox, ready="Ctrl-C stops it") as said, BotApi() as phone:
        fragment = re.search(r"^\{.*^\}", "".join(said), re.DOTALL | re.MULTILINE)
        config = json.loads(fragment[0])
        # Two pairs: the sandbox makes days of candles for each at its first request.
        config["exchange"]["pair_whitelist"] = [PAIR, "ETH/USDT:USDT"]
        (terminal.folder / "sandbox.json").write_text(json.dumps(config))
        assert "PROBLEM" not in terminal.run("bubbybot", "doctor", *CONFIGS)
        terminal.environment |= {
            "FREQTRADE__FORCE_ENTRY_ENABLE": "true",
            "FREQTRADE__TELEGRAM__ENABLED": "true",
            "FREQTRADE__TELEGRAM__TOKEN": TOKEN,
            "FREQTRADE__TELEGRAM__CHAT_ID": str(CHAT_ID),
        }
        trade = (sys.executable, str(LAUNCHER), phone.base_url, "trade", *CONFIGS)
        with terminal.running(*trade, ready="Bot heartbeat") as log:
            try:
                trade_by_phone(terminal, phone)
            except AssertionError as error:
                said = [line for line in log if "getUpdates" not in line]
                raise AssertionError("".join(said[-60:])) from error
        assert TOKEN not in "".join(log)
        terminal.environment["FREQTRADE__TELEGRAM__ENABLED"] = "false"
        # freqtrade takes no demo config for this: its utilities run as a dry-run.
        configs = ("-c", "config.json", "-c", "sandbox.json")
        candles = ("--timeframes", "15m", "1h", "4h", "--days", "15")
        terminal.run("freqtrade", "download-data", *configs, *candles)
        written = terminal.run("bubbybot", "report", *CONFIGS)
        assert "1 closed trade:" in written
        terminal.run("bubbybot", "patterns", *CONFIGS)
        told = terminal.run("bubbybot", "explain", PAIR, *configs)
        explained = Path(re.search(r"Picture: (.+)", told)[1])
    assert f'"pair":["{PAIR}"]' in (terminal.folder / "report.html").read_text()
    pages = {name: terminal.folder / f"{name}.html" for name in ("report", "patterns")}
    look_at(pages | {"explain": terminal.folder / explained}, tmp_path)


def trade_by_phone(terminal: Terminal, phone: BotApi) -> None:
    phone.wait_for("running", timeout=60)
    phone.write(f"/forcelong {PAIR}")
    phone.wait_for("New Trade", PAIR, timeout=90)
    told = phone.wait_for(f"Plan of {PAIR} long", timeout=60)
    phone.write("/status")
    phone.wait_for("*Trade ID:*", timeout=30)
    shown = terminal.run("bubbybot", "status", *CONFIGS)
    (row,) = [line for line in shown.splitlines() if "BTC/USDT" in line]
    stop = re.search(r"Stop ([\d,.]+)", told)[1]
    assert stop in row
    # The health check of the container looks while trades are open; Telegram itself is far away.
    looked = terminal.run("bubbybot", "doctor", *CONFIGS, FREQTRADE__TELEGRAM__ENABLED="false")
    assert "PROBLEM" not in looked
    phone.write("/forceexit all")
    phone.wait_for("Exited", PAIR, timeout=90)
    assert "No open positions" in terminal.run("bubbybot", "status", *CONFIGS)
    assert phone.refused == []


def look_at(pages: dict[str, Path], folder: Path) -> None:
    """Every page as a desk and a phone show it: nothing overlaps, is cut or empty."""
    shots = Path(os.environ.get("BUBBYBOT_SCREENSHOTS", folder / "screenshots")).resolve()
    shots.mkdir(parents=True, exist_ok=True)
    with open_browser(folder / "browser") as browser:
        for (name, page), size in product(pages.items(), (DESK, PHONE)):
            browser.open(page, size)
            for line in browser.all("#trades tr.trade"):
                browser.run("arguments[0].click()", line)
            browser.draw_all()
            shot = shots / f"{name}-{size[0]}.png"
            browser.screenshot(shot)
            assert browser.faults() == {}, shot
            width, height = struct.unpack(">II", shot.read_bytes()[16:24])
            assert width == size[0]
            assert height > size[1] / 2
            if name == "report":
                (chart,) = browser.all(".chart.trade")
                drawn = browser.run("return arguments[0].data.map((trace) => trace.name)", chart)
                assert {"entry", "exit", "stop", "target"} <= set(drawn)
