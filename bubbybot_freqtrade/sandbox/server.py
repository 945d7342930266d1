"""The sandbox as a server on this machine's loopback: REST, websockets and controls."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from decimal import Decimal
from email.utils import formatdate
from sys import intern
from time import monotonic, perf_counter
from types import TracebackType
from typing import Any

import orjson
from aiohttp import web

from bubbybot_freqtrade.sandbox.api.candle_feed import CandleFeed
from bubbybot_freqtrade.sandbox.api.control import PREFIX as CONTROL_PREFIX
from bubbybot_freqtrade.sandbox.api.control import Controls, is_of_this_machine
from bubbybot_freqtrade.sandbox.api.faults import HAPPENS, UNSPOILED, Fault, Faults
from bubbybot_freqtrade.sandbox.api.limits import RateLimits
from bubbybot_freqtrade.sandbox.api.request_log import LoggedRequest, RequestLog
from bubbybot_freqtrade.sandbox.api.rest import Request, Response, RestApi, too_many_requests
from bubbybot_freqtrade.sandbox.api.streams import Streams
from bubbybot_freqtrade.sandbox.market.clock import DrivenClock
from bubbybot_freqtrade.sandbox.market.source import open_market
from bubbybot_freqtrade.sandbox.settings import DEMO_UID, SandboxSettings
from bubbybot_freqtrade.sandbox.state import dump_state, load_state, write_state
from bubbybot_freqtrade.sandbox.venue.engine import Engine
from bubbybot_freqtrade.sandbox.venue.ledger import Ledger
from bubbybot_freqtrade.sandbox.venue.listing import InstrumentChange

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
REAL_TIME_STEP_S = 0.1
# Longer than any rehearsal step, so that clients keep their connections.
KEEP_ALIVE_S = 3600.0


class SandboxError(RuntimeError):
    """The sandbox cannot start; the message says why and what to do."""


class Sandbox:
    """BloFin on localhost.

    with Sandbox(SandboxSettings()) as sandbox:
        ...  # sandbox.url, sandbox.advance(ms), sandbox.requests, sandbox.ledger()

    Requests are served in a thread of its own; `advance` may be called from any other.
    """

    def __init__(self, settings: SandboxSettings | None = None) -> None:
        """Read the data and the state file. Nothing listens before `start`."""
        self.settings = settings or SandboxSettings()
        saved = load_state(self.settings.state_file) if self.settings.state_file else None
        self.market, self.clock, state = open_market(self.settings, saved)
        self.engine = Engine(self.settings, self.market, state)
        self.faults = Faults(self.settings.seed)
        self.requests = RequestLog(self.settings.request_log_size)
        self.limits = RateLimits(enforced=self.settings.rate_limits)
        self.feed = CandleFeed(self.market)
        self.streams = Streams(self.engine, self.feed)
        self.rest = RestApi(self.engine, self.feed, self.limits)
        self.controls = Controls(self)
        for key in self.settings.keys:
            self.engine.add_key(key)
        self.port = self.settings.port
        self._dirty = False
        self.engine.venue.on_change = self._changed
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._failure: OSError | None = None
        # Answers by request, with their times, while a stale fault is on.
        self._earlier: dict[str, list[tuple[int, Response]]] = {}
        self._ready = threading.Event()

    # Life

    def start(self) -> Sandbox:
        """Listen. SandboxError when the port is taken."""
        self._ready.clear()
        self._failure = None
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            reason = os.strerror(self._failure.errno or 0)
            raise SandboxError(
                f"port {self.settings.port} of {HOST} cannot be used ({reason}); "
                "stop what runs there or choose another one with --port (0 takes a free one)"
            )
        return self

    def stop(self) -> None:
        """Close every connection and save the state. Stopping twice does nothing."""
        if self._thread is None or self._loop is None or self._stopping is None:
            return
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._thread = None
        self.save()

    def __enter__(self) -> Sandbox:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    @property
    def url(self) -> str:
        """Root of the REST API."""
        return f"http://{HOST}:{self.port}"

    @property
    def ws_public_url(self) -> str:
        """Public websocket."""
        return f"ws://{HOST}:{self.port}/ws/public"

    @property
    def ws_private_url(self) -> str:
        """Private websocket."""
        return f"ws://{HOST}:{self.port}/ws/private"

    def ledger(self, uid: str = DEMO_UID) -> Ledger:
        """The venue's book-keeping of an account."""
        return self.engine.account(uid).ledger

    # Time and state

    @property
    def is_driven(self) -> bool:
        """True when time stands still until `advance`."""
        return isinstance(self.clock, DrivenClock)

    def advance(self, to_ms: int) -> None:
        """Play the market up to `to_ms`, move a driven clock there and push what happened."""
        with self.engine.exclusive():
            from_ms = self.engine.now_ms
            self.engine.advance(to_ms)
            if isinstance(self.clock, DrivenClock):
                self.clock.set(max(to_ms, self.clock.now_ms()))
            self.streams.market_moved(from_ms, self.engine.now_ms)

    # By hand

    def app(
        self, path: str, body: Any = None, *, uid: str = DEMO_UID, method: str = "POST"
    ) -> dict[str, Any]:
        """Do what the account's owner does by hand in the venue's app.

        Same paths and bodies as the API (`/api/v1/trade/close-position`), but no key, no limits,
        no faults and no entry in the request log. The answer as the API would give it.
        """
        with self.engine.exclusive():
            return self.rest.by_hand(method, path, body, uid)

    def fill(self, order_id: str, size: Decimal | None = None, *, uid: str = DEMO_UID) -> None:
        """Let the market fill an open order at its own price: `size` contracts or all.

        KeyError for an unknown order.
        """
        with self.engine.exclusive():
            self.engine.fill(uid, order_id, size)

    def change_instrument(self, inst_id: str, **changes: Any) -> None:
        """Let the venue change an instrument; fields and values of `InstrumentChange`.

        VenueError 152014 when it is not listed.
        """
        with self.engine.exclusive():
            self.engine.change_instrument(inst_id, InstrumentChange(**changes))

    def lift_bans(self) -> None:
        """Forget what was counted against rate limits."""
        with self.engine.exclusive():
            self.limits.lift_bans()

    def ban(self, for_ms: int, ip: str = HOST) -> None:
        """Answer an address with 429 for so long, on the venue's clock."""
        with self.engine.exclusive():
            self.limits.ban(ip, self.engine.now_ms + for_ms)

    def save(self) -> None:
        """Write the state file, when there is one and something has changed."""
        if self.settings.state_file is None:
            return
        with self.engine.exclusive():
            self._dirty = False
            content = dump_state(self.engine.venue.state)
        write_state(self.settings.state_file, content)

    def _changed(self) -> None:
        self._dirty = True

    # The server's thread

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            # Also after a defect, which shows its traceback in this thread: start must not hang.
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = self.streams.loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        runner = web.ServerRunner(
            web.Server(self._handle, access_log=None, keepalive_timeout=KEEP_ALIVE_S),
            shutdown_timeout=0.2,
        )
        await runner.setup()
        site = web.TCPSite(runner, HOST, self.settings.port)
        try:
            await site.start()
        except OSError as error:
            self._failure = error
            await runner.cleanup()
            self._ready.set()
            return
        self.port = runner.addresses[0][1]
        tasks = [asyncio.create_task(self._tend())]
        self._ready.set()
        await self._stopping.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await runner.cleanup()

    async def _tend(self) -> None:
        """Let real time pass and keep the state file fresh."""
        saved = monotonic()
        while True:
            await asyncio.sleep(REAL_TIME_STEP_S)
            if not isinstance(self.clock, DrivenClock):
                self.advance(self.clock.now_ms())
            if self._dirty and monotonic() - saved >= self.settings.state_interval_s:
                await asyncio.to_thread(self.save)
                saved = monotonic()

    # Requests

    async def _handle(self, http: web.BaseRequest) -> web.StreamResponse:
        request = Request(
            http.method,
            http.raw_path,
            http.headers,
            # What is no text is no JSON either, and is answered as such.
            (await http.read()).decode(errors="replace") if http.can_read_body else "",
            http.remote or "",
        )
        if request.path in ("/ws/public", "/ws/private"):
            return await self._handle_socket(http, request)
        if request.path.startswith(CONTROL_PREFIX):
            return _http_response(await asyncio.to_thread(self.controls.answer, request))
        return await self._handle_rest(http, request)

    async def _handle_socket(self, http: web.BaseRequest, request: Request) -> web.StreamResponse:
        if not is_of_this_machine(request.headers):
            return web.Response(status=403, text="for programs on this machine, at 127.0.0.1")
        if self.streams.faults.refuse:
            return web.Response(status=503)
        if not self.limits.allows_socket(request.ip, monotonic()):
            return _http_response(too_many_requests())
        return await self.streams.serve(http, private=request.path == "/ws/private")

    async def _handle_rest(self, http: web.BaseRequest, request: Request) -> web.StreamResponse:
        started = perf_counter()
        if self.settings.latency_ms:
            await asyncio.sleep(self.settings.latency_ms / 1000)
        fault = self.faults.strike(request.method, request.path, self.rest.uid_of(request))
        if fault is None:
            response = self.answer(request)
            self._log(request, response, started, "")
            return _http_response(response, self.engine.now_ms)
        return await self._play_fault(http, request, fault, started)

    def answer(self, request: Request) -> Response:
        """Serve one request, as of now."""
        with self.engine.exclusive():
            if not isinstance(self.clock, DrivenClock):
                self.advance(self.clock.now_ms())
            return self.rest.answer(request)

    async def _play_fault(
        self, http: web.BaseRequest, request: Request, fault: Fault, started: float
    ) -> web.StreamResponse:
        """Let the request take effect or not, and answer as the fault says."""
        if fault.kind == "delay":
            await asyncio.sleep(fault.delay_ms / 1000)
        response = self._answer_under(request, fault) if fault.kind in HAPPENS else None
        if fault.kind == "stale" and response is not None:
            response = self._as_it_was(request, fault, response)
        if fault.kind in (*UNSPOILED, "stale") and response is not None:
            self._log(request, response, started, fault.kind)
            return _http_response(response, self.engine.now_ms)
        uid = self.rest.uid_of(request)
        if fault.kind == "redirect":
            self._log(request, Response(307, b"", "307", uid), started, fault.kind)
            return web.Response(status=307, headers={"Location": fault.location})
        if fault.kind in ("http", "lost_http", "code", "data"):
            spoiled = _fault_response(fault, uid)
            self._log(request, spoiled, started, fault.kind)
            return _http_response(spoiled, self.engine.now_ms)
        self._log(request, Response(0, b"", "", uid), started, fault.kind)
        if fault.kind == "lost_timeout":
            await asyncio.sleep(fault.delay_ms / 1000)
        if http.transport is not None:
            if fault.kind == "lost_truncated" and response is not None:
                _send_half(http.transport, response.body)
            else:
                http.transport.abort()
        return web.Response()

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
            response = self.answer(request)
            if fault.kind == "tpsl_canceled":
                self.engine.cancel_tpsl_since(uid, first_new)
            return response

    def _log(self, request: Request, response: Response, started: float, fault: str) -> None:
        self.requests.append(
            LoggedRequest(
                ts_ms=self.engine.now_ms,
                method=intern(request.method),
                path=intern(request.path),
                query=request.query,
                body=request.body,
                status=response.status,
                code=response.code,
                uid=response.uid,
                ip=request.ip,
                elapsed_ms=(perf_counter() - started) * 1000,
                fault=fault,
            )
        )


def _http_response(response: Response, now_ms: int | None = None) -> web.Response:
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
