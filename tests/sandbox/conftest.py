"""Sandboxes for the tests of the venue."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ccxt.blofin import blofin as StockCcxt

from bubbybot_freqtrade.sandbox import (
    Sandbox,
    SandboxSettings,
)
from tests.sandbox.owner import (
    START,
    Course,
    Owner,
    ccxt_settings,
    flat,
    follow_clock,
    write_course,
)


@pytest.fixture
def open_sandbox(tmp_path: Path) -> Iterator[Callable[..., Owner]]:
    """`open_sandbox({inst_id: course}, volume=..., **settings)`: an owner on a driven sandbox.

    It stands at START and serves no socket before its `start`.
    """
    opened: list[Sandbox] = []

    def make(
        courses: dict[str, Course] | None = None, *, volume: float = 1000.0, **settings: Any
    ) -> Owner:
        folder = tmp_path / f"market{len(opened)}"
        folder.mkdir()
        for inst_id, course in (courses or {"BTC-USDT": flat(50_000, 60)}).items():
            write_course(folder, inst_id, course, volume)
        given = {"data": folder, "start_ms": START, "rate_limits": False, **settings}
        sandbox = Sandbox(SandboxSettings(**given))
        opened.append(sandbox)
        return Owner(sandbox)

    yield make
    for sandbox in opened:
        sandbox.stop()


@pytest.fixture
def generated() -> Iterator[Sandbox]:
    """A running sandbox with the generated market and the default account, without limits."""
    with Sandbox(SandboxSettings(rate_limits=False)) as sandbox:
        yield sandbox


@pytest.fixture
def ccxt_client(generated: Sandbox) -> Any:
    """Plain ccxt on the generated market."""
    return follow_clock(StockCcxt(ccxt_settings(generated)), generated)
