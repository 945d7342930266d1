"""Answers that are refusals nobody knows, come late, are empty, are no rows or lead elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from bubbybot_freqtrade.drills.desk import Desk
from bubbybot_freqtrade.drills.drill import Run
from bubbybot_freqtrade.drills.market import BTC, ETH
from bubbybot_freqtrade.drills.outside.case import Case, Play, entered, held, live_stops

UNKNOWN_CODES = ("102016", "102999")
LISTS = (
    "account/positions",
    "account/balance",
    "trade/orders-tpsl-pending",
    "trade/orders-tpsl-history",
    "trade/orders-pending",
    "trade/orders-history",
    "trade/order-detail",
    "trade/order-tpsl-detail",
    "trade/fills-history",
    "account/funding-fees",
    "market/instruments",
    "market/tickers",
    "market/candles",
    "market/books",
)
# Rows of a full page, and requests that a loop with a trade can need.
PAGE, MOST_A_LOOP = 100, 40
NO_ROWS: tuple[Any, ...] = (["x", None, 5], [{}], {"instId": 5}, "x")


def _unknown_refusal(code: str) -> Play:
    def play(run: Run, desk: Desk, case: str) -> None:
        refusal = {"kind": "code", "code": code, "msg": "words that nobody knows"}
        entered(desk, ETH, "short")
        desk.fault(path="*/trade/order-tpsl", method="POST", **refusal)
        desk.cancel_stops(ETH)
        desk.loop(3)
        run.must(held(desk, ETH) is None, case, "a position that can't be protected is kept")
        run.must(desk.said(code, "words that nobody knows"), case, "it does not quote the refusal")
        desk.calm()
        desk.fault(path="*/trade/order", method="POST", times=1, **refusal)
        run.must(desk.enter(BTC) is None, case, "an entry that was refused is a trade")
        desk.loop()

    return play


def _late_after_success(run: Run, desk: Desk, case: str) -> None:
    entered(desk, ETH, "short")
    since = desk.watch.requests.copy()
    for path in ("trade/order-tpsl-detail", "trade/orders-tpsl-pending"):
        desk.fault(kind="data", data=None if "detail" in path else [], path=f"*/{path}", times=1)
    desk.cancel_stops(ETH)
    desk.loop(3)
    run.must(held(desk, ETH) is not None, case, "a protected position was closed")
    run.must(len(live_stops(desk, ETH)) == 1, case, "it has not one stop")
    run.must(desk.watch.requests != since, case, "nothing was asked")


def _empty_positions(run: Run, desk: Desk, case: str) -> None:
    entered(desk, BTC)
    before = [order.tpsl_id for order in live_stops(desk, BTC)]
    desk.fault(kind="data", data=[], path="*/account/positions")
    desk.loop(4, minutes=0.6)
    desk.calm()
    desk.loop(2)
    after = [order.tpsl_id for order in live_stops(desk, BTC)]
    run.must(before == after, case, f"stops {before} became {after}")
    run.must(held(desk, BTC) is not None, case, "the position was closed")


def _positions_behind(run: Run, desk: Desk, case: str) -> None:
    run.must(entered(desk, BTC) is not None, case, "it was not entered")
    desk.loop(3)
    run.must(len(live_stops(desk, BTC)) == 1, case, "its stop is gone")
    desk.exit(BTC)
    desk.loop(4)
    run.must(held(desk, BTC) is None, case, "it was not left")


def _no_rows(run: Run, desk: Desk, case: str) -> None:
    entered(desk, BTC)
    desk.enter(ETH, price=1_900.0, order_type="limit")
    before = [order.tpsl_id for order in live_stops(desk, BTC)]
    for path in LISTS:
        for data in NO_ROWS:
            fault = desk.fault(kind="data", data=data, path=f"*/{path}")
            desk.loop()
            desk.sandbox.faults.remove(fault)
            if desk.stopped:
                run.must(False, case, f"{data} for {path} ended it")
                return
    desk.loop(3, minutes=1.2)
    after = [order.tpsl_id for order in live_stops(desk, BTC)]
    run.must(before == after, case, f"stops {before} became {after}")


class _Elsewhere(BaseHTTPRequestHandler):
    """A host that somebody sends the bot to; keeps the headers it is told."""

    told: list[str]

    def _listen(self) -> None:
        self.told.append(str(self.headers))
        self.send_response(200)
        self.end_headers()

    do_GET = do_POST = _listen  # noqa: N815 - as http.server calls them

    def log_message(self, format: str, *args: object) -> None:
        """Not to the console."""


@contextmanager
def _elsewhere() -> Iterator[tuple[str, list[str]]]:
    told: list[str] = []
    handler = type("Elsewhere", (_Elsewhere,), {"told": told})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://localhost:{server.server_port}/api", told
        server.shutdown()
        thread.join()


def _redirected(run: Run, desk: Desk, case: str) -> None:
    entered(desk, BTC)
    with _elsewhere() as (address, told):
        desk.fault(kind="redirect", location=address)
        desk.loop(2, able=False)
        desk.exit(BTC)
        desk.enter(ETH)
        desk.loop(able=False)
        desk.calm()
    run.must(not told, case, f"{len(told)} requests went to another host")
    # freqtrade waits after a request that failed.
    desk.loop(3, minutes=1.2)
    run.must(not desk.stopped, case, "it did not come back")


def _no_vpn(run: Run, desk: Desk, case: str) -> None:
    entered(desk, BTC)
    before = [order.tpsl_id for order in live_stops(desk, BTC)]
    since = len(desk.log.lines)
    desk.fault(kind="http", status=403)
    desk.loop(2, minutes=0.6, able=False)
    desk.calm()
    run.must(desk.said("VPN", "regions", since=since), case, "it is told as a ban alone")
    # freqtrade waits after a request that failed.
    desk.loop(3, minutes=1.2)
    after = [order.tpsl_id for order in live_stops(desk, BTC)]
    run.must(before == after, case, f"stops {before} became {after}")


def _lists_without_end(run: Run, desk: Desk, case: str) -> None:
    """A full page is followed by a next one, which here is the same again."""
    entered(desk, BTC)
    before = [order.tpsl_id for order in live_stops(desk, BTC)]
    (stop,) = desk.sandbox.app("/api/v1/trade/orders-tpsl-pending", uid=desk.key.uid, method="GET")[
        "data"
    ]
    for name in ("pending", "history"):
        path = f"trade/orders-tpsl-{name}"
        fault = desk.fault(kind="data", data=[stop] * PAGE, path=f"*/{path}")
        asked = desk.watch.requests.copy()
        desk.loop(3, minutes=0.3)
        desk.sandbox.faults.remove(fault)
        asked_more = (desk.watch.requests - asked).total()
        run.must(asked_more <= 3 * MOST_A_LOOP, case, f"{asked_more} requests in 3 loops: {path}")
    desk.loop(3, minutes=1.2)
    after = [order.tpsl_id for order in live_stops(desk, BTC)]
    run.must(before == after, case, f"stops {before} became {after}")


CASES = (
    *(Case(3, f"{code} for stop and entry", _unknown_refusal(code)) for code in UNKNOWN_CODES),
    Case(4, "'not found' right after a success", _late_after_success),
    Case(17, "the firewall lets nobody in", _no_vpn),
    Case(18, "an empty list of positions", _empty_positions),
    Case(18, "positions eight seconds behind", _positions_behind,
         settings={"position_delay_ms": 8000}),
    Case(19, "rows that are no rows", _no_rows),
    Case(20, "redirects", _redirected),
    Case(25, "lists of stops without an end", _lists_without_end),
)  # fmt: skip
