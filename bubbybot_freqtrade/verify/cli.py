"""`bubbybot verify`: ask the demo account."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from freqtrade.exceptions import FreqtradeException
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from bubbybot_freqtrade.commands.user_config import (
    Config,
    config_option,
    read_config,
    userdir_option,
)
from bubbybot_freqtrade.verify.cleaning import Cleaner, CleaningError
from bubbybot_freqtrade.verify.clock import Clock
from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.exchanges import Exchanges
from bubbybot_freqtrade.verify.journal import JournalError
from bubbybot_freqtrade.verify.page import Row, counted, write_pages
from bubbybot_freqtrade.verify.preflight import (
    Plan,
    RefusedError,
    check_flat,
    open_client,
    open_desk,
    plan,
)
from bubbybot_freqtrade.verify.probe import Probe, Verdict
from bubbybot_freqtrade.verify.probes import GROUPS, PROBES
from bubbybot_freqtrade.verify.profile import keep
from bubbybot_freqtrade.verify.run import Result, run

FOLDER = "verify"
_STYLES = {
    Verdict.AS_ASSUMED: "green",
    Verdict.COPES: "yellow",
    Verdict.DANGER: "bold red",
    Verdict.NOT_MEASURED: "dim",
}


def chosen(only: str | None) -> list[Probe]:
    """The probes of groups and names separated by commas; all without any.

    :raises click.BadParameter: naming what there is
    """
    if only is None:
        return list(PROBES.values())
    names = [name.strip() for name in only.split(",") if name.strip()]
    unknown = [name for name in names if name not in (*GROUPS, *PROBES)]
    if unknown or not names:
        raise click.BadParameter(
            f"{', '.join(unknown) or 'nothing'}: groups are {', '.join(GROUPS)}; probes are "
            f"{', '.join(PROBES)}.",
            param_hint="--only",
        )
    return [probe for probe in PROBES.values() if {probe.name, probe.group} & set(names)]


@click.command("verify")
@config_option
@userdir_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--only", metavar="GROUP,PROBE,…", help=f"Groups: {', '.join(GROUPS)}; or probes.")
@click.option("--pair", metavar="PAIR", help="Default: the cheapest to hold of the whitelist.")
@click.option("--clean", is_flag=True, help="Only take away what an earlier run has left.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Report, profile and journal are here.  [default: user_data/verify]",
)
def verify_command(
    config_files: tuple[str, ...],
    userdir: Path | None,
    yes: bool,
    only: str | None,
    pair: str | None,
    clean: bool,
    out: Path | None,
) -> None:
    """Ask BloFin's demo account what the sandbox had to assume.

    Sends real orders there, of the smallest size, each with a stop, and takes all of them away
    again. Writes report.html, report.md and venue.json, which sandbox, rehearse and drill take as
    --profile. Exit code 1 when an answer is one that the bot must not trade with.
    """
    probes = chosen(only)
    console = Console(soft_wrap=True, highlight=False)
    clock, exchanges = Clock(), Exchanges()
    try:
        config = read_config(config_files, userdir)
        folder = out or Path(config["user_data_dir"]) / FOLDER
        desk = open_desk(open_client(config, clock, exchanges), config, pair, folder, clock)
        try:
            _take_away(desk, console, say_nothing=not clean)
            if clean:
                return
            # The journal may have named another pair than this run's.
            results = _ask(desk, config, probes, folder, console, yes=yes)
        finally:
            desk.journal.close()
    except (RefusedError, JournalError, CleaningError, FreqtradeException) as error:
        raise click.ClickException(exchanges.masked(" ".join(str(error).split()))) from error
    except KeyboardInterrupt:
        click.echo("Ended by Ctrl-C: nothing is left on the account.", err=True)
        sys.exit(130)
    if any(result.verdict is Verdict.DANGER for result in results):
        sys.exit(1)


def _take_away(desk: Desk, console: Console, *, say_nothing: bool) -> None:
    if desk.journal.holds_something:
        console.print(f"Taking away what an earlier run has left on {desk.instrument.symbol} …")
        Cleaner(desk).clean(thorough=True)
        console.print("Done: nothing of it is left.")
    elif not say_nothing:
        console.print("Nothing is left of an earlier run.")


def _ask(
    desk: Desk,
    config: Config,
    probes: Sequence[Probe],
    folder: Path,
    console: Console,
    *,
    yes: bool,
) -> list[Result]:
    check_flat(desk)
    announce(console, plan(desk, probes))
    if not yes:
        click.confirm("Go on?", abort=True)
    results: list[Result] = []
    host, symbol = desk.journal.account.host, desk.instrument.symbol
    try:
        with _progress(console) as progress:
            task = progress.add_task("", total=len(probes))

            def show(result: Result) -> None:
                results.append(result)
                progress.console.print(_line(result))
                progress.update(task, advance=1, description=result.probe.group)

            run(desk, probes, show)
    finally:
        if results:
            profile = keep(folder, host, symbol, results)
            page = write_pages(folder, host, symbol, results)
    rows = [Row.of(result) for result in results]
    console.print(", ".join(f"{count} {verdict}" for verdict, count in counted(rows)) + ".")
    console.print(f"Report: {page} (and report.md to paste). Profile: {profile}")
    return results


def announce(console: Console, planned: Plan) -> None:
    """What will be done and the most it can cost, before anybody is asked."""
    console.print(
        f"Asks {planned.host} {planned.probes} questions with orders on {planned.symbol}: "
        f"{planned.size:f} contracts ({planned.notional:.2f} USDT) and multiples of that, one "
        "position at a time, each with a stop. All of it is taken away again.\n"
        f"At most {planned.cost:.2f} USDT of the demo account can be lost, should every stop be "
        "reached. Bots on this account should be stopped meanwhile."
    )


def _line(result: Result) -> Text:
    verdict = (f"{result.verdict.value:<30}", _STYLES[result.verdict])
    return Text.assemble(f"{result.probe.name:<30}", verdict, result.measured)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
