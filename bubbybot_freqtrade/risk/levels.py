"""Where an idea is wrong and where it pays: stop and target levels of every candle.

Stop: `stop_atrs` ATR(14) of 1h away. Where a Lux level of 1h (the swing level or the far edge of
the order block) lies a little behind that, up to `structure_atrs`, the stop goes behind the level.
Target: what pays `reward_risk` after fees, or the next opposing level that pays the least reward
where that is further. Stops outside of the settings' bounds are moved to the bound: the nearest is
there for fees and gaps, the furthest for markets that move too much for any stop.

Wide stops and a time limit beat tight stops behind structure and trailing ones on all candles that
were tried (docs/results.md): what is left after a breakout is noise of some ATRs and two days.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bubbybot_freqtrade.analyzers import candles
from bubbybot_freqtrade.risk.plan import TradeSide
from bubbybot_freqtrade.risk.r import Prices, loss_per_unit
from bubbybot_freqtrade.settings import RiskSettings
from bubbybot_freqtrade.signals.trend import Columns

Floats = npt.NDArray[np.float64]

ATR_LENGTH = 14
BASE_TIMEFRAME = "15m"
STOP_TIMEFRAME = "1h"

SUPPORTS = ("lux_bull_ob_bottom", "lux_swing_low")
RESISTANCES = ("lux_bear_ob_top", "lux_swing_high")
TARGETS_ABOVE = ("lux_bear_ob_bottom", "lux_swing_high", "fc_vah", "mc_resistance")
TARGETS_BELOW = ("lux_bull_ob_top", "lux_swing_low", "fc_val", "mc_support")

LEVEL_COLUMNS = tuple(dict.fromkeys((*SUPPORTS, *RESISTANCES, *TARGETS_ABOVE, *TARGETS_BELOW)))
"""What is needed of each timeframe."""

# The planned entry is the close; the real one may be a little worse and must still pay enough.
SLIPPAGE_ROOM = 0.0005
# Share of the way between the nearest and the furthest stop that plans keep from both.
BOUND_ROOM = 0.01


@dataclass(frozen=True, slots=True)
class Levels:
    """Prices in quote currency per row, NaN where there is none."""

    stop: Floats
    target: Floats


def average_true_range(frame: pd.DataFrame) -> Floats:
    """ATR(14) as TA-Lib has it; NaN before warm-up."""
    high, low, close = (frame[name].to_numpy(dtype=np.float64) for name in ("high", "low", "close"))
    return candles.average_true_range(high, low, close, ATR_LENGTH)


def long_levels(frame: Columns, atr: Floats, fee: float, settings: RiskSettings) -> Levels:
    """Stop and target of a long entered at each row's close."""
    return _levels(frame, atr, fee, settings, 1, SUPPORTS, TARGETS_ABOVE)


def short_levels(frame: Columns, atr: Floats, fee: float, settings: RiskSettings) -> Levels:
    """Stop and target of a short entered at each row's close."""
    return _levels(frame, atr, fee, settings, -1, RESISTANCES, TARGETS_BELOW)


def forced_levels(
    side: TradeSide, entry: float, atr: float, fee: float, settings: RiskSettings
) -> tuple[float, float]:
    """Stop and target (prices) for an entry that a person forces where the candle gives no plan.

    The stop is `stop_atrs` away, within the settings' bounds; the target pays `reward_risk`. An
    unknown ATR counts as none: the stop is the nearest allowed.
    """
    sign = 1 if side == "long" else -1
    wanted = settings.stop_atrs * atr if np.isfinite(atr) else 0.0
    distance = float(_within_bounds(np.array([wanted]), np.array([entry]), settings)[0])
    stop = entry - sign * distance
    loss = loss_per_unit(entry, stop, fee)
    return stop, entry + sign * _way(settings.reward_risk, loss, entry, fee)


def _levels(
    frame: Columns,
    atr: Floats,
    fee: float,
    settings: RiskSettings,
    sign: int,
    stops: Sequence[str],
    targets: Sequence[str],
) -> Levels:
    close = np.asarray(frame["close"], dtype=np.float64)
    least = settings.stop_atrs * atr
    behind = sign * (close[:, None] - _columns(frame, stops, (STOP_TIMEFRAME,)))
    behind += settings.stop_atr_margin * atr[:, None]
    most = np.maximum(settings.structure_atrs * atr, least)
    structure = _nearest(behind, least[:, None], most[:, None])
    wanted = np.where(np.isnan(structure), least, structure)
    stop = close - sign * _within_bounds(wanted, close, settings)
    loss = loss_per_unit(close, stop, fee)
    ahead = sign * (_columns(frame, targets, settings.target_timeframes) - close[:, None])
    pays = _way(settings.min_reward_risk, loss, close, fee)
    level = _nearest(ahead, pays[:, None], np.inf)
    way = np.fmax(_way(settings.reward_risk, loss, close, fee), level)
    return Levels(stop=stop, target=close + sign * way)


def _within_bounds(distance: Floats, entry: Floats, settings: RiskSettings) -> Floats:
    # Well inside the bounds: rounding to ticks and a slightly other entry must not cross them.
    room = settings.max_stop - settings.min_stop
    low, high = settings.min_stop + BOUND_ROOM * room, settings.max_stop - BOUND_ROOM * room
    return np.clip(distance, low * entry, high * entry)


def _way(reward: float, loss: Prices, entry: Prices, fee: float) -> Prices:
    """The way from entry to a target that pays `reward` times the loss, on the safe side.

    gain = way − fee · (2 · entry ± way) ≥ reward · loss, solved for the way.
    """
    return (reward * loss + 2 * fee * entry) / (1 - fee) + SLIPPAGE_ROOM * entry


def _columns(frame: Columns, names: Sequence[str], timeframes: Sequence[str]) -> Floats:
    wanted = [f"{name}{suffix}" for suffix in _suffixes(timeframes) for name in names]
    found = [name for name in wanted if name in frame]
    if not found:
        return np.full((len(frame["close"]), 1), np.nan)
    return np.array([np.asarray(frame[name], dtype=np.float64) for name in found]).T


def _suffixes(timeframes: Sequence[str]) -> list[str]:
    return ["" if timeframe == BASE_TIMEFRAME else f"_{timeframe}" for timeframe in timeframes]


def _nearest(distances: Floats, least: Floats, most: Floats | float) -> Floats:
    """The smallest distance of each row within the bounds; NaN for none."""
    with np.errstate(invalid="ignore"):
        fitting = np.where((distances >= least) & (distances <= most), distances, np.inf)
    nearest = fitting.min(axis=1) if len(fitting) else np.empty(0)
    return np.where(np.isinf(nearest), np.nan, nearest)
