"""Where an idea is wrong and where it pays: stop and target levels of every candle.

Stop of a long: the nearest structure below the close (block, swing low, value area, support) that,
with an ATR margin below it, lies within the settings' bounds. Target: the next opposing level that
pays the least reward after fees; a level before that is one the trade has to get through, and the
signal's confluence has to be worth that. Beyond the running range, where a market makes new highs
and nothing opposes, its Fibonacci extensions are the levels. Shorts mirror all that. No such level:
NaN, no trade.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bubbybot_freqtrade.analyzers import candles
from bubbybot_freqtrade.risk.plan import TradeSide
from bubbybot_freqtrade.settings import RiskSettings

Floats = npt.NDArray[np.float64]

ATR_LENGTH = 14
BASE_TIMEFRAME = "15m"

SUPPORTS = ("lux_bull_ob_bottom", "lux_swing_low", "lux_internal_low", "fc_val", "mc_support")
RESISTANCES = ("lux_bear_ob_top", "lux_swing_high", "lux_internal_high", "fc_vah", "mc_resistance")
TARGETS_ABOVE = ("lux_bear_ob_bottom", "lux_swing_high", "fc_vah", "mc_resistance")
TARGETS_BELOW = ("lux_bull_ob_top", "lux_swing_low", "fc_val", "mc_support")

RANGE = ("lux_range_high", "lux_range_low")
EXTENSIONS = (1.272, 1.618, 2.0)
"""Multiples of the running range, measured from its other end."""

LEVEL_COLUMNS = tuple(
    dict.fromkeys((*SUPPORTS, *RESISTANCES, *TARGETS_ABOVE, *TARGETS_BELOW, *RANGE))
)
"""What is needed of each timeframe."""

# The planned entry is the close; the real one may be a little worse and must still pay enough.
SLIPPAGE_ROOM = 0.0005

FORCED_STOP_ATRS = 4.0


@dataclass(frozen=True, slots=True)
class Levels:
    """Prices in quote currency per row, NaN where there is none."""

    stop: Floats
    target: Floats


def average_true_range(frame: pd.DataFrame) -> Floats:
    """ATR(14) as TA-Lib has it; NaN before warm-up."""
    high, low, close = (frame[name].to_numpy(dtype=np.float64) for name in ("high", "low", "close"))
    return candles.average_true_range(high, low, close, ATR_LENGTH)


def long_levels(frame: pd.DataFrame, atr: Floats, fee: float, settings: RiskSettings) -> Levels:
    """Stop and target of a long entered at each row's close."""
    return _levels(frame, atr, fee, settings, 1, SUPPORTS, TARGETS_ABOVE)


def short_levels(frame: pd.DataFrame, atr: Floats, fee: float, settings: RiskSettings) -> Levels:
    """Stop and target of a short entered at each row's close."""
    return _levels(frame, atr, fee, settings, -1, RESISTANCES, TARGETS_BELOW)


def forced_levels(
    side: TradeSide, entry: float, atr: float, fee: float, settings: RiskSettings
) -> tuple[float, float]:
    """Stop and target (prices) for an entry that a person forces where structure gives none.

    The stop is `FORCED_STOP_ATRS` away, within the settings' bounds; the target pays the least
    reward. An unknown ATR counts as none: the stop is the nearest allowed.
    """
    sign = 1 if side == "long" else -1
    wanted = FORCED_STOP_ATRS * atr if np.isfinite(atr) else 0.0
    # Well inside the bounds: rounding to ticks must not cross them.
    room = settings.max_stop - settings.min_stop
    low, high = settings.min_stop + 0.05 * room, settings.max_stop - 0.05 * room
    distance = min(max(wanted, low * entry), high * entry)
    stop = entry - sign * distance
    need = settings.min_reward_risk * (distance + fee * (entry + stop)) + 2 * fee * entry
    return stop, entry + sign * (need / (1 - fee) + SLIPPAGE_ROOM * entry)


def _levels(
    frame: pd.DataFrame,
    atr: Floats,
    fee: float,
    settings: RiskSettings,
    sign: int,
    stops: Sequence[str],
    targets: Sequence[str],
) -> Levels:
    close = frame["close"].to_numpy(dtype=np.float64)
    behind = _columns(frame, stops, settings.stop_timeframes)
    beyond = behind - sign * settings.stop_atr_margin * atr[:, None]
    distances = sign * (close[:, None] - beyond)
    least, most = settings.min_stop * close, settings.max_stop * close
    distance = _nearest(distances, least[:, None], most[:, None])
    stop = close - sign * distance
    loss = distance + fee * (close + stop)
    opposing = _columns(frame, targets, settings.target_timeframes)
    beyond_range = _extensions(frame, sign, settings.target_timeframes)
    ahead = sign * (np.hstack([opposing, beyond_range]) - close[:, None])
    # gain = way − fee · (2 · entry ± way) ≥ reward · loss, solved for the way, on the safe side.
    need = (settings.min_reward_risk * loss + (2 * fee + SLIPPAGE_ROOM) * close) / (1 - fee)
    way = _nearest(ahead, need[:, None], np.inf)
    return Levels(stop=stop, target=close + sign * way)


def _columns(frame: pd.DataFrame, names: Sequence[str], timeframes: Sequence[str]) -> Floats:
    wanted = [f"{name}{suffix}" for suffix in _suffixes(timeframes) for name in names]
    found = [name for name in wanted if name in frame]
    if not found:
        return np.full((len(frame), 1), np.nan)
    return frame[found].to_numpy(dtype=np.float64)


def _suffixes(timeframes: Sequence[str]) -> list[str]:
    return ["" if timeframe == BASE_TIMEFRAME else f"_{timeframe}" for timeframe in timeframes]


def _extensions(frame: pd.DataFrame, sign: int, timeframes: Sequence[str]) -> Floats:
    """Prices beyond the running range of each timeframe: above it for a long, below for a short."""
    made = [np.full(len(frame), np.nan)]
    far, near = RANGE if sign > 0 else RANGE[::-1]
    for suffix in _suffixes(timeframes):
        if far + suffix not in frame or near + suffix not in frame:
            continue
        end = frame[far + suffix].to_numpy(dtype=np.float64)
        start = frame[near + suffix].to_numpy(dtype=np.float64)
        made += [start + multiple * (end - start) for multiple in EXTENSIONS]
    return np.column_stack(made)


def _nearest(distances: Floats, least: Floats, most: Floats | float) -> Floats:
    """The smallest distance of each row within the bounds; NaN for none."""
    with np.errstate(invalid="ignore"):
        fitting = np.where((distances >= least) & (distances <= most), distances, np.inf)
    nearest = fitting.min(axis=1) if len(fitting) else np.empty(0)
    return np.where(np.isinf(nearest), np.nan, nearest)
