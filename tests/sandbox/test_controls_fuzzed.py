"""Whatever is asked of the sandbox, wrong in every way: a true line, never a 500."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bubbybot_freqtrade.sandbox import DEMO_UID, Sandbox, SandboxSettings
from bubbybot_freqtrade.sandbox.api import rest_public
from bubbybot_freqtrade.sandbox.api.rest import PRIVATE

API = "/api/v1"
BTC = {"instId": "BTC-USDT", "marginMode": "cross", "positionSide": "net"}
ORDER = BTC | {"side": "buy", "orderType": "market", "size": "1", "clientOrderId": "named"}
STOP = BTC | {"side": "sell", "size": "-1", "slTriggerPrice": "1", "slOrderPrice": "-1"}

# Of each of some seventy paths.
PATIENTLY = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))

# What each control is asked in earnest.
CONTROLS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("GET", "clock", {}),
    ("POST", "clock", {"now": 5}),
    ("GET", "ledger", {"uid": DEMO_UID}),
    ("GET", "requests", {"path": "x", "method": "GET", "uid": "1", "since": 0, "until": 5}),
    ("DELETE", "requests", {}),
    ("GET", "faults", {}),
    ("POST", "faults", {"kind": "http", "path": "*", "times": 1, "delay_ms": 1, "status": 502}),
    ("DELETE", "faults", {"id": "fault-1"}),
    ("POST", "candle-faults", {"inst_id": "BTC-USDT", "bar": "1m", "ts": 0, "kind": "changed",
                               "until_ms": 5, "factor": "1.01"}),
    ("DELETE", "candle-faults", {}),
    ("POST", "streams", {"refuse": False, "silent": False, "delay_ms": 0, "drop": False}),
    ("POST", "instruments", {"inst_id": "ETH-USDT", "lot_size": "0.1", "tick_size": "0.01",
                             "expire_time": 0, "max_leverage": "50"}),
    ("POST", "fills", {"order_id": "5", "size": "1", "uid": DEMO_UID}),
    ("POST", "keys", {"api_key": "other", "uid": "7", "permissions": ["READ"], "ips": []}),
    ("DELETE", "keys", {"apiKey": "other"}),
    ("POST", "bans", {"for_ms": 5}),
    ("DELETE", "bans", {}),
)  # fmt: skip
# And the app, by the paths of the API.
APP: dict[str, dict[str, Any]] = {
    path: {**ORDER, **STOP, "leverage": "3", "positionMode": "net_mode", "orderId": "5"}
    | {"tpslId": "5", "algoId": "5", "newSize": "1", "newSlTriggerPrice": "2", "price": "1"}
    | {"currency": "USDT", "amount": "1", "fromAccount": "funding", "toAccount": "futures"}
    for path in PRIVATE["POST"]
}

# And the venue, for lists.
QUERY = BTC | {"bar": "1m", "limit": "5", "after": "5", "before": "5", "begin": "5", "end": "5"}
QUERY |= {"size": "5", "orderId": "5", "tpslId": "5", "algoId": "5", "clientOrderId": "named"}
QUERY |= {"marginMode": "cross", "instType": "SWAP", "state": "filled", "orderType": "limit"}

NUMBERS = st.sampled_from(
    ["0", "-1", "1e-300", "1e300", "1e999999999", "-0", "0.1", "9" * 50, "9" * 5000, "NaN", "inf",
     "1_0", " 1", "0x10", "1,5", "٣"]
)  # fmt: skip
INTS = st.sampled_from([0, -1, 1, 5, 2**31, 2**63, 2**64, 10**30, -(10**30), 1e300, 0.5])
TEXT = NUMBERS | st.sampled_from(["", "\x00", "x" * 3000, "BTC-USDT", "[", "%", "true"])
TEXT = TEXT | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
SCALARS = st.none() | st.booleans() | INTS | TEXT
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(TEXT, SCALARS, max_size=2)


def spoiled(asked: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What was asked in earnest with one to three fields wrong, gone or new; or something else."""
    names = st.sampled_from([*asked, "self", "cls", "uid", "no such field"])
    wrong = st.dictionaries(names, VALUES, min_size=1, max_size=3)
    gone = st.sets(names, max_size=2)
    changed = st.builds(
        lambda wrong, gone: {k: v for k, v in {**asked, **wrong}.items() if k not in gone},
        wrong, gone,
    )  # fmt: skip
    return st.one_of(changed, changed, VALUES, st.lists(changed, max_size=3))


def as_query(asked: Any) -> Any:
    """The same as a query's fields and values; what has none goes as the query itself.

    Of a length that a request's first line may have.
    """
    if not isinstance(asked, dict):
        return str(asked)[:200]
    return [(str(name)[:200], str(value)[:200]) for name, value in asked.items()]


def encoded(asked: Any) -> bytes:
    """As JSON; numbers that are none of its own are spelled as Python would."""
    try:
        return orjson.dumps(asked)
    except TypeError:
        return repr(asked).encode()


@pytest.fixture(scope="module")
def session():
    with requests.Session() as session:
        yield session


@pytest.fixture(scope="module")
def sandbox():
    """A venue on which an order, a position and a stop stand."""
    with Sandbox(SandboxSettings(rate_limits=False, pair_count=2)) as sandbox:
        below = str(int(sandbox.engine.venue.last_price("BTC-USDT") * Decimal("0.99")))
        waiting = {"orderType": "limit", "price": below, "clientOrderId": "waits"}
        for body in (ORDER, ORDER | waiting):
            assert sandbox.app(f"{API}/trade/order", body)["code"] == "0"
        assert sandbox.app(f"{API}/trade/order-tpsl", STOP)["code"] == "0"
        yield sandbox


def answered(response: requests.Response) -> Any:
    """What an answer says; HTTP 200 with data, or 400 with one line that says why not."""
    assert response.status_code in (200, 400), (response.status_code, response.text)
    body = response.json() if response.content else {}
    if response.status_code == 400 and response.request.method != "HEAD":
        (error,) = body.values()
        assert error.strip()
        assert "\n" not in error
    return body


@pytest.mark.parametrize(("method", "name", "asked"), CONTROLS)
def test_no_body_or_query_of_a_control_breaks_it(sandbox, session, method, name, asked):
    url = f"{sandbox.url}/sandbox/{name}"

    @PATIENTLY
    @given(spoiled(asked))
    def law(wrong):
        if method == "POST":
            answered(session.post(url, data=encoded(wrong), timeout=60))
        answered(session.request(method, url, params=as_query(wrong), timeout=60))
        sandbox.faults.clear()
        sandbox.feed.faults.clear()

    law()
    unknown = asked | {"no such field": "5"}
    sent = {"json": unknown} if method == "POST" else {"params": unknown}
    refused = session.request(method, url, **sent, timeout=60)
    assert refused.status_code == 400
    assert "no such field" in refused.json()["error"]


@pytest.mark.parametrize("path", APP)
def test_no_body_of_the_app_breaks_it(sandbox, session, path):
    url = f"{sandbox.url}/sandbox/app{path}"

    @PATIENTLY
    @given(
        spoiled(APP[path]), st.sampled_from(["", f"?uid={DEMO_UID}", "?uid=%00", "?u=5", "?uid"])
    )
    def law(wrong, query):
        answer = answered(session.post(url + query, data=encoded(wrong), timeout=60))
        assert answer.get("code") != "500"

    law()


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("trade/batch-orders", [ORDER | {"instId": {}}], "152002"),
        ("trade/batch-orders", [ORDER | {"marginMode": []}], "152002"),
        ("trade/order", ORDER | {"size": "1e999999999"}, "152002"),
        ("trade/order", ORDER | {"orderType": "limit", "price": "1e-999999999"}, "152002"),
    ],
)
def test_what_is_no_parameter_is_refused_by_its_code(sandbox, session, path, body, code):
    answer = session.post(f"{sandbox.url}/sandbox/app{API}/{path}", json=body, timeout=60)
    assert answered(answer)["code"] == code


def test_no_time_or_page_is_longer_than_times_are(sandbox, session):
    for name in ("after", "before", "limit"):
        query = {"instId": "BTC-USDT", name: "9" * 5000}
        answer = session.get(f"{sandbox.url}{API}/market/candles", params=query, timeout=60)
        assert answer.json()["code"] == "152002"


@pytest.mark.parametrize("path", [*rest_public.ENDPOINTS, *PRIVATE["GET"]])
def test_no_query_of_the_venue_breaks_it(sandbox, session, path):
    @PATIENTLY
    @given(spoiled(QUERY))
    def law(wrong):
        query = as_query(wrong)
        if path in rest_public.ENDPOINTS:
            answer = session.get(sandbox.url + path, params=query, timeout=60).json()
        else:
            answer = sandbox.app(path, dict(query) if isinstance(wrong, dict) else {}, method="GET")
        assert answer["code"] != "500", answer

    law()


FOREIGN = [
    *({"Host": host} for host in (
        "[", "[]", "[::1", "", "evil.example", "localhost.evil.example", "127.0.0.1@evil.example",
        "localhost:1@evil.example", "%", "127.0.0.1, evil.example",
    )),
    *({"Origin": origin} for origin in (
        "http://[", "//[", "null", "https://evil.example", "http://localhost.evil.example",
        "http://127.0.0.1@evil.example", "file://", "data:text/html,x",
    )),
]  # fmt: skip


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_no_page_of_another_host_gets_in(sandbox, session, headers):
    ledger = session.get(f"{sandbox.url}/sandbox/ledger", headers=headers, timeout=60)
    assert ledger.status_code == 400
    assert "this machine" in ledger.json()["error"]
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    for path in ("public", "private"):
        url = f"{sandbox.url}/ws/{path}"
        # One of its own: a refused upgrade ends the connection.
        assert requests.get(url, headers=upgrade | key | headers, timeout=60).status_code == 403
