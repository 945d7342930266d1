"""
What the analyzers cost, beside smartmoneyconcepts in the same run (pip install -e '.[benchmark]').

Prints: seconds per analyzer on 81,642 candles and the ratio to smartmoneyconcepts' swings,
BOS/CHoCH, order blocks, gaps and liquidity; what pandas-ta has of ours beside it; what each part
costs alone; growth from 5,000 to 320,000 candles; the newest row of a live frame of 1,000 candles
for 1 and for 400 pairs; and a second start of Python. Every time is the best of RUNS.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pandas_ta as ta
from timing import RUNS, best

from bubbybot_freqtrade.analyzers import frankie_candles, lux_algo, market_cipher

os.environ["SMC_CREDIT"] = "0"  # no advertisement on import
from smartmoneyconcepts import smc

ANALYZERS = (market_cipher, lux_algo, frankie_candles)
CANDLES = 81_642
GROWTH = (5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000)
LIVE_CANDLES = 1_000
PAIRS = 400


def candles(count: int, seed: int = 1) -> pd.DataFrame:
    """15m candles of a random walk with volatility clusters; volume follows volatility."""
    rng = np.random.default_rng(seed)
    heat = np.exp(4 * pd.Series(rng.standard_normal(count)).ewm(span=40).mean().to_numpy())
    heat = heat.clip(0.2, 5)
    close = 100 * np.exp(np.cumsum(0.002 * heat * rng.standard_t(4, count) / 1.4))
    open_ = np.concatenate([[100.0], close[:-1]])
    return pd.DataFrame(
        {
            "date": pd.date_range("2023-01-01", periods=count, freq="15min", tz="UTC"),
            "open": open_,
            "high": np.maximum(open_, close) * (1 + 0.001 * heat * rng.random(count)),
            "low": np.minimum(open_, close) * (1 - 0.001 * heat * rng.random(count)),
            "close": close,
            "volume": 1_000 * heat * rng.exponential(1, count),
        }
    )


def smart_money(frame: pd.DataFrame) -> None:
    """What smartmoneyconcepts computes of the features both have."""
    swings = smc.swing_highs_lows(frame, swing_length=50)
    smc.bos_choch(frame, swings)
    smc.ob(frame, swings)
    smc.fvg(frame)
    smc.liquidity(frame, swings)


def all_three(frame: pd.DataFrame) -> None:
    """Every column of every analyzer."""
    for analyzer in ANALYZERS:
        analyzer.populate(frame)


def compare() -> None:
    """Print each analyzer beside smartmoneyconcepts, in turn, so that a busy machine slows all."""
    frame = candles(CANDLES)
    calls = {analyzer.__name__.rpartition(".")[2]: analyzer.populate for analyzer in ANALYZERS}
    calls["smartmoneyconcepts"] = smart_money
    times = dict.fromkeys(calls, np.inf)
    for _ in range(RUNS):
        for name, call in calls.items():
            times[name] = min(times[name], best(lambda call=call: call(frame), runs=1))
    peer = times["smartmoneyconcepts"]
    total = sum(times.values()) - peer
    print(f"{CANDLES:,} candles, best of {RUNS}")
    for name, seconds in times.items():
        print(f"  {name:<20} {seconds:7.3f} s")
    print(f"  all three together {total:.3f} s: 1/{peer / total:.1f} of smartmoneyconcepts\n")


def emas_and_rsi(frame: pd.DataFrame) -> None:
    """Market Cipher's averages and oscillators as pandas-ta has them, by TA-Lib where it can."""
    close, settings = frame["close"], market_cipher.DEFAULTS
    for length in settings.ema_lengths:
        ta.ema(close, length)
    ta.rsi(close, settings.rsi_length)
    ta.stochrsi(close)


SHARED: dict[str, tuple[Callable[[pd.DataFrame], object], list[str]]] = {
    "eight EMAs, RSI, stochastic RSI": (
        emas_and_rsi,
        [*(f"mc_ema_{rank}" for rank in range(1, 9)), "mc_rsi", "mc_stoch_k", "mc_stoch_d"],
    ),
    "Schaff trend cycle": (lambda frame: ta.stc(frame["close"]), ["mc_stc"]),
}
"""What pandas-ta has of ours, which freqtrade installs: its calls, our columns."""


def beside_pandas_ta() -> None:
    """Print what pandas-ta takes for what it has of ours, in turn."""
    frame = candles(CANDLES)
    for name, (theirs, columns) in SHARED.items():
        times = [
            (
                best(lambda c=columns: market_cipher.populate(frame, columns=c), runs=1),
                best(lambda call=theirs: call(frame), runs=1),
            )
            for _ in range(RUNS)
        ]
        own, peer = (min(column) for column in zip(*times, strict=True))
        print(f"{name}: {own:.3f} s, pandas-ta {peer:.3f} s, ratio {own / peer:.2f}")
    print()


def parts() -> None:
    """Print what each part costs alone, with all that it needs, beside the whole."""
    frame = candles(CANDLES)
    whole = best(lambda: all_three(frame), runs=3)
    print(f"a part alone, in thousandths of all three together ({whole:.3f} s)")
    for analyzer in ANALYZERS:
        for part in analyzer.PARTS:
            columns = part.columns
            seconds = best(lambda a=analyzer, c=columns: a.populate(frame, columns=c), runs=3)
            print(f"  {seconds / whole * 1000:5.0f}  {columns[0]} … {columns[-1]}")
    print()


def growth() -> None:
    """Print how the time grows with the candles."""
    frame = candles(max(GROWTH))
    print("candles    all three   per million")
    for count in GROWTH:
        part = frame.iloc[:count].reset_index(drop=True)
        seconds = best(lambda part=part: all_three(part), runs=3)
        print(f"{count:>7,}    {seconds:7.3f} s   {seconds / count * 1e6:7.2f} s")
    print()


def live() -> None:
    """Print what the newest row costs in a live frame, which freqtrade populates as a whole."""
    frames = [candles(LIVE_CANDLES, seed) for seed in range(PAIRS)]
    one = best(lambda: all_three(frames[0]), runs=20)
    started = time.perf_counter()
    for frame in frames:
        all_three(frame)
    many = time.perf_counter() - started
    print(f"newest row, {LIVE_CANDLES:,} candles: 1 pair {one * 1000:.1f} ms,")
    print(f"  {PAIRS} pairs {many:.2f} s ({many / PAIRS * 1000:.1f} ms each)\n")


START = """
import time
import freqtrade.strategy
began = time.perf_counter()
from bubbybot_freqtrade.analyzers import frankie_candles, lux_algo, market_cipher
imported = time.perf_counter()
import pandas as pd
close = pd.Series(range(1000)) % 37 + 100.0
frame = pd.DataFrame({"date": pd.date_range("2025-01-01", periods=1000, freq="15min", tz="UTC"),
    "open": close, "high": close + 1, "low": close - 1, "close": close, "volume": 1.0})
started = time.perf_counter()
for analyzer in (market_cipher, lux_algo, frankie_candles):
    analyzer.populate(frame)
print(imported - began, time.perf_counter() - started)
"""


def second_start() -> None:
    """Print what a start with a warm cache adds to freqtrade's own."""
    times = []
    for _ in range(RUNS + 1):
        done = subprocess.run(
            [sys.executable, "-c", START], check=True, capture_output=True, text=True
        )
        times.append([float(seconds) for seconds in done.stdout.split()])
    imported, populated = (statistics.median(column) for column in zip(*times[1:], strict=True))
    print(f"second start: import beyond freqtrade's {imported:.3f} s,")
    print(f"  first populate of all three {populated:.3f} s (imports Numba, reads its cache)")


def main() -> None:
    """Compile or read the cache once, then measure."""
    all_three(candles(2_000))
    compare()
    beside_pandas_ta()
    parts()
    growth()
    live()
    second_start()


if __name__ == "__main__":
    main()
