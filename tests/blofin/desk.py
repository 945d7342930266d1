"""A bot, a BloFin whose prices the test has written, and the one clock both run on."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from freqtrade.configuration import Configuration
from freqtrade.enums import RunMode
from freqtrade.freqtradebot import FreqtradeBot
from freqtrade.persistence import Trade
from freqtrade.rpc import RPC

from bubbybot_freqtrade.sandbox.server import Sandbox
from bubbybot_freqtrade.sandbox.settings import (
    DEMO_API_KEY,
    DEMO_PASSPHRASE,
    DEMO_SECRET,
    DEMO_UID,
)

START = datetime(2025, 5, 1, 12, tzinfo=UTC)
BTC, ETH, SOL = "BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT"
# Minutes from START and price there; the price goes straight from one point to the next.
Course = list[tuple[float, float]]
QUIET: dict[str, Course] = {BTC: [(0, 50_000)], ETH: [(0, 2_000)], SOL: [(0, 150)]}


def write_candles(folder: Path, pair: str, course: Course) -> None:
    """1m candles from three days before START to half a day after, in freqtrade's layout."""
    minutes = np.arange(-3 * 1440, 720)
    times, prices = zip(*course, strict=True)
    edges = np.interp(np.append(minutes, minutes[-1] + 1), times, prices)
    # A crumb of movement, so that no candle is a mere point.
    wave = 1 + 1e-4 * np.where(minutes % 2, 1, -1)
    opens, closes = edges[:-1], np.append(edges[1:-1] * wave[:-1], edges[-1])
    opens = np.append(opens[0], closes[:-1])
    frame = pd.DataFrame(
        {
            "date": pd.to_datetime([START + timedelta(minutes=int(m)) for m in minutes]),
            "open": opens.round(2),
            "high": np.maximum(opens, closes).round(2),
            "low": np.minimum(opens, closes).round(2),
            "close": closes.round(2),
            "volume": 500.0,
        }
    )
    name = pair.replace("/", "_").replace(":", "_")
    frame.to_feather(folder / f"{name}-1m-futures.feather")


class Desk:
    """One freqtrade bot on one sandbox, moved through time together."""

    def __init__(self, sandbox: Sandbox, folder: Path, traveller: Any) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.now = START
        self._traveller = traveller
        self._bot: FreqtradeBot | None = None

    def config(self, **changes: Any) -> dict[str, Any]:
        """Config of a live bot on the sandbox; `changes` replace whole keys."""
        urls = {
            "rest": self.sandbox.url,
            "ws": {
                "swap": {
                    "public": self.sandbox.ws_public_url,
                    "private": self.sandbox.ws_private_url,
                }
            },
        }
        exchange = {
            "name": "blofin",
            "key": DEMO_API_KEY,
            "secret": DEMO_SECRET,
            "password": DEMO_PASSPHRASE,
            # Time jumps here, and requests are counted loop by loop; tests/drills has the pushes.
            "enable_ws": False,
            "account_stream": False,
            "ccxt_config": {"enableRateLimit": False, "urls": {"api": urls}},
            "pair_whitelist": [BTC, ETH, SOL],
        }
        pricing = {"price_side": "other", "use_order_book": True, "order_book_top": 1}
        config = {
            "strategy": "Bracketed",
            "strategy_path": str(Path(__file__).parent / "strategies"),
            "dry_run": False,
            "db_url": f"sqlite:///{self.folder}/trades.sqlite",
            "datadir": str(self.folder / "data"),
            "trading_mode": "futures",
            "margin_mode": "isolated",
            "stake_currency": "USDT",
            "stake_amount": 100,
            "max_open_trades": 30,
            "force_entry_enable": True,
            "entry_pricing": pricing,
            "exit_pricing": pricing,
            "pairlists": [{"method": "StaticPairList"}],
            "initial_state": "running",
            "exchange": exchange,
        }
        exchange_changes = changes.pop("exchange", {})
        return {**config, **changes, "exchange": {**exchange, **exchange_changes}}

    def start(self, **changes: Any) -> FreqtradeBot:
        """Start freqtrade's real bot, its config read and checked by freqtrade itself."""
        file = self.folder / "config.json"
        file.write_text(json.dumps(self.config(**changes)))
        args = {"config": [str(file)], "user_data_dir": str(self.folder)}
        mode = RunMode.DRY_RUN if changes.get("dry_run") else RunMode.LIVE
        self._bot = FreqtradeBot(Configuration(args, mode).get_config())
        self._bot.startup()
        return self._bot

    @property
    def bot(self) -> FreqtradeBot:
        assert self._bot is not None, "start() the bot first"
        return self._bot

    def stop(self) -> None:
        """End the bot as a kill would: nothing is closed at the venue."""
        if self._bot is not None:
            self._bot.cleanup()
            Trade.session.remove()
            self._bot = None

    def pass_time(self, minutes: float) -> None:
        """Play the market on; the bot sleeps."""
        self.now += timedelta(minutes=minutes)
        self.sandbox.advance(int(self.now.timestamp() * 1000))
        self._traveller.move_to(self.now)

    def loop(self, minutes: float = 0.1) -> None:
        """Let time pass, then one loop of the bot."""
        self.pass_time(minutes)
        self.bot.process()

    def enter(
        self, pair: str = BTC, side: str = "long", price: float | None = None, **kwargs: Any
    ) -> Trade:
        """Force an entry as `/forcelong` does, and the loop that learns of its fill."""
        trade = RPC(self.bot)._rpc_force_entry(pair, price, order_side=side, **kwargs)
        assert trade is not None
        self.loop()
        return trade

    def move_stop(self, pair: str, price: float) -> None:
        """Let the strategy want a stop: freqtrade takes it in one loop, the venue in the next."""
        self.bot.strategy.stop_at = {pair: price}
        self.loop(minutes=2)
        self.loop()

    def closed(self, trade: Trade) -> Trade:
        """The trade as the database has it, which must be closed."""
        Trade.session.refresh(trade)
        assert not trade.is_open
        return trade

    def posts(self, path: str) -> list[dict[str, Any]]:
        """Bodies of the requests that were posted to `path`."""
        return [
            request.json() for request in self.sandbox.requests.select(path=path, method="POST")
        ]

    def standing_stops(self, pair: str = BTC) -> list[Any]:
        """TP/SL orders that live at the venue."""
        account = self.sandbox.engine.account(DEMO_UID)
        inst_id = pair.split(":")[0].replace("/", "-")
        return list(account.live_tpsl(inst_id))
