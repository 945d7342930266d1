"""freqtrade's own config, database and exchange, for commands that only look.

Nothing here changes the account: the exchange is opened outside of freqtrade's trade modes, in
which the extension sets position and margin mode.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import ccxt
import click
from freqtrade.configuration import Configuration
from freqtrade.enums import RunMode
from freqtrade.exceptions import ConfigurationError, FreqtradeException
from freqtrade.exchange import Exchange
from freqtrade.resolvers import ExchangeResolver

Config = dict[str, Any]

DEFAULT_CONFIG = "config.json"

config_option = click.option(
    "-c",
    "--config",
    "config_files",
    multiple=True,
    metavar="PATH",
    help=f"freqtrade config; repeat for several.  [default: {DEFAULT_CONFIG}]",
)
userdir_option = click.option(
    "--userdir",
    "--user-data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="freqtrade's user data directory.  [default: user_data]",
)


@contextmanager
def quiet_freqtrade() -> Iterator[None]:
    """Keep freqtrade's start-up log off the terminal: a command prints its own lines."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def one_line_for(*errors: type[Exception]) -> Iterator[None]:
    """End the command with one line where one of `errors` is raised."""
    try:
        yield
    except errors as error:
        raise click.ClickException(" ".join(str(error).split())) from error


def read_config(files: Sequence[str], user_data_dir: Path | None = None) -> Config:
    """Read the config as ``freqtrade trade`` does, FREQTRADE__… variables included.

    :raises ConfigurationError, OperationalException: freqtrade's own, when it cannot be used.
    """
    names = list(files) or [DEFAULT_CONFIG]
    for name in names:
        if name != "-" and not Path(name).is_file():
            raise ConfigurationError(
                f"Config file {name} does not exist. Name yours with -c, or run this in the "
                f"folder that has {DEFAULT_CONFIG}."
            )
    args: dict[str, Any] = {"config": names, "verbosity": 0}
    if user_data_dir is not None:
        args["user_data_dir"] = str(user_data_dir)
    with quiet_freqtrade():
        return Configuration(args).get_config()


def open_exchange(config: Config) -> Exchange:
    """The config's exchange with its markets; keys only when the config trades with real orders.

    :raises FreqtradeException: when the venue does not answer, or does not take the config.
    """
    own = deepcopy(config)
    own["runmode"] = RunMode.OTHER
    with quiet_freqtrade():
        try:
            exchange = ExchangeResolver.load_exchange(own, validate=True)
        except FreqtradeException as error:
            if "Could not load markets" in str(error):
                # freqtrade has only logged the reason.
                raise FreqtradeException(_why_no_markets(own)) from None
            raise
    if not exchange.markets:
        raise FreqtradeException("The exchange sent no markets.")
    return exchange


def _why_no_markets(config: Config) -> str:
    exchange = ExchangeResolver.load_exchange(config, validate=False)
    try:
        exchange._api.load_markets()
    except ccxt.BaseError as error:
        return f"The markets cannot be loaded ({type(error).__name__}): {error}"
    finally:
        exchange.close()
    return "The markets could not be loaded, now they can: try again."
