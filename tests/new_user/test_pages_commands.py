"""Every command in a shell block of every page: run as it stands there, or listed with the reason.

What is appended to a line to make it short stands here beside it; what else differs from a user's
machine is in tests/new_user/shell.py. README's own commands are in test_readme.py.
"""

import json
import re
import socket
import subprocess
import sysconfig
import venv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from bubbybot_freqtrade.sandbox.settings import DEMO_API_KEY, DEMO_PASSPHRASE, DEMO_SECRET
from bubbybot_freqtrade.search.backtests import generate_folder
from tests.new_user import test_readme
from tests.new_user.shell import (
    PAIR,
    SHORT_REHEARSAL,
    Clone,
    code_lines,
    fill_the_environment_file,
    open_clone,
)
from tests.places import ROOT

PAGES = [*sorted(ROOT.glob("docs/**/*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
Run = Callable[[Clone, str], None]


def ends(says: str, more: str = "", typed: str = "", **environment: str) -> Run:
    """The line with `more` behind it ends well and says so."""

    def run(clone: Clone, command: str) -> None:
        told = clone.run(f"{command} {more}", typed, **environment)
        assert says in " ".join(told.split()), told
        assert "Traceback" not in told

    return run


def goes_on(says: str, more: str = "", **environment: str) -> Run:
    """The line with `more` behind it goes on until it has said so, and Ctrl-C ends it."""

    def run(clone: Clone, command: str) -> None:
        clone.run_until(f"{command} {more}", says, **environment)

    return run


trades = goes_on("Bot heartbeat")
serves = goes_on("Ctrl-C stops it", "--port 0")


def installs(clone: Clone, command: str, **environment: str) -> None:
    """Into an environment of its own that has the tests' packages, but not this project."""
    own = clone.folder / ".own"
    if not own.exists():
        venv.create(own, with_pip=False)
        (site,) = own.glob("lib/python*/site-packages")
        (site / "zz.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    # No index: whatever the tests' environment does not have is an error.
    there = {"PIP_PYTHON": str(own / "bin/python"), "PIP_NO_INDEX": "1"}
    clone.run(command, PIP_NO_BUILD_ISOLATION="0", **there, **environment)
    where = [own / "bin/python", "-c", "import bubbybot_freqtrade as b; print(b.__file__)"]
    found = subprocess.run(where, check=True, capture_output=True, text=True, cwd=own).stdout
    assert str(own) in found


def finds_all_it_would_install(clone: Clone, command: str) -> None:
    """An extra: that it exists and that its packages fit together."""
    installs(clone, command, PIP_DRY_RUN="1")


def loads_the_environment_file(clone: Clone, command: str) -> None:
    fill_the_environment_file(clone)
    clone.load_env()
    assert clone.environment["FREQTRADE__EXCHANGE__KEY"] == DEMO_API_KEY


def says_what_it_would_do(clone: Clone, command: str) -> None:
    """verify, answered with no."""
    asked = subprocess.run(
        ["bash", "-ec", command], cwd=clone.folder, env=clone.environment, input="n\n",
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "can be lost" in asked.stdout, asked.stdout + asked.stderr
    assert "Traceback" not in asked.stderr


def serves_the_chart(clone: Clone, command: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        f"FREQTRADE__API_SERVER__{name}": value
        for name, value in {
            "ENABLED": "true", "LISTEN_IP_ADDRESS": "127.0.0.1", "LISTEN_PORT": str(port),
            "USERNAME": "owner", "PASSWORD": "a-long-password",
            "JWT_SECRET_KEY": "0123456789abcdef" * 2,
        }.items()
    }  # fmt: skip
    goes_on("Application startup complete", **environment)(clone, command)


def keeps_the_key_in_a_file(clone: Clone, command: str) -> None:
    keys = {"key": DEMO_API_KEY, "secret": DEMO_SECRET, "password": DEMO_PASSPHRASE}
    clone.run(f"umask 077; {command}", json.dumps({"exchange": keys}))
    assert (clone.folder / "user_data/secrets.json").stat().st_mode & 0o777 == 0o600


def trades_with_the_key_in_a_file(clone: Clone, command: str) -> None:
    clone = Clone(clone.folder, clone.sandbox, dict(clone.environment))
    for name in ("KEY", "SECRET", "PASSWORD"):
        del clone.environment[f"FREQTRADE__EXCHANGE__{name}"]
    trades(clone, command)


def one_of_two_bots(clone: Clone, command: str) -> None:
    """With the page's config, whose `…` are filled in, and an own database and port."""
    blocks = re.findall(r"```json\n(.*?)```", (ROOT / "docs/followers.md").read_text(), re.DOTALL)
    name = re.search(r"(producer|follower-a)\.json", command)
    text = blocks[0 if name[1] == "producer" else 1].replace("…", "0123456789abcdef" * 2)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        text = text.replace("8080", str(free.getsockname()[1]))
    (clone.folder / name[0]).write_text(text)
    own = {"FREQTRADE__DB_URL": f"sqlite:///{name[1]}.sqlite"}
    goes_on("Bot heartbeat", **own)(clone, command)


def downloads(clone: Clone, command: str) -> None:
    """As it stands; a sandbox's market begins too late, so what BloFin would send is made."""
    clone.run(command)
    first, last = re.search(r"--timerange (\d+)-(\d+)", command).groups()
    start, end = (datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC) for day in (first, last))
    folder = clone.folder / "user_data/data/blofin"
    generate_folder(folder, start, (end - start).days, pairs=(PAIR,))


SHORT = "--timerange 20250520-20250601"
SEARCH = "--timerange 20250401-20250601 --parts 1 --past-days 40 --trials 1 --jobs 1"
SHORT_TRAINING = {
    "FREQTRADE__FREQAI__TRAIN_PERIOD_DAYS": "10",
    "FREQTRADE__FREQAI__BACKTEST_PERIOD_DAYS": "2",
}
RUNS: dict[str, Run] = {
    "pip install -c constraints.txt .": installs,
    "freqtrade list-exchanges --trading-mode futures": ends("BloFin"),
    "bubbybot new trading": ends("cd trading, then bubbybot rehearse"),
    "bubbybot secrets": ends(".env (new)"),
    "set -a; . ./.env; set +a": loads_the_environment_file,
    "bubbybot doctor": ends("paper trading"),
    "freqtrade trade -c config.demo.json --logfile user_data/logs/demo.log": trades,
    "bubbybot doctor -c config.demo.json --logfile user_data/logs/demo.log": ends("Alive"),
    "freqtrade test-pairlist -c config.pairs.json": ends(PAIR),
    "freqtrade trade -c config.pairs.json": trades,
    "freqtrade trade -c config.signals.json": trades,
    "freqtrade webserver -c config.json": serves_the_chart,
    "freqtrade trade -c config.json -c producer.json": one_of_two_bots,
    "freqtrade trade -c config.json -c follower-a.json": one_of_two_bots,
    "umask 077": lambda clone, command: clone.run(command),
    "cat > user_data/secrets.json": keeps_the_key_in_a_file,
    "freqtrade trade -c config.json -c user_data/secrets.json": trades_with_the_key_in_a_file,
    "bubbybot status": ends("No open trades on paper."),
    "bubbybot report": ends("0 closed trades"),
    "bubbybot patterns": ends("patterns.html"),
    "freqtrade download-data -c config.json --timeframes 15m 1h 4h --timerange 20240701-20250601":
        downloads,
    "freqtrade backtesting -c config.json --timerange 20250301-20250601": ends("STRATEGY SUMMARY"),
    "bubbybot report user_data/backtest_results --data user_data/data/blofin": ends("closed trade"),
    "bubbybot patterns user_data/backtest_results --by pair --by regime": ends("patterns.html"),
    f"bubbybot explain {PAIR}": ends("Picture:"),
    'pip install "freqtrade[hyperopt]"': finds_all_it_would_install,
    "freqtrade hyperopt -c config.json --hyperopt-loss SharpeHyperOptLoss --spaces buy sell"
    " --epochs 100": ends("1 epoch saved", f"--epochs 1 -j 1 {SHORT}"),
    "pip install '.[search]'": finds_all_it_would_install,
    "bubbybot search -c config.json --timerange 20240201-20250630": ends("report.md", SEARCH),
    "pip install '.[search-dask]'": finds_all_it_would_install,
    "pip install '.[ai]'": finds_all_it_would_install,
    "freqtrade backtesting -c config.json -c config.ai.json --timerange 20250101-20250630":
        ends("STRATEGY SUMMARY", "--timerange 20250530-20250601", **SHORT_TRAINING),
    "bubbybot sandbox --pair-count 400": serves,
    "bubbybot sandbox --data user_data/data/blofin": serves,
    "bubbybot sandbox --clock driven --start 2025-05-06": serves,
    "bubbybot sandbox --state account.json": serves,
    "bubbybot sandbox --past-days 30": serves,
    "bubbybot verify -c config.demo.json --yes --only stops,tiers":
        ends("taken away again", "--only tiers"),
    "bubbybot verify -c config.demo.json --pair DOGE/USDT:USDT": says_what_it_would_do,
    "bubbybot verify -c config.demo.json --clean": ends("Nothing is left of an earlier run."),
    "bubbybot sandbox --profile user_data/verify/venue.json": serves,
    "bubbybot rehearse --profile user_data/verify/venue.json":
        ends("No rule was broken.", SHORT_REHEARSAL),
    "bubbybot patterns user_data/rehearsal": ends("patterns.html"),
}  # fmt: skip

ENGINE = "needs a Docker engine; tests/docker has the image's steps and the container's commands"
FAR = "asks that exchange; tests/strategy/test_other_venues.py backtests with its class"
CONDA = "needs conda and its channel, which is not the package index"
UV = "needs uv, which no test does, and the network for a Python; run by hand for a release"
DRILL = "takes minutes at its shortest; tests/drills and test_wheel.py run each drill"
MAKES = "is .ci/run's own or takes long; what it calls is run by the tests and the benchmarks"
NOT_RUN: dict[str, str] = {
    "cd bubbybot": "README's clone; the tests' shell begins there",
    "docker compose --profile live up -d": ENGINE,
    "docker compose --profile rehearsal run --rm rehearsal": ENGINE,
    "docker compose logs -f demo": ENGINE,
    "docker compose exec live bubbybot status -c /freqtrade/config.json"
    " --userdir /freqtrade/user_data": ENGINE,
    "docker compose exec live bubbybot report -c /freqtrade/config.json"
    " --userdir /freqtrade/user_data -o /freqtrade/user_data/report.html": ENGINE,
    "docker compose exec demo bubbybot report -c /freqtrade/config.demo.json"
    " --userdir /freqtrade/user_data -o /freqtrade/user_data/report.html": ENGINE,
    "docker inspect --format '{{json .State.Health}}' bubbybot-demo": ENGINE,
    "uv venv --python 3.12": UV,
    "uv pip install -c constraints.txt .": UV,
    "uv run --no-sync bubbybot rehearse": UV,
    "conda create -n bubbybot python=3.12": CONDA,
    "conda activate bubbybot": CONDA,
    "freqtrade install-ui": "downloads FreqUI's newest release",
    "freqtrade download-data -c config.bybit.json -t 15m 1h 4h --timerange 20240605-": FAR,
    "freqtrade backtesting -c config.bybit.json --timerange 20250201-": FAR,
    "freqtrade download-data -c config.json -t 15m 1h 4h --timerange 20230601-20250630":
        "is the guide's, of a longer range",
    "freqtrade trade -c config.demo.json -c config.ai.json":
        "trains on four months; tests/learning/model/test_live.py trades so on fewer days",
    "bubbybot search -c config.json --timerange 20240201-20250630 --parts 4 --past-days 180"
    " --trials 60": "is the guide's, with more trials; tests/search has its options",
    "bubbybot search … --backend dask --scheduler tcp://scheduler:8786":
        "needs a cluster; tests/search runs a study on one of two workers",
    "pip install '.[search-ray]'": "needs Ray, 70 MB that no test uses",
    "bubbybot search … --backend ray --scheduler ray-head:6379": "needs Ray and a cluster",
    "bubbybot drill": DRILL,
    "bubbybot drill --only kills --kills 200": DRILL,
    "bubbybot drill --only limits --minutes 60": DRILL,
    "bubbybot drill --only limits --pairs 400": DRILL,
    "bubbybot drill --reading amend_tpsl=False": DRILL,
    "bubbybot drill --account-stream": DRILL,
    "bubbybot drill --profile user_data/verify/venue.json": DRILL,
    "pip install pip-audit": "needs the network; .github/workflows/audit.yml runs it",
    "pip-audit --requirement constraints.txt --no-deps --disable-pip":
        "asks a public database of vulnerabilities; .github/workflows/audit.yml runs it",
    "npm install --prefix pinets pinets": "needs npm; test_pine_comparison.py says where it is",
    "python benchmarks/pine_comparison.py TEXT.pine benchmarks/pine/lux_algo.toml"
    " user_data/data/blofin/futures/BTC_USDT_USDT-15m-futures.feather --pinets pinets":
        "needs a Pine text of the user's own; tests/analyzers/test_pine_comparison.py has one",
    "make lint": MAKES,
    "make benchmark": MAKES,
}  # fmt: skip


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Iterator[Clone]:
    with open_clone(tmp_path_factory.mktemp("pages")) as opened:
        yield opened


def every_line() -> dict[str, str]:
    """Each command of the pages' shell blocks, and a page that has it."""
    return {
        line.removeprefix(".venv/bin/"): page.name
        for page in PAGES
        for line in code_lines(page.read_text())
    }


def test_every_command_of_every_page_is_run_or_listed_with_a_reason():
    of_readme = {command.removeprefix(".venv/bin/") for command in test_readme.RUNS}
    lines = every_line()
    assert {c: page for c, page in lines.items() if c not in {*RUNS, *NOT_RUN, *of_readme}} == {}
    # Nor is any listed that no page has, or one twice.
    assert {*RUNS, *NOT_RUN} - lines.keys() == set()
    assert RUNS.keys() & NOT_RUN.keys() == set()
    assert NOT_RUN.keys() & of_readme == set()


def test_a_block_that_is_no_shells_says_its_language():
    named = re.compile(r"^ *```([a-z]+)$", re.MULTILINE)
    languages = {language for page in PAGES for language in named.findall(page.read_text())}
    assert languages == {"sh", "json", "python", "text", "powershell"}


@pytest.mark.timeout(600)
def test_the_pages_commands_work_one_after_the_other(clone):
    for command, run in RUNS.items():
        run(clone, command)
