"""Past trades change the next one, and trades that close later change nothing.

Through freqtrade's backtester, through a database, and through a backtest's file.
"""

from collections.abc import Callable, Sequence
from dataclasses import astuple
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from freqtrade.persistence import Trade

from bubbybot_freqtrade.learning.ledger import History, Ledger, Situation
from bubbybot_freqtrade.learning.results import read_backtest
from bubbybot_freqtrade.learning.trades import past_trades, read_prior
from bubbybot_freqtrade.search.backtests import Backtest, BacktestDesk
from bubbybot_freqtrade.settings import LearningSettings
from tests.lively import SHORT_WINDOW
from tests.strategy.test_callbacks import BTC, ETH, NOON, TAG, enter, open_trade, show

Bot = Any
CANDLE = timedelta(minutes=15)
SPAN = "20250301-20250325"
LIVELY = {"risk": {"max_same_side": 3}, "confluence": SHORT_WINDOW}
# The smallest interval is the readiest with vetoes and trust: what could show, shows.
EAGER = {"scale_risk": True, "veto": True, "interval": 0.5, "prior_trades": 4}
Planted = Sequence[dict[str, Any]]


@pytest.fixture(scope="module")
def learn(desk: BacktestDesk) -> Callable[..., pd.DataFrame]:
    """Backtest with the ledger and with planted trades; the trades that are not planted."""

    def run(planted: Planted = (), **changes: Any) -> pd.DataFrame:
        trades = desk.run(
            SPAN,
            LIVELY | {"learning": EAGER},
            strategy="Planted",
            strategy_path="tests/strategy/strategies",
            planted=list(planted),
            **changes,
        ).trades
        own = trades[trades["exit_reason"] != "planted"]
        assert len(trades) - len(own) == sum(plant["count"] for plant in planted)
        return own.sort_values(["open_date", "pair"]).reset_index(drop=True)

    return run


@pytest.fixture(scope="module")
def alone(learn: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    return learn()


def losses(trade: pd.Series, closed: datetime, count: int = 40) -> dict[str, Any]:
    """Losses of all patterns of a trade, in its pair and on its side."""
    return {
        "pair": trade["pair"],
        "side": "short" if trade["is_short"] else "long",
        "tag": trade["enter_tag"],
        "close_date": closed.isoformat(),
        "count": count,
    }


def same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    columns = ["pair", "open_date", "close_date", "is_short", "amount", "profit_abs", "plan_risk"]
    return one[columns].equals(other[columns])


def test_a_backtest_does_not_see_trades_that_close_later(
    learn: Callable[..., pd.DataFrame], alone: pd.DataFrame
) -> None:
    middle = alone["open_date"].iloc[len(alone) // 2]
    planted = [losses(trade, middle, count=5) for _, trade in alone.iterrows()]
    later = learn(planted)
    before = alone["open_date"] <= middle
    assert before.sum() > 10
    assert same(alone[before], later[: before.sum()])
    # The same losses do change what comes after them: the test can see.
    after = later[later["open_date"] > middle]
    assert len(after) < (~before).sum()


def test_a_backtest_sees_a_trade_one_candle_after_the_start_of_its_last(
    learn: Callable[..., pd.DataFrame], alone: pd.DataFrame
) -> None:
    trade = alone.iloc[len(alone) // 2]
    opened = trade["open_date"].to_pydatetime()

    def is_entered(trades: pd.DataFrame) -> bool:
        same_entry = (trades["pair"] == trade["pair"]) & (trades["open_date"] == opened)
        return bool(same_entry.any())

    # A trade that ends inside the candle in which this one begins has the same date.
    assert is_entered(learn([losses(trade, opened)]))
    assert not is_entered(learn([losses(trade, opened - CANDLE)]))


def test_a_backtest_learns_from_its_own_trades(
    desk: BacktestDesk, alone: pd.DataFrame, lively_in_span: Backtest
) -> None:
    unlearned = lively_in_span.trades
    assert not same(alone, unlearned.sort_values(["open_date", "pair"]).reset_index(drop=True))
    # Nothing was known before the first trade had closed.
    first_end = unlearned["close_date"].min()
    blind = unlearned[unlearned["open_date"] <= first_end]
    assert set(blind["open_date"]) <= set(alone["open_date"])
    risk = alone["plan_risk"] / alone["plan_equity"]
    assert risk.between(0.02 * (1 - 1e-9), 0.05 * (1 + 1e-9)).all()


@pytest.fixture(scope="module")
def lively_in_span(desk: BacktestDesk) -> Backtest:
    return desk.run(SPAN, LIVELY, export="trades")


def test_a_prior_of_the_same_range_tells_nothing_of_the_future(lively_in_span: Backtest) -> None:
    assert lively_in_span.export is not None
    prior = read_prior(str(lively_in_span.export))
    trades = list(past_trades(read_backtest(lively_in_span.export)))
    settings = LearningSettings(**EAGER)
    moments = lively_in_span.trades["open_date"].iloc[[0, 5, 10, -1]]
    seen = []
    for now in moments.dt.to_pydatetime():
        # Dated by the start of a candle, known at its end.
        closed = lively_in_span.trades["close_date"] <= now - CANDLE
        known = History(trade for trade in trades if trade.known <= now)
        assert sum(trade.known <= now for trade in trades) == closed.sum()
        for situation in prior.situations(by_pair=True, by_regime=False):
            expected = Ledger(settings, known).prior(situation, now)
            believed = Ledger(settings, prior).prior(situation, now)
            # Its sums run over the trades of the future too, as zeros.
            assert astuple(believed) == pytest.approx(astuple(expected), rel=1e-9)
            seen.append(expected.mean_r)
    assert len(set(seen)) > 10


def test_a_prior_that_is_none_stops_the_bot_with_its_setting(restart: Callable[..., Bot]) -> None:
    with pytest.raises(Exception, match=r"bubbybot\.learning\.prior = 'nowhere\.zip'"):
        restart(learning={"prior": "nowhere.zip"})


def lost(bot: Bot, closed: datetime, number: int, pair: str = BTC) -> None:
    """A closed trade at its stop, as freqtrade keeps it; too small for the account to notice."""
    opened = closed - timedelta(hours=1)
    small = {"amount": 1e-9, "amount_requested": 1e-9, "stake_amount": 2.5e-6}
    trade = open_trade(bot, pair, open_date=opened, enter_tag=TAG, **small)
    trade.initial_stop_loss = 49_000.0
    trade.close_date, trade.close_rate = closed, 49_000.0
    trade.close_profit_abs = trade.calc_profit(49_000.0)
    trade.close_profit = -0.4
    trade.is_open = False
    trade.exit_reason = f"stop {number}"
    Trade.commit()


@pytest.fixture
def learning_bot(restart: Callable[..., Bot]) -> Bot:
    return restart(learning={"veto": True, "scale_risk": True}, edge={"act": False})


def test_a_database_shows_a_trade_when_it_has_closed_and_not_before(learning_bot: Bot) -> None:
    show(learning_bot)
    untouched = enter(learning_bot, 50_000)
    assert untouched
    for number in range(20):
        lost(learning_bot, NOON + timedelta(days=1, minutes=number), number)
    assert enter(learning_bot, 50_000) == untouched
    for number in range(20):
        lost(learning_bot, NOON - timedelta(minutes=1 + number), number)
    assert enter(learning_bot, 50_000) is None
    # Another situation: the short side has lost nothing.
    history = learning_bot.strategy.closed_trades.history()
    ledger = learning_bot.strategy.ledger
    known = ledger.posterior(history, Situation("mc:dot", "long"), NOON)
    assert known.weight == pytest.approx(20, rel=1e-3)
    assert known.target_first < 0.15
    assert ledger.posterior(history, Situation("mc:dot", "short"), NOON).weight == 0


def test_half_a_losing_streak_lowers_the_risk_and_a_correction_is_seen(learning_bot: Bot) -> None:
    show(learning_bot, long_confluence=0.9, plan_long_stop=48_500.0, plan_long_target=55_000.0)
    before = enter(learning_bot, 50_000)
    risk_before = learning_bot.strategy.memory.pending[BTC].risk
    for number in range(3):
        lost(learning_bot, NOON - timedelta(days=1 + number), number)
    assert before
    assert enter(learning_bot, 50_000)
    lowered = learning_bot.strategy.memory.pending[BTC]
    assert lowered.trust < 0.4
    assert lowered.risk < risk_before
    assert lowered.risk >= 0.02 * lowered.equity
    for trade in Trade.get_trades([Trade.is_open.is_(False)]):
        trade.close_rate, trade.close_profit_abs = 53_000.0, trade.calc_profit(53_000.0)
    Trade.commit()
    enter(learning_bot, 50_000)
    assert learning_bot.strategy.memory.pending[BTC].trust > 0.6


def test_a_restart_knows_what_the_bot_knew(restart: Callable[..., Bot]) -> None:
    settings = {"learning": {"veto": True}}
    bot = restart(**settings)
    for number in range(20):
        lost(bot, NOON - timedelta(days=1 + number), number, ETH)
    for started in (bot, restart(**settings)):
        show(started, ETH)
        assert enter(started, 50_000, ETH) is None


def test_off_means_off(restart: Callable[..., Bot]) -> None:
    bot = restart(edge={"act": False})
    for number in range(20):
        lost(bot, NOON - timedelta(days=1 + number), number)
    show(bot)
    assert enter(bot, 50_000)
    assert bot.strategy.memory.pending[BTC].trust == 0.5
