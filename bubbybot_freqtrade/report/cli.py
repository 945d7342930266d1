"""`bubbybot report`."""

from functools import cache
from pathlib import Path

import click
import pandas as pd
from freqtrade.data.history import load_pair_history
from freqtrade.enums import CandleType
from freqtrade.exceptions import FreqtradeException
from sqlalchemy.exc import SQLAlchemyError

from bubbybot_freqtrade.commands.output import one_line_for
from bubbybot_freqtrade.commands.user_config import (
    config_option,
    quiet_freqtrade,
    read_config,
    userdir_option,
)
from bubbybot_freqtrade.report.page import Candles, render
from bubbybot_freqtrade.report.trades import Source, read_backtest, read_database

REHEARSAL_DATABASE = "trades.sqlite"
UNREADABLE = (FreqtradeException, ValueError, OSError, SQLAlchemyError)
"""What reading a source can raise."""


@click.command(name="report")
@click.argument("source", required=False)
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="freqtrade data folder with the candles.  [default: the rehearsal's or the config's]",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("report.html"),
    show_default=True,
    help="The page.",
)
@click.option("--charts", default=200, show_default=True, help="Draw the newest so many trades.")
@config_option
@userdir_option
def report_command(
    source: str | None,
    data: Path | None,
    out: Path,
    charts: int,
    config_files: tuple[str, ...],
    userdir: Path | None,
) -> None:
    """Write one HTML page about what was traded.

    SOURCE is a backtest (its zip, or the folder with the newest one), a rehearsal's folder, or a
    database (its file or sqlite:// URL); without it the database of the config is taken.
    """
    with one_line_for(*UNREADABLE), quiet_freqtrade():
        read, folder = read_source(source, config_files, userdir)
        html = render(read, "BubbyBot report", _candles(data or folder, read.timeframe), charts)
    with one_line_for(OSError):
        out.write_text(html, encoding="utf-8")
    click.echo(f"{len(read.trades)} closed trades: {out.resolve().as_uri()}")


def read_source(
    source: str | None, config_files: tuple[str, ...], userdir: Path | None
) -> tuple[Source, Path | None]:
    """The trades of what a user named, and where their candles probably are.

    :raises FileNotFoundError, ValueError: when there is nothing to read at `source`.
    """
    if source is None:
        config = read_config(config_files, userdir)
        return read_database(_existing(config["db_url"])), Path(config["datadir"])
    if "://" in source:
        return read_database(_existing(source)), _data_folder(userdir)
    path = Path(source)
    if path.suffix in (".sqlite", ".db"):
        return read_database(_existing(f"sqlite:///{path}")), _data_folder(userdir)
    if (path / REHEARSAL_DATABASE).is_file():
        return read_database(f"sqlite:///{path / REHEARSAL_DATABASE}"), path / "data"
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist.")
    return read_backtest(path), _data_folder(userdir)


def _data_folder(userdir: Path | None) -> Path:
    return (userdir or Path("user_data")) / "data" / "blofin"


def _existing(url: str) -> str:
    """The URL of a database that is there: opening a missing SQLite file would create it."""
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
        raise FileNotFoundError(f"The database {url} does not exist yet: nothing was traded.")
    return url


def _candles(folder: Path | None, timeframe: str) -> Candles:
    @cache
    def candles(pair: str) -> pd.DataFrame:
        if folder is None or not folder.is_dir():
            return pd.DataFrame()
        return load_pair_history(pair, timeframe, folder, candle_type=CandleType.FUTURES)

    return candles
