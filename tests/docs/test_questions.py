"""docs/sandbox.md lists every open question as the sandbox has it."""

import pytest

from bubbybot_freqtrade.sandbox.readings import QUESTIONS
from tests.places import ROOT

PAGE = ROOT / "docs" / "sandbox.md"


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=lambda question: question.name)
def test_every_question_stands_in_the_docs(question):
    readings = ", ".join(f"`{reading}`" for reading in question.readings)
    row = f"| `{question.name}` | {readings} | {question.sentence} |"
    assert row in PAGE.read_text(encoding="utf-8").splitlines()
