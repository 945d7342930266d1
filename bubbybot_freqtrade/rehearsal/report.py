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
from bubbybot_freqtrade.risk.r import r_multiple
from bubbybot_freqtrade.sandbox.settings import SandboxSettings
from bubbybot_freqtrade.signals.words import counted, price

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
    """Every trade, with what the venue saw of its stop. Two lines each, to fit a terminal."""
    table = Table(title="Trades", title_justify="left", show_lines=True)
    table.add_column("trade\nentered, UTC", overflow="fold")
    for name in ("entry\nexit", "stop\ntarget"):
        table.add_column(name, justify="right", overflow="fold")
    table.add_column("reason", overflow="fold")
    for name in ("R\nUSDT", "fill to stop\nbare, ms"):
        table.add_column(name, justify="right", overflow="fold")
    positions = positions_of(rehearsal)
    for trade in rehearsal.trades:
        position = positions.get(trade.trade_id)
        table.add_row(
            f"#{trade.trade_id} {_base(trade.pair)} {trade.side} {trade.leverage:g}x\n"
            f"{when(trade.opened_ms):%m-%d %H:%M}",
            f"{price(trade.entry)}\n{'-' if trade.exit is None else price(trade.exit)}",
            f"{_stops(position)}\n{_target(position)}",
            _words(trade.exit_reason or "open"),
            f"{_r(trade, position)}\n{trade.net:+.2f}",
            _protection(position),
        )
    return table


def ledger_table(rehearsal: Rehearsal) -> Table:
    """The venue's money above freqtrade's."""
    table = Table(title="Ledgers, USDT", title_justify="left", show_lines=True)
    table.add_column("trade", overflow="fold")
    table.add_column("", no_wrap=True)
    for name in ("profit", "fees", "funding", "net", "difference"):
        table.add_column(name, justify="right", overflow="fold")
    for row in rehearsal.accounts:
        number = "-" if row.trade is None else f"#{row.trade.trade_id}"
        table.add_row(
            f"{number} {_base(row.inst_id)}",
            "venue\nfreqtrade",
            *(
                f"{getattr(row.venue, part):+.2f}\n{getattr(row.bot, part):+.2f}"
                for part in ("gross", "fees", "funding", "net")
            ),
            f"{row.difference:.4f}",
        )
    wallets = rehearsal.wallets
    table.add_row(
        "wallet",
        "venue\nfreqtrade",
        *("", "", ""),
        f"{wallets.venue:.2f}\n{wallets.bot:.2f}",
        f"{abs(wallets.venue - wallets.bot):.4f}",
    )
    return table


def requests_table(rehearsal: Rehearsal) -> Table:
    """Requests per loop, apart for loops with and without open trades."""
    table = Table(title="Requests per loop, mean / max", title_justify="left")
    for name in ("open trades", "loops", "trading", "private", "public", "real ms per loop"):
        table.add_column(name, justify="right", overflow="fold")
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


def comparison_table(compared: Sequence[Comparison]) -> Group:
    """The rehearsal above `freqtrade backtesting`, and below them the causes of differences."""
    table = Table(title="Beside freqtrade's backtest", title_justify="left", show_lines=True)
    table.add_column("trade\nentered, UTC", overflow="fold")
    table.add_column("", no_wrap=True)
    for name in ("entry", "exit"):
        table.add_column(name, justify="right", overflow="fold")
    table.add_column("reason", no_wrap=True)
    table.add_column("USDT", justify="right", overflow="fold")
    causes = [Text("Differences, USDT in favour of the rehearsal:")]
    for row in compared:
        trade = row.live or row.backtest
        assert trade is not None  # noqa: S101 - a row has one side at least
        name, entered = f"{_base(trade.pair)} {trade.side}", f"{when(trade.opened_ms):%m-%d %H:%M}"
        table.add_row(
            f"{name}\n{entered}",
            "rehearsal\nbacktest",
            _both(row, lambda trade: price(trade.entry)),
            _both(row, lambda trade: price(trade.exit) if trade.exit else "-"),
            _both(row, lambda trade: trade.exit_reason),
            _both(row, lambda trade: f"{trade.net:+.2f}"),
        )
        named = [d.cause if d.usdt is None else f"{d.usdt:+.2f} {d.cause}" for d in row.differences]
        causes.append(Text(f"  {name} {entered}: {'; '.join(named) or 'none'}"))
    live_sum = sum(row.live.net for row in compared if row.live is not None)
    backtest_sum = sum(row.backtest.net for row in compared if row.backtest is not None)
    sums = f"{live_sum:+.2f}\n{backtest_sum:+.2f}"
    table.add_row("all", "rehearsal\nbacktest", "", "", "", sums)
    return Group(table, *(causes if compared else []))


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
            f", {days:g} day{'' if days == 1 else 's'} from "
            f"{when(span.start_ms):%Y-%m-%d %H:%M} UTC, "
            f"{counted(len(span.pairs), 'pair')}: {counted(len(rehearsal.trades), 'trade')}, "
            f"{counted(entries, 'position')}, {bare} ms without a stop in all, "
            f"{counted(len(rehearsal.loops), 'loop')} in "
            f"{rehearsal.seconds:.0f} s. Everything lies in {settings.out}."
        )
    ]
    unexplained = [row for row in compared or () if not row.is_explained]
    if unexplained:
        lines.append(
            Text(
                "Without a name: " + counted(len(unexplained), "difference") + " to the backtest.",
                "yellow",
            )
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


def _base(name: str) -> str:
    """BTC of BTC/USDT:USDT or BTC-USDT: everything here is quoted in USDT."""
    return name.partition(":")[0].replace("-", "/").partition("/")[0]


def _words(reason: str) -> str:
    """An exit reason that a narrow column can fold."""
    return reason.replace("_", " ")


def _target(position: PositionLog | None) -> str:
    return "-" if position is None or position.target is None else price(float(position.target))


def _protection(position: PositionLog | None) -> str:
    if position is None:
        return "?\n?"
    first = "never" if position.stop_after_ms is None else str(position.stop_after_ms)
    return f"{first}\n{position.unprotected_ms}"


def _stops(position: PositionLog | None) -> str:
    if position is None or not position.stops:
        return "none"
    prices = [float(level) for _, level in position.stops]
    return price(prices[0]) if len(prices) == 1 else f"{price(prices[0])} > {price(prices[-1])}"


def _r(trade: TradeRecord, position: PositionLog | None) -> str:
    """Profit over what the venue's first stop would have cost."""
    if position is None or not position.stops or trade.is_open:
        return "-"
    stop = float(position.stops[0][1])
    return f"{r_multiple(trade.net, trade.amount, trade.entry, stop, TAKER_FEE):+.2f}"


def _both(row: Comparison, show: Callable[[TradeRecord | BacktestTrade], str]) -> str:
    return "\n".join("-" if t is None else show(t) or "-" for t in (row.live, row.backtest))
