"""Desks for the tests of the extension."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine

from bubbybot_freqtrade.sandbox.server import Sandbox
from bubbybot_freqtrade.sandbox.settings import SandboxSettings
from tests.blofin.desk import QUIET, START, Course, Desk, write_candles


@pytest.fixture
def open_desk(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Make desks: `open_desk({pair: course}, **sandbox settings)`."""
    desks: list[Desk] = []
    with time_machine.travel(START, tick=True) as traveller:

        def make(courses: dict[str, Course] | None = None, **settings: Any) -> Desk:
            folder = tmp_path / f"desk{len(desks)}"
            market = folder / "market" / "futures"
            market.mkdir(parents=True)
            for pair, course in (QUIET | (courses or {})).items():
                write_candles(market, pair, course)
            start_ms = int(START.timestamp() * 1000)
            given = {"margin_mode": "isolated", "rate_limits": False, "start_ms": start_ms}
            sandbox = Sandbox(SandboxSettings(data=market.parent, **(given | settings)))
            sandbox.start()
            desks.append(Desk(sandbox, folder, traveller))
            return desks[-1]

        yield make
        for desk in desks:
            desk.stop()
            desk.sandbox.stop()
