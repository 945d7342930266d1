"""Signatures, nonces, secrets in logs, and which hosts are asked."""

import base64
import hashlib
import hmac
import logging

import ccxt
import pytest
from ccxt.async_support.blofin import blofin as StockAsync
from ccxt.blofin import blofin as StockSync
from ccxt.pro.blofin import blofin as StockPro

from bubbybot_freqtrade.blofin.ccxt_blofin import BlofinAsync, BlofinPro, BlofinSync

BTC = "BTC/USDT:USDT"
LIVE, DEMO = "openapi.blofin.com", "demo-trading-openapi.blofin.com"


def signature_of(request, secret="secret-of-mine"):
    """The reference's recipe, from what the server received."""
    headers = {k.upper(): v for k, v in request.headers.items()}
    message = (
        request.target
        + request.method
        + headers["ACCESS-TIMESTAMP"]
        + headers["ACCESS-NONCE"]
        + request.text
    )
    digest = hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()
    return base64.b64encode(digest.encode()).decode()


def header(request, name):
    return {k.upper(): v for k, v in request.headers.items()}[name]


def test_requests_are_signed_as_the_reference_says(blofin, venue):
    venue.answer("account/batch-leverage-info", [])
    venue.answer("trade/order", [{"orderId": "1"}])
    venue.answer("trade/cancel-tpsl", [{"tpslId": "1"}])
    venue.answer("account/balance", {"details": []})
    blofin.fetch_leverages([BTC, "ETH/USDT:USDT"])  # a query with a comma
    blofin.fetch_balance()  # no query
    blofin.create_order(BTC, "market", "buy", 1)  # an object
    blofin.cancel_order("1", BTC, {"tpsl": True})  # a list
    signed = [r for r in venue.requests if r.path != "market/instruments"]
    assert len(signed) == 4
    for request in signed:
        assert header(request, "ACCESS-SIGN") == signature_of(request)
        assert header(request, "ACCESS-KEY") == "key-of-mine"
        assert header(request, "ACCESS-PASSPHRASE") == "phrase-of-mine"
    assert header(signed[2], "CONTENT-TYPE") == "application/json"
    assert ": " not in signed[2].text


def test_public_requests_are_not_signed(mine, venue):
    mine.load_markets()
    assert "ACCESS-KEY" not in {k.upper() for k in venue.requests[0].headers}


def test_keys_are_asked_for_by_name(connect):
    with pytest.raises(ccxt.AuthenticationError, match="password"):
        connect(BlofinSync, password="").fetch_balance()


def nonces_in_one_millisecond(exchange):
    exchange.milliseconds = lambda: 1_700_000_000_000
    signed = [exchange.sign("account/balance", ["private"], "GET", {}) for _ in range(3)]
    return {request["headers"]["ACCESS-NONCE"] for request in signed}


def test_a_nonce_is_used_once():
    keys = {"apiKey": "k", "secret": "s", "password": "p"}
    assert len(nonces_in_one_millisecond(BlofinSync(keys))) == 3
    assert len(nonces_in_one_millisecond(StockSync(keys))) == 1  # refused with 152407


def test_no_secret_reaches_the_debug_log(blofin, venue, caplog):
    venue.answer("account/balance", {"details": []})
    with caplog.at_level(logging.DEBUG):
        blofin.fetch_balance()
    log = caplog.text
    assert "account/balance" in log
    for secret in ("secret-of-mine", "phrase-of-mine", "key-of-mine"):
        assert secret not in log
    assert header(venue.asked("account/balance")[0], "ACCESS-SIGN") not in log


def test_stock_ccxt_logs_the_passphrase(stock, venue, caplog):
    venue.answer("account/balance", {"details": []})
    with caplog.at_level(logging.DEBUG):
        stock.fetch_balance()
    assert "phrase-of-mine" in caplog.text


def hosts(exchange):
    """Every address an exchange would ask."""
    api = exchange.urls["api"]
    found = [api["rest"]]
    if "ws" in api:
        found += api["ws"]["swap"].values()
    return found


@pytest.mark.parametrize("cls", [BlofinSync, BlofinAsync, BlofinPro])
def test_demo_trading_switches_every_host_and_back(cls):
    exchange = cls()
    before = hosts(exchange)
    assert all(f"/{LIVE}" in host for host in before)
    exchange.enable_demo_trading(True)
    assert all(f"/{DEMO}" in host for host in hosts(exchange))
    assert len(hosts(exchange)) == (3 if cls is BlofinPro else 1)
    exchange.enable_demo_trading(True)
    exchange.enable_demo_trading(False)
    assert hosts(exchange) == before
    assert exchange.options["enableDemoTrading"] is False


@pytest.mark.parametrize("cls", [StockSync, StockAsync, StockPro])
def test_stock_ccxt_has_no_demo_hosts(cls):
    with pytest.raises(KeyError, match="demo"):
        cls().enable_demo_trading(True)


def test_demo_trading_leaves_the_user_s_hosts_alone():
    mine = {"rest": "http://127.0.0.1:1", "ws": {"swap": {"public": "ws://127.0.0.1:1/ws/public"}}}
    exchange = BlofinPro({"urls": {"api": mine}})
    exchange.enable_demo_trading(True)
    rest, public, private = hosts(exchange)
    assert (rest, public) == ("http://127.0.0.1:1", "ws://127.0.0.1:1/ws/public")
    assert DEMO in private
    exchange.enable_demo_trading(False)
    assert hosts(exchange)[0] == "http://127.0.0.1:1"


def test_demo_and_sandbox_mode_exclude_each_other():
    exchange = BlofinSync()
    exchange.set_sandbox_mode(True)
    assert DEMO in hosts(exchange)[0]
    with pytest.raises(ccxt.NotSupported, match="only one"):
        exchange.enable_demo_trading(True)


def test_instances_do_not_share_hosts():
    demo, live = BlofinPro(), BlofinPro()
    demo.enable_demo_trading(True)
    assert LIVE in hosts(live)[0]
    assert DEMO not in hosts(live)[0]


def test_demo_requests_go_to_the_demo_host():
    exchange = BlofinSync({"apiKey": "k", "secret": "s", "password": "p"})
    exchange.enable_demo_trading(True)
    request = exchange.sign("account/balance", ["private"], "GET", {"a": "b"})
    assert request["url"] == f"https://{DEMO}/api/v1/account/balance?a=b"
