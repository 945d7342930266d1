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
# Broken when the drill was made; each goes from here as it is mended.
NOT_YET = {
    (9, "the lot grows under a trade"),
    (9, "the largest order shrinks under a trade"),
    (10, "leverage of large contracts"),
    (11, "a position larger than a market order"),
    (24, "one lot filled and no more"),
    (13, "an entry is replaced"),
    (16, "stops on the mark price"),
    (23, "entry and stop both filled between two loops"),
    (5, "an account in Multi-Position mode"),
    (5, "a cross position beside an isolated bot"),
    (6, "the owner sells all with an ordinary order"),
    (6, "the owner sells a part with an ordinary order"),
    (6, "the owner turns the position round"),
    (7, "the owner adds without a stop"),
    (14, "the owner's short beside the bot's long in hedge mode"),
    (22, "a database older than the account"),
    (18, "an empty list of positions"),
    (18, "positions eight seconds behind"),
}
READINGS_NOT_YET = {"tpsl_delay_ms", "tpsl_detail"}


@pytest.fixture
def play(tmp_path) -> Callable[..., list[str]]:
    def play(names, **settings):
        figures = drill(
            "outside", tmp_path, cases=lambda case: any(name in case for name in names), **settings
        )
        assert figures.inputs
        return figures.broken

    return play


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if (case.kind, case.name) not in NOT_YET],
    ids=lambda case: f"{case.kind} {case.name}",
)
def test_no_kind_of_fault_breaks_a_law(play, case):
    assert play([f"kind {case.kind}, {case.name} [as it is]"]) == []


@pytest.mark.parametrize(
    "reading",
    [reading for reading in READINGS if not set(reading) & READINGS_NOT_YET],
    ids=in_words,
)
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
