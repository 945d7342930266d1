"""The page in a real browser: on a desk and on a phone, by day and by night."""

from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from bubbybot_freqtrade.learning.results import Source, read_backtest
from bubbybot_freqtrade.report.page import render
from tests.blofin.desk import BTC, ETH
from tests.browser import DESK, PHONE
from tests.report.test_report import write
from tests.report.trade import NOON, trade

LINES = "#trades tr.trade"


def click(browser, element):
    browser.run("arguments[0].scrollIntoView({block: 'center'}); arguments[0].click()", element)


@pytest.fixture(scope="session")
def page(backtest, tmp_path_factory):
    export, data = backtest
    result, page = write([str(export), "--data", str(data)], tmp_path_factory.mktemp("page"))
    assert result.exit_code == 0, result.output
    return page


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_overlaps_is_cut_or_empty(browser, page, size, dark, tmp_path):
    browser.open(page, size, dark=dark)
    for line in browser.all(LINES)[:3]:
        click(browser, line)
    browser.draw_all()
    assert browser.faults() == {}
    shot = tmp_path / "page.png"
    browser.screenshot(shot)
    assert shot.stat().st_size > 50_000


def test_every_trade_opens_its_chart_with_candles_plan_stop_and_evidence(browser, page, backtest):
    trades = read_backtest(backtest[0]).trades
    browser.open(page)
    assert len(browser.all(LINES)) == min(len(trades), 50)
    drawn = {}
    for shown in reversed(trades[-12:]):
        (line,) = [e for e in browser.all(LINES) if e.text.startswith(f"#{shown.number} ")]
        click(browser, line)
        browser.draw_all()
        (chart,) = browser.all(".chart.trade")
        names, shapes, text = browser.run(
            "const c = arguments[0]; return [c.data.map((trace) => [trace.type, trace.name, "
            "trace.x.length, trace.y]), c.layout.shapes.length, c.closest('td').innerText]",
            chart,
        )
        by_name = {name: (count, ys) for _, name, count, ys in names if name}
        (candles,) = [count for kind, _, count, _ in names if kind == "candlestick"]
        assert candles > 20
        # The stop's line begins at the planned stop and ends at the last one.
        assert by_name["stop"][1][0] == shown.stop
        assert by_name["stop"][1][-1] == pytest.approx(shown.last_stop, rel=1e-4)
        assert {"entry", "exit", "target"} <= set(by_name)
        assert shapes > 3, "blocks, gaps, value area"
        assert "Evidence: " in text
        drawn[shown.number] = len(by_name["stop"][1])
        click(browser, line)
    assert max(drawn.values()) > 2, "a stop that moved"
    assert browser.all(".chart.trade") == []


CANDLES = (
    "const [c] = arguments[0].data.filter((trace) => trace.type === 'candlestick'); "
    "return [c.x, c.open, c.high, c.low, c.close]"
)


def opened(browser, number):
    """The chart of a trade, and the words around it."""
    (line,) = [e for e in browser.all(LINES) if e.text.startswith(f"#{number} ")]
    click(browser, line)
    browser.draw_all()
    (chart,) = browser.all(".chart.trade")
    names = browser.run("return arguments[0].data.map((trace) => trace.name)", chart)
    text = browser.all("#trades td.detail")[0].text
    return browser.run(CANDLES, chart), set(names), text


def test_the_trades_without_evidence_have_the_same_candles_plan_and_stop(
    browser, page, backtest, tmp_path
):
    export, data = backtest
    result, plain = write([str(export), "--data", str(data), "--charts", "1"], tmp_path)
    assert result.exit_code == 0, result.output
    trades = read_backtest(export).trades
    first_page = trades[-50:-1]
    longest = max(first_page, key=lambda t: t.closed - t.opened)
    for shown in (first_page[0], longest):
        browser.open(page)
        whole, _, _ = opened(browser, shown.number)
        browser.open(plain)
        candles, names, text = opened(browser, shown.number)
        assert candles[0] == whole[0]
        for packed, asked in zip(candles[1:], whole[1:], strict=True):
            assert packed == pytest.approx(asked, rel=1e-6)
        assert {"entry", "exit", "stop", "target"} <= names
        assert "drawn for the newest 1 trade;" in text
        assert browser.faults() == {}
    browser.open(plain, PHONE)
    opened(browser, longest.number)
    assert browser.faults() == {}


def test_the_edges_health_stands_beside_what_was_expected(browser, page):
    browser.open(page)
    (section,) = browser.all("#expected")
    assert section.text.count("The edge is") == 1
    assert "were expected" in section.text


def test_the_list_is_sorted_and_searched(browser, page, backtest):
    trades = read_backtest(backtest[0]).trades
    browser.open(page)
    (by_r,) = [b for b in browser.all("#trades th button") if b.text == "R"]

    def first_r():
        return browser.all(f"{LINES} td:nth-last-child(2)")[0].text.replace("−", "-")

    click(browser, by_r)
    assert first_r() == f"{max(t.r for t in trades):+.2f}R"
    click(browser, by_r)
    assert first_r() == f"{min(t.r for t in trades):+.2f}R"
    (search,) = browser.all("#search")
    search.send_keys("eth short")
    wanted = sum(t.pair == ETH and t.side == "short" for t in trades)
    browser.wait(
        f"return document.getElementById('count').textContent === '{wanted} of {len(trades)}'"
    )
    assert all("ETH/USDT short" in line.text for line in browser.all(LINES))


def test_the_bar_of_stops_says_minus_one_r(browser, page, backtest):
    trades = read_backtest(backtest[0]).trades
    browser.open(page)
    names, counts = browser.run(
        "const [bars] = document.getElementById('r-histogram').data; return [bars.x, bars.y]"
    )
    assert dict(zip(names, counts, strict=True))["−1R"] == sum(-1.25 <= t.r < -0.75 for t in trades)


def test_twenty_thousand_trades_stay_a_page_that_can_be_read(browser, tmp_path):
    one = trade(-10.39, number=0)
    many = [
        replace(
            one,
            number=number,
            pair=(BTC, ETH)[number % 2],
            profit=(-10.39, 21.0, -10.4)[number % 3],
            opened=NOON + timedelta(minutes=20 * number),
            closed=NOON + timedelta(minutes=20 * number + 15),
        )
        for number in range(1, 20_001)
    ]
    source = Source("many", many, 100_000.0, "15m")
    file = tmp_path / "many.html"
    file.write_text(render(source, "many", lambda pair: pd.DataFrame(), 200))
    # Plotly's script is most of it; a trade adds what its row shows.
    assert file.stat().st_size < 10_000_000
    browser.open(file)
    assert browser.faults() == {}
    assert len(browser.all(LINES)) == 50
    (search,) = browser.all("#search")
    search.send_keys("#19999")
    browser.wait("return document.getElementById('count').textContent === '1 of 20000'")
