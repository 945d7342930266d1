"""Some columns of an analyzer: the same values, and no more work than they need."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bubbybot_freqtrade.analyzers import frankie_candles, kernels, lux_algo, market_cipher
from bubbybot_freqtrade.analyzers.market_cipher import dbsi
from tests.analyzers.test_start import POPULATE, run

ANALYZERS = (market_cipher, lux_algo, frankie_candles)

each = pytest.mark.parametrize("analyzer", ANALYZERS, ids=lambda a: a.__name__.rpartition(".")[2])


@pytest.fixture(scope="module")
def frame(market) -> pd.DataFrame:
    return market(700, 31, tick=1.0)


@pytest.fixture(scope="module")
def full(frame) -> dict:
    return {analyzer: analyzer.populate(frame) for analyzer in ANALYZERS}


@each
def test_parts_make_each_column_once(analyzer) -> None:
    named = [name for part in analyzer.PARTS for name in part.columns]
    assert tuple(named) == analyzer.COLUMNS
    assert len(set(named)) == len(named)


@each
def test_each_part_alone_makes_what_all_of_them_make(analyzer, frame, full) -> None:
    for part in analyzer.PARTS:
        got = analyzer.populate(frame, columns=part.columns)
        pd.testing.assert_frame_equal(
            got, full[analyzer][[*frame.columns, *part.columns]], check_exact=True
        )


@each
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_any_columns_in_any_order_are_those_of_the_whole(analyzer, frame, full, data) -> None:
    names = data.draw(st.lists(st.sampled_from(analyzer.COLUMNS)))
    got = analyzer.populate(frame, columns=names)
    kept = [name for name in analyzer.COLUMNS if name in names]
    pd.testing.assert_frame_equal(got, full[analyzer][[*frame.columns, *kept]], check_exact=True)


def test_what_is_not_asked_for_is_not_computed(frame, monkeypatch) -> None:
    """The dear parts are switched off; columns that do not need them come all the same."""

    def dear(*_arguments):
        raise AssertionError("nobody asked for this part")

    monkeypatch.setattr(dbsi, "strength", dear)
    monkeypatch.setattr(kernels.profile, "volume_profile", dear)
    monkeypatch.setattr(kernels.zones, "nearest_zones", dear)
    market_cipher.populate(frame, columns=["mc_yellow_cross", "mc_support"])
    lux_algo.populate(frame, columns=["lux_internal_trend", "lux_eqh", "lux_zone"])
    frankie_candles.populate(frame, columns=["fc_bull_div", "fc_gp_top"])
    for analyzer, column in (
        (market_cipher, "mc_long_score"),
        (lux_algo, "lux_in_bull_ob"),
        (frankie_candles, "fc_bull_div_strong"),
    ):
        with pytest.raises(AssertionError, match="nobody asked"):
            analyzer.populate(frame, columns=[column])


def test_what_several_parts_need_is_computed_once(frame, monkeypatch) -> None:
    """The swing walk serves seven parts of Lux Algo; two lengths and equal levels make three."""
    walked = []
    turns = kernels.structure.turns
    monkeypatch.setattr(
        kernels.structure, "turns", lambda *given: walked.append(given[2]) or turns(*given)
    )
    lux_algo.populate(frame)
    assert sorted(walked) == [3, 5, 50]


def test_a_wrong_name_is_named_with_those_near_it(frame) -> None:
    with pytest.raises(ValueError, match=r"no column 'mc_green_dots' \(near: mc_green_dot"):
        market_cipher.populate(frame, columns=["mc_rsi", "mc_green_dots"])
    with pytest.raises(ValueError, match=r"'close' \(`COLUMNS` lists them\)"):
        lux_algo.populate(frame, columns=["close"])
    # One name is a name, not its letters.
    assert "fc_poc" in frankie_candles.populate(frame, columns="fc_poc")


def test_no_columns_add_nothing(frame) -> None:
    pd.testing.assert_frame_equal(lux_algo.populate(frame, columns=[]), frame)


def test_neither_freqtrade_nor_ccxt_is_needed() -> None:
    """As where neither is installed: whoever imports them is told that there is no such module."""
    run(f"""
import importlib.abc, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("freqtrade", "ccxt"):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
import bubbybot_freqtrade.analyzers
{POPULATE}
for analyzer in (market_cipher, lux_algo, frankie_candles):
    assert set(analyzer.COLUMNS) <= set(analyzer.populate(candles()).columns)
assert not any(name.partition(".")[0] in ("freqtrade", "ccxt") for name in sys.modules)
""")
