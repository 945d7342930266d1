"""What a new account has done before the sandbox was started: histories with something in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bubbybot_freqtrade.sandbox.market.funding import FUNDING_INTERVAL_MS
from bubbybot_freqtrade.sandbox.market.paths import DAY_MS, HOUR_MS
from bubbybot_freqtrade.sandbox.venue.accounts import Account

if TYPE_CHECKING:
    from bubbybot_freqtrade.sandbox.venue.engine import Engine

# Of every day; three settlements lie between.
_HELD_MS = DAY_MS - HOUR_MS
_CLOSE, _OPEN = "sell", "buy"


def live_through(engine: Engine, account: Account, days: int) -> None:
    """Trade the smallest size of the first instrument on each of the last `days` days.

    A long from hour to hour at the market prices of then, with its funding; by the venue's own
    rules, and every id older than what comes after. Days before the market's data are left out.
    """
    state, now_ms = engine.venue.state, engine.now_ms
    inst_id = next(iter(engine.venue.instruments))
    first_ms = engine.market.span(inst_id)[0]
    for moment, side in _moments(now_ms, days):
        if moment <= first_ms:
            continue
        state.now_ms = moment
        if side:
            _trade(engine, account, inst_id, side)
        else:
            engine.clearing.settle_funding(account)
    state.now_ms = now_ms


def _moments(now_ms: int, days: int) -> Iterator[tuple[int, str]]:
    """When something happened, oldest first: a buy, settlements of funding, a sell."""
    for day in range(days, 0, -1):
        opened = now_ms - day * DAY_MS
        closed = opened + _HELD_MS
        yield opened, _OPEN
        first = (opened // FUNDING_INTERVAL_MS + 1) * FUNDING_INTERVAL_MS
        for settled in range(first, closed, FUNDING_INTERVAL_MS):
            yield settled, ""
        yield closed, _CLOSE


def _trade(engine: Engine, account: Account, inst_id: str, side: str) -> None:
    in_hedge = account.position_mode == "long_short_mode"
    body = {
        "instId": inst_id,
        "marginMode": account.margin_mode,
        "positionSide": "long" if in_hedge else "net",
        "side": side,
        "orderType": "market",
        "size": str(engine.venue.instrument(inst_id).min_size),
        "reduceOnly": "true" if side == _CLOSE else "false",
    }
    if side == _CLOSE and not account.positions:
        return
    engine.order_entry.place(account, body)
