"""A day with 20 open positions under the venue's own limits: 40 pairs by the minute, or hundreds.

One-minute candles of hundreds of pairs are more than the venue lets anybody ask for. So more than
40 are traded by the quarter of an hour, with candles of 1h and 4h beside, as BubbyBot does.

The bot lives in a process of its own, the venue in this one, so that each one's memory is its own.
"""

from __future__ import annotations

import json
import logging
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bubbybot_freqtrade.drills.bot_process import BotProcess, end_well, resident_mb
from bubbybot_freqtrade.drills.desk import LOOP_SECONDS, START_MS, Desk, bot_config
from bubbybot_freqtrade.drills.drill import Run
from bubbybot_freqtrade.drills.market import MINUTES_BEFORE, pair_of, walk
from bubbybot_freqtrade.sandbox.api.limits import (
    MINUTE_MS,
    PER_FIVE_MINUTES,
    PER_MINUTE,
    TRADING_PER_WINDOW,
    TRADING_WINDOW_MS,
)
from bubbybot_freqtrade.sandbox.api.request_log import LoggedRequest
from bubbybot_freqtrade.sandbox.api.rest import PRIVATE
from bubbybot_freqtrade.sandbox.server import Sandbox

MOST_PAIRS_BY_THE_MINUTE = 40
MOST_POSITIONS = 20
# A loop of a bot with hundreds of pairs, and what it asks for in it.
PATIENCE_S = 600.0

# What must be left of a limit at the worst moment, which is when all positions are opened at once.
# The bot's own budget of requests keeps a tenth; between its clock and the venue's a request or two
# can slip into the next window.
MARGIN = 0.05
# freqtrade keeps 1440 candles a pair: a bot that begins with fewer of them grows for a day.
KEPT_CANDLES = 1440
HISTORY_DAYS = KEPT_CANDLES * 15 // 1440 + 1
MINUTES_PLAYED_BEFORE = KEPT_CANDLES - MINUTES_BEFORE
# The first hours fill caches (SQLAlchemy's statements, trades of the day, arenas of malloc).
WARM_UP_SHARE = 0.25
# Of a bot with hundreds of pairs: leverage tiers come some in each loop, after the candles.
WARM_UP_HOURS = 0.75
SAMPLES = 96
# More than this is a leak that a month would show: 1 MB an hour are 720 MB a month.
MB_AN_HOUR = 1.0
# Below so many hours of samples a slope says more about malloc than about the bot.
HOURS_FOR_A_SLOPE = 3.0
# At most, from the end of the warm-up on.
MB_GROWN = 20.0


@dataclass(slots=True)
class _Load:
    """What was asked of the venue, in ms of its clock, and the memory of both sides by the way."""

    times: array[int] = field(default_factory=lambda: array("q"))
    trading: array[int] = field(default_factory=lambda: array("q"))
    refused: int = 0
    most_open: int = 0
    hours: list[float] = field(default_factory=list)
    bot_mb: list[float] = field(default_factory=list)
    venue_mb: list[float] = field(default_factory=list)
    open: list[int] = field(default_factory=list)


def limits(run: Run) -> None:
    """`run.minutes` of it with `run.pairs` pairs, half of which are held, 20 at most."""
    form = _by_the_minute if run.pairs <= MOST_PAIRS_BY_THE_MINUTE else _by_the_quarter
    with form(run) as (desk, bot):
        load = _Load()
        desk.watch.on_request = lambda entry: _note(load, entry)
        _live_through(run, desk, load, bot)
        desk.watch.on_request = lambda _: None
        _judge_requests(run, load)
        _judge_memory(run, load)
        end_well(run, desk, "limits", PATIENCE_S)


@contextmanager
def _by_the_minute(run: Run) -> Iterator[tuple[Desk, dict[str, Any]]]:
    """A desk with random walks of 1m candles; what its bot is told."""
    names = tuple(f"C{number:02}/USDT:USDT" for number in range(run.pairs))
    length = MINUTES_PLAYED_BEFORE + run.minutes + 120
    prices = {
        pair: walk(100.0 + number, length, run.seed * 100 + number)
        for number, pair in enumerate(names)
    }
    with run.desk(prices, rate_limits=True, bots_apart=True) as desk:
        desk.watch.advance(START_MS + MINUTES_PLAYED_BEFORE * MINUTE_MS)
        yield desk, {"strategy": "Crowded", "pairs": names}


@contextmanager
def _by_the_quarter(run: Run) -> Iterator[tuple[Desk, dict[str, Any]]]:
    """A desk on a generated market that is old enough for all the 15m candles a bot keeps."""
    market = {"data": None, "seed": run.seed, "pair_count": run.pairs, "history_days": HISTORY_DAYS}
    with run.desk(rate_limits=True, bots_apart=True, **market) as desk:
        names = tuple(map(pair_of, desk.sandbox.engine.venue.instruments))
        _spell_out(desk.sandbox)
        told = {"timeout_ms": int(PATIENCE_S * 1000)}
        yield desk, {"strategy": "CrowdedQuarters", "pairs": names, **told}


def _spell_out(sandbox: Sandbox) -> None:
    """Have the candles made before a bot asks for all of them at once."""
    engine = sandbox.engine
    for inst_id in engine.venue.instruments:
        engine.market.ticker(inst_id, engine.now_ms)
        for bar in ("4H", "1H", "15m"):
            sandbox.feed.latest(inst_id, bar, "last", now_ms=engine.now_ms, limit=KEPT_CANDLES)


def _note(load: _Load, entry: LoggedRequest) -> None:
    load.times.append(entry.ts_ms)
    endpoint = PRIVATE.get(entry.method, {}).get(entry.path)
    if endpoint is not None and endpoint.trading:
        load.trading.append(entry.ts_ms)
    load.refused += entry.status == 429


def _positions(run: Run) -> int:
    return min(run.pairs // 2, MOST_POSITIONS)


def _live_through(run: Run, desk: Desk, load: _Load, told: dict[str, Any]) -> None:
    """Let a bot trade until the time is over, then kill it."""
    config = bot_config(
        desk.sandbox.url,
        desk.folder,
        db_url=desk.db_url,
        max_open_trades=_positions(run),
        stake_amount=50,
        exchange={"account_stream": run.account_stream},
        **told,
    )
    # The budget of requests stands alone here: ccxt's own spacing would ease its work, and waits a
    # thousand times a second.
    config["exchange"]["ccxt_config"] |= {"enableRateLimit": True, "rateLimit": 1}
    (desk.folder / "config.json").write_text(json.dumps(config))
    begin = desk.sandbox.engine.now_ms
    end = begin + run.minutes * MINUTE_MS
    step = max((end - begin) // SAMPLES, MINUTE_MS)

    def look(loops: int) -> None:
        desk.watch.loop_ended()
        desk.sandbox.requests.clear()
        now = desk.sandbox.engine.now_ms
        if now < begin + step * len(load.hours) or now >= end:
            return
        load.hours.append((now - begin) / MINUTE_MS / 60)
        load.bot_mb.append(bot.memory_mb)
        load.venue_mb.append(resident_mb())
        load.open.append(len(desk.watch.account.positions))
        run.say(
            f"{load.hours[-1]:.2f} h, {load.open[-1]} positions, {len(load.times)} requests, "
            f"bot {load.bot_mb[-1]:.0f} MB, venue {load.venue_mb[-1]:.0f} MB"
        )

    bot = BotProcess(
        desk.folder,
        desk.key,
        begin,
        desk.watch.advance,
        look,
        log_level=logging.INFO,
        patience_s=PATIENCE_S,
    )
    alive = bot.serve(until=lambda: desk.sandbox.engine.now_ms >= end)
    bot.kill()
    bot.serve()
    run.must(alive, "limits", f"the bot died by itself, exit code {bot.exit_code}")


def _judge_requests(run: Run, load: _Load) -> None:
    for name, seen, window, limit in (
        ("requests a minute", load.times, MINUTE_MS, PER_MINUTE),
        ("requests in 5 minutes", load.times, 5 * MINUTE_MS, PER_FIVE_MINUTES),
        ("trading requests in 10 s", load.trading, TRADING_WINDOW_MS, TRADING_PER_WINDOW),
    ):
        most = busiest(seen, window)
        run.figures.notes.append(f"{name}: {most} at most, the venue allows {limit}")
        run.must(most <= limit * (1 - MARGIN), "limits", f"{most} {name}, {limit} are allowed")
    run.must(not load.refused, "limits", f"{load.refused} requests were refused with 429")
    run.figures.notes.append(
        f"{run.minutes} minutes in loops of {LOOP_SECONDS} s, {len(load.times)} requests, "
        f"{run.pairs} pairs, positions: {np.mean(load.open):.1f} on average, "
        f"{max(load.open)} at most"
    )
    most = max(load.open)
    run.must(most == _positions(run), "limits", f"only {most} positions opened")


def _judge_memory(run: Run, load: _Load) -> None:
    """Flat: from the end of the warm-up on it neither climbs steadily nor by much."""
    warm_up = WARM_UP_HOURS if run.pairs > MOST_PAIRS_BY_THE_MINUTE else 0.0
    first = bisect_left(load.hours, max(WARM_UP_SHARE * load.hours[-1], warm_up))
    if first == len(load.hours):
        run.figures.notes.append(f"memory is not judged before {WARM_UP_HOURS:g} hours")
        return
    for who, seen in (("bot", load.bot_mb), ("venue", load.venue_mb)):
        run.figures.notes.append(
            f"memory of the {who}: {seen[0]:.0f} MB at the start, {seen[first]:.0f} MB after "
            f"{load.hours[first]:.1f} h, {seen[-1]:.0f} MB at the end, "
            f"{slope(load.hours[first:], seen[first:]):+.2f} MB an hour since"
        )
    grown = load.bot_mb[-1] - load.bot_mb[first]
    run.must(grown <= MB_GROWN, "limits", f"the bot has grown by {grown:.0f} MB")
    if load.hours[-1] - load.hours[first] >= HOURS_FOR_A_SLOPE:
        climb = slope(load.hours[first:], load.bot_mb[first:])
        run.must(climb <= MB_AN_HOUR, "limits", f"the bot grows by {climb:.2f} MB an hour")


def slope(hours: Sequence[float], values: Sequence[float]) -> float:
    """Rise of `values` per hour, by least squares; 0 for a single one."""
    return float(np.polyfit(hours, values, 1)[0]) if len(hours) > 1 else 0.0


def busiest(times: Sequence[int], window_ms: int) -> int:
    """The most of `times` (ascending ms) that lie in any window of that length."""
    return max(
        (number + 1 - bisect_left(times, now - window_ms + 1) for number, now in enumerate(times)),
        default=0,
    )
