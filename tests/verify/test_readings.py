"""Every reading of every open question: found where it is, and claimed nowhere else."""

from collections.abc import Callable
from typing import Any

import pytest

from bubbybot_freqtrade.sandbox import DEMO_UID
from bubbybot_freqtrade.sandbox.readings import QUESTIONS, in_words, one_at_a_time, random_pairs
from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.probe import Verdict
from bubbybot_freqtrade.verify.probes import NOT_SEEN_BY_A_PROGRAM, PROBES
from bubbybot_freqtrade.verify.profile import readings
from bubbybot_freqtrade.verify.run import Result, run

# All probes for each of some forty venues, minutes in all: that much time lets it begin early.
pytestmark = [pytest.mark.usefixtures("few_samples"), pytest.mark.timeout(400)]

PAIRS_TRIED, SEED = 5, 14


def test_every_question_has_a_probe_or_a_reason_why_not() -> None:
    asked = {probe.setting for probe in PROBES.values()} - {""}
    assert asked | set(NOT_SEEN_BY_A_PROGRAM) == set(QUESTIONS)
    assert not asked & set(NOT_SEEN_BY_A_PROGRAM)


def results_of(desk: Desk) -> list[Result]:
    results = run(desk, list(PROBES.values())).results
    assert desk.clock.sandbox.engine.account(DEMO_UID).is_flat
    return results


def seen(case: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in case.items() if name not in NOT_SEEN_BY_A_PROGRAM}


def claimed(results: list[Result]) -> dict[str, Any]:
    found = readings(results)
    return {name: value for name, value in found.items() if value != QUESTIONS[name].default}


def is_different(result: Result) -> bool:
    return result.verdict in (Verdict.COPES, Verdict.DANGER)


def check(case: dict[str, Any], results: list[Result]) -> None:
    """What is different is what was made different, nothing else."""
    different = [(r.probe.name, r.probe.setting, r.measured) for r in results if is_different(r)]
    assert {setting for _, setting, _ in different} == set(seen(case)), different
    assert claimed(results) == seen(case)


@pytest.mark.parametrize("case", list(one_at_a_time()), ids=in_words)
def test_each_reading_is_found_and_no_other_is_claimed(
    open_verify: Callable[..., Desk], case: dict[str, Any]
) -> None:
    check(case, results_of(open_verify(**case)))


# What cannot be asked when something else is as it is then.
HIDDEN = {
    "amend_unnamed_leg": {"amend_tpsl": False},
    # What comes two seconds late comes after every answer.
    "push_before_answer": {"push_delay_ms": 2000},
}


def is_hidden(name: str, case: dict[str, Any]) -> bool:
    return any(case.get(other) == value for other, value in HIDDEN.get(name, {}).items())


@pytest.mark.parametrize("case", list(random_pairs(SEED, PAIRS_TRIED)), ids=in_words)
def test_two_readings_are_found_together(
    open_verify: Callable[..., Desk], case: dict[str, Any]
) -> None:
    visible = {name: value for name, value in case.items() if not is_hidden(name, case)}
    check(visible, results_of(open_verify(**case)))
