"""`bubbybot search`."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from freqtrade.configuration import TimeRange
from freqtrade.data.history import get_datahandler
from freqtrade.enums import CandleType, RunMode
from freqtrade.exceptions import FreqtradeException
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from bubbybot_freqtrade.commands.output import one_line
from bubbybot_freqtrade.commands.pairs import PairList
from bubbybot_freqtrade.commands.user_config import load_config

if TYPE_CHECKING:
    from bubbybot_freqtrade.search.study import Plan

SPACES = "buy sell"

# What a backtest needs nothing of, and what must not travel to a cluster.
LEFT_OUT = (
    "telegram",
    "api_server",
    "webhook",
    "discord",
    "external_message_consumer",
    "db_url",
    # freqtrade's copy of all that it was given, keys included.
    "original_config",
)
SECRETS = ("key", "secret", "password", "uid", "accountId", "walletAddress", "privateKey")


@click.command("search", short_help="Search the strategy's settings on past candles.")
@click.option(
    "-c",
    "--config",
    "configs",
    multiple=True,
    default=("config.json",),
    show_default=True,
    help="As freqtrade's -c; several are put together.",
)
@click.option("--strategy", help="Another one than the config's.")
@click.option("--strategy-path", type=click.Path(exists=True, file_okay=False))
@click.option("--userdir", type=click.Path(file_okay=False), help="As freqtrade's --userdir.")
@click.option("--datadir", type=click.Path(exists=True, file_okay=False), help="Candles.")
@click.option("--timerange", required=True, help="YYYYMMDD-YYYYMMDD, pasts and parts together.")
@click.option(
    "--pairs", type=PairList(), help="As BTC/USDT:USDT,ETH/USDT:USDT; by default the config's."
)
@click.option("--over-pairs", is_flag=True, help="Search which pairs to trade, too.")
@click.option(
    "--parts", type=click.IntRange(1), default=3, show_default=True, help="Judged one by one."
)
@click.option(
    "--past-days", type=click.IntRange(1), default=180, show_default=True, help="Before the first."
)
@click.option(
    "--trials", type=click.IntRange(1), default=40, show_default=True, help="For each part."
)
@click.option(
    "--batch",
    type=click.IntRange(1),
    default=4,
    show_default=True,
    help="Trials asked for at once: what can run side by side. Another one, another answer.",
)
@click.option(
    "--spaces", default=SPACES, show_default=True, help="As freqtrade hyperopt's --spaces."
)
@click.option(
    "--objective",
    type=click.Choice(["t-value", "sharpe"]),
    default="t-value",
    show_default=True,
    help="What the past is judged by: mean R over its standard error, or the Sharpe ratio.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True)
@click.option(
    "--study", default="search", show_default=True, help="Its name; the same goes on where it was."
)
@click.option("--backend", type=click.Choice(["local", "dask", "ray"]), default="local")
@click.option("--scheduler", help="Address of a cluster that is there, as tcp://host:8786.")
@click.option(
    "--jobs", type=click.IntRange(-1), default=-1, help="Local processes; -1 for one a core."
)
@click.option(
    "--tried-before", type=click.IntRange(0), default=0, help="Variants tried on these candles."
)
def search_command(**options: Any) -> None:
    """Search the strategy's settings on the past, and judge them on what came next."""
    if find_spec("optuna") is None:
        raise click.UsageError("search needs optuna, which is not installed: pip install optuna")
    from bubbybot_freqtrade.search.study import StudyError

    try:
        _search(options, Console())
    except StudyError as error:
        raise click.UsageError(one_line(error)) from error
    except (FreqtradeException, ImportError) as error:
        raise click.UsageError(f"freqtrade does not start: {one_line(error)}") from error
    except OSError as error:
        raise click.UsageError(one_line(error)) from error


def _search(options: dict[str, Any], console: Console) -> None:
    from bubbybot_freqtrade.search.backends import runner
    from bubbybot_freqtrade.search.report import report
    from bubbybot_freqtrade.search.study import Search

    plan = _plan(options)
    folder = Path(plan.config["user_data_dir"]) / "search" / options["study"]
    with (
        runner(options["backend"], options["jobs"], options["scheduler"]) as run,
        _progress(console) as bar,
    ):
        task = bar.add_task("part 1", total=plan.parts * plan.trials, best="")

        def show(trials: int, best: float | None) -> None:
            bar.advance(task, trials)
            bar.update(task, best="" if best is None else f"best {best:.2f}")

        parts = []
        for part in Search(plan, folder / "study.sqlite", run, show).parts():
            parts.append(part)
            # Trials of an earlier run were not shown one by one.
            bar.update(
                task,
                completed=len(parts) * plan.trials,
                description=f"part {min(len(parts) + 1, plan.parts)}",
            )
    text = report(plan, parts, options["tried_before"])
    (folder / "report.md").write_text(text)
    console.print(Markdown(text))
    console.print(f"Written to {folder / 'report.md'}.")


def _plan(options: dict[str, Any]) -> Plan:
    from bubbybot_freqtrade.search.study import Plan, StudyError

    timerange = TimeRange.parse_timerange(options["timerange"])
    start, end = timerange.startdt, timerange.stopdt
    if start is None or end is None:
        raise StudyError("--timerange needs both ends: YYYYMMDD-YYYYMMDD")
    if options["jobs"] == 0:
        raise StudyError("--jobs: say how many processes, or -1 for one a core")
    if not re.fullmatch(r"\w[\w.-]{,99}", options["study"]):
        raise StudyError(
            "--study: a name of up to 100 letters, digits, dots and dashes; it names a folder"
        )
    config = checked_config(options)
    _require_candles(config)
    return Plan(
        config=config,
        start=start,
        end=end,
        parts=options["parts"],
        past_days=options["past_days"],
        trials=options["trials"],
        batch=options["batch"],
        spaces=_spaces(options),
        objective=options["objective"],
        over_pairs=options["over_pairs"],
        seed=options["seed"],
    )


def _require_candles(config: dict[str, Any]) -> None:
    """Before the first backtest, which would ask the venue for its markets.

    :raises StudyError: when a pair has no candles.
    """
    from bubbybot_freqtrade.search.study import StudyError

    stored = get_datahandler(Path(config["datadir"]), config.get("dataformat_ohlcv", "feather"))
    for pair in config["exchange"]["pair_whitelist"]:
        if not stored.ohlcv_data_min_max(pair, "15m", CandleType.FUTURES)[2]:
            raise StudyError(
                f"No 15m candles of {pair} can be read in {config['datadir']}: run freqtrade "
                "download-data, or name another folder with --datadir"
            )


def checked_config(options: dict[str, Any]) -> dict[str, Any]:
    """freqtrade's config for hyperopt, without keys and services.

    :param options: of the command; `configs` is needed, `strategy`, `strategy_path`, `userdir`,
        `datadir`, `pairs` and `spaces` may be missing
    :raises FreqtradeException: when freqtrade does not take the config.
    """
    arguments: dict[str, Any] = {
        "config": list(options["configs"]),
        "strategy": options.get("strategy"),
        "strategy_path": options.get("strategy_path"),
        "user_data_dir": options.get("userdir"),
        "datadir": options.get("datadir"),
    }
    if options.get("pairs"):
        arguments["pairs"] = list(options["pairs"])
    given = {name: value for name, value in arguments.items() if value is not None}
    config = load_config(given, RunMode.HYPEROPT)
    for name in LEFT_OUT:
        config.pop(name, None)
    config["exchange"] = {k: v for k, v in config["exchange"].items() if k not in SECRETS}
    if options.get("pairs"):
        config["exchange"]["pair_whitelist"] = arguments["pairs"]
    # A search compares trades, which freqtrade's own files and caches would only slow down.
    return config | {
        "dry_run": True,
        "export": "none",
        "backtest_cache": "none",
        "spaces": list(_spaces(options)),
    }


def _spaces(options: dict[str, Any]) -> tuple[str, ...]:
    return tuple(options.get("spaces", SPACES).replace(",", " ").split())


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[best]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
