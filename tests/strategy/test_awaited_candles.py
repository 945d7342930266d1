"""Of hundreds of pairs the first candles take minutes: who waits is passed over quietly."""

import pandas as pd
import pytest


@pytest.mark.parametrize("is_behind", [True, False])
def test_a_pair_without_candles_is_told_of_unless_they_are_to_come(bot, caplog, is_behind):
    queue = bot.exchange.candle_queue
    queue.is_behind = is_behind
    bot.strategy.analyze(["DOGE/USDT:USDT"])
    assert bot.strategy.get_entry_signal("DOGE/USDT:USDT", "15m", pd.DataFrame()) == (None, None)
    warnings = [record for record in caplog.records if "Empty candle" in record.getMessage()]
    assert len(warnings) == (0 if is_behind else 2)
