"""FreqUI's chart of a pair: what the analyzers see, and the plan of each trade."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pandas as pd
from freqtrade.persistence import Trade

from bubbybot_freqtrade.analyzers.annotations import Annotation
from bubbybot_freqtrade.risk.closed_candles import CANDLE
from bubbybot_freqtrade.signals import plots
from bubbybot_freqtrade.strategy.market import analyzed
from bubbybot_freqtrade.strategy.plans import plan_of
from bubbybot_freqtrade.strategy.run_modes import is_running

if TYPE_CHECKING:
    from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy


def drawn_between(
    bot: BubbyBotStrategy, pair: str, start: datetime, end: datetime, dataframe: pd.DataFrame
) -> list[Annotation]:
    """Marks and plans between two dates, as freqtrade's `plot_annotations` has them."""
    frame, trades = dataframe, []
    if is_running(bot.config):
        # The chart may ask for a few candles; structure and levels come from all of them.
        frame = analyzed(bot, pair)
        trades = Trade.get_trades_proxy(pair=pair)
    drawn = plots.evidence(dataframe if frame.empty else frame)
    for trade in trades:
        if made := plan_of(bot, trade):
            began = plots.box_start(trade.open_date_utc, end, CANDLE)
            ended = trade.close_date_utc or end
            label = f"#{trade.id} {made.side}"
            drawn += plots.planned(trade.open_rate, made.stop, made.target, began, ended, label)
    return plots.within(drawn, start, end)
