"""Every reading of an open question changes the sandbox as its sentence says.

Older ones are played where their subject is: `passed_trigger`, `attached_tpsl`, `leftover_exits`,
`stop_fill_share` and `amend_tpsl` in test_brackets, `order_failure` in test_orders; what is pushed
in test_pushes.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from bubbybot_freqtrade.sandbox import ApiKey, Sandbox, SandboxSettings
from tests.sandbox.owner import flat
from tests.sandbox.test_gate import Client

BOTH = {"slTriggerPrice": "49000", "tpTriggerPrice": "51000"}
TRANSFER = "/api/v1/asset/transfer"


@pytest.mark.parametrize(("reading", "target"), [("keep", "51000"), ("remove", None)])
def test_amend_unnamed_leg(open_sandbox, reading, target):
    owner = open_sandbox(amend_unnamed_leg=reading)
    owner.order("buy", "10", **BOTH)
    body = {"instId": "BTC-USDT", "tpslId": owner.live_tpsl()[0]["tpslId"]}
    owner.post("trade/amend-tpsl", {**body, "newSlTriggerPrice": "49500"})
    (row,) = owner.live_tpsl()
    assert Decimal(row["slTriggerPrice"]) == 49_500
    left = row["tpTriggerPrice"]
    assert (left and Decimal(left)) == (target and Decimal(target))


@pytest.mark.parametrize(("reading", "sizes"), [("keep", ["10"]), ("grow", ["17"])])
def test_attached_after_addition(open_sandbox, reading, sizes):
    owner = open_sandbox(attached_after_addition=reading)
    row = owner.order("buy", "10", **BOTH)
    assert row["code"] == "0"
    owner.order("buy", "7")
    assert [row["size"] for row in owner.live_tpsl()] == sizes
    owner.order("sell", "5", reduceOnly="true")
    assert [row["size"] for row in owner.live_tpsl()] == sizes


@pytest.mark.parametrize(("reading", "code"), [("accept", "0"), ("refuse", "102022")])
def test_lone_tpsl(open_sandbox, reading, code):
    owner = open_sandbox(lone_tpsl=reading)
    assert owner.tpsl("sell", "5", slTriggerPrice="49000")["code"] == code
    owner.order("buy", "5")
    assert owner.tpsl("sell", "5", slTriggerPrice="48000")["code"] == "0"


@pytest.mark.parametrize(("band", "code"), [("0.15", "0"), ("0.03", "102064")])
def test_price_band(open_sandbox, band, code):
    owner = open_sandbox(price_band=band)
    assert owner.order("buy", "1", price="52000")["code"] == code
    assert owner.order("sell", "1", price="45000")["code"] == ("0" if code == "0" else "102065")


def test_order_delay(open_sandbox):
    owner = open_sandbox(order_delay_ms=2000)
    filled = owner.order("buy", "1")
    resting = owner.order("buy", "1", price="49000", clientOrderId="mine")
    assert owner.get("trade/orders-pending") == []
    assert owner.history() == []
    assert owner.detail(filled["orderId"]) is None
    # It has happened all the same.
    assert len(owner.get("trade/fills-history")) == 1
    assert len(owner.positions()) == 1
    owner.play(2 / 60 + 0.001)
    assert owner.detail(filled["orderId"])["state"] == "filled"
    (row,) = owner.get("trade/orders-pending")
    assert row["orderId"] == resting["orderId"]
    found = owner.get("trade/order-detail", instId="BTC-USDT", clientOrderId="mine")
    assert found == row


def test_tpsl_delay(open_sandbox):
    owner = open_sandbox(tpsl_delay_ms=2000)
    owner.order("buy", "10", **BOTH)
    row = owner.tpsl("sell", "5", slTriggerPrice="48000")
    detail = {"instId": "BTC-USDT", "tpslId": row["tpslId"]}
    assert owner.live_tpsl() == []
    assert owner.get("trade/order-tpsl-detail", **detail) is None
    owner.play(2 / 60 + 0.001)
    assert len(owner.live_tpsl()) == 2
    assert owner.get("trade/order-tpsl-detail", **detail)["state"] == "live"


def test_list_delay_of_a_canceled_order(open_sandbox):
    owner = open_sandbox(list_delay_ms=2000)
    row = owner.order("buy", "1", price="49000")
    owner.play(1)
    owner.post("trade/cancel-order", instId="BTC-USDT", orderId=row["orderId"])
    # It has happened all the same.
    assert owner.detail(row["orderId"])["state"] == "canceled"
    (listed,) = owner.get("trade/orders-pending")
    assert (listed["orderId"], listed["state"]) == (row["orderId"], "live")
    assert owner.history() == []
    owner.play(1.999 / 60)
    assert len(owner.get("trade/orders-pending")) == 1
    owner.play(0.001 / 60)
    assert owner.get("trade/orders-pending") == []
    assert [order["state"] for order in owner.history()] == ["canceled"]


def test_list_delay_of_fills(open_sandbox):
    owner = open_sandbox(list_delay_ms=2000)
    resting = owner.order("buy", "10", price="49000")["orderId"]
    owner.play(1)
    owner.sandbox.fill(resting, Decimal(4))
    owner.play(1 / 60)
    owner.sandbox.fill(resting)
    taken = owner.order("buy", "1")["orderId"]

    def sizes():
        return {o["orderId"]: Decimal(o["filledSize"]) for o in owner.get("trade/orders-pending")}

    assert sizes() == {resting: 0, taken: 0}
    owner.play(1 / 60)
    assert sizes() == {resting: 4, taken: 0}
    owner.play(1 / 60)
    assert sizes() == {}
    assert {o["orderId"]: o["state"] for o in owner.history()} == {
        resting: "filled",
        taken: "filled",
    }
    assert {Decimal(o["filledSize"]) for o in owner.history()} == {Decimal(10), Decimal(1)}


def test_list_delay_of_tpsls(open_sandbox):
    owner = open_sandbox(list_delay_ms=2000)
    owner.order("buy", "10", **BOTH)
    (row,) = owner.live_tpsl()
    owner.play(1)
    owner.post(
        "trade/amend-tpsl", instId="BTC-USDT", tpslId=row["tpslId"], newSlTriggerPrice="49500"
    )
    owner.play(1 / 60)
    owner.post("trade/cancel-tpsl", [{"instId": "BTC-USDT", "tpslId": row["tpslId"]}])
    assert [Decimal(o["slTriggerPrice"]) for o in owner.live_tpsl()] == [49_000]
    owner.play(1 / 60)
    assert [Decimal(o["slTriggerPrice"]) for o in owner.live_tpsl()] == [49_500]
    assert owner.get("trade/orders-tpsl-history") == []
    owner.play(1 / 60)
    assert owner.live_tpsl() == []
    (ended,) = owner.get("trade/orders-tpsl-history")
    assert ended["state"] == "canceled"


def test_position_delay(open_sandbox):
    owner = open_sandbox(position_delay_ms=2000)

    def sizes():
        return [row["positions"] for row in owner.positions()]

    owner.order("buy", "10")
    assert sizes() == []
    owner.play(2 / 60 + 0.001)
    assert sizes() == ["10"]
    owner.order("sell", "4", reduceOnly="true")
    owner.play(1 / 60)
    owner.order("sell", "6", reduceOnly="true")
    assert sizes() == ["10"]
    owner.play(1.5 / 60)
    assert sizes() == ["6"]
    owner.play(1 / 60)
    assert sizes() == []


@pytest.mark.parametrize(
    ("reading", "whole", "part"),
    [("plain", "-1", "4"), ("padded", "-1.000000000000000000", "4.000000000000000000")],
)
def test_tpsl_sizes(open_sandbox, reading, whole, part):
    owner = open_sandbox(tpsl_sizes=reading)
    owner.order("buy", "10")
    owner.tpsl("sell", "-1", slTriggerPrice="49000")
    owner.tpsl("sell", "4", slTriggerPrice="48000")
    assert [row["size"] for row in owner.live_tpsl()] == [part, whole]
    detail = owner.get("trade/order-tpsl-detail", instId="BTC-USDT", **_id(owner))
    assert detail["size"] == part


def _id(owner):
    return {"tpslId": owner.live_tpsl()[0]["tpslId"]}


@pytest.mark.parametrize("reading", ["order-tpsl-detail", "orders-tpsl-detail", "none"])
def test_tpsl_detail(open_sandbox, reading):
    owner = open_sandbox(tpsl_detail=reading)
    owner.order("buy", "10", **BOTH)
    body = {"instId": "BTC-USDT", **_id(owner)}
    for path in ("order-tpsl-detail", "orders-tpsl-detail"):
        answer = owner.sandbox.app(f"/api/v1/trade/{path}", body, method="GET")
        assert answer["code"] == ("0" if path == reading else "152404")


@pytest.mark.parametrize(("reading", "data"), [("null", None), ("empty", [])])
def test_unknown_detail(open_sandbox, reading, data):
    owner = open_sandbox(unknown_detail=reading)
    assert owner.detail("5") == data
    assert owner.get("trade/order-tpsl-detail", instId="BTC-USDT", tpslId="5") == data


@pytest.mark.parametrize(
    ("reading", "amount", "code"),
    [
        ("permission", "0", "152404"),
        ("permission", "20000", "152404"),
        ("amount", "0", "152002"),
        ("amount", "20000", "150004"),
        ("amount", "5", "152404"),
    ],
)
def test_transfer_check(reading, amount, code):
    with Sandbox(SandboxSettings(rate_limits=False, transfer_check=reading)) as sandbox:
        body = {"currency": "USDT", "fromAccount": "futures", "toAccount": "funding"}
        client = Client(sandbox)
        assert client.code("POST", TRANSFER, {**body, "amount": amount}) == code
        allowed = ApiKey(api_key="rich", permissions=frozenset({"READ", "TRANSFER"}))
        sandbox.engine.add_key(allowed)
        assert client.code("POST", TRANSFER, {**body, "amount": "5"}, key="rich") == "0"


@pytest.mark.parametrize("reading", ["wallet", "margin"])
def test_isolated_funding(open_sandbox, reading):
    owner = open_sandbox({"BTC-USDT": flat(50_000, 9 * 60)}, isolated_funding=reading, leverage=10)
    owner.order("buy", "10")
    before = owner.positions()[0]
    wallet = owner.wallet
    owner.play(8 * 60 + 1)
    after = owner.positions()[0]
    paid = wallet - owner.wallet
    assert paid > 0
    taken = Decimal(before["margin"]) - Decimal(after["margin"])
    nearer = Decimal(after["liquidationPrice"]) > Decimal(before["liquidationPrice"])
    assert (taken, nearer) == ((paid, True) if reading == "margin" else (0, False))


@pytest.mark.parametrize(("reading", "code"), [("all", "429"), ("posts", "0")])
def test_trading_requests(reading, code):
    with Sandbox(SandboxSettings(trading_requests=reading)) as sandbox:
        client = Client(sandbox)
        path = "/api/v1/trade/orders-pending"
        codes = [client.send("GET", path).json()["code"] for _ in range(31)]
        assert codes == ["0"] * 30 + [code]
        order = {"instId": "BTC-USDT", "orderId": "5"}
        path = "/api/v1/trade/cancel-order"
        codes = [client.send("POST", path, order).json()["code"] for _ in range(31)]
        assert codes[30] == "429"


def test_tier_unit():
    answers = {}
    for reading in ("contracts", "quote"):
        with Sandbox(SandboxSettings(rate_limits=False, tier_unit=reading)) as sandbox:
            path = "/api/v1/market/position-tiers?instId=DOGE-USDT&marginMode=isolated"
            answers[reading] = Client(sandbox).send("GET", path).json()["data"]
    value = Decimal("0.19") * 1000
    for contracts, quote in zip(answers["contracts"], answers["quote"], strict=True):
        assert Decimal(quote["maxSize"]) == Decimal(contracts["maxSize"]) * value
        assert quote["maxLeverage"] == contracts["maxLeverage"]


@pytest.mark.parametrize(("reading", "code"), [(True, "0"), (False, "152002")])
def test_index_trigger(open_sandbox, reading, code):
    owner = open_sandbox(index_trigger=reading)
    owner.order("buy", "5")
    by_index = {"slTriggerPrice": "49000", "slTriggerPriceType": "index"}
    answer = owner.tpsl("sell", "5", **by_index)
    assert answer["code"] == code
    assert owner.tpsl("sell", "5", slTriggerPrice="49000", slTriggerPriceType="mark")["code"] == "0"


def test_fill_delay(open_sandbox):
    owner = open_sandbox(fill_delay_ms=2000)
    order_id = owner.order("buy", "1")["orderId"]
    assert owner.detail(order_id)["state"] == "filled"
    assert owner.get("trade/fills-history") == []
    owner.play(2 / 60 + 0.001)
    assert len(owner.get("trade/fills-history")) == 1
