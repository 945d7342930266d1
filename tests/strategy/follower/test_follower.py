"""A producer's columns beside one's own candles: what was not sent is no signal."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
import time_machine
from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import CandleType, RunMode
from freqtrade.exceptions import OperationalException
from freqtrade.misc import dataframe_to_json, json_to_dataframe
from freqtrade.resolvers import StrategyResolver

from bubbybot_freqtrade.learning.regime import regime_of
from bubbybot_freqtrade.signals.context import analyze
from bubbybot_freqtrade.signals.plots import evidence
from bubbybot_freqtrade.strategy.follower import NEEDED, beside, tell_of_producers
from tests.analyzers.conftest import generated_market
from tests.places import ROOT
from tests.strategy.follower.conftest import PAIR

PRODUCER = {"name": "signals", "host": "127.0.0.1", "port": 1, "ws_token": "token"}


def config(**changes):
    return {
        "strategy": "BubbyBotFollower",
        "strategy_path": str(ROOT / "user_data/strategies"),
        "user_data_dir": ROOT / "user_data",
        "stake_currency": "USDT",
        "timeframe": "15m",
        "candle_type_def": CandleType.FUTURES,
        "trading_mode": "futures",
        "runmode": RunMode.LIVE,
        "exchange": {"name": "blofin", "pair_whitelist": [PAIR]},
        "external_message_consumer": {"enabled": True, "producers": [PRODUCER]},
        **changes,
    }


def candles(rows=8):
    date = pd.date_range("2025-01-01", periods=rows, freq="15min", tz="UTC").as_unit("ms")
    prices = np.linspace(100, 101, rows)
    ohlc = dict.fromkeys(("open", "high", "low", "close"), prices)
    return pd.DataFrame({"date": date, **ohlc, "volume": 1.0})


def producers(frame):
    """What a producer makes of candles, as it comes out of a websocket."""
    made = frame.assign(
        **dict.fromkeys(NEEDED, 99.0) | {"long_confluence": 0.75},
        mc_green_dot=[True, False] * (len(frame) // 2),
        enter_long=0,
        enter_short=0,
        enter_tag=None,
        date_1h=frame["date"],
    )
    made.loc[made.index[-1], ["enter_long", "enter_tag"]] = [1, "mc:dot lux:ob fc:gp"]
    return json_to_dataframe(dataframe_to_json(made))


def telling(strategy):
    """What the strategy tells its operator from now on."""
    told = []
    strategy.dp.send_msg = lambda message, **_: told.append(message)
    return told


def send(strategy, name, frame, listed=()):
    """A message of a producer has come, and its list of pairs."""
    strategy.dp._replace_external_df(
        PAIR, frame, datetime.now(UTC), "15m", CandleType.FUTURES, name
    )
    strategy.dp._set_producer_pairs(list(listed), producer_name=name)


SEVERAL = {
    "external_message_consumer": {
        "enabled": True,
        "producers": [PRODUCER | {"name": name} for name in ("first", "second")],
    }
}


@pytest.fixture
def follower():
    """`follower(sent)`: the strategy with a data provider that has this frame of the producer."""

    def make(sent=None, **changes):
        given = config(**changes)
        strategy = StrategyResolver.load_strategy(given)
        strategy.dp = DataProvider(given, None)
        if sent is not None:
            strategy.dp._replace_external_df(
                PAIR, sent, datetime.now(UTC), "15m", CandleType.FUTURES, "signals"
            )
        return strategy

    return make


def analyzed(strategy, frame):
    return strategy.analyze_ticker(frame.copy(), {"pair": PAIR})


def test_the_producers_entry_its_tag_and_columns_come_over(follower):
    frame = candles()
    made = analyzed(follower(producers(frame)), frame)
    assert made["enter_long"].tolist() == [0] * 7 + [1]
    assert made["enter_tag"].iat[-1] == "mc:dot lux:ob fc:gp"
    assert made["mc_green_dot"].tolist() == [1.0, 0.0] * 4
    assert made["plan_long_stop"].eq(99.0).all()
    # Own candles stay: they are what orders are for.
    pd.testing.assert_frame_equal(made[frame.columns], frame)


def test_nothing_sent_is_no_signal(follower):
    frame = candles()
    made = analyzed(follower(), frame)
    assert not made[["enter_long", "enter_short"]].any(axis=None)
    assert made[list(NEEDED)].isna().all(axis=None)


def test_the_chart_of_a_follower_shows_what_was_sent_and_nothing_else(follower):
    frame = generated_market(400, 5)
    made = analyze(frame)
    expected = evidence(made)
    assert any(item["type"] == "line" for item in expected)
    # Another candle has ended meanwhile, which the producer has not sent yet.
    step = frame["date"].iloc[-1] - frame["date"].iloc[-2]
    later = pd.concat([frame, frame.tail(1).assign(date=frame["date"].iloc[-1] + step)])
    later = later.reset_index(drop=True)
    sent = made.assign(enter_long=0, enter_short=0, enter_tag=None)
    sent = json_to_dataframe(dataframe_to_json(sent))
    assert evidence(beside(later, sent)) == expected
    assert evidence(analyzed(follower(), candles())) == []


def test_a_silent_producers_regime_is_unknown(follower):
    frame = candles()
    assert regime_of(analyzed(follower(), frame), 7, "long") == ""
    late = producers(frame.iloc[:6]).assign(regime=1.0)
    assert regime_of(analyzed(follower(late), frame), 7, "long") == ""


def test_a_candle_that_was_not_sent_yet_has_no_signal(follower):
    frame = candles()
    made = analyzed(follower(producers(frame.iloc[:6])), frame)
    # The sent signal is on the candle it was made of, which is not the newest.
    assert made["enter_long"].tolist() == [0] * 5 + [1, 0, 0]
    assert made["enter_tag"].iloc[-2:].isna().all()


@pytest.mark.parametrize(("seconds", "entered"), [(170, "long"), (190, None)])
def test_a_signal_that_comes_too_late_after_its_candle_is_none(follower, seconds, entered):
    frame = candles()
    strategy = follower(producers(frame))
    made = analyzed(strategy, frame)
    closed = frame["date"].iat[-1].to_pydatetime() + timedelta(minutes=15)
    with time_machine.travel(closed + timedelta(seconds=seconds), tick=False):
        side, _ = strategy.get_entry_signal(PAIR, "15m", made)
    assert side == entered


def test_a_producer_that_starts_anew_with_old_candles_gives_no_signal_until_it_has_caught_up(
    follower,
):
    frame = candles(12)
    strategy = follower(**SEVERAL)
    send(strategy, "first", producers(frame.iloc[:10]), listed=[PAIR])
    assert analyzed(strategy, frame)["enter_long"].tolist() == [0] * 9 + [1, 0, 0]
    # What it sends first ends before what it had sent when it died.
    send(strategy, "first", producers(frame.iloc[:8]), listed=[PAIR])
    made = analyzed(strategy, frame)
    assert not made["enter_long"].iloc[8:].any()
    assert made["plan_atr"].iloc[8:].isna().all()
    send(strategy, "first", producers(frame), listed=[PAIR])
    assert analyzed(strategy, frame)["enter_long"].iat[-1] == 1


def test_ones_own_least_confidence_holds(follower):
    frame = candles()
    strict = {"bubbybot": {"confluence": {"min_confidence": 0.8}}}
    made = analyzed(follower(producers(frame), **strict), frame)
    assert not made["enter_long"].any()


def test_another_producers_frame_is_not_followed(follower):
    frame = candles()
    strategy = follower()
    strategy.dp._replace_external_df(
        PAIR, producers(frame), datetime.now(UTC), "15m", CandleType.FUTURES, "somebody"
    )
    assert not analyzed(strategy, frame)["enter_long"].any()


def test_each_pair_is_taken_of_the_producer_that_sends_it(follower):
    frame = candles()
    strategy = follower(**SEVERAL)
    told = telling(strategy)
    send(strategy, "second", producers(frame), listed=[PAIR])
    assert analyzed(strategy, frame)["enter_long"].iat[-1] == 1
    # The first has had the pair before, and its list says that it has it no more.
    send(strategy, "first", producers(frame).assign(enter_long=0), listed=["ETH/USDT:USDT"])
    assert analyzed(strategy, frame)["enter_long"].iat[-1] == 1
    assert not told


def test_of_two_producers_of_a_pair_the_first_is_followed_also_when_it_is_late_and_it_is_told(
    follower,
):
    frame = candles()
    strategy = follower(**SEVERAL)
    told = telling(strategy)
    send(strategy, "first", producers(frame.iloc[:6]), listed=[PAIR])
    send(strategy, "second", producers(frame), listed=[PAIR])
    for _ in range(3):
        made = analyzed(strategy, frame)
        assert made["enter_long"].tolist() == [0] * 5 + [1, 0, 0]
    (message,) = told
    assert f"{PAIR} is sent by first and second" in message
    send(strategy, "second", producers(frame), listed=["ETH/USDT:USDT"])
    analyzed(strategy, frame)
    send(strategy, "second", producers(frame), listed=[PAIR])
    analyzed(strategy, frame)
    assert len(told) == 2


def test_a_producer_that_dies_or_never_came_is_told_once_and_when_it_is_back(follower):
    strategy = follower(**SEVERAL)
    told = telling(strategy)
    began = datetime(2025, 1, 1, 2, tzinfo=UTC)
    send(strategy, "first", producers(candles()), listed=[PAIR])  # until 02:00
    for minutes in range(0, 90, 10):
        tell_of_producers(strategy, began + timedelta(minutes=minutes))
    assert [message.split(":")[0] for message in told] == ["Producer first", "Producer second"]
    assert all("no new candle for 40 minutes" in message for message in told)
    send(strategy, "first", producers(candles(14)), listed=[PAIR])
    tell_of_producers(strategy, began + timedelta(minutes=95))
    assert told[2:] == ["Producer first: candles arrive again."]


def test_a_loop_in_which_nothing_came_makes_no_frame_anew(follower):
    frame = candles()
    strategy = follower(producers(frame))
    first = analyzed(strategy, frame)
    strategy.dp._set_cached_df(PAIR, "15m", first, CandleType.FUTURES)
    assert analyzed(strategy, frame) is first
    later = producers(frame).assign(enter_long=0)
    send(strategy, "signals", later)
    second = analyzed(strategy, frame)
    assert not second["enter_long"].any()
    strategy.dp._set_cached_df(PAIR, "15m", second, CandleType.FUTURES)
    assert len(analyzed(strategy, candles(9))) == 9


def test_a_frame_with_a_candle_sent_twice_takes_the_later(follower):
    frame = candles()
    sent = producers(frame)
    again = sent.tail(1).assign(enter_long=0)
    assert not beside(frame, pd.concat([sent, again]))["sent_enter_long"].any()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"external_message_consumer": {"enabled": False}}, "external_message_consumer"),
        ({"runmode": RunMode.BACKTEST}, "backtest BubbyBot instead"),
    ],
)
def test_it_says_where_it_cannot_work(follower, changes, told):
    with pytest.raises(OperationalException, match=told):
        follower(**changes).ft_bot_start()
