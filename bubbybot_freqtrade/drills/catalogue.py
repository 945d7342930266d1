"""All drills by name, and how one is run."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bubbybot_freqtrade.commands.own_folder import claim
from bubbybot_freqtrade.drills.drill import Figures, Run, timed
from bubbybot_freqtrade.drills.kills import kills
from bubbybot_freqtrade.drills.limits import limits
from bubbybot_freqtrade.drills.lost_answers import lost_answers
from bubbybot_freqtrade.drills.orphans import orphans
from bubbybot_freqtrade.drills.outside import outside
from bubbybot_freqtrade.drills.random_faults import random_faults
from bubbybot_freqtrade.drills.refusals import refusals
from bubbybot_freqtrade.drills.sessions import sessions
from bubbybot_freqtrade.drills.streams import streams
from bubbybot_freqtrade.drills.two_bots import two_bots

DRILLS: dict[str, Callable[[Run], None]] = {
    "lost-answers": lost_answers,
    "refusals": refusals,
    "orphans": orphans,
    "streams": streams,
    "outside": outside,
    "sessions": sessions,
    "two-bots": two_bots,
    "random-faults": random_faults,
    "limits": limits,
    "kills": kills,
}


def drill(name: str, out: Path, **settings: Any) -> Figures:
    """Run one drill; what its bots leave behind stays below `out`/name.

    settings: of `Run`.
    :raises OutFolderError: when that folder holds what no drill has left.
    """
    folder = out.resolve() / name
    claim(folder)
    shutil.rmtree(folder)
    claim(folder)
    run = Run(name, folder, **settings)
    with timed(run.figures):
        DRILLS[name](run)
    run.tell_pushes()
    run.tell_bare()
    return run.figures
