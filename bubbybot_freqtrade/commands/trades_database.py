"""freqtrade's database, for commands that only look: nothing is written to it, not even a table.

freqtrade's own ``init_db`` creates its tables wherever it is pointed, a browser's cookies included,
and brings an older bot's up to date under the running bot. So it gets a copy.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from freqtrade.exceptions import ConfigurationError
from freqtrade.persistence import init_db
from freqtrade.persistence.base import ModelBase
from sqlalchemy import create_engine, inspect
from sqlalchemy.engine import URL

from bubbybot_freqtrade.commands.user_config import database_url, quiet_freqtrade

# In freqtrade's trades since it has futures; what a `trades` of somebody else lacks.
_COLUMNS = {"id", "exchange", "pair", "is_open", "is_short", "open_rate", "open_date", "enter_tag"}


@contextmanager
def looked_at(url: str) -> Iterator[None]:
    """freqtrade's models (`Trade` and the rest) read the trades at `url` meanwhile.

    A SQLite file is copied as it is at this moment. Another server's database is read in place.

    :raises ConfigurationError: when there is no database of freqtrade's; the message says what is
        there instead.
    :raises SQLAlchemyError: when a server does not answer.
    """
    parsed = database_url(url)
    shown = parsed.render_as_string(hide_password=True)
    if parsed.get_backend_name() != "sqlite":
        _require_trades(url, shown)
        with _models_read(url):
            yield
        return
    with TemporaryDirectory(prefix="bubbybot-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / "trades.sqlite"
        _copy(sqlite_file(parsed), copy)
        _require_trades(f"sqlite:///{copy}", shown)
        with _models_read(f"sqlite:///{copy}"):
            yield


def sqlite_file(url: URL) -> Path:
    """The file of a SQLite URL, which must be there.

    :raises ConfigurationError: when it is not.
    """
    if not url.database or url.database == ":memory:":
        raise ConfigurationError(f"{url} is in the memory of its bot: there is nothing to read.")
    file = Path(url.database)
    if file.is_dir():
        raise ConfigurationError(f"{file} is a folder, not a database.")
    if not file.exists():
        raise ConfigurationError(
            f"The database {file} does not exist (yet): no bot has traded with it. A relative path "
            "begins in the folder that the bot was started in."
        )
    return file


def _copy(file: Path, copy: Path) -> None:
    try:
        # Closed, not only committed: Windows deletes no file that is open.
        with (
            closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
            # Of a file that is damaged further in, copying says nothing.
            faults = target.execute("PRAGMA quick_check(1)").fetchone()[0]
        if faults != "ok":
            raise ConfigurationError(_damage(file, " ".join(faults.split())))
    except sqlite3.OperationalError as error:
        raise ConfigurationError(f"{file} cannot be read ({error}).") from None
    except sqlite3.DatabaseError as error:
        raise ConfigurationError(_damage(file, str(error))) from None


def _damage(file: Path, reason: str) -> str:
    if "not a database" in reason:
        return f"{file} is not a database of SQLite's."
    return f"{file} is damaged ({reason}): restore it from a copy."


def _require_trades(url: str, shown: str) -> None:
    engine = create_engine(url)
    try:
        found = inspect(engine)
        tables = found.get_table_names()
        columns = _names(found.get_columns("trades")) if "trades" in tables else set()
    finally:
        engine.dispose()
    if not tables:
        raise ConfigurationError(f"{shown} is empty: no bot has traded with it.")
    if not columns >= _COLUMNS or "orders" not in tables:
        raise ConfigurationError(f"{shown} is another program's: it has no trades of freqtrade's.")


def _names(columns: list[Any]) -> set[str]:
    return {column["name"] for column in columns}


@contextmanager
def _models_read(url: str) -> Iterator[None]:
    """Point freqtrade's models at `url`, and back to where they were."""
    models = ModelBase.__subclasses__()
    before = {model: vars(model).get("session") for model in models}
    try:
        with quiet_freqtrade():
            init_db(url)
        yield
    finally:
        for session in {vars(m).get("session") for m in models} - {None, *before.values()}:
            engine = session.get_bind()
            session.remove()
            engine.dispose()
        for model, session in before.items():
            if session is not None:
                model.session = session
