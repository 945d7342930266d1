"""`bubbybot patterns` on a backtest, its page, the report's section, and what it refuses."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from bubbybot_freqtrade.commands.patterns import patterns_command
from bubbybot_freqtrade.learning.ledger import History, Ledger, PastTrade
from bubbybot_freqtrade.learning.picture import chart_rows, section
from bubbybot_freqtrade.learning.results import read_backtest
from bubbybot_freqtrade.learning.table import pattern_rows
from bubbybot_freqtrade.report.cli import report_command
from bubbybot_freqtrade.risk.order_tag import read_levels, read_regime, with_levels
from bubbybot_freqtrade.risk.plan import TradePlan
from bubbybot_freqtrade.search.backtests import backtest_desk, generate_folder
from bubbybot_freqtrade.settings import LearningSettings
from bubbybot_freqtrade.strategy import messages
from tests.lively import SHORT_WINDOW

PAIRS = ("BTC/USDT:USDT", "ETH/USDT:USDT")
LIVELY = {"risk": {"max_same_side": 3}, "confluence": SHORT_WINDOW}
NOW = datetime(2025, 6, 1, tzinfo=UTC)
LOST = PastTrade(PAIRS[0], "long", "mc:dot lux:ob", "trend calm", NOW, -1.0, 0.0)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("backtest")
    generate_folder(folder / "data", datetime(2025, 1, 1, tzinfo=UTC), days=45, pairs=PAIRS)
    with backtest_desk(folder / "data", folder / "user_data", PAIRS) as desk:
        return desk.run("20250120-20250214", LIVELY, export="trades")


def show(folder, *arguments, command=patterns_command):
    out = folder / "page.html"
    runner = CliRunner(env={"COLUMNS": "250"})
    result = runner.invoke(command, [*map(str, arguments), "-o", str(out)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result, out.read_text() if out.exists() else ""


def test_the_report_says_the_same_of_them(exported, tmp_path):
    drawn = re.compile(r'"patterns":(\[.*?\])')
    (alone,) = drawn.findall(show(tmp_path, exported.export)[1])
    (reported,) = drawn.findall(show(tmp_path, exported.export, command=report_command)[1])
    assert alone == reported
    assert '"mean":' in alone


def test_a_backtests_patterns_are_counted_and_drawn(exported, tmp_path):
    result, page = show(tmp_path, exported.export)
    assert result.exit_code == 0, result.output
    sides = exported.trades["is_short"].map({True: "short", False: "long"})
    tagged = exported.trades.assign(side=sides, code=exported.trades["enter_tag"].str.split())
    counts = tagged.explode("code").groupby(["code", "side"]).size()
    assert len(counts) >= 6
    for (code, side), count in counts.items():
        row = rf"│ {re.escape(code)} \(.*?\) +│ {side} +│ +{count} │"
        assert re.search(row, result.output), (code, side, count)
    assert page.count('"vetoed":') == len(counts)
    assert "default-src 'none'" in page


def test_pairs_and_regimes_are_told_apart(exported, tmp_path):
    result, _ = show(tmp_path, exported.export, "--by", "pair", "--by", "regime")
    for words in ("BTC/USDT", "ETH/USDT", "calm", "wild", "range"):
        assert words in result.output, words
    assert "unknown" not in result.output


def test_an_earlier_moment_knows_only_what_had_closed(exported, tmp_path):
    closed = exported.trades["close_date"] + timedelta(minutes=15)
    middle = closed.sort_values().iloc[len(closed) // 2].floor("min")
    result, _ = show(tmp_path, exported.export, "--at", f"{middle:%Y-%m-%d %H:%M}")
    shown = [int(n) for n in re.findall(r"│ (?:long|short) +│ +(\d+) │", result.output)]
    codes = exported.trades["enter_tag"].str.split().str.len()
    assert sum(shown) == codes[closed <= middle].sum() < codes.sum()
    nothing, _ = show(tmp_path, exported.export, "--at", "2020-01-01")
    assert "No closed trade has a pattern" in nothing.output


def test_the_report_has_the_picture(exported, tmp_path):
    result, page = show(tmp_path, exported.export, command=report_command)
    assert result.exit_code == 0, result.output
    assert 'id="what-past-trades-say"' in page
    assert 'id="patterns"' in page


def test_a_backtests_file_knows_targets_and_regimes(exported):
    for trade in read_backtest(exported.export).trades:
        assert trade.target
        assert re.fullmatch("(trend|counter|range) (calm|wild)", trade.regime)


@given(st.text(max_size=20), st.sampled_from(["", "trend calm", "range wild"]))
def test_an_order_tag_gives_back_what_it_was_given(tag, regime):
    plan = TradePlan(
        PAIRS[0], "long", 100, 98.5, 106, 5, 1, 20, 2, 2.5, 80, 0.8125, 1000, regime=regime
    )
    kept = with_levels(tag, plan)
    assert read_levels(kept) == {"stop": 98.5, "target": 106.0, "confidence": 0.8125}
    assert read_regime(kept) == regime
    assert read_regime(tag) == ""


@pytest.mark.parametrize("source", ["nowhere", "nowhere.sqlite", "sqlite:///nowhere.sqlite"])
def test_what_is_not_there_is_said(source, tmp_path):
    result, page = show(tmp_path, source)
    assert result.exit_code == 1
    assert "does not exist" in result.output
    assert page == ""


def test_a_config_decides_half_life_and_prior(exported, tmp_path):
    settings = f'{{"learning": {{"prior": "{exported.export}", "half_life_days": 7}}}}'
    config = tmp_path / "own.json"
    config.write_text(f'{{"bubbybot": {settings}}}')
    result, _ = show(tmp_path, exported.export, "-c", "config.json", "-c", config)
    assert "a half-life of 7 days" in " ".join(result.output.split())
    config.write_text('{"bubbybot": {"learning": {"prior": "gone.zip"}}}')
    result, _ = show(tmp_path, exported.export, "-c", "config.json", "-c", config)
    assert result.exit_code == 1
    assert "bubbybot.learning.prior = 'gone.zip'" in result.output


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(0, 40))
def test_a_message_fits_and_names_every_veto(lost, others):
    tagged = [replace(LOST, tag=f"mc:p{number}") for number in range(others) for _ in range(30)]
    beaten = [replace(LOST, tag="lux:ob")] * lost
    rows = pattern_rows(Ledger(LearningSettings()), History([*tagged, *beaten]), NOW)
    told = messages.patterns_told(rows)
    assert told.count("vetoed") == sum(row.is_vetoed for row in rows)
    # Telegram takes 4096 characters of a message; a bot has some 48 patterns.
    assert len(told) < 4096
    assert "_" not in told


def test_the_picture_is_red_where_a_pattern_is_vetoed():
    won = replace(LOST, tag="fc:gp", r=2.5, outcome=1.0)
    rows = pattern_rows(Ledger(LearningSettings()), History([LOST] * 30 + [won] * 30), NOW)
    assert [row["vetoed"] for row in chart_rows(rows)].count(True) == 2
    assert len(chart_rows(rows)) == 3
    assert section([], "") == "<p>No closed trade has a pattern in its tag.</p>"
