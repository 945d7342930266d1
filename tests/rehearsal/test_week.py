"""A week of BubbyBot in the live loop and in freqtrade's backtester: the same entries.

With every signal traded, as one trade a side leaves too few in a week to say anything.
"""

import json
from pathlib import Path

import pytest

from bubbybot_freqtrade.rehearsal.backtest import backtest
from bubbybot_freqtrade.rehearsal.comparison import compare
from bubbybot_freqtrade.rehearsal.rules import RULES, violations
from bubbybot_freqtrade.rehearsal.run import rehearse
from tests.lively import NEAR, SHORT_WINDOW
from tests.places import RECORDED

# A week takes minutes, more of them beside other work.
pytestmark = pytest.mark.timeout(1500)

CANDLE_MS = 900_000
EVERY_SIGNAL = {
    "bubbybot": {
        "confluence": SHORT_WINDOW,
        "risk": {"max_same_side": 3, **NEAR},
        "exits": {"max_hours": 6},
    },
}


@pytest.fixture(scope="module")
def week(settings_for, tmp_path_factory):
    """(rehearsal, comparison, backtest's trades) of a recorded week, minute by minute."""
    recorded = RECORDED / "binance-1m"
    if not (recorded / "futures").exists():
        pytest.skip(f"no recorded candles in {recorded}")
    config = tmp_path_factory.mktemp("week") / "config.json"
    config.write_text(json.dumps(EVERY_SIGNAL))
    settings = settings_for(
        data=recorded,
        # The value area of 1h needs 480 candles, and these begin on 2025-05-05.
        start="2025-05-26",
        days=7,
        pairs=None,
        strategy="BubbyBot",
        strategy_path=Path("user_data/strategies"),
        config=config,
        balance=10_000,
        loop_seconds=900,
    )
    backtested = []

    def after(result, sandbox):
        backtested.extend(backtest(result, sandbox))

    rehearsal = rehearse(settings, after=after)
    return rehearsal, compare(rehearsal, backtested), backtested


def entries(trades):
    return {(t.pair, t.side, t.opened_ms // CANDLE_MS, t.tag) for t in trades}


def test_the_same_entries(week):
    rehearsal, compared, backtested = week
    assert [row for row in compared if row.live is None or row.backtest is None] == []
    assert len(rehearsal.trades) == len(backtested) >= 15
    assert {trade.side for trade in rehearsal.trades} == {"long", "short"}
    assert entries(rehearsal.trades) == entries(backtested)


def test_the_same_plans(week):
    _, compared, _ = week
    for row in compared:
        assert row.live.plan is not None
        assert row.backtest.planned.keys() == {"stop", "target", "confidence"}
        for name, value in row.backtest.planned.items():
            # Analysis on the newest 1,439 candles, and on all of them.
            assert row.live.plan[name] == pytest.approx(value, rel=1e-3)
    assert [row.differences for row in compared if not row.is_explained] == []


def test_no_rule_is_broken(week):
    rehearsal, _, _ = week
    assert violations(rehearsal.evidence, RULES) == []
