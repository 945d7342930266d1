"""What a pair's new candle costs, counted: candles analyzed, columns added to a frame."""

import re
from collections import Counter
from typing import Any

import pandas as pd
import pytest
from freqtrade.enums import RunMode

from bubbybot_freqtrade.search.backtests import BacktestDesk
from bubbybot_freqtrade.signals import context
from tests.places import ROOT

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


def test_a_backtest_leaves_out_what_only_other_strategies_read(
    desk: BacktestDesk, bot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = {timeframe: frame.iloc[:CANDLES] for timeframe, frame in stored(desk).items()}
    monkeypatch.setattr(
        bot.strategy.dp, "get_pair_dataframe", lambda _, timeframe: frames[timeframe].copy()
    )
    candles = frames["15m"]
    shown = bot.strategy.populate_indicators(candles.copy(), {"pair": BTC})
    bot.strategy.config["runmode"] = RunMode.BACKTEST
    kept = bot.strategy.populate_indicators(candles.copy(), {"pair": BTC})
    assert set(kept) < set(shown)
    assert {"fc_day_poc", "fc_htf_bull_div"} <= set(shown) - set(kept)
    # Whatever is read of the frame by its name anywhere outside the analyzers is there.
    package = ROOT / "bubbybot_freqtrade"
    sources = [file for file in package.rglob("*.py") if "analyzers" not in file.parts]
    named = {
        name
        for file in sources
        for name in re.findall(r"\b(?:mc|lux|fc)_\w+", file.read_text(encoding="utf-8"))
    }
    assert len(named & set(kept)) > 50
    assert named & set(shown) <= set(kept)
    pd.testing.assert_frame_equal(kept, shown[list(kept)])
