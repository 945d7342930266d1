"""Every kind of fault that others found, in short: each case once, and some on every reading.

`bubbybot drill --only outside` plays all cases on all readings.
"""

from collections.abc import Callable

import pytest
from click.testing import CliRunner

from bubbybot_freqtrade.cli import main
from bubbybot_freqtrade.drills.catalogue import drill
from bubbybot_freqtrade.drills.outside import CASES
from bubbybot_freqtrade.sandbox.readings import in_words, one_at_a_time

READINGS = list(one_at_a_time())
# A whole life: entered with stop and target, the stop moved, left.
EVERYDAY = ("a stop is moved beside its target",)


@pytest.fixture
def play(tmp_path) -> Callable[..., list[str]]:
    def play(names, **settings):
        figures = drill(
            "outside", tmp_path, cases=lambda case: any(name in case for name in names), **settings
        )
        assert figures.inputs
        return figures.broken

    return play


def test_every_kind_has_a_case():
    assert {case.kind for case in CASES} == set(range(1, 26))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind} {case.name}")
def test_no_kind_of_fault_breaks_a_law(play, case):
    assert play([f"kind {case.kind}, {case.name} [as it is]"]) == []


@pytest.mark.parametrize("reading", READINGS, ids=in_words)
def test_no_reading_of_the_venue_breaks_a_law(play, reading):
    assert play(EVERYDAY, readings=reading) == []


def test_a_reading_that_is_none_is_refused_with_those_that_are():
    result = CliRunner().invoke(main, ["drill", "--reading", "passed_trigger=explode"])
    assert result.exit_code == 2
    assert "cancel, refuse" in result.output


def test_the_command_takes_readings(tmp_path):
    options = ["--reading", "amend_tpsl=False", "--reading", "order_failure=0"]
    command = ["drill", "--only", "random-faults", "--steps", "10", "--out", str(tmp_path)]
    result = CliRunner().invoke(main, [*command, *options])
    assert result.exit_code == 0, result.output
