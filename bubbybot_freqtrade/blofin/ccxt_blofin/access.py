"""Who is asking, and which BloFin is asked: signatures, live and demo hosts."""

import base64
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import ccxt

_SECRET_HEADERS = ("ACCESS-KEY", "ACCESS-PASSPHRASE", "ACCESS-SIGN")

OF_THE_WALLET = ("account/balance", "account/positions")
"""What is held. Asking for it changes nothing, and tells of no order."""


class SignedHeaders(dict):
    """Request headers that do not show keys, passphrase and signature when they are printed.

    ccxt writes the headers of every request to its debug log.
    """

    def __repr__(self) -> str:
        return repr({k: "***" if k in _SECRET_HEADERS else v for k, v in self.items()})

    __str__ = __repr__


class Access:
    """Signing and the choice of hosts; mixed into the ccxt classes."""

    id: str
    version: str
    apiKey: str  # noqa: N815 - ccxt's name
    secret: str
    password: str
    urls: dict[str, Any]
    options: dict[str, Any]
    isSandboxModeEnabled: bool  # noqa: N815 - ccxt's name
    signed_for_others = 0
    """Private requests so far, but for those of the wallet."""

    def sign(
        self: Any,
        path: str,
        api: list[str] | str = "public",
        method: str = "GET",
        params: Any = None,
        headers: Any = None,
        body: Any = None,
    ) -> dict[str, Any]:
        """The request for an endpoint as ccxt sends it.

        The nonce is random: ccxt's own is the millisecond, and two requests in the same one are
        refused with 152407.
        """
        params = {} if params is None else params
        access = api if isinstance(api, str) else api[0]
        target = f"/api/{self.version}/{self.implode_params(path, params)}"
        query = self.omit(params, self.extract_params(path))
        if method == "GET" and query:
            target += "?" + self.urlencode(query)
        url = self.urls["api"]["rest"] + target
        if access == "public":
            return {"url": url, "method": method, "body": None, "headers": None}
        self.check_required_credentials()
        self.signed_for_others += path not in OF_THE_WALLET
        content = self.json(query) if method != "GET" and query else ""
        signed = self._signed(target, method, content)
        if method != "GET":
            signed["Content-Type"] = "application/json"
        return {"url": url, "method": method, "body": content or None, "headers": signed}

    def _signed(self: Any, target: str, method: str, content: str) -> SignedHeaders:
        timestamp, nonce = str(self.nonce()), uuid.uuid4().hex
        sign = signature(self.secret, target + method + timestamp + nonce + content)
        return SignedHeaders(
            {
                "ACCESS-KEY": self.apiKey,
                "ACCESS-PASSPHRASE": self.password,
                "ACCESS-TIMESTAMP": timestamp,
                "ACCESS-NONCE": nonce,
                "ACCESS-SIGN": sign,
            }
        )

    def sign_again(self: Any, url: str, headers: Mapping[str, str]) -> SignedHeaders | None:
        """Headers to send a signed GET a second time with; None when the budget has no room."""
        target = url.removeprefix(self.urls["api"]["rest"])
        if not self.has_room_for(trading="/trade/" in target):
            return None
        return SignedHeaders({**headers, **self._signed(target, "GET", "")})

    def enable_demo_trading(self, enable: bool) -> None:
        """Switch REST and both websockets to BloFin's demo account, or back.

        freqtrade calls this for ``exchange.demo_trading: true``, right after construction. Only
        BloFin's own hosts are replaced: a host that the user put under ``urls`` (a BloFin on
        localhost, a proxy) was chosen explicitly and stays.

        :raises ccxt.NotSupported: when ccxt's sandbox mode is on, which is the same thing by
            another name.
        """
        if self.isSandboxModeEnabled:
            raise ccxt.NotSupported(
                f"{self.id}: sandbox mode is on, which already means the demo account; "
                "use only one of the two."
            )
        if enable and "apiBackupDemoTrading" not in self.urls:
            self.urls["apiBackupDemoTrading"] = deepcopy(self.urls["api"])
            own = self.describe()["urls"]  # type: ignore[attr-defined]
            self.urls["api"] = _redirected(self.urls["api"], own["api"], own["demo"])
        elif not enable and "apiBackupDemoTrading" in self.urls:
            self.urls["api"] = self.urls.pop("apiBackupDemoTrading")
        self.options["enableDemoTrading"] = enable


def signature(secret: str, message: str) -> str:
    """base64(hex(HMAC-SHA256)): of the hexadecimal digits, not of the bytes they write."""
    digest = hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()
    return base64.b64encode(digest.encode()).decode()


def _redirected(current: Any, live: Any, demo: Any) -> Any:
    """`current` with every address that is still `live`'s replaced by `demo`'s."""
    if isinstance(current, dict):
        known = live if isinstance(live, dict) else {}
        other = demo if isinstance(demo, dict) else {}
        return {k: _redirected(v, known.get(k), other.get(k)) for k, v in current.items()}
    return demo if current == live and demo is not None else current
