"""Is it still working: no false alarm for years while it does, and no year of losses when not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bubbybot_freqtrade.learning.edge import Expectation, edge_of, shipped
from bubbybot_freqtrade.settings import EdgeSettings

EXPECTED = Expectation(0.3, 1.2, 200, 70, "2025-07-01", "by hand")
RULES = EdgeSettings()
A_YEAR = 70
RUNS = 400


def moments(mean: float, years: int, state: str, seed: int) -> np.ndarray:
    """Trades until `state` is first seen, by run; `years · A_YEAR` where it is not.

    Results look like the strategy's: a stop, a target, or what two days have brought.
    """
    rng = np.random.default_rng(seed)
    count = years * A_YEAR
    found = []
    for _ in range(RUNS):
        kinds = rng.random(count)
        r = rng.normal(0.17, 0.8, count)
        r[kinds < 0.17] = -1.0
        r[kinds > 0.91] = 3.0
        r = (r - r.mean()) / r.std() * 1.2 + rng.normal(mean, 1e-9, count)
        level = 0.0
        first = count
        for number, one in enumerate(r):
            # The same sum, step by step: asking edge_of for each prefix would take minutes.
            level = max(0.0, level + 0.3 / 1.44 * (0.15 - np.clip(one, -3, 3)))
            if level >= (RULES.doubt_at if state == "in doubt" else RULES.gone_at):
                first = number + 1
                break
        found.append(first)
    return np.array(found)


def test_while_it_works_it_is_hardly_ever_given_up():
    gone = moments(0.3, years=5, state="gone", seed=1)
    false_alarms_a_year = (gone < 5 * A_YEAR).sum() / (RUNS * 5)
    assert false_alarms_a_year < 0.1
    doubted = moments(0.3, years=1, state="in doubt", seed=2)
    assert (doubted < A_YEAR).mean() < 0.6


@pytest.mark.parametrize(("mean", "most"), [(0.0, 2.5 * A_YEAR), (-0.2, 1.2 * A_YEAR)])
def test_planted_decay_is_found(mean, most):
    gone = moments(mean, years=6, state="gone", seed=3)
    assert np.median(gone) < most
    assert (gone < 6 * A_YEAR).mean() > 0.95
    doubted = moments(mean, years=6, state="in doubt", seed=3)
    assert np.median(doubted) < np.median(gone) / 1.4


def test_by_hand():
    # 0.3 / 1.44 · (0.15 + 1) is 0.24 a stop: nine are above 2, seventeen above 4.
    assert edge_of([-1.0] * 8, EXPECTED, RULES).state == "working"
    doubt = edge_of([-1.0] * 9, EXPECTED, RULES)
    assert (doubt.state, doubt.trades, doubt.mean_r) == ("in doubt", 9, -1.0)
    assert doubt.evidence == pytest.approx(9 * 0.3 / 1.44 * 1.15)
    assert edge_of([-1.0] * 9 + [3.0] * 3, EXPECTED, RULES).state == "working"
    assert edge_of([-1.0] * 17, EXPECTED, RULES).state == "gone"
    assert edge_of([-1.0] * 17 + [3.0] * 50, EXPECTED, RULES).state == "gone", "settled is settled"
    assert edge_of([], EXPECTED, RULES).state == "working"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-50, 50), max_size=60), st.floats(-3, 3))
def test_a_better_trade_never_makes_it_worse(results, better):
    worse, best = (edge_of([*results, r], EXPECTED, RULES) for r in (-3.0, better))
    assert best.evidence <= worse.evidence
    assert edge_of([*results, -1e6], EXPECTED, RULES).evidence == worse.evidence, "cut at three"


def test_the_shipped_expectation_is_one():
    expected = shipped()
    assert expected.mean_r > 0
    assert expected.deviation_r > 0
    assert expected.trades > 100
    assert expected.made >= "2026"
