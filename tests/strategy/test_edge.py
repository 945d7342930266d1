"""Whether the strategy still works, as it acts on it: least risk in doubt, nothing once gone."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bubbybot_freqtrade.strategy.edge import edge_at
from bubbybot_freqtrade.strategy.messages import edge_told
from bubbybot_freqtrade.strategy.watch import EdgeWatch
from tests.strategy.conftest import Bot
from tests.strategy.test_callbacks import BTC, NOON, enter, show
from tests.strategy.test_learning import lost


def planned_risk(bot: Bot) -> float:
    assert enter(bot, 50_000)
    made = bot.strategy.memory.pending[BTC]
    return made.risk / made.equity


def lose(bot: Bot, count: int, days_ago: int = 1) -> None:
    for number in range(count):
        lost(bot, NOON - timedelta(days=days_ago, minutes=number), number)


@pytest.fixture
def trading(restart: Callable[..., Bot]) -> Callable[..., Bot]:
    def start(**edge: object) -> Bot:
        bot = restart(edge=edge)
        show(bot, long_confluence=0.9, plan_long_stop=48_500.0, plan_long_target=55_000.0)
        return bot

    return start


def test_in_doubt_it_risks_the_least_and_once_gone_it_enters_nothing(trading) -> None:
    bot = trading()
    assert planned_risk(bot) > 0.03
    lose(bot, 9)
    assert edge_at(bot.strategy, NOON).state == "in doubt"
    assert planned_risk(bot) == pytest.approx(0.02, rel=1e-2)
    lose(bot, 9, days_ago=2)
    assert edge_at(bot.strategy, NOON).state == "gone"
    assert enter(bot, 50_000) is None


def test_told_only_it_trades_on(trading) -> None:
    bot = trading(act=False)
    lose(bot, 30)
    assert edge_at(bot.strategy, NOON).state == "gone"
    assert planned_risk(bot) > 0.03


def test_a_day_to_begin_with_forgets_what_was_before(trading) -> None:
    bot = trading(since=f"{NOON - timedelta(days=3):%Y-%m-%d}")
    lose(bot, 30, days_ago=5)
    assert edge_at(bot.strategy, NOON).trades == 0
    assert planned_risk(bot) > 0.03


def test_trades_that_close_later_are_not_known(trading) -> None:
    bot = trading()
    lose(bot, 30, days_ago=-1)
    assert edge_at(bot.strategy, NOON).trades == 0


def test_a_change_is_told_once(trading) -> None:
    bot = trading()
    watch = EdgeWatch()
    assert watch.look(edge_at(bot.strategy, NOON)) == []
    lose(bot, 9)
    known = edge_at(bot.strategy, NOON)
    assert watch.look(known) == [edge_told(known)]
    assert "in doubt" in edge_told(known)
    assert "least risk" in edge_told(known)
    assert watch.look(known) == []
