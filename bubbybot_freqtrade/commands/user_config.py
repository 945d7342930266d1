"""freqtrade's own config, database and exchange, for commands that only look.

Nothing here changes the account: the exchange is opened outside of freqtrade's trade modes, in
which the extension sets position and margin mode.
"""

import logging
import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import ccxt
import click
import rapidjson
from freqtrade.config_schema.config_schema import CONF_SCHEMA
from freqtrade.configuration import Configuration
from freqtrade.configuration.load_config import CONFIG_PARSE_MODE
from freqtrade.enums import RunMode
from freqtrade.exceptions import ConfigurationError, FreqtradeException
from freqtrade.exchange import Exchange
from freqtrade.resolvers import ExchangeResolver
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from bubbybot_freqtrade.blofin.account.key import SECRETS

Config = dict[str, Any]

DEFAULT_CONFIG = "config.json"

# Settings that freqtrade uses before it has checked that they are text, and those of its schema.
TEXTS = (
    "strategy", "strategy_path", "user_data_dir", "datadir", "logfile",
    *(name for name, rule in CONF_SCHEMA["properties"].items() if rule.get("type") == "string"),
)  # fmt: skip

# How deep config files may add others: freqtrade's own limit.
MOST_NESTED = 5

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


def read_config(files: Sequence[str], user_data_dir: Path | None = None) -> Config:
    """Read the config as ``freqtrade trade`` does, FREQTRADE__… variables included.

    :raises ConfigurationError, OperationalException: freqtrade's own, when it cannot be used.
    """
    args: dict[str, Any] = {"config": list(files) or [DEFAULT_CONFIG], "verbosity": 0}
    if user_data_dir is not None:
        args["user_data_dir"] = str(user_data_dir)
    return load_config(args)


def load_config(arguments: Mapping[str, Any], runmode: RunMode | None = None) -> Config:
    """freqtrade's config for its command line `arguments`, of which `config` names the files.

    :raises ConfigurationError, OperationalException: when it cannot be used; the text quotes
        nothing out of the files.
    """
    files = list(arguments["config"])
    _require_files(files)
    check_files(files)
    try:
        with quiet_freqtrade():
            return dict(Configuration(dict(arguments), runmode).get_config())
    except KeyError as error:
        raise ConfigurationError(f"{', '.join(files)}: {error} is missing.") from None
    except (AttributeError, TypeError) as error:
        # A list where freqtrade looks for an object, and the like.
        reason = f"a setting has the wrong type ({error})"
        raise ConfigurationError(f"{', '.join(files)}: {reason}.") from None


def _require_files(files: Iterable[str]) -> None:
    for name in files:
        try:
            is_file, exists = Path(name).is_file(), Path(name).exists()
        except OSError as error:
            # Too long a name, say; Python before 3.14 does not call that "no file".
            raise ConfigurationError(f"{name} cannot be read ({error.strerror}).") from None
        if name == "-" or is_file:
            continue
        if exists:
            raise ConfigurationError(f"{name} is a folder, no config file.")
        raise ConfigurationError(
            f"Config file {name} does not exist. Name yours with -c, run this in the folder "
            f"that has {DEFAULT_CONFIG}, or let `bubbybot new` make one."
        )


def check_files(files: Iterable[str], folder: Path = Path(), *, depth: int = 0) -> None:
    """Refuse config files that are no JSON objects, those they add included.

    freqtrade's own message shows what stands around the error, keys included; this one tells the
    file and the line.

    :raises ConfigurationError: naming the file.
    """
    for name in files:
        file = folder / name
        # freqtrade itself ends a loop of files, and says which one is missing.
        if name == "-" or not file.is_file() or depth > MOST_NESTED:
            continue
        content = _parsed(file)
        check_files(content.get("add_config_files", ()), file.resolve().parent, depth=depth + 1)


def _parsed(file: Path) -> Config:
    try:
        raw = file.read_bytes()
        content = rapidjson.loads(raw.decode("utf-8"), parse_mode=CONFIG_PARSE_MODE)
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        # Also of UTF-16, which PowerShell's > writes.
        raise ConfigurationError(f"{file} is no config: it is not text in UTF-8.") from None
    except rapidjson.JSONDecodeError as error:
        if raw.startswith(BOM_UTF8):
            raise ConfigurationError(
                f"{file} begins with a byte order mark, which freqtrade does not read: save it as "
                "UTF-8 without BOM."
            ) from None
        raise ConfigurationError(f"{file}{_place(str(error), raw)}") from None
    if not isinstance(content, dict):
        raise ConfigurationError(f"{file} is no config: it must begin with {{ and end with }}.")
    given = content.get("exchange")
    exchange = given if isinstance(given, dict) else {}
    for name in SECRETS:
        if not isinstance(exchange.get(name, ""), str):
            # freqtrade's message would show the value.
            raise ConfigurationError(f"{file}: exchange.{name} must be text, in quotes.")
    for name in TEXTS:
        if not isinstance(content.get(name, ""), str):
            raise ConfigurationError(f"{file}: {name} must be text, in quotes.")
    return content


def _place(message: str, raw: bytes) -> str:
    found = re.fullmatch(r"Parse error at offset (\d+): (.*)", message, flags=re.DOTALL)
    if found is None:
        return " is no JSON."
    line = raw[: int(found[1])].count(b"\n") + 1
    return f", line {line}: {found[2]}"


def database_url(url: str) -> URL:
    """A `db_url`, taken apart.

    :raises ConfigurationError: when SQLAlchemy cannot use it; passwords in it are not shown.
    """
    try:
        parsed = make_url(url)
        parsed.get_dialect().import_dbapi()
    except NoSuchModuleError:
        raise ConfigurationError(
            f"SQLAlchemy knows no database {parsed.drivername!r}; write db_url as "
            "sqlite:///trades.sqlite or postgresql+psycopg://…."
        ) from None
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            "db_url is no database URL; write it as sqlite:///trades.sqlite."
        ) from None
    except ImportError as error:
        raise ConfigurationError(
            f"db_url needs the Python package {error.name}, which is not installed."
        ) from None
    return parsed


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
        except (AttributeError, TypeError) as error:
            # Text or a number where ccxt looks for an object, as in ccxt_config or urls.
            raise FreqtradeException(
                f"exchange: a setting has the wrong type ({error}); look at ccxt_config, "
                "ccxt_sync_config and ccxt_async_config."
            ) from None
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
