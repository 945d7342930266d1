"""Odd candles: the stated error or the stated empty columns; no warning, no infinite value."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pydantic
import pytest

from bubbybot_freqtrade.analyzers import frankie_candles, lux_algo, market_cipher
from bubbybot_freqtrade.analyzers.candles import CandleError

pytestmark = pytest.mark.parametrize(
    "analyzer",
    [market_cipher, lux_algo, frankie_candles],
    ids=lambda analyzer: analyzer.__name__.rpartition(".")[2],
)


BY_CLOCK = ("lux_prev_", "fc_day_", "fc_prev_", "fc_session_", "fc_naked_", "fc_htf_", "mc_sommi_")
"""Columns of days, sessions and longer candles, which a gap in time cuts."""


def populate(analyzer, frame: pd.DataFrame) -> pd.DataFrame:
    """Populate with every warning an error; no column may hold an infinite value."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = analyzer.populate(frame)
    for column in analyzer.COLUMNS:
        assert not np.isinf(got[column].to_numpy(dtype=float)).any(), column
    return got


def events_of(analyzer, frame: pd.DataFrame) -> list[str]:
    return [c for c in analyzer.COLUMNS if frame[c].dtype == bool and frame[c].any()]


# --- stated empty columns -------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 2, 5, 13, 14, 15, 50, 57, 58, 59])
def test_short_frames_have_every_column_and_no_event_before_warm_up(
    analyzer, market, count: int
) -> None:
    frame = market(600, 1).iloc[:count]
    got = populate(analyzer, frame)
    assert len(got) == count
    assert list(got.columns) == [*frame.columns, *analyzer.COLUMNS]
    long = analyzer.populate(market(600, 1))
    assert got.dtypes.equals(long.dtypes)
    if count <= 5:
        assert events_of(analyzer, got) == []


def test_one_price_forever(analyzer, draw) -> None:
    got = populate(analyzer, draw([(7.3, 7.3, 7.3, 7.3)] * 1_100))
    assert events_of(analyzer, got) == []
    if analyzer is market_cipher:
        assert (got["mc_wt1"].iloc[60:] == 0).all()
        assert got["mc_money_flow"].isna().all()
        assert (got["mc_stoch_d"].iloc[60:] == 0).all()
        assert (got[["mc_dbsi_bull", "mc_dbsi_bear"]].iloc[60:] == 0).all(axis=None)
    else:
        ends = ("_poc", "_top", "_high", "_low")
        levels = [c for c in analyzer.COLUMNS if c.endswith(ends) and not c.startswith("lux_prev_")]
        assert got[levels].isna().all(axis=None)


def test_one_price_for_a_week_inside_a_market(analyzer, market) -> None:
    frame = market(2_400, 4)
    week = slice(1_000, 1_000 + 7 * 96 - 1)
    frame.loc[week, ["open", "high", "low", "close"]] = frame.loc[999, "close"]
    frame.loc[week, "volume"] = 0.0
    got = populate(analyzer, frame)
    calm = got.loc[1_000 + 120 : 1_000 + 7 * 96 - 1]
    # Zones of before may stand; nothing new is born of a price that does not move.
    standing = {"mc_ribbon_bull", "lux_in_bull_ob", "lux_in_bear_ob"}
    assert set(events_of(analyzer, calm)) <= standing
    if analyzer is frankie_candles:
        assert calm["fc_poc"].iloc[400:].isna().all()
        assert got["fc_poc"].iloc[-1] > 0


def test_no_volume(analyzer, market) -> None:
    frame = market(1_200, 4)
    frame["volume"] = 0.0
    got = populate(analyzer, frame)
    if analyzer is frankie_candles:
        assert got[["fc_poc", "fc_vah", "fc_val"]].isna().all(axis=None)
        assert not got["fc_bull_div_strong"].any()
    assert got[analyzer.COLUMNS[-1]].between(0, 1).all()


def test_candles_without_range(analyzer, market) -> None:
    frame = market(1_200, 4)
    for column in ("open", "high", "low"):
        frame[column] = frame["close"]
    got = populate(analyzer, frame)
    if analyzer is market_cipher:
        assert got["mc_money_flow"].isna().all()


def test_gaps_in_time_are_no_error_because_lengths_count_candles(analyzer, market) -> None:
    frame = market(700, 4)
    gappy = frame.assign(date=frame["date"] + pd.to_timedelta((frame.index > 300) * 5, unit="D"))
    columns = [name for name in analyzer.COLUMNS if not name.startswith(BY_CLOCK)]
    pd.testing.assert_frame_equal(
        populate(analyzer, gappy)[columns], populate(analyzer, frame)[columns]
    )


def test_other_columns_and_the_index_are_left_alone(analyzer, market) -> None:
    frame = market(100, 4).assign(note="x", close_1h=1.0)
    frame.index = range(500, 600)
    before = frame.copy()
    got = populate(analyzer, frame)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(got[list(frame.columns)], before)


def test_whole_numbers_are_candles_too(analyzer, market) -> None:
    frame = market(300, 4, tick=1.0)
    frame["volume"] = frame["volume"].round()
    whole = frame.astype(dict.fromkeys(("open", "high", "low", "close", "volume"), "int64"))
    columns = list(analyzer.COLUMNS)
    pd.testing.assert_frame_equal(
        populate(analyzer, whole)[columns], populate(analyzer, frame)[columns]
    )


# --- stated errors --------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["date", "open", "high", "low", "close", "volume"])
def test_a_missing_column_is_named(analyzer, market, column: str) -> None:
    with pytest.raises(CandleError, match=f"no column {column}"):
        analyzer.populate(market(100, 1).drop(columns=column))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("column", ["open", "high", "low", "close", "volume"])
def test_nan_and_infinity_are_named_with_their_row(analyzer, market, column: str, value) -> None:
    frame = market(100, 1)
    frame.loc[40, column] = value
    with pytest.raises(CandleError, match=rf"{column} is NaN or infinite at row 40 \(2025-01-01"):
        analyzer.populate(frame)


def test_unsorted_duplicated_and_empty_dates(analyzer, market) -> None:
    frame = market(100, 1)
    with pytest.raises(CandleError, match="unsorted at row 1 "):
        analyzer.populate(frame.iloc[::-1])
    with pytest.raises(CandleError, match="duplicated at row 51 "):
        analyzer.populate(frame.loc[[*range(51), 50, *range(51, 100)]])
    with pytest.raises(CandleError, match="empty dates"):
        analyzer.populate(frame.assign(date=frame["date"].where(frame.index != 5)))
    with pytest.raises(CandleError, match="not datetimes"):
        analyzer.populate(frame.assign(date=range(100)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"close": 0.0}, "close is not positive at row 40"),
        ({"low": -1.0}, "low is not positive at row 40"),
        ({"volume": -1.0}, "volume is negative at row 40"),
        ({"high": 1.0, "low": 2.0}, "high is below low at row 40"),
    ],
)
def test_impossible_candles_are_named(analyzer, market, change: dict, message: str) -> None:
    frame = market(100, 1)
    for column, value in change.items():
        frame.loc[40, column] = value
    with pytest.raises(CandleError, match=message):
        analyzer.populate(frame)


def test_text_is_no_price(analyzer, market) -> None:
    frame = market(100, 1)
    frame["close"] = frame["close"].astype(str) + "!"
    with pytest.raises(CandleError, match="close is not numeric"):
        analyzer.populate(frame)


# --- settings -------------------------------------------------------------------------------------


def test_settings_are_frozen_and_know_their_names(analyzer) -> None:
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        analyzer.Settings().score_fade = 3
    with pytest.raises(pydantic.ValidationError, match="swing_lenght"):
        analyzer.Settings(swing_lenght=3)
    with pytest.raises(pydantic.ValidationError, match="score_fade"):
        analyzer.Settings(score_fade=0)
