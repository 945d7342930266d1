"""What the analyzers mark on a chart of 15m: events and states for a side, by family.

They are shown, by `bubbybot explain` and on charts, and score nothing: as evidence for their side
they lost money (docs/results.md). What scores is in `signals.trend`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bubbybot_freqtrade.signals.trend import Side

WORDS = {
    "bull": "bullish", "bear": "bearish", "ob": "order block", "div": "divergence",
    "choch": "CHoCH", "bos": "BOS", "ema": "EMA",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mark:
    """A column that marks something for a side.

    :param sign: the column's sign that speaks for the side (events and counts: +1)
    :param unless: a column of flags; where one is set, the mark does not stand
    :param is_state: stands on its own candle only, while an event is shown for some more
    """

    column: str
    sign: int = 1
    unless: str = ""
    is_state: bool = False

    @property
    def words(self) -> str:
        """The column's name without its analyzer, as people say it."""
        parts = self.column.partition("_")[2].split("_")
        return " ".join(WORDS.get(part, part) for part in parts)


MARKS: Mapping[Side, Mapping[str, tuple[Mark, ...]]] = {
    "long": {
        "mc": (
            Mark("mc_bull_div", unless="mc_gold_dot"),
            Mark("mc_green_dot"),
            Mark("mc_moon_diamond"),
            Mark("mc_bull_div_weak"),
            Mark("mc_bull_div_hidden"),
            Mark("mc_long_ema"),
        ),
        "lux": (
            Mark("lux_sweep_bull"),
            Mark("lux_swing_choch_bull"),
            Mark("lux_swing_bos_bull"),
            Mark("lux_in_bull_ob", is_state=True),
            Mark("lux_internal_choch_bull"),
            Mark("lux_internal_bos_bull"),
        ),
        "fc": (
            Mark("fc_bull_div_strong"),
            Mark("fc_in_golden_pocket", is_state=True),
            Mark("fc_bull_div", unless="fc_bull_div_wrong_side"),
            Mark("fc_bull_div_hidden", unless="fc_bull_div_wrong_side"),
        ),
    },
    "short": {
        "mc": (
            Mark("mc_bear_div"),
            Mark("mc_red_dot"),
            Mark("mc_blood_diamond"),
            Mark("mc_bear_div_weak"),
            Mark("mc_bear_div_hidden"),
            Mark("mc_short_ema"),
        ),
        "lux": (
            Mark("lux_sweep_bear"),
            Mark("lux_swing_choch_bear"),
            Mark("lux_swing_bos_bear"),
            Mark("lux_in_bear_ob", is_state=True),
            Mark("lux_internal_choch_bear"),
            Mark("lux_internal_bos_bear"),
        ),
        "fc": (
            Mark("fc_bear_div_strong"),
            Mark("fc_in_golden_pocket", sign=-1, is_state=True),
            Mark("fc_bear_div", unless="fc_bear_div_wrong_side"),
            Mark("fc_bear_div_hidden", unless="fc_bear_div_wrong_side"),
        ),
    },
}

MARK_CANDLES = 12
"""So many candles a mark is shown: as long as the analyzers let it fade in their own scores."""


def candles_since(frame: pd.DataFrame, item: Mark) -> npt.NDArray[np.intp]:
    """Candles since `item` was last seen, on every row; `MARK_CANDLES` once it is not shown."""
    seen = frame[item.column].to_numpy(dtype=np.float64) * item.sign > 0
    if item.unless:
        seen &= ~frame[item.unless].to_numpy(dtype=np.bool_)
    if item.is_state:
        return np.where(seen, 0, MARK_CANDLES)
    rows = np.arange(len(frame))
    latest = np.maximum.accumulate(np.where(seen, rows, -MARK_CANDLES))
    return np.minimum(rows - latest, MARK_CANDLES)


def recent(frame: pd.DataFrame, prefix: str, side: Side) -> list[tuple[Mark, int]]:
    """The analyzer's marks for `side` that stand on the last row, with the candles since."""
    ages = [(mark, int(candles_since(frame, mark)[-1])) for mark in MARKS[side][prefix]]
    return [(mark, age) for mark, age in ages if age < MARK_CANDLES]
