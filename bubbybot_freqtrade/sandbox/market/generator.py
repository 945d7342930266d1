"""A seeded market that needs no download: minute candles for any instrument and any time.

Time is cut into chunks of eight days. The price at a border between two chunks is a draw of its
own, and the minutes of a chunk are a random walk pinned to both borders. So any minute can be made
without the ones before it, and it is the same whatever range is asked for.

Borders: every eighth one lies around the profile's price; the ones between are made by halving
(midpoint displacement), each half way between its neighbours plus as much chance as a random walk
has there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .candles import FundingHistory, PriceBars
from .instruments import Instrument
from .paths import DAY_MS, MINUTE_MS, Minutes, compact, salt

_CHUNK_DAYS = 8
_CHUNK_MS = _CHUNK_DAYS * DAY_MS
_CHUNK_MINUTES = _CHUNK_MS // MINUTE_MS
_MINUTES_PER_DAY = DAY_MS // MINUTE_MS

# The log price at every eighth border, in units of a day's volatility: its standard deviation.
_ANCHOR_EVERY = 8
_ANCHOR_SPREAD = 4.0

# Phases of the market: how often, hours on average, drift per hour and volatility, both in units of
# an ordinary hour's volatility. A crash is followed by calmer phases, which makes the recovery.
_PHASES = {
    "range": (0.40, 20.0, 0.0, 0.70),
    "rise": (0.27, 16.0, 0.22, 0.95),
    "fall": (0.27, 14.0, -0.22, 1.05),
    "crash": (0.06, 1.6, -1.9, 2.6),
}
_PHASES_PER_CHUNK = 64


class GeneratedMarket:
    """Candles of a market with phases (range, rise, fall, crash), clustered volatility, volume
    that follows it, and instruments that move together as their profiles say.

    instruments: the contracts that trade.
    seed: another seed is another market.
    start_ms: where the market is meant to be entered; data reaches `history_days` further back and
        goes on without end. Both together decide only how far back the candles reach, never what
        they are.
    """

    def __init__(
        self,
        instruments: Iterable[Instrument],
        *,
        seed: int = 0,
        start_ms: int,
        history_days: int = 400,
    ) -> None:
        """ValueError when the history would begin before 1970."""
        first = (start_ms // DAY_MS - history_days) * DAY_MS
        if first < 0 or history_days < 0:
            raise ValueError(
                f"history_days={history_days} before start_ms={start_ms} is not a time after 1970"
            )
        self.seed = seed
        self._first_ms = first
        self.instruments = {
            contract.inst_id: replace(contract, list_time=min(contract.list_time, first))
            for contract in instruments
        }
        if not self.instruments:
            raise ValueError("a generated market needs at least one instrument")
        self._level = lru_cache(maxsize=100_000)(self._level_at)
        self._market = lru_cache(maxsize=64)(self._market_chunk)
        # 230 KB each: the one of today for all, and those that one instrument's candles lie in.
        self._chunk = lru_cache(maxsize=len(self.instruments) + 64)(self._candles)

    def span(self, inst_id: str) -> tuple[int, int | None]:
        """First ms of data; None because it never ends."""
        if inst_id not in self.instruments:
            raise KeyError(inst_id)
        return self._first_ms, None

    def minutes(self, inst_id: str, from_ms: int, to_ms: int) -> Minutes:
        """Every minute with from_ms <= start < to_ms that lies in the span."""
        start = max(from_ms, self._first_ms)
        chunks = range(start // _CHUNK_MS, -(-to_ms // _CHUNK_MS))
        return Minutes.join([self._chunk(inst_id, chunk).cut(start, to_ms) for chunk in chunks])

    def mark_bars(self, inst_id: str) -> PriceBars | None:
        """None: nothing is recorded, the mark price follows the last one."""
        return None

    def funding(self, inst_id: str) -> FundingHistory | None:
        """None: nothing is recorded, the rate follows the price."""
        return None

    def _random(self, *words: object) -> np.random.Generator:
        return np.random.Generator(np.random.SFC64(salt(self.seed, *words)))

    def _level_at(self, name: str, border: int) -> float:
        """What pins a log price at the border before chunk `border`, in daily volatilities."""
        chance = float(self._random("level", name, border).standard_normal())
        if border % _ANCHOR_EVERY == 0:
            return _ANCHOR_SPREAD * chance
        step = border & -border  # the largest power of two that divides it
        between = (self._level(name, border - step) + self._level(name, border + step)) / 2
        return between + (_CHUNK_DAYS * step / 2) ** 0.5 * chance

    def _market_chunk(self, chunk: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The market's own returns, and the volatility of all: standard deviations per minute.

        In units of an ordinary minute's volatility.
        """
        random = self._random("market", chunk)
        drift, volatility = _phases(random)
        volatility *= _clusters(random) * _time_of_day()
        returns = drift + volatility * random.standard_normal(_CHUNK_MINUTES)
        return returns, volatility

    def _candles(self, inst_id: str, chunk: int) -> Minutes:
        contract = self.instruments[inst_id]
        profile = contract.profile
        random = self._random(inst_id, chunk)
        market, shared = self._market(chunk)
        alone = (1 - profile.correlation**2) ** 0.5
        own_drift, own = _phases(random)
        own *= _clusters(random) * _time_of_day()
        minute = profile.daily_volatility / _MINUTES_PER_DAY**0.5
        returns = profile.correlation * market + alone * (
            own_drift + own * random.standard_normal(_CHUNK_MINUTES)
        )
        spread = np.hypot(profile.correlation * shared, alone * own) * minute
        start, end = (
            profile.daily_volatility
            * (profile.correlation * self._level("market", at) + alone * self._level(inst_id, at))
            for at in (chunk, chunk + 1)
        )
        logs = np.concatenate([[0.0], np.cumsum(returns * minute)])
        logs += np.linspace(start, end - logs[-1], len(logs))
        return self._on_ticks(contract, chunk, logs, spread, random)

    def _on_ticks(
        self,
        contract: Instrument,
        chunk: int,
        logs: NDArray[np.float64],
        spread: NDArray[np.float64],
        random: np.random.Generator,
    ) -> Minutes:
        profile = contract.profile
        price = float(profile.price)
        tick, lot = float(contract.tick_size), float(contract.lot_size * contract.contract_value)
        step = np.diff(logs)
        # Extremes of a Brownian bridge over `step`: P(max > m) = exp(-2 m (m - step) / spread²).
        reach = -2 * spread**2 * np.log(1 - random.random((2, _CHUNK_MINUTES)))
        over, under = (np.sqrt(step**2 + reach) + [[1], [-1]] * step[None]) / 2
        closes = np.maximum(np.rint(price / tick * np.exp(logs)), 1)
        high = np.rint(price / tick * np.exp(logs[:-1] + over))
        low = np.maximum(np.rint(price / tick * np.exp(logs[:-1] - under)), 1)
        usual = profile.daily_volatility / _MINUTES_PER_DAY**0.5
        bustle = (spread / usual) ** 1.2 * (0.6 + 0.4 * np.abs(step) / spread)
        noise = np.exp(0.45 * random.standard_normal(_CHUNK_MINUTES))
        usual_lots = float(profile.daily_turnover) / price / lot / _MINUTES_PER_DAY
        bars = np.empty((5, _CHUNK_MINUTES), np.int64)
        bars[0], bars[3] = closes[:-1], closes[1:]
        bars[1] = np.maximum(high, np.maximum(bars[0], bars[3]))
        bars[2] = np.minimum(low, np.minimum(bars[0], bars[3]))
        bars[4] = np.maximum(np.rint(usual_lots * bustle * noise), 4)
        return Minutes(chunk * _CHUNK_MS, compact(bars))


def _phases(random: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Drift and volatility of every minute of a chunk, from phases of random kind and length."""
    shares, hours, drifts, volatilities = np.array(list(_PHASES.values())).T
    kinds = random.choice(len(shares), _PHASES_PER_CHUNK, p=shares)
    lengths = hours[kinds] * 60 * random.gamma(2.0, 0.5, _PHASES_PER_CHUNK)
    ends = np.cumsum(lengths)
    kind = kinds[np.minimum(np.searchsorted(ends, np.arange(_CHUNK_MINUTES)), len(kinds) - 1)]
    # A sixtieth of an hour's drift, in units of a minute's volatility: d * 60**0.5 / 60.
    return drifts[kind] / 60**0.5, volatilities[kind]


def _clusters(random: np.random.Generator) -> NDArray[np.float64]:
    """A volatility factor that stays high once it is high: hours of it, with flurries inside."""
    factor = np.zeros(_CHUNK_MINUTES)
    for half_life, weight in ((360, 0.45), (12, 0.25)):
        keep = 0.5 ** (1 / half_life)
        spread = ((1 - keep) / (1 + keep)) ** 0.5  # of the smoothed shocks
        shocks = random.standard_normal(_CHUNK_MINUTES)
        shocks[0] *= spread  # begin like any other minute
        smooth = pd.Series(shocks).ewm(halflife=half_life, adjust=False).mean().to_numpy()
        factor += weight * smooth / spread
    return np.exp(factor - 0.1)


def _time_of_day() -> NDArray[np.float64]:
    """More goes on when Europe and America are both awake, around 15:00 UTC."""
    hour = np.arange(_CHUNK_MINUTES) % _MINUTES_PER_DAY / 60
    return 1 + 0.3 * np.cos((hour - 15) / 12 * np.pi)
