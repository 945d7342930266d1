"""A day of one-minute candles with 40 pairs and 20 open positions, under the venue's own limits."""

from __future__ import annotations

import gc
import resource
from bisect import bisect_left

from bubbybot_freqtrade.drills.desk import Desk
from bubbybot_freqtrade.drills.drill import Run
from bubbybot_freqtrade.drills.market import straight
from bubbybot_freqtrade.sandbox.rate_limits import (
    MINUTE_MS,
    PER_FIVE_MINUTES,
    PER_MINUTE,
    TRADING_PER_WINDOW,
    TRADING_WINDOW_MS,
)
from bubbybot_freqtrade.sandbox.request_log import LoggedRequest
from bubbybot_freqtrade.sandbox.rest import PRIVATE

PAIRS = tuple(f"C{number:02}/USDT:USDT" for number in range(40))
OPEN = 20
LOOP_SECONDS = 5
# What must be left of a limit at the worst moment.
MARGIN = 0.2


def limits(run: Run) -> None:
    """`run.minutes` of it; the most that was asked in any window."""
    minutes = run.minutes
    prices = {pair: straight([(0, 100.0 + n)], minutes + 120) for n, pair in enumerate(PAIRS)}
    with run.desk(prices, rate_limits=True) as desk:
        times, trading, refused = [], [], []

        def note(entry: LoggedRequest) -> None:
            now = desk.clock.now_ms
            times.append(now)
            endpoint = PRIVATE.get(entry.method, {}).get(entry.path)
            if endpoint is not None and endpoint.trading:
                trading.append(now)
            if entry.status == 429:
                refused.append(now)

        desk.watch.on_request = note
        config = {"internals": {"process_throttle_secs": LOOP_SECONDS, "heartbeat_interval": 0}}
        desk.start(timeframe="1m", pairs=PAIRS, stake_amount=50, **config)
        begun = _enter_all(desk)
        memory = _memory()
        end = desk.clock.now_ms + minutes * MINUTE_MS
        while desk.clock.now_ms < end and not desk.stopped:
            desk.loop()
            desk.sandbox.requests.clear()
        grown = _memory() - memory
        run.must(begun == OPEN, "limits", f"only {begun} positions could be opened")
        run.check(desk, "limits")
        _judge(run, times, trading, refused, grown, minutes)


def _enter_all(desk: Desk) -> int:
    """Twenty positions, a few per loop as a strategy would."""
    for number, pair in enumerate(PAIRS[:OPEN]):
        desk.enter(pair, "long" if number % 2 else "short")
        desk.loop(2)
    return len(desk.watch.account.positions)


def _judge(
    run: Run, times: list[int], trading: list[int], refused: list[int], grown: float, minutes: int
) -> None:
    for name, seen, window, limit in (
        ("requests a minute", times, MINUTE_MS, PER_MINUTE),
        ("requests in 5 minutes", times, 5 * MINUTE_MS, PER_FIVE_MINUTES),
        ("trading requests in 10 s", trading, TRADING_WINDOW_MS, TRADING_PER_WINDOW),
    ):
        most = busiest(seen, window)
        run.figures.notes.append(f"{name}: {most} at most, the venue allows {limit}")
        run.must(most <= limit * (1 - MARGIN), "limits", f"{most} {name}, {limit} are allowed")
    run.must(not refused, "limits", f"{len(refused)} requests were refused with 429")
    run.figures.notes.append(f"{minutes} minutes, {len(times)} requests, memory +{grown:.0f} MB")


def busiest(times: list[int], window_ms: int) -> int:
    """The most of `times` (ascending ms) that lie in any window of that length."""
    return max(
        (number + 1 - bisect_left(times, now - window_ms + 1) for number, now in enumerate(times)),
        default=0,
    )


def _memory() -> float:
    """Peak resident memory so far, MB."""
    gc.collect()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
