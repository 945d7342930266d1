"""What a new candle costs when a bot watches many pairs, beside freqtrade's sample strategy.

The candles of 15m, 1h and 4h move on by one, as at 00:00 UTC, and everything that freqtrade calls
`populate_…` runs for every pair, in one process: `IStrategy.analyze_ticker`. Both strategies get
the same candles, pair by pair in turn, so that a busy machine slows both.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from analyzers import candles
from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import CandleType, RunMode
from freqtrade.resolvers import StrategyResolver
from freqtrade.strategy import IStrategy
from freqtrade.templates.sample_strategy import SampleStrategy

COUNTS = (10, 40, 100, 400)
CANDLES = 1_000
TIMEFRAMES = {"15m": "15min", "1h": "1h", "4h": "4h"}
CLOSE = pd.Timestamp("2025-06-01", tz="UTC")
CONFIG: dict[str, Any] = {
    "runmode": RunMode.DRY_RUN,
    "strategy": "BubbyBot",
    "user_data_dir": Path("user_data"),
    "candle_type_def": CandleType.FUTURES,
    "trading_mode": "futures",
    "timeframe": "15m",
    "stake_currency": "USDT",
    "stake_amount": "unlimited",
    "fee": 0.0006,
    "dry_run_wallet": 1_000,
    "exchange": {"name": "blofin", "pair_whitelist": []},
}


@dataclass
class Venue:
    """What freqtrade's data provider asks an exchange for: the candles, up to some moment."""

    frames: dict[tuple[str, str], pd.DataFrame] = field(default_factory=dict)
    is_moved: bool = False

    def add(self, pair: str, seed: int) -> None:
        """One candle more than is shown at first, on each timeframe, the last closed at `CLOSE`."""
        for rank, (timeframe, length) in enumerate(TIMEFRAMES.items()):
            made = candles(CANDLES + 1, seed * len(TIMEFRAMES) + rank)
            dates = pd.date_range(end=CLOSE, periods=CANDLES + 2, freq=length)[:-1]
            self.frames[pair, timeframe] = made.assign(date=dates)

    def klines(self, key: tuple[str, str, CandleType], copy: bool = True) -> pd.DataFrame:
        """As many candles as freqtrade keeps; the newest is there once they have moved on."""
        frame = self.frames[key[:2]]
        rows = frame.iloc[1:] if self.is_moved else frame.iloc[:-1]
        return rows.reset_index(drop=True)


def strategies(venue: Venue) -> tuple[IStrategy, IStrategy]:
    """BubbyBot and the sample strategy on one venue."""
    own = StrategyResolver.load_strategy(CONFIG)
    sample = SampleStrategy(CONFIG)
    for strategy in (own, sample):
        strategy.dp = DataProvider(CONFIG, venue)
    return own, sample


def analyze(strategy: IStrategy, pair: str) -> float:
    """Seconds for what freqtrade does with a pair's new candle."""
    frame = strategy.dp.ohlcv(pair, "15m")
    started = time.process_time()
    strategy.analyze_ticker(frame, {"pair": pair})
    return time.process_time() - started


def newest_row(count: int) -> tuple[float, float]:
    """Seconds for the newest row of `count` pairs: BubbyBot, the sample strategy."""
    venue = Venue()
    pairs = [f"P{number}/USDT:USDT" for number in range(count)]
    for seed, pair in enumerate(pairs):
        venue.add(pair, seed)
    both = strategies(venue)
    for pair in pairs:
        for strategy in both:
            analyze(strategy, pair)
    venue.is_moved = True
    times = [[analyze(strategy, pair) for strategy in both] for pair in pairs]
    own, sample = (sum(column) for column in zip(*times, strict=True))
    return own, sample


def main() -> None:
    """Print the time for a few pairs and for many."""
    newest_row(1)
    print(f"newest row of {', '.join(TIMEFRAMES)}, {CANDLES:,} candles each, one process")
    print("pairs   BubbyBot   a pair     sample strategy   a pair    ratio")
    for count in COUNTS:
        own, sample = newest_row(count)
        print(
            f"{count:>5}   {own:6.2f} s   {own / count * 1000:5.1f} ms   {sample:11.2f} s   "
            f"{sample / count * 1000:7.1f} ms   {own / sample:6.2f}"
        )


if __name__ == "__main__":
    main()
