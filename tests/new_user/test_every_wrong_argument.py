"""Every command, every argument, wrong in every way: one true line, no traceback, no success."""

import json
import os
import shlex
import shutil
import socket
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from freqtrade.persistence import Trade, init_db

from bubbybot_freqtrade.cli import COMMANDS, main
from bubbybot_freqtrade.commands.starter import strategies_folder
from bubbybot_freqtrade.search.backtests import generate_folder

ROOT = Path(__file__).parents[2]
SEARCH = "search --timerange 20250101-20250120 --datadir data --past-days 5 --parts 1"
SHORT = "rehearse --days 0.01 --no-backtest"
LONG = "x" * 300

# What is typed, and what is said. `port` stands for one that is taken.
SOURCES = """
nowhere | does not exist
folder | neither a rehearsal nor a backtest's result
marked | does not say which backtest is the newest
lost | the newest backtest of lost, does not exist
file.txt | no backtest's result
empty | no backtest's result
broken.json | no backtest's result
list.json | no backtest's result
picture.png | no backtest's result
picture.sqlite | not a database
picture.zip | no backtest's result
renamed.zip | call it backtest-result-1.zip again
config.json | is a config: name it with -c
other.json | is a config: name it with -c
foreign.sqlite | another program's
trades_of_others.sqlite | another program's
empty.sqlite | is empty
cut.sqlite | is damaged
mangled.sqlite | is damaged
sqlite:///nowhere.sqlite | does not exist
sqlite:///folder | is a folder
sqlite:// | in the memory of its bot
nonsense://x | no database 'nonsense'
oracle://u:hidden@h/x | not installed
"""
CONFIGS = (
    """
nowhere.json | does not exist
folder | is a folder
empty | line 1
broken.json | line 1
list.json | no config
picture.png | not text in UTF-8
utf16.json | not text in UTF-8
bom.json | save it as UTF-8 without BOM
numbered.json | strategy must be text, in quotes
db-numbered.json | db_url must be text, in quotes
"""
    + f"{LONG} | cannot be read (File name too long)\n"
)
DATABASES = """
db-foreign.json | another program's
db-mangled.json | is damaged
db-folder.json | is a folder
db-memory.json | in the memory of its bot
db-nonsense.json | no database URL
db-nowhere.json | does not exist
"""
LINES = f"""
report good.sqlite -o file.txt/x.html | not a directory
report good.sqlite -o folder | is a directory
report good.sqlite -o nofolder/x.html | there is no folder nofolder
report good.sqlite --charts -1 | not in the range
report good.sqlite --data nowhere | does not exist
report good.sqlite --data file.txt | is a file
report good.sqlite --export file.txt/x | file.txt/x
report --userdir file.txt | is a file
report --userdir nowhere -c config.json | does not exist
patterns good.sqlite --by colour | not one of
patterns good.sqlite --at yesterday | does not match
patterns good.sqlite -o file.txt/x.html | not a directory
patterns good.sqlite -c broken.json | line 1
patterns --userdir file.txt | is a file
status --userdir file.txt | is a file
status --watch -c config.json | --watch needs a terminal
status --watch yes -c config.json | unexpected extra argument
explain | Missing argument 'PAIR'
explain BTCUSDT | write BTC/USDT:USDT
explain BTC-USDT | write BTC/USDT:USDT
explain btc/usdt | write BTC/USDT:USDT
explain NOPE/USDT:USDT --datadir data | No 15m candles of NOPE/USDT:USDT can be read in data
explain BTC/USDT:USDT --datadir nowhere | does not exist
explain BTC/USDT:USDT --datadir file.txt | is a file
explain BTC/USDT:USDT --datadir emptydata | No 15m candles
explain BTC/USDT:USDT --datadir baddata | can be read in baddata
explain BTC/USDT:USDT 2030-01-01 --datadir data | close from 2025-01-01 00:15 to 2025-01-21 00:00
explain BTC/USDT:USDT 2025-01-21T00:15 --datadir data | outside of the 15m candles
explain BTC/USDT:USDT 2020-01-01 --datadir data | outside of the 15m candles
explain BTC/USDT:USDT 0001-01-01 --datadir data | outside of the 15m candles
explain BTC/USDT:USDT yesterday | does not match
explain BTC/USDT:USDT --datadir data --picture folder | is a directory
explain BTC/USDT:USDT --datadir data --picture file.txt/x.svg | file.txt/x.svg cannot be written
explain BTC/USDT:USDT --datadir data -c nostrategy.json | Impossible to load Strategy 'NoSuch'
explain BTC/USDT:USDT --datadir data -c spot.json | cannot run in spot markets
explain BTC/USDT:USDT --userdir file.txt | is a file
search | Missing option '--timerange'
search --timerange x | Incorrect syntax for timerange
search --timerange 20250101- | needs both ends
search --timerange 20250601-20250101 | Start date is after stop date
search --timerange 20250101-20250102 --datadir data --pairs BTC/USDT:USDT | does not hold 180 days
search --timerange 20250101-20250120 --datadir nowhere | does not exist
search --timerange 20250101-20250120 --datadir emptydata | No 15m candles of BTC/USDT:USDT
search --timerange 20250101-20250120 --userdir file.txt | is a file
{SEARCH} --pairs BTCUSDT | write BTC/USDT:USDT
{SEARCH} --pairs , | no pair in it
{SEARCH} --parts 0 | not in the range
{SEARCH} --past-days 0 | not in the range
{SEARCH} --trials 0 | not in the range
{SEARCH} --batch 0 | not in the range
{SEARCH} --jobs 0 | how many processes
{SEARCH} --jobs -2 | not in the range
{SEARCH} --seed x | not a valid integer
{SEARCH} --tried-before -1 | not in the range
{SEARCH} --seed -1 | not in the range
{SEARCH} --study a/b | names a folder
{SEARCH} --study .. | names a folder
{SEARCH} --study {LONG} | names a folder
{SEARCH} --objective luck | not one of
{SEARCH} --backend cloud | not one of
{SEARCH} --pairs BTC/USDT:USDT --backend dask | needs the cluster's address
{SEARCH} --pairs BTC/USDT:USDT --backend dask --scheduler nonsense://x | does not answer
{SEARCH} --strategy-path nowhere | does not exist
{SEARCH} --pairs BTC/USDT:USDT --strategy NoSuch | Impossible to load Strategy 'NoSuch'
{SEARCH} --pairs BTC/USDT:USDT --spaces colour | has no parameters in colour
sandbox --data nowhere | does not exist
sandbox --data file.txt | is a file
sandbox --data emptydata --port 0 | no futures candles in it
sandbox --data baddata --port 0 | cannot be read
sandbox --data data --start 2030-01-01 --port 0 | lies outside
sandbox --data data --start 2020-01-01 --port 0 | lies outside
sandbox --start yesterday | does not match
sandbox --data data --pairs BTC-USDT,ETH-USDT --port 0 | no candles for ETH-USDT; it has BTC-USDT
sandbox --pairs "" --port 0 | not an instrument
sandbox --data data --pairs BTC-USDT,BTC/USDT:USDT,ETH-USDT --port 0 | no candles for ETH-USDT
sandbox --start 0001-01-01 | from 1972 to 2199
sandbox --start 9999-12-31 | from 1972 to 2199
sandbox --pair-count 1000000 | not in the range
sandbox --pair-count 0 | --pair-count: Input should be greater
sandbox --state config.json --port 0 | not a state file
sandbox --state picture.png --port 0 | not a state file
sandbox --state empty --port 0 | not a state file
sandbox --state {LONG} --port 0 | cannot be used (file name too long)
sandbox --state folder --port 0 | is a directory
sandbox --state file.txt/x --port 0 | cannot be used (not a directory)
sandbox --balance much | not a number
sandbox --balance nan | finite
sandbox --steps 7 --port 0 | --steps 7: take a divisor
sandbox --steps 0 | --steps: Input should be greater
sandbox --seed x | not a valid integer
sandbox --port 80000 | --port: Input should be less
sandbox --port port | cannot be used
sandbox --clock sundial | not one of
sandbox --latency -1 | --latency: Input should be greater
sandbox --past-days -1 | --past-days: Input should be greater
sandbox --past-days 366 | --past-days: Input should be less
sandbox --position-mode both | not one of
sandbox --margin-mode both | not one of
sandbox --port 0 --profile nowhere.json | cannot be read
sandbox --port 0 --profile folder | is a directory
sandbox --port 0 --profile picture.png | no profile of a venue
sandbox --port 0 --profile config.json | no profile of a venue
{SHORT} --profile picture.png | no profile of a venue
drill --only lost-answers --profile config.json | no profile of a venue
drill --only lost-answers --reading nonesuch=1 | nonesuch
drill --only lost-answers --reading nonesuch | nonesuch
{SHORT} --data nowhere | does not exist
{SHORT} --data file.txt | is a file
{SHORT} --data emptydata | no futures candles in it
{SHORT} --data baddata | cannot be read
{SHORT} --data data --start 2030-01-01 | does not hold
{SHORT} --start 0001-01-01 | from 1972 to 2199
{SHORT} --start 9999-01-01 | from 1972 to 2199
{SHORT} --data data --start yesterday | does not match
{SHORT} --data data --pairs NOPE/USDT:USDT | no candles for NOPE-USDT; it has BTC-USDT
rehearse --data data --days 500 | does not hold 500 days
{SHORT} --pairs BTCUSDT | write BTC/USDT:USDT
{SHORT} --pairs BTC-USDT | write BTC/USDT:USDT
{SHORT} --pairs "" | no pair in it
rehearse --days 0 | --days: Input should be greater
rehearse --days inf | not in the range
rehearse --days nan | --days: Input should be greater
rehearse --days many | not a valid float
{SHORT} --balance 0 | --balance: Input should be greater
{SHORT} --balance much | not a number
{SHORT} --loop-seconds 0 | --loop-seconds: Input should be greater
{SHORT} --seed x | not a valid integer
{SHORT} --pair-count 0 | not in the range 1<=x<=1000
{SHORT} --pair-count 100000 | not in the range 1<=x<=1000
{SHORT} --pair-count 2 --pairs BTC/USDT:USDT | --pair-count: is in the place of --pairs
{SHORT} --pair-count 2 --data data | --pair-count: is for generated markets
{SHORT} --config nowhere.json | does not exist
{SHORT} --config folder | is a directory
{SHORT} --config picture.png | not text in UTF-8
{SHORT} --config broken.json | line 1
{SHORT} --strategy NoSuch | Impossible to load Strategy 'NoSuch'
{SHORT} --strategy-path nowhere | does not exist
{SHORT} --strategy-path folder | Impossible to load Strategy 'BubbyBot'
{SHORT} --out file.txt | is a file
{SHORT} --out file.txt/x | not a directory
{SHORT} --out . | holds files that this command did not make
doctor --userdir file.txt | is a file
doctor --logfile folder | is a directory
secrets --file folder | is a directory
secrets --file file.txt/x | not a directory
secrets --file nofolder/x | there is no folder nofolder
secrets --file picture.png | not UTF-8
secrets --file {LONG} | cannot be written (file name too long)
new file.txt | not a directory
new file.txt/x | not a directory
new a b | unexpected extra argument
drill --only nonesuch | not one of
drill --only lost-answers --out file.txt | is a file
drill --only lost-answers --out file.txt/x | not a directory
drill --kills 0 | not in the range
drill --steps 0 | not in the range
drill --minutes 0 | not in the range
drill --pairs 1 | not in the range
drill --pairs 1001 | not in the range
drill --seed x | not a valid integer
verify --only nonesuch --yes | nonesuch
verify --pair BTCUSDT --yes | .
verify --userdir file.txt --yes | is a file
verify --out file.txt --yes | is a file
nonesuch | No such command
"""

# What would be read without end, or replaced as /dev/null would.
PIPES = """
secrets --file pipe | is no file
sandbox --state pipe --port 0 | is no file
"""


def rows(text: str, before: str = "") -> list[tuple[str, str]]:
    """(line, what it says) of a table above."""
    listed = [line.split(" | ") for line in text.strip().splitlines()]
    return [(f"{before}{line.strip()}", says.strip()) for line, says in listed]


CASES = [
    *rows(SOURCES, "report "),
    *rows(SOURCES, "patterns "),
    *rows(CONFIGS, "report -c "),
    *rows(CONFIGS, "patterns -c "),
    *rows(CONFIGS, "status -c "),
    *rows(CONFIGS, "explain BTC/USDT:USDT -c "),
    *rows(CONFIGS, "search --timerange 20250101-20250120 -c "),
    *rows(CONFIGS, "verify --yes -c "),
    *rows(DATABASES, "report -c "),
    *rows(DATABASES, "status -c "),
    *rows(LINES),
    *(rows(PIPES) if hasattr(os, "mkfifo") else ()),
]
# They end with a table of findings, of which one says it.
DOCTOR = [
    *rows(CONFIGS, "doctor -c "),
    ("doctor -c db-foreign.json", "another program's"),
    ("doctor -c db-mangled.json", "malformed"),
    ("doctor -c db-folder.json", "is a folder"),
    ("doctor -c db-deep.json", "does not exist"),
    ("doctor -c nostrategy.json", "Impossible to load Strategy 'NoSuch'"),
    ("doctor -c spot.json", "cannot run in spot markets"),
    ("doctor --userdir nowhere -c config.json", "does not exist"),
    ("doctor --logfile nowhere -c nowhere.json", "No such file"),
    ("doctor --logfile picture.png -c nowhere.json", "no heartbeat"),
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Path:
    """A folder with one of each thing that is not what a command wants."""
    folder = tmp_path_factory.mktemp("wrong")
    for name in ("folder", "emptydata/futures", "baddata/futures", "user_data", "marked", "lost"):
        (folder / name).mkdir(parents=True)
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe")
    (folder / "file.txt").write_text("hello\n")
    (folder / "empty").write_bytes(b"")
    config = (ROOT / "config.json").read_text()
    (folder / "bom.json").write_text(config, encoding="utf-8-sig")
    (folder / "utf16.json").write_text(config, encoding="utf-16")
    (folder / "broken.json").write_text('{"a": 1,, }')
    (folder / "list.json").write_text("[1]")
    (folder / "marked/.last_result.json").write_text("{}")
    (folder / "lost/.last_result.json").write_text('{"latest_backtest": "gone.zip"}')
    for name in ("picture.png", "picture.sqlite", "picture.zip"):
        shutil.copy(ROOT / "docs/report.png", folder / name)
    shutil.make_archive(str(folder / "renamed"), "zip", _backtest_like(folder))
    _databases(folder)
    _configs(folder)
    generate_folder(
        folder / "data", datetime(2025, 1, 1, tzinfo=UTC), days=20, pairs=("BTC/USDT:USDT",)
    )
    for timeframe in ("15m", "1h", "4h"):
        file = folder / f"baddata/futures/BTC_USDT_USDT-{timeframe}-futures.feather"
        file.write_bytes(b"nothing")
    return folder


def _backtest_like(folder: Path) -> str:
    inside = folder / "inside"
    inside.mkdir()
    (inside / "backtest-result-1.json").write_text("{}")
    return str(inside)


def _databases(folder: Path) -> None:
    for name, tables in {
        "foreign": ("cookies",), "trades_of_others": ("trades", "orders"), "empty": ()
    }.items():  # fmt: skip
        with sqlite3.connect(folder / f"{name}.sqlite") as connection:
            for table in tables:
                connection.execute(f"CREATE TABLE {table} (a TEXT)")
    (folder / "empty.sqlite").touch()
    init_db(f"sqlite:///{folder}/good.sqlite")
    Trade.session.remove()
    whole = (folder / "good.sqlite").read_bytes()
    (folder / "cut.sqlite").write_bytes(whole[: len(whole) // 2])
    (folder / "mangled.sqlite").write_bytes(whole[:100] + bytes([7]) * (len(whole) - 100))


def _configs(folder: Path) -> None:
    config = json.loads((ROOT / "config.json").read_text())
    own = config | {"strategy_path": str(ROOT / "user_data/strategies")}
    changes = {
        "config": {},
        "nostrategy": {"strategy": "NoSuch"},
        "numbered": {"strategy": 5},
        "db-numbered": {"db_url": 5},
        "spot": {"trading_mode": "spot", "margin_mode": ""},
        "db-foreign": {"db_url": "sqlite:///foreign.sqlite"},
        "db-mangled": {"db_url": "sqlite:///mangled.sqlite"},
        "db-folder": {"db_url": "sqlite:///folder"},
        "db-memory": {"db_url": "sqlite://"},
        "db-nonsense": {"db_url": "nonsense"},
        "db-nowhere": {"db_url": "sqlite:///nowhere.sqlite"},
        "db-deep": {"db_url": "sqlite:///nofolder/x.sqlite", "dry_run": False},
    }
    for name, changed in changes.items():
        (folder / f"{name}.json").write_text(json.dumps(own | changed))
    (folder / "other.json").write_text('{"add_config_files": ["config.json"]}')


@pytest.fixture(autouse=True)
def here(desk, monkeypatch):
    monkeypatch.chdir(desk)
    for name in [name for name in os.environ if name.startswith("FREQTRADE")]:
        monkeypatch.delenv(name)
    # A sandbox that starts all the same must not wait for Ctrl-C.
    monkeypatch.setattr("bubbybot_freqtrade.sandbox.cli._wait_for_signal", lambda: None)


def contents(folder: Path) -> dict[str, bytes]:
    databases = [file for file in folder.iterdir() if file.suffix == ".sqlite"]
    return {file.name: file.read_bytes() for file in databases}


def said(line: str) -> str:
    """What a command says that must fail; never a traceback."""
    result = CliRunner(env={"COLUMNS": "80"}).invoke(main, shlex.split(line))
    assert isinstance(result.exception, SystemExit), result.exc_info
    assert result.exit_code not in (0, None), result.output
    assert "Traceback" not in result.output
    return result.output


@pytest.mark.parametrize(("line", "says"), CASES, ids=[line for line, _ in CASES])
def test_one_true_line(desk, line, says):
    before = contents(desk)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        output = said(line.replace("--port port", f"--port {taken.getsockname()[1]}"))
    told = [row for row in output.splitlines() if row.startswith("Error: ")]
    assert len(told) == 1, output
    assert output.splitlines()[-1] == told[0], output
    assert says in told[0]
    assert "hidden" not in output
    assert contents(desk) == before


@pytest.mark.parametrize(("line", "says"), DOCTOR, ids=[line for line, _ in DOCTOR])
def test_the_doctors_line_says_it(desk, line, says):
    before = contents(desk)
    problems = [row for row in said(line).splitlines() if row.startswith("PROBLEM")]
    assert any(says in row for row in problems), problems
    assert contents(desk) == before


def test_every_argument_of_every_command_is_in_the_table():
    lines = [line for line, _ in [*CASES, *DOCTOR]]
    missing = []
    for name in COMMANDS:
        command = main.get_command(None, name)
        typed = " ".join(line for line in lines if line.split()[0] == name)
        for option in command.params:
            if not isinstance(option, click.Option) or option.is_flag:
                continue
            if not any(f" {spelled} " in f" {typed} " for spelled in option.opts):
                missing.append(f"{name} {option.opts[0]}")
    assert missing == []


@pytest.mark.parametrize(
    ("line", "package"), [(SEARCH, "optuna"), (f"{SEARCH} --backend ray --scheduler x", "ray")]
)
def test_an_extra_that_is_not_installed_is_named_with_a_command_that_works(
    monkeypatch, line, package
):
    monkeypatch.setattr(f"bubbybot_freqtrade.search.{'cli' if package == 'optuna' else 'backends'}"
                        ".find_spec", lambda name: None)  # fmt: skip
    output = said(f"{line} --pairs BTC/USDT:USDT")
    assert f"{package}, which is not installed: pip install {package}" in " ".join(output.split())


def test_an_empty_folder_of_strategies_hides_none(desk):
    """freqtrade makes one with whatever it writes; the package's own are taken then."""
    (desk / "user_data/strategies").mkdir(parents=True, exist_ok=True)
    assert (strategies_folder() / "BubbyBot.py").is_file()
    (desk / "user_data/strategies/Mine.py").touch()
    assert strategies_folder() == Path("user_data/strategies")
    (desk / "user_data/strategies/Mine.py").unlink()
