"""Keys: what they may do, who can read them, and that no log, error or database ever shows one."""

import json
import logging
import os
import subprocess
import sys
from datetime import timedelta

import pytest
import yaml
from freqtrade.exceptions import ConfigurationError, OperationalException
from freqtrade.persistence import Trade
from freqtrade.rpc import RPC

from bubbybot_freqtrade.blofin.account.key import check_secrets_files
from bubbybot_freqtrade.drills.desk import Desk, bot_config
from bubbybot_freqtrade.drills.drill import Run, leave
from bubbybot_freqtrade.drills.market import BTC, START
from bubbybot_freqtrade.drills.secrets import drill_key, environment, leaks
from tests.places import ROOT

TRADES = {"READ", "TRADE"}


def start_ms(days: float) -> int:
    return int((START + timedelta(days=days)).timestamp() * 1000)


@pytest.fixture
def open_desk(tmp_path):
    desks = []

    def make(**changes):
        desk = Desk(tmp_path / "desk", key=drill_key(7, **changes))
        desks.append(desk)
        return desk.__enter__()

    yield make
    for desk in desks:
        desk.__exit__(None, None, None)


def test_a_key_that_may_transfer_is_refused_and_nothing_is_moved(open_desk):
    desk = open_desk(permissions=TRADES | {"TRANSFER"})
    before = desk.sandbox.ledger(desk.key.uid).balance
    with pytest.raises(OperationalException, match=r"exchange\.allow_transfer_permission"):
        desk.start()
    assert desk.sandbox.ledger(desk.key.uid).balance == before
    assert desk.watch.account.transfers == []


def test_the_owner_may_allow_it(open_desk):
    desk = open_desk(permissions=TRADES | {"TRANSFER"})
    desk.start(exchange={"allow_transfer_permission": True})
    desk.loop()
    assert desk.enter(BTC) is not None
    assert not [r for r in desk.sandbox.requests if r.path.endswith("/asset/transfer")]


def test_a_key_that_may_only_read_is_refused(open_desk):
    with pytest.raises(OperationalException, match="only read"):
        open_desk(permissions={"READ"}).start()


def test_a_key_about_to_expire_is_told_once_a_day(open_desk):
    desk = open_desk(expires_ms=start_ms(9))
    desk.start()
    desk.loop(3)
    told = [line for line in desk.log.lines if "expires in" in line]
    assert len(told) == 1
    assert "in 9 days" in told[0]
    assert "/reload_config" in told[0]


@pytest.mark.parametrize("expires_ms", [None, start_ms(30)])
def test_a_key_that_lasts_is_not_told(open_desk, expires_ms):
    desk = open_desk(expires_ms=expires_ms)
    desk.start()
    desk.loop()
    assert not desk.said("expires in")


def test_a_key_is_changed_without_a_restart(open_desk, monkeypatch):
    desk = open_desk()
    desk.start()
    desk.enter(BTC)
    desk.loop(2)
    new = drill_key(8, uid=desk.key.uid)
    desk.sandbox.engine.add_key(new)
    desk.sandbox.engine.revoke_key(desk.key.api_key)
    for name in environment(new):
        monkeypatch.delenv(name)
    file = desk.folder / "config.json"
    config = json.loads(file.read_text())
    config["exchange"] |= {
        "key": new.api_key,
        "secret": new.secret,
        "password": new.passphrase,
    }
    file.write_text(json.dumps(config))
    RPC(desk.bot)._rpc_reload_config()
    desk.loop(3)
    leave(desk)
    file.unlink()
    assert desk.broken() == []
    assert desk.secrets_told() == []
    assert leaks(desk.folder, [new]) == []


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_secrets_file_that_others_can_read_is_refused(tmp_path, mode):
    file = tmp_path / "secrets.json"
    file.write_text('{"exchange": {"key": "k", /* mine */ "secret": "s",}}')
    file.chmod(mode)
    with pytest.raises(ConfigurationError, match=f"chmod 600 {file}"):
        check_secrets_files([str(file)])
    file.chmod(0o600)
    check_secrets_files([str(file)])


def test_a_config_without_secrets_may_be_read_by_all(tmp_path):
    file = tmp_path / "config.json"
    file.write_text('{"exchange": {"name": "blofin", "key": ""}}')
    file.chmod(0o644)
    check_secrets_files([str(file), str(tmp_path / "none.json")])


def test_a_crash_of_the_command_shows_no_secret(tmp_path):
    key = drill_key(9)
    with Desk(tmp_path / "desk", key=key, clock="real", start_ms=None) as desk:
        config = bot_config(desk.sandbox.url, desk.folder, "Idle", (BTC,))
        # No data, so no price for the pair, and a database where none can be.
        config |= {"db_url": f"sqlite:///{desk.folder}/none/trades.sqlite"}
        del config["log_config"]
        file = desk.folder / "config.json"
        file.write_text(json.dumps(config))
        done = subprocess.run(
            [sys.executable, "-m", "freqtrade", "trade", "-vvv", "--config", str(file)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=os.environ | environment(key),
        )
    assert done.returncode != 0
    assert leaks(tmp_path, [key], [done.stdout, done.stderr]) == []


def test_what_is_pinned_is_audited_by_the_documented_command():
    workflow = yaml.safe_load((ROOT / ".github/workflows/audit.yml").read_text())
    (job,) = workflow["jobs"].values()
    audit = [step["run"] for step in job["steps"] if "run" in step][-1]
    assert audit.split()[:3] == ["pip-audit", "--requirement", "constraints.txt"]
    assert f"\n{audit}\n" in (ROOT / "docs/security.md").read_text()
    # YAML reads a bare `on` as true.
    assert {"push", "schedule"} <= set(workflow[True])
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert [line for line in lines if "==" not in line and not line.startswith("#")] == []


@pytest.mark.parametrize("place", ["log", "file", "database", "exception"])
def test_a_secret_that_a_drills_bot_tells_is_in_the_drills_figures(tmp_path, place):
    run = Run("refusals", tmp_path)
    with run.desk() as desk:
        desk.start()
        secret = desk.key.secret
        if place == "log":
            logging.getLogger("freqtrade.rpc").info(f"headers: {secret}")
        elif place == "file":
            (desk.folder / "core").write_bytes(b"\0" + secret.encode() + b"\0")
        elif place == "database":
            desk.enter(BTC, enter_tag=secret)
            Trade.commit()
        else:
            desk.tell(ValueError(secret))
    assert run.figures.secrets >= 1
    assert any("secret of the API key" in what for what in run.figures.broken)
