"""The command as its user types it, on a sandbox that lives in real time."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bubbybot_freqtrade.cli import main
from bubbybot_freqtrade.sandbox import DEMO_API_KEY, DEMO_SECRET, DEMO_UID, ApiKey, Sandbox
from bubbybot_freqtrade.sandbox.profile import read_profile
from bubbybot_freqtrade.verify.journal import Account, Journal
from tests.commands.doctor.conftest import sandbox_config

QUICK = "refusals,limits"
API = "/api/v1"
# What the installed script does.
COMMAND = "from bubbybot_freqtrade.cli import main; main()"


@pytest.fixture
def verify(tmp_path: Path) -> Callable[..., Result]:
    """`verify(sandbox, *arguments, **config)`: run the command."""

    def run(sandbox: Sandbox, *arguments: str, **config: Any) -> Result:
        file = sandbox_config(sandbox, tmp_path, **config)
        return CliRunner().invoke(main, ["verify", "-c", str(file), *arguments])

    return run


def flat(sandbox: Sandbox) -> bool:
    return sandbox.engine.account(DEMO_UID).is_flat


def test_a_run_says_what_it_does_and_leaves_page_and_profile(verify, open_sandbox, tmp_path):
    sandbox = open_sandbox(rate_limits=False)
    result = verify(sandbox, "--yes", "--only", QUICK)
    assert result.exit_code == 0, result.output
    assert "At most" in result.output
    assert "ETH/USDT:USDT" in result.output
    folder = tmp_path / "user_data" / "verify"
    profile = read_profile(folder / "venue.json")
    assert profile.host == f"127.0.0.1:{sandbox.port}"
    assert profile.readings["order_failure"] == "1"
    assert set(profile.findings) >= {"price-off-tick", "limit-headers"}
    for name in ("report.html", "report.md"):
        assert "nothing here is about BloFin" in (folder / name).read_text()
    assert not (folder / "journal.jsonl").exists()
    assert flat(sandbox)


def test_nothing_secret_is_written(verify, open_sandbox, tmp_path):
    uid = "7316250948"
    key = ApiKey(uid=uid, ips=("127.0.0.1",), name="a name of mine")
    result = verify(
        open_sandbox(keys=(key,), rate_limits=False), "--yes", "--only", "account,refusals"
    )
    assert result.exit_code == 0, result.output
    folder = tmp_path / "user_data" / "verify"
    written = "".join(file.read_text() for file in folder.iterdir()) + result.output
    for secret in (DEMO_API_KEY, DEMO_SECRET, key.passphrase, uid, "a name of mine"):
        assert secret not in written
    # The host that was asked is named, the addresses of the key's list are not.
    assert "***" in (folder / "report.html").read_text()
    assert "ACCESS-SIGN" not in written


def test_it_asks_before_it_sends_anything(verify, open_sandbox, tmp_path):
    sandbox = open_sandbox(rate_limits=False)
    file = sandbox_config(sandbox, tmp_path)
    result = CliRunner().invoke(main, ["verify", "-c", str(file)], input="n\n")
    assert result.exit_code == 1
    assert "Go on?" in result.output
    assert not [r for r in sandbox.requests.select() if r.method == "POST"]


def test_only_names_groups_and_probes(verify, open_sandbox):
    result = verify(open_sandbox(rate_limits=False), "--only", "stops,nonsense")
    assert result.exit_code == 2
    assert "nonsense: groups are funding, account, tiers" in result.output


@pytest.mark.parametrize("demo", [False, True])
def test_a_live_host_is_refused(verify, open_sandbox, demo):
    """Also where the config says demo and names the live host all the same."""
    live = {"rest": "https://openapi.blofin.com"} if not demo else {"rest": "https://a.example"}
    exchange = {"demo_trading": demo, "ccxt_config": {"urls": {"api": live}}}
    sandbox = open_sandbox(rate_limits=False)
    result = verify(sandbox, "--yes", exchange=exchange)
    assert result.exit_code == 2
    assert "is not the demo account" in result.output
    assert not sandbox.requests.select()


@pytest.mark.parametrize(
    ("settings", "exchange", "said"),
    [
        ({"balance": 1}, {}, "demo funds"),
        ({"multi_position": True}, {}, "Multi-Position mode"),
        ({"keys": (ApiKey(permissions=frozenset({"READ"})),)}, {}, "may only read"),
        ({}, {"key": ""}, "FREQTRADE__EXCHANGE__KEY"),
        ({}, {"name": "binance"}, "verify asks BloFin only"),
    ],
)
def test_it_refuses_to_run(verify, open_sandbox, settings, exchange, said):
    sandbox = open_sandbox(rate_limits=False, **settings)
    result = verify(sandbox, "--yes", exchange=exchange)
    assert result.exit_code == 2, result.output
    assert said in result.output
    assert not [r for r in sandbox.requests.select() if r.method == "POST"]


def test_an_unknown_pair_is_refused(verify, open_sandbox):
    result = verify(open_sandbox(rate_limits=False), "--yes", "--pair", "GONE/USDT:USDT")
    assert result.exit_code == 2
    assert "no pair GONE/USDT:USDT" in result.output


BASICS = {"instId": "ETH-USDT", "marginMode": "isolated", "side": "buy", "size": "1"}
OPEN = {
    "a position": ("trade/order", {**BASICS, "orderType": "market"}),
    "an order": ("trade/order", {**BASICS, "orderType": "limit", "price": "1000"}),
    "a TP/SL": (
        "trade/order-tpsl",
        {**BASICS, "side": "sell", "reduceOnly": "true", "slTriggerPrice": "900"},
    ),
    "a trigger order": (
        "trade/order-algo",
        {**BASICS, "orderType": "trigger", "triggerPrice": "900"},
    ),
}


@pytest.mark.parametrize("what", OPEN)
def test_a_pair_that_is_not_flat_is_refused_and_left_alone(verify, open_sandbox, what):
    sandbox = open_sandbox(rate_limits=False)
    path, body = OPEN[what]
    assert sandbox.app(f"{API}/{path}", body)["code"] == "0"
    result = verify(sandbox, "--yes")
    assert result.exit_code == 2
    assert f"ETH-USDT has {what}" in result.output
    assert not flat(sandbox)
    # On another pair it is none of verify's business.
    result = verify(sandbox, "--yes", "--pair", "BTC/USDT:USDT", "--only", QUICK)
    assert result.exit_code == 0, result.output
    assert not flat(sandbox)


def test_a_journal_of_another_account_is_not_touched(verify, open_sandbox, tmp_path):
    folder = tmp_path / "user_data" / "verify"
    journal = Journal.open(folder, Account("demo.example", "somebody"))
    journal._descriptor = None
    result = verify(open_sandbox(rate_limits=False), "--yes")
    assert result.exit_code == 2
    assert "about another account, on demo.example" in result.output
    assert journal.file.exists()


def test_clean_without_anything_left(verify, open_sandbox):
    result = verify(open_sandbox(rate_limits=False), "--clean")
    assert result.exit_code == 0
    assert "Nothing is left" in result.output


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen]]:
    """`command(sandbox, *arguments)`: start the command in a process of its own."""
    started: list[subprocess.Popen] = []

    def start(sandbox: Sandbox, *arguments: str) -> subprocess.Popen:
        file = sandbox_config(sandbox, tmp_path)
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", COMMAND, "verify", "-c", str(file), *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                env=os.environ | {"COLUMNS": "200"},
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def wait_for_position(sandbox: Sandbox, process: subprocess.Popen) -> None:
    while not sandbox.engine.account(DEMO_UID).positions:
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.005)


def test_ctrl_c_leaves_nothing(command, open_sandbox, tmp_path):
    sandbox = open_sandbox(rate_limits=False)
    process = command(sandbox, "--yes", "--only", "leverage-of-flat-pair,stops")
    wait_for_position(sandbox, process)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "nothing is left" in said
    assert flat(sandbox)
    assert set(sandbox.engine.account(DEMO_UID).leverages.values()) == {3}
    assert not (tmp_path / "user_data" / "verify" / "journal.jsonl").exists()


def test_a_second_run_waits_for_the_first_and_clean_takes_its_remains(
    command,
    verify,
    open_sandbox,
    tmp_path,
):
    sandbox = open_sandbox(rate_limits=False)
    process = command(sandbox, "--yes", "--only", "stops")
    wait_for_position(sandbox, process)
    os.kill(process.pid, signal.SIGSTOP)
    result = verify(sandbox, "--yes")
    assert result.exit_code == 2
    assert "Another bubbybot verify is at work" in result.output
    process.kill()
    process.communicate()
    assert not flat(sandbox)
    journal = tmp_path / "user_data" / "verify" / "journal.jsonl"
    assert json.loads(journal.read_text().splitlines()[1])
    result = verify(sandbox, "--clean")
    assert result.exit_code == 0, result.output
    assert "nothing of it is left" in result.output
    assert flat(sandbox)
    assert not journal.exists()
