"""`kill -9` at random moments of the lives of trades, restart, go on.

The moments are chosen by what the venue sees: with a request on its way back, with a random number
of milliseconds after it, or in the middle of nothing. While the bot is dead the market goes on.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from freqtrade.persistence import Trade
from sqlalchemy import create_engine, select
from sqlalchemy.pool import NullPool

from bubbybot_freqtrade.drills.bot_process import BotProcess, end_well
from bubbybot_freqtrade.drills.desk import Desk, bot_config
from bubbybot_freqtrade.drills.drill import Run, spread
from bubbybot_freqtrade.drills.market import BTC, ETH, SOL, inst_id, walk
from bubbybot_freqtrade.sandbox.api.request_log import LoggedRequest

# The moments, by the POST that has just had its effect when the bot dies; "any request" is any.
MOMENTS = (
    "entry",
    "exit",
    "exit",
    "amend-tpsl",
    "order-tpsl",
    "cancel-order",
    "set-leverage",
    "any request",
    "any request",
)
# A moment that does not come is given up for any other after so many requests.
PATIENCE_REQUESTS = 200
MINUTES_A_KILL = 12
LOOP_SECONDS = 15
MS = 60_000


@dataclass(slots=True)
class _Killer:
    """Decides when the bot dies: asked on the server's thread, for every request."""

    draw: Random
    moments: Counter[str] = field(default_factory=Counter)
    bot: BotProcess | None = None
    _moment: str = ""
    _left: int = 0
    _at_once: bool = False
    _patience: int = 0
    due: bool = False

    def arm(self, bot: BotProcess) -> None:
        """Choose the next moment."""
        self._moment = self.draw.choice(MOMENTS)
        self._left = self.draw.randint(1, 40) if self._moment == "any request" else 1
        self._at_once = self.draw.random() < 0.6
        self._patience = PATIENCE_REQUESTS
        self.due = False
        self.bot = bot

    def see(self, entry: LoggedRequest) -> None:
        """A request has had its effect and was not answered yet."""
        if self.bot is None or self.due:
            return
        self._patience -= 1
        self._left -= self._moment in ("any request", _moment(entry))
        if self._left > 0 and self._patience > 0:
            return
        how = "before its answer" if self._at_once else "after its answer"
        moment = self._moment if self._left <= 0 else "any request"
        self.moments[f"{moment} {how}"] += 1
        self.due = True
        if self._at_once:
            self.bot.kill()


def _moment(entry: LoggedRequest) -> str:
    """What a request does in the life of a trade; empty when it only asks."""
    if entry.method != "POST":
        return ""
    name = entry.path.rpartition("/")[2]
    if name != "order":
        return name
    return "exit" if entry.json().get("reduceOnly") == "true" else "entry"


def kills(run: Run) -> None:
    """Kill a bot that trades all the time, `run.kills` times."""
    draw = Random(f"kills {run.seed}")  # noqa: S311 - a drill
    minutes = 720 + MINUTES_A_KILL * run.kills
    prices = {
        pair: walk(price, minutes, run.seed + number)
        for number, (pair, price) in enumerate(((BTC, 50_000.0), (ETH, 2_000.0), (SOL, 150.0)))
    }
    amends = draw.random() < 0.5
    for number, amend_tpsl in enumerate((amends, not amends)):
        share = (run.kills + 1 - number) // 2
        with run.desk(prices, bots_apart=True, amend_tpsl=amend_tpsl) as desk:
            _kill_often(run, desk, draw, share)


def _kill_often(run: Run, desk: Desk, draw: Random, count: int) -> None:
    config = bot_config(
        desk.sandbox.url,
        desk.folder,
        "Restless",
        desk.pairs,
        db_url=desk.db_url,
        exchange={"account_stream": run.account_stream},
        unfilledtimeout={"entry": 2, "exit": 2, "unit": "minutes"},
        internals={"process_throttle_secs": LOOP_SECONDS, "heartbeat_interval": 0},
    )
    (desk.folder / "config.json").write_text(json.dumps(config))
    killer = _Killer(draw)
    desk.watch.on_request = killer.see
    for number in range(1, count + 1):
        _one_life(run, desk, killer, draw)
        run.say(f"{run.figures.kills} kills, {len(run.figures.broken)} laws broken")
        if desk.watch.broken:
            run.figures.broken += [f"kill {number}: {what}" for what in desk.watch.broken]
            desk.watch.broken.clear()
    killer.bot = None
    end_well(run, desk, "after the last kill")
    run.figures.notes.append(f"killed at: {spread(killer.moments)}")


def _one_life(run: Run, desk: Desk, killer: _Killer, draw: Random) -> None:
    loops = 0

    def on_loop(count: int) -> None:
        nonlocal loops
        loops = count
        desk.watch.loop_ended()
        if count == 2:
            for pair in _unknown(desk):
                run.figures.orphans += 1
                run.figures.broken.append(f"{pair} unknown to the database two loops after a kill")

    bot = BotProcess(desk.folder, desk.key, desk.sandbox.engine.now_ms, desk.watch.advance, on_loop)
    alive = bot.serve(until=lambda: loops >= 2)
    if alive:
        killer.arm(bot)
        alive = bot.serve(until=lambda: killer.due)
    if alive:
        # The bot goes on while we wait, until it needs time; then it waits for us.
        time.sleep(draw.random() * 0.02)
        bot.kill()
        bot.serve()
    if bot.exit_code != -9:
        run.figures.broken.append(f"the bot died by itself, exit code {bot.exit_code}")
    run.figures.kills += 1
    killer.bot = None
    desk.watch.advance(desk.sandbox.engine.now_ms + _dead_ms(draw))


def _dead_ms(draw: Random) -> int:
    """Until it is started again: within the same milliseconds, by a supervisor, minutes late."""
    return draw.choice((draw.randint(0, 5), 2_000, 2_000 + int(draw.random() * 5 * MS)))


def _unknown(desk: Desk) -> list[str]:
    """Instruments of positions without an open trade of that side, read beside the waiting bot."""
    database = create_engine(desk.db_url, poolclass=NullPool)
    with database.connect() as connection:
        rows = connection.execute(
            select(Trade.pair, Trade.is_short).where(Trade.is_open.is_(True))
        ).all()
    held = {(inst_id(pair), -1 if is_short else 1) for pair, is_short in rows}
    with desk.sandbox.engine.exclusive():
        positions = desk.watch.account.positions.values()
        return [p.inst_id for p in positions if (p.inst_id, p.direction) not in held]
