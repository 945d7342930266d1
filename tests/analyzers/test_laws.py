"""Laws for all candles: no row knows its future, old history and the price's unit do not matter."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bubbybot_freqtrade.analyzers import frankie_candles, lux_algo, market_cipher

ANALYZERS = (market_cipher, lux_algo, frankie_candles)

each = pytest.mark.parametrize("analyzer", ANALYZERS, ids=lambda a: a.__name__.rpartition(".")[2])


@pytest.fixture(scope="module")
def frames(market) -> dict[float, pd.DataFrame]:
    """Markets by tick size."""
    return {tick: market(1_600, 21, tick=tick) for tick in (0.1, 5.0)}


@pytest.fixture(scope="module")
def populated(frames) -> dict:
    return {
        (analyzer, tick): analyzer.populate(frame)
        for analyzer in ANALYZERS
        for tick, frame in frames.items()
    }


@each
@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 1_600), tick=st.sampled_from([0.1, 5.0]))
def test_cutting_the_frame_changes_no_row_that_is_kept(
    analyzer, frames, populated, cut: int, tick: float
) -> None:
    """Every column, bit for bit: the row of a candle is computed from candles up to it."""
    part = analyzer.populate(frames[tick].iloc[:cut])
    pd.testing.assert_frame_equal(part, populated[analyzer, tick].iloc[:cut], check_exact=True)


@each
@settings(max_examples=15, deadline=None)
@given(cut=st.integers(1, 1_599), seed=st.integers(0, 1_000))
def test_another_future_changes_no_row_of_the_past(
    analyzer, frames, populated, market, cut: int, seed: int
) -> None:
    """Not only a missing future: a crash or a rally after the cut must not be felt before it."""
    frame = frames[0.1].copy()
    other = market(1_600, seed, price=300.0)
    values = ["open", "high", "low", "close", "volume"]
    frame.loc[cut:, values] = other.loc[cut:, values]
    changed = analyzer.populate(frame)
    pd.testing.assert_frame_equal(
        changed.iloc[:cut], populated[analyzer, 0.1].iloc[:cut], check_exact=True
    )


@pytest.mark.parametrize(
    ("analyzer", "length", "longer"),
    [
        (market_cipher, 1_000, ()),
        # A week before this one needs up to 1,344 candles of 15m, a month up to 5,952.
        (lux_algo, 1_000, ("lux_prev_week", "lux_prev_month")),
        (lux_algo, 1_440, ("lux_prev_month",)),
        (frankie_candles, 1_000, ()),
    ],
    ids=lambda given: getattr(given, "__name__", str(given)).rpartition(".")[2],
)
def test_newest_row_of_a_live_frame_equals_the_full_history(
    analyzer, length: int, longer: tuple[str, ...], candles
) -> None:
    """What a live bot sees is what the backtest saw."""
    columns = [name for name in analyzer.COLUMNS if not name.startswith(longer)]
    full = analyzer.populate(candles)[columns].to_numpy(dtype=float)
    for t in np.random.default_rng(2).integers(length, len(candles), 25):
        part = analyzer.populate(candles.iloc[t - length + 1 : t + 1])[columns]
        np.testing.assert_allclose(
            part.iloc[-1].to_numpy(dtype=float), full[t], rtol=1e-6, atol=1e-9
        )


@each
@settings(max_examples=12, deadline=None)
@given(power=st.integers(-36, 20))
def test_the_unit_of_price_does_not_matter(analyzer, frames, populated, power: int) -> None:
    """The same market at a price of 1e-8 or 1e9: same events, same oscillators, levels to scale."""
    scale = 2.0**power  # exact in binary, so that ties stay ties
    frame = frames[0.1].copy()
    frame[["open", "high", "low", "close"]] *= scale
    frame["volume"] /= scale
    got = analyzer.populate(frame)
    want = populated[analyzer, 0.1]
    for column in analyzer.COLUMNS:
        factor = scale if want[column].abs().max() > 300 else 1.0  # prices, else bounded by 130
        factor = 1 / scale if column in VOLUMES else factor
        np.testing.assert_allclose(
            got[column].to_numpy(dtype=float),
            want[column].to_numpy(dtype=float) * factor,
            rtol=1e-7,
            atol=1e-7,
            err_msg=column,
        )


VOLUMES = {"fc_delta", "fc_cvd", "fc_obv"}

PRICE = st.integers(1, 40).map(lambda ticks: ticks * 0.5)


@st.composite
def tiny_markets(draw) -> pd.DataFrame:
    """Up to 90 candles on a coarse grid: flats, dojis, equal extremes, no volume, gaps in time."""
    rows = draw(st.lists(st.tuples(PRICE, PRICE, PRICE, PRICE, st.integers(0, 3)), max_size=90))
    minutes = draw(st.lists(st.integers(1, 5_000), min_size=len(rows), max_size=len(rows)))
    prices = np.array([row[:4] for row in rows], dtype=float).reshape(-1, 4)
    date = pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta(
        np.cumsum(np.array(minutes, dtype="int64")), unit="min"
    )
    return pd.DataFrame(
        {
            "date": date,
            "open": prices[:, 1],
            "high": prices.max(axis=1, initial=0),
            "low": prices.min(axis=1, initial=np.inf) if len(rows) else prices[:, 0],
            "close": prices[:, 2],
            "volume": np.array([row[4] for row in rows], dtype=float),
        }
    )


SMALL = {
    market_cipher: market_cipher.Settings(pivot_side=3, level_window=20, money_flow_length=5),
    lux_algo: lux_algo.Settings(
        swing_length=6,
        internal_length=2,
        mean_range_length=5,
        gap_body_length=8,
        gap_memory=20,
        order_block_memory=20,
    ),
    frankie_candles: frankie_candles.Settings(
        profile_window=10,
        profile_rows=7,
        value_area_rows=2,
        naked_memory=20,
        flow_window=8,
        swing_length=6,
        rsi_length=3,
        mfi_length=3,
        macd_fast=2,
        macd_slow=5,
        cci_length=4,
        stoch_length=4,
        higher_minutes=90,
        pivot_side=2,
    ),
}


@each
@settings(max_examples=60, deadline=None)
@given(frame=tiny_markets(), data=st.data())
def test_any_candles_give_sound_columns(analyzer, frame: pd.DataFrame, data) -> None:
    """Short lengths, so that small frames reach every state."""
    small = SMALL[analyzer]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = analyzer.populate(frame, small)
    pd.testing.assert_frame_equal(got[list(frame.columns)], frame)
    assert list(got.columns) == [*frame.columns, *analyzer.COLUMNS]
    for column in analyzer.COLUMNS:
        assert got[column].dtype in (np.bool_, np.float64), column
        assert not np.isinf(got[column].to_numpy(dtype=float)).any(), column
        if "score" in column:
            assert got[column].between(0, 1).all(), column
    sound(analyzer, got)
    cut = data.draw(st.integers(0, len(frame)))
    part = analyzer.populate(frame.iloc[:cut], small)
    pd.testing.assert_frame_equal(part, got.iloc[:cut], check_exact=True)


def sound(analyzer, got: pd.DataFrame) -> None:
    """What must hold on every row, whatever the candles."""
    if analyzer is market_cipher:
        assert (got["mc_support"].dropna() < got["close"][got["mc_support"].notna()]).all()
        assert (got["mc_resistance"].dropna() > got["close"][got["mc_resistance"].notna()]).all()
        assert got["mc_stoch_k"].dropna().between(-1e-9, 100 + 1e-9).all()
        for column in ("mc_dbsi_bull", "mc_dbsi_bear"):
            assert got[column].dropna().between(-3, 28).all()
    elif analyzer is lux_algo:
        assert got["lux_range_pos"].dropna().between(0, 1).all()
        assert set(got["lux_zone"].dropna()) <= {-1, -0.5, 0, 0.5, 1}
        assert (got["low"] >= got["lux_bull_ob_bottom"])[got["lux_bull_ob_top"].notna()].all()
        assert (got["high"] <= got["lux_bear_ob_top"])[got["lux_bear_ob_top"].notna()].all()
        trend = got["lux_swing_trend"]
        broken_up = got["lux_swing_bos_bull"] | got["lux_swing_choch_bull"]
        broken_down = got["lux_swing_bos_bear"] | got["lux_swing_choch_bear"]
        assert (trend[broken_up] == 1).all()
        assert (trend[broken_down] == -1).all()
        assert (trend.diff().fillna(trend)[~broken_up & ~broken_down] == 0).all()
    else:
        known = got["fc_poc"].notna()
        inside = (got["fc_val"] < got["fc_poc"]) & (got["fc_poc"] < got["fc_vah"])
        assert inside[known].all()
        assert set(got["fc_in_golden_pocket"]) <= {-1, 0, 1}
        assert got["fc_bull_div"].between(0, 3).all()


@each
def test_the_same_analyzer_twice_replaces_its_columns(analyzer, frames, populated) -> None:
    again = analyzer.populate(populated[analyzer, 0.1])
    pd.testing.assert_frame_equal(again, populated[analyzer, 0.1])
