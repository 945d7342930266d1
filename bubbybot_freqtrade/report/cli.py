"""`bubbybot report`."""

from functools import lru_cache
from pathlib import Path

import click
import pandas as pd
from freqtrade.data.history import load_pair_history
from freqtrade.enums import CandleType

from bubbybot_freqtrade.commands.candle_folder import candle_folder
from bubbybot_freqtrade.commands.output import not_written, one_line_for, write_page
from bubbybot_freqtrade.commands.user_config import (
    config_option,
    quiet_freqtrade,
    userdir_option,
)
from bubbybot_freqtrade.report import export
from bubbybot_freqtrade.report.charts import Candles
from bubbybot_freqtrade.report.page import render
from bubbybot_freqtrade.report.source import UNREADABLE, read_source
from bubbybot_freqtrade.signals.words import counted


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
@click.option(
    "--charts",
    type=click.IntRange(0),
    default=200,
    show_default=True,
    help="Draw blocks, gaps and dots for the newest so many trades.",
)
@click.option(
    "--export",
    "export_folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the numbers too: trades.csv, figures.json, daily_returns.csv (QuantStats).",
)
@config_option
@userdir_option
def report_command(
    source: str | None,
    data: Path | None,
    out: Path,
    charts: int,
    export_folder: Path | None,
    config_files: tuple[str, ...],
    userdir: Path | None,
) -> None:
    """Write one HTML page about what was traded.

    SOURCE is a backtest (its zip, or the folder with the newest one), a rehearsal's folder, or a
    database (its file or sqlite:// URL); without it the database of the config is taken.
    """
    with one_line_for(*UNREADABLE), quiet_freqtrade():
        read, folder = read_source(source, config_files, userdir)
        candles = _candles(candle_folder(data) if data else folder, read.timeframe)
        html = render(read, "BubbyBot report", candles, charts)
    write_page(out, html)
    click.echo(f"{counted(len(read.trades), 'closed trade')}: {out.resolve().as_uri()}")
    if export_folder is not None:
        try:
            written = export.write(read, export_folder)
        except OSError as error:
            raise click.ClickException(not_written(export_folder, error)) from error
        click.echo(f"Numbers: {', '.join(map(str, written))}")


def _candles(folder: Path | None, timeframe: str) -> Candles:
    # A pair is asked for twice, and hundreds of them would fill the memory.
    @lru_cache(maxsize=8)
    def candles(pair: str) -> pd.DataFrame:
        if folder is None or not folder.is_dir():
            return pd.DataFrame()
        return load_pair_history(pair, timeframe, folder, candle_type=CandleType.FUTURES)

    return candles
