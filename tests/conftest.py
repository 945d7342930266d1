"""What all tests need."""

import gc
import math
import os
import signal
from itertools import groupby
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy import Engine, event

# Tests end bots with Ctrl-C. A shell that runs the tests in the background has them, and with them
# every bot, ignore it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no fault: no example has a deadline.
settings.register_profile("bubbybot", deadline=None)
settings.load_profile("bubbybot")

# What modules of tests import stays until the end: the collector need not walk through it, neither
# now nor each time that it looks for a test's garbage.
gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@event.listens_for(Engine, "connect")
def leave_the_disk_to_itself(connection: Any, _: object) -> None:
    """No test takes the machine's power away: a bot's every commit need not wait for the disk."""
    if type(connection).__module__.startswith("sqlite3"):
        connection.execute("PRAGMA synchronous=OFF")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules that have asked for more time than others begin first.

    One that began last would be waited for by all other processes.
    """
    modules = [list(of) for _, of in groupby(items, key=lambda item: item.path)]
    modules.sort(key=lambda of: -max(map(_timeout, of)))
    items[:] = [item for of in modules for item in of]


def _timeout(item: pytest.Item) -> float:
    marker = item.get_closest_marker("timeout")
    return marker.args[0] if marker else 0


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Half as many processes again as cores: a test often waits for a bot, a sandbox or a clock."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    affinity = getattr(os, "sched_getaffinity", None)
    return math.ceil(1.5 * (len(affinity(0)) if affinity else os.cpu_count() or 1))
