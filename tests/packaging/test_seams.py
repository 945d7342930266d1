"""What the package touches of freqtrade's and ccxt's inside is listed, and is as it was seen."""

import ast
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from freqtrade.exchange import Exchange

from bubbybot_freqtrade.blofin.exchange import Blofin
from bubbybot_freqtrade.seams.listed import CCXT, OF_FREQTRADE, TESTED
from bubbybot_freqtrade.seams.reading import Seam, find_function, fingerprint, parsed
from bubbybot_freqtrade.seams.start import OF_A_BOT, differences, refusal
from tests.places import ROOT

PACKAGE = ROOT / "bubbybot_freqtrade"
SITE_PACKAGES = Path(sysconfig.get_paths()["purelib"])
LISTED = {seam.name for seam in (*OF_FREQTRADE, *CCXT)}
# Private by their spelling only, or of other packages.
NOT_THEIRS = {"_replace", "_asdict", "_fields"} | {"_trial_id"}  # namedtuples; optuna
BY_NAME = {"getattr", "hasattr", "setattr", "delattr"}


def test_the_installed_freqtrade_and_ccxt_are_as_the_list_says() -> None:
    assert refusal() is None
    assert list(differences(SITE_PACKAGES, (*OF_FREQTRADE, *CCXT))) == []


@pytest.mark.parametrize("release", TESTED)
def test_the_last_releases_of_freqtrade_are_as_the_list_says(release: str, tmp_path: Path) -> None:
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries", "0"]
    done = subprocess.run(
        [*download, "--timeout", "15", "--dest", tmp_path, f"freqtrade=={release}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"pip can't get the sources of freqtrade {release} here")
    zipfile.ZipFile(next(tmp_path.glob("*.whl"))).extractall(tmp_path)
    assert list(differences(tmp_path, OF_FREQTRADE)) == []


def test_github_runs_what_leans_on_freqtrade_on_each_of_them() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())
    assert tuple(workflow["jobs"]["releases"]["strategy"]["matrix"]["freqtrade"]) == TESTED


# --- everything that is touched is listed ---------------------------------------------------------


def files() -> Iterator[tuple[str, ast.Module]]:
    for file in sorted(PACKAGE.rglob("*.py")):
        yield str(file.relative_to(PACKAGE)), parsed(file)


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def own_names(tree: ast.AST) -> set[str]:
    """Names that a file defines itself: functions, classes, fields, attributes of `self`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(getattr(node, "ctx", None), ast.Store):
            found.add(getattr(node, "id", "") or getattr(node, "attr", ""))
    return found


def touched(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Private names that a file reads, sets or imports of others."""
    own = own_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            holder = getattr(node.value, "id", "")
            if node.attr not in own or holder not in ("self", "cls", *own):
                yield node.lineno, node.attr
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in BY_NAME:
            for given in node.args[1:2]:
                if isinstance(given, ast.Constant) and is_private(str(given.value)):
                    yield node.lineno, str(given.value)
        elif isinstance(node, ast.ImportFrom):
            parts = [*str(node.module).split("."), *(name.name for name in node.names)]
            if parts[0] in ("freqtrade", "ccxt"):
                yield from ((node.lineno, part) for part in parts if is_private(part))


def test_every_private_name_that_is_touched_is_listed() -> None:
    unlisted = [
        f"{file}:{line} {name}"
        for file, tree in files()
        for line, name in touched(tree)
        if name not in LISTED | NOT_THEIRS
    ]
    assert unlisted == []


def test_nothing_is_called_that_the_releases_do_not_share() -> None:
    """Public names of freqtrade that are not alike in all of TESTED, and what is used instead."""
    instead = {"order_by_id": "account.database.order_of", "InformativeCache": "a check for it"}
    called = [
        f"{file}:{node.lineno} {node.attr}: use {instead[node.attr]}"
        for file, tree in files()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in instead and file != "rehearsal/clock.py"
    ]
    assert called == []


def test_the_strategy_touches_freqtrades_inside_in_one_file() -> None:
    where = {
        file
        for file, tree in files()
        if file.startswith("strategy/")
        for _, name in touched(tree)
        if name in LISTED
    }
    assert where == {"strategy/freqtrade_seams.py"}


def test_everything_that_the_exchange_class_replaces_is_listed() -> None:
    ours = [cls for cls in Blofin.__mro__ if cls.__module__.startswith("bubbybot_freqtrade.")]
    named = {name for cls in ours for name in vars(cls) if name[:2] != "__"}
    replaced = {name for name in named if hasattr(Exchange, name)}
    assert replaced - LISTED == set()


def test_nothing_is_listed_that_nobody_touches() -> None:
    words = "\n".join(
        file.read_text(encoding="utf-8")
        for file in PACKAGE.rglob("*.py")
        if file.parent.name != "seams"
    )
    around = {seam.name for seam in OF_FREQTRADE if seam.where.startswith("freqtrade.freqtradebot")}
    around.add("strategy_safe_wrapper")
    assert [name for name in sorted(LISTED - around) if name not in words] == []


# --- a freqtrade that is not as it was ------------------------------------------------------------

SOURCE = """
def first(self, pair, *, cached=False):
    \"\"\"Words.\"\"\"
    self.ask(pair)
    return self.answer(cached)
"""


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("Words.", "Other words.", None),
        ("pair,", "pair: str,", None),
        ("    self.ask(pair)\n", "    self.ask(\n        pair\n    )  # a remark\n", None),
        ("def first", "def second", "is gone"),
        ("cached=False", "cached", r"takes \(self, pair, \*, cached\), not"),
        ("    self.ask(pair)\n", "", "no longer calls ask, then answer"),
        ("(cached)", "(not cached)", "does something else"),
    ],
)
def test_what_is_noticed_of_a_change_and_what_is_none(
    before: str, after: str, told: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "host.py"
    file.write_text(SOURCE)
    seen = fingerprint(find_function(tmp_path, "host:first"))
    changed = tmp_path / "changed"
    changed.mkdir()
    (changed / "host.py").write_text(SOURCE.replace(before, after))
    seam = Seam(
        "host:first", "", takes="self, pair, *, cached=", calls=("ask", "answer"), does=(seen,)
    )
    assert seam.difference(tmp_path) is None
    found = seam.difference(changed)
    if told is None:
        assert found is None
    else:
        assert found
        assert re.search(told, found)


@pytest.fixture(scope="module")
def next_freqtrade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed freqtrade, but for one argument more of one method."""
    folder = tmp_path_factory.mktemp("next")
    (folder / "freqtrade").mkdir()
    for entry in (SITE_PACKAGES / "freqtrade").iterdir():
        if entry.name not in ("exchange", "__pycache__"):
            (folder / "freqtrade" / entry.name).symlink_to(entry)
    (folder / "freqtrade" / "exchange").mkdir()
    for entry in (SITE_PACKAGES / "freqtrade" / "exchange").iterdir():
        target = folder / "freqtrade" / "exchange" / entry.name
        if entry.name == "exchange.py":
            before = "def _amount_to_contracts(self, "
            text = entry.read_text(encoding="utf-8")
            assert before in text
            target.write_text(text.replace(before, f"{before}market, "), encoding="utf-8")
        elif entry.name != "__pycache__":
            target.symlink_to(entry)
    return folder


FREQTRADE, BUBBYBOT = (
    Path(sysconfig.get_path("scripts")) / name for name in ("freqtrade", "bubbybot")
)


def run(folder: Path, program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "400"}
    return subprocess.run(
        [program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environment,
    )


def test_an_unknown_freqtrade_is_refused_in_one_line_that_names_the_tested_one(
    next_freqtrade: Path,
) -> None:
    done = run(next_freqtrade, FREQTRADE, "list-pairs", "--exchange", "blofin")
    assert done.returncode != 0
    told = [line for line in (done.stdout + done.stderr).splitlines() if "_amount_to_co" in line]
    assert len(told) == 1
    assert "takes (self, market, pair, amount), not (self, pair, amount)" in told[0]
    assert f"pip install freqtrade=={TESTED[-1]}" in told[0]
    assert "Traceback" not in done.stdout + done.stderr


def test_the_doctor_says_so_too(next_freqtrade: Path, tmp_path: Path) -> None:
    done = run(next_freqtrade, BUBBYBOT, "doctor", "-c", str(tmp_path / "none.json"))
    assert "differs inside from what BubbyBot was tested with" in done.stdout


def test_a_bot_needs_every_name_but_those_of_rehearsals_and_searches() -> None:
    rehearsals = {seam.where for seam in OF_FREQTRADE} - {seam.where for seam in OF_A_BOT}
    assert {where.partition(":")[0] for where in rehearsals} == {
        "freqtrade.worker",
        "freqtrade.rpc.rpc",
        "freqtrade.data.dataprovider",
        "freqtrade.optimize.backtesting",
    }
