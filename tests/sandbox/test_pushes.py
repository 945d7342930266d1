"""In which order one event is pushed, how late, and beside which answer: every reading of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bubbybot_freqtrade.sandbox import Sandbox, SandboxSettings
from bubbybot_freqtrade.sandbox.readings import QUESTIONS
from tests.sandbox.owner import Owner, flat, write_course
from tests.sandbox.test_gate import Client
from tests.sandbox.test_streams import Socket

CHANNELS = {"orders", "orders-algo", "positions", "account"}
ORDERS = [order for order in QUESTIONS["push_order"].readings if order != "any"]


@contextmanager
def listening(**settings: Any) -> Iterator[tuple[Sandbox, Owner, Socket]]:
    """A sandbox with a socket on all private channels, which has heard how they begin."""
    with Sandbox(SandboxSettings(rate_limits=False, **settings)) as sandbox:
        socket = Socket(sandbox.ws_private_url)
        try:
            socket.login(sandbox)
            for channel in ("orders", "orders-algo", "account", "positions"):
                socket.subscribe(channel)
                if channel in ("account", "positions"):
                    socket.hear()
            yield sandbox, Owner(sandbox), socket
        finally:
            socket.close()


def order_of(socket: Socket) -> str:
    """The channels as they came, one event, until a ping is answered."""
    socket.say("ping")
    heard = []
    while (message := socket.hear()) != "pong":
        heard.append(message["arg"]["channel"])
    return ",".join(dict.fromkeys(heard))


def below(sandbox: Sandbox) -> str:
    """A price that is not reached."""
    return str(sandbox.market.last_price("BTC-USDT", sandbox.clock.now_ms()) - 5000)


@pytest.mark.parametrize("order", ORDERS)
def test_an_entry_and_an_exit_are_told_in_the_order_of_the_setting(order):
    with listening(push_order=order) as (sandbox, owner, socket):
        owner.order("buy", "1", slTriggerPrice=below(sandbox))
        assert order_of(socket) == order
        owner.order("sell", "1", reduceOnly="true")
        assert order_of(socket) == order


@pytest.mark.parametrize("order", ORDERS)
def test_so_is_a_stop_that_fires_while_the_market_is_played(tmp_path, order):
    course = [*flat(50_000, 2), *flat(48_000, 2)]
    write_course(tmp_path, "BTC-USDT", course, 1000.0)
    start = {"data": tmp_path, "start_ms": 1_746_403_200_000}
    with listening(push_order=order, position_pushes="with_change", **start) as (_, owner, socket):
        owner.order("buy", "1", slTriggerPrice="49000")
        assert order_of(socket) == order
        owner.play(3)
        assert owner.positions() == []
        assert order_of(socket) == order


def test_any_order_is_another_one_from_event_to_event_and_complete():
    with listening(push_order="any") as (sandbox, owner, socket):
        orders = []
        for _ in range(8):
            owner.order("buy", "1", slTriggerPrice=below(sandbox))
            orders.append(order_of(socket))
            owner.order("sell", "1", reduceOnly="true")
            orders.append(order_of(socket))
    assert all(set(order.split(",")) == CHANNELS for order in orders)
    assert len(set(orders)) > 1
    assert len({order.partition(",")[0] for order in orders}) > 1


def test_late_pushes_come_when_their_time_has_come_and_lists_show_it_before():
    with listening(push_delay_ms=2000) as (sandbox, owner, socket):
        begun = sandbox.clock.now_ms()
        row = owner.order("buy", "1", price=below(sandbox))
        assert owner.detail(row["orderId"])["state"] == "live"
        sandbox.advance(begun + 1999)
        assert order_of(socket) == ""
        sandbox.advance(begun + 2000)
        assert order_of(socket) == "orders,account"


def test_late_pushes_of_two_events_stay_in_their_order():
    with listening(push_delay_ms=2000, position_pushes="with_change") as (sandbox, owner, socket):
        begun = sandbox.clock.now_ms()
        row = owner.order("buy", "1", price=below(sandbox))
        sandbox.advance(begun + 500)
        owner.post("trade/cancel-order", instId="BTC-USDT", orderId=row["orderId"])
        sandbox.advance(begun + 10_000)
        states = []
        while len(states) < 2:
            message = socket.hear()
            if message["arg"]["channel"] == "orders":
                states += [order["state"] for order in message["data"]]
        assert states == ["live", "canceled"]


def test_a_push_before_the_answer_is_there_when_the_answer_comes(monkeypatch):
    # However slow this machine is just now.
    monkeypatch.setattr("bubbybot_freqtrade.sandbox.server.HEAD_START_S", 1.0)
    with listening(push_before_answer=True) as (sandbox, _, socket):
        body = {
            "instId": "BTC-USDT",
            "marginMode": "cross",
            "side": "buy",
            "orderType": "market",
            "size": "1",
        }
        answer = Client(sandbox).send("POST", "/api/v1/trade/order", body).json()
        assert answer["code"] == "0"
        (row,) = socket.hear(timeout=0)["data"]
        assert row["orderId"] == answer["data"][0]["orderId"]
