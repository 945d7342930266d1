"""Runs of verify on a sandbox whose clock they drive themselves."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bubbybot_freqtrade.sandbox import (
    DEMO_API_KEY,
    DEMO_PASSPHRASE,
    DEMO_SECRET,
    Sandbox,
    SandboxSettings,
)
from bubbybot_freqtrade.sandbox.cli import ccxt_urls
from bubbybot_freqtrade.verify.clock import Clock
from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.exchanges import Exchanges
from bubbybot_freqtrade.verify.preflight import open_client, open_desk
from tests.commands.doctor.conftest import open_sandbox  # noqa: F401 - a fixture

# Thin enough for an offer to be bought up.
PAIR = "PYTH/USDT:USDT"
# Eight minutes before a settlement of funding, so that it is met in a run.
START_MS = 1_748_764_320_000
# More than any reading of the funding history.
PAST_DAYS = 35


class SandboxClock(Clock):
    """Waiting moves the sandbox's market instead."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def now_ms(self) -> int:
        return self.sandbox.clock.now_ms()

    def elapsed_ms(self) -> int:
        return self.sandbox.clock.now_ms()

    def sleep(self, seconds: float) -> None:
        self.sandbox.advance(self.now_ms() + int(seconds * 1000))
        # Pushes of the websocket are under way in real time.
        while any(not c.outbox.empty() for c in tuple(self.sandbox.streams.connections)):
            time.sleep(0.001)
        time.sleep(0.0005)


def config_of(sandbox: Sandbox, **exchange: Any) -> dict[str, Any]:
    """A config as freqtrade would read it."""
    return {
        "margin_mode": "isolated",
        "exchange": {
            "name": "blofin",
            "key": DEMO_API_KEY,
            "secret": DEMO_SECRET,
            "password": DEMO_PASSPHRASE,
            "ccxt_config": {"enableRateLimit": False, "urls": ccxt_urls(sandbox)},
            "pair_whitelist": [PAIR],
            **exchange,
        },
    }


@pytest.fixture
def few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of a delay instead of ten, where many runs are about something else."""
    monkeypatch.setattr("bubbybot_freqtrade.verify.probes.delays.SAMPLES", 2)


@pytest.fixture
def open_verify(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """`open_verify(**settings of the sandbox)`: a desk on a sandbox of its own."""
    opened: list[Sandbox] = []

    def make(**settings: Any) -> Desk:
        given = {
            "rate_limits": False,
            "margin_mode": "isolated",
            "start_ms": START_MS,
            "pairs": ("PYTH-USDT", "BTC-USDT"),
            "past_days": PAST_DAYS,
            **settings,
        }
        sandbox = Sandbox(SandboxSettings(**given)).start()
        opened.append(sandbox)
        return desk_on(sandbox, tmp_path / f"verify{len(opened)}")

    yield make
    for sandbox in opened:
        sandbox.stop()


def desk_on(sandbox: Sandbox, folder: Path) -> Desk:
    """A desk as the command opens it."""
    clock, config = SandboxClock(sandbox), config_of(sandbox)
    return open_desk(open_client(config, clock, Exchanges()), config, None, folder, clock)
