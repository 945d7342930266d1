"""freqtrade's bot in a process of its own, which can be killed as machines kill: without warning.

Its time is the parent's to give: before each step it asks, and waits for the venue to be there.
"""

from __future__ import annotations

import logging
import multiprocessing
import multiprocessing.connection
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from freqtrade.configuration import Configuration
from freqtrade.enums import State
from freqtrade.exceptions import FreqtradeException
from freqtrade.persistence import Trade, init_db
from freqtrade.rpc import RPC
from freqtrade.rpc.rpc import RPCException
from freqtrade.worker import Worker
from psutil import Process

from bubbybot_freqtrade.drills.desk import START_MS, BotLog, Desk, environment_of
from bubbybot_freqtrade.drills.drill import Run
from bubbybot_freqtrade.rehearsal.clock import VirtualClock
from bubbybot_freqtrade.sandbox.settings import ApiKey

logger = logging.getLogger(__name__)

# As long as a bot with some pairs ever takes for what it does between two moments.
PATIENCE_S = 60.0
CLOSING_LOOPS = 30
DAY_MS = 86_400_000

# Children are forked from a process that has all of freqtrade imported, and no threads.
_CONTEXT = multiprocessing.get_context("forkserver")


class BotHangsError(RuntimeError):
    """A bot that has not asked for time in a minute."""


class BotProcess:
    """A running bot, seen from its parent.

    advance: moves the venue's time (ms). on_loop: called with the number of loops done after each,
    while the bot waits.
    """

    def __init__(
        self,
        folder: Path,
        key: ApiKey,
        start_ms: int,
        advance: Callable[[int], None],
        on_loop: Callable[[int], None] = lambda _: None,
        *,
        finish: bool = False,
        log_level: int = logging.DEBUG,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Start `folder`/config.json. finish: close all trades after two loops and end.

        patience_s: real seconds in which it must ask for time again; after that it hangs.
        """
        _CONTEXT.set_forkserver_preload([__name__, "bubbybot_freqtrade.drills.forked"])
        self._patience_s = patience_s
        self._advance = advance
        self._on_loop = on_loop
        self.now_ms = start_ms
        self._until: int | None = None
        self._here, there = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(
            target=_live, args=(folder, key, start_ms, there, finish, log_level), daemon=True
        )
        self._process.start()
        there.close()

    def serve(self, until: Callable[[], bool] = lambda: False) -> bool:
        """Give it time until `until` or its end; False when it has ended.

        :raises BotHangsError: when it does not ask any more.
        """
        while not until():
            if not self._here.poll(self._patience_s):
                raise BotHangsError(f"the bot has not asked for time in {self._patience_s:g} s")
            try:
                what, value = self._here.recv()
            except (EOFError, ConnectionResetError):
                self._process.join()
                return False
            self._answer(what, value)
        return True

    def _hear(self) -> bool:
        """Take in what it says; False when it has ended."""
        try:
            what, value = self._here.recv()
        except (EOFError, ConnectionResetError):
            self._process.join()
            return False
        if what == "time":
            self._until = int(value)
        else:
            self._answer(what, value)
        return True

    def give(self, now_ms: int) -> None:
        """Let it go on at a time that it has asked for, see `waits`."""
        self.now_ms, self._until = now_ms, None
        self._go_on()

    def _answer(self, what: str, value: int) -> None:
        if what == "time":
            self._advance(value)
            self.now_ms = value
        else:
            self._on_loop(value)
        self._go_on()

    def _go_on(self) -> None:
        try:
            self._here.send(None)
        except (BrokenPipeError, ConnectionResetError):
            # Killed meanwhile: the next read says so.
            return

    def kill(self) -> None:
        """Without a word to it (SIGKILL); from any thread. Nothing to one that is dead already."""
        if self._process.pid is not None:
            self._process.kill()

    @property
    def memory_mb(self) -> float:
        """Resident memory, MB."""
        return resident_mb(self._process.pid)

    @property
    def exit_code(self) -> int | None:
        """As of `multiprocessing.Process.exitcode`: -9 when killed."""
        return self._process.exitcode


def waits(bots: list[BotProcess]) -> dict[BotProcess, int]:
    """Let bots work beside each other; until when (ms) each that lives wants to wait.

    :raises BotHangsError: when one does not ask any more.
    """
    alive = list(bots)
    while busy := {bot._here: bot for bot in alive if bot._until is None}:
        ready = multiprocessing.connection.wait(list(busy), PATIENCE_S)
        if not ready:
            raise BotHangsError(f"no bot has asked for time in {PATIENCE_S:g} s")
        for bot in (busy[here] for here in ready if isinstance(here, Connection)):
            if not bot._hear():
                alive.remove(bot)
    return {bot: bot._until for bot in alive if bot._until is not None}


def resident_mb(pid: int | None = None) -> float:
    """Resident memory of a process, of this one by default, MB."""
    return float(Process(pid).memory_info().rss) / 2**20


def end_well(run: Run, desk: Desk, case: str, patience_s: float = PATIENCE_S) -> None:
    """A last bot closes all trades that another one left open; then the books are compared."""
    bot = BotProcess(
        desk.folder,
        desk.key,
        desk.sandbox.engine.now_ms,
        desk.watch.advance,
        finish=True,
        patience_s=patience_s,
    )
    bot.serve()
    if bot.exit_code:
        run.figures.broken.append(f"the last bot ended with exit code {bot.exit_code}")
    init_db(desk.db_url)
    try:
        run.check(desk, case)
        trades = len(Trade.get_trades().all())
        days = (desk.sandbox.engine.now_ms - START_MS) / DAY_MS
        run.figures.notes.append(f"{trades} trades in {days:.2f} days")
        left = Trade.get_open_trade_count()
        run.must(left == 0, case, f"{left} trades could not be closed")
    finally:
        Trade.session.remove()


def _live(
    folder: Path, key: ApiKey, start_ms: int, parent: Connection, finish: bool, log_level: int
) -> None:
    """The child: everything that it prints goes into files."""
    out = os.open(folder / "bot.out", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(out, sys.stdout.fileno())
    os.dup2(out, sys.stderr.fileno())

    def ask(what: str, value: int) -> None:
        parent.send((what, value))
        parent.recv()

    log = BotLog(folder / "bot.log", log_level)
    with ExitStack() as stack:
        stack.enter_context(environment_of(key))
        stack.enter_context(log.attached())
        stack.enter_context(VirtualClock(start_ms, lambda ms: ask("time", ms)))
        args: dict[str, Any] = {"config": [str(folder / "config.json")], "verbosity": 0}
        config = Configuration(args).get_config()
        log.attach()
        _work(Worker(args, config), ask, finish)


def _work(worker: Worker, ask: Callable[[str, int], None], finish: bool) -> None:
    state: State | None = None
    loops = 0
    while not (finish and loops > CLOSING_LOOPS):
        state = worker._worker(old_state=state)
        if state == State.STOPPED:
            raise SystemExit("the bot stopped itself")
        loops += 1
        ask("loop", loops)
        if finish and loops >= 2:
            worker.freqtrade.config["max_open_trades"] = 0
            _exit_all(worker)
            if not Trade.get_open_trade_count():
                break
    worker.exit()


def _exit_all(worker: Worker) -> None:
    """/forceexit all, as often as it takes."""
    for trade in Trade.get_open_trades():
        try:
            RPC(worker.freqtrade)._rpc_force_exit(str(trade.id))
        except (RPCException, FreqtradeException) as error:
            # Telegram would show it; the next loop tries again.
            logger.warning(f"Exit of {trade.pair} refused: {error}")
            Trade.session.rollback()
