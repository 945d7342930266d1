"""What a start costs: nothing is compiled twice, wherever the package is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import bubbybot_freqtrade.analyzers

PACKAGE = Path(bubbybot_freqtrade.analyzers.__file__).parent

IMPORTS = "from bubbybot_freqtrade.analyzers import frankie_candles, lux_algo, market_cipher"

POPULATE = f"""
import pandas as pd
{IMPORTS}

def candles():
    close = pd.Series(range(600)) % 37 + 100.0
    return pd.DataFrame({{
        "date": pd.date_range("2025-01-01", periods=600, freq="15min", tz="UTC"),
        "open": close, "high": close + 1, "low": close - 1, "close": close, "volume": 1.0,
    }})
"""

COUNT_COMPILATIONS = f"""
from numba.core import event
{POPULATE}
with event.install_recorder("numba:compile") as compilations:
    for analyzer in (market_cipher, lux_algo, frankie_candles):
        analyzer.populate(candles())
print(len(compilations.buffer))
"""


def run(code: str, folder: Path | None = None, **environment: str) -> subprocess.CompletedProcess:
    """Run code in a fresh interpreter, with `folder` (if any) before the installed package."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "XDG_"))}
    if folder is not None:
        variables["PYTHONPATH"] = str(folder)
    return subprocess.run(
        [sys.executable, "-c", code],
        env=variables | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=200,
    )


def test_the_second_start_compiles_nothing() -> None:
    run(COUNT_COMPILATIONS)
    assert run(COUNT_COMPILATIONS).stdout.split() == ["0"]


def test_every_kernel_is_compiled_for_one_signature() -> None:
    """Slices, copies and frames without an event must not lead to a second version of a kernel."""
    # In an interpreter of its own: other tests call kernels by themselves.
    run(f"""
{POPULATE}
from bubbybot_freqtrade.analyzers import kernels

frame = candles()
for part in (frame, frame.iloc[:0], frame.iloc[:60], frame.iloc[100:500], frame.copy()):
    for analyzer in (market_cipher, lux_algo, frankie_candles):
        analyzer.populate(part)
for module in kernels.__all__:
    for name, function in vars(getattr(kernels, module)).items():
        assert len(getattr(function, "signatures", [])) <= 1, f"{{module}}.{{name}}"
""")


def test_importing_the_analyzers_does_not_import_numba() -> None:
    """Numba costs more to import than all three; commands that populate nothing need not pay."""
    run(f"{IMPORTS}\nimport sys\nassert 'numba' not in sys.modules")


def test_processes_that_start_together_share_an_empty_cache(tmp_path: Path) -> None:
    """freqtrade's hyperopt starts one process per core, all of them at once."""
    script = tmp_path / "together.py"
    script.write_text(f"""
import multiprocessing
import numpy as np
{POPULATE}
def total(_):
    frame = candles()
    flow = market_cipher.money_flow(*(frame[c] for c in ("open", "high", "low", "close")), length=5)
    return len(flow) - np.isnan(flow).sum()

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        first, second = pool.map(total, range(2), chunksize=1)
    assert first == second == 596
""")
    code = f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')"
    run(code, NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert list((tmp_path / "cache").rglob("*.nbc"))


# One small kernel tells where the cache lies; compiling all of them would only take longer.
FADE = """
import logging
logging.basicConfig()
import numpy as np
from bubbybot_freqtrade.analyzers import kernels
print(kernels.fading.__file__)
print(kernels.fading.fade(np.array([1.0, 0.0, 0.0]), 2).tolist())
"""


def installed_read_only(folder: Path) -> Path:
    """
    A copy of the package in which no cache can be written beside the source. A file in the place of
    __pycache__ holds for root, too, whom file modes do not stop.
    """
    copy = folder / "bubbybot_freqtrade" / "analyzers"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy.parent / "__init__.py").touch()
    (copy / "kernels" / "__pycache__").touch()
    return folder


def test_a_read_only_installation_caches_in_the_users_folder(tmp_path: Path) -> None:
    folder = installed_read_only(tmp_path / "site")
    home = tmp_path / "home"
    home.mkdir()
    done = run(FADE, folder, HOME=str(home), LOCALAPPDATA=str(home))
    file, result = done.stdout.split("\n", 1)
    assert Path(file).is_relative_to(folder)
    assert result.strip() == "[1.0, 0.5, 0.0]"
    assert list(home.rglob("fading.fade-*.nbc"))


def test_where_nothing_can_be_written_the_kernels_still_work_and_say_so(tmp_path: Path) -> None:
    folder = installed_read_only(tmp_path / "site")
    nowhere = tmp_path / "file"
    nowhere.touch()
    done = run(FADE, folder, HOME=str(nowhere), LOCALAPPDATA=str(nowhere))
    assert done.stdout.strip().endswith("[1.0, 0.5, 0.0]")
    assert "NUMBA_CACHE_DIR" in done.stderr
