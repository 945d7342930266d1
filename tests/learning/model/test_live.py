"""FreqAI trains, answers and trains again while freqtrade trades live on the sandbox."""

import gc
import json

import pandas as pd
import pytest

from bubbybot_freqtrade.rehearsal import run
from bubbybot_freqtrade.rehearsal.rules import PLAN_RULES, RULES, violations
from bubbybot_freqtrade.rehearsal.settings import RehearsalSettings
from tests.learning.model.conftest import small_freqai
from tests.lively import NEAR, SHORT_WINDOW
from tests.places import ROOT

PAIR = "BTC/USDT:USDT"


class Watched(run._Run):
    """A rehearsal's bot whose frames are kept, and which is restarted once it has a model."""

    frames: list[pd.DataFrame]
    restarted_at: int

    def _loop(self, state):
        state = super()._loop(state)
        frame, _ = self.bot.dataprovider.get_analyzed_dataframe(PAIR, "15m")
        if not self.frames or frame["date"].iat[-1] > self.frames[-1]["date"].iat[-1]:
            self.frames.append(frame)
        if not self.restarted_at and answered(frame).sum() >= 3:
            type(self).restarted_at = len(self.frames)
            throttle, sleep = self.worker._throttle_secs, self.worker._sleep
            # /reload_config: all of the bot is built anew, FreqAI from its folder.
            self.worker._reconfigure()
            self.worker._throttle_secs, self.worker._sleep = throttle, sleep
            self.bot = self.worker.freqtrade
            state = None
        return state


def answered(frame):
    """Rows of which the model has said something."""
    return frame["model_target"].notna()


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory):
    out = tmp_path_factory.mktemp("rehearsal")
    config = small_freqai("live") | {
        "bubbybot": {
            "confluence": SHORT_WINDOW,
            "risk": NEAR,
            "model": {"min_expected_r": -1.0, "candidate_confidence": 0.0},
        },
        "exchange": {"name": "blofin"},
    }
    config["freqai"]["live_retrain_hours"] = 1
    given = tmp_path_factory.mktemp("config") / "given.json"
    given.write_text(json.dumps(config))
    settings = RehearsalSettings(
        pairs=(PAIR,),
        days=0.4,
        seed=7,
        strategy="BubbyBotAI",
        strategy_path=ROOT / "user_data/strategies",
        config=given,
        out=out,
    )
    gc.collect()
    watched = type("Watched", (Watched,), {"frames": [], "restarted_at": 0})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "_Run", watched)
        result = run.rehearse(settings)
    return result, watched, out


def test_no_rule_is_broken(rehearsed):
    result, _, _ = rehearsed
    assert violations(result.evidence, RULES + PLAN_RULES) == []


def test_before_the_first_training_nothing_is_entered(rehearsed):
    _, watched, _ = rehearsed
    first = watched.frames[0]
    assert not answered(first).any()
    assert not first[["enter_long", "enter_short"]].any(axis=None)


def test_it_answers_for_new_candles_and_trains_again(rehearsed):
    _, watched, out = rehearsed
    assert watched.restarted_at
    last = watched.frames[-1]
    assert answered(last).sum() >= 3
    log = (out / "freqtrade.log").read_text()
    assert log.count("Done training") >= 2
    models = list((out / "models" / "live").glob("sub-train-*"))
    # The older ones were purged, as the config asks.
    assert 1 <= len(models) <= 2


def test_a_restart_keeps_what_was_answered(rehearsed):
    _, watched, _ = rehearsed
    before = watched.frames[watched.restarted_at - 1].set_index("date")
    after = watched.frames[-1].set_index("date")
    known = before.index[answered(before)]
    columns = ["model_target", "model_stop", "model_time"]
    pd.testing.assert_frame_equal(before.loc[known, columns], after.loc[known, columns])
    assert answered(after)[known.max() :].sum() > 1
