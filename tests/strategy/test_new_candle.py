"""What a pair's new candle costs, counted: candles analyzed, columns added to a frame."""

from collections import Counter
from typing import Any

import pandas as pd
import pytest

from bubbybot_freqtrade.search.backtests import BacktestDesk
from bubbybot_freqtrade.signals import context

BTC = "BTC/USDT:USDT"
CANDLES = 600


def stored(desk: BacktestDesk) -> dict[str, pd.DataFrame]:
    folder = desk.data / "futures"
    return {
        timeframe: pd.read_feather(folder / f"BTC_USDT_USDT-{timeframe}-futures.feather")
        for timeframe in ("15m", "1h", "4h")
    }


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Candles that analyzers read; columns that a frame takes alone, and in one piece."""
    counts: Counter[str] = Counter()
    read, inserted, added = (
        context.read_candles,
        pd.DataFrame.__setitem__,
        pd.concat,
    )

    def count_read(frame: pd.DataFrame) -> Any:
        counts["candles"] += len(frame)
        return read(frame)

    def count_inserted(frame: pd.DataFrame, key: Any, value: Any) -> None:
        counts["columns alone"] += 1
        inserted(frame, key, value)

    def count_added(*args: Any, **kwargs: Any) -> Any:
        counts["pieces"] += 1
        return added(*args, **kwargs)

    monkeypatch.setattr(context, "read_candles", count_read)
    monkeypatch.setattr(pd.DataFrame, "__setitem__", count_inserted)
    monkeypatch.setattr(pd, "concat", count_added)
    return counts


def test_only_timeframes_with_a_new_candle_are_analyzed_and_columns_come_in_one_piece(
    desk: BacktestDesk, bot: Any, counted: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    candles = stored(desk)
    shown = {timeframe: frame.iloc[:CANDLES] for timeframe, frame in candles.items()}
    monkeypatch.setattr(
        bot.strategy.dp, "get_pair_dataframe", lambda _, timeframe: shown[timeframe].copy()
    )

    def analyze() -> Counter[str]:
        counted.clear()
        frame = bot.strategy.populate_indicators(shown["15m"].copy(), {"pair": BTC})
        bot.strategy.populate_entry_trend(frame, {"pair": BTC})
        return Counter(counted)

    first = analyze()
    assert first["candles"] == 3 * CANDLES
    shown["15m"] = candles["15m"].iloc[1 : CANDLES + 1].reset_index(drop=True)
    second = analyze()
    assert second["candles"] == CANDLES
    shown["15m"] = candles["15m"].iloc[2 : CANDLES + 2].reset_index(drop=True)
    shown["4h"] = candles["4h"].iloc[1 : CANDLES + 1].reset_index(drop=True)
    third = analyze()
    assert third["candles"] == 2 * CANDLES
    for counts in (first, second, third):
        # One piece of indicators, one of entries.
        assert (counts["columns alone"], counts["pieces"]) == (0, 2)
