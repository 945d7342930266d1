"""A table on a terminal of 80 columns is whole: a number that is cut is another number."""

import io

import pytest
from rich.console import Console

from bubbybot_freqtrade.drills.drill import Figures
from bubbybot_freqtrade.drills.report import show

WIDTHS = [80, 100, 200]


def printed(width: int, print_it) -> str:
    text = io.StringIO()
    print_it(Console(file=text, width=width))
    shown = text.getvalue()
    assert "…" not in shown, shown
    assert max(map(len, shown.splitlines())) <= width
    return shown


@pytest.mark.parametrize("width", WIDTHS)
def test_the_drills_table(width):
    drills = [
        Figures(name, requests=1_234_567, faults=123_456, kills=12_345, inputs=123_456,
                bare=123, duplicates=12, orphans=1, secrets=1, seconds=12_345.0,
                broken=["a law"] * 12)
        for name in ("random-faults", "lost-answers")
    ]  # fmt: skip
    shown = printed(width, lambda console: show(console, drills))
    assert "12 broken" in shown
    if width == 200:
        assert "1,234,567" in shown
