"""Funding: when it is settled, at which rate, and what the rates were."""

from __future__ import annotations

from decimal import Decimal

from .paths import HOUR_MS
from .quotes import FundingRate
from .tape import Tape

FUNDING_INTERVAL_MS = 8 * HOUR_MS

# A base rate, plus what the price has gained since the last settlement but one percent of it,
# within the venue's bounds. Rates have six decimals.
_FUNDING_BASE = 0.0001
_FUNDING_PULL = 0.01
_FUNDING_BOUND = 0.00375


class Funding:
    """The funding rates of a market: recorded ones where the source has them, else made ones."""

    def __init__(self, tape: Tape) -> None:
        """Read what was recorded."""
        self._tape = tape
        self._recorded = {inst_id: self._settled(inst_id) for inst_id in tape.instruments}

    def next_time(self, now_ms: int) -> int:
        """The settlement after `now_ms`: 00:00, 08:00 and 16:00 UTC."""
        return (now_ms // FUNDING_INTERVAL_MS + 1) * FUNDING_INTERVAL_MS

    def rate(self, inst_id: str, at_ms: int) -> Decimal:
        """The rate of the settlement at `at_ms` or of the next one, as far as it is known then.

        At a settlement this is the rate that is paid. Before it, the expected one: with recorded
        rates the latest that was settled, else one that follows the price and arrives at the
        settled rate when the time has come.
        """
        settled = at_ms // FUNDING_INTERVAL_MS * FUNDING_INTERVAL_MS
        known = self._recorded[inst_id].get(settled)
        return known if known is not None else self._rate_at(inst_id, at_ms)

    def history(
        self,
        inst_id: str,
        *,
        now_ms: int,
        after_ms: int | None = None,
        before_ms: int | None = None,
        limit: int = 100,
    ) -> list[FundingRate]:
        """Settled rates with before_ms < funding_time < after_ms, newest first."""
        start, end = self._tape.spans[inst_id]
        latest = now_ms if after_ms is None else min(now_ms, after_ms - 1)
        if end is not None:
            latest = min(latest, end)
        first = start if before_ms is None else max(start, before_ms + 1)
        time = latest // FUNDING_INTERVAL_MS * FUNDING_INTERVAL_MS
        rates: list[FundingRate] = []
        while time >= first and len(rates) < limit:
            rates.append(FundingRate(inst_id, self.rate(inst_id, time), time))
            time -= FUNDING_INTERVAL_MS
        return rates

    def _rate_at(self, inst_id: str, ms: int) -> Decimal:
        start, _ = self._tape.spans[inst_id]
        now = self._tape.price(inst_id, "index", ms)
        before = self._tape.price(inst_id, "index", max(ms - FUNDING_INTERVAL_MS, start))
        gained = float(now / before) - 1.0
        rate = _FUNDING_BASE + _FUNDING_PULL * gained
        bounded = min(max(rate, -_FUNDING_BOUND), _FUNDING_BOUND)
        return Decimal(round(bounded * 1e6)).scaleb(-6)

    def _settled(self, inst_id: str) -> dict[int, Decimal]:
        """Recorded rates by settlement time; rates between two settlements add up."""
        recorded = self._tape.source.funding(inst_id)
        rates: dict[int, Decimal] = {}
        if recorded is None:
            return rates
        times = -(-recorded.time // FUNDING_INTERVAL_MS) * FUNDING_INTERVAL_MS + self._tape.shift_ms
        for time, rate in zip(times.tolist(), recorded.rate.tolist(), strict=True):
            rates[time] = rates.get(time, Decimal(0)) + Decimal(f"{rate:.8f}").normalize()
        return rates
