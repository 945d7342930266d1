"""`bubbybot sandbox`: BloFin on localhost, from the command line."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click
import orjson
from pydantic import ValidationError

from bubbybot_freqtrade.sandbox.hosts import hosts_of
from bubbybot_freqtrade.sandbox.market.candles import DataFolderError
from bubbybot_freqtrade.sandbox.profile import ProfileError, read_profile
from bubbybot_freqtrade.sandbox.server import Sandbox, SandboxError
from bubbybot_freqtrade.sandbox.settings import (
    DEMO_API_KEY,
    DEMO_PASSPHRASE,
    DEMO_SECRET,
    SandboxSettings,
)
from bubbybot_freqtrade.sandbox.state import StateFileError

DEFAULT_PORT = 8088
MOST_PAIRS = 1_000
_FIRST_YEAR, _LAST_YEAR = 1972, 2199
# Options that are not spelled as the settings they become.
OPTION_OF = {
    "steps_per_minute": "--steps",
    "latency_ms": "--latency",
    "start_ms": "--start",
    "state_file": "--state",
}


class Amount(click.ParamType):
    """A decimal number; click's own float would round it."""

    name = "amount"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        try:
            return Decimal(str(value))
        except InvalidOperation:
            self.fail(f"{value!r} is not a number", param, ctx)


class Moment(click.DateTime):
    """A time that a market can begin at, with 400 days before it."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        moment: datetime = super().convert(value, param, ctx)
        if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            self.fail(f"take a day from {_FIRST_YEAR} to {_LAST_YEAR}", param, ctx)
        return moment


def _readings(context: click.Context, option: click.Parameter, file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        return read_profile(file).settings()
    except ProfileError as error:
        raise click.BadParameter(str(error), context, option) from error


profile_option = click.option(
    "--profile",
    "readings",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_readings,
    help="venue.json of bubbybot verify: behave as the venue that was measured.",
)
"""`--profile FILE`, for a command that takes its settings as `readings`."""


@click.command(name="sandbox")
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="freqtrade data folder to play; without it a generated market.",
)
@click.option("--seed", default=7, show_default=True, help="Another seed, another market.")
@click.option(
    "--pairs",
    multiple=True,
    metavar="BTC-USDT,…",
    help="Instruments, apart by commas. All when left out.",
)
@click.option(
    "--pair-count",
    type=click.IntRange(max=MOST_PAIRS),
    default=6,
    show_default=True,
    help="How many pairs the generator makes.",
)
@click.option(
    "--start",
    type=Moment(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y%m%d"]),
    help="UTC moment of the data that the clock starts at.",
)
@click.option(
    "--clock",
    type=click.Choice(["real", "driven"]),
    default="real",
    show_default=True,
    help="driven stands still until POST /sandbox/clock moves it.",
)
@click.option("--port", default=DEFAULT_PORT, show_default=True, help="0 takes a free one.")
@click.option(
    "--state",
    "state_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that keeps account and orders across restarts.",
)
@click.option("--balance", type=Amount(), default="10000", show_default=True, help="USDT.")
@click.option(
    "--past-days",
    default=0,
    show_default=True,
    help="The account has traded on so many days before: orders, fills and funding to look at.",
)
@click.option(
    "--position-mode",
    type=click.Choice(["net_mode", "long_short_mode"]),
    default="net_mode",
    show_default=True,
    help="One-way or hedge mode.",
)
@click.option(
    "--margin-mode",
    type=click.Choice(["cross", "isolated"]),
    default="cross",
    show_default=True,
    help="Margin mode of the account.",
)
@click.option(
    "--steps",
    "steps_per_minute",
    default=60,
    show_default=True,
    help="Trades a minute per pair; a divisor of 60000.",
)
@click.option("--latency", "latency_ms", default=0, show_default=True, help="ms per request.")
@profile_option
@click.option("--no-rate-limits", is_flag=True, help="Never answer 429.")
@click.option("--no-amend-tpsl", is_flag=True, help="As if the venue had no trade/amend-tpsl.")
def sandbox_command(
    start: datetime | None,
    pairs: tuple[str, ...],
    no_rate_limits: bool,
    no_amend_tpsl: bool,
    readings: dict[str, Any],
    **options: Any,
) -> None:
    """Serve BloFin's REST and websocket API on 127.0.0.1.

    Prints the freqtrade configuration that points there. Ctrl-C ends it; with --state the account
    and its orders are there again next time.
    """
    try:
        settings = SandboxSettings(
            start_ms=None if start is None else int(start.replace(tzinfo=UTC).timestamp() * 1000),
            pairs=_instruments(pairs),
            rate_limits=not no_rate_limits,
            **{**readings, **({"amend_tpsl": False} if no_amend_tpsl else {})},
            **options,
        )
        sandbox = Sandbox(settings).start()
    except ValidationError as error:
        raise click.UsageError(wrong_option(error)) from error
    except (SandboxError, StateFileError, DataFolderError, ValueError) as error:
        raise click.ClickException(_with_options(str(error))) from error
    try:
        _announce(sandbox)
        _wait_for_signal()
    finally:
        sandbox.stop()
    click.echo("The sandbox has stopped.")


def _instruments(given: tuple[str, ...]) -> tuple[str, ...] | None:
    """Of `--pairs`, repeated or with commas; freqtrade's spelling is taken too."""
    if not given:
        return None
    names = [name.strip() for text in given for name in text.split(",")]
    found = (name.partition(":")[0].replace("/", "-").upper() for name in names)
    return tuple(dict.fromkeys(found))


def _with_options(text: str) -> str:
    """A message about a setting, with the option's name for it."""
    for setting, option in OPTION_OF.items():
        text = text.replace(f"{setting}=", f"{option} ")
    return text


def wrong_option(error: ValidationError) -> str:
    """Which option pydantic refuses, and why, in one line."""
    first = error.errors(include_url=False, include_context=False)[0]
    # The option's own parameter may have another name than the setting: steps_per_minute.
    name = str(first["loc"][0]) if first["loc"] else ""
    why = str(first["msg"]).removeprefix("Value error, ")
    return f"{OPTION_OF.get(name) or '--' + name.replace('_', '-')}: {why}"


def _announce(sandbox: Sandbox) -> None:
    now = datetime.fromtimestamp(sandbox.clock.now_ms() / 1000, UTC)
    click.echo(f"BloFin on localhost: {sandbox.url} ({len(sandbox.market.instruments)} pairs)")
    click.echo(f"Its clock is {sandbox.settings.clock} and stands at {now:%Y-%m-%d %H:%M:%S} UTC.")
    click.echo("Point freqtrade there with this part of its configuration:\n")
    click.echo(orjson.dumps(config_fragment(sandbox), option=orjson.OPT_INDENT_2).decode())
    click.echo("\nCtrl-C stops it.")


def config_fragment(sandbox: Sandbox) -> dict[str, Any]:
    """The part of a freqtrade configuration that trades on this sandbox."""
    urls = ccxt_urls(sandbox)
    return {
        "exchange": {
            "name": "blofin",
            "key": DEMO_API_KEY,
            "secret": DEMO_SECRET,
            "password": DEMO_PASSPHRASE,
            "ccxt_config": {"urls": urls},
            "ccxt_sync_config": {},
            "ccxt_async_config": {},
        }
    }


def ccxt_urls(sandbox: Sandbox) -> dict[str, Any]:
    """ccxt's `urls` for this sandbox: the live hosts, and the demo hosts the same."""
    hosts = hosts_of(sandbox.url)
    return {"api": hosts, "test": hosts, "demo": hosts}


def _wait_for_signal() -> None:
    """Until Ctrl-C or SIGTERM."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    while not stopped.wait(timeout=3600):
        pass
