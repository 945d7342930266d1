"""`bubbybot explain` on the generated market: the numbers of the strategy, taken apart."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from bubbybot_freqtrade.commands.explain import explain_command
from bubbybot_freqtrade.search.backtests import Backtest, BacktestDesk
from tests.browser import DESK, PHONE, Browser, open_browser
from tests.lively import SHORT_WINDOW


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture
def ask(desk: BacktestDesk, tmp_path: Path):
    def run(*arguments: str, **blocks: dict) -> Result:
        config = tmp_path / "config.json"
        settings = desk._settings({"confluence": SHORT_WINDOW, **blocks})
        config.write_text(json.dumps(settings | {"strategy_path": "user_data/strategies"}))
        first = ["-c", str(config)]
        options = ["-d", str(desk.data), "--picture", str(tmp_path / "x.html")]
        return CliRunner(env={"COLUMNS": "200"}).invoke(
            explain_command, [*first, *arguments, *options]
        )

    return run


def test_a_traded_candle_is_explained_as_the_entry_it_was(
    ask, lively: Backtest, tmp_path: Path
) -> None:
    trade = lively.trades.iloc[0]
    answer = ask(trade["pair"], f"{trade['open_date']:%Y-%m-%dT%H:%M}")
    assert answer.exit_code == 0, answer.output
    side = "short" if trade["is_short"] else "long"
    (line,) = [line for line in answer.output.splitlines() if line.startswith(f"{side}: entry")]
    assert f"stop {trade['plan_stop']:,g}"[:9] in line
    assert trade["enter_tag"] in line
    signal = trade["open_date"] - pd.Timedelta(minutes=15)
    assert f"15m candle of {signal:%Y-%m-%d %H:%M} UTC" in answer.output
    price = drawn(tmp_path / "x.html")["pictures"]["price"]
    assert len(price["c"]) == 96, "a day of candles"
    assert [name for name, *_ in price["levels"]] == ["stop", "target"]
    assert price["levels"][0][1] == pytest.approx(trade["plan_stop"], rel=1e-4)


def drawn(page: Path) -> dict:
    (data,) = re.findall(
        r'<script type="application/json" id="data">(.*?)</script>', page.read_text()
    )
    return json.loads(data)


def test_the_picture_draws_the_evidence_that_is_listed(
    ask, lively: Backtest, tmp_path: Path, browser: Browser
) -> None:
    trade = lively.trades.iloc[0]
    answer = ask(trade["pair"], f"{trade['open_date']:%Y-%m-%dT%H:%M}")
    price = drawn(tmp_path / "x.html")["pictures"]["price"]
    assert price["noted"]
    # Each event stands at the candle that is so many before the explained one.
    last = (trade["open_date"] - pd.Timedelta(minutes=15)).timestamp() * 1000
    ages = {round((last - at) / 900_000) for at, _, _, _ in price["noted"]}
    listed = {int(age) for age in re.findall(r"\((\d+) ago\)", answer.output)}
    assert ages >= listed
    for size in (DESK, PHONE):
        browser.open(tmp_path / "x.html", size)
        assert browser.faults() == {}
        names = browser.run(
            "return document.getElementById('price').layout.annotations.map((note) => note.text)"
        )
        assert {words for _, _, words, _ in price["noted"]} <= set(names)


def test_after_a_rehearsal_its_candles_are_found(desk: BacktestDesk, tmp_path: Path) -> None:
    user_data = tmp_path / "user_data"
    candles = user_data / "rehearsal" / "data" / "blofin"
    candles.parent.mkdir(parents=True)
    shutil.copytree(desk.data, candles)
    config = tmp_path / "config.json"
    settings = desk._settings({"confluence": SHORT_WINDOW})
    strategies = {"strategy_path": "user_data/strategies", "user_data_dir": str(user_data)}
    config.write_text(json.dumps(settings | strategies))
    for options in ([], ["-d", str(user_data / "rehearsal")]):
        page = tmp_path / "y.html"
        arguments = ["-c", str(config), *options, "--picture", str(page), "BTC/USDT:USDT"]
        answer = CliRunner(env={"COLUMNS": "400"}).invoke(explain_command, arguments)
        assert answer.exit_code == 0, answer.output
        assert f"Candles: {candles}" in answer.output


def test_a_candle_without_entry_says_what_is_missing(ask, lively: Backtest) -> None:
    quiet = lively.trades["open_date"].iloc[0] - pd.Timedelta(hours=5)
    answer = ask("BTC/USDT:USDT", f"{quiet:%Y-%m-%dT%H:%M}")
    assert answer.exit_code == 0, answer.output
    assert "no entry, " in answer.output
    assert "bubbybot patterns" not in answer.output, "past trades have no say by default"


@pytest.mark.parametrize(
    ("time", "opened"), [("12:14", "11:45"), ("12:15", "12:00"), ("12:16", "12:00")]
)
def test_a_candle_is_explained_once_it_has_closed(
    ask, lively: Backtest, time: str, opened: str
) -> None:
    day = f"{lively.trades['open_date'].iloc[0]:%Y-%m-%d}"
    answer = ask("BTC/USDT:USDT", f"{day}T{time}")
    assert answer.exit_code == 0, answer.output
    assert f"15m candle of {day} {opened} UTC" in answer.output


def test_an_analyzer_without_a_side_has_no_run_and_no_number(ask) -> None:
    """Before a timeframe has candles enough, no analyzer has a side."""
    first = ask("BTC/USDT:USDT", "2019-01-01").output
    (began,) = re.findall(r"close from (\S+)", first)
    answer = ask("BTC/USDT:USDT", f"{began}T01:00")
    assert answer.exit_code == 0, answer.output
    assert " nan" not in answer.output
    readings = answer.output.partition("Score")[0]
    assert readings.count("none") == readings.count("–") == 3


def test_where_past_trades_have_a_say_it_says_so(ask) -> None:
    answer = ask("BTC/USDT:USDT", learning={"veto": True})
    assert answer.exit_code == 0, answer.output
    assert "bubbybot patterns" in answer.output


def test_several_configs_are_one_as_for_freqtrade(ask, tmp_path: Path) -> None:
    more = tmp_path / "more.json"
    more.write_text(json.dumps({"bubbybot": {"learning": {"veto": True}}}))
    answer = ask("BTC/USDT:USDT", "-c", str(more))
    assert answer.exit_code == 0, answer.output
    assert "bubbybot patterns" in answer.output


def test_a_time_before_all_candles_is_told_with_the_candles_there_are(ask) -> None:
    answer = ask("BTC/USDT:USDT", "2019-01-01")
    assert answer.exit_code == 1
    assert "is outside of the 15m candles of BTC/USDT:USDT" in answer.output
    assert "Traceback" not in answer.output


def test_an_analyzer_that_opposes_is_named_as_against_and_as_nothing_else(
    ask, lively: Backtest
) -> None:
    trade = lively.trades.iloc[0]
    answer = ask(trade["pair"], f"{trade['open_date']:%Y-%m-%dT%H:%M}")
    assert answer.exit_code == 0, answer.output
    found = re.findall(r"│ (market|lux|frankie) .*([+-]\d\.\d\d) │", answer.output)
    readings = {name: float(reading) for name, reading in found}
    assert set(readings) == {"market", "lux", "frankie"}
    for side, sign in (("long", 1), ("short", -1)):
        (row,) = [
            line
            for line in answer.output.splitlines()
            if re.match(rf"│\s+{side} │", line) and line.count("│") == 7
        ]
        against = {name for name in readings if sign * readings[name] < 0}
        assert {name for name in readings if name in row.rsplit("│", 2)[1]} == against
