"""`bubbybot doctor`: is this machine, this config and this account fit to trade?

One line for each point: what is wrong and how to mend it. Only looks, never changes anything.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from freqtrade.exceptions import FreqtradeException
from rich.console import Console
from rich.text import Text

from bubbybot_freqtrade.commands.doctor.config import configuration, environment
from bubbybot_freqtrade.commands.doctor.database import database
from bubbybot_freqtrade.commands.doctor.findings import Finding, Verdict, note, problem
from bubbybot_freqtrade.commands.doctor.heartbeat import bot
from bubbybot_freqtrade.commands.doctor.machine import machine, versions
from bubbybot_freqtrade.commands.doctor.rest_api import rest_api
from bubbybot_freqtrade.commands.doctor.telegram import TELEGRAM_API, telegram
from bubbybot_freqtrade.commands.doctor.venue import venue
from bubbybot_freqtrade.commands.output import one_line
from bubbybot_freqtrade.commands.user_config import (
    DEFAULT_CONFIG,
    config_option,
    read_config,
    userdir_option,
)


def examine(
    files: Sequence[str],
    user_data_dir: Path | None = None,
    telegram_api: str = TELEGRAM_API,
    logfile: Path | None = None,
) -> Iterator[Finding]:
    """Every finding about this machine and the config in `files`, in the order of the points.

    :param telegram_api: root of the Bot API; a local Bot API server has another one.
    :param logfile: log of the running bot; without it nothing is said about whether it is alive.
    """
    yield from machine(user_data_dir or Path("user_data"))
    yield from versions()
    if logfile is not None:
        yield from bot(logfile)
    try:
        config = read_config(files, user_data_dir)
    except (FreqtradeException, OSError) as error:
        yield problem("config", one_line(error))
        yield note("the rest", "Not examined: it needs a config that can be read.")
        return
    yield from configuration(config)
    yield from environment(list(files) or [DEFAULT_CONFIG])
    yield from database(config)
    yield from telegram(config, telegram_api)
    yield from rest_api(config)
    if config["exchange"]["name"] != "blofin":
        yield note("venue", f"{config['exchange']['name']} is not BloFin: not examined.")
        return
    yield from venue(config)


_MARKS = {
    Verdict.OK: ("ok", "green"),
    Verdict.NOTE: ("note", "yellow"),
    Verdict.PROBLEM: ("PROBLEM", "bold red"),
}


@click.command(name="doctor")
@config_option
@userdir_option
@click.option(
    "--logfile",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Log of the running bot, as given to freqtrade trade: is it alive?",
)
def doctor_command(
    config_files: tuple[str, ...], userdir: Path | None, logfile: Path | None
) -> None:
    """Examine machine, config, keys and account before you trade.

    One line each: what is wrong and how to mend it. Changes nothing. The exit code is 1 when there
    is a problem, 0 otherwise.
    """
    console = Console(soft_wrap=True, highlight=False)
    problems = 0
    for finding in examine(config_files, userdir, logfile=logfile):
        mark, style = _MARKS[finding.verdict]
        console.print(Text.assemble((f"{mark:<8}", style), f"{finding.point:<13}{finding.line}"))
        problems += finding.verdict is Verdict.PROBLEM
    if problems:
        raise SystemExit(1)
