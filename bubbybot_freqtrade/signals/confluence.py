"""Confluence is agreement: one score per side from the three analyzers' readings, and its tag.

With `strength` an analyzer's reading for the side, 0 where it is on the other side or on none:

    agreement = Σ weight · min(strength / 0.7, 1)
    youth     = Π (strength − 0.7) / 0.3, each factor 0 below 0.7
    score     = 0.7 · agreement + 0.3 · youth

A score of 0.7 takes all three, each on the trade's side and within its room; what comes above says
how young the trend is to all of them. So nothing trades against an analyzer. Both terms rise with
each reading for the side, and neither with a reading against it. An analyzer of weight 0 is not
asked.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from bubbybot_freqtrade.analyzers.candles import epoch_seconds
from bubbybot_freqtrade.settings import MIN_CONFIDENCE, ConfluenceSettings
from bubbybot_freqtrade.signals.trend import PREFIXES, READING_COLUMNS, Columns, Floats, Side

EARLY, LATE = "early", "late"
"""Codes of an enter tag: more, or less, than half of an analyzer's room is left."""

_MIDDLE = (1 + MIN_CONFIDENCE) / 2

LAST_QUARTER = 45
"""Minute at which an hour's last candle of 15m opens."""


def weights_of(settings: ConfluenceSettings) -> dict[str, float]:
    """Weight by analyzer, of those that are asked."""
    weights = {name: getattr(settings, name) for name in PREFIXES}
    return {name: weight for name, weight in weights.items() if weight}


def terms(strengths: Mapping[str, Floats], settings: ConfluenceSettings) -> tuple[Floats, Floats]:
    """Agreement and youth, 0 to 1 each, from the analyzers' strengths for a side (0 to 1, by name).

    :raises KeyError: when an analyzer that has a weight is missing.
    """
    weights = weights_of(settings)
    asked = np.array([strengths[name] for name in weights])
    agreed = np.minimum(asked / MIN_CONFIDENCE, 1)
    # Weights add up to one but for float noise, which must not keep full agreement under 0.7.
    agreement = np.where((agreed == 1).all(axis=0), 1.0, np.array(list(weights.values())) @ agreed)
    youth = np.clip((asked - MIN_CONFIDENCE) / (1 - MIN_CONFIDENCE), 0, 1).prod(axis=0)
    return agreement, youth


def combine(strengths: Mapping[str, Floats], settings: ConfluenceSettings) -> Floats:
    """The side's score, 0 to 1, from the analyzers' strengths for it."""
    agreement, youth = terms(strengths, settings)
    return np.clip(MIN_CONFIDENCE * agreement + (1 - MIN_CONFIDENCE) * youth, 0, 1)


def scores(readings: Mapping[str, Floats], settings: ConfluenceSettings) -> tuple[Floats, Floats]:
    """Long and short score of every row, 0 to 1, from the readings by analyzer (−1 to 1)."""
    long = {name: np.maximum(reading, 0) for name, reading in readings.items()}
    short = {name: np.maximum(-reading, 0) for name, reading in readings.items()}
    return combine(long, settings), combine(short, settings)


def closes_an_hour(frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Rows whose 15m candle ends with an hour: what an hour's close says is said there, once."""
    return epoch_seconds(frame["date"]) // 60 % 60 == LAST_QUARTER


def tags(frame: Columns, rows: npt.NDArray[np.intp], side: Side) -> list[str]:
    """For each of `rows` the analyzers that are on its side, as in ``mc:early lux:late fc:early``.

    Analyzers that are on the other side, or on none, are not named: they are no evidence.
    """
    sign = 1 if side == "long" else -1
    strengths = {
        PREFIXES[name]: sign * np.asarray(frame[column], dtype=np.float64)[rows]
        for name, column in READING_COLUMNS.items()
    }
    return [
        " ".join(
            f"{prefix}:{EARLY if strength[i] >= _MIDDLE else LATE}"
            for prefix, strength in strengths.items()
            if strength[i] > 0
        )
        for i in range(len(rows))
    ]
