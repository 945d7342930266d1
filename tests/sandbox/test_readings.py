"""The table of open questions: each has another reading, and each reading starts a sandbox."""

from decimal import Decimal

import pytest

from bubbybot_freqtrade.sandbox import SandboxSettings
from bubbybot_freqtrade.sandbox.readings import (
    QUESTIONS,
    in_words,
    one_at_a_time,
    parse_reading,
    random_pairs,
)


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_is_a_setting_with_its_readings_and_a_sentence(name):
    question = QUESTIONS[name]
    assert len(set(question.readings)) >= 2
    assert question.readings[0] == question.default == getattr(SandboxSettings(), name)
    assert question.sentence.endswith(".")
    for reading in question.readings:
        assert getattr(SandboxSettings(**{name: reading}), name) == reading
        assert parse_reading(f"{name}={reading}") == (name, reading)


def test_every_other_reading_comes_once():
    settings = list(one_at_a_time())
    assert all(len(setting) == 1 for setting in settings)
    assert len(settings) == sum(len(question.readings) - 1 for question in QUESTIONS.values())


def test_random_pairs_are_two_other_readings_and_repeat_with_their_seed():
    pairs = list(random_pairs(3, 40))
    assert pairs == list(random_pairs(3, 40)) != list(random_pairs(4, 40))
    for pair in pairs:
        assert len(pair) == 2
        assert all(value in QUESTIONS[name].others for name, value in pair.items())


def test_a_measure_may_be_what_was_measured():
    assert parse_reading("tpsl_delay_ms=350") == ("tpsl_delay_ms", 350)
    measured = "positions,orders-algo,account,orders"
    assert parse_reading(f"push_order={measured}") == ("push_order", measured)
    assert parse_reading("stop_fill_share=0.7") == ("stop_fill_share", Decimal("0.7"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("weather=bad", "amend_tpsl"),
        ("passed_trigger=explode", "cancel, refuse"),
        ("passed_trigger", "cancel, refuse"),
        ("tpsl_delay_ms=-1", "0, 2000"),
        ("stop_fill_share=2", "0.4"),
        ("push_delay_ms=-1", "0, 2000"),
        ("list_delay_ms=-1", "0, 2000"),
        ("push_before_answer=later", "False, True"),
        ("push_order=orders", "orders,orders-algo,positions,account in the order"),
        ("push_order=orders,orders,positions,account", "any"),
    ],
)
def test_what_is_no_reading_is_refused_with_those_that_are(text, said):
    with pytest.raises(ValueError, match=said):
        parse_reading(text)


def test_readings_are_written_as_they_are_read():
    text = in_words({"amend_tpsl": False, "tpsl_delay_ms": 2000})
    assert [parse_reading(part) for part in text.split(", ")] == [
        ("amend_tpsl", False),
        ("tpsl_delay_ms", 2000),
    ]
