"""How commands speak: one line where something is wrong."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

_EXCERPT = 120


def one_line(error: object) -> str:
    """An error's text in one line, ending like a sentence."""
    # freqtrade raises its own error while it handles jsonschema's.
    causes = (error, getattr(error, "__context__", None))
    schema = next((cause for cause in causes if hasattr(cause, "validator_value")), None)
    text = str(error) if schema is None else _rule_broken(schema)
    # Our commands keep freqtrade's log to themselves: nothing stands above.
    text = text.replace("Please investigate the above error for more details.", "")
    line = " ".join(text.split()) or type(error).__name__
    return line if line.endswith((".", "!", "?")) else f"{line}."


def _rule_broken(error: Any) -> str:
    """Which setting breaks which rule of freqtrade's schema.

    jsonschema's own sentence quotes the value, which may be a key, or a whole section with one.
    """
    setting = ".".join(str(part) for part in error.absolute_path) or "The config"
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        return f"{setting} lacks {', '.join(missing)}"
    rule = json.dumps(error.validator_value, default=str)[:_EXCERPT]
    return f"{setting} is not what freqtrade takes there ({error.validator}: {rule})"


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
