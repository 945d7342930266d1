"""A backtest that holds one pair's candles at a time trades what freqtrade's own does."""

import gc
import weakref

import numpy as np
import pandas as pd
import pytest
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.resolvers import ExchangeResolver

from bubbybot_freqtrade.search import stored
from bubbybot_freqtrade.search.backtests import backtest_desk, quiet
from bubbybot_freqtrade.search.pair_by_pair import PairByPair
from bubbybot_freqtrade.search.stored import Store, StoredFrame, StoredRows
from tests.lively import NEAR, SHORT_WINDOW
from tests.search.conftest import PAIRS

RANGE = "20250119-20250125"
SETTINGS = {"confluence": SHORT_WINDOW, "risk": NEAR | {"max_same_side": 3}}


def frame_of(rows):
    dates = pd.date_range("2025-01-01", periods=rows, freq="15min", tz="UTC").as_unit("ms")
    numbers = np.arange(rows, dtype=float)
    numbers[1::3] = np.nan
    tags = np.array([None if n % 4 else f"tag {n}" for n in range(rows)], dtype=object)
    flags = np.arange(rows) % 2 == 0
    return pd.DataFrame({"date": dates, "close": numbers, "tag": tags, "flag": flags})


@pytest.mark.parametrize("rows", [0, 1, 9, 10, 11, 35])
def test_a_stored_frame_is_the_frame_and_so_is_every_cut_of_it(rows):
    frame, store = frame_of(rows), Store()
    StoredFrame(store, frame_of(7))
    kept = StoredFrame(store, frame, block=10)
    assert len(kept) == rows
    pd.testing.assert_frame_equal(kept.read(), frame, check_freq=False)
    for first in range(0, rows + 2, 3):
        for end in (first, first + 1, first + 8, rows, rows + 5):
            pd.testing.assert_frame_equal(kept.iloc[first:end], frame.iloc[first:end])


def test_a_callback_that_changes_its_cut_changes_nothing_for_the_next():
    kept = StoredFrame(Store(), frame_of(30), block=10)
    cut = kept.iloc[5:15]
    cut["close"] = 0.0
    pd.testing.assert_frame_equal(kept.iloc[5:15], frame_of(30).iloc[5:15])


def test_stored_rows_are_the_rows_in_whatever_order_they_are_read(monkeypatch):
    monkeypatch.setattr(stored, "ROWS_BLOCK", 10)
    frame = frame_of(35)
    rows = frame.values.tolist()
    kept = StoredRows(Store(), rows, frame.columns)
    assert len(kept) == 35
    for number in (*range(35), -1, -35, 3, 34, 0):
        assert repr(kept[number]) == repr(rows[number])
        assert [type(value) for value in kept[number]] == [type(value) for value in rows[number]]
    for number in (35, -36, 1000):
        with pytest.raises(IndexError):
            kept[number]


@pytest.fixture
def config(desk):
    def make(runmode=RunMode.BACKTEST, timerange=RANGE):
        given = desk.config(timerange, SETTINGS, runmode, max_open_trades=2)
        return given | {"spaces": ["buy", "sell"]}

    return make


def exchange_of(config):
    return ExchangeResolver.load_exchange(config, load_leverage_tiers=True)


@pytest.mark.parametrize("runmode", [RunMode.BACKTEST, RunMode.HYPEROPT])
def test_its_trades_are_freqtrades_to_the_last_bit(config, runmode):
    given = config(runmode)
    exchange = exchange_of(given)
    with quiet():
        theirs = Backtesting(config(runmode), exchange)
        candles, timerange = theirs.load_bt_data()
        theirs.backtest_one_strategy(theirs.strategylist[0], candles, timerange)
        expected = theirs.all_bt_content["BubbyBot"]["results"]
        ours = PairByPair(given, exchange)
        found = ours.play(ours.analyze(ours.strategylist[0]))
        Backtesting.cleanup()
    assert len(expected) > 3
    assert set(expected["pair"]) == set(PAIRS)
    pd.testing.assert_frame_equal(found, expected)
    assert ours.timerange == theirs.timerange
    assert ours.available_pairs == theirs.available_pairs
    assert set(ours.futures_data) == set(theirs.futures_data)


def test_of_one_pair_after_the_other_the_candles_are_let_go(config):
    given = config()
    held, most = [], []

    def watched(make):
        """Counts the frames of other pairs that are still there when it has made the next one."""

        def watch(dataframe, metadata):
            made = make(dataframe, metadata)
            gc.collect()
            most.append(sum(one() is not None for one in held))
            # The arrays that hold the columns: a view of one keeps all of them.
            owners = [made[name].to_numpy().base for name in made.select_dtypes("float")]
            held[:] = [weakref.ref(one) for one in (made, *owners) if one is not None]
            return made

        return watch

    with quiet():
        ours = PairByPair(given, exchange_of(given))
        strategy = ours.strategylist[0]
        for name in ("advise_indicators", "ft_advise_signals"):
            setattr(strategy, name, watched(getattr(strategy, name)))
        ours.play(ours.analyze(strategy))
        Backtesting.cleanup()
    assert len(most) == 2 * len(PAIRS)
    assert most == [0] * len(most)


def test_a_range_without_candles_is_refused_as_by_freqtrade(config):
    given = config(timerange="20200101-20200110")
    with quiet():
        ours = PairByPair(given, exchange_of(given))
        with pytest.raises(OperationalException, match="No data found"):
            ours.analyze(ours.strategylist[0])
        Backtesting.cleanup()


def test_a_desks_trades_are_those_of_its_backtest_with_their_plans(desk):
    expected = desk.run(RANGE, SETTINGS, max_open_trades=2).trades
    assert "plan_risk" in expected
    # freqtrade's report adds the day of the week to the trades that it was given.
    expected = expected.drop(columns="weekday")
    assert len(expected) > 3
    found = desk.trades(RANGE, SETTINGS, max_open_trades=2)
    pd.testing.assert_frame_equal(found, expected)


def test_a_pair_without_candles_in_the_range_is_left_out_as_by_freqtrade(desk, tmp_path):
    data, absent = tmp_path / "data", "ETH/USDT:USDT"
    (data / "futures").mkdir(parents=True)
    for file in (desk.data / "futures").iterdir():
        (data / "futures" / file.name).symlink_to(file)
    for file in list((data / "futures").glob("BTC_*")):
        early = pd.read_feather(file)
        early = early[early["date"] < "2025-01-02"].reset_index(drop=True)
        early.to_feather(data / "futures" / file.name.replace("BTC", "ETH"))
    with backtest_desk(data, tmp_path, (absent, *PAIRS)) as three:
        expected = three.run(RANGE, SETTINGS, max_open_trades=2).trades
        found = three.trades(RANGE, SETTINGS, max_open_trades=2)
    expected = expected.drop(columns="weekday")
    assert absent not in set(expected["pair"])
    assert len(expected) > 3
    pd.testing.assert_frame_equal(found, expected)
