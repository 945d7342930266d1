"""`freqtrade trade` as a person starts and ends it: it listens unless its config says otherwise."""

import json
import os
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from pathlib import Path

import pytest

from bubbybot_freqtrade.drills.desk import bot_config, environment_of
from bubbybot_freqtrade.sandbox.server import Sandbox
from bubbybot_freqtrade.sandbox.settings import ApiKey, SandboxSettings

FREQTRADE = Path(sysconfig.get_path("scripts")) / "freqtrade"
KEY = ApiKey()
PATIENCE_S = 120.0
# What freqtrade takes by itself, and what waits for nobody.
ENDS_WITHIN_S = 10.0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_ctrl_c_ends_the_bot_and_its_websockets(tmp_path):
    sandbox = Sandbox(SandboxSettings(margin_mode="isolated", keys=(KEY,), clock="real"))
    with sandbox, environment_of(KEY), (tmp_path / "out.log").open("w") as log:
        config = bot_config(sandbox.url, tmp_path, "Idle", ("BTC/USDT:USDT",))
        del config["log_config"], config["exchange"]["account_stream"]
        (tmp_path / "config.json").write_text(json.dumps(config))
        command = [FREQTRADE, "trade", "-c", str(tmp_path / "config.json")]
        bot = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ)
        try:
            end = time.monotonic() + PATIENCE_S
            while not any(one.private for one in tuple(sandbox.streams.connections)):
                assert bot.poll() is None, (tmp_path / "out.log").read_text()
                assert time.monotonic() < end
                threading.Event().wait(0.05)
            bot.send_signal(signal.SIGINT)
            bot.wait(ENDS_WITHIN_S)
        finally:
            bot.kill()
            bot.wait()
    told = (tmp_path / "out.log").read_text()
    assert "SIGINT received" in told
    for bad in ("Traceback", "was never retrieved", "did not end", "Unclosed"):
        assert bad not in told
    assert sandbox.streams.connections == set()
