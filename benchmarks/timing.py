"""How benchmarks take the time of a call."""

import time
from collections.abc import Callable

RUNS = 5


def best(call: Callable[[], object], runs: int = RUNS) -> float:
    """Seconds of the fastest of some runs."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return min(times)
