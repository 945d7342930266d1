"""How long after a candle's close the last of hundreds of pairs was analyzed, said once a close."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bubbybot_freqtrade.risk.closed_candles import CANDLE_SECONDS
from bubbybot_freqtrade.strategy.freqtrade_seams import exchange_of

if TYPE_CHECKING:
    from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy

logger = logging.getLogger(__name__)


def tell_close(bot: BubbyBotStrategy, pairs: Sequence[str], now: datetime) -> None:
    """Say that all `pairs` have been analyzed with the candle that closed last, or how many were.

    Only where candles come in slices: fewer pairs are analyzed in the loop after the close.
    """
    queue = getattr(exchange_of(bot.dp), "candle_queue", None)
    if queue is None or not queue.is_needed or not pairs:
        return
    memory = bot.memory
    closed = int(now.timestamp()) // CANDLE_SECONDS * CANDLE_SECONDS
    if memory.told_close == closed:
        return
    before = memory.awaited_close
    if before not in (None, closed, memory.told_close):
        count = sum(memory.candles.newest_close(pair) >= before for pair in pairs)
        logger.info(
            f"By the next close {count} of {len(pairs)} pairs had been analyzed with the "
            f"candle that closed at {_clock(before)}."
        )
    memory.awaited_close = closed
    if all(memory.candles.newest_close(pair) >= closed for pair in pairs):
        memory.told_close = closed
        logger.info(
            f"All {len(pairs)} pairs have been analyzed {now.timestamp() - closed:.1f} s "
            f"after the close of {_clock(closed)}."
        )


def _clock(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%H:%M}"
