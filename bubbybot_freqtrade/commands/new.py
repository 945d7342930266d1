"""`bubbybot new`: a folder with everything a trader needs."""

from __future__ import annotations

import shutil
from pathlib import Path

import click
from freqtrade.configuration.directory_operations import create_userdata_dir
from freqtrade.exceptions import FreqtradeException

from bubbybot_freqtrade.commands.output import not_written, one_line
from bubbybot_freqtrade.commands.secrets import TEMPLATE, with_secrets, write_for_owner
from bubbybot_freqtrade.commands.starter import starter_files
from bubbybot_freqtrade.commands.user_config import quiet_freqtrade

ENVIRONMENT = Path(".env")
# For those who keep their folder in git.
IGNORED = """.env
*.sqlite
*.sqlite-shm
*.sqlite-wal
user_data/*
!user_data/strategies/
user_data/strategies/*.json
"""


@click.command("new", short_help="Lay out a folder with configs, strategies and .env.")
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
def new_command(folder: Path) -> None:
    """Lay out FOLDER (default: this one): configs, strategies, .env and compose file.

    Asks nothing and overwrites nothing: what is there already stays as it is.
    """
    try:
        made, kept = lay_out(folder)
    except FreqtradeException as error:
        raise click.ClickException(one_line(error)) from error
    except OSError as error:
        raise click.ClickException(not_written(Path(error.filename or folder), error)) from error
    click.echo(f"{folder.resolve()}: {_listed(made) if made else 'nothing was missing'}.")
    if kept:
        click.echo(f"Left as they were: {_listed(kept)}.")
    into = "" if folder.resolve() == Path.cwd() else f"cd {folder}, then "
    click.echo(f"Next: {into}bubbybot rehearse (no account, no network, some minutes).")
    click.echo(
        "For the demo account: your key into .env, load it, bubbybot doctor -c config.demo.json"
    )


def lay_out(folder: Path) -> tuple[list[str], list[str]]:
    """Make what is missing; the names of what was made, and of what stays as it was.

    :raises OSError: when something cannot be written.
    """
    # freqtrade's own folders; it makes none in a folder that is not there.
    (folder / "user_data").mkdir(parents=True, exist_ok=True)
    with quiet_freqtrade():
        create_userdata_dir(str(folder / "user_data"), create_dir=True)
    made, kept = [], []
    for name, source in starter_files().items():
        target = folder / name
        if target.exists():
            kept.append(name)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        made.append(name)
    for name, write in ((".gitignore", _write_ignored), (str(ENVIRONMENT), _write_environment)):
        if (folder / name).exists():
            kept.append(name)
        else:
            write(folder / name)
            made.append(name)
    return made, kept


def _write_ignored(file: Path) -> None:
    file.write_text(IGNORED, encoding="utf-8")


def _write_environment(file: Path) -> None:
    template = (file.parent / TEMPLATE).read_text(encoding="utf-8")
    write_for_owner(file, with_secrets(template)[0])


def _listed(names: list[str]) -> str:
    return ", ".join(names)
