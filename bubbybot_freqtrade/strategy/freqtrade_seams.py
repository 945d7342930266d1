"""Where the strategy leans on freqtrade's inside, as `bubbybot_freqtrade.seams` has seen it."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from freqtrade.data.dataprovider import DataProvider

P = ParamSpec("P")
R = TypeVar("R")


def reads_only(callback: Callable[P, R]) -> Callable[P, R]:
    """Spare freqtrade the copy of the trade and all its orders that it makes for each call.

    It makes the copy so that a strategy cannot change a trade by accident, and not for callbacks
    that a strategy has left as they are; it tells the two apart by this name. On the callbacks of
    every open trade and candle the copies take most of a backtest's time.
    """
    callback.__qualname__ = f"IStrategy.{callback.__name__}"
    return callback


def exchange_of(dp: DataProvider) -> Any:
    """freqtrade's exchange: rates, tickers and our extension have no way through `dp`."""
    return dp._exchange


def leverage_tiers(dp: DataProvider, pair: str) -> list[dict[str, Any]]:
    """The pair's leverage tiers; empty for none."""
    exchange = exchange_of(dp)
    # At BloFin those of hundreds of markets come after the start, and of a pair when it is needed.
    if need := getattr(exchange, "need_leverage_tiers", None):
        need(pair)
    tiers: list[dict[str, Any]] = exchange._leverage_tiers.get(pair, [])
    return tiers
