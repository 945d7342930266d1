"""The model may take signals away, never add one, and knows nothing of what comes later."""

import numpy as np
import pandas as pd
from freqtrade.configuration import TimeRange

from bubbybot_freqtrade.learning.features import LEVELS, features
from bubbybot_freqtrade.learning.freqai_strategy import MODEL_COLUMNS
from bubbybot_freqtrade.learning.labels import OUTCOMES, candidates
from tests.learning_model.conftest import LEAST_R, TIMERANGE

START = pd.Timestamp(TimeRange.parse_timerange(TIMERANGE).startdt)
CHANCES = [f"model_{name}" for name in OUTCOMES]
ENTRIES = ["enter_long", "enter_short"]


def judged(frame):
    return frame[frame["date"] >= START]


def test_signals_are_a_true_part_of_bubbybots(with_model, without_model):
    kept = taken = 0
    for pair, frame in with_model.items():
        ours, all_of_them = (
            judged(one)[ENTRIES].to_numpy() for one in (frame, without_model[pair])
        )
        assert (ours <= all_of_them).all()
        kept += int(ours.sum())
        taken += int((all_of_them - ours).sum())
    # Otherwise this says nothing.
    assert kept > 0
    assert taken > 0


def test_nothing_of_bubbybots_columns_changes(with_model, without_model):
    for pair, frame in with_model.items():
        theirs = without_model[pair].set_index("date")
        ours = frame.set_index("date").loc[theirs.index]
        columns = [c for c in theirs if c not in (*ENTRIES, "enter_tag")]
        pd.testing.assert_frame_equal(ours.loc[START:, columns], theirs.loc[START:, columns])
        assert set(ours) - set(theirs) == set(MODEL_COLUMNS)


def test_without_a_trained_model_there_is_no_entry(with_model):
    for frame in with_model.values():
        early = frame[frame["date"] < START]
        assert early[list(CHANCES)].isna().all(axis=None)
        assert not early[ENTRIES].any(axis=None)


def test_a_kept_signal_is_expected_to_pay_what_the_setting_asks(with_model):
    for frame in with_model.values():
        entered = frame[frame[ENTRIES].any(axis=1)]
        assert (entered["model_expected_r"] >= LEAST_R).all()
        side = entered["enter_long"] - entered["enter_short"]
        assert (entered["model_side"] == side).all()


def test_probabilities_add_up_where_there_are_any(with_model):
    for frame in with_model.values():
        known = frame[frame["model_expected_r"].notna()]
        assert len(known) > 100
        assert np.allclose(known[list(CHANCES)].sum(axis=1), 1)


def test_another_future_changes_no_answer_before_it(analyzed, with_model, other_future):
    moment = START + pd.Timedelta(days=3)
    changed = analyzed("BubbyBotAI", "other-future", data=other_future(moment))
    for pair, frame in with_model.items():
        before, again = (f[f["date"] < moment].set_index("date") for f in (frame, changed[pair]))
        columns = [*MODEL_COLUMNS, *ENTRIES]
        pd.testing.assert_frame_equal(before[columns], again[columns])
        after = frame["date"] >= moment
        assert not frame[after]["close"].equals(changed[pair][after]["close"])


def test_features_are_the_same_at_another_price_level(without_model):
    """A market at a thousandth of the prices and a million times the volume looks the same."""
    frame = next(iter(without_model.values()))
    sides = candidates(frame, 0.3)
    scaled = frame.copy()
    plan = [name for name in frame if name.startswith(("plan_long", "plan_short"))]
    prices = [*("open", "high", "low", "close", "plan_atr"), *plan, *LEVELS]
    scaled[prices] = scaled[prices] * 0.001
    scaled["volume"] *= 1e6
    assert (sides != 0).sum() > 100
    pd.testing.assert_frame_equal(
        features(frame, sides, 0.0006), features(scaled, sides, 0.0006), rtol=1e-6
    )


def test_features_of_a_row_need_no_later_row(without_model):
    frame = next(iter(without_model.values()))
    cut = frame.iloc[:1500]
    whole = features(frame, candidates(frame, 0.3), 0.0006).iloc[:1500]
    pd.testing.assert_frame_equal(whole, features(cut, candidates(cut, 0.3), 0.0006))
