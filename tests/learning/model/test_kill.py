"""`kill -9` in mid-training, a restart that goes on, and the result of a run that nobody killed."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests.learning.model.conftest import SETTINGS, TIMERANGE, small_freqai
from tests.places import ROOT

STRATEGIES = ROOT / "user_data/strategies"
DEADLINE_S = 120


class Command:
    """`freqtrade backtesting` in a process of its own, with a user folder of its own."""

    def __init__(self, desk, folder: Path) -> None:
        self.folder = folder
        (folder / "user_data").mkdir()
        model = small_freqai("killed")
        # Enough windows that some are left when the third has been trained.
        model["freqai"]["backtest_period_days"] = 1
        settings = desk._settings(SETTINGS) | model
        (folder / "config.json").write_text(json.dumps(settings))
        self.data = desk.data
        self.models = folder / "user_data" / "models" / "killed"

    def start(self) -> subprocess.Popen:
        options = {
            "--config": self.folder / "config.json",
            "--userdir": self.folder / "user_data",
            "--datadir": self.data,
            "--strategy": "BubbyBotAI",
            "--strategy-path": STRATEGIES,
            "--timerange": TIMERANGE,
            "--export": "trades",
            "--cache": "none",
        }
        words = [str(word) for option in options.items() for word in option]
        with (self.folder / "log").open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "freqtrade", "backtesting", *words],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={k: v for k, v in os.environ.items() if not k.startswith("FREQTRADE")},
                cwd=ROOT,
            )

    def finish(self) -> None:
        assert self.start().wait(DEADLINE_S) == 0, self.log()

    def log(self) -> str:
        # freqtrade breaks the lines of its log to the terminal's width.
        return " ".join((self.folder / "log").read_text().split())

    def trained(self) -> dict[str, int]:
        """When each window's model was written, ns."""
        return {file.name: file.stat().st_mtime_ns for file in self.models.rglob("*_model.joblib")}

    def trades(self) -> list[dict]:
        """The exported trades, without what a run's clock has put in them."""
        (export,) = (self.folder / "user_data" / "backtest_results").glob("*.zip")
        with zipfile.ZipFile(export) as archive:
            name = next(n for n in archive.namelist() if n.endswith(f"{export.stem}.json"))
            return json.loads(archive.read(name))["strategy"]["BubbyBotAI"]["trades"]


@pytest.fixture
def command(desk, tmp_path):
    def make(name: str) -> Command:
        (tmp_path / name).mkdir()
        return Command(desk, tmp_path / name)

    return make


def test_a_killed_training_goes_on_and_ends_as_if_nobody_had_killed_it(command):
    whole, killed = command("whole"), command("killed")
    whole.finish()
    process = killed.start()
    deadline = time.monotonic() + DEADLINE_S
    # With the third window's folder made, its files are being written.
    while len(list(killed.models.glob("sub-train-*"))) < 3:
        assert process.poll() is None, killed.log()
        assert time.monotonic() < deadline, killed.log()
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL
    before = killed.trained()
    assert len(before) < len(whole.trained())
    killed.finish()
    after = killed.trained()
    assert set(after) == set(whole.trained())
    # The finished windows were not trained again.
    kept = sorted(before.items(), key=lambda item: item[1])[:2]
    assert len(kept) == 2
    assert {name: after[name] for name, _ in kept} == dict(kept)
    assert "Found backtesting prediction file" in killed.log()
    assert killed.trades() == whole.trades()
    assert killed.trades()
