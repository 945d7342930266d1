"""The command: what it reads, what it writes, what it says."""

import shutil

import pandas as pd
import pytest
from click.testing import CliRunner
from freqtrade.persistence import Trade, init_db
from plotly.offline import get_plotlyjs

from bubbybot_freqtrade.learning.results import Source, read_backtest
from bubbybot_freqtrade.report.cli import report_command
from bubbybot_freqtrade.report.page import render
from bubbybot_freqtrade.report.source import read_source
from bubbybot_freqtrade.report.trades import read_database
from tests.blofin.conftest import open_desk  # noqa: F401 - a fixture
from tests.blofin.desk import BTC, ETH
from tests.report.trade import trade


def write(runner_args, tmp_path, **environment):
    out = tmp_path / "report.html"
    result = CliRunner(env=environment).invoke(report_command, [*runner_args, "-o", str(out)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result, out


def test_a_bots_database_gives_the_same_profit_as_the_venue(open_desk, tmp_path):  # noqa: F811
    desk = open_desk({BTC: [(0, 50_000), (20, 50_000), (60, 52_500)]})
    desk.start()
    desk.enter(BTC)
    desk.enter(ETH, "short")
    desk.loop(minutes=60)
    config = desk.folder / "config.json"
    desk.stop()
    options = ["-c", str(config), "--userdir", str(desk.folder)]
    result, page = write([*options, "--export", str(tmp_path / "numbers")], tmp_path)
    assert result.exit_code == 0, result.output
    source = read_database(f"sqlite:///{desk.folder}/trades.sqlite")
    (closed,) = source.trades
    assert closed.exit_reason == "take_profit_on_exchange"
    # Bought at 50,000, stopped 2 % below, sold 4 % above: about 2R less the fees.
    assert closed.r == pytest.approx((0.04 - 0.00122) / (0.02 + 0.00119), abs=0.05)
    gross = closed.amount * (closed.exit - closed.entry)
    assert closed.profit == pytest.approx(gross - closed.fees + closed.funding, abs=0.01)
    text = page.read_text()
    assert "No 15m candles" in text
    assert '"target"' in text
    assert str(tmp_path / "numbers" / "trades.csv") in result.output


def test_text_from_the_database_is_never_markup():
    nasty = trade(tag="<script>alert(1)</script>", exit_reason="<b>x</b>", pair="<i>")
    html = render(Source("<u>", [nasty], None, "15m"), "<t>", lambda pair: pd.DataFrame(), 10)
    for markup in ("<script>alert", "<b>x", "<i>", "<u>", "<t>"):
        assert markup not in html


def test_a_page_asks_no_network(backtest, tmp_path):
    _, page = write([str(backtest[0])], tmp_path)
    # Plotly names its makers' pages, which the policy would not let it ask.
    text = page.read_text().replace(get_plotlyjs(), "")
    assert "default-src 'none'" in text
    assert len(text) < 3_000_000
    assert "http" not in text.replace("http-equiv", "")


def test_no_trade_is_a_page_too(tmp_path):
    init_db(f"sqlite:///{tmp_path}/empty.sqlite")
    Trade.session.remove()
    result, page = write([str(tmp_path / "empty.sqlite")], tmp_path)
    assert result.exit_code == 0, result.output
    assert "No trade has been closed yet" in page.read_text()


@pytest.mark.parametrize("source", ["nowhere", "nowhere.sqlite", "sqlite:///nowhere.sqlite"])
def test_a_source_that_is_not_there_is_one_line(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result, page = write([source], tmp_path)
    assert result.exit_code == 1
    assert "does not exist" in result.output
    assert not page.exists()
    assert list(tmp_path.glob("*.sqlite")) == []


def test_a_backtest_is_read_with_its_start_and_timeframe(backtest):
    source = read_backtest(backtest[0])
    assert (source.starting_balance, source.currency) == (10_000, "USDT")
    assert source.timeframe == "15m"
    assert [t.closed for t in source.trades] == sorted(t.closed for t in source.trades)


def test_a_backtests_trades_have_the_plans_that_the_strategy_made(backtested):
    result, _ = backtested
    read = {(t.pair, t.opened): t for t in read_backtest(result.export).trades}
    assert len(read) == len(result.trades)
    for row in result.trades.to_dict("records"):
        shown = read[row["pair"], row["open_date"].to_pydatetime()]
        assert (shown.stop, shown.target) == (row["plan_stop"], row["plan_target"])
        assert shown.confidence == pytest.approx(row["plan_confidence"], abs=1e-4)
        # The order's tag has the levels, not the trade's.
        assert shown.tag == row["enter_tag"]
        assert "target=" not in shown.tag
    taken = [t for t in read.values() if t.exit_reason == "roi"]
    assert taken
    assert [t.exit for t in taken] == pytest.approx([t.target for t in taken], rel=1e-3)


def test_a_rehearsals_folder_has_its_candles(backtest, tmp_path):
    folder = tmp_path / "rehearsal"
    init_db(f"sqlite:///{folder.with_suffix('.empty')}")
    Trade.session.remove()
    (folder / "data").mkdir(parents=True)
    shutil.copytree(backtest[1], folder / "data" / "blofin")
    shutil.copy(folder.with_suffix(".empty"), folder / "trades.sqlite")
    _, candles = read_source(str(folder), (), None)
    assert candles == folder / "data" / "blofin"
