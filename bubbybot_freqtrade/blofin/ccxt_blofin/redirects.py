"""Requests go to the configured BloFin and nowhere else: redirects are not followed.

requests and aiohttp follow them by default, to any host, with the key, passphrase and signature of
the request or (websocket) of the login that comes after it, and the answer found there would be
believed. BloFin's API has none; a captive portal, a proxy or a hijacked name has.
"""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, NoReturn
from urllib.parse import urlsplit

import aiohttp
import ccxt
import requests

from bubbybot_freqtrade.blofin.ccxt_blofin.patience import PatientSession


def refuse_redirect(
    exchange_id: str, status: int, url: str, headers: Mapping[str, str] | None
) -> NoReturn:
    """Raise for a redirect that was not followed.

    :param headers: of the redirect
    :raises ccxt.ExchangeNotAvailable: a failure of the network: what became of the request is
        looked up, as after a lost answer
    """
    asked = urlsplit(url).netloc
    given = {name.lower(): value for name, value in (headers or {}).items()}
    target = urlsplit(given.get("location", "")).netloc or asked
    raise ccxt.ExchangeNotAvailable(
        f"{exchange_id}: {asked} answered with a redirect to {target} (HTTP {status}). It was not "
        "followed and nothing was sent there. BloFin's API has no redirects: look for a proxy, a "
        "captive portal or a wrong address under exchange.ccxt_config.urls."
    )


class _StayingSession(PatientSession):
    """A session that hands a redirect out as the answer it is."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


class SyncRedirects:
    """Follows no redirect; for the sync class. `Errors` refuses the answer."""

    def __init__(self: Any, config: Any = None) -> None:
        super().__init__({} if config is None else config)  # type: ignore[call-arg]
        if type(self.session) is requests.Session:
            session = _StayingSession()
            session.trust_env = self.session.trust_env
            self.session.close()
            self.session = session


class AsyncRedirects:
    """Follows no redirect, of a request or a websocket's handshake; for the async classes."""

    def open(self: Any, lazy: bool = False) -> None:
        """Open the session that requests and websockets use."""
        super().open(lazy)  # type: ignore[misc]
        self.watch_redirects(self.session)

    def get_socks_proxy_session(self: Any, socksProxy: str) -> Any:  # noqa: N803 - ccxt's name
        """The session of a SOCKS proxy, the same way."""
        session = super().get_socks_proxy_session(socksProxy)  # type: ignore[misc]
        self.watch_redirects(session)
        return session

    def watch_redirects(self: Any, session: aiohttp.ClientSession | None) -> None:
        """Have `session` end a request at its first redirect."""
        if session is None or any(isinstance(t, _RedirectWatch) for t in session.trace_configs):
            return
        watch = _RedirectWatch(self.id)
        watch.freeze()
        session.trace_configs.append(watch)


class _RedirectWatch(aiohttp.TraceConfig):
    """Called by aiohttp before it follows; an error raised here ends the request."""

    def __init__(self, exchange_id: str) -> None:
        super().__init__()
        self._exchange_id = exchange_id
        self.on_request_redirect.append(self._refuse)

    async def _refuse(
        self,
        session: aiohttp.ClientSession,
        context: SimpleNamespace,
        redirect: aiohttp.TraceRequestRedirectParams,
    ) -> None:
        answer = redirect.response
        answer.close()
        refuse_redirect(self._exchange_id, answer.status, str(redirect.url), answer.headers)
