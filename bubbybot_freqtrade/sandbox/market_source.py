"""Which market a sandbox plays, and where its clock starts."""

from __future__ import annotations

from bubbybot_freqtrade.sandbox.candles import CandleFolder, CandleSource
from bubbybot_freqtrade.sandbox.clock import Clock, DrivenClock, RealClock
from bubbybot_freqtrade.sandbox.generator import GeneratedMarket
from bubbybot_freqtrade.sandbox.instruments import catalogue, instrument
from bubbybot_freqtrade.sandbox.paths import DAY_MS, MINUTE_MS
from bubbybot_freqtrade.sandbox.prices import MarketData, day_shift
from bubbybot_freqtrade.sandbox.settings import SandboxSettings

GENERATED_START_MS = 1_748_736_000_000  # 2025-06-01 00:00 UTC


def open_market(settings: SandboxSettings) -> tuple[MarketData, Clock]:
    """The market and the clock of the settings.

    On a real clock recorded candles are moved by whole days, so that `start_ms` lies in today.
    DataFolderError when the folder cannot be played.
    """
    real = RealClock()
    if settings.data is None:
        start = settings.start_ms if settings.start_ms is not None else GENERATED_START_MS
        if settings.clock == "real":
            start = real.now_ms()
        market = MarketData(generated(settings, start), steps_per_minute=settings.steps_per_minute)
        return market, real if settings.clock == "real" else DrivenClock(start)
    folder = CandleFolder(settings.data, pairs=settings.pairs, seed=settings.seed)
    start = settings.start_ms if settings.start_ms is not None else middle(folder)
    if settings.clock == "driven":
        market = MarketData(folder, steps_per_minute=settings.steps_per_minute)
        return market, DrivenClock(start)
    shift = day_shift(start, real.now_ms())
    market = MarketData(folder, steps_per_minute=settings.steps_per_minute, shift_ms=shift)
    return market, real


def generated(settings: SandboxSettings, start_ms: int) -> GeneratedMarket:
    """The generator for the pairs of the settings."""
    pairs = settings.pairs
    contracts = catalogue(settings.pair_count) if pairs is None else map(instrument, pairs)
    return GeneratedMarket(contracts, seed=settings.seed, start_ms=start_ms)


def middle(folder: CandleSource) -> int:
    """The minute half way through the data, with as much history as future; never over 14 days in.

    Folders with years of candles would otherwise start years late.
    """
    spans = [folder.span(inst_id) for inst_id in folder.instruments]
    start = max(first for first, _ in spans)
    end = min((last for _, last in spans if last is not None), default=start + 28 * DAY_MS)
    return (start + min((end - start) // 2, 14 * DAY_MS)) // MINUTE_MS * MINUTE_MS
