"""What must not be sent is not sent, and one clear line says why."""

import json
import os
import re
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from freqtrade.exceptions import (
    ConfigurationError,
    InvalidOrderException,
    OperationalException,
)
from freqtrade.persistence import Trade
from freqtrade.rpc import RPC

from bubbybot_freqtrade.blofin.bracket import Bracket, offer_bracket
from bubbybot_freqtrade.sandbox.settings import ApiKey
from tests.blofin.desk import BTC, ETH, START


def order(bot, pair=BTC, side="buy", amount=0.01, rate=50_000.0, leverage=5.0, **kwargs):
    return bot.exchange.create_order(
        pair=pair, ordertype="market", side=side, amount=amount, rate=rate, leverage=leverage,
        **kwargs,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"amount": 0.00001}, "outside what BloFin takes"),
        ({"amount": 1_000_000.0}, "outside what BloFin takes"),
        ({"leverage": 400.0}, "more than BloFin allows"),
        ({"amount": 80.0, "leverage": 150.0}, "more than BloFin allows"),
        ({"amount": float("nan"), "leverage": float("nan")}, "the strategy's leverage"),
        ({"amount": float("inf")}, "custom_stake_amount"),
    ],
)
def test_size_and_leverage_are_checked_before_the_request(open_desk, asked, said):
    desk = open_desk()
    bot = desk.start()
    posted = desk.sandbox.requests.select(method="POST")
    offer_bracket(BTC, "long", Bracket(stop=49_900.0, target=51_000.0))
    with pytest.raises(InvalidOrderException, match=said) as refusal:
        order(bot, **asked)
    assert BTC in str(refusal.value)
    assert desk.sandbox.requests.select(method="POST") == posted


@pytest.mark.parametrize(
    ("side", "bracket", "leverage", "said"),
    [
        ("buy", Bracket(stop=50_100.0), 5.0, "not between"),
        ("buy", Bracket(stop=49_000.0, target=49_500.0), 5.0, "not between"),
        ("sell", Bracket(stop=49_900.0), 5.0, "not between"),
        ("buy", Bracket(stop=48_000.0), 50.0, "liquidated at"),
        ("sell", Bracket(stop=52_000.0), 50.0, "liquidated at"),
    ],
)
def test_an_illegal_stop_is_never_sent(open_desk, side, bracket, leverage, said):
    desk = open_desk()
    bot = desk.start()
    posted = desk.sandbox.requests.select(method="POST")
    offer_bracket(BTC, "long" if side == "buy" else "short", bracket)
    with pytest.raises(InvalidOrderException, match=said):
        order(bot, side=side, leverage=leverage)
    assert desk.sandbox.requests.select(method="POST") == posted


def test_without_an_offer_the_strategys_stoploss_is_sent(open_desk):
    desk = open_desk()
    bot = desk.start()
    order(bot, side="sell", leverage=5.0)
    (sent,) = desk.posts("/api/v1/trade/order")
    # 10 % of the trade at 5x is 2 % of the price.
    assert float(sent["slTriggerPrice"]) == 51_000.0
    assert "tpTriggerPrice" not in sent


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ({"key": "nobody"}, "152401"),
        ({"password": "wrong"}, "152408"),
        ({"secret": "wrong"}, "152409"),
    ],
)
def test_a_wrong_key_stops_the_start(open_desk, key, said):
    desk = open_desk()
    with pytest.raises(OperationalException, match=said) as refusal:
        desk.start(exchange=key)
    assert "\n" not in str(refusal.value)
    assert not [r for r in desk.sandbox.requests if r.method == "POST"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ips": ("10.9.8.7",)}, "152406"),
        ({"expires_ms": int((START - timedelta(days=1)).timestamp() * 1000)}, "152402"),
    ],
)
def test_a_key_that_is_not_for_us_stops_the_start(open_desk, change, said):
    desk = open_desk(keys=(ApiKey(**change),))
    with pytest.raises(OperationalException, match=said):
        desk.start()


def test_a_clock_that_is_far_off_stops_the_start(open_desk):
    desk = open_desk()
    # The bot's clock goes on while it starts, the sandbox's stands: the hour grows by as much.
    desk._traveller.move_to(START + timedelta(hours=1))
    begin = time.perf_counter()
    with pytest.raises(
        OperationalException, match=r"\d+ s ahead of BloFin's(.|\n)*152405"
    ) as error:
        desk.start()
    told = int(re.search(r"(\d+) s ahead", str(error.value))[1])
    assert 3600 <= told <= 3601 + time.perf_counter() - begin


@pytest.mark.parametrize("minutes", [2, -2])
def test_a_clock_that_is_minutes_off_is_reckoned_with(open_desk, minutes):
    desk = open_desk()
    desk._traveller.move_to(START + timedelta(minutes=minutes))
    bot = desk.start()
    assert desk.enter(BTC) is not None
    assert "Requests are signed with BloFin's time" in bot.exchange.account_watch.news()[0]


def test_the_account_is_switched_to_the_configured_modes(open_desk):
    desk = open_desk(position_mode="long_short_mode", margin_mode="cross")
    desk.start()
    assert desk.posts("/api/v1/account/set-position-mode") == [{"positionMode": "net_mode"}]
    assert desk.posts("/api/v1/account/set-margin-mode") == [{"marginMode": "isolated"}]


def test_hedge_mode_with_a_position_open_is_refused_clearly(open_desk):
    desk = open_desk(position_mode="long_short_mode")
    desk.start(exchange={"position_mode": "long_short_mode"})
    desk.enter(BTC)
    desk.stop()
    orders = len(desk.posts("/api/v1/trade/order"))
    with pytest.raises(OperationalException, match=r"exchange.position_mode 'net_mode'"):
        desk.start()
    assert len(desk.posts("/api/v1/trade/order")) == orders


def test_an_unknown_position_mode_names_the_setting(open_desk):
    with pytest.raises(ConfigurationError, match=r"exchange\.position_mode is 'hedge'"):
        open_desk().start(exchange={"position_mode": "hedge"})


def test_an_unknown_pair_is_not_traded(open_desk):
    desk = open_desk()
    bot = desk.start(exchange={"pair_whitelist": [ETH, "NOPE/USDT:USDT"]})
    bot.process()
    assert bot.active_pair_whitelist == [ETH]
    with pytest.raises(Exception, match="Symbol does not exist"):
        RPC(bot)._rpc_force_entry("NOPE/USDT:USDT", None)
    assert Trade.get_open_trades() == []


def test_the_freqtrade_command_ends_with_one_line_and_no_traceback(open_desk):
    desk = open_desk(clock="real", start_ms=None)
    config = desk.folder / "config.json"
    config.write_text(json.dumps(desk.config(exchange={"password": "wrong"})))
    done = subprocess.run(
        [
            sys.executable, "-m", "freqtrade", "trade", "--config", str(config),
            "--userdir", str(desk.folder),
            "--strategy-path", str(Path(__file__).parent / "strategies"),
        ],
        capture_output=True, text=True, timeout=120, check=False,
        env=os.environ | {"COLUMNS": "500"},
    )  # fmt: skip
    told = done.stdout + done.stderr
    assert done.returncode == 2, told
    assert "Traceback" not in told
    errors = [line for line in told.splitlines() if " ERROR " in line]
    assert len(errors) == 1
    assert "152408" in errors[0]
    assert "wrong" not in told.replace("wrong passphrase", "")
