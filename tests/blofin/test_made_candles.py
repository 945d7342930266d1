"""Hours made of quarters are the venue's hours, or none."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubbybot_freqtrade.blofin.exchange.made_candles import is_made_of, made_candles

QUARTER, HOUR = 15 * 60_000, 60 * 60_000
BEGIN = datetime(2025, 5, 1, tzinfo=UTC)
BEGIN_MS = int(BEGIN.timestamp() * 1000)

prices = st.decimals("0.0001", "99999", places=4)
volumes = st.decimals("0.001", "9999999", places=3)
# The venue's texts: open, high, low, close, volume.
candles = st.tuples(prices, prices, prices, prices, volumes)


def frame(rows, first: int = 0) -> pd.DataFrame:
    """As freqtrade keeps candles: floats of the venue's texts."""
    made = pd.DataFrame(
        [[float(value) for value in row] for row in rows],
        columns=["open", "high", "low", "close", "volume"],
    )
    dates = [BEGIN + (first + number) * timedelta(minutes=15) for number in range(len(rows))]
    made.insert(0, "date", pd.to_datetime(dates, utc=True).astype("datetime64[ms, UTC]"))
    return made


@given(st.lists(candles, min_size=4, max_size=14))
def test_an_hour_is_what_its_trades_say(rows):
    made = made_candles(frame(rows), HOUR, QUARTER, BEGIN_MS)
    assert made is not None
    hours = [rows[at : at + 4] for at in range(0, len(rows) - 3, 4)]
    assert list(made["open"]) == [float(hour[0][0]) for hour in hours]
    assert list(made["high"]) == [float(max(row[1] for row in hour)) for hour in hours]
    assert list(made["low"]) == [float(min(row[2] for row in hour)) for hour in hours]
    assert list(made["close"]) == [float(hour[3][3]) for hour in hours]
    # To the last bit: the venue adds decimals.
    assert list(made["volume"]) == [float(sum(row[4] for row in hour)) for hour in hours]
    assert list(made["date"]) == [BEGIN + n * timedelta(hours=1) for n in range(len(hours))]


@given(st.integers(0, 7), st.booleans())
def test_nothing_is_made_of_candles_that_are_missing_or_filled(at, is_missing):
    rows = [tuple(map(Decimal, "55555"))] * 8
    base = frame(rows)
    if is_missing:
        base = base.drop(index=at).reset_index(drop=True)
    else:
        base.loc[at, "volume"] = 0.0
    made = made_candles(base, HOUR, QUARTER, BEGIN_MS)
    if is_missing and at == 7:
        assert made is not None
        assert len(made) == 1
    else:
        assert made is None


@pytest.mark.parametrize("count", [0, 1, 3])
def test_an_hour_that_has_not_ended_is_not_made(count):
    assert (
        made_candles(frame([tuple(map(Decimal, "55555"))] * count), HOUR, QUARTER, BEGIN_MS) is None
    )


def test_an_hour_whose_begin_is_not_known_is_not_made():
    later = frame([tuple(map(Decimal, "55555"))] * 7, first=1)
    assert made_candles(later, HOUR, QUARTER, BEGIN_MS) is None


def test_only_what_begins_alike_everywhere_is_made():
    assert all(is_made_of(longer, "15m") for longer in ("30m", "1h", "2h", "4h", "8h"))
    # Venues begin their days, and with them half days and weeks, at midnights of their own.
    assert not any(is_made_of(other, "15m") for other in ("15m", "5m", "6h", "12h", "1d", "1w"))
    assert not is_made_of("1h", "25m")
