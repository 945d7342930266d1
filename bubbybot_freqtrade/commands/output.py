"""How commands speak: one line where something is wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click


def one_line(error: object) -> str:
    """An error's text in one line, ending like a sentence."""
    line = " ".join(str(error).split()) or type(error).__name__
    return line if line.endswith((".", "!", "?")) else f"{line}."


@contextmanager
def one_line_for(*errors: type[Exception]) -> Iterator[None]:
    """End the command with one line where one of `errors` is raised."""
    try:
        yield
    except errors as error:
        # SQLAlchemy's own text has the statement in it, the driver's the reason.
        raise click.ClickException(one_line(getattr(error, "orig", None) or error)) from error


def write_page(file: Path, text: str) -> None:
    """Write what a command makes, as UTF-8, into a folder that is there.

    :raises click.ClickException: in one line, when it cannot be written.
    """
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(not_written(file, error)) from error


def not_written(path: Path, error: OSError) -> str:
    """Why `path` could not be written, and what to do."""
    reason = (error.strerror or str(error)).lower()
    if isinstance(error, FileNotFoundError):
        reason = f"there is no folder {path.parent}"
    return f"{path} cannot be written ({reason}): name another place."
