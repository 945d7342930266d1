"""Scores against hand-made numbers, and the laws that every proper score keeps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from bubbybot_freqtrade.learning.calibration import (
    brier,
    one_hot,
    past_rates,
    reliability,
    skill,
)

CLASSES = ("target", "stop", "time")


def test_brier_by_hand():
    came = one_hot(["target", "stop"], CLASSES)
    said = np.array([[0.5, 0.3, 0.2], [0.0, 1.0, 0.0]])
    # (0.25 + 0.09 + 0.04 + 0) / 2
    assert brier(said, came) == pytest.approx(0.19)
    assert skill(0.19, 0.38) == pytest.approx(0.5)


def test_an_unknown_outcome_is_no_class():
    assert np.isnan(one_hot([None], CLASSES)).all()


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50))
@settings(deadline=None)
def test_two_classes_score_twice_scikit_learns(rows):
    chance, hit = (np.array(column) for column in zip(*rows, strict=True))
    said = np.column_stack([chance, 1 - chance])
    came = np.column_stack([hit, ~hit]).astype(float)
    theirs = brier_score_loss(hit, chance, pos_label=True, labels=[False, True])
    assert brier(said, came) == pytest.approx(2 * theirs)


@given(st.lists(st.sampled_from(CLASSES), min_size=2, max_size=60))
@settings(deadline=None)
def test_no_constant_beats_the_share_of_each_class(outcomes):
    came = one_hot(outcomes, CLASSES)
    rate = np.broadcast_to(came.mean(axis=0), came.shape)
    for other in ([1, 0, 0], [1 / 3] * 3, [0.2, 0.5, 0.3]):
        assert brier(rate, came) <= brier(np.broadcast_to(other, came.shape), came) + 1e-12


def test_the_base_rate_knows_only_outcomes_that_were_known_by_then():
    rng = np.random.default_rng(1)
    outcomes = [CLASSES[code] for code in rng.integers(0, 3, 900)]
    came = one_hot(outcomes, CLASSES)
    rates = past_rates(came, horizon=50)
    assert np.isnan(rates[:249]).all()
    row = 600
    assert rates[row] == pytest.approx(came[: row - 49].mean(axis=0))
    changed = came.copy()
    changed[row - 49 :] = [1, 0, 0]
    assert past_rates(changed, 50)[: row + 1] == pytest.approx(rates[: row + 1], nan_ok=True)


def test_a_calibrated_forecast_lies_in_its_intervals():
    rng = np.random.default_rng(2)
    said = rng.uniform(0, 1, 20_000)
    came = rng.uniform(0, 1, 20_000) < said
    bins = reliability(said, came)
    assert sum(one.candles for one in bins) == 20_000
    assert [one.said for one in bins] == sorted(one.said for one in bins)
    # Nineteen in twenty is what they promise.
    assert sum(one.low <= one.said <= one.high for one in bins) >= 9
    sure = reliability(said, came & (rng.uniform(0, 1, 20_000) < 0.5))
    assert all(one.high < one.said for one in sure[2:])


def test_few_candles_make_few_bins():
    assert reliability(np.array([]), np.array([], dtype=bool)) == []
    assert len(reliability(np.array([0.2, 0.4]), np.array([True, False]))) == 2
