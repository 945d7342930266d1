"""Faults at work: requests that are slowed down, answers that are lost, wrong or late."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from email.utils import formatdate

import orjson
from aiohttp import web

from bubbybot_freqtrade.sandbox.api.faults import HAPPENS, UNSPOILED, Fault
from bubbybot_freqtrade.sandbox.api.rest import Request, Response, RestApi


class Spoiling:
    """Plays faults on requests."""

    def __init__(
        self,
        rest: RestApi,
        answer: Callable[[Request], Response],
        log: Callable[[Request, Response, float, str], None],
    ) -> None:
        """answer: serves a request as if nothing were wrong. log: told of each that was spoiled."""
        self.rest = rest
        self.engine = rest.engine
        self._answer = answer
        self._log = log
        # The request that waits for another one to meet.
        self._waiting: asyncio.Event | None = None
        # Answers by request, with their times, while a stale fault is on.
        self._earlier: dict[str, list[tuple[int, Response]]] = {}

    async def play(
        self, http: web.BaseRequest, request: Request, fault: Fault, started: float
    ) -> web.StreamResponse:
        """Let the request take effect or not, and answer as the fault says."""
        if fault.kind == "delay":
            await asyncio.sleep(fault.delay_ms / 1000)
        elif fault.kind == "meet":
            await self._meet(fault.delay_ms / 1000)
        response = self._answer_under(request, fault) if fault.kind in HAPPENS else None
        if fault.kind == "stale" and response is not None:
            response = self._as_it_was(request, fault, response)
        if fault.kind in (*UNSPOILED, "stale") and response is not None:
            self._log(request, response, started, fault.kind)
            return http_response(response, self.engine.now_ms)
        uid = self.rest.uid_of(request)
        if fault.kind == "redirect":
            self._log(request, Response(307, b"", "307", uid), started, fault.kind)
            return web.Response(status=307, headers={"Location": fault.location})
        if fault.kind in ("http", "lost_http", "code", "data"):
            spoiled = _fault_response(fault, uid)
            self._log(request, spoiled, started, fault.kind)
            return http_response(spoiled, self.engine.now_ms)
        self._log(request, Response(0, b"", "", uid), started, fault.kind)
        if fault.kind == "lost_timeout":
            await asyncio.sleep(fault.delay_ms / 1000)
        if http.transport is not None:
            if fault.kind == "lost_truncated" and response is not None:
                _send_half(http.transport, response.body)
            else:
                http.transport.abort()
        return web.Response()

    async def _meet(self, seconds: float) -> None:
        """Wait for the next one, or let the one go on that waits."""
        if self._waiting is not None:
            self._waiting.set()
            self._waiting = None
            return
        self._waiting = met = asyncio.Event()
        try:
            await asyncio.wait_for(met.wait(), seconds)
        except TimeoutError:
            self._waiting = None

    def _as_it_was(self, request: Request, fault: Fault, response: Response) -> Response:
        """What the request was answered some time ago, as far back as the fault was on."""
        key = f"{request.method} {request.target} {response.uid}"
        answers = self._earlier.setdefault(key, [])
        answers.append((self.engine.now_ms, response))
        old = [given for ts_ms, given in answers if ts_ms <= self.engine.now_ms - fault.delay_ms]
        return old[-1] if old else answers[0][1]

    def _answer_under(self, request: Request, fault: Fault) -> Response:
        """Serve the request while the market or the venue does what the fault says."""
        with self.engine.exclusive():
            uid = self.rest.uid_of(request)
            if fault.kind == "fill_first":
                self.engine.fill_named(uid, request.body)
            first_new = self.engine.venue.state.next_id
            response = self._answer(request)
            if fault.kind == "tpsl_canceled":
                self.engine.cancel_tpsl_since(uid, first_new)
            return response


def http_response(response: Response, now_ms: int | None = None) -> web.Response:
    """now_ms: the venue's time, for the Date header; aiohttp writes the machine's."""
    headers = None if now_ms is None else {"Date": formatdate(now_ms / 1000, usegmt=True)}
    return web.Response(
        status=response.status,
        body=response.body,
        content_type="application/json",
        headers=headers,
    )


def _fault_response(fault: Fault, uid: str) -> Response:
    if fault.kind == "data":
        content = {"code": "0", "msg": "success", "data": fault.data}
        return Response(200, orjson.dumps(content), "0", uid)
    if fault.kind == "code":
        body = {"code": fault.code, "msg": fault.msg or "fault of the sandbox"}
        return Response(200, orjson.dumps(body), fault.code, uid)
    body = {"code": str(fault.status), "msg": fault.msg or "fault of the sandbox"}
    return Response(fault.status, orjson.dumps(body), str(fault.status), uid)


def _send_half(transport: asyncio.BaseTransport, body: bytes) -> None:
    assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 - aiohttp's are
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    transport.write(head.encode() + b"\r\n" + body[: len(body) // 2])
    transport.close()
