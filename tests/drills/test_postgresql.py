"""The short drills with freqtrade's database in a real PostgreSQL, as larger owners keep it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from bubbybot_freqtrade.drills.catalogue import drill

DEBIAN = Path("/usr/lib/postgresql")


def binaries() -> Path | None:
    """Where the server's programs are; Debian keeps them off the PATH."""
    found = shutil.which("initdb")
    if found and Path(found).resolve().with_name("postgres").exists():
        return Path(found).resolve().parent
    versions = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    return versions[-1].parent if versions else None


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Address of a server that lives as long as the tests of this file; on a socket, no port."""
    psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed (extra postgres)")
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    # It refuses to run as root.
    user = "postgres" if os.getuid() == 0 else None
    # Not pytest's folder, which nobody else may enter and whose path is too long for a socket.
    folder = Path(tempfile.mkdtemp(prefix="bubbybot-pg-"))
    if user:
        shutil.chown(folder, user)

    def run(program: str, *options: str) -> None:
        command = [programs / program, "-D", folder / "data", *options]
        subprocess.run(command, user=user, check=True, capture_output=True, cwd=folder, timeout=120)

    try:
        run("initdb", "--username=drill", "--auth=trust", "--no-sync", "--encoding=UTF8")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        run("pg_ctl", "start", "--wait", "-o", options, "-l", str(folder / "log"))
        try:
            with psycopg.connect(host=str(folder), user="drill", dbname="postgres"):
                yield str(folder)
        finally:
            run("pg_ctl", "stop", "--mode=immediate", "--wait")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def new_database(server: str) -> Callable[[], str]:
    psycopg = pytest.importorskip("psycopg")
    numbers = count(1)

    def create() -> str:
        name = f"drill_{next(numbers)}"
        with psycopg.connect(
            host=server, user="drill", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://drill@/{name}?host={server}"

    return create


@pytest.mark.parametrize(
    ("name", "words", "settings"),
    [
        ("lost-answers", ("/ reset", "/ outage"), {}),
        ("refusals", ("owner", "partial"), {}),
        ("orphans", (), {}),
        ("outside", ("exits in parts [as it", "additions [as it", "filled in part [as it"), {}),
        ("random-faults", (), {"steps": 30}),
        ("kills", (), {"kills": 2}),
        ("streams", ("nothing is wrong", "a candle is missing"), {}),
        ("limits", (), {"minutes": 2, "pairs": 8}),
    ],
)
def test_short_drills_hold_on_postgresql(tmp_path, new_database, name, words, settings):
    figures = drill(
        name,
        tmp_path,
        cases=lambda case: not words or any(word in case for word in words),
        new_database=new_database,
        **settings,
    )
    assert figures.broken == []
    assert figures.requests > 0
    # Nothing fell back to a file.
    assert list(tmp_path.rglob("*.sqlite")) == []
