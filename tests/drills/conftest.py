"""Runs of single drills, small enough for every day."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bubbybot_freqtrade.drills.catalogue import drill
from bubbybot_freqtrade.drills.drill import Figures


@pytest.fixture
def run_drill(tmp_path: Path) -> Callable[..., Figures]:
    """`run_drill(name, **settings of Run)`; `words` names the cases to take."""

    def run(name: str, words: tuple[str, ...] = (), **settings: Any) -> Figures:
        def wanted(case: str) -> bool:
            return not words or any(word in case for word in words)

        return drill(name, tmp_path, cases=wanted, **settings)

    return run
