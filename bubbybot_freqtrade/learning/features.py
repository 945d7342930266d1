"""What the model is shown of a candidate: the analyzers' columns, seen from its side.

Long and short share one model, so that each learns from the other: whatever has a direction is
multiplied by the side. Prices are distances in ATRs, volumes are ratios; nothing grows with the
market's level.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from bubbybot_freqtrade.learning.labels import Signs, barriers
from bubbybot_freqtrade.risk.r import r_at
from bubbybot_freqtrade.signals.trend import PREFIXES, READING_COLUMNS

Floats = npt.NDArray[np.float64]

# Oscillators and trends with a direction: what to subtract, and the width of their usual range.
DIRECTED = {
    "mc_wt1": (0.0, 100.0),
    "mc_wt2": (0.0, 100.0),
    "mc_wt_vwap": (0.0, 50.0),
    "mc_money_flow": (0.0, 50.0),
    "mc_rsi": (50.0, 50.0),
    "mc_stoch_k": (50.0, 50.0),
    "lux_swing_trend": (0.0, 1.0),
    "lux_internal_trend": (0.0, 1.0),
    "lux_zone": (0.0, 1.0),
    "fc_in_golden_pocket": (0.0, 1.0),
    "mc_rsi_1h": (50.0, 50.0),
}
# Prices whose distance from the close, in ATRs, says where the candle stands.
LEVELS = (
    *("mc_ema_2", "mc_ema_8", "fc_poc", "fc_vah", "fc_val", "lux_range_high", "lux_range_low"),
    *("fc_vah_1h", "fc_val_1h"),
)
RETURNS = (4, 16, 96)
"""Candles: an hour, four, a day."""

FURTHEST = 50.0
"""ATRs at which a distance is cut: a level beyond says no more than that it is far away."""


def features(frame: pd.DataFrame, sides: Signs, fee: float) -> pd.DataFrame:
    """One row of features per candle; NaN in rows without a candidate and before warm-up.

    :param frame: a frame as `BubbyBotStrategy.populate_indicators` returns it
    :param sides: of `labels.candidates`
    :param fee: of one side of a trade, as a share of its value
    """
    sign = sides.astype(np.float64)
    close, atr = frame["close"].to_numpy(dtype=np.float64), frame["plan_atr"].to_numpy()
    columns = (
        _scores(frame, sides)
        | _directions(frame, sign)
        | _places(frame, sign, close, atr)
        | _plan(frame, sides, close, atr, fee)
        | _market(frame, sign, close, atr)
    )
    made = pd.DataFrame(columns, index=frame.index)
    made.loc[sides == 0] = np.nan
    return made


def reward_in_r(close: Floats, stop: Floats, target: Floats, fee: float) -> Floats:
    """What a target pays in units of the loss at the stop, both after fees; entry at the close."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return r_at(target, close, stop, fee)


def _numbers(frame: pd.DataFrame, column: str) -> Floats:
    """A column's values, 0 where it has none: no evidence yet, or a timeframe without candles."""
    if column not in frame:
        return np.zeros(len(frame))
    return np.nan_to_num(frame[column].to_numpy(dtype=np.float64))


def _scores(frame: pd.DataFrame, sides: Signs) -> dict[str, Floats]:
    made = {column: sides * _numbers(frame, column) for column in READING_COLUMNS.values()}
    for prefix in PREFIXES.values():
        long, short = (_numbers(frame, f"{prefix}_{side}_score") for side in ("long", "short"))
        made[f"{prefix}_for"] = np.where(sides > 0, long, short)
        made[f"{prefix}_against"] = np.where(sides > 0, short, long)
    long, short = (_numbers(frame, f"{side}_confluence") for side in ("long", "short"))
    made["confluence_for"] = np.where(sides > 0, long, short)
    made["confluence_against"] = np.where(sides > 0, short, long)
    return made


def _directions(frame: pd.DataFrame, sign: Floats) -> dict[str, Floats]:
    made = {
        column: sign * (_numbers(frame, column) - middle) / width
        for column, (middle, width) in DIRECTED.items()
    }
    made["dbsi"] = sign * (_numbers(frame, "mc_dbsi_bull") - _numbers(frame, "mc_dbsi_bear")) / 28
    return made


def _places(frame: pd.DataFrame, sign: Floats, close: Floats, atr: Floats) -> dict[str, Floats]:
    return {
        f"from_{column}": np.nan_to_num(
            np.clip(sign * (close - frame[column].to_numpy()) / atr, -FURTHEST, FURTHEST)
        )
        for column in LEVELS
    }


def _plan(
    frame: pd.DataFrame, sides: Signs, close: Floats, atr: Floats, fee: float
) -> dict[str, Floats]:
    stop, target = barriers(frame, sides)
    return {
        "stop_share": np.abs(close - stop) / close,
        "stop_atrs": np.clip(np.abs(close - stop) / atr, 0, FURTHEST),
        "reward": np.clip(reward_in_r(close, stop, target, fee), 0, FURTHEST),
    }


def _market(frame: pd.DataFrame, sign: Floats, close: Floats, atr: Floats) -> dict[str, Floats]:
    series, volume = frame["close"], frame["volume"]
    usual = volume.rolling(96).mean().to_numpy()
    hour = frame["date"].dt.hour.to_numpy() * (2 * np.pi / 24)
    with np.errstate(divide="ignore", invalid="ignore"):
        busy = np.log(volume.rolling(4).mean().to_numpy() / usual)
    return {
        "side": sign,
        "volatility": atr / close,
        "volatility_change": atr / frame["plan_atr"].rolling(200).mean().to_numpy(),
        "volume_change": np.clip(np.nan_to_num(busy), -5, 5),
        **{
            f"return_{candles}": np.clip(
                sign * (close - series.shift(candles).to_numpy()) / atr, -FURTHEST, FURTHEST
            )
            for candles in RETURNS
        },
        "hour_sin": np.sin(hour),
        "hour_cos": np.cos(hour),
    }
