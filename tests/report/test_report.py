"""Numbers against plain counts, the page in a real browser."""

import json
import re
import zipfile
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pandas as pd
import pytest
from click.testing import CliRunner
from freqtrade.persistence import Trade, init_db
from hypothesis import given
from hypothesis import strategies as st

from bubbybot_freqtrade.report import measures
from bubbybot_freqtrade.report.charts import trade_chart
from bubbybot_freqtrade.report.cli import report_command
from bubbybot_freqtrade.report.page import render
from bubbybot_freqtrade.report.trades import ReportTrade, Source, read_backtest, read_database
from tests.blofin.conftest import open_desk  # noqa: F401 - a fixture
from tests.blofin.desk import BTC, ETH

NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)
money = st.floats(-1e4, 1e4).map(lambda value: round(value, 2))


def trade(profit=10.0, **changes):
    values = {
        "number": 1,
        "pair": BTC,
        "side": "long",
        "leverage": 5.0,
        "amount": 2.0,
        "opened": NOON,
        "closed": NOON + timedelta(hours=1),
        "entry": 100.0,
        "exit": 105.0,
        "stop": 95.0,
        "target": 110.0,
        "confidence": 0.8,
        "fee": 0.001,
        "tag": "mc:dot lux:ob fc:gp",
        "exit_reason": "force_exit",
    }
    return ReportTrade(profit=profit, **(values | changes))


def write(runner_args, tmp_path, **environment):
    out = tmp_path / "report.html"
    result = CliRunner(env=environment).invoke(report_command, [*runner_args, "-o", str(out)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result, out


def test_r_counts_the_fees_of_a_stop():
    # Two units from 100 to 95 lose 10, and 0.001 of 195 twice over.
    assert trade(profit=-10.39).r == pytest.approx(-1.0)
    assert trade(profit=20.78).r == pytest.approx(2.0)
    assert trade(stop=0.0).r is None


@given(st.lists(money, max_size=30), st.sampled_from([0.0, 1_000.0]))
def test_equity_ends_with_all_profits_and_drawdowns_are_never_above_zero(profits, start):
    curve = measures.equity([trade(profit) for profit in profits], start)
    assert curve[0] == start
    assert [after - before for before, after in pairwise(curve)] == pytest.approx(profits, abs=1e-6)
    for index, down in enumerate(measures.drawdowns(curve)):
        assert down == curve[index] - max(curve[: index + 1]) <= 0


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=50))
def test_every_r_is_in_one_bin(values):
    counts = measures.histogram(values)
    assert sum(counts.values()) == len(values)
    assert min(counts) >= -6
    assert max(counts) < 6
    for edge in (0.0, 1.0):
        inside = sum(edge <= value < edge + 0.5 for value in values)
        assert counts.get(edge, 0) == inside


def test_groups_add_up():
    made = measures.groups(
        [trade(10), trade(-4, pair=ETH), trade(-5), trade(7, stop=0.0)], lambda t: t.pair
    )
    assert [(g.name, g.trades, g.wins, g.profit) for g in made] == [
        (BTC, 3, 2, 12),
        (ETH, 1, 0, -4),
    ]


def test_a_backtests_page_shows_every_trade_in_a_real_browser(backtest, browse, tmp_path):
    export, data = backtest
    result, page = write([str(export), "--data", str(data)], tmp_path)
    assert result.exit_code == 0, result.output
    name = zipfile.ZipFile(export).namelist()[0]
    stats = json.loads(zipfile.ZipFile(export).read(name))["strategy"]["BubbyBot"]
    trades = stats["trades"]
    assert len(trades) > 5
    document = browse(page, "--dump-dom")
    assert document.count("<details") == len(trades)
    assert document.count('aria-label="Equity"') == 1
    # As the browser has parsed it: every trade's own chart with candles and its stop.
    charts = re.findall(r'<svg role="img" aria-label="[A-Z]+/USDT:USDT trade .*?</svg>', document)
    assert len(charts) == len(trades)
    for part in ('class="level stop"', 'class="level target"'):
        assert all(chart.count("<rect") > 20 and part in chart for chart in charts)
    profit = sum(t["profit_abs"] for t in trades)
    assert f"{profit:+.2f} ({profit / stats['starting_balance']:+.2%})" in document
    assert "http://" not in document.replace("http://www.w3.org", "")
    assert "https://" not in document
    shot = tmp_path / "page.png"
    browse(page, f"--screenshot={shot}")
    assert shot.stat().st_size > 20_000


def test_a_bots_database_gives_the_same_profit_as_the_venue(open_desk, browse, tmp_path):  # noqa: F811
    desk = open_desk({BTC: [(0, 50_000), (20, 50_000), (60, 52_500)]})
    desk.start()
    desk.enter(BTC)
    desk.enter(ETH, "short")
    desk.loop(minutes=60)
    config = desk.folder / "config.json"
    desk.stop()
    result, page = write(["-c", str(config), "--userdir", str(desk.folder)], tmp_path)
    assert result.exit_code == 0, result.output
    source = read_database(f"sqlite:///{desk.folder}/trades.sqlite")
    (closed,) = source.trades
    assert closed.exit_reason == "take_profit_on_exchange"
    # Bought at 50,000, stopped 2 % below, sold 4 % above: about 2R less the fees.
    assert closed.r == pytest.approx((0.04 - 0.00122) / (0.02 + 0.00119), abs=0.05)
    document = browse(page, "--dump-dom")
    assert "take_profit_on_exchange" in document
    assert "No 15m candles of BTC/USDT:USDT" in document


def test_text_from_the_database_is_never_markup(tmp_path):
    nasty = trade(tag="<script>alert(1)</script>", exit_reason="<b>x</b>", pair="<i>")
    html = render(Source("<u>", [nasty], None, "15m"), "<t>", lambda pair: pd.DataFrame(), 10)
    for markup in ("<script>", "<b>x", "<i>", "<u>", "<t>"):
        assert markup not in html


def test_candles_in_milliseconds_meet_trades_in_microseconds():
    dates = pd.Series(pd.date_range(NOON, periods=8, freq="15min")).dt.as_unit("ms")
    candles = pd.DataFrame({"date": dates, "open": 100.0, "high": 106, "low": 99, "close": 105.0})
    opened = NOON + timedelta(minutes=16, microseconds=123_457)
    chart = trade_chart(trade(opened=opened), candles)
    assert chart.count("<rect") == 8


def test_no_trade_is_a_page_too(tmp_path, browse):
    init_db(f"sqlite:///{tmp_path}/empty.sqlite")
    Trade.session.remove()
    result, page = write([str(tmp_path / "empty.sqlite")], tmp_path)
    assert result.exit_code == 0, result.output
    assert "No trade has been closed yet" in browse(page, "--dump-dom")


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
    assert source.starting_balance == 10_000
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


def test_nothing_on_a_phone_is_wider_than_its_screen(backtest, browse, tmp_path):
    export, data = backtest
    _, page = write([str(export), "--data", str(data)], tmp_path)
    # A frame of a phone's width, which says how wide its document is once it is drawn.
    frame = tmp_path / "phone.html"
    frame.write_text(
        f'<iframe src="{page.name}" style="width:390px;height:800px" onload="document.title = '
        'this.contentDocument.documentElement.scrollWidth"></iframe>'
    )
    document = browse(frame, "--dump-dom", "--allow-file-access-from-files")
    width = int(re.search(r"<title>(\d+)</title>", document)[1])
    assert width <= 390
