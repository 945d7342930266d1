"""A sandbox on the wall clock: what `bubbybot sandbox` serves when nobody drives it."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

# From its own module: where freqtrade is imported, ccxt.blofin is the extension's.
from ccxt.blofin import blofin as PlainSync

from bubbybot_freqtrade.sandbox import Sandbox, SandboxSettings
from tests.sandbox.owner import Owner, ccxt_settings, flat, write_course

SYMBOL = "BTC/USDT:USDT"


def test_stock_ccxt_trades_without_being_told_the_time():
    settings = SandboxSettings(clock="real", steps_per_minute=600)
    with Sandbox(settings) as sandbox:
        client = PlainSync(ccxt_settings(sandbox))
        candles = client.fetch_ohlcv(SYMBOL, "1m", limit=5)
        assert 0 <= time.time() * 1000 - candles[-1][0] < 61_000
        assert client.create_order(SYMBOL, "market", "buy", 1)["id"]
        time.sleep(0.01)  # ccxt's nonce is the millisecond
        assert client.fetch_positions([SYMBOL])[0]["contracts"] == 1


def test_recorded_candles_are_played_today(tmp_path):
    write_course(tmp_path, "BTC-USDT", flat(50_000, 1440 * 3), 100)
    settings = SandboxSettings(clock="real", data=tmp_path, state_file=tmp_path / "state.json")
    with Sandbox(settings) as sandbox:
        now = sandbox.clock.now_ms()
        assert sandbox.market.last_price("BTC-USDT", now) == 50_000
        assert sandbox.market.end_ms > now
        Owner(sandbox).order("buy", "1")
    again = Owner(Sandbox(settings))
    assert again.sandbox.market.start_ms == sandbox.market.start_ms
    assert again.positions()[0]["positions"] == "1"


def test_time_passes_by_itself():
    with Sandbox(SandboxSettings(clock="real", steps_per_minute=600)) as sandbox:
        before = sandbox.engine.now_ms
        deadline = time.monotonic() + 10
        while sandbox.engine.now_ms == before:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_driven_clock_is_not_the_wall_clock(generated):
    assert generated.is_driven
    with pytest.raises(ValueError, match="cannot go back"):
        generated.clock.set(0)
    assert Decimal(Owner(generated).get("account/balance")["totalEquity"]) == 10_000
