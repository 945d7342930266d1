"""How commands speak: one line where something is wrong."""

from collections.abc import Iterator
from contextlib import contextmanager

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
