"""`bubbybot rehearse`."""

from __future__ import annotations

import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from freqtrade.exceptions import FreqtradeException
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bubbybot_freqtrade.commands.output import one_line
from bubbybot_freqtrade.commands.own_folder import OutFolderError
from bubbybot_freqtrade.commands.pairs import PairList
from bubbybot_freqtrade.commands.starter import strategies_folder
from bubbybot_freqtrade.rehearsal.backtest import BacktestError, backtest
from bubbybot_freqtrade.rehearsal.candles import keep_candles
from bubbybot_freqtrade.rehearsal.comparison import Comparison, compare
from bubbybot_freqtrade.rehearsal.report import report
from bubbybot_freqtrade.rehearsal.rules import PLAN_RULES, RULES, violations
from bubbybot_freqtrade.rehearsal.run import (
    Drill,
    Rehearsal,
    RehearsalError,
    no_drill,
    rehearse,
    span_of,
)
from bubbybot_freqtrade.rehearsal.settings import RehearsalSettings
from bubbybot_freqtrade.rehearsal.venue_log import when
from bubbybot_freqtrade.sandbox.cli import (
    MOST_PAIRS,
    Amount,
    Moment,
    profile_option,
    wrong_option,
)
from bubbybot_freqtrade.sandbox.market.candles import DataFolderError
from bubbybot_freqtrade.sandbox.server import Sandbox, SandboxError


@click.command("rehearse", short_help="Trade live on a BloFin of your own, days in minutes.")
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of freqtrade candles to play; generated ones without it.",
)
@click.option(
    "--days",
    type=click.FloatRange(max=36_500),
    default=3,
    show_default=True,
    help="How many days to play.",
)
@click.option(
    "--start",
    type=Moment(["%Y-%m-%d"]),
    help="First day, UTC. By default the last days of the folder are played.",
)
@click.option(
    "--seed",
    type=int,
    default=RehearsalSettings().seed,
    show_default=True,
    help="Another one, other prices.",
)
@click.option(
    "--pairs", type=PairList(), help="As BTC/USDT:USDT,ETH/USDT:USDT; by default all of the folder."
)
@click.option(
    "--pair-count",
    type=click.IntRange(1, MOST_PAIRS),
    help="So many pairs of the generated market, up to hundreds, in the place of --pairs.",
)
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take the trading settings of this config; keys and services are never read from it.",
)
@click.option("--strategy", default="BubbyBot", show_default=True)
@click.option(
    "--strategy-path",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the strategy.  [default: user_data/strategies, else the package's own]",
)
@click.option(
    "--balance", type=Amount(), default="1000", show_default=True, help="USDT at the start."
)
@click.option(
    "--loop-seconds",
    type=int,
    default=600,
    show_default=True,
    help="Virtual seconds between two loops of the bot while a trade is open.",
)
@click.option(
    "--account-stream",
    is_flag=True,
    help="The bot listens to its account, and what happens there wakes its loop.",
)
@profile_option
@click.option("--backtest/--no-backtest", "with_backtest", default=True, help="Compare with one.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default="user_data/rehearsal",
    show_default=True,
    help="Folder for everything that is written; a rehearsal empties it first.",
)
def rehearse_command(
    data: Path | None,
    days: float,
    start: datetime | None,
    seed: int,
    pairs: tuple[str, ...] | None,
    pair_count: int | None,
    config: Path | None,
    strategy: str,
    strategy_path: Path | None,
    balance: Decimal,
    loop_seconds: int,
    account_stream: bool,
    readings: dict[str, Any],
    with_backtest: bool,
    out: Path,
) -> None:
    """Let freqtrade trade live on a BloFin of your own, days in minutes.

    Exit code 1 means that a rule was broken, 2 that the rehearsal could not begin, 130 that Ctrl-C
    ended it.
    """
    try:
        settings = RehearsalSettings(
            data=data,
            days=days,
            start=None if start is None else start.date(),
            seed=seed,
            pairs=pairs,
            pair_count=pair_count,
            config=config,
            strategy=strategy,
            strategy_path=strategy_path or strategies_folder(),
            balance=balance,
            loop_seconds=loop_seconds,
            account_stream=account_stream,
            readings=readings,
            out=out,
        )
        sys.exit(run(settings, Console(), with_backtest=with_backtest))
    except KeyboardInterrupt:
        click.echo("Ended by Ctrl-C before the last day: nothing was proved.", err=True)
        sys.exit(130)
    except ValidationError as error:
        raise click.UsageError(wrong_option(error)) from error
    except (
        RehearsalError,
        OutFolderError,
        DataFolderError,
        SandboxError,
        BacktestError,
    ) as error:
        raise click.UsageError(one_line(error)) from error
    except (FreqtradeException, ImportError) as error:
        raise click.UsageError(f"freqtrade does not start: {one_line(error)}") from error


def run(
    settings: RehearsalSettings,
    console: Console,
    *,
    with_backtest: bool = True,
    drill: Drill = no_drill,
) -> int:
    """Rehearse with a progress bar and print the report; the exit code."""
    compared: list[Comparison] = []

    def after(result: Rehearsal, sandbox: Sandbox) -> None:
        if with_backtest:
            progress.update(task, description="backtest")
            compared.extend(compare(result, backtest(result, sandbox)))
        else:
            keep_candles(result, sandbox)

    span = span_of(settings)
    with _progress(console) as progress:
        task = progress.add_task("starting", total=span.end_ms - span.start_ms, trades=0)

        def show(result: Rehearsal, now_ms: int) -> None:
            progress.update(
                task,
                completed=min(now_ms, span.end_ms) - span.start_ms,
                description=f"{when(now_ms):%Y-%m-%d %H:%M}",
                trades=result.entries,
            )

        result = rehearse(settings, show, drill=drill, after=after)
    rules = RULES + PLAN_RULES if result.plans else RULES
    broken = violations(result.evidence, rules)
    report(console, result, compared if with_backtest else None, broken)
    with (settings.out / "report.txt").open("w", encoding="utf-8") as file:
        plain = Console(file=file, width=220)
        report(plain, result, compared if with_backtest else None, broken)
    return 1 if broken else 0


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[trades]} trades"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
