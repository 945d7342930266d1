"""What freqtrade runs the strategy for."""

from collections.abc import Mapping
from typing import Any

from freqtrade.enums import RunMode


def is_live(config: Mapping[str, Any]) -> bool:
    """With real orders: the venue holds stop and target."""
    return config.get("runmode") == RunMode.LIVE


def is_running(config: Mapping[str, Any]) -> bool:
    """On the market as it is now, with real orders or on paper; not on candles of the past."""
    return config.get("runmode") in (RunMode.LIVE, RunMode.DRY_RUN)


def is_backtest(config: Mapping[str, Any]) -> bool:
    """Hyperopt is another."""
    return config.get("runmode") == RunMode.BACKTEST


def is_hyperopt(config: Mapping[str, Any]) -> bool:
    """Indicators are made once for all epochs, plans depend on the epoch's parameters."""
    return config.get("runmode") == RunMode.HYPEROPT


def is_plot(config: Mapping[str, Any]) -> bool:
    """Candles and indicators for a picture: there is no account, and no database is open."""
    return config.get("runmode") == RunMode.PLOT
