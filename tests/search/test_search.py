"""The same answer wherever the backtests run and after a kill; chosen on the past alone."""

import json
from dataclasses import replace

import optuna
import pandas as pd
import pytest

from bubbybot_freqtrade.search.backends import runner
from bubbybot_freqtrade.search.study import PAIR, Search, StudyError
from bubbybot_freqtrade.search.trial import run as backtest
from tests.lively import SHORT_WINDOW
from tests.search.conftest import PAIRS

SETTINGS = {"confluence": SHORT_WINDOW, "risk": {"max_same_side": 3}, "exits": {"max_hours": 1.0}}


def here(tasks):
    """One after the other, in this process."""
    return [backtest(task) for task in tasks]


def searched(plan, folder, run=here, **changes):
    return list(Search(replace(plan, **changes), folder / "study.sqlite", run).parts())


def assert_same(parts, others):
    assert len(parts) == len(others)
    for one, other in zip(parts, others, strict=True):
        assert (one.start, one.end, one.chosen, one.value) == (
            other.start,
            other.end,
            other.chosen,
            other.value,
        )
        assert one.sharpes == other.sharpes
        pd.testing.assert_frame_equal(one.trades, other.trades)


def shorter(plan, found):
    """The plan up to the end of its first part."""
    return replace(plan, end=found[0][0].end, parts=1)


@pytest.fixture(scope="module")
def found(plan, tmp_path_factory):
    """The plan's answer, and the file it is kept in."""
    folder = tmp_path_factory.mktemp("found")
    return searched(plan, folder), folder / "study.sqlite"


def trials_of(file, part=1):
    return optuna.load_study(storage=f"sqlite:///{file}", study_name=f"part {part}").get_trials(
        deepcopy=False
    )


def test_two_workers_of_a_dask_cluster_give_the_same_answer(plan, found, tmp_path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=2, processes=True, dashboard_address=None
        ) as cluster,
        runner("dask", scheduler=cluster.scheduler_address) as run,
    ):
        assert_same(searched(shorter(plan, found), tmp_path, run), found[0][:1])
        with distributed.Client(cluster) as client:
            done = client.run(
                lambda: len(__import__("sys").modules["bubbybot_freqtrade.search.trial"]._ranges)
            )
    # Both of them have worked.
    assert len(done) == 2
    assert all(done.values())


def test_parts_follow_each_other_and_each_past_ends_where_its_part_begins(plan, found):
    parts, file = found
    assert parts[0].end == parts[1].start
    assert parts[-1].end == plan.end
    for part in parts:
        opened = pd.to_datetime(part.trades["open_date"])
        assert opened.between(part.start, part.end).all()
    assert all(part.trials == plan.trials for part in parts)
    assert [trial.number for trial in trials_of(file)] == list(range(plan.trials))


def test_the_first_trial_is_what_the_config_says(plan, found):
    _, file = found
    first = trials_of(file)[0].params
    assert first["min_confidence"] == 0.7
    assert first["break_even_at"] == 0.0
    assert set(first) == set(Search(plan, file, here).space.distributions)


def test_the_best_on_the_past_is_chosen(found):
    parts, file = found
    for number, part in enumerate(parts, start=1):
        done = [trial for trial in trials_of(file, number) if trial.value is not None]
        assert part.value == max(trial.value for trial in done)
        best = next(trial for trial in done if trial.value == part.value)
        assert part.chosen == pytest.approx(best.params)


def test_the_judged_trades_are_those_of_freqtrades_own_backtest(desk, found):
    part = found[0][0]
    timerange = f"{part.start:%Y%m%d}-{part.end:%Y%m%d}"
    theirs = desk.run(timerange, SETTINGS).trades
    columns = ["pair", "is_short", "open_date", "close_date", "profit_abs"]
    assert len(theirs) > 0
    pd.testing.assert_frame_equal(part.default_trades[columns], theirs[columns])


class Killed(BaseException):
    """What no code catches."""


def test_a_search_that_was_cut_short_goes_on_to_the_same_answer(plan, found, tmp_path):
    calls = []

    def dies(tasks):
        calls.append(tasks)
        if len(calls) > 1:
            raise Killed
        return here(tasks)

    with pytest.raises(Killed):
        searched(plan, tmp_path, dies)
    # As a kill between two writes leaves it: a trial without its parameters.
    study = optuna.load_study(storage=f"sqlite:///{tmp_path / 'study.sqlite'}", study_name="part 1")
    study.ask()
    again = []

    def counts(tasks):
        again.extend(tasks)
        return here(tasks)

    assert_same(searched(plan, tmp_path, counts), found[0])
    everything = plan.parts * (plan.trials + 2)
    assert len(again) < everything


def test_a_finished_search_backtests_no_trial_again(plan, found):
    parts, file = found
    tasks = []

    def counts(asked):
        tasks.extend(asked)
        return here(asked)

    assert_same(list(Search(plan, file, counts).parts()), parts)
    assert len(tasks) == 2 * plan.parts


def test_other_options_need_another_study(plan, found):
    with pytest.raises(StudyError, match="--study"):
        list(Search(replace(plan, seed=2), found[1], here).parts())


def test_later_candles_do_not_change_what_an_earlier_past_chose(plan, found, tmp_path):
    """A part's trials see its past alone: another end of the search leaves them as they were."""
    assert_same(searched(shorter(plan, found), tmp_path), found[0][:1])


def test_pairs_can_be_searched_too(plan, tmp_path):
    (part,) = searched(plan, tmp_path, parts=1, trials=2, over_pairs=True)
    assert {name for name in part.chosen if name.startswith(PAIR)} == {PAIR + p for p in PAIRS}
    traded = {pair for pair in PAIRS if part.chosen[PAIR + pair]}
    assert set(part.trades["pair"]) <= traded


def test_no_key_and_no_service_travels_with_a_task(plan):
    told = json.dumps(plan.config, default=str)
    assert "secret" not in told
    assert "telegram" not in plan.config


def test_a_range_that_holds_no_past_is_refused(plan):
    with pytest.raises(StudyError, match="--past-days"):
        replace(plan, past_days=18)


@pytest.mark.parametrize(
    ("backend", "given", "told"),
    [("dask", None, "--scheduler"), ("ray", "auto", "pip install ray")],
)
def test_a_cluster_needs_its_address_and_its_package(backend, given, told):
    if backend == "ray" and __import__("importlib").util.find_spec("ray"):
        pytest.skip("Ray is installed here")
    with pytest.raises(StudyError, match=told), runner(backend, scheduler=given):
        pass
