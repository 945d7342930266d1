"""A pattern made to lose is vetoed by the real loop, and comes back when its losses are forgotten.

The market falls by 3 % after each signal and is back before the next; the same range is backtested.
"""

import json
import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy import stats

from bubbybot_freqtrade.commands.patterns import patterns_command
from bubbybot_freqtrade.rehearsal.backtest import backtest
from bubbybot_freqtrade.rehearsal.rules import RULES, violations
from bubbybot_freqtrade.rehearsal.run import rehearse
from bubbybot_freqtrade.search.backtests import generate_folder
from tests.lively import SHORT_WINDOW

BTC = "BTC/USDT:USDT"
START = datetime(2025, 3, 1, tzinfo=UTC)
BEFORE, DAYS, HOURS = 2, 2.75, 8
HALF_LIFE, PRIOR, INTERVAL = 2.0, 1.0, 0.9
OWN = {
    "bubbybot": {
        "risk": {"max_risk": 0.025},
        "confluence": SHORT_WINDOW,
        "edge": {"act": False},
        "exits": {"break_even_at": None, "trail_from": None},
        "messages": {"price_move": None, "patterns": "daily"},
        "learning": {
            "veto": True,
            "half_life_days": HALF_LIFE,
            "prior_trades": PRIOR,
            "prior": None,
            "interval": INTERVAL,
            "other_regimes": 1.0,
        },
    }
}


def write_market(folder):
    """Prices that fall by 3 % in the two hours after each signal and rise again in the next two."""
    generate_folder(
        folder, START - timedelta(days=BEFORE), BEFORE + math.ceil(DAYS) + 1, pairs=[BTC]
    )
    for file in (folder / "futures").glob("*"):
        if file.name.endswith(("-1h-futures.feather", "-4h-futures.feather", "-mark.feather")):
            file.unlink()
    (file,) = (folder / "futures").glob("*-15m-futures.feather")
    frame = pd.read_feather(file)
    hours = (frame["date"] - pd.Timestamp(START)).dt.total_seconds().to_numpy() / 3600 % HOURS
    course = [0, 2, 4, HOURS], [1, 0.97, 1, 1]
    opens = 60_000 * np.interp(hours, *course)
    closes = 60_000 * np.interp(hours + 0.2499, *course)
    frame["open"], frame["close"] = opens.round(1), closes.round(1)
    frame["high"], frame["low"] = (
        frame[["open", "close"]].max(axis=1),
        frame[["open", "close"]].min(axis=1),
    )
    frame.to_feather(file)


@pytest.fixture(scope="module")
def rehearsed(settings_for, tmp_path_factory):
    folder = tmp_path_factory.mktemp("losing")
    write_market(folder / "data")
    (folder / "own.json").write_text(json.dumps(OWN))
    backtested = []
    settings = settings_for(
        data=folder / "data",
        start=START.date(),
        days=DAYS,
        pairs=(BTC,),
        config=folder / "own.json",
        strategy="Stubborn",
        balance=10_000,
        loop_seconds=900,
    )
    result = rehearse(
        settings, after=lambda result, sandbox: backtested.extend(backtest(result, sandbox))
    )
    return result, backtested


def signals():
    count = int(DAYS * 24 / HOURS)
    return [START + timedelta(hours=HOURS * number) for number in range(1, count + 1)]


def upper_bound(trades, now):
    """Of the mean of R at `now`: Student-t around shrunk sums, with scipy's own distribution."""
    closed = [t for t in trades if t.closed_ms <= now.timestamp() * 1000]
    r = np.array([t.net / t.plan["risk"] for t in closed])
    ages = np.array([now.timestamp() - t.closed_ms / 1000 for t in closed]) / 86_400
    w = 0.5 ** (ages / HALF_LIFE)
    kappa = PRIOR + w.sum()
    mean = (w @ r) / kappa
    alpha = 1 + kappa / 2
    # Σ w r² + prior's squares − κ·mean² is what is left around the posterior's mean.
    beta = (w @ r**2 + PRIOR * 2.0 - kappa * mean**2) / 2
    scale = math.sqrt(beta / (alpha * kappa))
    return stats.t(2 * alpha, loc=mean, scale=scale).ppf(0.5 + INTERVAL / 2)


def entered(trades):
    candle = HOURS * 3_600_000
    return {trade.opened_ms // candle for trade in trades}


def test_the_pattern_loses_until_it_is_vetoed_and_comes_back(rehearsed):
    result, _ = rehearsed
    assert result.stopped == ""
    traded = [int(now.timestamp() // 3600 // HOURS) in entered(result.trades) for now in signals()]
    first_veto = traded.index(False)
    assert first_veto >= 3, "the ledger has not seen enough"
    comeback = traded.index(True, first_veto)
    assert timedelta(hours=HOURS * (comeback - first_veto)) <= timedelta(days=HALF_LIFE)
    losses = [trade for trade in result.trades if trade.exit_reason == "stoploss_on_exchange"]
    assert len(losses) >= first_veto
    assert all(trade.net < 0 for trade in losses)


def test_each_veto_is_the_upper_bounds_and_no_other_signal_is_refused(rehearsed):
    result, _ = rehearsed
    for now in signals():
        is_entered = int(now.timestamp() // 3600 // HOURS) in entered(result.trades)
        assert is_entered == (upper_bound(result.trades, now) >= 0), now
    log = (result.settings.out / "freqtrade.log").read_text()
    assert "has not paid: mean R -" in log
    assert log.count(" - INFO - What past trades say") == int(DAYS)


def test_the_backtest_of_the_same_range_vetoes_the_same_signals(rehearsed):
    result, backtested = rehearsed
    assert entered(backtested) == entered(result.trades)


def test_no_rule_is_broken(rehearsed):
    result, _ = rehearsed
    assert violations(result.evidence, RULES) == []


def test_the_command_shows_the_rehearsals_ledger(rehearsed, tmp_path):
    result, _ = rehearsed
    out = tmp_path / "patterns.html"
    arguments = [str(result.settings.out), "--by", "pair", "--by", "regime", "-o", str(out)]
    config = ["-c", str(result.settings.out / "config.json")]
    done = CliRunner(env={"COLUMNS": "200"}).invoke(patterns_command, arguments + config)
    assert done.exit_code == 0, done.output
    assert done.output.count("BTC/USDT") >= 3
    assert "mc:early (Market Cipher early uptrend)" in done.output
    assert "a half-life of 2 days, prior a fair game, veto on" in " ".join(done.output.split())
    assert out.read_text().count("<circle") >= 3
