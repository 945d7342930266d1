"""What became of a plan: which of its barriers came first, target, stop or time.

The meta-label of López de Prado, Advances in Financial Machine Learning (2018), chapter 3: the
strategy says which side, the label says whether that was worth it.
"""

import numba
import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Signs = npt.NDArray[np.int8]

OUTCOMES = ("target", "stop", "time")
"""The classes, by the code of `first_barrier` less one."""


def candidates(frame: pd.DataFrame, least: float) -> Signs:
    """The side (+1 long, −1 short) that each row's plan is for; 0 where there is nothing to ask.

    It is the side with the greater confluence, if that is at least `least` and the side has stop
    and target. Every signal is a candidate, for a signal's score is above the other side's.
    """
    long, short = (frame[f"{side}_confluence"].to_numpy() for side in ("long", "short"))
    planned = {
        side: frame[f"plan_{side}_stop"].notna() & frame[f"plan_{side}_target"].notna()
        for side in ("long", "short")
    }
    for_long = (long > short) & (long >= least) & planned["long"].to_numpy()
    for_short = (short > long) & (short >= least) & planned["short"].to_numpy()
    return for_long.astype(np.int8) - for_short.astype(np.int8)


def barriers(frame: pd.DataFrame, sides: Signs) -> tuple[Floats, Floats]:
    """Stop and target (prices) of each row's side; NaN where the side is 0."""
    stop, target = (
        np.select(
            [sides > 0, sides < 0],
            [frame[f"plan_long_{name}"].to_numpy(), frame[f"plan_short_{name}"].to_numpy()],
            np.nan,
        )
        for name in ("stop", "target")
    )
    return stop, target


def outcomes(
    frame: pd.DataFrame, sides: Signs, stop: Floats, target: Floats, horizon: int
) -> npt.NDArray[np.object_]:
    """The label of each row, one of `OUTCOMES`, from the `horizon` candles after it.

    None where the side is 0, and for the last `horizon` rows whether a barrier has come there or
    not: with the quick ones alone the end of a training window would show too many of them, and
    the label of a row must not need a candle of the part that is judged (purging).
    """
    high, low = (frame[name].to_numpy(dtype=np.float64) for name in ("high", "low"))
    codes = first_barrier(high, low, sides, stop, target, horizon)
    return np.array([None, *OUTCOMES], dtype=object)[codes]


@numba.njit(cache=True)
def first_barrier(
    high: Floats, low: Floats, sides: Signs, stop: Floats, target: Floats, horizon: int
) -> Signs:
    """1 target, 2 stop, 3 neither within `horizon` candles, 0 unknown.

    A candle that reaches both counts as a stop: nobody knows which came first.
    """
    rows = len(high)
    codes = np.zeros(rows, dtype=np.int8)
    for row in range(rows - horizon):
        side = sides[row]
        if side == 0:
            continue
        codes[row] = 3
        for later in range(row + 1, row + horizon + 1):
            worst = low[later] if side > 0 else high[later]
            best = high[later] if side > 0 else low[later]
            if side * (worst - stop[row]) <= 0:
                codes[row] = 2
                break
            if side * (best - target[row]) >= 0:
                codes[row] = 1
                break
    return codes
