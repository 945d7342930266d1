"""Settings under `exchange` that only BloFin has, checked before anything is connected."""

from typing import Any

from freqtrade.constants import Config
from freqtrade.enums import RunMode
from freqtrade.exceptions import ConfigurationError

from bubbybot_freqtrade.blofin.exchange.quiet import (
    CHECK_SECONDS,
    SILENCE_SECONDS,
)
from bubbybot_freqtrade.blofin.exchange.trust import LAG_SECONDS

POSITION_MODES = ("net_mode", "long_short_mode")
# What is done where another bot trades on the account: share the requests, or trade nothing.
OTHER_BOTS = ("share", "refuse")
_MOST_CHECK_SECONDS = 600.0
_LEAST_SILENCE, _MOST_SILENCE = 1.0, 60.0


def check_settings(config: Config) -> None:
    """Check them.

    :raises ConfigurationError: naming the setting and what it can be
    """
    mode = config["exchange"].get("position_mode", "net_mode")
    if mode not in POSITION_MODES:
        raise ConfigurationError(
            f"exchange.position_mode is '{mode}'. Please use one of: {', '.join(POSITION_MODES)}."
        )
    beside = config["exchange"].get("other_bots", "share")
    if beside not in OTHER_BOTS:
        raise ConfigurationError(
            f"exchange.other_bots is '{beside}'. Please use one of: {', '.join(OTHER_BOTS)}."
        )
    is_account_streamed(config)
    check_seconds(config)
    silence_seconds(config)
    _refuse_plot_without_database(config)


def _refuse_plot_without_database(config: Config) -> None:
    """freqtrade's plots open no database by themselves, and fail on that with a traceback.

    They take --db-url sqlite:///tradesv3.sqlite, a bot's default, for no answer.
    """
    if config.get("runmode") != RunMode.PLOT or config.get("trade_source") != "DB":
        return
    if not config.get("db_url"):
        raise ConfigurationError(
            "--trade-source DB needs the bot's database: add --db-url "
            "sqlite:///./tradesv3.sqlite (tradesv3.dryrun.sqlite for trades on paper)."
        )


def is_account_streamed(config: Config) -> bool:
    """Whether the account's websocket is listened to: `exchange.account_stream`."""
    wanted = config["exchange"].get("account_stream", True)
    if not isinstance(wanted, bool):
        raise ConfigurationError(
            f"exchange.account_stream is {wanted!r}. Please use true or false."
        )
    return wanted


def check_seconds(config: Config) -> float:
    """How long a list of the account is kept at most: `exchange.account_stream_check`, s."""
    return _seconds(config, "account_stream_check", CHECK_SECONDS, LAG_SECONDS, _MOST_CHECK_SECONDS)


def silence_seconds(config: Config) -> float:
    """How long a websocket is relied on that pushes nothing while a position is held, s:
    `exchange.account_stream_silence`.
    """
    return _seconds(
        config, "account_stream_silence", SILENCE_SECONDS, _LEAST_SILENCE, _MOST_SILENCE
    )


def _seconds(config: Config, name: str, default: float, least: float, most: float) -> float:
    seconds: Any = config["exchange"].get(name, default)
    is_number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if not is_number or not least <= seconds <= most:
        raise ConfigurationError(
            f"exchange.{name} is {seconds!r}. Please use a number of seconds from {least:g} to "
            f"{most:g}."
        )
    return float(seconds)
