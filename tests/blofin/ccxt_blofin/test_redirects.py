"""No request follows a redirect, signed or public, over REST or a websocket's handshake."""

import asyncio
import json

import ccxt
import pytest
from aiohttp import web

from bubbybot_freqtrade.blofin.ccxt_blofin import BlofinPro
from tests.blofin.ccxt_blofin.conftest import INSTRUMENTS, KEYS

BTC = "BTC/USDT:USDT"
STATUSES = (301, 302, 303, 307, 308)
OK = json.dumps({"code": "0", "msg": "", "data": [{"orderId": "1"}]})


@pytest.mark.parametrize("status", [300, *STATUSES])
@pytest.mark.parametrize("target", ["", "http://127.0.0.1:9"])
def test_a_signed_request_does_not_follow(blofin, venue, status, target):
    blofin.load_markets()
    # What stands in the redirect's own body must not be believed either.
    location = f"{target or venue.url}/api/v1/elsewhere"
    venue.raw("trade/order", status, OK, "application/json", Location=location)
    venue.answer("elsewhere", [{"orderId": "1"}])
    with pytest.raises(ccxt.OperationFailed, match="answered with a redirect"):
        blofin.create_order(BTC, "market", "buy", 1)
    assert not venue.asked("elsewhere")


@pytest.mark.parametrize("status", STATUSES)
def test_a_public_request_does_not_follow_to_another_host(blofin, venue, status):
    other = venue.url.replace("127.0.0.1", "localhost")
    venue.raw("market/instruments", status, "", Location=f"{other}/api/v1/elsewhere")
    venue.answer("elsewhere", INSTRUMENTS)
    with pytest.raises(ccxt.OperationFailed, match="redirect to localhost"):
        blofin.load_markets()
    assert not venue.asked("elsewhere")


@pytest.mark.parametrize("by_proxy", [False, True], ids=["by the venue", "by a proxy"])
def test_a_login_is_not_sent_where_a_handshake_is_redirected_to(by_proxy):
    reached = []

    async def elsewhere(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        reached.append(await socket.receive())
        return socket

    async def redirect(request):
        raise web.HTTPTemporaryRedirect("/elsewhere")

    async def redirect_at_once(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async def instruments(request):
        return web.json_response({"code": "0", "msg": "", "data": INSTRUMENTS})

    async def watch():
        app = web.Application()
        app.router.add_get("/ws", redirect)
        app.router.add_get("/elsewhere", elsewhere)
        app.router.add_get("/api/v1/{path:.*}", instruments)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host = f"127.0.0.1:{runner.addresses[0][1]}"
        swap = {"public": f"ws://{host}/ws", "private": f"ws://{host}/ws"}
        urls = {"api": {"rest": f"http://{host}", "ws": {"swap": swap}}}
        proxy = await asyncio.start_server(redirect_at_once, "127.0.0.1", 0)
        proxied = {"wsProxy": f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"}
        client = BlofinPro({**KEYS, "urls": urls, **(proxied if by_proxy else {})})
        try:
            with pytest.raises(ccxt.NetworkError, match="redirect"):
                await client.watch_positions([BTC])
        finally:
            await client.close()
            proxy.close()
            await runner.cleanup()

    asyncio.run(watch())
    assert not reached
