"""Two of freqtrade's bots on one account and the same pairs, each with its own database.

Neither knows of the other before the first entries, and both enter in the same second, again and
again: a position is one bot's in the end, with its stop, and each says once that there is another.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from freqtrade.persistence import Trade
from sqlalchemy import create_engine, select
from sqlalchemy.pool import NullPool

from bubbybot_freqtrade.drills.bot_process import BotProcess, waits
from bubbybot_freqtrade.drills.desk import Desk, bot_config
from bubbybot_freqtrade.drills.drill import Run
from bubbybot_freqtrade.drills.market import inst_id
from bubbybot_freqtrade.sandbox.api.limits import TRADING_WINDOW_MS

NAMES = ("one", "two")
# Strategies of the two bots.
CASES = {"the same side": ("Rival", "Rival"), "opposite sides": ("Rival", "Contrary")}
MINUTES = 12
# Real time in which the other one's order has to come, ms.
MEETING_MS = 2000
MINUTES_A_LOOK = 0.5
TELLS_OF_OTHER = "Another bot (its orders' ids begin"
# What was closed against another position is booked after half a minute of asking. A bot that
# listens leaves six of its share's thirteen trading requests in ten seconds to its guard, and asks
# for the rest of the account half as fast.
LOOKS_TO_SETTLE = {False: 3, True: 6}


def two_bots(run: Run) -> None:
    """Both cases, and the setting that trades nothing beside another bot."""
    for name, strategies in CASES.items():
        if run.cases(name):
            with run.desk(bots_apart=True, rate_limits=True) as desk:
                _together(run, desk, name, strategies, "share")
    name = "refused"
    if run.cases(name):
        with run.desk(bots_apart=True, rate_limits=True) as desk:
            _together(run, desk, name, CASES["the same side"], "refuse")


def _together(run: Run, desk: Desk, name: str, strategies: tuple[str, str], beside: str) -> None:
    # Whatever one of them looked at before, the other one's order was not there yet.
    desk.fault(kind="meet", path="*/trade/order", method="POST", delay_ms=MEETING_MS)
    exchange = {"other_bots": beside, "account_stream": run.account_stream}
    with _bots(desk, strategies, exchange) as bots:
        begin = desk.sandbox.engine.now_ms
        minutes = min(MINUTES, run.minutes)
        looked, unsettled, longest, met = begin, Counter[str](), 0, None
        while bots and (now := _step(desk, bots)) - begin < minutes * 60_000:
            if met is None and all(_log(desk, bot).count(TELLS_OF_OTHER) for bot in NAMES):
                met = now
            if now - looked >= MINUTES_A_LOOK * 60_000:
                looked = now
                _look(run, desk, name, unsettled)
                longest = max(longest, *unsettled.values())
        run.figures.inputs += 1
        left = len(bots)
        run.must(left == (2 if beside == "share" else 0), name, f"{left} bots are left running")
    for what in desk.watch.broken:
        run.figures.broken.append(f"{name}: {what}")
    desk.watch.broken.clear()
    said = [_log(desk, bot).count(TELLS_OF_OTHER) for bot in NAMES]
    run.must(said == [1, 1] or beside == "refuse", name, f"another bot was told of {said} times")
    # Until both know of each other, each takes the account's requests for its own.
    since = begin if met is None else met + TRADING_WINDOW_MS
    requests = desk.sandbox.requests.select(since_ms=since)
    refused = sum(request.status == 429 for request in requests)
    run.must(not refused, name, f"{refused} requests were refused with 429")
    entered = [_count(desk, bot) for bot in NAMES]
    run.must(all(entered), name, f"they made {entered} trades, so nothing was proved")
    run.figures.notes.append(
        f"{name}: {entered} trades, a pair unsettled in {longest} looks in a row at most"
    )


@contextmanager
def _bots(
    desk: Desk, strategies: tuple[str, str], exchange: Mapping[str, Any]
) -> Iterator[list[BotProcess]]:
    bots: list[BotProcess] = []
    for bot, strategy in zip(NAMES, strategies, strict=True):
        folder = desk.folder / bot
        folder.mkdir()
        config = bot_config(
            desk.sandbox.url,
            folder,
            strategy,
            desk.pairs,
            db_url=_database(desk, bot),
            exchange=dict(exchange),
        )
        config["exchange"]["ccxt_config"] |= {"enableRateLimit": True, "timeout": 2 * MEETING_MS}
        (folder / "config.json").write_text(json.dumps(config))
        bots.append(
            BotProcess(
                folder,
                desk.key,
                desk.sandbox.engine.now_ms,
                desk.watch.advance,
                lambda _: desk.watch.loop_ended(),
            )
        )
    try:
        yield bots
    finally:
        for process in bots:
            process.kill()
            process.serve()


def _database(desk: Desk, bot: str) -> str:
    return f"sqlite:///{desk.folder / bot}/trades.sqlite"


def _step(desk: Desk, bots: list[BotProcess]) -> int:
    """Let both work until they wait for time, and give it to who waits for the earliest."""
    waiting = waits(bots)
    bots[:] = list(waiting)
    now = min(waiting.values(), default=desk.sandbox.engine.now_ms)
    desk.watch.advance(now)
    for bot, until in waiting.items():
        if until <= now:
            bot.give(until)
    return now


def _look(run: Run, desk: Desk, name: str, unsettled: Counter[str]) -> None:
    """A position is one trade's of one bot, but for the moment in which the other gives way."""
    trades = Counter[tuple[str, float]]()
    for bot in NAMES:
        trades.update(_open_trades(desk, bot))
    with desk.sandbox.engine.exclusive():
        account = desk.watch.account
        held = {p.inst_id: float(p.base_size) for p in account.positions.values()}
        stops = Counter(order.inst_id for order in account.live_tpsl())
    for pair in desk.pairs:
        amounts = [amount for of, amount in trades.elements() if of == pair]
        size = held.get(inst_id(pair), 0.0)
        is_one_s = len(amounts) <= 1 and abs(sum(amounts) - size) < 1e-9
        is_one_s &= stops[inst_id(pair)] == len(amounts)
        unsettled[pair] = 0 if is_one_s else unsettled[pair] + 1
        if unsettled[pair] == LOOKS_TO_SETTLE[run.account_stream]:
            run.figures.broken.append(
                f"{name}: trades of {amounts} {pair}, {size} held, {stops[inst_id(pair)]} stops"
            )


def _open_trades(desk: Desk, bot: str) -> list[tuple[str, float]]:
    wanted = select(Trade.pair, Trade.amount).where(Trade.is_open.is_(True), Trade.amount > 0)
    with create_engine(_database(desk, bot), poolclass=NullPool).connect() as connection:
        return [(pair, amount) for pair, amount in connection.execute(wanted)]


def _count(desk: Desk, bot: str) -> int:
    with create_engine(_database(desk, bot), poolclass=NullPool).connect() as connection:
        return len(connection.execute(select(Trade.id)).all())


def _log(desk: Desk, bot: str) -> str:
    return (desk.folder / bot / "bot.log").read_text(encoding="utf-8")
