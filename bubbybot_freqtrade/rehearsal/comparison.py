"""The rehearsal's trades beside the backtest's, and the cause of every difference.

For a pair of trades the difference in USDT is split exactly: into size, entry price, exit price,
fees and funding; the exit's part gets the name of what made the exits differ. What the split leaves
over is shown as unexplained. A trade that only one side has gets the reason for which the other
side did not make it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from freqtrade.exchange import timeframe_to_msecs

from bubbybot_freqtrade.rehearsal.backtest import BacktestTrade
from bubbybot_freqtrade.rehearsal.bot_log import ALL_PAIRS
from bubbybot_freqtrade.rehearsal.ledgers import CENT
from bubbybot_freqtrade.rehearsal.run import DAY_MS, Rehearsal
from bubbybot_freqtrade.rehearsal.trades import TradeRecord

UNEXPLAINED = "unexplained"
SEEN_LATE = "the bot saw its last exit in this candle, freqtrade locks the pair for the rest of it"

STOPS = ("stop_loss", "stoploss_on_exchange", "trailing_stop_loss")
TARGETS = ("roi", "take_profit_on_exchange")

SIGNAL_TOLERANCE = {"stop": 1e-5, "target": 1e-5, "confidence": 1e-3}
"""What a plan takes from its signal candle, with the relative difference that means nothing."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One named part of a difference, USDT in favour of the rehearsal; None where it has none."""

    cause: str
    usdt: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A trade on both sides, or on one."""

    live: TradeRecord | None
    backtest: BacktestTrade | None
    differences: tuple[Difference, ...]

    @property
    def is_explained(self) -> bool:
        """Whether every cent has a name."""
        return not any(part.cause.startswith(UNEXPLAINED) for part in self.differences)


def compare(rehearsal: Rehearsal, backtested: Sequence[BacktestTrade]) -> list[Comparison]:
    """All trades of both sides in the order of their entries.

    Trades belong together when they are of one pair and side and were entered in the same candle.
    """
    candle = timeframe_to_msecs(rehearsal.timeframe)
    remaining = {(t.pair, t.side, t.opened_ms // candle): t for t in backtested}
    rows = []
    for live in rehearsal.trades:
        key = (live.pair, live.side, live.opened_ms // candle)
        other = remaining.pop(key, None)
        if other is None:
            cause = _why_only_live(live, backtested, rehearsal, candle)
            rows.append(Comparison(live, None, (Difference(cause),)))
        else:
            rows.append(Comparison(live, other, tuple(_differences(live, other, candle))))
    for alone in remaining.values():
        cause = _why_only_backtested(alone, rehearsal, candle)
        rows.append(Comparison(None, alone, (Difference(cause),)))
    return sorted(rows, key=_entered)


def _entered(row: Comparison) -> int:
    times = [trade.opened_ms for trade in (row.live, row.backtest) if trade is not None]
    return min(times)


def _differences(live: TradeRecord, other: BacktestTrade, candle: int) -> Iterable[Difference]:
    """The parts of live.net - other.net, from the backtest's trade to the live one in steps."""
    if live.tag != other.tag or not _planned_alike(live.plan or {}, other.planned):
        here = _signal(live.tag, live.plan or {})
        yield Difference(f"{UNEXPLAINED}: {here} here, {_signal(other.tag, other.planned)} there")
    if live.exit is None:
        yield Difference("still open in the rehearsal")
        return
    sign = live.sign
    gross_at = [
        sign * other.amount * (other.exit - other.entry),
        sign * live.amount * (other.exit - other.entry),
        sign * live.amount * (other.exit - live.entry),
        sign * live.amount * (live.exit - live.entry),
    ]
    parts = [
        Difference(_why_size(live, other), gross_at[1] - gross_at[0]),
        Difference("entry: book and slippage, not the candle's open", gross_at[2] - gross_at[1]),
        Difference(_why_exit(live, other, candle), gross_at[3] - gross_at[2]),
        Difference("fees: follow size and prices", other.fees - live.fees),
        Difference(_why_funding(live, other), live.funding - other.funding),
    ]
    named = sum(part.usdt or 0.0 for part in parts)
    rest = Difference(UNEXPLAINED, live.net - other.net - named)
    # Each part below half a cent, and all of them together, is rounding.
    yield from (part for part in (*parts, rest) if abs(part.usdt or 0.0) >= CENT / 2)


def _planned_alike(plan: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether both plans took the same from the signal candle.

    Size and leverage follow the entry's own price and account. Analysis on 1,439 candles may differ
    from that on all in the sixth digit, so a price may round to the neighbouring tick.
    """
    return all(
        math.isclose(plan.get(name, 0.0), other.get(name, 0.0), rel_tol=tolerance)
        for name, tolerance in SIGNAL_TOLERANCE.items()
    )


def _signal(tag: str, planned: Mapping[str, Any]) -> str:
    levels = [f"{name} {planned[name]:.8g}" for name in SIGNAL_TOLERANCE if name in planned]
    return ", ".join([tag or "no tag", *levels])


def _why_size(live: TradeRecord, other: BacktestTrade) -> str:
    if live.leverage != other.leverage:
        return f"size: {live.leverage:g}x for {other.leverage:g}x at another entry price"
    return "size: another entry price and account"


def _why_exit(live: TradeRecord, other: BacktestTrade, candle: int) -> str:
    same_candle = (
        live.closed_ms is not None and live.closed_ms // candle == other.closed_ms // candle
    )
    kinds = _kind(live.exit_reason), _kind(other.exit_reason)
    if kinds == ("stop", "stop"):
        return (
            "exit: the stop filled at the market" if same_candle else "exit: stop moved elsewhere"
        )
    if kinds == ("target", "target"):
        return (
            "exit: the target filled at the market" if same_candle else "exit: target reached later"
        )
    if kinds[0] == kinds[1]:
        return f"exit: {live.exit_reason} at the book's price, not the candle's"
    if same_candle:
        return "exit: stop and target in one candle, the venue saw which came first"
    return f"exit: {live.exit_reason} here, {other.exit_reason} there"


def _kind(reason: str) -> str:
    if reason in STOPS:
        return "stop"
    if reason in TARGETS:
        return "target"
    return reason


def _why_funding(live: TradeRecord, other: BacktestTrade) -> str:
    if other.opened_ms % timeframe_to_msecs("8h") == 0 and live.opened_ms > other.opened_ms:
        return "funding: the backtest enters in the moment of settlement, the bot after it"
    if abs((live.closed_ms or 0) - other.closed_ms) > timeframe_to_msecs("1h"):
        return "funding: held for another time"
    return "funding: mark price of the moment, not of the hour"


def _why_only_live(
    live: TradeRecord, backtested: Sequence[BacktestTrade], rehearsal: Rehearsal, candle: int
) -> str:
    opened = live.opened_ms // candle * candle
    for other in backtested:
        if other.pair == live.pair and other.opened_ms <= opened < other.closed_ms:
            return "the backtest was still in its trade before"
    if _open_at(opened, backtested) >= _slots(rehearsal):
        return "the backtest had no free slot"
    if opened + candle >= rehearsal.span.end_ms:
        return "the backtest does not enter on its last candle"
    if live.opened_ms - opened > 3 * 60_000:
        return "entered in mid-candle"
    return UNEXPLAINED


def _why_only_backtested(other: BacktestTrade, rehearsal: Rehearsal, candle: int) -> str:
    opened = other.opened_ms
    for live in rehearsal.trades:
        ended = live.closed_ms or rehearsal.span.end_ms
        if live.pair == other.pair and live.opened_ms < opened + candle and opened < ended + candle:
            late = ended <= opened
            return SEEN_LATE if late else "the bot was still in its trade before"
    if _open_at(opened, rehearsal.trades) >= _slots(rehearsal):
        return "the bot had no free slot"
    said = rehearsal.log.lines_about(other.pair, opened, opened + candle) if rehearsal.log else []
    for line in said:
        if line.startswith("No trade. "):
            return f"refused live: {line.removeprefix('No trade. ')}"
    locked = [line for line in said if "locked" in line]
    if rehearsal.log is not None:
        day = opened // DAY_MS * DAY_MS
        locked += rehearsal.log.lines_about(ALL_PAIRS, day, opened + candle)
    return f"not entered live: {locked[0]}" if locked else UNEXPLAINED


def _slots(rehearsal: Rehearsal) -> float:
    """How many trades may be open; freqtrade writes -1 for any number."""
    slots = float(rehearsal.config["max_open_trades"])
    return math.inf if slots < 0 else slots


def _open_at(ms: int, trades: Iterable[TradeRecord | BacktestTrade]) -> int:
    return sum(t.opened_ms <= ms < (t.closed_ms or ms + 1) for t in trades)
