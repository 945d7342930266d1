"""From an HTTP request to an answer: limits, keys, handlers. Knows nothing of sockets."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson

from bubbybot_freqtrade.sandbox.api import rest_account, rest_public, rest_trade
from bubbybot_freqtrade.sandbox.api.answers import (
    Answer,
    PrivateCall,
    PrivateEndpoint,
    PublicCall,
    refusal,
)
from bubbybot_freqtrade.sandbox.api.auth import Credentials, Gate, check_permission
from bubbybot_freqtrade.sandbox.api.candle_feed import CandleFeed
from bubbybot_freqtrade.sandbox.api.limits import RateLimits
from bubbybot_freqtrade.sandbox.settings import ApiKey
from bubbybot_freqtrade.sandbox.venue.engine import Engine
from bubbybot_freqtrade.sandbox.venue.errors import MESSAGES, UNKNOWN_PATH, VenueError

logger = logging.getLogger(__name__)

PRIVATE: dict[str, dict[str, PrivateEndpoint]] = {
    "GET": {**rest_account.GET, **rest_trade.GET},
    "POST": {**rest_account.POST, **rest_trade.POST},
}


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request. `target` is the path with its query, byte for byte as it was sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: str
    ip: str

    @property
    def path(self) -> str:
        """Without the query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """Without the path and the question mark."""
        return self.target.partition("?")[2]


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP answer; `code` and `uid` are for the request log."""

    status: int
    body: bytes
    code: str
    uid: str = ""


class RestApi:
    """The REST API of the venue."""

    def __init__(self, engine: Engine, feed: CandleFeed, limits: RateLimits) -> None:
        """Serve what is asked of `engine`, as far as `limits` let it."""
        self.engine = engine
        self.feed = feed
        self.limits = limits
        self.gate = Gate()

    def uid_of(self, request: Request) -> str:
        """Whose request this claims to be; empty for public ones and unknown keys."""
        key = self.engine.venue.keys.get(request.headers.get("ACCESS-KEY", ""))
        return key.uid if key else ""

    def answer(self, request: Request) -> Response:
        """Serve one request. The caller holds the engine."""
        if not self.limits.allows_address(request.ip, self.engine.now_ms):
            return too_many_requests()
        try:
            answer, uid = self._serve(request)
        except VenueError as error:
            answer, uid = refusal(error), self.uid_of(request)
        except _TooManyTradingRequestsError:
            return too_many_requests(self.uid_of(request))
        except Exception:
            # A defect of the sandbox must look like one of the venue's, not hang its client.
            logger.exception("The sandbox failed to answer %s %s", request.method, request.path)
            answer, uid = Answer(None, "500", "Internal Server Error"), self.uid_of(request)
        return Response(200, orjson.dumps(answer.as_json()), answer.code, uid)

    def _serve(self, request: Request) -> tuple[Answer, str]:
        public = rest_public.ENDPOINTS.get(request.path)
        if public is not None:
            if request.method != "GET":
                raise VenueError("405")
            call = PublicCall(self.engine, dict(parse_qsl(request.query)), self.feed)
            return public(call), ""
        endpoint = PRIVATE.get(request.method, {}).get(request.path)
        if endpoint is None:
            known = any(request.path in endpoints for endpoints in PRIVATE.values())
            raise VenueError("405" if known else UNKNOWN_PATH)
        return self._serve_private(request, endpoint)

    def _serve_private(self, request: Request, endpoint: PrivateEndpoint) -> tuple[Answer, str]:
        engine = self.engine
        key = self.gate.admit(
            engine.venue.keys,
            Credentials.from_headers(request.headers),
            path=request.target,
            method=request.method,
            body=request.body,
            ip=request.ip,
            now_ms=engine.now_ms,
        )
        if engine.settings.transfer_check == "permission" or endpoint.check is None:
            check_permission(key, endpoint.permission)
        counts = request.method == "POST" or engine.settings.trading_requests == "all"
        if endpoint.trading and counts and not self.limits.allows_trading(key.uid, engine.now_ms):
            raise _TooManyTradingRequestsError
        body = self._body(request)
        fields = body if isinstance(body, dict) else {}
        call = PrivateCall(engine, engine.account(key.uid), key, fields, body)
        if endpoint.check is not None:
            endpoint.check(call)
            check_permission(key, endpoint.permission)
        return endpoint.handle(call), key.uid

    def by_hand(self, method: str, path: str, body: Any, uid: str) -> dict[str, Any]:
        """Serve a private path for a user without key and limits; KeyError for unknown paths.

        The caller holds the engine.
        """
        endpoint = PRIVATE[method][path]
        key = ApiKey(uid=uid, permissions=frozenset({"READ", "TRADE", "TRANSFER"}))
        fields = body if isinstance(body, dict) else {}
        try:
            call = PrivateCall(self.engine, self.engine.account(uid), key, fields, body)
            if endpoint.check is not None:
                endpoint.check(call)
            return endpoint.handle(call).as_json()
        except VenueError as error:
            return refusal(error).as_json()

    @staticmethod
    def _body(request: Request) -> Any:
        if request.method == "GET":
            return dict(parse_qsl(request.query))
        try:
            body = orjson.loads(request.body or "{}")
        except orjson.JSONDecodeError:
            raise VenueError("152004") from None
        if not isinstance(body, (dict, list)):
            raise VenueError("152004")
        return body


class _TooManyTradingRequestsError(Exception):
    """More than the venue allows a user; answered with HTTP 429."""


def too_many_requests(uid: str = "") -> Response:
    """The venue's 429, in status and body."""
    body = orjson.dumps({"code": "429", "msg": MESSAGES["429"]})
    return Response(429, body, "429", uid)
