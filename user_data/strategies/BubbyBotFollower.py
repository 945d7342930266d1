"""Where freqtrade finds the strategy. What it does is in `bubbybot_freqtrade.strategy.follower`."""

from bubbybot_freqtrade.strategy.follower import BubbyBotFollowerStrategy


class BubbyBotFollower(BubbyBotFollowerStrategy):
    """BubbyBot's rules on a producer's signals; needs `external_message_consumer`."""
