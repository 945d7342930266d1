"""The report's numbers, against plain counts and freqtrade's own."""

import json
import math
from datetime import timedelta
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubbybot_freqtrade.learning.results import Source, read_backtest
from bubbybot_freqtrade.report import export, figures, measures
from bubbybot_freqtrade.report.exits import exit_words
from tests.blofin.desk import BTC, ETH
from tests.report.trade import NOON, trade

money = st.floats(-1e4, 1e4).map(lambda value: round(value, 2))


def source(*trades, balance=1_000.0, **changes):
    return Source("by hand", trades, balance, "15m", **changes)


def after(hours, profit, **changes):
    """A trade that ends so many hours after noon."""
    return trade(profit, closed=NOON + timedelta(hours=hours), **changes)


def test_r_counts_the_fees_of_a_stop():
    # Two units from 100 to 95 lose 10, and 0.001 of 195 twice over.
    assert trade(profit=-10.39).r == pytest.approx(-1.0)
    assert trade(profit=20.78).r == pytest.approx(2.0)
    assert trade(stop=0.0).r is None


@given(st.lists(money, min_size=1, max_size=30), st.sampled_from([None, 1_000.0]))
def test_the_account_ends_with_all_profits_and_never_lies_above_its_peak(profits, balance):
    trades = [after(hours + 1, profit) for hours, profit in enumerate(profits)]
    curve = measures.account_curve(source(*trades, balance=balance))
    assert curve.iloc[0] == (balance or 0)
    steps = [later - earlier for earlier, later in pairwise(curve)]
    assert steps == pytest.approx(profits, abs=1e-6)
    down = measures.drawdowns(curve)
    assert (down <= 0).all()
    assert [d == 0 for d in down] == [v == max(curve[: i + 1]) for i, v in enumerate(curve)]


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=50))
def test_every_r_is_in_the_bar_that_is_named_after_it(values):
    counts = measures.histogram(values)
    assert sum(counts.values()) == len(values)
    assert set(counts) <= {step / 2 for step in range(-12, 13)}
    for middle in (-1.0, 0.0, 2.0):
        inside = sum(middle - 0.25 <= value < middle + 0.25 for value in values)
        assert counts.get(middle, 0) == inside


def test_stops_with_their_slippage_are_minus_one():
    assert measures.histogram([-1.0, -1.04, -0.98, -1.2]) == {-1.0: 4}


def test_groups_add_up():
    made = measures.groups(
        [trade(10), trade(-4, pair=ETH), trade(-5), trade(7, stop=0.0)], lambda t: t.pair
    )
    assert [(g.name, g.trades, g.wins, g.profit) for g in made] == [
        (BTC, 3, 2, 12),
        (ETH, 1, 0, -4),
    ]


def test_figures_are_those_of_freqtrades_result(backtest):
    read = read_backtest(backtest[0])
    told, own = measures.figures(read), read.own
    for mine, theirs in {
        "profit": "profit_total_abs", "profit_share": "profit_total", "cagr": "cagr",
        "profit_factor": "profit_factor", "expectancy": "expectancy",
        "expectancy_ratio": "expectancy_ratio", "sharpe": "sharpe", "sortino": "sortino",
        "calmar": "calmar", "sqn": "sqn", "drawdown": "max_drawdown_abs",
        "drawdown_account": "max_drawdown_account",
        "drawdown_share": "max_relative_drawdown", "trades": "total_trades",
        "longest_winning_streak": "max_consecutive_wins",
        "longest_losing_streak": "max_consecutive_losses",
    }.items():  # fmt: skip
        assert getattr(told, mine) == pytest.approx(own[theirs], rel=1e-6), mine
    assert told.mean_duration.total_seconds() == pytest.approx(own["holding_avg_s"], abs=60)
    funding = sum(row["funding_fees"] for row in own["trades"])
    assert told.funding == pytest.approx(funding)
    # What is not profit of the price is fees and funding.
    gross = sum(
        row["amount"] * (row["close_rate"] - row["open_rate"]) * (-1 if row["is_short"] else 1)
        for row in own["trades"]
    )
    assert told.profit == pytest.approx(gross - told.fees + funding, abs=0.01)


def test_exposure_counts_time_once():
    trades = [
        after(2, 1.0),
        trade(1.0, opened=NOON + timedelta(hours=1), closed=NOON + timedelta(hours=3)),
        trade(1.0, opened=NOON + timedelta(hours=9), closed=NOON + timedelta(hours=10)),
    ]
    assert measures.exposure(trades, NOON, NOON + timedelta(hours=10)) == pytest.approx(0.4)


def test_days_without_a_trade_earn_nothing_and_all_days_make_the_account():
    made = source(after(1, 100.0), after(49, -55.0))
    returns = measures.daily_returns(made)
    assert [f"{day:%m-%d}" for day in returns.index] == ["03-04", "03-05", "03-06"]
    assert returns.tolist() == pytest.approx([0.1, 0.0, -0.05])
    with pytest.raises(ValueError, match="not known"):
        measures.daily_returns(source(after(1, 1.0), balance=None))


def test_a_month_is_a_share_of_what_it_began_with():
    made = source(after(1, 100.0), after(24 * 30, -110.0))
    (march, _, first), (april, _, second) = measures.months(made)
    assert (march, april) == ("2025-03", "2025-04")
    assert (first, second) == pytest.approx((0.1, -0.1))


def test_what_was_planned_stands_beside_what_came():
    # The target's 10 less 0.001 of 210, over 5 and 0.001 of 195.
    promised = (10 - 0.21) / 5.195
    weak, sure = trade(-10.39, confidence=0.72), trade(20.78, confidence=1.0)
    low, high, everything = measures.expectations([weak, sure, trade(1.0, target=None)])
    assert (low.name, high.name, everything.name) == ("0.70 to 0.75", "0.95 to 1.00", "all")
    assert low.planned_r == pytest.approx(promised)
    assert low.needed == pytest.approx(1 / (1 + promised))
    assert (low.won, high.won, everything.won) == (0, 1, 0.5)
    assert everything.mean_r == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("reason", "changes", "words"),
    [
        ("roi", {}, "target"),
        ("take_profit_on_exchange", {}, "target"),
        ("stop_loss", {}, "stop"),
        ("stoploss_on_exchange", {"last_stop": 95.01}, "stop"),
        ("stoploss_on_exchange", {"last_stop": 101.0}, "moved stop"),
        ("trailing_stop_loss", {}, "moved stop"),
        ("too_old", {}, "time"),
        ("my_own_reason", {}, "my own reason"),
    ],
)
def test_exits_are_told_in_words(reason, changes, words):
    assert exit_words(trade(exit_reason=reason, **changes)) == words


def test_the_stop_is_known_as_it_moved(backtest):
    moved = [t for t in read_backtest(backtest[0]).trades if t.moves]
    assert moved
    for t in moved:
        levels = [t.stop, *(level for _, level in t.moves)]
        sign = 1 if t.side == "long" else -1
        assert all(sign * later > sign * earlier for earlier, later in pairwise(levels))
        assert all(t.opened < moment <= t.closed for moment, _ in t.moves)
        # freqtrade rounds to the tick.
        assert t.last_stop == pytest.approx(levels[-1], rel=1e-4)


def test_exported_numbers_are_the_pages(backtest, tmp_path):
    read = read_backtest(backtest[0])
    written = export.write(read, tmp_path / "numbers")
    assert [file.name for file in written] == ["trades.csv", "figures.json", "daily_returns.csv"]
    table = pd.read_csv(written[0])
    assert table["profit_abs"].sum() == pytest.approx(read.own["profit_total_abs"])
    assert table["r"].tolist() == pytest.approx([t.r for t in read.trades])
    figures = json.loads(written[1].read_text())
    assert figures["figures"]["sharpe"] == pytest.approx(read.own["sharpe"])
    assert sum(m["trades"] for m in figures["months"]) == len(read.trades)
    # As QuantStats reads returns: a Series by date, whose product is the account.
    returns = pd.read_csv(written[2], index_col=0, parse_dates=True).squeeze()
    assert isinstance(returns.index, pd.DatetimeIndex)
    grown = read.starting_balance * (1 + returns).prod()
    assert grown == pytest.approx(read.own["final_balance"])


def test_daily_ratios_are_those_that_quantstats_prints():
    """As its release 0.0.86 prints them, with a year of 365 days."""
    returns = pd.Series([0.01, -0.02, 0.03, -0.01, 0.02])
    known = (5.527941708708923, 11.462983904725679, 367.0930600458955)
    assert measures.daily_ratios(returns) == pytest.approx(known)
    assert measures.daily_ratios(pd.Series([0.0, 0.0])) == (None, None, None)


def test_quantstats_reads_what_was_exported(backtest, tmp_path):
    """Not among the tests' packages; `pip install quantstats` runs it."""
    quantstats = pytest.importorskip("quantstats", reason="no quantstats here")
    read = read_backtest(backtest[0])
    file = export.write(read, tmp_path)[2]
    returns = pd.read_csv(file, index_col=0, parse_dates=True).squeeze()
    told = [
        getattr(quantstats.stats, name)(returns, periods=365)
        for name in ("sharpe", "sortino", "calmar")
    ]
    assert measures.daily_ratios(returns) == pytest.approx(told)
    quantstats.reports.html(returns, output=str(tmp_path / "page.html"), periods_per_year=365)
    assert (tmp_path / "page.html").stat().st_size > 50_000


def test_without_a_losing_trade_the_factor_is_endless_and_json_has_none(tmp_path):
    made = source(after(1, 10.0))
    assert measures.figures(made).profit_factor == math.inf
    _, figures, _ = export.write(made, tmp_path)
    assert json.loads(figures.read_text())["figures"]["profit_factor"] is None


def test_a_good_day_is_not_made_a_year():
    """One trade of 6.7 % in two days is 2,077,045,265,656 % a year."""

    def shown(hours):
        made = source(after(hours, 67.25))
        told = measures.figures(made)
        yearly = ("Growth a year (CAGR)", "Sharpe", "Sortino", "Calmar")
        rows = [row for row in figures.rows(told, made) if row.name in yearly]
        tiles = {tile["name"]: tile["value"] for tile in figures.tiles(told, made)}
        return {tiles["Sharpe, daily"], *(row.value for row in rows), *(row.daily for row in rows)}

    assert shown(48) == {"–", ""}
    assert f"{100 * (1.06725 ** (365 / 31) - 1):+.2f} %" in shown(24 * 31)
