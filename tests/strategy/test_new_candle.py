"""What a pair's new candle costs, counted: candles analyzed, columns added to a frame."""

import re
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from freqtrade.enums import CandleType, RunMode

from bubbybot_freqtrade.search.backtests import BacktestDesk
from bubbybot_freqtrade.signals import context
from bubbybot_freqtrade.signals.plots import evidence
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


def numbers(frame: pd.DataFrame) -> list[Any]:
    """The columns of numbers and flags, as they lie in memory."""
    return [frame[name].to_numpy() for name in frame if frame[name].dtype in ("float64", "bool")]


def sizes(frame: pd.DataFrame) -> int:
    """Bytes of these columns."""
    return sum(int(column.nbytes) for column in numbers(frame))


def held(frame: pd.DataFrame) -> int:
    """Bytes of the arrays that they were cut out of, which stay as long as they do."""
    arrays = {}
    for array in numbers(frame):
        while isinstance(array.base, np.ndarray):
            array = array.base
        arrays[id(array)] = array
    return sum(int(array.nbytes) for array in arrays.values())


def test_only_who_wants_all_panels_gets_what_only_other_strategies_read(
    desk: BacktestDesk, bot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = {timeframe: frame.iloc[:CANDLES] for timeframe, frame in stored(desk).items()}
    strategy = bot.strategy
    monkeypatch.setattr(
        strategy.dp, "get_pair_dataframe", lambda _, timeframe: frames[timeframe].copy()
    )

    def analyze() -> tuple[pd.DataFrame, pd.DataFrame]:
        made = strategy.populate_indicators(frames["15m"].copy(), {"pair": BTC})
        return made, strategy.populate_entry_trend(made, {"pair": BTC})

    live, shown_live = analyze()
    wanting_all = strategy.settings.model_copy(update={"chart_panels": "all"})
    monkeypatch.setattr(strategy, "settings", wanting_all)
    everything, shown = analyze()
    strategy.config["runmode"] = RunMode.BACKTEST
    kept = strategy.populate_indicators(frames["15m"].copy(), {"pair": BTC})
    assert set(kept) < set(live) < set(everything)
    assert {"fc_day_poc", "fc_htf_bull_div"} <= set(everything) - set(live)
    # A running bot keeps a pair's frame: once it is read, what no chart shows is not in it.
    drawn = {*strategy.plot_config["main_plot"]}.union(*strategy.plot_config["subplots"].values())
    read = set(live) - set(shown_live)
    assert not any(name.endswith(("_1h", "_4h")) for name in shown_live)
    assert {"mc_rsi", "mc_ema_4", "lux_range_high", "fc_long_score"} <= read
    assert drawn <= set(shown_live)
    assert set(everything) <= set(shown)
    assert evidence(shown_live) == evidence(shown) != []
    assert held(shown_live) == pytest.approx(sizes(shown_live), rel=0.01)
    # Whatever is read of the frame by its name anywhere outside the analyzers is there.
    package = ROOT / "bubbybot_freqtrade"
    sources = [file for file in package.rglob("*.py") if "analyzers" not in file.parts]
    named = {
        name
        for file in sources
        for name in re.findall(r"\b(?:mc|lux|fc)_\w+", file.read_text(encoding="utf-8"))
    }
    assert len(named & set(kept)) > 50
    assert named & set(everything) <= set(kept)
    pd.testing.assert_frame_equal(kept, everything[list(kept)])
    pd.testing.assert_frame_equal(shown_live, shown[list(shown_live)])


def test_of_higher_timeframes_a_running_bot_keeps_what_its_candles_can_see(
    desk: BacktestDesk, bot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    candles = stored(desk)
    end = candles["15m"]["date"].iloc[-1]
    frames = {name: frame[frame["date"] <= end].tail(CANDLES) for name, frame in candles.items()}
    monkeypatch.setattr(
        bot.strategy.dp, "get_pair_dataframe", lambda _, timeframe: frames[timeframe].copy()
    )
    bot.strategy.populate_indicators(frames["15m"].copy(), {"pair": BTC})
    rows = {key: len(kept.context.values) - 1 for key, kept in bot.strategy.memory.contexts.items()}
    # 600 quarters of an hour: those that close with one, the one before, and one that is open.
    assert CANDLES // 4 <= rows[BTC, "1h"] <= CANDLES // 4 + 2
    assert CANDLES // 16 <= rows[BTC, "4h"] <= CANDLES // 16 + 3


def test_a_loop_without_a_new_candle_copies_no_candles(
    desk: BacktestDesk, bot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames, strategy = stored(desk), bot.strategy
    copied: list[str] = []
    klines = bot.exchange.klines

    def count_copies(key: Any, copy: bool = True) -> pd.DataFrame:
        copied.extend([key[1]] if copy else [])
        return klines(key, copy)

    def candles_until(row: int) -> Any:
        for timeframe, frame in frames.items():
            shown = frame.iloc[row - CANDLES : row].reset_index(drop=True)
            bot.exchange._klines[BTC, timeframe, CandleType.FUTURES] = shown
        return frames["15m"]["date"].iloc[row - 1]

    def newest_read() -> Any:
        return strategy.dp.get_analyzed_dataframe(BTC, "15m")[0]["date"].iloc[-1]

    monkeypatch.setattr(bot.exchange, "klines", count_copies)
    newest = candles_until(CANDLES)
    for once in (True, False, False):
        copied.clear()
        strategy.analyze([BTC])
        assert ("15m" in copied, newest_read()) == (once, newest)
    newest = candles_until(CANDLES + 1)
    strategy.analyze([BTC])
    assert newest_read() == newest
    copied.clear()
    # Who wants every loop gets it, as in freqtrade.
    monkeypatch.setattr(strategy, "process_only_new_candles", False)
    strategy.analyze([BTC])
    assert "15m" in copied
