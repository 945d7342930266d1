"""`bubbybot drill`: the bad days, and the table of what came of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bubbybot_freqtrade.commands.output import one_line_for
from bubbybot_freqtrade.commands.own_folder import OutFolderError
from bubbybot_freqtrade.drills.catalogue import DRILLS, drill
from bubbybot_freqtrade.drills.report import show
from bubbybot_freqtrade.sandbox.cli import MOST_PAIRS, profile_option
from bubbybot_freqtrade.sandbox.readings import parse_reading


def _read(
    context: click.Context, option: click.Parameter, texts: tuple[str, ...]
) -> dict[str, Any]:
    try:
        return dict(map(parse_reading, texts))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command("drill", short_help="Let the bot live through bad days on a BloFin on localhost.")
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    type=click.Choice(tuple(DRILLS)),
    help=f"One of {', '.join(DRILLS)}; may be given more than once. All without it.",
)
@click.option(
    "--reading",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_read,
    help="How the venue behaves where nobody knows, see docs/sandbox.md; repeat.",
)
@click.option("--seed", default=1, show_default=True, help="Decides everything that is random.")
@click.option("--kills", default=200, show_default=True, type=click.IntRange(min=1))
@click.option(
    "--steps",
    default=2000,
    show_default=True,
    type=click.IntRange(min=1),
    help="Steps of the drill random-faults.",
)
@click.option(
    "--minutes",
    default=1440,
    show_default=True,
    type=click.IntRange(min=1),
    help="Virtual minutes of the drill limits.",
)
@click.option(
    "--pairs",
    default=40,
    show_default=True,
    type=click.IntRange(min=2, max=MOST_PAIRS),
    help="Pairs of the drill limits, half of them held, 20 at most; above 40 by 15m candles.",
)
@click.option(
    "--account-stream",
    is_flag=True,
    help="The bots listen to their account: exchange.account_stream is true, without this false.",
)
@profile_option
@click.option(
    "--out",
    default="user_data/drills",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Logs and databases of the bots are left here.",
)
def drill_command(
    only: tuple[str, ...],
    given: dict[str, Any],
    seed: int,
    kills: int,
    steps: int,
    minutes: int,
    pairs: int,
    account_stream: bool,
    readings: dict[str, Any],
    out: Path,
) -> None:
    """Let freqtrade's real bot live through bad days on a BloFin on localhost.

    Prints what was done to it and what came of it. Exit code 1 when a law was broken: a position
    without a stop, an order placed twice, a position or trade that only one side knows, books that
    differ, a secret in a log.
    """
    console = Console(stderr=True)
    all_figures = []
    for name in only or DRILLS:
        with console.status(name) as status, one_line_for(OutFolderError):
            all_figures.append(
                drill(
                    name,
                    out,
                    seed=seed,
                    kills=kills,
                    steps=steps,
                    minutes=minutes,
                    pairs=pairs,
                    account_stream=account_stream,
                    readings=readings | given,
                    say=lambda line, name=name: status.update(f"{name}: {line}"),
                )
            )
    # Into a file or a pipe the table goes whole.
    show(Console(width=None if sys.stdout.isatty() else 110), all_figures)
    if any(figures.broken for figures in all_figures):
        sys.exit(1)
