"""`bubbybot status`: open positions from the venue and the database together, and the day's rest.

Only looks. It may run beside the bot, with the same config.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path
from typing import Any

import ccxt
import click
from freqtrade.exceptions import FreqtradeException
from freqtrade.exchange import Exchange
from freqtrade.persistence import LocalTrade, Trade
from freqtrade.wallets import Wallets
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from bubbybot_freqtrade.blofin.protection import covers, stop_candidates
from bubbybot_freqtrade.commands.output import one_line_for
from bubbybot_freqtrade.commands.status_table import Look, OpenPosition
from bubbybot_freqtrade.commands.status_watch import watched
from bubbybot_freqtrade.commands.trades_database import looked_at
from bubbybot_freqtrade.commands.user_config import (
    Config,
    config_option,
    open_exchange,
    quiet_freqtrade,
    read_config,
    userdir_option,
)
from bubbybot_freqtrade.learning.edge import edge_of, shipped
from bubbybot_freqtrade.learning.trades import ClosedTrades
from bubbybot_freqtrade.risk.breakers import Day
from bubbybot_freqtrade.risk.closed_candles import ClosedCandles
from bubbybot_freqtrade.risk.equity import Equity, UnknownMarkError, close_before, open_trades
from bubbybot_freqtrade.risk.plan import PLAN, TradePlan
from bubbybot_freqtrade.settings import BubbyBotSettings, EdgeSettings


def open_positions(exchange: Exchange, trades: Iterable[Trade]) -> list[OpenPosition]:
    """Every position of the venue and every open trade, those that belong together as one."""
    api = exchange._api
    held = {(row["symbol"], row["side"]): row for row in api.fetch_positions() if row["contracts"]}
    stops = api.fetch_open_orders(params={"tpsl": True})
    mine = {(trade.pair, trade.trade_direction): trade for trade in trades if trade.amount}
    tickers = exchange.get_tickers()
    return [
        _position(key, held.get(key), mine.get(key), stops, last_price(tickers, key[0]))
        for key in sorted(held.keys() | mine.keys())
    ]


def paper_positions(exchange: Exchange, trades: Iterable[Trade]) -> list[OpenPosition]:
    """Open trades of paper trading, whose stops, targets and liquidation only the bot knows."""
    tickers = exchange.get_tickers()
    return sorted(
        (_on_paper(t, last_price(tickers, t.pair)) for t in trades if t.amount),
        key=lambda position: (position.pair, position.side),
    )


def last_price(tickers: Mapping[str, Any], pair: str) -> float | None:
    """The last price of a pair; None when the venue has none, as for one that is gone."""
    return _number(tickers.get(pair, {}).get("last")) or None


def _on_paper(trade: Trade, last: float | None) -> OpenPosition:
    plan = trade.get_custom_data(PLAN) or {}
    return replace(
        _position((trade.pair, trade.trade_direction), None, trade, (), last),
        on_venue=True,
        stop=trade.stop_loss or None,
        target=_number(plan.get("target")),
        liquidation=_number(trade.liquidation_price),
    )


def _position(
    key: tuple[str, str],
    row: dict[str, Any] | None,
    trade: Trade | None,
    stops: Sequence[dict[str, Any]],
    last: float | None,
) -> OpenPosition:
    pair, side = key
    row = row or {}
    entry = trade.open_rate if trade is not None else float(row["entryPrice"] or 0)
    has_price, last = last is not None, entry if last is None else last
    standing = [o for o in stops if o["symbol"] == pair and o["side"] == _closing(side)]
    plan = None if trade is None else trade.get_custom_data(PLAN)
    contracts = float(row.get("contracts") or 0)
    stop, covered = _protection(stop_candidates(stops, pair, _closing(side)), side, contracts)
    return OpenPosition(
        pair=pair,
        side=side,
        entry=entry,
        last=last,
        stop=stop,
        target=next(
            (float(o["takeProfitPrice"]) for o in standing if o.get("takeProfitPrice")), None
        ),
        liquidation=_number(row.get("liquidationPrice")),
        trade_id=None if trade is None else trade.id,
        leverage=_number(row.get("leverage")) or (None if trade is None else trade.leverage),
        profit=trade.calc_profit(last) if trade is not None else float(row["unrealizedPnl"] or 0),
        planned_stop=plan["stop"] if plan else (trade.initial_stop_loss if trade else None),
        amount=0.0 if trade is None else trade.amount,
        fee=0.0 if trade is None else float(trade.fee_open or 0),
        on_venue=bool(row),
        has_price=has_price,
        contracts=contracts,
        covered=covered,
    )


def _protection(
    stops: Iterable[dict[str, Any]], side: str, contracts: float
) -> tuple[float | None, float]:
    """Where the last contract that has a stop is out, and how many have one.

    The stops that fire first count first; what comes after the whole size is covered is idle.
    """
    level, covered = None, 0.0
    nearest = sorted(stops, key=lambda o: float(o["stopLossPrice"]), reverse=side == "long")
    for order in nearest:
        level = float(order["stopLossPrice"])
        covered += contracts if covers(order, contracts) else float(order["amount"] or 0)
        if covered >= contracts * (1 - 1e-9):
            break
    return level, min(covered, contracts)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _closing(side: str) -> str:
    return "sell" if side == "long" else "buy"


def day_so_far(exchange: Exchange, config: Config, now: datetime) -> Day:
    """The UTC day's account, as the bot's own breaker counts it.

    Trades that were open at 00:00 UTC count from the close before it, asked of the venue.

    :raises UnknownMarkError: when the venue has no candle of then.
    :raises ValueError: when the account had nothing at the day's start.
    """
    # freqtrade asks for the wallet of paper trading in any case, and uses it there alone.
    wallets = Wallets({"dry_run_wallet": 0.0, **config}, exchange)

    def earlier_close(pair: str, moment: datetime) -> float | None:
        return close_before(exchange, pair, moment, config["candle_type_def"])

    equity = Equity(config, lambda: wallets, ClosedCandles(shock_atrs=inf), earlier_close)
    pairs = {trade.pair for trade in open_trades()}
    tickers = exchange.get_tickers() if pairs else {}
    equity.marks = {pair: float(tickers[pair]["last"] or 0) for pair in pairs if pair in tickers}
    return equity.day(now)


def day_line(day: Day, limit: float, currency: str) -> str:
    """What the day has made and may still lose."""
    line = (
        f"Equity {day.opening_equity + day.profit:.2f} {currency}, today {day.profit:+.2f} "
        f"({day.profit / day.opening_equity:+.2%})."
    )
    if day.limit_reached(limit):
        return f"{line} The day's loss limit ({limit:.0%}) is reached: no entries until 00:00 UTC."
    left = limit * day.opening_equity + min(day.profit, 0)
    return (
        f"{line} Day's loss left: {left:.2f} of {limit * day.opening_equity:.2f}, "
        f"of which new trades may risk {max(day.room(limit), 0):.2f}."
    )


@click.command(
    name="status", short_help="Show open positions, their stops, and the day's loss left."
)
@config_option
@userdir_option
@click.option(
    "--watch",
    is_flag=True,
    help="Stay, and show what changes as BloFin pushes it; Ctrl-C ends it.",
)
def status_command(config_files: tuple[str, ...], userdir: Path | None, watch: bool) -> None:
    """Show open positions: stop and target on the venue, way to each, R so far, day's loss left.

    On paper (dry_run) nothing stands on the venue: there the levels are the bot's own. The exit
    code is 1 when a position is not stopped for all of its size before liquidation, or venue and
    database disagree. With --watch it is that of the last look.
    """
    console = Console(highlight=False)
    if watch and not console.is_terminal:
        raise click.UsageError("--watch needs a terminal. Without it the table is shown once.")
    with one_line_for(FreqtradeException, ccxt.BaseError, SQLAlchemyError, OSError):
        config = read_config(config_files, userdir)
        settings = BubbyBotSettings.from_config(config)
        with quiet_freqtrade(), ExitStack() as stack:
            with looked_at(config["db_url"]):
                exchange = open_exchange(config)
            stack.callback(exchange.close)
            if watch:
                look = watched(console, exchange, lambda: _look(exchange, config, settings))
            else:
                look = _look(exchange, config, settings)
    if not watch:
        console.print(look.shown())
    if look.troubles:
        raise SystemExit(1)


def _look(exchange: Exchange, config: Config, settings: BubbyBotSettings) -> Look:
    with looked_at(config["db_url"]):
        find = paper_positions if config["dry_run"] else open_positions
        positions = find(exchange, Trade.get_trades_proxy(is_open=True))
        try:
            day = day_so_far(exchange, config, datetime.now(UTC))
            line = day_line(day, settings.risk.daily_loss, config["stake_currency"])
        except (UnknownMarkError, ValueError) as error:
            # The positions matter more.
            line = f"What the day may still lose is not known: {error}"
        kind = "Open trades on paper" if config["dry_run"] else "Open positions"
        return Look(kind, positions, f"{line}\n{edge_line(settings.edge)}")


def edge_line(settings: EdgeSettings) -> str:
    """Whether the strategy is still working, by the trades of the open database."""
    history = ClosedTrades(_kept_plan, timedelta(0)).history()
    return edge_of(history.results(datetime.now(UTC), settings.since), shipped(), settings).told(
        shipped()
    )


def _kept_plan(trade: LocalTrade) -> TradePlan | None:
    kept = trade.get_custom_data(PLAN)
    return None if kept is None else TradePlan.from_dict(kept)
