"""A recording BloFin on 127.0.0.1 with canned answers, and clients of every kind for it.

Rows have the shapes of the reference's examples. What the server received is compared as it came
over the socket.
"""

import asyncio
import inspect
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from ccxt.blofin import blofin as StockSync

from bubbybot_freqtrade.blofin.ccxt_blofin import BlofinAsync, BlofinPro, BlofinSync

KEYS = {"apiKey": "key-of-mine", "secret": "secret-of-mine", "password": "phrase-of-mine"}
MINE = {"sync": BlofinSync, "async": BlofinAsync, "pro": BlofinPro}


def instrument(base: str, contract_value: str, tick: str, **others: str) -> dict[str, str]:
    return {
        "instId": f"{base}-USDT",
        "baseCurrency": base,
        "quoteCurrency": "USDT",
        "contractValue": contract_value,
        "listTime": "1638333031000",
        "expireTime": "1704124800000",
        "maxLeverage": "125",
        "minSize": "0.1",
        "lotSize": "0.1",
        "tickSize": tick,
        "instType": "SWAP",
        "contractType": "linear",
        "maxLimitSize": "100000000",
        "maxMarketSize": "1000000",
        "state": "live",
        "settleCurrency": "USDT",
        **others,
    }


INSTRUMENTS = [
    instrument("BTC", "0.001", "0.1", maxLeverage="150"),
    instrument("ETH", "0.01", "0.01"),
    instrument("PEPE", "1000", "0.0000001"),
    instrument("COARSE", "1", "10"),
    instrument("GONE", "1", "0.1", state="suspend"),
]


class Request:
    """One request as the server received it."""

    def __init__(self, method: str, target: str, headers: dict[str, str], body: str) -> None:
        parts = urlsplit(target)
        self.method, self.target, self.path = method, target, parts.path.removeprefix("/api/v1/")
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.headers, self.text = headers, body
        self.body = json.loads(body) if body else None


Answer = Callable[[Request], Any] | Any


class Venue:
    """The server's answers by path, and what it was asked."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answers: dict[str, Answer] = {
            "market/instruments": INSTRUMENTS,
            "asset/currencies": [],  # stock ccxt asks for them with every load of markets
        }
        self.url = ""

    def answer(self, path: str, data: Answer) -> None:
        """Answer `path` with `data` in the envelope of a success (or with what it returns)."""
        self.answers[path] = data

    def refuse(self, path: str, code: str, msg: str, data: Any = None) -> None:
        self.raw(path, 200, json.dumps({"code": code, "msg": msg, "data": data}))

    def raw(
        self, path: str, status: int, text: str, content_type: str = "text/html", **headers: str
    ) -> None:
        self.answers[path] = (status, text, content_type, headers)

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    def sent(self, path: str) -> Any:
        """The body of the only request to `path`."""
        (request,) = self.asked(path)
        return request.body

    def reply(self, request: Request) -> tuple[int, str, str, dict[str, str]]:
        if request.path not in self.answers:
            text = json.dumps({"code": "404", "msg": f"not found: {request.path}"})
            return 200, text, "application/json", {}
        answer = self.answers[request.path]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, tuple):
            return answer
        text = json.dumps({"code": "0", "msg": "success", "data": answer})
        return 200, text, "application/json", {}


def handler_for(venue: Venue) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length).decode()
            request = Request(self.command, self.path, dict(self.headers), body)
            venue.requests.append(request)
            status, text, content_type, headers = venue.reply(request)
            payload = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(payload)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = serve  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


@pytest.fixture
def venue() -> Iterator[Venue]:
    venue = Venue()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(venue))
    server.daemon_threads = True
    venue.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield venue
    server.shutdown()
    thread.join()
    server.server_close()


class Caller:
    """Calls an exchange the same way whether it is sync or async."""

    def __init__(self, exchange: Any, loop: asyncio.AbstractEventLoop | None) -> None:
        self.exchange, self.loop = exchange, loop

    def __getattr__(self, name: str) -> Any:
        member = getattr(self.exchange, name)
        if not callable(member):
            return member

        def call(*args: Any, **kwargs: Any) -> Any:
            result = member(*args, **kwargs)
            if inspect.isawaitable(result):
                assert self.loop is not None
                return self.loop.run_until_complete(_finish(result))
            return result

        return call


async def _finish(awaitable: Any) -> Any:
    return await awaitable


Connect = Callable[..., Caller]


@pytest.fixture
def connect(venue: Venue) -> Iterator[Connect]:
    """Make a client of a class that talks to the venue of this test."""
    loop = asyncio.new_event_loop()
    callers: list[Caller] = []

    def make(cls: Any, **config: Any) -> Caller:
        settings = {
            **KEYS,
            "urls": {"api": {"rest": venue.url}},
            "enableRateLimit": False,
            "timeout": 5000,
            "timeout_on_exit": 0,
            **config,
        }
        caller = Caller(cls(settings), loop)
        callers.append(caller)
        return caller

    yield make
    for caller in callers:
        caller.close()
    loop.close()


@pytest.fixture(params=["sync", "async", "pro"])
def blofin(request: pytest.FixtureRequest, connect: Connect) -> Caller:
    """Our class, each of the three in turn."""
    return connect(MINE[request.param])


@pytest.fixture
def mine(connect: Connect) -> Caller:
    """Our sync class, where a test is about what all three share anyway."""
    return connect(BlofinSync)


@pytest.fixture
def stock(connect: Connect) -> Caller:
    """ccxt's own sync class."""
    return connect(StockSync)
