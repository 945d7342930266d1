"""Where freqtrade finds the strategy. What it does is in `bubbybot_freqtrade.strategy`."""

from bubbybot_freqtrade.strategy import BubbyBotStrategy


class BubbyBot(BubbyBotStrategy):
    """Three analyzers, one plan, one bracket; settings in the config's `bubbybot` block."""
