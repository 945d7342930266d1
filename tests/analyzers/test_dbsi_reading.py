"""
DBSI against a slow, literal reading of its table of votes, candle by candle in plain Python.

The indicators are read from their textbook definitions. Where a definition leaves the first value
of a smoothing open, TA-Lib's is taken: an exponential average starts with the plain mean of its
first `length` values (MACD's two start on the same candle, the accumulation oscillator's with the
first value), Wilder's averages with the plain mean of the first `length` moves, and the directional
sums one move earlier than that. TA-Lib smooths CMO as Wilder does RSI, and of equal extremes AROON
counts from the latest.

A comparison has three answers: yes, no, and None where it is undecided. "Two sides that differ by
rounding only (1e-9 of the larger) are equal": two computations that round differently cannot agree
about a difference right there, so one between 1e-10 and 1e-8 is left out. Closer than that are ties
of the price tick, which must not vote.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from bubbybot_freqtrade.analyzers.market_cipher import dbsi

PERCENT = 100.0  # what rounding is measured against in an oscillator of percents
PRICES = ("open", "high", "low", "close", "volume")


# --- windows --------------------------------------------------------------------------------------


def windows(values, length):
    """The last `length` values of every row; None while there are fewer or one is unknown."""
    for t in range(len(values)):
        window = values[t - length + 1 : t + 1] if t >= length - 1 else [None]
        yield None if None in window else window


def rolling(values, length, of):
    return [None if window is None else of(window) for window in windows(values, length)]


def mean(values):
    return math.fsum(values) / len(values)


def sma(values, length):
    return rolling(values, length, mean)


def highest(values, length):
    return rolling(values, length, max)


def lowest(values, length):
    return rolling(values, length, min)


def wma(values, length):
    """The newest value weighs `length`, the oldest 1."""
    total = length * (length + 1) / 2
    return rolling(
        values, length, lambda w: math.fsum((i + 1) * v for i, v in enumerate(w)) / total
    )


def slope(values, length):
    """Least squares: Σ(x − x̄)(y − ȳ) / Σ(x − x̄)²."""
    middle = (length - 1) / 2
    spread = math.fsum((x - middle) ** 2 for x in range(length))

    def of(window):
        level = mean(window)
        return math.fsum((x - middle) * (y - level) for x, y in enumerate(window)) / spread

    return rolling(values, length, of)


def deviation(values, length):
    """The standard deviation of the window itself (not of a sample)."""
    return rolling(values, length, lambda w: math.sqrt(mean([(v - mean(w)) ** 2 for v in w])))


# --- smoothings -----------------------------------------------------------------------------------


def ema(values, length):
    """The first `length` known values' mean, then 2/(length + 1) of the new value each candle."""
    out, seed, last = [], [], None
    share = 2 / (length + 1)
    for value in values:
        if value is not None and last is None:
            seed.append(value)
            last = mean(seed) if len(seed) == length else None
        elif value is not None:
            last = share * value + (1 - share) * last
        out.append(last)
    return out


def ema_from_first(values, length):
    share, last = 2 / (length + 1), values[0]
    out = []
    for value in values:
        last = share * value + (1 - share) * last
        out.append(last)
    return out


def wilder(values, length):
    """The first `length` known values' mean, then 1/length of the new value each candle."""
    out, seed, last = [], [], None
    for value in values:
        if value is not None and last is None:
            seed.append(value)
            last = mean(seed) if len(seed) == length else None
        elif value is not None:
            last = (last * (length - 1) + value) / length
        out.append(last)
    return out


def wilder_sum(values, length):
    """The sum of the first length − 1 moves, then less 1/length of itself plus the new one."""
    out, last = [None] * length, math.fsum(values[1:length])
    for value in values[length:]:
        last += value - last / length
        out.append(last)
    return out


def each(of, *lines):
    return [None if None in values else of(*values) for values in zip(*lines, strict=True)]


def minus(a, b):
    return each(lambda x, y: x - y, a, b)


def before(values, candles=1):
    return [None] * candles + values[:-candles]


# --- indicators -----------------------------------------------------------------------------------


def gains_and_losses(close, length):
    moves = minus(close, before(close))
    gain = wilder([None if m is None else max(m, 0.0) for m in moves], length)
    loss = wilder([None if m is None else max(-m, 0.0) for m in moves], length)
    return gain, loss


def rsi(close, length):
    return each(
        lambda gain, loss: 100 * gain / (gain + loss) if gain + loss else 0.0,
        *gains_and_losses(close, length),
    )


def cmo(close, length):
    return each(
        lambda gain, loss: 100 * (gain - loss) / (gain + loss) if gain + loss else 0.0,
        *gains_and_losses(close, length),
    )


def mfi(high, low, close, volume, length):
    """Of the money (typical price × volume) of the last moves, how much went up; 50 without any."""
    typical = each(lambda h, lo, c: (h + lo + c) / 3, high, low, close)
    move = minus(typical, before(typical))
    # Typical prices that are equal in ticks differ by the rounding of their sums.
    move = each(lambda m, p: 0.0 if abs(m) < 1e-12 * p else m, move, typical)
    money = each(lambda p, v, m: p * v * ((m > 0) - (m < 0)), typical, volume, move)
    out = []
    for window in windows(money, length):
        if window is None:
            out.append(None)
            continue
        up = math.fsum(m for m in window if m > 0)
        both = math.fsum(abs(m) for m in window)
        out.append(100 * up / both if both else 50.0)
    return out


def cci(high, low, close, length):
    typical = each(lambda h, lo, c: (h + lo + c) / 3, high, low, close)

    def of(window):
        level = mean(window)
        spread = mean([abs(p - level) for p in window])
        return (window[-1] - level) / (0.015 * spread) if spread else 0.0

    return rolling(typical, length, of)


def place(high, low, close, length):
    """Where close stands between the lowest low (0) and the highest high (100) of the window."""
    return each(
        lambda c, top, bottom: 100 * (c - bottom) / (top - bottom) if top > bottom else 0.0,
        close,
        highest(high, length),
        lowest(low, length),
    )


def true_range(high, low, close):
    return each(lambda h, lo, c: max(h, c) - min(lo, c), high, low, before(close))


def ultimate(high, low, close, lengths):
    """Buying pressure over true range, of three windows weighed 4, 2, 1."""
    pressure = each(lambda c, lo, b: c - min(lo, b), close, low, before(close))
    ranges = true_range(high, low, close)
    ratios = [
        each(
            lambda p, r: p / r if r else 0.0,
            rolling(pressure, length, math.fsum),
            rolling(ranges, length, math.fsum),
        )
        for length in lengths
    ]
    return each(lambda a, b, c: 100 * (4 * a + 2 * b + c) / 7, *ratios)


def macd(close, fast, slow, signal):
    late = [None] * (slow - fast) + close[slow - fast :]  # both averages start on one candle
    line = minus(ema(late, fast), ema(close, slow))
    return line, ema(line, signal)


def ppo(close, fast, slow):
    return each(lambda f, s: 100 * (f - s) / s, ema(close, fast), ema(close, slow))


def trix(close, length):
    triple = ema(ema(ema(close, length), length), length)
    return each(lambda now, then: 100 * (now - then) / then, triple, before(triple))


def tema(close, length):
    one = ema(close, length)
    two = ema(one, length)
    return each(lambda a, b, c: 3 * a - 3 * b + c, one, two, ema(two, length))


def t3(close, length, v=0.7):
    """Tillson's double average, (1 + v)·ema − v·ema of ema, three times, multiplied out."""
    e1 = ema(close, length)
    e3 = ema(ema(e1, length), length)
    e4 = ema(e3, length)
    e5 = ema(e4, length)
    return each(
        lambda a, b, c, d: (
            (1 + v) ** 3 * a - 3 * (1 + v) ** 2 * v * b + 3 * (1 + v) * v**2 * c - v**3 * d
        ),
        *(e3, e4, e5, ema(e5, length)),
    )


def balance_of_power(open_, high, low, close):
    return each(lambda o, h, lo, c: (c - o) / (h - lo) if h > lo else 0.0, open_, high, low, close)


def aroon_oscillator(high, low, length):
    """(candles since the lowest low − candles since the highest high) of 14 moves, in percent."""
    out = []
    for highs, lows in zip(windows(high, length + 1), windows(low, length + 1), strict=True):
        if highs is None:
            out.append(None)
            continue
        since_high = highs[::-1].index(max(highs))
        since_low = lows[::-1].index(min(lows))
        out.append(100 * (since_low - since_high) / length)
    return out


def directional(high, low, close, length):
    """PLUS_DI, MINUS_DI and ADX: only the larger of a candle's two outward moves counts."""
    up = minus(high, before(high))
    down = minus(before(low), low)
    plus = each(lambda u, d: u if u > d and u > 0 else 0.0, up, down)
    less = each(lambda u, d: d if d > u and d > 0 else 0.0, up, down)
    ranges = wilder_sum(true_range(high, low, close), length)
    plus, less = (
        each(lambda m, r: 100 * m / r if r else 0.0, wilder_sum(moves, length), ranges)
        for moves in (plus, less)
    )
    index = each(lambda p, m: 100 * abs(p - m) / (p + m) if p + m else 0.0, plus, less)
    return plus, less, wilder(index, length)


def on_balance(close, volume):
    out = [volume[0]]
    for t in range(1, len(close)):
        sign = (close[t] > close[t - 1]) - (close[t] < close[t - 1])
        out.append(out[-1] + sign * volume[t])
    return out


def accumulation_oscillator(high, low, close, volume, fast, slow):
    total, line = 0.0, []
    for h, lo, c, v in zip(high, low, close, volume, strict=True):
        total += v * ((c - lo) - (h - c)) / (h - lo) if h > lo else 0.0
        line.append(total)
    return minus(ema_from_first(line, fast), ema_from_first(line, slow))


# --- the table, read aloud ------------------------------------------------------------------------


def above(a, b, size):
    """Whether a > b; None where a tolerance of 1e-9 of `size` decides, or a side is unknown."""
    if None in (a, b, size):
        return None
    difference = (a - b) / size
    if 1e-10 < abs(difference) < 1e-8:
        return None
    return difference >= 1e-8


def every(*answers):
    """Whether all conditions hold; one that does not settles it."""
    if False in answers:
        return False
    return None if None in answers else True


class Cast(NamedTuple):
    """Per candle: does the vote go to the bulls, to the bears; None: undecided."""

    bull: list
    bear: list


def sides(a, b, size):
    """Bull: a above b. Bear: a below b. `b` and `size` may be one number for all candles."""
    b, size = (x if isinstance(x, list) else [x] * len(a) for x in (b, size))
    rows = list(zip(a, b, size, strict=True))
    return Cast([above(x, y, s) for x, y, s in rows], [above(y, x, s) for x, y, s in rows])


def read_momentum(open_, high, low, close, volume):
    line, signal = macd(close, 12, 26, 9)
    k = sma(place(high, low, close, 14), 3)
    channel = cci(high, low, close, 20)
    aroon = aroon_oscillator(high, low, 14)
    return {
        "rsi": sides(rsi(close, 14), 50.0, PERCENT),
        "mfi": sides(mfi(high, low, close, volume, 14), 50.0, PERCENT),
        "cmo": sides(cmo(close, 9), 0.0, PERCENT),
        "mom": sides(close, before(close, 10), close),
        "roc": sides(close, before(close, 20), close),
        "cci": Cast(sides(channel, 100.0, PERCENT).bull, sides(channel, -100.0, PERCENT).bear),
        "willr": sides(place(high, low, close, 14), 50.0, PERCENT),  # %R is the place less 100
        "stoch": sides(k, sma(k, 3), PERCENT),
        "ultosc": sides(ultimate(high, low, close, (7, 14, 28)), 50.0, PERCENT),
        "macd_signal": sides(line, signal, close),
        "macd_zero": sides(line, 0.0, close),
        "ppo": sides(ppo(close, 5, 13), 0.0, PERCENT),
        "trix": sides(trix(close, 15), 0.0, PERCENT),
        "bop": sides(ema(balance_of_power(open_, high, low, close), 14), 0.0, 1.0),
        "aroonosc": Cast(sides(aroon, 50.0, PERCENT).bull, sides(aroon, -50.0, PERCENT).bear),
    }


def read_trend(high, low, close):
    plus, less, _ = directional(high, low, close, 14)
    middle = each(lambda a, b: (a + b) / 2, highest(high, 14), lowest(low, 14))
    return {
        "directional": sides(plus, less, PERCENT),
        "ema_price": sides(close, ema(close, 20), close),
        "ema_order": sides(ema(close, 20), ema(close, 50), close),
        "wma_order": sides(wma(close, 10), wma(close, 30), close),
        "tema_price": sides(close, tema(close, 20), close),
        "t3_price": sides(close, t3(close, 10), close),
        "linearreg_slope": sides(slope(close, 14), 0.0, close),
        "midprice": sides(close, middle, close),
    }


def read_volume(high, low, close, volume):
    balance = on_balance(close, volume)
    traded = ema(volume, 50)
    flow = accumulation_oscillator(high, low, close, volume, 3, 10)
    return {
        "obv": sides(balance, ema(balance, 20), traded),
        "adosc": sides(flow, 0.0, traded),
    }


def read_one_sided(open_, high, low, close, volume):
    never = [False] * len(close)
    strength = rsi(close, 14)
    change = sides(strength, before(strength), PERCENT)
    heavy = sides(volume, sma(volume, 20), ema(volume, 50)).bull
    body = sides(close, open_, close)

    def together(a, b):
        return [every(x, y) for x, y in zip(a, b, strict=True)]

    return {
        "breakout": Cast(sides(close, before(highest(high, 20)), close).bull, never),
        "rsi_thrust": Cast(together(sides(strength, 60.0, PERCENT).bull, change.bull), never),
        "volume_advance": Cast(together(body.bull, heavy), never),
        "breakdown": Cast(never, sides(close, before(lowest(low, 20)), close).bear),
        "rsi_slump": Cast(never, together(sides(strength, 40.0, PERCENT).bear, change.bear)),
        "volume_decline": Cast(never, together(body.bear, heavy)),
    }


def read_penalties(high, low, close, volume):
    _, _, trend = directional(high, low, close, 14)
    weak = sides(trend, 20.0, PERCENT).bear
    strength = rsi(close, 14)
    middle, spread = sma(close, 20), deviation(close, 20)
    upper = each(lambda m, s: m + 2 * s, middle, spread)
    lower = each(lambda m, s: m - 2 * s, middle, spread)
    half = each(lambda v: v / 2, sma(volume, 20))
    fading = sides(sma(volume, 5), half, ema(volume, 50)).bear
    histogram = minus(*macd(close, 12, 26, 9))
    sign, turn = sides(histogram, 0.0, close), sides(histogram, before(histogram), close)
    return {
        "no_trend": Cast(weak, weak),
        "rsi_exhausted": Cast(
            sides(strength, 80.0, PERCENT).bull, sides(strength, 20.0, PERCENT).bear
        ),
        "band_stretched": Cast(sides(close, upper, close).bull, sides(close, lower, close).bear),
        "volume_fading": Cast(fading, fading),
        "macd_turning": Cast(
            [every(s, t) for s, t in zip(sign.bull, turn.bear, strict=True)],
            [every(s, t) for s, t in zip(sign.bear, turn.bull, strict=True)],
        ),
    }


def read(frame: pd.DataFrame) -> dict[str, Cast]:
    open_, high, low, close, volume = (frame[name].tolist() for name in PRICES)
    return (
        read_momentum(open_, high, low, close, volume)
        | read_trend(high, low, close)
        | read_volume(high, low, close, volume)
        | read_one_sided(open_, high, low, close, volume)
        | read_penalties(high, low, close, volume)
    )


def standing_still(frame: pd.DataFrame) -> list:
    """The last 14 candles have no range."""
    return each(
        lambda top, bottom: top == bottom,
        highest(frame["high"].tolist(), 14),
        lowest(frame["low"].tolist(), 14),
    )


def count_up(cast: dict[str, Cast], side: str, still: list) -> list:
    """25 + 3 votes less 5 penalties per candle; NaN where one of them is undecided."""
    out = []
    penalties = ("no_trend", "rsi_exhausted", "band_stretched", "volume_fading", "macd_turning")
    for t in range(len(still)):
        answers = {name: getattr(vote, side)[t] for name, vote in cast.items()}
        if still[t]:
            out.append(0)
        elif None in answers.values():
            out.append(math.nan)
        else:
            out.append(sum(-yes if name in penalties else yes for name, yes in answers.items()))
    return out


# --- the comparison -------------------------------------------------------------------------------


class Both(NamedTuple):
    votes: dict[str, dbsi.Vote]
    counts: dbsi.Strength
    slow: dict[str, Cast]
    still: list


@pytest.fixture(scope="module")
def both(candles: pd.DataFrame) -> Both:
    columns = [candles[name].to_numpy() for name in PRICES]
    return Both(
        dbsi.votes(*columns), dbsi.strength(*columns), read(candles), standing_still(candles)
    )


@pytest.mark.parametrize("name", dbsi.VOTES)
def test_vote_agrees_with_the_slow_reading(both: Both, name: str) -> None:
    for side in ("bull", "bear"):
        want = getattr(both.slow[name], side)[dbsi.WARM_UP :]
        got = getattr(both.votes[name], side)[dbsi.WARM_UP :]
        undecided = np.array([answer is None for answer in want])
        assert undecided.mean() < 0.002
        # Where nothing moved the counts are 0 whatever the votes: a place in no range is no place.
        moving = ~np.array(both.still[dbsi.WARM_UP :], dtype=bool)
        differ = moving & ~undecided & (got != np.array(want, dtype=bool))
        assert (np.flatnonzero(differ) + dbsi.WARM_UP).tolist() == []


@pytest.mark.parametrize("side", ["bull", "bear"])
def test_count_agrees_with_the_slow_reading(both: Both, side: str) -> None:
    want = np.array(count_up(both.slow, side, both.still)[dbsi.WARM_UP :], dtype=float)
    got = getattr(both.counts, side)[dbsi.WARM_UP :]
    decided = ~np.isnan(want)
    assert decided.mean() > 0.99
    np.testing.assert_array_equal(got[decided], want[decided])


def test_the_reading_has_every_vote_of_the_table(both: Both) -> None:
    assert set(both.slow) == set(dbsi.VOTES)
    assert len(both.slow) == 36


@pytest.mark.parametrize(
    ("sign", "name", "side"), [(1, "rsi_thrust", "bull"), (-1, "rsi_slump", "bear")]
)
def test_an_unchanged_close_is_neither_a_thrust_nor_a_slump(draw, sign, name, side) -> None:
    """Gains and losses shrink alike: the RSI stays, whatever its last digit does."""
    steps = [sign * step for step in (0.5, -0.2, 0.4)] * 40
    closes = [100.0]
    for step in steps:
        closes += [closes[-1] + step] * 2  # every second candle closes where the one before did
    frame = draw((c, c + 0.1, c - 0.1, c) for c in closes)
    votes = dbsi.votes(*(frame[column].to_numpy() for column in PRICES))
    cast = getattr(votes[name], side)[dbsi.WARM_UP :]
    unchanged = np.diff(frame["close"])[dbsi.WARM_UP - 1 :] == 0
    assert cast[~unchanged].mean() > 0.5
    assert not cast[unchanged].any()


@pytest.mark.parametrize("seed", range(4))
def test_mfi_does_not_vote_where_nothing_was_traded(market, seed: int) -> None:
    """Prices go on moving through 50 candles without volume, as those of an index do."""
    frame = market(1_000, seed)
    frame["volume"] /= 3  # as a venue that trades thirds of a coin: the sums round
    silences = range(100, 900, 100)
    for begins in silences:
        frame.loc[begins : begins + 49, "volume"] = 0.0
    mfi = dbsi.votes(*(frame[column].to_numpy() for column in PRICES))["mfi"]
    votes = mfi.bull | mfi.bear
    for begins in silences:
        assert votes[begins - 20 : begins].all()
        # Rows whose last 14 candles are without volume.
        assert not votes[begins + 13 : begins + 50].any()
