"""The wheel alone, in an environment that has nothing else of this project: clone-free to a report.

freqtrade and the rest come from the environment that runs the tests, as packages only.
"""

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from bubbybot_freqtrade import __version__
from bubbybot_freqtrade.commands.starter import starter_files
from tests.places import ROOT

SCRIPTS = "Scripts" if os.name == "nt" else "bin"


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", *arguments, "--quiet", "--no-deps", "--no-index"]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> Path:
    """An environment with the built wheel; its folder of programs."""
    folder = tmp_path_factory.mktemp("environment")
    pip("wheel", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT))
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / SCRIPTS / "python"
    pip("--python", str(python), "install", str(wheel))
    asked = [str(python), "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"]
    own = Path(subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip())
    # Without this environment's own .pth files, and so without the editable install.
    (own / "zz.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder / "env" / SCRIPTS


@pytest.fixture
def run(environment, tmp_path):
    """`run(*arguments, cwd=...)`: what a `bubbybot` command of the wheel says; it must succeed."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("FREQTRADE", "PYTEST"))}

    def call(*arguments: str, cwd: Path = tmp_path) -> str:
        done = subprocess.run(
            [str(environment / "bubbybot"), *arguments],
            cwd=cwd, env=clean | {"COLUMNS": "200"}, capture_output=True, text=True, timeout=280,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return call


@pytest.mark.timeout(600)
def test_from_an_empty_folder_to_a_report(run, environment, tmp_path):
    where = [str(environment / "python"), "-c", "import bubbybot_freqtrade as b; print(b.__file__)"]
    module = subprocess.run(where, check=True, capture_output=True, text=True).stdout
    assert str(environment.parent) in module
    told = run("rehearse", "--days", "0.05", "--no-backtest")
    assert "No rule was broken." in told
    told = run("new", "trading")
    assert "cd trading, then bubbybot rehearse" in told
    folder = tmp_path / "trading"
    told = " ".join(run("rehearse", "--days", "0.2", "--no-backtest", cwd=folder).split())
    assert "No rule was broken." in told
    trades = int(re.search(r"(\d+) trades?, ", told)[1])
    told = run("report", "user_data/rehearsal", cwd=folder)
    assert int(re.search(r"(\d+) closed trades?", told)[1]) <= trades
    assert "<html" in (folder / "report.html").read_text()


@pytest.mark.timeout(600)
def test_a_drill_runs_anywhere(run, tmp_path):
    assert "lost-answers" in run("drill", "--only", "lost-answers")
    assert (tmp_path / "user_data/drills/lost-answers").is_dir()


def test_new_lays_out_what_the_clone_has(run, tmp_path):
    run("new")
    for name, source in starter_files().items():
        assert (tmp_path / name).read_bytes() == source.read_bytes(), name
    secrets = (tmp_path / ".env").read_text()
    assert re.search(r"^#FREQTRADE__API_SERVER__PASSWORD=.{40,}$", secrets, re.MULTILINE)
    if os.name == "posix":
        assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    # freqtrade's own folders, as its create-userdir makes them.
    assert {"data", "logs", "backtest_results", "strategies"} <= {
        folder.name for folder in (tmp_path / "user_data").iterdir()
    }
    assert ".env" in (tmp_path / ".gitignore").read_text().splitlines()


def test_new_overwrites_nothing_and_shows_no_secret(run, tmp_path):
    (tmp_path / "config.json").write_text('{"own": true}')
    (tmp_path / ".env").write_text("FREQTRADE__EXCHANGE__KEY='mine'\n")
    told = run("new", ".")
    assert json.loads((tmp_path / "config.json").read_text()) == {"own": True}
    assert (tmp_path / ".env").read_text() == "FREQTRADE__EXCHANGE__KEY='mine'\n"
    assert re.search(r"Left as they were: .*config\.json.*\.env", told)
    assert "mine" not in told
    again = run("new", ".")
    assert "nothing was missing" in again


def test_the_released_image_is_of_this_version():
    text = (ROOT / "docker/Dockerfile.released").read_text()
    assert f"ARG BUBBYBOT_VERSION={__version__}\n" in text
    # Beyond where the package comes from, both images are one.
    ours = (ROOT / "docker/Dockerfile").read_text()
    for line in ("ARG FREQTRADE_TAG=", "FROM ", 'RUN python -c "'):
        assert re.findall(f"^{re.escape(line)}.*", text, re.MULTILINE) == re.findall(
            f"^{re.escape(line)}.*", ours, re.MULTILINE
        )
