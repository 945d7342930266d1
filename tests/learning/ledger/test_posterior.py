"""Laws of the posteriors, and figures worked out by other means."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from bubbybot_freqtrade.learning.posterior import Posterior, Prior, forgetting, outcome, posterior

LAW = settings(deadline=None)
INTERVAL = 0.9
R = st.floats(-2, 8)
TRADES = st.lists(st.tuples(R, st.floats(0, 1), st.floats(0, 1)), max_size=30)  # R, outcome, weight
PRIORS = st.builds(
    Prior,
    trades=st.floats(1, 50),
    target_first=st.floats(0.01, 0.99),
    mean_r=st.floats(-1, 2),
    variance=st.floats(0.1, 9),
)


def of(prior: Prior, trades: list[tuple[float, float, float]], interval: float = INTERVAL):
    columns = np.array(trades, dtype=float).reshape(-1, 3).T
    return posterior(prior, *columns, interval)


def close(one: Posterior, other: Posterior, tolerance: float = 1e-7) -> bool:
    return all(
        getattr(one, name) == pytest.approx(getattr(other, name), rel=tolerance, abs=tolerance)
        for name in Posterior.__slots__
    )


@LAW
@given(PRIORS, TRADES, st.randoms(use_true_random=False))
def test_the_order_of_trades_does_not_matter(prior, trades, random):
    shuffled = random.sample(trades, len(trades))
    assert close(of(prior, trades), of(prior, shuffled))


@LAW
@given(PRIORS, TRADES, st.floats(0.5, 0.99))
def test_intervals_contain_their_mean_and_stay_inside_what_can_be(prior, trades, interval):
    known = of(prior, trades, interval)
    assert 0 <= known.target_first_low <= known.target_first <= known.target_first_high <= 1
    assert known.mean_r_low <= known.mean_r <= known.mean_r_high
    assert 0 <= known.pays <= 1
    # Half of the mean's distribution lies above its middle.
    assert (known.pays >= 0.5) == (known.mean_r >= 0) or abs(known.mean_r) < 1e-12


@LAW
@given(PRIORS, TRADES)
def test_evidence_that_is_forgotten_returns_to_the_prior(prior, trades):
    nothing = of(prior, [])
    ages = np.full(len(trades), 4_000.0)
    old = [(r, first, w) for (r, first, _), w in zip(trades, forgetting(ages, 1.0), strict=True)]
    assert close(of(prior, old), nothing)
    assert nothing.target_first == pytest.approx(prior.target_first)
    assert nothing.mean_r == pytest.approx(prior.mean_r)


@LAW
@given(PRIORS, TRADES, R, st.floats(0, 1))
def test_a_win_never_lowers_and_a_stop_never_raises(prior, trades, won, weight):
    before = of(prior, trades)
    after = of(prior, [*trades, (max(won, before.mean_r), 1.0, weight)])
    assert after.target_first >= before.target_first - 1e-12
    assert after.mean_r >= before.mean_r - 1e-9
    stopped = of(prior, [*trades, (min(-1.0, before.mean_r), 0.0, weight)])
    assert stopped.target_first <= before.target_first + 1e-12
    assert stopped.mean_r <= before.mean_r + 1e-9


@LAW
@given(PRIORS, TRADES)
def test_a_trade_twice_is_a_trade_of_twice_the_weight(prior, trades):
    doubled = [(r, first, weight * 2) for r, first, weight in trades]
    assert close(of(prior, trades * 2), of(prior, doubled), tolerance=1e-6)


@LAW
@given(PRIORS, TRADES, st.tuples(R, st.floats(0, 1)))
def test_a_trade_without_weight_says_nothing(prior, trades, idle):
    assert close(of(prior, trades), of(prior, [*trades, (*idle, 0.0)]))


@LAW
@given(st.lists(st.floats(0, 5_000), min_size=2, max_size=20), st.floats(0.1, 1_000))
def test_weights_halve_with_each_half_life_and_fall_with_age(ages, half_life):
    weights = forgetting(np.array(sorted(ages)), half_life)
    assert np.all((weights >= 0) & (weights <= 1))
    assert np.all(np.diff(weights) <= 0)
    ratio = forgetting(np.array([0.0, half_life, 2 * half_life]), half_life)
    assert ratio == pytest.approx([1, 0.5, 0.25])


@LAW
@given(PRIORS, TRADES)
def test_a_prior_with_evidence_keeps_its_worth_and_moves_towards_it(prior, trades):
    assume(sum(weight for *_, weight in trades) > 0.1)
    columns = np.array(trades, dtype=float).T
    informed = prior.informed(*columns)
    assert informed.trades == prior.trades
    assert 0 < informed.target_first < 1
    assert informed.variance > 0
    said = np.average(columns[0], weights=columns[2])
    low, high = sorted((prior.mean_r, said))
    assert low - 1e-9 <= informed.mean_r <= high + 1e-9


@pytest.mark.parametrize("reward", [2.0, 3.5])
def test_a_fair_game_has_the_moments_it_claims(reward):
    prior = Prior.fair(reward, trades=8)
    win = prior.target_first
    assert win * reward - (1 - win) == pytest.approx(0)
    assert win * reward**2 + (1 - win) == pytest.approx(prior.variance)


def test_the_mean_of_r_is_what_sampling_the_model_gives():
    # Draws from prior and likelihood, weighted by the likelihood of the data: no formula shared.
    prior = Prior(trades=4, target_first=1 / 3, mean_r=0.0, variance=2.0)
    r = np.array([-1.0, -1.0, 2.9, -1.0, -0.4])
    random = np.random.default_rng(5)
    variance = stats.invgamma(1 + 4 / 2, scale=2.0 * 4 / 2).rvs(400_000, random_state=random)
    mean = random.normal(0.0, np.sqrt(variance / 4))
    squares = ((r[:, None] - mean) ** 2).sum(axis=0)
    likelihood = variance ** (-len(r) / 2) * np.exp(-squares / (2 * variance))
    known = posterior(prior, r, np.zeros(5), np.ones(5), 0.8)
    order = np.argsort(mean)
    cumulated = np.cumsum(likelihood[order]) / likelihood.sum()
    low, high = mean[order][np.searchsorted(cumulated, [0.1, 0.9])]
    assert known.mean_r == pytest.approx(np.average(mean, weights=likelihood), abs=0.01)
    assert (known.mean_r_low, known.mean_r_high) == pytest.approx((low, high), abs=0.02)
    assert known.pays == pytest.approx(np.average(mean > 0, weights=likelihood), abs=0.005)


def test_the_chance_of_the_target_is_bayes_rule_on_a_grid():
    prior = Prior.fair(2.0, trades=8)
    grid = (np.arange(20_000) + 0.5) / 20_000
    # 3 targets, 5 stops, and one closed half way that counts as half of each.
    density = grid ** (8 / 3 - 1 + 3.5) * (1 - grid) ** (16 / 3 - 1 + 5.5)
    density /= density.sum()
    outcomes = np.array([1.0] * 3 + [0.0] * 5 + [0.5])
    known = posterior(prior, np.zeros(9), outcomes, np.ones(9), 0.9)
    low, high = grid[np.searchsorted(np.cumsum(density), [0.05, 0.95])]
    assert known.target_first == pytest.approx(grid @ density, abs=1e-4)
    assert (known.target_first_low, known.target_first_high) == pytest.approx((low, high), abs=1e-3)


@LAW
@given(st.floats(1, 100), st.floats(0.01, 0.2), st.floats(2, 5), st.floats(-3, 10))
def test_an_outcome_is_the_share_of_the_way_on_both_sides(entry, risk, reward, ended):
    for sign in (1, -1):
        stop, target = entry * (1 - sign * risk), entry * (1 + sign * risk * reward)
        rate = entry * (1 + sign * risk * ended)
        expected = min(max((ended + 1) / (reward + 1), 0), 1)
        assert outcome(rate, stop, target) == pytest.approx(expected, abs=1e-6)


def test_an_outcome_needs_two_levels():
    with pytest.raises(ValueError, match="both 5"):
        outcome(4.0, 5.0, 5.0)


def test_ten_stops_in_a_row_are_a_loser_and_three_are_not():
    prior = Prior.fair(2.0, trades=8)
    lost = {count: of(prior, [(-1.0, 0.0, 1.0)] * count) for count in (3, 10)}
    assert lost[3].mean_r_high > 0
    assert lost[10].mean_r_high < 0
    assert math.isclose(lost[10].mean_r, -10 / 18)
