"""What charts and `explain` mark: which marks stand, and for how long."""

import pandas as pd

from bubbybot_freqtrade.signals.marks import MARK_CANDLES, MARKS, candles_since, recent
from bubbybot_freqtrade.signals.trend import SIDES


def frame_of_events(count=40, **events):
    frame = pd.DataFrame(index=range(count))
    for side in SIDES:
        for table in MARKS[side].values():
            for mark in table:
                frame[mark.column] = False
                if mark.unless:
                    frame[mark.unless] = False
    frame["fc_in_golden_pocket"] = 0.0
    for column, rows in events.items():
        frame.loc[list(rows), column] = True
    return frame


def seen(frame, prefix, side):
    return {mark.words: age for mark, age in recent(frame, prefix, side)}


def test_marks_stand_for_a_while_with_their_age():
    frame = frame_of_events(mc_green_dot=[35], mc_bull_div=[39], mc_red_dot=[39 - MARK_CANDLES])
    assert seen(frame, "mc", "long") == {"green dot": 4, "bullish divergence": 0}
    assert seen(frame, "mc", "short") == {}
    (dot,) = (mark for mark in MARKS["long"]["mc"] if mark.column == "mc_green_dot")
    assert candles_since(frame, dot)[34] == MARK_CANDLES, "not known before it came"


def test_a_state_stands_on_its_own_candle_and_a_sign_is_a_side():
    frame = frame_of_events(lux_in_bull_ob=[38])
    frame.loc[39, "fc_in_golden_pocket"] = -1.0
    assert seen(frame, "lux", "long") == {}
    assert seen(frame, "fc", "short") == {"in golden pocket": 0}
    assert seen(frame, "fc", "long") == {}


def test_what_another_column_takes_back_is_not_shown():
    frame = frame_of_events(mc_bull_div=[39], mc_gold_dot=[39])
    assert seen(frame, "mc", "long") == {}


def test_both_sides_have_mirrored_columns():
    mirrors = {"bull": "bear", "green": "red", "long": "short", "moon": "blood", "low": "high"}
    for analyzer, table in MARKS["long"].items():
        for own, other in zip(table, MARKS["short"][analyzer], strict=True):
            words = [mirrors.get(word, word) for word in own.column.split("_")]
            assert "_".join(words) == other.column
            assert own.sign == other.sign or own.column == other.column
            assert own.is_state == other.is_state
