"""What a user names as SOURCE: a backtest, a rehearsal, a database, or the config's own."""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

from freqtrade.constants import LAST_BT_RESULT_FN
from freqtrade.exceptions import ConfigurationError, FreqtradeException
from sqlalchemy.exc import SQLAlchemyError

from bubbybot_freqtrade.commands.candle_folder import candle_folder
from bubbybot_freqtrade.commands.user_config import read_config
from bubbybot_freqtrade.learning.results import Source, read_backtest
from bubbybot_freqtrade.report.trades import read_database

REHEARSAL_DATABASE = "trades.sqlite"
UNREADABLE = (FreqtradeException, ValueError, OSError, SQLAlchemyError)
"""What reading a source can raise."""

_SQLITE = b"SQLite format 3\0"
_DATABASE_NAMES = (".sqlite", ".sqlite3", ".db")


def read_source(
    source: str | None, config_files: Sequence[str], userdir: Path | None
) -> tuple[Source, Path | None]:
    """The trades of what a user named, and where their candles probably are.

    :raises ConfigurationError: when there is nothing to read at `source`; the message says what is
        there instead.
    :raises SQLAlchemyError: when a database's server does not answer.
    """
    if source is None:
        config = read_config(config_files, userdir)
        return read_database(config["db_url"]), Path(config["datadir"])
    if "://" in source:
        return read_database(source), _data_folder(userdir)
    path = Path(source)
    if not path.exists():
        raise ConfigurationError(f"{path} does not exist.")
    if path.is_dir():
        return _read_folder(path, userdir)
    if path.suffix in _DATABASE_NAMES or _begins_with(path, _SQLITE):
        return read_database(f"sqlite:///{path}"), _data_folder(userdir)
    return _read_result(path), _data_folder(userdir)


def _data_folder(userdir: Path | None) -> Path:
    return (userdir or Path("user_data")) / "data" / "blofin"


def _begins_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


def _read_folder(folder: Path, userdir: Path | None) -> tuple[Source, Path | None]:
    if (folder / REHEARSAL_DATABASE).is_file():
        return read_database(f"sqlite:///{folder / REHEARSAL_DATABASE}"), candle_folder(folder)
    if not (folder / LAST_BT_RESULT_FN).is_file():
        raise ConfigurationError(
            f"{folder} holds neither a rehearsal nor a backtest's result: freqtrade backtesting "
            "writes them into user_data/backtest_results."
        )
    try:
        newest = folder / json.loads((folder / LAST_BT_RESULT_FN).read_text())["latest_backtest"]
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(
            f"{folder / LAST_BT_RESULT_FN} does not say which backtest is the newest: name its zip."
        ) from None
    if not newest.is_file():
        raise ConfigurationError(f"{newest}, the newest backtest of {folder}, does not exist.")
    return _read_result(newest), _data_folder(userdir)


def _read_result(file: Path) -> Source:
    """A backtest's zip, or the json out of it."""
    _require_result(file)
    try:
        return read_backtest(file)
    except (KeyError, TypeError, AttributeError) as error:
        # Of another program, or of a freqtrade that wrote other columns.
        raise ConfigurationError(
            f"{file} is no result that this freqtrade's backtesting writes ({error!r})."
        ) from error


def _require_result(file: Path) -> None:
    neither = ConfigurationError(
        f"{file} is no backtest's result (its zip) and no database of freqtrade's."
    )
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
        if file.with_suffix(".json").name in names:
            return
        if renamed := [name for name in names if name.startswith("backtest-result")]:
            # freqtrade looks for the file of the zip's own name in it.
            own = min(renamed, key=len).removesuffix(".json")
            raise ConfigurationError(f"{file} was renamed: call it {own}.zip again.")
        raise neither
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        raise neither from None
    if not isinstance(content, dict):
        raise neither
    if not isinstance(content.get("strategy"), dict):
        is_config = content.keys() & {"exchange", "strategy", "add_config_files"}
        raise ConfigurationError(f"{file} is a config: name it with -c.") if is_config else neither
