"""`bubbybot secrets`: the `.env` file, its API server's passwords chosen by nobody."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

import click

from bubbybot_freqtrade.commands.output import not_written

TEMPLATE = Path(".env.example")
SERVER = "FREQTRADE__API_SERVER__"
GENERATED = (f"{SERVER}PASSWORD", f"{SERVER}JWT_SECRET_KEY", f"{SERVER}WS_TOKEN")
OWNER_ONLY = 0o600
# What freqtrade wants beside them, for folders without a template.
BESIDE = {
    f"{SERVER}ENABLED": "true",
    f"{SERVER}LISTEN_IP_ADDRESS": "127.0.0.1",
    f"{SERVER}LISTEN_PORT": "8080",
    f"{SERVER}USERNAME": "owner",
}

# A line as shells and docker's env_file read it: NAME=value, maybe exported, maybe quoted, maybe
# out of use behind a #. Docker takes NAME = value too, which a shell does not: it is put right.
_SETTING = re.compile(
    r"""
    (?P<before>\s*(?P<unused>\#\s*)?(?:export\s+)?)(?P<name>\w+)=
    (?:(?P<quote>['"])(?P<quoted>.*?)(?P=quote)|(?P<plain>[^'"]*?))
    (?P<after>\s+\#.*|\s*)
    """,
    re.VERBOSE,
)

_SPACED = re.compile(r"^(\s*(?:export\s+)?\w+)(?:[ \t]+=(?:[ \t]*(?![ \t#]))?|=[ \t]+(?![ \t#]))")


@click.command("secrets", short_help="Generate freqtrade's API secrets into .env.")
@click.option(
    "--file",
    default=".env",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Made from .env.example when it isn't there.",
)
@click.option("--renew", is_flag=True, help="Replace passwords that are there already.")
def secrets_command(file: Path, renew: bool) -> None:
    """Generate the secrets of freqtrade's API server into .env, readable by you alone.

    Password, JWT secret and websocket token are long and random, and never printed. What stands in
    the file already is kept, keys of BloFin and Telegram included. Lines behind a # are not in use:
    the server stays as the config has it until you take theirs away.
    """
    try:
        is_new = not file.exists()
        source = TEMPLATE if is_new and TEMPLATE.exists() else file
        if not is_new and not file.is_file():
            raise click.ClickException(f"{file} is no file (a device, a pipe): name another place.")
        # Windows' editors put a byte order mark first.
        before = source.read_text(encoding="utf-8-sig") if source.exists() else ""
        text, made = with_secrets(before, renew=renew)
        write_for_owner(file, text)
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{source} is no .env file: it is not UTF-8.") from error
    except OSError as error:
        raise click.ClickException(not_written(file, error)) from error
    names = ", ".join(made) if made else "nothing, all of them were there"
    click.echo(
        f"{file}{' (new)' if is_new else ''}, for your eyes only (0600). Generated: {names}."
    )
    if not is_new and made:
        click.echo(
            "A running bot has the old ones until the file is loaded again and it is restarted."
        )


def with_secrets(text: str, *, renew: bool = False) -> tuple[str, list[str]]:
    """`text` of an env file with the server's settings filled in, and the names of new secrets."""
    # Python ends lines at form feeds too, and so would put what follows one in a comment to use.
    rows = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))
    lines = [_SPACED.sub(r"\1=", line) for line in (rows if rows[-1] else rows[:-1])]
    given = _settings(lines)
    wanted = {name: value for name, value in BESIDE.items() if _is_empty(given.get(name))}
    made = [name for name in GENERATED if renew or _is_empty(given.get(name))]
    wanted |= {name: secrets.token_urlsafe(32) for name in made}
    for name in wanted.keys() & given.keys():
        row, found = given[name]
        lines[row] = f"{found['before']}{name}={wanted.pop(name)}{found['after']}"
    if wanted:
        # Out of use: in the environment they would win over the config files.
        title = "# freqtrade's REST API and FreqUI: take the # in front of these away to turn it on"
        lines += ["", title, *(f"#{name}={value}" for name, value in wanted.items())]
    return "\n".join(lines).lstrip("\n") + "\n", made


def _settings(lines: list[str]) -> dict[str, tuple[int, re.Match[str]]]:
    """By name, the line that counts: the last one in use, else the first behind a #."""
    given: dict[str, tuple[int, re.Match[str]]] = {}
    for row, line in enumerate(lines):
        found = _SETTING.fullmatch(line)
        if found and (not found["unused"] or found["name"] not in given):
            given[found["name"]] = row, found
    return given


def _is_empty(setting: tuple[int, re.Match[str]] | None) -> bool:
    return setting is None or not (setting[1]["quoted"] or setting[1]["plain"])


def write_for_owner(file: Path, text: str) -> None:
    """Write `file` so that at no moment somebody else could read it, or find half of it."""
    file = file.resolve()
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    try:
        # As it was read, whatever this machine's language is.
        with os.fdopen(descriptor, "w", encoding="utf-8") as sink:
            sink.write(text)
        draft.replace(file)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
