"""Runs of single drills, small enough for every day, and a desk to try single things at."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bubbybot_freqtrade.drills.catalogue import drill
from bubbybot_freqtrade.drills.desk import Desk
from bubbybot_freqtrade.drills.drill import Figures


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk whose bot has started and looked once."""
    with Desk(tmp_path) as desk:
        desk.start()
        desk.loop()
        yield desk


@pytest.fixture
def run_drill(tmp_path: Path) -> Callable[..., Figures]:
    """`run_drill(name, **settings of Run)`; `words` names the cases to take."""

    def run(name: str, words: tuple[str, ...] = (), **settings: Any) -> Figures:
        def wanted(case: str) -> bool:
            return not words or any(word in case for word in words)

        return drill(name, tmp_path, cases=wanted, **settings)

    return run
