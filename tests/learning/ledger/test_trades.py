"""freqtrade's trades as the ledger reads them, and the running backtest's as they come."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import mean, stdev
from typing import Any

import pytest
from freqtrade.persistence import LocalTrade, disable_database_use, enable_database_use

from bubbybot_freqtrade.learning.edge import shipped
from bubbybot_freqtrade.learning.ledger import Ledger
from bubbybot_freqtrade.learning.results import ReportTrade, Source
from bubbybot_freqtrade.learning.trades import ClosedTrades, past_trade, past_trades, read_prior
from bubbybot_freqtrade.risk.plan import TradePlan
from bubbybot_freqtrade.settings import SHIPPED_PRIOR, LearningSettings

NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)
CANDLE = timedelta(minutes=15)


def told(**changes: Any) -> ReportTrade:
    values: dict[str, Any] = {
        "number": 1,
        "pair": "BTC/USDT:USDT",
        "side": "long",
        "leverage": 5.0,
        "amount": 2.0,
        "opened": NOON - timedelta(hours=1),
        "closed": NOON,
        "entry": 100.0,
        "exit": 98.0,
        "stop": 98.0,
        "target": 106.0,
        "confidence": 0.8,
        "fee": 0.0006,
        "profit": -4.2376,
        "tag": "mc:dot",
        "exit_reason": "stop_loss",
    }
    return ReportTrade(**(values | changes))


def test_a_trade_at_its_stop_has_lost_1r_fees_included():
    # 2 · (100 − 98) and 2 · 0.0006 · (100 + 98).
    past = past_trade(told(), CANDLE)
    assert past.r == pytest.approx(-1)
    assert past.outcome == 0
    assert past.known == NOON + CANDLE
    assert past.regime == "unknown"


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"exit": 106.0}, 1.0),
        ({"exit": 107.0}, 1.0),
        ({"exit": 97.0}, 0.0),
        ({"exit": 102.0}, 0.5),
        ({"exit": 101.0, "target": None}, 0.5),
        ({"side": "short", "stop": 102.0, "target": 94.0, "exit": 98.0}, 0.5),
        ({"side": "short", "stop": 102.0, "target": None, "exit": 99.0}, 0.5),
    ],
)
def test_an_end_between_stop_and_target_is_the_share_of_the_way(changes, outcome):
    assert past_trade(told(**changes), CANDLE).outcome == pytest.approx(outcome)


@pytest.mark.parametrize("stop", [0.0, 100.0])
def test_a_trade_without_a_stop_says_nothing(stop):
    source = Source("some", [told(stop=stop), told()], None, "15m", CANDLE)
    assert len(list(past_trades(source))) == 1


@pytest.fixture
def backtest() -> Iterator[None]:
    disable_database_use("15m")
    LocalTrade.reset_trades()
    yield
    LocalTrade.reset_trades()
    enable_database_use()


def close(number: int, tag: str = "mc:dot", **changes: Any) -> LocalTrade:
    """Let the running backtest close a trade."""
    values = {
        "id": number,
        "pair": "BTC/USDT:USDT",
        "is_short": False,
        "is_open": False,
        "open_rate": 100.0,
        "close_rate": 98.0,
        "open_date": NOON,
        "close_date": NOON,
        "amount": 2.0,
        "fee_open": 0.0006,
        "close_profit_abs": -4.2376,
        "enter_tag": tag,
        "initial_stop_loss": 98.0,
        "orders": [],
    }
    trade = LocalTrade(**(values | changes))
    LocalTrade.bt_trades.append(trade)
    return trade


def counts(closed: ClosedTrades) -> int:
    return len(closed.history().of("mc:dot", "long"))


@pytest.mark.usefixtures("backtest")
def test_a_running_backtest_is_read_once_and_the_next_one_anew():
    asked = []

    def plan_of(trade: LocalTrade) -> TradePlan | None:
        asked.append(trade.id)

    closed = ClosedTrades(plan_of, CANDLE)
    assert counts(closed) == 0
    close(1)
    close(2, tag="lux:ob")
    assert (counts(closed), counts(closed)) == (1, 1)
    close(3)
    assert counts(closed) == 2
    assert asked == [1, 2, 3]
    (first, second) = closed.history().of("mc:dot", "long")
    assert first.r == second.r == pytest.approx(-1)
    assert first.known == NOON + CANDLE
    # Hyperopt: the same strategy, the next epoch; as many trades as before must not deceive it.
    LocalTrade.reset_trades()
    for number in (1, 2, 3):
        close(number, tag="fc:gp")
    assert counts(closed) == 0
    assert len(closed.history().of("fc:gp", "long")) == 3


@pytest.mark.usefixtures("backtest")
def test_a_trade_that_never_filled_is_none():
    closed = ClosedTrades(lambda _trade: None, CANDLE)
    close(1, close_rate=None)
    close(2, initial_stop_loss=None)
    assert counts(closed) == 0


@pytest.mark.usefixtures("backtest")
def test_the_recorded_plan_says_stop_target_and_regime():
    plan = TradePlan(
        "BTC/USDT:USDT",
        "long",
        100,
        96.0,
        108,
        5,
        2,
        40,
        8,
        2,
        80,
        0.8,
        1000,
        "mc:dot",
        "trend calm",
    )
    closed = ClosedTrades(lambda _trade: plan, CANDLE)
    close(1)
    (past,) = closed.history().of("mc:dot", "long")
    assert past.regime == "trend calm"
    # The plan's stop is twice as far as the first stop of the trade: half the R.
    assert past.r == pytest.approx(-4.2376 / (2 * (4 + 0.0006 * 196)))
    assert past.outcome == pytest.approx(2 / 12)


def test_the_shipped_prior_is_the_shipped_expectations_backtest():
    prior, expected = read_prior(SHIPPED_PRIOR), shipped()
    results = prior.results(datetime(2026, 1, 1, tzinfo=UTC))
    assert len(results) == expected.trades
    assert mean(results) == pytest.approx(expected.mean_r, abs=0.001)
    assert stdev(results) == pytest.approx(expected.deviation_r, abs=0.001)
    # Nobody knew of them before the first of its candles.
    assert prior.results(datetime(2022, 3, 1, tzinfo=UTC)) == []


def test_the_shipped_prior_moves_the_belief_and_null_leaves_a_fair_game():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    prior = read_prior(SHIPPED_PRIOR)
    told = {
        situation: Ledger(LearningSettings(), prior).prior(situation, now)
        for situation in prior.situations(by_pair=False, by_regime=False)
    }
    assert told
    for situation, believed in told.items():
        fair = Ledger(LearningSettings(prior=None), read_prior(None)).prior(situation, now)
        assert (fair.mean_r, fair.target_first) == (0.0, 1 / 3)
        # Worth no more trades than the fair game was, whatever it is made of.
        assert believed.trades == fair.trades
        assert believed.mean_r != 0.0
