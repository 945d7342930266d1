"""One score per side from the three analyzers' scores, and a tag that says what it stands on.

For each analyzer and side, the evidence is the weighted mean of its scores on 15m, 1h and 4h, each
counted as full from `full_evidence` on. Of the three pieces of evidence,

    strength = Σ weight · evidence
    accord   = Σ over pairs of weight · weight · √(evidence · evidence), as a share of its maximum
    conflict = Σ weight · evidence of the other side
    score    = (strength + `agreement` · accord · (1 − strength) − `conflict` · conflict)
               / `full_score`

clipped to 0–1. Each term rises with the evidence for the side and falls with the evidence against
it, so the score does. Timeframes that have no candles yet count as no evidence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from bubbybot_freqtrade.settings import ConfluenceSettings

Floats = npt.NDArray[np.float64]
Side = Literal["long", "short"]

SIDES: tuple[Side, Side] = ("long", "short")
TIMEFRAMES = ("", "_1h", "_4h")
"""Column suffixes of the base timeframe and of its context."""

PREFIXES = {"market_cipher": "mc", "lux_algo": "lux", "frankie_candles": "fc"}

SCORE_COLUMNS = tuple(f"{prefix}_{side}_score" for prefix in PREFIXES.values() for side in SIDES)
"""What is needed of each timeframe."""

REGIME_TIMEFRAME = "1h"
REGIME_COLUMNS = ("mc_rsi", "fc_vah", "fc_val")
"""Its columns that make the regime."""

# Wilder's RSI in a trend: up, it keeps above 40 and reaches beyond 60; down mirrors it.
TRENDING_RSI = 60


@dataclass(frozen=True, slots=True)
class Evidence:
    """A column that can be an entry's strongest evidence, and its code in the enter tag.

    :param sign: the column's sign that speaks for the side (events and counts: +1)
    :param unless: a column of flags; where one is set, the event adds nothing to the score
    :param is_state: adds to the score of its own candle only, while an event fades
    """

    column: str
    code: str
    sign: int = 1
    unless: str = ""
    is_state: bool = False


# For each analyzer and side what weighs at least 0.10 in the analyzer's score, heaviest first.
# Events of one family share a code: told apart, most patterns would have a trade or two a year.
# docs/glossary.md explains the codes.
EVIDENCE: Mapping[Side, Mapping[str, tuple[Evidence, ...]]] = {
    "long": {
        "mc": (
            Evidence("mc_bull_div", "div", unless="mc_gold_dot"),
            Evidence("mc_green_dot", "dot"),
            Evidence("mc_moon_diamond", "moon"),
            Evidence("mc_bull_div_weak", "div"),
            Evidence("mc_bull_div_hidden", "divh"),
            Evidence("mc_long_ema", "ema"),
        ),
        "lux": (
            Evidence("lux_sweep_bull", "sweep"),
            Evidence("lux_swing_choch_bull", "choch"),
            Evidence("lux_swing_bos_bull", "bos"),
            Evidence("lux_in_bull_ob", "ob", is_state=True),
            Evidence("lux_internal_choch_bull", "choch"),
            Evidence("lux_internal_bos_bull", "bos"),
        ),
        "fc": (
            Evidence("fc_bull_div_strong", "div"),
            Evidence("fc_in_golden_pocket", "gp", is_state=True),
            Evidence("fc_bull_div", "div", unless="fc_bull_div_wrong_side"),
            Evidence("fc_bull_div_hidden", "divh", unless="fc_bull_div_wrong_side"),
        ),
    },
    "short": {
        "mc": (
            Evidence("mc_bear_div", "div"),
            Evidence("mc_red_dot", "dot"),
            Evidence("mc_blood_diamond", "blood"),
            Evidence("mc_bear_div_weak", "div"),
            Evidence("mc_bear_div_hidden", "divh"),
            Evidence("mc_short_ema", "ema"),
        ),
        "lux": (
            Evidence("lux_sweep_bear", "sweep"),
            Evidence("lux_swing_choch_bear", "choch"),
            Evidence("lux_swing_bos_bear", "bos"),
            Evidence("lux_in_bear_ob", "ob", is_state=True),
            Evidence("lux_internal_choch_bear", "choch"),
            Evidence("lux_internal_bos_bear", "bos"),
        ),
        "fc": (
            Evidence("fc_bear_div_strong", "div"),
            Evidence("fc_in_golden_pocket", "gp", sign=-1, is_state=True),
            Evidence("fc_bear_div", "div", unless="fc_bear_div_wrong_side"),
            Evidence("fc_bear_div_hidden", "divh", unless="fc_bear_div_wrong_side"),
        ),
    },
}

EVIDENCE_CANDLES = 12
"""For so many candles an event counts as evidence: as long as the analyzers let it fade."""

STATE_ONLY = "state"
"""The code of an analyzer that speaks through its states (trend, value, ribbon) alone."""


def analyzer_weights(settings: ConfluenceSettings) -> dict[str, float]:
    """Weight by column prefix."""
    return {prefix: getattr(settings, name) for name, prefix in PREFIXES.items()}


def evidence(frame: pd.DataFrame, prefix: str, side: Side, settings: ConfluenceSettings) -> Floats:
    """The analyzer's evidence for `side` on every row, 0 to 1, over all timeframes."""
    shares = (settings.base_timeframe, settings.context_1h, settings.context_4h)
    total = np.zeros(len(frame))
    for share, suffix in zip(shares, TIMEFRAMES, strict=True):
        column = f"{prefix}_{side}_score{suffix}"
        if share and column in frame:
            score = np.nan_to_num(frame[column].to_numpy(dtype=np.float64))
            total += share * np.clip(score / settings.full_evidence, 0, 1)
    return np.minimum(total, 1)


class Parts(NamedTuple):
    """What a score is made of, before `agreement`, `conflict` and `full_score` weigh it."""

    strength: Floats
    accord: Floats
    conflict: Floats


def parts(
    supporting: Mapping[str, Floats], opposing: Mapping[str, Floats], settings: ConfluenceSettings
) -> Parts:
    """The parts of a side's score from the evidence for and against it, by analyzer prefix.

    :raises KeyError: when an analyzer is missing.
    """
    weights = analyzer_weights(settings)
    pairs = list(combinations(weights, 2))
    most = sum(weights[one] * weights[other] for one, other in pairs) or 1.0
    none = np.zeros(1)
    accord = sum(
        (
            weights[one] * weights[other] * np.sqrt(supporting[one] * supporting[other])
            for one, other in pairs
        ),
        start=none,
    )
    return Parts(
        strength=sum((weight * supporting[name] for name, weight in weights.items()), start=none),
        accord=accord / most,
        conflict=sum((weight * opposing[name] for name, weight in weights.items()), start=none),
    )


def combine(
    supporting: Mapping[str, Floats], opposing: Mapping[str, Floats], settings: ConfluenceSettings
) -> Floats:
    """The side's score, 0 to 1, from the evidence for and against it."""
    strength, accord, conflict = parts(supporting, opposing, settings)
    raised = strength + settings.agreement * accord * (1 - strength)
    return np.clip((raised - settings.conflict * conflict) / settings.full_score, 0, 1)


def scores(frame: pd.DataFrame, settings: ConfluenceSettings) -> tuple[Floats, Floats]:
    """Long and short score of every row, 0 to 1."""
    by_side = {
        side: {prefix: evidence(frame, prefix, side, settings) for prefix in PREFIXES.values()}
        for side in SIDES
    }
    return (
        combine(by_side["long"], by_side["short"], settings),
        combine(by_side["short"], by_side["long"], settings),
    )


def regime(frame: pd.DataFrame) -> Floats:
    """+1 where price has left the 1h value area upwards with a trending RSI, −1 downwards, else 0.

    Without 1h candles there is no regime, so nothing trades on it.
    """
    names = [f"{column}_{REGIME_TIMEFRAME}" for column in REGIME_COLUMNS]
    if not set(names) <= set(frame.columns):
        return np.zeros(len(frame))
    rsi, high, low = (frame[name].to_numpy(dtype=np.float64) for name in names)
    close = frame["close"].to_numpy(dtype=np.float64)
    up = (close > high) & (rsi > TRENDING_RSI)
    down = (close < low) & (rsi < 100 - TRENDING_RSI)
    return up.astype(np.float64) - down


def tags(frame: pd.DataFrame, rows: npt.NDArray[np.intp], side: Side) -> list[str]:
    """For each of `rows` the strongest evidence of each analyzer, as in ``mc:dot lux:ob fc:gp``."""
    parts = [
        [f"{prefix}:{code}" for code in _strongest(frame, rows, table)]
        for prefix, table in EVIDENCE[side].items()
    ]
    return [" ".join(row) for row in zip(*parts, strict=True)]


def _strongest(
    frame: pd.DataFrame, rows: npt.NDArray[np.intp], table: tuple[Evidence, ...]
) -> list[str]:
    codes = np.full(len(rows), STATE_ONLY, dtype=object)
    for item in reversed(table):
        codes[candles_since(frame, item)[rows] < EVIDENCE_CANDLES] = item.code
    return [str(code) for code in codes]


def candles_since(frame: pd.DataFrame, item: Evidence) -> npt.NDArray[np.intp]:
    """Candles since `item` was last seen, on every row: `EVIDENCE_CANDLES` once it adds nothing."""
    seen = frame[item.column].to_numpy(dtype=np.float64) * item.sign > 0
    if item.unless:
        seen &= ~frame[item.unless].to_numpy(dtype=np.bool_)
    if item.is_state:
        return np.where(seen, 0, EVIDENCE_CANDLES)
    rows = np.arange(len(frame))
    latest = np.maximum.accumulate(np.where(seen, rows, -EVIDENCE_CANDLES))
    return np.minimum(rows - latest, EVIDENCE_CANDLES)
