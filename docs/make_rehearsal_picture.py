"""Draws docs/rehearsal.svg, from the project's folder: the README's picture is `make rehearse`."""

import sys
from pathlib import Path

from rich.console import Console

from bubbybot_freqtrade.rehearsal import cli
from bubbybot_freqtrade.rehearsal.settings import RehearsalSettings

DOCS = Path(__file__).parent


def main() -> int:
    """Rehearse as `make rehearse` does and save what it printed."""
    # The moving bar goes to the terminal alone: a picture would show its first frames.
    progress = cli._progress
    cli._progress = lambda _: progress(Console(stderr=True))
    console = Console(record=True, width=100, force_terminal=True)
    code = cli.run(RehearsalSettings(), console)
    console.save_svg(str(DOCS / "rehearsal.svg"), title="make rehearse")
    return code


if __name__ == "__main__":
    sys.exit(main())
