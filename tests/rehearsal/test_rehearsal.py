"""The rehearsal from end to end: real bot, real HTTP, real database, the venue's own books."""

import io
import logging
import sqlite3
from pathlib import Path

import freqtrade
import pytest
from click.testing import CliRunner
from rich.console import Console

from bubbybot_freqtrade.blofin.exchange.orders import Orders
from bubbybot_freqtrade.rehearsal.cli import rehearse_command, run
from bubbybot_freqtrade.rehearsal.report import report
from bubbybot_freqtrade.rehearsal.rules import RULES, entry_orders, violations
from bubbybot_freqtrade.rehearsal.run import RehearsalError, rehearse, span_of
from bubbybot_freqtrade.sandbox.settings import DEMO_API_KEY, DEMO_UID

DAY_MS = 86_400_000


def test_every_way_out_of_a_trade_is_taken(rehearsed):
    rehearsal, _ = rehearsed
    reasons = {trade.exit_reason for trade in rehearsal.trades}
    assert {"take_profit_on_exchange", "stoploss_on_exchange", "scheduled"} <= reasons
    assert {trade.side for trade in rehearsal.trades} == {"long", "short"}
    assert any(len(position.stops) > 2 for position in rehearsal.positions), "no stop was moved"


def test_no_rule_is_broken(rehearsed):
    rehearsal, _ = rehearsed
    assert violations(rehearsal.evidence, RULES) == []


def test_every_entry_request_carries_stop_and_target(rehearsed):
    rehearsal, _ = rehearsed
    entries = [order for request in rehearsal.orders for order in entry_orders(request)]
    assert len(entries) == len(rehearsal.trades) == len(rehearsal.positions) >= 12
    assert all(order["slTriggerPrice"] and order["tpTriggerPrice"] for order in entries)


def test_no_position_was_bare_for_a_millisecond(rehearsed):
    rehearsal, _ = rehearsed
    assert [p.stop_after_ms for p in rehearsal.positions] == [0] * len(rehearsal.positions)
    assert sum(p.unprotected_ms for p in rehearsal.positions) == 0


def test_stops_only_ever_moved_towards_the_price(rehearsed):
    rehearsal, _ = rehearsed
    for position in rehearsal.positions:
        prices = [price * position.direction for _, price in position.stops]
        assert prices == sorted(prices)


def test_both_ledgers_agree_and_add_up_to_the_wallet(rehearsed):
    rehearsal, _ = rehearsed
    assert all(row.difference < 0.01 for row in rehearsal.accounts)
    net = sum(row.venue.net for row in rehearsal.accounts)
    assert rehearsal.wallets.venue == pytest.approx(1000 + net, abs=1e-6)
    assert rehearsal.wallets.bot == pytest.approx(rehearsal.wallets.venue, abs=0.005)


def test_the_database_on_disk_holds_the_same_trades(rehearsed):
    rehearsal, _ = rehearsed
    with sqlite3.connect(rehearsal.settings.out / "trades.sqlite") as database:
        rows = database.execute("select id, close_profit_abs from trades where not is_open")
        assert dict(rows) == {trade.trade_id: trade.net for trade in rehearsal.trades}


def test_a_loop_with_trades_costs_no_more_trading_requests_per_trade(rehearsed):
    rehearsal, _ = rehearsed
    usual = {1: [], 2: []}
    for loop in rehearsal.loops:
        if loop.open_trades in usual:
            usual[loop.open_trades].append(loop.trading)
    one, two = (sorted(counts)[len(counts) // 2] for counts in usual.values())
    assert two == one


def test_every_difference_to_the_backtest_has_a_cause(rehearsed):
    rehearsal, compared = rehearsed
    assert sum(row.live is not None for row in compared) == len(rehearsal.trades)
    both = [row for row in compared if row.live is not None and row.backtest is not None]
    assert len(both) >= len(rehearsal.trades) * 0.8
    assert [row.differences for row in compared if not row.is_explained] == []


def test_the_parts_of_a_difference_add_up_to_it(rehearsed):
    _, compared = rehearsed
    for row in compared:
        if row.live is None or row.backtest is None:
            continue
        named = sum(difference.usdt for difference in row.differences)
        # Parts below half a cent are left out.
        assert named == pytest.approx(row.live.net - row.backtest.net, abs=0.03)


@pytest.mark.parametrize("width", [80, 100, 240])
def test_the_report_shows_every_trade_whole_in_any_terminal(rehearsed, width):
    rehearsal, compared = rehearsed
    text = io.StringIO()
    report(Console(file=text, width=width), rehearsal, compared, [])
    shown = text.getvalue()
    for trade in rehearsal.trades:
        assert shown.count(f" {trade.entry:,.8g} ") >= 2
        assert trade.exit is None or f" {trade.exit:,.8g} " in shown
        assert f" {trade.net:+.2f} " in shown
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= width
    words = " ".join(shown.split())
    assert "No rule was broken." in words
    assert "0 ms without a stop in all" in words


def test_no_secret_of_the_user_is_read_and_nothing_lies_elsewhere(
    settings_for, tmp_path, monkeypatch
):
    monkeypatch.setenv("FREQTRADE__EXCHANGE__KEY", "the-users-own-key")
    monkeypatch.setenv("FREQTRADE__TELEGRAM__ENABLED", "true")
    monkeypatch.chdir(tmp_path)
    handlers = list(logging.root.handlers)
    rehearsal = rehearse(settings_for(days=0.02))
    assert rehearsal.stopped == ""
    assert rehearsal.config["exchange"]["key"] != "the-users-own-key"
    assert list(tmp_path.iterdir()) == []
    assert logging.root.handlers == handlers
    written = (rehearsal.settings.out / "freqtrade.log").read_text(encoding="utf-8")
    assert "the-users-own-key" not in written
    assert "telegram" not in written.lower()


def _cancel_stops_at(ms):
    """A drill: somebody cancels every TP/SL order by hand, once."""
    done = []

    def drill(sandbox, now_ms):
        if done or now_ms < ms:
            return
        with sandbox.engine.exclusive() as engine:
            account = engine.account(DEMO_UID)
            for order in tuple(account.live_tpsl()):
                done.append(order.tpsl_id)
                engine.triggers.cancel_tpsl(account, order, "user_canceled")

    return drill


def test_a_stop_taken_away_by_hand_is_found_and_fails_the_rehearsal(settings_for):
    settings = settings_for(days=0.3)
    start = span_of(settings).start_ms
    screen = io.StringIO()
    code = run(
        settings,
        Console(file=screen, width=240),
        with_backtest=False,
        drill=_cancel_stops_at(start + 2 * 3_600_000),
    )
    assert code == 1
    assert "without a stop for all of its size" in " ".join(screen.getvalue().split())


def test_an_extension_that_forgets_the_stop_is_found(settings_for, monkeypatch):
    monkeypatch.setattr(Orders, "attached", lambda *_: {})
    rehearsal = rehearse(settings_for(days=0.05))
    broken = {violation.rule for violation in violations(rehearsal.evidence, RULES)}
    assert {"entry requests carry stops", "positions are never bare"} <= broken


@pytest.mark.parametrize("account_stream", [False, True])
def test_freqtrades_own_sample_strategy_gets_stops_too(settings_for, account_stream):
    """It knows nothing of brackets: the stop is made of its `stoploss`, 10 %."""
    pushes = []
    rehearsal = rehearse(
        settings_for(
            days=0.13,
            pairs=("SOL/USDT:USDT", "ETH/USDT:USDT"),
            strategy="SampleStrategy",
            strategy_path=Path(freqtrade.__file__).parent / "templates",
            account_stream=account_stream,
        ),
        drill=lambda sandbox, _: pushes.append(sandbox.streams.private_pushes),
    )
    assert rehearsal.trades
    assert (pushes[-1] > 0) == account_stream
    assert all(row.difference < 0.01 for row in rehearsal.accounts)
    assert violations(rehearsal.evidence, RULES) == []
    for trade, position in zip(rehearsal.trades, rehearsal.positions, strict=True):
        assert float(position.stops[0][1]) == pytest.approx(trade.entry * 0.9, rel=1e-3)


def test_a_bot_that_dies_fails_the_rehearsal(settings_for):
    revoked = []

    def revoke(sandbox, now_ms):
        if not revoked and now_ms > sandbox.settings.start_ms + 3_600_000:
            revoked.append(sandbox.engine.revoke_key(DEMO_API_KEY))

    rehearsal = rehearse(settings_for(days=0.3), drill=revoke)
    assert "bot keeps running" in {v.rule for v in violations(rehearsal.evidence, RULES)}


def test_the_command_says_in_one_line_why_it_cannot_begin(tmp_path):
    runner = CliRunner()
    for options, reason in (
        (["--pairs", "BTC/USDT"], "is no USDT-M perpetual"),
        (["--days", "0"], "greater than 0"),
        (["--data", str(tmp_path)], "no futures candles in it"),
        (["--strategy", "Nobody", "--strategy-path", str(tmp_path)], "Nobody"),
    ):
        result = runner.invoke(rehearse_command, [*options, "--out", str(tmp_path / "out")])
        assert result.exit_code == 2, result.output
        assert reason in " ".join(result.output.split())
        assert "Traceback" not in result.output


def test_a_folder_is_played_to_its_end(tmp_path, settings_for, write_candles):
    write_candles("BTC", days=3)
    span = span_of(settings_for(data=tmp_path, pairs=None, days=1))
    assert span.pairs == ("BTC/USDT:USDT",)
    assert span.end_ms - span.start_ms == pytest.approx(DAY_MS, rel=0.02)
    with pytest.raises(RehearsalError, match="does not hold 5 days"):
        span_of(settings_for(data=tmp_path, pairs=None, days=5))


@pytest.fixture
def write_candles(tmp_path):
    import pandas as pd

    def write(base, days):
        rows = days * 96
        frame = pd.DataFrame(
            {
                "date": pd.date_range("2025-05-01", periods=rows, freq="15min", tz="UTC"),
                "open": 100.0,
                "high": 101.0,
                "low": 99.0,
                "close": 100.0,
                "volume": 1000.0,
            }
        )
        frame.to_feather(tmp_path / f"{base}_USDT_USDT-15m-futures.feather")

    return write
