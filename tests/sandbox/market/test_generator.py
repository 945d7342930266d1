import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bubbybot_freqtrade.sandbox.market.generator import GeneratedMarket
from bubbybot_freqtrade.sandbox.market.instruments import catalogue, instrument
from bubbybot_freqtrade.sandbox.market.paths import DAY_MS, HOUR_MS, MINUTE_MS

START = 1_746_403_200_000  # 2025-05-05 00:00 UTC

times = st.integers(START - 30 * DAY_MS, START + 30 * DAY_MS)
few = settings(max_examples=25, deadline=None)


@pytest.fixture(scope="module")
def six() -> GeneratedMarket:
    return GeneratedMarket(catalogue(6), seed=5, start_ms=START)


def sixty_days(market: GeneratedMarket, inst_id: str) -> np.ndarray:
    return market.minutes(inst_id, START, START + 60 * DAY_MS).bars


@few
@given(times, st.integers(0, 3 * DAY_MS))
def test_a_range_holds_its_minutes_and_no_other(
    generated: GeneratedMarket, start: int, length: int
) -> None:
    minutes = generated.minutes("BTC-USDT", start, start + length)
    wanted = range(-(-start // MINUTE_MS), -(-(start + length) // MINUTE_MS))
    assert len(minutes) == len(wanted)
    if wanted:
        assert minutes.start_ms == wanted[0] * MINUTE_MS


@few
@given(
    st.sampled_from(["BTC-USDT", "DOGE-USDT"]),
    times,
    st.integers(0, 2 * DAY_MS),
    st.integers(0, 2 * DAY_MS),
)
def test_a_minute_is_the_same_whatever_was_asked_for(
    generated: GeneratedMarket, inst_id: str, start: int, before: int, after: int
) -> None:
    """Another object, another range, another entry, other instruments beside it: same candles."""
    other = GeneratedMarket(catalogue(6), seed=11, start_ms=START + DAY_MS, history_days=35)
    here = generated.minutes(inst_id, start, start + HOUR_MS)
    wide = other.minutes(inst_id, start - before, start + HOUR_MS + after)
    there = wide.cut(max(start, wide.start_ms), start + HOUR_MS)
    here = here.cut(there.start_ms, start + HOUR_MS)
    assert here.bars.tolist() == there.bars.tolist()


def test_another_seed_is_another_market() -> None:
    one, two = (
        GeneratedMarket([instrument("BTC-USDT")], seed=seed, start_ms=START) for seed in (1, 2)
    )
    assert (sixty_days(one, "BTC-USDT") != sixty_days(two, "BTC-USDT")).any(axis=0).mean() > 0.99


@pytest.mark.parametrize("inst_id", [contract.inst_id for contract in catalogue(6)])
def test_candles_are_valid_and_follow_each_other(six: GeneratedMarket, inst_id: str) -> None:
    open_, high, low, close, volume = sixty_days(six, inst_id)
    assert (high >= np.maximum(open_, close)).all()
    assert (low <= np.minimum(open_, close)).all()
    assert (low > 0).all()
    assert (volume > 0).all()
    assert (open_[1:] == close[:-1]).all()


@pytest.mark.parametrize("inst_id", [contract.inst_id for contract in catalogue(6)])
def test_volatility_is_the_profile_s_and_comes_in_clusters(
    six: GeneratedMarket, inst_id: str
) -> None:
    _, _, _, close, volume = sixty_days(six, inst_id)
    profile = six.instruments[inst_id].profile
    moves = np.diff(np.log(close))
    daily = moves.std() * 1440**0.5
    assert 0.5 < daily / profile.daily_volatility < 2
    # Returns are not, but their sizes are, related to those of an hour before; tails are fat.
    assert abs(np.corrcoef(moves[60:], moves[:-60])[0, 1]) < 0.05
    assert np.corrcoef(abs(moves[60:]), abs(moves[:-60]))[0, 1] > 0.1
    assert ((moves - moves.mean()) ** 4).mean() / moves.var() ** 2 > 4
    assert np.corrcoef(abs(moves), volume[1:])[0, 1] > 0.4


def test_turnover_is_the_profile_s(six: GeneratedMarket) -> None:
    for inst_id, contract in six.instruments.items():
        _, _, _, close, volume = sixty_days(six, inst_id)
        base = float(contract.lot_size * contract.contract_value) * volume
        daily = (base * close * float(contract.tick_size)).sum() / 60
        assert 0.4 < daily / float(contract.profile.daily_turnover) < 2.5


def test_instruments_move_together(six: GeneratedMarket) -> None:
    hourly = [np.diff(np.log(sixty_days(six, inst_id)[3][::60])) for inst_id in six.instruments]
    related = np.corrcoef(hourly)[np.triu_indices(6, 1)]
    assert related.min() > 0.3
    assert related.max() < 0.95


def test_there_are_trends_ranges_and_crashes(six: GeneratedMarket) -> None:
    """Days of one direction, days of none, and hours that lose more than a day's volatility."""
    close = sixty_days(six, "BTC-USDT")[3]
    daily_volatility = six.instruments["BTC-USDT"].profile.daily_volatility
    hours = np.log(close[::60])
    days = np.diff(hours).reshape(-1)[: 59 * 24].reshape(59, 24)
    efficiency = abs(days.sum(axis=1)) / abs(days).sum(axis=1)
    assert (efficiency > 0.4).any()
    assert (efficiency < 0.1).any()
    assert (hours[4:] - hours[:-4]).min() < -daily_volatility


def test_the_price_stays_in_sight_of_the_profile_for_years(six: GeneratedMarket) -> None:
    for year in range(1, 30, 4):
        at = year * 365 * DAY_MS
        market = GeneratedMarket(catalogue(6), seed=5, start_ms=at + DAY_MS, history_days=1)
        for inst_id, contract in market.instruments.items():
            close = market.minutes(inst_id, at, at + MINUTE_MS).bars[3, 0]
            price = float(close * contract.tick_size)
            assert 0.2 < price / float(contract.profile.price) < 5


def test_the_history_has_the_length_that_was_asked_for() -> None:
    market = GeneratedMarket([instrument("BTC-USDT")], start_ms=START + 5, history_days=10)
    assert market.span("BTC-USDT") == (START - 10 * DAY_MS, None)
    early = market.minutes("BTC-USDT", START - 11 * DAY_MS, START - 10 * DAY_MS + MINUTE_MS)
    assert (early.start_ms, len(early)) == (START - 10 * DAY_MS, 1)
    with pytest.raises(KeyError):
        market.span("ETH-USDT")


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="at least one instrument"):
        GeneratedMarket([], start_ms=START)
    with pytest.raises(ValueError, match="history_days=400"):
        GeneratedMarket([instrument("BTC-USDT")], start_ms=DAY_MS)
