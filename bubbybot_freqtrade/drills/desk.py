"""One freqtrade bot on one sandbox, both on one virtual clock, and all they are seen doing."""

from __future__ import annotations

import json
import logging
import os
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from freqtrade.configuration import Configuration
from freqtrade.enums import State
from freqtrade.exceptions import FreqtradeException
from freqtrade.freqtradebot import FreqtradeBot
from freqtrade.loggers import LOGFORMAT
from freqtrade.persistence import Trade
from freqtrade.rpc import RPC
from freqtrade.rpc.rpc import RPCException
from freqtrade.worker import Worker

from bubbybot_freqtrade.drills.laws import Audit, audit, unknown_positions
from bubbybot_freqtrade.drills.market import PAIRS, START, inst_id, quiet, write_market
from bubbybot_freqtrade.drills.secrets import drill_key, environment, leaks
from bubbybot_freqtrade.drills.watch import Watch
from bubbybot_freqtrade.rehearsal.clock import VirtualClock
from bubbybot_freqtrade.rehearsal.hearing import Hearing
from bubbybot_freqtrade.sandbox.api.faults import Fault
from bubbybot_freqtrade.sandbox.hosts import hosts_of
from bubbybot_freqtrade.sandbox.server import Sandbox
from bubbybot_freqtrade.sandbox.settings import ApiKey, SandboxSettings

START_MS = int(START.timestamp() * 1000)
HALF_A_DAY = 720
# How long a client waits for an answer, ms of real time; ccxt's 10 s would make lost ones slow.
CLIENT_TIMEOUT_MS = 1000
# What a loop of a bot takes, its sleep included; freqtrade's own default.
LOOP_SECONDS = 5

# The desk keeps the log itself.
_NO_HANDLERS = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {},
    "handlers": {},
    "root": {"handlers": []},
}

logger = logging.getLogger(__name__)


class BotLog(logging.Handler):
    """The bot's log into a file."""

    def __init__(self, file: Path, level: int = logging.DEBUG) -> None:
        """Write what is `level` or above to `file`."""
        super().__init__(level)
        self._file = logging.FileHandler(file, encoding="utf-8")
        self._file.setFormatter(logging.Formatter(LOGFORMAT))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        self._file.emit(record)

    def attach(self) -> None:
        """Be the root logger's only handler; freqtrade puts up its own when it reads a config."""
        logging.root.handlers = [self]
        logging.root.setLevel(self.level)
        # freqtrade quietens them; they are the ones that could tell a key.
        for name in ("ccxt.base.exchange", "requests", "urllib3", "httpx"):
            logging.getLogger(name).setLevel(self.level)

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Take the root logger's place for a while."""
        before, level = list(logging.root.handlers), logging.root.level
        self.attach()
        try:
            yield
        finally:
            logging.root.handlers = before
            logging.root.setLevel(level)
            self._file.close()


class DeskLog(BotLog):
    """The log of a bot in this process, DEBUG included; from INFO on it is kept in `lines` too."""

    def __init__(self, file: Path) -> None:
        """Write to `file`."""
        super().__init__(file)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record and keep it."""
        super().emit(record)
        if record.levelno >= logging.INFO:
            self.lines.append(f"{record.levelname} {record.name} {record.getMessage()}")


def bot_config(
    sandbox_url: str, folder: Path, strategy: str, pairs: tuple[str, ...], **changes: Any
) -> dict[str, Any]:
    """Config of a live bot on a sandbox, without its keys; `changes` replace whole keys.

    `timeout_ms` is how long it waits for an answer, in real time.
    """
    pricing = {"price_side": "other", "use_order_book": True, "order_book_top": 1}
    exchange = {
        "name": "blofin",
        # Sockets live in real time, whoever wants them says so.
        "enable_ws": False,
        "account_stream": False,
        "ccxt_config": {
            "enableRateLimit": False,
            "timeout": changes.pop("timeout_ms", CLIENT_TIMEOUT_MS),
            "urls": {"api": hosts_of(sandbox_url)},
        },
        "pair_whitelist": list(pairs),
        **changes.pop("exchange", {}),
    }
    return {
        "strategy": strategy,
        "strategy_path": str(Path(__file__).parent / "strategies"),
        "dry_run": False,
        "user_data_dir": str(folder),
        "db_url": f"sqlite:///{folder}/trades.sqlite",
        "datadir": str(folder / "data"),
        "trading_mode": "futures",
        "margin_mode": "isolated",
        "stake_currency": "USDT",
        "stake_amount": 100,
        "max_open_trades": 30,
        "force_entry_enable": True,
        "entry_pricing": pricing,
        "exit_pricing": pricing,
        "unfilledtimeout": {"entry": 5, "exit": 5, "unit": "minutes"},
        "pairlists": [{"method": "StaticPairList"}],
        "initial_state": "running",
        "internals": {"process_throttle_secs": LOOP_SECONDS, "heartbeat_interval": 0},
        "log_config": _NO_HANDLERS,
        "exchange": exchange,
        **changes,
    }


@contextmanager
def environment_of(key: ApiKey) -> Iterator[None]:
    """Give freqtrade a key as its users do, and none of its user's own settings."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.upper().startswith("FREQTRADE__")]:
        del os.environ[name]
    os.environ.update(environment(key))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Desk:
    """A bot and a venue to do bad things to.

    with Desk(folder) as desk:
        desk.start()
        desk.enter(BTC)
        desk.fault(kind="lost_reset", path="*/trade/order")
        ...
        assert desk.broken() == []
    """

    def __init__(
        self,
        folder: Path,
        prices: Mapping[str, np.ndarray] | None = None,
        *,
        strategy: str = "Idle",
        config: Mapping[str, Any] | None = None,
        key: ApiKey | None = None,
        bots_apart: bool = False,
        account_stream: bool = False,
        **settings: Any,
    ) -> None:
        """`prices` as of `market.write_market`, `settings` those of the sandbox.

        bots_apart: bots are processes of their own, each with its clock; time is real here.
        """
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        market = write_market(folder / "market", {**quiet(HALF_A_DAY), **(prices or {})})
        self.pairs = tuple(dict.fromkeys((*PAIRS, *(prices or {}))))
        self.key = key or drill_key(1)
        self._texts: list[str] = []
        database = {"db_url": f"sqlite:///{folder}/trades.sqlite"}
        self._config = {**database, "strategy": strategy, **(config or {})}
        self.db_url: str = self._config["db_url"]
        given: dict[str, Any] = {
            "data": market,
            "margin_mode": "isolated",
            "rate_limits": False,
            "start_ms": START_MS,
            "keys": (self.key,),
        }
        self.sandbox = Sandbox(SandboxSettings.model_validate(given | settings))
        self.watch = Watch(self.sandbox, self.key.uid)
        self.log = DeskLog(folder / "bot.log")
        self.venue_lag_ms = 0
        self.foreign: list[str] = []
        self.stopped = ""
        self._worker: Worker | None = None
        self._state: State | None = None
        self._hearing: Hearing | None = None
        self._bots_apart = bots_apart
        self._account_stream = account_stream
        self._stack = ExitStack()

    def __enter__(self) -> Desk:
        """Open the venue; no bot yet."""
        self._stack.enter_context(self.sandbox)
        self._stack.enter_context(environment_of(self.key))
        self._stack.enter_context(self.log.attached())
        self.clock = VirtualClock(START_MS, self._advance)
        if not self._bots_apart:
            self._stack.enter_context(self.clock)
        self._stack.callback(self.end)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close both."""
        self._stack.close()

    def _advance(self, ms: int) -> None:
        self.watch.advance(max(ms - self.venue_lag_ms, self.sandbox.engine.now_ms))
        self._hear()

    def _hear(self) -> None:
        if self._hearing is not None and not self._bots_apart:
            self._hearing.catch_up()

    # The bot

    def start(self, **changes: Any) -> FreqtradeBot:
        """Start a bot as `freqtrade trade` does; what refuses to start raises."""
        file = self.folder / "config.json"
        given = {**self._config, **changes}
        listening = {"account_stream": self._account_stream}
        given["exchange"] = {**listening, **given.get("exchange", {})}
        if self.sandbox.settings.transfer_check == "amount":
            # The bot can't know then what its key may do; its owner has to say.
            allowed = {"allow_transfer_permission": True}
            given["exchange"] = {**allowed, **given.get("exchange", {})}
        strategy, pairs = given.pop("strategy"), given.pop("pairs", self.pairs)
        config = bot_config(self.sandbox.url, self.folder, strategy, pairs, **given)
        file.write_text(json.dumps(config, indent=4))
        args = {"config": [str(file)], "verbosity": 0}
        try:
            settings = Configuration(args).get_config()
            self.log.attach()
            self._worker = Worker(args, settings)
        except Exception as error:
            self.tell(error)
            raise
        self._state = None
        self._hearing = Hearing(self.sandbox, self.bot.exchange.real_time)
        return self.bot

    @property
    def bot(self) -> FreqtradeBot:
        """The bot; start it first."""
        if self._worker is None:
            raise RuntimeError("no bot was started")
        return self._worker.freqtrade

    def end(self) -> None:
        """End the bot as a kill would: nothing is closed at the venue."""
        if self._worker is not None:
            self._hearing = None
            self._worker.freqtrade.cleanup()
            Trade.session.remove()
            self._worker = None

    def restart(self, minutes: float = 1.0) -> None:
        """End the bot, let time pass, start another one on the same database."""
        self.end()
        self.pass_time(minutes)
        self.start()

    def tell(self, error: BaseException) -> None:
        """Keep what a crash would print, for the search for secrets."""
        self._texts += traceback.format_exception(error)

    # Time

    def pass_time(self, minutes: float) -> None:
        """Play the market on; the bot sleeps."""
        with self.watch.asleep():
            self.clock.sleep(minutes * 60)

    def real_pause(self, seconds: float) -> None:
        """Let other threads work; virtual time stands still."""
        threading.Event().wait(seconds)

    def loop(
        self,
        count: int = 1,
        minutes: float = 0.0,
        *,
        able: bool = True,
        sleep_after: bool = True,
    ) -> None:
        """Let `minutes` pass and then the bot work `count` times, with freqtrade's own pauses.

        able: whether the bot could have acted at the venue. If so, what is bare after a loop
        breaks the law.
        """
        if minutes:
            self.pass_time(minutes)
        for _ in range(count):
            if self.stopped or self._worker is None:
                return
            self._worker._throttle_secs = LOOP_SECONDS if sleep_after else 0
            try:
                self._state = self._worker._worker(old_state=self._state)
                if self._state == State.RELOAD_CONFIG:
                    self._worker._reconfigure()
                    self._hearing = Hearing(self.sandbox, self.bot.exchange.real_time)
                    self.log.attach()
            except Exception as error:
                # Whatever kills the bot is a finding of the drill, not a failure of it.
                logger.exception("The bot died.")
                self.tell(error)
                self.stopped = f"the bot died of {type(error).__name__}: {error}"
                return
            if self.bot.state == State.STOPPED:
                self.stopped = "the bot stopped itself"
            if self._hearing is not None:
                self._hearing.connect()
            if able:
                self.watch.loop_ended()

    # What people and the venue do

    def enter(
        self, pair: str, side: str = "long", price: float | None = None, **kwargs: Any
    ) -> Trade | None:
        """Telegram's /forcelong or /forceshort; None when it is refused, as Telegram would say."""
        try:
            return RPC(self.bot)._rpc_force_entry(pair, price, order_side=side, **kwargs)
        except (RPCException, FreqtradeException) as error:
            logger.warning(f"Entry of {pair} refused: {error}")
            self.tell(error)
            Trade.session.rollback()
            return None

    def exit(self, pair: str | None = None, **kwargs: Any) -> None:
        """Telegram's /forceexit of a pair's trade, or of all."""
        for trade in Trade.get_open_trades():
            if pair in (None, trade.pair):
                try:
                    RPC(self.bot)._rpc_force_exit(str(trade.id), **kwargs)
                except (RPCException, FreqtradeException) as error:
                    logger.warning(f"Exit of {trade.pair} refused: {error}")
                    self.tell(error)
                    Trade.session.rollback()

    def app(self, path: str, body: Mapping[str, Any], what: str = "by hand in the app") -> Any:
        """Let the account's owner do something in the venue's app."""
        with self.watch.by_hand(what):
            answer = self.sandbox.app(f"/api/v1{path}", dict(body), uid=self.key.uid)
        self._hear()
        return answer

    def cancel_stops(self, pair: str) -> None:
        """The owner cancels the stops of a pair in the app."""
        for order in list(self.watch.account.live_tpsl(inst_id(pair))):
            self.app("/trade/cancel-tpsl", {"instId": order.inst_id, "tpslId": order.tpsl_id})

    def close_position(self, pair: str) -> None:
        """The owner closes a position in the app."""
        for position in list(self.watch.account.positions.values()):
            if position.inst_id == inst_id(pair):
                body = {
                    "instId": position.inst_id,
                    "marginMode": position.margin_mode,
                    "positionSide": position.position_side,
                }
                self.app("/trade/close-position", body)

    def open_position(self, pair: str, side: str = "buy", size: str = "10", **fields: str) -> str:
        """The owner opens a position in the app; its id, which freqtrade need not know."""
        body = {
            "instId": inst_id(pair),
            "marginMode": "isolated",
            "positionSide": "net",
            "side": side,
            "orderType": "market",
            "size": size,
            **fields,
        }
        self.app("/trade/order", body)
        (position,) = (
            p for p in self.watch.account.positions.values() if p.inst_id == inst_id(pair)
        )
        self.foreign.append(position.position_id)
        return position.position_id

    def fault(self, **fields: Any) -> str:
        """Switch a fault of the sandbox on; its id."""
        return self.sandbox.faults.add(Fault(**fields))

    def calm(self) -> None:
        """Switch all faults off."""
        self.sandbox.faults.clear()

    # What came of it

    def said(self, *words: str, since: int = 0) -> bool:
        """Whether one line of the log or message holds all of `words`, in any case."""
        wanted = [word.lower() for word in words]
        return any(all(w in line.lower() for w in wanted) for line in self.log.lines[since:])

    def unknown(self) -> list[str]:
        """Pairs of positions that the database does not know."""
        Trade.session.expire_all()
        with self.sandbox.engine.exclusive():
            return [position.inst_id for position in unknown_positions(self.watch.account)]

    def audit(self) -> Audit:
        """The books of both sides beside each other."""
        return audit(self.sandbox.engine, self.key.uid, self.foreign, self.watch.is_by_hand)

    def secrets_told(self) -> list[str]:
        """Where the key stands in what the bot left behind: log, database, messages, errors."""
        return leaks(self.folder, [self.key], self._texts)

    def broken(self) -> list[str]:
        """Every law broken so far, in sentences."""
        stopped = [self.stopped] if self.stopped else []
        return [*self.watch.broken, *self.audit().broken, *stopped]
