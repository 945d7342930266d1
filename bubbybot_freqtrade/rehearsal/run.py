"""The rehearsal itself: freqtrade's worker, as `freqtrade trade` runs it, on the sandbox.

Nothing of the bot is replaced but the time it lives in and how long it sleeps between two loops: as
usual while an order is open or candles of many pairs are to come, `loop_seconds` while a trade is,
else until the next candle, for nothing can happen to it before.
"""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from freqtrade.configuration import Configuration
from freqtrade.configuration.config_validation import validate_config_schema
from freqtrade.constants import PROCESS_THROTTLE_SECS
from freqtrade.enums import State
from freqtrade.exceptions import FreqtradeException
from freqtrade.persistence import Order, Trade
from freqtrade.resolvers import StrategyResolver
from freqtrade.rpc import RPC
from freqtrade.worker import Worker

from bubbybot_freqtrade.commands.own_folder import claim
from bubbybot_freqtrade.commands.user_config import quiet_freqtrade
from bubbybot_freqtrade.rehearsal.bot_log import BotLog
from bubbybot_freqtrade.rehearsal.clock import VirtualClock
from bubbybot_freqtrade.rehearsal.hearing import Hearing
from bubbybot_freqtrade.rehearsal.ledgers import TradeAccounts, Wallets, reconcile
from bubbybot_freqtrade.rehearsal.rules import ORDER_PATHS, Evidence, Request, entry_orders
from bubbybot_freqtrade.rehearsal.settings import (
    DEFAULT_PAIRS,
    RehearsalSettings,
    freqtrade_config,
    inst_id,
    pair_of,
    without_freqtrade_environment,
    write_config,
)
from bubbybot_freqtrade.rehearsal.trades import TradeRecord, trade_records
from bubbybot_freqtrade.rehearsal.venue_log import PositionLog, VenueLog
from bubbybot_freqtrade.sandbox.api.rest import PRIVATE
from bubbybot_freqtrade.sandbox.market.candles import CandleFolder
from bubbybot_freqtrade.sandbox.market.instruments import catalogue
from bubbybot_freqtrade.sandbox.opening import GENERATED_START_MS
from bubbybot_freqtrade.sandbox.server import Sandbox
from bubbybot_freqtrade.sandbox.settings import SandboxSettings
from bubbybot_freqtrade.seams.listed import BOTS_IN_A_ROOM
from bubbybot_freqtrade.seams.start import refuse_unknown

DAY_MS = 86_400_000

# Recorded candles must last for the loops in which the last trades are closed.
LAST_MINUTES_MS = 15 * 60_000

# How long before a candle's first loop the bot looks at its trades once more.
CANDLE_EVE_SECONDS = 15

# Loops in which the last exits have to be filled and noticed.
CLOSING_LOOPS = 10

logger = logging.getLogger(__name__)


class RehearsalError(ValueError):
    """A rehearsal that cannot begin; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Span:
    """What is played: pairs as freqtrade spells them and times in ms."""

    pairs: tuple[str, ...]
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class LoopRequests:
    """Requests of one loop of the bot by kind, and the seconds it took in real time."""

    trading: int
    private: int
    public: int
    open_trades: int
    seconds: float


@dataclass(slots=True)
class Rehearsal:
    """What came of it."""

    settings: RehearsalSettings
    span: Span
    config: dict[str, Any]
    timeframe: str = ""
    timeframes: tuple[str, ...] = ()
    startup_candles: int = 0
    plans: bool = False
    trades: list[TradeRecord] = field(default_factory=list)
    positions: list[PositionLog] = field(default_factory=list)
    accounts: list[TradeAccounts] = field(default_factory=list)
    wallets: Wallets = field(default_factory=Wallets)
    loops: list[LoopRequests] = field(default_factory=list)
    orders: list[Request] = field(default_factory=list)
    left_open: list[str] = field(default_factory=list)
    stopped: str = ""
    log: BotLog | None = None
    seconds: float = 0.0

    @property
    def entries(self) -> int:
        """Requests so far that open a position."""
        return sum(1 for request in self.orders for _ in entry_orders(request))

    @property
    def evidence(self) -> Evidence:
        """What the rules look at."""
        return Evidence(
            requests=self.orders,
            positions=self.positions,
            trades=self.trades,
            accounts=self.accounts,
            wallets=self.wallets,
            left_open=self.left_open,
            stopped=self.stopped,
            errors=self.log.errors if self.log else (),
        )


Progress = Callable[[Rehearsal, int], None]
"""Called after every loop with the rehearsal so far and the virtual time in ms."""

Drill = Callable[[Sandbox, int], None]
"""Called before every loop with the sandbox and the virtual time in ms; may spoil the day."""


def no_drill(_sandbox: Sandbox, _now_ms: int) -> None:
    """An ordinary day."""


def span_of(settings: RehearsalSettings) -> Span:
    """Pairs and range of a rehearsal.

    :raises RehearsalError: when the data is too short for the range asked for.
    """
    length = int(settings.days * DAY_MS)
    if settings.data is None:
        start = GENERATED_START_MS if settings.start is None else _midnight(settings)
        return Span(_generated_pairs(settings), start, start + length)
    wanted = None if settings.pairs is None else tuple(map(inst_id, settings.pairs))
    folder = CandleFolder(settings.data, pairs=wanted, seed=settings.seed)
    spans = [folder.span(name) for name in folder.instruments]
    first = max(begin for begin, _ in spans)
    last = min(end for _, end in spans if end is not None) - LAST_MINUTES_MS
    start = last + LAST_MINUTES_MS - length if settings.start is None else _midnight(settings)
    end = min(start + length, last)
    if start <= first or start >= end:
        raise RehearsalError(
            f"{settings.data}: its candles reach from {_day(first)} to {_day(last)}, which does "
            f"not hold {settings.days:g} days from {_day(start)}; choose --start and --days inside"
        )
    return Span(tuple(map(pair_of, folder.instruments)), start, end)


def _generated_pairs(settings: RehearsalSettings) -> tuple[str, ...]:
    if settings.pair_count is None:
        return settings.pairs or DEFAULT_PAIRS
    return tuple(pair_of(contract.inst_id) for contract in catalogue(settings.pair_count))


def rehearse(
    settings: RehearsalSettings,
    progress: Progress = lambda *_: None,
    *,
    drill: Drill = no_drill,
    after: Callable[[Rehearsal, Sandbox], None] = lambda *_: None,
) -> Rehearsal:
    """Play a rehearsal to its end.

    :param after: called in real time with the result while the sandbox still runs.
    :raises RehearsalError, DataFolderError, OutFolderError, OperationalException: when it
        cannot begin; what an earlier rehearsal left is there still.
    """
    refuse_unknown(*BOTS_IN_A_ROOM)
    span = span_of(settings)
    out = settings.out
    claim(out)
    with ExitStack() as stack:
        stack.enter_context(without_freqtrade_environment())
        _try_config(settings, span)
        _clean(out)
        log = stack.enter_context(BotLog(out / "freqtrade.log"))
        sandbox = stack.enter_context(Sandbox(_sandbox_settings(settings, span)))
        config = freqtrade_config(settings, span.pairs, sandbox.url)
        write_config(config, out / "config.json")
        result = Rehearsal(settings, span, config, log=log)
        begin = perf_counter()
        venue = VenueLog(sandbox)
        with VirtualClock(span.start_ms, venue.advance) as clock:
            _Run(result, sandbox, venue, clock, log).play(progress, drill)
        result.positions = venue.positions
        result.seconds = perf_counter() - begin
        after(result, sandbox)
    return result


class _Run:
    """One bot on one sandbox, inside the virtual clock."""

    def __init__(
        self,
        result: Rehearsal,
        sandbox: Sandbox,
        venue: VenueLog,
        clock: VirtualClock,
        log: BotLog,
    ) -> None:
        self.result = result
        self.sandbox = sandbox
        self.clock = clock
        args = {"config": [str(result.settings.out / "config.json")], "verbosity": 0}
        config = Configuration(args).get_config()
        log.attach()
        self.worker = Worker(args, config)
        self.worker._throttle_secs = DAY_MS / 1000
        self.worker._sleep = self._sleep
        self.bot = self.worker.freqtrade
        self.real_time = self.bot.exchange.real_time
        self.hearing = Hearing(sandbox, self.real_time)
        venue.after_advance = self.hearing.catch_up

    def play(self, progress: Progress, drill: Drill) -> None:
        """From the first loop to the last exit."""
        strategy = self.bot.strategy
        self.result.timeframe = strategy.timeframe
        self.result.startup_candles = strategy.startup_candle_count
        informative = {timeframe for _, timeframe, _ in strategy.gather_informative_pairs()}
        self.result.timeframes = (strategy.timeframe, *sorted(informative - {strategy.timeframe}))
        self.result.plans = any(c.__name__ == "BubbyBotStrategy" for c in type(strategy).__mro__)
        try:
            self._loops(progress, drill)
            self._close_all(progress)
            self._read_books()
        finally:
            self.worker.exit()

    def _loops(self, progress: Progress, drill: Drill) -> None:
        state: State | None = None
        while self.clock.now_ms < self.result.span.end_ms and not self.result.stopped:
            drill(self.sandbox, self.clock.now_ms)
            state = self._loop(state)
            progress(self.result, self.clock.now_ms)

    def _loop(self, state: State | None) -> State | None:
        """One round of freqtrade's worker, the sleep at its end included."""
        begin = perf_counter()
        try:
            state = self.worker._worker(old_state=state)
        except Exception as error:
            # Whatever kills the bot is a finding of the rehearsal, not a failure of it.
            logger.exception("The bot died.")
            self.result.stopped = f"the bot died of {type(error).__name__}: {error}"
        else:
            if self.bot.state == State.STOPPED:
                self.result.stopped = "the bot stopped itself, see the log"
        self.hearing.connect()
        self._count_requests(perf_counter() - begin)
        return state

    def _sleep(self, seconds: float) -> None:
        """What the worker does between two loops; it asks for the time until the next candle."""
        if any(order.ft_order_side != "stoploss" for order in Order.get_open_orders()):
            seconds = min(seconds, PROCESS_THROTTLE_SECS)
        elif Trade.get_open_trade_count():
            # One loop right before the candle: an exit that is only seen with the candle costs its
            # entry, for freqtrade locks a pair until the next one.
            ahead = seconds - CANDLE_EVE_SECONDS
            pauses = (seconds, self.result.settings.loop_seconds, ahead)
            seconds = min((p for p in pauses if p >= PROCESS_THROTTLE_SECS), default=seconds)
        if self.bot.exchange.candle_queue.is_behind:
            seconds = min(seconds, PROCESS_THROTTLE_SECS)
        left = (self.result.span.end_ms - self.clock.now_ms) / 1000
        seconds = min(seconds, max(left, PROCESS_THROTTLE_SECS))
        if self.result.settings.account_stream:
            self.real_time.bell.pause(seconds)
        else:
            self.clock.sleep(seconds)

    def _count_requests(self, seconds: float) -> None:
        kinds: Counter[str] = Counter()
        for request in self.sandbox.requests:
            endpoint = PRIVATE.get(request.method, {}).get(request.path)
            kinds[
                "public" if endpoint is None else "trading" if endpoint.trading else "private"
            ] += 1
            if request.method == "POST" and request.path.endswith(ORDER_PATHS):
                self.result.orders.append(request)
        self.sandbox.requests.clear()
        self.result.loops.append(
            LoopRequests(
                trading=kinds["trading"],
                private=kinds["private"],
                public=kinds["public"],
                open_trades=Trade.get_open_trade_count(),
                seconds=seconds,
            )
        )

    def _close_all(self, progress: Progress) -> None:
        """Telegram's /forceexit all, and the loops in which freqtrade sees it done."""
        if self.result.stopped:
            return
        try:
            RPC(self.bot)._rpc_force_exit("all")
        except FreqtradeException as error:
            self.result.stopped = f"the bot could not close its last trades: {error}"
        state: State | None = self.bot.state
        self.bot.config["max_open_trades"] = 0
        for _ in range(CLOSING_LOOPS):
            if self.result.stopped or not Trade.get_open_trade_count():
                break
            state = self._closing_loop(state)
            progress(self.result, self.clock.now_ms)

    def _closing_loop(self, state: State | None) -> State | None:
        self.clock.sleep(5)
        return self._loop(state)

    def _read_books(self) -> None:
        result = self.result
        result.trades = trade_records()
        with self.sandbox.engine.exclusive():
            ledger = self.sandbox.ledger()
            result.accounts = reconcile(result.trades, ledger.entries)
            venue_wallet = float(ledger.balance)
            result.left_open += self._left_on_the_venue()
        result.left_open += [f"freqtrade still holds {t}" for t in Trade.get_open_trades()]
        result.wallets = Wallets(venue_wallet, self._bot_wallet())

    def _bot_wallet(self) -> float:
        try:
            self.bot.wallets.update()
        except FreqtradeException as error:
            self.result.stopped = self.result.stopped or f"the bot cannot see its account: {error}"
        return self.bot.wallets.get_total("USDT")

    def _left_on_the_venue(self) -> list[str]:
        account = next(iter(self.sandbox.engine.venue.accounts.values()))
        return [
            *(f"the venue still has a position in {p.inst_id}" for p in account.positions.values()),
            *(f"the venue still has order {o.order_id}" for o in account.live_orders()),
            *(f"the venue still has TP/SL {o.tpsl_id}" for o in account.live_tpsl()),
        ]


def _sandbox_settings(settings: RehearsalSettings, span: Span) -> SandboxSettings:
    return SandboxSettings(
        data=settings.data,
        seed=settings.seed,
        pairs=tuple(map(inst_id, span.pairs)),
        start_ms=span.start_ms,
        balance=settings.balance,
        clock="driven",
        **settings.readings,
    )


def _try_config(settings: RehearsalSettings, span: Span) -> None:
    """Refuse a config or strategy that freqtrade will not take.

    :raises FreqtradeException: what freqtrade says of it.
    """
    config = freqtrade_config(settings, span.pairs, "")
    with quiet_freqtrade():
        validate_config_schema(config)
        StrategyResolver.load_strategy({**config, "user_data_dir": settings.out})


def _clean(out: Path) -> None:
    """Take away what an earlier rehearsal left in the output folder."""
    for name in ("trades.sqlite", "trades.sqlite-shm", "trades.sqlite-wal", "freqtrade.log"):
        (out / name).unlink(missing_ok=True)
    for name in ("data", "backtest_results", "models"):
        shutil.rmtree(out / name, ignore_errors=True)
    for name in ("data", "backtest_results"):
        (out / name).mkdir()


def _midnight(settings: RehearsalSettings) -> int:
    assert settings.start is not None  # noqa: S101 - asked before
    day = settings.start
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def _day(ms: int) -> str:
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms):%Y-%m-%d %H:%M}"
