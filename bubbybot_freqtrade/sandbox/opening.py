"""Which market a sandbox plays, and where its clock starts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from bubbybot_freqtrade.sandbox.market.candles import CandleFolder, CandleSource, DataFolderError
from bubbybot_freqtrade.sandbox.market.clock import Clock, DrivenClock, RealClock
from bubbybot_freqtrade.sandbox.market.generator import GeneratedMarket
from bubbybot_freqtrade.sandbox.market.instruments import catalogue, instrument
from bubbybot_freqtrade.sandbox.market.paths import DAY_MS, MINUTE_MS
from bubbybot_freqtrade.sandbox.market.prices import MarketData, day_shift
from bubbybot_freqtrade.sandbox.settings import SandboxSettings
from bubbybot_freqtrade.sandbox.venue.core import VenueState
from bubbybot_freqtrade.sandbox.venue.engine import new_state

GENERATED_START_MS = 1_748_736_000_000  # 2025-06-01 00:00 UTC


class Opening(NamedTuple):
    """What a sandbox starts from."""

    market: MarketData
    clock: Clock
    state: VenueState


def open_market(settings: SandboxSettings, saved: VenueState | None) -> Opening:
    """The market, its clock and the state to go on from.

    On a real clock recorded candles are moved by whole days, so that `start_ms` lies in today; a
    saved state keeps the shift it was made with. DataFolderError when the folder cannot be played.
    """
    if settings.data is None:
        start = settings.start_ms if settings.start_ms is not None else GENERATED_START_MS
        if settings.clock == "real":
            start = RealClock().now_ms()
        return _opening(settings, generated(settings, start), start, 0, saved)
    folder = CandleFolder(settings.data, pairs=settings.pairs, seed=settings.seed)
    start = _start_in(folder, settings)
    if settings.clock == "driven":
        return _opening(settings, folder, start, 0, saved)
    now = RealClock().now_ms()
    shift = saved.shift_ms if saved is not None else day_shift(start, now)
    return _opening(settings, folder, now, shift, saved)


def _start_in(folder: CandleSource, settings: SandboxSettings) -> int:
    """Where the clock starts; DataFolderError when no pair has candles then."""
    if settings.start_ms is None:
        return middle(folder)
    spans = [folder.span(inst_id) for inst_id in folder.instruments]
    first, last = min(begin for begin, _ in spans), max(end or 0 for _, end in spans)
    if not first <= settings.start_ms < last:
        raise DataFolderError(
            f"{settings.data}: its candles reach from {_utc(first)} to {_utc(last)}, and the start "
            f"{_utc(settings.start_ms)} lies outside"
        )
    return settings.start_ms


def _utc(moment_ms: int) -> str:
    return f"{datetime.fromtimestamp(moment_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def _opening(
    settings: SandboxSettings,
    source: CandleSource,
    start_ms: int,
    shift_ms: int,
    saved: VenueState | None,
) -> Opening:
    market = MarketData(source, steps_per_minute=settings.steps_per_minute, shift_ms=shift_ms)
    state = saved if saved is not None else new_state(start_ms)
    state.shift_ms = shift_ms
    clock = RealClock() if settings.clock == "real" else DrivenClock(state.now_ms)
    return Opening(market, clock, state)


def generated(settings: SandboxSettings, start_ms: int) -> GeneratedMarket:
    """The generator for the pairs of the settings."""
    pairs = settings.pairs
    contracts = catalogue(settings.pair_count) if pairs is None else map(instrument, pairs)
    return GeneratedMarket(
        contracts, seed=settings.seed, start_ms=start_ms, history_days=settings.history_days
    )


def middle(folder: CandleSource) -> int:
    """The minute half way through the data, with as much history as future; never over 14 days in.

    Folders with years of candles would otherwise start years late.
    """
    spans = [folder.span(inst_id) for inst_id in folder.instruments]
    start = max(first for first, _ in spans)
    end = min((last for _, last in spans if last is not None), default=start + 28 * DAY_MS)
    return (start + min((end - start) // 2, 14 * DAY_MS)) // MINUTE_MS * MINUTE_MS
