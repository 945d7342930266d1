"""Where the strategy leans on freqtrade's inside."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

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
