"""The sandbox as a server on this machine's loopback: REST, websockets and controls."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from decimal import Decimal
from sys import intern
from time import monotonic, perf_counter
from types import TracebackType
from typing import Any

from aiohttp import web

from bubbybot_freqtrade.sandbox.api.candle_feed import CandleFeed
from bubbybot_freqtrade.sandbox.api.control import HOST, Controls, is_of_this_machine
from bubbybot_freqtrade.sandbox.api.control import PREFIX as CONTROL_PREFIX
from bubbybot_freqtrade.sandbox.api.faults import Faults
from bubbybot_freqtrade.sandbox.api.limits import RateLimits
from bubbybot_freqtrade.sandbox.api.request_log import LoggedRequest, RequestLog
from bubbybot_freqtrade.sandbox.api.rest import Request, Response, RestApi, too_many_requests
from bubbybot_freqtrade.sandbox.api.spoiling import Spoiling, http_response
from bubbybot_freqtrade.sandbox.api.streams import Streams
from bubbybot_freqtrade.sandbox.market.clock import DrivenClock
from bubbybot_freqtrade.sandbox.opening import open_market
from bubbybot_freqtrade.sandbox.settings import DEMO_UID, SandboxSettings
from bubbybot_freqtrade.sandbox.state import dump_state, load_state, write_state
from bubbybot_freqtrade.sandbox.venue.engine import Engine
from bubbybot_freqtrade.sandbox.venue.instrument_change import InstrumentChange
from bubbybot_freqtrade.sandbox.venue.ledger import Ledger

logger = logging.getLogger(__name__)

REAL_TIME_STEP_S = 0.1
# By how much pushes are ahead of an answer where they come first: more than a client's threads
# need to take them in.
HEAD_START_S = 0.05
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
        self._dirty = self._is_unsaved = False
        self.engine.venue.on_change = self._changed
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._failure: OSError | None = None
        self._spoiling = Spoiling(self.rest, self.answer, self._log)
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
            self.engine.listing.change(inst_id, InstrumentChange(**changes))

    def lift_bans(self) -> None:
        """Forget what was counted against rate limits."""
        with self.engine.exclusive():
            self.limits.lift_bans()

    def ban(self, for_ms: int, ip: str = HOST) -> None:
        """Answer an address with 429 for so long, on the venue's clock."""
        with self.engine.exclusive():
            self.limits.ban(ip, self.engine.now_ms + for_ms)

    def save(self) -> None:
        """Write the state file, when there is one; told once while it can't be."""
        if self.settings.state_file is None:
            return
        with self.engine.exclusive():
            self._dirty = False
            content = dump_state(self.engine.venue.state)
        try:
            write_state(self.settings.state_file, content)
        except OSError as error:
            self._dirty = True
            reason = (error.strerror or str(error)).lower()
            if not self._is_unsaved:
                logger.warning(
                    f"{self.settings.state_file}: the state can't be saved ({reason}: "
                    f"{error.filename}); it is tried again, make room for it"
                )
            self._is_unsaved = True
        else:
            self._is_unsaved = False

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
            return http_response(await asyncio.to_thread(self.controls.answer, request))
        return await self._handle_rest(http, request)

    async def _handle_socket(self, http: web.BaseRequest, request: Request) -> web.StreamResponse:
        if not is_of_this_machine(request.headers):
            return web.Response(status=403, text="for programs on this machine, at 127.0.0.1")
        if self.streams.faults.refuse:
            return web.Response(status=503)
        if not self.limits.allows_socket(request.ip, monotonic()):
            return http_response(too_many_requests())
        return await self.streams.serve(http, private=request.path == "/ws/private")

    async def _handle_rest(self, http: web.BaseRequest, request: Request) -> web.StreamResponse:
        started = perf_counter()
        if self.settings.latency_ms:
            await asyncio.sleep(self.settings.latency_ms / 1000)
        pushed = self.streams.private_pushes
        fault = self.faults.strike(request.method, request.path, self.rest.uid_of(request))
        if fault is None:
            response = self.answer(request)
            self._log(request, response, started, "")
            answer: web.StreamResponse = http_response(response, self.engine.now_ms)
        else:
            answer = await self._spoiling.play(http, request, fault, started)
        # What was pushed by a request leaves two turns of this loop later, after its answer.
        has_pushed = request.method == "POST" and self.streams.private_pushes != pushed
        if self.settings.push_before_answer and has_pushed:
            await asyncio.sleep(HEAD_START_S)
        return answer

    def answer(self, request: Request) -> Response:
        """Serve one request, as of now."""
        with self.engine.exclusive():
            if not isinstance(self.clock, DrivenClock):
                self.advance(self.clock.now_ms())
            return self.rest.answer(request)

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
