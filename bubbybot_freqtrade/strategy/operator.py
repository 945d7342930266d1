"""Telling the operator."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bubbybot_freqtrade.strategy.run_modes import is_running

if TYPE_CHECKING:
    from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy

logger = logging.getLogger(__name__)


def tell(bot: BubbyBotStrategy, message: str, *, notify: bool = True) -> None:
    """Log a message, and send it where it matters; a backtest stays quiet."""
    if not is_running(bot.config):
        logger.debug(message)
        return
    logger.info(message)
    if notify:
        bot.dp.send_msg(message)
