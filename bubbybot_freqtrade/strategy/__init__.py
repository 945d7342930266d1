"""freqtrade's callbacks and what they call.

`bubbybot` holds the strategy's class; `user_data/strategies` says where freqtrade finds it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy

__all__ = ["BubbyBotStrategy"]


def __getattr__(name: str) -> Any:
    # Late: commands that only want a message's words need not load the analyzers.
    if name == "BubbyBotStrategy":
        from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy

        return BubbyBotStrategy
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
