"""What the strategy gets to see of the candles when the websockets or the venue's data fail.

Candles that it sees must be the venue's, and finished: a signal of half a candle is none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from operator import eq
from typing import Any

from bubbybot_freqtrade.drills.account_stream import account_streams
from bubbybot_freqtrade.drills.desk import HALF_A_DAY, Desk
from bubbybot_freqtrade.drills.drill import Run
from bubbybot_freqtrade.drills.market import BTC, ETH, SOL, inst_id, walk
from bubbybot_freqtrade.sandbox.api.candle_feed import CandleFault
from bubbybot_freqtrade.sandbox.api.streams import StreamFaults

MINUTE_MS = 60_000
MINUTES_A_CASE = 4
PUSHES_A_MINUTE = 4
COMPARED = 30
# Pushes come in real time; what has not come by then is late, which is one of the cases.
PATIENCE_S = 0.4

Case = Callable[[Desk], None]


def streams(run: Run) -> None:
    """What comes over the public websocket, then the account's own."""
    candle_streams(run)
    account_streams(run)


def candle_streams(run: Run) -> None:
    """Every fault of the streams for some minutes, then a peaceful minute."""
    cases: dict[str, tuple[Case, Case]] = {
        "nothing is wrong": (_nothing, _nothing),
        "dropped again and again": (_drop, _nothing),
        "refused": (_refuse, _mend),
        "silent": (_set(silent=True), _mend),
        "slow": (_set(delay_ms=150), _mend),
        "out of order": (_set(shuffle=True), _mend),
        "silent from the middle of a candle": (_silent_late, _mend),
        "a candle is missing": (_spoil("missing"), _mend),
        "a candle is corrected later": (_spoil("changed"), _mend),
    }
    prices = {
        pair: walk(price, HALF_A_DAY, run.seed + number, 2e-3)
        for number, (pair, price) in enumerate(((BTC, 50_000.0), (ETH, 2_000.0), (SOL, 150.0)))
    }
    with run.desk(prices) as desk:
        desk.start(timeframe="1m", exchange={"enable_ws": True})
        desk.loop()
        for name, (begin, end) in cases.items():
            if not run.cases(name):
                continue
            honest = not name.startswith("a candle")
            for _ in range(MINUTES_A_CASE):
                begin(desk)
                _minute(desk)
                _compare(run, desk, name, honest=honest)
            end(desk)
            _minute(desk)
            _minute(desk)
            _compare(run, desk, f"{name}, mended", honest=True)
            run.check(desk, name)
            run.say(name)
        asked = desk.watch.requests["GET /api/v1/market/candles"]
        run.figures.notes.append(f"candles asked for {asked} times, pushed otherwise")


def _minute(desk: Desk) -> None:
    """A minute of the market, its pushes and then the loop that sees the new candle."""
    push(desk, PUSHES_A_MINUTE)
    desk.loop()


def push(desk: Desk, times: int, patience_s: float = PATIENCE_S) -> None:
    """Move the market on, and let the websockets be read if the bot uses any."""
    for _ in range(times):
        before = _pushed(desk)
        desk.clock.sleep(60 / PUSHES_A_MINUTE)
        await_pushes(desk, before, patience_s)


def await_pushes(desk: Desk, before: Sequence[Any], patience_s: float = PATIENCE_S) -> None:
    """Wait until each pair's candles are others than `before`; virtual time stands still."""
    deadline = time.perf_counter() + patience_s
    while any(map(eq, _pushed(desk), before)) and time.perf_counter() < deadline:
        desk.real_pause(0.01)


def _pushed(desk: Desk) -> list[Any]:
    """The newest candle of each pair that the websocket has, none where it isn't used."""
    watched = desk.bot.exchange._exchange_ws
    return [watched.ohlcvs(pair, "1m")[-1:] for pair in (BTC, ETH, SOL)] if watched else []


def _compare(run: Run, desk: Desk, case: str, *, honest: bool) -> None:
    """What the strategy saw beside the venue's own candles."""
    now = desk.sandbox.engine.now_ms
    for pair, seen in desk.bot.strategy.seen.items():
        last = int(seen["date"].iloc[-1].timestamp() * 1000)
        run.must(last + MINUTE_MS <= now, case, f"{pair}: the strategy saw an unfinished candle")
        if not honest:
            continue
        run.must(last + 2 * MINUTE_MS > now - 5_000, case, f"{pair}: the newest candle is missing")
        truth = desk.sandbox.market.candles(
            inst_id(pair), "1m", "last", now_ms=now, limit=COMPARED + 1
        )
        closes = {candle.ts: float(candle.close) for candle in truth}
        rows = seen.tail(COMPARED)
        wrong = [
            f"{date:%H:%M} {close} for {closes.get(stamp)}"
            for date, close in zip(rows["date"], rows["close"], strict=True)
            if (stamp := int(date.timestamp() * 1000)) in closes
            and abs(closes[stamp] - close) > 1e-9 * close
        ]
        run.must(not wrong, case, f"{pair}: {', '.join(wrong)}")


def _nothing(desk: Desk) -> None:
    """Peace."""


def _drop(desk: Desk) -> None:
    desk.sandbox.streams.drop()


def _refuse(desk: Desk) -> None:
    desk.sandbox.streams.faults = StreamFaults(refuse=True)
    desk.sandbox.streams.drop()


def _set(**fields: Any) -> Case:
    def begin(desk: Desk) -> None:
        desk.sandbox.streams.faults = StreamFaults(**fields)

    return begin


def _silent_late(desk: Desk) -> None:
    """Pushes end three quarters into a candle: the last one heard of it is not its last."""
    desk.sandbox.streams.faults = StreamFaults()
    push(desk, PUSHES_A_MINUTE - 1)
    desk.sandbox.streams.faults = StreamFaults(silent=True)


def _spoil(kind: str) -> Case:
    def begin(desk: Desk) -> None:
        now = desk.sandbox.engine.now_ms
        for pair in (BTC, ETH, SOL):
            fault = {
                "inst_id": inst_id(pair),
                "bar": "1m",
                "ts": now // MINUTE_MS * MINUTE_MS,
                "kind": kind,
                "until_ms": now + 4 * MINUTE_MS,
            }
            desk.sandbox.feed.faults.append(CandleFault.model_validate(fault))

    return begin


def _mend(desk: Desk) -> None:
    desk.sandbox.streams.faults = StreamFaults()
    with suppress(ValueError):
        desk.clock.sleep(5 * 60)
    desk.loop()
