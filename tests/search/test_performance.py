"""The figures against numbers worked out by hand, and the laws they keep."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubbybot_freqtrade.search.performance import deflated_sharpe, drawdown, merit


def trades(*rs):
    return pd.DataFrame({"profit_abs": [10 * r for r in rs], "plan_risk": 10.0})


def test_merit_is_the_t_value_of_the_mean():
    # 8 losses of 1R and 8 wins of 2R: mean 0.5, deviation sqrt(16 * 1.5**2 / 15).
    expected = 0.5 / (math.sqrt(16 * 2.25 / 15) / math.sqrt(16))
    assert merit(trades(*[-1.0] * 8, *[2.0] * 8)) == pytest.approx(expected)


def test_few_trades_have_no_merit():
    assert merit(trades(*[1.0, 2.0] * 7)) == -math.inf


def test_drawdown_is_the_deepest_fall():
    # 1, 1.1, 0.55, 0.605: half of the peak is lost.
    assert drawdown(pd.Series([0.1, -0.5, 0.1])) == pytest.approx(0.5)


SHARPES = [-0.1, -0.05, 0.0, 0.05, 0.1]


@pytest.fixture(scope="module")
def days():
    return pd.Series(np.random.default_rng(3).normal(0.002, 0.02, 400))


@given(st.integers(2, 500), st.integers(1, 500))
def test_more_attempts_never_make_a_result_more_believable(fewer, more):
    series = pd.Series(np.random.default_rng(3).normal(0.002, 0.02, 400))
    assert deflated_sharpe(series, SHARPES, fewer + more) <= deflated_sharpe(series, SHARPES, fewer)


def test_it_is_below_the_plain_probability(days):
    # Without a spread among the attempts luck has nothing to choose from.
    plain = deflated_sharpe(days, [0.0, 0.0], 100)
    assert 0.5 < plain < 1
    assert deflated_sharpe(days, SHARPES, 100) < plain
