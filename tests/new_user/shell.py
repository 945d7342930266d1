"""A fresh clone, a shell in it, and a sandbox that stands for BloFin: what docs say is typed there.

What a page says verbatim is what the shell gets. Three things differ from a user's machine:
`freqtrade` and `bubbybot` are loaded already (tests/preloaded.py), what make would install
is there, and freqtrade's own FREQTRADE__… variables put the sandbox in BloFin's place.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bubbybot_freqtrade.sandbox.cli import config_fragment
from bubbybot_freqtrade.sandbox.server import Sandbox
from bubbybot_freqtrade.sandbox.settings import (
    DEMO_API_KEY,
    DEMO_PASSPHRASE,
    DEMO_SECRET,
    SandboxSettings,
)
from tests.places import ROOT
from tests.preloaded import preloaded

BIN = Path(sys.executable).parent
PAIR = "BTC/USDT:USDT"
NOT_A_USERS = ("FREQTRADE", "PYTEST", "MAKE", "MFLAGS")
# Of a loop nothing takes so long.
PAUSE_S = 0.5
SHORT_REHEARSAL = "--days 0.1 --no-backtest"


def code_lines(text: str) -> list[str]:
    """Every line of the shell blocks of a page, without its comment; continued lines as one."""
    fences = re.findall(r"^ *```([a-z]*)\n(.*?)^ *```", text, flags=re.DOTALL | re.MULTILINE)
    blocks = [block for language, block in fences if language in ("", "sh")]
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [stripped for line in lines if (stripped := _without_comment(line))]


def _without_comment(line: str) -> str:
    return " ".join(re.sub(r"\s+#.*$", "", line).split())


@dataclass
class Clone:
    """A fresh clone, a shell in it, and the sandbox that stands for BloFin."""

    folder: Path
    sandbox: Sandbox
    environment: dict[str, str]

    def run(self, command: str, typed: str = "", **more: str) -> str:
        """What a command prints; it must succeed. `typed` is its standard input."""
        done = subprocess.run(
            ["bash", "-ec", command],
            cwd=self.folder,
            env=self.environment | more,
            input=typed,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
        return done.stdout + done.stderr

    def run_until(self, command: str, said: str, **more: str) -> str:
        """What a command that goes on prints up to `said`, and until Ctrl-C has ended it."""
        log = self.folder / "said.log"
        with log.open("w") as sink:
            process = subprocess.Popen(
                ["bash", "-ec", f"exec {command}"],
                cwd=self.folder,
                env=self.environment | more,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )
            try:
                deadline = time.monotonic() + 120
                # And then in its pause: a Ctrl-C amid freqtrade's commit leaves a traceback of its
                # own behind.
                while said not in log.read_text() or time.time() - log.stat().st_mtime < PAUSE_S:
                    assert process.poll() is None, log.read_text()
                    assert time.monotonic() < deadline, log.read_text()
                    time.sleep(0.1)
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(60)
        told = log.read_text()
        assert "Traceback" not in told, told
        return told

    def load_env(self) -> None:
        """Load .env as README says, and go on with what the shell has then."""
        loaded = self.run("set -a; . ./.env; set +a; env -0")
        self.environment |= dict(
            entry.split("=", 1) for entry in loaded.split("\0") if entry.startswith("FREQTRADE__")
        )


def freqtrade_variables(settings: Mapping[str, Any], path: str = "FREQTRADE") -> dict[str, str]:
    """freqtrade's environment variables for settings: one for each, sections apart by `__`."""
    variables = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            variables |= freqtrade_variables(value, f"{path}__{name.upper()}")
        else:
            # Below ccxt_config the last part keeps its letters as they are.
            variables[f"{path}__{name}"] = value if isinstance(value, str) else json.dumps(value)
    return variables


@contextmanager
def open_clone(home: Path) -> Iterator[Clone]:
    """A clone in `home`, with an account of play money at a sandbox."""
    if os.name != "posix":
        pytest.skip("these commands are for a POSIX shell")
    folder = home / "clone"
    subprocess.run(
        ["git", "clone", "--quiet", "--depth", "1", ROOT.as_uri(), str(folder)], check=True
    )
    _environment_as_installed(folder)
    given = SandboxSettings(clock="real", margin_mode="isolated", rate_limits=False)
    with (
        Sandbox(given) as sandbox,
        preloaded(folder / ".venv/bin", ("bubbybot", "freqtrade")),
    ):
        exchange = config_fragment(sandbox)["exchange"]
        own = {"pair_whitelist": [PAIR], "ccxt_config": exchange["ccxt_config"]}
        environment = {
            # freqtrade leaves its log as it is where it sees pytest; a make around the tests would
            # hand its own variables on.
            **{k: v for k, v in os.environ.items() if not k.startswith(NOT_A_USERS)},
            **freqtrade_variables({"exchange": own}),
            "COLUMNS": "200",
            "PATH": f"{folder / '.venv/bin'}:{os.environ['PATH']}",
        }
        yield Clone(folder, sandbox, environment)


def fill_the_environment_file(clone: Clone) -> None:
    """Write the key, secret and passphrase of the sandbox's account into `.env`."""
    file = clone.folder / ".env"
    text = file.read_text()
    for name, value in (
        ("KEY", DEMO_API_KEY), ("SECRET", DEMO_SECRET), ("PASSWORD", DEMO_PASSPHRASE),
    ):  # fmt: skip
        line = f"#FREQTRADE__EXCHANGE__{name}=''\n"
        assert line in text
        text = text.replace(line, f"FREQTRADE__EXCHANGE__{name}='{value}'\n")
    file.write_text(text)


def _environment_as_installed(folder: Path) -> None:
    """`.venv` as `make` leaves it: its programs are this environment's."""
    programs = folder / ".venv/bin"
    programs.mkdir(parents=True)
    for name in ("pip", "python", "pytest"):
        (programs / name).symlink_to(BIN / name)
    # Newer than all that make compares them with.
    later = time.time() + 60
    for stamp in ("installed", "installed-test", "installed-docs", "installed-lint"):
        (folder / ".venv" / stamp).touch()
        os.utime(folder / ".venv" / stamp, (later, later))
