"""Everything that only the venue knows: clock, pairs, and with keys the account."""

from collections.abc import Callable, Iterator

import ccxt
import requests
from freqtrade.exceptions import FreqtradeException
from freqtrade.exchange import Exchange

from bubbybot_freqtrade.commands.doctor.account import account_mode, balance, positions
from bubbybot_freqtrade.commands.doctor.clock import clock
from bubbybot_freqtrade.commands.doctor.findings import Finding, Verdict, note, problem
from bubbybot_freqtrade.commands.doctor.key import key, readable_by_others
from bubbybot_freqtrade.commands.doctor.pairs import pairs
from bubbybot_freqtrade.commands.doctor.profile import profile
from bubbybot_freqtrade.commands.output import one_line
from bubbybot_freqtrade.commands.user_config import Config, open_exchange

MENDINGS = {
    "152408": "In .env it stands between single quotes: without them a shell reads $, &, # and "
    "spaces itself.",
}


def venue(config: Config) -> Iterator[Finding]:
    """Everything that only the venue knows: clock, pairs, and with keys the account."""
    try:
        exchange = open_exchange(config)
    except FreqtradeException as error:
        yield problem(
            "venue",
            one_line(error.__cause__ or error),
            "Check this machine's network and BloFin's status page.",
        )
        return
    try:
        yield from _asking("clock", lambda: clock(exchange._api.urls["api"]["rest"]))
        yield from pairs(exchange, config)
        yield from profile(exchange, config)
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
    if unsafe := readable_by_others(exchange, config):
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
        yield problem(point, one_line(error), MENDINGS.get(getattr(error, "code", ""), ""))
