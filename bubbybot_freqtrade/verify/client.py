"""The extension's own ccxt class, asked for raw answers: a refusal is an answer, silence is not."""

from __future__ import annotations

import time
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import parse_qsl, urlsplit

import ccxt
import rapidjson

from bubbybot_freqtrade.blofin.ccxt_blofin import BlofinPro, BlofinSync
from bubbybot_freqtrade.verify.clock import Clock
from bubbybot_freqtrade.verify.exchanges import Exchanges

NO_PERMISSION = "152404"
"""Also the answer for a path that does not exist."""
# Answers that say nothing about what was asked: too many requests, a venue in trouble, a key, a
# broker, a clock or a position mode that is not accepted. A probe that asks for one says so.
NOT_ON_THE_MATTER = frozenset(
    {"403", "429", "500", "102089", "103013", "152011", "152012", "152013", "152401", "152402"}
    | {NO_PERMISSION, "152405", "152406", "152407", "152408", "152409", "152410"}
)
_SHUT_OUT = (403, 429)
# ccxt's own, for everything below trade/ and account/set-*.
_TRADING_COST = 1.67


class NoAnswerError(Exception):
    """The venue did not say. `shut_out`: it will not for a while (HTTP 403 or 429)."""

    def __init__(self, reason: str, *, shut_out: bool = False) -> None:
        super().__init__(reason)
        self.shut_out = shut_out


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the API.

    `outer` is the code of the body, `code` the one of the order inside where it differs. Times are
    those of the clock's `elapsed_ms`, but for `heard_at` (s), which is the machine's own
    (`time.monotonic`) whatever the clock. `headers` in lower case.
    """

    outer: str
    code: str
    msg: str
    data: Any
    sent_ms: int
    answered_ms: int
    heard_at: float
    headers: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """Accepted, as a whole and inside."""
        return self.code == "0"

    @property
    def rows(self) -> list[dict[str, Any]]:
        """`data` as rows; what is none is left out."""
        rows = self.data if isinstance(self.data, list) else [self.data]
        return [row for row in rows if isinstance(row, dict)]

    @property
    def row(self) -> dict[str, Any]:
        """The first row, empty without one."""
        return next(iter(self.rows), {})

    @property
    def words(self) -> str:
        """The refusal as the venue puts it."""
        return f"{self.code} {self.msg}".strip()


class _AnsweredError(Exception):
    """Carries an answer out of ccxt, which would turn a refusal into an exception."""

    def __init__(self, response: dict[str, Any], headers: Mapping[str, str]) -> None:
        super().__init__("answered")
        self.response = response
        self.headers = headers


class RawBlofin(BlofinSync):
    """``ccxt.blofin`` of the extension; what goes out in `call` is recorded."""

    clock: Clock = Clock()
    # By how much requests are signed with a wrong time.
    shift_ms = 0

    def __init__(self, config: dict[str, Any], clock: Clock, exchanges: Exchanges) -> None:
        self.clock = clock
        self.exchanges = exchanges
        self._raw = False
        super().__init__(config)

    def milliseconds(self) -> int:
        """Now, by the run's clock."""
        return self.clock.now_ms()

    def nonce(self) -> int:
        """The time to sign with."""
        return int(super().nonce()) + self.shift_ms

    def websocket_url(self, *, private: bool) -> str:
        """Of the same side, live or demo; ccxt's sync class knows none unless it was told one."""
        side = "private" if private else "public"
        told = self.urls["api"].get("ws")
        if told is None:
            own = BlofinPro().describe()["urls"]
            is_demo = self.urls["api"]["rest"] == own["test"]["rest"]
            told = own["test" if is_demo else "api"]["ws"]
        return str(told["swap"][side])

    def call(
        self,
        method: str,
        path: str,
        params: Any = None,
        *,
        public: bool = False,
        expecting: Container[str] = (),
    ) -> Reply:
        """One request.

        :param expecting: codes that are the answer here, though they mean trouble elsewhere
        :raises NoAnswerError: when none came, or one that is not on the matter
        """
        costly = path.startswith(("trade/", "account/set-"))
        sign = {"path": path, "api": "public" if public else "private", "method": method}
        config = {"cost": _TRADING_COST if costly else 1}
        return self._answered(
            lambda: self.request(**sign, params={} if params is None else params, config=config),
            expecting,
        )

    def send(self, signed: Mapping[str, Any], *, expecting: Container[str] = ()) -> Reply:
        """Send what `sign` has made, as it is: the same twice, should it be sent twice."""
        return self._answered(
            lambda: self.fetch(
                signed["url"], signed["method"], dict(signed["headers"]), signed["body"]
            ),
            expecting,
        )

    def _answered(self, send: Any, expecting: Container[str]) -> Reply:
        sent = self.clock.elapsed_ms()
        try:
            with self._answers_raw():
                send()
        except _AnsweredError as answer:
            reply = _reply(answer, sent, self.clock.elapsed_ms(), time.monotonic())
        except ccxt.BaseError as error:
            raise NoAnswerError(_why(error), shut_out=_is_shut_out(error)) from error
        else:
            raise NoAnswerError("the answer is no JSON")
        if reply.code in NOT_ON_THE_MATTER and reply.code not in expecting:
            raise NoAnswerError(reply.words, shut_out=reply.code in ("403", "429"))
        return reply

    @contextmanager
    def _answers_raw(self) -> Iterator[None]:
        self._raw = True
        try:
            yield
        finally:
            self._raw = False

    def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        """ccxt's, recording requests that get no answer."""
        try:
            return super().fetch(url, method, headers, body)
        except ccxt.BaseError as error:
            self._record(url, method, body, 0, _why(error))
            raise

    def handle_errors(
        self,
        http_code: int,
        reason: str,
        url: str,
        method: str,
        headers: Any,
        body: str,
        response: Any,
        request_headers: Any,
        request_body: Any,
    ) -> None:
        """In `call`, record the answer and carry it out; elsewhere the extension's own."""
        if not self._raw:
            super().handle_errors(
                http_code, reason, url, method, headers, body, response, request_headers,
                request_body,
            )  # fmt: skip
            return
        self._record(url, method, request_body, http_code, response or body)
        if not isinstance(response, dict) or http_code >= 500 or http_code in _SHUT_OUT:
            self._refuse_page(http_code, reason)
        self.measure_time_difference(headers, request_headers)
        if response.get("code") is None:
            raise ccxt.BadResponse("an answer without a code")
        raise _AnsweredError(response, {name.lower(): value for name, value in headers.items()})

    @staticmethod
    def _refuse_page(http_code: int, reason: str) -> NoReturn:
        kind = ccxt.DDoSProtection if http_code in _SHUT_OUT else ccxt.ExchangeNotAvailable
        raise kind(f"HTTP {http_code} {reason}".strip())

    def _record(self, url: str, method: str, body: Any, status: int, answer: Any) -> None:
        parts = urlsplit(url)
        request: Any = dict(parse_qsl(parts.query))
        if body:
            request = rapidjson.loads(body)
        path = parts.path.removeprefix("/api/v1/")
        self.exchanges.keep(self.milliseconds(), method, path, request, status, answer)


def _reply(answer: _AnsweredError, sent: int, answered: int, heard_at: float) -> Reply:
    response = answer.response
    outer, msg = str(response["code"]), str(response.get("msg") or "")
    data = response.get("data")
    rows = [row for row in (data if isinstance(data, list) else [data]) if isinstance(row, dict)]
    refused = [row for row in rows if str(row.get("code") or "0") != "0"]
    code = outer
    if refused and len(refused) == len(rows):
        code, msg = str(refused[0]["code"]), str(refused[0].get("msg") or msg)
    return Reply(outer, code, msg, data, sent, answered, heard_at, answer.headers)


def _why(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def _is_shut_out(error: Exception) -> bool:
    return isinstance(error, (ccxt.DDoSProtection, ccxt.RateLimitExceeded))
