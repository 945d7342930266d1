"""Trailing stops: they follow the best price from where they begin, and fire behind it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.owner import Course, Owner, flat

# Up to 51 000, down to 50 400, up to 52 000 and down for good.
UP_AND_DOWN: Course = [
    *flat(50_000, 3),
    (50_000, 51_000, 50_000, 51_000),
    (51_000, 51_000, 50_400, 50_400),
    (50_400, 52_000, 50_400, 52_000),
    (52_000, 52_000, 48_000, 48_000),
    *flat(48_000, 5),
]
# The same, upside down.
DOWN_AND_UP: Course = [
    (100_000 - o, 100_000 - lo, 100_000 - hi, 100_000 - c) for o, hi, lo, c in UP_AND_DOWN
]


def trail(owner: Owner, side: str = "sell", **fields: str) -> dict[str, Any]:
    """Hold ten contracts with a trailing stop on them; the answer's data or refusal."""
    owner.order("buy" if side == "sell" else "sell", "10")
    body = {"instId": "BTC-USDT", "marginMode": "isolated", "side": side, "size": "-1"}
    body |= {"orderType": "trailing_stop", "reduceOnly": "true", "clientOrderId": "trail1"}
    answer = owner.post("trade/order-algo", {**body, **fields})
    return answer.get("data", answer)


def exit_price(owner: Owner) -> Decimal:
    owner.play(11)
    assert owner.positions() == []
    row = owner.get("trade/order-detail", instId="BTC-USDT", algoClientOrderId="trail1")
    assert Decimal(row["filledSize"]) == 10
    return Decimal(row["averagePrice"])


@pytest.mark.parametrize(
    ("fields", "fired_at"),
    [
        # One percent below 51 000.
        ({"callbackRatio": "0.01"}, 50_490),
        # Two percent are never given back of 51 000, but of 52 000.
        ({"callbackRatio": "0.02"}, 50_960),
        ({"callbackSpread": "500"}, 50_500),
        ({"callbackSpread": "700"}, 51_300),
        # It begins to follow above 51 500 only.
        ({"callbackRatio": "0.01", "activePrice": "51500"}, 51_480),
    ],
)
def test_it_sells_behind_the_highest_price(open_sandbox, fields, fired_at):
    owner = open_sandbox({"BTC-USDT": UP_AND_DOWN})
    assert trail(owner, **fields)["code"] == "0"
    assert abs(exit_price(owner) - fired_at) < 30


def test_it_buys_behind_the_lowest_price(open_sandbox):
    owner = open_sandbox({"BTC-USDT": DOWN_AND_UP})
    assert trail(owner, "buy", callbackSpread="500")["code"] == "0"
    assert abs(exit_price(owner) - 49_500) < 30


def test_one_that_never_begins_never_fires(open_sandbox):
    owner = open_sandbox({"BTC-USDT": UP_AND_DOWN})
    trail(owner, callbackRatio="0.01", activePrice="53000")
    owner.play(11)
    assert owner.positions()[0]["positions"] == "10"


def test_it_is_listed_by_its_type_and_can_be_canceled(open_sandbox):
    owner = open_sandbox()
    algo_id = trail(owner, callbackRatio="0.01")["algoId"]
    assert owner.get("trade/orders-algo-pending", orderType="trigger") == []
    (row,) = owner.get("trade/orders-algo-pending", orderType="trailing_stop")
    assert (row["algoId"], row["callbackRatio"], row["triggerPrice"]) == (algo_id, "0.01", None)
    cancel = {"instId": "BTC-USDT", "algoId": algo_id}
    assert owner.post("trade/cancel-algo", cancel)["data"]["code"] == "0"
    assert owner.get("trade/orders-algo-pending", orderType="trailing_stop") == []


def test_what_is_no_trailing_stop_is_refused(open_sandbox):
    assert trail(open_sandbox())["code"] == "152003"
    both = {"callbackRatio": "0.01", "callbackSpread": "5"}
    assert trail(open_sandbox(), **both)["code"] == "152003"
    for wrong in ({"callbackRatio": "0.0001"}, {"callbackRatio": "2"}, {"callbackSpread": "0"}):
        assert trail(open_sandbox(), **wrong)["code"] == "152002"


def test_a_venue_without_it_refuses_the_type_everywhere(open_sandbox):
    owner = open_sandbox(trailing_stop=False)
    assert trail(owner, callbackRatio="0.01")["code"] == "152002"
    asked = {"orderType": "trailing_stop"}
    answer = owner.sandbox.app(
        "/api/v1/trade/orders-algo-pending", asked, uid=owner.uid, method="GET"
    )
    assert answer["code"] == "152002"


def test_it_survives_a_restart(open_sandbox, tmp_path):
    settings = {"state_file": tmp_path / "state.json"}
    owner = open_sandbox({"BTC-USDT": UP_AND_DOWN}, **settings)
    trail(owner, callbackSpread="700")
    owner.play(4)
    owner.sandbox.save()
    again = open_sandbox({"BTC-USDT": UP_AND_DOWN}, **settings)
    again.play(7)
    assert again.positions() == []
    row = again.get("trade/order-detail", instId="BTC-USDT", algoClientOrderId="trail1")
    assert abs(Decimal(row["averagePrice"]) - 51_300) < 30
