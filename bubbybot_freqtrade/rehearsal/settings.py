"""What a rehearsal can be told, and the freqtrade config that comes of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import ccxt
from freqtrade.configuration.load_config import load_from_files
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from bubbybot_freqtrade.commands.starter import strategies_folder
from bubbybot_freqtrade.commands.user_config import check_files
from bubbybot_freqtrade.sandbox.hosts import hosts_of
from bubbybot_freqtrade.sandbox.settings import DEMO_API_KEY, DEMO_PASSPHRASE, DEMO_SECRET

DEFAULT_PAIRS = ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT")

# What a rehearsal takes over from a user's config: how the bot trades. Everything else, above all
# keys, hosts, databases and services such as Telegram, stays out.
TRADING_SETTINGS = (
    "bubbybot",
    "entry_pricing",
    "exit_pricing",
    "exit_profit_offset",
    "exit_profit_only",
    "freqai",
    "freqaimodel",
    "ignore_buying_expired_candle_after",
    "ignore_roi_if_entry_signal",
    "liquidation_buffer",
    "margin_mode",
    "max_open_trades",
    "minimal_roi",
    "order_time_in_force",
    "order_types",
    "position_adjustment_enable",
    "max_entry_position_adjustment",
    "stake_amount",
    "stoploss",
    "timeframe",
    "tradable_balance_ratio",
    "trailing_only_offset_is_reached",
    "trailing_stop",
    "trailing_stop_positive",
    "trailing_stop_positive_offset",
    "unfilledtimeout",
    "use_exit_signal",
)

_DEFAULTS: dict[str, Any] = {
    "margin_mode": "isolated",
    "max_open_trades": 6,
    "stake_amount": "unlimited",
    "entry_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
    "exit_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
    "unfilledtimeout": {"entry": 5, "exit": 5, "unit": "minutes"},
}


# Of real time, while virtual time stands still: the venue makes the candles of hundreds of pairs
# when they are asked for first.
PATIENCE_MS = 600_000


class RehearsalSettings(BaseModel):
    """One rehearsal.

    data: a freqtrade data folder; None for a generated market made from `seed`.
    start: first day (UTC); by default `days` before the end of the data, or the generator's
        default day. pairs: as freqtrade spells them; by default all of the folder's, or
        `DEFAULT_PAIRS`. pair_count: as many of the generated market's instead. config: a freqtrade
        config to take `TRADING_SETTINGS` from.
    loop_seconds: how often the bot looks at its open trades, virtual seconds; it looks at open
        orders every few seconds as usual, and without either wakes up with every candle.
    account_stream: whether the bot listens to its account, and its loops are woken.
    readings: of the venue's open questions, where they are not the sandbox's own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path | None = None
    start: date | None = None
    days: float = Field(default=3, gt=0)
    # Two of three seeds have no signal in three days, and most trades of the others end at the stop
    # or with the time: this one was chosen because its trade runs to its target.
    seed: int = 128
    pairs: tuple[str, ...] | None = None
    pair_count: int | None = Field(default=None, ge=1)
    config: Path | None = None
    strategy: str = "BubbyBot"
    strategy_path: Path = Field(default_factory=strategies_folder)
    balance: Decimal = Field(default=Decimal(1000), gt=0)
    loop_seconds: int = Field(default=600, ge=5)
    account_stream: bool = False
    readings: dict[str, Any] = Field(default_factory=dict)
    out: Path = Path("user_data/rehearsal")

    @field_validator("pairs")
    @classmethod
    def _pairs_are_futures(cls, pairs: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for pair in pairs or ():
            if not pair.endswith("/USDT:USDT"):
                raise ValueError(f"{pair!r} is no USDT-M perpetual; write it as BTC/USDT:USDT")
        return pairs

    @field_validator("pair_count")
    @classmethod
    def _pairs_are_chosen_one_way(cls, count: int | None, given: ValidationInfo) -> int | None:
        if count is None:
            return None
        if given.data.get("data") is not None:
            raise ValueError("is for generated markets: with --data choose by --pairs")
        if given.data.get("pairs") is not None:
            raise ValueError("is in the place of --pairs, give one of them")
        return count


def inst_id(pair: str) -> str:
    """BloFin's name of a freqtrade pair: BTC-USDT for BTC/USDT:USDT."""
    return pair.partition(":")[0].replace("/", "-")


def pair_of(inst_id: str) -> str:
    """freqtrade's name of a BloFin instrument."""
    return inst_id.replace("-", "/") + ":" + inst_id.rpartition("-")[2]


def freqtrade_config(
    settings: RehearsalSettings, pairs: tuple[str, ...], url: str
) -> dict[str, Any]:
    """The config of the bot: live trading on the sandbox at `url`, everything below `out`."""
    out = settings.out.resolve()
    return {
        **_DEFAULTS,
        **_trading_settings(settings.config),
        "bot_name": "rehearsal",
        "strategy": settings.strategy,
        "strategy_path": str(settings.strategy_path.resolve()),
        "user_data_dir": str(out),
        "db_url": f"sqlite:///{out / 'trades.sqlite'}",
        "dry_run": False,
        "dry_run_wallet": float(settings.balance),
        "trading_mode": "futures",
        "stake_currency": "USDT",
        "initial_state": "running",
        "force_entry_enable": False,
        "exchange": _exchange(settings, pairs, url),
        "pairlists": [{"method": "StaticPairList"}],
        "telegram": {"enabled": False, "token": "", "chat_id": ""},
        "api_server": _API_SERVER_OFF,
        "internals": {"heartbeat_interval": 0},
        # The rehearsal keeps the log itself; freqtrade's default writes to the terminal.
        "log_config": {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {},
            "handlers": {},
            "root": {"handlers": []},
        },
    }


_API_SERVER_OFF = {
    "enabled": False,
    "listen_ip_address": "127.0.0.1",
    "listen_port": 8080,
    "username": "",
    "password": "",
}


def _trading_settings(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    config = _given(path)
    return {name: config[name] for name in TRADING_SETTINGS if name in config}


def _given(path: Path) -> dict[str, Any]:
    check_files([str(path)])
    return load_from_files([str(path)])


def _exchange(settings: RehearsalSettings, pairs: tuple[str, ...], url: str) -> dict[str, Any]:
    rate_limit = ccxt.blofin().rateLimit
    own: dict[str, Any] = {}
    if settings.config is not None:
        given = _given(settings.config).get("exchange", {})
        own = {name: given[name] for name in ("position_mode",) if name in given}
    return {
        **own,
        "name": "blofin",
        "key": DEMO_API_KEY,
        "secret": DEMO_SECRET,
        "password": DEMO_PASSPHRASE,
        "pair_whitelist": list(pairs),
        "pair_blacklist": [],
        "ccxt_config": {"urls": {"api": hosts_of(url)}, "timeout": PATIENCE_MS},
        # ccxt waits for its async rate limit in steps of a millisecond; virtual time stands still
        # between steps, so one step of the whole interval does the same in a hundredth of the work.
        "ccxt_async_config": {"tokenBucket": {"delay": rate_limit / 1000}},
        # Pushed candles come in real time, on threads of their own; here time comes in jumps.
        # Candles are asked for over REST, the path that freqtrade falls back to. So is the account,
        # unless that is what is rehearsed: loops that are minutes apart ask for its lists anyway.
        "enable_ws": False,
        "account_stream": settings.account_stream,
    }


def write_config(config: Mapping[str, Any], path: Path) -> None:
    """Write a config as freqtrade reads it."""
    path.write_text(json.dumps(config, indent=4) + "\n", encoding="utf-8")


@contextmanager
def without_freqtrade_environment() -> Iterator[None]:
    """Hide FREQTRADE__… variables: they would put a user's keys over the rehearsal's config."""
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if _is_freqtrade(name)}
    try:
        yield
    finally:
        os.environ.update(hidden)


def _is_freqtrade(name: str) -> bool:
    return name.upper().startswith("FREQTRADE__")
