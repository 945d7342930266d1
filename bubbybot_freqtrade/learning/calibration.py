"""How far a model's probabilities can be believed, on candles it was not trained on.

Brier score: the mean squared distance between what was said and what came (0 is perfect, lower is
better), G. W. Brier, Verification of forecasts expressed in terms of probability (1950). It says
something only beside the score of whoever always says the base rate.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

LEAST_PAST = 200
"""Known outcomes before which a base rate says nothing."""


@dataclass(frozen=True)
class Bin:
    """Candles of which about the same was said: how often it came true.

    :param said: mean probability; came: share in which the outcome came
    :param low, high: 95 % interval of that share if the candles were independent, which candles in
        a row are not: the true one is wider
    """

    said: float
    came: float
    candles: int
    low: float
    high: float


def one_hot(outcomes: Sequence[str | None], classes: Sequence[str]) -> Floats:
    """One row per outcome, one column per class; NaN where the outcome is not known."""
    known = np.array([outcome is not None for outcome in outcomes], dtype=bool)
    made = np.array([[float(outcome == name) for name in classes] for outcome in outcomes])
    made = made.reshape(len(outcomes), len(classes))
    made[~known] = np.nan
    return made


def brier(said: Floats, came: Floats) -> float:
    """Brier score of probabilities for all classes (rows sum to 1): between 0 and 2."""
    return float(((said - came) ** 2).sum(axis=1).mean())


def skill(score: float, base: float) -> float:
    """The share of the base rate's score that is saved; below 0 the base rate is the better one."""
    return 1 - score / base


def past_rates(came: Floats, horizon: int) -> Floats:
    """The base rate on each row: class shares of all outcomes that were known by then.

    An outcome is known `horizon` rows after its own. NaN before `LEAST_PAST` of them.
    """
    known = np.nan_to_num(came)
    counts = np.cumsum(known, axis=0)
    late = np.zeros_like(counts)
    late[horizon:] = counts[: len(counts) - horizon]
    total = late.sum(axis=1, keepdims=True)
    return np.where(total >= LEAST_PAST, late / np.maximum(total, 1), np.nan)


def reliability(said: Floats, came: Flags, bins: int = 10) -> list[Bin]:
    """Bins of equally many candles, by what was said, lowest first."""
    order = np.argsort(said, kind="stable")
    parts = np.array_split(order, min(bins, len(order))) if len(order) else []
    return [_bin(said[part], came[part]) for part in parts]


def _bin(said: Floats, came: Flags) -> Bin:
    count, share = len(said), float(came.mean())
    # Wilson's interval: never beyond 0 and 1, as the textbook one is.
    z = 1.96
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    width = z * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2)) / (1 + z**2 / count)
    return Bin(float(said.mean()), share, count, float(middle - width), float(middle + width))
