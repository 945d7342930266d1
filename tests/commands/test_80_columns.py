"""A table on a terminal of 80 columns is whole: a number that is cut is another number."""

import io
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from rich.console import Console

from bubbybot_freqtrade.cli import main
from bubbybot_freqtrade.commands import explain, patterns, status_table
from bubbybot_freqtrade.drills.drill import Figures
from bubbybot_freqtrade.drills.report import show
from bubbybot_freqtrade.learning.ledger import Situation
from bubbybot_freqtrade.learning.posterior import Posterior
from bubbybot_freqtrade.learning.table import Row
from bubbybot_freqtrade.rehearsal import report
from bubbybot_freqtrade.rehearsal.backtest import BacktestTrade
from bubbybot_freqtrade.rehearsal.comparison import Comparison, Difference
from bubbybot_freqtrade.rehearsal.ledgers import Account, TradeAccounts, Wallets
from bubbybot_freqtrade.rehearsal.run import LoopRequests, Rehearsal, Span
from bubbybot_freqtrade.rehearsal.settings import RehearsalSettings
from bubbybot_freqtrade.rehearsal.trades import TradeRecord
from bubbybot_freqtrade.rehearsal.venue_log import PositionLog
from bubbybot_freqtrade.settings import ConfluenceSettings
from bubbybot_freqtrade.signals.context import analyze
from bubbybot_freqtrade.signals.trend import READING_COLUMNS

# The longest name that BloFin lists, and prices at both ends of what it lists.
LONG_PAIR = "1000000BABYDOGE/USDT:USDT"
TINY, HUGE = 0.00000012345678, 123_456.78
EXITS = ("stoploss_on_exchange", "take_profit_on_exchange", "daily_loss_limit")
OPENED = int(datetime(2025, 6, 1, tzinfo=UTC).timestamp() * 1000)


def drills(console):
    figures = [
        Figures(name, requests=1_234_567, faults=123_456, kills=12_345, inputs=123_456,
                bare=123, duplicates=12, orphans=1, secrets=1, seconds=12_345.0,
                broken=["a law"] * 12)
        for name in ("random-faults", "lost-answers")
    ]  # fmt: skip
    show(console, figures)


def positions(console):
    held = [
        status_table.OpenPosition(
            pair=pair, side=side, entry=price, last=price * 1.01, stop=price * 0.95,
            target=price * 1.2, liquidation=price * 0.9, trade_id=12_345, leverage=50.0,
            profit=-123_456.78, planned_stop=price * 0.95, amount=1e6, fee=0.0006, contracts=1e9,
            covered=1.0,
        )
        for pair, side, price in ((LONG_PAIR, "short", TINY), ("BTC/USDT:USDT", "long", HUGE))
    ]  # fmt: skip
    console.print(status_table.positions_table(held))
    for text in status_table.troubles(held):
        console.print(text)


def past_trades(by):
    def show_them(console):
        known = Posterior(1_234.5, 0.123, 0.012, 0.987, -12.34, -23.45, 34.56, 0.123)
        rows = [
            Row(Situation(f"{code}:early", side, LONG_PAIR, "volatile downtrend"), 12_345, known)
            for code, side in (("mc", "long"), ("lux", "short"), ("fc", "short"))
        ]
        console.print(patterns._table(rows, by))

    return show_them


def explained(console):
    rng = np.random.default_rng(1)
    close = HUGE * np.exp(np.cumsum(rng.normal(0, 0.004, 800)))
    candles = pd.DataFrame({"date": pd.date_range("2025-01-01", periods=800, freq="15min")})
    candles = candles.assign(open=close, high=close * 1.002, low=close * 0.998, close=close)
    frame = analyze(candles.assign(volume=rng.exponential(1, 800)))
    for name in READING_COLUMNS.values():
        frame[name] = -0.123456
    for side in ("long", "short"):
        frame[f"{side}_confluence"] = 0.123456
    strategy = SimpleNamespace(min_confidence=SimpleNamespace(value=0.7))
    told = SimpleNamespace(
        frame=frame, confluence=ConfluenceSettings(), strategy=strategy,
        value=lambda column: float(frame[column].iat[-1]) if column in frame else np.nan,
    )  # fmt: skip
    for table in (explain.readings_table, explain.score_table, explain.marks_table):
        console.print(table(told))


def rehearsed() -> tuple[Rehearsal, list[Comparison]]:
    settings = RehearsalSettings(strategy_path=Path(), out=Path("a/folder/of/a/user" * 3))
    result = Rehearsal(settings, Span((LONG_PAIR,), OPENED, OPENED + 86_400_000), {})
    compared = []
    for number, (reason, price) in enumerate(zip(EXITS, (TINY, HUGE, HUGE), strict=True)):
        trade = TradeRecord(
            trade_id=12_345 + number, pair=LONG_PAIR, side="short", leverage=50.0, amount=1e9,
            entry=price, opened_ms=OPENED, exit=price * 1.01, closed_ms=OPENED + 1,
            exit_reason=reason, tag="mc:early", net=-123_456.78, fees=12_345.67,
            funding=-12_345.67, order_ids=frozenset(), plan=None,
        )  # fmt: skip
        money = Account(-123_456.78, -12_345.67, -12_345.67)
        result.trades.append(trade)
        result.accounts.append(
            TradeAccounts(trade, "1000000BABYDOGE-USDT", frozenset({str(number)}), money, money)
        )
        result.positions.append(
            PositionLog(
                str(number), "1000000BABYDOGE-USDT", -1, OPENED, Decimal(1), Decimal(1),
                stops=[(0, Decimal(str(price))), (1, Decimal(str(price * 1.02)))],
                target=Decimal(str(price * 0.8)), stop_after_ms=123_456, unprotected_ms=123_456,
            )
        )  # fmt: skip
        tested = BacktestTrade(
            LONG_PAIR, "short", 50.0, 1e9, price, OPENED, price, OPENED + 1, reason, price,
            -123_456.78, 12_345.67, -12_345.67,
        )  # fmt: skip
        compared.append(Comparison(trade, tested, (Difference("exit: " + reason, -1234.56),)))
    result.loops.append(LoopRequests(123, 123, 1_234, 12, 123.4))
    result.wallets = Wallets(123_456_789.12, 123_456_789.12)
    return result, compared


def rehearsal(console):
    result, compared = rehearsed()
    report.report(console, result, compared, [])


TABLES = {
    "drills": drills,
    "status": positions,
    "patterns": past_trades([]),
    "patterns --by pair --by regime": past_trades(["pair", "regime"]),
    "explain": explained,
    "rehearsal": rehearsal,
}
# Numbers that stand in one piece where there is room, in full.
WHOLE = {
    "drills": ["1,234,567", "12 broken"],
    "status": ["0.00000012345678", "123,456.78", "#12345 long 50x", "-123456.78"],
    "patterns": ["12345", "1234.5", "-12.34 (-23.45 to +34.56)"],
    "patterns --by pair --by regime": ["1000000BABYDOGE/USDT", "volatile downtrend"],
    "explain": ["-0.12", "0.123", "market cipher"],
    "rehearsal": ["0.00000012345678", "123,456.78", "-123456.78", "take_profit_on_exchange"],
}


@pytest.mark.parametrize("width", [80, 100, 240])
@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_whole(name, width):
    text = io.StringIO()
    TABLES[name](Console(file=text, width=width))
    shown = text.getvalue()
    assert "…" not in shown, shown
    assert max(map(len, shown.splitlines())) <= width, shown
    if width == 240:
        for number in WHOLE[name]:
            assert number in shown, shown


def test_the_list_of_commands_is_whole():
    shown = CliRunner(env={"COLUMNS": "80"}).invoke(main, ["--help"]).output
    assert "..." not in shown.partition("Commands:")[2]
