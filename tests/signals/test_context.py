"""Higher timeframes beside the base candles: what freqtrade's merge_informative_pair would show."""

import numpy as np
import pandas as pd
from freqtrade.strategy import merge_informative_pair
from hypothesis import given
from hypothesis import strategies as st

from bubbybot_freqtrade.signals.context import Context, opened, seen

START = pd.Timestamp("2025-01-01", tz="UTC")


def candles(first: pd.Timestamp, step: str, kept: list[bool]) -> pd.DataFrame:
    """Candles of a timeframe, those left out that are not `kept`; the values number them."""
    dates = pd.date_range(first, periods=len(kept), freq=step).astype("datetime64[ms, UTC]")
    values = np.arange(len(kept), dtype=np.float64)
    made = pd.DataFrame({"date": dates, "level": values, "is_odd": values % 2 == 1})
    made.loc[made["level"] % 5 == 0, "level"] = np.nan
    return made[kept].reset_index(drop=True)


def mostly(most: int) -> st.SearchStrategy[list[bool]]:
    return st.lists(st.sampled_from([True] * 7 + [False]), max_size=most)


@given(base=mostly(120), context=mostly(30), quarters=st.integers(-80, 80), hours=st.booleans())
def test_each_candle_sees_what_freqtrade_would_merge_into_it(
    base: list[bool], context: list[bool], quarters: int, hours: bool
) -> None:
    timeframe = "1h" if hours else "4h"
    frame = candles(START + quarters * pd.Timedelta("15min"), "15min", base)
    higher = candles(START - 4 * pd.Timedelta(timeframe), timeframe, context)
    if frame.empty or higher.empty:
        return
    expected = merge_informative_pair(frame[["date"]], higher, "15m", timeframe)
    columns = {name: higher[name].to_numpy() for name in ("level", "is_odd")}
    whole = Context.of(higher, timeframe, columns)
    made = seen(opened(frame), "15m", whole)
    assert list(made) == [f"level_{timeframe}", f"is_odd_{timeframe}"]
    for name, values in made.items():
        np.testing.assert_array_equal(values, expected[name].to_numpy(dtype=np.float64))
    # What is left of it for these candles shows them, and all later ones, the same.
    for first in range(0, len(frame), 7):
        base = opened(frame)[first:]
        cut = seen(base, "15m", whole.seen_from(int(opened(frame)[0]), "15m"))
        for name, values in seen(base, "15m", whole).items():
            np.testing.assert_array_equal(cut[name], values)


def test_a_candle_is_seen_from_its_close_on_and_not_before() -> None:
    frame = candles(START, "15min", [True] * 8)
    higher = candles(START, "1h", [True] * 2).assign(level=[10.0, 20.0])
    context = Context.of(higher, "1h", {"level": higher["level"].to_numpy()})
    made = seen(opened(frame), "15m", context)["level_1h"]
    # The hour of 00:00 closes with the candle of 00:45.
    np.testing.assert_array_equal(made, [np.nan] * 3 + [10.0] * 4 + [20.0])
