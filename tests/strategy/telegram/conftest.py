"""BubbyBot on a sandbox, its owner's phone, and the one clock all of them run on.

freqtrade has no setting for the Bot API's address. Its Telegram class builds its application in one
method of its own, BubbyBot the bot for its pictures; only these are replaced here, by the same
calls with a local `base_url`.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import time_machine
from freqtrade.configuration import Configuration
from freqtrade.enums import State
from freqtrade.persistence import Trade
from freqtrade.rpc import telegram
from freqtrade.rpc.telegram import Telegram
from freqtrade.worker import Worker
from telegram import Bot
from telegram.ext import Application

from bubbybot_freqtrade.sandbox.cli import config_fragment
from bubbybot_freqtrade.sandbox.server import Sandbox
from bubbybot_freqtrade.sandbox.settings import DEMO_UID, SandboxSettings
from bubbybot_freqtrade.search.backtests import generate_folder
from bubbybot_freqtrade.strategy import pictures
from tests.places import ROOT
from tests.strategy.telegram.bot_api import CHAT_ID, TOKEN, BotApi

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
REST_API = {
    "enabled": True,
    "listen_ip_address": "127.0.0.1",
    "listen_port": 0,
    "verbosity": "error",
    "jwt_secret_key": "0123456789abcdef0123456789abcdef",
    "CORS_origins": [],
    "username": "owner",
    "password": "local-password",
}

START = datetime(2025, 6, 1, tzinfo=UTC)
DAYS_BEFORE = 12
Course = list[tuple[float, float]]
"""Minutes from START and what prices are multiplied by there; straight in between."""


def write_market(folder: Path, courses: dict[str, Course]) -> None:
    """Generated candles up to START, then none but the course: prices that a test has written."""
    generate_folder(folder, START - timedelta(days=DAYS_BEFORE), DAYS_BEFORE + 1, pairs=(BTC, ETH))
    for pair, course in courses.items():
        name = pair.replace("/", "_").replace(":", "_")
        for file in (folder / "futures").glob(f"{name}-15m-futures.feather"):
            frame = pd.read_feather(file)
            _follow(frame, course)
            frame.to_feather(file)


def _follow(frame: pd.DataFrame, course: Course) -> None:
    minutes = (frame["date"] - pd.Timestamp(START)).dt.total_seconds().to_numpy() / 60
    written = minutes >= 0
    last = float(frame.loc[~written, "close"].iat[-1])
    times, factors = zip(*course, strict=True)
    # A step between two candles is a gap: the one before ends just ahead of it.
    opens = last * np.interp(minutes[written], times, factors)
    closes = last * np.interp(minutes[written] + 14.9, times, factors)
    for column, values in (
        ("open", opens),
        ("high", np.maximum(opens, closes)),
        ("low", np.minimum(opens, closes)),
        ("close", closes),
    ):
        frame.loc[written, column] = values.round(1)


class Desk:
    """freqtrade's own worker with BubbyBot on a sandbox, and a phone that writes to it."""

    def __init__(self, sandbox: Sandbox, phone: BotApi, folder: Path, traveller: Any) -> None:
        self.sandbox = sandbox
        self.phone = phone
        self.folder = folder
        self.now = datetime.fromtimestamp(sandbox.clock.now_ms() / 1000, UTC)
        self._traveller = traveller
        self._state: State | None = None
        self.worker: Worker | None = None

    def write_config(self, **changes: Any) -> Path:
        """The repository's config, on the sandbox and with Telegram; `changes` replace keys."""
        config = json.loads((ROOT / "config.json").read_text())
        exchange = config["exchange"] | config_fragment(self.sandbox)["exchange"]
        exchange["ccxt_config"]["enableRateLimit"] = False
        exchange |= {"pair_whitelist": [BTC, ETH], "enable_ws": False, "account_stream": False}
        (self.folder / "user_data").mkdir(exist_ok=True)
        own = {
            "dry_run": False,
            "db_url": f"sqlite:///{self.folder}/trades.sqlite",
            "strategy_path": str(ROOT / "user_data/strategies"),
            "user_data_dir": str(self.folder / "user_data"),
            "force_entry_enable": True,
            "exchange": exchange,
            "internals": {"process_throttle_secs": 0, "heartbeat_interval": 0},
            "telegram": {"enabled": True, "token": TOKEN, "chat_id": str(CHAT_ID)},
        }
        file = self.folder / "config.json"
        file.write_text(json.dumps(config | own | changes))
        return file

    def start(self, **changes: Any) -> None:
        """Start the worker as `freqtrade trade` does, and its first loop."""
        args = {"config": [str(self.write_config(**changes))], "verbosity": 0}
        self.worker = Worker(args, Configuration(args).get_config())
        self.loop()

    @property
    def bot(self) -> Any:
        assert self.worker is not None, "start() first"
        return self.worker.freqtrade

    def loop(self, minutes: float = 0.1) -> None:
        """Let time pass at the venue and for the bot, then one loop, /reload_config included."""
        assert self.worker is not None
        self.now += timedelta(minutes=minutes)
        self.sandbox.advance(int(self.now.timestamp() * 1000))
        self._traveller.move_to(self.now)
        self._state = self.worker._worker(old_state=self._state)
        if self._state == State.RELOAD_CONFIG:
            self.worker._reconfigure()
            self._state = self.worker._worker(old_state=self._state)

    def command(self, text: str, *parts: str) -> str:
        """Write a command and wait for the answer that contains `parts`."""
        before = len(self.phone.sent)
        self.phone.write(text)
        return self.phone.wait_for(*parts, after=before)

    def enter(self, command: str = f"/forcelong {BTC}") -> Trade:
        """Enter by Telegram, and the loops in which freqtrade and the owner learn of the fill."""
        self.command(command, "New Trade")
        self.loop()
        self.loop()
        return Trade.get_open_trades()[-1]

    def posts(self, path: str) -> list[dict[str, Any]]:
        """Bodies of the requests posted to `path`."""
        return [r.json() for r in self.sandbox.requests.select(path=path, method="POST")]

    def standing_stops(self) -> list[Any]:
        """TP/SL orders that live at the venue."""
        return list(self.sandbox.engine.account(DEMO_UID).live_tpsl())

    def positions(self) -> dict[str, Any]:
        """Positions at the venue by instrument."""
        account = self.sandbox.engine.account(DEMO_UID)
        return {position.inst_id: position for position in account.positions.values()}

    def stop(self) -> None:
        if self.worker is not None:
            self.worker.exit()
            Trade.session.remove()
            self.worker = None


def _asyncio_in_a_hurry() -> dict[str, Any]:
    """asyncio with short sleeps: freqtrade's thread looks every 10 s whether it should end."""

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.1))

    return vars(asyncio) | {"sleep": sleep}


@pytest.fixture
def open_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Desk]]:
    """Open a desk: `open_desk(**sandbox settings)`; its bot is started by `desk.start()`."""
    desks: list[Desk] = []
    ends: list[Callable[[], Any]] = []
    with BotApi() as phone:

        def build(self: Telegram) -> Application:
            builder = Application.builder().token(self._config["telegram"]["token"])
            return builder.base_url(phone.base_url).build()

        monkeypatch.setattr(Telegram, "_init_telegram_app", build)

        def own(token: str) -> Bot:
            return Bot(token, base_url=phone.base_url)

        monkeypatch.setattr(pictures, "telegram_bot", own)
        monkeypatch.setattr(telegram, "asyncio", SimpleNamespace(**_asyncio_in_a_hurry()))
        given = {"margin_mode": "isolated", "rate_limits": False, "pair_count": 2}

        def make(**settings: Any) -> Desk:
            sandbox = Sandbox(SandboxSettings(**(given | settings))).start()
            traveller = time_machine.travel(sandbox.clock.now_ms() / 1000, tick=True)
            desks.append(Desk(sandbox, phone, tmp_path, traveller.start()))
            ends.extend([desks[-1].stop, traveller.stop, sandbox.stop])
            return desks[-1]

        yield make
        for end in ends:
            end()
