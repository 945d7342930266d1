"""The model may take signals away, never add one, and knows nothing of what comes later."""

import numpy as np
import pandas as pd
import pytest
from freqtrade.configuration import TimeRange
from freqtrade.exceptions import OperationalException

from bubbybot_freqtrade.learning.features import LEVELS, features
from bubbybot_freqtrade.learning.labels import OUTCOMES, candidates
from bubbybot_freqtrade.strategy.with_model import MODEL_COLUMNS
from tests.learning.model.conftest import LEAST_R, TIMERANGE

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


class Answers:
    """In FreqAI's place: the same answer for every candle, with `do_predict` as it would be."""

    def __init__(self, do_predict, **chances):
        self.do_predict = do_predict
        self.chances = chances
        self.unknown = []

    def start(self, dataframe, metadata, strategy):
        features = [name for name in dataframe if name.startswith("feature_")]
        self.unknown.append(dataframe[features].isna().any(axis=1).to_numpy())
        return dataframe[["date"]].assign(do_predict=self.do_predict, **self.chances)

    def shutdown(self):
        pass


SURE = {"target": 1.0, "stop": 0.0, "time": 0.0}


def test_a_sure_target_keeps_every_signal(analyzed, without_model):
    for pair, frame in analyzed("BubbyBotAI", "stub", freqai=Answers(1, **SURE)).items():
        ours, theirs = (judged(one)[ENTRIES].to_numpy() for one in (frame, without_model[pair]))
        assert ours.sum() > 0
        assert (ours == theirs).all()


@pytest.mark.parametrize(
    ("do_predict", "chances"),
    [
        (0, SURE),
        (2, SURE),
        (float("nan"), SURE),
        # A window that has never seen a target has no column for it.
        (1, {"stop": 0.9, "time": 0.1}),
    ],
)
def test_what_is_no_answer_lets_nothing_pass(analyzed, do_predict, chances):
    for frame in analyzed("BubbyBotAI", "stub", freqai=Answers(do_predict, **chances)).values():
        assert not frame[ENTRIES].any(axis=None)


def test_an_answer_without_all_features_is_none(analyzed):
    """FreqAI answers such candles too, with zeros for what is not known."""
    freqai = Answers(1, **SURE)
    frames = analyzed("BubbyBotAI", "stub", freqai=freqai)
    for frame, unknown in zip(frames.values(), freqai.unknown, strict=True):
        assert unknown.any()
        assert (frame["model_expected_r"].isna() == unknown).all()


def test_an_answer_for_other_candles_is_an_error(analyzed):
    class Late(Answers):
        def start(self, dataframe, metadata, strategy):
            return super().start(dataframe.iloc[1:], metadata, strategy)

    with pytest.raises(OperationalException, match="BTC/USDT:USDT"):
        analyzed("BubbyBotAI", "stub", freqai=Late(1, **SURE))
