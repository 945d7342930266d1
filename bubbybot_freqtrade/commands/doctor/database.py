"""freqtrade's database: can it be written, and whose trades are in it?"""

import os
from collections.abc import Iterator
from pathlib import Path

from freqtrade.exceptions import ConfigurationError
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from bubbybot_freqtrade.commands.doctor.findings import Finding, note, ok, problem
from bubbybot_freqtrade.commands.output import one_line
from bubbybot_freqtrade.commands.user_config import Config, database_url


def database(config: Config) -> Iterator[Finding]:
    """Can freqtrade's database be written, and whose open trades are in it?"""
    url = config["db_url"]
    try:
        parsed = database_url(url)
    except ConfigurationError as error:
        yield problem("database", one_line(error))
        return
    shown = parsed.render_as_string(hide_password=True)
    file = parsed.database if url.startswith("sqlite") else None
    if url in ("sqlite://", "sqlite:///:memory:"):
        mend = "Set db_url to a file."
        if config["dry_run"]:
            yield note("database", "Trades are forgotten when the bot stops.", mend)
        else:
            yield problem("database", "A restart would forget open trades.", mend)
        return
    if file and (blocked := _cannot_write(Path(file))):
        yield problem("database", f"{shown}: {blocked}.", "Mend that, or name another db_url.")
        return
    if file and not Path(file).exists():
        yield ok("database", f"{shown} will be created.")
        return
    try:
        rows = open_trades_in(url)
    except ConfigurationError as error:
        yield problem("database", one_line(error), "Name another db_url.")
        return
    except SQLAlchemyError as error:
        mend = (
            "Name another db_url, or restore it from a copy."
            if file
            else "Check db_url, and that its server runs."
        )
        reason = one_line(getattr(error, "orig", None) or error)
        yield problem("database", f"{shown} cannot be read: {reason}", mend)
        return
    foreign = sorted({row[1] for row in rows} - {_name_in_trades(config["exchange"])})
    if foreign:
        yield problem(
            "database",
            f"{shown} has open trades of {', '.join(foreign)}.",
            "Give each bot a db_url of its own.",
        )
        return
    yield ok("database", f"{shown}, {len(rows)} open trades.")


def _name_in_trades(exchange: Config) -> str:
    """The exchange's name as freqtrade's ``Exchange.id`` writes it into a trade."""
    return f"{exchange['name']}_demo" if exchange.get("demo_trading") else str(exchange["name"])


def _cannot_write(file: Path) -> str:
    """Why freqtrade could not write a SQLite file; empty when it can."""
    if file.is_dir():
        return "it is a folder"
    if not file.parent.is_dir():
        return f"the folder {file.parent} does not exist"
    if not os.access(file.parent, os.W_OK):
        return f"the folder {file.parent} is not writable"
    return "the file is not writable" if file.exists() and not os.access(file, os.W_OK) else ""


def open_trades_in(url: str) -> list[tuple[str, str]]:
    """Pair and exchange of all open trades; none in a database without tables yet.

    :raises ConfigurationError: when it is another program's database.
    :raises SQLAlchemyError: when it cannot be read.
    """
    engine = create_engine(url)
    try:
        tables = inspect(engine).get_table_names()
        if "trades" not in tables:
            if tables:
                shown = engine.url.render_as_string(hide_password=True)
                raise ConfigurationError(
                    f"{shown} is another program's: it has no trades of freqtrade's."
                )
            return []
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT pair, exchange FROM trades WHERE is_open"))
            return [(row[0], row[1]) for row in rows]
    finally:
        engine.dispose()
