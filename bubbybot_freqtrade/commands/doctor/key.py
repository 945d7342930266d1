"""The API key: what BloFin says about it, and who else can read it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from freqtrade.exceptions import ConfigurationError, OperationalException
from freqtrade.exchange import Exchange

from bubbybot_freqtrade.blofin.account.key import (
    check_api_key,
    check_secrets_files,
    is_on_this_machine,
)
from bubbybot_freqtrade.commands.doctor.findings import Finding, note, ok, problem
from bubbybot_freqtrade.commands.output import one_line
from bubbybot_freqtrade.commands.user_config import Config, quiet_freqtrade

KEY_EXPIRES_SOON = timedelta(days=14)


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
        yield problem("key", one_line(error))
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
            "It is bound to no IP: whoever has it can trade with it.",
            "Bind it to this machine's address; BloFin lets keys without one expire.",
        )
    lasts = f"until {expires:%Y-%m-%d}" if left is not None else "without expiry"
    bound = f"bound to {len(addresses)} address(es)" if addresses else "bound to no address"
    yield ok("key", f"May read and trade, {bound}, {lasts}.")


def readable_by_others(exchange: Exchange, config: Config) -> str:
    """Why the bot would not start with these config files; empty when it would."""
    if is_on_this_machine(exchange._api):
        return ""
    try:
        check_secrets_files(config["config_files"])
    except ConfigurationError as error:
        return one_line(error)
    return ""
