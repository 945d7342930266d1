"""A producer's columns beside one's own candles: what was not sent is no signal."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import CandleType, RunMode
from freqtrade.exceptions import OperationalException
from freqtrade.misc import dataframe_to_json, json_to_dataframe
from freqtrade.resolvers import StrategyResolver

from bubbybot_freqtrade.learning.regime import regime_of
from bubbybot_freqtrade.signals.context import analyze
from bubbybot_freqtrade.signals.plots import evidence
from bubbybot_freqtrade.strategy.follower import NEEDED, beside
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
