"""A run of verify in a process of its own, to be killed; the sandbox is its parent's."""

import json
import urllib.request
from pathlib import Path
from typing import Any

from bubbybot_freqtrade.verify.clock import Clock
from bubbybot_freqtrade.verify.exchanges import Exchanges
from bubbybot_freqtrade.verify.preflight import open_client, open_desk
from bubbybot_freqtrade.verify.probes import PROBES
from bubbybot_freqtrade.verify.run import run


class RemoteClock(Clock):
    """The sandbox's, by its controls."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/sandbox/clock"

    def now_ms(self) -> int:
        return int(self._ask()["now"])

    def elapsed_ms(self) -> int:
        return self.now_ms()

    def sleep(self, seconds: float) -> None:
        self._ask({"now": self.now_ms() + int(seconds * 1000)})

    def _ask(self, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url, data)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["data"]


def verify_until_killed(url: str, config: dict[str, Any], folder: Path, names: list[str]) -> None:
    """All probes named, from the first to the last."""
    clock = RemoteClock(url)
    desk = open_desk(open_client(config, clock, Exchanges()), config, None, folder, clock)
    run(desk, [PROBES[name] for name in names])
    desk.journal.close()
