"""Faults: what takes effect, what doesn't, and what the client gets to see."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner
from pydantic import ValidationError

from bubbybot_freqtrade.sandbox import (
    DEMO_API_KEY,
    DEMO_PASSPHRASE,
    DEMO_SECRET,
    Fault,
    Sandbox,
    SandboxError,
    SandboxSettings,
)
from bubbybot_freqtrade.sandbox.api.auth import signature
from bubbybot_freqtrade.sandbox.api.candle_feed import CandleFault
from bubbybot_freqtrade.sandbox.cli import sandbox_command
from bubbybot_freqtrade.sandbox.state import StateFileError
from tests.sandbox.owner import START, Owner, flat

ORDER = "/api/v1/trade/order"
BUY = {
    "instId": "BTC-USDT",
    "marginMode": "cross",
    "side": "buy",
    "orderType": "market",
    "size": "1",
}


def signed(sandbox: Sandbox, method: str, path: str, text: str, nonce: str) -> dict[str, str]:
    timestamp = str(sandbox.clock.now_ms())
    return {
        "ACCESS-KEY": DEMO_API_KEY,
        "ACCESS-SIGN": signature(DEMO_SECRET, path, method, timestamp, nonce, text),
        "ACCESS-TIMESTAMP": timestamp,
        "ACCESS-NONCE": nonce,
        "ACCESS-PASSPHRASE": DEMO_PASSPHRASE,
    }


def post(sandbox: Sandbox, path: str, body: Any, nonce: str = "n1", timeout: float = 5) -> Any:
    text = json.dumps(body)
    headers = signed(sandbox, "POST", path, text, nonce)
    return requests.post(sandbox.url + path, headers=headers, data=text, timeout=timeout)


def signed_get(sandbox: Sandbox, path: str, nonce: str) -> Any:
    headers = signed(sandbox, "GET", path, "", nonce)
    return requests.get(sandbox.url + path, headers=headers, timeout=5)


def size_held(sandbox: Sandbox) -> Decimal:
    return sum((Decimal(row["positions"]) for row in Owner(sandbox).positions()), Decimal(0))


@pytest.mark.parametrize("status", [403, 429, 500, 502, 503])
def test_refused_requests_have_no_effect(generated, status):
    generated.faults.add(Fault(kind="http", path="*/trade/order", status=status))
    assert post(generated, ORDER, BUY).status_code == status
    assert size_held(generated) == 0
    assert generated.requests.select(path="trade/order")[0].fault == "http"


def test_refused_with_a_code_of_the_venue(generated):
    generated.faults.add(Fault(kind="code", path="*/trade/order", code="103013", msg="busy"))
    assert post(generated, ORDER, BUY).json() == {"code": "103013", "msg": "busy"}
    assert size_held(generated) == 0


def test_a_reset_before_it_took_effect(generated):
    generated.faults.add(Fault(kind="reset", path="*/trade/order"))
    with pytest.raises(requests.ConnectionError):
        post(generated, ORDER, BUY)
    assert size_held(generated) == 0


@pytest.mark.parametrize("kind", ["lost_reset", "lost_truncated", "lost_timeout"])
def test_lost_answers_took_effect(generated, kind):
    generated.faults.add(Fault(kind=kind, path="*/trade/order", delay_ms=300))
    # A body cut short surfaces as a connection error or as broken JSON, depending on the client.
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        post(generated, ORDER, BUY)
    assert size_held(generated) == 1
    (entry,) = generated.requests.select(path="trade/order")
    assert (entry.status, entry.fault) == (0, kind)


def test_a_502_after_it_took_effect(generated):
    generated.faults.add(Fault(kind="lost_http", path="*/trade/order", status=502))
    assert post(generated, ORDER, BUY).status_code == 502
    assert size_held(generated) == 1


def test_a_late_answer_can_outlast_the_clients_patience(generated):
    generated.faults.add(Fault(kind="delay", path="*/trade/order", delay_ms=1500))
    with pytest.raises(requests.Timeout):
        post(generated, ORDER, BUY, timeout=0.2)
    generated.faults.clear()
    assert post(generated, ORDER, BUY, nonce="n2").json()["code"] == "0"


def test_a_fault_can_begin_later_and_end(generated):
    fault_id = generated.faults.add(Fault(kind="http", path=ORDER, after=1, times=2))
    statuses = [post(generated, ORDER, BUY, nonce=f"n{i}").status_code for i in range(5)]
    assert statuses == [200, 502, 502, 200, 200]
    assert generated.faults.hits() == {fault_id: 2}


def test_faults_of_one_method_path_or_user(generated):
    generated.faults.add(Fault(kind="http", method="GET", path="*"))
    assert post(generated, ORDER, BUY).status_code == 200
    generated.faults.clear()
    generated.faults.add(Fault(kind="http", uid="somebody else", path="*"))
    assert post(generated, ORDER, BUY, nonce="n2").status_code == 200


def test_a_likely_fault_repeats_itself_with_its_seed():
    def statuses() -> list[int]:
        with Sandbox(SandboxSettings(rate_limits=False, seed=3)) as sandbox:
            sandbox.faults.add(Fault(kind="http", path="*", probability=0.5))
            url = sandbox.url + "/api/v1/public/time"
            return [requests.get(url, timeout=5).status_code for _ in range(20)]

    first = statuses()
    assert set(first) == {200, 502}
    assert statuses() == first


def test_an_order_that_fills_just_before_it_is_canceled(generated):
    owner = Owner(generated)
    last = generated.market.last_price("BTC-USDT", generated.clock.now_ms())
    row = owner.order("buy", "1", price=str(last - 1000))
    generated.faults.add(Fault(kind="fill_first", path="*/cancel-order"))
    body = {"instId": "BTC-USDT", "orderId": row["orderId"]}
    answer = post(generated, "/api/v1/trade/cancel-order", body).json()
    assert answer["data"]["code"] == "102068"
    assert owner.detail(row["orderId"])["state"] == "filled"


def test_a_stop_that_the_venue_cancels_at_once(generated):
    last = generated.market.last_price("BTC-USDT", generated.clock.now_ms())
    generated.faults.add(Fault(kind="tpsl_canceled", path=ORDER))
    entry = {**BUY, "slTriggerPrice": str(last - 1000), "slOrderPrice": "-1"}
    assert post(generated, ORDER, entry).json()["data"][0]["code"] == "0"
    owner = Owner(generated)
    assert owner.live_tpsl() == []
    assert owner.get("trade/orders-tpsl-history")[0]["state"] == "canceled"
    assert size_held(generated) == 1


def test_an_answer_that_lags(generated):
    def held(nonce):
        rows = signed_get(generated, "/api/v1/account/positions", nonce).json()["data"]
        return [row["positions"] for row in rows]

    generated.faults.add(Fault(kind="stale", path="*/positions", delay_ms=8_000))
    assert held("n1") == []
    post(generated, ORDER, BUY, nonce="n2")
    generated.advance(generated.clock.now_ms() + 7_000)
    assert held("n3") == []
    generated.advance(generated.clock.now_ms() + 8_000)
    assert held("n4") == ["1"]


def test_delays_need_a_length():
    with pytest.raises(ValidationError, match="delay_ms"):
        Fault(kind="delay")


def test_missing_and_wrong_candles(open_sandbox):
    owner = open_sandbox({"BTC-USDT": flat(50_000, 60)})
    with owner.sandbox as sandbox:
        owner.play(10)
        now = sandbox.clock.now_ms()
        missing, wrong = now - 3 * 60_000, now - 2 * 60_000
        common = {"inst_id": "BTC-USDT", "bar": "1m", "until_ms": now + 60_000}
        sandbox.feed.faults += [
            CandleFault(ts=missing, kind="missing", **common),
            CandleFault(ts=wrong, kind="changed", factor=Decimal("1.02"), **common),
        ]

        def closes() -> dict[int, str]:
            params = {"instId": "BTC-USDT", "bar": "1m", "limit": "6"}
            answer = requests.get(
                sandbox.url + "/api/v1/market/candles", params=params, timeout=5
            ).json()
            return {int(row[0]): row[4] for row in answer["data"]}

        assert missing not in closes()
        assert closes()[wrong] == "51000"
        owner.play(1)
        assert closes()[missing] == closes()[wrong] == "50000"


# The controls beside the API


def control(sandbox: Sandbox, method: str, path: str, body: Any = None, **query: Any) -> Any:
    url = f"{sandbox.url}/sandbox/{path}"
    response = requests.request(method, url, json=body, params=query, timeout=10)
    answer = response.json()
    assert response.status_code == 200, answer
    return answer.get("data", answer)


def test_the_clock_can_be_driven_over_http(generated):
    before = control(generated, "GET", "clock")
    assert before == {"now": generated.clock.now_ms(), "driven": True}
    later = before["now"] + 3_600_000
    assert control(generated, "POST", "clock", {"now": later})["now"] == later
    assert generated.clock.now_ms() == generated.engine.now_ms == later
    url = f"{generated.url}/sandbox/clock"
    back = requests.post(url, json={"now": before["now"]}, timeout=5)
    assert back.status_code == 400
    assert "cannot go back" in back.json()["error"]


def test_ledger_requests_and_faults_over_http(generated):
    fault_id = control(generated, "POST", "faults", {"kind": "http", "path": "*/balance"})
    assert control(generated, "GET", "faults") == {fault_id: 0}
    control(generated, "DELETE", "faults", id=fault_id)
    post(generated, ORDER, BUY)
    (entry,) = control(generated, "GET", "requests?path=trade/order")
    assert json.loads(entry["body"]) == BUY
    assert (entry["status"], entry["code"], entry["method"]) == (200, "0", "POST")
    assert DEMO_SECRET not in json.dumps(entry)
    ledger = control(generated, "GET", "ledger")
    assert Decimal(ledger["balance"]) == generated.ledger().balance
    assert {row["kind"] for row in ledger["entries"]} == {"deposit", "fee"}
    control(generated, "DELETE", "requests")
    assert control(generated, "GET", "requests") == []


def test_trading_by_hand_over_http(generated):
    control(generated, "POST", "app/api/v1/trade/order", BUY)
    assert size_held(generated) == 1
    closed = control(
        generated,
        "POST",
        "app/api/v1/trade/close-position",
        {"instId": "BTC-USDT", "marginMode": "cross"},
    )
    assert closed["instId"] == "BTC-USDT"
    assert len(generated.requests) == 0


def test_instruments_keys_streams_and_fills_over_http(generated):
    control(generated, "POST", "instruments", {"inst_id": "BTC-USDT", "state": "suspend"})
    rows = requests.get(generated.url + "/api/v1/market/instruments", timeout=5).json()["data"]
    assert {row["instId"] for row in rows if row["state"] == "suspend"} == {"BTC-USDT"}
    control(generated, "POST", "instruments", {"inst_id": "BTC-USDT", "state": "live"})
    row = Owner(generated).order("buy", "2", price="70000", marginMode="cross")
    control(generated, "POST", "fills", {"order_id": row["orderId"], "size": "0.5"})
    assert size_held(generated) == Decimal("0.5")
    control(generated, "POST", "streams", {"silent": True, "drop": True})
    assert generated.streams.faults.silent
    candle = {"inst_id": "BTC-USDT", "bar": "1m", "ts": 0, "kind": "missing"}
    control(generated, "POST", "candle-faults", candle)
    assert len(generated.feed.faults) == 1
    control(generated, "DELETE", "candle-faults")
    control(generated, "POST", "keys", {"api_key": "k2", "uid": "7"})
    control(generated, "DELETE", "keys", apiKey="k2")
    assert "k2" not in generated.engine.venue.keys
    control(generated, "DELETE", "bans")


MISSING = {"inst_id": "BTC-USDT", "bar": "1m", "ts": 0, "kind": "missing"}


@pytest.mark.parametrize(
    ("method", "path", "body", "named"),
    [
        ("GET", "nope", None, "no such control"),
        ("POST", "faults", {"kind": "nope"}, "kind"),
        ("POST", "clock", {}, "now"),
        ("DELETE", "faults?id=fault-9", None, "fault-9"),
        ("DELETE", "keys?apiKey=zz", None, "zz"),
        ("POST", "instruments", {"inst_id": "NOPE-USDT", "state": "live"}, "152014"),
        ("POST", "fills", {"order_id": "5"}, "5"),
        ("POST", "fills", {"order_id": "5", "size": "-1"}, "size"),
        ("POST", "fills", {"order_id": "5", "uid": "77"}, "77"),
        ("GET", "requests?since=yesterday", None, "since"),
        ("GET", "requests?until=1e99", None, "until"),
        ("GET", "requests?sinc=5", None, "sinc"),
        ("GET", "ledger?uid=77", None, "77"),
        ("GET", "clock?now=5", None, "now"),
        ("POST", "clock", {"now": 10**30}, "now"),
        ("POST", "clock", {"now": "soon"}, "now"),
        ("POST", "clock", [5], "object"),
        ("POST", "bans", "x", "object"),
        ("POST", "bans", {"for_ms": -1}, "for_ms"),
        ("DELETE", "faults?fault=fault-9", None, "fault"),
        ("DELETE", "bans?for=5", None, "for"),
        ("DELETE", "keys", None, "apiKey"),
        ("POST", "candle-faults", {"inst_id": "BTC-USDT"}, "bar"),
        ("POST", "candle-faults", MISSING | {"inst_id": "NOPE-USDT"}, "152014"),
        ("POST", "candle-faults", MISSING | {"bar": "7m"}, "there is no bar '7m'"),
        ("POST", "instruments", {"inst_id": "BTC-USDT"}, "nothing changes"),
        ("POST", "instruments", {"inst_id": "BTC-USDT", "lot_size": "1e-300"}, "lot_size"),
        ("POST", "bans", {"for\nms": 1}, "for ms"),
        ("POST", "keys", {"uid": 5}, "uid"),
        ("POST", "app/api/v1/trade/nope", {}, "trade/nope"),
        ("GET", "app/api/v1/trade/order", None, "GET"),
        ("POST", "app/api/v1/trade/order?uid=77", {}, "77"),
    ],
)
def test_controls_that_make_no_sense(generated, method, path, body, named):
    response = requests.request(method, f"{generated.url}/sandbox/{path}", json=body, timeout=5)
    assert response.status_code == 400
    error = response.json()["error"]
    assert named in error
    assert "\n" not in error


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"nan"])
@pytest.mark.parametrize("path", ["clock", "app/api/v1/trade/order"])
def test_controls_whose_body_is_no_json(generated, path, body):
    url = f"{generated.url}/sandbox/{path}"
    headers = {"Content-Type": "application/json; charset=klingon"}
    response = requests.post(url, data=body, headers=headers, timeout=5)
    assert response.status_code == 400
    assert response.json()["error"]


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}])
def test_web_pages_cannot_use_the_controls(generated, headers):
    url = f"{generated.url}/sandbox/ledger"
    assert requests.get(url, headers=headers, timeout=5).status_code == 400


# Across restarts


def test_positions_and_orders_come_back(open_sandbox, tmp_path):
    state = tmp_path / "state" / "venue.json"
    owner = open_sandbox(state_file=state)
    with owner.sandbox:
        owner.order("buy", "5", slTriggerPrice="45000", clientOrderId="kept")
        owner.order("buy", "2", price="49000", tpTriggerPrice="60000")
        owner.post("trade/close-position", instId="BTC-USDT", marginMode="isolated")
        owner.order("sell", "3", slTriggerPrice="55000")
        owner.play(30)
        before = snapshot(owner)
    assert oct(state.stat().st_mode)[-3:] == "600"
    again = Owner(Sandbox(owner.sandbox.settings))
    assert snapshot(again) == before
    assert again.sandbox.clock.now_ms() == START + 30 * 60_000
    # Ids go on where they were, and a used client id stays used.
    ids = {row["orderId"] for row in again.history()}
    assert again.order("sell", "1")["orderId"] not in ids
    assert again.order("sell", "1", clientOrderId="kept")["code"] == "102002"


def snapshot(owner: Owner) -> list[Any]:
    return [
        owner.positions(),
        owner.live_tpsl(),
        owner.get("trade/orders-pending"),
        owner.history(),
        owner.get("trade/fills-history"),
        owner.get("account/balance"),
        owner.get("account/positions-history"),
        owner.sandbox.ledger().totals(),
    ]


def test_the_state_is_written_while_it_runs(open_sandbox, tmp_path):
    state = tmp_path / "venue.json"
    owner = open_sandbox(state_file=state, state_interval_s=0.01)
    with owner.sandbox:
        owner.order("buy", "5")
        while not state.exists():
            owner.sandbox._thread.join(timeout=0.02)
        assert json.loads(state.read_text())["accounts"]
    assert DEMO_SECRET not in state.read_text()


def test_the_state_file_follows_no_link(open_sandbox, tmp_path):
    precious = tmp_path / "precious.json"
    precious.write_text("precious")
    state = tmp_path / "venue.json"
    owner = open_sandbox(state_file=state)
    state.symlink_to(precious)
    state.with_name("venue.json.part").symlink_to(precious)
    owner.sandbox.save()
    assert precious.read_text() == "precious"
    assert not state.is_symlink()
    assert json.loads(state.read_text())["accounts"]
    state.unlink()
    state.symlink_to(precious)
    with pytest.raises(StateFileError, match="link"):
        Sandbox(owner.sandbox.settings)


def wait_for(owner: Owner, holds: Callable[[], Any]) -> None:
    """Let the server work until something holds, a minute at most."""
    for _ in range(3000):
        if holds():
            return
        owner.sandbox._thread.join(timeout=0.02)
    raise AssertionError("it never came")


def test_a_state_that_cannot_be_saved_is_told_once_and_saved_later(open_sandbox, tmp_path, caplog):
    state = tmp_path / "venue.json"
    in_its_way = tmp_path / "venue.json.part"
    in_its_way.mkdir()
    owner = open_sandbox(state_file=state, state_interval_s=0.01)
    with owner.sandbox:
        owner.order("buy", "5")
        wait_for(owner, lambda: caplog.records)
        owner.sandbox.save()
        in_its_way.rmdir()
        wait_for(owner, state.exists)
    (told,) = caplog.records
    assert str(state) in told.getMessage()
    assert str(in_its_way) in told.getMessage()
    assert json.loads(state.read_text())["accounts"]


def test_a_broken_state_file_is_named(tmp_path):
    state = tmp_path / "venue.json"
    state.write_text("{}")
    with pytest.raises(StateFileError, match=r"venue\.json"):
        Sandbox(SandboxSettings(state_file=state))


# The command


def run(*arguments: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-c",
        "from bubbybot_freqtrade.sandbox.cli import *;sandbox_command()",
    ]
    return subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_the_command_serves_prints_a_config_and_ends_on_ctrl_c(tmp_path: Path):
    state = tmp_path / "venue.json"
    process = run("--port", "0", "--state", str(state), "--balance", "1234.5", "--seed", "5")
    try:
        lines = [process.stdout.readline() for _ in range(4)]
        text = ""
        while not text.rstrip().endswith("\n}"):
            text += process.stdout.readline()
        exchange = json.loads(text)["exchange"]
        rest = exchange["ccxt_config"]["urls"]["api"]["rest"]
        assert rest in lines[0]
        assert exchange["key"] == DEMO_API_KEY
        taken = run("--port", rest.rpartition(":")[2])
        _, error = taken.communicate(timeout=60)
        assert taken.returncode == 1
        assert "--port" in error
        assert "Traceback" not in error
    finally:
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert "stopped" in out
    assert "1234.5" in state.read_text()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--pairs", "BTCUSDT"), "BTCUSDT"),
        (("--balance", "much"), "much"),
        (("--steps", "7"), "--steps 7"),
        (("--data", "."), "no futures candles"),
    ],
)
def test_bad_options_are_one_clear_line(arguments, named, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(sandbox_command, ["--port", "0", *arguments])
    assert result.exit_code != 0
    assert named in result.output
    assert "Traceback" not in result.output


def test_a_taken_port_is_named(generated):
    with pytest.raises(SandboxError, match=str(generated.port)):
        Sandbox(SandboxSettings(port=generated.port)).start()


def test_an_answer_can_have_other_data(generated):
    generated.faults.add(Fault(kind="data", data=["x", None, 5], times=1))
    url = f"{generated.url}/api/v1/market/tickers"
    assert requests.get(url, timeout=5).json()["data"] == ["x", None, 5]
    assert requests.get(url, timeout=5).json()["data"][0]["instId"]


def test_an_answer_can_send_the_client_elsewhere(generated):
    elsewhere = "http://localhost:1/"
    generated.faults.add(Fault(kind="redirect", location=elsewhere, times=1))
    url = f"{generated.url}/api/v1/market/tickers"
    answer = requests.get(url, timeout=5, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (307, elsewhere)
    with pytest.raises(ValueError, match="location"):
        Fault(kind="redirect")
