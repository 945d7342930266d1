"""Installing the package is all plain freqtrade needs to know BloFin; other Pythons pay nothing."""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.places import ROOT

SITE_PACKAGES = sysconfig.get_paths()["purelib"]


def run_python(*args: str) -> str:
    done = subprocess.run([sys.executable, *args], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_ordinary_start_imports_neither_freqtrade_nor_ccxt():
    modules = json.loads(run_python("-c", "import sys, json; print(json.dumps([*sys.modules]))"))
    assert "bubbybot_freqtrade.plugin" in modules
    heavy = {"freqtrade", "ccxt", "pandas", "numpy", "asyncio", "logging", "typing", "wrapt"}
    assert heavy.isdisjoint(modules)


def test_freqtrade_knows_blofin_after_its_own_import():
    told = run_python(
        "-c",
        "import freqtrade.exchange as host, ccxt, ccxt.pro, ccxt.async_support as a;"
        "print(host.Blofin.__module__, ccxt.blofin().has['fetchOrder'],"
        " ccxt.pro.blofin().has['fetchOrder'], a.blofin().has['fetchOrder'])",
    )
    assert told.split() == ["bubbybot_freqtrade.blofin.exchange.blofin", "True", "True", "True"]


def test_it_registers_whichever_part_of_freqtrade_or_ours_comes_first():
    of_freqtrade = ("freqtrade.persistence", "freqtrade.freqtradebot", "freqtrade.wallets")
    of_ours = ("blofin.exchange.pushed_rows", "rehearsal.clock")
    for first in (*of_freqtrade, *(f"bubbybot_freqtrade.{name}" for name in of_ours)):
        told = run_python(
            "-c", f"import {first}, freqtrade.exchange as host; print(host.Blofin.__name__)"
        )
        assert told.strip() == "Blofin"


def test_it_stands_aside_for_a_blofin_of_freqtrades_own(caplog):
    from types import ModuleType

    from bubbybot_freqtrade.plugin import register

    host = ModuleType("freqtrade.exchange")
    theirs = host.Blofin = type("Blofin", (), {})  # type: ignore[attr-defined]
    register(host)
    assert host.Blofin is theirs
    assert "stands aside" in caplog.text


def test_list_exchanges_shows_it_as_usable():
    out = run_python("-m", "freqtrade", "list-exchanges", "--one-column")
    assert "blofin" in out.split()
    table = run_python("-m", "freqtrade", "list-exchanges", "--trading-mode", "futures")
    modes = " ".join(table[table.index("BloFin") :].split("\n", 2)[:2])
    assert "isolated futures" in modes
    assert "cross futures" in modes


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run_python(
        "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation",
        "--wheel-dir", str(folder), str(ROOT),
    )  # fmt: skip
    return next(folder.glob("*.whl"))


def test_a_wheel_registers_it_too(wheel, tmp_path):
    run_python(
        "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(tmp_path),
        str(wheel),
    )  # fmt: skip
    # -S: no .pth file of this environment is read, only the wheel's.
    told = run_python(
        "-I", "-S", "-c",
        "import sys, site;"
        f"site.addsitedir({str(tmp_path)!r}); sys.path.append({SITE_PACKAGES!r});"
        "import freqtrade.exchange as host; print(sys.modules[host.Blofin.__module__].__file__)",
    )  # fmt: skip
    assert told.startswith(str(tmp_path))
