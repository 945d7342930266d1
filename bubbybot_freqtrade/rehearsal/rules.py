"""What may never happen, checked on what the venue saw and what the database kept.

Every rule is a function from the evidence to the ways in which it was broken, one sentence each.
`RULES` hold for any strategy on BloFin; `PLAN_RULES` are the owner's limits of a planned trade and
hold for strategies that plan (BubbyBot).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from bubbybot_freqtrade.rehearsal.ledgers import CENT, TradeAccounts, Wallets
from bubbybot_freqtrade.rehearsal.trades import TradeRecord
from bubbybot_freqtrade.rehearsal.venue_log import PositionLog, when
from bubbybot_freqtrade.settings import (
    MAX_DAILY_LOSS,
    MAX_MARGIN,
    MIN_CONFIDENCE,
    MIN_REWARD_RISK,
)

MAX_LEVERAGE = 50

# A market order may fill a little worse than the rate that the plan's 5 % were counted with.
FILL_TOLERANCE = 0.01

# A stop that is moved by placing the new one first doubles for a few requests.
MOVE_MS = 10_000

ORDER_PATHS = ("trade/order", "trade/batch-orders", "trade/order-algo")


class Request(Protocol):
    """A request as the sandbox logs it."""

    @property
    def ts_ms(self) -> int:
        """When, ms on the venue's clock."""

    @property
    def method(self) -> str:
        """GET or POST."""

    @property
    def path(self) -> str:
        """Without host and query."""

    @property
    def body(self) -> str:
        """As it came."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the rules look at.

    `left_open` names trades and positions that still stood when the rehearsal had closed all;
    `stopped` is why the bot stopped by itself, if it did.
    """

    requests: Sequence[Request] = ()
    positions: Sequence[PositionLog] = ()
    trades: Sequence[TradeRecord] = ()
    accounts: Sequence[TradeAccounts] = ()
    wallets: Wallets = field(default_factory=Wallets)
    left_open: Sequence[str] = ()
    stopped: str = ""
    errors: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule and how it was broken."""

    rule: str
    reason: str


Rule = Callable[[Evidence], Iterable[str]]


def entry_requests_carry_stops(evidence: Evidence) -> Iterator[str]:
    """Every request that opens or adds to a position carries a stop loss."""
    for request in evidence.requests:
        for order in entry_orders(request):
            if not _stop_trigger(order):
                yield (
                    f"{when(request.ts_ms):%m-%d %H:%M:%S} {request.path}: an entry of "
                    f"{order.get('size')} {order.get('instId')} was sent without slTriggerPrice"
                )


def positions_are_never_bare(evidence: Evidence) -> Iterator[str]:
    """A position has a live stop for all of its size from its first millisecond to its last."""
    for position in evidence.positions:
        if position.unprotected_ms or position.stop_after_ms != 0:
            since = "never" if position.stop_after_ms is None else f"{position.stop_after_ms} ms"
            yield (
                f"{_name(position)} stood {position.unprotected_ms} ms without a stop for all of "
                f"its size (first stop after: {since})"
            )


def stops_are_not_doubled(evidence: Evidence) -> Iterator[str]:
    """Two stops for the whole position stand only in the moment of a move."""
    for position in evidence.positions:
        moves = max(len(position.stops), 1)
        if position.doubled_ms > moves * MOVE_MS:
            yield f"{_name(position)} had two full stops for {position.doubled_ms} ms"


def ledgers_agree(evidence: Evidence) -> Iterator[str]:
    """freqtrade's books and the venue's agree to the cent, per trade and in all."""
    for row in evidence.accounts:
        if row.trade is None:
            yield f"{row.inst_id}: the venue had a position that freqtrade knows nothing of"
        elif row.difference >= CENT / 2:
            yield (
                f"trade {row.trade.trade_id} {row.trade.pair}: venue {row.venue.gross:+.4f} "
                f"{row.venue.fees:+.4f} fees {row.venue.funding:+.4f} funding, freqtrade "
                f"{row.bot.gross:+.4f} {row.bot.fees:+.4f} {row.bot.funding:+.4f}"
            )
    wallets = evidence.wallets
    if abs(wallets.venue - wallets.bot) >= CENT / 2:
        yield f"wallet: venue {wallets.venue:.4f} USDT, freqtrade {wallets.bot:.4f} USDT"


def nothing_is_left_behind(evidence: Evidence) -> Iterator[str]:
    """After the last exit neither side holds a trade, a position or an order."""
    yield from evidence.left_open


def bot_keeps_running(evidence: Evidence) -> Iterator[str]:
    """The bot neither stops by itself nor logs an error."""
    if evidence.stopped:
        yield evidence.stopped
    yield from evidence.errors


def leverage_is_bounded(evidence: Evidence) -> Iterator[str]:
    """No position is opened above 50x."""
    for position in evidence.positions:
        if position.leverage > MAX_LEVERAGE:
            yield f"{_name(position)} had {position.leverage}x, more than {MAX_LEVERAGE}x"


def margin_is_bounded(evidence: Evidence) -> Iterator[str]:
    """No trade puts up more than 5 % of the account."""
    for position in evidence.positions:
        share = float(position.margin / position.equity) if position.equity > 0 else float("inf")
        if share > MAX_MARGIN * (1 + FILL_TOLERANCE):
            yield f"{_name(position)} put up {share:.2%} of the account, more than {MAX_MARGIN:.0%}"


def trades_are_planned(evidence: Evidence) -> Iterator[str]:
    """Every trade has a plan with confluence of at least 0.7 and a target of at least 2R."""
    for trade in evidence.trades:
        name = f"trade {trade.trade_id} {trade.pair} {trade.side}"
        if trade.plan is None:
            yield f"{name} has no plan in the database"
            continue
        confidence, reward = float(trade.plan["confidence"]), float(trade.plan["reward_risk"])
        if not confidence >= MIN_CONFIDENCE:
            yield f"{name}: confluence {confidence:.3f} is below {MIN_CONFIDENCE}"
        if not reward >= MIN_REWARD_RISK:
            yield f"{name}: the plan pays {reward:.3f}R, less than {MIN_REWARD_RISK}R"


def stops_stand_where_planned(evidence: Evidence) -> Iterator[str]:
    """The venue's first stop of a trade is the plan's, or nearer to the entry."""
    first = {
        (position.inst_id, position.opened_ms): position.stops[0][1]
        for position in evidence.positions
        if position.stops
    }
    for trade in evidence.trades:
        inst_id = trade.pair.partition(":")[0].replace("/", "-")
        stop = first.get((inst_id, trade.opened_ms))
        if trade.plan is None or stop is None:
            continue
        planned = float(trade.plan["stop"])
        if trade.sign * (float(stop) - planned) < -1e-9 * planned:
            yield (
                f"trade {trade.trade_id} {trade.pair} {trade.side}: the venue's stop {stop} is "
                f"looser than the plan's {planned}"
            )


def no_entry_after_the_daily_loss(evidence: Evidence) -> Iterator[str]:
    """Nothing is opened once the UTC day has lost 10 % of the account."""
    for position in evidence.positions:
        lost = 1 - position.equity / position.day_opening_equity
        if lost >= Decimal(str(MAX_DAILY_LOSS)):
            yield f"{_name(position)} was opened after the day had lost {lost:.2%}"


RULES: tuple[Rule, ...] = (
    entry_requests_carry_stops,
    positions_are_never_bare,
    stops_are_not_doubled,
    ledgers_agree,
    nothing_is_left_behind,
    bot_keeps_running,
)
PLAN_RULES: tuple[Rule, ...] = (
    leverage_is_bounded,
    margin_is_bounded,
    trades_are_planned,
    stops_stand_where_planned,
    no_entry_after_the_daily_loss,
)


def violations(evidence: Evidence, rules: Iterable[Rule]) -> list[Violation]:
    """Every way in which one of `rules` was broken."""
    return [
        Violation(rule.__name__.replace("_", " "), reason)
        for rule in rules
        for reason in rule(evidence)
    ]


def entry_orders(request: Request) -> Iterator[dict[str, Any]]:
    """The orders of a request that may open or add to a position.

    In long/short mode side and position side say so, in one-way mode all that is not reduce-only.
    """
    if request.method != "POST" or not request.path.endswith(ORDER_PATHS) or not request.body:
        return
    body = json.loads(request.body)
    for order in body if isinstance(body, list) else [body]:
        opens_side = {"long": "buy", "short": "sell"}.get(order.get("positionSide", "net"))
        closes = opens_side is not None and order.get("side") != opens_side
        if str(order.get("reduceOnly", "")).lower() != "true" and not closes:
            yield order


def _stop_trigger(order: dict[str, Any]) -> str | None:
    attached = order.get("attachAlgoOrders") or [{}]
    return order.get("slTriggerPrice") or attached[0].get("slTriggerPrice")


def _name(position: PositionLog) -> str:
    side = "long" if position.direction > 0 else "short"
    return f"{position.inst_id} {side} of {when(position.opened_ms):%m-%d %H:%M:%S}"
