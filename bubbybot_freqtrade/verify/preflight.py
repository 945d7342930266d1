"""May verify run here? Only on a demo account or a sandbox, a flat pair, and with enough funds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ccxt
from freqtrade.misc import deep_merge_dicts

from bubbybot_freqtrade.blofin.account.key import SECRETS
from bubbybot_freqtrade.blofin.ccxt_blofin import BlofinPro
from bubbybot_freqtrade.verify.client import NO_PERMISSION, NoAnswerError, RawBlofin
from bubbybot_freqtrade.verify.clock import Clock
from bubbybot_freqtrade.verify.desk import LARGEST_USDT, LEVERAGE, STOP_SHARE, Desk
from bubbybot_freqtrade.verify.exchanges import Exchanges
from bubbybot_freqtrade.verify.instrument import Instrument
from bubbybot_freqtrade.verify.journal import Account, Journal
from bubbybot_freqtrade.verify.probe import Probe
from bubbybot_freqtrade.verify.probes.partly import TRIES
from bubbybot_freqtrade.verify.view import MALFORMED, TRAILING_STOP

TAKER_FEE = Decimal("0.0006")
SLIPPAGE = Decimal("0.002")
# Smallest orders in the position of a probe, and its round trips; a difference is asked twice.
MULTIPLE = 5
ROUND_TRIPS = Decimal(2)
ROUND_TRIPS_OF = {
    "position-delay": 20,
    "fill-delay": 20,
    "list-delay": 22,
    "push-delay": 22,
    "push-order": 20,
}
BUYS_UP_AN_OFFER = "attached-tpsl"


class RefusedError(Exception):
    """Verify must not run here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do, and the most it can cost."""

    host: str
    symbol: str
    size: Decimal
    notional: Decimal
    largest: Decimal
    cost: Decimal
    probes: int


def open_client(config: Mapping[str, Any], clock: Clock, exchanges: Exchanges) -> RawBlofin:
    """ccxt's BloFin as the config has it, on a demo account or a sandbox, its markets loaded.

    :raises RefusedError: for any other host, without keys, or when the venue does not answer
    """
    settings = config["exchange"]
    if settings.get("name") != "blofin":
        raise RefusedError(f"exchange.name is {settings.get('name')}: verify asks BloFin only.")
    missing = [name for name in SECRETS if not settings.get(name)]
    if missing:
        names = ", ".join(f"FREQTRADE__EXCHANGE__{name.upper()}" for name in missing)
        raise RefusedError(f"No key: {names} missing. Fill .env in with a key of the demo account.")
    own = {
        "apiKey": settings["key"],
        "secret": settings["secret"],
        "password": settings["password"],
        **deep_merge_dicts(
            dict(settings.get("ccxt_sync_config", {})), dict(settings.get("ccxt_config", {}))
        ),
    }
    exchanges.hide(settings[name] for name in SECRETS)
    client = RawBlofin(own, clock, exchanges)
    if settings.get("demo_trading"):
        client.enable_demo_trading(True)
    check_host(client)
    try:
        client.load_markets()
    except ccxt.BaseError as error:
        raise RefusedError(exchanges.masked(f"The markets cannot be loaded: {error}")) from error
    return client


def check_host(client: RawBlofin) -> None:
    """Refuse every host that is not the demo account's or this machine's.

    :raises RefusedError: naming the host
    """
    demo = BlofinPro().describe()["urls"]["test"]
    allowed = {urlsplit(url).hostname for url in (demo["rest"], *demo["ws"]["swap"].values())}
    allowed |= {"127.0.0.1", "localhost", "::1"}
    sockets = (client.websocket_url(private=private) for private in (True, False))
    for address in (client.urls["api"]["rest"], *sockets):
        if urlsplit(address).hostname in allowed:
            continue
        raise RefusedError(
            f"{urlsplit(address).hostname} is not the demo account: verify sends real orders and "
            "runs there only. Use -c config.demo.json (exchange.demo_trading) with a demo key."
        )


def account_of(client: RawBlofin) -> Account:
    """Whose account the key opens, by a digest.

    :raises RefusedError: when the venue does not take the key
    """
    try:
        row = client.call("GET", "user/query-apikey").row
        uid = str(row["uid"])
    except (NoAnswerError, *MALFORMED) as error:
        raise RefusedError(f"The key is not told of: {error}.") from error
    if str(row.get("readOnly")) == "1":
        raise RefusedError("The key may only read: make one of the demo account that may trade.")
    client.exchanges.hide([uid, *(str(ip) for ip in row.get("ips") or ())])
    host = urlsplit(client.urls["api"]["rest"]).netloc
    return Account(host, hashlib.sha256(f"{host} {uid}".encode()).hexdigest()[:16])


def choose_pair(client: RawBlofin, asked: str | None, whitelist: Iterable[str]) -> Instrument:
    """The pair asked for, or the cheapest to hold of the whitelist.

    A contract worth one base unit tells contracts and base units not apart: others come first.

    :raises RefusedError: when the venue does not have it
    """
    listed = [s for s, m in client.markets.items() if m["swap"] and m["linear"] and m["active"]]
    wanted = [asked] if asked else [pair for pair in whitelist if pair in listed] or listed
    if asked and asked not in listed:
        raise RefusedError(f"BloFin has no pair {asked} to trade now; write BTC/USDT:USDT.")
    try:
        tickers = client.fetch_tickers()
    except ccxt.BaseError as error:
        raise RefusedError(f"No prices: {error}") from error
    instruments = []
    for symbol in wanted:
        if (last := (tickers.get(symbol) or {}).get("last")) is not None:
            of = Instrument.of(symbol, client.market(symbol)["info"])
            worth = of.min_size * of.contract_value * Decimal(str(last))
            instruments.append((of.contract_value == 1, worth, symbol, of))
    if not instruments:
        raise RefusedError("No pair has a price now.")
    return min(instruments, key=lambda entry: entry[:3])[-1]


def open_desk(
    client: RawBlofin, config: Mapping[str, Any], pair: str | None, folder: Path, clock: Clock
) -> Desk:
    """The desk of a run, its journal read; whether it may trade is not checked yet.

    :raises RefusedError, JournalError: when there can be none
    """
    journal = Journal.open(folder, account_of(client))
    try:
        left = next((intent.inst_id for intent in journal.unsettled), None)
        symbol = client.safe_symbol(left, None, "-", "swap") if left else pair
        instrument = choose_pair(client, symbol, config["exchange"].get("pair_whitelist", ()))
        hedged = is_hedged(client)
    except RefusedError:
        journal.close()
        raise
    margin_mode = str(config.get("margin_mode") or "isolated")
    return Desk(client, journal, clock, instrument, margin_mode, hedged=hedged)


def is_hedged(client: RawBlofin) -> bool:
    """Whether the account is in hedge mode.

    :raises RefusedError: when it is not told, or in Multi-Position mode
    """
    try:
        mode = client.call("GET", "account/position-mode").row
    except NoAnswerError as error:
        raise RefusedError(f"The position mode is not told: {error}.") from error
    if str(mode.get("multiPosition")).lower() == "true":
        raise RefusedError("The account is in Multi-Position mode: switch it off in the app.")
    return mode.get("positionMode") == "long_short_mode"


def check_flat(desk: Desk) -> None:
    """Refuse a pair with anything of somebody's on it.

    :raises RefusedError: naming what is open
    """
    inst_id = desk.instrument.inst_id
    try:
        algos = desk.get(
            "trade/orders-algo-pending",
            expecting=(NO_PERMISSION,),
            instId=inst_id,
            orderType=TRAILING_STOP,
        )
        there = {
            "a position": desk.rows("account/positions"),
            "an order": desk.rows("trade/orders-pending"),
            "a TP/SL": desk.rows("trade/orders-tpsl-pending"),
            "a trigger order": desk.rows("trade/orders-algo-pending", orderType="trigger"),
            # Refused where the venue knows no such type.
            "a trailing stop": algos.rows if algos.ok else [],
        }
    except NoAnswerError as error:
        raise RefusedError(f"Not known to be flat: {error}.") from error
    for what, rows in there.items():
        if rows:
            raise RefusedError(
                f"{inst_id} has {what}: close it, or name a pair that is flat with --pair."
            )


def plan(desk: Desk, probes: Iterable[Probe]) -> Plan:
    """What will be done.

    :raises RefusedError: when the balance is too small for it
    """
    chosen = list(probes)
    try:
        last = desk.prices().last
        details = desk.get("account/balance").row.get("details", ())
        free = sum(Decimal(row["available"]) for row in details if row["currency"] == "USDT")
    except (NoAnswerError, *MALFORMED) as error:
        raise RefusedError(f"Balance and price are not told: {error}.") from error
    notional = desk.smallest * desk.instrument.contract_value * last
    trips = sum((Decimal(ROUND_TRIPS_OF.get(p.name, ROUND_TRIPS)) for p in chosen), Decimal(0))
    offers = 2 * TRIES * LARGEST_USDT if BUYS_UP_AN_OFFER in {p.name for p in chosen} else 0
    traded = trips * MULTIPLE * notional + offers
    cost = traded * (2 * TAKER_FEE + STOP_SHARE + SLIPPAGE)
    largest = max(MULTIPLE * notional, Decimal(LARGEST_USDT if offers else 0))
    needed = cost + largest / LEVERAGE * Decimal("1.1")
    if free < needed:
        raise RefusedError(
            f"{free:.2f} USDT are free, it takes {needed:.2f}: add demo funds in the app, or name "
            "a cheaper pair with --pair."
        )
    host = desk.journal.account.host
    return Plan(host, desk.instrument.symbol, desk.smallest, notional, largest, cost, len(chosen))
