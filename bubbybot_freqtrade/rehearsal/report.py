"""A rehearsal on the terminal: what happened, what the venue says to it, what a backtest says."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from bubbybot_freqtrade.rehearsal.backtest import BacktestTrade
from bubbybot_freqtrade.rehearsal.comparison import Comparison
from bubbybot_freqtrade.rehearsal.rules import Violation
from bubbybot_freqtrade.rehearsal.run import Rehearsal
from bubbybot_freqtrade.rehearsal.trades import TradeRecord
from bubbybot_freqtrade.rehearsal.venue_log import PositionLog, when
from bubbybot_freqtrade.risk.plan import loss_per_unit
from bubbybot_freqtrade.sandbox.settings import SandboxSettings

TAKER_FEE = float(SandboxSettings().taker_fee)


def report(
    console: Console,
    rehearsal: Rehearsal,
    compared: Sequence[Comparison] | None,
    broken: Sequence[Violation],
) -> None:
    """Print everything. `compared` None: no backtest was made."""
    console.print(trades_table(rehearsal))
    console.print(ledger_table(rehearsal))
    console.print(requests_table(rehearsal))
    if compared is not None:
        console.print(comparison_table(compared))
    console.print(verdict(rehearsal, compared, broken))


def trades_table(rehearsal: Rehearsal) -> Table:
    """Every trade, with what the venue saw of its stop."""
    table = Table(title="Trades", title_justify="left")
    for name in ("#", "pair", "side", "entered", "entry", "stop", "target", "exit", "reason"):
        table.add_column(name, justify="left" if name in ("pair", "side", "reason") else "right")
    for name in ("R", "USDT", "fill to stop ms", "bare ms"):
        table.add_column(name, justify="right")
    positions = positions_of(rehearsal)
    for trade in rehearsal.trades:
        position = positions.get(trade.trade_id)
        table.add_row(
            str(trade.trade_id),
            trade.pair.partition(":")[0],
            f"{trade.side} {trade.leverage:g}x",
            f"{when(trade.opened_ms):%m-%d %H:%M}",
            f"{trade.entry:g}",
            _stops(position),
            "-" if position is None or position.target is None else f"{float(position.target):g}",
            "-" if trade.exit is None else f"{trade.exit:g}",
            trade.exit_reason or "open",
            _r(trade, position),
            f"{trade.net:+.2f}",
            "never" if position is None or position.stop_after_ms is None
            else str(position.stop_after_ms),
            "?" if position is None else str(position.unprotected_ms),
        )  # fmt: skip
    return table


def ledger_table(rehearsal: Rehearsal) -> Table:
    """The venue's money beside freqtrade's."""
    table = Table(title="Ledgers, USDT: venue | freqtrade", title_justify="left")
    table.add_column("#", justify="right")
    table.add_column("pair")
    for name in ("profit", "fees", "funding", "net", "difference"):
        table.add_column(name, justify="right")
    for row in rehearsal.accounts:
        table.add_row(
            "-" if row.trade is None else str(row.trade.trade_id),
            row.inst_id.partition(":")[0],
            *(
                f"{getattr(row.venue, part):+.2f} | {getattr(row.bot, part):+.2f}"
                for part in ("gross", "fees", "funding", "net")
            ),
            f"{row.difference:.4f}",
        )
    wallets = rehearsal.wallets
    table.add_section()
    table.add_row(
        "",
        "wallet",
        *("", "", ""),
        f"{wallets.venue:.2f} | {wallets.bot:.2f}",
        f"{abs(wallets.venue - wallets.bot):.4f}",
    )
    return table


def requests_table(rehearsal: Rehearsal) -> Table:
    """Requests per loop, apart for loops with and without open trades."""
    table = Table(title="Requests per loop", title_justify="left")
    for name in ("open trades", "loops", "trading mean / max", "private mean / max"):
        table.add_column(name, justify="right")
    for name in ("public mean / max", "real ms per loop"):
        table.add_column(name, justify="right")
    for count in sorted({loop.open_trades for loop in rehearsal.loops}):
        loops = [loop for loop in rehearsal.loops if loop.open_trades == count]
        kinds = ([loop.trading for loop in loops], [loop.private for loop in loops])
        public = [loop.public for loop in loops]
        table.add_row(
            str(count),
            str(len(loops)),
            *(f"{sum(k) / len(k):.1f} / {max(k)}" for k in (*kinds, public)),
            f"{1000 * sum(loop.seconds for loop in loops) / len(loops):.0f}",
        )
    return table


def comparison_table(compared: Sequence[Comparison]) -> Table:
    """The rehearsal beside `freqtrade backtesting`."""
    table = Table(title="Beside freqtrade backtesting: rehearsal | backtest", title_justify="left")
    for name in ("pair", "entered", "entry", "exit", "reason", "USDT", "differences, USDT"):
        table.add_column(name)
    for row in compared:
        trade = row.live or row.backtest
        assert trade is not None  # noqa: S101 - a row has one side at least
        table.add_row(
            f"{trade.pair.partition(':')[0]} {trade.side}",
            f"{when(trade.opened_ms):%m-%d %H:%M}",
            _both(row, lambda trade: f"{trade.entry:g}"),
            _both(row, lambda trade: f"{trade.exit or 0:g}"),
            _both(row, lambda trade: trade.exit_reason),
            _both(row, lambda trade: f"{trade.net:+.2f}"),
            "\n".join(
                d.cause if d.usdt is None else f"{d.usdt:+.2f} {d.cause}" for d in row.differences
            )
            or "none",
        )
    live_sum = sum(row.live.net for row in compared if row.live is not None)
    backtest_sum = sum(row.backtest.net for row in compared if row.backtest is not None)
    table.add_section()
    table.add_row("all", "", "", "", "", f"{live_sum:+.2f} | {backtest_sum:+.2f}", "")
    return table


def verdict(
    rehearsal: Rehearsal, compared: Sequence[Comparison] | None, broken: Sequence[Violation]
) -> Group:
    """The last lines: what it was, and whether a rule was broken."""
    span, settings = rehearsal.span, rehearsal.settings
    bare = sum(position.unprotected_ms for position in rehearsal.positions)
    entries = len(rehearsal.positions)
    days = (span.end_ms - span.start_ms) / 86_400_000
    lines = [
        Text(
            f"{settings.strategy} on {settings.data or f'generated candles, seed {settings.seed}'}"
            f", {days:g} days from {when(span.start_ms):%Y-%m-%d %H:%M} UTC, "
            f"{len(span.pairs)} pairs: {len(rehearsal.trades)} trades, {entries} positions, "
            f"{bare} ms without a stop in all, {len(rehearsal.loops)} loops in "
            f"{rehearsal.seconds:.0f} s. Everything lies in {settings.out}."
        )
    ]
    unexplained = [row for row in compared or () if not row.is_explained]
    if unexplained:
        lines.append(
            Text(f"{len(unexplained)} differences to the backtest have no name.", "yellow")
        )
    if not rehearsal.trades:
        lines.append(Text("No trade was made: nothing was proved about stops.", "yellow"))
    if broken:
        lines.append(Text(f"Broken rules ({len(broken)}):", "bold red"))
        lines += [Text(f"  {violation.rule}: {violation.reason}", "red") for violation in broken]
    else:
        lines.append(Text("No rule was broken.", "bold green"))
    return Group(*lines)


def positions_of(rehearsal: Rehearsal) -> dict[int, PositionLog]:
    """The venue's position of each trade, by trade id."""
    logs = {position.position_id: position for position in rehearsal.positions}
    found = {}
    for row in rehearsal.accounts:
        ids = [position_id for position_id in row.position_ids if position_id in logs]
        if row.trade is not None and ids:
            found[row.trade.trade_id] = logs[min(ids)]
    return found


def _stops(position: PositionLog | None) -> str:
    if position is None or not position.stops:
        return "none"
    prices = [float(price) for _, price in position.stops]
    return f"{prices[0]:g}" if len(prices) == 1 else f"{prices[0]:g} > {prices[-1]:g}"


def _r(trade: TradeRecord, position: PositionLog | None) -> str:
    """Profit over what the first stop would have cost, fees included."""
    if position is None or not position.stops or trade.is_open:
        return "-"
    risk = trade.amount * loss_per_unit(trade.entry, float(position.stops[0][1]), TAKER_FEE)
    return f"{trade.net / risk:+.2f}"


def _both(row: Comparison, show: Callable[[TradeRecord | BacktestTrade], str]) -> str:
    return " | ".join("-" if t is None else show(t) or "-" for t in (row.live, row.backtest))
