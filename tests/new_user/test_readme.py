"""README's commands, run as they stand there, in a fresh clone whose BloFin is a sandbox.

`make rehearse` gets ARGS that make it short; what else differs from a user's machine is in
tests/new_user/shell.py.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from bubbybot_freqtrade.sandbox.settings import DEMO_API_KEY, DEMO_SECRET
from bubbybot_freqtrade.search.backtests import generate_folder
from tests.new_user.shell import (
    PAIR,
    SHORT_REHEARSAL,
    Clone,
    code_lines,
    fill_the_environment_file,
    open_clone,
)
from tests.places import ROOT

PROGRAMS = ("make", "bubbybot", "freqtrade", "docker", "cp", "set", "git", "pip", "python")


def readme_commands(text: str) -> list[str]:
    """Every command of the code blocks, and of code within sentences, without its comment."""
    sentences = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    inline = [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", sentences)]
    return list(dict.fromkeys(line for line in [*code_lines(text), *inline] if _is_command(line)))


def _is_command(line: str) -> bool:
    words = line.removeprefix(".venv/bin/").split()
    # A program's or a file's name within a sentence is no command.
    return len(words) > 1 and words[0] in PROGRAMS


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Iterator[Clone]:
    with open_clone(tmp_path_factory.mktemp("readme")) as opened:
        yield opened


# --- one function for each command, in README's order -------------------------------------------


def clone_it(clone: Clone, command: str) -> None:
    clone.run(command.replace("ADDRESS", ROOT.as_uri()))
    assert (clone.folder / "bubbybot/Makefile").is_file()
    shutil.rmtree(clone.folder / "bubbybot")


def rehearse_on_generated_candles(clone: Clone, command: str) -> None:
    told = clone.run(command, ARGS=SHORT_REHEARSAL)
    assert "No rule was broken." in told
    assert "generated candles" in told


def report_the_rehearsal(clone: Clone, command: str) -> None:
    assert "closed trade" in clone.run(command)
    assert (clone.folder / "report.html").is_file()


def run_by_ci(clone: Clone, command: str) -> None:
    """It runs this very test."""
    assert command in (ROOT / ".ci/run").read_text().splitlines()
    assert ".venv/bin/pytest" in clone.run(f"{command} --dry-run")


def rehearse_on_a_data_folder(clone: Clone, command: str) -> None:
    folder = clone.folder / re.search(r"DATA=(\S+)", command)[1]
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    generate_folder(folder, today - timedelta(days=14), 14, pairs=(PAIR,))
    told = " ".join(clone.run(command, ARGS=SHORT_REHEARSAL).split())
    assert "No rule was broken." in told
    assert f"BubbyBot on {re.search(r'DATA=(.+)', command)[1]}" in told


def serve_a_sandbox(clone: Clone, command: str) -> None:
    told = clone.run_until(f"{command} --port 0", "Ctrl-C stops it")
    assert '"ccxt_config"' in told
    assert "The sandbox has stopped." in told


def make_the_environment_file(clone: Clone, command: str) -> None:
    clone.run(command)
    fill_the_environment_file(clone)


def unbroken(told: str) -> str:
    """Without line breaks: where there is no terminal freqtrade's lines end at 80 columns."""
    return " ".join(told.split())


def load_the_environment_file(clone: Clone, command: str) -> None:
    assert command == "set -a; . ./.env; set +a"
    clone.load_env()
    assert clone.environment["FREQTRADE__EXCHANGE__KEY"] == DEMO_API_KEY


def ask_the_doctor(clone: Clone, command: str) -> None:
    told = clone.run(command)
    assert "PROBLEM" not in told
    assert "real orders on the demo account" in told


def trade_on_the_demo_account(clone: Clone, command: str) -> None:
    told = clone.run_until(command, "Bot heartbeat")
    assert 'Using Exchange "BloFin (Demo)"' in unbroken(told)
    assert DEMO_SECRET not in told


def show_status(clone: Clone, command: str) -> None:
    assert "No open positions." in clone.run(command)


def write_a_report(clone: Clone, command: str) -> None:
    told = clone.run(command)
    assert "0 closed trades" in unbroken(told)
    assert (clone.folder / "report.html").is_file()


def verify_the_demo_account(clone: Clone, command: str) -> None:
    """A few of its questions; all of them take minutes."""
    told = clone.run(f"{command} --yes --only limits,tiers")
    assert "taken away again" in unbroken(told)
    assert (clone.folder / "user_data/verify/venue.json").is_file()


def start_the_container(clone: Clone, command: str) -> None:
    """No engine here: what compose would make of it, and the container's own commands.

    The image's steps are in tests/docker.
    """
    profile = re.search(r"--profile (\w+)", command)[1]
    service = yaml.safe_load((clone.folder / "docker-compose.yml").read_text())["services"][profile]
    assert service["profiles"] == [profile]
    if shutil.which("docker") and _has_compose():
        checked = command.replace(" up -d", " config --quiet")
        assert checked != command
        clone.run(checked)
    as_here = {"/freqtrade": str(clone.folder)}
    bot = " ".join(["freqtrade", *service["command"]])
    check = " ".join(service["healthcheck"]["test"][1:])
    for there, here in as_here.items():
        bot, check = bot.replace(there, here), check.replace(there, here)
    assert clone.run_until(f".venv/bin/{bot}", "Bot heartbeat")
    told = clone.run(f".venv/bin/{check}")
    assert "PROBLEM" not in told
    assert re.search(r"^ok +bot +Alive", told, re.MULTILINE)
    # The same log a quarter of an hour later: the container is not healthy any more.
    log = clone.folder / "user_data/logs" / f"{profile}.log"
    log.write_text(re.sub(r"^(\S+ \S+),\d+", _earlier, log.read_text(), flags=re.MULTILINE))
    told = clone.run(f".venv/bin/{check} && exit 1 || exit 0")
    assert re.search(r"^PROBLEM +bot +Its last sign of life is 1\d minutes old", told, re.MULTILINE)


def _earlier(stamp: re.Match[str]) -> str:
    moment = datetime.fromisoformat(stamp[1]) - timedelta(minutes=15)
    return f"{moment:%Y-%m-%d %H:%M:%S},000"


def _has_compose() -> bool:
    asked = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return asked.returncode == 0


def trade_on_paper(clone: Clone, command: str) -> None:
    told = clone.run_until(command, "Bot heartbeat")
    assert "dry_run enabled" in unbroken(told) or "Dry run is enabled" in unbroken(told)


def download_candles(clone: Clone, command: str) -> None:
    clone.run(command)
    made = clone.folder / "user_data/data/blofin/futures"
    assert {f"BTC_USDT_USDT-{t}-futures.feather" for t in ("15m", "1h", "4h")} <= {
        file.name for file in made.iterdir()
    }


def backtest(clone: Clone, command: str) -> None:
    told = clone.run(command)
    assert "STRATEGY SUMMARY" in unbroken(told)
    assert "No trades made" not in told


Run = Callable[[Clone, str], None]
RUNS: dict[str, Run] = {
    "git clone ADDRESS bubbybot": clone_it,
    "make rehearse": rehearse_on_generated_candles,
    "make test": run_by_ci,
    ".venv/bin/bubbybot report user_data/rehearsal": report_the_rehearsal,
    "make rehearse DATA=user_data/data/binance": rehearse_on_a_data_folder,
    ".venv/bin/bubbybot secrets": make_the_environment_file,
    "set -a; . ./.env; set +a": load_the_environment_file,
    ".venv/bin/bubbybot doctor -c config.demo.json": ask_the_doctor,
    ".venv/bin/freqtrade trade -c config.demo.json": trade_on_the_demo_account,
    ".venv/bin/bubbybot status -c config.demo.json": show_status,
    ".venv/bin/bubbybot report -c config.demo.json": write_a_report,
    "docker compose --profile demo up -d": start_the_container,
    ".venv/bin/bubbybot verify -c config.demo.json": verify_the_demo_account,
    ".venv/bin/freqtrade trade -c config.json": trade_on_paper,
    ".venv/bin/freqtrade download-data -c config.json -t 15m 1h 4h --timerange 20240605-":
        download_candles,
    ".venv/bin/freqtrade backtesting -c config.json --timerange 20250201-": backtest,
    ".venv/bin/bubbybot sandbox": serve_a_sandbox,
}  # fmt: skip


def test_every_command_of_the_readme_is_run():
    assert set(readme_commands((ROOT / "README.md").read_text())) == set(RUNS)


def test_commands_are_found_in_blocks_and_in_sentences():
    text = "Type `make it` or `make\nthat`, see `a.json`.\n\n   ```sh\n   cp a b  # why\n   ```\n"
    assert readme_commands(text) == ["cp a b", "make it", "make that"]


@pytest.mark.timeout(600)
def test_the_readmes_commands_work_from_top_to_bottom(clone):
    for command, run in RUNS.items():
        run(clone, command)
