"""Folders that a command fills and empties again: never one that holds somebody else's files."""

from pathlib import Path

MARKER = ".made-by-bubbybot"


class ForeignFolderError(ValueError):
    """A folder with files in it that no earlier run has made; the message names the option."""


def claim(folder: Path) -> None:
    """Make `folder` and mark it, so that a later run may empty it.

    :raises ForeignFolderError: when it is there, not empty, and has no mark.
    """
    marker = folder / MARKER
    if folder.exists() and not marker.exists() and any(folder.iterdir()):
        raise ForeignFolderError(
            f"{folder} holds files that this command did not make and would delete: name a new "
            "folder with --out, or empty this one."
        )
    folder.mkdir(parents=True, exist_ok=True)
    marker.touch()
