"""The account on the venue: modes, positions, balance."""

from collections.abc import Iterator
from pathlib import Path

from freqtrade.exceptions import ConfigurationError
from freqtrade.exchange import Exchange
from sqlalchemy.exc import SQLAlchemyError

from bubbybot_freqtrade.commands.doctor.database import open_trades_in
from bubbybot_freqtrade.commands.doctor.findings import Finding, note, ok, problem
from bubbybot_freqtrade.commands.doctor.pairs import limits
from bubbybot_freqtrade.commands.user_config import Config, database_url


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
        known = set() if file and not Path(file).exists() else {r[0] for r in open_trades_in(url)}
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
    mend = "Transfer some in the app: Assets, Transfer, to Futures."
    if total <= 0:
        yield problem("balance", f"No {currency} in the futures account.", mend)
        return
    if free <= 0:
        # What a full book of trades looks like, too.
        yield note("balance", f"{total:.2f} {currency}, all of it in open positions.", mend)
    else:
        yield ok("balance", f"{free:.2f} {currency} free of {total:.2f}.")
    yield from limits(exchange, config, total)
