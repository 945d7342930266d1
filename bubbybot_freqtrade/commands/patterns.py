"""`bubbybot patterns`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from bubbybot_freqtrade.commands.output import one_line_for, write_page
from bubbybot_freqtrade.commands.user_config import (
    DEFAULT_CONFIG,
    config_option,
    quiet_freqtrade,
    read_config,
    userdir_option,
)
from bubbybot_freqtrade.learning import picture
from bubbybot_freqtrade.learning.ledger import History, Ledger
from bubbybot_freqtrade.learning.results import Source
from bubbybot_freqtrade.learning.table import Row, pattern_rows
from bubbybot_freqtrade.learning.trades import past_trades, read_prior
from bubbybot_freqtrade.report.page import html_page
from bubbybot_freqtrade.report.source import UNREADABLE, read_source
from bubbybot_freqtrade.settings import BubbyBotSettings, LearningSettings
from bubbybot_freqtrade.signals.words import reasons

TITLE = "What past trades say"


@click.command(name="patterns", short_help="Show what past trades say of each pattern.")
@click.argument("source", required=False)
@click.option(
    "--by",
    type=click.Choice(["pair", "regime"]),
    multiple=True,
    help="Tell pairs or regimes apart; repeat for both.",
)
@click.option(
    "--at",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%d %H:%M"]),
    help="What was known then, UTC.  [default: now, or the end of SOURCE]",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("patterns.html"),
    show_default=True,
    help="The picture.",
)
@config_option
@userdir_option
def patterns_command(
    source: str | None,
    by: tuple[str, ...],
    at: datetime | None,
    out: Path,
    config_files: tuple[str, ...],
    userdir: Path | None,
) -> None:
    """Show what past trades say of each pattern: a table, and a page with a picture.

    SOURCE is a backtest (its zip, or the folder with the newest one), a rehearsal's folder, or a
    database (its file or sqlite:// URL); without it the database of the config is taken.
    """
    with one_line_for(*UNREADABLE), quiet_freqtrade():
        settings = _settings(config_files, userdir)
        read, _ = read_source(source, config_files, userdir)
        history, prior = History(past_trades(read)), read_prior(settings.prior)
    now = _moment(at, source, read)
    told = pattern_rows(
        Ledger(settings, prior), history, now, by_pair="pair" in by, by_regime="regime" in by
    )
    words = (
        f"{read.name}, at {now:%Y-%m-%d %H:%M} UTC; {settings.interval:.0%} intervals, a half-life "
        f"of {settings.half_life_days:g} days, prior {settings.prior or 'a fair game'}, "
        f"veto {'on' if settings.veto else 'off'}, scaling of risk "
        f"{'on' if settings.scale_risk else 'off'}."
    )
    console = Console(highlight=False)
    console.print(_table(told, by) if told else "No closed trade has a pattern in its tag.")
    console.print(words)
    if told:
        console.print(picture.COLUMNS_TOLD)
    write_page(out, _page(told, words))
    click.echo(out.resolve().as_uri())


def _settings(config_files: tuple[str, ...], userdir: Path | None) -> LearningSettings:
    """The config's settings; the defaults where no config was named and none lies here."""
    if not config_files and not Path(DEFAULT_CONFIG).is_file():
        return LearningSettings()
    return BubbyBotSettings.from_config(read_config(config_files, userdir)).learning


def _moment(at: datetime | None, source: str | None, read: Source) -> datetime:
    if at is not None:
        return at.replace(tzinfo=UTC)
    if source is None or not read.trades:
        return datetime.now(UTC)
    return read.trades[-1].closed + read.candle


def _table(told: Sequence[Row], by: Sequence[str]) -> Table:
    table = Table(title=TITLE, title_justify="left")
    # What does not fit goes on in the next line: a cut number is a wrong one.
    table.add_column("pattern", overflow="fold")
    table.add_column("side", no_wrap=True)
    for name in ("pair", "regime"):
        if name in by:
            table.add_column(name, overflow="fold")
    for name in ("trades", "worth", "target first", "mean R", "pays"):
        table.add_column(name, justify="right", overflow="fold")
    table.add_column("verdict", style="bold red", overflow="fold")
    for row in told:
        where = row.situation
        apart = {"pair": where.pair.partition(":")[0], "regime": where.regime}
        table.add_row(
            f"{where.pattern} ({reasons(where.pattern, where.side)})",
            where.side,
            *(apart[name] for name in ("pair", "regime") if name in by),
            *picture.figures(row),
        )
    return table


def _page(told: Sequence[Row], words: str) -> str:
    body = f"<h1>{TITLE}</h1><section>{picture.section(told, words)}</section>"
    return html_page(TITLE, body, {"patterns": picture.chart_rows(told)})
