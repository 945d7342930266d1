"""Who is asking, and may they: the venue's signature scheme and its refusals, in its order."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from bubbybot_freqtrade.sandbox.settings import ApiKey, Permission
from bubbybot_freqtrade.sandbox.venue.errors import VenueError

WINDOW_MS = 60_000
WEBSOCKET_PATH = "/users/self/verify"
# A time in ms has 13 digits until the year 2286; seconds and microseconds have not.
_MILLISECOND_DIGITS = 13


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a signed request or a websocket login carries."""

    api_key: str
    passphrase: str
    timestamp: str
    nonce: str
    sign: str

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Credentials:
        """Out of the ACCESS- headers of a REST request."""
        return cls(
            headers.get("ACCESS-KEY", ""),
            headers.get("ACCESS-PASSPHRASE", ""),
            headers.get("ACCESS-TIMESTAMP", ""),
            headers.get("ACCESS-NONCE", ""),
            headers.get("ACCESS-SIGN", ""),
        )


def signature(secret: str, path: str, method: str, timestamp: str, nonce: str, body: str) -> str:
    """base64 of the hex digest of HMAC-SHA256 over path+method+timestamp+nonce+body."""
    prehash = f"{path}{method}{timestamp}{nonce}{body}"
    digest = hmac.new(secret.encode(), prehash.encode(), hashlib.sha256).hexdigest()
    return base64.b64encode(digest.encode()).decode()


class Gate:
    """Checks credentials against the keys of the venue and remembers nonces for 60 seconds."""

    def __init__(self) -> None:
        """Nothing has been seen yet."""
        self._nonces: OrderedDict[tuple[str, str], int] = OrderedDict()

    def admit(
        self,
        keys: Mapping[str, ApiKey],
        credentials: Credentials,
        *,
        path: str,
        method: str,
        body: str,
        ip: str,
        now_ms: int,
    ) -> ApiKey:
        """The key behind the request; VenueError 152401..152410 when it may not pass."""
        key = keys.get(credentials.api_key)
        if key is None:
            raise VenueError("152401")
        if key.expires_ms is not None and now_ms >= key.expires_ms:
            raise VenueError("152402")
        if key.ips and ip not in key.ips:
            raise VenueError("152406")
        if not hmac.compare_digest(key.passphrase, credentials.passphrase):
            raise VenueError("152408")
        self._check_time(credentials.timestamp, now_ms)
        expected = signature(
            key.secret, path, method, credentials.timestamp, credentials.nonce, body
        )
        if not hmac.compare_digest(expected.encode(), credentials.sign.encode()):
            raise VenueError("152409")
        self._use_nonce(key.api_key, credentials.nonce, now_ms)
        return key

    @staticmethod
    def _check_time(timestamp: str, now_ms: int) -> None:
        if not timestamp.isascii() or not timestamp.isdigit():
            raise VenueError("152410")
        if len(timestamp) != _MILLISECOND_DIGITS:
            raise VenueError("152410")
        if abs(int(timestamp) - now_ms) > WINDOW_MS:
            raise VenueError("152405")

    def _use_nonce(self, api_key: str, nonce: str, now_ms: int) -> None:
        while self._nonces:
            seen, at = next(iter(self._nonces.items()))
            if now_ms - at < WINDOW_MS:
                break
            del self._nonces[seen]
        if not nonce or (api_key, nonce) in self._nonces:
            raise VenueError("152407")
        self._nonces[api_key, nonce] = now_ms


def check_permission(key: ApiKey, needed: Permission) -> None:
    """TRADE includes READ, as the venue describes its permissions (152404)."""
    if needed in key.permissions or (needed == "READ" and "TRADE" in key.permissions):
        return
    raise VenueError("152404")


def check_broker(key: ApiKey, broker_id: str) -> None:
    """The brokerId of an order against what the key is bound to (152011..152013)."""
    if key.broker_id is None:
        return
    if key.broker_id == "":
        if broker_id:
            raise VenueError("152011")
    elif not broker_id:
        raise VenueError("152012")
    elif broker_id != key.broker_id:
        raise VenueError("152013")
