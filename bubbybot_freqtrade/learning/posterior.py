"""What weighted outcomes say: the chance of the target before the stop, and the mean of R.

Both are conjugate posteriors in closed form. Each trade's likelihood is raised to the power of its
weight (the power prior of Ibrahim and Chen, Power Prior Distributions for Regression Models, 2000),
which for these two models means weighted sums in place of sums:

- target before stop: Beta(a + Σ w·outcome, b + Σ w·(1 − outcome));
- R: normal with unknown mean and variance under a normal-inverse-gamma prior, whose posterior mean
  is Student-t (Murphy, Conjugate Bayesian Analysis of the Gaussian Distribution, 2007, section 6).

R is not normal, it has a peak at −1 and one at the target. The mean of a few trades is close enough
to normal, and a wrong spread within the peaks is what the unknown variance stands for.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, stdtr, stdtrit

Floats = npt.NDArray[np.float64]


def forgetting(ages: Floats, half_life: float) -> Floats:
    """Weight of evidence by its age: 1 now, one half after `half_life` (the same unit)."""
    return np.exp2(-ages / half_life)


def outcome(exit_rate: float, stop: float, target: float) -> float:
    """1 for a trade that ended at its target, 0 at its stop, between them the share of the way.

    A fair walk that is at the share x of the way from stop to target reaches the target first
    with the chance x (optional stopping), so this is what a trade that was closed early says.
    Rates that slipped beyond either end count as the end.

    :raises ValueError: when stop and target are the same.
    """
    if stop == target:
        raise ValueError(f"stop and target are both {stop:g}")
    return min(max((exit_rate - stop) / (target - stop), 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed before any trade, and how many trades that is worth.

    :param target_first: chance of the target before the stop
    :param mean_r: expected mean of R
    :param variance: expected variance of R around it
    """

    trades: float
    target_first: float
    mean_r: float
    variance: float

    @classmethod
    def fair(cls, reward_risk: float, trades: float) -> Self:
        """A fair game that pays `reward_risk` or loses 1: it wins 1 in 1 + `reward_risk`.

        Its mean is 0 and its variance p·b² + (1 − p) = b.
        """
        return cls(trades, 1 / (1 + reward_risk), 0.0, reward_risk)

    def informed(self, r: Floats, outcomes: Floats, weights: Floats) -> "Prior":
        """The same worth in trades, at what `self` and this evidence together say."""
        sums = _Sums.of(r, outcomes, weights)
        total = self.trades + sums.weight
        mean = (self.trades * self.mean_r + sums.weight * sums.mean_r) / total
        # Squares around the new mean: the prior's, the evidence's, and what lies between the two.
        between = self.trades * sums.weight / total * (sums.mean_r - self.mean_r) ** 2
        squares = self.trades * self.variance + sums.squares + between
        return Prior(
            trades=self.trades,
            target_first=(self.trades * self.target_first + sums.targets) / total,
            mean_r=mean,
            variance=squares / total,
        )


@dataclass(frozen=True, slots=True)
class Posterior:
    """What prior and evidence say together. Intervals are central ones and contain their mean.

    :param weight: what the evidence is worth, in fresh trades
    :param pays: probability that the mean of R is above zero
    """

    weight: float
    target_first: float
    target_first_low: float
    target_first_high: float
    mean_r: float
    mean_r_low: float
    mean_r_high: float
    pays: float


def posterior(
    prior: Prior, r: Floats, outcomes: Floats, weights: Floats, interval: float
) -> Posterior:
    """The posterior of trades with these results; without any it is the prior's.

    :param r: results in units of the planned loss
    :param outcomes: 0 (stop) to 1 (target), see `outcome`
    :param weights: 0 (forgotten, or of no concern) to 1
    :param interval: probability inside the intervals, 0 to 1
    """
    sums = _Sums.of(r, outcomes, weights)
    tail = (1 - interval) / 2
    # Murphy's κ, μ, α, β. The prior of the variance is worth as many trades as that of the mean,
    # with one more degree to make its expectation, β / (α − 1), the prior's variance.
    kappa = prior.trades + sums.weight
    mean = (prior.trades * prior.mean_r + sums.weight * sums.mean_r) / kappa
    alpha = 1 + prior.trades / 2 + sums.weight / 2
    between = prior.trades * sums.weight / kappa * (sums.mean_r - prior.mean_r) ** 2
    beta = (prior.trades * prior.variance + sums.squares + between) / 2
    scale = float(np.sqrt(beta / (alpha * kappa)))
    reach = float(stdtrit(2 * alpha, 1 - tail)) * scale
    low, first, high = _beta(prior, sums, tail)
    return Posterior(
        weight=sums.weight,
        target_first=first,
        target_first_low=low,
        target_first_high=high,
        mean_r=mean,
        mean_r_low=mean - reach,
        mean_r_high=mean + reach,
        pays=float(stdtr(2 * alpha, mean / scale)),
    )


def _beta(prior: Prior, sums: "_Sums", tail: float) -> tuple[float, float, float]:
    a = prior.trades * prior.target_first + sums.targets
    b = prior.trades * (1 - prior.target_first) + sums.weight - sums.targets
    mean = a / (a + b)
    low, high = betaincinv(a, b, [tail, 1 - tail])
    # Where nearly all lies at one end, the mean can be outside of a narrow central interval.
    return min(float(low), mean), mean, max(float(high), mean)


@dataclass(frozen=True, slots=True)
class _Sums:
    weight: float
    targets: float
    mean_r: float
    squares: float

    @classmethod
    def of(cls, r: Floats, outcomes: Floats, weights: Floats) -> Self:
        total = float(weights.sum())
        mean = float(weights @ r) / total if total > 0 else 0.0
        return cls(
            weight=total,
            targets=float(weights @ outcomes),
            mean_r=mean,
            squares=float(weights @ (r - mean) ** 2),
        )
