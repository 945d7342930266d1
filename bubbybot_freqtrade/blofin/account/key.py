"""What an API key may do, until when, and who else can read it; asked when a live bot starts."""

import logging
import math
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ccxt
import rapidjson
from freqtrade.exceptions import ConfigurationError, OperationalException
from freqtrade.util import dt_from_ts, dt_now

logger = logging.getLogger(__name__)

EXPIRY_WARNING = timedelta(days=10)
REMINDER_INTERVAL = timedelta(days=1)

SECRETS = ("key", "secret", "password")

# Nothing, and into the account that trades: refused to a key that may not transfer (152404), and
# without effect for one that may. BloFin's query-apikey does not tell this permission.
_NO_TRANSFER = {
    "currency": "USDT",
    "amount": "0",
    "fromAccount": "funding",
    "toAccount": "futures",
}
_NOT_PERMITTED = "152404"


@dataclass(slots=True)
class ApiKey:
    """The key in use; `expires` is None for a key without end (one with an IP list)."""

    expires: datetime | None = None
    _reminded: datetime | None = field(default=None, repr=False)

    def remind(self) -> None:
        """Warn once a day when the key is about to expire."""
        now = dt_now()
        if self.expires is None or self.expires - now > EXPIRY_WARNING:
            return
        if self._reminded is not None and now - self._reminded < REMINDER_INTERVAL:
            return
        self._reminded = now
        days = max(math.ceil((self.expires - now) / timedelta(days=1)), 0)
        logger.warning(
            f"The BloFin API key expires in {days} days "
            f"({self.expires:%Y-%m-%d %H:%M} UTC); after that the bot can neither enter nor exit, "
            "only the stops at BloFin stay. Make a new key, put it into the secrets file and send "
            "/reload_config. Keys with an IP list do not expire."
        )


def check_api_key(api: Any, *, allow_transfer: bool) -> ApiKey:
    """Refuse a key that can't trade, or that can do more than trade.

    :param api: ccxt's sync BloFin.
    :param allow_transfer: `exchange.allow_transfer_permission`, the owner's word that it may.
    :raises OperationalException: when the bot must not start with this key.
    """
    key = ApiKey()
    try:
        with _unlogged(api.logger):
            facts = api.privateGetUserQueryApikey()["data"]
    except ccxt.BadRequest as e:
        logger.warning(
            "BloFin does not tell when this API key expires, nor whether it may trade. Keys "
            "without an IP list expire after 90 days: look at BloFin's page of API keys, the bot "
            f"will not remind you. {e}"
        )
    else:
        if str(facts.get("readOnly")) == "1":
            raise OperationalException(
                "This BloFin API key may only read. Make one with permission to trade."
            )
        expires = int(facts.get("expireTime") or 0)
        key.expires = dt_from_ts(expires) if expires > 0 else None
    if not allow_transfer and _may_transfer(api):
        raise OperationalException(
            "This BloFin API key may transfer funds, which the bot never does and a thief would. "
            "Make a key with permission to read and trade only, or set "
            "exchange.allow_transfer_permission to true."
        )
    key.remind()
    return key


@contextmanager
def _unlogged(ccxt_logger: logging.Logger) -> Iterator[None]:
    """The answer names the key, and ccxt's debug log shows every answer."""

    def drop(_: logging.LogRecord) -> bool:
        return False

    ccxt_logger.addFilter(drop)
    try:
        yield
    finally:
        ccxt_logger.removeFilter(drop)


def _may_transfer(api: Any) -> bool:
    try:
        api.privatePostAssetTransfer(dict(_NO_TRANSFER))
    except (ccxt.OperationFailed, ccxt.InvalidNonce):
        # No answer on the matter.
        raise
    except ccxt.BaseError as e:
        return getattr(e, "code", None) != _NOT_PERMITTED
    return True


def is_on_this_machine(api: ccxt.Exchange) -> bool:
    """Whether requests go to a sandbox here, whose key opens nothing."""
    return urlsplit(api.urls["api"]["rest"]).hostname == "127.0.0.1"


def check_secrets_files(files: Iterable[str]) -> None:
    """Refuse config files that hold a key and that other users of the machine can read.

    :raises ConfigurationError: naming the file and the command that mends it.
    """
    if os.name != "posix":
        return
    for file in map(Path, files):
        if not file.is_file() or not _holds_secrets(file):
            continue
        if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigurationError(
                f"{file} holds an API key and other users of this machine can read it. "
                f"Run: chmod 600 {file}"
            )


def _holds_secrets(file: Path) -> bool:
    text = file.read_text(encoding="utf-8")
    mode = rapidjson.PM_COMMENTS | rapidjson.PM_TRAILING_COMMAS
    exchange = rapidjson.loads(text, parse_mode=mode).get("exchange", {})
    return any(exchange.get(name) for name in SECRETS)
