"""
DBSI, the dual band strength index: 36 named votes of TA-Lib's momentum, trend and volume functions.

Market Cipher prints a bull count below each candle and a bear count above it; over 15 and rising is
strength. Its source is closed, its vendor says that a count runs from −5 to 28. Here 25 votes can
go either way, 3 only to the bulls, 3 only to the bears, and 5 penalties take one from the count
they warn of. So a count is 28 at most; on 6.07 million counts of real 15m, 30m and 1h candles it
ran from −2 to 28.

It does not come to −5, because three penalties lower a count that the same move has raised:
rsi_exhausted comes with the vote rsi, macd_turning with macd_signal, and band_stretched came with
ema_price wherever it was seen. They say that a strong count is worth less, and leave a count of 0
what it is; below 0 lead only no_trend and volume_fading, which warn of both sides.

================  ============================================  ===================================
vote              bull +1                                       bear +1
================  ============================================  ===================================
rsi               RSI(14) > 50                                  < 50
mfi               MFI(14) > 50                                  < 50
cmo               CMO(9) > 0                                    < 0
mom               MOM(10) > 0                                   < 0
roc               ROC(20) > 0                                   < 0
cci               CCI(20) > 100                                 < −100
willr             WILLR(14) > −50                               < −50
stoch             STOCH(14, 3, 3): k > d                        k < d
ultosc            ULTOSC(7, 14, 28) > 50                        < 50
macd_signal       MACD(12, 26, 9) line > signal                 line < signal
macd_zero         MACD(12, 26, 9) line > 0                      < 0
ppo               PPO(5, 13, EMA) > 0                           < 0
trix              TRIX(15) > 0                                  < 0
bop               EMA(BOP, 14) > 0                              < 0
aroonosc          AROONOSC(14) > 50                             < −50
directional       PLUS_DI(14) > MINUS_DI(14)                    PLUS_DI < MINUS_DI
ema_price         close > EMA(20)                               close < EMA(20)
ema_order         EMA(20) > EMA(50)                             EMA(20) < EMA(50)
wma_order         WMA(10) > WMA(30)                             WMA(10) < WMA(30)
tema_price        close > TEMA(20)                              close < TEMA(20)
t3_price          close > T3(10)                                close < T3(10)
linearreg_slope   LINEARREG_SLOPE(14) > 0                       < 0
midprice          close > MIDPRICE(14)                          close < MIDPRICE(14)
obv               OBV > EMA(OBV, 20)                            OBV < EMA(OBV, 20)
adosc             ADOSC(3, 10) > 0                              < 0
breakout          close > MAX(high, 20) before                  —
rsi_thrust        RSI(14) > 60, higher than before              —
volume_advance    close > open, volume > SMA(20)                —
breakdown         —                                             close < MIN(low, 20) before
rsi_slump         —                                             RSI(14) < 40, lower than before
volume_decline    —                                             close < open, volume > SMA(20)
================  ============================================  ===================================

================  ============================================  ===================================
penalty           bull −1                                       bear −1
================  ============================================  ===================================
no_trend          ADX(14) < 20                                  ADX(14) < 20
rsi_exhausted     RSI(14) > 80                                  RSI(14) < 20
band_stretched    close > upper of BBANDS(20, 2)                close < lower of BBANDS(20, 2)
volume_fading     SMA(volume, 5) < half SMA(volume, 20)         the same
macd_turning      MACD histogram > 0 and lower than before      < 0 and higher than before
================  ============================================  ===================================

Before means one candle before. Two sides that differ by rounding only (1e-9 of the larger) are
equal and cast no vote. Where none of the last 14 candles has volume, mfi does not vote. On rows
whose last 14 candles have no range, momentum has nothing to measure and both counts are 0.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import talib

from bubbybot_freqtrade.analyzers.candles import Flags, Floats, earlier, floats

WARM_UP = 57
"""Rows before the slowest vote is known: TEMA(20) smooths three times, 3·19 rows."""

TWO_SIDED = (
    "rsi",
    "mfi",
    "cmo",
    "mom",
    "roc",
    "cci",
    "willr",
    "stoch",
    "ultosc",
    "macd_signal",
    "macd_zero",
    "ppo",
    "trix",
    "bop",
    "aroonosc",
    "directional",
    "ema_price",
    "ema_order",
    "wma_order",
    "tema_price",
    "t3_price",
    "linearreg_slope",
    "midprice",
    "obv",
    "adosc",
)
BULL_ONLY = ("breakout", "rsi_thrust", "volume_advance")
BEAR_ONLY = ("breakdown", "rsi_slump", "volume_decline")
PENALTIES = ("no_trend", "rsi_exhausted", "band_stretched", "volume_fading", "macd_turning")
VOTES = TWO_SIDED + BULL_ONLY + BEAR_ONLY + PENALTIES


class Vote(NamedTuple):
    """On which rows a vote goes to the bulls and to the bears (a penalty: is taken from them)."""

    bull: Flags
    bear: Flags


class Strength(NamedTuple):
    """Counts, 28 at most and rarely below 0, float64; NaN before every vote is known."""

    bull: Floats
    bear: Floats


def strength(open_: Floats, high: Floats, low: Floats, close: Floats, volume: Floats) -> Strength:
    """Add up the votes of every candle."""
    count = len(close)
    bull = np.full(count, np.nan)
    bear = np.full(count, np.nan)
    if count > WARM_UP:
        cast = votes(open_, high, low, close, volume)
        totals = [np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)]
        for name, vote in cast.items():
            sign = -1 if name in PENALTIES else 1
            totals[0] += sign * vote.bull
            totals[1] += sign * vote.bear
        moving = talib.MAX(floats(high), 14) > talib.MIN(floats(low), 14)
        bull[WARM_UP:] = (totals[0] * moving)[WARM_UP:]
        bear[WARM_UP:] = (totals[1] * moving)[WARM_UP:]
    return Strength(bull, bear)


def votes(
    open_: Floats, high: Floats, low: Floats, close: Floats, volume: Floats
) -> dict[str, Vote]:
    """
    Every vote of the table by its name. Needs more than `WARM_UP` candles.

    TA-Lib takes numbers below 1e-14 for 0, which the variance of a price of 1e-8 is. So prices are
    multiplied by the power of two that brings the first close to about 1, which rounds nothing.
    """
    scale = 2.0 ** -np.floor(np.log2(close[0]))
    o, h, lo, c = (floats(prices) * scale for prices in (open_, high, low, close))
    v = floats(volume)
    return _momentum(o, h, lo, c, v) | _trend(h, lo, c) | _volume(o, h, lo, c, v) | _bands(h, lo, c)


def _momentum(o: Floats, h: Floats, lo: Floats, c: Floats, v: Floats) -> dict[str, Vote]:
    rsi = talib.RSI(c, 14)
    # Not a sum: TA-Lib's running sums leave rounding behind where no volume is.
    traded = talib.MAX(v, 14) > 0
    mfi = np.where(traded, talib.MFI(h, lo, c, v, 14), 50.0)
    k, d = talib.STOCH(h, lo, c, fastk_period=14, slowk_period=3, slowd_period=3)
    line, signal, histogram = talib.MACD(c, 12, 26, 9)
    sign = _sides(histogram, 0.0, 1e-9 * c)
    change = _sides(histogram, earlier(histogram), 1e-9 * c)
    none = np.zeros(len(c), dtype=np.bool_)
    return {
        "rsi": _sides(rsi, 50.0),
        "mfi": _sides(mfi, 50.0),
        "cmo": _sides(talib.CMO(c, 9), 0.0, 1e-7),
        "mom": _sides(talib.MOM(c, 10), 0.0),
        "roc": _sides(talib.ROC(c, 20), 0.0),
        "cci": _outside(talib.CCI(h, lo, c, 20), -100.0, 100.0),
        "willr": _sides(talib.WILLR(h, lo, c, 14), -50.0),
        "stoch": _sides(k, d, 1e-7),
        "ultosc": _sides(talib.ULTOSC(h, lo, c, 7, 14, 28), 50.0),
        "macd_signal": _sides(line, signal, 1e-9 * c),
        "macd_zero": _sides(line, 0.0, 1e-9 * c),
        "ppo": _sides(talib.PPO(c, 5, 13, talib.MA_Type.EMA), 0.0, 1e-7),
        "trix": _sides(talib.TRIX(c, 15), 0.0, 1e-7),
        "bop": _sides(talib.EMA(talib.BOP(o, h, lo, c), 14), 0.0, 1e-9),
        "aroonosc": _outside(talib.AROONOSC(h, lo, 14), -50.0, 50.0),
        "rsi_thrust": Vote(_above(rsi, 60.0) & _above(rsi, earlier(rsi)), none),
        "rsi_slump": Vote(none, _above(40.0, rsi) & _above(earlier(rsi), rsi)),
        "rsi_exhausted": _outside(rsi, 20.0, 80.0),
        "macd_turning": Vote(sign.bull & change.bear, sign.bear & change.bull),
    }


def _trend(h: Floats, lo: Floats, c: Floats) -> dict[str, Vote]:
    ema = talib.EMA(c, 20)
    none = np.zeros(len(c), dtype=np.bool_)
    return {
        "directional": _sides(talib.PLUS_DI(h, lo, c, 14), talib.MINUS_DI(h, lo, c, 14), 1e-7),
        "ema_price": _sides(c, ema),
        "ema_order": _sides(ema, talib.EMA(c, 50)),
        "wma_order": _sides(talib.WMA(c, 10), talib.WMA(c, 30)),
        "tema_price": _sides(c, talib.TEMA(c, 20)),
        "t3_price": _sides(c, talib.T3(c, 10)),
        "linearreg_slope": _sides(talib.LINEARREG_SLOPE(c, 14), 0.0, 1e-9 * c),
        "midprice": _sides(c, talib.MIDPRICE(h, lo, 14)),
        "breakout": Vote(c > earlier(talib.MAX(h, 20)), none),
        "breakdown": Vote(none, c < earlier(talib.MIN(lo, 20))),
    }


def _volume(o: Floats, h: Floats, lo: Floats, c: Floats, v: Floats) -> dict[str, Vote]:
    balance = talib.OBV(c, v)
    typical_volume = talib.SMA(v, 20)
    # TA-Lib's running sums leave rounding behind, which must not vote where no volume is.
    noise = 1e-9 * talib.EMA(v, 50)
    above = _above(v, typical_volume, noise)
    none = np.zeros(len(c), dtype=np.bool_)
    fading = _above(0.5 * typical_volume, talib.SMA(v, 5), noise)
    return {
        "obv": _sides(balance, talib.EMA(balance, 20), noise),
        "adosc": _sides(talib.ADOSC(h, lo, c, v, 3, 10), 0.0, noise),
        "volume_advance": Vote(above & (c > o), none),
        "volume_decline": Vote(none, above & (c < o)),
        "volume_fading": Vote(fading, fading),
    }


def _bands(h: Floats, lo: Floats, c: Floats) -> dict[str, Vote]:
    upper, _middle, lower = talib.BBANDS(c, 20, 2.0, 2.0)
    weak = _above(20.0, talib.ADX(h, lo, c, 14))
    return {
        "no_trend": Vote(weak, weak),
        "band_stretched": Vote(_above(c, upper), _above(lower, c)),
    }


def _above(a: Any, b: Any, noise: Any = 0.0) -> Flags:
    return a - b > np.maximum(1e-9 * np.maximum(np.abs(a), np.abs(b)), noise)


def _sides(a: Floats, b: Any, noise: Any = 0.0) -> Vote:
    return Vote(_above(a, b, noise), _above(-a, -b, noise))


def _outside(values: Floats, low: float, high: float) -> Vote:
    return Vote(_above(values, high), _above(low, values))
