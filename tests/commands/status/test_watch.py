"""`bubbybot status --watch` as a person has it: in a terminal, ended by Ctrl-C."""

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
from freqtrade.persistence import Trade, init_db

from bubbybot_freqtrade.drills.desk import bot_config, environment_of
from bubbybot_freqtrade.sandbox.server import Sandbox
from bubbybot_freqtrade.sandbox.settings import ApiKey, SandboxSettings

if sys.platform == "win32":
    pytest.skip("a terminal of POSIX is made here", allow_module_level=True)
import pty

KEY = ApiKey()
BUBBYBOT = Path(sysconfig.get_path("scripts")) / "bubbybot"
PATIENCE_S = 120.0


class Terminal:
    """What a program writes into a terminal of 80 columns."""

    def __init__(self, *command: str) -> None:
        self._screen, shown = pty.openpty()
        environment = os.environ | {"COLUMNS": "80", "TERM": "xterm", "NO_COLOR": "1"}
        self.program = subprocess.Popen(
            command, stdin=shown, stdout=shown, stderr=shown, env=environment, close_fds=True
        )
        os.close(shown)
        self.text = ""
        self._news = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                more = os.read(self._screen, 65536)
            except OSError:
                return
            with self._news:
                self.text += more.decode(errors="replace")
                self._news.notify_all()

    def wait_for(self, words: str) -> None:
        """Until it has shown these words since the last ones that were waited for."""
        end = time.monotonic() + PATIENCE_S
        with self._news:
            while words not in self.text:
                assert self._news.wait(end - time.monotonic()), f"no {words!r} in {self.text}"
            self.text = self.text.partition(words)[2]


@pytest.fixture
def venue(tmp_path):
    """A venue with a position and its stop, and a config of a bot that has not traded yet."""
    sandbox = Sandbox(SandboxSettings(margin_mode="isolated", keys=(KEY,), clock="real"))
    with sandbox, environment_of(KEY):
        url = f"sqlite:///{tmp_path}/trades.sqlite"
        init_db(url)
        Trade.session.remove()
        config = bot_config(sandbox.url, tmp_path, "Idle", ("BTC/USDT:USDT",))
        (tmp_path / "config.json").write_text(json.dumps(config))
        order = {"instId": "BTC-USDT", "marginMode": "isolated", "positionSide": "net"}
        order |= {"side": "buy", "orderType": "market", "size": "10"}
        order |= {"slTriggerPrice": "1000", "slOrderPrice": "-1"}
        sandbox.app("/api/v1/trade/order", order, uid=KEY.uid)
        yield sandbox


def test_the_table_follows_the_account_and_ends_with_ctrl_c(venue, tmp_path):
    config = str(tmp_path / "config.json")
    shown = Terminal(str(BUBBYBOT), "status", "--watch", "-c", config, "--userdir", str(tmp_path))
    try:
        shown.wait_for("BTC/USDT")
        shown.wait_for("as BloFin pushes it")
        asked = len(venue.requests.select())
        (stop,) = list(venue.engine.account(KEY.uid).live_tpsl("BTC-USDT"))
        body = {"instId": "BTC-USDT", "tpslId": stop.tpsl_id}
        venue.app("/api/v1/trade/cancel-tpsl", body, uid=KEY.uid)
        shown.wait_for("NO STOP")
        # Looked at again for the push, not in every picture.
        lists = [r for r in venue.requests.select()[asked:] if "orders-tpsl-pending" in r.path]
        assert 1 <= len(lists) <= 3
        shown.program.send_signal(signal.SIGINT)
        # What `status` says of a position without a stop.
        assert shown.program.wait(PATIENCE_S) == 1
        assert "Traceback" not in shown.text
    finally:
        shown.program.kill()
        shown.program.wait()
    assert venue.streams.connections == set()


def test_without_a_terminal_it_says_so_in_a_line(venue, tmp_path):
    done = subprocess.run(
        [BUBBYBOT, "status", "--watch", "-c", str(tmp_path / "config.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("Error: --watch needs a terminal.")
