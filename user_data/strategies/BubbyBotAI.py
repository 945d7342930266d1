"""Where freqtrade finds the strategy. What it does is in `bubbybot_freqtrade.learning`."""

from bubbybot_freqtrade.strategy.with_model import BubbyBotAIStrategy


class BubbyBotAI(BubbyBotAIStrategy):
    """BubbyBot with FreqAI's model as a filter; needs the extra `ai` and config.ai.json."""
