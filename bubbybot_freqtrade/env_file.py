"""`bubbybot secrets`: the `.env` file, its API server's passwords chosen by nobody."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

import click

TEMPLATE = Path(".env.example")
SERVER = "FREQTRADE__API_SERVER__"
GENERATED = (f"{SERVER}PASSWORD", f"{SERVER}JWT_SECRET_KEY", f"{SERVER}WS_TOKEN")
OWNER_ONLY = 0o600
# What freqtrade wants beside them, for folders without a template.
BESIDE = {
    f"{SERVER}ENABLED": "false",
    f"{SERVER}LISTEN_IP_ADDRESS": "127.0.0.1",
    f"{SERVER}LISTEN_PORT": "8080",
    f"{SERVER}USERNAME": "owner",
}

# A line as shells and docker's env_file read it: NAME=value, maybe exported, maybe quoted.
_SETTING = re.compile(
    r"""(?P<before>\s*(?:export\s+)?)(?P<name>\w+)=(?P<quote>['"]?)(?P<value>.*?)(?P=quote)\s*$"""
)


@click.command("secrets")
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
    the file already is kept, keys of BloFin and Telegram included. The server stays off until
    FREQTRADE__API_SERVER__ENABLED is true.
    """
    is_new = not file.exists()
    source = TEMPLATE if is_new and TEMPLATE.exists() else file
    before = source.read_text(encoding="utf-8") if source.exists() else ""
    text, made = with_secrets(before, renew=renew)
    write_for_owner(file, text)
    names = ", ".join(made) if made else "nothing, all of them were there"
    click.echo(
        f"{file}{' (new)' if is_new else ''}, for your eyes only (0600). Generated: {names}."
    )
    click.echo("A running bot has the old ones until the file is loaded again and it is restarted.")


def with_secrets(text: str, *, renew: bool = False) -> tuple[str, list[str]]:
    """`text` of an env file with the server's settings filled in, and the names of new secrets."""
    lines = text.splitlines()
    given = {found["name"]: found["value"] for line in lines if (found := _SETTING.match(line))}
    wanted = {name: value for name, value in BESIDE.items() if not given.get(name)}
    made = [name for name in GENERATED if renew or not given.get(name)]
    wanted |= {name: secrets.token_urlsafe(32) for name in made}
    filled = []
    for line in lines:
        found = _SETTING.match(line)
        if found and found["name"] in wanted:
            line = f"{found['before']}{found['name']}={wanted.pop(found['name'])}"
        filled.append(line)
    missing = [f"{name}={value}" for name, value in wanted.items()]
    if missing:
        filled += ["", "# freqtrade's REST API and FreqUI", *missing]
    return "\n".join(filled).lstrip("\n") + "\n", made


def write_for_owner(file: Path, text: str) -> None:
    """Write `file` so that at no moment somebody else could read it, or find half of it."""
    file = file.resolve()
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "w") as sink:
        sink.write(text)
    draft.replace(file)
