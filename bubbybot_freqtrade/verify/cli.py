"""`bubbybot verify`: ask the demo account."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from freqtrade.exceptions import FreqtradeException
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from bubbybot_freqtrade.commands.user_config import (
    Config,
    config_option,
    read_config,
    userdir_option,
)
from bubbybot_freqtrade.verify.cleaning import Cleaner, CleaningError
from bubbybot_freqtrade.verify.client import RawBlofin
from bubbybot_freqtrade.verify.clock import Clock
from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.exchanges import Exchanges
from bubbybot_freqtrade.verify.journal import FILE_NAME as JOURNAL
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
from bubbybot_freqtrade.verify.run import Result, Run, run

FOLDER = "verify"
NAME_WIDTH, VERDICT_WIDTH = 28, 30
_STYLES = {
    Verdict.AS_ASSUMED: "green",
    Verdict.COPES: "yellow",
    Verdict.DANGER: "bold red",
    Verdict.NOT_MEASURED: "dim",
}


class _Refused(click.ClickException):
    exit_code = 2


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
    --profile. Exit code 1 when an answer is one that the bot must not trade with, 2 when verify
    may not run or something may be left, 130 after Ctrl-C.
    """
    probes = chosen(only)
    console = Console(soft_wrap=True, highlight=False)
    clock, exchanges, folder = Clock(), Exchanges(), out or Path()
    try:
        config = read_config(config_files, userdir)
        folder = out or Path(config["user_data_dir"]) / FOLDER
        client = open_client(config, clock, exchanges)
        with _open(client, config, pair, folder, clock) as desk:
            _take_away(desk, console, asked=clean)
        if clean:
            return
        # A journal that named another pair has been settled: this is the run's own.
        with _open(client, config, pair, folder, clock) as desk:
            results = _ask(desk, probes, folder, console, yes=yes)
    except (RefusedError, JournalError, CleaningError, FreqtradeException) as error:
        raise _Refused(exchanges.masked(" ".join(str(error).split()))) from error
    except KeyboardInterrupt:
        is_left = (folder / JOURNAL).exists()
        left = (
            "something may be left: run bubbybot verify --clean" if is_left else "nothing is left"
        )
        click.echo(f"Ended by Ctrl-C, {left}.", err=True)
        sys.exit(130)
    if any(result.verdict is Verdict.DANGER for result in results):
        sys.exit(1)


@contextmanager
def _open(
    client: RawBlofin, config: Config, pair: str | None, folder: Path, clock: Clock
) -> Iterator[Desk]:
    desk = open_desk(client, config, pair, folder, clock)
    try:
        yield desk
    finally:
        desk.journal.close()


def _take_away(desk: Desk, console: Console, *, asked: bool) -> None:
    if desk.journal.holds_something:
        console.print(f"Taking away what an earlier run has left on {desk.instrument.symbol} …")
        cleaner = Cleaner(desk)
        cleaner.clean(thorough=True)
        console.print("\n".join([*cleaner.notes, "Done: nothing of it is left."]))
    elif asked:
        console.print("Nothing is left of an earlier run.")


def _ask(
    desk: Desk, probes: Sequence[Probe], folder: Path, console: Console, *, yes: bool
) -> list[Result]:
    check_flat(desk)
    announce(console, plan(desk, probes))
    if not yes:
        click.confirm("Go on?", abort=True)
    found = Run()
    try:
        with _progress(console) as progress:
            task = progress.add_task("", total=len(probes))

            def line(name: str, verdict: Text, measured: str) -> None:
                row = _row(console, name, verdict, measured)
                progress.console.print(row, soft_wrap=not console.is_terminal)

            def show(result: Result) -> None:
                verdict = Text(result.verdict.value, _STYLES[result.verdict])
                line(result.probe.name, verdict, result.measured)
                progress.update(task, advance=1, description=result.probe.group)

            line("asked", Text("verdict", "bold"), "measured")
            run(desk, probes, show, found)
    finally:
        # Also what an interrupted run has found.
        if found.results:
            _write(desk, found, folder, console)
    return found.results


def _write(desk: Desk, found: Run, folder: Path, console: Console) -> None:
    host, symbol, results = desk.journal.account.host, desk.instrument.symbol, found.results
    profile = keep(folder, host, symbol, results)
    page = write_pages(folder, host, symbol, results)
    counts = counted([Row.of(result) for result in results])
    console.print(", ".join(f"{count} {verdict}" for verdict, count in counts) + ".")
    for note in found.notes:
        console.print(note)
    console.print(f"Report: {page} (and report.md to paste). Profile: {profile}")


def announce(console: Console, planned: Plan) -> None:
    """What will be done and the most it can cost, before anybody is asked."""
    console.print(
        f"Asks {planned.host} {planned.probes} questions with orders on {planned.symbol}: "
        f"{planned.size:f} contracts ({planned.notional:.2f} USDT) and small multiples of that, at "
        f"most {planned.largest:.2f} USDT. One position at a time, each with a stop; all of it is "
        "taken away again.\n"
        f"At most {planned.cost:.2f} USDT of the demo account can be lost, should every stop be "
        "reached. Bots on this account should be stopped meanwhile."
    )


def _row(console: Console, name: str, verdict: Text, measured: str) -> Table | Text:
    """A row of the table that grows above the bar; one line each where nobody sees a screen."""
    if not console.is_terminal:
        verdict.align("left", VERDICT_WIDTH)
        return Text.assemble(f"{name:<{NAME_WIDTH}}", verdict, measured)
    row = Table.grid(expand=True)
    row.add_column(width=NAME_WIDTH, overflow="fold")
    row.add_column(width=VERDICT_WIDTH // 2)
    row.add_column(ratio=1, overflow="fold")
    row.add_row(name, verdict, measured)
    return row


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
