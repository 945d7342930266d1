"""Folders that a command fills and empties again: never one that holds somebody else's files."""

from pathlib import Path

MARKER = ".made-by-bubbybot"


class OutFolderError(ValueError):
    """A folder that cannot be made, or has somebody else's files; the message names the option."""


def claim(folder: Path) -> None:
    """Make `folder` and mark it, so that a later run may empty it.

    :raises OutFolderError: when it is there, not empty, and has no mark, or cannot be written.
    """
    marker = folder / MARKER
    try:
        if folder.exists() and not marker.exists() and any(folder.iterdir()):
            raise OutFolderError(
                f"{folder} holds files that this command did not make and would delete: name a new "
                "folder with --out, or empty this one."
            )
        folder.mkdir(parents=True, exist_ok=True)
        marker.touch()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutFolderError(
            f"{folder} cannot be written ({reason}): name another folder with --out."
        ) from error
