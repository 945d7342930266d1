"""The script behind docs/analyzers/comparison.md: a Pine text of our own through pinets."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from bubbybot_freqtrade.analyzers import frankie_candles, lux_algo, market_cipher
from tests.places import ROOT

SCRIPT = ROOT / "benchmarks" / "pine_comparison.py"
MAPS = sorted((ROOT / "benchmarks" / "pine").glob("*.toml"))
PINETS = Path(os.environ.get("BUBBYBOT_PINETS", ROOT.parent / "pinets"))

TEXT = """//@version=5
indicator("a small one")
strength = ta.rsi(close, 14)
quick = ta.ema(close, 11)
slow = ta.ema(close, 34)
up = ta.crossover(quick, slow)
wrong = ta.ema(close, 12)
"""

MAP = """
analyzer = "market_cipher"

[columns]
mc_rsi = "strength"
mc_ema_2 = "wrong"
mc_ema_8 = "slow"
mc_long_ema = "up ? 1 : 0"
mc_short_ema = "up ? 1 : 0"
"""


@pytest.fixture
def given(tmp_path: Path, market) -> list[str]:
    """Text, map and candles, as the command takes them."""
    (tmp_path / "small.pine").write_text(TEXT)
    (tmp_path / "small.toml").write_text(MAP)
    market(900, 5).to_feather(tmp_path / "PAIR-15m-futures.feather")
    return [
        str(tmp_path / name) for name in ("small.pine", "small.toml", "PAIR-15m-futures.feather")
    ]


def compare(arguments: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


@pytest.mark.skipif(shutil.which("node") is None, reason="no Node.js on the PATH")
@pytest.mark.skipif(
    not (PINETS / "node_modules" / "pinets").is_dir(),
    reason=f"no pinets in {PINETS} (BUBBYBOT_PINETS names the folder of its node_modules)",
)
def test_what_is_the_same_agrees_and_what_is_not_does_not(given: list[str]) -> None:
    done = compare([*given, "--pinets", str(PINETS), "--skip", "300"])
    assert done.returncode == 0, done.stderr
    assert "600 candles from 2025-01-04 03:00 to 2025-01-10 08:45" in done.stdout
    cells = {
        row[0]: row[1:]
        for line in done.stdout.splitlines()
        if len(row := [cell.strip(" `") for cell in line.split("|")[1:-1]]) == 6
    }
    assert cells["mc_rsi"][3] == cells["mc_ema_8"][3] == "100 %"
    assert float(cells["mc_ema_2"][3].rstrip(" %")) < 5
    crossed = cells["mc_long_ema"]
    assert crossed[0] == crossed[1] == crossed[2] != "0"
    assert crossed[3] == "100 %"
    # Crossing up is never crossing down: neither has what the other has.
    assert cells["mc_short_ema"][2:4] == ["0", "0 %"]


def test_without_pinets_it_says_how_to_get_it(given: list[str], tmp_path: Path) -> None:
    if shutil.which("node") is None:
        wanted = "no `node` on the PATH: install Node.js"
    else:
        wanted = f"{tmp_path} has no pinets: npm install --prefix {tmp_path} pinets"
    done = compare([*given, "--pinets", str(tmp_path)])
    assert done.returncode == 1
    assert wanted in done.stderr


@pytest.mark.parametrize("file", MAPS, ids=lambda file: file.stem)
def test_the_maps_name_columns_that_there_are(file: Path, market) -> None:
    chosen = tomllib.loads(file.read_text(encoding="utf-8"))
    analyzer = {
        "market_cipher": market_cipher,
        "lux_algo": lux_algo,
        "frankie_candles": frankie_candles,
    }[chosen["analyzer"]]
    settings = analyzer.Settings(**chosen.get("settings", {}))
    got = analyzer.populate(market(60, 1), settings, chosen["columns"])
    assert set(chosen["columns"]) <= set(got.columns)
    # No column is named twice, and an event's original is a number.
    events = [name for name in chosen["columns"] if pd.api.types.is_bool_dtype(got[name])]
    assert all(re.search(r"\? 1 : 0$", chosen["columns"][name]) for name in events)
