"""Keeping the venue's state in a file, so that a sandbox can be stopped and started again."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bubbybot_freqtrade.sandbox.venue.core import VenueState

_ADAPTER = TypeAdapter(VenueState)


class StateFileError(ValueError):
    """A state file that cannot be read; the message names it."""


def load_state(path: Path) -> VenueState | None:
    """The saved state, or None when there is no file yet."""
    try:
        if path.is_symlink():
            raise StateFileError(f"{path}: is a link; name the file itself, or another one")
        if path.exists() and not path.is_file():
            raise StateFileError(f"{path}: is no file; name another --state")
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StateFileError(f"{path}: cannot be used ({reason}); name another --state") from error
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError as error:
        raise StateFileError(
            f"{path}: not a state file of this version of the sandbox; name another --state"
        ) from error


def dump_state(state: VenueState) -> bytes:
    """The state as JSON; decimals as text, so that nothing is rounded."""
    return _ADAPTER.dump_json(state)


def write_state(path: Path, content: bytes) -> None:
    """Replace the file in one step: a reader sees the old state or the new one, never half.

    A link in its place, or in that of the part, is replaced and not followed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    # Made unreadable for others from its first byte on: it tells what the account holds.
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
