"""A venue on loopback, a config that points there, and the doctor's findings about both."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bubbybot_freqtrade.commands.doctor import Finding, examine
from bubbybot_freqtrade.sandbox.cli import config_fragment
from bubbybot_freqtrade.sandbox.server import Sandbox
from bubbybot_freqtrade.sandbox.settings import SandboxSettings
from tests.places import ROOT


@pytest.fixture
def open_sandbox() -> Iterator[Callable[..., Sandbox]]:
    """Start sandboxes on the wall clock: `open_sandbox(**settings)`."""
    opened: list[Sandbox] = []

    def make(**settings: Any) -> Sandbox:
        given: dict[str, Any] = {"clock": "real", "margin_mode": "isolated", "pair_count": 3}
        opened.append(Sandbox(SandboxSettings(**(given | settings))).start())
        return opened[-1]

    yield make
    for sandbox in opened:
        sandbox.stop()


def sandbox_config(sandbox: Sandbox, folder: Path, **changes: Any) -> Path:
    """The repository's own config, trading for real on a sandbox; `changes` replace whole keys."""
    config = json.loads((ROOT / "config.json").read_text())
    exchange = config["exchange"] | config_fragment(sandbox)["exchange"]
    exchange["ccxt_config"]["enableRateLimit"] = False
    exchange["pair_whitelist"] = ["BTC/USDT:USDT", "ETH/USDT:USDT"]
    exchange |= changes.pop("exchange", {})
    file = folder / "config.json"
    (folder / "user_data").mkdir(exist_ok=True)
    own = {
        "dry_run": False,
        "db_url": f"sqlite:///{folder}/trades.sqlite",
        "strategy_path": str(ROOT / "user_data/strategies"),
        "user_data_dir": str(folder / "user_data"),
        "exchange": exchange,
    }
    file.write_text(json.dumps(config | own | changes))
    return file


class Visit:
    """What the doctor said about one config."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings

    def about(self, point: str) -> list[Finding]:
        """Findings of a point."""
        return [finding for finding in self.findings if finding.point == point]

    def problems(self) -> dict[str, str]:
        """Lines of all problems by point."""
        return {f.point: f.line for f in self.findings if f.verdict == "problem"}

    def notes(self) -> dict[str, str]:
        """Lines of all notes by point."""
        return {f.point: f.line for f in self.findings if f.verdict == "note"}


@pytest.fixture
def visit(open_sandbox, tmp_path, monkeypatch) -> Callable[..., Visit]:
    """Let the doctor examine a config: `visit(sandbox, telegram_api=..., **changes of config)`."""
    monkeypatch.chdir(tmp_path)

    def examine_config(sandbox: Sandbox | None = None, **changes: Any) -> Visit:
        options = {k: changes.pop(k) for k in ("telegram_api",) if k in changes}
        file = sandbox_config(sandbox or open_sandbox(), tmp_path, **changes)
        return Visit(list(examine([str(file)], **options)))

    return examine_config
