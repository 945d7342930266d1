"""`bubbybot doctor`: is this machine, this config and this account fit to trade?

One line for each point: what is wrong and how to mend it. Only looks, never changes anything.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from importlib.metadata import requires, version
from pathlib import Path
from typing import Any

import ccxt
import click
import requests
from freqtrade.configuration.config_validation import validate_config_consistency
from freqtrade.configuration.detect_environment import running_in_docker
from freqtrade.configuration.environment_vars import environment_vars_to_dict
from freqtrade.configuration.load_config import load_from_files
from freqtrade.exceptions import ConfigurationError, FreqtradeException, OperationalException
from freqtrade.exchange import Exchange
from freqtrade.plugins.pairlist.pairlist_helpers import expand_pairlist
from freqtrade.resolvers import StrategyResolver
from packaging.requirements import Requirement
from rich.console import Console
from rich.text import Text
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from bubbybot_freqtrade.blofin.account.key import (
    check_api_key,
    check_secrets_files,
    is_on_this_machine,
)
from bubbybot_freqtrade.commands.heartbeat import HUNG_AFTER, last_sign_of_life
from bubbybot_freqtrade.commands.user_config import (
    DEFAULT_CONFIG,
    Config,
    config_option,
    database_url,
    open_exchange,
    quiet_freqtrade,
    read_config,
    userdir_option,
)
from bubbybot_freqtrade.settings import BubbyBotSettings
from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy
from bubbybot_freqtrade.strategy.overrides import refuse_overrides

PACKAGE = "bubbybot-freqtrade"
TELEGRAM_API = "https://api.telegram.org"

TIMEOUT_S = 10
FREE_DISK_BYTES = 1_000_000_000
FREE_MEMORY_BYTES = 500_000_000
# The venue refuses a request whose time is 60 s off; the Date header is good for a second.
CLOCK_REFUSED_S = 60.0
CLOCK_NOTED_S = 5.0
KEY_EXPIRES_SOON = timedelta(days=14)
# By BloFin's number, what its words leave out.
MENDINGS = {
    "152408": "In .env it stands between single quotes: without them a shell reads $, &, # and "
    "spaces itself.",
}


class Verdict(StrEnum):
    """What a finding means for the bot."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor: the point, the verdict, what was found and how to mend it."""

    point: str
    verdict: Verdict
    found: str
    mend: str = ""

    @property
    def line(self) -> str:
        """Both sentences in one."""
        return f"{self.found} {self.mend}".rstrip()


def ok(point: str, found: str) -> Finding:
    """All is well."""
    return Finding(point, Verdict.OK, found)


def note(point: str, found: str, mend: str = "") -> Finding:
    """Worth knowing; the bot can trade."""
    return Finding(point, Verdict.NOTE, found, mend)


def problem(point: str, found: str, mend: str = "") -> Finding:
    """The bot cannot trade, or not safely, before this is mended."""
    return Finding(point, Verdict.PROBLEM, found, mend)


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
        yield problem("config", _one_line(error))
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


# --- this machine -------------------------------------------------------------------------------


def machine(folder: Path) -> Iterator[Finding]:
    """Python, disk and memory. (pip refuses to install the package on a Python that is too old.)"""
    python = ".".join(map(str, sys.version_info[:3]))
    existing = folder if folder.exists() else Path()
    free = shutil.disk_usage(existing).free
    if free < FREE_DISK_BYTES:
        yield problem(
            "machine",
            f"{free / 1e9:.1f} GB are free where {existing.resolve()} is.",
            "Make room: a full disk stops the database.",
        )
    memory = _available_memory()
    if memory is not None and memory < FREE_MEMORY_BYTES:
        yield note(
            "machine",
            f"{memory / 1e6:.0f} MB of memory are free.",
            "freqtrade needs about 500 MB; close something or use a larger machine.",
        )
    yield ok("machine", f"Python {python}, {os.cpu_count()} cores, {free / 1e9:.0f} GB disk free.")


def _available_memory() -> int | None:
    """Bytes that programs can still get; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kilobytes = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(kilobytes[0]) * 1024 if kilobytes else None


def versions() -> Iterator[Finding]:
    """What is installed beside what this package was tested with, and whose BloFin is in use."""
    wanted = {r.name: r for r in map(Requirement, requires(PACKAGE) or []) if r.marker is None}
    for name in ("freqtrade", "ccxt"):
        installed = version(name)
        if not wanted[name].specifier.contains(installed, prereleases=True):
            yield problem(
                "versions",
                f"{name} {installed} is installed, BubbyBot is tested with {wanted[name]}.",
                f"Run: pip install '{wanted[name]}'",
            )
    yield from _registration()
    installed = ", ".join(f"{name} {version(name)}" for name in (PACKAGE, "freqtrade", "ccxt"))
    yield ok("versions", f"{installed}.")


def _registration() -> Iterator[Finding]:
    import freqtrade.exchange

    registered = getattr(freqtrade.exchange, "Blofin", None)
    if registered is None or not registered.__module__.startswith("bubbybot_freqtrade."):
        yield problem(
            "versions",
            "freqtrade does not use BubbyBot's BloFin: entries would go out without their stop.",
            f"Install the package again (pip install --force-reinstall --no-deps {PACKAGE}).",
        )


# --- the running bot ----------------------------------------------------------------------------


def bot(logfile: Path) -> Iterator[Finding]:
    """Does the bot that writes this log still work, or does it hang?"""
    try:
        sign = last_sign_of_life(logfile)
    except OSError as error:
        yield problem(
            "bot",
            f"{logfile} cannot be read ({error.strerror}).",
            "Start the bot with --logfile, and give the same file here.",
        )
        return
    if sign is None:
        yield problem(
            "bot",
            f"{logfile} has no heartbeat of a bot.",
            "Start it with this --logfile; internals.heartbeat_interval must not be 0.",
        )
        return
    minutes = sign.age(datetime.now()) / timedelta(minutes=1)  # noqa: DTZ005 - as the log's times
    if minutes > HUNG_AFTER / timedelta(minutes=1):
        yield problem(
            "bot",
            f"Its last sign of life is {minutes:.0f} minutes old ({logfile}): it hangs or has "
            "ended.",
            "Start it again; stops and targets stand on BloFin meanwhile.",
        )
    else:
        yield ok("bot", f"Alive {max(minutes, 0) * 60:.0f} s ago, {sign.state}.")


# --- the config ---------------------------------------------------------------------------------


def configuration(config: Config) -> Iterator[Finding]:
    """freqtrade's own validation with the strategy in place, and BubbyBot's settings."""
    try:
        with quiet_freqtrade():
            BubbyBotSettings.from_config(config)
            strategy = StrategyResolver.load_strategy(config)
            if isinstance(strategy, BubbyBotStrategy):
                refuse_overrides(strategy, config)
            validate_config_consistency(config)
    except FreqtradeException as error:
        yield problem("config", _one_line(error), "See docs/configuration.md.")
        return
    orders = (
        "paper trading (dry_run)" if config["dry_run"] else f"real orders on {_account(config)}"
    )
    yield ok("config", f"{type(strategy).__name__}, {orders}, {config['trading_mode']}.")


def environment(files: Sequence[str]) -> Iterator[Finding]:
    """Settings of the config files that a FREQTRADE__… variable replaces, by name alone."""
    if "-" in files:
        # Standard input can be read once.
        return
    with quiet_freqtrade():
        replaced = sorted(_replaced(load_from_files(list(files)), environment_vars_to_dict()))
    if replaced:
        yield note(
            "environment",
            f"Set by FREQTRADE__… variables and otherwise in a config file: {', '.join(replaced)}.",
            "They win over the config files; where they should not, put a # before them in .env.",
        )


def _replaced(settings: Config, given: Config, path: str = "") -> Iterator[str]:
    for name, value in given.items():
        ours = settings.get(name)
        if isinstance(value, dict) and isinstance(ours, dict):
            yield from _replaced(ours, value, f"{path}{name}.")
        elif ours not in (None, "") and ours != value:
            yield f"{path}{name}"


def _account(config: Config) -> str:
    return "the demo account" if config["exchange"].get("demo_trading") else "the LIVE account"


def database(config: Config) -> Iterator[Finding]:
    """Can freqtrade's database be written, and whose open trades are in it?"""
    url = config["db_url"]
    try:
        parsed = database_url(url)
    except ConfigurationError as error:
        yield problem("database", _one_line(error))
        return
    shown = parsed.render_as_string(hide_password=True)
    file = parsed.database if url.startswith("sqlite") else None
    if url in ("sqlite://", "sqlite:///:memory:"):
        mend = "Set db_url to a file."
        if config["dry_run"]:
            yield note("database", "Trades are forgotten when the bot stops.", mend)
        else:
            yield problem("database", "A restart would forget open trades.", mend)
        return
    if file and (blocked := _cannot_write(Path(file))):
        yield problem("database", f"{shown}: {blocked}.", "Mend its owner or permissions.")
        return
    if file and not Path(file).exists():
        yield ok("database", f"{shown} will be created.")
        return
    try:
        rows = _open_trades(url)
    except SQLAlchemyError as error:
        yield problem(
            "database",
            f"{shown} cannot be read: {_one_line(getattr(error, 'orig', None) or error)}.",
            "Check db_url and that its server runs; restore a damaged file from a copy.",
        )
        return
    foreign = sorted({row[1] for row in rows} - {config["exchange"]["name"]})
    if foreign:
        yield problem(
            "database",
            f"{shown} has open trades of {', '.join(foreign)}.",
            "Give each bot a db_url of its own.",
        )
        return
    yield ok("database", f"{shown}, {len(rows)} open trades.")


def _cannot_write(file: Path) -> str:
    """Why freqtrade could not write a SQLite file; empty when it can."""
    if not file.parent.is_dir():
        return f"the folder {file.parent} does not exist"
    if not os.access(file.parent, os.W_OK):
        return f"the folder {file.parent} is not writable"
    return "the file is not writable" if file.exists() and not os.access(file, os.W_OK) else ""


def _open_trades(url: str) -> list[tuple[str, str]]:
    """Pair and exchange of all open trades; none in a database without tables yet."""
    engine = create_engine(url)
    try:
        if not inspect(engine).has_table("trades"):
            return []
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT pair, exchange FROM trades WHERE is_open"))
            return [(row[0], row[1]) for row in rows]
    finally:
        engine.dispose()


# --- Telegram and REST --------------------------------------------------------------------------


def telegram(config: Config, api: str = TELEGRAM_API) -> Iterator[Finding]:
    """Does the token work, and can the bot write to the chat?"""
    settings = config.get("telegram", {})
    if not settings.get("enabled"):
        yield note("telegram", "Off.", "It is the way to be told and to act from a phone.")
        return
    token, chat_id = str(settings.get("token", "")), str(settings.get("chat_id", ""))
    empty = [name for name, value in (("TOKEN", token), ("CHAT_ID", chat_id)) if not value]
    if empty:
        names = ", ".join(f"FREQTRADE__TELEGRAM__{name}" for name in empty)
        yield problem(
            "telegram",
            f"It is on, and empty: {names}.",
            "Fill them in (the token is @BotFather's), or set FREQTRADE__TELEGRAM__ENABLED=false.",
        )
        return
    try:
        me = _ask_telegram(api, token, "getMe")
        chat = _ask_telegram(api, token, "getChat", chat_id=chat_id)
    except requests.RequestException as error:
        # The error's text has the address in it, and the address the token.
        yield problem(
            "telegram",
            f"{api} does not answer ({type(error).__name__}).",
            "Check this machine's network and proxy.",
        )
        return
    if not me.get("ok"):
        yield problem(
            "telegram",
            f"The token is refused ({me.get('description', 'no reason given')}).",
            "Copy it again from @BotFather into FREQTRADE__TELEGRAM__TOKEN.",
        )
    elif not chat.get("ok"):
        reason = chat.get("description", "no reason given")
        yield problem(
            "telegram",
            f"Chat {chat_id or '(none)'} is refused ({reason}).",
            "Write /start to your bot and set FREQTRADE__TELEGRAM__CHAT_ID to your chat's id.",
        )
    else:
        yield ok("telegram", f"@{me['result'].get('username')} writes to chat {chat_id}.")


def _ask_telegram(api: str, token: str, method: str, **parameters: str) -> dict[str, Any]:
    answer = requests.get(f"{api}/bot{token}/{method}", params=parameters, timeout=TIMEOUT_S)
    try:
        content = answer.json()
    except ValueError:
        return {"ok": False, "description": f"HTTP {answer.status_code}"}
    return content if isinstance(content, dict) else {"ok": False}


# Empty, or out of freqtrade's example configs.
KNOWN_SECRETS = ("", "somethingrandom", "super-secret", "SuperSecurePassword", "SuperSecret1!")


def rest_api(config: Config) -> Iterator[Finding]:
    """Is freqtrade's REST API, if on, kept to this machine?"""
    settings = config.get("api_server", {})
    if not settings.get("enabled"):
        return
    if unsafe := [
        name for name in ("password", "jwt_secret_key") if settings.get(name, "") in KNOWN_SECRETS
    ]:
        yield problem(
            "REST API",
            f"api_server has no {' and no '.join(unsafe)}, or one that everybody knows.",
            "bubbybot secrets generates them into .env.",
        )
        return
    host, port = settings["listen_ip_address"], settings["listen_port"]
    if host not in ("127.0.0.1", "::1", "localhost"):
        # A container's own network is closed but for the ports that are published.
        yield (note if running_in_docker() else problem)(
            "REST API",
            f"It listens on {host}:{port}: whoever reaches that can trade with its password.",
            "Use 127.0.0.1, and a VPN or an SSH tunnel from outside.",
        )
        return
    yield ok("REST API", f"On {host}:{port}, this machine only.")


# --- the venue ----------------------------------------------------------------------------------


def venue(config: Config) -> Iterator[Finding]:
    """Everything that only the venue knows: clock, pairs, and with keys the account."""
    try:
        exchange = open_exchange(config)
    except FreqtradeException as error:
        yield problem(
            "venue",
            _one_line(error.__cause__ or error),
            "Check this machine's network and BloFin's status page.",
        )
        return
    try:
        yield from _asking("clock", lambda: clock(exchange._api.urls["api"]["rest"]))
        yield from pairs(exchange, config)
        if config["dry_run"]:
            yield note("key", "Paper trading needs none: key, account and balance not examined.")
            return
        yield from _account_findings(exchange, config)
    finally:
        exchange.close()


def _account_findings(exchange: Exchange, config: Config) -> Iterator[Finding]:
    credentials = ("key", "secret", "password")
    missing = [name for name in credentials if not config["exchange"].get(name)]
    if missing:
        names = ", ".join(f"FREQTRADE__EXCHANGE__{name.upper()}" for name in missing)
        yield problem(
            "key", f"Missing: {names}.", "Fill .env in and load it: set -a; . ./.env; set +a"
        )
        return
    if unsafe := _readable_by_others(exchange, config):
        yield problem("key", unsafe)
    refused = False
    allow_transfer = bool(config["exchange"].get("allow_transfer_permission"))
    for finding in _asking("key", lambda: key(exchange, allow_transfer=allow_transfer)):
        refused = refused or (finding.verdict is Verdict.PROBLEM)
        yield finding
    if refused:
        yield note("account", "Not examined: the key comes first.")
        return
    yield from _asking("account mode", lambda: account_mode(exchange))
    yield from _asking("positions", lambda: positions(exchange, config))
    yield from _asking("balance", lambda: balance(exchange, config))


def _asking(point: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """The check's findings, and the venue's refusal as one of them."""
    try:
        yield from check()
    except (ccxt.BaseError, FreqtradeException, requests.RequestException) as error:
        yield problem(point, _one_line(error), MENDINGS.get(getattr(error, "code", ""), ""))


def clock(url: str) -> Iterator[Finding]:
    """This machine's time beside the Date header of the venue at `url`."""
    offset = clock_offset(url)
    mend = "Synchronise the clock (NTP, e.g. timedatectl set-ntp true)."
    if offset is None:
        yield note("clock", f"{url} sends no Date header: this machine's clock was not compared.")
    elif abs(offset) > CLOCK_REFUSED_S / 2:
        yield problem(
            "clock", f"{offset:+.0f} s off; BloFin refuses {CLOCK_REFUSED_S:.0f} s and more.", mend
        )
    elif abs(offset) > CLOCK_NOTED_S:
        yield note("clock", f"{offset:+.0f} s off.", mend)
    else:
        yield ok("clock", f"Within {CLOCK_NOTED_S:.0f} s of BloFin's.")


def clock_offset(url: str) -> float | None:
    """Seconds that this machine's clock is ahead of the server's; None without a Date header.

    :raises requests.RequestException: when the server does not answer.
    """
    asked = datetime.now(UTC)
    answer = requests.get(f"{url}/api/v1/market/tickers?instId=BTC-USDT", timeout=TIMEOUT_S)
    answered = datetime.now(UTC)
    if "Date" not in answer.headers:
        return None
    # The header has whole seconds, rounded down.
    server = parsedate_to_datetime(answer.headers["Date"]) + timedelta(seconds=0.5)
    return (asked + (answered - asked) / 2 - server).total_seconds()


def pairs(exchange: Exchange, config: Config) -> Iterator[Finding]:
    """Are the pairs of the whitelist there, tradable and staying?"""
    handler = config.get("pairlists", [{"method": "StaticPairList"}])[0]["method"]
    if handler != "StaticPairList":
        yield note("pairs", f"{handler} chooses them while the bot runs: not examined.")
        return
    try:
        listed = sorted(set(_whitelist(exchange, config)))
    except ValueError as error:
        yield problem("pairs", _one_line(error), "Mend exchange.pair_whitelist.")
        return
    unknown = [pair for pair in listed if pair not in exchange.markets]
    idle = [pair for pair in listed if not exchange.markets.get(pair, {}).get("active", True)]
    leaving = {p: exchange.check_delisting_time(p) for p in listed if p in exchange.markets}
    for names, what in ((unknown, "BloFin does not have"), (idle, "not tradable at present:")):
        if names:
            yield problem(
                "pairs", f"{what} {', '.join(names)}.", "Take them out of exchange.pair_whitelist."
            )
    for pair, moment in leaving.items():
        if moment is not None:
            yield note("pairs", f"{pair} is delisted on {moment:%Y-%m-%d %H:%M} UTC.")
    good = len(listed) - len(unknown) - len(idle)
    if good > 0:
        yield ok("pairs", f"{good} tradable.")
    elif not (unknown or idle):
        yield problem("pairs", "None.", "Fill exchange.pair_whitelist.")


def _whitelist(exchange: Exchange, config: Config) -> list[str]:
    """The whitelist with its patterns expanded; pairs that the venue lacks are left in."""
    listed = config["exchange"]["pair_whitelist"]
    return expand_pairlist(listed, list(exchange.markets), keep_invalid=True)


def _readable_by_others(exchange: Exchange, config: Config) -> str:
    """Why the bot would not start with these config files; empty when it would."""
    if is_on_this_machine(exchange._api):
        return ""
    try:
        check_secrets_files(config["config_files"])
    except ConfigurationError as error:
        return _one_line(error)
    return ""


def key(exchange: Exchange, *, allow_transfer: bool = False) -> Iterator[Finding]:
    """What BloFin says about the API key: permissions, IP list, expiry.

    It tells of the permission to transfer only when it is asked for a transfer, of nothing.
    """
    row = exchange._api.privateGetUserQueryApikey()["data"]
    if str(row.get("readOnly")) == "1":
        yield problem("key", "It may only read.", "Create a key with READ and TRADE permission.")
        return
    try:
        with quiet_freqtrade():
            check_api_key(exchange._api, allow_transfer=allow_transfer)
    except OperationalException as error:
        yield problem("key", _one_line(error))
        return
    expires = datetime.fromtimestamp(int(row.get("expireTime") or 0) / 1000, UTC)
    left = expires - datetime.now(UTC) if expires.year > 1970 else None
    if left is not None and left < KEY_EXPIRES_SOON:
        yield note(
            "key",
            f"It expires on {expires:%Y-%m-%d}; then the bot can neither open nor close.",
            "Create a new key; bound to your IP it does not expire.",
        )
    addresses = [ip for ip in row.get("ips") or [] if ip]
    if not addresses:
        yield note(
            "key",
            "It is bound to no IP: whoever has it can trade with it, and it expires after 90 days.",
            "Bind it to this machine's address.",
        )
    lasts = f"until {expires:%Y-%m-%d}" if left is not None else "without expiry"
    bound = f"bound to {len(addresses)} address(es)" if addresses else "bound to no address"
    yield ok("key", f"May read and trade, {bound}, {lasts}.")


def account_mode(exchange: Exchange) -> Iterator[Finding]:
    """Position and margin mode of the account beside the config's."""
    api = exchange._api
    hedged = api.fetch_position_mode()["hedged"]
    position_mode = "long_short_mode" if hedged else "net_mode"
    wanted = {
        "exchange.position_mode": (exchange.position_mode, position_mode),
        "margin_mode": (
            exchange.margin_mode.value,
            api.privateGetAccountMarginMode()["data"]["marginMode"],
        ),
    }
    others = {name: pair for name, pair in wanted.items() if pair[0] != pair[1]}
    if not others:
        yield ok("account mode", ", ".join(mode for mode, _ in wanted.values()) + ".")
        return
    busy = bool(api.fetch_positions() or api.fetch_open_orders())
    for name, (mine, theirs) in others.items():
        found = f"{name} is {mine}, the account is in {theirs}."
        if busy:
            mend = f"Close what is open (it cannot change before), or set {name} to {theirs}."
            yield problem("account mode", found, mend)
        else:
            yield note("account mode", found, "The bot switches it at its start.")


def positions(exchange: Exchange, config: Config) -> Iterator[Finding]:
    """Positions on the venue beside the trades of the database."""
    held = {row["symbol"] for row in exchange._api.fetch_positions() if row["contracts"]}
    url = config["db_url"]
    try:
        file = database_url(url).database if url.startswith("sqlite") else None
        known = set() if file and not Path(file).exists() else {r[0] for r in _open_trades(url)}
    except (ConfigurationError, SQLAlchemyError):
        yield note("positions", "Not compared: the database cannot be read.")
        return
    for pair in sorted(held - known):
        yield problem(
            "positions",
            f"{pair} has a position that this bot's database does not know.",
            "Close it in the app, or start the bot that holds it; the pair is not traded before.",
        )
    for pair in sorted(known - held):
        yield note(
            "positions",
            f"The open trade of {pair} has no position on BloFin (yet).",
            "A running bot settles that within a minute.",
        )
    if held <= known:
        yield ok("positions", f"{len(held)} on BloFin, all known.")


def balance(exchange: Exchange, config: Config) -> Iterator[Finding]:
    """Free balance, and for which pairs the account is too small."""
    currency = config["stake_currency"]
    row = exchange.get_balances().get(currency) or {}
    free, total = float(row.get("free") or 0), float(row.get("total") or 0)
    if free <= 0:
        yield problem(
            "balance",
            f"No free {currency} in the futures account ({total:.2f} in all).",
            "Transfer some in the app: Assets, Transfer, to Futures.",
        )
        return
    yield ok("balance", f"{free:.2f} {currency} free of {total:.2f}.")
    yield from limits(exchange, config, total)


def limits(exchange: Exchange, config: Config, equity: float) -> Iterator[Finding]:
    """Is the account large enough for each pair's smallest order under the config's rules?"""
    listed = [
        pair
        for pair in _whitelist(exchange, config)
        if exchange.markets.get(pair, {}).get("active")
    ]
    try:
        settings = BubbyBotSettings.from_config(config)
    except ConfigurationError:
        # Said under "config"; without the rules there is no smallest order.
        return
    needs = {pair: smallest_equity(exchange, pair, settings) for pair in listed}
    small = {pair: need for pair, need in needs.items() if need > equity}
    for pair, need in small.items():
        yield note(
            "limits",
            f"{pair}: its smallest order needs {need:.2f} {config['stake_currency']} of equity, "
            f"the account has {equity:.2f}.",
            "It is never traded before; take it out or add funds.",
        )
    if needs and len(small) == len(needs):
        yield problem("limits", "The account is too small for every pair.", "Add funds.")
    elif needs:
        yield ok("limits", f"The account is large enough for {len(needs) - len(small)} pairs.")


def smallest_equity(exchange: Exchange, pair: str, settings: BubbyBotSettings) -> float:
    """Equity (quote currency) below which no plan for `pair` fits: risk and margin of one lot.

    The smallest order with the tightest stop may lose `risk.max_risk`, and its margin at the
    highest leverage may be `risk.max_margin` of equity.
    """
    market = exchange.markets[pair]
    price = float(exchange.fetch_ticker(pair)["last"] or 0)
    contracts = float(market["limits"]["amount"]["min"] or 0)
    notional = contracts * float(market.get("contractSize") or 1) * price
    tiers = exchange._api.fetch_market_leverage_tiers(pair)
    leverage = min(settings.risk.max_leverage, float(tiers[0]["maxLeverage"]))
    lost = settings.risk.min_stop + 2 * float(market.get("taker") or 0)
    return max(
        notional * lost / settings.risk.max_risk,
        notional / leverage / settings.risk.max_margin,
    )


def _one_line(error: object) -> str:
    """An error's text in one line, ending like a sentence."""
    line = " ".join(str(error).split()) or type(error).__name__
    return line if line.endswith((".", "!", "?")) else f"{line}."


# --- the command --------------------------------------------------------------------------------

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
