"""Keys, signatures and limits: every refusal with the venue's code, and what is let in."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from bubbybot_freqtrade.sandbox import (
    DEMO_API_KEY,
    DEMO_PASSPHRASE,
    DEMO_SECRET,
    ApiKey,
    Sandbox,
    SandboxSettings,
)
from bubbybot_freqtrade.sandbox.api.auth import signature

BALANCE = "/api/v1/account/balance"
ORDER = "/api/v1/trade/order"


class Client:
    """Signs as the reference says, or as the test wants it wrong."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.nonce = 0

    def send(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        key: str = DEMO_API_KEY,
        secret: str = DEMO_SECRET,
        passphrase: str = DEMO_PASSPHRASE,
        timestamp: str | None = None,
        nonce: str | None = None,
    ) -> requests.Response:
        self.nonce += 1
        nonce = f"n{self.nonce}" if nonce is None else nonce
        timestamp = str(self.sandbox.clock.now_ms()) if timestamp is None else timestamp
        text = "" if body is None else json.dumps(body)
        headers = {
            "ACCESS-KEY": key,
            "ACCESS-SIGN": signature(secret, target, method, timestamp, nonce, text),
            "ACCESS-TIMESTAMP": timestamp,
            "ACCESS-NONCE": nonce,
            "ACCESS-PASSPHRASE": passphrase,
            "Content-Type": "application/json",
        }
        return requests.request(
            method, self.sandbox.url + target, headers=headers, data=text or None, timeout=10
        )

    def code(self, *args: Any, **kwargs: Any) -> str:
        response = self.send(*args, **kwargs)
        assert response.status_code == 200
        return response.json()["code"]


@pytest.fixture
def client(generated: Sandbox) -> Client:
    return Client(generated)


def test_the_signature_is_the_references():
    # printf '/api/v1/asset/balances?accountType=futuresGET12' |
    #   openssl dgst -sha256 -hmac secret -r | cut -c1-64 | tr -d '\n' | base64 -w0
    signed = signature("secret", "/api/v1/asset/balances?accountType=futures", "GET", "1", "2", "")
    assert signed == (
        "NTJiOTQzYTdmZmIwZTcxNDQwNmY0Njg1MjQ1NTYyZWY3NGZjOGZlNWJjZjZiYmNkYWNhYWM3ZDBhMTZiMWUzMQ=="
    )


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"key": "other"}, "152401"),
        ({"passphrase": "other"}, "152408"),
        ({"secret": "other"}, "152409"),
        ({"timestamp": "soon"}, "152410"),
        ({"timestamp": ""}, "152410"),
        ({"timestamp": "1700000000"}, "152410"),
        ({"timestamp": "1700000000000"}, "152405"),
        ({"nonce": ""}, "152407"),
    ],
)
def test_credentials_that_are_wrong(client, wrong, code):
    assert client.code("GET", BALANCE, **wrong) == code


def test_the_clock_may_be_off_by_a_minute_either_way(client, generated):
    now = generated.clock.now_ms()
    assert client.code("GET", BALANCE, timestamp=str(now - 60_000)) == "0"
    assert client.code("GET", BALANCE, timestamp=str(now + 60_000)) == "0"
    assert client.code("GET", BALANCE, timestamp=str(now - 60_001)) == "152405"
    assert client.code("GET", BALANCE, timestamp=str(now + 60_001)) == "152405"


def test_a_nonce_serves_once_a_minute(client, generated):
    assert client.code("GET", BALANCE, nonce="x") == "0"
    assert client.code("GET", BALANCE, nonce="x") == "152407"
    generated.advance(generated.clock.now_ms() + 59_999)
    assert client.code("GET", BALANCE, nonce="x") == "152407"
    generated.advance(generated.clock.now_ms() + 1)
    assert client.code("GET", BALANCE, nonce="x") == "0"


def test_query_and_body_are_signed_as_they_were_sent(client):
    assert client.code("GET", "/api/v1/account/positions?instId=BTC-USDT") == "0"
    signed_without_query = client.send("GET", BALANCE).request.headers
    response = requests.get(
        client.sandbox.url + BALANCE + "?a=1", headers=dict(signed_without_query), timeout=10
    )
    assert response.json()["code"] == "152409"


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"ips": ("10.1.2.3",)}, "152406"),
        ({"ips": ("10.1.2.3", "127.0.0.1")}, "0"),
        ({"expires_ms": 1_000_000_000_000}, "152402"),
        ({"expires_ms": 9_000_000_000_000}, "0"),
        ({"permissions": frozenset({"TRADE"})}, "0"),
        ({"permissions": frozenset({"TRANSFER"})}, "152404"),
    ],
)
def test_what_a_key_is_bound_to(client, generated, settings, code):
    generated.engine.add_key(ApiKey(**settings))
    assert client.code("GET", BALANCE) == code


def test_a_read_key_may_not_trade(client, generated):
    generated.engine.add_key(ApiKey(permissions=frozenset({"READ"})))
    assert client.code("GET", BALANCE) == "0"
    assert client.code("POST", ORDER, {}) == "152404"
    assert client.send("GET", "/api/v1/user/query-apikey").json()["data"]["readOnly"] == 1


def test_a_revoked_key_is_gone_at_once(client, generated):
    assert client.code("GET", BALANCE) == "0"
    generated.engine.revoke_key(DEMO_API_KEY)
    assert client.code("GET", BALANCE) == "152401"


@pytest.mark.parametrize(
    ("bound_to", "sent", "code"),
    [
        (None, "anything", "0"),
        (None, "", "0"),
        ("", "", "0"),
        ("", "abc", "152011"),
        ("abc", "", "152012"),
        ("abc", "xyz", "152013"),
        ("abc", "abc", "0"),
    ],
)
def test_broker_ids(client, generated, bound_to, sent, code):
    generated.engine.add_key(ApiKey(broker_id=bound_to))
    order = {
        "instId": "BTC-USDT",
        "marginMode": "cross",
        "side": "buy",
        "orderType": "market",
        "size": "1",
        "brokerId": sent,
    }
    assert client.code("POST", ORDER, order) == code


def test_two_users_have_two_wallets(generated):
    generated.engine.add_key(ApiKey(api_key="second", uid="42"))
    client = Client(generated)
    order = {
        "instId": "BTC-USDT",
        "marginMode": "cross",
        "side": "buy",
        "orderType": "market",
        "size": "1",
    }
    assert client.code("POST", ORDER, order, key="second") == "0"
    positions = "/api/v1/account/positions"
    assert client.send("GET", positions).json()["data"] == []
    assert len(client.send("GET", positions, key="second").json()["data"]) == 1
    assert generated.ledger().balance == 10_000


def test_unknown_paths_and_methods(client):
    assert client.code("GET", "/api/v1/nope") == "152404"
    assert client.code("GET", ORDER) == "405"
    assert client.code("POST", "/api/v1/market/tickers", {}) == "405"


@pytest.mark.parametrize("body", ["{", "5", '"x"', "[1]"])
def test_bodies_that_are_no_json_objects(client, body):
    now = str(client.sandbox.clock.now_ms())
    headers = {
        "ACCESS-KEY": DEMO_API_KEY,
        "ACCESS-SIGN": signature(DEMO_SECRET, ORDER, "POST", now, "b1", body),
        "ACCESS-TIMESTAMP": now,
        "ACCESS-NONCE": "b1",
        "ACCESS-PASSPHRASE": DEMO_PASSPHRASE,
    }
    response = requests.post(client.sandbox.url + ORDER, headers=headers, data=body, timeout=10)
    assert response.json()["code"] in ("152004", "152001")


class TestLimits:
    """On the venue's clock, which a driven sandbox moves."""

    @pytest.fixture
    def limited(self):
        with Sandbox(SandboxSettings()) as sandbox:
            yield sandbox

    def test_five_hundred_a_minute_or_five_minutes_out(self, limited):
        session = requests.Session()
        url = limited.url + "/api/v1/public/time"
        statuses = [session.get(url, timeout=10).status_code for _ in range(501)]
        assert statuses == [200] * 500 + [429]
        refused = session.get(url, timeout=10)
        assert refused.json()["code"] == "429"
        limited.advance(limited.clock.now_ms() + 299_999)
        assert session.get(url, timeout=10).status_code == 429
        limited.advance(limited.clock.now_ms() + 1)
        assert session.get(url, timeout=10).status_code == 200

    def test_fifteen_hundred_in_five_minutes_or_an_hour_out(self, limited):
        session = requests.Session()
        url = limited.url + "/api/v1/public/time"
        for _ in range(3):
            assert {session.get(url, timeout=10).status_code for _ in range(500)} == {200}
            limited.advance(limited.clock.now_ms() + 60_000)
        assert session.get(url, timeout=10).status_code == 429
        limited.advance(limited.clock.now_ms() + 3_599_999)
        assert session.get(url, timeout=10).status_code == 429
        limited.advance(limited.clock.now_ms() + 1)
        assert session.get(url, timeout=10).status_code == 200

    def test_thirty_trading_requests_in_ten_seconds(self, limited):
        client = Client(limited)
        pending = "/api/v1/trade/orders-pending"
        assert {client.send("GET", pending).status_code for _ in range(30)} == {200}
        assert client.send("GET", pending).status_code == 429
        assert client.send("GET", BALANCE).status_code == 200  # not a trading request
        limited.advance(limited.clock.now_ms() + 10_000)
        assert client.send("GET", pending).status_code == 200

    def test_a_ban_holds_even_without_limits(self, generated):
        url = generated.url + "/api/v1/public/time"
        generated.ban(300_000)
        assert requests.get(url, timeout=10).status_code == 429
        generated.advance(generated.clock.now_ms() + 300_000)
        assert requests.get(url, timeout=10).status_code == 200

    def test_bans_can_be_lifted_by_hand(self, limited):
        client = Client(limited)
        pending = "/api/v1/trade/orders-pending"
        for _ in range(31):
            client.send("GET", pending)
        limited.lift_bans()
        assert client.send("GET", pending).status_code == 200
